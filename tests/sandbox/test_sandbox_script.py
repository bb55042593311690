"""The script of the agencies: each mark gives its verdict, each verdict its response."""

import datetime

import msgspec
import pytest

from tidewaiter.codecs.declaration import AdditionalInformation, Declaration
from tidewaiter.codecs.document import Reader
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.gateway.sandbox.script import (
    Taken,
    Verdict,
    answer_to,
    delivery_reference_in,
    taken_from,
    verdict_on,
)
from tidewaiter.routing.outcome import Outcome, outcome_of

NOW = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=datetime.UTC)
REFERENCE = "D0123456789ABC"


@pytest.fixture(scope="module")
def coffee(reader: Reader) -> Declaration:
    declaration = reader.read(sample("import.edi")).documents[0].declaration
    assert declaration is not None
    return declaration


@pytest.fixture(scope="module")
def fireworks(reader: Reader) -> Declaration:
    declaration = reader.read(sample("fireworks.edi")).documents[0].declaration
    assert declaration is not None
    return declaration


def test_ordinary_goods_may_go(coffee: Declaration) -> None:
    assert verdict_on(coffee, "customs") is Verdict.RELEASE


def test_fireworks_are_for_customs_to_examine_and_for_nobody_else(fireworks: Declaration) -> None:
    assert verdict_on(fireworks, "customs") is Verdict.INSPECT
    assert verdict_on(fireworks, "health") is Verdict.RELEASE


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        ("-INSPECT", Verdict.INSPECT),
        ("-DOCUMENTS", Verdict.DOCUMENTS),
        ("-REFUSE", Verdict.REFUSE),
        ("-SILENT", Verdict.SILENCE),
    ],
)
@pytest.mark.parametrize("agency", ["customs", "agriculture"])
def test_an_ending_of_the_lrn_is_a_mark_for_every_agency(
    coffee: Declaration, ending: str, verdict: Verdict, agency: str
) -> None:
    marked = msgspec.structs.replace(coffee, functional_reference_id=f"X{ending}")
    assert verdict_on(marked, agency) is verdict


def test_a_cancellation_is_cancelled_whatever_its_marks(fireworks: Declaration) -> None:
    cancellation = msgspec.structs.replace(fireworks, function_code="1")
    assert verdict_on(cancellation, "customs") is Verdict.CANCEL


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.RELEASE, Outcome.RELEASED),
        (Verdict.INSPECT, Outcome.INSPECTION),
        (Verdict.DOCUMENTS, Outcome.DOCUMENTS_REQUIRED),
        (Verdict.REFUSE, Outcome.REFUSED),
        (Verdict.CANCEL, Outcome.CANCELLED),
    ],
)
def test_the_gateway_understands_each_answer(verdict: Verdict, outcome: Outcome) -> None:
    taken = Taken(reference=REFERENCE, verdict=verdict, lrn="L1", mrn="26NL1")
    response = answer_to(taken, "customs", NOW)
    assert outcome_of(response) is outcome
    assert response.functional_reference_id == REFERENCE
    assert response.declaration is not None
    assert (response.declaration.functional_reference_id, response.declaration.id) == ("L1", "26NL1")


def test_only_a_refusal_has_an_error() -> None:
    errors = {
        verdict: answer_to(Taken(reference=REFERENCE, verdict=verdict), "health", NOW).error
        for verdict in Verdict
        if verdict is not Verdict.SILENCE
    }
    assert {verdict for verdict, error in errors.items() if error} == {Verdict.REFUSE}


def test_silence_has_no_answer() -> None:
    with pytest.raises(ValueError, match="silence"):
        answer_to(Taken(reference=REFERENCE, verdict=Verdict.SILENCE), "health", NOW)


def test_customs_alone_gives_an_mrn_and_the_same_one_again(coffee: Declaration) -> None:
    first = taken_from(coffee, "customs", REFERENCE, NOW)
    assert first.mrn is not None
    assert len(first.mrn) == 18
    assert first == taken_from(coffee, "customs", REFERENCE, NOW)
    assert taken_from(coffee, "customs", "D0000000000000", NOW).mrn != first.mrn
    assert taken_from(coffee, "health", REFERENCE, NOW).mrn is None


def test_a_declaration_with_an_mrn_keeps_it(coffee: Declaration) -> None:
    numbered = msgspec.structs.replace(coffee, id="26NLOLD")
    assert taken_from(numbered, "customs", REFERENCE, NOW).mrn == "26NLOLD"


def test_the_delivery_reference_is_found_among_statements(coffee: Declaration) -> None:
    assert delivery_reference_in(coffee) is None
    ours = AdditionalInformation(statement_code="DELIVERY", statement_description=REFERENCE)
    delivered = msgspec.structs.replace(coffee, additional_information=(*coffee.additional_information, ours))
    assert delivery_reference_in(delivered) == REFERENCE
