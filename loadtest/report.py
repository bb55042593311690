"""The report of a run: distributions whole, the level they reach, what went wrong, and on which machine."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidewaiter.gateway.sandbox.machine import Machine
from tidewaiter.loadtest.audit import Audit
from tidewaiter.loadtest.driver import Driven
from tidewaiter.routing.sla import Indicator2, Summary, summarise

FAULTS_SHOWN = 10
# Above it the driver itself was late, and the load was not the one on the schedule.
LATE_SECONDS = 0.1
CAPTION = "Seconds: receipt and answer since the declaration was due, e-documents by the gateway's history."
COLUMNS = ("n", "mean", "median", "p90", "p95", "p99", "max")


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    rate: float
    seconds: float
    seed: int
    arrivals: str
    channels: tuple[str, ...]
    loop: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. `levels` are the gateway's own e-document times by type; `before` and `after` the machine
    at both ends of it."""

    load: Load
    driven: Driven
    audit: Audit
    levels: tuple[Indicator2, ...]
    before: Machine
    after: Machine

    @property
    def late(self) -> Summary | None:
        """How long after it was due the driver came to send a declaration."""
        return summarise([attempt.started for attempt in self.driven.attempts])

    @property
    def receipts(self) -> Summary | None:
        """From due to a verified receipt."""
        return summarise([a.receipted for a in self.driven.attempts if a.receipted is not None])

    @property
    def answers(self) -> Summary | None:
        """From due to the answer in the trader's hands."""
        answers = (self.driven.answer(attempt) for attempt in self.driven.attempts)
        return summarise([seconds for seconds in answers if seconds is not None])


def shown(result: Result) -> RenderableType:
    """The report for a person."""
    load = result.load
    title = (
        f"{load.rate:g} declarations a second for {load.seconds:g} s, {load.arrivals} arrivals of seed "
        f"{load.seed}, over {' and '.join(load.channels)}"
    )
    table = Table(title=title, title_justify="left", caption=CAPTION, caption_justify="left")
    table.add_column("")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    table.add_column("level")
    for name, summary, level in _rows(result):
        table.add_row(name, *_cells(summary), level)
    return Group(table, *_sentences(result))


def _rows(result: Result) -> list[tuple[str, Summary | None, str]]:
    rows: list[tuple[str, Summary | None, str]] = [
        ("receipt, verified", result.receipts, ""),
        ("answer", result.answers, ""),
    ]
    for line in result.levels:
        name = f"{line.type}, {line.population.value}"
        rows.append((name, line.summary, line.grade.value if line.grade is not None else "none agreed"))
        rows.append(("  the gateway's share", line.gateway, ""))
    return [*rows, ("sent late by", result.late, "")]


def _cells(summary: Summary | None) -> list[str]:
    if summary is None:
        return ["0", *("-" for _ in COLUMNS[1:])]
    figures = (summary.mean, summary.median, summary.p90, summary.p95, summary.p99, summary.maximum)
    return [str(summary.n), *(f"{seconds:.3f}" for seconds in figures)]


def _sentences(result: Result) -> list[Text]:
    audit, attempts = result.audit, result.driven.attempts
    receipted = sum(not attempt.fault for attempt in attempts)
    verdict = (
        f"{len(attempts)} lodged, {receipted} receipts verified; lost {len(audit.lost)}, doubled "
        f"{len(audit.doubled)}, unanswered {len(audit.unanswered)}, failed {len(audit.failed)}."
    )
    lines = [Text(verdict, style="bold green" if audit.clean else "bold red")]
    for kind in ("lost", "doubled", "unanswered", "failed"):
        faults: Sequence[str] = getattr(audit, kind)
        lines += [Text(f"  {kind}: {fault}") for fault in faults[:FAULTS_SHOWN]]
        if len(faults) > FAULTS_SHOWN:
            lines.append(Text(f"  and {len(faults) - FAULTS_SHOWN} more {kind}"))
    lines += [Text(_held(line)) for line in result.levels if line.levels is not None]
    late = result.late
    if late is not None and late.p99 > LATE_SECONDS:
        lines.append(Text("The driver was late itself: the machine is too small for this rate.", style="red"))
    lines.append(Text(str(result.before), style="dim"))
    lines.append(Text(f"load {result.before.load:.1f} before, {result.after.load:.1f} after", style="dim"))
    return lines


def _held(line: Indicator2) -> str:
    """Against what the e-document time of a type is held."""
    assert line.levels is not None
    held = line.levels
    within = "-" if line.within_goal is None else f"{line.within_goal:.1%}"
    return (
        f"{line.type}: last octet to answer against {held.goal:g}/{held.basic:g}/{held.minimum:g} s (version "
        f"{held.version}), within goal {within}, unanswered {line.unanswered}"
    )


def as_builtins(result: Result) -> dict[str, Any]:
    """The report for programs."""
    built: dict[str, Any] = msgspec.to_builtins(
        {
            "load": result.load,
            "seconds": {"receipt": result.receipts, "answer": result.answers, "late": result.late},
            "levels": [
                {
                    "type": line.type,
                    "population": line.population.value,
                    "level": line.grade.value if line.grade is not None else None,
                    "processing": line.summary,
                    "gateway": line.gateway,
                    "within-goal": line.within_goal,
                    "unanswered": line.unanswered,
                }
                for line in result.levels
            ],
            "lodged": len(result.driven.attempts),
            "audit": result.audit,
            "machine": {"before": result.before, "after": result.after},
        }
    )
    return built
