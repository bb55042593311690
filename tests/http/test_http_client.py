"""The client against our listener and against scripted peers that break off, answer oddly or not at all."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.abc
import pytest
import trio.testing

from tidewaiter.gateway.http import (
    BadResponse,
    Client,
    ClientError,
    ClientLimits,
    ConnectFailed,
    PeerClosed,
    Request,
    RequestTimeout,
    Response,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
KNOWN_AGAIN = (("Message-ID", "<a@b>"),)


class Script:
    """A peer that answers the n-th request it reads (over all connections) with the n-th action.

    Bytes are sent; None closes the connection without an answer; an Event is set, and then nothing comes.
    """

    def __init__(self, *actions: bytes | anyio.Event | None) -> None:
        self.actions = list(actions)
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = anyio.Event()
        self.port = 0

    async def __call__(self, stream: anyio.abc.SocketStream) -> None:
        self.connections += 1
        async with stream:
            with contextlib.suppress(anyio.BrokenResourceError):
                async for data in stream:
                    self.requests.append(data)
                    action = self.actions.pop(0)
                    if action is None:
                        return
                    if isinstance(action, anyio.Event):
                        action.set()
                    else:
                        await stream.send(action)
            self.ended.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/as2"


@contextlib.asynccontextmanager
async def scripted(*actions: bytes | anyio.Event | None) -> AsyncIterator[Script]:
    script = Script(*actions)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
        script.port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, script)
            yield script
            tasks.cancel_scope.cancel()


@pytest.fixture
def client(clock) -> Callable[..., Client]:
    return lambda **limits: Client(clock=clock, limits=ClientLimits(**limits))


async def post(client: Client, script: Script, **arguments: Any) -> bytes:
    answer = await client.request("POST", script.url, **{"body": b"hello", "timeout": 5, **arguments})
    return answer.body


@pytest.mark.anyio
async def test_a_request_and_its_answer(serving, client) -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(status=422, headers=(("Content-Type", "text/plain"),), body=b"no")

    async with serving(handler) as server, client() as ours:
        url = f"http://localhost:{server.port}/a%20b?c=d#e"
        answer = await ours.request(
            "POST", url, (("AS2-From", "bob"),), b"hello", timeout=5, address="127.0.0.1"
        )
        assert (answer.status, answer.headers.get(b"content-type"), answer.body) == (
            422,
            b"text/plain",
            b"no",
        )
        assert answer.sent.monotonic_ns < answer.received.monotonic_ns
        await ours.request("GET", url, timeout=5, address="127.0.0.1")
    assert [(r.method, r.path, r.query, r.body) for r in seen] == [
        ("POST", "/a%20b", "c=d", b"hello"),
        ("GET", "/a%20b", "c=d", b""),
    ]
    assert list(seen[0].headers) == [
        (b"host", b"localhost:%d" % server.port),
        (b"as2-from", b"bob"),
        (b"content-length", b"5"),
    ]
    assert list(seen[1].headers) == [(b"host", b"localhost:%d" % server.port)]


@pytest.mark.anyio
async def test_connections_are_used_again_and_several_at_once(client) -> None:
    async with scripted(*[OK] * 5) as script, client() as ours:
        for _ in range(3):
            assert await post(ours, script) == b"hello"
        assert script.connections == 1
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post, ours, script)
            tasks.start_soon(post, ours, script)
        assert script.connections == 2


@pytest.mark.anyio
async def test_no_more_connections_than_allowed(client) -> None:
    reached = anyio.Event()
    async with scripted(OK, OK, reached) as script, client(max_connections=1) as ours:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post, ours, script)
            tasks.start_soon(post, ours, script)
        assert script.connections == 1
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post, ours, script)
            await reached.wait()
            # Waiting for a connection counts, and nothing was sent meanwhile.
            with pytest.raises(RequestTimeout) as failure:
                await post(ours, script, timeout=0.01)
            assert not failure.value.sent
            tasks.cancel_scope.cancel()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        OK.replace(b"1.1", b"1.0"),
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nforeign",
    ],
    ids=["close", "HTTP/1.0", "bytes nobody asked for"],
)
async def test_connections_that_are_not_used_again(client, answer: bytes) -> None:
    async with scripted(answer, OK) as script, client() as ours:
        assert await post(ours, script) == b"hello"
        assert await post(ours, script) == b"hello"
        assert script.connections == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\n",
            200,
            b"abc",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\n" + OK, 200, b"hello"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a;\r\n b=c\r\nContent-Length: 0\r\n\r\n", 200, b""),
    ],
    ids=["no reason", "no content", "chunked", "interim", "redirect", "fold"],
)
async def test_answers_that_are_taken(client, answer: bytes, status: int, body: bytes) -> None:
    async with scripted(answer, OK) as script, client() as ours:
        got = await ours.request("POST", script.url, timeout=5)
        assert (got.status, got.body) == (status, body)
        assert await post(ours, script) == b"hello"
        assert script.connections == 1


@pytest.mark.anyio
async def test_an_answer_that_ends_with_the_connection(client) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)

        async def peer(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                await stream.receive()
                await stream.send(b"HTTP/1.0 200 OK\r\n\r\nhel")
                await stream.send(b"lo")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, peer)
            async with client() as ours:
                answer = await ours.request("GET", f"http://127.0.0.1:{port}", timeout=5)
            assert answer.body == b"hello"
            tasks.cancel_scope.cancel()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
        b"HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_answers_that_are_refused(client, answer: bytes) -> None:
    async with scripted(answer, OK) as script, client(max_body=64) as ours:
        with pytest.raises(BadResponse) as failure:
            await post(ours, script)
        assert failure.value.sent
        assert await post(ours, script) == b"hello"
        assert script.connections == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [None, OK[:10], OK[:-1], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
    ids=["at once", "in the head", "in the body", "in a chunk"],
)
async def test_the_peer_breaks_off(client, answer: bytes | None) -> None:
    """On a new connection nothing is tried again here: that is for the retry of the delivery."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        connections: list[int] = []

        async def peer(stream: anyio.abc.SocketStream) -> None:
            connections.append(1)
            async with stream:
                await stream.receive()
                if answer is not None:
                    await stream.send(answer)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, peer)
            async with client() as ours:
                with pytest.raises(PeerClosed) as failure:
                    await ours.request("POST", f"http://127.0.0.1:{port}/", KNOWN_AGAIN, timeout=5)
            assert failure.value.sent
            tasks.cancel_scope.cancel()
    assert connections == [1]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "headers", "again"),
    [
        ("GET", (), True),
        ("PUT", (), True),
        ("POST", (), False),
        ("POST", KNOWN_AGAIN, True),
        ("POST", (("IDEMPOTENCY-KEY", "a"),), True),
    ],
)
async def test_a_pooled_connection_that_has_died(client, method: str, headers: Any, again: bool) -> None:
    async with scripted(OK, None, OK) as script, client() as ours:
        await post(ours, script)
        if again:
            answer = await ours.request(method, script.url, headers, timeout=5)
            assert answer.body == b"hello"
            assert script.requests[1] == script.requests[2]
        else:
            with pytest.raises(PeerClosed) as failure:
                await ours.request(method, script.url, headers, timeout=5)
            assert failure.value.sent
            assert len(script.requests) == 2


