"""The octets of one message to a value: UNH against UNT, tags, references, and what is too much."""

import pytest

from tidewaiter.codecs.edifact import Interchange, Message, read_interchange
from tidewaiter.codecs.edifact import message as message_module
from tidewaiter.codecs.edifact.interchange import Group
from tidewaiter.codecs.edifact.message import MessageMaker, check_trailer
from tidewaiter.codecs.edifact.place import place
from tidewaiter.codecs.edifact.report import Report
from tidewaiter.codecs.edifact.scanner import read_segment
from tidewaiter.codecs.edifact.service import ServiceString
from tidewaiter.codecs.edifact.text import Decoder
from tidewaiter.codecs.finding import EdifactPointer, Severity

CONTEXT = Interchange(data=b"", syntax="UNOC", syntax_version=3, reference="R")
UNH = "UNH+1+CUSDEC:D:96B:UN:EU01'"


def maker() -> MessageMaker:
    return MessageMaker(CONTEXT, Decoder("UNOC", CONTEXT.service))


def make(text: str, offset: int = 0, *, ended: bool = True, group: Group | None = None) -> Message:
    return maker().make(text.encode("latin-1"), offset, group, ended=ended)


def group_of(kind: str, reference: str = "G") -> Group:
    header = read_segment(f"UNG+{kind}+A+B+260504:1307+{reference}+UN+D:96B", 0, ServiceString())
    return Group(reference=reference, type=kind, sender="A", recipient="B", header=header)


def told(message: Message) -> list[str]:
    """`29 UNT[3]/1/1 @40 expected 3` for each finding."""
    lines = []
    for finding in message.findings:
        assert isinstance(finding.pointer, EdifactPointer)
        assert finding.severity in {Severity.ERROR, Severity.WARNING}
        where = str(finding.pointer).removeprefix("message 1, ")
        mark = "" if finding.severity is Severity.ERROR else "w"
        lines.append(" ".join(filter(None, [f"{mark}{finding.code}", where, finding.expected])))
    return lines


def test_a_message_as_it_is_read() -> None:
    message = make(f"{UNH}BGM+929+X'\r\nUNT+3+1'", 100)
    assert (message.type, message.version, message.release) == ("CUSDEC", "D", "96B")
    assert (message.agency, message.association, message.identifier) == ("UN", "EU01", "CUSDEC:D:96B:UN:EU01")
    assert (message.reference, message.group, message.position, message.findings) == ("1", None, 1, ())
    assert [segment.tag for segment in message.segments] == ["UNH", "BGM", "UNT"]
    assert [segment.number for segment in message.segments] == [1, 2, 3]
    assert [segment.offset for segment in message.segments] == [100, 127, 139]
    assert (message.start, message.end) == (100, 147)
    assert message.data == f"{UNH}BGM+929+X'\r\nUNT+3+1'".encode()
    assert message.codec == "ascii"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{UNH}UNT+2+1'", []),
        (f"{UNH}UNT+02+1'", []),
        (f"{UNH}UNT+000002+1'", []),
        # UNT 0074.
        (f"{UNH}UNT+3+1'", ["29 UNT[2]/1/1 @31 2"]),
        (f"{UNH}UNT+0+1'", ["29 UNT[2]/1/1 @31 2"]),
        (f"{UNH}UNT++1'", ["13 UNT[2]/1/1 @31 2"]),
        (f"{UNH}UNT+X+1'", ["37 UNT[2]/1/1 @31 2"]),
        (f"{UNH}UNT+2.0+1'", ["37 UNT[2]/1/1 @31 2"]),
        (f"{UNH}UNT+\xb2+1'", ["37 UNT[2]/1/1 @31 2", "21"]),
        # UNT 0062.
        (f"{UNH}UNT+2+2'", ["28 UNT[2]/2/1 @33 1"]),
        (f"{UNH}UNT+2+01'", ["28 UNT[2]/2/1 @33 1"]),
        (f"{UNH}UNT+2'", ["28 UNT[2]/2/1 @27 1"]),
        (f"{UNH}UNT+3+2'", ["29 UNT[2]/1/1 @31 2", "28 UNT[2]/2/1 @33 1"]),
        # UNH.
        ("UNH++CUSDEC:D:96B:UN'UNT+2+'", ["13 UNH[1]/1 @4 0062"]),
        ("UNH+123456789012345+CUSDEC:D:96B:UN'UNT+2+123456789012345'", ["39 UNH[1]/1 @4 an..14"]),
        ("UNH+12345678901234+CUSDEC:D:96B:UN'UNT+2+12345678901234'", []),
        ("UNH+1'UNT+2+1'", ["13 UNH[1]/2/1 @0 0065"]),
        ("UNH+1+:D:96B:UN'UNT+2+1'", ["13 UNH[1]/2/1 @6 0065"]),
        # Tags.
        (f"{UNH}bgm+1'UNT+3+1'", ["12 bgm[2] @27 three letters"]),
        (f"{UNH}1GM+1'UNT+3+1'", ["12 1GM[2] @27 three letters"]),
        (f"{UNH}BGMX+1'UNT+3+1'", ["12 BGMX[2] @27 three letters"]),
        (f"{UNH}BG+1'UNT+3+1'", ["12"]),
        (f"{UNH}+1'UNT+3+1'", ["12"]),
        (f"{UNH}'UNT+3+1'", ["12 [2] @27 three letters"]),
        (f"{UNH}X1Y+1'BGM:1:2+1'UNT+4+1'", []),
    ],
)
def test_faults_of_a_message(text: str, expected: list[str]) -> None:
    found = sorted(told(make(text)))
    assert len(found) == len(expected), found
    for line, start in zip(found, sorted(expected), strict=True):
        assert line.startswith(start)


