"""The innermost entity: the document, and what may have been sent along with it."""

from collections.abc import Sequence
from typing import NamedTuple

from . import mime
from .header_values import without_comments
from .mime import Entity
from .multipart import entities

# What a payload without any type is; also where the type that HTTP gives is that of its wrapping.
UNKNOWN_TYPE = "application/octet-stream"

_WRAPPING_TYPES = frozenset(
    {"multipart/signed", "multipart/related", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_WRAPPING_SUFFIXES = (".p7m", ".p7z", ".p7s")


class Part(NamedTuple):
    """A document as sent: `content_type` is its header value, `filename` is for showing and is no path."""

    content: bytes
    content_type: str
    filename: str | None


class Payload(NamedTuple):
    """The document and its attachments (RFC 6362)."""

    document: Part
    attachments: tuple[Part, ...] = ()


def read_payload(entity: Entity, outer: Entity) -> Payload:
    """The payload in `entity`, which came in the HTTP entity `outer`. Raises MimeError if it cannot be
    decoded.
    """
    if entity.media_type == "multipart/related":
        parts = entities(entity)
        root = _root(parts, entity.parameter("content-type", "start"))
        others = (_part(part, part) for part in parts if part is not root)
        return Payload(document=_part(root, outer), attachments=tuple(others))
    return Payload(document=_part(entity, outer))


def _root(parts: Sequence[Entity], start: str | None) -> Entity:
    """RFC 2387 3.2: the part that `start` names, the first where it is not given. Raises MimeError for one
    that names none: another part is not the document.
    """
    if not start:
        return parts[0]
    for part in parts:
        if _bare_id(part.headers.get("content-id", "")) == _bare_id(start):
            return part
    raise mime.MimeError("start names no part of the multipart")


def _bare_id(value: str) -> str:
    return without_comments(value).strip().removeprefix("<").removesuffix(">")


def _part(entity: Entity, outer: Entity) -> Part:
    content_type = entity.headers.get("content-type", "")
    if not content_type and outer.media_type not in _WRAPPING_TYPES:
        content_type = outer.headers.get("content-type", "")
    filename = mime.filename(entity) or mime.filename(outer)
    if filename is not None and filename.lower().endswith(_WRAPPING_SUFFIXES):
        filename = None
    return Part(_content(entity, outer), content_type or UNKNOWN_TYPE, filename)


def _content(entity: Entity, outer: Entity) -> bytes:
    """What `entity` holds, decoded. Of an HTTP message itself a label that cannot be right is passed over:
    some products add one to a binary body."""
    try:
        return mime.decode(entity)
    except mime.MimeError:
        if entity is not outer or entity.bare:
            raise
        return entity.body
