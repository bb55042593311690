"""The declaration through CUSDEC and back, and what reading one reports."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tidewaiter.codecs.declaration import (
    AdditionalDocument,
    AdditionalInformation,
    Address,
    Amendment,
    Amount,
    Classification,
    Commodity,
    DateTime,
    Declaration,
    DutyTaxFee,
    GoodsShipment,
    GovernmentAgencyGoodsItem,
    GovernmentProcedure,
    Node,
    Packaging,
    Pointer,
    PreviousDocument,
    Quantity,
    fields,
)
from tidewaiter.codecs.declaration.documents import (
    UCR,
    ChargeDeduction,
    CurrencyExchange,
    CustomsValuation,
    Invoice,
    TradeTerms,
    WriteOff,
)
from tidewaiter.codecs.declaration.goods import (
    DangerousGoods,
    GoodsMeasure,
    InvoiceLine,
    Origin,
    Payment,
    ValuationAdjustment,
)
from tidewaiter.codecs.declaration.parties import (
    Agent,
    Authentication,
    AuthorisationHolder,
    Communication,
    Contact,
    Declarant,
    Exporter,
    Importer,
)
from tidewaiter.codecs.declaration.transport import (
    ArrivalTransportMeans,
    BorderTransportMeans,
    Consignment,
    Seal,
    TransportEquipment,
)
from tidewaiter.codecs.edifact import (
    Directory,
    Envelope,
    Interchange,
    read_cusdec,
    read_interchange,
    write_cusdec,
)
from tidewaiter.codecs.finding import Finding, Severity, is_valid

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 20
# A value for each kind of field that is no text.
SAMPLES: dict[Any, Any] = {
    int: 1,
    Decimal: Decimal("12.5"),
    Amount: Amount(Decimal("1234.50"), "EUR"),
    Quantity: Quantity(Decimal("7.25"), "KGM"),
    DateTime: DateTime("20260504130709", "204"),
}
# Nodes whose sequence number follows from their order in the message.
NUMBERED = {"Packaging", "TransportEquipment", "Seal", "Itinerary"}


def sample(field: Any) -> Any:
    """A value as long as the data model allows."""
    if field.kind is not str:
        return SAMPLES[field.kind]
    if field.wco in {"017", "D013"}:
        return {"017": "9", "D013": "IMA"}[field.wco]
    return ALPHABET[: int("".join(char for char in field.format if char.isdigit()) or "3")]


def leaves(cls: type[Node], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every way from a node down to a field that is no node."""
    for field in fields(cls):
        if isinstance(field.kind, type) and issubclass(field.kind, Node):
            yield from leaves(field.kind, (*path, field))
        elif not (cls.__name__ in NUMBERED and field.name == "sequence_numeric"):
            yield (*path, field)


def build(cls: type[Node], path: tuple[Any, ...]) -> Any:
    """A node with the one value at the end of `path`."""
    head, *rest = path
    value = build(head.kind, tuple(rest)) if rest else sample(head)
    number = {"sequence_numeric": 1} if cls.__name__ in NUMBERED else {}
    return cls(**number, **{head.name: (value,) if head.many else value})


def round_trip(
    declaration: Declaration, envelope: Envelope, directory: Directory
) -> tuple[Declaration | None, tuple[Finding, ...], tuple[Finding, ...]]:
    """What comes back, what was reported in writing, and in reading."""
    data, written = write_cusdec(declaration, envelope)
    interchange = read_interchange(data)
    assert interchange.valid, interchange.findings
    read, found = read_cusdec(interchange, interchange.messages[0], directory)
    return read, written, found


def syntax(findings: tuple[Finding, ...]) -> list[Finding]:
    """Those of UNTDID 0085: the message itself is at fault, unless it is that a code is not of UNCL."""
    return [f for f in findings if f.code.isdecimal() and not is_own_code(f)]


def is_own_code(finding: Finding) -> bool:
    """True of a code that UNCL does not list: the data model and nations have their own."""
    return (finding.code, finding.severity) == ("12", Severity.WARNING)


