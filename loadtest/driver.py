"""The open-loop driver: one trader lodges by the schedule, and listens for the answers.

It is AnyIO and the gateway's own client rather than locust: a locust user waits for its answer before it
lodges again (a closed loop), so a slow gateway would be sent less, just when it matters. The client also
costs a tenth of what an HTTP library costs, which counts where driver and gateway share the cores.
"""

import contextlib
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import anyio
import msgspec

from tidewaiter.gateway.http import ClientError
from tidewaiter.gateway.sandbox.trader import Notice, Trader
from tidewaiter.loadtest.documents import Documents, Lodgeable

# Between two looks at what was pushed, and at the log: this much an answer may be told too late.
INBOX_SECONDS, LOG_SECONDS = 0.02, 0.1
# From the last lodgement on, for the answers that are still to come.
PATIENCE_SECONDS = 30.0
# From the first look at the clock to the first declaration: connections and tasks are set up by then.
LEAD_SECONDS = 0.2


class Progress(NamedTuple):
    """How many declarations were sent, have their receipt (or a fault), have their answer."""

    sent: int
    done: int
    answered: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One declaration lodged. Seconds count from when it was due: `started` when the driver came to send it,
    `receipted` when its receipt had been verified. `fault` says why there is none."""

    lrn: str
    sample: str
    channel: str
    started: float
    receipted: float | None = None
    fault: str = ""


class Driven(msgspec.Struct, frozen=True, kw_only=True):
    """What the driver saw: each attempt, and for each LRN the seconds from when it was due to each answer
    that was `pushed` over AS2, and to each that stood in the log."""

    attempts: tuple[Attempt, ...]
    pushed: dict[str, tuple[float, ...]]
    logged: dict[str, tuple[float, ...]]

    def answer(self, attempt: Attempt) -> float | None:
        """When the first answer was in the trader's hands, by the way it lodged; None where none came."""
        return min(
            (self.pushed if attempt.channel == "as2" else self.logged).get(attempt.lrn, ()), default=None
        )


class Driver:
    """Drives one schedule as `trader`, whose log of notifications it reads from `log_from` on."""

    def __init__(
        self, trader: Trader, documents: Documents, channels: Sequence[str], *, seed: int, log_from: int = 0
    ) -> None:
        self._trader = trader
        self._documents = documents
        self._channels = channels
        self._chance = random.Random(seed)
        self._read_to = log_from
        self._attempts: list[Attempt] = []
        self._due: dict[str, float] = {}
        self._pushed: dict[str, list[float]] = defaultdict(list)
        self._logged: dict[str, list[float]] = defaultdict(list)

    async def drive(self, schedule: Sequence[float], tell: Callable[[Progress], None]) -> None:
        """Lodge at each moment of `schedule`, and return when every answer has come, or PATIENCE_SECONDS
        after the last lodgement. `tell` hears how far it is."""
        lodging = [(self._documents.new(), self._chance.choice(self._channels)) for _ in schedule]
        start = anyio.current_time() + LEAD_SECONDS
        async with anyio.create_task_group() as listening:
            listening.start_soon(self._watch_inbox)
            listening.start_soon(self._watch_log)
            listening.start_soon(self._report, tell)
            async with anyio.create_task_group() as lodgers:
                for moment, (document, channel) in zip(schedule, lodging, strict=True):
                    due = start + moment
                    await anyio.sleep_until(due)
                    lodgers.start_soon(self._lodge, document, channel, due)
            with anyio.move_on_after(PATIENCE_SECONDS):
                while not self._all_answered():  # noqa: ASYNC110 - looked at, as the inbox is
                    await anyio.sleep(INBOX_SECONDS)
                # What would come twice comes now, if at all.
                await anyio.sleep(2 * LOG_SECONDS)
            listening.cancel_scope.cancel()
        tell(self._progress())

    async def catch_up(self) -> None:
        """Read the log to its end. Raises ClientError."""
        while await self._read_log():
            pass

    def driven(self) -> Driven:
        """What was seen so far."""
        return Driven(
            attempts=tuple(self._attempts),
            pushed={lrn: tuple(seconds) for lrn, seconds in self._pushed.items()},
            logged={lrn: tuple(seconds) for lrn, seconds in self._logged.items()},
        )

    async def _lodge(self, document: Lodgeable, channel: str, due: float) -> None:
        self._due[document.lrn] = due
        attempt = Attempt(
            lrn=document.lrn, sample=document.sample, channel=channel, started=anyio.current_time() - due
        )
        try:
            fault = await self._receipt(document, channel)
        except ClientError as error:
            fault = error.reason
        seconds = None if fault else anyio.current_time() - due
        self._attempts.append(msgspec.structs.replace(attempt, receipted=seconds, fault=fault))

    async def _receipt(self, document: Lodgeable, channel: str) -> str:
        """Lodge, and say why there is no receipt that proves it; empty where there is one."""
        if channel == "https":
            lodged = await self._trader.lodge_https(document.payload, key=document.lrn)
            return "" if lodged.verified else lodged.reason
        sent = await self._trader.lodge_as2(document.payload)
        return "" if sent.verified else f"HTTP {sent.status}, MDN {sent.mdn.kind.value} {sent.mdn.detail}"

    async def _watch_inbox(self) -> None:
        seen = 0
        while True:
            news = self._trader.inbox[seen:]
            seen += len(news)
            self._hear(news, self._pushed)
            await anyio.sleep(INBOX_SECONDS)

    async def _watch_log(self) -> None:
        while True:
            # A gateway that is down or overrun shows in the lodgements; its log is there later.
            with contextlib.suppress(ClientError):
                await self.catch_up()
            await anyio.sleep(LOG_SECONDS)

    async def _read_log(self) -> int:
        """Read a page of the log; returns how many entries it had."""
        news = await self._trader.notifications(self._read_to)
        self._hear(news, self._logged)
        self._read_to = max((notice.number for notice in news), default=self._read_to)
        return len(news)

    def _hear(self, news: Sequence[Notice], heard: dict[str, list[float]]) -> None:
        now = anyio.current_time()
        for notice in news:
            # A CONTRL speaks of an interchange and is no answer; other LRNs are other runs'.
            if notice.lrn in self._due:
                heard[notice.lrn].append(now - self._due[notice.lrn])

    def _all_answered(self) -> bool:
        return all(
            attempt.lrn in self._logged and (attempt.channel == "https" or attempt.lrn in self._pushed)
            for attempt in self._attempts
            if not attempt.fault
        )

    async def _report(self, tell: Callable[[Progress], None]) -> None:
        while True:
            tell(self._progress())
            await anyio.sleep(LOG_SECONDS)

    def _progress(self) -> Progress:
        return Progress(len(self._due), len(self._attempts), len(self._logged))
