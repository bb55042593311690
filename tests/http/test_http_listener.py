"""The listener on the loopback: TLS with and without a client certificate, stopping, too many connections."""

import contextlib
import errno
import ssl
from typing import Any

import anyio
import anyio.abc
import pytest
from anyio.streams.tls import TLSStream

from tidewaiter.gateway.http import Request, Response, serve

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
HELLO = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello"


async def echo(request: Request) -> Response:
    return Response(status=200, body=request.body)


async def connect(port: int, context: ssl.SSLContext | None = None) -> anyio.abc.ByteStream:
    stream = await anyio.connect_tcp("127.0.0.1", port)
    if context is None:
        return stream
    try:
        return await TLSStream.wrap(stream, hostname="127.0.0.1", ssl_context=context)
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise


async def rest(stream: anyio.abc.ByteStream) -> bytes:
    with anyio.fail_after(5):
        return b"".join([part async for part in stream])


async def ask_once(port: int, context: ssl.SSLContext) -> bytes:
    """One answer. With TLS 1.3 the handshake ends before the server has judged the client's certificate."""
    stream = await connect(port, context)
    try:
        await stream.send(GET)
        return await stream.receive()
    finally:
        # A session that is broken cannot do the closing handshake.
        await anyio.aclose_forcefully(stream)


class Certificates:
    """A handler that keeps the certificates of its peers."""

    def __init__(self) -> None:
        self.seen: list[bytes | None] = []

    async def __call__(self, request: Request) -> Response:
        self.seen.append(request.peer_certificate)
        return Response(status=200, body=request.client.encode())


@pytest.mark.anyio
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_certificate_of_the_peer(serving, parties, version: ssl.TLSVersion) -> None:
    async with serving(handler := Certificates(), tls=parties.server_context()) as server:
        for client in (parties.known, None):
            context = parties.client_context(client)
            context.maximum_version = version
            async with await connect(server.port, context) as stream:
                for _ in range(2):
                    await stream.send(GET)
                    assert (await stream.receive()).endswith(b"\r\n\r\n127.0.0.1")
    assert handler.seen == [parties.known.der] * 2 + [None] * 2
    assert server.log.entries == []


@pytest.mark.anyio
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_unknown_certificate_gets_an_alert_and_the_server_goes_on(
    serving, parties, version: ssl.TLSVersion
) -> None:
    context = parties.client_context(parties.stranger)
    context.maximum_version = version
    async with serving(handler := Certificates(), tls=parties.server_context()) as server:
        with pytest.raises(ssl.SSLError, match=r"(?i)alert"):
            await ask_once(server.port, context)
        async with await connect(server.port, parties.client_context(parties.known)) as stream:
            await stream.send(GET)
            assert (await stream.receive()).startswith(b"HTTP/1.1 200")
    assert handler.seen == [parties.known.der]
    (entry,) = server.log.entries
    assert (entry["event"], entry["client"]) == ("tls_refused", "127.0.0.1")
    assert "certificate" in entry["reason"]


@pytest.mark.anyio
async def test_handshakes_that_fail_in_other_ways(serving, parties) -> None:
    old = parties.client_context()
    distrustful = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    distrustful.load_verify_locations(parties.known.chain)
    context = parties.server_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(echo, tls=context) as server:
        for client in (old, distrustful):
            with pytest.raises(ssl.SSLError):
                await connect(server.port, client)
            # What the client says of it arrives after its exception: the next one waits for the log.
            while len(server.log.entries) < (1 if client is old else 2):
                await anyio.lowlevel.checkpoint()
        async with await connect(server.port) as plain:
            await plain.send(GET)
            assert b"HTTP/1.1" not in await rest(plain)
        async with await connect(server.port) as gone:
            await gone.send_eof()
            assert await rest(gone) == b""
    assert server.log.events() == ["tls_refused"] * 4
    reasons = [entry["reason"] for entry in server.log.entries]
    assert reasons[0] == "UNSUPPORTED_PROTOCOL"
    assert reasons[2:] == ["HTTP_REQUEST", "the peer went away"]


@pytest.mark.anyio
async def test_a_handshake_that_does_not_come(serving, parties) -> None:
    limits = {"handshake_seconds": 0.02}
    async with (
        serving(echo, tls=parties.server_context(), **limits) as server,
        await connect(server.port) as stream,
    ):
        assert await rest(stream) == b""
    assert [entry["reason"] for entry in server.log.entries] == ["the handshake took too long"]


@pytest.mark.anyio
async def test_tls_ends_with_close_notify(serving, parties) -> None:
    async with serving(echo, tls=parties.server_context()) as server:
        stream = await connect(server.port, parties.client_context())
        async with stream:
            await stream.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            # A TLSStream raises BrokenResourceError at an end without close_notify.
            assert (await rest(stream)).startswith(b"HTTP/1.1 200")


@pytest.mark.anyio
async def test_a_peer_that_is_still_sending_is_not_reset(serving) -> None:
    """Closing with unread bytes sends a reset: many a client then never looks for the answer."""
    async with serving(echo, max_body=10) as server, await connect(server.port) as stream:
        await stream.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 413")
        for _ in range(400):
            await stream.send(bytes(1000))
        assert await rest(stream) == b""


