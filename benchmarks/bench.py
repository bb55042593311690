"""The harness: rounds of floor and stage in one event loop, each timed by itself, handed to pytest-benchmark.

pytest-benchmark times synchronous calls. The stages await, so they run in a loop of their own thread, and
the timer given to pytest-benchmark is a stopwatch that runs only while the stage does: neither the floor nor
the way between the threads is in its figures.
"""

import gc
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio.from_thread import BlockingPortal

from tidewaiter.benchmarks.floor import Floor
from tidewaiter.benchmarks.pairs import PAIRS, Measured, paired

# Before the first round that counts: caches of the libraries, and pages of the ledger, are there by then.
WARM_UP = 3

T = TypeVar("T")


class Stopwatch:
    """The time measured so far, in seconds. Called, it is a timer."""

    def __init__(self) -> None:
        self._total = 0.0

    def __call__(self) -> float:
        return self._total

    def add(self, seconds: float) -> None:
        """So much more was measured."""
        self._total += seconds


# There is one run in a process.
STOPWATCH = Stopwatch()


class Bench:
    """Measures stages beside the floor. `measured` grows with each."""

    def __init__(self, portal: BlockingPortal, stopwatch: Stopwatch = STOPWATCH) -> None:
        self.measured: list[Measured] = []
        self._portal = portal
        self._stopwatch = stopwatch
        self._floor = Floor()

    async def floor(self, _: object) -> None:
        """The floor itself, as a stage: measured beside itself it must come out as 1."""
        self._floor()

    def run(
        self,
        pedantic: Callable[..., object],
        name: str,
        prepare: Callable[[], T],
        stage: Callable[[T], Awaitable[object]],
        *,
        calls: int,
        documents: int = 1,
    ) -> None:
        """Measure `stage` in PAIRS times `calls` rounds, each on what `prepare` made before it. `pedantic` is
        that of pytest-benchmark; a call of the stage handles `documents`."""
        rounds: list[tuple[float, float]] = []

        async def once() -> None:
            prepared = prepare()
            began = time.perf_counter()
            self._floor()
            between = time.perf_counter()
            await stage(prepared)
            ended = time.perf_counter()
            self._stopwatch.add(ended - between)
            rounds.append((between - began, ended - between))

        gc.collect()
        pedantic(self._portal.call, args=(once,), rounds=PAIRS * calls, warmup_rounds=WARM_UP)
        counted = rounds[WARM_UP:]
        # With --benchmark-disable each runs once, and nothing is measured.
        if counted:
            self.measured.append(Measured(stage=name, pairs=paired(counted, documents=documents)))
