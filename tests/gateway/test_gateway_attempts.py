"""What follows a try that failed."""

from typing import Any

import pytest

from tidewaiter.gateway.attempts import POISON_TRIES, REASON_KEPT, Attempts, Retry, failure_data, our_fault
from tidewaiter.gateway.config import RetrySettings
from tidewaiter.gateway.ledger import Change, DeliveryUpdate, EventRecord
from tidewaiter.gateway.sender import Failure
from tidewaiter.routing.lifecycle import DeliveryState, EventKind
from tidewaiter.security import KeyStoreError

SETTINGS = RetrySettings(first=2, factor=2, cap=300, deadline=1000)
FAILED = Failure(reason="HTTP 503")
REFUSED = Failure(reason="HTTP 422", poison=True)


@pytest.fixture
async def attempts(bench: Any) -> Attempts:
    return Attempts(bench.ledger, bench.now, lambda: 0.5)


@pytest.mark.anyio
async def test_when_the_next_try_is_due(bench: Any, attempts: Attempts) -> None:
    now = bench.now.ns
    assert attempts.after(FAILED, SETTINGS, 0, None) == Retry(now + 10**9, 1, now)
    assert attempts.after(FAILED, SETTINGS, 1, now) == Retry(now + 2 * 10**9, 2, now)
    assert attempts.after(FAILED, SETTINGS, 5, now - 1001 * 10**9).due_ns is None


@pytest.mark.anyio
async def test_a_refusal_is_final_after_three_tries(bench: Any, attempts: Attempts) -> None:
    due = [attempts.after(REFUSED, SETTINGS, tried, bench.now.ns).due_ns for tried in range(POISON_TRIES)]
    assert [moment is None for moment in due] == [False, False, True]


@pytest.mark.anyio
async def test_only_refusals_make_a_refusal_the_last_one(bench: Any, attempts: Attempts) -> None:
    due = [
        attempts.after(REFUSED, SETTINGS, 9, bench.now.ns, refused).due_ns for refused in range(POISON_TRIES)
    ]
    assert [moment is None for moment in due] == [False, False, True]


@pytest.mark.anyio
async def test_refusals_are_counted_since_a_person_queued_it(
    bench: Any, attempts: Attempts, make_document: Any
) -> None:
    await bench.lodge(make_document())
    delivery = await bench.leg()

    def event(kind: EventKind, **data: str) -> EventRecord:
        return EventRecord(kind=kind, at=bench.now(), lodgement=delivery.lodgement, data=data)

    failed = {"delivery": delivery.id, "poison": "1"}
    refused = event(EventKind.DELIVERY_FAILED, **failed)
    other = event(EventKind.DELIVERY_FAILED, **(failed | {"delivery": "D2"}))
    down = event(EventKind.DELIVERY_FAILED, delivery=delivery.id)
    await bench.ledger.commit([Change(events=(refused, down, other, refused))])
    assert await attempts.refusals(delivery.lodgement, delivery.id) == 2
    await bench.ledger.commit([Change(events=(event(EventKind.REQUEUED, delivery=delivery.id), refused))])
    assert await attempts.refusals(delivery.lodgement, delivery.id) == 1


@pytest.mark.anyio
async def test_a_result_that_comes_too_late_leaves_its_events(
    bench: Any, attempts: Attempts, make_document: Any
) -> None:
    await bench.lodge(make_document())
    delivery = await bench.leg()
    event = EventRecord(kind=EventKind.DELIVERY_FAILED, at=bench.now(), lodgement=delivery.lodgement)
    late = DeliveryUpdate(id=delivery.id, expected=(DeliveryState.SENDING,), state=DeliveryState.DEAD)
    await attempts.record(Change(delivery_updates=(late,), events=(event,)))
    assert (await bench.leg()).state is DeliveryState.PENDING
    assert (await bench.kinds())[-1] == "delivery_failed"


def test_what_a_failure_says() -> None:
    assert failure_data(FAILED) == {"reason": "HTTP 503"}
    long = Failure(reason="x" * 999, alarm=True)
    assert failure_data(long) == {"reason": "x" * REASON_KEPT, "alarm": "receipt-mismatch"}
    assert failure_data(REFUSED) == {"reason": "HTTP 422", "poison": "1"}
    assert our_fault(KeyError("secret")) == Failure(reason="unexpected KeyError", poison=True)
    assert our_fault(KeyStoreError("no key")) == Failure(reason="by the configuration: no key")


def test_a_final_refusal_is_the_last_try(bench: Any) -> None:
    """However few there were."""
    attempts = Attempts(bench.ledger, bench.now, lambda: 0.5)
    last = Failure(reason="MDN failed", poison=True, final=True)
    assert attempts.after(last, SETTINGS, 0, None) == Retry(None, 1, bench.now.ns)


@pytest.mark.parametrize(
    ("passed", "tried", "due"),
    [
        (0, 0, 900),
        (SETTINGS.deadline - 1, 5, 1),
        (SETTINGS.deadline, 5, None),
        # A deadline that passed after hardly a try is more likely a clock that was set.
        (SETTINGS.deadline, 1, 900),
    ],
)
def test_what_awaits_its_receipt(bench: Any, passed: float, tried: int, due: float | None) -> None:
    attempts = Attempts(bench.ledger, bench.now, lambda: 0.5)
    first = bench.now.ns - int(passed * 1e9)
    retry = attempts.awaited(900, SETTINGS, tried, first)
    expected = None if due is None else bench.now.ns + int(due * 1e9)
    assert retry == Retry(expected, tried + 1, first)
