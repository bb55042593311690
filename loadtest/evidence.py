"""What the gateway itself says after a run: how lodgements stand, and how long they took by their history."""

from collections import Counter
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio

from tidewaiter.gateway import clock
from tidewaiter.gateway.ledger import EventRecord, Ledger, LodgementRecord
from tidewaiter.gateway.sandbox.trader import Trader
from tidewaiter.routing.sla import Indicator2, Levels, indicator_2
from tidewaiter.routing.timeline import SlaEvent, timings

# Status requests at once: quick, and no load test of their own.
ASKED_AT_ONCE = 8
# Events read at once.
PAGE = 10_000
# Lodgements of other runs that may stand among the newest.
OTHERS = 1000


async def standing(trader: Trader, lrns: Collection[str]) -> dict[str, dict[str, Any] | None]:
    """How the gateway's API says that each of `lrns` stands; None where it knows none."""
    found: dict[str, dict[str, Any] | None] = {}
    limit = anyio.CapacityLimiter(ASKED_AT_ONCE)

    async def ask(lrn: str) -> None:
        async with limit:
            found[lrn] = await trader.status(lrn)

    async with anyio.create_task_group() as group:
        for lrn in lrns:
            group.start_soon(ask, lrn)
    return found


async def lodgements(ledger: Ledger, lrns: Collection[str]) -> list[LodgementRecord]:
    """The lodgements under `lrns`."""
    wanted = frozenset(lrns)
    newest = await ledger.lodgements(limit=2 * len(wanted) + OTHERS)
    return [lodgement for lodgement in newest if lodgement.lrn in wanted]


def counted(found: Collection[LodgementRecord]) -> Counter[str]:
    """How many lodgements bear each LRN."""
    return Counter(lodgement.lrn for lodgement in found)


async def service_level(
    ledger: Ledger, found: Collection[LodgementRecord], levels: tuple[Levels, ...], since: datetime
) -> tuple[Indicator2, ...]:
    """Indicator 2 of the lodgements `found`, which came `since`, against the levels of the configuration."""
    types = {lodgement.id: lodgement.type for lodgement in found}
    events = [
        SlaEvent(lodgement=event.lodgement, kind=event.kind, at=event.at, data=event.data)
        async for event in _history(ledger)
        if event.lodgement is not None and event.lodgement in types
    ]
    measured = timings(events, types, now=clock.instant())
    end = datetime.now(UTC) + timedelta(days=1)
    return indicator_2(measured, levels, start=since, end=end)


async def _history(ledger: Ledger) -> AsyncIterator[EventRecord]:
    after, page = 0, PAGE
    while page == PAGE:
        events = await ledger.events(lodgement=None, after=after, limit=PAGE)
        for event in events:
            yield event
            after = event.number
        page = len(events)
