"""Interchanges as the field sends them: what is unusual is read unharmed, what is wrong is told once."""

import pytest

from tidewaiter.codecs.edifact import Interchange, Profile, read_interchange, read_interchanges
from tidewaiter.codecs.finding import EdifactPointer, Severity

HEAD = "UNB+UNOC:3+A+B+260504:1307+R'"
HEAD4 = "UNB+UNOC:4+A+B+20260504:1307+R'"
ONE = "UNH+1+CUSDEC:D:96B:UN'BGM+929+L1+9'UNS+D'UNS+S'UNT+5+1'"
TWO = ONE.replace("UNH+1", "UNH+2").replace("+5+1", "+5+2")
GROUP = "UNG+CUSDEC+A+B+260504:1307+G1+UN+D:96B'"
GROUP2 = GROUP.replace("G1", "G2")
END = "UNZ+1+R'"
GOOD = f"{HEAD}{ONE}{END}"
MAIL = "From: broker\r\nSubject: UNB for UNA office\r\n\r\n"


def told(interchange: Interchange) -> list[str]:
    """`29 UNT 5` for each error, `w46 UNB` for each warning: the envelope's, then each message's."""
    lines = []
    for finding in (*interchange.findings, *(f for m in interchange.messages for f in m.findings)):
        assert isinstance(finding.pointer, EdifactPointer)
        mark = "" if finding.severity is Severity.ERROR else finding.severity.value[0]
        lines.append(f"{mark}{finding.code} {finding.pointer.tag} {finding.pointer.segment or ''}".strip())
    return lines


def body(*segments: str) -> str:
    """A message of these segments with a count that is right."""
    return f"UNH+1+CUSDEC:D:96B:UN'{''.join(f'{s}{chr(39)}' for s in segments)}UNT+{len(segments) + 2}+1'"


def texts(interchange: Interchange, tag: str = "FTX", element: int = 4) -> list[str]:
    return [s.value(element) for m in interchange.messages for s in m.segments if s.tag == tag]


# Name, octets, what is told, and the text of each FTX where there is one.
CASES: list[tuple[str, bytes, list[str], list[str]]] = []


def case(name: str, text: str | bytes, expected: list[str] | None = None, *values: str) -> None:
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    CASES.append((name, data, expected or [], list(values)))


def free(text: str) -> str:
    return body(f"FTX+AAA+++{text}")


# Service characters.
case("defaults without UNA", GOOD)
case("level B with the characters of level A", GOOD.replace("UNOC:3", "UNOB:1"))
case("level B of version 4 without UNA", f"{HEAD4.replace('UNOC', 'UNOB')}{ONE}{END}")
SEPARATED = str.maketrans(":+'", "\x1f\x1d\x1c")
case("level B by the letter", GOOD.replace("UNOC:3", "UNOB:1").translate(SEPARATED))
case(
    "level B by the letter has no release character",
    f"{HEAD}{free('@')}{END}".replace("UNOC:3", "UNOB:1").translate(SEPARATED).replace("@", "what?'+:"),
    [],
    "what?'+:",
)
case("UNA and a line end before UNB", f"UNA:+.? '\r\n{GOOD}")
case("UNA that changes everything", "UNA|;,! ~" + GOOD.translate(str.maketrans(":+'", "|;~")))
case("UNA wins over level B", "UNA:+.? '" + GOOD.replace("UNOC:3", "UNOB:2"))
case("no release character", f"UNA:+.  '{HEAD}{free('really? no')}{END}", [], "really? no")
case("a backslash for release", f"UNA:+.\\ '{HEAD}{free(chr(92) + ':?' + chr(92) * 2)}{END}", [], ":?\\")
case("everything released", f"{HEAD}{free('?+?:?' + chr(39) + '??')}{END}", [], "+:'?")
case("a letter released", f"{HEAD}{free('?A')}{END}", [], "A")
case("a released release before a terminator", f"{HEAD}{free('why??')}{END}", [], "why?")
case("a released terminator and UNZ", f"{HEAD}{free('it?' + chr(39) + 'UNZ?+1')}{END}", [], "it'UNZ+1")
case("repetition is data in version 3", f"{HEAD}{free('A*B')}{END}", [], "A*B")
case("repetition named by UNA is data in version 3", f"UNA:+.?*'{HEAD}{free('A*B')}{END}", [], "A*B")
case("repetition in version 4", f"{HEAD4}{free('A*B')}{END}", [], "A")
case("repetition released in version 4", f"{HEAD4}{free('A?*B')}{END}", [], "A*B")
case("another repetition separator", f"UNA:+.?^'{HEAD4}{free('A*B^C')}{END}", [], "A*B")
case("version 4 without a repetition separator", f"UNA:+.? '{HEAD4}{free('A*B')}{END}", ["w20 UNA"], "A*B")
case("two services by one character", f"UNA++.? '{GOOD}", ["20 UNA"])
case("a letter as separator", f"UNAX+.? '{GOOD}", ["20 UNA"])
case("a decimal mark that is none", f"UNA:+;? '{GOOD}", ["20 UNA"])
case("UNA cut short", "UNA:+.?", ["20 UNA"])
case("UNB with a separator that is none", GOOD.replace("+", "|"), ["20 UNB"])

