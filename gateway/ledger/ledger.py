"""The ledger on SQLite: many tasks ask, one thread writes, a few read."""

import contextlib
import functools
import pathlib
import sqlite3
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ...routing.lifecycle import DeliveryState, MdnState, NotificationState
from . import reads
from .batch import GroupCommit
from .errors import ChangeRefused, LedgerClosed, LedgerUnavailable
from .sqlite import Free, Work, Writer
from .values import (
    AttachmentRecord,
    Change,
    ClaimedDelivery,
    ClaimedMdn,
    ClaimedNotification,
    Committed,
    DeliveryRecord,
    Duplicate,
    EventRecord,
    LodgementRecord,
    MdnRecord,
    MessageRecord,
    NotificationRecord,
    Result,
    Status,
    Wire,
)
from .writes import (
    Lease,
    lease_deliveries,
    lease_mdns,
    lease_notifications,
    rebase,
    write_change,
    write_wires,
)

T = TypeVar("T")

# Free space below which nothing new should be taken in. What was taken in before has still to be delivered,
# answered and told, and the log has to be brought into the file: all of that writes.
RESERVE_BYTES = 256 * 2**20
# What one delivery or notification that waits may still take: its message as it is sent, its events, and its
# share of the log, which holds whole pages.
WAITING_OCTETS = 16 * 1024
# Connections that read: enough that a slow list does not hold up a look-up.
READERS = 2
# The largest integer a column takes; a cursor from outside may ask beyond it.
MAX_NUMBER = 2**63 - 1


