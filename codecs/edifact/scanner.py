"""Text to segments: split by the terminator, then by the element separator, components on demand.

`split` of the standard library is the fast path, over a whole message at a time. In a segment that holds the
release character, a few in a hundred, what stands between released characters is split, and joined again.
"""

import functools
import re
from collections.abc import Iterable, Sequence
from itertools import count, repeat
from operator import or_
from typing import NamedTuple

import msgspec

from .service import ServiceString

TAG_LENGTH = 3
_TAG = re.compile("[A-Z][A-Z0-9]{2}")
# Of a few hundred tags in all directories, and as many bare ones.
MAX_KNOWN = 2_048
# Where the elements begin.
ELEMENTS = TAG_LENGTH + 1
_BLANKS = " \t\r\n"
# No segment of any directory comes near to this; a longer one is told, and not taken apart.
MAX_SEGMENT = 65_536


class Repeated(tuple[tuple[str, ...], ...]):
    """An element that occurs more than once (syntax version 4): one tuple of components for each."""

    __slots__ = ()


# One element: its text with the components not yet split and nothing released in it, or its components.
Element = str | tuple[str, ...] | Repeated


class Source:
    """A stretch of text that segments were split from: its separators, and the octet where each begins.

    Offsets are worked out when one is asked for: most messages are in order, and nobody points into them.
    """

    __slots__ = ("_codec", "_first", "_offset", "_offsets", "_text", "component", "element", "service")

    def __init__(self, text: str, offset: int, service: ServiceString, codec: str, first: int) -> None:
        self.service = service
        self.element = service.element
        self.component = service.component
        self._text = text
        self._offset = offset
        self._codec = codec
        self._first = first
        self._offsets: list[int] | None = None

    def offset(self, number: int) -> int:
        """The octet of the input where segment `number` begins."""
        if self._offsets is None:
            self._offsets = self._begin()
        return self._offsets[number - self._first]

    def _begin(self) -> list[int]:
        offsets, at = [], self._offset
        for piece in _pieces(self._text, self.service):
            blank = len(piece) - len(piece.lstrip(_BLANKS))
            offsets.append(at + blank)
            at += len(piece if _one_octet_each(piece, self._codec) else piece.encode(self._codec)) + 1
        return offsets


