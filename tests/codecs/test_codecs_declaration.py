"""The canonical declaration and response against the WCO tables: every element has its field."""

import csv
import pathlib
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest

from tidewaiter.codecs import declaration as room
from tidewaiter.codecs.declaration import (
    Amount,
    DateTime,
    Declaration,
    Node,
    Quantity,
    Response,
    fields,
    fields_by_tag,
)


class Row(NamedTuple):
    """One element of the data model: where it stands, what it is, and whether it repeats."""

    path: str
    wco: str
    format: str
    many: bool


def rows(node: type[Node], path: str) -> Iterator[Row]:
    """What the canonical value can hold, in the order of its fields."""
    for field in fields(node):
        here = f"{path}/{field.tag}"
        yield Row(here, field.wco, field.format, field.many)
        if issubclass(field.kind, Node):
            yield from rows(field.kind, here)


def table(shared: pathlib.Path, name: str) -> list[Row]:
    with (shared / "wco" / f"wco_{name}_elements.csv").open(encoding="utf-8") as file:
        first, *others = csv.DictReader(file)
    assert first["path"] in {"/Declaration", "/Response"}
    return [Row(row["path"], row["wcoid"], row["fmt"], row["max"] != "1") for row in others]


@pytest.mark.parametrize(("node", "name"), [(Declaration, "dec"), (Response, "res")])
def test_every_element_of_the_tables_has_its_field(shared: pathlib.Path, node: type[Node], name: str) -> None:
    """Path (and with it the parent), WCO id, format and repetition. The value may hold more: what other
    releases of the data model have."""
    held = list(rows(node, f"/{node.__name__}"))
    expected = table(shared, name)
    assert len(expected) > 70
    # A row or two of the tables has no id: there the path is enough.
    without = {row._replace(wco="") for row in held}
    assert [row for row in expected if row not in (held if row.wco else without)] == []
    assert len({row.path for row in held}) == len(held)


@pytest.mark.parametrize(("node", "name"), [(Declaration, "dec"), (Response, "res")])
def test_classes_have_the_ids_of_the_tables(shared: pathlib.Path, node: type[Node], name: str) -> None:
    ids = {row.path: row.wco for row in table(shared, name) if row.wco}
    ids[f"/{node.__name__}"] = node.WCO_CLASS

    def check(kind: type[Node], path: str) -> None:
        assert kind.WCO_CLASS
        assert ids.get(path, kind.WCO_CLASS) == kind.WCO_CLASS, path
        for field in fields(kind):
            if issubclass(field.kind, Node):
                check(field.kind, f"{path}/{field.tag}")

    check(node, f"/{node.__name__}")


@pytest.mark.parametrize("node", [Declaration, Response])
def test_a_kind_goes_with_its_format(node: type[Node]) -> None:
    """Classes have no format, numbers begin with n, and what has an attribute has a value of its own."""

    def check(kind: type[Node]) -> None:
        for field in fields(kind):
            if issubclass(field.kind, Node):
                assert field.format == ""
                check(field.kind)
            elif field.kind in {int, Decimal}:
                # an..17,3 is how the tables write the rate of a duty.
                assert field.format.startswith("n") or field.format.endswith(",3"), field
            else:
                assert field.kind in {str, Amount, Quantity, DateTime}, field
                assert field.format, field

    check(node)


@pytest.mark.parametrize("node", [Declaration, Response])
def test_fields_by_tag(node: type[Node]) -> None:
    assert list(fields_by_tag(node).values()) == list(fields(node))
    assert len(fields_by_tag(node)) == len(node.__struct_fields__)


def test_values_are_frozen_and_hashable() -> None:
    value = Declaration(functional_reference_id="LRN")
    with pytest.raises(AttributeError):
        value.functional_reference_id = "x"  # type: ignore[misc]
    assert hash(value) == hash(Declaration(functional_reference_id="LRN"))
    assert msgspec.structs.replace(value, id="MRN") != value


def test_an_empty_value_says_nothing() -> None:
    assert msgspec.json.encode(Declaration()) == b"{}"
    assert msgspec.json.decode(b"{}", type=Response) == Response()


def test_a_field_without_its_element_is_refused() -> None:
    class Bare(Node, frozen=True):
        text: str | None = None

    with pytest.raises(TypeError, match="field text has no Element"):
        fields(Bare)


def test_what_is_exported_is_there() -> None:
    assert sorted(room.__all__) == list(room.__all__)
    assert all(hasattr(room, name) for name in room.__all__)
