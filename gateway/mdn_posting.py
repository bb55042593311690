"""Asynchronous MDNs: one try at posting one, recorded.

The sender of a message names the address in a header. It was compared with the agreement when the message
came, it is compared again before each try, for agreements change; and where its name leads is looked at last,
by `Sender.post`. Nothing is posted to anywhere else, whatever the message says.
"""

from collections import Counter
from collections.abc import Callable

import structlog

from ..routing.instant import Instant
from ..routing.lifecycle import MDN, EventKind, MdnState, MdnTrigger
from ..routing.retry import BreakerEvent, BreakerState, CircuitBreaker
from .as2.addresses import is_allowed_address
from .attempts import Attempts, failure_data, our_fault
from .ledger import Change, ClaimedMdn, Conflict, EventRecord, Ledger, LedgerUnavailable, MdnUpdate
from .mdn_queue import MdnQueue
from .outcomes import Failure, Transferred
from .parties import Parties, Party
from .sender import Sender

log = structlog.get_logger()

# Under way to one party, beyond which no more are claimed for it; and claimed at once, so that it is not many
# more than that.
CONCURRENCY = CLAIM_LIMIT = 16
# Events of one lodgement read to see whether its receipt was sent before.
_PAGE = 100


class MdnPosting:
    """Posts asynchronous MDNs, a few at once to each party, and none to one that is down."""

    def __init__(
        self,
        ledger: Ledger,
        parties: Parties,
        sender: Sender,
        attempts: Attempts,
        queue: MdnQueue,
        now: Callable[[], Instant],
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._parties = parties
        self._sender = sender
        self._attempts = attempts
        self._now = now
        self._breakers: dict[str, CircuitBreaker] = {}
        self._under_way: Counter[str] = Counter()

    def busy(self) -> frozenset[str]:
        """The parties for which no more should be claimed now."""
        now = self._now()
        full = {party for party, count in self._under_way.items() if count >= CONCURRENCY}
        return frozenset(full | {name for name, breaker in self._breakers.items() if not breaker.allows(now)})

    def claimed(self, claim: ClaimedMdn) -> None:
        """Counted from the claim on: the tasks may not have begun when the next round looks."""
        self._under_way[claim.mdn.party] += _slots(claim)

    async def run(self, claim: ClaimedMdn) -> None:
        """One try, once the response has gone out. Raises LedgerUnavailable only."""
        try:
            await self._queue.released(claim.mdn.message)
            await self._try(claim)
        except LedgerUnavailable:
            raise
        except Exception as error:
            # The border around one receipt: it must not end the others.
            log.exception("mdn_crashed", mdn=claim.mdn.id, party=claim.mdn.party)
            await self._failed(claim, self._parties.named(claim.mdn.party), our_fault(error), ())
        finally:
            self._under_way[claim.mdn.party] -= _slots(claim)

    async def _try(self, claim: ClaimedMdn) -> None:
        party, started = self._parties.named(claim.mdn.party), self._now()
        if party.terms is None or not is_allowed_address(claim.mdn.url, party.terms.receipt_addresses):
            log.error("mdn_address_withdrawn", mdn=claim.mdn.id, party=party.name)
            gone = Failure(reason="the agreement has no such address any more", poison=True, final=True)
            await self._failed(claim, party, gone, ())
            return
        if claim.mdn.once:
            # Whoever sent the message chose the path it goes to: what comes of it says nothing of the party.
            result = await self._sender.post(claim.receipt, party, url=claim.mdn.url)
        else:
            wait = self._breaker(party.name).wait(started)
            if wait > 0:
                await self._put_back(claim, started.utc_ns + int(wait * 1e9))
                return
            result = await self._posted(claim, party)
        events = (self._event(EventKind.MDN_STARTED, claim, at=started),)
        if isinstance(result, Transferred):
            await self._delivered(claim, events)
        else:
            log.warning("mdn_failed", mdn=claim.mdn.id, party=party.name, reason=result.reason)
            await self._failed(claim, party, result, events)

    async def _posted(self, claim: ClaimedMdn, party: Party) -> Transferred | Failure:
        self._tell(party.name, BreakerEvent.ATTEMPT)
        result = await self._sender.post(claim.receipt, party, url=claim.mdn.url)
        failed = isinstance(result, Failure) and not result.poison
        self._tell(party.name, BreakerEvent.FAILURE if failed else BreakerEvent.SUCCESS)
        return result

    async def _delivered(self, claim: ClaimedMdn, events: tuple[EventRecord, ...]) -> None:
        update = MdnUpdate(
            id=claim.mdn.id,
            expected=MDN.sources(MdnTrigger.TRANSFER),
            state=MdnState.DELIVERED,
            attempts=claim.mdn.attempts + 1,
        )
        delivered = self._event(EventKind.MDN_DELIVERED, claim)
        sent = await self._receipts_sent(claim, delivered.at)
        await self._record(Change(mdn_updates=(update,), events=(*events, delivered, *sent)))

    async def _failed(
        self, claim: ClaimedMdn, party: Party, failure: Failure, events: tuple[EventRecord, ...]
    ) -> None:
        mdn = claim.mdn
        if mdn.once:
            # Nobody has authenticated the message: there is nobody to try again for.
            closed = MDN.after(MdnState.SENDING, MdnTrigger.CLOSE)
            update = MdnUpdate(id=mdn.id, expected=(MdnState.SENDING,), state=closed, attempts=1)
            only = self._event(EventKind.MDN_FAILED, claim, failure_data(failure))
            await self._record(Change(mdn_updates=(update,), events=(*events, only)))
            return
        retry = self._attempts.after(failure, party.settings.retry, mdn.attempts, mdn.first_attempt_ns)
        trigger = MdnTrigger.FAIL if retry.due_ns is not None else MdnTrigger.EXPIRE
        told = [self._event(EventKind.MDN_FAILED, claim, failure_data(failure))]
        if retry.due_ns is None:
            log.error("dead_letter", mdn=mdn.id, party=party.name, reason=failure.reason)
            told.append(self._event(EventKind.DEAD_LETTERED, claim, {"reason": failure.reason}))
        update = MdnUpdate(
            id=mdn.id,
            expected=(MdnState.SENDING,),
            state=MDN.after(MdnState.SENDING, trigger),
            due_ns=retry.due_ns,
            attempts=retry.attempts,
            first_attempt_ns=retry.first_ns,
        )
        await self._record(Change(mdn_updates=(update,), events=(*events, *told)))

    async def _put_back(self, claim: ClaimedMdn, due_ns: int) -> None:
        update = MdnUpdate(
            id=claim.mdn.id, expected=(MdnState.SENDING,), state=MdnState.PENDING, due_ns=due_ns
        )
        await self._record(Change(mdn_updates=(update,)))

    async def _record(self, change: Change) -> None:
        (result,) = await self._ledger.commit([change])
        if isinstance(result, Conflict):
            # Another try came first, or a person: that stands, and the history keeps this one beside it.
            told = tuple(event for event in change.events if event.kind is not EventKind.DEAD_LETTERED)
            await self._ledger.commit([Change(events=told)])

    async def _receipts_sent(self, claim: ClaimedMdn, at: Instant) -> list[EventRecord]:
        """The lodgements of the message have their receipt now, those that had none before."""
        message = await self._ledger.message(claim.mdn.message)
        if message is None or message.key is None or not message.accepted:
            return []
        known = await self._ledger.find_message(message.scope, message.key)
        sent: list[EventRecord] = []
        for lodgement in known.lodgements if known is not None else ():
            events = await self._ledger.events(lodgement=lodgement, after=0, limit=_PAGE)
            if all(event.kind is not EventKind.RECEIPT_SENT for event in events):
                kind = EventKind.RECEIPT_SENT
                sent.append(EventRecord(kind=kind, at=at, lodgement=lodgement, message=message.id))
        return sent

    def _breaker(self, name: str) -> CircuitBreaker:
        return self._breakers.get(name, CircuitBreaker())

    def _tell(self, name: str, event: BreakerEvent) -> None:
        breaker = self._breaker(name).on(self._now(), event)
        if breaker.state is BreakerState.CLOSED and event is BreakerEvent.SUCCESS:
            self._breakers.pop(name, None)
        else:
            self._breakers[name] = breaker

    def _event(
        self,
        kind: EventKind,
        claim: ClaimedMdn,
        data: dict[str, str] | None = None,
        at: Instant | None = None,
    ) -> EventRecord:
        named = {"mdn": claim.mdn.id, "party": claim.mdn.party, **(data or {})}
        return EventRecord(kind=kind, at=at or self._now(), message=claim.mdn.message, data=named)


def _slots(claim: ClaimedMdn) -> int:
    """How many of the party's places it takes: none, where anybody may have sent the message in its name. Of
    those there are few (`as2_channel.UNPROVEN_MDNS`), and they must not hold up its own."""
    return 0 if claim.mdn.once else 1
