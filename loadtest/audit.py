"""What became of every receipt: the driver's own record held against the gateway, its log and the agencies.

A receipt is a promise. Lost is what has a receipt and no lodgement, no decision, no answer, or is unknown to
an agency that was asked; doubled is what exists, was answered or was delivered more than once; failed is what
got no receipt that proves anything.
"""

import pathlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from tidewaiter.gateway.sandbox.delivery_log import Entry, read_lines
from tidewaiter.loadtest.driver import Driven


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The faults found, a sentence each, in three kinds."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """True if nothing was lost, doubled or failed."""
        return not (self.lost or self.doubled or self.failed)


# LRN -> how the gateway says it stands (None: unknown to it), as its API shows it.
Standing = Mapping[str, dict[str, Any] | None]


def audit(
    driven: Driven,
    standing: Standing,
    lodged: Mapping[str, int],
    delivered: Mapping[str, Counter[str]] | None,
) -> Audit:
    """Hold what `driven` saw against `standing`, against how many lodgements bear each LRN, and against how
    often each agency was given each delivery reference (None where the agencies' books are not at hand)."""
    lost: list[str] = []
    doubled: list[str] = []
    for attempt in driven.attempts:
        lrn = attempt.lrn
        if lodged.get(lrn, 0) > 1:
            doubled.append(f"{lrn}: {lodged[lrn]} lodgements")
        if attempt.fault:
            continue
        view = standing.get(lrn)
        if view is None:
            lost.append(f"{lrn}: a receipt, and no lodgement")
            continue
        decisions = len(view["decisions"])
        if not decisions:
            lost.append(f"{lrn}: no decision; waiting for {', '.join(view['waiting-for']) or 'nobody'}")
        told = {"in the log": len(driven.logged.get(lrn, ()))}
        if attempt.channel == "as2":
            told["pushed"] = len(driven.pushed.get(lrn, ()))
        for where, count in told.items():
            if count < decisions:
                lost.append(f"{lrn}: {decisions} decisions, {count} answers {where}")
            if count > decisions:
                doubled.append(f"{lrn}: {decisions} decisions, {count} answers {where}")
        for fault, found in _deliveries(lrn, view, delivered):
            (lost if not found else doubled).append(fault)
    failed = tuple(f"{attempt.lrn}: {attempt.fault}" for attempt in driven.attempts if attempt.fault)
    return Audit(lost=tuple(lost), doubled=tuple(doubled), failed=failed)


def _deliveries(
    lrn: str, view: dict[str, Any], delivered: Mapping[str, Counter[str]] | None
) -> Iterable[tuple[str, int]]:
    """The legs of a lodgement that the agency's own books do not have exactly once."""
    if delivered is None:
        return
    for leg in view["agencies"]:
        found = delivered.get(leg["agency"], Counter())[leg["delivery"]]
        if found != 1:
            yield f"{lrn}: {leg['agency']} was given it {found} times", found


def books(folder: pathlib.Path) -> dict[str, Counter[str]] | None:
    """How often each agency of the sandbox in `folder` was given each reference; None without its books."""
    files = sorted((folder / "sandbox").glob("*.deliveries.jsonl"))
    if not files:
        return None
    return {
        file.name.partition(".")[0]: Counter(entry.reference for entry in read_lines(file, Entry))
        for file in files
    }
