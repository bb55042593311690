"""Bytes up to the end of a head."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.http.errors import HttpRefusal
from tidewaiter.gateway.http.head import MAX_HEAD, parse_request_head
from tidewaiter.gateway.http.incoming import HeadBuffer

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def refused(pieces: Iterable[bytes], *, skip_empty_line: bool = True) -> int:
    """The status `pieces` are refused with."""
    buffer = HeadBuffer(skip_empty_line=skip_empty_line)
    try:
        for piece in pieces:
            buffer.feed(piece)
    except HttpRefusal as refusal:
        return refusal.status
    raise AssertionError("not refused")


def test_whole_and_with_trailing_data() -> None:
    buffer = HeadBuffer(skip_empty_line=True)
    assert buffer.feed(HEAD) == HEAD
    assert buffer.rest == b""
    assert buffer.feed(HEAD + b"rest") == HEAD
    assert buffer.rest == b"rest"
    assert not buffer.started


def test_byte_by_byte_twice() -> None:
    buffer = HeadBuffer(skip_empty_line=True)
    for _ in range(2):
        blocks = [buffer.feed(HEAD[i : i + 1]) for i in range(len(HEAD))]
        assert blocks[:-1] == [None] * (len(HEAD) - 1)
        assert blocks[-1] == HEAD


@pytest.mark.parametrize("pieces", [[b"\r\n" + HEAD], [b"\r", b"\n", HEAD], [b"\r\n", HEAD[:3], HEAD[3:]]])
def test_one_empty_line_is_skipped_by_a_server_only(pieces: list[bytes]) -> None:
    buffer = HeadBuffer(skip_empty_line=True)
    assert [buffer.feed(piece) for piece in pieces][-1] == HEAD
    assert refused(pieces, skip_empty_line=False) == 400


def test_started() -> None:
    buffer = HeadBuffer(skip_empty_line=True)
    buffer.feed(b"\r\n")
    assert not buffer.started
    with pytest.raises(HttpRefusal):
        buffer.feed(b"\r\n")
    buffer = HeadBuffer(skip_empty_line=True)
    buffer.feed(b"G")
    assert buffer.started


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\n", b"GET\r/", b"\x16\x03\x01", b"GET /\x00"])
def test_what_cannot_become_a_head_is_refused_before_it_ends(line: bytes) -> None:
    assert refused([line]) == 400
    assert refused(line[i : i + 1] for i in range(len(line))) == 400


def test_size() -> None:
    room = MAX_HEAD - len(HEAD) + 4
    fits = HEAD[:-4] + b"a" * room + b"\r\n\r\n"
    assert HeadBuffer(skip_empty_line=True).feed(fits) == fits
    for pieces in ([fits.replace(b"aa", b"aaa", 1)], [fits[:-4] + b"a"], [fits[:-4], b"a\r\n\r\n"]):
        assert refused(pieces) == 431


PIECES = [b"GET / HTTP/1.1", b"\r\n", b"\r", b"\n", b" ", b"Host: a", b"X: y", b"\x00"]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_the_same_heads_whole_and_in_pieces(pieces: list[bytes]) -> None:
    """However the bytes arrive: the same head with the same rest, none yet, or refused."""

    def outcome(*parts: bytes) -> object:
        buffer = HeadBuffer(skip_empty_line=True)
        block: bytes | None = None
        rest = b""
        try:
            for part in parts:
                if block is None:
                    block = buffer.feed(part)
                    rest = buffer.rest
                else:
                    rest += part
            return None if block is None else (parse_request_head(block), rest)
        except HttpRefusal:
            return "refused"

    whole = b"".join(pieces)
    assert outcome(whole) == outcome(*pieces) == outcome(*[whole[i : i + 1] for i in range(len(whole))])