# Syntax levels and their characters.
for level in ("IATA:1", "IATB:1", "SIRE:1", "ANSI:1", "UNOA:1", "UNOA:2", "UNOL:4"):
    case(
        f"level {level}",
        GOOD.replace("UNOC:3", level).replace("260504", "20260504" if "4" in level else "260504"),
    )
case("an unknown level", GOOD.replace("UNOC", "XYZW"), ["46 UNB"])
case("a version that is none", GOOD.replace("UNOC:3", "UNOC:9"), ["2 UNB"])
case("no version", GOOD.replace("UNOC:3", "UNOC"), ["2 UNB"])
case("lower case under level A", f"{HEAD}{free('abc')}{END}".replace("UNOC", "UNOA"), ["w21 FTX 2"], "abc")
case("Latin under level A", f"{HEAD}{free('BÜRO')}{END}".replace("UNOC", "UNOA"), ["21 FTX 2"], "BÜRO")
case("Latin under level C", f"{HEAD}{free('Büro')}{END}", [], "Büro")
case(
    "the euro under level L",
    f"{HEAD4.replace('UNOC', 'UNOL')}{free('12 €')}{END}".encode("iso-8859-15"),
    [],
    "12 €",
)
case(
    "Cyrillic under level E",
    f"{HEAD.replace('UNOC', 'UNOE')}{free('Груз')}{END}".encode("iso-8859-5"),
    [],
    "Груз",
)
case("UTF-8 under level W", f"{HEAD4.replace('UNOC', 'UNOW')}{free('貨物')}{END}".encode(), [], "貨物")
case("UTF-8 under level Y", f"{HEAD4.replace('UNOC', 'UNOY')}{free('貨物')}{END}".encode(), [], "貨物")
case(
    "level X, ISO 2022",
    f"{HEAD4.replace('UNOC', 'UNOX')}{free('東京')}{END}".encode("iso2022_jp"),
    [],
    "東京",
)
case("UTF-8 under level C", f"{HEAD}{free('Büro')}{END}".encode(), ["46 FTX 2"], "Büro")
case(
    "half UTF-8",
    f"{HEAD4.replace('UNOC', 'UNOW')}{free('B@ro')}{END}".encode().replace(b"@", b"\xc3"),
    ["21 FTX 2"],
    "BÃro",
)
case(
    "a line wrapped inside data",
    f"{HEAD}{free('one' + chr(13) + chr(10) + 'two')}{END}",
    ["21 FTX 2"],
    "one\r\ntwo",
)
case(
    "a line wrapped after a separator",
    f"{HEAD}{body('FTX+AAA+++' + chr(10) + 'two')}{END}",
    ["21 FTX 2"],
    "\ntwo",
)
case("a control character", f"{HEAD}{free('a' + chr(0) + 'b')}{END}", ["21 FTX 2"], "a\0b")
case(
    "a control character of the upper half",
    f"{HEAD}{free('a' + chr(0x85) + 'b')}{END}",
    ["21 FTX 2"],
    "a\x85b",
)
case("a control character in UNB", GOOD.replace("+A+", "+A\x00+"), ["21 UNB"])
case("a line wrapped inside UNB", GOOD.replace("+A+", "+A\r\nA+"), ["21 UNB"])
case("Latin in UNB under level A", GOOD.replace("UNOC", "UNOA").replace("+A+", "+Ä+"), ["21 UNB"])
case(
    "a control character in UNG",
    f"{HEAD}{GROUP.replace('+A+', '+A' + chr(7) + '+')}{ONE}UNE+1+G1'{END}",
    ["21 UNG"],
)
case("every segment on its line", GOOD.replace("'", "'\r\n"))
case("every segment on its line, line feeds", GOOD.replace("'", "'\n"))
case("every segment on its line, indented", GOOD.replace("'", "'\n  "), ["w21 UNH 1"])
case("every segment on its line, with blanks at its end", GOOD.replace("'", "'  \r\n"), ["w21 UNH 1"])
case("a line feed for terminator", "UNA:+.? \n" + GOOD.replace("'", "\n"))

