"""The clocks and the source of names: the only place that reads either."""

import secrets
import time
from datetime import UTC, datetime

from ..routing.instant import Instant

# Crockford's base 32: no letter that can be taken for a digit, all of it in the repertoire of UNOA.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# With its prefix an id has 14 characters: as many as UNB 0020 holds. 65 random bits are enough never to meet.
_RANDOM_CHARACTERS = 13

_PROCESS = secrets.token_hex(8)


def instant() -> Instant:
    """This moment on both clocks."""
    return Instant(utc_ns=time.time_ns(), monotonic_ns=time.monotonic_ns(), process=_PROCESS)


def utc(moment: Instant) -> datetime:
    """The wall clock of `moment`, in UTC."""
    return utc_of(moment.utc_ns)


def iso(moment: Instant) -> str:
    """The wall clock of `moment` in RFC 3339, to the millisecond."""
    return utc(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id(prefix: str) -> str:
    """A name nobody else has: `prefix` and 13 characters. M names a message, L a lodgement, D a delivery,
    N a notification."""
    bits = secrets.randbits(5 * _RANDOM_CHARACTERS)
    return prefix + "".join(_ALPHABET[(bits >> 5 * i) & 31] for i in range(_RANDOM_CHARACTERS))


def utc_of(utc_ns: int) -> datetime:
    """Nanoseconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(utc_ns / 1e9, UTC)
