"""The canonical values as a tree of text that a reader fills; `source` has the one a writer takes from.

A path names a field from a node on: `goods_shipment.destination.country_code`. A part of a value that carries
an attribute is named after a colon: `invoice_amount:value`, `invoice_amount:currency`.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from ...declaration import Amount, DateTime, Node, Quantity, Step, fields
from ...declaration.element import Field, Kind
from ..scanner import Segment

_COMPOUND: dict[Kind, tuple[str, str]] = {
    Amount: ("value", "currency"),
    Quantity: ("value", "unit"),
    DateTime: ("text", "format"),
}
_NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+")
# As many digits as a segment could hold in sport only: longer ones cost the square of their number.
_WHOLE = re.compile(r"-?[0-9]{1,40}")


class Path(NamedTuple):
    """A resolved path: the nodes to go through with their classes, the name of the field at its end, the part
    of its value, how that is made of text (None: it is text), the name of its origin, and the field."""

    nodes: tuple[tuple[str, type[Node]], ...]
    name: str
    part: str
    convert: Callable[[str], int | Decimal] | None
    key: str
    field: Field


@functools.cache
def resolve(cls: type[Node], path: str) -> Path:
    """Resolve `path` from `cls`; raises KeyError where there is no such field."""
    names, _, part = path.partition(":")
    *inner, last = names.split(".")
    nodes = []
    for name in inner:
        cls = _node(_fields(cls)[name])
        nodes.append((name, cls))
    field = _fields(cls)[last]
    convert: Callable[[str], int | Decimal] | None = None
    if field.kind is int:
        convert = _whole
    elif field.kind is Decimal or part == "value":
        convert = _decimal
    return Path(tuple(nodes), last, part, convert, f"{last}:{part}" if part else last, field)


@functools.cache
def _way(cls: type[Node], path: str) -> tuple[tuple[str, type[Node]], ...]:
    """The nodes of a path that ends at a node."""
    way = []
    for name in path.split(".") if path else ():
        cls = _node(_fields(cls)[name])
        way.append((name, cls))
    return tuple(way)


@functools.cache
def _list(cls: type[Node], path: str) -> tuple[str, str, type[Node]]:
    """A path that ends at a list of nodes: that of its parent, its name, and the class of what is in it."""
    parent, _, name = path.rpartition(".")
    return parent, name, _way(cls, path)[-1][1]


@functools.cache
def _fields(cls: type[Node]) -> dict[str, Field]:
    return {field.name: field for field in fields(cls)}


def _node(field: Field) -> type[Node]:
    if not issubclass(field.kind, Node):
        raise KeyError(field.name)
    return field.kind


class Trail:
    """The segment being read; every value put meanwhile remembers it."""

    __slots__ = ("segment",)

    def __init__(self) -> None:
        self.segment: Segment | None = None


class Origin(NamedTuple):
    """Where a value came from: its segment, and element and component where they are known."""

    segment: Segment
    cell: tuple[int, int] | None = None


# As an Origin, of which there is one for each value.
_Place = tuple[Segment, tuple[int, int] | None]


class Draft:
    """A node being read: values come one at a time, the node is built at the end."""

    __slots__ = ("_built", "_origins", "_segment", "_values", "cls", "trail")

    def __init__(self, cls: type[Node], trail: Trail | None = None) -> None:
        self.cls = cls
        self.trail = trail or Trail()
        self._segment = self.trail.segment
        self._values: dict[str, Any] = {}
        self._origins: dict[str, _Place] = {}
        self._built = False

    def at(self, path: str) -> "Draft":
        """The single node at `path`, made if need be; the empty path is this node."""
        return self._go(_way(self.cls, path)) if path else self

    def _go(self, way: tuple[tuple[str, type[Node]], ...]) -> "Draft":
        draft = self
        for name, cls in way:
            found = draft._values.get(name)
            if found is None:
                found = draft._values[name] = Draft(cls, draft.trail)
            draft = found
        return draft

    def append(self, path: str) -> "Draft":
        """A new node at the end of the list at `path`."""
        child = Draft(_list(self.cls, path)[2], self.trail)
        self.children(path).append(child)
        return child

    def children(self, path: str) -> list["Draft"]:
        """The list at `path`, made if need be."""
        parent, name, _ = _list(self.cls, path)
        found: list[Draft] = self.at(parent)._values.setdefault(name, [])
        return found

    def put(self, path: str, text: str, cell: tuple[int, int] | None = None) -> str | None:
        """Set a value from its text, numbers with either mark; says what is wrong, None where nothing is.

        `cell` is the element and component of the segment of the trail that it came from.
        """
        return self.put_at(resolve(self.cls, path), text, cell)

    def put_at(self, path: Path, text: str, cell: tuple[int, int] | None = None) -> str | None:
        """As `put`, with the path resolved."""
        nodes, name, part, convert, key, _ = path
        draft = self._go(nodes) if nodes else self
        values: dict[str, Any] = draft._values
        if part:
            values = values.setdefault(name, {})
            name = part
        value: Any = text
        if convert is not None:
            try:
                value = convert(text)
            except ValueError:
                return "is not a whole number" if convert is _whole else "is not a number"
        if name in values:
            return None if values[name] == value else "is given twice; the first is kept"
        values[name] = value
        segment = self.trail.segment
        if segment is not None:
            draft._origins[key] = (segment, cell)
        return None

    def origins(self) -> Iterator[Origin]:
        """Where each value of this node and of those below it came from."""
        for place in self._origins.values():
            yield Origin(*place)
        for value in self._values.values():
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, Draft):
                    yield from child.origins()

    def origin(self, steps: Sequence[Step], part: str = "") -> Origin | None:
        """Where the value at `steps` came from, else the nearest segment; to be asked after `build`."""
        draft, nearest = self, self._segment
        for field, place in steps:
            value = draft._values.get(field.name)
            if isinstance(value, list):
                kept = [child for child in value if child._built]
                value = kept[place] if place is not None and place < len(kept) else None
            if not isinstance(value, Draft):
                found = _first(draft._origins, field, part)
                if found is not None:
                    return Origin(*found)
                return None if nearest is None else Origin(nearest)
            draft, nearest = value, value._segment or nearest
        return None if nearest is None else Origin(nearest)

    def add_lines(self, path: str, lines: list[str], width: int, *, glue: bool = False) -> None:
        """Lengthen a text that comes in blocks of lines; with `glue` the block goes on in the last line."""
        draft = self.at(path.rpartition(".")[0])
        name = path.rpartition(".")[2]
        known = draft._values.get(name)
        text = join_lines(lines, width)
        if known is None and self.trail.segment is not None:
            draft._origins[name] = (self.trail.segment, None)
        draft._values[name] = text if known is None else f"{known}{'' if glue else chr(10)}{text}"

    def has(self, path: str) -> bool:
        """True if a value was put at `path`."""
        draft = self
        *inner, last = path.split(".")
        for name in inner:
            if name not in draft._values:
                return False
            draft = draft._values[name]
        return last in draft._values

    def build(self) -> Node | None:
        """The node; None where nothing was put in it."""
        values: dict[str, Any] = {}
        for name, value in self._values.items():
            built = value
            if value.__class__ is Draft:
                built = value.build()
            elif value.__class__ is list:
                nodes = [draft.build() for draft in value]
                built = tuple([node for node in nodes if node is not None]) or None
            elif value.__class__ is dict:
                built = _compound(_fields(self.cls)[name].kind, value)
            if built is not None:
                values[name] = built
        self._built = bool(values)
        return self.cls(**values) if values else None


def _first(origins: dict[str, _Place], field: Field, part: str) -> _Place | None:
    """Of a value with an attribute: the part asked for, else the value itself."""
    parts = _COMPOUND.get(field.kind)
    if parts is None:
        return origins.get(field.name)
    return origins.get(f"{field.name}:{part}") or origins.get(f"{field.name}:{parts[0]}")


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _decimal(text: str) -> Decimal:
    number = text.replace(",", ".")
    if not _NUMBER.fullmatch(number):
        raise ValueError(text)
    return Decimal(number)


def _compound(kind: Kind, value: dict[str, Any]) -> Any:
    """None for a currency without an amount, a format without a date: there is no value to carry it."""
    return kind(**value) if _COMPOUND[kind][0] in value else None


def join_lines(lines: list[str], width: int) -> str:
    """Lines to text: a full line goes on in the next one, a shorter one ends there."""
    text = ""
    for number, line in enumerate(lines):
        text += line
        if number < len(lines) - 1 and len(line) < width:
            text += "\n"
    return text


class Block(NamedTuple):
    """Lines that go into one segment; with `glue` the first of them goes on where the block before ended."""

    lines: list[str]
    glue: bool


def split_lines(text: str, width: int, most: int) -> list[Block]:
    """Text to blocks of at most `most` lines, as `join_lines` reads them. Blank lines are left out.

    A line that fills its width and ends there is followed by an empty one, which says so; no block begins or
    ends with an empty line, since the first one is mandatory and the last one would be truncated.
    """
    blocks: list[Block] = []
    for line in text.split("\n"):
        for start in range(0, len(line), width):
            chunk, glue = line[start : start + width], start > 0
            last = blocks[-1].lines if blocks else []
            ended = [] if glue or not last or len(last[-1]) < width else [""]
            if last and len(last) + len(ended) < most:
                last.extend((*ended, chunk))
            else:
                blocks.append(Block([chunk], glue))
    return blocks
