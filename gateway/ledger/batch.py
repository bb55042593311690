"""Group commit: what arrives while a commit is in flight is the next batch.

There is no task of its own. The first caller that finds nothing in flight leads: it takes what is queued,
runs it as one transaction and tells the others. Whoever heads the queue by then leads next, so nobody works
for others longer than one batch, and a lone caller pays for no detour.

A caller that is cancelled while it waits takes its work back; once its work is in a batch, the batch goes on
without it. A batch in flight is never abandoned: its leader is shielded.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import anyio

from .errors import LedgerBusy, LedgerClosed, LedgerFailed, LedgerUnavailable

W = TypeVar("W")
R = TypeVar("R")

# The most works in one transaction. Beyond some dozens a larger batch gains nothing, and each of its callers
# waits for all of it.
MAX_BATCH = 128


class _Entry(Generic[W, R]):
    """One caller: its works and, later, their results."""

    __slots__ = ("failure", "results", "taken", "woken", "works")

    def __init__(self, works: Sequence[W]) -> None:
        self.works = works
        self.woken = anyio.Event()
        self.taken = False
        self.results: list[R] = []
        self.failure: LedgerUnavailable | None = None


class GroupCommit(Generic[W, R]):
    """Runs works in batches, one batch at a time.

    `run` makes one transaction of the works it is given and returns one result for each. When it raises,
    nothing of the batch is durable, as far as anybody knows; unless it raised LedgerBusy, nothing is ever
    run again.
    """

    def __init__(self, run: Callable[[list[W]], Awaitable[list[R]]]) -> None:
        self._run = run
        self._queue: deque[_Entry[W, R]] = deque()
        self._leader: _Entry[W, R] | None = None
        self._idle = anyio.Event()
        self._closed = False
        self._cause: BaseException | None = None
        self.failed = anyio.Event()
        self.transactions = 0

    async def submit(self, works: Sequence[W]) -> list[R]:
        """The results of `works`, once they are durable.

        Raises LedgerBusy, LedgerFailed or LedgerClosed; then none of them may be taken for durable.
        """
        self._refuse_if_over()
        entry: _Entry[W, R] = _Entry(works)
        self._queue.append(entry)
        if self._leader is None:
            self._leader = entry
        else:
            await self._wait(entry)
        if not entry.taken:
            with anyio.CancelScope(shield=True):
                await self._lead()
        if entry.failure is not None:
            raise entry.failure
        return entry.results

    async def close(self) -> None:
        """Take nothing more, and return when nothing is in flight."""
        self._closed = True
        while self._leader is not None:
            self._idle = anyio.Event()
            await self._idle.wait()

    def _refuse_if_over(self) -> None:
        if self.failed.is_set():
            raise LedgerFailed("an earlier write failed: nothing is taken in any more") from self._cause
        if self._closed:
            raise LedgerClosed("the ledger is closed")

    async def _wait(self, entry: _Entry[W, R]) -> None:
        try:
            await entry.woken.wait()
        except anyio.get_cancelled_exc_class():
            if not entry.taken:
                self._queue.remove(entry)
                if self._leader is entry:
                    self._hand_on()
            raise

    async def _lead(self) -> None:
        batch = self._take()
        works = [work for entry in batch for work in entry.works]
        results: list[R] = []
        # What holds if this is left in a way nobody thought of: nobody waits for ever, nothing is
        # acknowledged.
        cause: BaseException | None = RuntimeError("the commit was broken off")
        try:
            results = await self._run(works)
            cause = None
        except Exception as error:  # the border: whatever stopped the batch, its callers are answered
            cause = error
        finally:
            self._settle(batch, results, cause)
            self._hand_on()

    def _take(self) -> list[_Entry[W, R]]:
        batch: list[_Entry[W, R]] = []
        size = 0
        while self._queue and (not batch or size + len(self._queue[0].works) <= MAX_BATCH):
            entry = self._queue.popleft()
            entry.taken = True
            size += len(entry.works)
            batch.append(entry)
        return batch

    def _settle(self, batch: list[_Entry[W, R]], results: list[R], cause: BaseException | None) -> None:
        if cause is None:
            self.transactions += 1
            given = iter(results)
            for entry in batch:
                entry.results = [next(given) for _ in entry.works]
                entry.woken.set()
            return
        if not isinstance(cause, LedgerBusy):
            self._cause = cause
            self.failed.set()
            batch = [*batch, *self._queue]
            self._queue.clear()
        for entry in batch:
            entry.taken = True
            kind = LedgerBusy if isinstance(cause, LedgerBusy) else LedgerFailed
            entry.failure = kind(f"nothing was made durable: {cause}")
            entry.failure.__cause__ = cause
            entry.woken.set()

    def _hand_on(self) -> None:
        """Let the head of the queue lead, if there is one."""
        if self._queue:
            self._leader = self._queue[0]
            self._leader.woken.set()
        else:
            self._leader = None
            self._idle.set()
