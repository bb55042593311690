"""The outbound path: what is due is claimed, written, kept, sent, and its result recorded.

    claim -> codecs.write -> as2.compose -> keep the wire -> client.send -> record (one transaction)

The wire is kept before the first try, so that every try sends the same bytes under the same id: a peer that
took the first one knows the second for what it is.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

import anyio
import anyio.abc
import structlog

from ..codecs.document import Syntax
from ..routing.instant import Instant
from ..routing.lifecycle import DeliveryState, EventKind, NotificationState
from ..routing.retry import BreakerEvent, CircuitBreaker, next_attempt
from . import clock
from .answers import Answers, NotWritable, as2_url
from .config import AgencySettings, PartnerSettings, retry_policy
from .decisions import Decisions
from .ledger import (
    Change,
    ClaimedDelivery,
    ClaimedNotification,
    Conflict,
    DeliveryUpdate,
    EventRecord,
    Ledger,
    NotificationUpdate,
    Wire,
)
from .lodging import declaration_of
from .parties import Parties, Party
from .sender import Failure, Received, Sender

log = structlog.get_logger()

# How long a claim stays ours: longer than any exchange may take, short enough that a crash is soon made good.
LEASE_NS = 120 * 10**9
# Deliveries and notifications under way at once, each.
CLAIM_LIMIT = 64
# Without a wake-up the ledger is asked this often: what is due later (retries) becomes due by itself.
POLL_SECONDS = 0.25
# A document the peer refuses for what it says is not tried for ever: a person must look.
POISON_TRIES = 3
# Of a reason in the history: enough to act on.
REASON_KEPT = 500


class _Retry(NamedTuple):
    """When the next try is due; None: there is none, a person must look."""

    due_ns: int | None
    attempts: int
    first_ns: int


class Outbound:
    """Sends deliveries to agencies and notifications to traders until it is cancelled."""

    def __init__(
        self,
        ledger: Ledger,
        parties: Parties,
        answers: Answers,
        decisions: Decisions,
        sender: Sender,
        now: Callable[[], Instant] = clock.instant,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._parties = parties
        self._answers = answers
        self._decisions = decisions
        self._sender = sender
        self._now = now
        self._jitter = jitter
        self._breakers: dict[str, CircuitBreaker] = {}
        self._limits = {
            name: anyio.CapacityLimiter(party.settings.concurrency)
            for name, party in parties.agencies.items()
            if isinstance(party.settings, AgencySettings)
        }
        self._wake = anyio.Event()

    def wake(self) -> None:
        """Something may have become due."""
        self._wake.set()

    async def run(self) -> None:
        """Send what is due until cancelled. Raises LedgerUnavailable when the ledger does."""
        async with anyio.create_task_group() as group:
            while True:
                self._wake = anyio.Event()
                if not await self._claim(group):
                    with anyio.move_on_after(POLL_SECONDS):
                        await self._wake.wait()

    async def _claim(self, group: anyio.abc.TaskGroup) -> int:
        now = self._now()
        busy = frozenset(name for name in self._limits if not self._has_room(name, now))
        deliveries = await self._ledger.claim_deliveries(
            now_ns=now.utc_ns, lease_ns=LEASE_NS, limit=CLAIM_LIMIT, skip=busy
        )
        notifications = await self._ledger.claim_notifications(
            now_ns=now.utc_ns, lease_ns=LEASE_NS, limit=CLAIM_LIMIT
        )
        for delivery in deliveries:
            group.start_soon(self._limited_delivery, delivery)
        for notification in notifications:
            group.start_soon(self.notify, notification)
        return len(deliveries) + len(notifications)

    def _has_room(self, agency: str, now: Instant) -> bool:
        limit = self._limits[agency]
        waiting = limit.statistics().tasks_waiting
        return not waiting and limit.available_tokens > 0 and self._breaker(agency).allows(now)

    def _breaker(self, name: str) -> CircuitBreaker:
        return self._breakers.get(name, CircuitBreaker())

    def _tell_breaker(self, name: str, event: BreakerEvent) -> None:
        self._breakers[name] = self._breaker(name).on(self._now(), event)

    async def _limited_delivery(self, claim: ClaimedDelivery) -> None:
        async with self._limits[claim.delivery.agency]:
            await self.deliver(claim)

    async def deliver(self, claim: ClaimedDelivery) -> None:
        """One try at one delivery, recorded."""
        delivery = claim.delivery
        agency = self._parties.agencies[delivery.agency]
        settings = agency.settings
        assert isinstance(settings, AgencySettings)
        as2 = settings.channel == "as2"
        started = self._now()
        wait = self._breaker(agency.name).wait(started)
        if wait > 0:
            await self._put_back(claim, started.utc_ns + int(wait * 1e9))
            return
        try:
            wire = claim.wire or await self._delivery_wire(claim, agency, settings, as2=as2)
        except NotWritable as error:
            await self._quarantine(claim, str(error))
            return
        self._tell_breaker(agency.name, BreakerEvent.ATTEMPT)
        result = await self._sender.send(wire, agency, as2=as2)
        failed = isinstance(result, Failure) and not result.poison
        self._tell_breaker(agency.name, BreakerEvent.FAILURE if failed else BreakerEvent.SUCCESS)
        events = [self._event(EventKind.DELIVERY_STARTED, claim, at=started)]
        if isinstance(result, Received):
            await self._delivered(claim, result, events)
        else:
            log.warning("delivery_failed", delivery=delivery.id, agency=agency.name, reason=result.reason)
            await self._delivery_failed(claim, settings, result, events)

    async def _delivery_wire(
        self, claim: ClaimedDelivery, agency: Party, settings: AgencySettings, *, as2: bool
    ) -> Wire:
        lodgement = claim.lodgement
        body = self._answers.delivery(
            declaration_of(lodgement), claim.delivery.id, settings, test=lodgement.test
        )
        url = as2_url(agency) if as2 else settings.url
        wire = self._sender.compose(
            claim.delivery.id, body, Syntax(settings.syntax), agency, url=url, as2=as2
        )
        await self._ledger.keep_wire([(claim.delivery.id, wire)])
        return wire

    async def _delivered(self, claim: ClaimedDelivery, result: Received, events: list[EventRecord]) -> None:
        delivery = claim.delivery
        events.append(self._event(EventKind.DELIVERY_RECEIPTED, claim))
        if result.answer and await self._decisions.answered_in_response(
            delivery, result.answer, result.answer_type, tuple(events)
        ):
            return
        update = DeliveryUpdate(
            id=delivery.id,
            expected=(DeliveryState.SENDING, DeliveryState.PENDING),
            state=DeliveryState.SENT,
            attempts=delivery.attempts + 1,
        )
        await self._record(Change(delivery_updates=(update,), events=tuple(events)))

    async def _delivery_failed(
        self, claim: ClaimedDelivery, settings: AgencySettings, failure: Failure, events: list[EventRecord]
    ) -> None:
        delivery = claim.delivery
        retry = self._retry(delivery.attempts, delivery.first_attempt_ns, failure, settings)
        data = {"reason": failure.reason} | ({"alarm": "receipt-mismatch"} if failure.alarm else {})
        events.append(self._event(EventKind.DELIVERY_FAILED, claim, data))
        if retry.due_ns is None:
            events.append(self._event(EventKind.DEAD_LETTERED, claim, {"reason": failure.reason}))
        update = DeliveryUpdate(
            id=delivery.id,
            expected=(DeliveryState.SENDING,),
            state=DeliveryState.DEAD if retry.due_ns is None else DeliveryState.PENDING,
            due_ns=retry.due_ns,
            attempts=retry.attempts,
            first_attempt_ns=retry.first_ns,
        )
        await self._record(Change(delivery_updates=(update,), events=tuple(events)))

    async def _quarantine(self, claim: ClaimedDelivery, reason: str) -> None:
        log.error("delivery_quarantined", delivery=claim.delivery.id, agency=claim.delivery.agency)
        update = DeliveryUpdate(
            id=claim.delivery.id, expected=(DeliveryState.SENDING,), state=DeliveryState.DEAD
        )
        event = self._event(EventKind.QUARANTINED, claim, {"reason": reason[:REASON_KEPT]})
        await self._record(Change(delivery_updates=(update,), events=(event,)))

    async def _put_back(self, claim: ClaimedDelivery, due_ns: int) -> None:
        update = DeliveryUpdate(
            id=claim.delivery.id,
            expected=(DeliveryState.SENDING,),
            state=DeliveryState.PENDING,
            due_ns=due_ns,
        )
        await self._record(Change(delivery_updates=(update,)))

    async def notify(self, claim: ClaimedNotification) -> None:
        """One try at pushing one notification, recorded."""
        note = claim.notification
        party = self._parties.named(note.partner)
        started = self._now()
        events = [self._note_event(EventKind.NOTIFICATION_STARTED, claim, at=started)]
        wire = claim.wire
        if wire is None:
            syntax = Syntax.XML if "xml" in note.content_type else Syntax.EDIFACT
            wire = self._sender.compose(note.id, note.body, syntax, party, url=as2_url(party), as2=True)
            await self._ledger.keep_wire([(note.id, wire)])
        result = await self._sender.send(wire, party, as2=True)
        if isinstance(result, Received):
            events.append(self._note_event(EventKind.NOTIFICATION_DELIVERED, claim))
            update = NotificationUpdate(
                id=note.id,
                expected=(NotificationState.SENDING, NotificationState.PENDING),
                state=NotificationState.DELIVERED,
                attempts=note.attempts + 1,
            )
        else:
            log.warning("notification_failed", notification=note.id, partner=party.name, reason=result.reason)
            update = self._note_failed(claim, party, result, events)
        await self._record(Change(notification_updates=(update,), events=tuple(events)))

    def _note_failed(
        self, claim: ClaimedNotification, party: Party, failure: Failure, events: list[EventRecord]
    ) -> NotificationUpdate:
        note = claim.notification
        retry = self._retry(note.attempts, note.first_attempt_ns, failure, party.settings)
        data = {"reason": failure.reason} | ({"alarm": "receipt-mismatch"} if failure.alarm else {})
        events.append(self._note_event(EventKind.NOTIFICATION_FAILED, claim, data))
        if retry.due_ns is None:
            events.append(self._note_event(EventKind.DEAD_LETTERED, claim, {"reason": failure.reason}))
        return NotificationUpdate(
            id=note.id,
            expected=(NotificationState.SENDING,),
            state=NotificationState.DEAD if retry.due_ns is None else NotificationState.PENDING,
            due_ns=retry.due_ns,
            attempts=retry.attempts,
            first_attempt_ns=retry.first_ns,
        )

    def _retry(
        self,
        attempts: int,
        first_ns: int | None,
        failure: Failure,
        settings: PartnerSettings | AgencySettings,
    ) -> _Retry:
        now = self._now()
        first = first_ns if first_ns is not None else now.utc_ns
        tried = attempts + 1
        if failure.poison and tried >= POISON_TRIES:
            return _Retry(None, tried, first)
        due = next_attempt(
            retry_policy(settings.retry),
            tried,
            clock.utc_of(first),
            clock.utc(now),
            retry_after=failure.retry_after,
            jitter=self._jitter(),
        )
        return _Retry(None if due is None else int(due.timestamp() * 1e9), tried, first)

    async def _record(self, change: Change) -> None:
        """Write a result. A Conflict means the peer's word came in by another way first: that one stands, and
        the events are kept beside it."""
        (result,) = await self._ledger.commit([change])
        if isinstance(result, Conflict):
            await self._ledger.commit([Change(events=change.events)])

    def _event(
        self,
        kind: EventKind,
        claim: ClaimedDelivery,
        data: dict[str, str] | None = None,
        at: Instant | None = None,
    ) -> EventRecord:
        named = {"agency": claim.delivery.agency, "delivery": claim.delivery.id, **(data or {})}
        return EventRecord(kind=kind, at=at or self._now(), lodgement=claim.lodgement.id, data=named)

    def _note_event(
        self,
        kind: EventKind,
        claim: ClaimedNotification,
        data: dict[str, str] | None = None,
        at: Instant | None = None,
    ) -> EventRecord:
        note = claim.notification
        named = {"notification": note.id, **(data or {})}
        return EventRecord(kind=kind, at=at or self._now(), lodgement=note.lodgement, data=named)
