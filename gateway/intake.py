"""From what was read to what is written: lodgements, their deliveries, and the answer to what is not valid.

Two steps: the ledger is asked for an earlier lodgement of the same name, and the rest is a decision over
values, so the same document under the same rules always comes out the same.
"""

import functools
from collections.abc import Callable

import anyio.to_thread
import msgspec

from ..codecs.document import Document, Kind, Reading, Syntax
from ..codecs.finding import EdifactPointer, Finding, Severity, is_valid
from ..routing.agreement import Agency
from ..routing.facts import FOLLOW_UPS, Facts, content_digest, facts_of
from ..routing.instant import Instant
from ..routing.plan import plan
from ..routing.rules import RuleSet
from . import clock
from .answers import Answers
from .attachments import belonging, late
from .entries import Entries
from .ledger import Ledger, LodgementRecord
from .lodging import Draft, Lodging, Source, Taken, is_test
from .said import ACKNOWLEDGING, acknowledges
from .screening import Screening

# Octets of a document whose reading or writing would hold up everybody else: a tenth of a second's work.
LARGE = 100_000


class Intake:
    """Takes declarations in: ties, routes, rejects."""

    def __init__(
        self,
        ledger: Ledger,
        rules: RuleSet,
        agencies: dict[str, Agency],
        answers: Answers,
        screening: Screening,
        now: Callable[[], Instant] = clock.instant,
        new_id: Callable[[str], str] = clock.new_id,
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._agencies = agencies
        self._screening = screening
        self._lodging = Lodging(answers, now, new_id)
        self._entries = Entries(ledger)
        self._new_id = new_id

    async def take(
        self, reading: Reading, source: Source, *, whole: bool, taken: tuple[LodgementRecord, ...] = ()
    ) -> Taken:
        """What to write for `reading`. With `whole`, one invalid document rejects all of them (HTTPS has one
        answer); without, each stands for itself and is answered through the log (AS2). `taken` are lodgements
        known to bear the interchange's reference already."""
        named = (
            *self._screening.envelope(reading, source.party),
            *belonging(reading, source.attachments),
        )
        reading = msgspec.structs.replace(reading, findings=(*reading.findings, *named))
        drafts = await self._drafts(reading, source, {one.position: one for one in taken})
        # What acknowledges nothing known is said in a response that has nothing else to say.
        lodging = (draft for draft in drafts if draft.events is None)
        findings = (*reading.findings, *(f for draft in lodging for f in draft.findings))
        if not is_valid(reading.findings) or (whole and not is_valid(findings)):
            return self._lodging.refused(reading, drafts, source, findings, answer=not whole)
        return self._lodging.each(reading, drafts, source)

    async def _drafts(
        self, reading: Reading, source: Source, taken: dict[int, LodgementRecord]
    ) -> list[Draft]:
        drafts: list[Draft] = []
        for document in reading.documents:
            draft = await self._draft(document, reading, source)
            if document.position in taken:
                draft = _already(draft, taken[document.position])
            if draft.facts is not None and draft.root is None and draft.tied is None and not is_test(reading):
                draft = _unless_repeated(draft, drafts)
            if draft.root is not None and draft.tied is None and draft.plan is not None:
                draft = _unless_twice(draft, drafts)
            if draft.tied is not None and source.attachments:
                kept = await self._ledger.attachments(draft.tied.message)
                draft = _unless_late(draft, late(source.attachments, kept))
            drafts.append(draft)
        return drafts

    async def _draft(self, document: Document, reading: Reading, source: Source) -> Draft:
        if acknowledges(reading, document):
            said = await self._entries.take(document, source)
            findings = () if any(map(_lodges, reading.documents)) else said.refused
            return Draft(document, None, findings, events=said.change.events, acknowledged=said.notification)
        if document.kind is not Kind.DECLARATION or document.declaration is None:
            return Draft(document, None, _not_a_declaration(document))
        facts = facts_of(document.declaration)
        digest = content_digest(document.declaration)
        findings = document.findings
        if not is_valid(findings):
            return Draft(document, facts, findings, digest)
        if is_test(reading):
            # A rehearsal names nothing and follows nothing: its LRN stays free for the real one.
            return await self._planned(document, reading, facts, findings, digest, None)
        if facts.function in FOLLOW_UPS:
            root, missing = await self._root(facts, source.party.name)
            again = await self._ledger.find_follow_up(root.id, digest) if root is not None else None
            if again is not None:
                return Draft(document, facts, findings, digest, tied=again)
            return await self._planned(document, reading, facts, (*findings, *missing), digest, root)
        partner = source.party.name
        earlier = await self._ledger.find_original(facts.declarant or "", facts.lrn or "", partner=partner)
        if earlier is None:
            return await self._planned(document, reading, facts, findings, digest, None)
        if earlier.content_digest == digest:
            return Draft(document, facts, findings, digest, tied=earlier)
        return Draft(document, facts, (*findings, _lrn_reused(document, facts)), digest)

    async def _root(self, facts: Facts, partner: str) -> tuple[LodgementRecord | None, tuple[Finding, ...]]:
        found = await self._ledger.find_by_mrn(facts.mrn, partner=partner) if facts.mrn else None
        if found is None and facts.lrn:
            found = await self._ledger.find_original(facts.declarant or "", facts.lrn or "", partner=partner)
        if found is not None:
            return found, ()
        text = f"the {facts.function.value} speaks of a declaration that was never lodged"
        return None, (Finding(code="unknown-declaration", text=text, value=facts.mrn or facts.lrn),)

    async def _planned(
        self,
        document: Document,
        reading: Reading,
        facts: Facts,
        findings: tuple[Finding, ...],
        digest: str,
        root: LodgementRecord | None,
    ) -> Draft:
        if not is_valid(findings):
            return Draft(document, facts, findings, digest)
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
        if is_valid(findings) and document.declaration is not None:
            asked = tuple(delivery.agency for delivery in planned.deliveries)
            write = functools.partial(
                self._screening.writable, document.declaration, asked, test=is_test(reading)
            )
            large = len(document.data) > LARGE
            findings = (*findings, *(await anyio.to_thread.run_sync(write) if large else write()))
        return Draft(document, facts, findings, digest, root=root, plan=planned)


def _lodges(document: Document) -> bool:
    return document.kind not in ACKNOWLEDGING


def _unless_repeated(draft: Draft, drafts: list[Draft]) -> Draft:
    """An LRN that stands twice in one interchange names nothing."""
    assert draft.facts is not None
    assert draft.document is not None
    name = (draft.facts.declarant, draft.facts.lrn)
    if any(d.facts is not None and (d.facts.declarant, d.facts.lrn) == name for d in drafts):
        finding = _lrn_reused(draft.document, draft.facts)
        return draft._replace(findings=(*draft.findings, finding), plan=None)
    return draft


def _unless_twice(draft: Draft, drafts: list[Draft]) -> Draft:
    """The same amendment or cancellation twice in one interchange is one too many."""
    assert draft.root is not None
    name = (draft.root.id, draft.digest)
    if any(d.plan is not None and d.root is not None and (d.root.id, d.digest) == name for d in drafts):
        text = "this message stands in the interchange already"
        return draft._replace(findings=(*draft.findings, Finding(code="repeated", text=text)), plan=None)
    return draft


def _unless_late(draft: Draft, findings: tuple[Finding, ...]) -> Draft:
    """A declaration that was lodged before is not lodged again for documents that it did not bring then."""
    if not findings:
        return draft
    return draft._replace(tied=None, plan=None, findings=(*draft.findings, *findings))


def _already(draft: Draft, earlier: LodgementRecord) -> Draft:
    """The interchange reference names another lodgement: the same document, or an error of the sender."""
    if draft.digest == earlier.content_digest:
        return draft._replace(tied=earlier, findings=(), plan=None)
    pointer = EdifactPointer(segment=0, tag="UNB", element=5)
    text = "this sender has used the interchange reference for another document"
    finding = Finding(code="26", text=text, pointer=pointer, value=earlier.reference)
    return draft._replace(findings=(*draft.findings, finding), plan=None)


def _not_a_declaration(document: Document) -> tuple[Finding, ...]:
    if not is_valid(document.findings):
        return document.findings
    text = f"{document.name} cannot be lodged here: a declaration is expected"
    return (*document.findings, Finding(code="not-a-declaration", text=text))


def _lrn_reused(document: Document, facts: Facts) -> Finding:
    pointer = EdifactPointer(segment=2, tag="BGM", element=2) if document.syntax is Syntax.EDIFACT else None
    text = "this LRN already names another declaration: use a new one, or amend the first"
    return Finding(severity=Severity.ERROR, code="lrn-reused", text=text, pointer=pointer, value=facts.lrn)
