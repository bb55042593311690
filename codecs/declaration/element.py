"""How a canonical field knows its WCO element, and the table the codecs walk."""

import functools
import types
from decimal import Decimal
from typing import Annotated, Any, ClassVar, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from .values import Amount, DateTime, Quantity


class Element(msgspec.Struct, frozen=True):
    """The WCO Data Model element behind a field: XML tag, WCO id, and format as in the data model."""

    tag: str
    wco: str
    format: str = ""


class Node(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, repr_omit_defaults=True):
    """A WCO class. Its fields stand in the order of the data model's schema."""

    WCO_CLASS: ClassVar[str] = ""


Kind = type[Node] | type[str] | type[int] | type[Decimal] | type[Amount] | type[Quantity] | type[DateTime]


class Field(NamedTuple):
    """One field of a Node: its Python name, its element, the type of one value, and whether it repeats."""

    name: str
    tag: str
    wco: str
    format: str
    kind: Kind
    many: bool


@functools.cache
def fields(node: type[Node]) -> tuple[Field, ...]:
    """The fields of `node` in schema order."""
    hints = get_type_hints(node, include_extras=True)
    return tuple(_field(name, hints[name]) for name in node.__struct_fields__)


@functools.cache
def fields_by_tag(node: type[Node]) -> dict[str, Field]:
    """The fields of `node` by the local name of their XML element."""
    return {field.tag: field for field in fields(node)}


def _field(name: str, hint: Any) -> Field:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"field {name} has no Element")
    inner, element = get_args(hint)[:2]
    many = get_origin(inner) is tuple
    if many:
        kind = get_args(inner)[0]
    elif get_origin(inner) in (Union, types.UnionType):
        kind = next(arg for arg in get_args(inner) if arg is not type(None))
    else:
        kind = inner
    return Field(name, element.tag, element.wco, element.format, kind, many)
