"""Multiparts: their parts are exactly what stands between the delimiters."""

import pytest

from tidewaiter.gateway.as2 import mime
from tidewaiter.gateway.as2.mime import MAX_HEADER_BLOCK, Entity, MimeError
from tidewaiter.gateway.as2.multipart import MAX_ALIKE, MAX_PARTS, Multipart, entities, split


def multipart(body: bytes, boundary: str = "b") -> Entity:
    return mime.from_http([(b"Content-Type", f'multipart/signed; boundary="{boundary}"'.encode())], body)


def test_parts_are_exactly_what_stands_between_the_delimiters() -> None:
    body = b"preamble\r\n--b\r\nA: 1\r\n\r\none\r\n\r\n--b \t\r\n\r\ntwo\n\r\n--b--\r\nepilogue"
    parts = [b"A: 1\r\n\r\none\r\n", b"\r\ntwo\n"]
    assert split(multipart(body)) == Multipart(b"preamble\r\n", parts, b"epilogue")


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b"--b\r\none\r\n--b--", [b"one"]),
        (b"--b\none\n--b--\n", [b"one"]),
        (b"--b\r\n--b\r\ntwo\r\n--b--", [b"", b"two"]),
        (b"--b\r\none\r\n--bb\r\nstill one --b\r\n--b--", [b"one\r\n--bb\r\nstill one --b"]),
        (b"--b\r\nnever closed", [b"never closed"]),
        (b"--b\r\n", [b""]),
        (b"--b\r\none\r\r\n--b--", [b"one\r"]),
    ],
)
def test_delimiters_count_only_on_a_line_of_their_own(body: bytes, parts: list[bytes]) -> None:
    assert split(multipart(body)).parts == parts


@pytest.mark.parametrize("body", [b"", b"no part", b"--b--\r\n", b"x--b\r\n"])
def test_a_multipart_without_parts_is_refused(body: bytes) -> None:
    with pytest.raises(MimeError):
        split(multipart(body))


def test_the_number_of_parts_is_limited() -> None:
    with pytest.raises(MimeError, match="too many"):
        split(multipart(b"--b\r\n\r\n" * (MAX_PARTS + 2)))


@pytest.mark.parametrize("end", [b"x\r\n", b"b\n", b"- \n", b" x\n"])
def test_lines_that_only_begin_as_a_delimiter_are_limited(end: bytes) -> None:
    """Else a body of nothing else costs a hundred times what reading it costs."""
    alike = b"\n--b" + end
    part = alike * MAX_ALIKE
    assert split(multipart(b"--b\r\n" + part + b"\r\n--b--")).parts == [part]
    with pytest.raises(MimeError, match="none"):
        split(multipart(b"--b\r\n" + part + alike + b"\r\n--b--"))


def test_within_a_line_it_is_text_however_often() -> None:
    part = b"see --b and --b\r\n" * 10 * MAX_ALIKE
    assert split(multipart(b"--b\r\n" + part + b"\r\n--b--")).parts == [part]
    assert split(multipart(b"x" + part + b"\r\n--b\r\none\r\n--b--")).parts == [b"one"]


@pytest.mark.parametrize("boundary", ["", "x" * 201])
def test_a_boundary_must_be_usable(boundary: str) -> None:
    with pytest.raises(MimeError, match="boundary"):
        split(multipart(b"--\r\n\r\n", boundary))


def test_parts_as_entities_hold_their_bodies_only() -> None:
    long = b"x" * (MAX_HEADER_BLOCK + 10)
    parts = [
        b"Content-Type: text/plain\r\n\r\none\r\n",
        b"\r\nno header",
        b"UNA:+.? '",
        b"Content-Type: application/pdf\r\n\r\n" + long,
        long + b"\r\n\r\n" + long,
    ]
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    found = entities(multipart(body))
    whole = [mime.read_entity(part) for part in parts]
    assert [(one.body, one.headers, one.bare) for one in found] == [
        (one.body, one.headers, one.bare) for one in whole
    ]
    assert all(one.raw == one.body for one in found)
