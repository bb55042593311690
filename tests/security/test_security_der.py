"""Headers, children, and BER made DER."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.security import MalformedCms
from tidewaiter.security.der import (
    FREE_ELEMENTS,
    MAX_DEPTH,
    children,
    element_at,
    header,
    oid,
    set_of,
    tlv,
    to_der,
)

# (BER, the same in DER)
CONVERSIONS = [
    (bytes.fromhex("3080 0201 01 0000"), bytes.fromhex("3003 0201 01")),
    (bytes.fromhex("3003 0201 01"), bytes.fromhex("3003 0201 01")),
    (bytes.fromhex("3081 03 0201 01"), bytes.fromhex("3003 0201 01")),
    (bytes.fromhex("3005 0283 0000 00"), bytes.fromhex("3002 0200")),
    (bytes.fromhex("2480 0401 61 0402 6263 0000"), bytes.fromhex("0403 616263")),
    (bytes.fromhex("2409 2480 0401 61 0000 0400"), bytes.fromhex("0401 61")),
    (bytes.fromhex("3080 a080 2403 0401 61 0000 0000"), bytes.fromhex("3005 a003 0401 61")),
    (bytes.fromhex("2406 0401 61 0401 62"), bytes.fromhex("0402 6162")),
    (bytes.fromhex("3000"), bytes.fromhex("3000")),
    (bytes.fromhex("3080 0000 0d0a"), bytes.fromhex("3000")),
    # Definite lengths of two octets more than the end of contents saved: the length alone tells nothing.
    (b"\x24\x80" + tlv(4, bytes(300)) + b"\0\0", tlv(4, bytes(300))),
    (b"\x30\x80" + tlv(4, bytes(300)) + b"\0\0", tlv(0x30, tlv(4, bytes(300)))),
]
REFUSED = [
    b"",
    b"\x30",
    b"\x30\x80",
    b"\x30\x80\x00",
    b"\x04\x80\x00\x00",
    b"\x30\x02\x04\x01",
    b"\x30\x03\x04\x02\x61",
    b"\x30\x00\x00\x00",
    b"\x1f\x81\x01\x00",
    b"\x24\x03\x02\x01\x01",
    b"\x24\x80\xa0\x03\x04\x01\x61\x00\x00",
    b"\x30\x85\x01",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x80" * (MAX_DEPTH + 1) + b"\x00\x00" * (MAX_DEPTH + 1),
    b"\x30\x00garbage",
    b"\x30\x80\x00\x00\x0d\x0a" + b"\x0a" * 100,
]


@pytest.mark.parametrize(("ber", "der"), CONVERSIONS)
def test_ber_becomes_der(ber: bytes, der: bytes) -> None:
    assert to_der(ber) == der


def test_der_is_handed_back_as_it_is() -> None:
    data = tlv(0x30, tlv(4, bytes(1000)), tlv(0x31, tlv(2, b"\x01")))
    assert to_der(data) is data


@pytest.mark.parametrize("data", REFUSED)
def test_what_is_no_ber_element_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedCms):
        to_der(data)


def test_a_flood_of_empty_elements_is_refused() -> None:
    flood = b"\x05\x00" * (2 * FREE_ELEMENTS)
    with pytest.raises(MalformedCms):
        to_der(b"\x30\x80" + flood + b"\x00\x00")


def test_a_streamed_string_of_many_pieces_is_linear() -> None:
    pieces = tlv(4, bytes(1000)) * 5000
    assert to_der(b"\x24\x80" + pieces + b"\0\0") == tlv(4, bytes(5_000_000))


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_any_octets_convert_or_are_refused(data: bytes) -> None:
    try:
        converted = to_der(data)
    except MalformedCms:
        return
    assert to_der(converted) is converted


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_an_element_is_read_as_it_is_written(length: int) -> None:
    data = tlv(0x04, bytes(length)) + b"rest"
    element = element_at(data, 0, len(data))
    assert (element.tag, element.stop - element.start, data[element.stop :]) == (0x04, length, b"rest")
    assert data[: element.start] == header(0x04, length)


@pytest.mark.parametrize(
    "data", [b"", b"\x04", b"\x04\x01", b"\x04\x80", b"\x04\x81\x7f", b"\x04\x82\x00\xff", b"\x1f\x01\x00"]
)
def test_what_is_no_der_element_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedCms):
        element_at(data, 0, len(data))


def test_children_fill_their_parent_and_are_limited() -> None:
    data = tlv(0x02, b"\x01") * 3
    assert [child.start for child in children(data, 0, len(data), limit=3)] == [2, 5, 8]
    with pytest.raises(MalformedCms):
        children(data, 0, len(data), limit=2)
    with pytest.raises(MalformedCms):
        children(data, 0, len(data) - 1, limit=3)


def test_a_set_of_is_sorted() -> None:
    assert set_of([b"\x02\x01\x02", b"\x02\x01\x01"]) == bytes.fromhex("3106 020101 020102")


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.2.840.113549.1.7.2", "06092a864886f70d010702"),
        ("2.16.840.1.101.3.4.2.1", "0609608648016503040201"),
    ],
)
def test_object_identifiers(dotted: str, encoded: str) -> None:
    assert oid(dotted).hex() == encoded
