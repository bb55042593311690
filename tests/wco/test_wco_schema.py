"""Schema sets compile from memory alone, or say why not; checking stays bounded however much is wrong."""

import pathlib
import time
from collections.abc import Callable

import pytest
from lxml import etree

from tidewaiter.codecs.declaration import Declaration, Node, Response, fields
from tidewaiter.codecs.finding import MAX_FINDINGS, Finding, XmlPointer
from tidewaiter.codecs.wco import SchemaError, SchemaSet, compile_schema, xml

Build = Callable[[str], bytes]

W3 = "http://www.w3.org/2001/XMLSchema"
XS = f'<xs:schema xmlns:xs="{W3}" xmlns="urn:t" targetNamespace="urn:t">{{}}</xs:schema>'
ROOT = '<xs:element name="r" type="xs:string"/>'


def compiled(body: str, **others: str) -> None:
    files = {"main.xsd": XS.format(body).encode(), **{name: text.encode() for name, text in others.items()}}
    compile_schema(files, "main.xsd")


def test_roots_are_the_global_elements(reference: dict[str, bytes]) -> None:
    schema = compile_schema(reference, "metadata.xsd")
    assert {root.rpartition("}")[2] for root in schema.roots} == {"MetaData", "Declaration", "Response"}


def test_imports_resolve_between_folders() -> None:
    inner = XS.replace("urn:t", "urn:i").format(
        '<xs:simpleType name="s"><xs:restriction base="xs:token"/></xs:simpleType>'
    )
    outer = XS.format(
        '<xs:import namespace="urn:i" schemaLocation="../types/inner.xsd"/>'
        '<xs:element name="r" xmlns:i="urn:i" type="i:s"/>'
    )
    schema = compile_schema(
        {"entry/main.xsd": outer.encode(), "types/inner.xsd": inner.encode()}, "entry/main.xsd"
    )
    assert schema.roots == {"{urn:t}r"}


def test_a_file_included_without_a_namespace_takes_the_includers() -> None:
    part = f'<xs:schema xmlns:xs="{W3}"><xs:element name="p" type="xs:string"/></xs:schema>'
    files = {
        "main.xsd": XS.format('<xs:include schemaLocation="part.xsd"/>' + ROOT).encode(),
        "part.xsd": part.encode(),
    }
    assert compile_schema(files, "main.xsd").roots == {"{urn:t}r", "{urn:t}p"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            '<xs:import namespace="urn:i" schemaLocation="gone.xsd"/>' + ROOT, id="import without a file"
        ),
        pytest.param(
            '<xs:import namespace="urn:i" schemaLocation="http://127.0.0.1:9/a.xsd"/>' + ROOT, id="network"
        ),
        pytest.param(
            '<xs:import namespace="urn:i" schemaLocation="file:///etc/hostname"/>' + ROOT, id="file system"
        ),
        pytest.param('<xs:include schemaLocation="/etc/hostname"/>' + ROOT, id="absolute path"),
        pytest.param('<xs:element name="r" type="nothing"/>', id="unknown type"),
        pytest.param("", id="no root"),
        pytest.param("<xs:element", id="not well-formed"),
        pytest.param(
            '<xs:element name="r"><xs:complexType><xs:sequence maxOccurs="3"><xs:element name="a"/>'
            "</xs:sequence></xs:complexType></xs:element>",
            id="counted sequence",
        ),
    ],
)
def test_a_set_with_a_fault_is_refused(body: str) -> None:
    with pytest.raises(SchemaError):
        compiled(body)


def test_a_file_that_is_missing_is_named() -> None:
    with pytest.raises(SchemaError, match=r"gone\.xsd: no such file"):
        compiled('<xs:import namespace="urn:i" schemaLocation="gone.xsd"/>' + ROOT)


def test_an_absent_entry_or_root_is_refused(reference: dict[str, bytes]) -> None:
    with pytest.raises(SchemaError, match="no such file"):
        compile_schema(reference, "gone.xsd")
    with pytest.raises(SchemaError, match="Elsewhere"):
        compile_schema(reference, "metadata.xsd", roots=["{urn:x}Elsewhere"])