def test_a_message_that_does_not_end() -> None:
    assert told(make(f"{UNH}BGM+1'", ended=False)) == ["13 UNT[2] @27 UNT"]
    assert told(make(f"{UNH}BGM+1", ended=False)) == ["13 BGM[2] @27 '"]
    assert told(make(f"{UNH}UNT+2+1", ended=True)) == ["13 UNT[2] @27 '"]
    assert make("UNH", ended=False).segments[0].tag == "UNH"


def test_a_reference_is_used_once_in_a_group() -> None:
    making, first, second = maker(), group_of("CUSDEC"), group_of("CUSDEC", "H")
    data = f"{UNH}UNT+2+1'".encode()
    given = [
        (first, True),
        (first, True),
        (second, True),
        (second, False),
        (None, True),
        (None, True),
        (first, True),
    ]
    codes = [[f.code for f in making.make(data, 0, group, ended=ended).findings] for group, ended in given]
    assert codes == [[], ["26"], [], ["26", "13"], [], ["26"], []]
    assert making.made == len(given)


def test_the_reference_of_a_message_cut_off_may_be_used_again() -> None:
    making = maker()
    cut = making.make(UNH.encode(), 0, None, ended=False)
    whole = making.make(f"{UNH}UNT+2+1'".encode(), 27, None, ended=True)
    assert [f.code for f in cut.findings] == ["13"]
    assert (whole.findings, whole.position) == ((), 2)


def test_the_type_of_the_group() -> None:
    assert told(make(f"{UNH}UNT+2+1'", group=group_of("CUSDEC"))) == []
    assert told(make(f"{UNH}UNT+2+1'", group=group_of(""))) == []
    assert told(make(f"{UNH}UNT+2+1'", group=group_of("CUSCAR"))) == ["31 UNH[1]/2/1 @6 CUSCAR"]
    assert make(f"{UNH}UNT+2+1'", group=group_of("CUSDEC")).group == "G"


def test_more_segments_than_unt_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_module, "MAX_SEGMENTS", 10)
    assert told(make(f"{UNH}{'BGM+1~' * 8}UNT+10+1'".replace("~", "'"))) == []
    message = make(f"{UNH}{'BGM+1~' * 9}UNT+11+1'".replace("~", "'"))
    assert told(message) == ["35 UNH[1] @0"]
    assert message.findings[0].value == "11"
    assert [segment.tag for segment in message.segments] == ["UNH"]
    assert (message.reference, len(message.data)) == ("1", 27 + 9 * 6 + 9)


def test_tags_that_were_good_once_are_good_again() -> None:
    making = maker()
    for _ in range(2):
        assert making.make(f"{UNH}BGM+1'UNT+3+1'".encode(), 0, group_of("CUSDEC"), ended=True).findings == ()
        bad = making.make(f"{UNH}B-M+1'UNT+3+1'".encode(), 0, group_of("CUSDEC"), ended=True).findings
        assert [finding.code for finding in bad] == ["12"]


@pytest.mark.parametrize(
    ("trailer", "expected"),
    [
        ("UNZ+7+R", []),
        ("UNZ+007+R", []),
        ("UNZ+8+R", ["29 0036"]),
        ("UNZ+R+R", ["37 0036"]),
        ("UNZ++R", ["13 0036"]),
        ("UNZ+7+S", ["28 0020"]),
        ("UNZ", ["13 0036", "28 0020"]),
    ],
)
def test_a_trailer_against_what_was_counted(trailer: str, expected: list[str]) -> None:
    report = Report()
    check_trailer(read_segment(trailer, 0, ServiceString()), ("0036", 7), ("0020", "R"), place, report)
    assert [f"{f.code} {f.text.split()[0]}" for f in report.findings()] == expected


def test_a_count_of_nothing_may_be_written_in_any_length() -> None:
    for zeros in ("0", "000"):
        report = Report()
        check_trailer(
            read_segment(f"UNZ+{zeros}+R", 0, ServiceString()), ("0036", 0), ("0020", "R"), place, report
        )
        assert report.findings() == ()


def test_the_position_of_a_message_is_told_where_there_are_several() -> None:
    one = f"{UNH}UNT+9+1'"
    two = one.replace("+1", "+2")
    found = read_interchange(f"UNB+UNOC:3+A+B+260504:1307+R'{one}{two}UNZ+2+R'".encode())
    places = [
        f.pointer.position
        for m in found.messages
        for f in m.findings
        if isinstance(f.pointer, EdifactPointer)
    ]
    assert places == [1, 2]
