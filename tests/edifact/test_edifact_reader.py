"""The envelope: every count, reference and order of service segments."""

import datetime
from collections.abc import Callable

import pytest

from tidewaiter.codecs.edifact import Interchange, Profile, read_interchange, read_interchanges
from tidewaiter.codecs.finding import MAX_FINDINGS, EdifactPointer, Severity

HEAD = "UNB+UNOC:3+TRADER:ZZ:BACK+GATEWAY:14+260504:1307+REF1++CUSDEC++1+TERMS+1'"
ONE = "UNH+1+CUSDEC:D:96B:UN'BGM+929+L1+9'UNS+D'UNS+S'UNT+5+1'"


def read(text: str, codec: str = "latin-1") -> Interchange:
    return read_interchange(text.encode(codec))


def faults(interchange: Interchange) -> list[tuple[str, str]]:
    """Code and tag of every error, envelope first."""
    found = [*interchange.findings, *(f for m in interchange.messages for f in m.findings)]
    return [
        (f.code, f.pointer.tag if isinstance(f.pointer, EdifactPointer) else "")
        for f in found
        if f.severity is Severity.ERROR
    ]


def test_what_unb_says() -> None:
    found = read(f"{HEAD}{ONE}UNZ+1+REF1'")
    assert found.valid
    assert (found.syntax, found.syntax_version) == ("UNOC", 3)
    assert (found.sender, found.sender_party.qualifier, found.sender_party.routing) == (
        "TRADER",
        "ZZ",
        "BACK",
    )
    assert (found.recipient, found.recipient_party.qualifier) == ("GATEWAY", "14")
    assert found.prepared == datetime.datetime(2026, 5, 4, 13, 7)
    assert (found.reference, found.application, found.agreement) == ("REF1", "CUSDEC", "TERMS")
    assert found.acknowledgement_requested
    assert found.test


def test_what_unh_says() -> None:
    (message,) = read(f"{HEAD}UNH+M7+CUSRES:D:96B:UN:EU01'UNT+02+M7'UNZ+1+REF1'").messages
    assert message.identifier == "CUSRES:D:96B:UN:EU01"
    assert (message.reference, message.type, message.version, message.release) == ("M7", "CUSRES", "D", "96B")
    assert (message.agency, message.association, message.group) == ("UN", "EU01", None)
    assert [segment.number for segment in message.segments] == [1, 2]


def test_a_message_is_its_own_octets() -> None:
    second = ONE.replace("UNH+1", "UNH+2").replace("5+1", "5+2")
    data = f"UNA:+.? '\r\n{HEAD}\r\n{ONE}\r\n{second}UNZ+2+REF1'".encode()
    found = read_interchange(data)
    assert [m.reference for m in found.messages] == ["1", "2"]
    for message in found.messages:
        own = data[message.start : message.end]
        assert own.startswith(b"UNH+")
        assert own.endswith(b"'")
    assert (found.start, found.end) == (0, len(data))


