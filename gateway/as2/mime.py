"""MIME over raw bytes: parts are slices of what was received, nothing is ever written out again.

Digests and signatures are over the octets that came, so this module keeps them: an entity is its raw bytes
with a place where the body begins, and a multipart is cut at its delimiters. Headers inside parts may be
folded (RFC 5322 2.2.3) and are unfolded for reading only.
"""

import binascii
import quopri
import re
import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from .header_values import (
    boundary_of,
    media_type_of,
    name_in_disposition,
    name_in_type,
    parameters,
    without_comments,
)
from .remembering import remembered

# A part's header block: far above any real one (a few hundred octets), and bounds the search for its end.
MAX_HEADER_BLOCK = 64 * 1024

_FOLD = re.compile(r"\r?\n[ \t]+")
# RFC 5322 2.2: any printable character but the colon.
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*([^\r\n]*)")
_PLAIN_TEXT = bytes((*b"\t\r\n", *range(0x20, 0x7F)))
_LINE = 76  # RFC 2045 6.8
# Octets of base64 that are cut into lines at once: 64 lines, more than a signature with its certificate.
_BLOCK = 64 * _LINE // 4 * 3
_WHITE_SPACE = b" \t\r\n"
# CMS in DER or BER begins with a SEQUENCE. The base64 of that octet begins with "M", so the two never clash.
_SEQUENCE = b"\x30"
_RETURN = 0x0D
# No other thread goes on during one pass over octets: what is of this size takes a few milliseconds.
_PIECE = 512 * 1024
_TEXTUAL = frozenset({"base64", "quoted-printable"})


class MimeError(ValueError):
    """The bytes do not have the MIME structure they claim to have. The sender's fault."""


_OF_ENTITY = tuple(
    (name, name.encode("ascii"))
    for name in (
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "as2-from",
        "as2-to",
        "message-id",
    )
)
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Entity(NamedTuple):
    """A MIME entity: `raw` as received, `headers` by lower-case name (the first of each), body from
    `body_at`.

    `bare` is true when the bytes held no header block at all and are all body.
    """

    raw: bytes
    body_at: int = 0
    headers: Mapping[str, str] = _NO_HEADERS
    bare: bool = False

    @property
    def head(self) -> bytes:
        return self.raw[: self.body_at]

    @property
    def body(self) -> bytes:
        """A copy, unless there is no head."""
        return self.raw[self.body_at :] if self.body_at else self.raw

    @property
    def media_type(self) -> str:
        """The media type in lower case without parameters; empty if none is given."""
        return media_type_of(self.headers.get("content-type", ""))

    @property
    def boundary(self) -> str | None:
        """The parameter of this name of the content type, or None."""
        return boundary_of(self.headers.get("content-type", ""))

    def parameter(self, header: str, name: str) -> str | None:
        """The parameter `name` of the header `header`, both in lower case, or None."""
        return parameters(self.headers.get(header, "")).get(name)


