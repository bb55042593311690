"""Durations survive wall-clock jumps within a process, and restarts between processes."""

from tidewaiter.routing.instant import Instant, elapsed

SECOND = 1_000_000_000


def test_one_process_measures_by_the_monotonic_clock_through_a_wall_clock_jump() -> None:
    before = Instant(1_000 * SECOND, 5 * SECOND, "a")
    after = Instant(90_000 * SECOND, 8 * SECOND, "a")
    assert elapsed(before, after) == 3.0
    assert elapsed(after, before) == -3.0


def test_two_processes_measure_by_utc() -> None:
    before = Instant(1_000 * SECOND, 900 * SECOND, "a")
    after = Instant(1_002 * SECOND + SECOND // 2, 1 * SECOND, "b")
    assert elapsed(before, after) == 2.5
