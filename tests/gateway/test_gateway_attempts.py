"""What follows a try that failed."""

from typing import Any

import pytest

from tidewaiter.gateway.attempts import POISON_TRIES, REASON_KEPT, Attempts, Retry, failure_data, our_fault
from tidewaiter.gateway.config import RetrySettings
from tidewaiter.gateway.ledger import Change, DeliveryUpdate, EventRecord
from tidewaiter.gateway.sender import Failure
from tidewaiter.routing.lifecycle import DeliveryState, EventKind

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
    assert our_fault(KeyError("secret")) == Failure(reason="unexpected KeyError", poison=True)
