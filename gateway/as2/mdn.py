"""Composing a receipt: multipart/report in the words of RFC 8098 and RFC 4130 7.4, signed where it was
asked.
"""

from datetime import datetime
from typing import NamedTuple

from .composing import AS2_VERSION, FEATURES
from .disposition import Disposition
from .identity import Identity
from .mic import Mic
from .remembering import remembered
from .terms import Terms
from .writing import Piece, check_boundary, date, on_one_line, signed

REPORTING_UA = "Tidewaiter"
# RFC 8098 3.2.6: nobody is asked before a receipt is made or sent.
MODE = "automatic-action/MDN-sent-automatically"
_REPORT = "multipart/report; report-type=disposition-notification"
_TEXT_HEAD = "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
# By whether all of it is ASCII.
_FIELDS_HEAD = tuple(
    f"Content-Type: message/disposition-notification\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    for encoding in ("8bit", "7bit")
)


class Mdn(NamedTuple):
    """A receipt as it is sent, in the response with HTTP 200 whatever its disposition, or by a request of its
    own. Store it with the message: a resend is answered with the same bytes.
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
    now = now.replace(microsecond=0)
    # Two boundaries of which neither begins the other: some readers look for a prefix only.
    report = _report(identity, disposition, mic, text or disposition.sentence, f"r-{boundary}")
    content_type = f'{_REPORT}; boundary="r-{boundary}"'
    piece = Piece((("Content-Type", content_type),), (report,))
    if identity.wants_signed and terms is not None and terms.signer is not None:
        entity = b"Content-Type: %b\r\n\r\n%b" % (content_type.encode("ascii"), report)
        digest = terms.signer.digest.new(entity).digest()
        piece = signed((entity,), terms.signer, digest, now=now, boundary=f"s-{boundary}")
    headers = (
        ("AS2-Version", AS2_VERSION),
        ("EDIINT-Features", FEATURES),
        # The names change places and keep their quotes (RFC 4130 6.2).
        ("AS2-From", identity.as2_to_raw),
        ("AS2-To", identity.as2_from_raw),
        ("Message-ID", message_id),
        ("Date", date(now)),
        ("MIME-Version", "1.0"),
        *piece.headers,
    )
    return Mdn(on_one_line(headers), piece.body)


def _report(identity: Identity, disposition: Disposition, mic: Mic | None, text: str, boundary: str) -> bytes:
    """The two parts. What is echoed stands as it came: the sender looks for its own octets."""
    recipient, message_id = identity.as2_to_raw, identity.message_id
    on_one_line((("Message-ID", message_id),))
    fields = (
        f"Reporting-UA: {REPORTING_UA}\r\n"
        f"Original-Recipient: rfc822; {recipient}\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\n"
        f"Original-Message-ID: {message_id}\r\n"
        f"Disposition: {MODE}; {disposition.text}\r\n"
    )
    if mic is not None:
        fields += f"Received-Content-MIC: {mic.value}, {mic.digest.micalg}\r\n"
    people = _for_people(text)
    mark = f"--{boundary}"
    check_boundary(boundary, ())
    if mark in fields or mark in people:
        raise ValueError("not a boundary for this content")
    return (
        f"{mark}\r\n{people}\r\n{mark}\r\n{_FIELDS_HEAD[fields.isascii()]}{fields}\r\n{mark}--\r\n"
    ).encode("latin-1")


@remembered
def _for_people(text: str) -> str:
    """The part for people, in ASCII."""
    lines = text.encode("ascii", "replace").decode("ascii").splitlines()
    return "\r\n".join((_TEXT_HEAD, *lines, ""))
