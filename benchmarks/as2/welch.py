"""Whether two sets of times are told apart: Welch's t, as leakage tests use it.

Above 4.5 (TVLA, ISO/IEC 17825) two causes differ in time. The times of a network have a tail that hides small
differences, so t is taken twice, over all times and over those below a quantile of all causes together, and
the worse of the two counts: a leak in the tail shows in the first, a small one in the second.
"""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LIMIT = 4.5
# The slowest of all, by one threshold for every cause, are left out of the second.
CROP = 0.05
OTHERS = "all others"


class Comparison(NamedTuple):
    """Two causes beside each other; times in seconds. `cropped` is t without the slowest."""

    one: str
    other: str
    counts: tuple[int, int]
    means: tuple[float, float]
    t: float
    cropped: float

    @property
    def worst(self) -> float:
        """The larger of the two, without its sign."""
        return max(abs(self.t), abs(self.cropped))

    @property
    def is_told(self) -> bool:
        """Whether the two can be told apart."""
        return self.worst >= LIMIT


def welch(first: Sequence[float], second: Sequence[float]) -> float:
    """Welch's t of two samples of two or more. Infinite where means differ and nothing varies."""
    means = statistics.fmean(first), statistics.fmean(second)
    error = sum(
        statistics.variance(sample, mean) / len(sample)
        for sample, mean in zip((first, second), means, strict=True)
    )
    difference = means[0] - means[1]
    if error:
        return difference / math.sqrt(error)
    return math.copysign(math.inf, difference) if difference else 0.0


def compared(times: Mapping[str, Sequence[float]]) -> list[Comparison]:
    """Every pair of causes, and each cause beside all others together."""
    every = sorted(time for sample in times.values() for time in sample)
    limit = every[math.ceil(len(every) * (1 - CROP)) - 1]
    pairs = [(one, times[one], other, times[other]) for one, other in itertools.combinations(times, 2)]
    for one, sample in times.items():
        rest = [time for other, sample in times.items() if other != one for time in sample]
        pairs.append((one, sample, OTHERS, rest))
    return [_compared(*pair, limit) for pair in pairs]


def _compared(
    one: str, first: Sequence[float], other: str, second: Sequence[float], limit: float
) -> Comparison:
    return Comparison(
        one,
        other,
        (len(first), len(second)),
        (statistics.fmean(first), statistics.fmean(second)),
        welch(first, second),
        _without_slowest(first, second, limit),
    )


def _without_slowest(first: Sequence[float], second: Sequence[float], limit: float) -> float:
    """t of what is not above `limit`; where a cause has nothing there, the two are as far apart as can be."""
    kept = [[time for time in sample if time <= limit] for sample in (first, second)]
    return welch(*kept) if min(map(len, kept)) > 1 else math.inf
