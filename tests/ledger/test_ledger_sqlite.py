"""The file under the ledger: who may open it, what it says of itself, and what happens when it fails."""

import errno
import os
import pathlib
import sqlite3
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.ledger import (
    CannotOpen,
    Change,
    Committed,
    LedgerClosed,
    LedgerInUse,
    UnknownSchema,
    open_ledger,
    reads,
)
from tidewaiter.gateway.ledger import sqlite as engine
from tidewaiter.gateway.ledger.sqlite import SCHEMA_VERSION, open_reader, open_writer
from tidewaiter.gateway.ledger.writes import write_change

pytestmark = pytest.mark.anyio


async def test_one_gateway_at_a_time(path: pathlib.Path, anyio_backend: object) -> None:
    async with open_ledger(path):
        with pytest.raises(LedgerInUse, match=r"open for writing in process \d+"):
            async with open_ledger(path):
                pass
    async with open_ledger(path):
        pass


async def test_a_closed_ledger_takes_nothing(path: pathlib.Path, make: Any, anyio_backend: object) -> None:
    async with open_ledger(path) as ledger:
        pass
    with pytest.raises(LedgerClosed):
        await ledger.commit([Change(message=make.message())])


async def test_what_the_body_raises_comes_out_as_it_is(path: pathlib.Path, anyio_backend: object) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_ledger(path):
            raise ZeroDivisionError


async def test_closing_leaves_one_file_and_its_lock(
    path: pathlib.Path, make: Any, anyio_backend: object
) -> None:
    async with open_ledger(path) as ledger:
        await ledger.commit([Change(message=make.message())])
    assert sorted(each.name for each in path.parent.iterdir()) == ["ledger.db", "ledger.db.lock"]


async def test_reading_without_a_gateway(path: pathlib.Path, make: Any, anyio_backend: object) -> None:
    message = make.message()
    async with open_ledger(path) as ledger:
        await ledger.commit([Change(message=message)])
    async with open_ledger(path, read_only=True) as beside:
        assert await beside.message(message.id) == message
        async with open_ledger(path) as gateway:
            late = make.message()
            await gateway.commit([Change(message=late)])
            assert await beside.message(late.id) == late


def test_a_new_ledger_is_set_up_to_last(path: pathlib.Path) -> None:
    writer = open_writer(path)
    names = ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint", "temp_store")
    values = [writer.db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    writer.close()
    assert values == ["wal", 2, 1, 0, 2]


def test_an_epoch_is_a_start(path: pathlib.Path) -> None:
    for epoch in (1, 2, 3):
        writer = open_writer(path)
        assert writer.epoch == epoch
        writer.close()


def test_the_log_is_brought_in_when_it_is_long(
    path: pathlib.Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first measure comes by a guess, which is bad here; the next ones by what was measured."""
    pages: list[int] = []

    class Measured(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:  # type: ignore[override]
            cursor = super().execute(sql, *parameters)
            if sql.startswith("PRAGMA wal_checkpoint"):
                row = cursor.fetchone()
                pages.append(row[1])
                cursor = super().execute("SELECT ?, ?, ?", tuple(row))
            return cursor

    monkeypatch.setattr(engine, "CHECKPOINT_PAGES", 100)
    monkeypatch.setattr(engine, "PAGES_A_ROW", 1.0)
    writer = open_writer(path, Measured)
    for _ in range(40):
        change, _ = make.lodged("customs", "food", document=bytes(20_000))
        writer.run([lambda db, change=change: write_change(db, change)])
    writer.close()
    assert pages[0] > 200
    assert len(pages) > 3
    assert all(50 < measured < 150 for measured in pages[1:])


@pytest.mark.parametrize("opening", [open_writer, open_reader])
def test_a_file_of_another_version_is_refused(path: pathlib.Path, opening: Any) -> None:
    writer = open_writer(path)
    writer.db.execute("PRAGMA user_version = 99")
    writer.close()
    with pytest.raises(
        UnknownSchema, match=f"schema version 99; this program knows version {SCHEMA_VERSION}"
    ):
        opening(path)
    with pytest.raises(UnknownSchema):
        opening(path)


@pytest.mark.parametrize("opening", [open_writer, open_reader])
def test_another_database_is_refused_and_left_alone(path: pathlib.Path, opening: Any) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (a)")
    db.close()
    with pytest.raises(UnknownSchema, match="no ledger"):
        opening(path)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("mine",)]
    db.close()


@pytest.mark.parametrize("opening", [open_writer, open_reader])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: pathlib.Path, opening: Any) -> None:
    text = b"UNB+UNOC:3+" * 100
    path.write_bytes(text)
    with pytest.raises(UnknownSchema, match="no ledger"):
        opening(path)
    assert path.read_bytes() == text


@pytest.mark.parametrize("opening", [open_writer, open_reader])
def test_a_path_that_leads_nowhere_is_refused(tmp_path: pathlib.Path, opening: Any) -> None:
    with pytest.raises(CannotOpen):
        opening(tmp_path / "nowhere" / "ledger.db")


def test_reading_what_is_not_there_makes_nothing(path: pathlib.Path) -> None:
    with pytest.raises(CannotOpen):
        open_reader(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(UnknownSchema, match="empty"):
        open_reader(path)


def test_a_process_that_died_while_making_it_left_nothing(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.SCHEMA
    monkeypatch.setattr(engine, "SCHEMA", f"{whole}\nCREATE TABLE event (a INTEGER) STRICT;")
    with pytest.raises(CannotOpen, match="already exists"):
        open_writer(path)
    monkeypatch.setattr(engine, "SCHEMA", whole)
    open_writer(path).close()


def test_a_directory_that_cannot_be_fsynced_is_refused(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert path.with_name(f"{path.name}-wal").exists()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CannotOpen, match="Input/output error"):
        open_writer(path)
    assert synced == [str(path.parent)]
    monkeypatch.undo()
    open_writer(path).close()


def test_a_reader_writes_nothing(path: pathlib.Path) -> None:
    open_writer(path).close()
    reader = open_reader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("UPDATE ledger SET epoch = 9")
    reader.close()


def test_values_survive_as_they_are(path: pathlib.Path, make: Any) -> None:
    """Equal bytes in and out, whatever is in them."""
    message = make.message(
        body=bytes(range(256)),
        headers=(("x", "\u0000\u00ff\U0001f6a2"), ("x", "")),
        receipt=msgspec.structs.replace(make.receipt(), body=b"", headers=()),
        mic=None,
        party=None,
    )
    writer = open_writer(path)
    assert writer.run([lambda db: write_change(db, Change(message=message))]) == [Committed()]
    writer.close()
    reader = open_reader(path)
    assert reads.message(reader, message.id) == message
    reader.close()