# What stands before and after.
case("a byte order mark", b"\xef\xbb\xbf" + GOOD.encode(), ["w21 UNB"])
case("a byte order mark before UNA", b"\xef\xbb\xbfUNA:+.? '" + GOOD.encode(), ["w21 UNB"])
case("a mail header", MAIL + GOOD, ["w21 UNB"])
case("a mail header before UNA", f"{MAIL}UNA:+.? '{GOOD}", ["w21 UNB"])
case("blank lines before and after", f"\r\n \n{GOOD}\r\n \x1a")
case("padded with nulls", GOOD + "\0" * 80)
case("text after UNZ", f"{GOOD}-- \r\nregards", ["33 UNZ"])
case("nothing", "", ["13 UNB"])
case("blanks only", " \r\n", ["13 UNB"])
case("UTF-16", GOOD.encode("utf-16"), ["w46 UNB"])
case("something else", "<?xml version='1.0'?><x/>", ["13 UNB"])
case("only a trailer", END, ["13 UNB"])
case("an interactive interchange", "UIB+UNOA:4+X+1:2'UIH+A:B:C:D'UIT+1+2'UIZ+X+1'", ["47 UIB"])
case(
    "an interactive interchange after UNA",
    "UNA:+.?*'UIB+UNOA:4+X+1:2'UIH+A:B:C:D'UIT+1+2'UIZ+X+1'",
    ["47 UIB"],
)

