"""The service level: durations and cases held against levels that are data, with dates and a version.

Indicator 2 is the e-document processing time by declaration type, indicator 1 the timely processing rate of
service requests. Every mean is shown with its whole distribution: 95 % at 2 s with 5 % at 140 s is a good
mean and a bad service.
"""

import enum
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from .instant import NANOSECONDS
from .timeline import Population, Timing

# An unanswered e-document counts at least this much above the minimum level: losing one never helps.
UNANSWERED_PENALTY = 0.1
# The bracket of the printed formula, read so that it gives a rate. Shown with every rate.
FORMULA_1 = "100 x C / (N + 0.5 x D), version 1"


class Grade(enum.Enum):
    """Where a figure stands against the three levels."""

    GOAL = "goal"
    BASIC = "basic"
    MINIMUM = "minimum"
    BELOW = "below minimum"


# The other scoring in use: points by the band of each e-document.
POINTS: Mapping[Grade, float] = {
    Grade.GOAL: 100.0,
    Grade.BASIC: 90.0,
    Grade.MINIMUM: 80.0,
    Grade.BELOW: 0.0,
}


class Exclusion(enum.Enum):
    """The only reasons for which an e-document is not counted. Each is listed with its count."""

    MAINTENANCE = "announced maintenance"
    TRADER_UNREACHABLE = "trader unreachable"


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """The seconds agreed for one declaration type, from the day `since` up to and without `until`."""

    type: str
    goal: float
    basic: float
    minimum: float
    since: date
    until: date | None = None
    version: str

    def __post_init__(self) -> None:
        if not 0 < self.goal <= self.basic <= self.minimum < math.inf:
            raise ValueError(f"levels for {self.type}: 0 < goal <= basic <= minimum is expected")
        if self.until is not None and self.until <= self.since:
            raise ValueError(f"levels for {self.type}: until must come after since")

    def grade(self, seconds: float) -> Grade:
        """The band that `seconds` falls into; each level still belongs to its band."""
        for grade, level in (
            (Grade.GOAL, self.goal),
            (Grade.BASIC, self.basic),
            (Grade.MINIMUM, self.minimum),
        ):
            if seconds <= level:
                return grade
        return Grade.BELOW


def levels_at(levels: Iterable[Levels], type_: str, day: date) -> Levels | None:
    """The levels of a type that hold on `day`, the latest begun where several do; None where none does."""
    holding = (
        each
        for each in levels
        if each.type == type_ and each.since <= day and (each.until is None or day < each.until)
    )
    return max(holding, key=lambda each: each.since, default=None)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution. Percentiles are nearest-rank: each is a duration that was really measured."""

    n: int
    mean: float
    median: float
    p90: float
    p95: float
    p99: float
    maximum: float


def summarise(seconds: Collection[float]) -> Summary | None:
    """The summary of `seconds`, None of nothing."""
    if not seconds:
        return None
    ranked = sorted(seconds)
    return Summary(
        n=len(ranked),
        mean=statistics.fmean(ranked),
        median=nearest_rank(ranked, 50),
        p90=nearest_rank(ranked, 90),
        p95=nearest_rank(ranked, 95),
        p99=nearest_rank(ranked, 99),
        maximum=ranked[-1],
    )


def nearest_rank(ranked: Sequence[float], percent: int) -> float:
    """The value at rank ceil(percent / 100 x n) of `ranked`, which is sorted and not empty."""
    # In whole numbers: 0.95 x 100 need not be 95 in floating point.
    return ranked[max(1, -(-percent * len(ranked) // 100)) - 1]


class Indicator2(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report: a type, a population, the levels that held.

    The indicator proper is the line of the AUTOMATIC population. `summary`, `grade`, the shares and `points`
    are None where nothing was measured or no levels hold. `unanswered` are counted in all of them with the
    time elapsed. `gateway` is our own share, always shown beside the whole.
    """

    type: str
    population: Population
    levels: Levels | None
    summary: Summary | None
    grade: Grade | None
    within_goal: float | None
    over_minimum: float | None
    points: float | None
    gateway: Summary | None
    unanswered: int
    duplicates: int
    excluded: Mapping[Exclusion, int]


