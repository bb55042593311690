"""What an outcome makes of a delivery or a notification: one change, whether it was learnt from the response
to a try or from a receipt that came by itself.

A receipt that comes by itself comes when it will: before the response to the try was recorded, twice, after
the deadline, after the answer. The tables of `routing.lifecycle` have an answer for each; what they do not
know changes nothing and is told in the history.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from ..routing.instant import Instant
from ..routing.lifecycle import (
    DELIVERY,
    NOTIFICATION,
    DeliveryState,
    DeliveryTrigger,
    EventKind,
    IllegalTransition,
    Lifecycle,
    NotificationState,
    NotificationTrigger,
)
from .attempts import Attempts, Retry, failure_data
from .ledger import (
    Change,
    DeliveryRecord,
    DeliveryUpdate,
    EventRecord,
    NotificationRecord,
    NotificationUpdate,
)
from .outcomes import Failure, Mdn, Mismatched, Outcome, Received, Transferred
from .parties import Party

NO_RECEIPT = "no receipt came before the deadline"
# Waited for a receipt where an agreement is gone that would say how long.
_RECEIPT_SECONDS = 900.0


class Subject(NamedTuple):
    """What was sent, and to whom."""

    record: DeliveryRecord | NotificationRecord
    party: Party

    @property
    def named(self) -> dict[str, str]:
        """How events name it."""
        if isinstance(self.record, DeliveryRecord):
            return {"agency": self.record.agency, "delivery": self.record.id}
        return {"notification": self.record.id}


class _Life(NamedTuple):
    """The words of one kind of life. Its triggers and states have the same names in both."""

    table: Lifecycle[Any, Any]
    trigger: type[DeliveryTrigger] | type[NotificationTrigger]
    state: type[DeliveryState] | type[NotificationState]
    settled: DeliveryState | NotificationState
    receipted: EventKind
    transferred: EventKind
    mismatched: EventKind
    failed: EventKind


_DELIVERY = _Life(
    DELIVERY,
    DeliveryTrigger,
    DeliveryState,
    DeliveryState.SENT,
    EventKind.DELIVERY_RECEIPTED,
    EventKind.DELIVERY_TRANSFERRED,
    EventKind.DELIVERY_MISMATCHED,
    EventKind.DELIVERY_FAILED,
)
_NOTIFICATION = _Life(
    NOTIFICATION,
    NotificationTrigger,
    NotificationState,
    NotificationState.DELIVERED,
    EventKind.NOTIFICATION_DELIVERED,
    EventKind.NOTIFICATION_TRANSFERRED,
    EventKind.NOTIFICATION_MISMATCHED,
    EventKind.NOTIFICATION_FAILED,
)


class Settling:
    """Makes changes of outcomes; writing them is the caller's."""

    def __init__(self, attempts: Attempts, now: Callable[[], Instant]) -> None:
        self._attempts = attempts
        self._now = now

    async def by_try(self, subject: Subject, outcome: Outcome, started: tuple[EventRecord, ...]) -> Change:
        """After a try at `subject`, as it was claimed; `started` are the events of the try so far."""
        record, life = subject.record, _life(subject)
        step = _Step(subject, life, life.state.SENDING, self._now(), started)
        tried = record.attempts + 1
        if isinstance(outcome, Received):
            step = step.told(life.receipted, outcome.mdn)
            return step.to(life.trigger.RECEIPT, attempts=tried)
        if isinstance(outcome, Mismatched):
            step = step.told(life.mismatched, outcome.mdn, _mismatch(outcome))
            return step.to(life.trigger.MISMATCH, attempts=tried)
        if isinstance(outcome, Transferred):
            retry, reason = self._awaited(subject), NO_RECEIPT
            step, trigger = step.told(life.transferred), life.trigger.TRANSFER
        else:
            retry, reason = await self._after(subject, outcome, record.attempts), outcome.reason
            step, trigger = step.told(life.failed, outcome.mdn, failure_data(outcome)), life.trigger.FAIL
        if retry.due_ns is None:
            step, trigger = step.told(EventKind.DEAD_LETTERED, None, {"reason": reason}), life.trigger.EXPIRE
        return step.to(trigger, attempts=retry.attempts, due_ns=retry.due_ns, first_ns=retry.first_ns)

    async def by_mdn(self, subject: Subject, outcome: Received | Mismatched | Failure) -> Change:
        """After a receipt that came by itself for `subject`, as it stands; the tries are counted already."""
        record, life = subject.record, _life(subject)
        step = _Step(subject, life, record.state, self._now(), ())
        if isinstance(outcome, Received):
            again = record.state is life.settled
            step = step.told(EventKind.DUPLICATE if again else life.receipted, outcome.mdn)
            return step.to(life.trigger.RECEIPT)
        if isinstance(outcome, Mismatched):
            step = step.told(life.mismatched, outcome.mdn, _mismatch(outcome))
            return step.to(life.trigger.MISMATCH)
        retry = await self._after(subject, outcome, max(0, record.attempts - 1))
        step = step.told(life.failed, outcome.mdn, failure_data(outcome))
        if retry.due_ns is None and step.leads(life.trigger.EXPIRE):
            step = step.told(EventKind.DEAD_LETTERED, None, {"reason": outcome.reason})
            return step.to(life.trigger.EXPIRE)
        return step.to(life.trigger.FAIL, due_ns=retry.due_ns)

    def _awaited(self, subject: Subject) -> Retry:
        record, settings = subject.record, subject.party.settings
        seconds = settings.as2.receipt_seconds if settings.as2 is not None else _RECEIPT_SECONDS
        return self._attempts.awaited(seconds, settings.retry, record.attempts, record.first_attempt_ns)

    async def _after(self, subject: Subject, failure: Failure, attempts: int) -> Retry:
        record = subject.record
        refused = None
        if isinstance(record, DeliveryRecord):
            refused = await self._attempts.refusals(record.lodgement, record.id) if failure.poison else 0
        return self._attempts.after(
            failure, subject.party.settings.retry, attempts, record.first_attempt_ns, refused
        )


