"""The rows of every benchmark: which way a ratio goes, what is written, and what is printed."""

import io
import json
import pathlib

import pytest
from rich.console import Console

from tidewaiter.benchmarks import results
from tidewaiter.benchmarks.pairs import Measured, Pair
from tidewaiter.benchmarks.report import rows_of
from tidewaiter.benchmarks.results import beside_floor, beside_peer, table_of, write
from tidewaiter.benchmarks.rounds import in_turns


def test_a_peer_that_takes_twice_as_long_is_a_ratio_of_two() -> None:
    assert beside_peer("read", 1.0, "peer", 2.0).ratio == 2.0


def test_a_floor_of_half_the_time_is_a_ratio_of_two() -> None:
    assert beside_floor("read", 1.0, "floor", 0.5).ratio == 2.0


def test_what_is_written_has_five_names_a_row(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "OUT", tmp_path / "out")
    path = write([beside_peer("read", 1.0, "peer", 2.0, goal="fast", spread=0.1)], "rows.json")
    assert json.loads(path.read_text()) == [
        {"case": "read", "ours_s": 1.0, "against": "peer", "against_s": 2.0, "ratio": 2.0}
    ]


def test_the_table_has_goal_and_spread() -> None:
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as captured:
        console.print(table_of([beside_peer("read", 0.01, "peer", 0.2, goal=">= 14", spread=0.25)], "Title"))
    row = next(line for line in captured.get().splitlines() if "│ read" in line)
    assert all(word in row for word in ("0.010000", "0.200", "20.00", ">= 14", "25%"))


def test_a_spread_that_was_not_measured_is_not_shown() -> None:
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as captured:
        console.print(table_of([beside_peer("read", 0.01, "peer", 0.2)], "Title"))
    assert "%" not in captured.get()


def test_a_stage_of_the_pipeline_is_the_pair_of_its_median() -> None:
    pairs = (Pair(floor=1.0, stage=3.0), Pair(floor=1.0, stage=1.0), Pair(floor=2.0, stage=4.0))
    (row,) = rows_of([Measured(stage="receive", pairs=pairs)])
    assert (row.case, row.ours_s, row.against_s, row.ratio) == ("receive", 4.0, 2.0, 2.0)


def test_ways_take_turns_and_short_ones_are_called_more_often() -> None:
    called: list[str] = []
    ways = {"a": lambda: called.append("a"), "b": lambda: called.append("b")}
    timed = in_turns(ways, 3, {"b": 2})
    assert "".join(called) == "abb" * 3
    assert all(each.best > 0 and each.spread >= 0 for each in timed.values())
