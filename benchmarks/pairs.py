"""What was measured and what it is worth: pairs of floor and stage, ratios, the floor's spread.

A round is the floor once and then the stage once, so that both meet the same machine. The best of some
rounds make a pair; the ratio of a stage is the median of its pairs' ratios. The floor does the same work
every time: as far as its pairs differ, the machine changed under the run, and above SPREAD_LIMIT no ratio of
the run counts.
"""

import statistics
from collections.abc import Iterable, Sequence

import msgspec

# Five are the fewest of which a median says something; more cost only time.
PAIRS = 7
SPREAD_LIMIT = 0.10


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The best of the floor and of the stage, in seconds, of rounds that took turns."""

    floor: float
    stage: float

    @property
    def ratio(self) -> float:
        """The stage as a multiple of the floor."""
        return self.stage / self.floor


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One stage. Its seconds are of one document, whatever number a call handles."""

    stage: str
    pairs: tuple[Pair, ...]

    @property
    def best(self) -> float:
        """The fastest round."""
        return min(pair.stage for pair in self.pairs)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(pair.ratio for pair in self.pairs)

    @property
    def median(self) -> Pair:
        """The pair whose ratio that is."""
        return sorted(self.pairs, key=lambda pair: pair.ratio)[len(self.pairs) // 2]

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest ratio."""
        ratios = [pair.ratio for pair in self.pairs]
        return min(ratios), max(ratios)


def paired(rounds: Sequence[tuple[float, float]], *, documents: int = 1) -> tuple[Pair, ...]:
    """PAIRS pairs of `rounds` (floor, stage), in seconds; a call of the stage handles `documents`.

    Raises ValueError unless every pair gets as many rounds.
    """
    size, left = divmod(len(rounds), PAIRS)
    if not size or left:
        raise ValueError(f"{len(rounds)} rounds do not make {PAIRS} pairs")
    blocks = [rounds[start : start + size] for start in range(0, len(rounds), size)]
    return tuple(
        Pair(floor=min(floor for floor, _ in block), stage=min(stage for _, stage in block) / documents)
        for block in blocks
    )


def floor_best(measured: Iterable[Measured]) -> float:
    """The fastest floor of the run, in seconds."""
    return min(pair.floor for each in measured for pair in each.pairs)


def floor_spread(measured: Iterable[Measured]) -> float:
    """How far the slowest pair's floor lies above the fastest: 0.1 is ten per cent."""
    floors = [pair.floor for each in measured for pair in each.pairs]
    return max(floors) / min(floors) - 1


def is_void(measured: Iterable[Measured]) -> bool:
    """True if the machine changed too much during the run for its ratios to count."""
    return floor_spread(measured) > SPREAD_LIMIT
