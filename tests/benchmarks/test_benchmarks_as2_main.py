"""`python -m tidewaiter.benchmarks.as2`: what is printed, what is written, and when a run counts."""

import json
import pathlib
import sys

import pytest

from tidewaiter.benchmarks import results
from tidewaiter.benchmarks.as2 import __main__ as command
from tidewaiter.benchmarks.as2 import cases, peers
from tidewaiter.benchmarks.pairs import Measured, Pair
from tidewaiter.benchmarks.results import beside_floor


def case(*floors: float) -> cases.Case:
    pairs = tuple(Pair(floor=floor, stage=2.0) for floor in floors)
    return cases.Case([beside_floor("receive", 2.0, "floor", 1.0)], Measured(stage="receive", pairs=pairs))


@pytest.fixture
def out(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(results, "OUT", tmp_path)
    monkeypatch.setattr(command, "large", lambda: [beside_floor("100 MB", 300.0, "MB attached", 100.0)])
    return tmp_path / "as2.json"


def run(monkeypatch: pytest.MonkeyPatch, floors: tuple[float, ...], *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["as2", *arguments])
    monkeypatch.setattr(cases, "of_suite", lambda suite, goals, rounds: [case(*floors)])
    command.main()


def test_rows_are_printed_and_written(
    out: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, (1.0, 1.05))
    told = capsys.readouterr().out
    assert "the ratios count" in told
    assert "100 MB" in told
    rows = json.loads(out.read_text())
    assert [row["case"] for row in rows] == ["receive"] * len(cases.SUITES) + ["100 MB"]
    assert set(rows[0]) == {"case", "ours_s", "against", "against_s", "ratio"}


def test_quick_writes_nothing(out: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, (1.0,), "--quick")
    assert not out.exists()


def test_a_floor_that_moved_makes_the_run_void(
    out: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, (1.0, 1.2), "--quick")
    assert "VOID" in capsys.readouterr().out


def test_a_missing_peer_is_told(
    out: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "is_there", lambda: False)
    run(monkeypatch, (1.0,), "--quick")
    assert "left out" in capsys.readouterr().out