@pytest.mark.anyio
async def test_a_large_body(serving) -> None:
    body = bytes(range(256)) * 4096
    async with serving(echo, max_body=len(body)) as server, await connect(server.port) as stream:
        await stream.send(b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert (await rest(stream)).partition(b"\r\n\r\n")[2] == body


@pytest.mark.anyio
async def test_stopping_finishes_what_is_in_flight(serving) -> None:
    entered, go_on = anyio.Event(), anyio.Event()

    async def handler(_: Request) -> Response:
        entered.set()
        await go_on.wait()
        return Response(status=200)

    async with (
        serving(handler) as server,
        await connect(server.port) as idle,
        await connect(server.port) as busy,
    ):
        await busy.send(GET)
        await entered.wait()
        server.stopping.set()
        assert await rest(idle) == b""
        with pytest.raises(OSError):
            await connect(server.port)
        go_on.set()
        answer = await rest(busy)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nconnection: close\r\n" in answer
    assert server.log.entries == []


@pytest.mark.anyio
async def test_stopping_does_not_wait_for_ever(serving) -> None:
    async def handler(_: Request) -> Response:
        server.stopping.set()
        await anyio.sleep_forever()
        raise AssertionError

    async with serving(handler, drain_seconds=0.02) as server, await connect(server.port) as stream:
        await stream.send(GET)
        with contextlib.suppress(anyio.BrokenResourceError):
            assert await rest(stream) == b""
    assert server.log.events() == ["drain_cut"]


@pytest.mark.anyio
async def test_too_many_connections(serving, parties) -> None:
    async with serving(echo, max_connections=1) as server, await connect(server.port) as first:
        await first.send(GET)
        await first.receive()
        async with await connect(server.port) as second:
            answer = await rest(second)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"\r\nretry-after: 5\r\n" in answer
        await first.send(GET)
        assert (await first.receive()).startswith(b"HTTP/1.1 200")
    assert server.log.events() == ["connection_refused"]
    async with serving(echo, max_connections=0, tls=parties.server_context()) as server:
        with pytest.raises((ssl.SSLError, anyio.BrokenResourceError)):
            await connect(server.port, parties.client_context())
    assert server.log.events() == ["connection_refused"]


@pytest.mark.anyio
async def test_one_connection_cannot_end_the_others(serving) -> None:
    async def handler(_: Request) -> Response:
        def fail(_: object) -> None:
            raise LookupError("a secret")

        return Response(status=200, on_sent=fail)

    async with serving(handler) as server:
        for _ in range(2):
            async with await connect(server.port) as stream:
                await stream.send(GET)
                assert (await rest(stream)).startswith(b"HTTP/1.1 200")
        async with await connect(server.port) as stream:
            await stream.send(HELLO[:-1])
    assert server.log.entries == [
        {"event": "connection_failed", "client": "127.0.0.1", "reason": "LookupError", "level": "error"},
        {"event": "connection_failed", "client": "127.0.0.1", "reason": "LookupError", "level": "error"},
        {"event": "connection_lost", "client": "127.0.0.1", "phase": "body", "level": "info"},
    ]


class ScriptedListener(anyio.abc.SocketListener):
    """A listener whose `accept` fails as told, then waits."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.waiting = anyio.Event()

    async def accept(self) -> anyio.abc.SocketStream:
        if self.failures:
            raise self.failures.pop(0)
        self.waiting.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None:
        pass

    @property
    def _raw_socket(self) -> Any:
        raise NotImplementedError


@pytest.mark.anyio
async def test_a_failing_accept_is_survived_unless_the_socket_is_gone(clock, log, monkeypatch) -> None:
    monkeypatch.setattr("tidewaiter.gateway.http.listener.ACCEPT_PAUSE", 0)
    broken = anyio.BrokenResourceError()
    broken.__cause__ = OSError(errno.EMFILE, "many")
    listener = ScriptedListener(OSError(errno.ECONNABORTED, "gone"), broken)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: serve(listener, echo, clock=clock, log=log.logger()))
        with anyio.fail_after(5):
            await listener.waiting.wait()
        tasks.cancel_scope.cancel()
    assert [entry["reason"] for entry in log.entries] == ["ECONNABORTED", "EMFILE"]
    with pytest.raises(BaseExceptionGroup) as failure:
        await serve(ScriptedListener(OSError(errno.EBADF, "bad")), echo, clock=clock, log=log.logger())
    assert failure.group_contains(OSError)


@pytest.mark.anyio
async def test_only_sockets_are_listened_to(clock, log) -> None:
    class Odd(anyio.abc.Listener[Any]):
        async def serve(self, handler: Any, task_group: Any = None) -> None:
            raise AssertionError

        async def aclose(self) -> None:
            pass

    with pytest.raises(BaseExceptionGroup) as failure:
        await serve(Odd(), echo, clock=clock, log=log.logger())
    assert failure.group_contains(TypeError)