class SqliteLedger:
    """The Ledger (see base.py) in one SQLite file. Made by open_ledger.

    `failed` is set when a write failed and nothing will be written any more: the process must end.
    """

    def __init__(
        self,
        path: pathlib.Path,
        writer: Writer | None,
        readers: Sequence[sqlite3.Connection],
        reserve: int,
        free: Free,
    ) -> None:
        self._directory = path.resolve().parent
        self._free = free
        self._waiting = 0
        self._writer = writer
        self._readers = deque(readers)
        self._reserve = reserve
        self._reading = anyio.CapacityLimiter(len(readers))
        self._writing = anyio.CapacityLimiter(1)
        self._batches: GroupCommit[Work, Any] = GroupCommit(self._run)

    @property
    def failed(self) -> anyio.Event:
        """Set for ever once a write, a commit or an fsync has failed."""
        return self._batches.failed

    @property
    def transactions(self) -> int:
        """How many transactions were committed since it was opened."""
        return self._batches.transactions

    def has_room(self) -> bool:
        """False if nothing new should be taken in: the disk is down to its reserve and what the work accepted
        before may take, or the ledger has failed."""
        if self.failed.is_set() or self._writer is None:
            return False
        return self._free(self._directory) >= self._reserve + self._waiting * WAITING_OCTETS

    def can_finish(self) -> bool:
        """See Ledger."""
        return self._free(self._directory) >= self._reserve // 2

    async def reckon(self) -> None:
        """See Ledger."""
        self._waiting = await self._read(reads.waiting)

    async def commit(self, changes: Sequence[Change]) -> list[Result]:
        """See Ledger. Raises ChangeRefused if one of `changes` breaks the schema; the others stand."""
        if not changes:
            return []
        works = [functools.partial(write_change, change=change) for change in changes]
        results = await self._write(works)
        for result in results:
            if isinstance(result, ChangeRefused):
                raise result
        for change, result in zip(changes, results, strict=True):
            if isinstance(result, Committed):
                self._waiting += len(change.deliveries) + len(change.notifications) + len(change.mdns)
        return results

    async def due(
        self,
        *,
        now_ns: int,
        skip: Collection[str] = (),
        skip_mdns: Collection[str] = (),
        held: Collection[str] = frozenset(),
    ) -> tuple[bool, bool, bool]:
        """See Ledger."""
        return await self._read(reads.due, now_ns, self._epoch(), skip, skip_mdns, held)

    async def rebase(self, *, now_ns: int, latest_ns: int, lease_ns: int, ahead_ns: int = 0) -> None:
        """See Ledger."""
        until_ns = now_ns + lease_ns
        work = functools.partial(
            rebase, now_ns=now_ns, latest_ns=latest_ns, until_ns=until_ns, ahead_ns=ahead_ns
        )
        await self._write([work])

    async def claim_deliveries(
        self,
        *,
        now_ns: int,
        lease_ns: int,
        limit: int,
        skip: Collection[str] = (),
        room: Mapping[str, int] | None = None,
    ) -> list[ClaimedDelivery]:
        """See Ledger."""
        given = (self._lease(now_ns, lease_ns), limit, skip, room or {})
        (deliveries,) = await self._write([lambda db: lease_deliveries(db, *given)])
        return await self._read(reads.with_lodgements, deliveries) if deliveries else []

    async def claim_notifications(
        self, *, now_ns: int, lease_ns: int, limit: int
    ) -> list[ClaimedNotification]:
        """See Ledger."""
        work = functools.partial(lease_notifications, lease=self._lease(now_ns, lease_ns), limit=limit)
        (notifications,) = await self._write([work])
        return await self._read(reads.with_wires, notifications) if notifications else []

    async def claim_mdns(
        self,
        *,
        now_ns: int,
        lease_ns: int,
        limit: int,
        skip: Collection[str] = (),
        held: Collection[str] = frozenset(),
    ) -> list[ClaimedMdn]:
        """See Ledger."""
        lease = self._lease(now_ns, lease_ns)
        work = functools.partial(lease_mdns, lease=lease, limit=limit, skip=skip, held=held)
        (mdns,) = await self._write([work])
        return await self._read(reads.with_receipts, mdns) if mdns else []

    def _lease(self, now_ns: int, lease_ns: int) -> Lease:
        return Lease(epoch=self._epoch(), now_ns=now_ns, until_ns=now_ns + lease_ns)

    def _epoch(self) -> int:
        """That of this process; one that only reads has no leases."""
        return self._writer.epoch if self._writer is not None else 0

    async def keep_wire(self, wires: Sequence[tuple[str, Wire]]) -> None:
        """See Ledger."""
        (result,) = await self._write([functools.partial(write_wires, wires=wires)])
        if isinstance(result, ChangeRefused):
            raise result

    async def find_message(self, scope: str, key: str) -> Duplicate | None:
        """See Ledger."""
        return await self._read(reads.find_message, scope, key)

    async def find_original(self, declarant: str, lrn: str, *, partner: str) -> LodgementRecord | None:
        """See Ledger."""
        return await self._read(reads.find_original, declarant, lrn, partner)

    async def find_follow_up(self, root: str, content_digest: str) -> LodgementRecord | None:
        """See Ledger."""
        return await self._read(reads.find_follow_up, root, content_digest)

    async def find_interchange(self, partner: str, sender: str, reference: str) -> list[LodgementRecord]:
        """See Ledger."""
        return await self._read(reads.find_interchange, partner, sender, reference)

    async def find_by_mrn(self, mrn: str, *, partner: str | None = None) -> LodgementRecord | None:
        """See Ledger."""
        return await self._read(reads.find_by_mrn, mrn, partner)

    async def find_delivery(self, delivery: str) -> DeliveryRecord | None:
        """See Ledger."""
        return await self._read(reads.find_delivery, delivery)

    async def find_notification(self, notification: str) -> NotificationRecord | None:
        """See Ledger."""
        return await self._read(reads.find_notification, notification)

    async def find_wire(self, owner: str) -> Wire | None:
        """See Ledger."""
        return await self._read(reads.find_wire, owner)

    async def find_mdn(self, reference: str) -> MdnRecord | None:
        """See Ledger."""
        return await self._read(reads.find_mdn, reference)

    async def mdns(self, *, state: MdnState, limit: int) -> list[MdnRecord]:
        """See Ledger."""
        return await self._read(reads.mdns, state, limit)

    async def attachments(self, message: str) -> list[AttachmentRecord]:
        """See Ledger."""
        return await self._read(reads.attachments, message)

    async def status(self, reference: str, *, partner: str | None = None) -> Status | None:
        """See Ledger."""
        return await self._read(reads.status, reference, partner)

    async def message(self, reference: str) -> MessageRecord | None:
        """See Ledger."""
        return await self._read(reads.message, reference)

    async def lodgements(self, *, limit: int, partner: str | None = None) -> list[LodgementRecord]:
        """See Ledger."""
        return await self._read(reads.lodgements, limit, partner)

    async def notifications(self, partner: str, *, after: int, limit: int) -> list[NotificationRecord]:
        """See Ledger."""
        return await self._read(reads.notifications, partner, min(after, MAX_NUMBER), limit)

    async def notifications_in_state(
        self, *, state: NotificationState, limit: int
    ) -> list[NotificationRecord]:
        """See Ledger."""
        return await self._read(reads.notifications_in_state, state, limit)

    async def events(
        self, *, lodgement: str | None, after: int, limit: int, message: str | None = None
    ) -> list[EventRecord]:
        """See Ledger."""
        return await self._read(reads.events, lodgement, message, min(after, MAX_NUMBER), limit)

    async def deliveries(self, *, state: DeliveryState, limit: int) -> list[DeliveryRecord]:
        """See Ledger."""
        return await self._read(reads.deliveries, state, limit)

    async def delivery_counts(self) -> list[tuple[str, DeliveryState, int]]:
        """See Ledger."""
        return await self._read(reads.delivery_counts)

    async def _write(self, works: Sequence[Work]) -> list[Any]:
        if self._writer is None:
            raise LedgerClosed("the ledger is open for reading only")
        return await self._batches.submit(works)

    async def _run(self, works: list[Work]) -> list[Any]:
        assert self._writer is not None
        return await anyio.to_thread.run_sync(self._writer.run, works, limiter=self._writing)

    async def _read(self, ask: Callable[..., T], *asked: Any) -> T:
        return await anyio.to_thread.run_sync(self._read_now, ask, asked, limiter=self._reading)

    def _read_now(self, ask: Callable[..., T], asked: tuple[Any, ...]) -> T:
        """In a thread. The limiter lets in as many as there are connections."""
        db = self._readers.pop()
        try:
            return ask(db, *asked)
        except sqlite3.Error as error:
            raise LedgerUnavailable(f"the ledger cannot be read: {error}") from error
        finally:
            self._readers.append(db)

    async def close(self) -> None:
        """Wait for what is in flight and close the file."""
        await self._batches.close()
        await anyio.to_thread.run_sync(self._close_now)

    def _close_now(self) -> None:
        """The last connection to close brings the log into the file. After a failure that is none that
        writes: what is on the disk is left as it is, for the next start to recover.
        """
        with contextlib.ExitStack() as last:
            if self._writer is not None and not self.failed.is_set():
                last.callback(self._writer.close)
            elif self._writer is not None:
                self._writer.close()
            for reader in self._readers:
                reader.close()
