"""Guarantee S5: what two parsers could read in two ways is refused, and the connection closed.

Each case is fed whole, byte by byte and with a second request behind it (which must never be served), and
once over a real connection.
"""

import anyio
import pytest

from tidewaiter.gateway.http.body import receiver_for, request_body
from tidewaiter.gateway.http.errors import HttpRefusal
from tidewaiter.gateway.http.exchange import Request, Response
from tidewaiter.gateway.http.head import MAX_FIELDS, MAX_HEAD, MAX_TARGET, keeps_alive, parse_request_head
from tidewaiter.gateway.http.incoming import HeadBuffer

START = b"POST /as2 HTTP/1.1\r\n"
HOST = b"Host: a.example\r\n"
CHUNKED = START + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"


def fields(*lines: bytes, body: bytes = b"") -> bytes:
    return START + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


# name -> (status, bytes)
REFUSED: dict[str, tuple[int, bytes]] = {
    # framing
    "both length headers": (
        400,
        fields(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    ),
    "both length headers, coding first": (
        400,
        fields(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"),
    ),
    "two lengths that differ": (400, fields(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!")),
    "two lengths that agree": (400, fields(b"Content-Length: 5", b"content-length: 5", body=b"hello")),
    "a list of lengths": (400, fields(b"Content-Length: 5, 5", body=b"hello")),
    "negative length": (400, fields(b"Content-Length: -5")),
    "length with plus": (400, fields(b"Content-Length: +5", body=b"hello")),
    "hexadecimal length": (400, fields(b"Content-Length: 0x5", body=b"hello")),
    "hexadecimal digits in a length": (400, fields(b"Content-Length: a", body=b"hello12345")),
    "length with underscore": (400, fields(b"Content-Length: 1_0", body=b"hello12345")),
    "length with space": (400, fields(b"Content-Length: 1 0", body=b"hello12345")),
    "length with fraction": (400, fields(b"Content-Length: 5.0", body=b"hello")),
    "length with exponent": (400, fields(b"Content-Length: 1e1", body=b"hello12345")),
    "empty length": (400, fields(b"Content-Length:", body=b"hello")),
    "length in other digits": (400, fields("Content-Length: \u0665".encode(), body=b"hello")),
    "overlong length": (400, fields(b"Content-Length: 18446744073709551621", body=b"hello")),
    "overlong length of zeros": (400, fields(b"Content-Length: " + b"0" * 4000 + b"5", body=b"hello")),
    "length over the limit": (413, fields(b"Content-Length: 999999999999999")),
    "unknown coding": (501, fields(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n")),
    "identity coding": (501, fields(b"Transfer-Encoding: identity", body=b"0\r\n\r\n")),
    "empty coding": (501, fields(b"Transfer-Encoding:", body=b"0\r\n\r\n")),
    "quoted coding": (501, fields(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n")),
    "coding with a parameter": (501, fields(b"Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n")),
    "coding with vertical tab": (400, fields(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n")),
    "another coding before chunked": (501, fields(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")),
    "chunked not last": (400, fields(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n")),
    "chunked twice": (400, fields(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n")),
    "two coding headers": (
        400,
        fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    ),
    "coding in HTTP/1.0": (
        400,
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    # chunks
    "chunk size with minus": (400, CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n"),
    "chunk size with plus": (400, CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n"),
    "chunk size with 0x": (400, CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"),
    "chunk size with underscore": (400, CHUNKED + b"0_5\r\nhello\r\n0\r\n\r\n"),
    "chunk size with space before": (400, CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n"),
    "chunk size missing": (400, CHUNKED + b"\r\nhello\r\n0\r\n\r\n"),
    "chunk size not hexadecimal": (400, CHUNKED + b"g\r\nhello\r\n0\r\n\r\n"),
    "chunk size over 64 bits": (400, CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    "chunk size over the limit": (413, CHUNKED + b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    "chunk size ended by LF": (400, CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    "chunk size ended by CR": (400, CHUNKED + b"5\rhello\r\n0\r\n\r\n"),
    "chunk extension with LF": (400, CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    "chunk extension with NUL": (400, CHUNKED + b"5;a=\x00\r\nhello\r\n0\r\n\r\n"),
    "chunk extension too long": (400, CHUNKED + b"5;" + b"a" * 4000 + b"\r\nhello\r\n0\r\n\r\n"),
    "chunk extensions instead of data": (
        400,
        CHUNKED + (b"1;" + b"a" * 200 + b"\r\nx\r\n") * 100 + b"0\r\n\r\n",
    ),
    "no CRLF after a chunk": (400, CHUNKED + b"5\r\nhello0\r\n\r\n"),
    "LF after a chunk": (400, CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    "chunk longer than its size": (400, CHUNKED + b"5\r\nhello world\r\n0\r\n\r\n"),
    "length in the trailer": (400, CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n"),
    "host in the trailer": (400, CHUNKED + b"0\r\nHost: b.example\r\n\r\n"),
    "partner in the trailer": (400, CHUNKED + b"0\r\nAS2-From: mallory\r\n\r\n"),
    "malformed trailer": (400, CHUNKED + b"0\r\nX : a\r\n\r\n"),
    "trailer with LF": (400, CHUNKED + b"0\r\nX: a\n\n"),
    "trailer too long": (400, CHUNKED + b"0\r\n" + b"X: a\r\n" * 2000 + b"\r\n"),
    # line ends and characters
    "bare LF everywhere": (400, b"POST / HTTP/1.1\nHost: a.example\n\n"),
    "bare LF after a header": (400, START + b"Host: a.example\nX: a\r\n\r\n"),
    "bare LF before the empty line": (400, START + b"Host: a.example\r\nX: a\n\r\n"),
    "bare LF in a value": (400, fields(b"X: a\nTransfer-Encoding: chunked")),
    "bare CR in a value": (400, fields(b"X: a\rTransfer-Encoding: chunked")),
    "bare CR before a header": (400, fields(b"\rX: a")),
    "CR before CRLF": (400, fields(b"X: a\r")),
    "NUL in a value": (400, fields(b"X: a\x00b")),
    "NUL in a name": (400, fields(b"X\x00: a")),
    "control character in a value": (400, fields(b"X: a\x08b")),
    "form feed in a value": (400, fields(b"X: a\x0cb")),
    "DEL in a value": (400, fields(b"X: a\x7fb")),
    "space before colon": (400, fields(b"Content-Length : 5", body=b"hello")),
    "tab before colon": (400, fields(b"Transfer-Encoding\t: chunked", body=b"0\r\n\r\n")),
    "no colon": (400, fields(b"Content-Length 5", body=b"hello")),
    "empty name": (400, fields(b": a")),
    "non-ASCII in a name": (400, fields(b"Content-L\xebngth: 5", body=b"hello")),
    "brackets in a name": (400, fields(b"X(y): a")),
    "quoted name": (400, fields(b'"Content-Length": 5', body=b"hello")),
    # folds and repetitions
    "folded Host": (400, START + b"Host:\r\n a.example\r\n\r\n"),
    "folded Content-Length": (400, fields(b"Content-Length: 1\r\n 0", body=b"hello12345")),
    "folded Transfer-Encoding": (400, fields(b"Transfer-Encoding:\r\n\tchunked", body=b"0\r\n\r\n")),
    "folded AS2-From": (400, fields(b"AS2-From: alice\r\n mallory")),
    "folded Message-ID": (400, fields(b"Message-ID:\r\n <a@b>")),
    "folded Idempotency-Key": (400, fields(b"Idempotency-Key: a\r\n b")),
    "fold before the first header": (400, START + b" X: a\r\n" + HOST + b"\r\n"),
    "folded line that is empty": (400, fields(b"X: a\r\n ")),
    "two Hosts": (400, fields(b"Host: b.example")),
    "two Hosts that agree": (400, fields(b"Host: a.example")),
    "two AS2-From": (400, fields(b"AS2-From: alice", b"AS2-From: mallory")),
    "two Message-ID": (400, fields(b"Message-ID: <a@b>", b"MESSAGE-ID: <c@d>")),
    "two Idempotency-Key": (400, fields(b"Idempotency-Key: a", b"Idempotency-Key: b")),
    "two Content-Type": (400, fields(b"Content-Type: text/plain", b"Content-Type: text/html")),
    "Connection drops a length": (400, fields(b"Connection: close, Content-Length", b"Content-Length: 0")),
    "too many fields": (431, fields(*[b"X-%d: a" % i for i in range(MAX_FIELDS)])),
    "head too large": (431, fields(b"X: " + b"a" * MAX_HEAD)),
    "head that never ends": (431, START + HOST + b"X: " + b"a" * (MAX_HEAD + 10)),
    # request line and host
    "no Host": (400, START + b"\r\n"),
    "empty Host": (400, START + b"Host:\r\n\r\n"),
    "Host with a path": (400, START + b"Host: a.example/b\r\n\r\n"),
    "Host with user information": (400, START + b"Host: a@b.example\r\n\r\n"),
    "Host that is a list": (400, START + b"Host: a.example, b.example\r\n\r\n"),
    "Host with non-ASCII": (400, START + b"Host: \xe4.example\r\n\r\n"),
    "Host with a bad port": (400, START + b"Host: a.example:8x\r\n\r\n"),
    "target names another host": (400, b"GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "target with user information": (400, b"GET http://a.example@b/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "target of another scheme": (400, b"GET file:///etc/passwd HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "target that is an authority": (400, b"CONNECT b.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "target without slash": (400, b"GET as2 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "asterisk for GET": (400, b"GET * HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "space in the target": (400, b"GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "tab in the target": (400, b"GET /a\tb HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "non-ASCII in the target": (400, b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "fragment in the target": (400, b"GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "backslash in the target": (400, b"GET /a\\b HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "escaped CRLF in the target": (
        400,
        b"GET /a%0d%0aX:%20b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ),
    "escaped NUL in the target": (400, b"GET /a%00 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "cut escape in the target": (400, b"GET /a%2 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "target too long": (414, b"GET /" + b"a" * MAX_TARGET + b" HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "request line that never ends": (414, b"GET /" + b"a" * (MAX_HEAD + 10)),
    "two spaces in the request line": (400, b"POST  / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "tab in the request line": (400, b"POST\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "space before the method": (400, b" POST / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "space after the version": (400, b"POST / HTTP/1.1 \r\nHost: a.example\r\n\r\n"),
    "method with brackets": (400, b"PO(ST / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "method with NUL": (400, b"PO\x00ST / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "method in lower case": (400, b"post / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "no method": (400, b"/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "two empty lines first": (400, b"\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    "HTTP/0.9": (400, b"GET /\r\n\r\n"),
    "HTTP/1.2": (505, b"GET / HTTP/1.2\r\nHost: a.example\r\n\r\n"),
    "HTTP/1.10": (400, b"GET / HTTP/1.10\r\nHost: a.example\r\n\r\n"),
    "HTTP/01.1": (400, b"GET / HTTP/01.1\r\nHost: a.example\r\n\r\n"),
    "version in lower case": (400, b"GET / http/1.1\r\nHost: a.example\r\n\r\n"),
    "another protocol": (400, b"GET / ICAP/1.0\r\nHost: a.example\r\n\r\n"),
    "HTTP/2 preface": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS on the plain port": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "unknown expectation": (417, fields(b"Expect: 200-ok", b"Content-Length: 5", body=b"hello")),
}

# Refused by the connection rather than by the parsers.
NOT_PARSED = {"unknown expectation"}
LIMIT = 1024


def read(pieces: list[bytes]) -> list[tuple[str, bytes]]:
    """The requests in `pieces` as the listener takes them."""
    requests: list[tuple[str, bytes]] = []
    buffer = HeadBuffer(skip_empty_line=True)
    waiting = list(pieces)
    data = b""

    def more() -> bytes | None:
        return waiting.pop(0) if waiting else None

    while True:
        block = buffer.feed(data) if data else None
        while block is None:
            if (piece := more()) is None:
                return requests
            block = buffer.feed(piece)
        head = parse_request_head(block)
        receiver = receiver_for(request_body(head), LIMIT)
        keeps_alive(head)
        data = buffer.rest
        while not receiver.done:
            if data:
                receiver.feed(data)
            if not receiver.done:
                if (piece := more()) is None:
                    return requests
                data = piece
            else:
                data = receiver.rest
        requests.append((head.path, receiver.body()))


def splits(data: bytes) -> dict[str, list[bytes]]:
    # Byte by byte; what is refused for its size alone in larger steps, to save time.
    step = 1 if len(data) < 10_000 else 997
    return {"whole": [data], "byte by byte": [data[i : i + step] for i in range(0, len(data), step)]}


def test_the_table_is_long_enough() -> None:
    assert len(REFUSED) >= 43


@pytest.mark.parametrize("name", REFUSED.keys() - NOT_PARSED)
def test_refused_by_the_parsers(name: str) -> None:
    status, data = REFUSED[name]
    for how, pieces in {**splits(data), "with a second request": [data + SMUGGLED]}.items():
        with pytest.raises(HttpRefusal) as refusal:
            read(pieces)
        assert refusal.value.status == status, how
        # What is said to the peer quotes nothing of what it sent.
        assert refusal.value.reason.isprintable()
        assert refusal.value.reason.isascii()


@pytest.mark.anyio
async def test_refused_by_the_listener_and_closed(serving) -> None:
    """All cases in one listener: each gets one refusal, then the end of the stream; no request is served."""
    served: list[str] = []

    async def handler(request: Request) -> Response:
        served.append(request.path)
        return Response(status=200)

    async with serving(handler) as server:
        for name, (status, data) in REFUSED.items():
            async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
                await stream.send(data + SMUGGLED)
                with anyio.fail_after(5):
                    answer = b"".join([part async for part in stream])
            assert answer.startswith(b"HTTP/1.1 %d " % status), (name, answer)
            assert answer.count(b"\r\ndate: ") == 1, name
            assert b"\r\nconnection: close\r\n" in answer, name
            assert b"application/problem+json" in answer, name
    assert served == []
    refusals = [entry for entry in server.log.entries if entry["event"] == "request_refused"]
    assert [entry["status"] for entry in refusals] == [status for status, _ in REFUSED.values()]
