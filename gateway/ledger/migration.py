"""A ledger of an earlier version, brought up to date: all of it or nothing."""

import sqlite3
from collections.abc import Mapping
from importlib import resources

from .errors import CannotOpen
from .queries import SQL

# By the version that a ledger is of: what makes the next one of it.
_STEPS: Mapping[int, str] = {1: "version_2.sql", 2: "version_3.sql"}


def can_migrate(version: int) -> bool:
    """True if a ledger of this version can be brought up to date."""
    return version in _STEPS


def migrate(db: sqlite3.Connection, version: int) -> int:
    """Make of a ledger of `version` one of the next, which is the result, in one transaction.

    Not to be undone. A process that dies half way, or a disk that becomes full, leaves the ledger as it was.
    Raises CannotOpen if what is in it does not hold together, and what SQLite raises.
    """
    script = resources.files(__package__).joinpath(_STEPS[version]).read_text(encoding="utf-8")
    # SQLite, "ALTER TABLE", 7: left on, the old table cannot be dropped. In a transaction it has no effect.
    db.execute("PRAGMA foreign_keys = OFF")
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version + 1};")
        broken = db.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise CannotOpen(
                f"a row of {broken['table']} refers to one of {broken['parent']} that is not there"
            )
        db.execute(SQL["commit"])
    finally:
        if db.in_transaction:
            db.execute(SQL["roll_back"])
    db.execute("PRAGMA foreign_keys = ON")
    db.execute(SQL["checkpoint"])
    return version + 1
