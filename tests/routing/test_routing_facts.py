"""What is taken out of a declaration, and how its codes are read."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tidewaiter.codecs.declaration import (
    AdditionalDocument,
    Classification,
    Commodity,
    Declaration,
    GoodsShipment,
    GovernmentAgencyGoodsItem,
    GovernmentProcedure,
    Quantity,
)
from tidewaiter.codecs.declaration.documents import (
    Destination,
    ExitOffice,
    ExportCountry,
    SupervisingOffice,
)
from tidewaiter.codecs.declaration.goods import DangerousGoods, Origin
from tidewaiter.codecs.declaration.parties import (
    Agent,
    AuthorisationHolder,
    Declarant,
    Exporter,
    Importer,
    Submitter,
)
from tidewaiter.codecs.declaration.transport import Consignment, GoodsLocation
from tidewaiter.routing.facts import (
    DeclarationType,
    Function,
    ItemFacts,
    Profile,
    content_digest,
    declaration_type,
    facts_of,
    function,
)


def document(code: str) -> AdditionalDocument:
    return AdditionalDocument(category_code=code[0], type_code=code[1:])


def item(sequence: int, hs: str = "06031100", **values: Any) -> GovernmentAgencyGoodsItem:
    tariff = Classification(id=hs, identification_type_code="TSP")
    suffix = Classification(id="80", identification_type_code="TRC")
    values.setdefault("commodity", Commodity(classification=(tariff, suffix)))
    return GovernmentAgencyGoodsItem(sequence_numeric=sequence, **values)


ROSES = Declaration(
    function_code="9",
    functional_reference_id="LRN1",
    type_code="IMA",
    declaration_office_id="GB000060",
    supervising_office=SupervisingOffice(id="GBLBA001"),
    exit_office=ExitOffice(id="GB000060"),
    additional_document=(document("C505"),),
    authorisation_holder=(AuthorisationHolder(id="GB1", category_code="CGU"),),
    declarant=Declarant(id="GB123"),
    goods_shipment=GoodsShipment(
        export_country=ExportCountry(id="KE"),
        destination=Destination(country_code="GB"),
        consignment=Consignment(goods_location=GoodsLocation(name="LHRLHRLHR")),
        government_agency_goods_item=(
            item(
                1,
                additional_document=(document("N851"), document("C505")),
                government_procedure=(
                    GovernmentProcedure(current_code="40", previous_code="00"),
                    GovernmentProcedure(current_code="C07"),
                ),
                origin=(Origin(country_code="KE"), Origin(country_code="ET")),
            ),
            item(
                2,
                "85171300",
                export_country=ExportCountry(id="CN"),
                commodity=Commodity(
                    classification=(Classification(id="85171300"),),
                    dangerous_goods=(DangerousGoods(undgid="3480"),),
                ),
            ),
        ),
    ),
)


def test_the_facts_of_an_import() -> None:
    found = facts_of(ROSES)
    assert (found.type, found.function) == (DeclarationType.IMPORT, Function.ORIGINAL)
    assert (found.declarant, found.lrn, found.mrn) == ("GB123", "LRN1", None)
    assert found.offices == ("GB000060", "GBLBA001")
    assert found.locations == ("LHRLHRLHR",)
    assert found.authorisations == ("CGU",)
    assert found.items == (
        ItemFacts(
            sequence=1,
            hs=("06031100",),
            procedures=("4000", "C07"),
            documents=("N851", "C505"),
            countries=("KE", "ET", "GB"),
        ),
        ItemFacts(
            sequence=2,
            hs=("85171300",),
            documents=("C505",),
            countries=("CN", "GB"),
            dangerous_goods=("3480",),
        ),
    )
    assert found.documents == ("N851", "C505")
    assert found.hs_codes == ("06031100", "85171300")
    assert found.procedures == ("4000", "C07")
    assert found.countries == ("KE", "ET", "GB", "CN")


def test_an_empty_declaration_has_facts_too() -> None:
    found = facts_of(Declaration())
    assert (found.type, found.function, found.declarant) == (DeclarationType.OTHER, Function.ORIGINAL, None)
    assert found.items == (ItemFacts(),)


def test_a_header_without_items_still_speaks() -> None:
    found = facts_of(Declaration(additional_document=(document("C400"),)))
    assert found.items == (ItemFacts(documents=("C400",)),)


@pytest.mark.parametrize(
    ("function_code", "type_code", "profile", "expected"),
    [
        ("9", "IMA", None, Function.ORIGINAL),
        ("09", "IMA", None, Function.ORIGINAL),
        (None, "IMA", None, Function.ORIGINAL),
        ("13", "COR", None, Function.AMENDMENT),
        ("13", "INV", None, Function.CANCELLATION),
        ("13", "GPR", None, Function.PRESENTATION),
        ("13", "IMA", None, Function.REQUEST),
        ("13", "COR", Profile.UK, Function.AMENDMENT),
        ("13", "COR", Profile.DENMARK, Function.REQUEST),
        ("13", "COR", Profile.PLAIN, Function.REQUEST),
        ("4", "COR", Profile.DENMARK, Function.AMENDMENT),
        ("1", "INV", Profile.DENMARK, Function.CANCELLATION),
        ("24", "GPR", None, Function.PRESENTATION),
        ("24", "GPR", Profile.UK, Function.OTHER),
        ("34", "SUP", None, Function.ORIGINAL),
        ("37", "RRA", None, Function.REPAYMENT),
        ("4", None, None, Function.AMENDMENT),
        ("1", None, None, Function.CANCELLATION),
        ("5", "EXA", None, Function.REPLACEMENT),
        ("14", "IMD", None, Function.ADVANCE),
        ("77", "IMA", None, Function.OTHER),
    ],
)
def test_functions(
    function_code: str | None, type_code: str | None, profile: Profile | None, expected: Function
) -> None:
    assert function(function_code, type_code, profile) is expected


@pytest.mark.parametrize(
    ("code", "procedures", "expected"),
    [
        ("IM", (), DeclarationType.IMPORT),
        ("IMA", ("1040",), DeclarationType.IMPORT),
        ("IMD", (), DeclarationType.IMPORT),
        ("EXA", (), DeclarationType.EXPORT),
        ("IMY", (), DeclarationType.SUPPLEMENTARY),
        ("EXZ", (), DeclarationType.SUPPLEMENTARY),
        ("SUP", (), DeclarationType.SUPPLEMENTARY),
        ("COA", ("1040",), DeclarationType.EXPORT),
        ("COA", ("4000",), DeclarationType.IMPORT),
        ("COR", ("C07", "4000"), DeclarationType.IMPORT),
        ("COR", (), DeclarationType.OTHER),
        ("T1", (), DeclarationType.TRANSIT),
        (None, ("3151",), DeclarationType.EXPORT),
        (None, ("8000",), DeclarationType.OTHER),
    ],
)
def test_types(code: str | None, procedures: tuple[str, ...], expected: DeclarationType) -> None:
    assert declaration_type(code, procedures) is expected


def test_the_declarant_is_the_first_party_that_is_named() -> None:
    shipment = GoodsShipment(importer=Importer(id="importer"))
    values: dict[str, Any] = {
        "declarant": Declarant(id="declarant"),
        "agent": Agent(id="agent"),
        "submitter": Submitter(id="submitter"),
    }
    while values:
        declaration = Declaration(goods_shipment=shipment, **values)
        assert facts_of(declaration).declarant == next(iter(values))
        values.pop(next(iter(values)))
    owners: dict[str, Any] = {"goods_shipment": shipment, "exporter": Exporter(id="exporter")}
    nameless = Declarant(name="a name and no number")
    assert facts_of(Declaration(type_code="EXA", declarant=nameless, **owners)).declarant == "exporter"
    assert facts_of(Declaration(type_code="IMA", **owners)).declarant == "importer"


def test_the_digest_is_of_the_content() -> None:
    copy = msgspec.json.decode(msgspec.json.encode(ROSES), type=Declaration)
    assert content_digest(ROSES) == content_digest(copy)
    assert content_digest(ROSES).startswith("sha256:")
    assert content_digest(ROSES) != content_digest(Declaration(type_code="IMA"))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1.50", "1.5", True),
        ("100", "1E+2", True),
        ("0.00", "0", True),
        ("-0", "0", True),
        ("-1.0", "-1", True),
        ("1E+50", "1" + "0" * 50, True),
        ("1.50E-50", "15E-51", True),
        ("0E+99", "0", True),
        ("1E+50", "-1E+50", False),
        ("1E+999999", "1E+999998", False),
        ("100", "1", False),
        ("1.5", "15", False),
        ("1.5", "-1.5", False),
        ("12345678901234567890123456789012.1", "12345678901234567890123456789012.2", False),
    ],
)
def test_the_digest_knows_numbers_by_their_value(one: str, other: str, equal: bool) -> None:
    digests = [
        content_digest(Declaration(total_gross_mass_measure=Quantity(Decimal(text)))) for text in (one, other)
    ]
    assert (digests[0] == digests[1]) is equal


def test_the_digest_never_changes() -> None:
    """It is stored, and compared with documents of later years."""
    declaration = Declaration(
        functional_reference_id="A", total_gross_mass_measure=Quantity(Decimal("1.50"), "KGM")
    )
    assert content_digest(declaration) == DIGEST


DIGEST = "sha256:906784ccfe81823d226d59b391103a93cbeec42dd1171fe81c6846e9b1ec0ee1"
