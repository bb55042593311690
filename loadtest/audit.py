"""What became of every receipt: the driver's own record held against the gateway, its log and the agencies.

A receipt is a promise. Lost is what has a receipt and no lodgement, a decision and no entry in the log, or a
delivery that the agency does not know; doubled is what exists, was answered or was delivered more than once;
unanswered is what was still on its way when the driver stopped waiting; failed is what got no receipt that
proves anything.
"""

import pathlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from tidewaiter.gateway.sandbox.delivery_log import Entry, read_lines
from tidewaiter.loadtest.driver import Attempt, Driven

# A delivery the gateway has not sent yet, or does not know to have arrived.
UNSENT = frozenset({"pending", "sending"})


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The faults found, a sentence each, in four kinds."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True if there is nothing of any kind."""
        return not (self.lost or self.doubled or self.unanswered or self.failed)


# LRN -> how the gateway says it stands (None: unknown to it), as its API shows it.
Standing = Mapping[str, dict[str, Any] | None]


def audit(
    before: Driven,
    standing: Standing,
    after: Driven,
    lodged: Mapping[str, int],
    delivered: Mapping[str, Counter[str]] | None,
) -> Audit:
    """Hold what the driver saw against `standing`, against how many lodgements bear each LRN, and against how
    often each agency was given each delivery reference (None where the agencies' books are not at hand).

    A gateway under load goes on deciding meanwhile. What the driver had seen `before` it asked how things
    stand cannot be more than was decided then, and what it had seen `after` cannot be less.
    """
    found = _Faults()
    for attempt in after.attempts:
        lrn = attempt.lrn
        if lodged.get(lrn, 0) > 1:
            found.doubled.append(f"{lrn}: {lodged[lrn]} lodgements")
        if attempt.fault:
            found.failed.append(f"{lrn}: {attempt.fault}")
            continue
        view = standing.get(lrn)
        if view is None:
            found.lost.append(f"{lrn}: a receipt, and no lodgement")
            continue
        _answers(attempt, view, before, after, found)
        _deliveries(lrn, view, delivered, found)
    return found.audit()


class _Faults:
    """The faults while they are being found."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.doubled: list[str] = []
        self.unanswered: list[str] = []
        self.failed: list[str] = []

    def audit(self) -> Audit:
        """All of them."""
        return Audit(
            lost=tuple(self.lost),
            doubled=tuple(self.doubled),
            unanswered=tuple(self.unanswered),
            failed=tuple(self.failed),
        )


def _answers(attempt: Attempt, view: dict[str, Any], before: Driven, after: Driven, found: _Faults) -> None:
    """Each decision is told once: in the log, and pushed to who lodged over AS2."""
    lrn, decisions = attempt.lrn, len(view["decisions"])
    if not decisions:
        waiting = ", ".join(view["waiting-for"]) or "nobody"
        found.unanswered.append(f"{lrn}: no decision; waiting for {waiting}")
    logged, pushed = len(after.logged.get(lrn, ())), len(after.pushed.get(lrn, ()))
    if logged < decisions:
        # It is written in the transaction of the decision: the log has it, or never will.
        found.lost.append(f"{lrn}: {decisions} decisions, {logged} answers in the log")
    if attempt.channel == "as2" and pushed < decisions:
        found.unanswered.append(f"{lrn}: {decisions} decisions, {pushed} answers pushed")
    logged, pushed = len(before.logged.get(lrn, ())), len(before.pushed.get(lrn, ()))
    if logged > decisions:
        found.doubled.append(f"{lrn}: {decisions} decisions, {logged} answers in the log")
    if pushed > decisions:
        found.doubled.append(f"{lrn}: {decisions} decisions, {pushed} answers pushed")


def _deliveries(
    lrn: str, view: dict[str, Any], delivered: Mapping[str, Counter[str]] | None, found: _Faults
) -> None:
    """Each leg that was sent stands in the agency's own books exactly once."""
    if delivered is None:
        return
    for leg in view["agencies"]:
        count = delivered.get(leg["agency"], Counter())[leg["delivery"]]
        fault = f"{lrn}: {leg['agency']} was given it {count} times"
        if count > 1:
            found.doubled.append(fault)
        elif not count and leg["state"] in UNSENT:
            found.unanswered.append(fault)
        elif not count:
            found.lost.append(fault)


def books(folder: pathlib.Path) -> dict[str, Counter[str]] | None:
    """How often each agency of the sandbox in `folder` was given each reference; None without its books."""
    files = sorted((folder / "sandbox").glob("*.deliveries.jsonl"))
    if not files:
        return None
    return {
        file.name.partition(".")[0]: Counter(entry.reference for entry in read_lines(file, Entry))
        for file in files
    }