def test_no_field_is_lost_in_silence(directory: Directory, envelope: Envelope) -> None:
    for path in leaves(Declaration):
        given = build(Declaration, path)
        read, written, found = round_trip(given, envelope, directory)
        name = ".".join(field.name for field in path)
        assert not syntax(found), name
        if not written:
            assert read == given, name


def full() -> Declaration:
    """A declaration with something in every kind of place, two goods items, and texts that need splitting."""
    item = GovernmentAgencyGoodsItem(
        sequence_numeric=1,
        customs_value_amount=Amount(Decimal("1000.00"), "GBP"),
        statistical_value_amount=Amount(Decimal("999.5"), "GBP"),
        transaction_nature_code="11",
        additional_document=(
            AdditionalDocument(
                category_code="N",
                type_code="853",
                id="GBCHD2026.0001234",
                lpco_exemption_code="AE",
                name="CHEDP",
                effective_date_time=DateTime("20260504", "102"),
            ),
            AdditionalDocument(category_code="N", type_code="380", id="X" * 70),
            AdditionalDocument(category_code="C", type_code="644", id="?+:'*"),
            AdditionalDocument(type_code="998"),
        ),
        additional_information=(
            AdditionalInformation(statement_code="00500", statement_description="ONE\nTWO " + "x" * 400),
            AdditionalInformation(statement_type_code="CUS", statement_description="Ümlaut"),
        ),
        commodity=Commodity(
            description="Sheep's wool: greasy? (+ some 'other' wool) " * 9,
            classification=(
                Classification(id="51011100", identification_type_code="TSP"),
                Classification(id="00", identification_type_code="TRC"),
                Classification(id="0999"),
            ),
            dangerous_goods=(DangerousGoods(undgid="1263"), DangerousGoods(undgid="0004")),
            duty_tax_fee=(
                DutyTaxFee(
                    type_code="A00",
                    duty_regime_code="100",
                    quota_order_id="050006",
                    tax_rate_numeric=Decimal("2.5"),
                    ad_valorem_tax_base_amount=Amount(Decimal(1000), "GBP"),
                    payment=Payment(
                        method_code="E",
                        tax_assessed_amount=Amount(Decimal("25.00"), "GBP"),
                        payment_amount=Amount(Decimal("24.99"), "GBP"),
                    ),
                ),
                DutyTaxFee(type_code="B00", specific_tax_base_quantity=Quantity(Decimal("10.5"), "KGM")),
            ),
            goods_measure=GoodsMeasure(
                gross_mass_measure=Quantity(Decimal("110.5"), "KGM"),
                net_net_weight_measure=Quantity(Decimal(100), "KGM"),
                tariff_quantity=Quantity(Decimal(7)),
            ),
            invoice_line=InvoiceLine(item_charge_amount=Amount(Decimal(1), "EUR")),
            transport_equipment=(TransportEquipment(sequence_numeric=1, id="MSKU1234567"),),
        ),
        government_procedure=(
            GovernmentProcedure(current_code="40", previous_code="00"),
            *(GovernmentProcedure(current_code=code) for code in ("000", "C07", "F15", "1CS", "2CG", "9WZ")),
            GovernmentProcedure(current_code="53", previous_code="71"),
        ),
        origin=(
            Origin(country_code="CN", type_code="1"),
            Origin(country_code="GB", region_id="R1", type_code="2"),
        ),
        packaging=(
            Packaging(sequence_numeric=1, type_code="BX", quantity_quantity=7, marks_numbers_id="MARK " * 90),
            Packaging(sequence_numeric=2, packing_material_description="paper " * 40 + "."),
        ),
        previous_document=(
            PreviousDocument(category_code="Z", type_code="355", id="26GB1", line_numeric=3),
            PreviousDocument(type_code="MCR", id="GB/1-2"),
        ),
        ucr=UCR(id="26GBUCR", trader_assigned_reference_id="TRADER"),
        valuation_adjustment=ValuationAdjustment(addition_code="0000"),
    )
    return Declaration(
        function_code="9",
        type_code="IMA",
        functional_reference_id="LRN-0001",
        id="26GB000000000000A1",
        issue_date_time=DateTime("20260504130709", "204"),
        goods_item_quantity=2,
        total_package_quantity=7,
        invoice_amount=Amount(Decimal("1001.10"), "EUR"),
        currency_exchange=(
            CurrencyExchange(currency_type_code="EUR", rate_numeric=Decimal("1.1234")),
            CurrencyExchange(currency_type_code="USD", rate_numeric=Decimal("0.9")),
        ),
        additional_information=(
            AdditionalInformation(
                statement_type_code="ACB",
                statement_code="DELIVERY",
                statement_description="D0123456789ABC",
                pointer=(Pointer(document_section_code="42A"), Pointer(sequence_numeric=2, tag_id="226")),
            ),
            AdditionalInformation(statement_description="y" * 71 + "\n" + "z" * 70 + "\nend"),
        ),
        amendment=(
            Amendment(
                change_reason_code="32",
                pointer=tuple(
                    Pointer(document_section_code=code, sequence_numeric=number, tag_id="006")
                    for number, code in enumerate(["42A", "67A", "68A", "23A", "21A"] * 9, 1)
                ),
            ),
            Amendment(pointer=(Pointer(document_section_code="42A"),)),
        ),
        authorisation_holder=(
            AuthorisationHolder(id="GB1", category_code="CGU"),
            AuthorisationHolder(id="GB2", category_code="AEOC"),
        ),
        declarant=Declarant(
            id="GB123456789000",
            name="Declarations and Other Formalities of the Longest Name Limited, Dover",
            address=Address(
                line="1 Harbour Way, Eastern Docks, Port Control", city_name="Dover", country_code="GB"
            ),
            contact=Contact(name="J. Smith"),
            communication=Communication(id="js@example.org", type_code="EM"),
        ),
        agent=Agent(id="GB2", function_code="2"),
        border_transport_means=BorderTransportMeans(
            mode_code="1", id="IMO 9301122 AND MORE", name="MV EXAMPLE", registration_nationality_code="PA"
        ),
        exporter=Exporter(name="Exporter"),
        goods_shipment=GoodsShipment(
            consignment=Consignment(
                container_code="1",
                arrival_transport_means=ArrivalTransportMeans(
                    id="AB12CDE", name="TRUCK", identification_type_code="30"
                ),
                transport_equipment=(
                    TransportEquipment(
                        sequence_numeric=1,
                        id="MSKU1234567",
                        seal=(
                            Seal(sequence_numeric=1, id="S1"),
                            Seal(sequence_numeric=2, id="SEAL-LONGER-THAN-TEN"),
                        ),
                    ),
                    TransportEquipment(
                        sequence_numeric=2, id="MSKU7654321", seal=(Seal(sequence_numeric=1, id="T"),)
                    ),
                ),
            ),
            customs_valuation=CustomsValuation(
                freight_charge_amount=Amount(Decimal(12), "GBP"),
                charge_deduction=(
                    ChargeDeduction(
                        charges_type_code="AE", other_charge_deduction_amount=Amount(Decimal(5), "GBP")
                    ),
                ),
            ),
            invoice=Invoice(id="INV1", issue_date_time=DateTime("20260501", "102")),
            government_agency_goods_item=(item, GovernmentAgencyGoodsItem(sequence_numeric=2)),
            trade_terms=TradeTerms(condition_code="CIF", location_id="GBDVR", location_name="Dover"),
        ),
    )


