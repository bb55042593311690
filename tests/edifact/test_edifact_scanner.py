"""Octets to segments: released characters, repetitions, line ends, and where each segment begins."""

import pytest

from tidewaiter.codecs.edifact import RawSegment, ServiceString, scan
from tidewaiter.codecs.edifact.scanner import Repeated, parse

V3 = ServiceString()
V4 = ServiceString(repetition="*")
OWN = ServiceString(component="=", element="*", terminator="~")
# Octets, service string, and the elements of each segment: lists of components, the tag first.
CASES = [
    (b"BGM+929+LRN1+9'", V3, [["BGM", ["929"], ["LRN1"], ["9"]]]),
    (b"SRC'", V3, [["SRC"]]),
    (b"NAD+IM+12::9++A?+B ?& C'", V3, [["NAD", ["IM"], ["12", "", "9"], [], ["A+B & C"]]]),
    (b"FTX+AAA+++O?'BRIEN:50?:50:WHY???''", V3, [["FTX", ["AAA"], [], [], ["O'BRIEN", "50:50", "WHY?'"]]]),
    (b"FTX+AAA+++END??'UNS+D'", V3, [["FTX", ["AAA"], [], [], ["END?"]], ["UNS", ["D"]]]),
    (b"FTX+A++ZZZ+5*7'", V3, [["FTX", ["A"], [], ["ZZZ"], ["5*7"]]]),
    (b"ATT+2++M*N:O'", V4, [["ATT", ["2"], [], ["M"]]]),
    (b"ATT+2++M?*N'", V4, [["ATT", ["2"], [], ["M*N"]]]),
    (b"NAD*BY*1=2~\r\nRFF*A?*B=C~", OWN, [["NAD", ["BY"], ["1", "2"]], ["RFF", ["A*B", "C"]]]),
    (b"BGM+929'\r\n\r\nUNS+D'\nUNS+S'", V3, [["BGM", ["929"]], ["UNS", ["D"]], ["UNS", ["S"]]]),
    (b"RFF+ON:521052:+'", V3, [["RFF", ["ON", "521052", ""], []]]),
    (b"DDD:1:2+X'", V3, [["DDD", ["X"]]]),
]


def elements(raw: RawSegment, service: ServiceString) -> list[object]:
    segment = parse(raw, raw.data.decode("latin-1"), service, 1)
    return [segment.tag, *(list(segment.components(n)) for n in range(1, len(segment.parts)))]


@pytest.mark.parametrize("trailing", [b"", b"UN", b"\r\n", b"BGM+1?'"])
@pytest.mark.parametrize(("data", "service", "expected"), CASES)
def test_segments(data: bytes, service: ServiceString, expected: list[object], trailing: bytes) -> None:
    trailing = trailing.replace(b"'", service.terminator.encode())
    found = scan(data + trailing, 0, service)
    assert [elements(raw, service) for raw in found.segments] == expected
    assert found.rest == trailing.lstrip(b"\r\n")


@pytest.mark.parametrize(("data", "service", "expected"), CASES)
def test_every_cut_gives_a_prefix(data: bytes, service: ServiceString, expected: list[object]) -> None:
    """Fed octet by octet: a shorter input never gives a segment that the whole does not."""
    for end in range(len(data) + 1):
        found = scan(data[:end], 0, service).segments
        assert [elements(raw, service) for raw in found] == expected[: len(found)]


def test_offsets_are_those_of_the_octets_given() -> None:
    data = b"xxxBGM+929'\r\nFTX+A+++?'?''\n\nUNS+D'"
    for raw in scan(data, 3, V3).segments:
        assert data[raw.offset :].startswith(raw.data)
        assert raw.data[:3] in (b"BGM", b"FTX", b"UNS")


def test_only_the_given_stretch_is_read() -> None:
    data = b"BGM+1'UNS+D'UNS+S'"
    assert [raw.tag for raw in scan(data, 6, V3, 12).segments] == ["UNS"]


def test_an_absent_element_is_the_same_on_both_ways_of_splitting() -> None:
    plain = parse(RawSegment(b"", 0), "FTX+A+++B", V3, 1)
    released = parse(RawSegment(b"", 0), "FTX+A+++?B", V3, 1)
    assert [bool(part) for part in plain.parts] == [bool(part) for part in released.parts]
    assert released.value(4) == "B"


def test_repetitions_are_kept() -> None:
    segment = parse(RawSegment(b"", 0), "ATT+2++M:1*N*", V4, 1)
    assert segment.parts[3] == Repeated((("M", "1"), ("N",), ("",)))
    assert segment.value(3, 2) == "1"


def test_what_is_absent_is_empty() -> None:
    segment = parse(RawSegment(b"", 0), "BGM+929", V3, 1)
    assert segment.value(1, 2) == segment.value(7) == segment.value(7, 3) == ""
    assert list(segment.components(5)) == []
