"""Chunked bodies between our two ends, and between each of them and the standard library's other."""

import contextlib
import http.client
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.to_thread
import pytest

from tidewaiter.gateway.http import Client, Request, Response
from tidewaiter.gateway.http.body import CHUNK, CHUNKED_BODY, receiver_for, write_chunks

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 17]


def octets(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_written_is_read_again(size: int) -> None:
    data = write_chunks(octets(size))
    receiver = receiver_for(CHUNKED_BODY, size)
    receiver.feed(data + b"GET")
    assert receiver.done
    assert (receiver.body(), receiver.rest) == (octets(size), b"GET")
    assert len(data) == size + sum(len(f"{min(CHUNK, size - at):x}") + 4 for at in range(0, size, CHUNK)) + 5


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_our_client_to_our_listener(serving: Any, clock: Any, size: int) -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(status=200, body=b"ok")

    async with serving(handler, max_body=10 * CHUNK) as server, Client(clock=clock) as ours:
        url = f"http://127.0.0.1:{server.port}/as2"
        for _ in range(2):
            answer = await ours.request("POST", url, (), octets(size), timeout=5, chunked=True)
            assert answer.status == 200
    assert [request.body for request in seen] == [octets(size)] * 2
    assert seen[0].headers.get(b"transfer-encoding") == b"chunked"
    assert seen[0].headers.get(b"content-length") is None


class Plain(http.server.BaseHTTPRequestHandler):
    """The standard library's server, which leaves the chunks to its user."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        assert self.headers["Transfer-Encoding"] == "chunked"
        assert self.headers["Content-Length"] is None
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            assert self.rfile.readline() == b"\r\n"
        assert self.rfile.readline() == b"\r\n"
        self.seen.append(body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def plain() -> Iterator[tuple[int, list[bytes]]]:
    handler = type("Seen", (Plain,), {"seen": []})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, handler.seen  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.mark.anyio
async def test_our_client_to_another_server(plain: tuple[int, list[bytes]], clock: Any) -> None:
    port, seen = plain
    async with Client(clock=clock) as ours:
        for size in (SIZES[-1], 3):
            answer = await ours.request(
                "POST", f"http://127.0.0.1:{port}/", (), octets(size), timeout=5, chunked=True
            )
            assert answer.status == 204
    assert seen == [octets(SIZES[-1]), octets(3)]


@pytest.mark.anyio
async def test_another_client_to_our_listener(serving: Any) -> None:
    seen: list[bytes] = []

    async def handler(request: Request) -> Response:
        seen.append(request.body)
        return Response(status=200, body=b"ok")

    def ask(port: int) -> list[int]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            statuses = []
            for pieces in ([b"one", b"two" * 9000], [b"three"]):
                connection.request(
                    "POST",
                    "/as2",
                    body=iter(pieces),
                    encode_chunked=True,
                    headers={"Transfer-Encoding": "chunked"},
                )
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)
        return statuses

    async with serving(handler, max_body=10 * CHUNK) as server:
        assert await anyio.to_thread.run_sync(ask, server.port) == [200, 200]
    assert seen == [b"one" + b"two" * 9000, b"three"]