def test_a_full_declaration_comes_back_as_it_was(directory: Directory, envelope: Envelope) -> None:
    given = full()
    read, written, found = round_trip(given, envelope, directory)
    assert written == ()
    assert all(map(is_own_code, found))
    assert read == given


def test_text_beyond_latin_1_goes_out_as_utf_8(directory: Directory, envelope: Envelope) -> None:
    given = Declaration(
        function_code="9", functional_reference_id="L", type_code="COR", exporter=Exporter(name="東京 *")
    )
    data, _ = write_cusdec(given, envelope)
    assert data.startswith(b"UNA:+.?*'UNB+UNOW:4+GATEWAY+AGENCY+20260504:1307+")
    read, _, found = round_trip(given, envelope, directory)
    assert (read, found) == (given, ())


def test_what_is_written_is_in_the_order_of_the_message(envelope: Envelope) -> None:
    data, _ = write_cusdec(full(), envelope)
    text = data.decode("latin-1")
    assert "BGM+929:::IMA+LRN-0001+9'" in text
    assert "DOC+853:N:ZZZ:CHEDP+GBCHD2026.0001234:AE'DTM+7:20260504:102'" in text
    assert "RFF+ABT:26GB000000000000A1'" in text
    assert "FTX+ACB++DELIVERY+D0123456789ABC'" in text
    assert "CST+1+51011100:TSP:ZZZ+00:TRC:ZZZ+0999'" in text
    assert "FTX+CCI+++40:00'" in text
    assert "CNT+5:2'CNT+11:7'" in text