def test_eight_digit_dates_of_version_4() -> None:
    found = read("UNB+UNOC:4+A+B+20260504:1307+R'" + ONE + "UNZ+1+R'")
    assert found.prepared == datetime.datetime(2026, 5, 4, 13, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD}{ONE}UNZ+2+REF1'", [("29", "UNZ")]),
        (f"{HEAD}{ONE}UNZ+1+REF2'", [("28", "UNZ")]),
        (f"{HEAD}{ONE}UNZ+X+REF1'", [("37", "UNZ")]),
        (f"{HEAD}{ONE}UNZ++REF1'", [("13", "UNZ")]),
        (f"{HEAD}{ONE}UNZ+0001+REF1'", []),
        (f"{HEAD}{ONE}", [("13", "UNZ")]),
        (f"{HEAD}UNZ+0+REF1'", [("32", "UNZ")]),
        (f"{HEAD}{ONE.replace('UNT+5', 'UNT+6')}UNZ+1+REF1'", [("29", "UNT")]),
        (f"{HEAD}{ONE.replace('UNT+5', 'UNT+000005')}UNZ+1+REF1'", []),
        (f"{HEAD}{ONE.replace('UNT+5+1', 'UNT+5+2')}UNZ+1+REF1'", [("28", "UNT")]),
        (f"{HEAD}{ONE.replace('UNT+5+1', 'UNT+5')}UNZ+1+REF1'", [("28", "UNT")]),
        (f"{HEAD}{ONE[:-8]}UNZ+1+REF1'", [("13", "UNT")]),
        (f"{HEAD}{ONE}{ONE}UNZ+2+REF1'", [("26", "UNH")]),
        (f"{HEAD}BGM+929'{ONE}UNZ+1+REF1'", [("33", "BGM")]),
        (f"{HEAD}{ONE}UNT+1+1'UNZ+1+REF1'", [("33", "UNT")]),
        (f"{HEAD}{ONE}UNE+1+1'UNZ+1+REF1'", [("33", "UNE")]),
        (f"{HEAD}{ONE}UNO+1+X'UNZ+1+REF1'", [("12", "UNO")]),
        (f"{HEAD}{ONE}UNZ+1+REF1", [("13", "UNZ")]),
        (f"{HEAD}{ONE}UNZ+1+REF1'{HEAD}{ONE}UNZ+1+REF1'", [("33", "UNZ")]),
        (f"{HEAD}{ONE}UNZ+1+REF1'rubbish", [("33", "UNZ")]),
        (f"{HEAD}{ONE}UNZ+1+REF1'\r\n \x1a", []),
        (f"{HEAD}UNH+1+INVOIC:D:96A:UN'UNT+2+1'UNZ+1+REF1'", []),
        (f"{HEAD}UNH+1'UNT+2+1'UNZ+1+REF1'", [("13", "UNH")]),
        (f"{HEAD}UNH++CUSDEC:D:96B:UN'UNT+2+'UNZ+1+REF1'", [("13", "UNH")]),
        (f"{HEAD}UNH+1+CUSDEC:D:96B:UN'1BC+x'UNT+3+1'UNZ+1+REF1'", [("12", "1BC")]),
        (f"{HEAD}UNH+1+CUSDEC:D:96B:UN''UNT+3+1'UNZ+1+REF1'", [("12", "")]),
        ("UNB+UNOC:9+A+B+260504:1307+R'" + ONE + "UNZ+1+R'", [("2", "UNB")]),
        ("UNB+UNOQ:3+A+B+260504:1307+R'" + ONE + "UNZ+1+R'", [("46", "UNB")]),
        ("UNB+UNOC:3+A+B+269999:1307+R'" + ONE + "UNZ+1+R'", [("12", "UNB")]),
        ("UNB+UNOC:3++B+260504:1307+R'" + ONE + "UNZ+1+R'", [("13", "UNB")]),
        ("UNB+UNOC:3+A+B+260504:1307+R23456789012345'" + ONE + "UNZ+1+R23456789012345'", [("39", "UNB")]),
        ("UNB+UNOC:3+A+B+260504:1307", [("13", "UNB")]),
    ],
)
def test_faults_of_the_envelope(text: str, expected: list[tuple[str, str]]) -> None:
    assert faults(read(text)) == expected


GROUP = "UNG+CUSDEC+A+B+260504:1307+G1+UN+D:96B'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD}{GROUP}{ONE}UNE+1+G1'UNZ+1+REF1'", []),
        (f"{HEAD}{GROUP}{ONE}UNE+01+G1'UNZ+01+REF1'", []),
        (f"{HEAD}{GROUP}{ONE}UNE+2+G1'UNZ+1+REF1'", [("29", "UNE")]),
        (f"{HEAD}{GROUP}{ONE}UNE+1+G2'UNZ+1+REF1'", [("28", "UNE")]),
        (f"{HEAD}{GROUP}{ONE}UNZ+1+REF1'", [("13", "UNE")]),
        (f"{HEAD}{GROUP}UNE+0+G1'UNZ+1+REF1'", [("32", "UNE")]),
        (f"{HEAD}{ONE}{GROUP}{ONE}UNE+1+G1'UNZ+1+REF1'", [("30", "UNG")]),
        (f"{HEAD}{GROUP}{ONE}UNE+1+G1'{ONE}UNZ+1+REF1'", [("30", "UNH")]),
        (f"{HEAD}{GROUP.replace('CUSDEC', 'CUSCAR')}{ONE}UNE+1+G1'UNZ+1+REF1'", [("31", "UNH")]),
    ],
)
def test_functional_groups(text: str, expected: list[tuple[str, str]]) -> None:
    found = read(text)
    assert faults(found) == expected
    assert [group.reference for group in found.groups] == ["G1"]


