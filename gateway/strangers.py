"""What is kept of messages whose sender nobody has authenticated: something of each, and a bounded whole.

Anybody who reaches the port can send them, in any name, and what is written stays for ever. So each is kept
up to a size, each address has its share of every hour, and all together have theirs: the first half of it
with the message itself, the rest without it, and then nothing but a count.
"""

import ipaddress
from collections import Counter
from typing import NamedTuple

from ..routing.instant import Instant

Fields = tuple[tuple[str, str], ...]

# Of one message: enough to see what it is. A declaration is seldom longer.
BODY_OCTETS = 64 * 1024
# Of its headers, names and values together: those of AS2 take a tenth.
HEADER_OCTETS = 8 * 1024
# What the rows and indexes of one message take beside all that.
ROW_OCTETS = 1024
# What one address can make the ledger grow by in an hour: 24 MiB a day.
CLIENT_OCTETS = 1024 * 1024
# And all addresses together. It also bounds how many of them are remembered: one a ROW_OCTETS.
ALL_OCTETS = 16 * 1024 * 1024
HOUR_NS = 3600 * 10**9
# Whoever has an IPv6 address has as many as this prefix leaves.
IPV6_PREFIX = 64


class Kept(NamedTuple):
    """What is kept of a message. `told` says of how much it was, and whether something was cut."""

    headers: Fields
    body: bytes
    told: dict[str, str]


class Strangers:
    """The shares of this hour."""

    def __init__(self) -> None:
        self._hour = -1
        self._used: dict[str, int] = {}
        self._total = 0
        self.spent = False
        """Whether something has gone unrecorded in this hour."""

    def keep(
        self, client: str, at: Instant, headers: Fields, body: bytes, digest: str, answer: int
    ) -> Kept | None:
        """What to keep of a message from `client` whose answer has `answer` octets; None: nothing any more.

        `digest` is that of the whole body.
        """
        self._turn(at)
        address = network_of(client)
        used = self._used.get(address, 0)
        kept_headers = _cut(headers)
        cost = ROW_OCTETS + answer + sum(len(name) + len(value) for name, value in kept_headers)
        kept_body = body[:BODY_OCTETS] if used < CLIENT_OCTETS // 2 else b""
        cost += len(kept_body)
        if used + cost > CLIENT_OCTETS or self._total + cost > ALL_OCTETS:
            self.spent = True
            return None
        self._used[address] = used + cost
        self._total += cost
        told = {"client": client, "octets": str(len(body)), "sha256": digest}
        if len(kept_body) < len(body):
            told["kept"] = str(len(kept_body))
        if kept_headers != headers:
            told["headers"] = "cut"
        return Kept(kept_headers, kept_body, told)

    def _turn(self, at: Instant) -> None:
        hour = at.monotonic_ns // HOUR_NS
        if hour != self._hour:
            self._hour, self._used, self._total, self.spent = hour, {}, 0, False


class Quota:
    """How often something may be done for one name in an hour."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._hour = -1
        self._used: Counter[str] = Counter()

    def take(self, name: str, at: Instant) -> bool:
        """Whether it may be done once more; counted."""
        hour = at.monotonic_ns // HOUR_NS
        if hour != self._hour:
            self._hour, self._used = hour, Counter()
        self._used[name] += 1
        return self._used[name] <= self._most


def network_of(client: str) -> str:
    """Whose share `client` takes from: its address, or the network of an IPv6 address."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))


def _cut(headers: Fields) -> Fields:
    """The first of `headers` that fit, the last of them cut."""
    kept: list[tuple[str, str]] = []
    room = HEADER_OCTETS
    for name, value in headers:
        if len(name) >= room:
            break
        kept.append((name, value[: room - len(name)]))
        room -= len(name) + len(kept[-1][1])
    return tuple(kept)
