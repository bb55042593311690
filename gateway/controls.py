"""What an agency sends that acknowledges: its CONTRL and APERAK, tied to the delivery that they speak of.

An acknowledgement is kept, a rejection needs a person. Neither is ever answered. One that can be tied to
nothing moves nothing: its event says why, and over HTTPS the response does.
"""

import anyio.to_thread
import structlog

from ..codecs import edifact
from ..codecs.document import Document, Syntax
from ..codecs.finding import Finding, is_valid
from ..routing.instant import Instant
from ..routing.lifecycle import DELIVERY, DeliveryTrigger, EventKind
from .answers import Answers, NotWritable, recipient_of
from .config import AgencySettings
from .entries import Entries
from .ledger import Change, DeliveryRecord, DeliveryUpdate, Ledger, Status
from .lodging import declaration_of
from .parties import Parties
from .said import (
    ALARMS,
    Said,
    Tied,
    event,
    not_readable,
    other_parties,
    places,
    reason,
    said_by,
    said_of,
    shown,
)
from .standing import Standing

log = structlog.get_logger()


class Controls:
    """Ties what acknowledges to what was sent."""

    def __init__(self, ledger: Ledger, parties: Parties, answers: Answers) -> None:
        self._ledger = ledger
        self._parties = parties
        self._answers = answers
        self._entries = Entries(ledger)

    async def take(
        self, document: Document, agency: str, received: Instant, reference: str | None, standing: Standing
    ) -> Tied:
        """What to write for one of `agency`, about a delivery to it or an answer of ours. `reference` is the
        delivery that an APERAK is about which names none."""
        said = said_by(document)
        if said is None:
            log.warning("acknowledgement_not_readable", agency=agency, name=document.name)
            return Tied(Change(), (not_readable(document),))
        if said.rejected:
            log.error(ALARMS[said.name].replace("-", "_"), agency=agency, reference=shown(said))
        delivery = await self._delivery(said, agency, reference)
        if delivery is None:
            return await self._about_an_answer(said, document, agency, received)
        settings = self._parties.named(agency).settings
        assert isinstance(settings, AgencySettings), "an agency that is configured"
        wrong = other_parties(said, (self._answers.edifact_id, recipient_of(settings)))
        if wrong:
            return _unknown(said, agency, received, wrong)
        status, delivery = await standing.of(delivery)
        faults = await self._faults(said, document.control, delivery, status, settings)
        change = controlled(said._replace(faults=faults), delivery, received)
        standing.after(status, change)
        return Tied(change)

    async def _delivery(self, said: Said, agency: str, reference: str | None) -> DeliveryRecord | None:
        """The delivery to `agency` by the gateway's reference; of an APERAK also the one given beside it, or
        that of the declaration with an MRN it names. An LRN may be that of several declarants."""
        beside = (reference,) if reference and said.name == "APERAK" else ()
        for name in (*said.references, *beside):
            found = await self._ledger.find_delivery(name)
            if found is not None and found.agency == agency:
                return found
        for name in said.references if said.name == "APERAK" else ():
            lodgement = await self._ledger.find_by_mrn(name)
            status = await self._ledger.status(lodgement.id) if lodgement is not None else None
            mine = [one for one in status.deliveries if one.agency == agency] if status is not None else []
            if mine:
                return mine[-1]
        return None

    async def _about_an_answer(self, said: Said, document: Document, agency: str, at: Instant) -> Tied:
        """For what is about no delivery to `agency`: about an answer of ours, or about nothing known."""
        note, sent, wrong = await self._entries.find(said, agency)
        if note is None:
            return _unknown(said, agency, at, wrong)
        data = {"agency": agency, "reference": shown(said), "notification": note.id} | said_of(said)
        if not said.rejected:
            return Tied(event(EventKind.CONTROLLED, note.lodgement, data, at), (), note.id)
        data |= reason(said._replace(faults=places(document.control, sent) or said.faults))
        return Tied(event(EventKind.ALARM, note.lodgement, data, at), (), note.id)

    async def _faults(
        self,
        said: Said,
        control: edifact.Control | None,
        delivery: DeliveryRecord,
        status: Status,
        settings: AgencySettings,
    ) -> tuple[str, ...]:
        """What a CONTRL rejects, with its places in what was sent: that is written once more, and comes out
        the same but for the time in UNB."""
        if control is None or not said.rejected or settings.syntax != Syntax.EDIFACT.value:
            return said.faults

        def sent() -> edifact.Interchange | None:
            lodgement = status.lodgement
            declaration = declaration_of(lodgement)
            try:
                body = self._answers.delivery(declaration, delivery.id, settings, test=lodgement.test)
            except NotWritable:
                return None
            return edifact.read_interchange(body)

        return places(control, await anyio.to_thread.run_sync(sent))


def controlled(said: Said, delivery: DeliveryRecord, at: Instant) -> Change:
    """What to write for what was said about `delivery`.

    A rejection makes a dead letter of what still waits for its answer; what has been answered or closed
    stands. An acknowledgement moves nothing: the receipt of the channel does.
    """
    data = {"agency": delivery.agency, "delivery": delivery.id} | said_of(said)
    if not said.rejected:
        return event(EventKind.CONTROLLED, delivery.lodgement, data, at)
    data |= reason(said)
    if delivery.state not in DELIVERY.sources(DeliveryTrigger.REFUSE):
        return event(EventKind.ALARM, delivery.lodgement, data, at)
    update = DeliveryUpdate(
        id=delivery.id,
        expected=(delivery.state,),
        state=DELIVERY.after(delivery.state, DeliveryTrigger.REFUSE),
    )
    dead = event(EventKind.DEAD_LETTERED, delivery.lodgement, data, at)
    return Change(delivery_updates=(update,), events=dead.events)


def _unknown(said: Said, agency: str, at: Instant, why: tuple[Finding, ...]) -> Tied:
    """About nothing that was sent: it is kept that it came, and a rejection is looked at all the same."""
    data = {"agency": agency, "reference": shown(said), "refused": why[0].text} | said_of(said)
    if not said.rejected:
        return Tied(event(EventKind.CONTROLLED, None, data, at), why)
    return Tied(event(EventKind.ALARM, None, data | reason(said), at), why)


def not_an_answer(document: Document) -> tuple[Finding, ...]:
    """The findings of `document`, or the one that it is neither an answer nor an acknowledgement."""
    if not is_valid(document.findings):
        return document.findings
    return (
        Finding(code="not-an-answer", text=f"{document.name} is not an answer: RES or CUSRES is expected"),
    )
