"""Commands that look at a gateway's ledger: `status`, `list`, `events`, `sla`. They only read, also beside a
running gateway."""

import functools
import pathlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anyio
import msgspec

from ...routing.lifecycle import EventKind
from ...routing.sla import Levels, indicator_2
from ...routing.timeline import SlaEvent, Timing, timings
from .. import clock
from ..config import GatewaySettings, load_config, load_gateway, load_levels
from ..finding_view import finding_line
from ..ledger import EventRecord, Ledger, LedgerError, open_ledger
from ..toml import ConfigError
from ..views import event_view, status_view, summary_view
from .complaint import complain
from .console import say

T = TypeVar("T")

OK, NOT_FOUND = 0, 1
# Rows of the history read at once.
PAGE = 10_000


def status(folder: pathlib.Path, reference: str, *, as_json: bool) -> int:
    """Print how one declaration stands."""

    async def ask(ledger: Ledger) -> dict[str, Any] | None:
        found = await ledger.status(reference)
        return None if found is None else status_view(found)

    def show(view: dict[str, Any]) -> None:
        say((view["id"], "bold"), f"  {view['type']} {view['function']}  LRN {view['lrn'] or '-'}")
        say("state ", (view["state"], "bold"), f", received {view['received']}, MRN {view['mrn'] or '-'}")
        if view["filename"]:
            say(f"  lodged as {view['filename']}")
        for one in view["attachments"]:
            say(
                f"  with {one['filename'] or '(no name)'}, {one['content-type']}, {one['octets']} octets, "
                f"SHA-256 {one['sha-256']}"
            )
        for leg in view["agencies"]:
            answers = (
                ", ".join(f"{a['outcome']} at {a['received']}" for a in leg["answers"]) or "no answer yet"
            )
            say(f"  {leg['agency']}: {leg['state']} ({leg['attempts']} tries); {answers}")
        if view["stuck"]:
            say(("stuck: ", "red"), f"{', '.join(view['stuck'])}; a person must look: tidewaiter dead")
        for decision in view["decisions"]:
            say(f"  decision {decision['version']}: {decision['outcome']} at {decision['decided']}")
        for later in view["later"]:
            say(f"  later: {later['function']} {later['id']}, {later['state']}")
        for finding in view["findings"]:
            say(f"  {finding_line(finding)}")

    return _look(folder, ask, show, as_json=as_json)


def list_lodgements(folder: pathlib.Path, limit: int, partner: str | None, *, as_json: bool) -> int:
    """Print the newest lodgements."""

    async def ask(ledger: Ledger) -> list[dict[str, Any]]:
        found = await ledger.lodgements(limit=limit, partner=partner)
        # One that has left the configuration may still have lodged.
        if partner is not None and not found and partner not in load_config(folder).partners:
            raise ConfigError(folder / "partners", f"there is no partner {partner!r}")
        return [summary_view(lodgement) for lodgement in found]

    def show(rows: list[dict[str, Any]]) -> None:
        _print_table(("id", "state", "type", "function", "lrn", "channel", "received"), rows)

    return _look(folder, ask, show, as_json=as_json)


def events(folder: pathlib.Path, reference: str, *, as_json: bool) -> int:
    """Print the history of one declaration."""

    async def ask(ledger: Ledger) -> list[dict[str, Any]] | None:
        found = await ledger.status(reference)
        if found is None:
            return None
        history = [event async for event in _history(ledger, found.lodgement.id)]
        # Some are written after the fact: the receipt's leaving, the first byte.
        history.sort(key=lambda event: (event.at.utc_ns, event.number))
        return [event_view(event) for event in history]

    def show(rows: list[dict[str, Any]]) -> None:
        known = ("number", "event", "at", "declaration", "message")
        for row in rows:
            row["about"] = ", ".join(f"{k} {v}" for k, v in row.items() if k not in known)
        _print_table(("number", "at", "event", "about"), rows)

    return _look(folder, ask, show, as_json=as_json)


async def _history(ledger: Ledger, lodgement: str | None) -> AsyncIterator[EventRecord]:
    after = 0
    while True:
        page = await ledger.events(lodgement=lodgement, after=after, limit=PAGE)
        for event in page:
            yield event
        if len(page) < PAGE:
            return
        after = page[-1].number


