"""Every state, every transition, every kind of event.

A lodgement, a delivery and a notification each live by one table, (state, trigger) -> state, and nothing else
changes a state. A pair that is not in the table raises: it is a fault of ours, never of a peer. The row keyed
with None says how a life begins.

Messages overtake each other, so the tables answer what a slow network makes of an orderly plan: an answer
before its receipt, a receipt after the attempt was given up, an answer to a dead letter. What has been learnt
is never unlearnt: a failed attempt does not take back a receipt that an earlier attempt earned.

The values of the enumerations are stored; they never change.
"""

import enum
from collections.abc import Mapping
from typing import Generic, TypeVar


class LodgementState(enum.Enum):
    """What the trader has been told about a declaration."""

    REJECTED = "rejected"  # the document is invalid; terminal
    ACCEPTED = "accepted"  # durable, and waiting for its agencies
    HELD = "held"  # a hold, an inspection or a request for documents was told
    REFUSED = "refused"
    RELEASED = "released"
    CANCELLED = "cancelled"  # terminal


class LodgementTrigger(enum.Enum):
    """What moves a lodgement: the validation, then each decision as it is told."""

    VALID = "valid"
    INVALID = "invalid"
    HOLD = "hold"
    REFUSE = "refuse"
    RELEASE = "release"
    CANCEL = "cancel"
    REOPEN = "reopen"  # an agency withdrew the answer that was told, and nothing took its place


class DeliveryState(enum.Enum):
    """Where one lodgement stands with one agency."""

    PENDING = "pending"
    SENDING = "sending"  # claimed by a worker, whose lease may lapse
    SENT = "sent"  # the technical receipt is here, the answer is awaited
    ANSWERED = "answered"
    DEAD = "dead"  # the deadline passed or the document cannot be sent: a person must close or requeue it
    CLOSED = "closed"  # closed by a person
    WITHHELD = "withheld"  # a test document for a live agency: it is never sent


class DeliveryTrigger(enum.Enum):
    """What moves a delivery."""

    QUEUE = "queue"
    WITHHOLD = "withhold"  # a test document, and the agency is live: at the start, or by the time of a try
    CLAIM = "claim"
    FAIL = "fail"  # the attempt failed, or the worker's lease lapsed
    RECEIPT = "receipt"
    ANSWER = "answer"
    EXPIRE = "expire"  # the agreement's deadline passed
    QUARANTINE = "quarantine"  # the document defeats our own writer
    REFUSE = "refuse"  # the agency could not read it and says so
    REQUEUE = "requeue"  # by a person
    CLOSE = "close"  # by a person


class NotificationState(enum.Enum):
    """Where one entry of a trader's log stands. It can be pulled in every state."""

    STORED = "stored"  # to be pulled only
    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"


class NotificationTrigger(enum.Enum):
    """What moves a notification."""

    STORE = "store"
    QUEUE = "queue"
    CLAIM = "claim"
    FAIL = "fail"
    RECEIPT = "receipt"
    PULL = "pull"
    EXPIRE = "expire"
    QUARANTINE = "quarantine"
    REQUEUE = "requeue"  # by a person, or at the trader's request
    CLOSE = "close"  # by a person: it stays in the log to be pulled


class EventKind(enum.Enum):
    """A row of the history. TIMESTAMPS says which point of the service level each one marks."""

    FIRST_BYTE = "first_byte"
    RECEIVED = "received"
    DURABLE = "durable"
    RECEIPT_SENT = "receipt_sent"
    VALIDATED = "validated"
    REJECTED = "rejected"
    ROUTED = "routed"
    WITHHELD = "withheld"
    DELIVERY_STARTED = "delivery_started"
    DELIVERY_RECEIPTED = "delivery_receipted"
    DELIVERY_FAILED = "delivery_failed"
    CONTROLLED = "controlled"  # the agency says that what it got is right, or that it came: CONTRL, APERAK
    ANSWERED = "answered"
    DECIDED = "decided"
    NOTIFIED = "notified"  # durable in the trader's log; `push` = "1" in its data when it is also sent
    NOTIFICATION_STARTED = "notification_started"
    NOTIFICATION_FAILED = "notification_failed"
    NOTIFICATION_DELIVERED = "notification_delivered"
    NOTIFICATION_PULLED = "notification_pulled"
    ACKNOWLEDGED = "acknowledged"  # the trader says so of what it was told
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"  # not taken: authentication, integrity, size; or it speaks of nothing sent
    QUARANTINED = "quarantined"
    DEAD_LETTERED = "dead_lettered"
    ALARM = "alarm"  # a person must look; `alarm` in its data says why
    REQUEUED = "requeued"
    CLOSED = "closed"