class _Step(NamedTuple):
    """A change in the making: from `state`, with what the history and the archive get."""

    subject: Subject
    life: _Life
    state: DeliveryState | NotificationState
    at: Instant
    events: tuple[EventRecord, ...]
    change: Change = Change()

    def told(self, kind: EventKind, mdn: Mdn | None = None, data: dict[str, str] | None = None) -> "_Step":
        """With an event, and with the receipt that it speaks of."""
        message, change = None, self.change
        if mdn is not None:
            believed = mdn.signer is not None or kind is not self.life.failed
            message = mdn.record(self.subject.party.name, accepted=believed)
            change = msgspec.structs.replace(change, message=message)
        event = EventRecord(
            kind=kind,
            at=self.at,
            lodgement=self.subject.record.lodgement,
            message=message.id if message is not None else None,
            data=self.subject.named | (mdn.told() if mdn is not None else {}) | (data or {}),
        )
        return self._replace(events=(*self.events, event), change=change)

    def leads(self, trigger: DeliveryTrigger | NotificationTrigger) -> bool:
        """Whether `trigger` is possible here."""
        return (self.state, trigger) in self.life.table.table

    def to(
        self,
        trigger: DeliveryTrigger | NotificationTrigger,
        *,
        attempts: int | None = None,
        due_ns: int | None = None,
        first_ns: int | None = None,
    ) -> Change:
        """The change, with the state after `trigger`; with none where the state does not know it."""
        change = msgspec.structs.replace(self.change, events=self.events)
        try:
            after = self.life.table.after(self.state, trigger)
        except IllegalTransition:
            return change
        if after is self.state and attempts is None:
            return change
        moved: dict[str, Any] = {
            "id": self.subject.record.id,
            "expected": self._expected(trigger, after),
            "state": after,
            "due_ns": due_ns,
            "attempts": attempts,
            "first_attempt_ns": first_ns,
        }
        if isinstance(self.subject.record, DeliveryRecord):
            return msgspec.structs.replace(change, delivery_updates=(DeliveryUpdate(**moved),))
        return msgspec.structs.replace(change, notification_updates=(NotificationUpdate(**moved),))

    def _expected(
        self, trigger: DeliveryTrigger | NotificationTrigger, after: DeliveryState | NotificationState
    ) -> tuple[Any, ...]:
        """What was learnt holds whatever another try came to meanwhile; a failure is of this one only."""
        if trigger in {self.life.trigger.FAIL, self.life.trigger.EXPIRE}:
            return (self.state,)
        table = self.life.table
        return tuple(state for state in table.sources(trigger) if table.after(state, trigger) is after)


def _life(subject: Subject) -> _Life:
    return _DELIVERY if isinstance(subject.record, DeliveryRecord) else _NOTIFICATION


def _mismatch(outcome: Mismatched) -> dict[str, str]:
    return {"reason": outcome.reason, "alarm": "receipt-mismatch"}
