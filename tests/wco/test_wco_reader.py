"""Real declarations and notifications, read, checked and written back; broken ones, and where they break."""

import pathlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tidewaiter.codecs.finding import MAX_FINDINGS, Severity, XmlPointer, is_valid
from tidewaiter.codecs.wco import (
    DocumentKind,
    MetaData,
    Profile,
    SchemaSet,
    Selector,
    WcoDocument,
    compile_schema,
    read,
    write_declaration,
    write_response,
)
from tidewaiter.codecs.wco.names import DECLARATION, DECLARATION_DATES, METADATA, RESPONSE

Build = Callable[[str], bytes]
Reading = Callable[[bytes], WcoDocument]
Samples = Callable[..., list[pathlib.Path]]

DECLARATIONS = ("import", "export", "amendment", "cancellation", "goods-presentation")
NOTIFICATIONS = ("notification", "notification-ns-restored")
HEAD = "<FunctionCode>9</FunctionCode><FunctionalReferenceID>L1</FunctionalReferenceID>"


def written(document: WcoDocument) -> bytes:
    assert document.metadata is not None
    if document.declaration is not None:
        return write_declaration(document.declaration, document.metadata)
    return write_response(document.responses, document.metadata, document.corrections)


@pytest.mark.parametrize("folder", [*DECLARATIONS, *NOTIFICATIONS])
def test_real_documents_are_valid_and_come_back_as_they_were(
    samples: Samples, reading: Reading, folder: str
) -> None:
    paths = samples(folder)
    assert paths
    for path in paths:
        document = reading(path.read_bytes())
        assert document.findings == (), path.name
        expected = DocumentKind.RESPONSE if folder in NOTIFICATIONS else DocumentKind.DECLARATION
        assert (document.kind, document.root, document.namespace) == (expected, "MetaData", METADATA)
        assert reading(written(document)) == document, path.name


def test_what_is_written_is_valid_by_the_agencys_own_schema(
    shared: pathlib.Path, samples: Samples, schemas: SchemaSet
) -> None:
    folder = shared / "wco" / "schemas" / "hmrc-cds"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.xsd")}
    national = [
        Profile(name=name, selector=selector, schema=compile_schema(files, f"customs/{name}.xsd"))
        for name, selector in (
            ("wrapper_cancel", Selector(type_name="DEC", type_code="INV")),
            ("wrapper_submit", Selector(type_name="DEC")),
            ("driver_notification", Selector(type_name="RES")),
        )
    ]
    both = schemas.with_profiles(national)
    for path in samples(*DECLARATIONS, *NOTIFICATIONS):
        document = read(path.read_bytes(), both)
        assert document.findings == (), path.name
        assert read(written(document), both) == document, path.name


@pytest.mark.parametrize(
    ("name", "code", "tag", "wco"),
    [
        ("element_order", "element-order", "SequenceNumeric", "42A / 67A / 68A#1:006"),
        ("fraction_digits", "too-many-decimals", "GrossMassMeasure", "42A / 67A / 68A#1 / 23A / 65A:126"),
        ("missing_mandatory", "missing-element", "Declaration", "42A:017"),
        ("unknown_element", "unknown-element", "Foo", "42A / 67A / 68A#1"),
        ("wrong_namespace", "wrong-namespace", "Declaration", "42A"),
    ],
)
def test_a_broken_declaration_is_pointed_at(
    samples: Samples, reading: Reading, name: str, code: str, tag: str, wco: str
) -> None:
    (path,) = [path for path in samples("mutated-invalid") if path.stem == name]
    data = path.read_bytes()
    document = reading(data)
    (found,) = document.findings
    assert (found.code, found.severity) == (code, Severity.ERROR)
    assert isinstance(found.pointer, XmlPointer)
    (node,) = etree.fromstring(data).xpath(found.pointer.xpath, namespaces=found.pointer.namespaces)
    assert node.tag.rpartition("}")[2] == tag
    assert found.pointer.line == node.sourceline
    assert found.pointer.wco == wco


def test_a_declaration_needs_no_envelope(reading: Reading) -> None:
    document = reading(f'<Declaration xmlns="{DECLARATION}">{HEAD}</Declaration>'.encode())
    assert document.findings == ()
    assert (document.kind, document.metadata, document.namespace) == (
        DocumentKind.DECLARATION,
        None,
        DECLARATION,
    )
    assert document.declaration is not None
    assert document.declaration.functional_reference_id == "L1"


def test_a_response_needs_no_envelope(reading: Reading) -> None:
    document = reading(
        f'<Response xmlns="{RESPONSE}"><FunctionCode>01</FunctionCode><Declaration/></Response>'.encode()
    )
    assert document.findings == ()
    assert document.kind is DocumentKind.RESPONSE
    assert document.responses[0].function_code == "01"


def test_several_responses_keep_their_order_and_corrections(response: Build, reading: Reading) -> None:
    one = "<Response><FunctionCode>0{}</FunctionCode><Declaration/>{}</Response>"
    corrected = f'<Declaration xmlns="{DECLARATION}"><FunctionCode>9</FunctionCode></Declaration>'
    document = reading(response(one.format(1, "") + one.format(7, corrected)))
    assert document.findings == ()
    assert [each.function_code for each in document.responses] == ["01", "07"]
    first, second = document.corrections
    assert first is None
    assert second is not None
    assert second.function_code == "9"