# Counts and references.
case("zero-padded counts", f"{HEAD}{GROUP}{ONE.replace('+5+', '+000005+')}UNE+0001+G1'UNZ+0001+R'")
case("several groups", f"{HEAD}{GROUP}{ONE}{TWO}UNE+2+G1'{GROUP2}{ONE}UNE+1+G2'UNZ+2+R'")
case("UNZ counts groups", f"{HEAD}{GROUP}{ONE}{TWO}UNE+2+G1'UNZ+2+R'", ["29 UNZ"])
case("no message", f"{HEAD}UNZ+0+R'", ["32 UNZ"])
case("an empty group", f"{HEAD}{GROUP}UNE+0+G1'{END}", ["32 UNE"])
case("a group among messages", f"{HEAD}{ONE}{GROUP}{TWO}UNE+1+G1'{END}", ["30 UNG"])
case("a message among groups", f"{HEAD}{GROUP}{ONE}UNE+1+G1'{TWO}{END}", ["30 UNH 1"])
case("two types in a group", f"{HEAD}{GROUP}{ONE.replace('CUSDEC', 'CUSRES')}UNE+1+G1'{END}", ["31 UNH 1"])
GROUP4 = GROUP.replace("260504", "20260504")
case("two types in a group of version 4", f"{HEAD4}{GROUP4}{ONE.replace('CUSDEC', 'CUSRES')}UNE+1+G1'{END}")
case("one message reference twice", f"{HEAD}{ONE}{ONE}UNZ+2+R'", ["26 UNH 1"])
case("one group reference twice", f"{HEAD}{GROUP}{ONE}UNE+1+G1'{GROUP}{ONE}UNE+1+G1'UNZ+2+R'", ["26 UNG"])
case("UNT: count", GOOD.replace("UNT+5", "UNT+4"), ["29 UNT 5"])
case("UNT: reference", GOOD.replace("UNT+5+1", "UNT+5+2"), ["28 UNT 5"])
case("UNT: not a count", GOOD.replace("UNT+5", "UNT+-5"), ["37 UNT 5"])
case("UNT: no count", GOOD.replace("UNT+5", "UNT+"), ["13 UNT 5"])
case("UNE: count", f"{HEAD}{GROUP}{ONE}UNE+3+G1'{END}", ["29 UNE"])
case("UNE: reference", f"{HEAD}{GROUP}{ONE}UNE+1+G3'{END}", ["28 UNE"])
case("UNZ: count", f"{HEAD}{ONE}UNZ+7+R'", ["29 UNZ"])
case("UNZ: reference", f"{HEAD}{ONE}UNZ+1+S'", ["28 UNZ"])
case("UNZ: both", f"{HEAD}{ONE}UNZ+7+S'", ["29 UNZ", "28 UNZ"])
case("UNT: too many elements", GOOD.replace("UNT+5+1", "UNT+5+1+2"), ["16 UNT 5"])
case("UNZ: too many elements", GOOD.replace("UNZ+1+R", "UNZ+1+R+X"), ["16 UNZ"])
case("UNB: too many elements", GOOD.replace("+R'UNH", "+R+++++++++X'UNH"), ["16 UNB"])
case("UNB: no sender", GOOD.replace("+A+", "++"), ["13 UNB"])
case("UNB: no reference", GOOD.replace("+R'", "+'"), ["13 UNB"])
case("UNB: no such day", GOOD.replace("260504", "260230"), ["12 UNB"])
case("UNB of version 4 with a short date", f"{HEAD4}{ONE}{END}".replace("20260504", "260504"), ["w12 UNB"])
case("UNH: no reference", GOOD.replace("UNH+1+", "UNH++").replace("+5+1", "+5+"), ["13 UNH 1"])

# Segments.
case("a bare tag", f"{HEAD}{body('SRC', 'ODI')}{END}")
case("explicit nesting", f"{HEAD}{body('FTX:1:2+AAA+++X')}{END}", [], "X")
case("a tag in lower case", f"{HEAD}{body('ftx+AAA')}{END}", ["12 ftx 2"])
case("a tag that begins with a digit", f"{HEAD}{body('1BC+AAA')}{END}", ["12 1BC 2"])
case("nothing between two terminators", f"{HEAD}{body('')}{END}", ["12  2"])
case("a segment before UNH", f"{HEAD}BGM+1'{ONE}{END}", ["33 BGM"])
case("a segment between messages", f"{HEAD}{ONE}FTX+1'{TWO}UNZ+2+R'", ["33 FTX"])
case("UNT twice", f"{HEAD}{ONE}UNT+5+1'{END}", ["33 UNT"])
case("UNE without UNG", f"{HEAD}{ONE}UNE+1+G1'{END}", ["33 UNE"])
case("no UNT before the next UNH", f"{HEAD}{ONE[:-8]}{TWO}UNZ+2+R'", ["13 UNT 4"])
case("no UNT before UNZ", f"{HEAD}{ONE[:-8]}{END}", ["13 UNT 4"])
case("no UNE before the next UNG", f"{HEAD}{GROUP}{ONE}{GROUP2}{ONE}UNE+1+G2'UNZ+2+R'", ["13 UNE"])
case("no UNE before UNZ", f"{HEAD}{GROUP}{ONE}{END}", ["13 UNE"])
case("no UNZ", f"{HEAD}{ONE}", ["13 UNZ"])
case("UNZ without a terminator", GOOD[:-1], ["13 UNZ"])
case("UNZ with its terminator released", f"{GOOD[:-1]}?'", ["13 UNZ", "28 UNZ"])
case("a release character at the very end", f"{GOOD}?", ["33 UNZ"])
case("UNB without an end", HEAD[:-1], ["13 UNB"])
case(
    "security segments",
    f"{HEAD4}{body('USH+7+1', 'USA+1:16:1', 'BGM+929+L1+9', 'UNS+D', 'UNS+S', 'UST+1+5', 'USR+1:ABC')}{END}",
)
case(
    "AUTACK",
    f"{HEAD4}{body('USH+7+1', 'USA+1', 'USB+1', 'USX+R1', 'USY+1', 'UST+1+4', 'USR+1:A')}{END}".replace(
        "CUSDEC:D:96B", "AUTACK:4:1"
    ),
)


