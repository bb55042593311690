"""Events that wait for nobody: a receipt was sent, a log was read. Written together, a moment later."""

import anyio
import structlog

from .ledger import Change, EventRecord, Ledger, LedgerUnavailable

log = structlog.get_logger()

# Above this many unwritten events new ones are dropped: they are times of receipts, not receipts.
MAX_WAITING = 10_000


class History:
    """Collects such events and writes them in one change."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[EventRecord] = []
        self._wake = anyio.Event()

    def note(self, event: EventRecord) -> None:
        """Keep `event` for the next write."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(event)
            self._wake.set()

    async def run(self) -> None:
        """Write until cancelled, and once more then."""
        try:
            while True:
                await self._wake.wait()
                self._wake = anyio.Event()
                await self._write()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await self._write()

    async def _write(self) -> None:
        events, self._waiting = self._waiting, []
        if not events:
            return
        try:
            # Begun is finished, also when a stop is asked for: who waits for others' commit to end could be
            # taken out of the queue, and these events with it.
            with anyio.CancelScope(shield=True):
                await self._ledger.commit([Change(events=tuple(events))])
        except LedgerUnavailable:
            # They are times, not receipts: whoever needs the ledger itself hears of its failure.
            log.warning("events_dropped", events=len(events))
