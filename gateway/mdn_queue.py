"""Asynchronous MDNs from the message to the queue: durable with the message, posted after its response.

The MDN is the receipt of the message, kept like every other; what is queued is where it goes. The same
message again queues the same receipt again, and not too often.
"""

from collections.abc import Callable

import anyio
import structlog

from ..routing.instant import NANOSECONDS, Instant
from ..routing.lifecycle import MDN, MdnState, MdnTrigger
from . import clock
from .ledger import (
    Change,
    ChangeRefused,
    Committed,
    Duplicate,
    Ledger,
    MdnRecord,
    MdnUpdate,
    MessageRecord,
    Result,
)

log = structlog.get_logger()

# A response that has not gone out by then never will: longer than the listener lets a peer take.
ANSWER_SECONDS = 60.0
# Between two posts of one receipt to a sender that repeats its message.
REPEAT_NS = 30 * 10**9

_UNDER_WAY = frozenset({MdnState.PENDING, MdnState.SENDING})


class MdnQueue:
    """Queues MDNs, and holds those whose HTTP response is still on its way.

    An MDN must not overtake the response to its message (the sender would not know yet that it was taken),
    but it is durable before that is written. What an earlier process left is held by
    nobody: its responses have gone out or never will.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], Instant] = clock.instant,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._wake = wake
        # With the moment from which each is held no longer.
        self._held: dict[str, tuple[anyio.Event, int]] = {}

    def first(self, message: MessageRecord, url: str | None, *, once: bool = False) -> Change:
        """`message`, with its receipt queued for `url`; None: the receipt is the response. `once`: one try at
        posting it is made."""
        if url is None or message.party is None or not message.receipt.body:
            return Change(message=message)
        mdn = self._record(message.id, message.party, url, message.received.utc_ns, once=once)
        return Change(message=message, mdns=(mdn,))

    async def commit(self, message: str, change: Change) -> Result:
        """Write `change`, with the MDN of `message` held from before it is durable until `release`; if the
        change is not written there is nothing to hold."""
        until = self._now().monotonic_ns + int(ANSWER_SECONDS * NANOSECONDS)
        self._held.setdefault(message, (anyio.Event(), until))
        try:
            (result,) = await self._ledger.commit([change])
        except BaseException:
            self.release(message)
            raise
        if not isinstance(result, Committed):
            self.release(message)
        return result

    async def again(self, stored: Duplicate, party: str, url: str) -> None:
        """Queue the receipt of `stored` once more, the same octets, and hold it until `release`."""
        change = await self._repeated(stored, party, url)
        if change is None:
            return
        try:
            await self.commit(stored.message, change)
        except ChangeRefused:
            # Another copy of the message queued it in this moment.
            log.info("mdn_queued_before", message=stored.message)

    def release(self, message: str) -> None:
        """The response has gone out, or there is none."""
        held = self._held.pop(message, None)
        if held is not None:
            held[0].set()
            self._wake()

    def held(self) -> frozenset[str]:
        """The messages whose response is on its way: what is claimed for them would only wait, in the place
        of what can be posted. A response that failed is one that never goes out."""
        now = self._now().monotonic_ns
        for message in [message for message, (_, until) in self._held.items() if until <= now]:
            self.release(message)
        return frozenset(self._held)

    async def released(self, message: str) -> None:
        """Wait for it; not for ever, for a peer that went away does not take its response."""
        held = self._held.get(message)
        if held is not None:
            with anyio.move_on_after(ANSWER_SECONDS):
                await held[0].wait()
            self.release(message)

    async def _repeated(self, stored: Duplicate, party: str, url: str) -> Change | None:
        now_ns = self._now().utc_ns
        mdn = await self._ledger.find_mdn(stored.message)
        if mdn is None:
            # Before, the receipt was asked for in the response, or none was.
            record = self._record(stored.message, party, url, now_ns)
            return Change(mdns=(record,)) if stored.receipt.body else None
        if mdn.state in _UNDER_WAY:
            return _sooner(mdn, url, now_ns)
        update = MdnUpdate(
            id=mdn.id,
            expected=(mdn.state,),
            state=MDN.after(mdn.state, MdnTrigger.REPEAT),
            due_ns=max(now_ns, mdn.due_ns + REPEAT_NS),
            attempts=0,
            first_attempt_ns=now_ns,
            url=url,
        )
        return Change(mdn_updates=(update,))

    def _record(self, message: str, party: str, url: str, due_ns: int, *, once: bool = False) -> MdnRecord:
        return MdnRecord(
            id=clock.new_id("A"),
            message=message,
            party=party,
            url=url,
            state=MDN.after(None, MdnTrigger.QUEUE),
            due_ns=due_ns,
            once=once,
        )


def _sooner(mdn: MdnRecord, url: str, now_ns: int) -> Change | None:
    """For a sender that repeats its message while the receipt waits, or is posted: it goes where the repeat
    asks for it, and need not wait as long as after a failure. None: it does already."""
    due_ns = now_ns + REPEAT_NS if mdn.due_ns > now_ns + REPEAT_NS else None
    if mdn.state is not MdnState.PENDING:
        due_ns = None
    if due_ns is None and url == mdn.url:
        return None
    state = MDN.after(mdn.state, MdnTrigger.REPEAT)
    update = MdnUpdate(id=mdn.id, expected=(mdn.state,), state=state, due_ns=due_ns, url=url)
    return Change(mdn_updates=(update,))
