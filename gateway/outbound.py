"""The outbound path: what is due is claimed, written, kept, sent, and its result recorded.

    claim -> codecs.write -> as2.compose -> keep the wire -> client.send -> record (one transaction)
    claim an asynchronous MDN -> its response has gone out? -> post it -> record

The wire is kept before the first try, so that every try sends the same bytes under the same id: a peer that
took the first one knows the second for what it is.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.abc
import structlog

from ..routing.instant import Instant
from . import clock
from .answers import Answers
from .attempts import Attempts
from .decisions import Decisions
from .delivering import Delivering
from .ledger import (
    ClaimedDelivery,
    ClaimedMdn,
    ClaimedNotification,
    Ledger,
    LedgerBusy,
    LedgerUnavailable,
)
from .mdn_posting import CLAIM_LIMIT as MDN_LIMIT
from .mdn_posting import MdnPosting
from .mdn_queue import MdnQueue
from .notifying import Notifying
from .parties import Parties
from .sender import Sender
from .settling import Settling

log = structlog.get_logger()

# How long a claim stays ours: longer than any exchange may take, short enough that a crash is soon made good.
# Nothing is claimed that has to wait for its turn, so no claim has to outlast a queue.
LEASE_NS = 120 * 10**9
# Deliveries and notifications claimed at once, each.
CLAIM_LIMIT = 64
# Without a wake-up the ledger is asked this often: what is due later (retries) becomes due by itself.
POLL_SECONDS = 0.25
# The wall clock and the monotonic one drift apart by less, unless somebody sets the wall clock.
CLOCK_SET_NS = 5 * 10**9
# How often what waits is counted, by which the ledger reckons the room it needs.
RECKON_NS = 5 * 10**9

_Claim = TypeVar("_Claim", ClaimedDelivery, ClaimedNotification, ClaimedMdn)


class Outbound:
    """Sends deliveries to agencies, notifications to traders, and MDNs to either, until it is cancelled."""

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
        attempts = Attempts(ledger, now, jitter)
        self.deliveries = Delivering(ledger, parties, answers, decisions, sender, attempts, now)
        self.notifications = Notifying(ledger, parties, sender, attempts, now)
        self.mdn_queue = MdnQueue(ledger, now, self.wake)
        self.mdns = MdnPosting(ledger, parties, sender, attempts, self.mdn_queue, now)
        self.settling = Settling(attempts, now)
        self._ledger = ledger
        self._parties = parties
        self._now = now
        self._wake = anyio.Event()
        # UTC less the monotonic clock, when the ledger's times were last in order; None at the start.
        self._offset_ns: int | None = None
        self._reckoned_ns: int | None = None
        self._starved = False
        # Counted from the claim on: the tasks themselves may not have begun when the next round looks.
        self._under_way: Counter[str] = Counter()

    def wake(self) -> None:
        """Something may have become due."""
        self._wake.set()

    async def run(self) -> None:
        """Send what is due until cancelled. Raises LedgerUnavailable when the ledger fails."""
        async with anyio.create_task_group() as group:
            while True:
                self._wake = anyio.Event()
                try:
                    claimed = await self._claim(group)
                except LedgerBusy:
                    claimed = 0
                if not claimed:
                    with anyio.move_on_after(POLL_SECONDS):
                        await self._wake.wait()

    async def _claim(self, group: anyio.abc.TaskGroup) -> int:
        now = self._now()
        await self._reckon(now)
        if not self._can_write():
            return 0
        await self._rebase(now)
        room = self.deliveries.room(self._under_way)
        skip = frozenset(name for name, left in room.items() if not left)
        # Asked first, because most rounds find nothing, and a claim is a transaction whatever it finds.
        delivery_due, notification_due, mdn_due = await self._ledger.due(
            now_ns=now.utc_ns, skip=skip, skip_mdns=self.mdns.busy(), held=self.mdn_queue.held()
        )
        claimed = 0
        if delivery_due:
            deliveries = await self._ledger.claim_deliveries(
                now_ns=now.utc_ns, lease_ns=LEASE_NS, limit=CLAIM_LIMIT, skip=skip, room=room
            )
            for delivery in deliveries:
                self._under_way[delivery.delivery.agency] += 1
                group.start_soon(self._guarded, self._deliver, delivery)
            claimed += len(deliveries)
        if notification_due:
            notifications = await self._ledger.claim_notifications(
                now_ns=now.utc_ns, lease_ns=LEASE_NS, limit=CLAIM_LIMIT
            )
            for notification in notifications:
                group.start_soon(self._guarded, self.notifications.run, notification)
            claimed += len(notifications)
        if mdn_due:
            claimed += await self._claim_mdns(group, now)
        return claimed

    async def _claim_mdns(self, group: anyio.abc.TaskGroup, now: Instant) -> int:
        mdns = await self._ledger.claim_mdns(
            now_ns=now.utc_ns,
            lease_ns=LEASE_NS,
            limit=MDN_LIMIT,
            skip=self.mdns.busy(),
            held=self.mdn_queue.held(),
        )
        for mdn in mdns:
            self.mdns.claimed(mdn)
            group.start_soon(self._guarded, self.mdns.run, mdn)
        return len(mdns)

    async def _reckon(self, now: Instant) -> None:
        if self._reckoned_ns is None or now.monotonic_ns - self._reckoned_ns >= RECKON_NS:
            await self._ledger.reckon()
            self._reckoned_ns = now.monotonic_ns

    def _can_write(self) -> bool:
        """Whether the disk has room for what a try writes; said when it ends, and when it is back."""
        starved = not self._ledger.can_finish()
        if starved is not self._starved:
            self._starved = starved
            if starved:
                log.error("outbound_waits", reason="the disk is far below its reserve; nothing is sent")
            else:
                log.info("outbound_goes_on")
        return not starved

    async def _rebase(self, now: Instant) -> None:
        """See that the times in the ledger are those of the clock as it is now.

        At the start nobody knows what the clock was before; later, it was set when it parts from the
        monotonic one. A wait for a clock that was ahead would last as long as it was, so no wait is longer
        than the longest agreed; a peer that asked for more in its Retry-After is asked once too early. A
        clock set ahead makes no first try older, or every deadline would pass at once.
        """
        offset = now.utc_ns - now.monotonic_ns
        moved = 0 if self._offset_ns is None else offset - self._offset_ns
        if self._offset_ns is not None and abs(moved) <= CLOCK_SET_NS:
            return
        if moved:
            log.warning("clock_set", seconds=round(moved / 1e9, 3))
        parties = (*self._parties.agencies.values(), *self._parties.partners.values())
        waits = [party.settings.retry.cap for party in parties]
        agreed = (party.settings.as2 for party in parties)
        waits += [as2.receipt_seconds for as2 in agreed if as2 is not None and as2.receipts == "async"]
        longest = max(waits, default=0.0)
        latest_ns = now.utc_ns + int(longest * 1e9)
        await self._ledger.rebase(
            now_ns=now.utc_ns, latest_ns=latest_ns, lease_ns=LEASE_NS, ahead_ns=max(moved, 0)
        )
        self._offset_ns = offset

    async def _deliver(self, claim: ClaimedDelivery) -> None:
        try:
            await self.deliveries.run(claim)
        finally:
            self._under_way[claim.delivery.agency] -= 1

    async def _guarded(self, attempt: Callable[[_Claim], Awaitable[None]], claim: _Claim) -> None:
        """One try. A fault of ours in it must not end the others: the claim lapses, and is tried again."""
        try:
            await attempt(claim)
        except LedgerBusy:
            log.warning("result_not_recorded", reason="the ledger is busy")
        except LedgerUnavailable:
            raise
        except Exception:
            log.exception("attempt_failed", kind=type(claim).__name__)
        finally:
            # The next of the same lane has become due, or an agency has room again.
            self.wake()