@pytest.mark.parametrize(
    ("kind", "segment"),
    [
        ("IM", "BGM+929'"),
        ("IMA", "BGM+929:::IMA'"),
        ("EX", "BGM+830'"),
        ("EXD", "BGM+830:::EXD'"),
        ("COA", "BGM+929:::COA'"),
        ("CO", "BGM+929:::CO'"),
        ("COR", "BGM+:::COR'"),
        ("INV", "BGM+:::INV'"),
    ],
)
def test_declaration_types(kind: str, segment: str, directory: Directory, envelope: Envelope) -> None:
    given = Declaration(type_code=kind)
    data, _ = write_cusdec(given, envelope)
    assert segment in data.decode()
    read, _, _ = round_trip(given, envelope, directory)
    assert read == given


def losses(declaration: Declaration, envelope: Envelope) -> list[tuple[str, Severity, str]]:
    _, findings = write_cusdec(declaration, envelope)
    return [(f.code, f.severity, f.text.partition(" ")[0].rstrip(":")) for f in findings]


def test_what_does_not_fit_is_left_out_whole_and_told(envelope: Envelope) -> None:
    given = Declaration(authentication=Authentication(authentication="A" * 36))
    data, findings = write_cusdec(given, envelope)
    assert b"AAA" not in data
    (finding,) = findings
    assert (finding.code, finding.severity, finding.expected) == ("39", Severity.ERROR, "an..35")
    assert finding.text.startswith("Authentication/Authentication ")


def test_what_has_no_place_is_told(envelope: Envelope) -> None:
    written_off = AdditionalDocument(
        type_code="853", write_off=WriteOff(quantity_quantity=Quantity(Decimal(5), "KGM"))
    )
    given = Declaration(additional_document=(written_off,))
    name = "AdditionalDocument[1]/WriteOff/QuantityQuantity"
    assert losses(given, envelope) == [("no-place", Severity.WARNING, name)] * 2


@pytest.mark.parametrize(
    ("count", "field", "values", "lost"),
    [
        (11, "additional_document", lambda n: AdditionalDocument(type_code="853", id=f"D{n}"), 2),
        (100, "additional_information", lambda n: AdditionalInformation(statement_code=f"S{n}"), 1),
        (100, "authorisation_holder", lambda n: AuthorisationHolder(id=f"A{n}"), 1),
        (26, "currency_exchange", lambda n: CurrencyExchange(rate_numeric=Decimal(n + 1)), 1),
    ],
)
def test_what_there_is_no_room_for_is_told(
    count: int, field: str, values: Callable[[int], Any], lost: int, directory: Directory, envelope: Envelope
) -> None:
    given = Declaration(**{field: tuple(values(n) for n in range(count))})
    assert [loss[:2] for loss in losses(given, envelope)] == [("35", Severity.ERROR)] * lost
    read, _, found = round_trip(given, envelope, directory)
    assert not syntax(found)
    assert getattr(read, field) == getattr(given, field)[:-1]