@pytest.mark.parametrize(("data", "expected", "values"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_the_field_sends(data: bytes, expected: list[str], values: list[str]) -> None:
    interchange = read_interchange(data)
    assert told(interchange) == expected
    assert texts(interchange) == values
    if data.startswith(b"\xff\xfe"):
        data = data.decode("utf-16").encode()  # What offsets count in.
    for message in interchange.messages:
        for segment in message.segments:
            assert data[segment.offset :].startswith(segment.tag.encode())


def test_utf_8_is_read_for_a_partner_who_may_send_it() -> None:
    data = f"{HEAD}{free('Büro')}{END}".encode()
    found = read_interchange(data, profile=Profile(utf8=True))
    assert (told(found), texts(found)) == (["w46 FTX 2"], ["Büro"])


@pytest.mark.parametrize("before", ["\ufeff", MAIL, "\ufeff\r\n"])
@pytest.mark.parametrize("advice", ["", "UNA:+.? '"])
def test_a_partner_may_be_held_to_send_nothing_before_unb(before: str, advice: str) -> None:
    data = f"{before}{advice}{GOOD}".encode()
    found = read_interchange(data, profile=Profile(leading_text=False))
    assert told(found) == ["21 UNB"]
    assert len(found.messages) == 1
    assert data[found.start :].startswith(b"UN")


OTHER = "UNA|;,! ~" + GOOD.replace("+R'", "+S'").translate(str.maketrans(":+'", "|;~"))
THIRD = f"UNA:+.? '{GOOD}".replace("+R'", "+T'")


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("", []),
        ("\r\n", []),
        (" \r\n\x1a\0", []),
        ("\ufeff", ["w21 UNB"]),
        ("-- \r\nnext one\r\n", ["w21 UNB"]),
        ("\r\n" * 2_000, []),
    ],
)
def test_every_interchange_of_a_file_by_its_own_advice(between: str, expected: list[str]) -> None:
    data = between.join([GOOD, OTHER, THIRD, GOOD.replace("+R'", "+V'")]).encode()
    found = read_interchanges(data)
    assert [i.reference for i in found] == ["R", "S", "T", "V"]
    assert [told(i) for i in found] == [[], expected, expected, expected]
    assert [[m.identifier for m in i.messages] for i in found] == [["CUSDEC:D:96B:UN"]] * 4
    for interchange in found:
        for message in interchange.messages:
            for segment in message.segments:
                assert data[segment.offset :].startswith(segment.tag.encode())
    offsets = [interchange.start for interchange in found]
    assert [data[offset : offset + 4] for offset in offsets] == [b"UNB+", b"UNA|", b"UNA:", b"UNB+"]


def test_one_bad_message_does_not_lose_the_others() -> None:
    bad = "UNH+2+CUSDEC:D:96B:UN'BGM+929+L1+9UNS+D'1X+\0'UNT+5+3'"
    found = read_interchange(
        f"{HEAD}{ONE}{bad}{ONE.replace('UNH+1', 'UNH+3').replace('+5+1', '+5+3')}UNZ+3+R'".encode()
    )
    assert [m.reference for m in found.messages] == ["1", "2", "3"]
    assert [bool(m.findings) for m in found.messages] == [False, True, False]
    assert [m.position for m in found.messages] == [1, 2, 3]


def test_a_bad_interchange_does_not_lose_the_next() -> None:
    found = read_interchanges(f"{HEAD}{ONE}UNZ+1'UNB+UNOC:3{GOOD}{THIRD}".encode())
    assert [i.reference for i in found][-1] == "T"
    assert told(found[-1]) == []


# Packages (ISO 9735-8): octets between UNO and UNP that are none of the reader's business.
OBJECTS = [
    b"",
    b"x",
    b"+UNP+1'",
    b"a'b+c:d?'UNZ+1+R'UNH+1+X",
    b"\0\xff?",
    b"'" * 50,
    b"UNO+P2+X:1+Y:2+3'abcUNP+3+P2'",
]


