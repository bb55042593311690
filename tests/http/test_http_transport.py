"""Streams that close in good order, and what a failed handshake is called."""

import ssl
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.abc
import pytest

from tidewaiter.gateway.http.transport import (
    MAX_LINGER,
    WENT_AWAY,
    close_in_order,
    peer_address,
    peer_certificate,
    why_refused,
)


class Endless(anyio.abc.ByteStream):
    """A peer that never stops sending; at the end of `pieces` it waits for ever."""

    def __init__(self, pieces: float, fail: Exception | None = None) -> None:
        self.pieces = pieces
        self.fail = fail
        self.calls: list[str] = []

    async def receive(self, max_bytes: int = 65536) -> bytes:
        await anyio.lowlevel.checkpoint()
        if self.fail is not None:
            raise self.fail
        if self.pieces <= 0:
            await anyio.sleep_forever()
        self.pieces -= 1
        self.calls.append("receive")
        return bytes(65536)

    async def send(self, item: bytes) -> None:
        raise AssertionError

    async def send_eof(self) -> None:
        self.calls.append("send_eof")

    async def aclose(self) -> None:
        self.calls.append("aclose")

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return {}


@pytest.mark.anyio
async def test_what_the_peer_still_sends_is_dropped_up_to_a_limit() -> None:
    stream = Endless(10_000)
    await close_in_order(stream, 5)
    assert stream.calls == ["send_eof", *["receive"] * (MAX_LINGER // 65536), "aclose"]


@pytest.mark.anyio
async def test_a_peer_that_does_not_close_is_not_waited_for_long() -> None:
    stream = Endless(1)
    await close_in_order(stream, 0.01)
    assert stream.calls == ["send_eof", "receive", "aclose"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error", [anyio.EndOfStream(), anyio.BrokenResourceError(), OSError(), ssl.SSLError()]
)
async def test_errors_of_the_stream_end_it_quietly(error: Exception) -> None:
    stream = Endless(1, error)
    await close_in_order(stream, 5)
    assert stream.calls == ["send_eof", "aclose"]


@pytest.mark.anyio
async def test_a_cancelled_close_still_closes() -> None:
    stream = Endless(0)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await close_in_order(stream, 5)
    assert scope.cancelled_caught
    assert stream.calls[-1] == "aclose"


def test_a_stream_without_tls_or_address() -> None:
    assert peer_certificate(Endless(0)) is None
    assert peer_address(Endless(0)) == ""


def test_reasons() -> None:
    broken = anyio.BrokenResourceError()
    assert why_refused(broken) is WENT_AWAY
    broken.__cause__ = ssl.SSLEOFError()
    assert why_refused(broken) is WENT_AWAY
    unnamed = ssl.SSLError()
    unnamed.reason = ""
    assert why_refused(unnamed) == "SSLError"
