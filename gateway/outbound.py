"""The outbound path: what is due is claimed, written, kept, sent, and its result recorded.

    claim -> codecs.write -> as2.compose -> keep the wire -> client.send -> record (one transaction)

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
from .delivering import ABSENT_NS, Delivering
from .ledger import ClaimedDelivery, ClaimedNotification, Ledger, LedgerBusy, LedgerUnavailable
from .notifying import Notifying
from .parties import Parties
from .sender import Sender

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

_Claim = TypeVar("_Claim", ClaimedDelivery, ClaimedNotification)


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
        attempts = Attempts(ledger, now, jitter)
        self.deliveries = Delivering(ledger, parties, answers, decisions, sender, attempts, now)
        self.notifications = Notifying(ledger, parties, sender, attempts, now)
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
        now_ns = self._now().utc_ns
        deliveries = await self._ledger.claim_deliveries(
            now_ns=now_ns, lease_ns=LEASE_NS, limit=CLAIM_LIMIT, skip=self.deliveries.busy()
        )
        notifications = await self._ledger.claim_notifications(
            now_ns=now_ns, lease_ns=LEASE_NS, limit=CLAIM_LIMIT
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
