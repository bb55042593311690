"""When a concealed refusal leaves: at a fixed moment after the last octet of its request, whatever it took.

A message that fails inside encryption is answered `decryption-failed` in the same bytes whatever the cause
(`as2.layers`). The time of that answer is the other half: bad padding is found after one decryption, a
stranger's signature after a verification and four digests, a bomb after a tenth of a second. So the answer
waits for a moment that follows from the request's size and the configuration, both of which everybody knows:

    arrived + hold        hold = `limits.concealed-seconds` + octets x the allowance of one

The hold is made to be longer than all of the work, the commit included. Where it was not, on a machine that
is too busy, the answer leaves at the next multiple of it, so what is told is a count of whole holds.

Claimed: the time between the end of a request and its answer does not depend on how far opening got, as long
as the work fits into the hold; nor does anything dated inside the answer, if it is dated by the arrival.

Not claimed: that all work fits. A body may be compressed inside its encryption, and then costs what it
inflates to (a bomb is stopped after some 50 ms); on a machine too busy for that, whole holds are told.

Nor that the work itself takes as long for every cause. Who watches other answers at the same moment, or
shares the machine, may see that the loop is busy some tenths of a millisecond longer. That is noise of the
kind that every other message makes; making all causes cost as much as the dearest would hand a lever to
whoever wants the machine to be slow. Nor are attempts counted: a partner that sends thousands of refused
messages shows in the metric and the log, not here.
"""

import time
from collections.abc import Callable

import anyio
import anyio.to_thread

from ..routing.instant import Instant, elapsed
from . import clock

# Seconds of the hold for one octet of body. Text that is refused after all second tries takes 7 to 13 ns an
# octet, a body of nothing but line ends 31, writing it to the ledger less than 10.
SECONDS_OF_AN_OCTET = 100e-9
# The timers of both loops count in milliseconds from when they are set, so the time of waking would still
# tell, by a part of one, when the work ended. The last stretch is slept in a thread, to the nanosecond.
FINE = 0.004
# More answers than that do not end within FINE of each other: RSA alone allows four.
_THREADS = 8


def hold(seconds: float, octets: int) -> float:
    """How long the answer to a body of `octets` is held, in seconds."""
    return seconds + octets * SECONDS_OF_AN_OCTET


def due(held: float, taken: float) -> float:
    """The first multiple of `held` that is not before `taken`, and at least one; seconds after arrival."""
    return held * max(1, -int(-taken // held))


class Concealment:
    """Holds the answers to concealed refusals. With 0 `seconds` nothing is held: for tests only."""

    def __init__(self, seconds: float, now: Callable[[], Instant] = clock.instant) -> None:
        self._seconds = seconds
        self._now = now
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def release(self, arrived: Instant, octets: int) -> None:
        """Return at the moment that is fixed for a body of `octets` whose last one came at `arrived`.

        Call it when all work is done and the refusal is durable, and answer at once.
        """
        if not self._seconds:
            return
        held = hold(self._seconds, octets)
        taken = elapsed(arrived, self._now())
        moment = due(held, taken)
        left = moment - taken
        if left > FINE:
            await anyio.sleep(left - FINE)
        await anyio.to_thread.run_sync(self._sleep_until, arrived, moment, limiter=self._threads)

    def _sleep_until(self, arrived: Instant, moment: float) -> None:
        left = moment - elapsed(arrived, self._now())
        if left > 0:
            time.sleep(left)
