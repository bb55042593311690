"""An archive to a table: everything in it, or what some messages use."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from ...errors import DirectoryError
from ..definition import Definitions
from ..directory import Table
from ..structure import compile_structure
from . import message, parts
from .archive import read_archive
from .error import ArchiveError

# Segments of ISO 9735, which no release defines.
SERVICE_TAGS = frozenset({"UGH", "UGT", "UNH", "UNS", "UNT"})


class Compiled(msgspec.Struct, frozen=True):
    """A release as a table, and what is to be said of it.

    `left_out` gives the reason for each message that is not in the table; `interactive` are those of
    interactive dialogues, which are not read; `ambiguous` are messages in which a segment could go to two
    places: the first is taken.
    """

    table: Table
    left_out: Mapping[str, str]
    interactive: tuple[str, ...]
    ambiguous: tuple[str, ...]

    def encode(self) -> bytes:
        """The table as it is kept: JSON, sorted, a line for each entry."""
        return encode_table(self.table)


def compile_archive(data: bytes, only: Iterable[str] | None = None) -> Compiled:
    """Read a UNECE directory archive (the zip as published).

    `only` names the message types wanted; those that the release has not are passed over. Raises
    ArchiveError where it is no directory, or none of those messages can be read.
    """
    texts = read_archive(data)
    wanted = texts.messages.keys() if only is None else set(only) & texts.messages.keys()
    elements, elsewhere = parts.elements(texts.elements)
    codes = {id_: values for id_, values in parts.codes(texts.codes).items() if id_ not in elsewhere}
    composites, segments = parts.composites(texts.composites), parts.segments(texts.segments)
    definitions = Definitions(elements, composites, segments, codes, {})
    messages: dict[str, list[Any]] = {}
    left_out: dict[str, str] = {}
    interactive: list[str] = []
    ambiguous: list[str] = []
    for type_ in sorted(wanted):
        text = texts.messages[type_]
        if message.is_interactive(text):
            interactive.append(type_)
            continue
        try:
            nested = message.structure(type_, text)
            for tag in sorted(set(_tags(nested)) - SERVICE_TAGS):
                definitions.segment(tag)
            if compile_structure(nested).conflicts:
                ambiguous.append(type_)
            messages[type_] = nested
        except (ArchiveError, DirectoryError) as error:
            left_out[type_] = str(error).removeprefix(f"{type_}: ")
    if not messages:
        reason = next(iter(left_out.items()), None)
        raise ArchiveError("none of the messages wanted is in it" if reason is None else ": ".join(reason))
    table = Table(
        directory=f"D.{texts.release}",
        also=(f"S.{texts.release}",) if texts.standard else (),
        elements=elements,
        composites=composites,
        segments=segments,
        codes={id_: values for id_, values in codes.items() if id_ in elements},
        messages=messages,
    )
    table = table if only is None else _used(table)
    return Compiled(table, left_out, tuple(interactive), tuple(ambiguous))


def encode_table(table: Table) -> bytes:
    """JSON with sorted keys and a line for each entry, so that two releases can be compared by lines."""
    names = [field for field in table.__struct_fields__ if getattr(table, field) or field == "directory"]
    entries = []
    for name in names:
        value = getattr(table, name)
        if isinstance(value, dict):
            lines = [f"{_json(key)}: {_value(value[key])}" for key in sorted(value)]
            entries.append(f"{_json(name)}: {{\n" + ",\n".join(lines) + "\n}")
        else:
            entries.append(f"{_json(name)}: {_json(value)}")
    return ("{\n" + ",\n".join(entries) + "\n}\n").encode()


def _value(value: Any) -> str:
    """A structure takes a line for each segment and group, indented; anything else one line."""
    if not isinstance(value, list):
        return _json(value)
    return "[\n" + ",\n".join(_nested(entry, 1) for entry in value) + "\n]"


def _nested(entry: Any, depth: int) -> str:
    if not isinstance(entry, list):
        return " " * depth + _json(entry)
    inner = ",\n".join(_nested(part, depth + 1) for part in entry[1:])
    return f"{' ' * depth}[{_json(entry[0])},\n{inner}]"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _tags(nested: Iterable[Any]) -> Iterator[str]:
    for entry in nested:
        if isinstance(entry, list):
            yield from _tags(entry[1:])
        else:
            yield entry.partition(" ")[0]


def _used(table: Table) -> Table:
    """The table without what its messages do not use."""
    tags = {tag for nested in table.messages.values() for tag in _tags(nested)}
    segments = {tag: text for tag, text in table.segments.items() if tag in tags}
    listed = _ids(segments.values())
    composites = {id_: text for id_, text in table.composites.items() if id_ in listed}
    listed |= _ids(composites.values())
    return msgspec.structs.replace(
        table,
        segments=segments,
        composites=composites,
        elements={id_: text for id_, text in table.elements.items() if id_ in listed},
        codes={id_: text for id_, text in table.codes.items() if id_ in listed},
    )


def _ids(texts: Iterable[str]) -> set[str]:
    return {word.partition(":")[2].partition("*")[0] for text in texts for word in text.split()}