def indicator_2(
    timings: Iterable[Timing],
    levels: Collection[Levels],
    *,
    start: datetime,
    end: datetime,
    excluded: Mapping[str, Exclusion] | None = None,
) -> tuple[Indicator2, ...]:
    """The processing time of e-documents received in [start, end), a line for each type, population, levels.

    `excluded` names the lodgements not to be counted. A period across a change of levels gives a line for
    each version: no e-document is held against levels that did not hold when it came.
    """
    groups: dict[tuple[str, Population, Levels | None], list[Timing]] = defaultdict(list)
    for timing in timings:
        received = datetime.fromtimestamp(timing.received.utc_ns / NANOSECONDS, UTC)
        if start <= received < end:
            held = levels_at(levels, timing.type, received.date())
            groups[timing.type, timing.population, held].append(timing)
    return tuple(
        _line(type_, population, held, members, excluded or {})
        for (type_, population, held), members in sorted(groups.items(), key=_place)
    )


def score(timing: Timing, levels: Levels | None) -> float:
    """The seconds one e-document counts with."""
    if timing.processing is not None:
        return timing.processing
    return timing.age if levels is None else max(timing.age, levels.minimum + UNANSWERED_PENALTY)


def _line(
    type_: str,
    population: Population,
    levels: Levels | None,
    members: list[Timing],
    excluded: Mapping[str, Exclusion],
) -> Indicator2:
    counted = [timing for timing in members if timing.lodgement not in excluded]
    left_out = [excluded[timing.lodgement] for timing in members if timing.lodgement in excluded]
    scores = [score(timing, levels) for timing in counted]
    summary = summarise(scores)
    bands = [levels.grade(seconds) for seconds in scores] if levels is not None else []
    return Indicator2(
        type=type_,
        population=population,
        levels=levels,
        summary=summary,
        grade=levels.grade(summary.mean) if levels is not None and summary is not None else None,
        within_goal=_share(bands, lambda band: band is Grade.GOAL),
        over_minimum=_share(bands, lambda band: band is Grade.BELOW),
        points=statistics.fmean(POINTS[band] for band in bands) if bands else None,
        gateway=summarise([timing.gateway for timing in counted]),
        unanswered=sum(timing.processing is None for timing in counted),
        duplicates=sum(timing.duplicates for timing in members),
        excluded={reason: left_out.count(reason) for reason in Exclusion if reason in left_out},
    )


def _share(bands: list[Grade], within: Callable[[Grade], bool]) -> float | None:
    return sum(map(within, bands)) / len(bands) if bands else None


def _place(group: tuple[tuple[str, Population, Levels | None], list[Timing]]) -> tuple[str, int, str]:
    (type_, population, levels), _ = group
    since = levels.since.isoformat() if levels is not None else ""
    return type_, list(Population).index(population), since


class RateLevels(msgspec.Struct, frozen=True, kw_only=True):
    """The percentages agreed for indicator 1, from the day `since`."""

    goal: float
    basic: float
    minimum: float
    since: date
    version: str

    def __post_init__(self) -> None:
        if not 100 >= self.goal >= self.basic >= self.minimum >= 0:
            raise ValueError("rate levels: 100 >= goal >= basic >= minimum >= 0 is expected")

    def grade(self, rate: float) -> Grade:
        """The band that `rate` falls into."""
        for grade, level in (
            (Grade.GOAL, self.goal),
            (Grade.BASIC, self.basic),
            (Grade.MINIMUM, self.minimum),
        ):
            if rate >= level:
                return grade
        return Grade.BELOW


def timely_rate(completed: int, scheduled: int, days_late: int) -> float | None:
    """Indicator 1 in percent, by FORMULA_1; None (not applicable, never 100 %) when nothing was scheduled."""
    if not 0 <= completed <= scheduled or days_late < 0:
        raise ValueError("0 <= completed <= scheduled and no negative days are expected")
    return 100 * completed / (scheduled + 0.5 * days_late) if scheduled else None


def days_late(due: datetime, completed: datetime | None, period_end: datetime) -> int:
    """The days a request is late, part days up, counted to its completion or the end of the period."""
    late = min(completed or period_end, period_end) - due
    return max(0, math.ceil(late / timedelta(days=1)))
