"""Opening the ledger in a file."""

import contextlib
import os
import pathlib
import sqlite3
from collections.abc import AsyncIterator

import anyio
import anyio.to_thread

from .ledger import READERS, RESERVE_BYTES, SqliteLedger
from .sqlite import Free, Writer, free_octets, open_reader, open_writer


@contextlib.asynccontextmanager
async def open_ledger(
    path: str | os.PathLike[str],
    *,
    read_only: bool = False,
    reserve: int = RESERVE_BYTES,
    connection: type[sqlite3.Connection] = sqlite3.Connection,
    free: Free = free_octets,
) -> AsyncIterator[SqliteLedger]:
    """The ledger in the file at `path`, which is made if it is not there, and closed at the end.

    `read_only`: beside a gateway that runs, or without one; what writes raises LedgerClosed. `reserve` is the
    free space in bytes that `has_room` keeps back, and half of which `can_finish` does. `connection` is the
    class of the connection that writes, `free` tells the free space of a directory.
    Raises LedgerInUse, UnknownSchema or CannotOpen.
    """
    file = pathlib.Path(path)

    def opened() -> tuple[Writer | None, list[sqlite3.Connection]]:
        with contextlib.ExitStack() as undo:
            writer = None if read_only else open_writer(file, connection, free)
            if writer is not None:
                undo.callback(writer.close)
            readers = [undo.enter_context(contextlib.closing(open_reader(file))) for _ in range(READERS)]
            undo.pop_all()
        return writer, readers

    writer, readers = await anyio.to_thread.run_sync(opened)
    ledger = SqliteLedger(file, writer, readers, reserve, free)
    try:
        await ledger.reckon()
        yield ledger
    finally:
        with anyio.CancelScope(shield=True):
            await ledger.close()
