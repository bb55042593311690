"""What an intake writes: the lodgements, their deliveries, their events, and what the sender is told."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ..codecs.declaration import Declaration
from ..codecs.document import Document, Reading
from ..codecs.finding import Finding, is_valid
from ..routing.facts import FOLLOW_UPS, DeclarationType, Facts
from ..routing.instant import Instant, elapsed
from ..routing.lifecycle import EventKind, LodgementState
from ..routing.plan import Plan
from .answers import Answers, by_contrl, is_syntax, told
from .attachments import attached
from .ledger import AttachmentRecord, Change, DeliveryRecord, EventRecord, LodgementRecord, NotificationRecord
from .parties import Party

_encode = msgspec.json.Encoder().encode


class Source(NamedTuple):
    """Where a document came from; `sent_as` is what the sender knows it by, for an answer to name, and
    `filename` what it calls it. `attachments` came beside it."""

    party: Party
    channel: str
    message: str
    received: Instant
    sent_as: str = ""
    filename: str | None = None
    attachments: tuple[AttachmentRecord, ...] = ()


class Taken(NamedTuple):
    """What a payload amounts to. `change` is everything to write but the message itself.

    `lodgements` are new; `tied` were lodged before with the same content; `acknowledged` are the entries of
    the sender's log that it acknowledges or rejects. `findings` is empty unless something was rejected.
    """

    change: Change
    lodgements: tuple[LodgementRecord, ...]
    tied: tuple[LodgementRecord, ...]
    findings: tuple[Finding, ...]
    acknowledged: tuple[str, ...] = ()

    @property
    def rejected(self) -> bool:
        """True if any document was not taken in."""
        return not is_valid(self.findings)


class Draft(NamedTuple):
    """One document on its way to be a lodgement; or, with `events`, one that acknowledges and is none."""

    document: Document | None
    facts: Facts | None
    findings: tuple[Finding, ...]
    digest: str = ""
    tied: LodgementRecord | None = None
    root: LodgementRecord | None = None
    plan: Plan | None = None
    events: tuple[EventRecord, ...] | None = None
    acknowledged: str | None = None


# A notification, what it is about, and the class its processing time is counted in.
_Note = tuple[NotificationRecord, LodgementRecord | None, str]


class Lodging:
    """Turns drafts into records."""

    def __init__(self, answers: Answers, now: Callable[[], Instant], new_id: Callable[[str], str]) -> None:
        self._answers = answers
        self._now = now
        self._new_id = new_id

    def each(self, reading: Reading, drafts: list[Draft], source: Source) -> Taken:
        """Every document for itself: what is valid is lodged, what is not is answered through the log."""
        made: list[tuple[Draft, LodgementRecord]] = []
        deliveries: list[DeliveryRecord] = []
        events: list[EventRecord] = []
        tied = tuple(draft.tied for draft in drafts if draft.tied is not None)
        for draft in drafts:
            if draft.events is not None:
                events += draft.events
            elif draft.tied is not None:
                events.append(_event(EventKind.DUPLICATE, self._now(), draft.tied.id, source))
                events += _attached(draft.tied, source)
            else:
                # What the envelope is warned of is kept with each that it held.
                about = draft._replace(findings=(*reading.findings, *draft.findings))
                lodgement = self._lodgement(about, reading, source)
                made.append((draft, lodgement))
                events += self._events(lodgement, draft, source)
                deliveries += _deliveries(draft, lodgement)
        notes = self._notes(reading, made, source)
        change = Change(
            attachments=source.attachments,
            lodgements=tuple(lodgement for _, lodgement in made),
            deliveries=tuple(deliveries),
            notifications=tuple(note for note, _, _ in notes),
            events=(*events, *(told(note, about, kind) for note, about, kind in notes)),
        )
        findings = tuple(finding for draft in drafts for finding in draft.findings)
        acknowledged = tuple(draft.acknowledged for draft in drafts if draft.acknowledged is not None)
        return Taken(change, change.lodgements, tied, () if is_valid(findings) else findings, acknowledged)

    def refused(
        self,
        reading: Reading,
        drafts: list[Draft],
        source: Source,
        findings: tuple[Finding, ...],
        *,
        answer: bool,
    ) -> Taken:
        """The whole payload as one rejected lodgement; `answer` puts what is wrong into the sender's log."""
        first = next((draft for draft in drafts if draft.facts is not None), Draft(None, None, ()))
        draft = first._replace(findings=findings, tied=None, plan=None)
        lodgement = self._lodgement(draft, reading, source)
        events = self._events(lodgement, draft, source)
        party, channel = source.party, source.channel
        if answer:
            note = self._answers.rejection(reading, findings, party, channel, lodgement, source.sent_as)
        else:
            # What is wrong goes back in the response; a CONTRL that was asked for is there besides.
            note = self._answers.acknowledgement(reading, party, channel, lodgement, findings)
        if note is None or not answer:
            events.append(_told_at_once(lodgement, self._now()))
        if note is not None:
            events.append(told(note, lodgement, "rejection" if answer else "acknowledgement"))
        notes = () if note is None else (note,)
        change = Change(
            attachments=source.attachments,
            lodgements=(lodgement,),
            notifications=notes,
            events=tuple(events),
        )
        return Taken(change, (lodgement,), (), findings)

    def _notes(
        self, reading: Reading, made: list[tuple[Draft, LodgementRecord]], source: Source
    ) -> list[_Note]:
        """What the sender is told at once: one CONTRL for the syntax of the whole interchange, where it is
        wrong or UNB 0031 asks; a response for each document whose content is not valid, and for each test
        document that no agency may see."""
        notes: list[tuple[NotificationRecord | None, LodgementRecord | None, str]] = []
        answers, party, channel = self._answers, source.party, source.channel
        broken = [(draft, one) for draft, one in made if any(map(is_syntax, draft.findings))]
        if not by_contrl(party):
            # Each is answered for itself, below.
            broken = []
        if broken:
            findings = tuple(finding for draft, _ in broken for finding in draft.findings)
            lodgement = broken[0][1]
            note = answers.rejection(reading, findings, party, channel, lodgement, source.sent_as)
            notes.append((note, lodgement, "rejection"))
        else:
            about = made[0][1] if made else None
            # No business answer: its class is not one that processing times are counted in.
            notes.append((answers.acknowledgement(reading, party, channel, about), about, "acknowledgement"))
        for draft, lodgement in made:
            if (draft, lodgement) in broken:
                continue
            if lodgement.state is LodgementState.REJECTED:
                note = answers.rejection(reading, draft.findings, party, channel, lodgement, source.sent_as)
                notes.append((note, lodgement, "rejection"))
            elif draft.plan is not None and not draft.plan.asked:
                agencies = tuple(delivery.agency for delivery in draft.plan.withheld)
                notes.append((answers.test_only(lodgement, agencies, party), lodgement, "answer"))
        return [(note, about, kind) for note, about, kind in notes if note is not None]

    def _lodgement(self, draft: Draft, reading: Reading, source: Source) -> LodgementRecord:
        facts, document, root = draft.facts, draft.document, draft.root
        valid = is_valid(draft.findings)
        identity = self._new_id("L")
        declaration = document.declaration if document is not None else None
        interchange = reading.interchange
        test = is_test(reading)
        return LodgementRecord(
            id=identity,
            message=source.message,
            position=document.position if document is not None else 0,
            partner=source.party.name,
            channel=source.channel,
            syntax=reading.syntax.value,
            type=_type(facts, root),
            function=facts.function.value if facts is not None else "unknown",
            declarant=_declarant(facts, root),
            lrn=(facts.lrn or "") if facts is not None else "",
            mrn=facts.mrn if facts is not None else None,
            root=root.id if root is not None else identity,
            claims_lrn=valid and not test and facts is not None and facts.function not in FOLLOW_UPS,
            state=LodgementState.ACCEPTED if valid else LodgementState.REJECTED,
            test=test,
            content_digest=draft.digest,
            document=document.data if document is not None else b"",
            declaration=_encode(declaration) if declaration is not None else b"",
            findings=_encode(draft.findings),
            agencies=draft.plan.asked if valid and draft.plan is not None else (),
            received=source.received,
            sender=interchange.sender if interchange is not None else None,
            reference=interchange.reference if interchange is not None and valid and not test else None,
        )

    def _events(self, lodgement: LodgementRecord, draft: Draft, source: Source) -> list[EventRecord]:
        now = self._now()
        data = {"type": lodgement.type, "channel": source.channel, "partner": source.party.name}
        if lodgement.test:
            data["test"] = "1"
        if source.filename is not None:
            data["filename"] = source.filename
        events = [
            EventRecord(
                kind=EventKind.RECEIVED,
                at=source.received,
                lodgement=lodgement.id,
                message=source.message,
                data=data,
            ),
            *_attached(lodgement, source),
        ]
        if lodgement.state is LodgementState.REJECTED:
            count = str(len(draft.findings))
            events.append(_event(EventKind.REJECTED, now, lodgement.id, source, {"findings": count}))
        else:
            assert draft.plan is not None
            agencies = ",".join(draft.plan.asked)
            events.append(_event(EventKind.VALIDATED, now, lodgement.id, source))
            events.append(_event(EventKind.ROUTED, now, lodgement.id, source, {"agencies": agencies}))
        events.append(_event(EventKind.DURABLE, now, lodgement.id, source))
        return events


