"""Writing MIME: headers on one line each, CRLF everywhere, base64 for signatures."""

import functools
import re
import urllib.parse
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from ...security.cms import Signer
from . import mime
from .header_values import safe_filename

# RFC 2046 5.1.1, without the characters that some products mishandle; two more are put before it in a
# receipt.
_BOUNDARY = re.compile(r"[A-Za-z0-9_=.-]{1,66}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_FILENAME = re.compile(r'[^ !#-\[\]-~]|"')
# Moments that are kept written: messages of one second share theirs.
_DATES = 16

Headers = tuple[tuple[str, str], ...]

# Binary is allowed here, but openssl and others cannot read it.
_SIGNATURE_HEAD = (
    b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)


class Piece(NamedTuple):
    """A MIME entity to be sent: it stands in another, or its headers become HTTP's. Its body is in pieces, so
    that a large document is copied when all is done, and not at each layer.
    """

    headers: Headers
    pieces: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        """The body in one piece."""
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)

    @property
    def entity(self) -> tuple[bytes, ...]:
        """The whole entity, in pieces."""
        return (head_of(self.headers), *self.pieces)

    def __bytes__(self) -> bytes:
        return b"".join(self.entity)


def head_of(headers: Headers) -> bytes:
    """`headers` and the blank line behind them. Raises ValueError as `on_one_line` does."""
    lines = [f"{name}: {value}\r\n" for name, value in on_one_line(headers)]
    return ("".join(lines) + "\r\n").encode("latin-1")


def on_one_line(headers: Headers) -> Headers:
    """`headers`, which go on the wire as they are. Raises ValueError if one would not stay on its line:
    folded headers break peers, and a line end from outside would make headers of its own.
    """
    if _CONTROL.search("".join([value for _, value in headers])):
        wrong = next(name for name, value in headers if _CONTROL.search(value))
        raise ValueError(f"{wrong} holds a control character")
    return headers


def attachment(filename: str) -> str:
    """A Content-Disposition for `filename`, quoted as most products want it; a name that is not ASCII stands
    in the extended form as well (RFC 2231 4).
    """
    name = safe_filename(filename) or "document"
    quoted = f'attachment; filename="{_NOT_IN_FILENAME.sub("_", name)}"'
    if name.isascii():
        return quoted
    return f"{quoted}; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"


def date(moment: datetime) -> str:
    """`moment` as a Date header (RFC 5322 3.3)."""
    return _date(moment.replace(microsecond=0) if moment.microsecond else moment)


_date = functools.lru_cache(maxsize=_DATES)(format_datetime)


def signed(
    content: tuple[bytes, ...], signer: Signer, digest: bytes, *, now: datetime, boundary: str
) -> Piece:
    """A multipart/signed around `content`, the pieces of an entity with its headers (RFC 8551 3.5.3), whose
    digest by the signer's algorithm is `digest`.

    Raises ValueError for a boundary that cannot be used, or stands in the content.
    """
    mark = check_boundary(boundary, content)
    signature = mime.to_base64(signer.signed_data(digest, now, None))
    behind = b"".join((b"\r\n", mark, b"\r\n", _SIGNATURE_HEAD, signature, mark, b"--\r\n"))
    content_type = (
        f'multipart/signed; protocol="application/pkcs7-signature"; micalg={signer.digest.micalg}; '
        f'boundary="{boundary}"'
    )
    return Piece((("Content-Type", content_type),), (mark + b"\r\n", *content, behind))


def joined(parts: Iterable[tuple[bytes, ...]], content_type: str, boundary: str) -> Piece:
    """A multipart of `parts`, entities with their headers in pieces; `content_type` lacks its boundary."""
    mark = check_boundary(boundary, ())
    pieces: list[bytes] = []
    for part in parts:
        check_boundary(boundary, part)
        pieces += (mark + b"\r\n", *part, b"\r\n")
    pieces.append(mark + b"--\r\n")
    return Piece((("Content-Type", f'{content_type}; boundary="{boundary}"'),), tuple(pieces))


def check_boundary(boundary: str, content: Iterable[bytes]) -> bytes:
    """The delimiter that `boundary` makes. Raises ValueError if it is no boundary, or stands in `content`:
    no piece but the last ends within a line, so it cannot stand across two.
    """
    mark = b"--" + boundary.encode("ascii")
    if not _BOUNDARY.fullmatch(boundary) or any(mark in piece for piece in content):
        raise ValueError("not a boundary for this content")
    return mark
