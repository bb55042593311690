"""What a directory says of one name, as JSON and for a person."""

import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...codecs.edifact.definition import Definitions, ElementUse, Note
from ...codecs.edifact.directory import Directory, MessageRule, Table

View = dict[str, Any]
# UNECE numbers the rows of a segment table in tens.
ROW = 10
# Codes are listed in lines of this width.
WIDTH = 100
_MESSAGE, _SEGMENT, _COMPOSITE, _ELEMENT = "[A-Z]{6}", "[A-Z][A-Z0-9]{2}", r"[A-Z]\d{3}", r"\d{4}"


class NotHeldError(Exception):
    """Nothing of this name is held; the text says what is."""


def view(name: str, tables: Sequence[Table], directory: Directory) -> View:
    """What `name` is: `CUSDEC:D:96B`, `FTX:D:96B`, `C107:D:96B` or `4451:D:96B`; without a release, of the
    newest that has it. `tables` are asked in their order. Raises NotHeldError."""
    what, _, release = name.upper().partition(":")
    release = ".".join(release.split(":")[:2])
    kind = next((kind for kind in _KINDS if re.fullmatch(kind[0], what)), None)
    if kind is None:
        known = "CUSDEC:D:96B, FTX:D:96B, C107:D:96B, 4451:D:96B"
        raise NotHeldError(f"{name!r} is no message, segment, composite or data element; write {known}")
    _, part, make = kind
    having = [table for table in tables if what in part(table)]
    order = directory.releases()
    having.sort(key=lambda table: -order.index(table.directory))
    chosen = [table for table in having if release in {"", table.directory, *table.also}]
    if not chosen:
        held = ", ".join(dict.fromkeys(table.directory for table in having))
        of = f" of {release}" if release else ""
        known = f"it is held of {held}" if held else _known(tables, part)
        raise NotHeldError(f"no {what}{of} is held; {known}")
    return make(what, chosen[0], directory)


def _known(tables: Sequence[Table], part: "Callable[[Table], dict[str, Any]]") -> str:
    """The names there are, if they are few."""
    names = sorted({name for table in tables for name in part(table)})
    return f"these are: {' '.join(names)}" if len(names) <= 30 else "see: tidewaiter directory list"


def _message(what: str, table: Table, directory: Directory) -> View:
    rule = directory.find(what, *table.directory.split("."))
    assert rule is not None
    rows = iter(range(ROW, ROW * 100_000, ROW))
    return {
        "message": what,
        "release": table.directory,
        "segments": len(rule.structure.positions),
        "groups": len(rule.structure.groups),
        "transitions": rule.structure.transitions,
        "ambiguous": [
            {"after": _place(rule, position), "segment": tag} for position, tag in rule.structure.conflicts
        ],
        "structure": [_entry(entry, rows) for entry in table.messages[what]],
    }


def _place(rule: MessageRule, position: int) -> str:
    group = rule.structure.group_name(position)
    tag = rule.structure.positions[position].tag
    return f"{group}/{tag}" if group else tag


def _entry(entry: Any, rows: Iterator[int]) -> View:
    row = next(rows)
    name, status, repetitions = (entry if isinstance(entry, str) else entry[0]).split()
    made = {"position": row, "status": status, "repetitions": int(repetitions)}
    if isinstance(entry, str):
        return {"segment": name, **made}
    return {"group": name, **made, "content": [_entry(part, rows) for part in entry[1:]]}


def _definitions(table: Table) -> Definitions:
    return Definitions(table.elements, table.composites, table.segments, table.codes, table.notes)


def _segment(what: str, table: Table, _: Directory) -> View:
    rule = _definitions(table).segment(what)
    return {
        "segment": what,
        "release": table.directory,
        "elements": [_use(use) for use in rule.elements],
        "notes": [_note(note) for note in rule.notes],
        "used-in": sorted(name for name, nested in table.messages.items() if what in _tags(nested)),
    }


def _use(use: ElementUse) -> View:
    made: View = {"id": use.id, "status": "M" if use.mandatory else "C", "repetitions": use.repeat}
    parts = [
        {
            "id": part.id,
            "status": "M" if part.mandatory else "C",
            "format": str(part.format),
            "codes": None if part.codes is None else len(part.codes),
        }
        for part in use.components
    ]
    if use.id[0].isdigit():
        return made | {"format": parts[0]["format"], "codes": parts[0]["codes"]}
    return made | {"components": parts}


