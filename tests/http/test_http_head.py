"""Heads read and written; what must be refused stands in test_http_refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.http.errors import HttpRefusal
from tidewaiter.gateway.http.head import (
    MAX_FIELDS,
    Headers,
    is_critical,
    keeps_alive,
    parse_fields,
    parse_request_head,
    parse_response_head,
    write_head,
)

HOST = b"Host: a.example\r\n"


def test_a_request_head() -> None:
    head = parse_request_head(b"POST /a?b=c HTTP/1.1\r\n" + HOST + b"Via: x\r\nVIA:\ty \r\n\r\n")
    assert (head.method, head.target, head.path, head.query) == ("POST", "/a?b=c", "/a", "b=c")
    assert (head.version, head.minor) == ("HTTP/1.1", 1)
    assert head.headers == ((b"host", b"a.example"), (b"via", b"x"), (b"via", b"y"))
    assert head.get(b"Via") == b"x"
    assert head.get_all(b"via") == (b"x", b"y")
    assert head.get(b"date") is None
    assert head.get_all(b"date") == ()


def test_a_response_head() -> None:
    head = parse_response_head(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    assert (head.status, head.minor, head.get(b"content-length")) == (404, 0, b"0")
    for line in (
        b"HTTP/1.1 600 x",
        b"HTTP/1.1 099 x",
        b"HTTP/1.1 2000",
        b"HTTP/1.1  200 OK",
        b"http/1.1 200",
    ):
        with pytest.raises(HttpRefusal) as refusal:
            parse_response_head(line + b"\r\n\r\n")
        assert refusal.value.status == 502


def test_as_many_fields_as_allowed() -> None:
    block = b"".join(b"X-%d: a\r\n" % i for i in range(MAX_FIELDS))
    assert len(parse_fields(block + b"\r\n", 0)) == MAX_FIELDS
    with pytest.raises(HttpRefusal) as refusal:
        parse_fields(block + b"Y: a\r\n\r\n", 0)
    assert refusal.value.status == 431


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"X : a", "space before a colon"),
        (b"X: a\rb", "a line end that is not CRLF"),
        (b"X: a\nb", "a line end that is not CRLF"),
        (b"X: \x01", "a control character in a header"),
        (b"(: a", "malformed header name"),
        (b"X", "malformed header name"),
        (b" X: a", "space before the first header"),
        (b"Y: a\r\nHost: a\r\n b", "a header that may not be folded is folded"),
        (b"as2-VERSION: a\r\n b", "a header that may not be folded is folded"),
        (b"X: a\r\n\t\r\nY: b", "a folded line is empty"),
        (b"X: a\r\n b\x00", "a control character in a header"),
    ],
)
def test_reasons(block: bytes, reason: str) -> None:
    with pytest.raises(HttpRefusal) as refusal:
        parse_fields(b"First: line\r\n"[: 13 if block[:1] != b" " else 0] + block + b"\r\n\r\n", 0)
    assert (refusal.value.status, refusal.value.reason) == (400, reason)


def test_what_is_critical() -> None:
    assert all(is_critical(name) for name in (b"host", b"as2-anything", b"message-id", b"content-type"))
    assert not any(is_critical(name) for name in (b"subject", b"date", b"via", b"as2", b"connection"))


@pytest.mark.parametrize(
    ("minor", "connection", "expected"),
    [
        (1, b"", True),
        (1, b"Connection: close\r\n", False),
        (1, b"Connection: upgrade ,Close\r\n", False),
        (1, b"Connection: close\r\nConnection: keep-alive\r\n", False),
        (0, b"", False),
        (0, b"Connection: Keep-Alive\r\n", True),
        (0, b"Connection: keep-alive, close\r\n", False),
        (0, b"Connection: x\r\n", False),
    ],
)
def test_keeping_alive(minor: int, connection: bytes, expected: bool) -> None:
    fields = HOST + connection + b"\r\n"
    assert keeps_alive(parse_request_head(b"GET / HTTP/1.%d\r\n" % minor + fields)) is expected
    assert keeps_alive(parse_response_head(b"HTTP/1.%d 200 OK\r\n" % minor + fields)) is expected


def test_writing() -> None:
    fields = (("Content-Type", 'a; b="c"'), ("Subject", "\u00e4"), ("X", ""))
    block = write_head("HTTP/1.1 200 OK", fields)
    assert block == b'HTTP/1.1 200 OK\r\nContent-Type: a; b="c"\r\nSubject: \xe4\r\nX: \r\n\r\n'
    assert write_head("A", iter(())) == b"A\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nY: b"),
        ("X", "a\r\n b"),
        ("X", "a\nY: b"),
        ("X", "a\rb"),
        ("X", "a\x00"),
        ("X", "a\x7f"),
        ("X", "\u20ac"),
        ("X Y", "a"),
        ("", "a"),
        ("X\r\nY", "a"),
        ("\u00e4", "a"),
    ],
)
def test_nothing_is_injected(name: str, value: str) -> None:
    with pytest.raises(ValueError):
        write_head("HTTP/1.1 200 OK", (("A", "b"), (name, value), ("C", "d")))


@given(st.lists(st.tuples(st.from_regex(r"X-[A-Za-z0-9]{1,8}", fullmatch=True), st.text(max_size=20))))
def test_what_is_written_is_read_back(fields: list[tuple[str, str]]) -> None:
    """Either refused, or read back as the same fields: never as more or others."""
    try:
        block = write_head("HTTP/1.1 200 OK", fields)
    except ValueError:
        return
    expected = tuple((name.lower().encode(), value.strip(" \t").encode("latin-1")) for name, value in fields)
    assert parse_response_head(block).headers == Headers(expected)


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(junk: bytes) -> None:
    for parse in (parse_request_head, parse_response_head):
        for block in (junk, b"GET / HTTP/1.1\r\n" + HOST + junk + b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + junk):
            try:
                head = parse(block)
            except HttpRefusal:
                continue
            assert all(name == name.lower() and value == value.strip(b" \t") for name, value in head.headers)
