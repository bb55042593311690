"""Concealed refusals leave at a moment that follows from the size of the request, never from the work."""

import time

import anyio
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.concealment import SECONDS_OF_AN_OCTET, Concealment, due, hold
from tidewaiter.routing.instant import Instant

MILLI = 10**6


@pytest.mark.parametrize(
    ("taken", "moment"),
    [(-0.5, 2), (0, 2), (0.001, 2), (1.999, 2), (2, 2), (2.001, 4), (3.9, 4), (4.1, 6), (19, 20)],
)
def test_the_moment_is_the_next_multiple_of_the_hold(taken: float, moment: float) -> None:
    assert due(2.0, taken) == moment


def test_the_hold_grows_with_the_size_and_with_nothing_else() -> None:
    assert hold(0.1, 0) == 0.1
    assert hold(0.1, 1_000_000) == pytest.approx(0.1 + 1_000_000 * SECONDS_OF_AN_OCTET)


class Passing:
    """A clock: the time that passes, and what is said to have passed besides."""

    def __init__(self) -> None:
        self.besides_ns = 0

    def __call__(self) -> Instant:
        real = clock.instant()
        return Instant(real.utc_ns, real.monotonic_ns + self.besides_ns, real.process)


async def released(taken_ms: float, *, seconds: float = 0.010, octets: int = 0) -> float:
    """Milliseconds from arrival to release of what is said to have taken `taken_ms`."""
    now = Passing()
    arrived = now()
    now.besides_ns = int(taken_ms * MILLI)
    await Concealment(seconds, now).release(arrived, octets)
    return (now().monotonic_ns - arrived.monotonic_ns) / MILLI


@pytest.mark.anyio
@pytest.mark.parametrize(("taken", "moment"), [(0, 10), (9, 10), (11, 20), (28, 30)])
async def test_nothing_leaves_before_its_moment(taken: float, moment: float) -> None:
    assert await released(taken) >= moment


@pytest.mark.anyio
async def test_a_larger_body_is_held_longer() -> None:
    assert await released(0, octets=50_000) >= 15


@pytest.mark.anyio
async def test_others_go_on_meanwhile() -> None:
    concealment = Concealment(0.010)
    arrived = clock.instant()
    before = time.monotonic()
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(concealment.release, arrived, 0)
    assert 0.010 <= time.monotonic() - before < 0.2


@pytest.mark.anyio
async def test_without_a_hold_nothing_is_held() -> None:
    await Concealment(0).release(Instant(0, 0, "another"), 10**12)
