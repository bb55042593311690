"""The schema: what it refuses, and that its comments tell the transitions as they are."""

import enum
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tidewaiter.gateway.ledger import Change
from tidewaiter.gateway.ledger.queries import SCHEMA
from tidewaiter.gateway.ledger.sqlite import Writer, open_writer
from tidewaiter.gateway.ledger.writes import write_change, write_wires
from tidewaiter.routing.lifecycle import DELIVERY, LODGEMENT, MDN, NOTIFICATION, Lifecycle

APPEND_ONLY = ("event", "message", "attachment", "content", "wire", "answer", "decision")
KEPT = (*APPEND_ONLY, "lodgement", "delivery", "notification", "mdn")
ARROW = re.compile(r"([a-z(][a-z, ()]*?) --([a-z]+)--> ([a-z]+)")


@pytest.fixture
def writer(path: Any, make: Any) -> Iterator[Writer]:
    """A ledger with one row of everything."""
    writer = open_writer(path)
    change, lodgement = make.lodged("customs")
    full = Change(
        message=change.message,
        attachments=(make.attachment(change.message),),
        mdns=(make.mdn(change.message),),
        lodgements=change.lodgements,
        deliveries=change.deliveries,
        events=change.events,
        notifications=(make.notification(),),
        answers=(make.answer(change.deliveries[0]),),
        decisions=(make.decision(lodgement, 1),),
    )
    writer.run([lambda db: write_change(db, full), lambda db: write_wires(db, [("D1", make.wire())])])
    yield writer
    writer.close()


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_was_written_is_not_rewritten(writer: Writer, table: str) -> None:
    column = writer.db.execute(f"SELECT * FROM {table}").fetchone().keys()[-1]
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        writer.db.execute(f"UPDATE {table} SET {column} = {column}")


@pytest.mark.parametrize("table", KEPT)
def test_nothing_is_deleted(writer: Writer, table: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=r"append-only|never deleted"):
        writer.db.execute(f"DELETE FROM {table}")
    assert writer.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 1


def test_every_table_is_strict(writer: Writer) -> None:
    tables = writer.db.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    loose = {row["name"] for row in tables if not row["strict"]}
    assert loose == {"sqlite_schema"}


@pytest.mark.parametrize(
    ("table", "lifecycle"),
    [("lodgement", LODGEMENT), ("delivery", DELIVERY), ("notification", NOTIFICATION), ("mdn", MDN)],
)
def test_the_comments_carry_the_transitions(table: str, lifecycle: Lifecycle[Any, Any]) -> None:
    text = SCHEMA.split(f"CREATE TABLE {table} (", 1)[1].split(") STRICT", 1)[0]
    states = re.findall(r"^ +'([a-z]+)',? --", text, re.MULTILINE)
    known: type[enum.Enum] = type(next(iter(lifecycle.table.values())))
    assert states == [state.value for state in known]

    told: dict[tuple[str, str], str] = {}
    for sources, trigger, target in ARROW.findall(text):
        for source in sources.split(", "):
            assert (source, trigger) not in told
            told[source, trigger] = target
    actual = {
        ("(start)" if state is None else state.value, trigger.value): target.value
        for (state, trigger), target in lifecycle.table.items()
    }
    assert told == actual


def test_a_state_outside_the_lifecycle_is_refused(writer: Writer) -> None:
    for table in ("lodgement", "delivery", "notification", "mdn"):
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            writer.db.execute(f"UPDATE {table} SET state = 'lost'")
