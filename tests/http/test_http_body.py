"""Bodies framed and received; what must be refused stands in test_http_refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.http.body import (
    BODY_UNTIL_CLOSE,
    CHUNKED_BODY,
    NO_BODY,
    BodyPlan,
    BodyReceiver,
    BodyUntilClose,
    Framing,
    receiver_for,
    request_body,
    response_body,
)
from tidewaiter.gateway.http.errors import HttpRefusal
from tidewaiter.gateway.http.head import parse_request_head, parse_response_head


def received(receiver: BodyReceiver, *pieces: bytes) -> tuple[bytes, bytes]:
    """The body and what follows it."""
    rest = b""
    for piece in pieces:
        if receiver.done:
            rest += piece
        else:
            receiver.feed(piece)
            rest = receiver.rest if receiver.done else b""
    assert receiver.done
    return receiver.body(), rest


@pytest.mark.parametrize(
    ("fields", "plan"),
    [
        (b"", NO_BODY),
        (b"Content-Length: 0\r\n", NO_BODY),
        (b"Content-Length: 0005\r\n", BodyPlan(Framing.LENGTH, 5)),
        (
            b"Content-Length: 0000000000000000999999999999999\r\n",
            BodyPlan(Framing.LENGTH, 999_999_999_999_999),
        ),
        (b"Transfer-Encoding: Chunked\r\n", CHUNKED_BODY),
    ],
)
def test_framing_of_a_request(fields: bytes, plan: BodyPlan) -> None:
    head = parse_request_head(b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
    assert request_body(head) == plan


@pytest.mark.parametrize(
    ("method", "status", "fields", "plan"),
    [
        ("POST", 200, b"", BODY_UNTIL_CLOSE),
        ("POST", 200, b"Content-Length: 0\r\n", NO_BODY),
        ("POST", 200, b"Content-Length: 5\r\n", BodyPlan(Framing.LENGTH, 5)),
        ("POST", 200, b"Transfer-Encoding: chunked\r\n", CHUNKED_BODY),
        ("HEAD", 200, b"Content-Length: 5\r\n", NO_BODY),
        ("POST", 204, b"", NO_BODY),
        ("POST", 304, b"Content-Length: 5\r\n", NO_BODY),
        ("POST", 100, b"", NO_BODY),
    ],
)
def test_framing_of_a_response(method: str, status: int, fields: bytes, plan: BodyPlan) -> None:
    head = parse_response_head(b"HTTP/1.1 %d x\r\n" % status + fields + b"\r\n")
    assert response_body(method, head) == plan


def test_a_response_with_both_length_headers_is_refused_even_without_a_body() -> None:
    head = parse_response_head(b"HTTP/1.1 204 x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(HttpRefusal):
        response_body("POST", head)


CHUNKED = b"5;a\r\nhello\r\n6 \r\n world\r\n000\r\nX: y\r\n\r\n"


@pytest.mark.parametrize(
    ("plan", "data", "body"),
    [
        (BodyPlan(Framing.LENGTH, 5), b"hello", b"hello"),
        (CHUNKED_BODY, CHUNKED, b"hello world"),
        (CHUNKED_BODY, b"0\r\n\r\n", b""),
    ],
)
def test_whole_byte_by_byte_and_with_trailing_data(plan: BodyPlan, data: bytes, body: bytes) -> None:
    single = [data[i : i + 1] for i in range(len(data))]
    assert received(receiver_for(plan, 11), data) == (body, b"")
    assert received(receiver_for(plan, 11), *single) == (body, b"")
    assert received(receiver_for(plan, 11), data + b"GET") == (body, b"GET")
    assert received(receiver_for(plan, 11), *single, b"GET") == (body, b"GET")


def test_limits() -> None:
    with pytest.raises(HttpRefusal) as refusal:
        receiver_for(BodyPlan(Framing.LENGTH, 5), 4)
    assert refusal.value.status == 413
    for plan, data in ((CHUNKED_BODY, CHUNKED), (BODY_UNTIL_CLOSE, b"hello world")):
        receiver_for(plan, 11).feed(data)
        with pytest.raises(HttpRefusal) as refusal:
            receiver_for(plan, 10).feed(data)
        assert refusal.value.status == 413


def test_nothing_to_receive_is_done_at_once() -> None:
    receiver = receiver_for(NO_BODY, 0)
    assert receiver.done
    assert receiver.body() == b""


def test_until_close() -> None:
    receiver = receiver_for(BODY_UNTIL_CLOSE, 100)
    receiver.feed(b"a")
    receiver.feed(b"b")
    assert isinstance(receiver, BodyUntilClose)
    assert not receiver.done
    assert receiver.body() == b"ab"


def test_small_chunks_of_a_large_body_are_no_overhead() -> None:
    body, _ = received(receiver_for(CHUNKED_BODY, 20_000), b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")
    assert body == b"x" * 20_000


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(1, 60))
def test_any_chunks_in_any_pieces(chunks: list[bytes], step: int) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\nGET"
    pieces = [data[i : i + step] for i in range(0, len(data), step)]
    assert received(receiver_for(CHUNKED_BODY, 400), *pieces) == (b"".join(chunks), b"GET")


@given(
    st.lists(st.sampled_from([b"5", b"0", b"\r\n", b"\n", b"\r", b";a", b" ", b"hello", b"X: y", b"f" * 9]))
)
def test_anything_is_taken_or_refused(pieces: list[bytes]) -> None:
    """And the same way whole and in pieces."""

    def outcome(*parts: bytes) -> object:
        receiver = receiver_for(CHUNKED_BODY, 100)
        rest = b""
        try:
            for part in parts:
                if receiver.done:
                    rest += part
                else:
                    receiver.feed(part)
                    rest = receiver.rest if receiver.done else b""
        except HttpRefusal as refusal:
            return refusal.status
        return (receiver.body(), rest) if receiver.done else None

    whole = b"".join(pieces)
    assert outcome(whole) == outcome(*pieces) == outcome(*[whole[i : i + 1] for i in range(len(whole))])
