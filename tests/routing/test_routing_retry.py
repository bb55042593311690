"""Retries spread, grow, respect the peer and end on the deadline; a dead peer is left alone."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidewaiter.routing.agreement import RetryPolicy
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.retry import (
    LEAST_ATTEMPTS,
    BreakerEvent,
    BreakerPolicy,
    BreakerState,
    CircuitBreaker,
    next_attempt,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = RetryPolicy(first=1.0, factor=2.0, cap=60.0, deadline=3600.0)
ALMOST_ONE = 1 - 2**-53


def wait(attempt: int, *, retry_after: float | None = None, jitter: float = ALMOST_ONE) -> float:
    found = next_attempt(POLICY, attempt, START, START, retry_after=retry_after, jitter=jitter)
    assert found is not None
    return (found - START).total_seconds()


def test_the_ceiling_doubles_to_the_cap() -> None:
    waits = [round(wait(attempt), 3) for attempt in (1, 2, 3, 4, 5, 6, 7, 8, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert round(wait(1_000_000), 3) == 60


def test_full_jitter_reaches_down_to_nothing() -> None:
    assert wait(9, jitter=0.0) == 0
    assert wait(9, jitter=0.5) == 30


def test_a_factor_of_one_is_a_steady_beat() -> None:
    steady = RetryPolicy(first=5.0, factor=1.0, cap=60.0, deadline=3600.0)
    found = next_attempt(steady, 50, START, START, jitter=ALMOST_ONE)
    assert found is not None
    assert round((found - START).total_seconds(), 3) == 5


def test_retry_after_is_honoured_and_spread() -> None:
    assert wait(1, retry_after=120.0, jitter=0.0) == 120
    assert wait(4, retry_after=120.0, jitter=0.5) == 124
    assert wait(4, retry_after=-3.0, jitter=0.5) == 4


def test_a_wait_past_the_deadline_ends_on_it() -> None:
    now = START + timedelta(seconds=3599)
    assert next_attempt(POLICY, 9, START, now, jitter=0.9) == START + timedelta(seconds=3600)
    assert next_attempt(POLICY, 1, START, START, retry_after=1e300, jitter=0.0) == START + timedelta(hours=1)


def test_the_deadline_gives_up_and_nothing_else_does() -> None:
    assert next_attempt(POLICY, 3, START, START + timedelta(seconds=3600), jitter=0.0) is None
    assert next_attempt(POLICY, 1_000, START, START + timedelta(seconds=3599.9), jitter=0.5) is not None


def test_a_clock_set_back_gives_nothing_up() -> None:
    now = START - timedelta(days=400)
    found = next_attempt(POLICY, 3, START, now, jitter=0.5)
    assert found == now + timedelta(seconds=2)


@pytest.mark.parametrize(("attempt", "jitter"), [(0, 0.5), (1, 1.0), (1, -0.1)])
def test_arguments_out_of_range_are_refused(attempt: int, jitter: float) -> None:
    with pytest.raises(ValueError, match="attempt counts from 1"):
        next_attempt(POLICY, attempt, START, START, jitter=jitter)


@pytest.mark.parametrize("seed", range(50))
def test_an_agency_down_for_a_day_is_found_again_soon_after(seed: int) -> None:
    """24 hours of outage in virtual time: never given up, few attempts, found within the cap."""
    chance = random.Random(seed)
    policy = RetryPolicy(first=1.0, factor=2.0, cap=600.0, deadline=7 * 86_400.0)
    back = START + timedelta(hours=24)
    now, attempts = START, 1
    while now < back:
        wish = chance.choice([None, None, None, 30.0])
        found = next_attempt(policy, attempts, START, now, retry_after=wish, jitter=chance.random())
        assert found is not None
        assert now <= found <= now + timedelta(seconds=631)
        now, attempts = found, attempts + 1
    assert now - back <= timedelta(seconds=631)
    assert attempts < 500


SECOND = 1_000_000_000


def at(seconds: float, process: str = "a", skew: float = 0.0) -> Instant:
    return Instant(int((seconds + skew) * SECOND), int(seconds * SECOND), process)


BREAKER = CircuitBreaker(policy=BreakerPolicy(threshold=3, cool_down=10.0, cap=40.0))


def tripped(times: int = 3) -> CircuitBreaker:
    breaker = BREAKER
    for _ in range(times):
        breaker = breaker.on(at(0), BreakerEvent.FAILURE)
    return breaker


def test_it_opens_at_the_threshold_of_failures_in_a_row() -> None:
    assert tripped(2).state is BreakerState.CLOSED
    assert tripped(2).on(at(0), BreakerEvent.SUCCESS).on(at(0), BreakerEvent.FAILURE).failures == 1
    assert tripped(3).state is BreakerState.OPEN
    assert BREAKER.failures == 0


def test_open_lets_nothing_through_until_it_has_cooled() -> None:
    breaker = tripped()
    assert not breaker.allows(at(9.9))
    assert breaker.wait(at(4)) == 6
    assert breaker.allows(at(10))


def test_half_open_lets_one_probe_through() -> None:
    probing = tripped().on(at(10), BreakerEvent.ATTEMPT)
    assert probing.state is BreakerState.HALF_OPEN
    assert not probing.allows(at(10))
    assert probing.on(at(11), BreakerEvent.SUCCESS) == BREAKER
    again = probing.on(at(11), BreakerEvent.FAILURE)
    assert again.state is BreakerState.OPEN
    assert again.wait(at(11)) == 20


def test_a_probe_that_never_reports_back_is_replaced() -> None:
    probing = tripped().on(at(10), BreakerEvent.ATTEMPT)
    assert probing.allows(at(20))


def test_the_cool_down_doubles_to_its_cap() -> None:
    breaker, now, waits = tripped(), 0.0, []
    for _ in range(40):
        waits.append(breaker.wait(at(now)))
        now += waits[-1]
        breaker = breaker.on(at(now), BreakerEvent.ATTEMPT).on(at(now), BreakerEvent.FAILURE)
    assert waits[:4] == [10, 20, 40, 40]
    assert waits[-1] == 40


def test_late_failures_of_older_attempts_do_not_prolong_an_opening() -> None:
    assert tripped().on(at(9), BreakerEvent.FAILURE) == tripped()


def test_a_wall_clock_jump_neither_opens_nor_locks() -> None:
    breaker = tripped()
    assert not breaker.allows(at(5, skew=1e6))
    assert breaker.allows(at(5, process="b", skew=-1e6))


def test_an_attempt_while_closed_changes_nothing() -> None:
    assert BREAKER.on(at(0), BreakerEvent.ATTEMPT) is BREAKER


@pytest.mark.parametrize("values", [{"threshold": 0}, {"cool_down": 0.0}, {"cool_down": 9.0, "cap": 8.0}])
def test_a_breaker_policy_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="breaker"):
        BreakerPolicy(**values)


@pytest.mark.parametrize("attempt", range(1, LEAST_ATTEMPTS))
def test_a_clock_alone_passes_no_deadline(attempt: int) -> None:
    """Set ahead by two weeks between two tries: the peer was hardly asked."""
    late = START + timedelta(days=15)
    due = next_attempt(POLICY, attempt, START, late, retry_after=30.0, jitter=0.5)
    assert due is not None
    assert timedelta(seconds=30) < due - late < timedelta(seconds=32)
    assert next_attempt(POLICY, LEAST_ATTEMPTS, START, late, jitter=0.5) is None
