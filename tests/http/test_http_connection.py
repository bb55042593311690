"""One connection: keep-alive, admission, expectations, faults of ours, time limits; in memory."""

import contextlib
import math
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import anyio
import anyio.abc
import msgspec
import pytest
import trio.testing
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from tidewaiter.gateway.http import Limits, Request, RequestHead, Response
from tidewaiter.gateway.http.connection import Connection, Phase, Service
from tidewaiter.routing.instant import Instant

HOST = b"Host: a.example\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /as2 HTTP/1.1\r\n" + HOST
HELLO = POST + b"Content-Length: 5\r\n\r\nhello"


class MemoryStream(anyio.abc.ByteStream):
    """One end of a connection in memory."""

    def __init__(
        self, outgoing: MemoryObjectSendStream[bytes], incoming: MemoryObjectReceiveStream[bytes]
    ) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    async def receive(self, max_bytes: int = 65536) -> bytes:
        data = await self._incoming.receive()
        assert len(data) <= max_bytes
        return data

    async def send(self, item: bytes) -> None:
        await self._outgoing.send(item)

    async def send_eof(self) -> None:
        await self._outgoing.aclose()

    async def aclose(self) -> None:
        await self._outgoing.aclose()
        await self._incoming.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return {}


def pair(buffered: float = math.inf) -> tuple[MemoryStream, MemoryStream]:
    there, here = anyio.create_memory_object_stream[bytes](buffered)
    back, forth = anyio.create_memory_object_stream[bytes](buffered)
    return MemoryStream(there, forth), MemoryStream(back, here)


async def echo(request: Request) -> Response:
    return Response(status=200, body=request.body)


class Peer:
    """The client's end of a connection that is being served."""

    def __init__(self, stream: MemoryStream, connection: Connection, service: Service) -> None:
        self.stream = stream
        self.connection = connection
        self.service = service

    async def ask(self, *pieces: bytes) -> bytes:
        for piece in pieces:
            await self.stream.send(piece)
        return await self.stream.receive()

    async def rest(self) -> bytes:
        return b"".join([part async for part in self.stream])


@pytest.fixture
def connected(clock, log):
    @contextlib.asynccontextmanager
    async def start(
        handler=echo, *, admit=None, buffered: float = math.inf, **limits: Any
    ) -> AsyncIterator[Peer]:
        ours, theirs = pair(buffered)
        service = Service(
            handler=handler, admit=admit, limits=Limits(**limits), clock=clock, log=log.logger()
        )
        connection = Connection(ours, "192.0.2.1", service)

        async def run() -> None:
            try:
                await connection.run()
            except anyio.EndOfStream:
                log.entries.append({"event": "peer gone"})
            finally:
                await ours.aclose()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            yield Peer(theirs, connection, service)
            with anyio.fail_after(5):
                await theirs.aclose()

    return start


