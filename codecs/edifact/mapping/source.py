"""A canonical value as a tree that a writer takes apart, each leaf once. Paths are those of `tree`.

The tree is made of dictionaries, which msgspec makes of a value in a fraction of the time that any walk over
its fields takes. A value with an attribute is a node there: `invoice_amount:value` is its leaf `value`.
"""

import functools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ...declaration import Node, fields
from ...declaration.element import Field

# The way to a node: that to one above it, the path from there, and which of several; a class for the whole.
_Trail = tuple[Any, str, int | None] | type[Node]


class Source:
    """A value being written: every leaf as text, taken once; what is left at the end had no place."""

    def __init__(self, node: Node) -> None:
        values: dict[str, Any] = msgspec.to_builtins(node, builtin_types=(Decimal,))
        self._whole = View(values, type(node))

    def view(self) -> "View":
        """The whole."""
        return self._whole

    def left(self) -> list[tuple[str, str]]:
        """What was not taken: its WCO path and value."""
        found: list[tuple[str, str]] = []
        if _any_left(self._whole.values):
            _left(self._whole, found)
        return found


class View:
    """A node of a Source. `values` are its leaves and the nodes below; a writer takes out what it writes."""

    __slots__ = ("trail", "values")

    def __init__(self, values: dict[str, Any], trail: _Trail) -> None:
        self.values = values
        self.trail = trail

    def take(self, path: str) -> str:
        """The text at `path`, which then has its place; empty where there is none."""
        steps, leaf = split_path(path)
        return as_text(reach(self.values, steps).pop(leaf, ""))

    def peek(self, path: str) -> str:
        """The text at `path`, left where it is."""
        steps, leaf = split_path(path)
        return as_text(reach(self.values, steps).get(leaf, ""))

    def name(self, path: str) -> str:
        """The WCO path of a leaf: `GoodsShipment/GovernmentAgencyGoodsItem[1]/Commodity/Description`."""
        return "/".join(_names((self.trail, path.replace(":", "."), None))[1])

    def named(self, taken: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Paths and texts that were taken, with WCO paths instead."""
        return [(self.name(path), text) for path, text in taken]

    def where(self) -> str:
        """The WCO path of the node; empty for the whole."""
        return "/".join(_names(self.trail)[1])

    def at(self, path: str) -> "View":
        """The single node at `path`; one with nothing in it where there is none."""
        if not path:
            return self
        steps, name = split_path(path)
        return View(reach(self.values, steps).get(name, _NOTHING), (self.trail, path, None))

    def children(self, path: str) -> list["View"]:
        """The nodes of the list at `path`."""
        steps, name = split_path(path)
        found = reach(self.values, steps).get(name, ())
        return [View(values, (self.trail, path, number)) for number, values in enumerate(found)]


def _names(trail: _Trail) -> tuple[type[Node] | None, list[str]]:
    """The class of a node (None: it is a value), and the names of the elements on the way to it."""
    if isinstance(trail, type):
        return trail, []
    before, path, number = trail
    cls, names = _names(before)
    for name in path.split("."):
        if cls is not None:
            field = _fields(cls)[name]
            names.append(field.tag)
            cls = field.kind if issubclass(field.kind, Node) else None
    if number is not None:
        names[-1] += f"[{number + 1}]"
    return cls, names


# What stands for a node that is absent: nothing is ever put into a view.
_NOTHING: dict[str, Any] = {}


@functools.cache
def split_path(path: str) -> tuple[tuple[str, ...], str]:
    """The names on the way, and the last one."""
    *steps, leaf = path.replace(":", ".").split(".")
    return tuple(steps), leaf


def reach(values: dict[str, Any], steps: tuple[str, ...]) -> dict[str, Any]:
    """The values of the node that `steps` lead to; none where it is absent."""
    for step in steps:
        found = values.get(step)
        if found is None:
            return _NOTHING
        values = found
    return values


def as_text(value: str | int | Decimal) -> str:
    """The text of a leaf; numbers without an exponent."""
    if isinstance(value, str):
        return value
    text = str(value)
    return format(value, "f") if "E" in text else text


def _any_left(values: dict[str, Any]) -> bool:
    """True if a leaf is left; most times there is none, and no name has to be made."""
    for value in values.values():
        if value.__class__ is dict:
            if _any_left(value):
                return True
        elif value.__class__ is tuple:
            if any(map(_any_left, value)):
                return True
        elif value != "":
            return True
    return False


def _left(view: View, found: list[tuple[str, str]]) -> None:
    for name, value in view.values.items():
        if isinstance(value, dict):
            _left(view.at(name), found)
        elif isinstance(value, tuple):
            for child in view.children(name):
                _left(child, found)
        elif value != "":
            found.append((view.name(name), as_text(value)))


@functools.cache
def _fields(cls: type[Node]) -> dict[str, Field]:
    return {field.name: field for field in fields(cls)}
