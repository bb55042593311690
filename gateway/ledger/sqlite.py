"""SQLite under the ledger: opening the file, and running batches on the one connection that writes."""

import contextlib
import fcntl
import os
import pathlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from .errors import CannotOpen, ChangeRefused, LedgerBusy, LedgerInUse, UnknownSchema
from .migration import can_migrate, migrate
from .queries import SCHEMA, SQL
from .values import Conflict, Duplicate

# What schema.sql describes. Another number in the file is another schema.
SCHEMA_VERSION = 3
# "TIDE": tells a ledger from any other SQLite file.
APPLICATION_ID = 0x54494445
# Nobody else should write; a person with the sqlite3 shell may, for a moment.
BUSY_TIMEOUT_SECONDS = 5.0
# Pages in the log before they are brought into the database file. Larger than the usual 1,000, because each
# time costs two fsyncs, and small enough that one takes milliseconds.
CHECKPOINT_PAGES = 4_000
# How many of them a row is taken for until the first measure: rather too many, so that the first comes early.
PAGES_A_ROW = 8.0
# Pages of the upper levels of a dozen indexes over some million rows.
CACHE_KIB = 65_536
# A log that grew because a reader held it is cut back to this.
LOG_BYTES = 64 * 2**20
# What a change can do to itself alone: a broken constraint, a value that no column takes.
_OWN_FAULTS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    OverflowError,
    ValueError,
    TypeError,
)

# A disk with less than this free is full: to open alone may take it, in a log and its index.
FULL_BYTES = 2**20

Work = Callable[[sqlite3.Connection], Any]
Free = Callable[[pathlib.Path], int]