def json_of(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head
    assert b"application/problem+json" in head
    return msgspec.json.decode(body, type=dict[str, Any])


@pytest.mark.anyio
async def test_the_request_as_the_handler_sees_it(connected) -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(status=202, headers=(("x-answer", "yes"),), body=b"taken")

    async with connected(handler) as peer:
        answer = await peer.ask(
            b"POST /a%20b?c=d HTTP/1.1\r\n" + HOST + b"AS2-From: bob\r\nContent-Length: 5\r\n\r\n",
            b"he",
            b"llo",
        )
    assert answer == (
        b"HTTP/1.1 202 Accepted\r\ndate: Mon, 21 Sep 2026 14:13:20 GMT\r\nx-answer: yes\r\n"
        b"content-length: 5\r\n\r\ntaken"
    )
    (request,) = seen
    assert (request.method, request.path, request.query) == ("POST", "/a%20b", "c=d")
    assert (request.body, request.client, request.peer_certificate) == (b"hello", "192.0.2.1", None)
    assert request.headers.get(b"AS2-From") == b"bob"
    # The clock goes on by 1 ms a reading: made, head, two pieces of body.
    assert (request.first_byte.monotonic_ns, request.last_byte.monotonic_ns) == (2_000_000, 4_000_000)


@pytest.mark.anyio
async def test_requests_follow_each_other_and_pipelined_ones_wait(connected) -> None:
    async with connected() as peer:
        assert (await peer.ask(HELLO)).endswith(b"\r\n\r\nhello")
        assert (await peer.ask(HELLO + HELLO.replace(b"hello", b"again") + GET[:10])).endswith(b"hello")
        assert (await peer.stream.receive()).endswith(b"again")
        assert (await peer.ask(GET[10:])).endswith(b"\r\n\r\n")


@pytest.mark.anyio
async def test_a_pipelined_request_is_looked_at_once_the_last_answer_left(connected) -> None:
    """What is timed from its arrival must not tell how long the one before took."""
    seen: list[tuple[Instant, Instant]] = []
    left: list[Instant] = []

    async def handler(request: Request) -> Response:
        seen.append((request.first_byte, request.last_byte))
        return Response(status=200, on_sent=left.append)

    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with connected(handler) as peer:
        await peer.ask(HELLO + HELLO + b"\r\n" + chunked + GET + HELLO[:30])
        for _ in range(3):
            await peer.stream.receive()
        await peer.ask(HELLO[30:-3], HELLO[-3:])
    assert len(seen) == len(left) == 5
    # The clock goes on with each reading, so what is in this order is also never of one reading.
    moments = [each.monotonic_ns for asked, sent in zip(seen, left, strict=True) for each in (*asked, sent)]
    assert moments == sorted(moments)
    # Of what is in the buffer as a whole, the first octet and the last are looked at in one moment.
    assert [first == last for first, last in seen] == [True, True, True, True, False]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("request_", "connection"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", None),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", b"close"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Connection: x\r\nConnection: CLOSE\r\n\r\n", b"close"),
        (b"GET / HTTP/1.0\r\n\r\n", b"close"),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", b"keep-alive"),
    ],
)
async def test_who_keeps_the_connection(connected, request_: bytes, connection: bytes | None) -> None:
    async with connected() as peer:
        answer = await peer.ask(request_)
        assert (connection is None) == (b"\r\nconnection:" not in answer)
        assert connection is None or b"\r\nconnection: " + connection + b"\r\n" in answer
        if connection == b"close":
            assert await peer.rest() == b""
        else:
            assert (await peer.ask(GET)).startswith(b"HTTP/1.1 200")


@pytest.mark.anyio
async def test_a_response_may_close_and_so_may_the_number_of_requests(connected) -> None:
    async def closing(_: Request) -> Response:
        return Response(status=200, close=True)

    async with connected(closing) as peer:
        assert b"\r\nconnection: close\r\n" in await peer.ask(GET)
        assert await peer.rest() == b""
    async with connected(max_requests=2) as peer:
        assert b"\r\nconnection:" not in await peer.ask(GET)
        assert b"\r\nconnection: close\r\n" in await peer.ask(GET + GET)
        assert await peer.rest() == b""


