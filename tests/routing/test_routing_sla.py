"""The worked cases of the service level, and what must not flatter a figure."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tidewaiter.routing.instant import Instant
from tidewaiter.routing.sla import (
    FORMULA_1,
    Exclusion,
    Grade,
    Indicator2,
    Levels,
    RateLevels,
    days_late,
    indicator_2,
    levels_at,
    nearest_rank,
    summarise,
    timely_rate,
)
from tidewaiter.routing.timeline import Population, Timing

EXPORT = Levels(type="export", goal=9.5, basic=10.5, minimum=11.5, since=date(2026, 1, 1), version="2026")
START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=31)
WITHIN = int((START.timestamp() + 60) * 1_000_000_000)


def timing(number: int, processing: float | None, /, **values: object) -> Timing:
    given: dict[str, object] = {
        "lodgement": f"L{number}",
        "type": "export",
        "received": Instant(WITHIN, 0, "a"),
        "population": Population.AUTOMATIC,
        "age": 1000.0,
        "processing": processing,
        "receipt": None,
        "delivery": None,
        "agencies": {},
        "gateway": 0.5,
    }
    return Timing(**{**given, **values})  # type: ignore[arg-type]


def report(*members: Timing, excluded: dict[str, Exclusion] | None = None) -> Indicator2:
    (line,) = indicator_2(members, [EXPORT], start=START, end=END, excluded=excluded)
    return line


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([3.0] * 100, (3.00, Grade.GOAL, 3, 3, 0.0)),
        ([2.0] * 95 + [140.0] * 5, (8.90, Grade.GOAL, 2, 140, 0.05)),
        ([3.0] * 99 + [900.0], (11.97, Grade.BELOW, 3, 3, 0.01)),
        ([0.2] * 60 + [22.0] * 40, (8.92, Grade.GOAL, 22, 22, 0.4)),
        ([22.0] * 40, (22.00, Grade.BELOW, 22, 22, 1.0)),
    ],
    ids="abcde",
)
def test_the_worked_cases(scores: list[float], expected: tuple[float, Grade, float, float, float]) -> None:
    """Mean, level, p95, p99 and the share over the minimum level."""
    line = report(*(timing(number, seconds) for number, seconds in enumerate(scores)))
    found = line.summary
    assert found is not None
    assert (round(found.mean, 2), line.grade, found.p95, found.p99, line.over_minimum) == expected


def test_rejections_do_not_flatter_the_acceptances() -> None:
    """Case d as it comes in, case e as it is reported."""
    members = [timing(n, 0.2, population=Population.REJECTION) for n in range(60)]
    members += [timing(n + 60, 22.0) for n in range(40)]
    automatic, rejection = indicator_2(members, [EXPORT], start=START, end=END)
    assert (automatic.population, automatic.grade) == (Population.AUTOMATIC, Grade.BELOW)
    assert (rejection.population, rejection.grade) == (Population.REJECTION, Grade.GOAL)


@pytest.mark.parametrize(("age", "counted"), [(2.0, 11.6), (400.0, 400.0)])
def test_an_unanswered_e_document_never_improves_the_score(age: float, counted: float) -> None:
    line = report(timing(1, None, age=age))
    assert line.summary is not None
    assert line.summary.maximum == pytest.approx(counted)
    assert (line.unanswered, line.grade) == (1, Grade.BELOW)


@pytest.mark.parametrize(
    ("seconds", "grade", "points"),
    [
        (9.5, Grade.GOAL, 100),
        (9.51, Grade.BASIC, 90),
        (10.5, Grade.BASIC, 90),
        (11.5, Grade.MINIMUM, 80),
        (11.51, Grade.BELOW, 0),
    ],
)
def test_a_level_belongs_to_its_band(seconds: float, grade: Grade, points: float) -> None:
    line = report(timing(1, seconds))
    assert (line.grade, line.points) == (grade, points)
    assert line.within_goal == (1.0 if grade is Grade.GOAL else 0.0)


def test_exclusions_are_listed_and_not_counted() -> None:
    excluded = {"L1": Exclusion.MAINTENANCE, "L2": Exclusion.MAINTENANCE, "L9": Exclusion.TRADER_UNREACHABLE}
    line = report(timing(1, 900.0), timing(2, None), timing(3, 3.0), excluded=excluded)
    assert line.summary is not None
    assert (line.summary.n, line.summary.maximum, line.unanswered) == (1, 3.0, 0)
    assert line.excluded == {Exclusion.MAINTENANCE: 2}
    nothing = report(timing(1, 3.0), excluded=excluded)
    assert (nothing.summary, nothing.grade, nothing.within_goal, nothing.gateway) == (None, None, None, None)


def test_the_gateways_own_share_stands_beside_the_whole() -> None:
    line = report(timing(1, 8.0, gateway=0.1), timing(2, 9.0, gateway=0.3, duplicates=2))
    assert line.gateway is not None
    assert line.gateway.maximum == 0.3
    assert line.duplicates == 2


def test_the_period_is_half_open() -> None:
    def received(moment: datetime) -> Instant:
        return Instant(int(moment.timestamp()) * 1_000_000_000, 0, "a")

    members = [
        timing(n, 3.0, received=received(moment))
        for n, moment in enumerate((START - timedelta(seconds=1), START, END - timedelta(seconds=1), END))
    ]
    line = report(*members)
    assert line.summary is not None
    assert line.summary.n == 2


def test_a_change_of_levels_within_the_period_makes_two_lines() -> None:
    change = date(2026, 3, 15)
    later = Levels(type="export", goal=1, basic=2, minimum=3, since=change, version="2026b")
    after = Instant(WITHIN + 20 * 86_400 * 1_000_000_000, 0, "a")
    members = [timing(2, 3.0, received=after), timing(1, 3.0)]
    lines = indicator_2(members, [EXPORT, later], start=START, end=END)
    assert [(line.levels, line.grade) for line in lines] == [(EXPORT, Grade.GOAL), (later, Grade.MINIMUM)]


def test_a_type_without_levels_is_shown_and_not_graded() -> None:
    line = report(timing(1, None, type="transit", age=4.0))
    assert line.summary is not None
    assert (line.levels, line.grade, line.points, line.summary.mean) == (None, None, None, 4.0)


def test_levels_hold_from_their_day_to_the_next() -> None:
    ended = Levels(
        type="import", goal=1, basic=2, minimum=3, since=date(2025, 1, 1), until=date(2026, 1, 1), version="a"
    )
    assert levels_at([EXPORT, ended], "import", date(2025, 12, 31)) is ended
    assert levels_at([EXPORT, ended], "import", date(2026, 1, 1)) is None
    assert levels_at([EXPORT, ended], "export", date(2025, 12, 31)) is None


@pytest.mark.parametrize(
    "values",
    [
        {"goal": 0.0},
        {"goal": 11.0},
        {"minimum": 10.0},
        {"minimum": float("inf")},
        {"until": date(2026, 1, 1)},
    ],
)
def test_levels_that_make_no_sense_are_refused(values: dict[str, object]) -> None:
    given = {"goal": 9.5, "basic": 10.5, "minimum": 11.5, "since": date(2026, 1, 1), "version": "x"}
    with pytest.raises(ValueError, match="export"):
        Levels(type="export", **{**given, **values})  # type: ignore[arg-type]


def test_nearest_rank_gives_a_value_that_was_measured() -> None:
    ranked = [15.0, 20.0, 35.0, 40.0, 50.0]
    assert [nearest_rank(ranked, p) for p in (5, 30, 40, 50, 100)] == [15, 20, 20, 35, 50]
    assert nearest_rank([7.0], 1) == 7
    hundred = [float(n) for n in range(1, 101)]
    assert [nearest_rank(hundred, p) for p in range(1, 101)] == hundred


def test_nothing_has_no_summary() -> None:
    assert summarise([]) is None
    assert indicator_2([], [EXPORT], start=START, end=END) == ()


RATES = RateLevels(goal=100, basic=98, minimum=96, since=date(2026, 1, 1), version="2026")


@pytest.mark.parametrize(
    ("completed", "scheduled", "late", "rate", "grade"),
    [
        (100, 100, 0, 100.00, Grade.GOAL),
        (99, 100, 2, 98.02, Grade.BASIC),
        (98, 100, 4, 96.08, Grade.MINIMUM),
        (99, 100, 10, 94.29, Grade.BELOW),
    ],
)
def test_the_timely_rate(completed: int, scheduled: int, late: int, rate: float, grade: Grade) -> None:
    found = timely_rate(completed, scheduled, late)
    assert found is not None
    assert round(found, 2) == rate
    assert RATES.grade(found) is grade
    assert "0.5" in FORMULA_1


def test_nothing_scheduled_is_not_applicable() -> None:
    assert timely_rate(0, 0, 0) is None


@pytest.mark.parametrize("arguments", [(2, 1, 0), (-1, 1, 0), (1, 1, -1)])
def test_impossible_counts_are_refused(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="completed"):
        timely_rate(*arguments)


def test_rate_levels_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="rate levels"):
        RateLevels(goal=96, basic=98, minimum=100, since=date(2026, 1, 1), version="x")


@pytest.mark.parametrize(
    ("done", "days"),
    [
        (START, 0),
        (START + timedelta(seconds=1), 1),
        (START + timedelta(days=1), 1),
        (START + timedelta(days=1, seconds=1), 2),
        (START - timedelta(days=3), 0),
        (None, 31),
        (END + timedelta(days=9), 31),
    ],
)
def test_part_days_count_up_to_the_end_of_the_period(done: datetime | None, days: int) -> None:
    assert days_late(START, done, END) == days
