"""From what was read to what is written: lodgements, their deliveries, and the answer to what is not valid.

Two steps: `needs` is asked of the ledger (is there an earlier lodgement under this name?), and the rest is a
decision over values, so the same document under the same rules always comes out the same.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ..codecs.declaration import Declaration
from ..codecs.document import Document, Kind, Reading, Syntax
from ..codecs.finding import EdifactPointer, Finding, Severity, is_valid
from ..routing.agreement import Agency
from ..routing.facts import FOLLOW_UPS, DeclarationType, Facts, content_digest, facts_of
from ..routing.instant import Instant, elapsed
from ..routing.lifecycle import EventKind, LodgementState
from ..routing.plan import Plan, plan
from ..routing.rules import RuleSet
from . import clock
from .answers import Answers, told
from .config import PartnerSettings
from .ledger import Change, DeliveryRecord, EventRecord, Ledger, LodgementRecord, NotificationRecord
from .parties import Party

_encode = msgspec.json.Encoder().encode


class Source(NamedTuple):
    """Where a document came from."""

    party: Party
    channel: str
    message: str
    received: Instant


class Taken(NamedTuple):
    """What a payload amounts to. `change` is everything to write but the message itself.

    `lodgements` are new; `tied` were lodged before with the same content. `findings` is empty unless
    something was rejected.
    """

    change: Change
    lodgements: tuple[LodgementRecord, ...]
    tied: tuple[LodgementRecord, ...]
    findings: tuple[Finding, ...]

    @property
    def rejected(self) -> bool:
        """True if any document was not taken in."""
        return not is_valid(self.findings)


class _Draft(NamedTuple):
    """One document on its way to be a lodgement."""

    document: Document | None
    facts: Facts | None
    findings: tuple[Finding, ...]
    digest: str = ""
    tied: LodgementRecord | None = None
    root: LodgementRecord | None = None
    plan: Plan | None = None


class Intake:
    """Takes declarations in: ties, routes, rejects."""

    def __init__(
        self,
        ledger: Ledger,
        rules: RuleSet,
        agencies: dict[str, Agency],
        answers: Answers,
        now: Callable[[], Instant] = clock.instant,
        new_id: Callable[[str], str] = clock.new_id,
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._agencies = agencies
        self._answers = answers
        self._now = now
        self._new_id = new_id

    async def take(self, reading: Reading, source: Source, *, whole: bool) -> Taken:
        """What to write for `reading`. With `whole`, one invalid document rejects all of them (HTTPS has one
        answer); without, each stands for itself and is answered through the log (AS2)."""
        drafts = await self._drafts(reading, source)
        findings = (*reading.findings, *(f for draft in drafts for f in draft.findings))
        if not is_valid(reading.findings) or (whole and not is_valid(findings)):
            return self._rejected(reading, drafts, source, findings, answer=not whole)
        return self._compiled(reading, drafts, source, findings)

    async def _drafts(self, reading: Reading, source: Source) -> list[_Draft]:
        drafts: list[_Draft] = []
        for document in reading.documents:
            draft = await self._draft(document, reading, source)
            if draft.facts is not None and draft.root is None and draft.tied is None and not is_test(reading):
                draft = _unless_repeated(draft, drafts)
            drafts.append(draft)
        return drafts

    async def _draft(self, document: Document, reading: Reading, source: Source) -> _Draft:
        if document.kind is Kind.CONTROL:
            return _Draft(document, None, ())
        if document.kind is not Kind.DECLARATION or document.declaration is None:
            return _Draft(document, None, _not_a_declaration(document))
        facts = facts_of(document.declaration)
        digest = content_digest(document.declaration)
        findings = (*document.findings, *_sender_findings(reading, source))
        if not is_valid(findings):
            return _Draft(document, facts, findings, digest)
        if is_test(reading):
            # A rehearsal names nothing and follows nothing: its LRN stays free for the real one.
            return self._planned(document, reading, facts, findings, digest, None)
        if facts.function in FOLLOW_UPS:
            root, missing = await self._root(facts, source.party.name)
            return self._planned(document, reading, facts, (*findings, *missing), digest, root)
        earlier = await self._ledger.find_original(facts.declarant or "", facts.lrn or "")
        if earlier is None:
            return self._planned(document, reading, facts, findings, digest, None)
        if earlier.content_digest == digest and earlier.partner == source.party.name:
            return _Draft(document, facts, findings, digest, tied=earlier)
        return _Draft(document, facts, (*findings, _lrn_reused(document, facts)), digest)

    async def _root(self, facts: Facts, partner: str) -> tuple[LodgementRecord | None, tuple[Finding, ...]]:
        found = await self._ledger.find_by_mrn(facts.mrn) if facts.mrn else None
        if found is None and facts.lrn:
            found = await self._ledger.find_original(facts.declarant or "", facts.lrn or "")
        if found is not None and found.partner == partner:
            return found, ()
        text = f"the {facts.function.value} speaks of a declaration that was never lodged"
        return None, (Finding(code="unknown-declaration", text=text, value=facts.mrn or facts.lrn),)

    def _planned(
        self,
        document: Document,
        reading: Reading,
        facts: Facts,
        findings: tuple[Finding, ...],
        digest: str,
        root: LodgementRecord | None,
    ) -> _Draft:
        if not is_valid(findings):
            return _Draft(document, facts, findings, digest)
        planned = plan(
            facts,
            self._rules,
            self._agencies,
            test=is_test(reading),
            earlier=root.agencies if root is not None else (),
            new_id=lambda: self._new_id("D"),
        )
        if planned.asked or not planned.withheld:
            findings = (*findings, *planned.findings)
        return _Draft(document, facts, findings, digest, root=root, plan=planned)

    def _compiled(
        self, reading: Reading, drafts: list[_Draft], source: Source, findings: tuple[Finding, ...]
    ) -> Taken:
        lodgements: list[LodgementRecord] = []
        deliveries: list[DeliveryRecord] = []
        notifications: list[NotificationRecord] = []
        events: list[EventRecord] = []
        tied = tuple(draft.tied for draft in drafts if draft.tied is not None)
        for draft in drafts:
            if draft.tied is not None:
                events.append(_event(EventKind.DUPLICATE, self._now(), draft.tied.id, source))
            if draft.tied is not None or draft.document is None or draft.document.kind is Kind.CONTROL:
                continue
            lodgement = self._lodgement(draft, reading, source)
            lodgements.append(lodgement)
            events += self._events(lodgement, draft, source)
            if draft.plan is not None and lodgement.state is LodgementState.ACCEPTED:
                deliveries += _deliveries(draft.plan, lodgement)
            notes = self._notes(lodgement, draft, reading, source)
            notifications += notes
            events += [told(note, lodgement, _class(lodgement)) for note in notes]
        change = Change(
            lodgements=tuple(lodgements),
            deliveries=tuple(deliveries),
            notifications=tuple(notifications),
            events=tuple(events),
        )
        return Taken(change, tuple(lodgements), tied, findings if not is_valid(findings) else ())

    def _notes(
        self, lodgement: LodgementRecord, draft: _Draft, reading: Reading, source: Source
    ) -> list[NotificationRecord]:
        if lodgement.state is LodgementState.REJECTED:
            return [self._answers.rejection(reading, draft.findings, source.party, source.channel, lodgement)]
        assert draft.plan is not None
        if not draft.plan.asked:
            agencies = tuple(delivery.agency for delivery in draft.plan.withheld)
            return [self._answers.test_only(lodgement, agencies, source.party)]
        return []

    def _rejected(
        self,
        reading: Reading,
        drafts: list[_Draft],
        source: Source,
        findings: tuple[Finding, ...],
        *,
        answer: bool,
    ) -> Taken:
        """The whole payload as one rejected lodgement."""
        draft = next((d for d in drafts if d.facts is not None), _Draft(None, None, ()))
        lodgement = self._lodgement(draft._replace(findings=findings), reading, source)
        events = self._events(lodgement, draft._replace(findings=findings), source)
        notifications: tuple[NotificationRecord, ...] = ()
        if answer:
            note = self._answers.rejection(reading, findings, source.party, source.channel, lodgement)
            notifications = (note,)
            events.append(told(note, lodgement, "rejection"))
        else:
            events.append(_told_at_once(lodgement, self._now()))
        change = Change(lodgements=(lodgement,), notifications=notifications, events=tuple(events))
        return Taken(change, (lodgement,), (), findings)

    def _lodgement(self, draft: _Draft, reading: Reading, source: Source) -> LodgementRecord:
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

    def _events(self, lodgement: LodgementRecord, draft: _Draft, source: Source) -> list[EventRecord]:
        now = self._now()
        data = {"type": lodgement.type, "channel": source.channel, "partner": source.party.name}
        if lodgement.test:
            data["test"] = "1"
        events = [
            EventRecord(
                kind=EventKind.RECEIVED,
                at=source.received,
                lodgement=lodgement.id,
                message=source.message,
                data=data,
            )
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


def _type(facts: Facts | None, root: LodgementRecord | None) -> str:
    """A correction names its own kind, not the goods' way: then it is of its original's type."""
    if facts is None:
        return "unknown"
    return root.type if root is not None and facts.type is DeclarationType.OTHER else facts.type.value


def _declarant(facts: Facts | None, root: LodgementRecord | None) -> str:
    given = facts.declarant if facts is not None else None
    return given or (root.declarant if root is not None else "")


def _class(lodgement: LodgementRecord) -> str:
    return "rejection" if lodgement.state is LodgementState.REJECTED else "answer"


def _told_at_once(lodgement: LodgementRecord, now: Instant) -> EventRecord:
    """A rejection that goes back in the response itself needs no entry in the log."""
    seconds = f"{elapsed(lodgement.received, now):.6f}"
    data = {"push": "0", "class": "rejection", "type": lodgement.type, "seconds": seconds}
    return EventRecord(kind=EventKind.NOTIFIED, at=now, lodgement=lodgement.id, data=data)


def _deliveries(planned: Plan, lodgement: LodgementRecord) -> list[DeliveryRecord]:
    return [
        DeliveryRecord(
            id=delivery.id,
            lodgement=lodgement.id,
            root=lodgement.root,
            agency=delivery.agency,
            state=delivery.state,
            due_ns=lodgement.received.utc_ns,
        )
        for delivery in planned.deliveries
    ]


def _unless_repeated(draft: _Draft, drafts: list[_Draft]) -> _Draft:
    """An LRN that stands twice in one interchange names nothing."""
    assert draft.facts is not None
    assert draft.document is not None
    name = (draft.facts.declarant, draft.facts.lrn)
    if any(d.facts is not None and (d.facts.declarant, d.facts.lrn) == name for d in drafts):
        finding = _lrn_reused(draft.document, draft.facts)
        return draft._replace(findings=(*draft.findings, finding), plan=None)
    return draft


def _not_a_declaration(document: Document) -> tuple[Finding, ...]:
    if not is_valid(document.findings):
        return document.findings
    text = f"{document.name} cannot be lodged here: a declaration is expected"
    return (*document.findings, Finding(code="not-a-declaration", text=text))


def _lrn_reused(document: Document, facts: Facts) -> Finding:
    pointer = EdifactPointer(segment=2, tag="BGM", element=2) if document.syntax is Syntax.EDIFACT else None
    text = "this LRN already names another declaration: use a new one, or amend the first"
    return Finding(severity=Severity.ERROR, code="lrn-reused", text=text, pointer=pointer, value=facts.lrn)


def _sender_findings(reading: Reading, source: Source) -> tuple[Finding, ...]:
    settings = source.party.settings
    if reading.interchange is None or not isinstance(settings, PartnerSettings) or not settings.edifact_id:
        return ()
    if reading.interchange.sender == settings.edifact_id:
        return ()
    pointer = EdifactPointer(segment=0, tag="UNB", element=2, component=1)
    text = "this interchange sender is not the partner it came from"
    return (
        Finding(
            code="23",
            text=text,
            pointer=pointer,
            value=reading.interchange.sender,
            expected=settings.edifact_id,
        ),
    )


def declaration_of(lodgement: LodgementRecord) -> Declaration:
    """The canonical declaration a lodgement keeps."""
    return msgspec.json.decode(lodgement.declaration, type=Declaration)