class Segment(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A decoded segment: its tag, and its text without the terminator, from which the elements are split when
    they are asked for. `len` is the number of elements.

    `number` counts from UNH = 1 and is 0 outside messages; `offset` is the octet where the segment begins.
    `special` says that something in the text is released or repeated, or the tag is nested.
    """

    tag: str
    text: str
    number: int
    source: Source
    special: bool = False
    _parts: Sequence[Element] | None = None

    @property
    def offset(self) -> int:
        """The octet of the input where the segment begins."""
        return self.source.offset(self.number)

    @property
    def parts(self) -> Sequence[Element]:
        """The tag, and then each element by its number."""
        return self._parts or self._split()

    def _split(self) -> Sequence[Element]:
        parts: Sequence[Element]
        source = self.source
        if len(self.text) > MAX_SEGMENT:
            parts = (self.tag,)
        elif self.special:
            parts = _released(self.text, source.service)
        else:
            parts = self.text.split(source.element)
        # The only thing that changes, and nobody sees it: what is split once is kept.
        msgspec.structs.force_setattr(self, "_parts", parts)
        return parts

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Segment):
            return NotImplemented
        mine = (self.text, self.number, self.offset, self.source.service)
        return mine == (other.text, other.number, other.offset, other.source.service)

    def __hash__(self) -> int:
        return hash((self.text, self.number))

    def __repr__(self) -> str:
        return f"Segment({self.text!r}, number={self.number}, offset={self.offset})"

    def __len__(self) -> int:
        return len(self.parts) - 1

    def components(self, element: int) -> Sequence[str]:
        """The components of an element, of its first occurrence if it repeats; none if it is absent."""
        parts = self._parts or self._split()
        if element >= len(parts):
            return ()
        part = parts[element]
        if isinstance(part, str):
            return part.split(self.source.component) if part else ()
        if isinstance(part, Repeated):
            return part[0]
        return part

    def repetitions(self, element: int) -> Sequence[Sequence[str]]:
        """Every occurrence of an element as its components; none if it is absent."""
        parts = self.parts
        if element < len(parts):
            part = parts[element]
            if isinstance(part, Repeated):
                return part
        found = self.components(element)
        return (found,) if found else ()

    def value(self, element: int, component: int = 1) -> str:
        """One component, counted from 1; empty if absent."""
        found = self.components(element)
        return found[component - 1] if len(found) >= component else ""

    def values(self) -> list[str]:
        """Every component of every occurrence of every element in order, absent ones as empty text."""
        if not self.special:
            # Nothing is released or repeated here: after the tag and its separator, one serves for both.
            source = self.source
            return self.text[ELEMENTS:].replace(source.element, source.component).split(source.component)
        return _released_values(self.text, self.source.service)


class Segments(NamedTuple):
    """The segments of a stretch of text, and their tags; `open` if the last one has no terminator, `sound` if
    every tag is well made and none is nested, `indented` if some stand behind blanks."""

    segments: list[Segment]
    tags: list[str]
    open: bool
    sound: bool
    indented: bool


def read_segments(text: str, offset: int, service: ServiceString, codec: str, first: int = 1) -> Segments:
    """The segments of `text`, which begins at octet `offset` of the input and was decoded by `codec`.

    They are numbered from `first`. Line ends and blanks before a segment are dropped, and so is what is only
    these after the last.
    """
    pieces = _pieces(text, service)
    unended = bool(pieces[-1].strip(_BLANKS))
    if not unended:
        pieces.pop()
    if "\n" in text or "\r" in text:
        pieces = [piece.lstrip("\r\n") for piece in pieces]
    known, sound, indented = _known_heads(service), True, False
    special: Iterable[bool] = repeat(False)
    try:
        tags = [known[piece[:ELEMENTS]] for piece in pieces]
    except KeyError:
        # A segment not met before, the explicit nesting of versions 1 to 3 (`DDD:1:2`), or what is no tag.
        stripped = [piece.lstrip(_BLANKS) for piece in pieces]
        pieces, indented = stripped, stripped != pieces
        heads = [piece.split(service.element, 1)[0] for piece in pieces]
        tags = [head.partition(service.component)[0] for head in heads]
        special = [tag != head for tag, head in zip(tags, heads, strict=True)]
        sound = all(_TAG.fullmatch(head) for head in set(heads))
        if sound and len(known) < MAX_KNOWN:
            known.update({piece[:ELEMENTS]: tag for piece, tag in zip(pieces, tags, strict=True)})
    for mark in (service.release, service.repetition):
        if mark and mark in text:
            holds = [mark in piece for piece in pieces]
            special = map(or_, special, holds)
    source = Source(text, offset, service, codec, first)
    segments = list(map(Segment, tags, pieces, count(first), repeat(source), special))
    return Segments(segments, tags, unended, sound, indented)


@functools.lru_cache(maxsize=32)
def _known_heads(service: ServiceString) -> dict[str, str]:
    """Well-made tags with the separator after them, as they were met: one look instead of a check."""
    return {}


def read_segment(text: str, offset: int, service: ServiceString) -> Segment:
    """One segment outside the messages, its text without the terminator."""
    return read_segments(text + service.terminator, offset, service, "ascii", 0).segments[0]


def _pieces(text: str, service: ServiceString) -> list[str]:
    """Split by the terminator; what follows the last one is the last piece."""
    if service.release and service.release + service.terminator in text:
        return _split_released(text, service)
    return text.split(service.terminator)


def _one_octet_each(text: str, codec: str) -> bool:
    """True if every character of `text` is one octet in `codec`."""
    return text.isascii() or codec.startswith("iso-8859") or codec == "ascii"


def _split_released(text: str, service: ServiceString) -> list[str]:
    """Split where terminators are released: after an odd run of releases, one is data."""
    released = service.release + service.terminator
    first, *others = text.split(released)
    *pieces, last = first.split(service.terminator)
    # A piece that goes on behind released terminators is put together once, at its end.
    begun = [last]
    for other in others:
        *ended, last = other.split(service.terminator)
        if ends_released(begun[-1], service.release):
            # The release before the terminator is itself released.
            pieces.append("".join((*begun, service.release)))
            begun = []
        else:
            begun.append(released)
        if ended:
            pieces.append("".join((*begun, ended[0])))
            pieces.extend(ended[1:])
            begun = []
        begun.append(last)
    return [*pieces, "".join(begun)]


def ends_released(text: str, release: str) -> bool:
    """True if what follows `text` is released: it ends in an odd run of release characters."""
    return (len(text) - len(text.rstrip(release))) % 2 == 1


@functools.lru_cache(maxsize=32)
def _release(service: ServiceString) -> re.Pattern[str]:
    return re.compile(re.escape(service.release) + "(.)", re.DOTALL)


def _released(text: str, service: ServiceString) -> tuple[Element, ...]:
    """The elements of a segment with released characters or repetitions; each a tuple of components."""
    plain, *others = _release(service).split(text) if service.release else (text,)
    elements = _nested(plain, service)
    for released, after in zip(others[::2], others[1::2], strict=True):
        # A released character is data: it joins what stands before it and what stands after it.
        first, *more = _nested(after, service)
        elements[-1][-1][-1] += released + first[0][0]
        elements[-1][-1].extend(first[0][1:])
        elements[-1].extend(first[1:])
        elements.extend(more)
    return (text[:TAG_LENGTH], *[_element(occurrences) for occurrences in elements[1:]])


def _released_values(text: str, service: ServiceString) -> list[str]:
    """All components of a segment with released characters or repetitions."""
    separator, others = service.component, (service.element, service.repetition or service.element)
    plain, *rest = _release(service).split(text) if service.release else (text,)
    pieces = [plain.partition(service.element)[2], *rest[1::2]]
    values: list[str] = []
    for released, piece in zip(("", *rest[::2]), pieces, strict=True):
        first, *more = piece.replace(others[0], separator).replace(others[1], separator).split(separator)
        if released:
            values[-1] += released + first
        else:
            values.append(first)
        values.extend(more)
    return values


def _nested(text: str, service: ServiceString) -> list[list[list[str]]]:
    """Elements, their occurrences, their components."""
    component, repetition = service.component, service.repetition
    elements = text.split(service.element)
    if not repetition:
        return [[element.split(component)] for element in elements]
    return [[each.split(component) for each in element.split(repetition)] for element in elements]


def _element(occurrences: list[list[str]]) -> Element:
    if len(occurrences) > 1:
        return Repeated(map(tuple, occurrences))
    # An absent element is the same empty text on either way of splitting.
    return tuple(occurrences[0]) if occurrences != [[""]] else ""
