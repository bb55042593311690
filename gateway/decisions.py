"""From an agency's answer to one decision, and to what the trader is told."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec
import structlog

from ..codecs.declaration import Response
from ..codecs.document import Kind, Reader, Reading
from ..codecs.finding import Finding, is_valid
from ..routing.agreement import Agency
from ..routing.decision import (
    TRIGGERS,
    Answer,
    Decision,
    answer_of,
    consolidate,
    nobody_competent,
    policy_of,
)
from ..routing.instant import Instant
from ..routing.lifecycle import DELIVERY, LODGEMENT, DeliveryState, DeliveryTrigger, EventKind
from ..routing.outcome import Outcome, outcome_of
from ..routing.reply import response_to_trader
from . import clock
from .answers import Answers, delivery_reference, told
from .changes import counted, kept_answer, merged, noted, said_before, tried
from .controls import Controls, not_an_answer
from .ledger import (
    AnswerRecord,
    Change,
    Committed,
    DecisionRecord,
    DeliveryRecord,
    DeliveryUpdate,
    EventRecord,
    Ledger,
    LedgerUnavailable,
    LodgementUpdate,
    Status,
)
from .parties import Parties
from .said import acknowledges
from .standing import Standing

__all__ = ["ROUNDS", "Answered", "Decisions", "merged"]

log = structlog.get_logger()

_encode = msgspec.json.Encoder().encode

# Two answers to one lodgement may meet: the later one is decided again. Each round, one gets in.
ROUNDS = 50

# 017 of a response that only says a document arrived: the trader has his receipt.
_ARRIVED = "02"


class Answered(NamedTuple):
    """What an answer amounts to: a change for what can be taken, and the findings for what cannot. Whoever
    takes all or nothing writes the change only where there is no error among the findings. `unknown` says
    which CONTRL or APERAK speaks of nothing that was sent: that is for a response to say, and never answered
    otherwise. `tied` are those that do speak of something."""

    change: Change
    lodgements: tuple[str, ...]
    findings: tuple[Finding, ...]
    unknown: tuple[Finding, ...] = ()
    tied: int = 0


class Decisions:
    """Takes agencies' answers and consolidates them."""

    def __init__(
        self,
        ledger: Ledger,
        parties: Parties,
        agencies: dict[str, Agency],
        answers: Answers,
        reader: Reader,
        now: Callable[[], Instant] = clock.instant,
        committed: Callable[[Iterable[EventRecord]], None] = lambda events: None,
    ) -> None:
        """`committed` is told the events of each answer that was recorded here, once they are durable."""
        self._ledger = ledger
        self._parties = parties
        self._agencies = agencies
        self._policy = policy_of(agencies)
        self._answers = answers
        self._reader = reader
        self._now = now
        self._committed = committed
        self._controls = Controls(ledger, parties, answers)

    async def take(self, reading: Reading, agency: str, received: Instant, reference: str | None) -> Answered:
        """What to write for the answers in `reading`. `reference` is the delivery reference given beside the
        document, for a document that has none of its own."""
        changes: list[Change] = []
        findings: list[Finding] = list(reading.findings)
        lodgements: list[str] = []
        unknown: list[Finding] = []
        tied = 0
        standing = Standing(self._ledger)
        for document in reading.documents:
            if acknowledges(reading, document):
                said = await self._controls.take(document, agency, received, reference, standing)
                changes.append(said.change)
                unknown += said.refused
                tied += not said.refused
                continue
            findings += document.findings if document.kind is Kind.RESPONSE else not_an_answer(document)
            for response in document.responses if is_valid(document.findings) else ():
                taken = await self._one(response, agency, received, reference, standing)
                findings += taken.findings
                lodgements += taken.lodgements
                changes.append(taken.change)
        if not is_valid(reading.findings):
            # What is wrong with the envelope puts everything in it in doubt.
            return Answered(Change(), (), tuple(findings))
        wrong = () if is_valid(findings) else tuple(findings)
        return Answered(merged(changes), tuple(lodgements), wrong, tuple(unknown), tied)

    async def answered_in_response(
        self, delivery: DeliveryRecord, answer: bytes, media_type: str, events: tuple[EventRecord, ...]
    ) -> None:
        """Record what came in the response to `delivery`, with the delivery's receipt and its own `events`.

        What is valid is recorded, for whichever deliveries to this agency it names; this one counts for a
        response that names none. What is not is kept with its bytes, under a REJECTED event. Raises
        LedgerUnavailable only.
        """
        received = self._now()
        for _ in range(ROUNDS):
            try:
                change = await self._in_response(delivery, answer, media_type, received)
                (result,) = await self._ledger.commit([merged([Change(events=events), change])])
            except LedgerUnavailable:
                raise
            except Exception:
                # The border around one answer: the delivery arrived, and is not sent again for what defeats
                # our own code in the answer to it. The bytes are kept, and a person must look.
                log.exception("answer_quarantined", delivery=delivery.id, agency=delivery.agency)
                break
            if isinstance(result, Committed):
                self._committed(change.events)
                return
        await self._quarantined(delivery, answer, media_type, received, events)

    async def _in_response(
        self, delivery: DeliveryRecord, answer: bytes, media_type: str, received: Instant
    ) -> Change:
        party = self._parties.named(delivery.agency)
        reading = self._reader.read(answer, media_type, party.profile)
        taken = await self.take(reading, delivery.agency, received, delivery.id)
        note = self._answers.acknowledgement(reading, party, "https", findings=taken.findings)
        change = merged(
            [tried(await self._current(delivery), taken.change), taken.change, noted(note, "acknowledgement")]
        )
        if is_valid(taken.findings):
            return change
        log.error(
            "answer_rejected", delivery=delivery.id, agency=delivery.agency, findings=len(taken.findings)
        )
        data = {"findings": str(len(taken.findings))}
        return merged([change, kept_answer(delivery, answer, media_type, received, EventKind.REJECTED, data)])

    async def _quarantined(
        self,
        delivery: DeliveryRecord,
        answer: bytes,
        media_type: str,
        received: Instant,
        events: tuple[EventRecord, ...],
    ) -> None:
        kept = kept_answer(delivery, answer, media_type, received, EventKind.QUARANTINED, {})
        for _ in range(ROUNDS):
            receipt = tried(await self._current(delivery), Change())
            (result,) = await self._ledger.commit([merged([Change(events=events), receipt, kept])])
            if isinstance(result, Committed):
                return

    async def _current(self, delivery: DeliveryRecord) -> DeliveryRecord:
        """`delivery` as it stands now: the agency may have spoken over its own connection meanwhile."""
        return await self._ledger.find_delivery(delivery.id) or delivery

    async def _one(
        self,
        response: Response,
        agency: str,
        received: Instant,
        reference: str | None,
        standing: Standing,
    ) -> Answered:
        """The change for one response. `standing` has the lodgements answered before in the same payload, as
        they will stand then."""
        named = delivery_reference(response)
        delivery = await self._ledger.find_delivery(named) if named else None
        if delivery is None and reference:
            delivery = await self._ledger.find_delivery(reference)
        if delivery is None or delivery.agency != agency:
            text = "no delivery to you has this reference: give back the one the declaration carried"
            finding = Finding(code="unknown-delivery", text=text, value=named or reference)
            return Answered(Change(), (), (finding,))
        status, delivery = await standing.of(delivery)
        change = self._change(response, delivery, status, received)
        standing.after(status, change)
        return Answered(change, (delivery.lodgement,), ())

    def _change(
        self, response: Response, delivery: DeliveryRecord, status: Status, received: Instant
    ) -> Change:
        outcome = outcome_of(response, self._own(delivery.agency))
        answer = AnswerRecord(
            delivery=delivery.id,
            lodgement=delivery.lodgement,
            agency=delivery.agency,
            outcome=outcome.value if outcome is not None else "information",
            response=_encode(response),
            received=received,
        )
        data = {"agency": delivery.agency, "delivery": delivery.id, "outcome": answer.outcome}
        events = [EventRecord(kind=EventKind.ANSWERED, at=received, lodgement=delivery.lodgement, data=data)]
        base = Change(
            answers=(answer,), events=tuple(events), delivery_updates=self._delivered(delivery, outcome)
        )
        if outcome is None:
            return merged([base, self._informed(response, status)])
        answers = self._deciding((*status.answers, answer))
        told_before = tuple(msgspec.json.decode(record.reasons, type=Decision) for record in status.decisions)
        decision = consolidate(status.lodgement.agencies, answers, told_before, self._policy)
        told_now = counted(status) if decision is None else self._decided(decision, status, answers)
        asked, earlier = status.lodgement.agencies, self._deciding(status.answers)
        if nobody_competent(asked, answers, self._policy) > nobody_competent(asked, earlier, self._policy):
            told_now = merged([told_now, self._nobody(status, tell=decision is None)])
        return merged([base, told_now])

    def _delivered(self, delivery: DeliveryRecord, outcome: Outcome | None) -> tuple[DeliveryUpdate, ...]:
        """An answer that decides ends a delivery; one that informs shows at least that it arrived."""
        trigger = DeliveryTrigger.ANSWER if outcome is not None else DeliveryTrigger.RECEIPT
        if delivery.state is DeliveryState.WITHHELD:
            return ()
        after = DELIVERY.after(delivery.state, trigger)
        return (DeliveryUpdate(id=delivery.id, expected=(delivery.state,), state=after),)

    def _own(self, agency: str) -> Mapping[str, Outcome] | None:
        """The agency's own function codes; none of an agency that is no longer configured."""
        return self._agencies[agency].outcomes if agency in self._agencies else None

    def _deciding(self, records: tuple[AnswerRecord, ...]) -> dict[str, tuple[Answer, ...]]:
        """The answers that decide, by agency, numbered as they came in."""
        found: dict[str, tuple[Answer, ...]] = {}
        for number, record in enumerate(records):
            answer = answer_of(
                msgspec.json.decode(record.response, type=Response),
                message=f"{record.delivery}.{number}",
                number=number,
                own=self._own(record.agency),
            )
            if answer is not None:
                found[record.agency] = (*found.get(record.agency, ()), answer)
        return found

    def _decided(self, decision: Decision, status: Status, answers: dict[str, tuple[Answer, ...]]) -> Change:
        lodgement, now = status.lodgement, self._now()
        response = response_to_trader(
            decision, answers, lrn=lodgement.lrn, mrn=lodgement.mrn, reference="", now=clock.utc(now)
        )
        mrn = response.declaration.id if response.declaration is not None else lodgement.mrn
        note = self._answers.response(
            lodgement, response, self._parties.named(lodgement.partner), decision.version
        )
        data = {"version": str(decision.version), "outcome": decision.outcome.value}
        state = LODGEMENT.after(lodgement.state, TRIGGERS[decision.outcome])
        return Change(
            decisions=(
                DecisionRecord(
                    lodgement=lodgement.id,
                    version=decision.version,
                    outcome=decision.outcome.value,
                    reasons=_encode(decision),
                    decided=now,
                ),
            ),
            notifications=(note,),
            lodgement_updates=(
                LodgementUpdate(id=lodgement.id, expected_version=lodgement.version, state=state, mrn=mrn),
            ),
            events=(
                EventRecord(kind=EventKind.DECIDED, at=now, lodgement=lodgement.id, data=data),
                told(note, lodgement, "answer"),
            ),
        )

    def _nobody(self, status: Status, *, tell: bool) -> Change:
        """Each agency that was asked says it is not for it to decide: a person must look, and the trader
        waits for nobody."""
        lodgement = status.lodgement
        data = {"alarm": "nobody-competent", "agencies": ", ".join(lodgement.agencies)}
        alarm = EventRecord(kind=EventKind.ALARM, at=self._now(), lodgement=lodgement.id, data=data)
        if not tell:
            return Change(events=(alarm,))
        note = self._answers.nobody_competent(lodgement, self._parties.named(lodgement.partner))
        return Change(notifications=(note,), events=(alarm, told(note, lodgement, "answer")))

    def _informed(self, response: Response, status: Status) -> Change:
        if response.function_code is None or response.function_code.zfill(2) == _ARRIVED:
            return Change()
        if response.issue_date_time is not None and said_before(response, status):
            return Change()
        lodgement = status.lodgement
        note = self._answers.response(lodgement, response, self._parties.named(lodgement.partner), None)
        return Change(notifications=(note,), events=(told(note, lodgement, "answer"),))
