"""Every state and every transition.

A lodgement, a delivery, a notification and an MDN each live by one table, (state, trigger) -> state, and
nothing else changes a state. A pair that is not in it raises: a fault of ours. None begins a life.

Messages overtake each other, so the tables answer what a slow network makes of an orderly plan: an answer
before its receipt, a receipt after the attempt was given up, an answer to a dead letter. What has been learnt
is never unlearnt: a failed attempt does not take back a receipt that an earlier attempt earned.

The values of the enumerations are stored; they never change.
"""

import enum
from collections.abc import Mapping
from typing import Generic, TypeVar

from .events import TIMESTAMPS, EventKind

__all__ = [
    "DELIVERY",
    "LODGEMENT",
    "MDN",
    "NOTIFICATION",
    "TIMESTAMPS",
    "DeliveryState",
    "DeliveryTrigger",
    "EventKind",
    "IllegalTransition",
    "Lifecycle",
    "LodgementState",
    "LodgementTrigger",
    "MdnState",
    "MdnTrigger",
    "NotificationState",
    "NotificationTrigger",
]


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
    AWAITING = "awaiting"  # transferred, and the asynchronous MDN is awaited until it is sent again
    SENT = "sent"  # the technical receipt is here, the answer is awaited
    ANSWERED = "answered"
    DEAD = "dead"  # the deadline passed or the document cannot be sent: a person must close or requeue it
    MISMATCHED = "mismatched"  # the MDN is of other content than was sent: a person must close or requeue it
    CLOSED = "closed"  # closed by a person
    WITHHELD = "withheld"  # a test document for a live agency: it is never sent


class DeliveryTrigger(enum.Enum):
    """What moves a delivery."""

    QUEUE = "queue"
    WITHHOLD = "withhold"  # a test document, and the agency is live: at the start, or by the time of a try
    CLAIM = "claim"
    FAIL = "fail"  # the attempt failed, the worker's lease lapsed, or the MDN says that it was not processed
    TRANSFER = "transfer"  # taken with a success of HTTP (2xx), and the MDN comes by itself
    RECEIPT = "receipt"
    MISMATCH = "mismatch"  # the MIC of the MDN is not that of what was sent (RFC 4130 7.3.1)
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
    AWAITING = "awaiting"  # as of a delivery
    DELIVERED = "delivered"
    DEAD = "dead"
    MISMATCHED = "mismatched"  # as of a delivery


class NotificationTrigger(enum.Enum):
    """What moves a notification."""

    STORE = "store"
    QUEUE = "queue"
    CLAIM = "claim"
    FAIL = "fail"
    TRANSFER = "transfer"
    RECEIPT = "receipt"
    MISMATCH = "mismatch"
    PULL = "pull"
    EXPIRE = "expire"
    QUARANTINE = "quarantine"
    REQUEUE = "requeue"  # by a person, or at the trader's request
    CLOSE = "close"  # by a person: it stays in the log to be pulled