def test_room_is_counted_for_each_item(directory: Directory, envelope: Envelope) -> None:
    documents = tuple(AdditionalDocument(type_code="853", id=f"D{n}") for n in range(25))
    items = tuple(
        GovernmentAgencyGoodsItem(sequence_numeric=n, additional_document=documents) for n in (1, 2)
    )
    given = Declaration(goods_shipment=GoodsShipment(government_agency_goods_item=items))
    read, written, found = round_trip(given, envelope, directory)
    assert (read, written, syntax(found)) == (given, (), [])


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("a\nb", "a\nb"),
        ("x" * 70 + "\ny", "x" * 70 + "\ny"),
        ("x" * 140 + "\n" + "y" * 70, "x" * 140 + "\n" + "y" * 70),
        (("x" * 70 + "\n") * 12 + "end", ("x" * 70 + "\n") * 12 + "end"),
        ("a\r\nb", "a\nb"),
        ("\na\n\nb\n", "a\nb"),
        ("a\tb\x00c\x85d", "a b c d"),
    ],
)
def test_texts_over_several_lines(text: str, back: str, directory: Directory, envelope: Envelope) -> None:
    given = Declaration(additional_information=(AdditionalInformation(statement_description=text),))
    read, written, found = round_trip(given, envelope, directory)
    assert read == Declaration(additional_information=(AdditionalInformation(statement_description=back),))
    assert bool(written) is (text.replace("\r\n", "\n") != back)
    assert all(finding.severity is Severity.WARNING for finding in written)
    assert not syntax(found)


def test_numbers_that_follow_from_the_order_are_changed_and_told(
    directory: Directory, envelope: Envelope
) -> None:
    item = GovernmentAgencyGoodsItem(
        sequence_numeric=1, packaging=(Packaging(sequence_numeric=5, type_code="BX"),)
    )
    given = Declaration(goods_shipment=GoodsShipment(government_agency_goods_item=(item,)))
    read, written, _ = round_trip(given, envelope, directory)
    assert [f.code for f in written] == ["changed-in-writing"]
    assert read is not None
    assert read.goods_shipment is not None
    assert read.goods_shipment.government_agency_goods_item[0].packaging[0].sequence_numeric == 1


Read = Callable[..., tuple[Declaration | None, tuple[Finding, ...]]]


@pytest.fixture
def read(make: Callable[..., Interchange], directory: Directory) -> Read:
    def reading(*segments: str, **options: str) -> tuple[Declaration | None, tuple[Finding, ...]]:
        interchange = make(*segments, **options)
        return read_cusdec(interchange, interchange.messages[0], directory)

    return reading


def test_content_that_a_declaration_must_not_leave_open(read: Read) -> None:
    _, findings = read("BGM+929++7", "UNS+D", "CST+1", "CST+3", "UNS+S", "CNT+5:9")
    assert [(f.code, str(f.pointer).partition(" ")[0]) for f in findings] == [
        ("lrn-missing", "BGM[2]/2/1"),
        ("function-unknown", "BGM[2]/3/1"),
        ("item-count", "CNT[7]/1/2"),
    ]
    assert [f.severity is Severity.ERROR for f in findings] == [True, False, False]


def test_an_empty_message_has_no_declaration(read: Read) -> None:
    declaration, findings = read("BGM", "UNS+D", "UNS+S")
    assert declaration is None
    assert {f.code for f in findings} == {"bad-value", "lrn-missing", "function-missing"}


def test_the_lrn_may_be_in_rff(read: Read) -> None:
    declaration, _ = read("BGM+929++9", "RFF+ABE:LRN9", "UNS+D", "UNS+S")
    assert declaration is not None
    assert declaration.functional_reference_id == "LRN9"
    declaration, _ = read("BGM+929+LRN1+9", "RFF+ABE:MINE", "UNS+D", "UNS+S")
    assert declaration is not None
    assert declaration.functional_reference_id == "LRN1"
    assert declaration.goods_shipment is not None
    assert declaration.goods_shipment.ucr == UCR(trader_assigned_reference_id="MINE")


