"""Texts in lines, and the tree of values that is read into and written from."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.codecs.declaration import Amount, Declaration
from tidewaiter.codecs.edifact.mapping.tree import Block, Draft, join_lines, resolve, split_lines


@given(text=st.text(alphabet="ab\n", max_size=60), width=st.integers(2, 5), most=st.integers(3, 5))
def test_lines_come_back(text: str, width: int, most: int) -> None:
    back = ""
    for number, block in enumerate(split_lines(text, width, most)):
        assert 0 < len(block.lines) <= most
        assert block.lines[0]
        assert block.lines[-1]
        assert all(len(line) <= width for line in block.lines)
        back += ("" if block.glue or not number else "\n") + join_lines(block.lines, width)
    assert back == "\n".join(line for line in text.split("\n") if line)


def test_a_full_line_that_ends_is_followed_by_an_empty_one() -> None:
    assert split_lines("abcd\nef", 4, 5) == [Block(["abcd", "", "ef"], False)]
    assert split_lines("abcdef", 4, 5) == [Block(["abcd", "ef"], False)]
    assert split_lines("abcdef", 4, 1) == [Block(["abcd"], False), Block(["ef"], True)]


def test_values_are_put_by_path() -> None:
    draft = Draft(Declaration)
    assert draft.put("function_code", "9") is None
    assert draft.put("invoice_amount:value", "1,50") is None
    assert draft.put("invoice_amount:currency", "EUR") is None
    assert draft.put("goods_item_quantity", "007") is None
    assert draft.append("goods_shipment.previous_document").put("id", "X") is None
    built = draft.build()
    assert isinstance(built, Declaration)
    assert built.invoice_amount == Amount(Decimal("1.50"), "EUR")
    assert built.goods_item_quantity == 7
    assert built.goods_shipment is not None
    assert built.goods_shipment.previous_document[0].id == "X"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("goods_item_quantity", "x"),
        ("goods_item_quantity", "1.5"),
        ("goods_item_quantity", "\u0661"),
        ("invoice_amount:value", "NaN"),
        ("invoice_amount:value", "1_0"),
        ("invoice_amount:value", "1E9"),
        ("invoice_amount:value", ""),
    ],
)
def test_what_is_no_number_is_not_put(path: str, text: str) -> None:
    draft = Draft(Declaration)
    whole = "" if ":" in path else "whole "
    assert draft.put(path, text) == f"is not a {whole}number"
    assert draft.build() is None


def test_the_first_of_two_values_is_kept() -> None:
    draft = Draft(Declaration)
    assert draft.put("id", "A") is None
    assert draft.put("id", "A") is None
    assert draft.put("id", "B") is not None
    assert draft.build() == Declaration(id="A")


def test_a_currency_without_an_amount_is_nothing() -> None:
    draft = Draft(Declaration)
    draft.put("invoice_amount:currency", "EUR")
    assert draft.build() is None


def test_what_was_put_is_known() -> None:
    draft = Draft(Declaration)
    draft.put("goods_shipment.ucr.id", "X")
    assert draft.has("goods_shipment.ucr.id")
    assert not draft.has("goods_shipment.ucr.trader_assigned_reference_id")
    assert not draft.has("exporter.id")


def test_a_path_that_leads_nowhere_is_a_mistake_of_the_tables() -> None:
    for path in ("nothing", "goods_shipment.nothing", "id.x"):
        with pytest.raises(KeyError):
            resolve(Declaration, path)