def test_one_reference_may_stand_in_two_groups() -> None:
    second = GROUP.replace("G1", "G2")
    found = read(f"{HEAD}{GROUP}{ONE}UNE+1+G1'{second}{ONE}UNE+1+G2'UNZ+2+REF1'")
    assert faults(found) == []
    assert [m.group for m in found.messages] == ["G1", "G2"]


def test_a_file_of_several_interchanges() -> None:
    first = f"UNA:+.? '{HEAD}{ONE}UNZ+1+REF1'"
    second = "UNA=*.? ~UNB*UNOC=3*A*B*260504=1307*R2~UNH*1*CUSDEC=D=96B=UN~UNT*2*1~UNZ*1*R2~"
    third = f"{HEAD.replace('REF1', 'R3')}{ONE}UNZ+1+R3'"
    data = f"{first}\r\n{second}{third}\r\n".encode()
    found = read_interchanges(data)
    assert [i.reference for i in found] == ["REF1", "R2", "R3"]
    assert all(i.valid for i in found)
    assert [data[i.start : i.start + 4] for i in found] == [b"UNA:", b"UNA=", b"UNB+"]


def test_a_missing_trailer_does_not_swallow_the_next_interchange() -> None:
    found = read_interchanges(f"{HEAD}{ONE}{HEAD.replace('REF1', 'R2')}{ONE}UNZ+1+R2'".encode())
    assert [(i.reference, len(i.messages)) for i in found] == [("REF1", 1), ("R2", 1)]
    assert faults(found[0]) == [("13", "UNZ")]
    assert found[1].valid


def test_a_released_terminator_before_the_letters_of_a_trailer() -> None:
    body = "UNH+1+CUSDEC:D:96B:UN'FTX+AAA+++IT?'UNZ+1'UNT+3+1'"
    assert read(f"{HEAD}{body}UNZ+1+REF1'").valid


@pytest.mark.parametrize(
    ("level", "codec", "text"),
    [
        ("UNOC", "latin-1", "Müller"),
        ("UNOD", "iso-8859-2", "Łódź"),
        ("UNOE", "iso-8859-5", "Москва"),
        ("UNOF", "iso-8859-7", "Αθήνα"),
        ("UNOL", "iso-8859-15", "Sœur €"),
        ("UNOW", "utf-8", "東京"),
        ("UNOY", "utf-8", "서울"),
    ],
)
def test_repertoires(level: str, codec: str, text: str) -> None:
    version = 4 if codec == "utf-8" else 3
    body = f"UNB+{level}:{version}+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'FTX+AAA+++{text}'UNT+3+1'UNZ+1+R'"
    found = read_interchange(body.encode(codec))
    assert found.valid
    assert found.messages[0].segments[1].value(4) == text


@pytest.mark.parametrize(("utf8", "severity"), [(False, Severity.ERROR), (True, Severity.WARNING)])
def test_utf_8_under_another_level_is_read_and_told(utf8: bool, severity: Severity) -> None:
    body = "UNB+UNOA:3+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'FTX+AAA+++BÜTTNER'UNT+3+1'UNZ+1+R'"
    (message,) = read_interchange(body.encode(), Profile(utf8=utf8)).messages
    assert message.segments[1].value(4) == "BÜTTNER"
    assert [(f.code, f.severity) for f in message.findings] == [("46", severity)]