def package(data: bytes, *, length: int | None = None, closing: str = "P1", told: int | None = None) -> bytes:
    first = len(data) if length is None else length
    second = first if told is None else told
    return f"UNO+P1+ABC:1+XYZ:2+{first}'".encode() + data + f"UNP+{second}+{closing}'".encode()


@pytest.mark.parametrize("data", OBJECTS)
def test_a_package_is_skipped_by_its_length(data: bytes) -> None:
    text = HEAD4.encode() + package(data) + ONE.encode() + b"UNZ+2+R'"
    found = read_interchange(text)
    assert told(found) == []
    (held,) = found.packages
    assert (held.reference, held.data) == ("P1", data)
    assert (held.header.tag, held.trailer.tag if held.trailer else "") == ("UNO", "UNP")
    assert [m.reference for m in found.messages] == ["1"]
    assert text[found.messages[0].segments[1].offset :].startswith(b"BGM+")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (package(b"abc", told=4), {"29 UNP"}),
        (package(b"abc", closing="P2"), {"28 UNP"}),
        (package(b"abc", length=4), {"29 UNO", "13 UNO", "13 UNP"}),
        (package(b"abc", length=2), {"29 UNO", "13 UNO", "13 UNP"}),
        (package(b"abc", length=999_999_999), {"29 UNO", "13 UNO", "13 UNP"}),
    ],
)
def test_a_package_that_does_not_add_up(octets: bytes, expected: set[str]) -> None:
    found = told(read_interchange(HEAD4.encode() + octets + ONE.encode() + b"UNZ+2+R'"))
    assert expected & set(found)
    assert len(found) <= 4


# Service segments that are not there, or twice.
PLAIN = [HEAD[:-1], *ONE.split("'")[:-1], *TWO.split("'")[:-1], "UNZ+2+R"]
GROUPED = [HEAD[:-1], GROUP[:-1], *ONE.split("'")[:-1], "UNE+1+G1", GROUP2[:-1], *TWO.split("'")[:-1]]
GROUPED += ["UNE+1+G2", "UNZ+2+R"]


@pytest.mark.parametrize("segments", [PLAIN, GROUPED], ids=["messages", "groups"])
@pytest.mark.parametrize("times", [0, 2])
@pytest.mark.parametrize("tag", ["UNB", "UNH", "UNT", "UNE", "UNZ"])
def test_a_service_segment_left_out_or_doubled_is_told_once(
    segments: list[str], times: int, tag: str
) -> None:
    for n, segment in enumerate(segments):
        if segment[:3] != tag:
            continue
        changed = [*segments[:n], *[segment] * times, *segments[n + 1 :]]
        data = "".join(f"{text}'" for text in changed).encode()
        found = [line for interchange in read_interchanges(data) for line in told(interchange)]
        assert 1 <= len(found) <= 2
        # What is told beside it is the count or the reference that is then wrong.
        others = {line.split()[0] for line in found} - {"13", "33"}
        assert others <= {"28", "29", "32"}
        assert len(others) < 2


# Octets that do not come, at every place.
WHOLE = f"UNA:+.? '{HEAD}{GROUP}{body('FTX+AAA+++it?' + chr(39) + 's ??', 'SRC')}UNE+1+G1'{END}".encode(
    "latin-1"
)


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_cut_short_at_every_place(size: int) -> None:
    found = read_interchange(WHOLE[:size])
    errors = [line for line in told(found) if line[0].isdigit()]
    assert 1 <= len(errors) <= 5
    assert "13" in {line.split()[0] for line in errors} | {"13" if size < 9 else ""}
    assert found == read_interchanges(WHOLE[:size])[0]


@pytest.mark.parametrize(
    "offset", [n for n in range(9, len(WHOLE)) if WHOLE[n] == ord("'") and WHOLE[n - 1] != ord("?")]
)
def test_a_terminator_left_out(offset: int) -> None:
    found = read_interchange(WHOLE[:offset] + WHOLE[offset + 1 :])
    assert 1 <= len([line for line in told(found) if line[0].isdigit()]) <= 6
