"""What processes of their own measure is what they are for, and their figures are told the right way."""

import pathlib

import pytest

from tidewaiter.benchmarks.as2 import large, memory
from tidewaiter.benchmarks.as2.memory import MEGABYTE, Taken


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    made = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "BOMB", 40 * MEGABYTE)
        memory.make(made)
    memory.make_attachment(made, 2)
    return made


def test_an_attachment_is_composed_and_received(folder: pathlib.Path) -> None:
    composed, received = memory.measured("compose", folder), memory.measured("receive", folder)
    for taken in (composed, received):
        assert taken.highest > taken.raised > 0
        assert 0 < taken.seconds < 10
    assert memory.bare() < composed.highest


def test_a_bomb_is_refused(folder: pathlib.Path) -> None:
    taken = memory.measured("inflate", folder)
    assert taken.raised < 40 * MEGABYTE


def test_a_stage_that_did_something_else_does_not_count() -> None:
    with pytest.raises(AssertionError):
        memory._check("inflate", object())


def test_rows_go_the_way_of_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(stage: str, folder: pathlib.Path) -> Taken:
        size = sizes[-1]
        return Taken(10 * MEGABYTE + 3 * size * MEGABYTE, 16 * 1024**2, size / 100 if size else 0.05)

    sizes = [0]
    monkeypatch.setattr(memory, "make", lambda folder: None)
    monkeypatch.setattr(memory, "make_attachment", lambda folder, size: sizes.append(size))
    monkeypatch.setattr(memory, "measured", taken)
    monkeypatch.setattr(memory, "bare", lambda: 10 * MEGABYTE)
    monkeypatch.setattr(large, "BOMB_SECONDS", 2.0)
    rows = {row.case: row.ratio for row in large.large()}
    assert rows == pytest.approx(
        {
            "100 MB attached: compose, peak MB above the interpreter": 3.0,
            "50 MB attached: compose, s/MB": 1.0,
            "100 MB attached: compose, s/MB": 1.0,
            "100 MB attached: receive, peak MB above the interpreter": 3.0,
            "50 MB attached: receive, s/MB": 1.0,
            "100 MB attached: receive, s/MB": 1.0,
            "300 MB out of 300 KB: refused, s": 0.5,
            "300 MB out of 300 KB: refused, MiB above": 0.5,
        }
    )
