"""One set of rules for what a declaration holds, whatever syntax it came in."""

from decimal import Decimal
from typing import Any

import pytest

from tidewaiter.codecs.declaration import (
    Amount,
    Classification,
    Commodity,
    DateTime,
    Declaration,
    GoodsShipment,
    GovernmentAgencyGoodsItem,
    Quantity,
    check_content,
)
from tidewaiter.codecs.declaration.documents import Destination
from tidewaiter.codecs.finding import MAX_FINDINGS, Severity


def told(**values: Any) -> list[tuple[str, str, bool]]:
    """The field, the code and whether it is an error, of a declaration that is right but for `values`."""
    given = {"functional_reference_id": "L1", "function_code": "9"} | values
    return [
        (fault.path[-1].field.name, fault.code, fault.severity is Severity.ERROR)
        for fault in check_content(Declaration(**given))
    ]


def shipment(*items: GovernmentAgencyGoodsItem, **values: Any) -> GoodsShipment:
    return GoodsShipment(government_agency_goods_item=items, **values)


def item(number: int | None = 1, **values: Any) -> GovernmentAgencyGoodsItem:
    return GovernmentAgencyGoodsItem(sequence_numeric=number, **values)


@pytest.mark.parametrize("country", ["Brasil", "BRA", "B", "B1", "\u0411\u0420"])
def test_a_country_is_two_letters(country: str) -> None:
    found = told(goods_shipment=shipment(destination=Destination(country_code=country)))
    assert found == [("country_code", "wrong-format", True)]


@pytest.mark.parametrize(
    ("amount", "found"),
    [
        ("93810.401", []),
        ("93810.4010000", []),
        ("93810.4012", [("invoice_amount", "too-many-decimals", True)]),
        ("9" * 16, []),
        ("9" * 17, [("invoice_amount", "too-many-digits", True)]),
        ("9e30", [("invoice_amount", "too-many-digits", True)]),
        ("9.5e30", [("invoice_amount", "too-many-digits", True)]),
        ("9.5e3", []),
        ("-41260.00", [("invoice_amount", "negative-value", False)]),
    ],
)
def test_amounts(amount: str, found: list[tuple[str, str, bool]]) -> None:
    assert told(invoice_amount=Amount(Decimal(amount), "EUR")) == found


def test_a_currency_is_three_letters() -> None:
    assert told(invoice_amount=Amount(Decimal(1), "EURO")) == [("invoice_amount", "wrong-format", True)]


@pytest.mark.parametrize(("unit", "good"), [("KGM", True), ("KGM#G", True), ("ZZ", True), ("KILO", False)])
def test_a_unit_has_three_characters(unit: str, good: bool) -> None:
    assert (told(total_gross_mass_measure=Quantity(Decimal(1), unit)) == []) is good


def test_masses_and_counts_are_not_negative() -> None:
    found = told(total_gross_mass_measure=Quantity(Decimal(-4790), "KGM"), total_package_quantity=-1)
    assert found == [
        ("total_gross_mass_measure", "negative-value", True),
        ("total_package_quantity", "negative-value", True),
    ]


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("20260504", "102", []),
        ("20260504130709+01", "304", []),
        ("2026-05-04", None, []),
        ("20261319", "102", [("wrong-date", True)]),
        ("2026013", "102", [("wrong-date", True)]),
        ("x", "102", [("wrong-date", True)]),
        ("x", None, [("wrong-date", True)]),
        ("202601310900", "102", [("date-format", False)]),
        ("20260131090000Z", "102", [("date-format", False)]),
        ("20260504", "999", [("unknown-code", True)]),
    ],
)
def test_dates(text: str, form: str | None, found: list[tuple[str, bool]]) -> None:
    given = told(issue_date_time=DateTime(text, form))
    assert [(code, error) for _, code, error in given] == found


@pytest.mark.parametrize("lrn", [None, "", "   "])
def test_the_lrn_is_there_and_not_blank(lrn: str | None) -> None:
    assert told(functional_reference_id=lrn) == [("functional_reference_id", "lrn-missing", True)]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("9", []),
        ("09", []),
        ("41", []),
        ("77", [("function_code", "function-unknown", False)]),
        ("X", [("function_code", "wrong-format", True)]),
        (None, [("function_code", "function-missing", True)]),
    ],
)
def test_functions(code: str | None, found: list[tuple[str, str, bool]]) -> None:
    assert told(function_code=code) == found


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("IMA", []),
        ("COR", []),
        ("T2F", []),
        ("QQQ", [("type_code", "type-unknown", False)]),
        ("IMPORT", [("type_code", "too-long", True)]),
    ],
)
def test_types(kind: str, found: list[tuple[str, str, bool]]) -> None:
    assert told(type_code=kind, goods_shipment=shipment(item())) == found


def test_items_are_numbered_as_the_sender_likes_but_once() -> None:
    assert told(goods_shipment=shipment(item(1), item(7))) == []
    found = told(goods_shipment=shipment(item(2), item(2), item(None)), goods_item_quantity=2)
    assert found == [
        ("sequence_numeric", "item-number-repeated", True),
        ("sequence_numeric", "item-number-missing", True),
        ("goods_item_quantity", "item-count", False),
    ]


@pytest.mark.parametrize(
    ("function", "kind", "good"),
    [("9", "IMA", False), ("9", "EX", False), ("13", "IMA", True), ("9", "INV", True), ("1", "IM", True)],
)
def test_an_original_has_goods(function: str, kind: str, good: bool) -> None:
    expected = [] if good else [("government_agency_goods_item", "no-items", True)]
    assert told(function_code=function, type_code=kind) == expected


@pytest.mark.parametrize(
    ("code", "scheme", "good"),
    [
        ("09012100", "TSP", True),
        ("0901210X", "TSP", False),
        ("ABC", None, False),
        ("ABC", "HS", False),
        ("C12X", "GN", True),
    ],
)
def test_a_commodity_code_is_digits(code: str, scheme: str | None, good: bool) -> None:
    commodity = Commodity(classification=(Classification(id=code, identification_type_code=scheme),))
    found = told(goods_shipment=shipment(item(commodity=commodity)))
    assert found == ([] if good else [("id", "commodity-code", True)])


def test_one_finding_a_value_and_no_more_than_the_limit() -> None:
    assert len(told(issue_date_time=DateTime("x", "999"))) == 1
    assert len(told(goods_shipment=shipment(*[item(-1)] * 300))) == MAX_FINDINGS
