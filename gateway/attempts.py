"""What follows a try that failed, and how its result is written: for deliveries and notifications alike."""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from ..routing.instant import Instant
from ..routing.lifecycle import DeliveryState, EventKind
from ..routing.retry import LEAST_ATTEMPTS, next_attempt
from ..security import KeyStoreError
from . import clock
from .config import RetrySettings, retry_policy
from .ledger import Change, Conflict, DeliveryUpdate, Ledger
from .outcomes import Failure

log = structlog.get_logger()

# A document the peer refuses for what it says is not tried for ever: a person must look.
POISON_TRIES = 3
# Of a reason in the history: enough to act on.
REASON_KEPT = 500
# Events read at once.
PAGE = 500


# Nothing goes on by itself after these.
_FOR_A_PERSON = frozenset({EventKind.DEAD_LETTERED, EventKind.QUARANTINED})


class Retry(NamedTuple):
    """When the next try is due; None: there is none, a person must look."""

    due_ns: int | None
    attempts: int
    first_ns: int


class Attempts:
    """Plans tries and records their results."""

    def __init__(self, ledger: Ledger, now: Callable[[], Instant], jitter: Callable[[], float]) -> None:
        self._ledger = ledger
        self._now = now
        self._jitter = jitter

    def after(
        self,
        failure: Failure,
        settings: RetrySettings,
        attempts: int,
        first_ns: int | None,
        refusals: int | None = None,
    ) -> Retry:
        """The next try after `failure`, which followed `attempts` others, the first of them at `first_ns`.

        `refusals` of them were of the document itself (None: all); only those make a refusal the last one.
        """
        now = self._now()
        first = first_ns if first_ns is not None else now.utc_ns
        tried = attempts + 1
        if failure.final:
            return Retry(None, tried, first)
        if failure.poison and (attempts if refusals is None else refusals) + 1 >= POISON_TRIES:
            return Retry(None, tried, first)
        due = next_attempt(
            retry_policy(settings),
            tried,
            clock.utc_of(first),
            clock.utc(now),
            retry_after=failure.retry_after,
            jitter=self._jitter(),
        )
        return Retry(None if due is None else int(due.timestamp() * 1e9), tried, first)

    def awaited(self, seconds: float, settings: RetrySettings, attempts: int, first_ns: int | None) -> Retry:
        """When what was transferred is sent again, unless its receipt comes within `seconds`."""
        now_ns = self._now().utc_ns
        first = first_ns if first_ns is not None else now_ns
        tried, deadline = attempts + 1, first + int(settings.deadline * 1e9)
        due = now_ns + int(seconds * 1e9)
        if now_ns < deadline:
            return Retry(min(due, deadline), tried, first)
        # As of a failure: a deadline that passed after hardly a try is more likely a clock that was set.
        return Retry(None if tried >= LEAST_ATTEMPTS else due, tried, first)

    async def refusals(self, lodgement: str, delivery: str) -> int:
        """How often `delivery` was refused for what it says since a person last queued it."""
        found, last = 0, 0
        while events := await self._ledger.events(lodgement=lodgement, after=last, limit=PAGE):
            last = events[-1].number
            for event in events:
                if event.kind is EventKind.REQUEUED and event.data.get("delivery", delivery) == delivery:
                    found = 0
                elif event.kind is EventKind.DELIVERY_FAILED and event.data.get("delivery") == delivery:
                    found += event.data.get("poison") == "1"
        return found

    async def record(self, change: Change) -> None:
        """Write a result. A Conflict means the peer's word came in by another way first: that one stands, and
        the events are kept beside it, and the try counts."""
        for event in change.events:
            if event.kind in _FOR_A_PERSON:
                log.error("dead_letter", lodgement=event.lodgement, event_kind=event.kind.value, **event.data)
        (result,) = await self._ledger.commit([change])
        if not isinstance(result, Conflict):
            return
        counted = [one for update in change.delivery_updates if (one := await self._counted(update))]
        told = Change(message=change.message, events=change.events)
        (result,) = await self._ledger.commit([replace(told, delivery_updates=tuple(counted))])
        if isinstance(result, Conflict):
            await self._ledger.commit([told])

    async def _counted(self, late: DeliveryUpdate) -> DeliveryUpdate | None:
        """The try of `late` counted on a delivery as it stands; none where another try is under way."""
        now = await self._ledger.find_delivery(late.id)
        if now is None or late.attempts is None or now.state is DeliveryState.SENDING:
            return None
        return DeliveryUpdate(
            id=now.id, expected=(now.state,), state=now.state, attempts=max(late.attempts, now.attempts)
        )


def our_fault(error: Exception) -> Failure:
    """A fault of ours in a try, as a failure: a document that defeats our own code is tried no more than one
    that defeats its recipient. What a key or certificate of the configuration defeats waits for another."""
    if isinstance(error, KeyStoreError):
        return Failure(reason=f"by the configuration: {error}")
    return Failure(reason=f"unexpected {type(error).__name__}", poison=True)


def failure_data(failure: Failure) -> dict[str, str]:
    """What an event says of a failed try."""
    data = {"reason": failure.reason[:REASON_KEPT]}
    if failure.poison:
        data["poison"] = "1"
    return data | {"alarm": "receipt-mismatch"} if failure.alarm else data
