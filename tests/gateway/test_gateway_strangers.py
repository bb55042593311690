"""What strangers can make the ledger keep: something of each message, and a bounded amount of all."""

import pytest

from tidewaiter.gateway.strangers import (
    ALL_OCTETS,
    BODY_OCTETS,
    CLIENT_OCTETS,
    HEADER_OCTETS,
    HOUR_NS,
    ROW_OCTETS,
    Kept,
    Quota,
    Strangers,
    network_of,
)
from tidewaiter.routing.instant import Instant

HEADERS = (("as2-from", "NOBODY"), ("as2-to", "TIDEWAITER"))


def at(ns: int = 0) -> Instant:
    return Instant(utc_ns=0, monotonic_ns=ns, process="test")


def keep(strangers: Strangers, body: bytes, client: str = "192.0.2.1", ns: int = 0) -> Kept | None:
    return strangers.keep(client, at(ns), HEADERS, body, "d" * 64, 500)


def test_a_small_message_is_kept_whole() -> None:
    assert keep(Strangers(), b"UNB+") == Kept(
        HEADERS, b"UNB+", {"client": "192.0.2.1", "octets": "4", "sha256": "d" * 64}
    )


def test_a_large_message_is_cut_and_says_so() -> None:
    kept = keep(Strangers(), bytes(9_900_000))
    assert kept is not None
    assert len(kept.body) == BODY_OCTETS
    assert (kept.told["octets"], kept.told["kept"]) == ("9900000", str(BODY_OCTETS))


def test_an_address_has_its_share_of_an_hour_and_the_others_have_theirs() -> None:
    strangers = Strangers()
    kept = [keep(strangers, bytes(BODY_OCTETS)) for _ in range(2000)]
    whole = [one for one in kept if one is not None and one.body]
    bare = [one for one in kept if one is not None and not one.body]
    assert CLIENT_OCTETS // 2 <= len(whole) * (BODY_OCTETS + ROW_OCTETS) <= CLIENT_OCTETS * 3 // 4
    assert bare
    assert all(one.told["kept"] == "0" for one in bare)
    assert kept[-1] is None
    assert strangers.spent
    assert len(whole) * BODY_OCTETS + (len(whole) + len(bare)) * ROW_OCTETS <= CLIENT_OCTETS
    assert keep(strangers, b"UNB+", "192.0.2.2") is not None
    assert keep(strangers, b"UNB+", ns=HOUR_NS) is not None
    assert not strangers.spent


def test_all_addresses_together_have_a_share() -> None:
    strangers = Strangers()
    clients = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(20_000)]
    kept = [client for client in clients if keep(strangers, b"", client) is not None]
    assert 0 < len(kept) <= ALL_OCTETS // ROW_OCTETS
    assert len(strangers._used) == len(kept)


def test_headers_are_bounded() -> None:
    headers = tuple((f"x-{n}", "v" * 100) for n in range(500))
    kept = Strangers().keep("192.0.2.1", at(), headers, b"", "d", 0)
    assert kept is not None
    assert sum(len(name) + len(value) for name, value in kept.headers) <= HEADER_OCTETS
    assert kept.headers[:70] == headers[:70]
    assert kept.told["headers"] == "cut"


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one_client(client: str, network: str) -> None:
    assert network_of(client) == network


def test_a_quota_is_of_an_hour_and_a_name() -> None:
    quota = Quota(2)
    assert [quota.take("a", at(HOUR_NS)) for _ in range(3)] == [True, True, False]
    assert quota.take("b", at(HOUR_NS))
    assert quota.take("a", at(2 * HOUR_NS))