def is_test(reading: Reading) -> bool:
    """True if the sender marked the interchange as a test (UNB 0035)."""
    return reading.interchange is not None and reading.interchange.test


def _event(
    kind: EventKind, at: Instant, lodgement: str, source: Source, data: dict[str, str] | None = None
) -> EventRecord:
    return EventRecord(kind=kind, at=at, lodgement=lodgement, message=source.message, data=data or {})


def _attached(lodgement: LodgementRecord, source: Source) -> list[EventRecord]:
    """Each supporting document, when it was received."""
    kind, at = EventKind.ATTACHED, source.received
    return [_event(kind, at, lodgement.id, source, attached(one)) for one in source.attachments]


def _type(facts: Facts | None, root: LodgementRecord | None) -> str:
    """A correction names its own kind, not the goods' way: then it is of its original's type."""
    if facts is None:
        return "unknown"
    return root.type if root is not None and facts.type is DeclarationType.OTHER else facts.type.value


def _declarant(facts: Facts | None, root: LodgementRecord | None) -> str:
    given = facts.declarant if facts is not None else None
    return given or (root.declarant if root is not None else "")


def _told_at_once(lodgement: LodgementRecord, now: Instant) -> EventRecord:
    """A rejection that goes back in the response itself needs no entry in the log."""
    seconds = f"{elapsed(lodgement.received, now):.6f}"
    data = {"push": "0", "class": "rejection", "type": lodgement.type, "seconds": seconds}
    return EventRecord(kind=EventKind.NOTIFIED, at=now, lodgement=lodgement.id, data=data)


def _deliveries(draft: Draft, lodgement: LodgementRecord) -> list[DeliveryRecord]:
    if draft.plan is None or lodgement.state is not LodgementState.ACCEPTED:
        return []
    return [
        DeliveryRecord(
            id=delivery.id,
            lodgement=lodgement.id,
            root=lodgement.root,
            agency=delivery.agency,
            state=delivery.state,
            due_ns=lodgement.received.utc_ns,
        )
        for delivery in draft.plan.deliveries
    ]


def declaration_of(lodgement: LodgementRecord) -> Declaration:
    """The canonical declaration a lodgement keeps."""
    return msgspec.json.decode(lodgement.declaration, type=Declaration)