@pytest.mark.parametrize(
    ("level", "text", "severity"),
    [
        ("UNOA:1", b"lower case", Severity.WARNING),
        ("UNOA:1", b"\xfcber", Severity.ERROR),
        ("UNOC:3", b"wrapped\r\nline", Severity.ERROR),
        ("UNOC:3", b"a\x00b", Severity.ERROR),
        ("UNOC:3", b"\xff\x85", Severity.ERROR),
        ("UNOW:4", b"\xff\xfe", Severity.ERROR),
    ],
)
def test_characters_outside_the_repertoire(level: str, text: bytes, severity: Severity) -> None:
    head = f"UNB+{level}+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'FTX+AAA+++".encode()
    (message,) = read_interchange(head + text + b"'UNT+3+1'UNZ+1+R'").messages
    assert [(f.code, f.severity) for f in message.findings] == [("21", severity)]
    pointer = message.findings[0].pointer
    assert isinstance(pointer, EdifactPointer)
    assert (pointer.segment, pointer.tag) == (2, "FTX")


def test_findings_are_bounded_and_errors_come_first() -> None:
    lower = "FTX+AAA+++lower'" * 300
    found = read(f"UNB+UNOA:3+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'{lower}UNT+9+1'UNZ+1+R'")
    (message,) = found.messages
    assert len(message.findings) == MAX_FINDINGS
    assert "29" in {f.code for f in message.findings}
    assert "not listed" in message.findings[-1].text


def test_the_decoded_text_is_the_same_with_every_line_end(make: Callable[..., Interchange]) -> None:
    for end in ("", "\n", "\r\n"):
        text = f"{HEAD}{ONE}UNZ+1+REF1'".replace("'", f"'{end}")
        found = read(text)
        assert found.valid
        assert [s.tag for s in found.messages[0].segments] == ["UNH", "BGM", "UNS", "UNS", "UNT"]


def test_level_b_by_the_letter_is_read_whole() -> None:
    text = f"{HEAD.replace('UNOC:3', 'UNOB:1')}{ONE}UNZ+1+REF1'"
    found = read(text.translate(str.maketrans(":+'", "\x1f\x1d\x1c")))
    assert found.valid
    assert [s.tag for s in found.messages[0].segments] == ["UNH", "BGM", "UNS", "UNS", "UNT"]
    assert found.messages[0].identifier == "CUSDEC:D:96B:UN"


def test_a_segment_that_is_too_long_is_told() -> None:
    found = read(f"{HEAD}UNH+1+CUSDEC:D:96B:UN'FTX+{':' * 70_000}'UNT+3+1'UNZ+1+REF1'")
    assert faults(found) == [("39", "FTX")]


def test_a_line_feed_may_end_segments() -> None:
    text = f"UNA:+.? \n{HEAD}{ONE}UNZ+1+REF1'".replace("'", "\n")
    assert read(text).valid


@pytest.mark.parametrize("between", ["\n    ", "  \r\n", " "])
def test_a_file_that_was_printed_prettily(between: str) -> None:
    found = read(f"{HEAD}{ONE}UNZ+1+REF1'".replace("'", f"'{between}"))
    assert found.valid
    assert [(f.code, f.severity) for f in found.messages[0].findings] == [("21", Severity.WARNING)]
    assert [s.tag for s in found.messages[0].segments] == ["UNH", "BGM", "UNS", "UNS", "UNT"]


def test_what_was_read_up_to_the_limit_is_kept() -> None:
    package = "UNO+{0}+A:1+B:2+3'abcUNP+3+{0}'"
    text = f"{HEAD.replace('UNOC:3', 'UNOC:4').replace('260504', '20260504')}{ONE}"
    text += "".join(package.format(f"P{n}") for n in range(3)) + "UNZ+4+REF1'"
    found = read_interchange(text.encode(), limit=2)
    assert (len(found.messages), [p.reference for p in found.packages]) == (1, ["P0"])
    assert faults(found)[0] == ("35", "UNZ")
    assert read(text).valid