def test_an_unknown_root_is_one_finding(schemas: SchemaSet) -> None:
    data = b'<r xmlns="urn:t"/>'
    root = xml.parse(data)
    assert not isinstance(root, Finding)
    (found,) = schemas.reference.check(root, data)
    assert found.code == "unknown-root"
    assert isinstance(found.pointer, XmlPointer)
    assert root.xpath(found.pointer.xpath, namespaces=found.pointer.namespaces) == [root]


def check(schemas: SchemaSet, data: bytes) -> tuple[Finding, ...]:
    root = xml.parse(data)
    assert not isinstance(root, Finding)
    start = time.perf_counter()
    found = schemas.reference.check(root, data)
    # Twenty thousand siblings, each at fault, take libxml2 four seconds when every one is located.
    assert time.perf_counter() - start < 2
    for each in found:
        assert isinstance(each.pointer, XmlPointer)
        assert len(root.xpath(each.pointer.xpath, namespaces=each.pointer.namespaces)) == 1
    return found


def test_errors_without_number_cost_no_square(schemas: SchemaSet, response: Build) -> None:
    found = check(schemas, response("<Response><FunctionCode>x</FunctionCode></Response>" * 20_000))
    assert len(found) == MAX_FINDINGS


def test_an_error_beyond_the_siblings_kept_is_still_an_error(schemas: SchemaSet, response: Build) -> None:
    good = "<Response><FunctionCode>1</FunctionCode><Declaration/></Response>"
    bad = "<Response><FunctionCode>x</FunctionCode></Response>"
    data = response(good * 9_000 + bad * 9_000)
    root = xml.parse(data)
    assert not isinstance(root, Finding)
    (found,) = schemas.reference.check(root, data)
    assert found.code == "schema"
    assert "18000" in found.text


def test_a_large_document_without_fault_has_no_finding(schemas: SchemaSet, response: Build) -> None:
    assert (
        check(schemas, response("<Response><FunctionCode>1</FunctionCode><Declaration/></Response>" * 3_000))
        == ()
    )


def test_a_few_errors_in_a_large_document_are_all_located(schemas: SchemaSet, response: Build) -> None:
    good = "<Response><FunctionCode>1</FunctionCode><Declaration/></Response>"
    bad = "<Response><FunctionCode>x</FunctionCode><Declaration/></Response>"
    (found,) = check(schemas, response(good * 3_000 + bad))
    assert isinstance(found.pointer, XmlPointer)
    assert found.pointer.wco == "07B#3001:017"


@pytest.mark.parametrize("entry", ["wrapper_submit", "wrapper_cancel", "driver_notification"])
def test_a_national_set_compiles(shared: pathlib.Path, entry: str) -> None:
    folder = shared / "wco" / "schemas" / "hmrc-cds"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.xsd")}
    schema = compile_schema(files, f"customs/{entry}.xsd")
    assert any(root.endswith("}MetaData") for root in schema.roots)


def test_the_reference_schema_speaks_the_models_order(reference: dict[str, bytes]) -> None:
    """Elements stand as the canonical fields do, so what is written in field order is valid."""
    xs = f"{{{W3}}}"
    types = {
        each.get("name", ""): each
        for name in ("declaration.xsd", "response.xsd")
        for each in etree.fromstring(reference[name]).iter(f"{xs}complexType")
    }

    def compare(kind: type[Node], path: str) -> int:
        by_tag = {field.tag: field for field in fields(kind)}
        listed = [str(each.get("name")) for each in types[path].iter(f"{xs}element") if each.get("name")]
        assert listed == [tag for tag in by_tag if tag in listed], path
        children = [(by_tag[tag].kind, f"{path}.{tag}") for tag in listed]
        return len(listed) + sum(compare(kind, name) for kind, name in children if issubclass(kind, Node))

    # One less than the rows of each table: the root is no child.
    assert compare(Declaration, "Declaration") == 459
    assert compare(Response, "Response") == 72
