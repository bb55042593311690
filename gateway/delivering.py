"""One try at one delivery: written for the agency, kept, sent, and its result recorded."""

from collections.abc import Callable, Mapping

import anyio
import structlog

from ..codecs.document import Syntax
from ..routing.instant import Instant
from ..routing.lifecycle import DELIVERY, DeliveryState, DeliveryTrigger, EventKind
from ..routing.retry import BreakerEvent, BreakerState, CircuitBreaker
from ..security import KeyStoreError
from .answers import Answers, NotWritable, as2_url
from .attachments import accompanying
from .attempts import REASON_KEPT, Attempts, our_fault
from .config import AgencySettings
from .decisions import Decisions
from .ledger import Change, ClaimedDelivery, DeliveryUpdate, EventRecord, Ledger, LedgerUnavailable, Wire
from .lodging import declaration_of
from .outcomes import Failure, Mismatched, Outcome, Received
from .parties import Parties, Party
from .sender import Sender
from .settling import Settling, Subject

log = structlog.get_logger()

# An agency that is no longer configured may come back: until then its deliveries wait, looked at this often.
ABSENT_NS = 60 * 10**9


class Delivering:
    """Sends deliveries, at most so many at once to each agency, and none to one that is down."""

    def __init__(
        self,
        ledger: Ledger,
        parties: Parties,
        answers: Answers,
        decisions: Decisions,
        sender: Sender,
        attempts: Attempts,
        now: Callable[[], Instant],
    ) -> None:
        self._ledger = ledger
        self._parties = parties
        self._answers = answers
        self._decisions = decisions
        self._sender = sender
        self._attempts = attempts
        self._settling = Settling(attempts, now)
        self._now = now
        self._breakers: dict[str, CircuitBreaker] = {}
        self._limits = {
            name: anyio.CapacityLimiter(party.settings.concurrency)
            for name, party in parties.agencies.items()
            if isinstance(party.settings, AgencySettings)
        }

    def room(self, under_way: Mapping[str, int]) -> dict[str, int]:
        """How many deliveries each agency can take beside those `under_way`, which were claimed before.

        What is claimed beyond that would wait for its turn while its lease runs out, and be sent twice.
        """
        now = self._now()
        return {name: self._room(name, under_way.get(name, 0), now) for name in self._limits}

    async def run(self, claim: ClaimedDelivery) -> None:
        """One try, when it is its turn. Raises LedgerUnavailable only."""
        agency = self._parties.agencies.get(claim.delivery.agency)
        if agency is None:
            log.error("agency_not_configured", agency=claim.delivery.agency, delivery=claim.delivery.id)
            await self._put_back(claim, self._now().utc_ns + ABSENT_NS)
            return
        settings = agency.settings
        assert isinstance(settings, AgencySettings)
        async with self._limits[agency.name]:
            try:
                await self._try(claim, agency, settings)
            except LedgerUnavailable:
                raise
            except KeyStoreError as error:
                await self._settle(claim, agency, our_fault(error), ())
            except Exception as error:
                # The border around one document: it must not end the others.
                log.exception("delivery_crashed", delivery=claim.delivery.id, agency=agency.name)
                await self._settle(claim, agency, our_fault(error), ())

    def _room(self, agency: str, under_way: int, now: Instant) -> int:
        breaker = self._breaker(agency)
        if not breaker.allows(now):
            return 0
        left = max(0, int(self._limits[agency].total_tokens) - under_way)
        # An agency that was down is asked by one delivery whether it is back.
        return left if breaker.state is BreakerState.CLOSED else min(left, 1)

    def _breaker(self, name: str) -> CircuitBreaker:
        return self._breakers.get(name, CircuitBreaker())

    def _tell_breaker(self, name: str, event: BreakerEvent) -> None:
        self._breakers[name] = self._breaker(name).on(self._now(), event)

    async def _try(self, claim: ClaimedDelivery, agency: Party, settings: AgencySettings) -> None:
        if claim.lodgement.test and settings.live:
            # It was planned while the agency was a test system: what is kept for it must not leave any more.
            await self._withhold(claim)
            return
        as2 = settings.channel == "as2"
        try:
            wire = claim.wire or await self._wire(claim, agency, settings, as2=as2)
        except NotWritable as error:
            await self._quarantine(claim, str(error))
            return
        # Asked and told without a pause in between: of all that wait for a dead agency, one goes through.
        started = self._now()
        wait = self._breaker(agency.name).wait(started)
        if wait > 0:
            await self._put_back(claim, started.utc_ns + int(wait * 1e9))
            return
        self._tell_breaker(agency.name, BreakerEvent.ATTEMPT)
        # The bytes are those of the first try; the address is the one in force now.
        url = as2_url(agency) if as2 else settings.url
        result = await self._sender.send(wire, agency, url=url, as2=as2)
        # One document that troubles the agency must not hold up all the others to it.
        failed = isinstance(result, Failure) and not (result.poison or result.troubled)
        self._tell_breaker(agency.name, BreakerEvent.FAILURE if failed else BreakerEvent.SUCCESS)
        await self._settle(
            claim, agency, result, (self._event(EventKind.DELIVERY_STARTED, claim, at=started),)
        )

    async def _wire(
        self, claim: ClaimedDelivery, agency: Party, settings: AgencySettings, *, as2: bool
    ) -> Wire:
        lodgement = claim.lodgement
        body = self._answers.delivery(
            declaration_of(lodgement), claim.delivery.id, settings, test=lodgement.test
        )
        # Only who has agreed to get them: the supporting documents are not for everybody's eyes.
        along = as2 and settings.as2 is not None and settings.as2.attachments
        kept = await self._ledger.attachments(lodgement.message) if along else []
        wire = self._sender.compose(
            claim.delivery.id,
            body,
            Syntax(settings.syntax),
            agency,
            url=as2_url(agency) if as2 else settings.url,
            as2=as2,
            attachments=accompanying(kept),
        )
        await self._ledger.keep_wire([(claim.delivery.id, wire)])
        return wire

    async def _settle(
        self, claim: ClaimedDelivery, agency: Party, outcome: Outcome, started: tuple[EventRecord, ...]
    ) -> None:
        delivery = claim.delivery
        if isinstance(outcome, Received) and outcome.answer:
            events = (*started, self._event(EventKind.DELIVERY_RECEIPTED, claim))
            await self._decisions.answered_in_response(delivery, outcome.answer, outcome.answer_type, events)
            return
        if isinstance(outcome, Mismatched):
            log.error("receipt_mismatch", delivery=delivery.id, agency=agency.name, reason=outcome.reason)
        elif isinstance(outcome, Failure):
            log.warning("delivery_failed", delivery=delivery.id, agency=agency.name, reason=outcome.reason)
        subject = Subject(delivery, agency)
        await self._attempts.record(await self._settling.by_try(subject, outcome, started))

    async def _quarantine(self, claim: ClaimedDelivery, reason: str) -> None:
        log.error("delivery_quarantined", delivery=claim.delivery.id, agency=claim.delivery.agency)
        update = DeliveryUpdate(
            id=claim.delivery.id,
            expected=(DeliveryState.SENDING,),
            state=DeliveryState.DEAD,
            attempts=claim.delivery.attempts + 1,
        )
        event = self._event(EventKind.QUARANTINED, claim, {"reason": reason[:REASON_KEPT]})
        await self._attempts.record(Change(delivery_updates=(update,), events=(event,)))

    async def _withhold(self, claim: ClaimedDelivery) -> None:
        log.warning("delivery_withheld", delivery=claim.delivery.id, agency=claim.delivery.agency)
        update = DeliveryUpdate(
            id=claim.delivery.id,
            expected=DELIVERY.sources(DeliveryTrigger.WITHHOLD),
            state=DeliveryState.WITHHELD,
        )
        event = self._event(EventKind.WITHHELD, claim, {"reason": "test document, the agency went live"})
        await self._attempts.record(Change(delivery_updates=(update,), events=(event,)))

    async def _put_back(self, claim: ClaimedDelivery, due_ns: int) -> None:
        update = DeliveryUpdate(
            id=claim.delivery.id,
            expected=(DeliveryState.SENDING,),
            state=DeliveryState.PENDING,
            due_ns=due_ns,
        )
        await self._attempts.record(Change(delivery_updates=(update,)))

    def _event(
        self,
        kind: EventKind,
        claim: ClaimedDelivery,
        data: dict[str, str] | None = None,
        at: Instant | None = None,
    ) -> EventRecord:
        named = {"agency": claim.delivery.agency, "delivery": claim.delivery.id, **(data or {})}
        return EventRecord(kind=kind, at=at or self._now(), lodgement=claim.lodgement.id, data=named)
