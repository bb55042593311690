"""Text to segments: released characters, repetitions, line ends, and where each segment begins."""

import pytest

from tidewaiter.codecs.edifact import Segment, ServiceString
from tidewaiter.codecs.edifact.scanner import MAX_SEGMENT, Repeated, read_segment, read_segments

V3 = ServiceString()
V4 = ServiceString(repetition="*")
OWN = ServiceString(component="=", element="*", terminator="~")
BARE = ServiceString(release="")
# Text, service string, and the elements of each segment: lists of components, the tag first.
CASES = [
    ("BGM+929+LRN1+9'", V3, [["BGM", ["929"], ["LRN1"], ["9"]]]),
    ("SRC'", V3, [["SRC"]]),
    ("NAD+IM+12::9++A?+B ?& C'", V3, [["NAD", ["IM"], ["12", "", "9"], [], ["A+B & C"]]]),
    ("FTX+AAA+++O?'BRIEN:50?:50:WHY???''", V3, [["FTX", ["AAA"], [], [], ["O'BRIEN", "50:50", "WHY?'"]]]),
    ("FTX+AAA+++END??'UNS+D'", V3, [["FTX", ["AAA"], [], [], ["END?"]], ["UNS", ["D"]]]),
    ("FTX+A+++X???'Y??'BGM+1'", V3, [["FTX", ["A"], [], [], ["X?'Y?"]], ["BGM", ["1"]]]),
    ("FTX+A++ZZZ+5*7'", V3, [["FTX", ["A"], [], ["ZZZ"], ["5*7"]]]),
    ("FTX+A+IS IT?'", BARE, [["FTX", ["A"], ["IS IT?"]]]),
    ("ATT+2++M*N:O'", V4, [["ATT", ["2"], [], ["M"]]]),
    ("ATT+2++M?*N'", V4, [["ATT", ["2"], [], ["M*N"]]]),
    ("NAD*BY*1=2~\r\nRFF*A?*B=C~", OWN, [["NAD", ["BY"], ["1", "2"]], ["RFF", ["A*B", "C"]]]),
    ("BGM+929'\r\n\r\nUNS+D'\nUNS+S'", V3, [["BGM", ["929"]], ["UNS", ["D"]], ["UNS", ["S"]]]),
    ("RFF+ON:521052:+'", V3, [["RFF", ["ON", "521052", ""], []]]),
    ("DDD:1:2+X'", V3, [["DDD", ["X"]]]),
    ("DDD:1+X?+Y'", V3, [["DDD", ["X+Y"]]]),
]


def elements(segment: Segment) -> list[object]:
    return [segment.tag, *(list(segment.components(n)) for n in range(1, len(segment) + 1))]


@pytest.mark.parametrize("trailing", ["", "UN", "\r\n", "BGM+1?'"])
@pytest.mark.parametrize(("text", "service", "expected"), CASES)
def test_segments(text: str, service: ServiceString, expected: list[object], trailing: str) -> None:
    if not service.release:
        trailing = trailing.replace("?'", "?")
    found = read_segments(text + trailing.replace("'", service.terminator), 0, service, "ascii")
    assert [elements(segment) for segment in found.segments[: len(expected)]] == expected
    assert found.tags == [segment.tag for segment in found.segments]
    assert found.open is bool(trailing.strip())
    assert len(found.segments) == len(expected) + found.open


@pytest.mark.parametrize(("text", "service", "expected"), CASES)
def test_every_cut_gives_a_prefix(text: str, service: ServiceString, expected: list[object]) -> None:
    """Fed character by character: a shorter input never ends a segment that the whole does not."""
    for end in range(len(text)):
        found = read_segments(text[:end], 0, service, "ascii")
        whole = found.segments[:-1] if found.open else found.segments
        assert [elements(segment) for segment in whole] == expected[: len(whole)]


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("BGM+929'\r\nFTX+A+?'?''\n\nUNS+D'", "ascii"),
        ("FTX+Ü'FTX+é?'é'UNS+D'", "utf-8"),
        ("FTX+Ü'FTX+é?'é'UNS+D'", "iso-8859-1"),
    ],
)
def test_offsets_are_those_of_the_octets(text: str, codec: str) -> None:
    data = text.encode(codec)
    for segment in read_segments(text, 100, V3, codec).segments:
        assert data[segment.offset - 100 :].startswith(segment.text.encode(codec))
        assert segment.text[:3] in {"BGM", "FTX", "UNS"}


@pytest.mark.parametrize(("text", "service", "expected"), CASES)
def test_values_are_every_component_in_order(
    text: str, service: ServiceString, expected: list[object]
) -> None:
    for segment in read_segments(text, 0, service, "ascii").segments:
        each = [
            occurrence for n in range(1, len(segment) + 1) for occurrence in segment.repetitions(n) or [[""]]
        ]
        assert segment.values() == [value for occurrence in each for value in occurrence] or [""]
        assert "".join(segment.values()) == "".join(value for occurrence in each for value in occurrence)


def test_an_absent_element_is_the_same_on_both_ways_of_splitting() -> None:
    plain = read_segment("FTX+A+++B", 0, V3)
    released = read_segment("FTX+A+++?B", 0, V3)
    assert [bool(part) for part in plain.parts] == [bool(part) for part in released.parts]
    assert released.value(4) == "B"


def test_repetitions_are_kept() -> None:
    segment = read_segment("ATT+2++M:1*N*", 0, V4)
    assert segment.parts[3] == Repeated((("M", "1"), ("N",), ("",)))
    assert segment.value(3, 2) == "1"
    assert [list(components) for components in segment.repetitions(3)] == [["M", "1"], ["N"], [""]]
    assert segment.values() == ["2", "", "M", "1", "N", ""]


def test_what_is_absent_is_empty() -> None:
    segment = read_segment("BGM+929", 0, V3)
    assert segment.value(1, 2) == segment.value(7) == segment.value(7, 3) == ""
    assert list(segment.components(5)) == []
    assert list(segment.repetitions(5)) == []


def test_segments_are_equal_by_what_they_say_and_where() -> None:
    one, same, later = (read_segment("BGM+1", at, V3) for at in (0, 0, 5))
    assert one.value(1) == "1"
    assert one == same
    assert hash(one) == hash(same)
    assert one != later
    assert one != "BGM+1"


def test_blanks_with_line_ends_are_stepped_over_and_told() -> None:
    for between in ("\n   ", "  \r\n", " "):
        text = f"BGM+1'{between}UNS+D'"
        found = read_segments(text, 0, V3, "ascii")
        assert (found.tags, found.indented) == (["BGM", "UNS"], True)
        assert text[found.segments[1].offset :].startswith("UNS+D")
    assert not read_segments("BGM+1'\r\nUNS+D'", 0, V3, "ascii").indented


def test_a_segment_of_any_length_is_not_taken_apart() -> None:
    segment = read_segment("FTX+" + "A:" * MAX_SEGMENT, 0, V3)
    assert (segment.tag, len(segment), segment.value(1)) == ("FTX", 0, "")
