"""What the trader reads: our decision, with the agencies' own words."""

from datetime import UTC, datetime

import pytest

from tidewaiter.codecs.declaration import DateTime, Error, Pointer, Response, ResponseDeclaration
from tidewaiter.codecs.declaration.response import ResponseAdditionalInformation, ResponseDutyTaxFee
from tidewaiter.codecs.finding import MAX_FINDINGS, EdifactPointer, Finding, Severity, XmlPointer
from tidewaiter.routing.decision import Answer, Policy, answer_of, consolidate
from tidewaiter.routing.outcome import Outcome, outcome_of
from tidewaiter.routing.reply import FUNCTION_CODES, error_of, rejection_to_trader, response_to_trader

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
STAMP = DateTime("20260301123000Z", "304")
VAT = ResponseDutyTaxFee(type_code="B00")


def answers(**responses: Response) -> dict[str, tuple[Answer, ...]]:
    found = {}
    for agency, response in responses.items():
        answer = answer_of(response, message=agency, number=1)
        assert answer is not None
        found[agency] = (answer,)
    return found


def told(given: dict[str, tuple[Answer, ...]], mrn: str | None = None) -> Response:
    decision = consolidate(tuple(given), given, (), Policy())
    assert decision is not None
    return response_to_trader(decision, given, lrn="LRN1", mrn=mrn, reference="N1", now=NOW)


def test_a_release_with_what_the_agencies_said() -> None:
    declaration = ResponseDeclaration(
        id="MRN1", acceptance_date_time=DateTime("20260301", "102"), duty_tax_fee=(VAT,)
    )
    warning = Error(validation_code="CDS12056")
    note = ResponseAdditionalInformation(statement_description="keep it cold")
    response = told(
        answers(
            customs=Response(function_code="09", error=(warning,), declaration=declaration),
            food=Response(function_code="08", error=(warning,), additional_information=(note,)),
        )
    )
    assert (response.function_code, response.functional_reference_id) == ("08", "N1")
    assert response.issue_date_time == STAMP
    assert [i.statement_description for i in response.additional_information] == [
        "Decision 1: released",
        "customs: released",
        "food: released",
        "keep it cold",
    ]
    assert response.error == (warning,)
    assert response.status[0].release_date_time == STAMP
    assert response.declaration == ResponseDeclaration(
        functional_reference_id="LRN1",
        id="MRN1",
        acceptance_date_time=DateTime("20260301", "102"),
        duty_tax_fee=(VAT,),
    )


def test_only_the_answers_of_the_proof_are_merged() -> None:
    response = told(
        answers(
            customs=Response(function_code="09", error=(Error(validation_code="X"),)),
            food=Response(function_code="06", error=(Error(validation_code="Y"),)),
        ),
        mrn="OURS",
    )
    assert response.function_code == "06"
    assert [e.validation_code for e in response.error] == ["Y"]
    assert response.status[0].release_date_time is None
    assert response.declaration is not None
    assert response.declaration.id == "OURS"


@pytest.mark.parametrize(("code", "field"), [("03", "rejection_date_time"), ("10", "cancellation_date_time")])
def test_a_refusal_and_a_cancellation_are_dated(code: str, field: str) -> None:
    response = told(answers(customs=Response(function_code=code)))
    assert response.function_code == code
    assert getattr(response.declaration, field) == STAMP


def test_an_answer_stays_bounded() -> None:
    errors = tuple(Error(description=str(n)) for n in range(MAX_FINDINGS + 50))
    assert len(told(answers(customs=Response(function_code="03", error=errors))).error) == MAX_FINDINGS


def test_what_we_tell_reads_back_as_the_same_kind_of_outcome() -> None:
    assert outcome_of(Response(function_code=FUNCTION_CODES[Outcome.RELEASED])) is Outcome.RELEASED
    assert outcome_of(Response(function_code=FUNCTION_CODES[Outcome.REFUSED])) is Outcome.REFUSED
    assert set(FUNCTION_CODES) == set(Outcome) - {Outcome.NOT_COMPETENT}


def test_a_rejection_has_an_error_for_each_finding_errors_first() -> None:
    findings = [
        Finding(severity=Severity.WARNING, code="15", text="odd"),
        Finding(code="12", text="wrong"),
    ]
    response = rejection_to_trader(findings, lrn="LRN1", mrn=None, reference="N1", now=NOW)
    assert response.function_code == "03"
    assert [(e.validation_code, e.description) for e in response.error] == [("12", "wrong"), ("15", "odd")]
    assert response.declaration == ResponseDeclaration(
        functional_reference_id="LRN1", rejection_date_time=STAMP
    )
    many = [Finding(code="1", text="x")] * (MAX_FINDINGS + 1)
    bounded = rejection_to_trader(many, lrn=None, mrn=None, reference="N1", now=NOW)
    assert len(bounded.error) == MAX_FINDINGS


def test_pointers_go_where_the_data_model_has_them() -> None:
    chain = "42A / 67A / 68A#1 / 23A / 21A#3:145"
    error = error_of(
        Finding(code="schema-max-length", text="too long", pointer=XmlPointer(xpath="/", wco=chain))
    )
    assert error == Error(
        description="schema-max-length: too long",
        pointer=(
            Pointer(document_section_code="42A"),
            Pointer(document_section_code="67A"),
            Pointer(document_section_code="68A", sequence_numeric=1),
            Pointer(document_section_code="23A"),
            Pointer(document_section_code="21A", sequence_numeric=3, tag_id="145"),
        ),
    )


@pytest.mark.parametrize("chain", [None, "", "42A / ?", "42A:145:006"])
def test_a_chain_that_does_not_read_is_left_out(chain: str | None) -> None:
    finding = Finding(code="12", text="wrong", pointer=XmlPointer(xpath="/", wco=chain))
    assert error_of(finding) == Error(description="wrong", validation_code="12")


def test_a_place_in_an_interchange_goes_into_the_text() -> None:
    pointer = EdifactPointer(segment=5, tag="LOC", element=2, offset=120)
    long = error_of(Finding(code="12", text="wrong " * 200, pointer=pointer)).description or ""
    assert len(long) == 512
    assert long.endswith("(LOC[5]/2 @120)")
    assert error_of(Finding(code="12", text="wrong", pointer=pointer)).description == "wrong (LOC[5]/2 @120)"


def test_an_error_says_what_was_found_and_what_was_expected() -> None:
    finding = Finding(code="12", text="no such code", value="99", expected="1, 2 or 3")
    assert error_of(finding).description == "no such code; found: 99; expected: 1, 2 or 3"
    flood = error_of(Finding(code="12", text="t" * 999, value="v" * 999, expected="e" * 999)).description
    assert flood is not None
    assert len(flood) == 512
    assert flood.endswith("; found: " + "v" * 97 + "...; expected: " + "e" * 97 + "...")
