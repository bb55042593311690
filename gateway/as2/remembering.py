"""What peers say again in every message is read once.

An agreement's messages bear the same names, options and part headers, year in, year out, and to read them
costs more than all else that is not cryptography. Only short texts are kept, and a bounded number of them:
whoever sends others gains nothing but that they are read each time.
"""

import functools
from collections.abc import Callable
from typing import TypeVar

S = TypeVar("S", str, bytes)
T = TypeVar("T")

# Longer than any header that comes unchanged in the next message.
LONGEST = 512
# Times LONGEST, half a megabyte at most for each reader. When it is full, it begins anew.
KEPT = 1024


def remembered(read: Callable[[S], T]) -> Callable[[S], T]:
    """`read`, a pure function whose result nobody changes, with its results for short texts kept.

    What raises is not kept.
    """
    known: dict[S, T] = {}

    @functools.wraps(read)
    def ask(text: S) -> T:
        try:
            return known[text]
        except KeyError:
            result = read(text)
        if len(text) <= LONGEST:
            if len(known) >= KEPT:
                known.clear()
            known[text] = result
        return result

    return ask
