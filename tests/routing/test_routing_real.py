"""The facts of real declarations, read by the shortest reader there is."""

import pathlib
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from lxml import etree

from tidewaiter.codecs.declaration import DateTime, Declaration, Node, fields_by_tag
from tidewaiter.routing.facts import DeclarationType, Facts, Function, content_digest, facts_of
from tidewaiter.routing.rules import Rule, compile_rules


@pytest.fixture(scope="module")
def declarations(shared: pathlib.Path) -> dict[str, list[Declaration]]:
    folder = shared / "wco" / "samples" / "hmrc-cds"
    return {
        name: [_read(file) for file in sorted((folder / name).glob("**/*.xml"))]
        for name in ("import", "export", "amendment", "cancellation", "goods-presentation")
    }


def _read(file: pathlib.Path) -> Declaration:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    root = etree.parse(str(file), parser).getroot()
    found = next(e for e in root.iter() if etree.QName(e).localname == "Declaration")
    return _node(Declaration, found)


def _node(kind: type[Any], element: Any) -> Any:
    values: dict[str, Any] = {}
    for child in element:
        field = fields_by_tag(kind).get(etree.QName(child).localname)
        if field is None:
            continue
        value = _node(field.kind, child) if issubclass(field.kind, Node) else _leaf(field.kind, child)
        values[field.name] = (*values.get(field.name, ()), value) if field.many else value
    return kind(**values)


def _leaf(kind: type[Any], element: Any) -> Any:
    text = "".join(element.itertext()).strip()
    if kind in (str, DateTime):
        return kind(text)
    try:
        return int(text) if kind is int else Decimal(text) if kind is Decimal else kind(Decimal(text))
    except (ValueError, InvalidOperation):
        return None


def _facts(declarations: dict[str, list[Declaration]], name: str) -> list[Facts]:
    found = [facts_of(declaration) for declaration in declarations[name]]
    assert found
    return found


def test_imports_and_exports_are_originals_with_a_declarant(
    declarations: dict[str, list[Declaration]],
) -> None:
    for facts in (*_facts(declarations, "import"), *_facts(declarations, "export")):
        assert facts.function is Function.ORIGINAL
        assert facts.type is not DeclarationType.OTHER
        assert facts.declarant
        assert facts.lrn
        assert facts.procedures
        assert all(code.isdigit() for code in facts.hs_codes)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("amendment", Function.AMENDMENT),
        ("cancellation", Function.CANCELLATION),
        ("goods-presentation", Function.PRESENTATION),
    ],
)
def test_changes_are_known_as_such_and_name_their_declaration(
    declarations: dict[str, list[Declaration]], name: str, function: Function
) -> None:
    for facts in _facts(declarations, name):
        assert facts.function is function
        assert facts.mrn


def test_the_documents_route(declarations: dict[str, list[Declaration]]) -> None:
    rules = compile_rules(
        [
            Rule(name="plants", agencies=("plants",), when={"document": ("N851",)}),
            Rule(name="species", agencies=("species",), when={"document": ("C400", "C401")}),
        ]
    )
    found = [{m.agency for m in rules.match(facts)} for facts in _facts(declarations, "import")]
    assert {"plants"} in found
    assert set() in found


def test_different_declarations_have_different_digests(declarations: dict[str, list[Declaration]]) -> None:
    every = [d for group in declarations.values() for d in group]
    distinct = {id(next(e for e in every if e == d)) for d in every}
    assert len({content_digest(d) for d in every}) == len(distinct)
