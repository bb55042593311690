"""Dead letters: deliveries, notifications and MDNs that were given up, and what a person does with them.

One that was not received as it was sent is among them: nobody gave it up, but nothing goes on by itself. A
person tries it again from the beginning, or closes it for a reason. Either is an event of the history.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from ..routing.instant import NANOSECONDS, Instant
from ..routing.lifecycle import (
    DELIVERY,
    MDN,
    NOTIFICATION,
    DeliveryState,
    DeliveryTrigger,
    EventKind,
    IllegalTransition,
    MdnState,
    MdnTrigger,
    NotificationState,
    NotificationTrigger,
)
from . import clock
from .ledger import (
    Change,
    Conflict,
    DeliveryRecord,
    DeliveryUpdate,
    EventRecord,
    Ledger,
    MdnRecord,
    MdnUpdate,
    NotificationRecord,
    NotificationUpdate,
)

# More dead letters than this are one fault with one cause: the first of them tell.
MOST = 1000
# Rows of a history read at once.
PAGE = 1000
# Of a reason in the history: enough to say why.
REASON_KEPT = 500

_ENDS = frozenset(
    {
        EventKind.DEAD_LETTERED,
        EventKind.QUARANTINED,
        EventKind.DELIVERY_MISMATCHED,
        EventKind.NOTIFICATION_MISMATCHED,
    }
)
# Why, where the history does not tell.
_UNTOLD = {"dead": "it has no address to be sent to", "mismatched": "its receipt is of other content"}
# What waits for a person, of each kind. The values of both kinds are the same words.
_ENDED = (DeliveryState.DEAD, DeliveryState.MISMATCHED)
_UNHEARD = (NotificationState.DEAD, NotificationState.MISMATCHED)
# The word for what a person does, and what it is in each life.
REQUEUE, CLOSE = "requeue", "close"
_DONE = {REQUEUE: "requeued", CLOSE: "closed"}
_TRIGGERS = {
    REQUEUE: (DeliveryTrigger.REQUEUE, NotificationTrigger.REQUEUE, MdnTrigger.REQUEUE, EventKind.REQUEUED),
    CLOSE: (DeliveryTrigger.CLOSE, NotificationTrigger.CLOSE, MdnTrigger.CLOSE, EventKind.CLOSED),
}

_Found = DeliveryRecord | NotificationRecord | MdnRecord


class UnknownLetter(Exception):  # noqa: N818 - named for what was asked
    """No delivery, notification or MDN has this id."""


class NotPossible(Exception):  # noqa: N818 - as above
    """What is asked cannot be done in the state it is in; nothing was changed."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """One of them. `kind` is what it is, `state` "dead" or "mismatched"; `since` is when it came to that,
    `age` the seconds from then on. `message` is what an MDN is the receipt of."""

    id: str
    kind: str
    state: str
    to: str
    declaration: str | None
    message: str | None = None
    since: str
    age: int
    attempts: int
    reason: str


class DeadLetters:
    """Reads and moves dead letters in `ledger`. `wake` is called when something may have become due."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        self._ledger = ledger
        self._wake = wake
        self._now = now

    async def all(self) -> list[DeadLetter]:
        """The dead letters: deliveries, then notifications, then MDNs."""
        found: list[_Found] = []
        for state in _ENDED:
            found += await self._ledger.deliveries(state=state, limit=MOST)
        for unheard in _UNHEARD:
            found += await self._ledger.notifications_in_state(state=unheard, limit=MOST)
        found += await self._ledger.mdns(state=MdnState.DEAD, limit=MOST)
        return [await self._letter(one) for one in found[:MOST]]

    async def requeue(self, reference: str, why: str = "") -> dict[str, Any]:
        """Try it again from the beginning, with the same bytes under the same reference. Raises UnknownLetter
        and NotPossible."""
        return await self._move(REQUEUE, reference, why)

    async def close(self, reference: str, why: str) -> dict[str, Any]:
        """Try it no more. Raises UnknownLetter and NotPossible."""
        return await self._move(CLOSE, reference, why)

    async def _move(self, what: str, reference: str, why: str) -> dict[str, Any]:
        found = await self._find(reference)
        if found is None:
            raise UnknownLetter(reference)
        try:
            change, state = self._change(what, found, why)
        except IllegalTransition:
            raise NotPossible(f"{reference} is {found.state.value}: it cannot be {_DONE[what]}") from None
        (result,) = await self._ledger.commit([change])
        if isinstance(result, Conflict):
            raise NotPossible(f"{reference} is no longer {found.state.value}: look again")
        self._wake()
        return {"id": reference, "state": state}

    async def _find(self, reference: str) -> _Found | None:
        found = await self._ledger.find_delivery(reference) or await self._ledger.find_notification(reference)
        if found is not None:
            return found
        mdn = await self._ledger.find_mdn(reference)
        # It is found by its message too; here its own id is asked for.
        return mdn if mdn is not None and mdn.id == reference else None

    def _change(self, what: str, found: _Found, why: str) -> tuple[Change, str]:
        of_delivery, of_notification, of_mdn, kind = _TRIGGERS[what]
        now = self._now()
        # Tries and deadline begin anew.
        again: dict[str, Any] = {}
        if what == REQUEUE:
            again = {"due_ns": now.utc_ns, "attempts": 0, "first_attempt_ns": now.utc_ns}
        data = _named(found) | ({"reason": why[:REASON_KEPT]} if why else {})
        event = EventRecord(
            kind=kind, at=now, lodgement=_lodgement(found), message=_message(found), data=data
        )
        if isinstance(found, MdnRecord):
            posted = MDN.after(found.state, of_mdn)
            again_mdn = MdnUpdate(id=found.id, expected=(found.state,), state=posted, **again)
            return Change(mdn_updates=(again_mdn,), events=(event,)), posted.value
        if isinstance(found, DeliveryRecord):
            state = DELIVERY.after(found.state, of_delivery)
            update = DeliveryUpdate(id=found.id, expected=(found.state,), state=state, **again)
            return Change(delivery_updates=(update,), events=(event,)), state.value
        after = NOTIFICATION.after(found.state, of_notification)
        moved = NotificationUpdate(id=found.id, expected=(found.state,), state=after, **again)
        return Change(notification_updates=(moved,), events=(event,)), after.value

    async def _letter(self, found: _Found) -> DeadLetter:
        at, reason = await self._end(found)
        kind, to = _addressed(found)
        return DeadLetter(
            id=found.id,
            kind=kind,
            state=found.state.value,
            to=to,
            declaration=_lodgement(found),
            message=_message(found),
            since=clock.utc_of(at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            age=max(0, (self._now().utc_ns - at) // NANOSECONDS),
            attempts=found.attempts,
            reason=reason,
        )

    async def _end(self, found: _Found) -> tuple[int, str]:
        """When and why it was given up, as the history tells; of what it does not tell, since when it is."""
        at, reason = found.due_ns, _UNTOLD[found.state.value]
        async for event in self._history(found):
            if event.kind in _ENDS and found.id in event.data.values():
                at, reason = event.at.utc_ns, event.data.get("reason", "")
        return at, reason

    async def _history(self, found: _Found) -> AsyncIterator[EventRecord]:
        lodgement, message = _lodgement(found), _message(found)
        after = 0
        while lodgement is not None or message is not None:
            page = await self._ledger.events(lodgement=lodgement, message=message, after=after, limit=PAGE)
            for event in page:
                yield event
            if len(page) < PAGE:
                return
            after = page[-1].number


def _addressed(found: _Found) -> tuple[str, str]:
    """What it is, and to whom it goes."""
    if isinstance(found, DeliveryRecord):
        return "delivery", found.agency
    return ("mdn", found.party) if isinstance(found, MdnRecord) else ("notification", found.partner)


def _lodgement(found: _Found) -> str | None:
    return None if isinstance(found, MdnRecord) else found.lodgement


def _message(found: _Found) -> str | None:
    return found.message if isinstance(found, MdnRecord) else None


def _named(found: _Found) -> dict[str, str]:
    if isinstance(found, DeliveryRecord):
        return {"agency": found.agency, "delivery": found.id}
    return {_addressed(found)[0]: found.id}