class MdnState(enum.Enum):
    """Where an MDN stands that is posted to the sender of a message, beside the response (RFC 4130 7.2)."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"
    CLOSED = "closed"  # closed by a person, or posted once in vain


class MdnTrigger(enum.Enum):
    """What moves an asynchronous MDN."""

    QUEUE = "queue"
    CLAIM = "claim"
    FAIL = "fail"
    TRANSFER = "transfer"  # taken with a success of HTTP: there is no receipt for a receipt
    EXPIRE = "expire"
    QUARANTINE = "quarantine"  # the address is none to which it may be posted, any more
    REPEAT = "repeat"  # the message came again: its sender may not have the MDN
    REQUEUE = "requeue"  # by a person
    CLOSE = "close"  # by a person, or after the only try


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


def _stays(state: S, *triggers: T) -> dict[tuple[S | None, T], S]:
    """That each of `triggers` tells nothing new in `state`."""
    return {(state, trigger): state for trigger in triggers}


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
        (_D.PENDING, _DT.TRANSFER): _D.AWAITING,  # by an attempt that had been given up
        (_D.PENDING, _DT.RECEIPT): _D.SENT,  # of such an attempt
        (_D.PENDING, _DT.MISMATCH): _D.MISMATCHED,
        (_D.PENDING, _DT.ANSWER): _D.ANSWERED,  # to such an attempt
        (_D.PENDING, _DT.EXPIRE): _D.DEAD,
        (_D.PENDING, _DT.QUARANTINE): _D.DEAD,
        (_D.PENDING, _DT.REFUSE): _D.DEAD,  # what an attempt brought that had been given up
        (_D.PENDING, _DT.WITHHOLD): _D.WITHHELD,  # the agency went live while a test document waited for it
        (_D.SENDING, _DT.WITHHOLD): _D.WITHHELD,
        (_D.SENDING, _DT.FAIL): _D.PENDING,
        (_D.SENDING, _DT.TRANSFER): _D.AWAITING,
        (_D.SENDING, _DT.RECEIPT): _D.SENT,
        (_D.SENDING, _DT.MISMATCH): _D.MISMATCHED,
        (_D.SENDING, _DT.ANSWER): _D.ANSWERED,  # in the response itself, or ahead of its receipt
        (_D.SENDING, _DT.EXPIRE): _D.DEAD,
        (_D.SENDING, _DT.QUARANTINE): _D.DEAD,
        (_D.SENDING, _DT.REFUSE): _D.DEAD,  # ahead of the receipt
        (_D.AWAITING, _DT.CLAIM): _D.SENDING,  # no MDN came in time
        (_D.AWAITING, _DT.FAIL): _D.PENDING,  # the MDN says that it was not processed
        (_D.AWAITING, _DT.TRANSFER): _D.AWAITING,
        (_D.AWAITING, _DT.RECEIPT): _D.SENT,
        (_D.AWAITING, _DT.MISMATCH): _D.MISMATCHED,
        (_D.AWAITING, _DT.ANSWER): _D.ANSWERED,  # ahead of its receipt
        (_D.AWAITING, _DT.EXPIRE): _D.DEAD,
        (_D.AWAITING, _DT.QUARANTINE): _D.DEAD,
        (_D.AWAITING, _DT.REFUSE): _D.DEAD,
        (_D.AWAITING, _DT.REQUEUE): _D.PENDING,  # the agency lost it and asks again
        # What a second attempt brings after the right receipt of the first.
        **_stays(_D.SENT, _DT.RECEIPT, _DT.TRANSFER, _DT.MISMATCH, _DT.FAIL),
        (_D.SENT, _DT.ANSWER): _D.ANSWERED,
        (_D.SENT, _DT.REFUSE): _D.DEAD,  # no answer will come of it
        (_D.SENT, _DT.REQUEUE): _D.PENDING,  # the agency lost it and asks again
        # An answer may be superseded or withdrawn.
        **_stays(_D.ANSWERED, _DT.ANSWER, _DT.RECEIPT, _DT.TRANSFER, _DT.MISMATCH, _DT.FAIL),
        (_D.DEAD, _DT.RECEIPT): _D.SENT,
        (_D.DEAD, _DT.MISMATCH): _D.MISMATCHED,  # it came after all, but not as it was
        (_D.DEAD, _DT.ANSWER): _D.ANSWERED,
        (_D.DEAD, _DT.REQUEUE): _D.PENDING,
        (_D.DEAD, _DT.CLOSE): _D.CLOSED,
        (_D.MISMATCHED, _DT.RECEIPT): _D.SENT,  # of another try: what came is what was sent
        **_stays(_D.MISMATCHED, _DT.TRANSFER, _DT.MISMATCH, _DT.FAIL),
        (_D.MISMATCHED, _DT.ANSWER): _D.ANSWERED,
        (_D.MISMATCHED, _DT.REFUSE): _D.DEAD,
        (_D.MISMATCHED, _DT.REQUEUE): _D.PENDING,
        (_D.MISMATCHED, _DT.CLOSE): _D.CLOSED,
        **_stays(_D.CLOSED, _DT.RECEIPT, _DT.MISMATCH),
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
        (_N.STORED, _NT.RECEIPT): _N.DELIVERED,  # a person closed it, and the MDN still came
        (_N.STORED, _NT.MISMATCH): _N.STORED,
        (_N.PENDING, _NT.CLAIM): _N.SENDING,
        (_N.PENDING, _NT.TRANSFER): _N.AWAITING,
        (_N.PENDING, _NT.RECEIPT): _N.DELIVERED,
        (_N.PENDING, _NT.MISMATCH): _N.MISMATCHED,
        (_N.PENDING, _NT.PULL): _N.PENDING,  # whoever pulls may not be the system that is pushed to
        (_N.PENDING, _NT.EXPIRE): _N.DEAD,
        (_N.PENDING, _NT.QUARANTINE): _N.DEAD,
        (_N.SENDING, _NT.FAIL): _N.PENDING,
        (_N.SENDING, _NT.TRANSFER): _N.AWAITING,
        (_N.SENDING, _NT.RECEIPT): _N.DELIVERED,
        (_N.SENDING, _NT.MISMATCH): _N.MISMATCHED,
        (_N.SENDING, _NT.PULL): _N.SENDING,
        (_N.SENDING, _NT.EXPIRE): _N.DEAD,
        (_N.SENDING, _NT.QUARANTINE): _N.DEAD,
        (_N.AWAITING, _NT.CLAIM): _N.SENDING,
        (_N.AWAITING, _NT.FAIL): _N.PENDING,
        (_N.AWAITING, _NT.TRANSFER): _N.AWAITING,
        (_N.AWAITING, _NT.RECEIPT): _N.DELIVERED,
        (_N.AWAITING, _NT.MISMATCH): _N.MISMATCHED,
        (_N.AWAITING, _NT.PULL): _N.AWAITING,
        (_N.AWAITING, _NT.EXPIRE): _N.DEAD,
        (_N.AWAITING, _NT.QUARANTINE): _N.DEAD,
        (_N.AWAITING, _NT.REQUEUE): _N.PENDING,
        **_stays(_N.DELIVERED, _NT.RECEIPT, _NT.TRANSFER, _NT.MISMATCH, _NT.FAIL, _NT.PULL),
        (_N.DELIVERED, _NT.REQUEUE): _N.PENDING,
        (_N.DEAD, _NT.RECEIPT): _N.DELIVERED,
        (_N.DEAD, _NT.MISMATCH): _N.MISMATCHED,
        (_N.DEAD, _NT.PULL): _N.DELIVERED,
        (_N.DEAD, _NT.REQUEUE): _N.PENDING,
        (_N.DEAD, _NT.CLOSE): _N.STORED,
        (_N.MISMATCHED, _NT.RECEIPT): _N.DELIVERED,
        **_stays(_N.MISMATCHED, _NT.TRANSFER, _NT.MISMATCH, _NT.FAIL),
        (_N.MISMATCHED, _NT.PULL): _N.DELIVERED,
        (_N.MISMATCHED, _NT.REQUEUE): _N.PENDING,
        (_N.MISMATCHED, _NT.CLOSE): _N.STORED,
    }
)

_M, _MT = MdnState, MdnTrigger
MDN: Lifecycle[MdnState, MdnTrigger] = Lifecycle(
    {
        (None, _MT.QUEUE): _M.PENDING,
        (_M.PENDING, _MT.CLAIM): _M.SENDING,
        (_M.PENDING, _MT.TRANSFER): _M.DELIVERED,  # by an attempt that had been given up
        (_M.PENDING, _MT.EXPIRE): _M.DEAD,
        (_M.PENDING, _MT.QUARANTINE): _M.DEAD,
        (_M.PENDING, _MT.REPEAT): _M.PENDING,
        (_M.SENDING, _MT.FAIL): _M.PENDING,
        (_M.SENDING, _MT.TRANSFER): _M.DELIVERED,
        (_M.SENDING, _MT.EXPIRE): _M.DEAD,
        (_M.SENDING, _MT.QUARANTINE): _M.DEAD,
        (_M.SENDING, _MT.CLOSE): _M.CLOSED,
        (_M.SENDING, _MT.REPEAT): _M.SENDING,  # it is under way already
        **_stays(_M.DELIVERED, _MT.TRANSFER, _MT.FAIL),
        (_M.DELIVERED, _MT.REPEAT): _M.PENDING,
        (_M.DELIVERED, _MT.REQUEUE): _M.PENDING,
        (_M.DEAD, _MT.TRANSFER): _M.DELIVERED,
        (_M.DEAD, _MT.REPEAT): _M.PENDING,
        (_M.DEAD, _MT.REQUEUE): _M.PENDING,
        (_M.DEAD, _MT.CLOSE): _M.CLOSED,
        (_M.CLOSED, _MT.TRANSFER): _M.CLOSED,
        (_M.CLOSED, _MT.REPEAT): _M.PENDING,
    }
)
