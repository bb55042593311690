"""The client: one request, one answer, over kept-alive connections. No redirects, no default trust.

A pooled connection may have been closed by the peer a moment ago, and nobody can tell before the answer fails
to come. Then the request is sent once more on a new connection, but only if doing it twice is harmless: an
idempotent method, or a header by which the peer knows it again (Idempotency-Key, Message-ID).
"""

import math
import ssl
from collections.abc import Callable, Sequence
from typing import Self

import anyio
import msgspec
from anyio.abc import ByteStream

from ...routing.instant import Instant
from .errors import ConnectFailed, PeerClosed, RequestTimeout
from .outgoing import ClientResponse, Endpoint, Outgoing, parse_url, write_request
from .transport import STREAM_ERRORS, close_in_order, connect_tls, why_refused

_IDEMPOTENT = frozenset(("GET", "HEAD", "PUT", "DELETE", "OPTIONS"))
_KNOWN_AGAIN = frozenset(("idempotency-key", "message-id"))

# Host name, port, address to connect to, TLS context (by identity; None without TLS).
_Key = tuple[str, int, str | None, ssl.SSLContext | None]


class ClientLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one client gives and takes. Seconds are of the loop's own clock."""

    # An answer holds a receipt or a response document, never a bulk file.
    max_body: int = 16 * 1024 * 1024
    # At one endpoint at once; the next request waits, within its own timeout.
    max_connections: int = 32
    # Three SYNs; beyond that the retry of the delivery is the better place to wait.
    connect_seconds: float = 10.0
    # Less than what servers usually keep a connection open for.
    idle_seconds: float = 30.0
    # For the peer to answer our end of the TLS session.
    close_seconds: float = 0.25


class _Call(msgspec.Struct, kw_only=True):
    """One request on its way; `sent` once a byte of it may have left."""

    method: str
    data: bytes
    endpoint: Endpoint
    address: str | None
    tls: ssl.SSLContext | None
    repeatable: bool
    sent: bool = False


class _Host:
    """The connections to one endpoint: those idle, newest last, and room for those in use."""

    def __init__(self, limit: int) -> None:
        self.idle: list[Outgoing] = []
        self.slots = anyio.Semaphore(limit, fast_acquire=True)
        self.users = 0


class Client:
    """A client with its pool; an async context manager, which closes the idle connections at its end.

    Requests may run concurrently. A cancelled request closes its connection, so no answer is ever taken for
    that of another request.
    """

    def __init__(self, *, clock: Callable[[], Instant], limits: ClientLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or ClientLimits()
        self._hosts: dict[_Key, _Host] = {}
        self._swept = -math.inf
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        hosts, self._hosts = self._hosts, {}
        async with anyio.create_task_group() as closing:
            for host in hosts.values():
                for connection in host.idle:
                    closing.start_soon(close_in_order, connection.stream, self._limits.close_seconds)

    async def request(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        tls: ssl.SSLContext | None = None,
        timeout: float,  # noqa: ASYNC109 - it also decides what RequestTimeout says was sent
        address: str | None = None,
        chunked: bool = False,
    ) -> ClientResponse:
        """Send a request and return the answer, whatever its status; redirects are not followed.

        `tls` is required for https and unused for http. `timeout` covers everything, waiting for a connection
        included. With `address` the connection goes there, while `Host` and the name checked in the
        server's certificate stay those of `url`. `chunked` is for servers that cannot do with a length.

        Raises ConnectFailed, PeerClosed, RequestTimeout, BadResponse; ValueError for a URL or header that
        cannot be sent.
        """
        endpoint = parse_url(url)
        if endpoint.scheme == "https" and tls is None:
            raise ValueError("https needs a TLS context")
        known_again = any(name.lower() in _KNOWN_AGAIN for name, _ in headers)
        call = _Call(
            method=method,
            data=write_request(method, endpoint, headers, body, chunked=chunked),
            endpoint=endpoint,
            address=address,
            tls=tls if endpoint.scheme == "https" else None,
            repeatable=known_again or method in _IDEMPOTENT,
        )
        with anyio.move_on_after(timeout):
            return await self._call(call)
        raise RequestTimeout("no complete answer in time", sent=call.sent)

    async def _call(self, call: _Call) -> ClientResponse:
        await self._sweep()
        host = self._host((call.endpoint.host, call.endpoint.port, call.address, call.tls))
        host.users += 1
        try:
            async with host.slots:
                connection = await self._idle(host)
                if connection is not None:
                    try:
                        return await self._on(connection, host, call)
                    except PeerClosed:
                        if connection.answered or not call.repeatable:
                            raise
                return await self._on(await self._connect(call), host, call)
        finally:
            host.users -= 1

    def _host(self, key: _Key) -> _Host:
        host = self._hosts.get(key)
        if host is None:
            self._hosts = {k: h for k, h in self._hosts.items() if h.users or h.idle}
            host = self._hosts[key] = _Host(self._limits.max_connections)
        return host

    async def _sweep(self) -> None:
        """Forget the endpoints that nobody uses any more, now and then: TLS contexts are replaced when
        certificates are, addresses are pinned for one request, and neither is asked for again."""
        now = anyio.current_time()
        if now - self._swept <= self._limits.idle_seconds:
            return
        self._swept = now
        gone = [
            key
            for key, host in self._hosts.items()
            if not host.users
            and (not host.idle or now - host.idle[-1].idle_since > self._limits.idle_seconds)
        ]
        for host in [self._hosts.pop(key) for key in gone]:
            for connection in host.idle:
                await _drop(connection.stream)

    async def _idle(self, host: _Host) -> Outgoing | None:
        """The connection used last, unless it is too old: then so are all others, and they are closed."""
        if not host.idle:
            return None
        connection = host.idle.pop()
        if anyio.current_time() - connection.idle_since <= self._limits.idle_seconds:
            return connection
        old, host.idle = [connection, *host.idle], []
        for each in old:
            await _drop(each.stream)
        return None

    async def _on(self, connection: Outgoing, host: _Host, call: _Call) -> ClientResponse:
        call.sent = True
        try:
            response = await connection.exchange(call.method, call.data)
        except BaseException:
            await _drop(connection.stream)
            raise
        if connection.reusable and not self._closed:
            connection.idle_since = anyio.current_time()
            host.idle.append(connection)
        else:
            with anyio.CancelScope(shield=True):
                await close_in_order(connection.stream, self._limits.close_seconds)
        return response

    async def _connect(self, call: _Call) -> Outgoing:
        endpoint = call.endpoint
        stream: ByteStream | None = None
        try:
            with anyio.fail_after(self._limits.connect_seconds):
                stream = await anyio.connect_tcp(call.address or endpoint.host, endpoint.port)
                if call.tls is not None:
                    stream = await connect_tls(stream, call.tls, endpoint.host)
        except BaseException as error:
            if stream is not None:
                await _drop(stream)
            if isinstance(error, TimeoutError):
                raise ConnectFailed("no connection in time", sent=call.sent) from error
            if isinstance(error, STREAM_ERRORS):
                reason = "no connection" if stream is None else f"TLS handshake: {why_refused(error)}"
                raise ConnectFailed(reason, sent=call.sent) from error
            raise
        return Outgoing(stream, self._clock, self._limits.max_body)


async def _drop(stream: ByteStream) -> None:
    """Close without a word, even where cancelled: the peer must see that this exchange is over."""
    with anyio.CancelScope(shield=True):
        await anyio.aclose_forcefully(stream)