def from_http(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Entity:
    """The entity that an HTTP message carries: the body is all of its bytes, the headers are those of HTTP
    that speak of it, and the names and the id of an AS2 message.
    """
    first = first_of(headers)
    known = {
        name: value.decode("latin-1").strip(" \t")
        for name, key in _OF_ENTITY
        if (value := first.get(key)) is not None
    }
    return Entity(body, 0, known)


class _Indexed(Protocol):
    """Headers that know their first values, as those of a listener may."""

    first: Mapping[bytes, bytes]


def first_of(headers: Iterable[tuple[bytes, bytes]] | _Indexed) -> Mapping[bytes, bytes]:
    """The first value of each name, in lower case."""
    known: Mapping[bytes, bytes] | None = getattr(headers, "first", None)
    if known is not None:
        return known
    assert isinstance(headers, Iterable)
    return {name.lower(): value for name, value in reversed(tuple(headers))}


def read_entity(raw: bytes) -> Entity:
    """The entity in `raw`. Never raises: what does not begin with MIME headers is a bare body.

    Some products encrypt the document itself with no header before it, and an EDIFACT service string
    (`UNA:+.?`) looks like a header field: a block counts only if each line is a field and one is of MIME.
    """
    if raw[:1] == b"\n" or raw[:2] == b"\r\n":
        return Entity(raw, raw.index(b"\n") + 1)
    stop, body_at = _blank_line(raw)
    headers = _fields(raw[:stop]) if stop > 0 else None
    if headers is None:
        return Entity(raw, bare=True)
    return Entity(raw, body_at, headers)


def _blank_line(raw: bytes) -> tuple[int, int]:
    """Where the lines before the first blank line end, and what is behind it; -1 if there is none."""
    # A blank line shows as one of these two, whichever way each of its line ends is written.
    mixed = raw.find(b"\n\r\n", 0, MAX_HEADER_BLOCK)
    plain = raw.find(b"\n\n", 0, MAX_HEADER_BLOCK if mixed < 0 else mixed + 1)
    at, behind = (plain, plain + 2) if plain >= 0 else (mixed, mixed + 3)
    return at - (at > 0 and raw[at - 1] == _RETURN), behind


def _fields(block: bytes) -> Mapping[str, str] | None:
    """The header fields in `block`; None unless each line is a field and one of them is of MIME."""
    # A boundary is another each time.
    return _read_fields(block) if b"boundary" in block else _usual_fields(block)


def _read_fields(block: bytes) -> Mapping[str, str] | None:
    headers: dict[str, str] = {}
    for line in _lines(block):
        if not (match := _FIELD.fullmatch(line)):
            return None
        headers.setdefault(match[1].lower(), match[2].rstrip(" \t"))
    is_mime = any(name.startswith("content-") or name == "mime-version" for name in headers)
    return MappingProxyType(headers) if is_mime else None


_usual_fields = remembered(_read_fields)


def _lines(block: bytes) -> list[str]:
    """The unfolded lines of a header block."""
    text = block.decode("latin-1")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    return text.replace("\r\n", "\n").split("\n")


def read_fields(block: bytes) -> dict[str, str]:
    """The fields of a notification (RFC 8098 3.1) by lower-case name, unfolded; lines that are none are
    skipped.
    """
    found = map(_FIELD.fullmatch, _lines(block))
    fields: dict[str, str] = {}
    for match in found:
        if match:
            fields.setdefault(match[1].lower(), match[2].rstrip(" \t"))
    return fields


def is_plain_text(octets: bytes) -> bool:
    """True if `octets` are printable ASCII, tabs and line ends."""
    return not octets.translate(None, _PLAIN_TEXT)


def decode(entity: Entity) -> bytes:
    """The body with its content-transfer-encoding undone; none given means binary, as it does in HTTP.

    Raises MimeError on base64 that is none.
    """
    encoding = _encoding(entity)
    if encoding == "base64":
        return _from_base64(entity.body)
    if encoding == "quoted-printable":
        return quopri.decodestring(entity.body)
    return entity.body


def decoded_multipart(entity: Entity) -> Entity:
    """The multipart `entity`, decoded if it is encoded as a whole, as some gateways on the way do over HTTP
    (RFC 2045 6.4 forbids it). The label alone is not believed. Raises MimeError.
    """
    boundary = entity.boundary
    if _encoding(entity) not in _TEXTUAL or (boundary and b"--" + boundary.encode("latin-1") in entity.raw):
        return entity
    return Entity(decode(entity), 0, entity.headers)


def _encoding(entity: Entity) -> str:
    return without_comments(entity.headers.get("content-transfer-encoding", "")).strip(' \t"').lower()


def decode_cms(entity: Entity) -> bytes:
    """The CMS octets in the body. The label is not believed: gateways on the way are known to add a wrong
    one, and senders to leave out a right one. Raises MimeError if the body is neither BER nor encoded.
    """
    if is_binary(entity):
        return entity.body
    body = entity.body
    return quopri.decodestring(body) if body[:1] == _SEQUENCE else _from_base64(body)


def is_binary(entity: Entity) -> bool:
    """True if the body is CMS as it is, with no encoding that is text."""
    # The first octet of CMS is the digit 0, and stays it in quoted-printable; the others do not.
    if entity.raw[entity.body_at : entity.body_at + 1] != _SEQUENCE:
        return False
    return _encoding(entity) != "quoted-printable" or not is_plain_text(entity.body)


def _from_base64(text: bytes) -> bytes:
    """Strictly: a text that is labelled so and is not must not be read as one, nor what came out of CBC."""
    try:
        return binascii.a2b_base64(text.translate(None, _WHITE_SPACE), strict_mode=True)
    except binascii.Error:
        raise MimeError("not base64") from None


def to_base64(data: bytes) -> bytes:
    """`data` as base64 lines of 76 characters, each with CRLF."""
    view = memoryview(data)
    return b"".join([_lines_of(view[at : at + _BLOCK]) for at in range(0, len(data), _BLOCK)])


def _lines_of(block: memoryview) -> bytes:
    text = binascii.b2a_base64(block, newline=False)
    lines, rest = divmod(len(text), _LINE)
    pieces = struct.unpack(f"{_LINE}s" * lines + f"{rest}s" * (rest > 0), text)
    return b"\r\n".join((*pieces, b""))


def with_crlf_headers(raw: bytes) -> bytes:
    """`raw` with the line ends of its header block, and only those, as CRLF."""
    end = read_entity(raw).body_at
    return to_crlf(raw[:end]) + raw[end:]


def to_crlf(data: bytes) -> bytes:
    """`data` with every line end as CRLF."""
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + _PIECE
        end += data[end - 1 : end + 1] == b"\r\n"
        pieces.append(_to_crlf(data[at:end]))
        at = end
    return b"".join(pieces)


def _to_crlf(data: bytes) -> bytes:
    # Passes of plain replacing: an expression that looks around each line end takes many times as long, and
    # anybody can send 10 MB that are refused only after this.
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def filename(entity: Entity) -> str | None:
    """The name the sender gives the payload, for showing and never for opening: see `safe_filename`."""
    headers = entity.headers
    disposition, content_type = headers.get("content-disposition", ""), headers.get("content-type", "")
    return name_in_disposition(disposition) or name_in_type(content_type)
