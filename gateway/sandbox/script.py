"""What a scripted agency says of a declaration: pure decisions, by marks in the document.

tariff heading 3604 (fireworks)   customs examines the goods
LRN ending in -INSPECT            any agency examines the goods
LRN ending in -DOCUMENTS          any agency asks for documents
LRN ending in -REFUSE             any agency refuses
LRN ending in -SILENT             any agency takes it and never answers
a cancellation                    the agency cancels
anything else                     the agency lets the goods go
"""

import enum
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from ...codecs.declaration import (
    DateTime,
    Declaration,
    Error,
    Response,
    ResponseAdditionalInformation,
    ResponseDeclaration,
)
from ...routing.facts import Function, facts_of
from ..answers import DELIVERY_STATEMENT
from ..wording import STATEMENT_TYPE

CUSTOMS = "customs"
# Customs alone knows tariff headings here.
EXAMINED_HEADINGS = ("3604",)


class Verdict(enum.Enum):
    """What the agency decides."""

    RELEASE = "release"
    INSPECT = "inspect"
    DOCUMENTS = "documents"
    REFUSE = "refuse"
    CANCEL = "cancel"
    SILENCE = "silence"


# WCO 017 of the response, and a sentence for a person.
_SAID: Mapping[Verdict, tuple[str, str]] = {
    Verdict.RELEASE: ("08", "The goods may go"),
    Verdict.INSPECT: ("05", "The goods are to be presented for inspection"),
    Verdict.DOCUMENTS: ("06", "The documents named in the declaration are to be presented"),
    Verdict.REFUSE: ("03", "The declaration is refused"),
    Verdict.CANCEL: ("10", "The declaration is cancelled"),
}
_BY_ENDING: Mapping[str, Verdict] = {
    "-INSPECT": Verdict.INSPECT,
    "-DOCUMENTS": Verdict.DOCUMENTS,
    "-REFUSE": Verdict.REFUSE,
    "-SILENT": Verdict.SILENCE,
}


class Manner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an agency answers: in the HTTP response to the delivery, or `seconds` later in a message."""

    answers: Literal["response", "later"] = "later"
    seconds: float = 0.0


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sandbox.toml`. `record` is a folder to keep every message in; empty: none is kept."""

    record: str = ""
    agency: dict[str, Manner] = {}


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as the agency keeps it: what it needs to answer, also after a restart."""

    reference: str
    verdict: Verdict
    lrn: str | None = None
    mrn: str | None = None


def verdict_on(declaration: Declaration, agency: str) -> Verdict:
    """The verdict of `agency` by the marks named above."""
    facts = facts_of(declaration)
    if facts.function is Function.CANCELLATION:
        return Verdict.CANCEL
    for ending, verdict in _BY_ENDING.items():
        if (declaration.functional_reference_id or "").endswith(ending):
            return verdict
    if agency == CUSTOMS and any(code.startswith(EXAMINED_HEADINGS) for code in facts.hs_codes):
        return Verdict.INSPECT
    return Verdict.RELEASE


def delivery_reference_in(declaration: Declaration) -> str | None:
    """The gateway's reference, which the answer must give back."""
    for statement in declaration.additional_information:
        if statement.statement_code == DELIVERY_STATEMENT:
            return statement.statement_description
    return None


def taken_from(declaration: Declaration, agency: str, reference: str, now: datetime) -> Taken:
    """The delivery under `reference`, decided. Only customs numbers declarations."""
    mrn = declaration.id or (_mrn(reference, now) if agency == CUSTOMS else None)
    verdict = verdict_on(declaration, agency)
    return Taken(reference=reference, verdict=verdict, lrn=declaration.functional_reference_id, mrn=mrn)


def answer_to(taken: Taken, agency: str, now: datetime) -> Response:
    """The response that tells the verdict. Raises ValueError for SILENCE, which has none."""
    if taken.verdict is Verdict.SILENCE:
        raise ValueError("silence has no response")
    code, sentence = _SAID[taken.verdict]
    stamp = DateTime(now.strftime("%Y%m%d%H%M%S"), "204")
    text = f"{agency.capitalize()}: {sentence}"
    refused = Error(description="Refused by the script of the sandbox", validation_code="SBX001")
    return Response(
        function_code=code,
        functional_reference_id=taken.reference,
        issue_date_time=stamp,
        additional_information=(
            ResponseAdditionalInformation(statement_description=text, statement_type_code=STATEMENT_TYPE),
        ),
        error=(refused,) if taken.verdict is Verdict.REFUSE else (),
        declaration=ResponseDeclaration(functional_reference_id=taken.lrn, id=taken.mrn),
    )


def _mrn(reference: str, now: datetime) -> str:
    """A number of the form of an MRN: year, country, 14 characters. The same delivery gets the same one."""
    return f"{now:%y}NL{hashlib.sha256(reference.encode()).hexdigest()[:14].upper()}"