def test_the_envelope_is_read_without_white_space(reading: Reading) -> None:
    document = reading(
        f'<m:MetaData xmlns:m="{METADATA}" xmlns="{DECLARATION}"><m:WCODataModelVersionCode>3.6'
        "</m:WCODataModelVersionCode><m:WCOTypeName/>"
        "<m:ResponsibleCountryCode> GB\n</m:ResponsibleCountryCode>"
        "<m:AgencyAssignedCustomizationVersionCode>v2.1\n\t</m:AgencyAssignedCustomizationVersionCode>"
        f"<Declaration>{HEAD}</Declaration></m:MetaData>".encode()
    )
    assert document.metadata == MetaData(version="3.6", country="GB", customization_version="v2.1")
    assert document.findings == ()


def test_another_document_is_no_declaration(reading: Reading) -> None:
    for data in (b'<order xmlns="urn:shop"><Declaration/></order>', b"<Declaration/>", b"<MetaData/>"):
        document = reading(data)
        assert document.kind is None
        assert [each.code for each in document.findings] == ["unknown-root"]


def test_an_unreadable_document_is_one_finding(reading: Reading) -> None:
    document = reading(b"UNB+UNOC:3+A+B'")
    assert document == WcoDocument(findings=document.findings)
    assert not is_valid(document.findings)


def test_findings_of_every_kind_together_are_bounded(declaration: Build, reading: Reading) -> None:
    wrong = '<CurrencyExchange odd="1"><RateNumeric>x</RateNumeric></CurrencyExchange>' * 60
    own = f'{HEAD}<Own xmlns="urn:own"/>' + "<Own/>" * 60
    assert len(reading(declaration(HEAD + wrong + own)).findings) == MAX_FINDINGS


def test_a_national_element_the_model_lacks_is_reported(schemas: SchemaSet) -> None:
    """A national schema may know more than the canonical model: what would be lost is said."""
    national = (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{DECLARATION}" '
        'elementFormDefault="qualified"><xs:element name="Declaration"><xs:complexType><xs:sequence>'
        '<xs:element name="FunctionCode"/><xs:element name="FunctionalReferenceID" type="xs:string"/>'
        '<xs:element name="Own" type="xs:string"/>'
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    ).encode()
    profile = Profile(name="n", selector=Selector(), schema=compile_schema({"n.xsd": national}, "n.xsd"))
    body = f"{HEAD}<Own>1</Own>"
    document = read(
        f'<Declaration xmlns="{DECLARATION}">{body}</Declaration>'.encode(), schemas.with_profiles([profile])
    )
    (found,) = document.findings
    assert (found.code, found.severity) == ("element-not-carried", Severity.WARNING)


SEED = (
    f'<m:MetaData xmlns:m="{METADATA}" xmlns="{DECLARATION}" xmlns:d="{DECLARATION_DATES}">'
    f'<Declaration><AcceptanceDateTime><d:DateTimeString formatCode="304">20260101090000Z</d:DateTimeString>'
    f'</AcceptanceDateTime>{HEAD}<InvoiceAmount currencyID="EUR">1.5</InvoiceAmount><GoodsShipment>'
    "<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity><DutyTaxFee><TaxRateNumeric>1"
    "</TaxRateNumeric></DutyTaxFee></Commodity></GovernmentAgencyGoodsItem></GoodsShipment></Declaration></m:MetaData>"
).encode()


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_mutated_documents_are_read_or_refused(schemas: SchemaSet, data: st.DataObject) -> None:
    mutated = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(mutated)))
        end = start + data.draw(st.integers(0, 40))
        other = data.draw(st.integers(0, len(SEED)))
        piece = data.draw(st.binary(max_size=6) | st.just(SEED[other : other + 60]))
        mutated[start:end] = piece
    document = read(bytes(mutated), schemas)
    assert len(document.findings) <= MAX_FINDINGS
    if is_valid(document.findings):
        assert document.kind is not None


@given(st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_trees_moved_about_are_pointed_at(schemas: SchemaSet, data: st.DataObject) -> None:
    """Well-formed but wrong: every finding's XPath selects exactly one node of the document."""
    root = etree.fromstring(SEED)
    for _ in range(data.draw(st.integers(1, 3))):
        elements = list(root.iter())
        element, target = data.draw(st.sampled_from(elements)), data.draw(st.sampled_from(elements))
        if element is root or element in (target, *target.iterancestors()):
            element.text = data.draw(st.sampled_from(["", "x", "1" * 600, " 1 ", "-1.50"]))
        else:
            target.insert(data.draw(st.integers(0, len(target))), element)
    document = read(etree.tostring(root), schemas)
    for found in document.findings:
        assert isinstance(found.pointer, XmlPointer)
        assert len(root.xpath(found.pointer.xpath, namespaces=found.pointer.namespaces)) == 1


@given(st.binary(max_size=120))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_octets_are_read_or_refused(schemas: SchemaSet, data: bytes) -> None:
    assert read(data, schemas).findings
