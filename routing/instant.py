"""One moment on both clocks: the wall clock to date it, the monotonic clock to measure from it."""

import msgspec

NANOSECONDS = 1_000_000_000


class Instant(msgspec.Struct, frozen=True):
    """When something happened.

    `utc_ns` counts nanoseconds since 1970 in UTC and may jump; `monotonic_ns` never goes back but means
    nothing outside `process`, the name of the process that read it (unique over restarts).
    """

    utc_ns: int
    monotonic_ns: int
    process: str


def elapsed(earlier: Instant, later: Instant) -> float:
    """Seconds from `earlier` to `later`: by the monotonic clock within one process, else by UTC.

    Negative when `later` was the first of the two (or, across processes, when the wall clock was set back).
    """
    if earlier.process == later.process:
        return (later.monotonic_ns - earlier.monotonic_ns) / NANOSECONDS
    return (later.utc_ns - earlier.utc_ns) / NANOSECONDS
