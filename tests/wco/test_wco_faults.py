"""Each kind of fault: its code, the node it selects, the value and what was expected."""

import re
from collections.abc import Callable

import pytest
from lxml import etree

from tidewaiter.codecs.finding import MAX_FINDINGS, Finding, XmlPointer
from tidewaiter.codecs.wco import WcoDocument

Build = Callable[[str], bytes]
Reading = Callable[[bytes], WcoDocument]

F = "<FunctionCode>9</FunctionCode><FunctionalReferenceID>L1</FunctionalReferenceID>"
ITEM = "<GoodsShipment><GovernmentAgencyGoodsItem>{}</GovernmentAgencyGoodsItem></GoodsShipment>"
TRADE = "<GoodsShipment><TradeTerms><LocationID>GB</LocationID>{}</TradeTerms></GoodsShipment>"
LAST = "LocationName"
MOMENT = "<AcceptanceDateTime><ds:DateTimeString{}>20260101</ds:DateTimeString></AcceptanceDateTime>"

# Body of the declaration; code; end of the XPath; WCO chain; value; expected.
CASES = [
    ("<FunctionCode>x</FunctionCode>", "wrong-format", "FunctionCode", "42A:017", "x", "n..2"),
    (F + f"<ID>{'1' * 71}</ID>", "too-long", "ID", "42A:D014", "1" * 34 + "…", "at most 70 characters"),
    (F + "<ID> </ID>", "too-short", "ID", "42A:D014", "", "at least 1 characters"),
    (
        F + "<GoodsItemQuantity>many</GoodsItemQuantity>",
        "wrong-type",
        "GoodsItemQuantity",
        "42A:228",
        "many",
        "n..5",
    ),
    (
        F + "<GoodsItemQuantity>-1</GoodsItemQuantity>",
        "out-of-range",
        "GoodsItemQuantity",
        "42A:228",
        "-1",
        "at least 0",
    ),
    (
        F + "<TotalGrossMassMeasure>1.2345678</TotalGrossMassMeasure>",
        "too-many-decimals",
        "TotalGrossMassMeasure",
        "42A:131",
        "1.2345678",
        "at most 6 decimals",
    ),
    (
        F + '<InvoiceAmount currencyID="EURO">1</InvoiceAmount>',
        "wrong-format",
        "InvoiceAmount/@currencyID",
        "42A:109",
        "EURO",
        "[A-Za-z]{3}",
    ),
    (
        F + '<InvoiceAmount odd="1">1</InvoiceAmount>',
        "unknown-attribute",
        "InvoiceAmount/@odd",
        "42A:109",
        "1",
        None,
    ),
    (
        MOMENT.format("") + F,
        "missing-attribute",
        "DateTimeString",
        "42A:023",
        None,
        "@formatCode",
    ),
    (
        MOMENT.format(' formatCode="9"') + F,
        "unknown-code",
        "DateTimeString/@formatCode",
        "42A:023",
        "9",
        "102 | 203 | 204 | 304",
    ),
    ("stray" + F, "stray-text", "Declaration", "42A", "stray", None),
    (F + "<ID>1<x/></ID>", "nested-element", "ID", "42A:D014", "1", None),
    (
        F + TRADE.format("<Nonsense/>"),
        "unknown-element",
        "TradeTerms/Nonsense",
        "42A / 67A / 22B",
        "Nonsense",
        LAST,
    ),
    (F + TRADE.format("<Line/>"), "unexpected-element", "TradeTerms/Line", "42A / 67A / 22B", "Line", LAST),
    (
        F + '<ID xmlns="urn:odd">1</ID>',
        "wrong-namespace",
        "ID",
        "42A:D014",
        "urn:odd",
        "urn:wco:datamodel:WCO:DEC-DMS:2",
    ),
    (
        "<FunctionalReferenceID>L1</FunctionalReferenceID>",
        "missing-element",
        "Declaration",
        "42A:017",
        None,
        "FunctionCode",
    ),
    (
        F + ITEM.format("<Commodity/>"),
        "missing-element",
        "GovernmentAgencyGoodsItem",
        "42A / 67A / 68A#1:006",
        None,
        "SequenceNumeric",
    ),
    (
        F + ITEM.format(""),
        "missing-element",
        "GovernmentAgencyGoodsItem",
        "42A / 67A / 68A#1:006",
        None,
        "SequenceNumeric",
    ),
    (
        F + ITEM.format("<Commodity/><SequenceNumeric>1</SequenceNumeric>"),
        "element-order",
        "SequenceNumeric",
        "42A / 67A / 68A#1:006",
        None,
        None,
    ),
    (F + "<TypeCode>IMA</TypeCode><ID>1</ID>", "element-order", "ID", "42A:D014", None, None),
    (
        "<TypeCode>IMA</TypeCode>" + F + "<ID>1</ID>",
        "element-order",
        "TypeCode",
        "42A:D013",
        None,
        None,
    ),
    (F + "<ID>1</ID><ID>2</ID>", "repeated-element", "ID[2]", "42A:D014", None, None),
]


@pytest.mark.parametrize(("body", "code", "end", "wco", "value", "expected"), CASES)
def test_a_fault(
    declaration: Build,
    reading: Reading,
    body: str,
    code: str,
    end: str,
    wco: str,
    value: str | None,
    expected: str | None,
) -> None:
    data = declaration(body)
    errors = [each for each in reading(data).findings if each.code != "lrn-missing"]
    found = errors[0]
    place = found.pointer
    assert isinstance(place, XmlPointer)
    assert (found.code, place.wco, found.value, found.expected) == (code, wco, value, expected)
    assert place.line == 2
    assert len(etree.fromstring(data).xpath(place.xpath, namespaces=place.namespaces)) == 1
    assert re.sub(r"\w+:", "", place.xpath).endswith(f"/{end}")


def test_facets_of_one_value_are_one_fault(declaration: Build, reading: Reading) -> None:
    found = reading(declaration(F + "<GoodsItemQuantity>1234567.5</GoodsItemQuantity>")).findings
    assert [each.code for each in found] == ["too-many-digits"]


def test_two_faults_of_one_element_are_two(declaration: Build, reading: Reading) -> None:
    found = reading(declaration(F + '<InvoiceAmount currencyID="EURO" odd="1">x</InvoiceAmount>')).findings
    assert {each.code for each in found} == {"wrong-format", "unknown-attribute", "wrong-type"}


def test_reasons_are_our_own_and_quote_little(declaration: Build, reading: Reading) -> None:
    secret = "A" * 5_000
    found = reading(declaration(F + f"<ID>{secret}</ID><Nonsense{secret}/>")).findings
    assert found
    for each in found:
        assert "{" not in each.text
        assert len(each.text) < 120
        assert len(each.value or "") <= 35


def test_findings_are_bounded(response: Build, reading: Reading) -> None:
    found: tuple[Finding, ...] = reading(response("<Response/>" * 300)).findings
    assert len(found) == MAX_FINDINGS


def test_a_control_character_in_a_value_is_escaped(declaration: Build, reading: Reading) -> None:
    (found,) = reading(declaration(F + "<TypeCode>&#x85;&#x202e;abc</TypeCode>")).findings
    assert found.value == "\\x85\\u202eabc"
