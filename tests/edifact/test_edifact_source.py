"""A value taken apart: each leaf as text, once, and the names of what is left."""

from decimal import Decimal

from tidewaiter.codecs.declaration import (
    AdditionalInformation,
    Amount,
    Classification,
    Commodity,
    Declaration,
    GoodsShipment,
    GovernmentAgencyGoodsItem,
)
from tidewaiter.codecs.edifact import Envelope, read_interchange, write_cusdec
from tidewaiter.codecs.edifact.mapping.source import Source


def test_a_source_gives_each_value_once_and_names_what_is_left() -> None:
    source = Source(Declaration(id="A", goods_shipment=GoodsShipment(transaction_nature_code="11")))
    view = source.view()
    assert (view.take("id"), view.take("id"), view.take("goods_shipment.nothing")) == ("A", "", "")
    assert source.left() == [("GoodsShipment/TransactionNatureCode", "11")]


def test_numbers_are_written_out() -> None:
    amount = Amount(Decimal("1E+3"), "EUR")
    view = Source(Declaration(invoice_amount=amount, goods_item_quantity=0)).view()
    assert view.peek("invoice_amount:value") == view.take("invoice_amount:value") == "1000"
    assert (view.take("invoice_amount:currency"), view.take("goods_item_quantity")) == ("EUR", "0")


def test_nodes_are_named_by_their_elements() -> None:
    items = (GovernmentAgencyGoodsItem(), GovernmentAgencyGoodsItem(commodity=Commodity(description="X")))
    source = Source(
        Declaration(
            invoice_amount=Amount(Decimal(1)),
            goods_shipment=GoodsShipment(government_agency_goods_item=items),
        )
    )
    first, second = source.view().at("goods_shipment").children("government_agency_goods_item")
    assert first.where() == "GoodsShipment/GovernmentAgencyGoodsItem[1]"
    assert second.name("commodity.description") == (
        "GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Description"
    )
    assert second.named([("commodity.description", "X")]) == [(second.name("commodity.description"), "X")]
    assert source.view().name("invoice_amount:value") == "InvoiceAmount"
    assert source.view().children("additional_document") == []
    assert source.view().at("consignment.carrier").take("id") == ""
    assert source.left() == [
        ("InvoiceAmount", "1"),
        ("GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Description", "X"),
    ]


def test_a_control_character_is_never_written_nor_a_reason_not_to_write(envelope: Envelope) -> None:
    commodity = Commodity(classification=(Classification(id="09\t01", identification_type_code="TSP"),))
    shipment = GoodsShipment(government_agency_goods_item=(GovernmentAgencyGoodsItem(commodity=commodity),))
    statement = AdditionalInformation(statement_code="A\nB")
    data, findings = write_cusdec(
        Declaration(goods_shipment=shipment, additional_information=(statement,)), envelope
    )
    assert [f.code for f in findings] == ["changed-in-writing", "changed-in-writing"]
    assert b"FTX+ZZZ++A B'" in data
    assert b"CST++09 01:TSP" in data
    assert read_interchange(data).valid
