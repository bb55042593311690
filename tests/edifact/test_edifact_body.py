"""The inside of one interchange, step by step: what is emitted, and what is waited for."""

from collections.abc import Sequence

import pytest

from tidewaiter.codecs.edifact import Interchange, Message, Package
from tidewaiter.codecs.edifact.body import MAX_SERVICE_SEGMENT, MAX_STRETCH, Body
from tidewaiter.codecs.edifact.marks import Buffer
from tidewaiter.codecs.edifact.message import MessageMaker
from tidewaiter.codecs.edifact.nesting import Nesting
from tidewaiter.codecs.edifact.report import Report
from tidewaiter.codecs.edifact.scanner import read_segment
from tidewaiter.codecs.edifact.service import ServiceString
from tidewaiter.codecs.edifact.text import Decoder
from tidewaiter.codecs.finding import EdifactPointer

ONE = "UNH+1+CUSDEC:D:96B:UN'BGM+929'UNT+3+1'"
GROUP = "UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'"
END = "UNZ+1+R'"


class Inside:
    """A body whose octets are given bit by bit, and what it has emitted."""

    def __init__(
        self, text: str = "", *, limit: int = 1_000_000, service: ServiceString = ServiceString()
    ) -> None:
        header = read_segment("UNB+UNOC:3+A+B+260504:1307+R", 0, ServiceString())
        context = Interchange(
            data=b"", service=service, syntax="UNOC", syntax_version=3, reference="R", header=header
        )
        self.buffer = Buffer()
        self.emitted: list[object] = []
        nesting = Nesting(context, Report(), self.emitted.append)
        maker = MessageMaker(context, Decoder("UNOC", service))
        self.body = Body(self.buffer, nesting, maker, self.emitted.append, limit)
        self.give(text)

    def give(self, text: str) -> list[str]:
        """The references of the messages and packages that these octets complete."""
        before = len(self.emitted)
        self.buffer.data += text.encode("latin-1")
        while self.body.ended is None and self.body.step():
            pass
        found = [event for event in self.emitted[before:] if isinstance(event, Message | Package)]
        return [event.reference for event in found]

    def close(self) -> list[str]:
        """Code and tag of each finding of the interchange, which is over."""
        self.buffer.closed = True
        self.give("")
        assert self.body.ended is not None
        lines = []
        for finding in self.body.ended.findings:
            assert isinstance(finding.pointer, EdifactPointer)
            lines.append(f"{finding.code} {finding.pointer.tag}")
        return lines


def test_a_message_is_given_with_its_trailer() -> None:
    inside = Inside(ONE[:-1])
    assert inside.emitted == []
    assert inside.give("'") == ["1"]
    assert len(inside.buffer) == 0
    assert inside.body.ended is None
    assert inside.give(END[:-1]) == []
    assert inside.give("'") == []
    assert inside.body.ended is not None
    assert inside.body.ended.findings == ()


def test_a_message_without_its_trailer_is_given_with_what_follows() -> None:
    for following in (
        "UNH+2+CUSDEC:D:96B:UN'",
        END,
        GROUP,
        "UNE+1+G'",
        "UNB+UNOC:3+",
        "UNO+P+A:1+B:2+1'",
        "UNA:+.? 'UNB",
    ):
        inside = Inside("UNH+1+CUSDEC:D:96B:UN'BGM+929'")
        assert inside.emitted == []
        assert inside.give(following)[:1] == ["1"]
        message = inside.emitted[0]
        assert isinstance(message, Message)
        assert [finding.code for finding in message.findings] == ["13"]
        assert message.data.endswith(b"BGM+929'")


def test_the_next_interchange_ends_this_one_and_is_left_alone() -> None:
    for following in ("UNB+UNOC:3+A", "UNA:+.? 'UNB+UNOC:3+A"):
        inside = Inside(f"{ONE}{following}")
        inside.buffer.closed = True
        inside.give("")
        assert inside.body.ended is not None
        assert [finding.code for finding in inside.body.ended.findings] == ["13"]
        assert bytes(inside.buffer.data[inside.buffer.pos :]) == following.encode()


