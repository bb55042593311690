"""Every outcome in every state: what the tables say is done, and what they do not know changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.gateway.attempts import Attempts
from tidewaiter.gateway.ledger import DeliveryRecord, NotificationRecord
from tidewaiter.gateway.outcomes import Failure, Mdn, Mismatched, Received, Transferred
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.settling import Settling, Subject
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.lifecycle import (
    DELIVERY,
    NOTIFICATION,
    DeliveryState,
    DeliveryTrigger,
    EventKind,
    NotificationState,
    NotificationTrigger,
)

pytestmark = pytest.mark.anyio

NOW = Instant(utc_ns=10**18, monotonic_ns=5, process="test")
MDN = Mdn(headers=(), body=b"mdn", received=NOW, disposition="processed", signer="ab")
RECEIVED, OTHER = Received(mdn=MDN), Mismatched(reason="other", mdn=MDN)
FINAL = Failure(reason="no", poison=True, final=True, mdn=MDN)
AGAIN = Failure(reason="later", mdn=MDN)
D, N = DeliveryTrigger, NotificationTrigger


class NoEvents:
    """In place of the ledger: nothing was refused before."""

    async def events(self, **_: Any) -> list[Any]:
        return []


@pytest.fixture
def settling() -> Settling:
    return Settling(Attempts(NoEvents(), lambda: NOW, lambda: 0.5), lambda: NOW)  # type: ignore[arg-type]


@pytest.fixture
def subject(parties: Parties) -> Callable[..., Subject]:
    def make(state: DeliveryState | NotificationState, **changed: Any) -> Subject:
        if isinstance(state, DeliveryState):
            record: Any = DeliveryRecord(
                id="D1", lodgement="L1", root="L1", agency="customs", state=state, due_ns=0, **changed
            )
            return Subject(record, parties.agencies["customs"])
        record = NotificationRecord(
            id="N1",
            partner="trader",
            lodgement="L1",
            kind="CUSRES",
            content_type="x/y",
            body=b"",
            state=state,
            due_ns=0,
            created=NOW,
            **changed,
        )
        return Subject(record, parties.partners["trader"])

    return make


def moved(change: Any) -> Any:
    """The one update of a change, or None."""
    updates = (*change.delivery_updates, *change.notification_updates)
    assert len(updates) < 2
    return updates[0] if updates else None


STATES = [*DeliveryState, *NotificationState]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("outcome", "of_delivery", "of_notification"),
    [
        (RECEIVED, D.RECEIPT, N.RECEIPT),
        (OTHER, D.MISMATCH, N.MISMATCH),
        (AGAIN, D.FAIL, N.FAIL),
        (FINAL, D.EXPIRE, N.EXPIRE),
    ],
)
async def test_a_receipt_that_comes_by_itself(
    settling: Settling,
    subject: Any,
    state: Any,
    outcome: Any,
    of_delivery: DeliveryTrigger,
    of_notification: NotificationTrigger,
) -> None:
    table, trigger = (
        (DELIVERY, of_delivery) if isinstance(state, DeliveryState) else (NOTIFICATION, of_notification)
    )
    change = await settling.by_mdn(subject(state, attempts=1, first_attempt_ns=NOW.utc_ns), outcome)
    after = table.table.get((state, trigger), state)  # type: ignore[attr-defined]
    update = moved(change)
    if after is state:
        assert update is None
    else:
        assert (update.state, update.attempts) == (after, None)
        assert state in update.expected
    assert change.message.body == b"mdn"
    assert change.events[0].message == change.message.id
    assert change.events[0].data["signer"] == "ab"
    dead = [event for event in change.events if event.kind is EventKind.DEAD_LETTERED]
    assert bool(dead) is (outcome is FINAL and after is not state)


@pytest.mark.parametrize("state", [DeliveryState.SENDING, NotificationState.SENDING])
@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        (RECEIVED, {"sent", "delivered"}),
        (Transferred(), {"awaiting"}),
        (OTHER, {"mismatched"}),
        (AGAIN, {"pending"}),
        (FINAL, {"dead"}),
    ],
)
async def test_a_try(settling: Settling, subject: Any, state: Any, outcome: Any, names: set[str]) -> None:
    change = await settling.by_try(subject(state, attempts=2, first_attempt_ns=NOW.utc_ns), outcome, ())
    update = moved(change)
    assert update.state.value in names
    assert update.attempts == 3
    assert state in update.expected


async def test_what_was_learnt_holds_whatever_another_try_came_to(settling: Settling, subject: Any) -> None:
    """Its lease had lapsed, and the next try is under way, or waits for its receipt."""
    sending = subject(DeliveryState.SENDING)
    change = await settling.by_try(sending, RECEIVED, ())
    names = {state.value for state in moved(change).expected}
    assert {"sending", "pending", "awaiting", "dead", "mismatched"} <= names
    change = await settling.by_try(sending, AGAIN, ())
    assert moved(change).expected == (DeliveryState.SENDING,)


async def test_a_second_receipt_is_a_duplicate(settling: Settling, subject: Any) -> None:
    for state, kind in (
        (DeliveryState.SENT, EventKind.DUPLICATE),
        (NotificationState.DELIVERED, EventKind.DUPLICATE),
        (DeliveryState.ANSWERED, EventKind.DELIVERY_RECEIPTED),
    ):
        change = await settling.by_mdn(subject(state), RECEIVED)
        assert [event.kind for event in change.events] == [kind]


@pytest.mark.parametrize(
    ("waited", "state"), [(0, "awaiting"), (13 * 86_400, "awaiting"), (14 * 86_400, "dead")]
)
async def test_the_deadline_of_what_awaits_its_receipt(
    settling: Settling, subject: Any, waited: int, state: str
) -> None:
    first = NOW.utc_ns - waited * 10**9
    change = await settling.by_try(
        subject(DeliveryState.SENDING, attempts=5, first_attempt_ns=first), Transferred(), ()
    )
    assert moved(change).state.value == state
    if state == "awaiting":
        assert moved(change).due_ns == NOW.utc_ns + 900 * 10**9
