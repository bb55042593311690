"""What a schema cannot say: references, counts and numbers."""

from collections.abc import Callable

from lxml import etree

from tidewaiter.codecs.finding import Finding, Severity, XmlPointer
from tidewaiter.codecs.wco import WcoDocument

Build = Callable[[str], bytes]
Reading = Callable[[bytes], WcoDocument]

HEAD = "<FunctionCode>9</FunctionCode><FunctionalReferenceID>L1</FunctionalReferenceID>"


def items(*numbers: int) -> str:
    rows = "".join(
        f"<GovernmentAgencyGoodsItem><SequenceNumeric>{number}</SequenceNumeric></GovernmentAgencyGoodsItem>"
        for number in numbers
    )
    return f"<GoodsShipment>{rows}</GoodsShipment>"


def only(document: WcoDocument, data: bytes) -> tuple[Finding, str]:
    (found,) = document.findings
    assert isinstance(found.pointer, XmlPointer)
    (node,) = etree.fromstring(data).xpath(found.pointer.xpath, namespaces=found.pointer.namespaces)
    return found, node.tag.rpartition("}")[2]


def test_a_declaration_without_its_reference_is_in_error(declaration: Build, reading: Reading) -> None:
    data = declaration("<FunctionCode>9</FunctionCode>")
    found, tag = only(reading(data), data)
    assert (found.code, found.severity, tag) == ("lrn-missing", Severity.ERROR, "Declaration")
    assert str(found.pointer).endswith("(42A:D026)")


def test_a_total_that_is_not_the_number_of_items_is_a_warning(declaration: Build, reading: Reading) -> None:
    data = declaration(HEAD + "<GoodsItemQuantity>3</GoodsItemQuantity>" + items(1, 2))
    found, tag = only(reading(data), data)
    assert (found.code, found.severity, tag) == ("item-count", Severity.WARNING, "GoodsItemQuantity")
    assert (found.value, found.expected) == ("3", "2")


def test_a_repeated_item_number_is_in_error(declaration: Build, reading: Reading) -> None:
    data = declaration(HEAD + items(1, 2, 1))
    found, tag = only(reading(data), data)
    assert (found.code, found.severity, tag) == ("item-number-repeated", Severity.ERROR, "SequenceNumeric")
    assert isinstance(found.pointer, XmlPointer)
    assert found.pointer.wco == "42A / 67A / 68A#3:006"


def test_a_measure_below_zero_is_pointed_at(declaration: Build, reading: Reading) -> None:
    mass = '<TotalGrossMassMeasure unitCode="KGM">-4790</TotalGrossMassMeasure>'
    data = declaration(HEAD + mass)
    found, tag = only(reading(data), data)
    assert (found.code, found.severity, tag) == ("negative-value", Severity.ERROR, "TotalGrossMassMeasure")
    assert found.text == "TotalGrossMassMeasure must not be negative"


def test_a_unit_is_pointed_at_by_its_attribute(declaration: Build, reading: Reading) -> None:
    data = declaration(HEAD + '<TotalGrossMassMeasure unitCode="KILO">1</TotalGrossMassMeasure>')
    (found,) = reading(data).findings
    assert isinstance(found.pointer, XmlPointer)
    assert found.pointer.xpath.endswith("TotalGrossMassMeasure/@unitCode")


def test_an_original_without_goods_lacks_an_item(declaration: Build, reading: Reading) -> None:
    data = declaration(HEAD + "<TypeCode>IMA</TypeCode>")
    found, tag = only(reading(data), data)
    assert (found.code, tag) == ("no-items", "Declaration")


def test_what_the_schema_said_is_not_said_again(declaration: Build, reading: Reading) -> None:
    body = "<FunctionCode>9</FunctionCode><FunctionalReferenceID></FunctionalReferenceID>"
    date = '<IssueDateTime><ds:DateTimeString formatCode="999">x</ds:DateTimeString></IssueDateTime>'
    assert [f.code for f in reading(declaration(body)).findings] == ["too-short"]
    assert [f.code for f in reading(declaration("")).findings] == ["missing-element", "lrn-missing"]
    assert len(reading(declaration(HEAD + date)).findings) <= 2


def test_items_in_any_order_and_a_right_total_are_fine(declaration: Build, reading: Reading) -> None:
    data = declaration(HEAD + "<GoodsItemQuantity>2</GoodsItemQuantity>" + items(2, 1))
    assert reading(data).findings == ()


def test_a_corrected_declaration_in_a_response_is_not_held_to_it(response: Build, reading: Reading) -> None:
    data = response(
        "<Response><FunctionCode>07</FunctionCode><Declaration/><Declaration "
        'xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"><FunctionCode>9</FunctionCode></Declaration></Response>'
    )
    assert reading(data).findings == ()