def test_the_end_of_the_octets() -> None:
    assert Inside(f"{ONE}{END}").close() == []
    assert Inside(ONE).close() == ["13 UNZ"]
    assert Inside("").close() == ["13 UNZ", "32 UNZ"]
    inside = Inside("UNH+1+CUSDEC:D:96B:UN'BGM+929")
    assert inside.close() == ["13 UNZ"]
    message = inside.emitted[0]
    assert isinstance(message, Message)
    assert [finding.text for finding in message.findings] == ["the last segment has no terminator"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{ONE}BGM+1'{END}", ["33 BGM"]),
        (f"BGM+1'{ONE}{END}", ["33 BGM"]),
        (f"{ONE}rubbish{END}", ["33 rubbishUNZ", "13 UNZ"]),
        (f"{ONE} \t\x00 {END}", ["33 UNZ", "13 UNZ"]),
        (f"{ONE}''{END}", ["33 "]),
        (f"{ONE}UIH+1'{END}", ["47 UIH"]),
        (f"{ONE}UNE+1+G'{END}", ["33 UNE"]),
        (f"{ONE}UNT+1+1'{END}", ["33 UNT"]),
        (f"{ONE}UNP+1+1'{END}", ["33 UNP"]),
        (f"{ONE}UNO+P'{END}", ["12 UNO"]),
        (f"BGM+1'UNT+2+1'{END}", ["13 BGM"]),
        ("BGM+1'UNT+2+1'BGM+1'UNT+2+1'UNZ+2+R'", ["13 BGM", "13 BGM"]),
        (f"{ONE}{END[:-1]}", ["13 UNZ"]),
        (f"{GROUP}{ONE}UNE+1+G'{END}", []),
        (f"\r\n{GROUP}\r\n\r\n{ONE}\n\nUNE+1+G'\r{END}", []),
    ],
)
def test_what_belongs_to_no_message(text: str, expected: list[str]) -> None:
    assert Inside(text).close() == expected
    bit_by_bit = Inside()
    for character in text:
        bit_by_bit.give(character)
    assert bit_by_bit.close() == expected
    assert [type(event) for event in bit_by_bit.emitted] == [type(event) for event in Inside(text).emitted]


def test_a_service_segment_without_an_end() -> None:
    for tag in ("UNE", "UNG", "UIH"):
        inside = Inside(f"{tag}+" + "1" * MAX_SERVICE_SEGMENT)
        codes = [line.split()[0] for line in inside.close()]
        assert codes[0] == "13"
    inside = Inside(f"{ONE}UNE+")
    inside.give("1" * (MAX_SERVICE_SEGMENT - 10))
    assert inside.buffer.pos == len(ONE)
    inside.give("1" * 20)
    assert inside.buffer.pos > len(ONE)


def test_a_long_stretch_is_told_once_and_let_go() -> None:
    inside = Inside(ONE)
    for n in range(12):
        inside.give("BGM+1'" * 3_000)
        assert len(inside.buffer) <= 2 * MAX_STRETCH, n
    assert inside.give(ONE.replace("1", "2", 1)) == ["2"]
    inside.give("UNZ+2+R'")
    ended = inside.body.ended
    assert ended is not None
    (finding,) = (f for f in ended.findings if f.code == "33")
    assert finding.text.endswith("segments outside any message")


@pytest.mark.parametrize("filler", [MAX_STRETCH - 1, MAX_STRETCH, MAX_STRETCH + 1, MAX_STRETCH + 300])
def test_words_inside_a_long_stretch_are_no_service_segments(filler: int) -> None:
    inside = Inside("x" * filler + "UNH+1'")
    assert inside.give(f"y'{ONE}{END}") == ["1"]
    assert inside.body.ended is not None
    assert [finding.code for finding in inside.body.ended.findings] == ["33"]


def test_a_message_longer_than_the_limit_is_skipped_to_its_trailer() -> None:
    inside = Inside("UNH+1+CUSDEC:D:96B:UN'", limit=100)
    assert inside.give("FTX+AAA+++X'" * 10) == ["1"]
    assert inside.give("FTX+AAA+++X'" * 10_000) == []
    assert len(inside.buffer) <= 2 * MAX_STRETCH
    assert inside.give("UNT+9+1'" + ONE.replace("+1+", "+2+").replace("3+1", "3+2")) == ["2"]
    inside.give("UNZ+2+R'")
    assert inside.body.ended is not None
    assert [(f.code, f.text) for f in inside.body.ended.findings] == [
        ("39", "a message of more than 100 octets is not read")
    ]


def test_a_message_longer_than_the_limit_in_one_segment() -> None:
    inside = Inside("UNH+1+CUSDEC:D:96B:UN" + ":X" * MAX_SERVICE_SEGMENT, limit=100)
    assert [type(event) for event in inside.emitted] == [Message]
    inside.give(f"UNH+9+:'UNT+2+1'{ONE}")
    references = [event.reference for event in inside.emitted if isinstance(event, Message)]
    assert references == ["1", "1"]


def kinds(events: Sequence[object]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_a_package_waits_for_its_object_and_its_trailer() -> None:
    inside = Inside("UNO+P+A:1+B:2+40'")
    assert inside.give("'UNT+1+1'UNZ+1+R'" + "x" * 22) == []
    assert inside.give("y") == []
    assert inside.give("UNP+40+P") == []
    assert inside.give("'") == ["P"]
    assert kinds(inside.emitted) == ["Package"]
    assert inside.give(END) == []
    assert inside.body.ended is not None
    assert inside.body.ended.findings == ()


def test_an_object_without_its_trailer_is_given_when_that_shows() -> None:
    inside = Inside("UNO+P+A:1+B:2+3'abc")
    assert inside.give("BGM+1'") == []
    assert inside.give(ONE) == ["P", "1"]
    package = inside.emitted[0]
    assert isinstance(package, Package)
    assert (package.data, package.trailer) == (b"abc", None)
