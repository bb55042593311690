"""The rows that every `make bench-*` prints and writes: a case, ours, what it is held against, the ratio."""

import json
import pathlib
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

WIDTH = 130
OUT = pathlib.Path(__file__).parent / "out"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `ratio` is against / ours for a peer (more is better), ours / against for a floor or a limit
    (less is better); seconds unless `case` names another unit. `goal` and `spread` are for the table; a
    spread of None was not measured.
    """

    case: str
    ours_s: float
    against: str
    against_s: float
    ratio: float
    goal: str = ""
    spread: float | None = None


def beside_peer(
    case: str, ours: float, against: str, peer: float, *, goal: str = "", spread: float | None = None
) -> Result:
    """How many times as fast as a peer."""
    return Result(
        case=case, ours_s=ours, against=against, against_s=peer, ratio=peer / ours, goal=goal, spread=spread
    )


def beside_floor(
    case: str, ours: float, against: str, floor: float, *, goal: str = "", spread: float | None = None
) -> Result:
    """How many times the floor."""
    return Result(
        case=case, ours_s=ours, against=against, against_s=floor, ratio=ours / floor, goal=goal, spread=spread
    )


def table_of(results: Sequence[Result], title: str) -> Table:
    """The rows for people."""
    table = Table(title=title, title_justify="left")
    table.add_column("case")
    for heading in ("ours", "against", "theirs", "ratio", "goal", "spread"):
        table.add_column(heading, justify="left" if heading == "against" else "right")
    for each in results:
        table.add_row(
            each.case,
            _number(each.ours_s),
            each.against,
            _number(each.against_s),
            f"{each.ratio:.2f}",
            each.goal,
            "" if each.spread is None else f"{each.spread:.0%}",
        )
    return table


def console() -> Console:
    """Where a benchmark prints: as wide as the terminal, or as the table needs where there is none."""
    opened = Console(highlight=False)
    if not opened.is_terminal:
        opened.width = WIDTH
    return opened


def write(results: Sequence[Result], name: str) -> pathlib.Path:
    """The rows for programs: a list of case, ours_s, against, against_s and ratio. Returns where it lies."""
    OUT.mkdir(exist_ok=True)
    path = OUT / name
    path.write_text(json.dumps(as_builtins(results), indent=2) + "\n")
    return path


def as_builtins(results: Sequence[Result]) -> list[dict[str, str | float]]:
    """The rows as they are written."""
    return [
        {
            "case": each.case,
            "ours_s": each.ours_s,
            "against": each.against,
            "against_s": each.against_s,
            "ratio": each.ratio,
        }
        for each in results
    ]


def _number(value: float) -> str:
    return f"{value:,.3f}" if value >= 0.1 else f"{value:.6f}"