# The points of the service level, and the event whose time each one is. Those of an agency carry `agency` in
# their data. An answer of a trader's log that is pushed reaches t9 with NOTIFICATION_STARTED.
TIMESTAMPS: Mapping[str, EventKind] = {
    "t0": EventKind.FIRST_BYTE,
    "t1": EventKind.RECEIVED,
    "t2": EventKind.DURABLE,
    "t3": EventKind.RECEIPT_SENT,
    "t4": EventKind.VALIDATED,
    "t5": EventKind.DELIVERY_STARTED,
    "t6": EventKind.DELIVERY_RECEIPTED,
    "t7": EventKind.ANSWERED,
    "t8": EventKind.DECIDED,
    "t9": EventKind.NOTIFIED,
    "t10": EventKind.NOTIFICATION_DELIVERED,
    "t11": EventKind.ACKNOWLEDGED,
}


class IllegalTransition(Exception):  # noqa: N818 - the name says what it is, as the lifecycle's own term
    """A trigger that the state does not know. Nothing was changed."""

    def __init__(self, state: enum.Enum | None, trigger: enum.Enum) -> None:
        super().__init__(f"{trigger} is not possible in {state if state is not None else 'a new life'}")
        self.state = state
        self.trigger = trigger


S = TypeVar("S", bound=enum.Enum)
T = TypeVar("T", bound=enum.Enum)


class Lifecycle(Generic[S, T]):
    """One transition table and the only way to ask it."""

    def __init__(self, table: Mapping[tuple[S | None, T], S]) -> None:
        self.table = dict(table)

    def after(self, state: S | None, trigger: T) -> S:
        """The state that `trigger` leads to; None begins. Raises IllegalTransition for an unknown pair."""
        try:
            return self.table[state, trigger]
        except KeyError:
            raise IllegalTransition(state, trigger) from None

    def sources(self, trigger: T) -> tuple[S, ...]:
        """The states in which `trigger` is possible: what a query may select."""
        return tuple(state for state, known in self.table if known is trigger and state is not None)


_L, _LT = LodgementState, LodgementTrigger
_DECISIONS = {
    _LT.HOLD: _L.HELD,
    _LT.REFUSE: _L.REFUSED,
    _LT.RELEASE: _L.RELEASED,
    _LT.CANCEL: _L.CANCELLED,
    _LT.REOPEN: _L.ACCEPTED,
}
# An agency may supersede or withdraw its answer at any time (a release recalled, a refusal appealed), so
# every decision may follow every other. Only an invalid document and a cancelled declaration are finished.
LODGEMENT: Lifecycle[LodgementState, LodgementTrigger] = Lifecycle(
    {(None, _LT.VALID): _L.ACCEPTED, (None, _LT.INVALID): _L.REJECTED}
    | {
        (state, trigger): target
        for state in (_L.ACCEPTED, _L.HELD, _L.REFUSED, _L.RELEASED)
        for trigger, target in _DECISIONS.items()
    }
)

