"""Message directories: compact tables of facts in, compiled rules out.

A table is JSON: `elements` gives each data element's format (`an..35`), `composites` and `segments` list
their parts in order as `M:1153 C:1154`, and `messages` give the structure as nested lists in which a
segment is `"RFF M 1"` (tag, status, repetitions) and a group is a list that begins with its own `"SG1 C 99"`.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from .structure import Structure, compile_structure

T = TypeVar("T")
_FORMAT = re.compile(r"(a|n|an)(\.\.)?(\d{1,5})")


class Format(NamedTuple):
    """`an..35`: kind of characters, and the least and greatest number of them."""

    kind: str
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.kind}{self.high}" if self.low == self.high else f"{self.kind}..{self.high}"


class ComponentUse(NamedTuple):
    """A data element in its place."""

    id: str
    mandatory: bool
    format: Format


class ElementUse(NamedTuple):
    """A composite or a simple data element (then with one component) in a segment."""

    id: str
    mandatory: bool
    components: tuple[ComponentUse, ...]


class SegmentRule(NamedTuple):
    """A segment and its elements in order."""

    tag: str
    elements: tuple[ElementUse, ...]


class MessageRule(msgspec.Struct, frozen=True):
    """One message of a directory: its structure, and the rule of each of its segments."""

    type: str
    directory: str
    structure: Structure
    segments: Mapping[str, SegmentRule]

    def covers(self, version: str, release: str) -> bool:
        """True if the tables are those of `version` and `release` (D and 96B)."""
        return self.directory == f"{version}.{release}"


class _Table(msgspec.Struct, frozen=True):
    directory: str
    elements: dict[str, str]
    composites: dict[str, str]
    segments: dict[str, str]
    messages: dict[str, list[Any]]


class Directory(msgspec.Struct, frozen=True):
    """The messages that can be checked, by type."""

    messages: Mapping[str, MessageRule]

    @classmethod
    def load(cls, *tables: bytes) -> Self:
        """Compile one or more tables; a later one replaces message types of an earlier one.

        Raises ValueError where a table is not well made: a part that is not defined, a bad format, or a
        structure in which one tag could go to two places.
        """
        messages: dict[str, MessageRule] = {}
        for data in tables:
            try:
                table = msgspec.json.decode(data, type=_Table)
            except msgspec.DecodeError as error:
                raise ValueError(f"not a directory table: {error}") from error
            messages.update(_compile(table))
        return cls(messages)


def _compile(table: _Table) -> dict[str, MessageRule]:
    formats = {id_: _format(id_, text) for id_, text in table.elements.items()}
    composites = {
        id_: tuple(ComponentUse(part, mandatory, _known(formats, part)) for mandatory, part in _parts(text))
        for id_, text in table.composites.items()
    }
    segments = {}
    for tag, text in table.segments.items():
        elements = []
        for mandatory, part in _parts(text):
            if part[0].isdigit():
                use: tuple[ComponentUse, ...] = (ComponentUse(part, True, _known(formats, part)),)
            else:
                use = _known(composites, part)
            elements.append(ElementUse(part, mandatory, use))
        segments[tag] = SegmentRule(tag, tuple(elements))
    messages = {}
    for name, nested in table.messages.items():
        structure = compile_structure(nested)
        used = {position.tag: _known(segments, position.tag) for position in structure.positions}
        messages[name] = MessageRule(name, table.directory, structure, used)
    return messages


def _format(id_: str, text: str) -> Format:
    found = _FORMAT.fullmatch(text)
    if found is None:
        raise ValueError(f"data element {id_}: {text!r} is not a format")
    kind, variable, length = found.groups()
    return Format(kind, 1 if variable else int(length), int(length))


def _parts(text: str) -> list[tuple[bool, str]]:
    parts = []
    for word in text.split():
        status, _, part = word.partition(":")
        if status not in {"M", "C"} or not part:
            raise ValueError(f"{word!r} is not a status and a part")
        parts.append((status == "M", part))
    return parts


def _known(table: Mapping[str, T], part: str) -> T:
    found = table.get(part)
    if found is None:
        raise ValueError(f"{part} is used and not defined")
    return found
