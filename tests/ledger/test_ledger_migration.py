"""A ledger of an earlier version is brought up to date, whole or not at all, and loses nothing."""

import pathlib
import re
import shutil
import sqlite3
from typing import Any

import pytest

from tidewaiter.gateway.ledger import CannotOpen, Change, DeliveryUpdate, UnknownSchema, open_ledger
from tidewaiter.gateway.ledger import migration as room
from tidewaiter.gateway.ledger.migration import migrate
from tidewaiter.gateway.ledger.sqlite import SCHEMA_VERSION, open_reader, open_writer
from tidewaiter.routing.lifecycle import DeliveryState, EventKind, MdnState

VERSION_1 = pathlib.Path(__file__).with_name("version_1.sql").read_text()
AT = "1700000000000000000, 5000, 'process-1'"
# One message, its lodgement with three deliveries, and a log of two entries.
ROWS = f"""
UPDATE ledger SET epoch = 7;
INSERT INTO message VALUES (1, 'M1', 'as2', 'trader', 't>g', '<1@t>', 1, 'ab', NULL, {AT}, 200, '[]',
    x'00', '[]', x'ff');
INSERT INTO lodgement VALUES (1, 'L1', 'M1', 1, 'trader', 'as2', 'edifact', 'IM', '9', 'XX1', 'LRN1', 'L1', 1,
    'accepted', 0, 'cd', '["customs"]', NULL, NULL, NULL, 0, 0, {AT});
INSERT INTO content VALUES (1, x'554e', x'7b7d', x'5b5d');
INSERT INTO delivery VALUES (1, 'D1', 'L1', 'L1', 'customs', 'sending', 1, 100, 2, 50, 7, 900);
INSERT INTO delivery VALUES (4, 'D2', 'L1', 'L1', 'customs', 'pending', 0, 100, 0, NULL, NULL, NULL);
INSERT INTO delivery VALUES (9, 'D3', 'L1', 'L1', 'food', 'dead', 1, 100, 9, 60, NULL, NULL);
INSERT INTO trader_log VALUES ('trader', 2);
INSERT INTO notification VALUES (1, 'N1', 'trader', 1, 'L1', 'cusres', 'application/edifact', 'delivered', 1,
    100, 1, 70, NULL, NULL, 1, {AT}, x'554e42');
INSERT INTO notification VALUES (2, 'N2', 'trader', 2, 'L1', 'cusres', 'application/edifact', 'pending', 1,
    100, 0, NULL, NULL, NULL, NULL, {AT}, x'554e43');
INSERT INTO answer VALUES (1, 'D1', 'L1', 'customs', 'released', {AT}, x'7b7d');
INSERT INTO event VALUES (1, 'received', 'L1', 'M1', {AT}, '{{}}');
"""
TABLES = ("message", "lodgement", "content", "delivery", "trader_log", "notification", "answer", "event")