def free_octets(directory: pathlib.Path) -> int:
    """What may still be written to the file system of `directory`."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


class Writer:
    """The one connection that writes. Its methods block; one thread at a time."""

    def __init__(self, db: sqlite3.Connection, lock: IO[str]) -> None:
        self.db = db
        self._lock = lock
        self.epoch: int = db.execute(SQL["next_epoch"]).fetchall()[0]["epoch"]
        self._checkpointed = db.total_changes
        self._pages_a_row = PAGES_A_ROW

    def run(self, works: Sequence[Work]) -> list[Any]:
        """Run `works` in one transaction and commit it; one result each, ChangeRefused among them.

        Raises LedgerBusy if the transaction could not begin. After any other exception it is unknown what is
        on the disk, and this must not be called again.
        """
        self._begin()
        try:
            results = [self._one(work) for work in works]
            self.db.execute(SQL["commit"])
        finally:
            self._roll_back()
        self._checkpoint()
        return results

    def _begin(self) -> None:
        try:
            self.db.execute(SQL["begin"])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise LedgerBusy("another program holds the database") from error
            raise

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self.db.in_transaction:
                self.db.execute(SQL["roll_back"])

    def _one(self, work: Work) -> Any:
        self.db.execute(SQL["begin_change"])
        try:
            result = work(self.db)
        except ChangeRefused as error:
            result = error
        except _OWN_FAULTS as error:
            result = ChangeRefused(str(error))
            result.__cause__ = error
        if isinstance(result, (ChangeRefused, Conflict, Duplicate)):
            self.db.execute(SQL["undo_change"])
        self.db.execute(SQL["keep_change"])
        return result

    def _checkpoint(self) -> None:
        """Bring the log into the file once it has grown long.

        SQLite would do so by itself, but keeps to itself whether the fsync of it failed. How long the log is
        it tells only when asked for a checkpoint: so the pages are reckoned from the rows, by the last
        measure.
        """
        rows = self.db.total_changes - self._checkpointed
        if rows * self._pages_a_row < CHECKPOINT_PAGES:
            return
        _, pages, _ = self.db.execute(SQL["checkpoint"]).fetchone()
        self._pages_a_row = max(pages, 1) / rows
        self._checkpointed = self.db.total_changes

    def close(self) -> None:
        """Close the connection, then let others have the ledger."""
        self.db.close()
        self._lock.close()


def open_writer(
    path: pathlib.Path,
    connection: type[sqlite3.Connection] = sqlite3.Connection,
    free: Free = free_octets,
) -> Writer:
    """Open the ledger at `path` for writing. It is made first if there is none, and one of an earlier version
    is brought up to date.

    Raises LedgerInUse, UnknownSchema or CannotOpen, the latter also where the disk is full.
    """
    # One file has one lock, however many names lead to it.
    path = path.resolve()
    with contextlib.ExitStack() as undo:
        lock = _lock(path)
        undo.callback(lock.close)
        with _opening(path):
            room = free(path.parent)
            if room < FULL_BYTES:
                raise CannotOpen(f"{path} cannot be opened: the disk is full ({room} octets free)")
            db = _connect(str(path), connection)
            undo.callback(db.close)
            _configure(db)
            _bring_up_to_date(db, path)
            writer = Writer(db, lock)
            _keep_names(path.absolute().parent)
        undo.pop_all()
    return writer


def open_reader(path: pathlib.Path) -> sqlite3.Connection:
    """A connection that sees what is committed and can write nothing. Raises UnknownSchema or CannotOpen."""
    with _opening(path), contextlib.ExitStack() as undo:
        db = _connect(f"{path.absolute().as_uri()}?mode=ro", sqlite3.Connection)
        undo.callback(db.close)
        version = _version(db, path)
        if version is None:
            raise UnknownSchema(f"{path} is empty")
        if version != SCHEMA_VERSION:
            raise UnknownSchema(
                f"{path} is of an earlier version: start the gateway once, which brings it up to date"
            )
        undo.pop_all()
    return db


def _connect(path: str, connection: type[sqlite3.Connection]) -> sqlite3.Connection:
    db = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,  # transactions begin and end where this room says, never by themselves
        check_same_thread=False,  # one thread at a time, but not always the same one
        cached_statements=len(SQL) + 32,
        factory=connection,
        uri=path.startswith("file:"),
    )
    db.row_factory = sqlite3.Row
    return db


def _configure(db: sqlite3.Connection) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise CannotOpen(f"the file system cannot keep a write-ahead log (journal mode {mode})")
    # FULL: the log is fsynced at every commit, before anybody is told. NORMAL loses the last ones with the
    # power.
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    # What undoes one change of a batch is kept in memory: in a file it costs a third of the whole commit.
    db.execute("PRAGMA temp_store = MEMORY")


def _version(db: sqlite3.Connection, path: pathlib.Path) -> int | None:
    """That of the ledger in the file, which this program knows or can bring up to date; None: it is empty.

    Raises UnknownSchema for anything else.
    """
    version, application = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
    )
    known = version == SCHEMA_VERSION or can_migrate(version)
    if known and application == APPLICATION_ID:
        return int(version)
    if version == application == 0 and not db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        return None
    if application != APPLICATION_ID:
        raise UnknownSchema(f"{path} is a database, but no ledger")
    raise UnknownSchema(f"{path} has schema version {version}; this program knows version {SCHEMA_VERSION}")


def _bring_up_to_date(db: sqlite3.Connection, path: pathlib.Path) -> None:
    version = _version(db, path)
    if version is None:
        _create(db)
        return
    while version != SCHEMA_VERSION:
        version = migrate(db, version)


def _create(db: sqlite3.Connection) -> None:
    """All of the schema or nothing: a process that dies half way leaves an empty file."""
    marks = f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {SCHEMA_VERSION};"
    db.executescript(f"BEGIN IMMEDIATE;\n{SCHEMA}\n{marks}\nCOMMIT;")


def _keep_names(directory: pathlib.Path) -> None:
    """Fsync the directory once the file and its log are in it: a log without a name is lost with the power.

    SQLite does so too, but goes on when it fails.
    """
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def _opening(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotOpen(f"{path} cannot be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
            raise UnknownSchema(f"{path} is no ledger: {error}") from error
        raise CannotOpen(f"{path} cannot be opened: {error}") from error


def _lock(path: pathlib.Path) -> IO[str]:
    """The lock file beside the ledger, locked until it is closed. The file stays; the lock dies with us."""
    try:
        file = open(path.with_name(f"{path.name}.lock"), "a+", encoding="ascii")  # noqa: SIM115 - kept open
    except OSError as error:
        raise CannotOpen(f"{path} cannot be opened: {error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read() or "unknown"
        file.close()
        raise LedgerInUse(f"{path} is open for writing in process {holder}") from error
    # Who holds it is for people to read: a full disk must not keep it from being held.
    with contextlib.suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), str(os.getpid()).encode("ascii"))
    return file
