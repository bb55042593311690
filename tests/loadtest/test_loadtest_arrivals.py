"""The schedule is fixed by its arguments, whatever the machine does meanwhile."""

import itertools
import statistics

import pytest

from tidewaiter.loadtest.arrivals import MAX_ARRIVALS, Arrivals, schedule


def test_a_seed_gives_one_schedule() -> None:
    first, again, other = (schedule(Arrivals.POISSON, rate=50, seconds=10, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_poisson_arrivals_keep_their_rate_and_come_in_bursts() -> None:
    moments = schedule(Arrivals.POISSON, rate=100, seconds=100, seed=7)
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert len(moments) == pytest.approx(10_000, rel=0.05)
    # An exponential gap varies as much as it lasts.
    assert statistics.stdev(gaps) == pytest.approx(statistics.fmean(gaps), rel=0.05)


@pytest.mark.parametrize("arrivals", list(Arrivals))
def test_moments_stand_in_order_within_the_time(arrivals: Arrivals) -> None:
    moments = schedule(arrivals, rate=20, seconds=5, seed=1)
    assert list(moments) == sorted(moments)
    assert moments[0] >= 0
    assert moments[-1] < 5


def test_constant_arrivals_have_even_gaps() -> None:
    assert schedule(Arrivals.CONSTANT, rate=4, seconds=1, seed=9) == (0.0, 0.25, 0.5, 0.75)


@pytest.mark.parametrize("arrivals", list(Arrivals))
def test_a_run_is_never_empty(arrivals: Arrivals) -> None:
    assert schedule(arrivals, rate=0.001, seconds=1, seed=1) == (0.0,)


@pytest.mark.parametrize(
    ("rate", "seconds"), [(0, 1), (1, 0), (-1, 1), (float("nan"), 1), (MAX_ARRIVALS, 2), (1, float("inf"))]
)
def test_a_schedule_that_cannot_be_is_refused(rate: float, seconds: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        schedule(Arrivals.POISSON, rate=rate, seconds=seconds, seed=1)