@pytest.mark.anyio
async def test_head_and_bodiless_answers(connected) -> None:
    async def handler(request: Request) -> Response:
        return Response(status=204) if request.path == "/none" else Response(status=200, body=b"hello")

    async with connected(handler) as peer:
        answer = await peer.ask(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert b"\r\ncontent-length: 5\r\n" in answer
        assert answer.endswith(b"\r\n\r\n")
        answer = await peer.ask(b"GET /none HTTP/1.1\r\n" + HOST + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
        assert b"content-length" not in answer


@pytest.mark.anyio
async def test_admission_comes_before_the_body(connected, log) -> None:
    heads: list[tuple[RequestHead, bytes | None]] = []

    def admit(head: RequestHead, certificate: bytes | None) -> Response | None:
        heads.append((head, certificate))
        return None if head.path == "/as2" else Response(status=404, headers=(("x-y", "z"),))

    async with connected(admit=admit) as peer:
        assert (await peer.ask(HELLO)).startswith(b"HTTP/1.1 200")
        # Nothing follows the head: the connection can go on.
        assert (await peer.ask(GET)).startswith(b"HTTP/1.1 404 Not Found\r\n")
        # The body has not even been sent: answered at once, and closed.
        answer = await peer.ask(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404")
        assert b"\r\nconnection: close\r\n" in answer
        assert await peer.rest() == b""
    assert [(head.method, head.path, certificate) for head, certificate in heads] == [
        ("POST", "/as2", None),
        ("GET", "/", None),
        ("POST", "/", None),
    ]
    assert log.entries == []


@pytest.mark.anyio
async def test_continue_is_said_when_the_body_is_wanted_and_not_there_yet(connected) -> None:
    expecting = POST + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    async with connected() as peer:
        assert await peer.ask(expecting) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await peer.ask(b"hello")).endswith(b"\r\n\r\nhello")
        assert (await peer.ask(expecting + b"hello")).startswith(b"HTTP/1.1 200")
        assert (await peer.ask(expecting.replace(b"th: 5", b"th: 0"))).startswith(b"HTTP/1.1 200")
        ten = expecting.replace(b"1.1", b"1.0").replace(b"Expect", b"Connection: keep-alive\r\nExpect")
        await peer.stream.send(ten)
        assert (await peer.ask(b"hello")).startswith(b"HTTP/1.1 200")
    async with connected(admit=lambda *_: Response(status=413)) as peer:
        assert (await peer.ask(expecting)).startswith(b"HTTP/1.1 413")
        assert await peer.rest() == b""


@pytest.mark.anyio
async def test_a_body_over_the_limit(connected, log) -> None:
    async with connected(max_body=4) as peer:
        assert json_of(await peer.ask(HELLO[:-5]))["status"] == 413
    async with connected(max_body=4) as peer:
        chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        assert json_of(await peer.ask(chunked, b"3\r\nhel\r\n2\r\n"))["status"] == 413
    assert [entry["event"] for entry in log.entries] == ["request_refused"] * 2


@pytest.mark.anyio
async def test_no_room_for_a_body_is_503_and_the_room_comes_back(connected) -> None:
    async with connected(max_buffered=8) as peer:
        await peer.stream.send(POST + b"Content-Length: 8\r\n\r\n")
        assert (await peer.ask(b"12345678")).startswith(b"HTTP/1.1 200")
        assert peer.service.buffered == 0
        peer.service.buffered = 5
        await peer.stream.send(POST + b"Content-Length: 8\r\n\r\n")
        answer = await peer.ask(b"1234")
        assert b"\r\nretry-after: 5\r\n" in answer
        assert json_of(answer)["status"] == 503
        assert await peer.rest() == b""
        assert peer.service.buffered == 5


@pytest.mark.anyio
async def test_a_fault_of_ours_is_500_without_its_text(connected, log) -> None:
    async def failing(_: Request) -> Response:
        raise RuntimeError("a secret of the payload")

    async def injecting(_: Request) -> Response:
        return Response(status=200, headers=(("x-subject", "a\r\nset-cookie: b"),), on_sent=sent.append)

    def no_admission(_head: RequestHead, _certificate: bytes | None) -> Response | None:
        raise LookupError("a secret of the head")

    sent: list[Instant] = []
    for arguments in ({"handler": failing}, {"handler": injecting}, {"admit": no_admission}):
        async with connected(**arguments) as peer:
            answer = await peer.ask(HELLO)
            assert json_of(answer) == {
                "type": "about:blank",
                "title": "Internal Server Error",
                "status": 500,
                "detail": "the request could not be processed",
            }
            assert await peer.rest() == b""
    assert sent == []
    assert [entry["reason"] for entry in log.entries] == ["RuntimeError", "ValueError", "LookupError"]
    assert {(entry["event"], entry["path"], entry["level"]) for entry in log.entries} == {
        ("handler_failed", "/as2", "error")
    }


@pytest.mark.anyio
async def test_on_sent_is_called_after_the_answer_has_gone(connected) -> None:
    sent: list[Instant] = []

    async def handler(_: Request) -> Response:
        return Response(status=200, on_sent=sent.append)

    async with connected(handler, buffered=0) as peer:
        await peer.stream.send(GET)
        await anyio.wait_all_tasks_blocked()
        assert peer.connection.phase is Phase.SENDING
        assert sent == []
        await peer.stream.receive()
        await anyio.wait_all_tasks_blocked()
        assert len(sent) == 1


@pytest.mark.anyio
async def test_on_sent_is_not_called_when_the_peer_has_gone(connected) -> None:
    sent: list[Instant] = []

    async def handler(_: Request) -> Response:
        return Response(status=200, on_sent=sent.append)

    with pytest.raises(BaseExceptionGroup) as failure:
        async with connected(handler, buffered=0) as peer:
            await peer.stream.send(GET)
    assert failure.group_contains(anyio.BrokenResourceError, depth=1)
    assert sent == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("pieces", "phase", "events"),
    [
        ([], Phase.IDLE, []),
        ([GET], Phase.IDLE, []),
        ([GET[:10]], Phase.HEAD, ["peer gone"]),
        ([HELLO[:-2]], Phase.BODY, ["peer gone"]),
    ],
)
async def test_the_peer_goes(connected, log, pieces: list[bytes], phase: Phase, events: list[str]) -> None:
    async with connected() as peer:
        for piece in pieces:
            await peer.stream.send(piece)
        await peer.stream.send_eof()
        answers = await peer.rest()
    assert (answers != b"") == (pieces == [GET])
    assert peer.connection.phase is phase
    assert log.events() == events


@pytest.mark.anyio
async def test_stopping_ends_the_idle_and_spares_the_busy(connected) -> None:
    async with connected() as peer:
        await anyio.wait_all_tasks_blocked()
        peer.service.stopping = True
        peer.connection.stop()
        assert await peer.rest() == b""
    for begun, rest in ((HELLO[:10], HELLO[10:]), (HELLO[:-2], HELLO[-2:])):
        async with connected() as peer:
            await peer.stream.send(begun)
            await anyio.wait_all_tasks_blocked()
            peer.service.stopping = True
            peer.connection.stop()
            answer = await peer.ask(rest)
            assert b"\r\nconnection: close\r\n" in answer
            assert await peer.rest() == b""
    async with connected() as peer:
        peer.service.stopping = True
        assert await peer.rest() == b""


class TestTime:
    """Time limits, on a clock that jumps to the next deadline whenever everybody waits."""

    @pytest.fixture
    def anyio_backend(self):
        return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("pieces", "seconds", "status"),
        [
            ([], 15, None),
            ([GET[:1]], 15, 408),
            ([b"\r\n"], 15, None),
            ([HELLO[:-5]], 30, 408),
            ([HELLO[:-1]], 30, 408),
        ],
    )
    async def test_silence(
        self, connected, log, pieces: list[bytes], seconds: float, status: int | None
    ) -> None:
        async with connected() as peer:
            for piece in pieces:
                await peer.stream.send(piece)
            answer = await peer.rest()
            assert anyio.current_time() == pytest.approx(seconds)
        if status is None:
            assert (answer, log.entries) == (b"", [])
        else:
            assert json_of(answer)["status"] == status
            assert log.events() == ["request_refused"]

    @pytest.mark.anyio
    async def test_idle_after_an_answer(self, connected, log) -> None:
        async with connected() as peer:
            await peer.ask(GET)
            assert await peer.rest() == b""
            assert anyio.current_time() == pytest.approx(75)
        assert log.entries == []

    @pytest.mark.anyio
    async def test_a_head_in_drops_has_no_more_time_than_any_other(self, connected) -> None:
        async with connected() as peer:
            # Not the first request: the time allowed between two of them is longer.
            answer = await peer.ask(GET)
            for i in range(100):
                with anyio.move_on_after(0.7):
                    answer = await peer.ask(GET[i : i + 1])
                    break
            assert json_of(answer)["status"] == 408
            assert anyio.current_time() == pytest.approx(15)

    @pytest.mark.anyio
    async def test_a_body_may_take_as_long_as_its_size_deserves(self, connected) -> None:
        """At the least rate 100 octets take 100 s on top of the 30; what comes slower is cut."""
        data = b"x" * 100
        for pause, status in ((1.2, b"200"), (2.1, b"408")):
            async with connected(min_rate=1) as peer:
                answer = b""
                await peer.stream.send(POST + b"Content-Length: 100\r\n\r\n")
                for i in range(100):
                    with anyio.move_on_after(pause):
                        answer = await peer.ask(data[i : i + 1])
                        break
                assert answer.startswith(b"HTTP/1.1 " + status)

    @pytest.mark.anyio
    async def test_a_handler_is_not_hurried(self, connected) -> None:
        async def slow(_: Request) -> Response:
            await anyio.sleep(1000)
            return Response(status=200)

        async with connected(slow) as peer:
            assert (await peer.ask(HELLO)).startswith(b"HTTP/1.1 200")
            assert anyio.current_time() == pytest.approx(1000)

    @pytest.mark.anyio
    async def test_an_answer_that_is_not_taken(self, connected, log) -> None:
        async with connected(buffered=0) as peer:
            await peer.stream.send(GET)
            await anyio.sleep(31)
            assert await peer.rest() == b""
        assert log.events() == ["answer_not_taken"]
