"""Composing a receipt: multipart/report in the words of RFC 8098 and RFC 4130 7.4, signed where it was
asked.
"""

from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from .composing import AS2_VERSION, FEATURES
from .disposition import Disposition
from .identity import Identity
from .mic import Mic
from .terms import Terms
from .writing import Piece, check_boundary, one_line, signed

REPORTING_UA = "Tidewaiter"
# RFC 8098 3.2.6: nobody is asked before a receipt is made or sent.
MODE = "automatic-action/MDN-sent-automatically"


class Mdn(NamedTuple):
    """A receipt as it is sent: with HTTP 200 in the response, whatever its disposition. Store it with the
    message: a resend is answered with the same bytes.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes


def compose_mdn(
    identity: Identity,
    disposition: Disposition,
    mic: Mic | None,
    terms: Terms | None,
    *,
    message_id: str,
    now: datetime,
    boundary: str,
    text: str | None = None,
) -> Mdn:
    """The receipt for the message `identity`: signed if it was asked for and `terms` (None for a stranger)
    have a signer, also when it says no. For a stranger it is never signed: we have no name towards it.

    `text` is for a person, in ASCII, and stands in for the disposition's own sentence; leave it out for a
    refusal, whose bytes must not depend on its cause. Raises ValueError for a message id or boundary that
    cannot be used.
    """
    message_id = message_id if message_id.startswith("<") else f"<{message_id}>"
    # Two boundaries of which neither begins the other: some readers look for a prefix only.
    report = _report(identity, disposition, mic, text or disposition.sentence, f"r-{boundary}")
    piece = report
    if identity.wants_signed and terms is not None and terms.signer is not None:
        piece = signed(bytes(report), terms.signer, now=now, boundary=f"s-{boundary}")
    headers = (
        ("AS2-Version", AS2_VERSION),
        ("EDIINT-Features", FEATURES),
        # The names change places and keep their quotes (RFC 4130 6.2).
        ("AS2-From", identity.as2_to_raw),
        ("AS2-To", identity.as2_from_raw),
        ("Message-ID", message_id),
        ("Date", format_datetime(now)),
        ("MIME-Version", "1.0"),
        *piece.headers,
    )
    return Mdn(tuple((name, one_line(name, value)) for name, value in headers), piece.body)


def _report(identity: Identity, disposition: Disposition, mic: Mic | None, text: str, boundary: str) -> Piece:
    parts = (
        Piece(
            (("Content-Type", "text/plain; charset=us-ascii"), ("Content-Transfer-Encoding", "7bit")),
            b"\r\n".join(text.encode("ascii", "replace").splitlines()) + b"\r\n",
        ),
        _notification(identity, disposition, mic),
    )
    octets = b"".join(map(bytes, parts))
    mark = check_boundary(boundary, octets)
    body = b"".join(mark + b"\r\n" + bytes(part) + b"\r\n" for part in parts) + mark + b"--\r\n"
    content_type = f'multipart/report; report-type=disposition-notification; boundary="{boundary}"'
    return Piece((("Content-Type", content_type),), body)


def _notification(identity: Identity, disposition: Disposition, mic: Mic | None) -> Piece:
    """The part for the machine. What is echoed stands as it came: the sender looks for its own octets."""
    fields = (
        ("Reporting-UA", REPORTING_UA),
        ("Original-Recipient", f"rfc822; {identity.as2_to_raw}"),
        ("Final-Recipient", f"rfc822; {identity.as2_to_raw}"),
        ("Original-Message-ID", identity.message_id),
        ("Disposition", f"{MODE}; {disposition.text}"),
        *((("Received-Content-MIC", str(mic)),) if mic is not None else ()),
    )
    body = "".join(f"{name}: {one_line(name, value)}\r\n" for name, value in fields).encode("latin-1")
    encoding = "7bit" if body.isascii() else "8bit"
    headers = (("Content-Type", "message/disposition-notification"), ("Content-Transfer-Encoding", encoding))
    return Piece(headers, body)
