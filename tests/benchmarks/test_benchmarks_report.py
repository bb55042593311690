"""What a run prints, and what it keeps for programs."""

import io
import pathlib

from rich.console import Console

from tidewaiter.benchmarks.pairs import Measured, Pair
from tidewaiter.benchmarks.report import as_builtins, table_of
from tidewaiter.gateway.sandbox.machine import machine


def run(slowest: float) -> list[Measured]:
    return [
        Measured(
            stage="AS2: receive", pairs=(Pair(floor=500e-6, stage=600e-6), Pair(floor=slowest, stage=700e-6))
        )
    ]


def printed(measured: list[Measured]) -> str:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as captured:
        console.print(table_of(measured, machine(pathlib.Path.cwd())))
    return captured.get()


def test_the_table_tells_microseconds_and_the_multiple() -> None:
    text = printed(run(500e-6))
    row = next(line for line in text.splitlines() if "AS2: receive" in line)
    assert "600" in row
    assert "1.30" in row
    assert "1.20 to 1.40" in row
    assert "spread 0.0%" in text
    assert "VOID" not in text


def test_a_busy_machine_is_called_void() -> None:
    text = printed(run(600e-6))
    assert "spread 20.0%" in text
    assert "VOID" in text


def test_programs_get_every_pair_and_the_verdict() -> None:
    told = as_builtins(run(600e-6), machine(pathlib.Path.cwd()), "2026-11-22T09:00:00+00:00")
    assert told["void"] is True
    assert told["floor"]["seconds"] == 500e-6
    assert told["stages"][0]["pairs"] == [
        {"floor": 500e-6, "stage": 600e-6},
        {"floor": 600e-6, "stage": 700e-6},
    ]
    assert told["machine"]["cores"] >= 1
