"""The report's figures from durations that are known."""

import datetime
import io
import pathlib

import msgspec
from rich.console import Console

from tidewaiter.gateway.sandbox.machine import machine
from tidewaiter.loadtest.audit import Audit
from tidewaiter.loadtest.driver import Attempt, Driven
from tidewaiter.loadtest.report import Load, Result, as_builtins, shown
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.sla import Levels, indicator_2
from tidewaiter.routing.timeline import Population, Timing

START = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
LEVELS = Levels(
    type="import", goal=9.5, basic=10.5, minimum=11.5, since=datetime.date(2026, 1, 1), version="2026"
)


def timing(number: int, seconds: float) -> Timing:
    return Timing(
        lodgement=f"L{number}",
        type="import",
        received=Instant(int(START.timestamp() * 1e9), 0, "process-1"),
        population=Population.AUTOMATIC,
        age=seconds,
        processing=seconds,
        receipt=0.01,
        delivery=0.1,
        agencies={"customs": seconds - 0.5},
        gateway=0.5,
    )


def result(audit: Audit = Audit(), *, late: float = 0.001) -> Result:
    """A hundred attempts: receipts after 0.01 s to 1.00 s, answers a second later; 99 e-documents of 3 s and
    one of 900 s."""
    attempts = tuple(
        Attempt(
            lrn=f"LRN{number}",
            sample="import.edi",
            channel="as2" if number % 2 else "https",
            started=late,
            receipted=number / 100,
        )
        for number in range(1, 101)
    )
    answers = {attempt.lrn: (number / 100 + 1,) for number, attempt in enumerate(attempts, 1)}
    timings = [timing(number, 900.0 if number == 100 else 3.0) for number in range(1, 101)]
    return Result(
        load=Load(rate=20, seconds=5, seed=1, arrivals="poisson", channels=("as2", "https"), loop="trio"),
        driven=Driven(attempts=attempts, pushed=answers, logged=answers),
        audit=audit,
        levels=indicator_2(timings, [LEVELS], start=START, end=START + datetime.timedelta(days=1)),
        before=machine(pathlib.Path.cwd()),
        after=machine(pathlib.Path.cwd()),
    )


def printed(told: Result) -> str:
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as captured:
        console.print(shown(told))
    return captured.get()


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if name in line)
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


def test_the_whole_distribution_is_shown() -> None:
    cells = row(printed(result()), "receipt, verified")
    assert cells[:7] == ["100", "0.505", "0.500", "0.900", "0.950", "0.990", "1.000"]


def test_an_answer_counts_from_when_its_declaration_was_due() -> None:
    assert row(printed(result()), "answer")[1] == "1.505"


def test_the_mean_decides_the_level_and_the_percentiles_stand_beside_it() -> None:
    text = printed(result())
    cells = row(text, "import, automatic")
    assert cells == ["100", "11.970", "3.000", "3.000", "3.000", "3.000", "900.000", "below minimum"]
    assert row(text, "the gateway's share")[1] == "0.500"
    assert "9.5/10.5/11.5" in text
    assert "within goal 99.0%" in text


def test_faults_are_counted_and_shown() -> None:
    text = printed(result(Audit(lost=("A: lost it",), failed=tuple(f"B{n}: HTTP 503" for n in range(12)))))
    assert "lost 1, doubled 0, unanswered 0, failed 12" in text
    assert "lost: A: lost it" in text
    assert "and 2 more failed" in text


def test_a_late_driver_is_told() -> None:
    assert "The driver was late itself" not in printed(result())
    assert "The driver was late itself" in printed(result(late=0.2))


def test_programs_get_the_same() -> None:
    told = as_builtins(result(Audit(doubled=("C: twice",))))
    assert told["seconds"]["receipt"]["p95"] == 0.95
    assert told["levels"][0]["level"] == "below minimum"
    assert list(told["audit"]["doubled"]) == ["C: twice"]
    assert msgspec.json.encode(told)
