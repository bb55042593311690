"""The business answer to the trader, in the canonical response: of a decision, and of an invalid document."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from ..codecs.declaration import DateTime, Error, Pointer, Response, ResponseDeclaration, Status
from ..codecs.declaration.response import ResponseAdditionalInformation, ResponseDutyTaxFee
from ..codecs.finding import MAX_FINDINGS, EdifactPointer, Finding, Severity, XmlPointer
from .decision import Answer, Decision
from .outcome import Outcome

# WCO element 017 of what the trader is told. WITHDRAWN: the declaration stands accepted and waits again.
FUNCTION_CODES: Mapping[Outcome, str] = {
    Outcome.ACCEPTED: "01",
    Outcome.WITHDRAWN: "01",
    Outcome.REFUSED: "03",
    Outcome.HELD: "05",
    Outcome.INSPECTION: "05",
    Outcome.DOCUMENTS_REQUIRED: "06",
    Outcome.RELEASED: "08",
    Outcome.CANCELLED: "10",
}
REJECTED = FUNCTION_CODES[Outcome.REFUSED]
# UNTDID 4451: additional information.
_INFORMATION = "ACB"
# WCO elements 377, 488 and 225: an..8, an..512, an..512.
_VALIDATION_CODE = 8
_TEXT = 512
# Of a value found or expected: enough to know the place again, and the text keeps its room.
_QUOTED = 100
# A step of a WCO pointer chain: class, its place among its like, and at the end an element.
_STEP = re.compile(r"(?P<section>\w{1,3})(?:#(?P<sequence>\d{1,5}))?(?::(?P<tag>\w{1,4}))?")

T = TypeVar("T")


def response_to_trader(
    decision: Decision,
    answers: Mapping[str, tuple[Answer, ...]],
    *,
    lrn: str | None,
    mrn: str | None,
    reference: str,
    now: datetime,
) -> Response:
    """The response that tells `decision`, with what its agencies said of errors, texts and duties.

    `answers` are those the decision was made of; only the ones in its proof are merged, each thing once, at
    most MAX_FINDINGS of a kind. `reference` is our own for this response; `mrn` None takes an agency's.
    """
    counted = _counted(decision, answers)
    proof = [f"{reason.agency}: {reason.outcome.value}" for reason in decision.reasons]
    statements = map(_statement, [f"Decision {decision.version}: {decision.outcome.value}", *proof])
    texts = _merged(counted, lambda r: r.additional_information)
    stamp = _stamp(now)
    return Response(
        function_code=FUNCTION_CODES[decision.outcome],
        functional_reference_id=reference,
        issue_date_time=stamp,
        additional_information=(*statements, *texts)[:MAX_FINDINGS],
        error=tuple(_merged(counted, lambda r: r.error))[:MAX_FINDINGS],
        status=(
            Status(
                effective_date_time=stamp,
                release_date_time=stamp if decision.outcome is Outcome.RELEASED else None,
            ),
        ),
        declaration=_declaration(decision, counted, lrn=lrn, mrn=mrn, stamp=stamp),
    )


def rejection_to_trader(
    findings: Iterable[Finding],
    *,
    lrn: str | None,
    mrn: str | None,
    reference: str,
    now: datetime,
    sent_as: str = "",
) -> Response:
    """The response to a document that is invalid: one Error a finding, the errors before the warnings.

    `sent_as` is what its sender knows it by beside an LRN: a statement of its own, shortened.
    """
    ranked = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    stamp = _stamp(now)
    return Response(
        function_code=REJECTED,
        functional_reference_id=reference,
        issue_date_time=stamp,
        additional_information=(_statement(f"Rejected: {_shortened(sent_as)}"),) if sent_as else (),
        error=tuple(error_of(finding) for finding in ranked[:MAX_FINDINGS]),
        declaration=ResponseDeclaration(functional_reference_id=lrn, id=mrn, rejection_date_time=stamp),
    )


def error_of(finding: Finding) -> Error:
    """`finding` as the data model has it. What has no place of its own there goes into the description: where
    it is, what was found and what was expected."""
    text = finding.text if len(finding.code) <= _VALIDATION_CODE else f"{finding.code}: {finding.text}"
    place = f" ({finding.pointer})" if isinstance(finding.pointer, EdifactPointer) else ""
    for name, value in (("found", finding.value), ("expected", finding.expected)):
        if value:
            place += f"; {name}: {_shortened(value)}"
    return Error(
        description=text[: max(0, _TEXT - len(place))] + place[:_TEXT],
        validation_code=finding.code if len(finding.code) <= _VALIDATION_CODE else None,
        pointer=_pointers(finding.pointer.wco) if isinstance(finding.pointer, XmlPointer) else (),
    )


def _shortened(value: str) -> str:
    return value if len(value) <= _QUOTED else value[: _QUOTED - 3] + "..."


def _pointers(chain: str | None) -> tuple[Pointer, ...]:
    """A chain such as `42A / 67A / 68A#1:006` as steps; none where it does not read as one."""
    steps = [_STEP.fullmatch(step.strip()) for step in chain.split("/")] if chain else []
    if not all(steps):
        return ()
    return tuple(
        Pointer(
            document_section_code=step["section"],
            sequence_numeric=int(step["sequence"]) if step["sequence"] else None,
            tag_id=step["tag"],
        )
        for step in steps
        if step is not None
    )


def _counted(decision: Decision, answers: Mapping[str, tuple[Answer, ...]]) -> list[Response]:
    """The responses behind the decision's reasons, in their order."""
    found = []
    for reason in decision.reasons:
        known = {answer.id: answer.response for answer in answers.get(reason.agency, ())}
        response = known.get(reason.answer)
        if response is not None:
            found.append(response)
    return found


def _merged(responses: list[Response], select: Callable[[Response], tuple[T, ...]]) -> Iterator[T]:
    """What `select` finds in all of them, each thing once."""
    seen: set[T] = set()
    for response in responses:
        for thing in select(response):
            if thing not in seen:
                seen.add(thing)
                yield thing


def _declaration(
    decision: Decision, counted: list[Response], *, lrn: str | None, mrn: str | None, stamp: DateTime
) -> ResponseDeclaration:
    told = [response.declaration for response in counted if response.declaration is not None]
    return ResponseDeclaration(
        acceptance_date_time=next((d.acceptance_date_time for d in told if d.acceptance_date_time), None),
        cancellation_date_time=stamp if decision.outcome is Outcome.CANCELLED else None,
        functional_reference_id=lrn,
        id=mrn or next((d.id for d in told if d.id), None),
        rejection_date_time=stamp if decision.outcome is Outcome.REFUSED else None,
        duty_tax_fee=tuple(_merged(counted, _duties)),
    )


def _duties(response: Response) -> tuple[ResponseDutyTaxFee, ...]:
    return response.declaration.duty_tax_fee if response.declaration is not None else ()


def _statement(text: str) -> ResponseAdditionalInformation:
    return ResponseAdditionalInformation(statement_description=text, statement_type_code=_INFORMATION)


def _stamp(now: datetime) -> DateTime:
    """UNTDID 2379 code 304, in UTC."""
    return DateTime(text=now.astimezone(UTC).strftime("%Y%m%d%H%M%SZ"), format="304")
