"""When each declaration is due, decided before the first is sent.

Traders do not wait for one another: a gateway that stalls gets the next declaration all the same. So the
schedule is fixed beforehand (an open loop), and latency counts from the moment a declaration was due, not
from when a busy driver came to send it. A driver that waits for answers leaves out just the moments in which
the gateway was slow: that is the coordinated omission this avoids.
"""

import enum
import itertools
import random

# More than one machine can drive in one go; beyond it, a mistyped rate would only fill the memory.
MAX_ARRIVALS = 1_000_000


class Arrivals(enum.Enum):
    """How declarations arrive."""

    POISSON = "poisson"
    """Independent traders: the gaps are exponential, so there are bursts, as there are in life."""
    CONSTANT = "constant"
    """One after the other at even gaps."""


def schedule(arrivals: Arrivals, *, rate: float, seconds: float, seed: int) -> tuple[float, ...]:
    """The moments, in seconds from the start, at which declarations are due within `seconds`, in order.

    The same arguments give the same schedule. Raises ValueError unless `rate` (a second) and `seconds` are
    above 0 and the number stays within MAX_ARRIVALS.
    """
    if not (rate > 0 and seconds > 0 and rate * seconds <= MAX_ARRIVALS):
        raise ValueError(f"a rate and seconds above 0, and at most {MAX_ARRIVALS:,} arrivals, are expected")
    if arrivals is Arrivals.CONSTANT:
        return tuple(number / rate for number in range(max(1, round(rate * seconds))))
    chance = random.Random(seed)
    gaps = iter(lambda: chance.expovariate(rate), None)
    moments = tuple(itertools.takewhile(lambda moment: moment < seconds, itertools.accumulate(gaps)))
    # A low rate may give none at all; a run without a declaration would measure nothing and pass.
    return moments or (0.0,)