@pytest.mark.anyio
async def test_it_is_tried_again_once_and_not_after_a_byte_of_an_answer(client) -> None:
    async with scripted(OK, None, None, OK) as script, client() as ours:
        await post(ours, script)
        with pytest.raises(PeerClosed):
            await post(ours, script, headers=KNOWN_AGAIN)
        assert len(script.requests) == 3


@pytest.mark.anyio
async def test_no_connection(client, free_port) -> None:
    async with client() as ours:
        with pytest.raises(ConnectFailed) as failure:
            await ours.request("GET", f"http://127.0.0.1:{free_port}/", timeout=5)
    assert not failure.value.sent
    assert isinstance(failure.value, ClientError)


@pytest.mark.anyio
async def test_cancelling_a_request_closes_its_connection(client) -> None:
    reached = anyio.Event()
    async with scripted(reached, OK) as script, client() as ours:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post, ours, script)
            await reached.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(5):
            await script.ended.wait()
        assert await post(ours, script) == b"hello"
        assert script.connections == 2


@pytest.mark.anyio
async def test_no_answer_in_time(client) -> None:
    reached = anyio.Event()
    async with scripted(reached, OK) as script, client() as ours:
        with pytest.raises(RequestTimeout) as failure:
            await post(ours, script, timeout=0.02)
        assert failure.value.sent
        assert await post(ours, script) == b"hello"
        assert script.connections == 2


@pytest.mark.anyio
async def test_an_answer_before_the_request_is_complete(serving, client) -> None:
    """The peer refuses a large body by its head; the client hears it instead of sending on for ever."""
    refuse = Response(status=413, body=b"too large")

    async def handler(_: Request) -> Response:
        raise AssertionError

    async with serving(handler, admit=lambda *_: refuse) as server, client() as ours:
        url = f"http://127.0.0.1:{server.port}/"
        answer = await ours.request("POST", url, (), bytes(64 * 1024 * 1024), timeout=5)
        assert (answer.status, answer.body) == (413, b"too large")


