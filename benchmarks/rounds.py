"""Several ways of doing one thing, timed in turns, so that all of them meet the same machine.

What is timed computes and waits for nothing, so its seconds are those of the processor: on a quiet machine
the same as on the wall, on a busy one without what other processes took. The garbage collector runs as it
does for any user. The best round counts; the spread says what it is worth.
"""

import gc
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Timed(NamedTuple):
    """The fastest round of one way, in seconds of one call, how far the slowest lies above it, and what its
    last call returned."""

    best: float
    spread: float
    result: object


def in_turns(
    ways: Mapping[str, Callable[[], object]],
    rounds: int,
    calls: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Timed]:
    """Time every way `rounds` times, one after the other in each round.

    `calls` says how many calls make a round of a way too short for the clock; one, if it is not there.
    """
    results: dict[str, object] = {}
    taken = rounds_of(ways, rounds, calls, clock, results)
    return {
        name: Timed(min(times), max(times) / min(times) - 1, results[name]) for name, times in taken.items()
    }


def rounds_of(
    ways: Mapping[str, Callable[[], object]],
    rounds: int,
    calls: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.process_time,
    results: dict[str, object] | None = None,
) -> dict[str, list[float]]:
    """The same, every round of every way in seconds of one call; `results` gets what each returned last."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    results = {} if results is None else results
    for _ in range(rounds):
        for name, way in ways.items():
            number = (calls or {}).get(name, 1)
            gc.collect()
            began = clock()
            for _ in range(number):
                results[name] = way()
            taken[name].append((clock() - began) / number)
    return taken
