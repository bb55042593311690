"""Octets to segments: split by the terminator, then by the element separator, components on demand.

`split` of the standard library is the fast path. A segment that holds the release character or the repetition
separator, a few in a hundred, goes through a regular expression that keeps released characters apart.
"""

import functools
import re
from collections.abc import Sequence

import msgspec

from .service import ServiceString

# A segment that never ends is not read to the end of a large file for its tag.
TAG_LENGTH = 3
_LINE_ENDS = b"\r\n"


class Repeated(tuple[tuple[str, ...], ...]):
    """An element that occurs more than once (syntax version 4): one tuple of components for each."""

    __slots__ = ()


# One element: its text with the components not yet split and nothing released in it, or its components.
Element = str | tuple[str, ...] | Repeated


class RawSegment(msgspec.Struct, frozen=True, gc=False):
    """A segment as received, without its terminator and the line ends before it, and where it begins."""

    data: bytes
    offset: int

    @property
    def tag(self) -> str:
        """The first three octets; the tag of any segment that has one."""
        return self.data[:TAG_LENGTH].decode("latin-1")


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A decoded segment. `parts[0]` is the tag, `parts[n]` element n; `number` counts from UNH = 1."""

    tag: str
    parts: Sequence[Element]
    component_separator: str
    number: int
    offset: int

    def components(self, element: int) -> Sequence[str]:
        """The components of an element, of its first occurrence if it repeats; none if it is absent."""
        if element >= len(self.parts):
            return ()
        part = self.parts[element]
        if isinstance(part, str):
            return part.split(self.component_separator) if part else ()
        if isinstance(part, Repeated):
            return part[0]
        return part

    def value(self, element: int, component: int = 1) -> str:
        """One component, counted from 1; empty if absent."""
        found = self.components(element)
        return found[component - 1] if len(found) >= component else ""


class Scan(msgspec.Struct, frozen=True):
    """The segments of a stretch of octets, and what followed the last terminator (empty: nothing)."""

    segments: list[RawSegment]
    rest: bytes
    rest_offset: int


def scan(data: bytes, start: int, service: ServiceString, end: int | None = None) -> Scan:
    """Split `data[start:end]` into raw segments. Line ends before a segment are dropped; never raises."""
    stop = len(data) if end is None else end
    terminator = service.terminator.encode("latin-1")
    pieces = data[start:stop].split(terminator)
    if service.release and service.release.encode("latin-1") + terminator in data:
        pieces = _rejoin(pieces, service.release.encode("latin-1"), terminator)
    rest = pieces.pop()
    segments = []
    offset = start
    for piece in pieces:
        stripped = piece.lstrip(_LINE_ENDS)
        segments.append(RawSegment(stripped, offset + len(piece) - len(stripped)))
        offset += len(piece) + 1
    stripped = rest.lstrip(_LINE_ENDS)
    return Scan(segments, stripped, offset + len(rest) - len(stripped))


def _rejoin(pieces: list[bytes], release: bytes, terminator: bytes) -> list[bytes]:
    """Put together what was split at a released terminator: an odd run of releases ends the piece."""
    joined: list[bytes] = []
    open_pieces: list[bytes] = []
    for piece in pieces:
        open_pieces.append(piece)
        if (len(piece) - len(piece.rstrip(release))) % 2 == 0:
            joined.append(open_pieces[0] if len(open_pieces) == 1 else terminator.join(open_pieces))
            open_pieces = []
    if open_pieces:
        joined.append(terminator.join(open_pieces))
    return joined


def parse(raw: RawSegment, text: str, service: ServiceString, number: int) -> Segment:
    """Split the decoded `text` of `raw` into its elements."""
    if (service.release and service.release in text) or (service.repetition and service.repetition in text):
        parts: Sequence[Element] = _released(text, service)
        head = parts[0]
        tag = head if isinstance(head, str) else head[0]
        return Segment(str(tag)[:TAG_LENGTH], parts, service.component, number, raw.offset)
    split = text.split(service.element)
    return Segment(split[0].partition(service.component)[0], split, service.component, number, raw.offset)


@functools.lru_cache(maxsize=32)
def _tokens(service: ServiceString) -> re.Pattern[str]:
    separators = re.escape(service.component + service.element + service.repetition)
    if not service.release:
        return re.compile(f"([^{separators}]*)([{separators}]|$)")
    release = re.escape(service.release)
    return re.compile(f"((?:[^{separators}{release}]|{release}.|{release}$)*)([{separators}]|$)", re.DOTALL)


@functools.lru_cache(maxsize=32)
def _release(service: ServiceString) -> re.Pattern[str]:
    return re.compile(re.escape(service.release) + "(.)", re.DOTALL)


def _element(occurrences: list[tuple[str, ...]]) -> Element:
    if len(occurrences) > 1:
        return Repeated(occurrences)
    # An absent element is the same empty text on either way of splitting.
    return "" if occurrences[0] == ("",) else occurrences[0]


def _released(text: str, service: ServiceString) -> list[Element]:
    """The elements of a segment with released characters or repetitions; each a tuple of components."""
    parts: list[Element] = []
    occurrences: list[tuple[str, ...]] = []
    components: list[str] = []
    for token, separator in _tokens(service).findall(text):
        plain = token
        if service.release and service.release in token:
            plain = _release(service).sub(r"\1", token)
        components.append(plain)
        if separator == service.component:
            continue
        occurrences.append(tuple(components))
        components = []
        if separator and separator == service.repetition:
            continue
        parts.append(_element(occurrences))
        occurrences = []
        if not separator:
            break
    parts[0] = text[:TAG_LENGTH] if not isinstance(parts[0], str) else parts[0]
    return parts
