"""A multipart over raw bytes (RFC 2046 5.1): its parts are stretches of what was received."""

import re
from typing import NamedTuple

from .mime import MAX_HEADER_BLOCK, Entity, MimeError, read_entity

# Parts of one multipart: two in multipart/signed, two or three in a report, one an attachment elsewhere.
MAX_PARTS = 64
# RFC 2046 5.1.1 says 70; some products make longer ones.
MAX_BOUNDARY = 200
# Lines that begin as a delimiter and are none: those of an inner multipart whose boundary begins with the
# outer one, at most MAX_PARTS each. What only stands within a line costs no more than any other octet, but
# each of these 100 ns, and anybody can send millions before a name is looked at.
MAX_ALIKE = 1000

_DELIMITER_TAIL = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_RETURN = 0x0D


class Multipart(NamedTuple):
    """A multipart taken apart. `epilogue` is None where the closing delimiter is missing, which is
    tolerated.
    """

    preamble: bytes
    parts: list[bytes]
    epilogue: bytes | None


class _Places(NamedTuple):
    """Where the parts stand, the first delimiter, and what is behind the closing one (-1: there is none)."""

    parts: list[slice]
    first: int
    behind: int


def split(entity: Entity) -> Multipart:
    """The multipart `entity`. A part is what stands after its delimiter's line end up to, and without, the
    line end before the next delimiter (RFC 2046 5.1.1).

    Raises MimeError if there is no boundary, no part, more than MAX_PARTS, or more than MAX_ALIKE lines that
    look like its delimiter.
    """
    places = _places(entity)
    return Multipart(
        preamble=entity.raw[entity.body_at : places.first],
        parts=[entity.raw[place] for place in places.parts],
        epilogue=entity.raw[places.behind :] if places.behind >= 0 else None,
    )


def entities(entity: Entity) -> list[Entity]:
    """The parts of the multipart `entity` as entities that hold their bodies only: each is copied once, and
    some are large. Raises as `split` does.
    """
    found: list[Entity] = []
    for place in _places(entity).parts:
        head = read_entity(entity.raw[place.start : min(place.stop, place.start + MAX_HEADER_BLOCK)])
        found.append(head._replace(raw=entity.raw[place.start + head.body_at : place.stop], body_at=0))
    return found


def _places(entity: Entity) -> _Places:
    boundary = entity.boundary
    if not boundary or len(boundary) > MAX_BOUNDARY:
        raise MimeError("a multipart without a usable boundary")
    raw, begin, line = entity.raw, entity.body_at, b"\n--" + boundary.encode("latin-1")
    parts: list[slice] = []
    first = start = behind = -1
    alike = 0
    at = begin if raw.startswith(line[1:], begin) else raw.find(line, begin) + 1 or -1
    while at != -1 and behind < 0:
        tail = _DELIMITER_TAIL.match(raw, at + len(line) - 1)
        if tail is None:
            alike += 1
            if alike > MAX_ALIKE:
                raise MimeError("too many lines that begin as a delimiter and are none")
            at = raw.find(line, at) + 1 or -1
            continue
        if start < 0:
            first = at
        else:
            parts.append(slice(start, max(start, at - (2 if raw[at - 2] == _RETURN else 1))))
        start = tail.end()
        if tail[1]:
            behind = start
        elif len(parts) >= MAX_PARTS:
            raise MimeError("too many parts")
        else:
            at = raw.find(line, start - 1) + 1 or -1
    if start >= 0 and behind < 0:
        parts.append(slice(start, len(raw)))
    if not parts:
        raise MimeError("a multipart without a part")
    return _Places(parts, first, behind)
