"""Writing MIME: headers on one line each, CRLF everywhere, base64 for signatures."""

import re
from dataclasses import dataclass
from datetime import datetime

from ...security.cms import Signer, sign
from . import mime

# RFC 2046 5.1.1, without the characters that some products mishandle; two more are put before it in a
# receipt.
_BOUNDARY = re.compile(r"[A-Za-z0-9_=.-]{1,66}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_FILENAME = re.compile(r'[^ !#-\[\]-~]|"')


@dataclass(frozen=True, slots=True)
class Piece:
    """A MIME entity to be sent: it stands in another, or its headers become HTTP's."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __bytes__(self) -> bytes:
        lines = "".join(f"{name}: {one_line(name, value)}\r\n" for name, value in self.headers)
        return lines.encode("latin-1") + b"\r\n" + self.body


def one_line(name: str, value: str) -> str:
    """`value`, which goes on the wire as it is. Raises ValueError if it would not stay on its line: folded
    headers break peers, and a line end from outside would make headers of its own.
    """
    if _CONTROL.search(value):
        raise ValueError(f"{name} holds a control character")
    return value


def attachment(filename: str) -> str:
    """A Content-Disposition for `filename`, quoted as most products want it."""
    name = mime.safe_filename(filename) or "document"
    return f'attachment; filename="{_NOT_IN_FILENAME.sub("_", name)}"'


def signed(content: bytes, signer: Signer, *, now: datetime, boundary: str) -> Piece:
    """A multipart/signed around `content`, which is an entity with its headers (RFC 8551 3.5.3).

    Raises ValueError for a boundary that cannot be used, or stands in the content.
    """
    mark = check_boundary(boundary, content)
    signature = sign(content, signer, detached=True, signing_time=now)
    part = Piece(
        (
            ("Content-Type", 'application/pkcs7-signature; name="smime.p7s"'),
            # Binary is allowed, but openssl and others cannot read it here.
            ("Content-Transfer-Encoding", "base64"),
            ("Content-Disposition", 'attachment; filename="smime.p7s"'),
        ),
        mime.to_base64(signature),
    )
    body = b"".join((mark, b"\r\n", content, b"\r\n", mark, b"\r\n", bytes(part), mark, b"--\r\n"))
    content_type = (
        f'multipart/signed; protocol="application/pkcs7-signature"; micalg={signer.digest.micalg}; '
        f'boundary="{boundary}"'
    )
    return Piece((("Content-Type", content_type),), body)


def check_boundary(boundary: str, content: bytes) -> bytes:
    """The delimiter that `boundary` makes. Raises ValueError if it is no boundary or stands in `content`."""
    mark = b"--" + boundary.encode("ascii")
    if not _BOUNDARY.fullmatch(boundary) or mark in content:
        raise ValueError("not a boundary for this content")
    return mark
