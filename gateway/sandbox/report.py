"""How the demonstration shows its rows: a table for people, JSON for programs."""

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table

from .cases import Case, Observed

# A file or a pipe has no width of its own.
WIDTH = 120
FINDINGS_SHOWN = 4
COLUMNS = ("", "Document", "Findings", "Agencies", "Decision", "Time, level", "Receipt")
# It holds the MRN, 18 characters that are read as one.
UNBROKEN = "Decision"

LEGEND = (
    "Document: with channel, syntax and type. Findings: code and place. Agencies: those asked, each with its "
    "answer. Decision: with the message that told it, and the MRN. Time: from the last octet of the "
    "e-document to its business answer, the gateway's own share in brackets, held against 9.5 (goal), 10.5 "
    "(basic) and 11.5 s (minimum); an inspection stops the clock, for a 422 the response is the answer, and "
    "what came again is not counted again. Receipt: as the trader verified it."
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One case, what was seen, and in what it is not as it must be."""

    number: int
    case: Case
    seen: Observed
    faults: tuple[str, ...]

    @property
    def right(self) -> bool:
        """True if it came out as it must."""
        return not self.faults


def console_for(*, json_output: bool) -> Console:
    """Where people are told things: standard error where standard output is for JSON."""
    console = Console(stderr=json_output)
    return console if console.is_terminal else Console(stderr=json_output, width=WIDTH)


def show(console: Console, rows: Sequence[Row], seconds: float) -> None:
    """The table, its legend, what is wrong, and the verdict."""
    table = Table(
        title="Lodged by a trader, decided by agencies",
        title_justify="left",
        show_lines=True,
        box=HORIZONTALS,
        show_edge=False,
        # Seven columns find room in a terminal of 80 characters.
        padding=(0, 1, 0, 0),
    )
    for name in COLUMNS:
        table.add_column(name, no_wrap=name == UNBROKEN, overflow="fold")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    console.print(LEGEND, style="dim")
    for row in rows:
        for fault in row.faults:
            console.print(f"[red]row {row.number}[/red] {row.case.sample}: ", end="")
            console.print(fault, markup=False)
    right = sum(row.right for row in rows)
    style = "bold green" if right == len(rows) else "bold red"
    console.print(
        f"[{style}]{right} of {len(rows)} rows came out as they must[/{style}], in {seconds:.1f} s."
    )


def as_json(rows: Sequence[Row], seconds: float) -> bytes:
    """The same for programs."""
    value = {
        "rows": [_view(row) for row in rows],
        "right": all(row.right for row in rows),
        "seconds": round(seconds, 3),
    }
    return msgspec.json.format(msgspec.json.encode(value)) + b"\n"


def _cells(row: Row) -> tuple[str, ...]:
    case, seen = row.case, row.seen
    mark = "[green]right[/green]" if row.right else "[red]wrong[/red]"
    shown = [f"{code} {_short(where)}" for code, where in seen.findings[:FINDINGS_SHOWN]]
    if len(seen.findings) > FINDINGS_SHOWN:
        shown.append(f"and {len(seen.findings) - FINDINGS_SHOWN} more")
    time = "not counted" if case.again else "-"
    if seen.seconds is not None:
        time = f"{seen.seconds:.3f} s\n({seen.share or 0:.3f})\n{seen.level}"
    return (
        f"{row.number}\n{mark}",
        f"{case.title}\n[dim]{case.channel}, {seen.syntax}, {seen.type}[/dim]",
        _safe("\n".join(shown) or "none"),
        "\n".join(f"{agency} [dim]{answer}[/dim]" for agency, answer in seen.asked.items()) or "nobody",
        f"{seen.decision or 'rejected'}\n[dim]{seen.told}\n{seen.mrn}[/dim]",
        time,
        _safe(seen.receipt),
    )


def _short(where: str) -> str:
    """A place without its XPath, where it has a WCO pointer too."""
    path, bracket, chain = where.partition(" (")
    return chain.rstrip(")") if bracket else path


def _safe(text: str) -> str:
    """Without markup: a pointer has square brackets."""
    return text.replace("[", "\\[")


def _view(row: Row) -> dict[str, Any]:
    case, seen = row.case, row.seen
    return {
        "number": row.number,
        "document": case.sample,
        "title": case.title,
        "channel": case.channel,
        "syntax": seen.syntax,
        "type": seen.type,
        "findings": [{"code": code, "where": where} for code, where in seen.findings],
        "agencies": dict(seen.asked),
        "decision": seen.decision or None,
        "told": seen.told,
        "mrn": seen.mrn or None,
        "e-document-seconds": seen.seconds,
        "gateway-seconds": seen.share,
        "level": seen.level or None,
        "receipt": seen.receipt,
        "receipt-verified": seen.receipted and seen.told != "422",
        "right": row.right,
        "faults": list(row.faults),
    }
