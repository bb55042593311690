"""When to try again, and when to leave a peer alone. Both are values; the caller brings time and chance."""

import enum
import math
from datetime import datetime, timedelta

import msgspec

from .agreement import RetryPolicy
from .instant import Instant, elapsed

# A deadline that has passed after fewer is more likely a clock that was set, or a gateway that stood still,
# than a peer that was asked all the time. A few tries more cost the peer nothing.
LEAST_ATTEMPTS = 3


def next_attempt(
    policy: RetryPolicy,
    attempt: int,
    first_attempt_at: datetime,
    now: datetime,
    *,
    retry_after: float | None = None,
    jitter: float,
) -> datetime | None:
    """When to try again after `attempt` attempts have failed (1 or more); None once the deadline is passed.

    Exponential with full jitter: a point in [0, ceiling) chosen by `jitter` in [0, 1), the ceiling growing
    to the cap. `retry_after` is the peer's wish in seconds; the jitter is added to it, so that peers told the
    same do not come back together. A wait that would pass the deadline ends on it: nothing is given up
    before, and a peer cannot wish a document away. Nor is anything given up before LEAST_ATTEMPTS, whatever
    the clock says.
    """
    if attempt < 1 or not 0 <= jitter < 1:
        raise ValueError("attempt counts from 1 and jitter lies in [0, 1)")
    deadline = first_attempt_at + timedelta(seconds=policy.deadline)
    late = now >= deadline
    if late and attempt >= LEAST_ATTEMPTS:
        return None
    wait = jitter * _ceiling(policy, attempt)
    if retry_after is not None and retry_after > 0:
        wait += min(retry_after, policy.deadline)
    due = now + timedelta(seconds=wait)
    return due if late else min(due, deadline)


def _ceiling(policy: RetryPolicy, attempt: int) -> float:
    if policy.factor == 1:
        return policy.first
    # The exponent is bounded before the power is taken: attempts may run into thousands.
    steps_to_cap = math.ceil(math.log(policy.cap / policy.first) / math.log(policy.factor))
    return min(policy.cap, policy.first * policy.factor ** min(attempt - 1, steps_to_cap))


class BreakerState(enum.Enum):
    """CLOSED lets everything through, OPEN nothing, HALF_OPEN one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerEvent(enum.Enum):
    """What a circuit breaker is told: an attempt that begins, and how one ended."""

    ATTEMPT = "attempt"
    SUCCESS = "success"
    FAILURE = "failure"


class BreakerPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open after `threshold` failures in a row; probe after `cool_down` seconds, doubled up to `cap`."""

    threshold: int = 5
    cool_down: float = 5.0
    cap: float = 60.0

    def __post_init__(self) -> None:
        if self.threshold < 1 or not 0 < self.cool_down <= self.cap:
            raise ValueError("breaker: threshold from 1, cool_down above 0 and not above cap")


class CircuitBreaker(msgspec.Struct, frozen=True, kw_only=True):
    """Keeps a dead peer from taking every worker. `on` gives the next value; this one never changes.

    `failures` in a row while closed; `trips` in a row without a success; `since` the last opening or probe.
    """

    policy: BreakerPolicy = BreakerPolicy()
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    trips: int = 0
    since: Instant | None = None

    def wait(self, now: Instant) -> float:
        """Seconds until an attempt may begin (0: now). A probe that never reports back is given up too."""
        if self.state is BreakerState.CLOSED or self.since is None:
            return 0.0
        passed = elapsed(self.since, now)
        if passed < 0:
            # The wall clock was set back between two processes: a peer must not stay cut off for that.
            return 0.0
        return max(0.0, self._cool_down() - passed)

    def allows(self, now: Instant) -> bool:
        """Whether an attempt may begin. Tell `on` ATTEMPT when it does: half open, only one may."""
        return self.wait(now) == 0

    def on(self, now: Instant, event: BreakerEvent) -> "CircuitBreaker":
        """The breaker after `event`."""
        if event is BreakerEvent.SUCCESS:
            return CircuitBreaker(policy=self.policy)
        if event is BreakerEvent.ATTEMPT:
            if self.state is BreakerState.CLOSED:
                return self
            return msgspec.structs.replace(self, state=BreakerState.HALF_OPEN, since=now)
        if self.state is BreakerState.OPEN:
            # An attempt begun before the opening: it says nothing new.
            return self
        failures = self.failures + 1
        if self.state is BreakerState.CLOSED and failures < self.policy.threshold:
            return msgspec.structs.replace(self, failures=failures)
        return msgspec.structs.replace(
            self, state=BreakerState.OPEN, failures=0, trips=self.trips + 1, since=now
        )

    def _cool_down(self) -> float:
        # Bounded before the power is taken, as above.
        doublings = min(max(self.trips - 1, 0), 32)
        return min(self.policy.cap, self.policy.cool_down * 2.0**doublings)