def _look(
    folder: pathlib.Path,
    ask: Callable[[Ledger], Awaitable[T | None]],
    show: Callable[[T], None],
    *,
    as_json: bool,
) -> int:
    try:
        settings = load_gateway(folder)
        if complaint := not_yet(folder, settings):
            return complain(complaint)
        asked = functools.partial(_asked, folder / settings.ledger, ask)
        found = anyio.run(asked, backend="trio")
    except (ConfigError, LedgerError) as error:
        return complain(error)
    if found is None:
        sys.stderr.write("tidewaiter: nothing has been lodged under this reference\n")
        return NOT_FOUND
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    else:
        show(found)
    return OK


def not_yet(folder: pathlib.Path, settings: GatewaySettings) -> str:
    """What to say where no ledger is to look into; empty where there is one."""
    there = (folder / settings.ledger).exists()
    return "" if there else f"no gateway has run here yet: {folder / settings.ledger} is made by `serve`"


async def _asked(path: pathlib.Path, ask: Callable[[Ledger], Awaitable[T | None]]) -> T | None:
    async with open_ledger(path, read_only=True) as ledger:
        return await ask(ledger)


def _print_table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Rows in columns. References are for copying, so nothing is ever cut: a narrow terminal wraps."""
    cells = [["-" if row[column] is None else str(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for number, line in enumerate((columns, *cells)):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        say((text.rstrip(), "" if number else "bold"))


def sla(folder: pathlib.Path, since: str, until: str, *, as_json: bool) -> int:
    """Print indicator 2 for the days from `since` to `until`, both included, in UTC."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        start = _day(since) if since else today - timedelta(days=30)
        end = (_day(until) if until else today) + timedelta(days=1)
        levels = load_levels(folder)
    except ValueError:
        return complain("a day is written YYYY-MM-DD")
    except ConfigError as error:
        return complain(error)
    if start >= end:
        return complain("the period is empty: --since comes after --until")

    async def ask(ledger: Ledger) -> list[dict[str, Any]]:
        return _indicator(await _timings(ledger), levels, start, end)

    def show(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            sys.stdout.write(_told(row))
        if not rows:
            sys.stdout.write("No e-document was received in this period.\n")

    return _look(folder, ask, show, as_json=as_json)


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


async def _timings(ledger: Ledger) -> tuple[Timing, ...]:
    found: list[SlaEvent] = []
    types: dict[str, str] = {}
    async for event in _history(ledger, None):
        if event.lodgement is None:
            continue
        # A rehearsal is no e-document of the service agreement.
        if event.kind is EventKind.RECEIVED and event.data.get("test") != "1":
            types[event.lodgement] = event.data.get("type", "unknown")
        found.append(SlaEvent(lodgement=event.lodgement, kind=event.kind, at=event.at, data=event.data))
    return timings(found, types, now=clock.instant())


def _indicator(
    measured: tuple[Timing, ...], levels: tuple[Levels, ...], start: datetime, end: datetime
) -> list[dict[str, Any]]:
    rows = []
    for line in indicator_2(measured, levels, start=start, end=end):
        held, summary = line.levels, line.summary
        rows.append(
            {
                "type": line.type,
                "population": line.population.value,
                "n": summary.n if summary is not None else 0,
                **{
                    name: round(getattr(summary, name), 3) if summary is not None else None
                    for name in ("mean", "median", "p90", "p95", "p99", "maximum")
                },
                "level": line.grade.value if line.grade is not None else None,
                "levels": f"{held.goal:g}/{held.basic:g}/{held.minimum:g}" if held is not None else None,
                "version": held.version if held is not None else None,
                "within-goal": None if line.within_goal is None else f"{line.within_goal:.1%}",
                "gateway-mean": round(line.gateway.mean, 3) if line.gateway is not None else None,
                "unanswered": line.unanswered,
                "duplicates": line.duplicates,
                "excluded": {reason.value: count for reason, count in line.excluded.items()} or None,
            }
        )
    return rows


def _told(row: dict[str, Any]) -> str:
    """One line of the indicator, for a person."""
    level = (
        f"{row['level']} ({row['levels']} s, version {row['version']})"
        if row["level"]
        else "no levels agreed"
    )
    spread = ", ".join(f"{name} {row[name]}" for name in ("median", "p90", "p95", "p99", "maximum"))
    counted = ", ".join(f"{name} {row[name]}" for name in ("unanswered", "duplicates"))
    excluded = f", excluded {row['excluded']}" if row["excluded"] else ""
    within = f"; within goal {row['within-goal']}" if row["within-goal"] is not None else ""
    return (
        f"{row['type']}, {row['population']}: n {row['n']}, mean {row['mean']} s, {level}\n"
        f"    {spread}{within}; our own share {row['gateway-mean']} s\n"
        f"    {counted}{excluded}\n"
    )
