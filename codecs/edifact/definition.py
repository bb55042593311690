"""What a directory says of segments, composites and data elements, and the text form it is kept in.

A data element is a format (`an..35`). Composites and segments list their parts in order as `M:1153 C:1154`;
`C:C246*5` in a segment may occur up to five times. Dependency notes (ISO 9735-1 version 4, 11.5; service and
interactive segments only) are a kind and the places it ties, `D5 6 5`, by position from 1: of a segment's
elements, or `7.1 7.2` for components of one of them; those of a composite count its components.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ..errors import DirectoryError

T = TypeVar("T")
# Since this version a separator repeats an element; before it, each repetition is an element of its own.
FIRST_VERSION_THAT_REPEATS = 4
# The largest values any directory has: 99 repetitions of an element, five digits of length (UNTDED).
_FORMAT = re.compile(r"(an|a|n)(\.\.)?(\d{1,5})")
_PART = re.compile(r"([MC]):([0-9A-Z]{4})(?:\*([1-9]\d{0,2}))?")
_NOTE = re.compile(r"(D[1-7])((?: [1-9]\d?(?:\.[1-9]\d?)?){2,})")


class Format(NamedTuple):
    """`an..35`: kind of characters, and the least and greatest number of them."""

    kind: str
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.kind}{self.high}" if self.low == self.high else f"{self.kind}..{self.high}"


class ComponentUse(NamedTuple):
    """A data element in its place. `codes` are the only values it may take; None where the list is open."""

    id: str
    mandatory: bool
    format: Format
    codes: frozenset[str] | None = None


class ElementUse(NamedTuple):
    """A composite or a simple data element (then with one component) in a segment."""

    id: str
    mandatory: bool
    components: tuple[ComponentUse, ...]
    repeat: int = 1


class Place(NamedTuple):
    """An element of a segment by its number from 1, or (`component` from 1) one component of it."""

    element: int
    component: int = 0


class Note(NamedTuple):
    """A dependency between `places`, in their order; `kind` is D1 to D7:

    D1 one and only one, D2 all or none, D3 one or more, D4 one or none, D5 if the first then all,
    D6 if the first then at least one more, D7 if the first then none of the others.
    With `within` it is a note of the composite that is this element: it holds in each occurrence of it, and
    only where that is present.
    """

    kind: str
    places: tuple[Place, ...]
    within: int = 0


class SegmentRule(NamedTuple):
    """A segment and its elements in order, as syntax version 4 sees it."""

    tag: str
    elements: tuple[ElementUse, ...]
    notes: tuple[Note, ...] = ()
    # What versions 1 to 3 see instead; None where it is the same.
    older: "SegmentRule | None" = None

    def for_version(self, syntax_version: int) -> "SegmentRule":
        """The rule in an interchange of this syntax version: up to 3, an element that may occur n times
        stands n times in a row, of which only the first can be mandatory."""
        return self if self.older is None or syntax_version >= FIRST_VERSION_THAT_REPEATS else self.older


def segment_rule(tag: str, elements: Iterable[ElementUse], notes: Iterable[Note] = ()) -> SegmentRule:
    """A segment with both its forms."""
    uses, ties = tuple(elements), tuple(notes)
    if all(use.repeat == 1 for use in uses):
        return SegmentRule(tag, uses, ties)
    flat: list[ElementUse] = []
    moved = [0]
    for use in uses:
        moved.append(len(flat) + 1)
        flat.append(use._replace(repeat=1))
        flat.extend([use._replace(repeat=1, mandatory=False)] * (use.repeat - 1))
    older = tuple(
        Note(
            note.kind,
            tuple(place._replace(element=moved[place.element]) for place in note.places),
            moved[note.within],
        )
        for note in ties
    )
    return SegmentRule(tag, uses, ties, SegmentRule(tag, tuple(flat), older))


class Definitions:
    """The elements, composites and segments of one table, compiled as they are asked for."""

    def __init__(
        self,
        elements: Mapping[str, str],
        composites: Mapping[str, str],
        segments: Mapping[str, str],
        codes: Mapping[str, str],
        notes: Mapping[str, Sequence[str]],
    ) -> None:
        self._elements = elements
        self._composites = composites
        self._segments = segments
        self._codes = codes
        self._notes = notes
        self._formats: dict[str, tuple[Format, frozenset[str] | None]] = {}
        self._parts: dict[str, tuple[ComponentUse, ...]] = {}
        self._rules: dict[str, SegmentRule] = {}

    def __contains__(self, tag: str) -> bool:
        return tag in self._segments

    def tags(self) -> tuple[str, ...]:
        """The tags of all segments."""
        return tuple(self._segments)

    def segment(self, tag: str) -> SegmentRule:
        """The rule of a segment; raises DirectoryError where it or a part of it is not well defined."""
        rule = self._rules.get(tag)
        if rule is None:
            uses = []
            for mandatory, part, repeat in _parts(tag, _known(self._segments, tag)):
                components = (
                    (self.component(part, mandatory=True),) if part[0].isdigit() else self.composite(part)
                )
                uses.append(ElementUse(part, mandatory, components, repeat))
            rule = self._rules[tag] = segment_rule(tag, uses, self._notes_of(tag, uses))
        return rule

    def composite(self, id_: str) -> tuple[ComponentUse, ...]:
        """The components of a composite."""
        found = self._parts.get(id_)
        if found is None:
            listed = _parts(id_, _known(self._composites, id_))
            if any(repeat > 1 for _, _, repeat in listed):
                raise DirectoryError(f"{id_}: a component is not repeated but listed again")
            found = tuple(self.component(part, mandatory=mandatory) for mandatory, part, _ in listed)
            self._parts[id_] = found
        return found

    def component(self, id_: str, *, mandatory: bool) -> ComponentUse:
        """A data element in a place where it is mandatory or not."""
        found = self._formats.get(id_)
        if found is None:
            listed = self._codes.get(id_)
            codes = None if listed is None else frozenset(listed.split())
            found = self._formats[id_] = (_format(id_, _known(self._elements, id_)), codes)
        return ComponentUse(id_, mandatory, *found)

    def _notes_of(self, tag: str, uses: Sequence[ElementUse]) -> list[Note]:
        notes = [_note(tag, text) for text in self._notes.get(tag, ())]
        for number, use in enumerate(uses, 1):
            for text in self._notes.get(use.id, ()):
                kind, places, _ = _note(use.id, text)
                if any(place.component for place in places):
                    raise DirectoryError(f"{use.id}: {text!r} points below a component")
                notes.append(Note(kind, tuple(Place(number, place.element) for place in places), number))
        for note in notes:
            for place in note.places:
                known = place.element <= len(uses)
                if not known or place.component > len(uses[place.element - 1].components):
                    raise DirectoryError(f"{tag}: a dependency note names a place it has not")
        return notes


def _note(owner: str, text: str) -> Note:
    found = _NOTE.fullmatch(text)
    if found is None:
        raise DirectoryError(f"{owner}: {text!r} is not a dependency note")
    places = []
    for word in found[2].split():
        element, _, component = word.partition(".")
        places.append(Place(int(element), int(component or 0)))
    return Note(found[1], tuple(places))


def _format(id_: str, text: str) -> Format:
    found = _FORMAT.fullmatch(text)
    if found is None:
        raise DirectoryError(f"data element {id_}: {text!r} is not a format")
    kind, variable, length = found.groups()
    return Format(kind, 1 if variable else int(length), int(length))


def _parts(owner: str, text: str) -> list[tuple[bool, str, int]]:
    parts = []
    for word in text.split():
        found = _PART.fullmatch(word)
        if found is None:
            raise DirectoryError(f"{owner}: {word!r} is not a status and a part")
        status, part, repeat = found.groups()
        parts.append((status == "M", part, int(repeat or 1)))
    return parts


def _known(table: Mapping[str, T], part: str) -> T:
    found = table.get(part)
    if found is None:
        raise DirectoryError(f"{part} is used and not defined")
    return found
