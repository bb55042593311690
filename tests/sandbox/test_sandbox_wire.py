"""Recordings: both messages of an exchange, in one numbering over all parties."""

import json
import pathlib

from tidewaiter.gateway.http import ClientResponse, Headers, Request, Response
from tidewaiter.gateway.sandbox.wire import About, Recorder, collect
from tidewaiter.routing.instant import Instant

BODY = b"UNB+UNOC:3\xff\x00"


def at(seconds: int) -> Instant:
    return Instant(utc_ns=seconds * 10**9, monotonic_ns=seconds * 10**9, process="test")


def about(sender: str, recipient: str, **more: str) -> About:
    return About(sender=sender, recipient=recipient, channel="as2", what="declaration", back="MDN", **more)


def recorded(folder: pathlib.Path) -> None:
    trader, customs = Recorder(folder / "trader"), Recorder(folder / "customs")
    trader.sent(
        about("trader", "gateway", message_id="<1@x>", mic="abc=, sha-256", back_signed_by="gateway"),
        ("POST", "http://127.0.0.1:8080/as2?x=1", (("Message-ID", "<1@x>"),), BODY),
        ClientResponse(
            status=200, headers=Headers(((b"as2-to", b"T"),)), body=b"mdn", sent=at(10), received=at(13)
        ),
    )
    request = Request(
        method="POST",
        path="/as2",
        query="",
        headers=Headers(((b"message-id", b"<2@x>"),)),
        body=b"cusdec",
        peer_certificate=None,
        client="127.0.0.1",
        first_byte=at(11),
        last_byte=at(11),
    )
    customs.served(about("gateway", "customs"), request, Response(status=200, body=b"ok"), at(12))


def test_messages_of_all_parties_are_numbered_by_time(tmp_path: pathlib.Path) -> None:
    recorded(tmp_path)
    out = tmp_path / "out"
    assert collect([tmp_path / "trader", tmp_path / "customs", tmp_path / "nobody"], out) == 4
    index = json.loads((out / "index.json").read_bytes())
    assert [line["file"] for line in index] == [
        "001-trader-to-gateway-declaration.http",
        "002-gateway-to-customs-declaration.http",
        "003-customs-to-gateway-mdn.http",
        "004-gateway-to-trader-mdn.http",
    ]
    assert index[3]["answers"] == index[0]["file"]
    assert index[3]["signed-by"] == "gateway"
    assert (index[0]["message-id"], index[0]["mic"]) == ("<1@x>", "abc=, sha-256")
    assert index[0]["at"] == "1970-01-01T00:00:10.000+00:00"


def test_bodies_are_the_very_octets_under_their_heads(tmp_path: pathlib.Path) -> None:
    recorded(tmp_path)
    out = tmp_path / "out"
    collect([tmp_path / "trader", tmp_path / "customs"], out)
    head, _, body = (out / "001-trader-to-gateway-declaration.http").read_bytes().partition(b"\r\n\r\n")
    assert body == BODY
    assert head.split(b"\r\n")[0] == b"POST /as2?x=1 HTTP/1.1"
    assert b"Message-ID: <1@x>" in head
    answer = (out / "004-gateway-to-trader-mdn.http").read_bytes()
    assert answer == b"HTTP/1.1 200 OK\r\nas2-to: T\r\n\r\nmdn"


def test_collecting_twice_gives_the_same(tmp_path: pathlib.Path) -> None:
    recorded(tmp_path)
    out = tmp_path / "out"
    collect([tmp_path / "trader"], out)
    first = {file.name: file.read_bytes() for file in out.iterdir()}
    collect([tmp_path / "trader"], out)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == first
