"""Addresses for asynchronous receipts: one spelling, the agreed origin, and no network but the partner's."""

import pytest

from tidewaiter.gateway.as2.addresses import MAX_ADDRESS, Reach, is_allowed_address, reach_of

ORIGINS = ("https://mdn.trader.example", "http://as2.trader.example:8080", "https://[2a00:1450::5]:4443")


@pytest.mark.parametrize(
    "url",
    [
        "https://mdn.trader.example",
        "https://mdn.trader.example/",
        "https://mdn.trader.example:443/as2/mdn?id=17&to=a%20b",
        "https://mdn.trader.example?x=[1]",
        "HTTPS://MDN.Trader.Example/as2",
        "http://as2.trader.example:8080/a/b@c",
        "https://[2A00:1450:0:0::5]:4443/",
        "https://mdn.trader.example/" + "a" * 200,
    ],
)
def test_the_agreed_origins_with_any_path_and_query(url: str) -> None:
    assert is_allowed_address(url, ORIGINS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mdn.trader.example",
        "//mdn.trader.example/",
        "mailto:mdn@trader.example",
        "ftp://mdn.trader.example/",
        "file:///etc/passwd",
        "http://mdn.trader.example/",  # another scheme
        "https://mdn.trader.example:8443/",  # another port
        "https://mdn.trader.example:0443x/",
        "https://mdn.trader.example:443443/",
        "https://mdn.trader.example:0/",
        "http://as2.trader.example/",
        "https://mdn.trader.example.evil.example/",
        "https://evil.example/https://mdn.trader.example/",
        "https://mdn.trader.example@evil.example/",
        "https://mdn.trader.example:443@127.0.0.1/",
        "https://user:secret@mdn.trader.example/",
        "https://evil.example#@mdn.trader.example/",
        "https://mdn.trader.example#@evil.example/",
        "https://evil.example\\@mdn.trader.example/",
        "https://mdn.trader.example\\.evil.example/",
        "https://mdn.trader.example./",
        "https://mdn%2Etrader.example/",
        "https://mdn。trader.example/",
        "https://mdn.trader.example\u017f/",
        "http\u017f://mdn.trader.example/",  # a letter that upper case makes an S
        "https://mdn.trader.example /",
        " https://mdn.trader.example/",
        "https://mdn.trader.example/\r\nHost: evil.example",
        "https://mdn.trader.example/\tx",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[2a00:1450::5]/",
        "https://[2a00:1450::5%25eth0]:4443/",
        "https://[::zz]:4443/",
        "https://[1.2.3.4]:4443/",
        "https://mdn.trader.example/" + "a" * MAX_ADDRESS,
    ],
)
def test_every_other_one(url: str) -> None:
    assert not is_allowed_address(url, ORIGINS)


def test_without_an_agreed_origin_there_is_none() -> None:
    assert not is_allowed_address("https://mdn.trader.example/", ())


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.15.255.255", "172.32.0.1", "2a00:1450::1", "::ffff:8.8.8.8"]
)
def test_public_addresses(address: str) -> None:
    assert reach_of(address) is Reach.PUBLIC


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "fd12::1", "fc00::1"),
        *("::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2002:0a00:0001::1", "::1%lo"),
    ],
)
def test_our_own_machine_and_network(address: str) -> None:
    assert reach_of(address) is Reach.PRIVATE


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16"),
        *("192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
        *("::", "::7f00:1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "fd00:ec2::254"),
        *("::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "2001:0::1"),
        *("::ffff:0:169.254.169.254", "2001:0:808:808::f5ff:fffe", "64:ff9b:1::808:808"),
    ],
)
def test_nobody_one_could_agree_with(address: str) -> None:
    assert reach_of(address) is Reach.FORBIDDEN


def test_what_is_no_address() -> None:
    with pytest.raises(ValueError, match="address"):
        reach_of("mdn.trader.example")
