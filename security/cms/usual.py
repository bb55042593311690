"""Structures that come again: the same octets but for two stretches.

What a partner signs differs in attributes and signature only, what is encrypted to us in the encrypted key.
All that stands around them is compared as a whole with what was read before, and so has not to be taken apart
again: every length lies in what is compared, so the same octets mean the same.
"""

from typing import Generic, NamedTuple, TypeVar

from .. import der

T = TypeVar("T")

# Partners with current and next certificate, and the few lengths that a signature can have.
KEPT = 1024
# A signature and a chain of certificates; anything longer is not kept.
LONGEST = 16 * 1024


class _Usual(NamedTuple, Generic[T]):
    """`made` is what was made of all but the stretches between the three."""

    before: bytes
    between: bytes
    behind: bytes
    between_at: int
    behind_at: int
    made: T


class Usual(Generic[T]):
    """What was read before, by a key and the length of the whole."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, int], _Usual[T]] = {}

    def find(self, key: object, data: bytes) -> tuple[T, bytes, bytes] | None:
        """What was made of such a structure, and the two stretches of this one; None if none was like it."""
        known = self._known.get((key, len(data)))
        if known is None:
            return None
        before, between, behind, between_at, behind_at, made = known
        if not (
            data.startswith(before)
            and data.startswith(between, between_at)
            and data.startswith(behind, behind_at)
        ):
            return None
        return made, data[len(before) : between_at], data[between_at + len(between) : behind_at]

    def keep(self, key: object, data: bytes, first: der.Element, second: der.Element, made: T) -> None:
        """Remember `made` for what is like `data` but for the contents of `first` and `second`."""
        if len(data) > LONGEST:
            return
        if len(self._known) >= KEPT:
            self._known.clear()
        before, between, behind = data[: first.start], data[first.stop : second.start], data[second.stop :]
        self._known[key, len(data)] = _Usual(before, between, behind, first.stop, second.stop, made)
