"""The sample documents are what their names say."""

import pytest

from tidewaiter.codecs.document import Kind, Reader
from tidewaiter.codecs.finding import Severity
from tidewaiter.gateway.sandbox.cases import CASES
from tidewaiter.gateway.sandbox.samples import SAMPLES, sample
from tidewaiter.routing.facts import DeclarationType, facts_of

VALID = {
    "import.edi": (DeclarationType.IMPORT, 3),
    "export.xml": (DeclarationType.EXPORT, 3),
    "plants.xml": (DeclarationType.IMPORT, 2),
    "fireworks.edi": (DeclarationType.IMPORT, 2),
}
INVALID = {
    "invalid.edi": {"13", "15", "29", "39", "bad-value"},
    "invalid.xml": {"missing-element", "too-long", "unknown-element", "wrong-format", "wrong-type"},
}


def test_every_sample_is_one_of_both_tables() -> None:
    assert set(SAMPLES) == {*VALID, *INVALID}


def test_what_is_no_sample_is_not_opened() -> None:
    with pytest.raises(KeyError):
        sample("../cases.py")


@pytest.mark.parametrize("name", VALID)
def test_a_good_sample_has_no_finding_at_all(name: str, reader: Reader) -> None:
    reading = reader.read(sample(name))
    assert reading.valid
    assert reading.all_findings == ()
    (document,) = reading.documents
    assert document.kind is Kind.DECLARATION
    assert document.declaration is not None
    facts = facts_of(document.declaration)
    assert (facts.type, len(facts.items)) == VALID[name]


@pytest.mark.parametrize("name", INVALID)
def test_a_bad_sample_has_each_kind_of_error_with_its_place(name: str, reader: Reader) -> None:
    reading = reader.read(sample(name))
    errors = [finding for finding in reading.all_findings if finding.severity is Severity.ERROR]
    assert {finding.code for finding in errors} == INVALID[name]
    assert all(finding.pointer is not None for finding in errors)


def test_plants_have_a_phytosanitary_document_on_a_plant_item(reader: Reader) -> None:
    declaration = reader.read(sample("plants.xml")).documents[0].declaration
    assert declaration is not None
    plants = [item for item in facts_of(declaration).items if "N851" in item.documents]
    assert [item.hs[0][:2] for item in plants] == ["06", "07"]


def test_totals_of_the_samples_add_up(reader: Reader) -> None:
    for name in VALID:
        declaration = reader.read(sample(name)).documents[0].declaration
        assert declaration is not None
        shipment = declaration.goods_shipment
        assert shipment is not None
        items = shipment.government_agency_goods_item
        packages = sum(p.quantity_quantity or 0 for item in items for p in item.packaging)
        masses = [i.commodity.goods_measure.gross_mass_measure for i in items]  # type: ignore[union-attr]
        total = declaration.total_gross_mass_measure
        assert declaration.goods_item_quantity == len(items)
        assert declaration.total_package_quantity == packages
        assert total is not None
        assert total.value == sum(mass.value for mass in masses if mass is not None)


def test_each_sample_is_lodged_in_the_demonstration() -> None:
    assert {case.sample for case in CASES} == set(SAMPLES)
