"""A stored message: what was kept of an HTTP exchange, or a CMS structure alone, made headers and a body.

Kept messages come from many hands: with or without the first line, with line ends that an editor changed,
still chunked, or only the CMS out of the middle. The body is never changed but for its chunks.
"""

import base64
import binascii
import enum
import re
from dataclasses import dataclass

# As much as the listener takes; it bounds the search for the end, and what folded lines cost.
MAX_HEAD = 64 * 1024
_MAX_CHUNK_LINE = 128

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_REQUEST = re.compile(rb"[A-Z]{3,10} [!-~]{1,8000} HTTP/1\.[01]")
_RESPONSE = re.compile(rb"HTTP/1\.[01] [0-9]{3}(?: [\t -~\x80-\xff]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([^\r\n]*)")
_PEM = re.compile(
    rb"-----BEGIN (CMS|PKCS7|PKCS #7 SIGNED DATA)-----\r?\n([A-Za-z0-9+/=\r\n \t]+)-----END \1-----\s*"
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n \t]++=?=?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,64})?\r?\n")
# One of these stands in every message.
_TELLING = frozenset({b"as2-from", b"as2-to", b"message-id", b"mime-version"})
# CMS in DER or BER begins with a SEQUENCE; its base64 with M.
_SEQUENCE = b"\x30"

Headers = tuple[tuple[bytes, bytes], ...]


class Kind(enum.Enum):
    """What was stored."""

    REQUEST = "request"
    RESPONSE = "response"
    MESSAGE = "message"
    """Headers and a body, without a first line."""
    CMS = "CMS"


class NotStored(ValueError):  # noqa: N818  it says what the bytes are not
    """The bytes are no stored message; the text says why."""


@dataclass(frozen=True, slots=True)
class Stored:
    """`start` is the first line where there is one. `headers` are unfolded, in their order."""

    kind: Kind
    start: str
    headers: Headers
    body: bytes
    line_feeds: bool = False
    """The head's lines end with LF alone: something has changed the file."""
    chunked: bool = False
    """The body was stored in its chunks, which are taken off."""

    def header(self, name: str) -> str:
        """The first header of this name (in lower case), or an empty string."""
        found = (value for key, value in self.headers if key.lower() == name.encode())
        return next(found, b"").decode("latin-1").strip(" \t")


def read_stored(data: bytes) -> Stored:
    """The message in `data`. Raises NotStored."""
    if not data.strip():
        raise NotStored("is empty")
    cms = _cms(data)
    if cms is not None:
        return Stored(Kind.CMS, "", ((b"Content-Type", b"application/pkcs7-mime"),), cms)
    end = _BLANK_LINE.search(data, 0, MAX_HEAD)
    # Headers and nothing more: a response without a body.
    head, body = (data[: end.start()], data[end.end() :]) if end else (data[:MAX_HEAD].rstrip(), b"")
    first, *lines = _LINE_END.split(head)
    kind = Kind.REQUEST if _REQUEST.fullmatch(first) else Kind.MESSAGE
    kind = Kind.RESPONSE if _RESPONSE.fullmatch(first) else kind
    headers = _headers(lines if kind is not Kind.MESSAGE else [first, *lines])
    if headers is None or (kind is Kind.MESSAGE and not _says_something(headers)):
        raise NotStored("is neither an HTTP message with its headers nor CMS")
    joined = _dechunked(body) if _is_chunked(headers) else None
    return Stored(
        kind,
        first.decode("latin-1") if kind is not Kind.MESSAGE else "",
        headers,
        body if joined is None else joined,
        line_feeds=b"\n" in head and b"\r\n" not in head,
        chunked=joined is not None,
    )


def _cms(data: bytes) -> bytes | None:
    """CMS in DER, BER, PEM or base64, or None."""
    if data[:1] == _SEQUENCE and data[1:2] >= b"\x80":  # nothing that is short enough for one octet of length
        return data
    text = data.strip()
    encoded = pem[2] if (pem := _PEM.fullmatch(text)) else text
    if pem is None and not (text[:1] == b"M" and _BASE64.fullmatch(text)):
        return None
    try:
        decoded = base64.b64decode(b"".join(encoded.split()), validate=True)
    except binascii.Error:
        return None
    return decoded if decoded[:1] == _SEQUENCE else None


def _headers(lines: list[bytes]) -> Headers | None:
    found: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in {b" ", b"\t"} and found:
            name, value = found[-1]
            found[-1] = (name, value + b" " + line.strip())
        elif match := _FIELD.fullmatch(line):
            found.append((match[1], match[2].rstrip()))
        else:
            return None
    return tuple(found)


def _says_something(headers: Headers) -> bool:
    """A document may begin like a header, too: `UNB+UNOA:1`."""
    names = {name.lower() for name, _ in headers}
    return bool(names & _TELLING) or any(name.startswith(b"content-") for name in names)


def _is_chunked(headers: Headers) -> bool:
    return any(
        name.lower() == b"transfer-encoding" and b"chunked" in value.lower() for name, value in headers
    )


def _dechunked(body: bytes) -> bytes | None:
    """`body` without its chunks; None where it is not in chunks from end to end."""
    pieces: list[bytes] = []
    at = 0
    while size := _CHUNK.match(body, at, at + _MAX_CHUNK_LINE):
        length = int(size[1], 16)
        at = size.end()
        if length == 0:
            return b"".join(pieces)
        end = _LINE_END.match(body, at + length)
        if end is None:
            return None
        pieces.append(body[at : at + length])
        at = end.end()
    return None