def _note(note: Note) -> str:
    places = [f"{p.element}.{p.component}" if p.component else str(p.element) for p in note.places]
    return f"{note.kind}({','.join(places)})"


def _composite(what: str, table: Table, _: Directory) -> View:
    use = ElementUse(what, False, _definitions(table).composite(what))
    used = [tag for tag, text in table.segments.items() if what in _ids(text)]
    return {"composite": what, "release": table.directory, **_use(use), "used-in": sorted(used)}


def _element(what: str, table: Table, _: Directory) -> View:
    found = _definitions(table).component(what, mandatory=False)
    listed = table.codes.get(what)
    lists = (table.segments | table.composites).items()
    return {
        "element": what,
        "release": table.directory,
        "format": str(found.format),
        "codes": None if listed is None else listed.split(),
        "used-in": sorted(name for name, text in lists if what in _ids(text)),
    }


def _ids(text: str) -> set[str]:
    return {word[2:].partition("*")[0] for word in text.split()}


def _tags(nested: list[Any]) -> Iterator[str]:
    for entry in nested:
        if isinstance(entry, str):
            yield entry.partition(" ")[0]
        else:
            yield from _tags(entry[1:])


_KINDS: tuple[tuple[str, Callable[[Table], dict[str, Any]], Callable[[str, Table, Directory], View]], ...] = (
    (_MESSAGE, lambda table: table.messages, _message),
    (_SEGMENT, lambda table: table.segments, _segment),
    (_COMPOSITE, lambda table: table.composites, _composite),
    (_ELEMENT, lambda table: table.elements, _element),
)


def print_view(found: View) -> None:
    """Print it for a person."""
    if "message" in found:
        _print_message(found)
    elif "segment" in found:
        _print_segment(found)
    elif "composite" in found:
        _head(f"{found['composite']} {found['release']}", found["used-in"])
        for number, part in enumerate(found["components"], 1):
            _line(_part(str(number), part))
    else:
        _print_element(found)


def _line(text: str) -> None:
    sys.stdout.write(f"{text.rstrip()}\n")


def _head(text: str, used: list[str]) -> None:
    """The first line, and what it is used in: nothing that is listed stands alone but envelopes."""
    _line(text)
    for line in textwrap.wrap(f"in {' '.join(used)}", WIDTH, subsequent_indent="   ") if used else ():
        _line(line)


def _print_message(found: View) -> None:
    _line(
        f"{found['message']} {found['release']}: {found['segments']} segment positions in {found['groups']} "
        f"groups, {found['transitions']} transitions"
    )
    for place in found["ambiguous"]:
        _line(f"{place['segment']} after {place['after']} could stand in two places; the first is taken")
    for entry in found["structure"]:
        _print_entry(entry, 0)


def _print_entry(entry: View, depth: int) -> None:
    name = "   " * depth + str(entry.get("segment") or entry["group"])
    _line(f"{entry['position']:05}  {name:<32} {entry['status']} {entry['repetitions']:>7}")
    for part in entry.get("content", ()):
        _print_entry(part, depth + 1)


def _print_segment(found: View) -> None:
    _head(f"{found['segment']} {found['release']}", found["used-in"])
    for number, use in enumerate(found["elements"], 1):
        _line(_part(str(number), use))
        for inner, part in enumerate(use.get("components", ()), 1):
            _line(_part(f"  {number}.{inner}", part))
    for note in found["notes"]:
        _line(f"note {note}")


def _part(number: str, part: View) -> str:
    times = f"{part['repetitions']:>3}" if "repetitions" in part else "   "
    codes = part.get("codes")
    listed = "" if codes is None else f"  one of {codes} codes"
    return f"{number:<7}{part['id']}  {part['status']} {times}  {part.get('format', '')}{listed}"


def _print_element(found: View) -> None:
    _head(f"{found['element']} {found['release']}: {found['format']}", found["used-in"])
    if found["codes"] is not None:
        _line(f"{len(found['codes'])} codes:")
        for line in textwrap.wrap(" ".join(found["codes"]), WIDTH - 2):
            _line(f"  {line}")
