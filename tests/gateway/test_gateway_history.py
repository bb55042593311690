"""Events that wait for nobody: written together, soon, and once more at the end."""

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tidewaiter.gateway.history import MAX_WAITING, History
from tidewaiter.gateway.ledger import EventRecord, LedgerUnavailable
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.lifecycle import EventKind

pytestmark = pytest.mark.anyio

EVENT = EventRecord(kind=EventKind.RECEIPT_SENT, at=Instant(1, 1, "p"))


async def test_what_is_noted_is_written(bench: Any) -> None:
    history = History(bench.ledger)
    async with anyio.create_task_group() as group:
        group.start_soon(history.run)
        history.note(EVENT)
        history.note(EVENT)
        with anyio.fail_after(5):
            while len(await bench.events()) < 2:
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert await bench.kinds() == ["receipt_sent"] * 2


async def test_what_is_noted_last_is_written_at_the_end(bench: Any) -> None:
    history = History(bench.ledger)
    async with anyio.create_task_group() as group:
        group.start_soon(history.run)
        await anyio.lowlevel.checkpoint()
        history.note(EVENT)
        group.cancel_scope.cancel()
    assert await bench.kinds() == ["receipt_sent"]


async def test_a_write_under_way_at_the_end_is_finished(bench: Any) -> None:
    """Stopped while others' commit is in flight: what was noted before is written, and once."""
    history, commit = History(bench.ledger), bench.ledger.commit
    asked, let_go = anyio.Event(), anyio.Event()

    async def waiting(changes: Any) -> Any:
        asked.set()
        await let_go.wait()
        return await commit(changes)

    bench.ledger.commit = waiting
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(history.run)
            history.note(EVENT)
            await asked.wait()
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.wait_all_tasks_blocked()
            let_go.set()
    assert await bench.kinds() == ["receipt_sent"]


async def test_it_stays_bounded(bench: Any) -> None:
    history = History(bench.ledger)
    for _ in range(MAX_WAITING + 5):
        history.note(EVENT)
    assert len(history._waiting) == MAX_WAITING


async def test_a_ledger_that_fails_drops_them(bench: Any) -> None:
    """They are times, not receipts: they end nothing."""
    history = History(bench.ledger)
    tried = anyio.Event()

    async def failing(_: Any) -> Any:
        tried.set()
        raise LedgerUnavailable("gone")

    bench.ledger.commit = failing
    async with anyio.create_task_group() as group:
        group.start_soon(history.run)
        history.note(EVENT)
        with anyio.fail_after(5):
            await tried.wait()
        group.cancel_scope.cancel()
