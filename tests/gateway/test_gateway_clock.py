"""Both clocks, and names that never meet."""

import re

from tidewaiter.gateway import clock
from tidewaiter.routing.instant import Instant, elapsed

MOMENT = Instant(utc_ns=1_780_401_600_123_456_789, monotonic_ns=5, process="p")


def test_an_instant_is_of_this_process_and_time_goes_on() -> None:
    first, second = clock.instant(), clock.instant()
    assert first.process == second.process
    assert elapsed(first, second) >= 0


def test_the_wall_clock_is_in_utc() -> None:
    assert clock.utc(MOMENT).isoformat().startswith("2026-06-02T12:00:00.123")
    assert clock.utc(MOMENT) == clock.utc_of(MOMENT.utc_ns)
    assert clock.iso(MOMENT) == "2026-06-02T12:00:00.123Z"


def test_an_id_has_its_prefix_and_fits_unb_0020() -> None:
    ids = {clock.new_id("L") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("L[0-9A-HJKMNP-TV-Z]{13}", one) for one in ids)
