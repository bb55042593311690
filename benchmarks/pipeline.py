"""The whole inbound path without a network: the bytes of a request in, the bytes of the receipt out."""

from collections.abc import Sequence
from typing import Any

import anyio
import structlog
from anyio.abc import ByteStream

from tidewaiter.gateway import clock
from tidewaiter.gateway.app import Gateway
from tidewaiter.gateway.http import Limits
from tidewaiter.gateway.http.connection import Connection, Service
from tidewaiter.gateway.ledger import Change, Committed, Ledger, Result


class OneRequest(ByteStream):
    """A connection whose peer sends one request; `answer` is what it got."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answer = b""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """The request, then the end."""
        if not self._request:
            raise anyio.EndOfStream
        data, self._request = self._request[:max_bytes], self._request[max_bytes:]
        return data

    async def send(self, item: bytes) -> None:
        """Keep what the peer gets."""
        self.answer += item

    async def send_eof(self) -> None:
        """Nothing to do."""

    async def aclose(self) -> None:
        """Nothing to do."""


def service_of(gateway: Gateway) -> Service:
    """What the gateway's own listener has its connections share."""
    return Service(
        handler=gateway.api.handle,
        admit=gateway.api.admit,
        limits=Limits(),
        clock=clock.instant,
        log=structlog.get_logger(),
    )


async def exchange(request: bytes, service: Service) -> bytes:
    """The bytes of the answer to `request`, by the code that serves a connection."""
    stream = OneRequest(request)
    await Connection(stream, "127.0.0.1", service).run()
    return stream.answer


class Capturing:
    """A ledger that keeps what it is told to write instead of writing it; everything else is `ledger`'s.

    So the benchmark of a commit writes the very rows the gateway would.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.changes: list[Change] = []

    async def commit(self, changes: Sequence[Change]) -> list[Result]:
        """Keep `changes`."""
        self.changes += changes
        return [Committed() for _ in changes]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)
