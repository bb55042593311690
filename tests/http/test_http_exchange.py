"""Responses as values and as bytes."""

import msgspec
import pytest

from tidewaiter.gateway.http.exchange import LISTENER_FIELDS, Response, problem, write_response
from tidewaiter.routing.instant import Instant

NOW = Instant(utc_ns=1_790_000_000_999_999_999, monotonic_ns=0, process="test")
DATE = b"date: Mon, 21 Sep 2026 14:13:20 GMT\r\n"


@pytest.mark.parametrize("status", [100, 199, 600, 0])
def test_only_final_answers(status: int) -> None:
    with pytest.raises(ValueError):
        Response(status=status)


@pytest.mark.parametrize("name", sorted(LISTENER_FIELDS))
def test_framing_is_not_the_handlers(name: str) -> None:
    with pytest.raises(ValueError):
        Response(status=200, headers=((name.title(), "x"),))


@pytest.mark.parametrize(
    ("response", "method", "connection", "expected"),
    [
        (
            Response(status=200, headers=(("A", "b"),), body=b"hello"),
            "POST",
            None,
            b"HTTP/1.1 200 OK\r\n" + DATE + b"A: b\r\ncontent-length: 5\r\n\r\nhello",
        ),
        (
            Response(status=200, body=b"hello"),
            "HEAD",
            "close",
            b"HTTP/1.1 200 OK\r\n" + DATE + b"content-length: 5\r\nconnection: close\r\n\r\n",
        ),
        (
            Response(status=204, body=b"x"),
            "POST",
            None,
            b"HTTP/1.1 204 No Content\r\n" + DATE + b"\r\n",
        ),
        (
            Response(status=299),
            "POST",
            None,
            b"HTTP/1.1 299 \r\n" + DATE + b"content-length: 0\r\n\r\n",
        ),
    ],
)
def test_writing(response: Response, method: str, connection: str | None, expected: bytes) -> None:
    assert write_response(response, method=method, connection=connection, now=NOW) == expected


def test_a_problem() -> None:
    response = problem(503, "no room", headers=(("retry-after", "5"),))
    assert response.close
    assert response.headers == (("content-type", "application/problem+json"), ("retry-after", "5"))
    assert msgspec.json.decode(response.body) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "no room",
    }
