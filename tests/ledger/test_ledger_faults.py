"""G8 at the store: after one failure nothing is committed, and everybody is told."""

import contextlib
import pathlib
import sqlite3
from typing import Any, ClassVar

import anyio
import pytest

from tidewaiter.gateway.ledger import (
    Change,
    Committed,
    LedgerBusy,
    LedgerFailed,
    LedgerUnavailable,
    open_ledger,
)
from tidewaiter.gateway.ledger import sqlite as engine

pytestmark = pytest.mark.anyio


class Scripted(sqlite3.Connection):
    """A connection whose statements fail as the script says: a statement, and how many of it go well before.

    As on a real disk, it is one failure: the same statement would go well again.
    """

    script: ClassVar[dict[str, int]] = {}
    error: ClassVar[type[Exception]] = sqlite3.OperationalError

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:  # type: ignore[override]
        word = sql.split(maxsplit=1)[0] if not sql.startswith("PRAGMA wal") else "CHECKPOINT"
        if word in self.script:
            self.script[word] -= 1
            if self.script[word] < 0:
                del self.script[word]
                raise self.error("disk I/O error")
        return super().execute(sql, *parameters)


@pytest.fixture(autouse=True)
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    monkeypatch.setattr(Scripted, "script", {})
    monkeypatch.setattr(Scripted, "error", sqlite3.OperationalError)
    return Scripted.script


async def test_after_one_failed_commit_nothing_is_committed(
    path: pathlib.Path, make: Any, script: dict[str, int], anyio_backend: object
) -> None:
    first, second, third = make.message(), make.message(), make.message()
    async with open_ledger(path, connection=Scripted) as ledger:
        await ledger.commit([Change(message=first)])
        script["COMMIT"] = 0
        with pytest.raises(LedgerFailed, match="disk I/O error"):
            await ledger.commit([Change(message=second)])
        assert ledger.failed.is_set()
        assert not ledger.has_room()
        for attempt in (
            ledger.commit([Change(message=third)]),
            ledger.claim_deliveries(now_ns=1, lease_ns=1, limit=1),
            ledger.claim_notifications(now_ns=1, lease_ns=1, limit=1),
            ledger.keep_wire([("D1", make.wire())]),
        ):
            with pytest.raises(LedgerUnavailable):
                await attempt
        assert await ledger.message(first.id) == first
        assert ledger.transactions == 1
        with contextlib.closing(sqlite3.connect(path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
    assert path.with_name(f"{path.name}-wal").exists(), "nothing is moved about after a failure"
    async with open_ledger(path) as again:
        assert await again.message(first.id) == first
        assert await again.message(second.id) is None
        assert await again.commit([Change(message=third)]) == [Committed()]


async def test_everybody_in_the_failed_batch_and_behind_it_is_told(
    path: pathlib.Path, make: Any, script: dict[str, int], anyio_backend: object
) -> None:
    told: list[bool] = []
    script["COMMIT"] = 1

    async def lodge() -> None:
        try:
            await ledger.commit([Change(message=make.message())])
            told.append(True)
        except LedgerFailed:
            told.append(False)

    async with open_ledger(path, connection=Scripted) as ledger, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(lodge)
    assert told.count(True) == 1
    assert told.count(False) == 9


async def test_a_checkpoint_that_fails_is_a_failure(
    path: pathlib.Path,
    make: Any,
    script: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    anyio_backend: object,
) -> None:
    monkeypatch.setattr(engine, "CHECKPOINT_PAGES", 1)
    async with open_ledger(path, connection=Scripted) as ledger:
        await ledger.commit([Change(message=make.message())])
        script["CHECKPOINT"] = 0
        with pytest.raises(LedgerFailed):
            await ledger.commit([Change(message=make.message())])
        assert ledger.failed.is_set()


async def test_a_fault_of_the_program_is_a_failure_too(
    path: pathlib.Path,
    make: Any,
    script: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    anyio_backend: object,
) -> None:
    monkeypatch.setattr(Scripted, "error", MemoryError)
    async with open_ledger(path, connection=Scripted) as ledger:
        script["SAVEPOINT"] = 0
        with pytest.raises(LedgerFailed) as caught:
            await ledger.commit([Change(message=make.message())])
        assert isinstance(caught.value.__cause__, MemoryError)
        with pytest.raises(LedgerFailed):
            await ledger.commit([Change(message=make.message())])


async def test_a_full_disk_is_a_failure(path: pathlib.Path, make: Any, anyio_backend: object) -> None:
    async with open_ledger(path) as ledger:
        small = make.message()
        await ledger.commit([Change(message=small)])
        assert ledger._writer is not None
        pages = ledger._writer.db.execute("PRAGMA page_count").fetchone()[0]
        ledger._writer.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(LedgerFailed, match="full"):
            await ledger.commit([Change(message=make.message(body=bytes(100_000)))])
        with pytest.raises(LedgerFailed):
            await ledger.commit([Change(message=make.message())])
    async with open_ledger(path) as again:
        assert await again.message(small.id) == small


async def test_a_database_that_is_held_by_another_program_is_busy_not_lost(
    path: pathlib.Path, make: Any, monkeypatch: pytest.MonkeyPatch, anyio_backend: object
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_SECONDS", 0.0)
    async with open_ledger(path) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy):
            await ledger.commit([Change(message=make.message())])
        other.execute("ROLLBACK")
        other.close()
        assert await ledger.commit([Change(message=make.message())]) == [Committed()]


async def test_what_is_read_from_a_broken_file_is_unavailable(
    path: pathlib.Path, make: Any, anyio_backend: object
) -> None:
    async with open_ledger(path) as ledger:
        await ledger.commit([Change(message=make.message())])
        assert ledger._writer is not None
        ledger._writer.db.execute("DROP TABLE decision")
        change, lodgement = make.lodged()
        await ledger.commit([change])
        with pytest.raises(LedgerUnavailable, match="cannot be read"):
            await ledger.status(lodgement.id)
        assert await ledger.find_original(lodgement.declarant, lodgement.lrn, partner="trader") == lodgement
