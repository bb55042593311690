"""Elements to values: types, white space, attributes, and what is not carried."""

from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from tidewaiter.codecs.declaration import Amount, DateTime, Declaration, Quantity
from tidewaiter.codecs.finding import MAX_FINDINGS, Severity
from tidewaiter.codecs.wco.walk import Walk


def walked(body: str) -> tuple[Declaration, list[str]]:
    walk = Walk()
    value = walk.node(
        Declaration, etree.fromstring(f"<Declaration xmlns='urn:d' xmlns:z='urn:z'>{body}</Declaration>")
    )
    return value, [each.code for each in walk.findings]


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ("<ID> a \n\t b </ID>", "id", "a b"),
        ("<ID>a\u00a0\u00a0b</ID>", "id", "a\u00a0\u00a0b"),
        ("<ID/>", "id", None),
        ("<ID> \n</ID>", "id", None),
        ("<GoodsItemQuantity> 12 </GoodsItemQuantity>", "goods_item_quantity", 12),
        ("<GoodsItemQuantity>012.0</GoodsItemQuantity>", "goods_item_quantity", 12),
        ("<GoodsItemQuantity>+1</GoodsItemQuantity>", "goods_item_quantity", 1),
        (
            "<InvoiceAmount currencyID='EUR'>-.50</InvoiceAmount>",
            "invoice_amount",
            Amount(Decimal("-0.50"), "EUR"),
        ),
        ("<InvoiceAmount>1.</InvoiceAmount>", "invoice_amount", Amount(Decimal(1))),
        (
            "<TotalGrossMassMeasure unitCode=' KGM '>1.5</TotalGrossMassMeasure>",
            "total_gross_mass_measure",
            Quantity(Decimal("1.5"), "KGM"),
        ),
        (
            "<AcceptanceDateTime><z:DateTimeString formatCode='102'>20260131</z:DateTimeString>"
            "</AcceptanceDateTime>",
            "acceptance_date_time",
            DateTime("20260131", "102"),
        ),
        (
            "<AcceptanceDateTime><z:DateTimeString formatCode='304'>20260131090000+01</z:DateTimeString>"
            "</AcceptanceDateTime>",
            "acceptance_date_time",
            DateTime("20260131090000+01", "304"),
        ),
        (
            "<AcceptanceDateTime>2026-01-31T09:00:00Z</AcceptanceDateTime>",
            "acceptance_date_time",
            DateTime("2026-01-31T09:00:00Z"),
        ),
        ("<AcceptanceDateTime/>", "acceptance_date_time", None),
    ],
)
def test_a_value(body: str, field: str, value: Any) -> None:
    declaration, codes = walked(body)
    assert getattr(declaration, field) == value
    assert codes == []


@pytest.mark.parametrize(
    "text", ["x", "1e5", "NaN", "Infinity", "1_000", "1,5", "0x1", "\u0661", "1" * 41, "--1", "1.5"]
)
def test_what_is_no_whole_number_is_said(text: str) -> None:
    declaration, codes = walked(f"<GoodsItemQuantity>{text}</GoodsItemQuantity>")
    assert declaration.goods_item_quantity is None
    assert codes == ["wrong-type"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<Own/>", "element-not-carried"),
        ("<z:ID>1</z:ID>", "element-not-carried"),
        ("<Declarant><Own/></Declarant>", "element-not-carried"),
        ("<AcceptanceDateTime><z:Own/></AcceptanceDateTime>", "element-not-carried"),
        ("<ID schemeID='x'>1</ID>", "attribute-not-carried"),
        ("<GoodsItemQuantity unitCode='KGM'>1</GoodsItemQuantity>", "attribute-not-carried"),
        ("<Declarant own='x'/>", "attribute-not-carried"),
    ],
)
def test_what_would_be_lost_is_a_warning(body: str, code: str) -> None:
    walk = Walk()
    walk.node(
        Declaration, etree.fromstring(f"<Declaration xmlns='urn:d' xmlns:z='urn:z'>{body}</Declaration>")
    )
    (found,) = walk.findings
    assert (found.code, found.severity) == (code, Severity.WARNING)


def test_attributes_for_schemas_are_no_loss() -> None:
    _, codes = walked(
        "<ID xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b'>1</ID>"
    )
    assert codes == []


def test_the_first_of_repeated_values_stands() -> None:
    declaration, codes = walked("<ID>1</ID><ID>2</ID><Agent><ID>3</ID></Agent><Agent/>")
    assert declaration.id == "1"
    assert declaration.agent is not None
    assert codes == ["repeated-element", "repeated-element"]


def test_an_element_in_a_value_is_said() -> None:
    declaration, codes = walked("<ID>1<Own/></ID>")
    assert declaration.id == "1"
    assert codes == ["nested-element"]


def test_repeating_classes_keep_their_order() -> None:
    declaration, codes = walked(
        "<AdditionalDocument><ID>1</ID></AdditionalDocument><AdditionalDocument><ID>2</ID></AdditionalDocument>"
    )
    assert [each.id for each in declaration.additional_document] == ["1", "2"]
    assert codes == []


def test_findings_are_bounded() -> None:
    assert len(walked("<Own/>" * 300)[1]) == MAX_FINDINGS
