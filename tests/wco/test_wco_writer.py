"""Values to XML: schema order, real namespaces, nothing that XML cannot carry."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tidewaiter.codecs.declaration import (
    Amount,
    Commodity,
    DateTime,
    Declaration,
    GoodsShipment,
    GovernmentAgencyGoodsItem,
    Response,
    ResponseDeclaration,
)
from tidewaiter.codecs.declaration.goods import GoodsMeasure
from tidewaiter.codecs.declaration.values import Quantity
from tidewaiter.codecs.wco import (
    MetaData,
    SchemaSet,
    UnwritableError,
    WcoDocument,
    read,
    write_declaration,
    write_response,
)

Reading = Callable[[bytes], WcoDocument]

METADATA = MetaData(
    version="3.6", type_name="DEC", country="GB", agency="A & B", customization_version="v2.1"
)


def declared(description: str = "x", value: Decimal = Decimal(1)) -> Declaration:
    item = GovernmentAgencyGoodsItem(
        sequence_numeric=1,
        statistical_value_amount=Amount(value, "EUR"),
        commodity=Commodity(
            description=description, goods_measure=GoodsMeasure(gross_mass_measure=Quantity(value, "KGM"))
        ),
    )
    return Declaration(
        function_code="9",
        functional_reference_id="L1",
        acceptance_date_time=DateTime("20260131090000Z", "304"),
        goods_shipment=GoodsShipment(government_agency_goods_item=(item,)),
    )


def test_a_declaration_is_written_in_its_namespaces_and_comes_back(reading: Reading) -> None:
    data = write_declaration(declared(), METADATA)
    document = reading(data)
    assert document.findings == ()
    assert document.declaration == declared()
    assert document.metadata == METADATA
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    moment = etree.fromstring(data).find(".//{urn:wco:datamodel:WCO:Declaration_DS:DMS:2}DateTimeString")
    assert moment is not None


def test_markup_in_values_stays_text(reading: Reading) -> None:
    text = """<a href="x">&amp; 'q' ]]> \u00fc \U0001f6a2"""
    document = reading(write_declaration(declared(text), METADATA))
    assert document.declaration == declared(text)


def test_attributes_are_escaped() -> None:
    declaration = Declaration(function_code="9", invoice_amount=Amount(Decimal(1), '"<&'))
    root = etree.fromstring(write_declaration(declaration, MetaData()))
    assert root.xpath("//@currencyID") == ['"<&']


@pytest.mark.parametrize(
    ("number", "text"), [("1E+3", "1000"), ("1.50", "1.50"), ("0E-6", "0.000000"), ("-0.001", "-0.001")]
)
def test_numbers_are_written_without_an_exponent(number: str, text: str) -> None:
    data = write_declaration(Declaration(invoice_amount=Amount(Decimal(number))), MetaData())
    assert f">{text}</InvoiceAmount>".encode() in data


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\ud800"])
def test_what_xml_cannot_carry_is_refused(character: str) -> None:
    with pytest.raises(UnwritableError):
        write_declaration(Declaration(id=f"a{character}b"), MetaData())


def test_responses_are_written_one_or_several(reading: Reading) -> None:
    one = Response(function_code="01", declaration=ResponseDeclaration(functional_reference_id="L1"))
    two = Response(function_code="07", declaration=ResponseDeclaration())
    correction = Declaration(function_code="9", goods_item_quantity=2)
    assert reading(write_response(one, METADATA)).responses == (one,)
    document = reading(write_response([one, two], METADATA, [None, correction]))
    assert document.findings == ()
    assert (document.responses, document.corrections) == ((one, two), (None, correction))


def test_a_response_without_a_declaration_gets_an_empty_one(reading: Reading) -> None:
    document = reading(write_response(Response(function_code="03"), METADATA))
    assert document.findings == ()
    assert document.responses[0].declaration == ResponseDeclaration()


def test_corrections_must_match_their_responses() -> None:
    with pytest.raises(ValueError):
        write_response([Response(), Response()], METADATA, [None])


TEXTS = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zs", "Cn")), min_size=1, max_size=35)


@given(TEXTS, st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_and_number_of_the_profile_comes_back(
    schemas: SchemaSet, text: str, number: Decimal
) -> None:
    value = declared(text, number)
    document = read(write_declaration(value, METADATA), schemas)
    assert document.findings == ()
    assert document.declaration == value
