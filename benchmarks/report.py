"""The table of a run, the same as rows, and all of it for programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidewaiter.benchmarks.pairs import PAIRS, SPREAD_LIMIT, Measured, floor_best, floor_spread, is_void
from tidewaiter.benchmarks.results import Result, beside_floor
from tidewaiter.gateway.sandbox.machine import Machine

_MICRO = 1e6
FLOOR = "the cryptography of one AS2 exchange"


def table_of(measured: Sequence[Measured], machine: Machine) -> RenderableType:
    """Stage, microseconds, times the floor; below, what the run is worth."""
    table = Table(title="One document through the gateway", title_justify="left")
    table.add_column("stage")
    table.add_column("us, best", justify="right")
    table.add_column("x floor", justify="right")
    table.add_column("of the pairs", justify="right")
    for each in measured:
        low, high = each.range
        table.add_row(
            each.stage, f"{each.best * _MICRO:,.0f}", f"{each.ratio:.2f}", f"{low:.2f} to {high:.2f}"
        )
    return Group(table, verdict(measured), Text(str(machine), style="dim"))


def verdict(measured: Sequence[Measured]) -> Text:
    """One sentence: does this run count?"""
    told = (
        f"Floor {floor_best(measured) * _MICRO:,.0f} us, spread {floor_spread(measured):.1%} "
        f"over {PAIRS} pairs a stage"
    )
    if is_void(measured):
        text = f"{told}. VOID: above {SPREAD_LIMIT:.0%} the machine was too busy to compare anything."
        return Text(text, style="bold red")
    return Text(f"{told}: within {SPREAD_LIMIT:.0%}, the ratios count.", style="green")


def rows_of(measured: Sequence[Measured]) -> list[Result]:
    """The run as the rows every benchmark writes: of each stage the pair whose ratio is the median."""
    return [beside_floor(each.stage, each.median.stage, FLOOR, each.median.floor) for each in measured]


def as_builtins(measured: Sequence[Measured], machine: Machine, measured_at: str) -> dict[str, Any]:
    """The run for programs: seconds and ratios, every pair of them."""
    return {
        "measured-at": measured_at,
        "machine": {name: getattr(machine, name) for name in machine.__struct_fields__},
        "floor": {"seconds": floor_best(measured), "spread": floor_spread(measured)},
        "void": is_void(measured),
        "stages": [
            {
                "stage": each.stage,
                "seconds": each.best,
                "times-floor": each.ratio,
                "pairs": [{"floor": pair.floor, "stage": pair.stage} for pair in each.pairs],
            }
            for each in measured
        ],
    }
