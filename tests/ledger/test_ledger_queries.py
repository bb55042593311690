"""The named queries: how they are read, and that none walks through a table that grows."""

import pathlib
import re
import sqlite3
from collections.abc import Iterator

import pytest

from tidewaiter.gateway import ledger as room
from tidewaiter.gateway.ledger.queries import QUERIES, SQL, Query, parse_queries
from tidewaiter.gateway.ledger.sqlite import open_writer

# Queries that may walk, and why.
WALKS = {
    "lodgements": "backwards from the end, as far as the limit",
    "delivery_counts": "counts all, over an index",
    "next_epoch": "one row",
    "insert_lodgement": "for orphans, which there are none of where constraints are immediate: it is skipped",
    "lapsed_notifications": "over an index of what is in flight",
    "waiting": "counts what waits, over indexes of that alone",
    "rebase_notifications": "over an index of what waits, and only when the clock was set",
}
STEERS = ("begin", "commit", "roll_back", "begin_change", "keep_change", "undo_change", "checkpoint")


def test_a_query_is_a_name_a_sentence_and_a_statement() -> None:
    text = "-- A heading: not a name\n\n-- one: Ask for one.\nSELECT 1\nFROM t;\n\n-- two: Begin.\nBEGIN;\n"
    assert parse_queries(text) == {
        "one": Query("Ask for one.", "SELECT 1\nFROM t"),
        "two": Query("Begin.", "BEGIN"),
    }


@pytest.mark.parametrize(
    "text",
    ["-- a: A.\n", "-- a: A.\nBEGIN", "-- a: A.\nBEGIN; COMMIT;", "-- a: A.\nBEGIN;\n-- a: A.\nBEGIN;"],
    ids=["empty", "open", "two statements", "twice"],
)
def test_a_query_that_is_not_one_statement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="query a is"):
        parse_queries(text)


def test_every_query_is_used() -> None:
    folder = pathlib.Path(str(room.__file__)).parent
    code = "".join(file.read_text("utf-8") for file in folder.glob("*.py"))
    assert {name for name in QUERIES if f'"{name}"' not in code} == set()


@pytest.fixture
def db(path: pathlib.Path) -> Iterator[sqlite3.Connection]:
    writer = open_writer(path)
    yield writer.db
    writer.close()


@pytest.mark.parametrize(
    "name", [name for name in SQL if name not in STEERS and not name.startswith("begin")]
)
def test_no_query_walks_through_a_table(db: sqlite3.Connection, name: str) -> None:
    parameters = dict.fromkeys(re.findall(r":([a-z_]+)", SQL[name]), "1")
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", parameters)]
    walks = [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step]
    sorts = [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]
    assert bool(walks) == (name in WALKS), plan
    assert not sorts or name in {"find_by_mrn", "find_by_lrn", "delivery_counts", *_FEW}, plan


# These sort a handful of rows: what is in flight, what one lane or one lodgement holds.
_FEW = (
    "later",
    "lapsed_deliveries",
    "lapsed_notifications",
    "settle_delivery_lane",
    "settle_notification_lane",
)