_D, _DT = DeliveryState, DeliveryTrigger
DELIVERY: Lifecycle[DeliveryState, DeliveryTrigger] = Lifecycle(
    {
        (None, _DT.QUEUE): _D.PENDING,
        (None, _DT.WITHHOLD): _D.WITHHELD,
        (_D.PENDING, _DT.CLAIM): _D.SENDING,
        (_D.PENDING, _DT.RECEIPT): _D.SENT,  # of an attempt that had been given up
        (_D.PENDING, _DT.ANSWER): _D.ANSWERED,  # to such an attempt
        (_D.PENDING, _DT.EXPIRE): _D.DEAD,
        (_D.PENDING, _DT.QUARANTINE): _D.DEAD,
        (_D.PENDING, _DT.REFUSE): _D.DEAD,  # what an attempt brought that had been given up
        (_D.PENDING, _DT.WITHHOLD): _D.WITHHELD,  # the agency went live while a test document waited for it
        (_D.SENDING, _DT.WITHHOLD): _D.WITHHELD,
        (_D.SENDING, _DT.FAIL): _D.PENDING,
        (_D.SENDING, _DT.RECEIPT): _D.SENT,
        (_D.SENDING, _DT.ANSWER): _D.ANSWERED,  # in the response itself, or ahead of its receipt
        (_D.SENDING, _DT.EXPIRE): _D.DEAD,
        (_D.SENDING, _DT.QUARANTINE): _D.DEAD,
        (_D.SENDING, _DT.REFUSE): _D.DEAD,  # ahead of the receipt
        (_D.SENT, _DT.RECEIPT): _D.SENT,
        (_D.SENT, _DT.FAIL): _D.SENT,  # a second attempt failed after the receipt of the first
        (_D.SENT, _DT.ANSWER): _D.ANSWERED,
        (_D.SENT, _DT.REFUSE): _D.DEAD,  # no answer will come of it
        (_D.SENT, _DT.REQUEUE): _D.PENDING,  # the agency lost it and asks again
        (_D.ANSWERED, _DT.ANSWER): _D.ANSWERED,  # superseded or withdrawn
        (_D.ANSWERED, _DT.RECEIPT): _D.ANSWERED,
        (_D.ANSWERED, _DT.FAIL): _D.ANSWERED,
        (_D.DEAD, _DT.RECEIPT): _D.SENT,
        (_D.DEAD, _DT.ANSWER): _D.ANSWERED,
        (_D.DEAD, _DT.REQUEUE): _D.PENDING,
        (_D.DEAD, _DT.CLOSE): _D.CLOSED,
        (_D.CLOSED, _DT.RECEIPT): _D.CLOSED,
        (_D.CLOSED, _DT.ANSWER): _D.ANSWERED,  # a person closed it, the agency still speaks
    }
)

_N, _NT = NotificationState, NotificationTrigger
NOTIFICATION: Lifecycle[NotificationState, NotificationTrigger] = Lifecycle(
    {
        (None, _NT.STORE): _N.STORED,
        (None, _NT.QUEUE): _N.PENDING,
        (_N.STORED, _NT.PULL): _N.DELIVERED,
        (_N.STORED, _NT.REQUEUE): _N.PENDING,
        (_N.PENDING, _NT.CLAIM): _N.SENDING,
        (_N.PENDING, _NT.RECEIPT): _N.DELIVERED,
        (_N.PENDING, _NT.PULL): _N.PENDING,  # whoever pulls may not be the system that is pushed to
        (_N.PENDING, _NT.EXPIRE): _N.DEAD,
        (_N.PENDING, _NT.QUARANTINE): _N.DEAD,
        (_N.SENDING, _NT.FAIL): _N.PENDING,
        (_N.SENDING, _NT.RECEIPT): _N.DELIVERED,
        (_N.SENDING, _NT.PULL): _N.SENDING,
        (_N.SENDING, _NT.EXPIRE): _N.DEAD,
        (_N.SENDING, _NT.QUARANTINE): _N.DEAD,
        (_N.DELIVERED, _NT.RECEIPT): _N.DELIVERED,
        (_N.DELIVERED, _NT.FAIL): _N.DELIVERED,
        (_N.DELIVERED, _NT.PULL): _N.DELIVERED,
        (_N.DELIVERED, _NT.REQUEUE): _N.PENDING,
        (_N.DEAD, _NT.RECEIPT): _N.DELIVERED,
        (_N.DEAD, _NT.PULL): _N.DELIVERED,
        (_N.DEAD, _NT.REQUEUE): _N.PENDING,
        (_N.DEAD, _NT.CLOSE): _N.STORED,
    }
)