def test_forms_other_senders_use(read: Read) -> None:
    declaration, findings = read(
        "BGM+929+L+9",
        "DOC+998:::Z355+26GB1",
        "DOC+851+PHYTO1:AC:ISSUER",
        "NAD+IM+1++ABC:LIMITED+1 ROAD:2 PLACE+TOWN",
        "MOA+39:12,5:EUR",
        "UNS+D",
        "CST+1+940161009:108:ZZZ+100",
        "FTX+AAA+++WOODEN:CHAIRS",
        "FTX+AAA+++AND TABLES",
        "FTX+CCI+++51:00:::1",
        "MOA+203:7.5:EUR",
        "UNS+S",
    )
    assert all(map(is_own_code, findings))
    assert declaration is not None
    shipment = declaration.goods_shipment
    assert shipment is not None
    assert shipment.previous_document == (PreviousDocument(category_code="Z", type_code="355", id="26GB1"),)
    assert declaration.additional_document == (
        AdditionalDocument(type_code="851", id="PHYTO1", lpco_exemption_code="AC"),
    )
    assert shipment.importer == Importer(
        id="1", name="ABC LIMITED", address=Address(line="1 ROAD 2 PLACE", city_name="TOWN")
    )
    assert declaration.invoice_amount == Amount(Decimal("12.5"), "EUR")
    item = shipment.government_agency_goods_item[0]
    assert item.commodity is not None
    assert item.commodity.description == "WOODEN\nCHAIRS\nAND TABLES"
    assert item.commodity.invoice_line == InvoiceLine(item_charge_amount=Amount(Decimal("7.5"), "EUR"))
    assert item.government_procedure == (GovernmentProcedure(current_code="51", previous_code="00"),)
    assert item.commodity.classification == (
        Classification(id="940161009", identification_type_code="108"),
        Classification(id="100"),
    )


def test_what_the_declaration_has_no_field_for_is_told_as_information(read: Read) -> None:
    _, findings = read("BGM+929+L+9", "LOC+12+USLAX", "NAD+AA+1", "CTA+IC", "UNS+D", "CST+1", "UNS+S")
    assert [(f.code, f.severity, f.value) for f in findings] == [
        ("not-taken", Severity.INFO, "12"),
        ("not-taken", Severity.INFO, "AA"),
    ]
    assert is_valid(findings)


def test_values_that_cannot_be_taken(read: Read) -> None:
    _, findings = read(
        "BGM+929+L+9",
        "LOC+96+A",
        "LOC+96+B",
        "SEL+S1",
        "DOC+998:::Z/355/X+1",
        "FTX+CHG++32+A#B:",
        "UNS+D",
        "CST+1",
        "UNS+S",
    )
    codes = [f.code for f in findings if not f.code.isdecimal()]
    assert codes == ["bad-value", "bad-value", "bad-value"]


def test_a_seal_without_its_equipment_is_told(read: Read) -> None:
    declaration, findings = read("BGM+929+L+9", "EQD+CN+C1", "EQD+CN+C2", "SEL+S1", "UNS+D", "CST+1", "UNS+S")
    assert [(f.code, f.severity) for f in findings] == [("bad-value", Severity.WARNING)]
    assert declaration is not None
    assert declaration.goods_shipment is not None
    assert declaration.goods_shipment.consignment is not None
    assert declaration.goods_shipment.consignment.transport_equipment[0].seal == (
        Seal(sequence_numeric=1, id="S1"),
    )


def test_another_message_is_no_declaration(read: Read) -> None:
    declaration, findings = read("BGM+961", name="CUSRES:D:96B:UN")
    assert (declaration, findings) == (None, ())
    declaration, findings = read("BGM+961", name="INVOIC:D:96B:UN")
    assert declaration is None
    assert [f.code for f in findings] == ["14"]


def test_what_is_inside_a_group_that_is_not_taken_goes_to_no_other(read: Read) -> None:
    declaration, _ = read("BGM+929+L+9", "NAD+DT+1", "NAD+ZZ+2", "CTA+IC+:SOMEONE", "UNS+D", "UNS+S")
    assert declaration is not None
    assert declaration.declarant == Declarant(id="1")