@pytest.fixture
def old(path: pathlib.Path) -> pathlib.Path:
    """A file as version 1 left it."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(VERSION_1)
    db.executescript(ROWS)
    db.close()
    return path


def rows(path: pathlib.Path) -> dict[str, list[Any]]:
    db = sqlite3.connect(path)
    try:
        return {table: db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES}
    finally:
        db.close()


def version(path: pathlib.Path) -> int:
    db = sqlite3.connect(path)
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return found


def schema(path: pathlib.Path) -> dict[str, str]:
    """Every table, index and trigger as it was declared, without comments, quotes and spaces."""
    db = sqlite3.connect(path)
    found = db.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    db.close()
    return {name: re.sub(r'--[^\n]*|["\s]', "", sql) for name, sql in found}


def test_every_row_is_as_it_was(old: pathlib.Path) -> None:
    before = rows(old)
    writer = open_writer(old)
    assert writer.epoch == 8
    writer.close()
    assert rows(old) == before
    assert version(old) == SCHEMA_VERSION


def test_it_is_then_like_one_that_was_made_new(old: pathlib.Path, tmp_path: pathlib.Path) -> None:
    writer = open_writer(old)
    new = tmp_path / "new.db"
    open_writer(new).close()
    assert schema(old) == schema(new)
    assert writer.db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert writer.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert writer.db.execute("PRAGMA foreign_key_check").fetchall() == []
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        writer.db.execute(
            "INSERT INTO answer SELECT 2, 'nobody', lodgement, agency, 'x', 1, 1, 'p', response FROM answer"
        )
    with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
        writer.db.execute("DELETE FROM delivery")
    writer.close()


@pytest.mark.anyio
async def test_it_works_on(old: pathlib.Path, make: Any, anyio_backend: object) -> None:
    """What was leased by the process that wrote it is given anew, and goes into a state it did not know."""
    async with open_ledger(old) as ledger:
        claimed = await ledger.claim_deliveries(now_ns=101, lease_ns=50, limit=9)
        assert [claim.delivery.id for claim in claimed] == ["D1"]
        await ledger.commit(
            [
                Change(
                    delivery_updates=(
                        DeliveryUpdate(
                            id="D1",
                            expected=(DeliveryState.SENDING,),
                            state=DeliveryState.AWAITING,
                            due_ns=500,
                        ),
                    ),
                    mdns=(make.mdn(await ledger.message("M1")),),
                )
            ]
        )
        assert [found.id for found in await ledger.deliveries(state=DeliveryState.AWAITING, limit=9)] == [
            "D1"
        ]
        assert [found.message for found in await ledger.mdns(state=MdnState.PENDING, limit=9)] == ["M1"]
        notes = await ledger.notifications("trader", after=0, limit=9)
        assert [(note.number, note.body) for note in notes] == [(1, b"UNB"), (2, b"UNC")]
        (event,) = await ledger.events(lodgement="L1", after=0, limit=9)
        assert event.kind is EventKind.RECEIVED
        assert await ledger.attachments("M1") == []


def test_the_script_runs_whole_or_not_at_all(old: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far it comes."""
    before, was = rows(old), schema(old)
    script = pathlib.Path(str(room.__file__)).with_name("version_2.sql").read_text()
    ends = [match.end() for match in re.finditer(r";\n", script)]
    assert len(ends) > 20
    for end in ends:
        cut = old.parent / "version_2.sql"
        cut.write_text(script[:end] + "SELECT * FROM nowhere;\n")
        monkeypatch.setattr(room.resources, "files", lambda _: old.parent)
        with pytest.raises(CannotOpen, match=r"nowhere|incomplete"):
            open_writer(old)
        assert (version(old), rows(old), schema(old)) == (1, before, was)
    monkeypatch.undo()
    open_writer(old).close()
    assert version(old) == SCHEMA_VERSION


def test_a_process_that_dies_before_the_commit_left_it_as_it_was(
    old: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """The files as they are on the disk when all is written and nothing is committed."""
    before = rows(old)
    crashed = tmp_path / "crashed"
    crashed.mkdir()

    class Dying(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:  # type: ignore[override]
            if sql == "COMMIT" and not list(crashed.iterdir()):
                for file in old.parent.glob("ledger.db*"):
                    shutil.copy(file, crashed / file.name)
            return super().execute(sql, *parameters)

    writer = open_writer(old, Dying)
    writer.close()
    left = crashed / old.name
    assert (version(left), rows(left)) == (1, before)
    open_writer(left).close()
    assert (version(left), rows(left)) == (SCHEMA_VERSION, before)


def test_a_ledger_that_does_not_hold_together_is_left_alone(old: pathlib.Path) -> None:
    db = sqlite3.connect(old)
    db.execute("UPDATE delivery SET root = 'nobody' WHERE id = 'D2'")
    db.commit()
    db.close()
    with pytest.raises(CannotOpen, match="a row of delivery refers to one of lodgement that is not there"):
        open_writer(old)
    assert version(old) == 1


def test_a_full_disk_leaves_it_as_it_was(old: pathlib.Path) -> None:
    before = rows(old)
    db = sqlite3.connect(old, isolation_level=None)
    db.row_factory = sqlite3.Row
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        migrate(db, 1)
    db.close()
    assert (version(old), rows(old)) == (1, before)


def test_who_only_reads_is_told_what_to_do(old: pathlib.Path) -> None:
    with pytest.raises(UnknownSchema, match="start the gateway once, which brings it up to date"):
        open_reader(old)
    assert version(old) == 1
