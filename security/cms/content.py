"""The outermost layer: ContentInfo (RFC 5652 3), in DER or BER."""

import enum
import struct
from collections.abc import Callable
from typing import TypeVar

from .. import der
from ..errors import MalformedCms

T = TypeVar("T")


class ContentType(enum.Enum):
    """What a ContentInfo holds."""

    SIGNED = "signed-data"
    ENVELOPED = "enveloped-data"
    AUTH_ENVELOPED = "authenveloped-data"
    COMPRESSED = "compressed-data"


DATA = der.oid("1.2.840.113549.1.7.1")
_TYPES = {
    der.oid("1.2.840.113549.1.7.2"): ContentType.SIGNED,
    der.oid("1.2.840.113549.1.7.3"): ContentType.ENVELOPED,
    der.oid("1.2.840.113549.1.9.16.1.23"): ContentType.AUTH_ENVELOPED,
    der.oid("1.2.840.113549.1.9.16.1.9"): ContentType.COMPRESSED,
}
_OIDS = {kind: oid for oid, kind in _TYPES.items()}

EXPLICIT_0 = 0xA0
# ContentInfo, contentType, [0] and the structure, where each length takes two octets.
_HEAD = struct.Struct(">BBH11sBBHBBH")
_MIDDLE_SIZES = range(0x100 + 23, 0x10000)


def content_type(data: bytes) -> ContentType:
    """What `data`, a ContentInfo in DER or BER, says it holds. Raises MalformedCms if none of these."""
    if len(data) < 2 or data[0] != der.SEQUENCE:
        raise MalformedCms("not a ContentInfo")
    start = 2 + (data[1] & 0x7F if data[1] > 0x7F else 0)
    try:
        return _TYPES[data[start : start + 2 + data[start + 1]]]
    except (KeyError, IndexError):
        raise MalformedCms("not a content type that is handled here") from None


def read(data: bytes, reader: Callable[[bytes], T]) -> T:
    """What `reader` makes of `data`; where it finds no DER, of `data` made DER. Raises MalformedCms."""
    try:
        return reader(data)
    except MalformedCms:
        converted = der.to_der(data)
        if converted is data:
            raise
    return reader(converted)


def fields(data: bytes, kind: ContentType, *, limit: int) -> list[der.Element]:
    """The fields, at most `limit`, of the structure that the ContentInfo `data` holds, of type `kind`."""
    # Nearly every message is of this size, and then all its outer headers are known.
    if (size := len(data)) in _MIDDLE_SIZES and _HEAD.unpack_from(data) == (
        *(der.SEQUENCE, 0x82, size - 4, _OIDS[kind]),
        *(EXPLICIT_0, 0x82, size - 19, der.SEQUENCE, 0x82, size - 23),
    ):
        return der.children(data, _HEAD.size, size, limit=limit)
    tag, _, start, end = der.element_at(data, 0, size)
    if end != size:
        der.require_end(data, end)
    named = _OIDS[kind]
    if tag != der.SEQUENCE or not data.startswith(named, start):
        raise MalformedCms("not a ContentInfo of the type asked for")
    explicit, _, start, stop = der.element_at(data, start + len(named), end)
    inner, _, start, inner_stop = der.element_at(data, start, stop)
    if (explicit, inner) != (EXPLICIT_0, der.SEQUENCE) or not stop == inner_stop == end:
        raise MalformedCms("not a ContentInfo")
    return der.children(data, start, stop, limit=limit)


def tags(elements: list[der.Element]) -> tuple[int, ...]:
    """The identifier octets of `elements`."""
    return tuple([element[0] for element in elements])


def encapsulated(data: bytes, element: der.Element) -> tuple[bytes, memoryview | None]:
    """Type (its whole element) and content of an EncapsulatedContentInfo (5.2), None where it is detached."""
    if element.tag != der.SEQUENCE:
        raise MalformedCms("not an EncapsulatedContentInfo")
    parts = der.children(data, element.start, element.stop, limit=2)
    if not parts or parts[0].tag != der.OBJECT_IDENTIFIER:
        raise MalformedCms("not an EncapsulatedContentInfo")
    kind = data[parts[0].header : parts[0].stop]
    if len(parts) == 1:
        return kind, None
    inner = der.element_at(data, parts[1].start, parts[1].stop)
    if (parts[1].tag, inner.tag, inner.stop) != (EXPLICIT_0, der.OCTET_STRING, parts[1].stop):
        raise MalformedCms("not an EncapsulatedContentInfo")
    return kind, memoryview(data)[inner.start : inner.stop]


def encapsulate(content: der.Buffer | None) -> list[der.Buffer]:
    """The parts of an EncapsulatedContentInfo of id-data; without `content`, detached."""
    parts: list[der.Buffer] = [DATA]
    if content is not None:
        parts += der.nest(EXPLICIT_0, der.nest(der.OCTET_STRING, [content]))
    return der.nest(der.SEQUENCE, parts)


def parts_of(kind: ContentType, structure: list[der.Buffer]) -> list[der.Buffer]:
    """A ContentInfo of `kind` around the fields of its structure, still in parts."""
    inner = der.nest(EXPLICIT_0, der.nest(der.SEQUENCE, structure))
    return der.nest(der.SEQUENCE, [_OIDS[kind], *inner])


def write(kind: ContentType, structure: list[der.Buffer]) -> bytes:
    """A ContentInfo of `kind` around the fields of its structure, joined once."""
    return b"".join(parts_of(kind, structure))
