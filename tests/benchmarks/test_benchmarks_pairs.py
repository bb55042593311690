"""The arithmetic of a run: pairs, ratios, spread, and when a run does not count."""

import pytest

from tidewaiter.benchmarks.pairs import PAIRS, Measured, Pair, floor_best, floor_spread, is_void, paired


def measured(*floors: float, stage: float = 2.0) -> Measured:
    return Measured(stage="a stage", pairs=tuple(Pair(floor=floor, stage=stage) for floor in floors))


def test_a_pair_takes_the_best_of_its_rounds() -> None:
    rounds = [(1.0, 3.0), (1.5, 2.0)] * PAIRS
    assert paired(rounds) == (Pair(floor=1.0, stage=2.0),) * PAIRS


def test_a_round_counts_in_its_own_pair_only() -> None:
    rounds = [(float(number), 8.0) for number in range(1, PAIRS + 1)]
    assert [pair.floor for pair in paired(rounds)] == [float(number) for number in range(1, PAIRS + 1)]


def test_a_batch_is_told_by_the_document() -> None:
    (pair, *_) = paired([(1.0, 64.0)] * PAIRS, documents=32)
    assert pair == Pair(floor=1.0, stage=2.0)


@pytest.mark.parametrize("rounds", [0, PAIRS - 1, PAIRS + 1])
def test_rounds_must_make_whole_pairs(rounds: int) -> None:
    with pytest.raises(ValueError, match="do not make"):
        paired([(1.0, 1.0)] * rounds)


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    one = measured(1.0, 1.0, 0.5)
    assert one.ratio == 2.0
    assert one.range == (2.0, 4.0)
    assert one.best == 2.0


def test_the_spread_is_of_all_floors_of_the_run() -> None:
    run = [measured(1.0, 1.0), measured(1.05, 1.08)]
    assert floor_spread(run) == pytest.approx(0.08)
    assert floor_best(run) == 1.0


@pytest.mark.parametrize(("slowest", "void"), [(1.0, False), (1.099, False), (1.101, True), (1.8, True)])
def test_a_run_is_void_above_ten_per_cent(slowest: float, void: bool) -> None:
    assert is_void([measured(1.0, 1.02), measured(slowest)]) is void


def test_the_stage_does_not_make_a_run_void() -> None:
    pairs = (Pair(floor=1.0, stage=1.0), Pair(floor=1.0, stage=9.0))
    assert not is_void([Measured(stage="uneven", pairs=pairs)])
