"""Every pointer's offset is where the thing begins in the octets as sent."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import Interchange, ServiceString, read_interchange
from tidewaiter.codecs.edifact.place import Locator, part_offset, place
from tidewaiter.codecs.edifact.scanner import read_segment

ADVICES = ["UNA:+.? '", "UNA:+.?*'", "UNA]^.\\-[", "UNA|;,#!$", "UNA:+.  '"]
# Plain, every separator, two and three octets in UTF-8, one outside the basic plane.
LATIN = "A1 ':+*?.,^\\-]|;#!$[\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{NO-BREAK SPACE}"
WIDE = LATIN + "\N{EURO SIGN}\N{CJK UNIFIED IDEOGRAPH-6771}\N{GRINNING FACE}"
REPERTOIRES = {
    "UNOC": ("latin-1", LATIN),
    "UNOW": ("utf-8", WIDE),
    "UNOD": ("iso-8859-2", "A':+?\u0141\u017a"),
}


class Value(NamedTuple):
    """A component as it was sent: segment, element, repetition and component (from 1), octets and place."""

    place: tuple[int, int, int, int]
    octets: bytes
    offset: int
    text: str


class Sheet:
    """Writes octets and notes the place of each value."""

    def __init__(self, advice: str, level: str, version: int, ends: bytes) -> None:
        self.component, self.element, _, self.release, self.repetition, self.terminator = advice[3:]
        self.repetition = self.repetition if version == 4 else " "
        self.codec = REPERTOIRES[level][0]
        self.data = advice.encode("latin-1")
        self.ends = ends
        self.begun: list[int] = []
        self.values: list[Value] = []
        day = "20260504" if version == 4 else "260504"
        self.line("UNB", [[[level, str(version)]], [["A"]], [["B"]], [[day, "1307"]], [["R"]]])
        self.begun.clear()
        self.values.clear()

    def sent(self, text: str) -> bytes:
        marks = {self.component, self.element, self.release, self.repetition, self.terminator} - {" "}
        if self.release == " ":
            return "".join(c for c in text if c not in marks).encode(self.codec)
        return "".join(self.release + c if c in marks else c for c in text).encode(self.codec)

    def line(self, tag: str, elements: list[list[list[str]]]) -> None:
        self.begun.append(len(self.data))
        self.data += tag.encode()
        for e, occurrences in enumerate(elements, 1):
            self.data += self.element.encode()
            kept = occurrences if self.repetition != " " else occurrences[:1]
            for r, components in enumerate(kept, 1):
                self.data += self.repetition.encode() * (r > 1)
                for c, text in enumerate(components, 1):
                    self.data += self.component.encode() * (c > 1)
                    octets = self.sent(text)
                    where = (len(self.begun), e, r, c)
                    read = text if self.release != " " else octets.decode(self.codec)
                    self.values.append(Value(where, octets, len(self.data), read))
                    self.data += octets
        self.data += self.terminator.encode() + self.ends


TEXTS = st.text(st.sampled_from(WIDE), max_size=5)
BODY = st.lists(
    st.lists(st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=3), max_size=4)
)


@settings(max_examples=120, deadline=None)
@given(
    advice=st.sampled_from(ADVICES),
    level=st.sampled_from(sorted(REPERTOIRES)),
    version=st.sampled_from([3, 4]),
    ends=st.sampled_from([b"", b"\n", b"\r\n"]),
    body=BODY,
)
def test_the_octets_at_an_offset_are_the_value(
    advice: str, level: str, version: int, ends: bytes, body: list[list[list[list[str]]]]
) -> None:
    known = REPERTOIRES[level][1]
    sheet = Sheet(advice, level, version, ends)
    sheet.line("UNH", [[["1"]], [["CUSDEC", "D", "96B", "UN"]]])
    for elements in body:
        sheet.line(
            "FTX", [[["".join(c for c in t if c in known) for t in p] for p in parts] for parts in elements]
        )
    sheet.line("UNT", [[[str(len(body) + 2)]], [["1"]]])
    interchange = read_interchange(sheet.data)
    (message,) = interchange.messages
    assert [segment.offset for segment in message.segments] == sheet.begun
    at = Locator(interchange, message)
    for (number, element, repetition, component), octets, offset, text in sheet.values:
        segment = message.segments[number - 1]
        found = at(segment, element, component, repetition).offset
        assert found == offset
        assert sheet.data[found : found + len(octets)] == octets
        found_values = [*segment.repetitions(element), *[("",)] * repetition][repetition - 1]
        assert [*found_values, *[""] * component][component - 1] == text


HEAD = "UNB+UNOC:{0}+A+B+{1}:1307+R'UNH+1+CUSDEC:D:96B:UN'"
TAIL = "UNT+3+1'UNZ+1+R'"


def read(segment: str, version: int = 4) -> Interchange:
    day = "20260504" if version == 4 else "260504"
    return read_interchange(f"{HEAD.format(version, day)}{segment}'{TAIL}".encode("latin-1"))


@pytest.mark.parametrize(
    ("segment", "part", "expected"),
    [
        ("FTX+A+B:C", (1, 1, 1), 4),
        ("FTX+A+B:C", (2, 1, None), 6),
        ("FTX+A+B:C", (2, 2, None), 8),
        ("FTX+A+B:C", (2, None, None), 6),
        ("FTX+A*D:E+B", (1, 1, 2), 6),
        ("FTX+A*D:E+B", (1, 2, 2), 8),
        ("FTX+A*D:E+B", (2, 1, 1), 10),
        ("FTX+A:B*C:D", (1, 1, 2), 8),
        # Empty ones have a place, too.
        ("FTX++B", (1, 1, None), 4),
        ("FTX+:B", (1, 1, None), 4),
        ("FTX+*B", (1, 1, 2), 5),
        # What is not there is where the segment begins.
        ("FTX+A", (2, None, None), 0),
        ("FTX+A", (1, 2, None), 0),
        ("FTX+A", (1, 1, 2), 0),
        ("FTX", (1, None, None), 0),
        # What is released separates nothing.
        ("FTX+?+?:?*?'+B", (2, 1, None), 13),
        ("FTX+??+B", (2, 1, None), 7),
        ("FTX+???++B", (2, 1, None), 9),
        # Explicit nesting stands in the tag.
        ("FTX:1:2+A", (1, 1, None), 8),
    ],
)
def test_the_place_of_a_part(segment: str, part: tuple[int, int | None, int | None], expected: int) -> None:
    interchange = read(segment)
    (message,) = interchange.messages
    element, component, repetition = part
    pointer = Locator(interchange, message)(message.segments[1], element, component, repetition)
    assert pointer.offset == message.segments[1].offset + expected
    assert (pointer.element, pointer.component, pointer.repetition) == part
    assert (pointer.segment, pointer.tag) == (2, "FTX")


def test_the_separator_of_version_4_separates_nothing_before_it() -> None:
    interchange = read("FTX+A*B:C", 3)
    (message,) = interchange.messages
    assert Locator(interchange, message)(message.segments[1], 1, 2).offset == message.segments[1].offset + 8


def test_a_part_is_not_looked_for_in_the_next_segment() -> None:
    service = ServiceString()
    data = b"FTX+A'FTX+B+C'"
    assert part_offset(data, 0, service, (2, 1, 1)) is None
    assert part_offset(data, 6, service, (2, 1, 1)) == 12
    assert part_offset(b"FTX+A", 0, service, (1, 1, 1)) == 4
    assert part_offset(b"FTX+A", 0, service, (2, 1, 1)) is None


def test_what_a_pointer_says_of_where_it_is() -> None:
    text = (
        "UNB+UNOC:3+A+B+260504:1307+R'UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'"
        "UNH+1+CUSDEC:D:96B:UN'BGM+1'UNT+3+1'UNH+2+CUSDEC:D:96B:UN'UNT+2+2'UNE+2+G'UNZ+1+R'"
    )
    interchange = read_interchange(text.encode())
    first, second = interchange.messages
    asked = []

    def paths() -> list[str]:
        asked.append(1)
        return ["", "SG1[2]", ""]

    at = Locator(interchange, first, paths)
    assert asked == []
    pointer = at(first.segments[1])
    assert (pointer.interchange, pointer.message, pointer.group) == ("R", "1", "G")
    assert (pointer.path, pointer.position) == ("SG1[2]", 1)
    assert pointer.offset == text.index("BGM")
    assert at(first.segments[0]).path is None
    assert asked == [1]
    missing = at(first.segments[1], tag="DTM")
    assert (missing.tag, missing.segment, missing.offset) == ("DTM", 2, text.index("BGM"))
    assert Locator(interchange, second)(second.segments[0]).position == 2


def test_of_one_message_alone_no_position_is_told() -> None:
    interchange = read("BGM+1")
    (message,) = interchange.messages
    assert Locator(interchange, message)(message.segments[0]).position is None


def test_a_segment_outside_messages() -> None:
    segment = read_segment("UNZ+1+R", 77, ServiceString())
    pointer = place(segment, 2, 1, interchange="R")
    assert (pointer.segment, pointer.tag, pointer.offset) == (0, "UNZ", 83)
    assert (pointer.element, pointer.component) == (2, 1)
    assert (pointer.interchange, pointer.message) == ("R", None)
