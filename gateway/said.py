"""What CONTRL and APERAK say, as far as both say it, and how it is kept."""

from collections.abc import Sequence
from typing import NamedTuple

from ..codecs import edifact
from ..codecs.document import Document, Kind, Reading
from ..codecs.finding import Finding, is_valid
from ..routing.instant import Instant
from ..routing.lifecycle import EventKind
from .ledger import Change, EventRecord

# Of a reference or a code that a peer wrote: enough to know it again.
SHOWN = 35
# Of all that a peer says is wrong: enough to find the first of it.
TOLD = 1_000
ALARMS = {"CONTRL": "contrl-rejection", "APERAK": "aperak-rejection"}
ACKNOWLEDGING = frozenset({Kind.CONTROL, Kind.REPORT})
# References and errors of one APERAK that are looked at.
_LOOKED_AT = 20


class Said(NamedTuple):
    """What either message says, as far as both say it. `references` are what it may be about; `parties` the
    sender and recipient of that by UCI, None where the message names none."""

    name: str
    action: str
    rejected: bool
    code: str
    references: tuple[str, ...]
    parties: tuple[str, str] | None = None
    faults: tuple[str, ...] = ()


class Tied(NamedTuple):
    """What to write for one message. `refused` says why it could be tied to nothing; `notification` is the
    entry of the sender's log that it speaks of."""

    change: Change
    refused: tuple[Finding, ...] = ()
    notification: str | None = None


def said_by(document: Document) -> Said | None:
    """What a CONTRL or an APERAK says; None where it cannot be told."""
    if document.control is not None and document.control.understood:
        control = document.control
        return Said(
            name="CONTRL",
            action=control.action,
            rejected=control.rejected,
            code=next(iter(control.codes), ""),
            references=(control.reference,),
            parties=(control.sender, control.recipient),
        )
    if document.report is not None:
        report = document.report
        return Said(
            name="APERAK",
            action=report.response or report.function,
            rejected=report.rejected,
            code=report.errors[0].code if report.errors else "",
            references=report.acknowledged[:_LOOKED_AT],
            faults=tuple(map(str, report.errors[:_LOOKED_AT])) or report.texts[:_LOOKED_AT],
        )
    return None


def said_of(said: Said) -> dict[str, str]:
    """Its own code of action or response, under its name."""
    return {said.name.lower(): said.action[:SHOWN]}


def reason(said: Said) -> dict[str, str]:
    """Why a person must look, with the alarm it is."""
    told = {
        "reason": f"{said.name} rejection {said.code[:SHOWN]}".rstrip(),
        "alarm": ALARMS[said.name],
    }
    return told | ({"faults": "; ".join(said.faults)[:TOLD]} if said.faults else {})


def places(control: edifact.Control | None, sent: edifact.Interchange | None) -> tuple[str, ...]:
    """The places that a CONTRL names in what was sent; without places where that is not known."""
    if control is None:
        return ()
    found = edifact.reported(control, sent or edifact.Interchange(data=b"", reference=control.reference))
    return tuple(f"{f.pointer} {f.code}: {f.text}" if f.pointer else f"{f.code}: {f.text}" for f in found)


def other_parties(said: Said, sent: tuple[str, str] | None) -> tuple[Finding, ...]:
    """A finding where UCI names others than those that `sent` went between."""
    if said.parties is None or sent is None or said.parties == sent:
        return ()
    text = f"the interchange of this reference went from {sent[0]} to {sent[1]}"
    value = " to ".join(name[:SHOWN] for name in said.parties)
    return (Finding(code="wrong-parties", text=text, value=value[: 2 * SHOWN]),)


def not_known(said: Said) -> Finding:
    """The finding that nothing of these references was sent."""
    text = f"nothing that was sent to you has the reference this {said.name} speaks of"
    return Finding(code="unknown-reference", text=text, value=shown(said) or None)


def not_readable(document: Document) -> Finding:
    """The finding that it cannot be told what it says."""
    return Finding(code="not-readable", text=f"{document.name} does not say what became of which interchange")


def shown(said: Said) -> str:
    """The reference it speaks of, shortened."""
    return said.references[0][:SHOWN] if said.references else ""


def event(kind: EventKind, lodgement: str | None, data: dict[str, str], at: Instant) -> Change:
    """A change that is one event."""
    return Change(events=(EventRecord(kind=kind, at=at, lodgement=lodgement, data=data),))


def acknowledges(reading: Reading, document: Document) -> bool:
    """True if `document` is a CONTRL, or an APERAK that came whole. What is wrong in an APERAK beside its
    counts, references and characters does not keep it from being heard: it is not for us to correct."""
    if document.kind is not Kind.REPORT or document.report is None or reading.interchange is None:
        return document.kind is Kind.CONTROL
    return is_valid(reading.interchange.messages[document.position - 1].findings)


def acknowledging(documents: Sequence[Document]) -> bool:
    """True if there is nothing but CONTRL and APERAK."""
    return all(document.kind in ACKNOWLEDGING for document in documents)