@pytest.mark.anyio
async def test_a_large_request(serving, client) -> None:
    async def handler(request: Request) -> Response:
        return Response(status=200, body=request.body)

    body = bytes(range(256)) * 4096
    async with serving(handler, max_body=len(body)) as server, client() as ours:
        for _ in range(2):
            answer = await ours.request("POST", f"http://127.0.0.1:{server.port}/", (), body, timeout=5)
            assert answer.body == body


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "url", "headers", "tls"),
    [
        ("GET", "ftp://a.example/", (), None),
        ("GET", "https://a.example/", (), None),
        ("GET", "//a.example/", (), None),
        ("GET", "http:///a", (), None),
        ("GET", "http://user@a.example/", (), None),
        ("GET", "http://a.example/a b", (), None),
        ("GET", "http://a.example/\r\nX: y", (), None),
        ("GET", "http://a.example/\u00e4", (), None),
        ("GET", "http://a.example:x/", (), None),
        ("GET /", "http://a.example/", (), None),
        ("get", "http://a.example/", (), None),
        ("GET", "http://a.example/", (("X", "a\r\nY: b"),), None),
        ("GET", "http://a.example/", (("X\r\nY: b", "a"),), None),
        ("GET", "http://a.example/", (("X", "\u20ac"),), None),
        ("GET", "http://a.example/", (("Content-Length", "5"),), None),
        ("GET", "http://a.example/", (("host", "b.example"),), None),
    ],
)
async def test_requests_that_cannot_be_made(client, method: str, url: str, headers: Any, tls: Any) -> None:
    async with client() as ours:
        with pytest.raises(ValueError):
            await ours.request(method, url, headers, tls=tls, timeout=5)


@pytest.mark.anyio
async def test_tls_per_request(serving, client, parties) -> None:
    """Each context has its own connections: a partner's certificate never goes out for another."""
    seen: list[bytes | None] = []

    async def handler(request: Request) -> Response:
        seen.append(request.peer_certificate)
        return Response(status=200)

    known, none = parties.client_context(parties.known), parties.client_context()
    async with serving(handler, tls=parties.server_context()) as server, client() as ours:
        url = f"https://127.0.0.1:{server.port}/"
        for context in (known, none, known, none):
            await ours.request("GET", url, tls=context, timeout=5)
    assert seen == [parties.known.der, None] * 2
    assert server.log.entries == []


@pytest.mark.anyio
async def test_tls_that_fails(serving, client, parties) -> None:
    async def handler(_: Request) -> Response:
        raise AssertionError

    async with serving(handler, tls=parties.server_context()) as server, client() as ours:
        # TLS 1.3: the refusal of our certificate comes with the first read; the request was not taken.
        stranger = parties.client_context(parties.stranger)
        distrustful = parties.client_context()
        distrustful.check_hostname = True
        for host, context in (("127.0.0.1", stranger), ("127.0.0.2", distrustful)):
            with pytest.raises(ConnectFailed, match="TLS handshake") as failure:
                await ours.request(
                    "POST", f"https://{host}:{server.port}/", tls=context, timeout=5, address="127.0.0.1"
                )
            assert not failure.value.sent
        with pytest.raises(PeerClosed):
            await ours.request("POST", f"http://127.0.0.1:{server.port}/", timeout=5)
        while len(server.log.entries) < 3:
            await anyio.lowlevel.checkpoint()
    assert server.log.events() == ["tls_refused"] * 3


class TestTime:
    """Age of pooled connections, on a clock of our own."""

    @pytest.fixture
    def anyio_backend(self):
        return ("trio", {"clock": trio.testing.MockClock()})

    @pytest.mark.anyio
    async def test_old_connections_are_not_used(self, client, anyio_backend) -> None:
        mock = anyio_backend[1]["clock"]
        async with scripted(OK, OK, OK) as script, client(idle_seconds=30) as ours:
            await post(ours, script)
            mock.jump(29)
            await post(ours, script)
            assert script.connections == 1
            mock.jump(31)
            await post(ours, script)
            assert script.connections == 2

    @pytest.mark.anyio
    async def test_contexts_that_are_no_longer_used_are_forgotten(self, client) -> None:
        closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        async with scripted(closing, OK) as script, client() as ours:
            await post(ours, script)
            await post(ours, script, address="127.0.0.1")
            assert len(ours._hosts) == 1

    @pytest.mark.anyio
    async def test_endpoints_that_are_no_longer_asked_are_closed(self, client, anyio_backend) -> None:
        mock = anyio_backend[1]["clock"]
        async with scripted(OK) as old, scripted(OK, OK) as script, client(idle_seconds=30) as ours:
            await post(ours, old)
            await post(ours, script)
            mock.jump(31)
            await post(ours, script)
            await old.ended.wait()
            assert [key[1] for key in ours._hosts] == [script.port]
