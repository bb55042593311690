"""What a strict border must still take: peers that are odd, but can be read in one way only."""

import anyio
import pytest

from tidewaiter.gateway.http import Headers, Request, Response

HOST = b"Host: a.example\r\n"
POST = b"POST /as2 HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# name -> (bytes, path and query, body, a field and its value)
ACCEPTED: dict[str, tuple[bytes, str, bytes, tuple[bytes, bytes] | None]] = {
    "plain": (POST + b"Content-Length: 5\r\n\r\nhello", "/as2", b"hello", (b"host", b"a.example")),
    "no body": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", "/", b"", None),
    "length zero": (POST + b"Content-Length: 0\r\n\r\n", "/as2", b"", None),
    "length with leading zeros": (POST + b"Content-Length: 0000000005\r\n\r\nhello", "/as2", b"hello", None),
    "names in lower case": (
        b"POST /as2 HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
        "/as2",
        b"hello",
        None,
    ),
    "names in upper case": (
        b"POST /as2 HTTP/1.1\r\nHOST: a\r\nCONTENT-LENGTH: 5\r\nAS2-FROM: Bob\r\n\r\nhello",
        "/as2",
        b"hello",
        (b"AS2-From", b"Bob"),
    ),
    "no space after the colon": (
        b"POST /as2 HTTP/1.1\r\nHost:a\r\nContent-Length:5\r\n\r\nhello",
        "/as2",
        b"hello",
        None,
    ),
    "space around a value": (
        POST + b"AS2-From: \t bob \t\r\nContent-Length: 5 \r\n\r\nhello",
        "/as2",
        b"hello",
        (b"as2-from", b"bob"),
    ),
    "tabs in a value": (
        POST + b"Disposition-Notification-Options:\tsigned-receipt-micalg=required,\tsha256\r\n\r\n",
        "/as2",
        b"",
        (b"disposition-notification-options", b"signed-receipt-micalg=required,\tsha256"),
    ),
    "empty value": (POST + b"Subject:\r\n\r\n", "/as2", b"", (b"subject", b"")),
    "value with a colon": (POST + b"Subject: a: b\r\n\r\n", "/as2", b"", (b"subject", b"a: b")),
    "value not in ASCII": (
        POST + "Subject: \u00e4\r\n\r\n".encode(),
        "/as2",
        b"",
        (b"subject", "\u00e4".encode()),
    ),
    "long value": (
        POST + b"Receipt-Delivery-Option: http://b.example/?" + b"a" * 5000 + b"\r\n\r\n",
        "/as2",
        b"",
        (b"receipt-delivery-option", b"http://b.example/?" + b"a" * 5000),
    ),
    "bad date": (POST + b"Date: yesterday, about noon\r\n\r\n", "/as2", b"", None),
    "harmless field repeated": (POST + b"Via: a\r\nVia: b\r\n\r\n", "/as2", b"", (b"via", b"a")),
    "harmless fold": (
        POST + b"Content-Type: multipart/signed;\r\n\tprotocol=x; \r\n   boundary=y\r\n\r\n",
        "/as2",
        b"",
        (b"content-type", b"multipart/signed; protocol=x; boundary=y"),
    ),
    "fold with an empty first line": (POST + b"Subject:\r\n a\r\n\r\n", "/as2", b"", (b"subject", b"a")),
    "chunks": (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "/as2", b"hello", None),
    "chunked in capitals": (
        POST + b"Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "/as2",
        b"hello",
        None,
    ),
    "no chunk but the last": (CHUNKED + b"0\r\n\r\n", "/as2", b"", None),
    "chunk size with space after": (CHUNKED + b"5  \r\nhello\r\n0 \r\n\r\n", "/as2", b"hello", None),
    "chunk size with zeros, in capitals": (
        CHUNKED + b"000A\r\nhellohello\r\n000\r\n\r\n",
        "/as2",
        b"hellohello",
        None,
    ),
    "chunk extensions": (
        CHUNKED + b'5;a;b=c\r\nhello\r\n0 ; d="e"\r\n\r\n',
        "/as2",
        b"hello",
        None,
    ),
    "trailer": (CHUNKED + b"5\r\nhello\r\n0\r\nChecksum: abc\r\nX: y\r\n\r\n", "/as2", b"hello", None),
    "CRLF inside a chunk": (CHUNKED + b"7\r\nhe\r\nllo\r\n0\r\n\r\n", "/as2", b"he\r\nllo", None),
    "empty line first": (b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", "/", b"", None),
    "HTTP/1.0": (b"POST /as2 HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "/as2", b"hello", None),
    "query": (b"GET /a?b=c&d=[e]&f=g/h?i HTTP/1.1\r\n" + HOST + b"\r\n", "/a?b=c&d=[e]&f=g/h?i", b"", None),
    "escapes": (b"GET /a%20b?c=%2F%0A HTTP/1.1\r\n" + HOST + b"\r\n", "/a%20b?c=%2F%0A", b"", None),
    "absolute target": (b"GET http://a.example/b?c HTTP/1.1\r\n" + HOST + b"\r\n", "/b?c", b"", None),
    "absolute target with the usual port": (
        b"GET https://A.example:443/b HTTP/1.1\r\n" + HOST + b"\r\n",
        "/b",
        b"",
        None,
    ),
    "absolute target without a path": (b"GET http://a.example HTTP/1.1\r\n" + HOST + b"\r\n", "/", b"", None),
    "host with a port": (b"GET / HTTP/1.1\r\nHost: a.example:8443\r\n\r\n", "/", b"", None),
    "host that is an address": (b"GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", "/", b"", None),
    "host with underscore": (b"GET / HTTP/1.1\r\nHost: as2_gateway\r\n\r\n", "/", b"", None),
    "OPTIONS for the server": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", "*", b"", None),
    "Upgrade ignored": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        "/",
        b"",
        None,
    ),
}


class Recorder:
    """A handler that keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes, Headers]] = []

    async def __call__(self, request: Request) -> Response:
        target = request.path + (f"?{request.query}" if request.query else "")
        self.requests.append((target, request.body, request.headers))
        return Response(status=200, body=b"taken")


@pytest.mark.anyio
@pytest.mark.parametrize("step", [65536, 1], ids=["whole", "byte by byte"])
async def test_accepted(serving, step: int) -> None:
    async with serving(recorder := Recorder()) as server:
        for name, (data, target, body, field) in ACCEPTED.items():
            async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
                for start in range(0, len(data), step):
                    await stream.send(data[start : start + step])
                with anyio.fail_after(5):
                    answer = await stream.receive()
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), name
                seen_target, seen_body, headers = recorder.requests.pop()
                assert (seen_target, seen_body) == (target, body), name
                assert field is None or headers.get(field[0]) == field[1], name
    assert server.log.events() == []


@pytest.mark.anyio
async def test_all_of_them_pipelined_on_one_connection(serving) -> None:
    """What follows a request is the next request, however the bytes fall into reads."""
    cases = [case for name, case in ACCEPTED.items() if name != "HTTP/1.0"]
    data = b"".join(case[0] for case in cases)
    async with (
        serving(recorder := Recorder()) as server,
        await anyio.connect_tcp("127.0.0.1", server.port) as stream,
    ):
        for start in range(0, len(data), 997):
            await stream.send(data[start : start + 997])
        await stream.send_eof()
        with anyio.fail_after(5):
            answers = b"".join([part async for part in stream])
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == len(cases)
    assert [request[:2] for request in recorder.requests] == [case[1:3] for case in cases]
