"""Every fault an element can have, with its code, its place and what was expected."""

import json
from collections.abc import Sequence

import pytest

from tidewaiter.codecs.edifact import Directory, Interchange, read_interchange
from tidewaiter.codecs.edifact.directory import MessageRule
from tidewaiter.codecs.edifact.elements import ElementChecker, decimal_marks, number_pattern, wrong_mark
from tidewaiter.codecs.edifact.place import Locator
from tidewaiter.codecs.edifact.report import Report
from tidewaiter.codecs.finding import EdifactPointer, Finding, Severity

TAGS = ["ANX", "ALP", "NUM", "COD", "REQ", "REP", "LST", "MAN"]
TABLE = {
    "directory": "D.00A",
    "elements": {
        "0062": "an..14",
        "0065": "an..6",
        "1001": "an..3",
        "1002": "an3",
        "1003": "a..3",
        "1004": "a3",
        "1005": "n..4",
        "1006": "n3",
        "1008": "an..3",
        "1131": "an..3",
        "3055": "an..3",
    },
    "codes": {"1008": "1 2 ABC", "3055": "5 6"},
    "composites": {
        "S009": "M:0065 M:1001 M:1001 M:1001",
        "C001": "M:1008 C:1131 C:3055",
        "C002": "C:1001 M:1002",
        "C003": "C:1001 C:1001",
    },
    "segments": {
        "UNH": "M:0062 M:S009",
        "UNT": "M:1005 M:0062",
        "ANX": "C:1001 C:1002",
        "ALP": "C:1003 C:1004",
        "NUM": "C:1005 C:1006",
        "COD": "C:1008 C:C001",
        "REQ": "M:1001 C:C002 M:C003",
        "REP": "C:1001*2 C:C001*3 C:C002*2",
        "LST": "M:C003 C:1001*2",
        "MAN": "M:C002*2",
    },
    "messages": {"PROBES": ["UNH M 1", *(f"{t} C 9" for t in TAGS), "UNT M 1"]},
}


def rule_of(table: object) -> MessageRule:
    rule = Directory.load(json.dumps(table).encode()).find("PROBES", "D", "00A")
    assert rule is not None
    return rule


RULE = rule_of(TABLE)


def read(*segments: str, version: int = 4, advice: str = "UNA:+.?*'") -> Interchange:
    day = "20260504" if version == 4 else "260504"
    body = "".join(f"{segment}'" for segment in segments)
    head = f"{advice}UNB+UNOC:{version}+A+B+{day}:1307+R'UNH+1+PROBES:D:00A:UN'"
    return read_interchange(f"{head}{body}UNT+{len(segments) + 2}+1'UNZ+1+R'".encode("latin-1"))


def faults(
    interchange: Interchange,
    rule: MessageRule = RULE,
    severities: tuple[Severity, Severity] = (Severity.ERROR, Severity.ERROR),
) -> tuple[Finding, ...]:
    (message,) = interchange.messages
    report = Report()
    checker = ElementChecker(interchange, message, Locator(interchange, message), report)
    for segment in message.segments[:-1]:
        checker.check(segment, rule.segments[segment.tag], severities)
    return report.findings()


def told(findings: Sequence[Finding]) -> list[str]:
    """`39 1/2*3 an..3`: code, element, component, repetition, what was expected; `w45 2` for a warning."""
    lines = []
    for finding in findings:
        at = finding.pointer
        assert isinstance(at, EdifactPointer)
        place = f"{at.element}" + (f"/{at.component}" if at.component else "")
        place += f"*{at.repetition}" if at.repetition else ""
        mark = {Severity.ERROR: "", Severity.WARNING: "w"}[finding.severity]
        lines.append(f"{mark}{finding.code} {place} {finding.expected or ''}".strip())
    return lines


# Segment, and what is told of it in version 4.
FAULTS = [
    # Lengths, variable and fixed.
    ("ANX+A+ABC", []),
    ("ANX+ABC", []),
    ("ANX+ABCD", ["39 1/1 an..3"]),
    ("ANX++ABCD", ["39 2/1 an3"]),
    ("ANX++AB", ["40 2/1 an3"]),
    ("ANX+?+?:?'", []),
    ("ANX+?+?:?'??", ["39 1/1 an..3"]),
    # Letters.
    ("ALP+A B+ABC", []),
    ("ALP+A1", ["37 1/1 a..3"]),
    ("ALP+ABCD", ["39 1/1 a..3"]),
    ("ALP++AB", ["40 2/1 a3"]),
    # Of a wrong kind and too long: the kind is told.
    ("ALP+ABC1", ["37 1/1 a..3"]),
    # Numbers: sign and mark are not counted.
    ("NUM+1234+123", []),
    ("NUM+-1234", []),
    ("NUM+12.34", []),
    ("NUM+-12,34+-1.23", []),
    ("NUM+.5", []),
    ("NUM+-.5", []),
    ("NUM+12345", ["39 1/1 n..4"]),
    ("NUM+-12345", ["39 1/1 n..4"]),
    ("NUM+123.45", ["39 1/1 n..4"]),
    ("NUM++12", ["40 2/1 n3"]),
    ("NUM++-1.2", ["40 2/1 n3"]),
    ("NUM++1234", ["39 2/1 n3"]),
    ("NUM+5.", ["37 1/1 n..4"]),
    ("NUM+-", ["37 1/1 n..4"]),
    ("NUM+--5", ["37 1/1 n..4"]),
    ("NUM+5-", ["37 1/1 n..4"]),
    ("NUM+?+5", ["37 1/1 n..4"]),
    ("NUM+1.2.3", ["37 1/1 n..4"]),
    ("NUM+1,2.3", ["37 1/1 n..4"]),
    ("NUM+1 2", ["37 1/1 n..4"]),
    ("NUM+A", ["37 1/1 n..4"]),
    ("NUM+\xb2", ["37 1/1 n..4"]),
    # Codes.
    ("COD+1+ABC", []),
    ("COD+3", ["12 1/1 a code of 1008"]),
    ("COD+abc", ["12 1/1 a code of 1008"]),
    ("COD+AB", ["12 1/1 a code of 1008"]),
    ("COD+ABCD", ["39 1/1 an..3"]),
    ("COD++3", ["12 2/1 a code of 1008"]),
    ("COD++3:ZZZ", []),
    ("COD++3::5", []),
    ("COD++3::9", ["12 2/3 a code of 3055"]),
    ("COD++1::9", ["12 2/3 a code of 3055"]),
    # Missing.
    ("REQ", ["13 1 1001", "13 3 C003"]),
    ("REQ+A++X", []),
    ("REQ++A:ABC+X", ["13 1 1001"]),
    ("REQ+A", ["13 3 C003"]),
    ("REQ+A+B+X", ["13 2/2 1002"]),
    ("REQ+A+:ABC+X", []),
    ("REQ+A++:X", []),
    ("MAN", ["13 1 C002"]),
    ("MAN+A", ["13 1/2 1002"]),
    # Too many, and separators for nothing.
    ("ANX+A+ABC+X", ["16 3"]),
    ("ANX+A+ABC++X", ["16 3"]),
    ("ANX+A+ABC+", ["45 3"]),
    ("ANX+A+", ["45 2"]),
    ("ANX+", ["45 1"]),
    ("ANX+A:B", ["16 1/2"]),
    ("ANX+A:", ["45 1/2"]),
    ("COD++1:A:5:X", ["16 2/4"]),
    ("COD++1:A:5:", ["45 2/4"]),
    ("COD++1:A:", ["45 2/3"]),
    ("COD++1::", ["45 2/3"]),
    # Repetitions.
    ("REP+A*B", []),
    ("REP+A*B*C", ["35 1*3 at most 2"]),
    ("REP+ABCD", ["39 1/1 an..3"]),
    ("REP+A*ABCD", ["39 1/1*2 an..3"]),
    ("REP+ABCD*A*ABCD", ["35 1*3 at most 2", "39 1/1*1 an..3"]),
    ("REP++1*3*2", ["12 2/1*2 a code of 1008"]),
    ("REP++1*2:A:9", ["12 2/3*2 a code of 3055"]),
    ("REP++1:A:5:X*2", ["16 2/4"]),
    ("REP++1*:A", ["13 2/1*2 1008"]),
    ("REP+++:ABC*X", ["13 3/2*2 1002"]),
    ("REP+A*", ["45 1"]),
    ("REP++1*", ["45 2"]),
    ("REP++1**2", ["13 2/1*2 1008"]),
    ("ANX+A*B", ["35 1*2 at most 1"]),
]


@pytest.mark.parametrize(("segment", "expected"), FAULTS)
def test_the_faults_of_a_segment(segment: str, expected: list[str]) -> None:
    assert told(faults(read(segment))) == expected


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        # Each repetition is an element of its own, and the separator of version 4 is data.
        ("REP+A+B+1+2+XYZ", ["12 5/1 a code of 1008"]),
        ("REP+A+B+1+2+2+:ABC+:DEF", []),
        ("REP+A+B+1+2+2+:ABC+:DEF+X", ["16 8"]),
        ("REP+A++++3", ["12 5/1 a code of 1008"]),
        ("REP+A*B", []),
        ("REP+A*BC", ["39 1/1 an..3"]),
        ("LST+A+B+C", []),
        # Only the first of those that are mandatory has to be there.
        ("MAN+:ABC", []),
        ("MAN+:ABC+:DEF", []),
        ("MAN+:ABC+X", ["13 2/2 1002"]),
        # A separator for nothing is common: a warning. A mark without a digit before it is none of version 3.
        ("ANX+A+", ["w45 2"]),
        ("ANX+A:", ["w45 1/2"]),
        ("NUM+.5", ["38 1/1 n..4"]),
        ("NUM+-.5", ["38 1/1 n..4"]),
        ("NUM+-,5", ["19 1/1 n..4"]),
        ("NUM+,5", ["19 1/1 n..4"]),
        ("NUM+1,5", ["19 1/1 n..4"]),
        ("NUM+1.5", []),
    ],
)
def test_what_is_different_in_version_3(segment: str, expected: list[str]) -> None:
    assert told(faults(read(segment, version=3))) == [line.replace("35 3 ", "35 3 ") for line in expected]


def test_a_finding_quotes_the_value_and_says_what_it_is() -> None:
    (finding,) = faults(read("ANX+A?+BCD"))
    assert (finding.value, finding.expected, finding.text) == ("A+BCD", "an..3", "1001 is not an..3")
    (finding,) = faults(read("COD+3"))
    assert (finding.value, finding.text) == ("3", "1008 has no such code")
    (finding,) = faults(read("NUM+1,5", version=3))
    assert finding.text == "the decimal mark of this interchange is '.'"


def test_how_bad_it_is_that_a_format_or_a_code_list_is_broken() -> None:
    interchange = read("ANX+ABCD", "COD+3", "ANX+A+ABC+X", "REP+A*B*C", "REQ+A", "ANX+")
    found = faults(interchange, severities=(Severity.WARNING, Severity.ERROR))
    assert told(found) == [
        "w39 1/1 an..3",
        "12 1/1 a code of 1008",
        "w16 3",
        "w35 1*3 at most 2",
        "13 3 C003",
        "45 1",
    ]
    assert told(faults(interchange, severities=(Severity.ERROR, Severity.WARNING)))[:2] == [
        "39 1/1 an..3",
        "w12 1/1 a code of 1008",
    ]


def test_what_was_told_of_unh_is_not_told_again() -> None:
    interchange = read_interchange(b"UNB+UNOC:4+A+B+20260504:1307+R'UNH++PROBES:D:00A'UNT+2+'UNZ+1+R'")
    (message,) = interchange.messages
    assert told(message.findings) == ["13 1 0062"]
    assert told(faults(interchange)) == ["13 2/4 1001"]


# Dependency notes, each with what stands in elements 1 to 3 and in the components of element 4.


NOTED = {
    "directory": "D.00A",
    "elements": {"0062": "an..14", "0065": "an..6", "1001": "an..3"},
    "composites": {
        "S009": "M:0065 M:1001 M:1001 M:1001",
        "C001": "C:1001 C:1001 C:1001",
        "C009": "C:1001 C:1001",
    },
    "segments": {
        "UNH": "M:0062 M:S009",
        "UNT": "M:1001 M:0062",
        **{f"DD{n}": "C:1001 C:1001 C:1001 C:C001" for n in range(1, 8)},
        "DDC": "C:1001 C:C001",
        "DDW": "C:C009*3 C:1001",
    },
    "notes": {
        **{f"DD{n}": [f"D{n} 1 2 3"] for n in range(1, 8)},
        "DDC": ["D5 1 2.2", "D4 2.1 2.3"],
        "C009": ["D2 1 2"],
    },
    "messages": {
        "PROBES": ["UNH M 1", *(f"DD{n} C 9" for n in range(1, 8)), "DDC C 9", "DDW C 9", "UNT M 1"]
    },
}
NOTES = rule_of(NOTED)
# For each kind the combinations of three that hold, and where the others are told.
HOLDS = {
    1: {"001", "010", "100"},
    2: {"000", "111"},
    3: {"001", "010", "011", "100", "101", "110", "111"},
    4: {"000", "001", "010", "100"},
    5: {"000", "001", "010", "011", "111"},
    6: {"000", "001", "010", "011", "101", "110", "111"},
    7: {"000", "001", "010", "011", "100"},
}


@pytest.mark.parametrize("kind", HOLDS)
@pytest.mark.parametrize("given", [f"{n:03b}" for n in range(8)])
def test_each_kind_of_dependency(kind: int, given: str) -> None:
    elements = "+".join("A" if there == "1" else "" for there in given)
    found = faults(read(f"DD{kind}+{elements}+X"), NOTES)
    if given in HOLDS[kind]:
        assert found == ()
    else:
        first = given.find("1") + 1 or 1
        assert told(found) == [f"48 {first} D{kind}"]
        assert "1, 2, 3" in found[0].text


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("DDC", []),
        ("DDC+A+X:B", []),
        ("DDC+A+X", ["48 1 D5"]),
        ("DDC+A", ["48 1 D5"]),
        ("DDC++X:B:C", ["48 2/1 D4"]),
        ("DDC++::C", []),
    ],
)
def test_a_dependency_of_components(segment: str, expected: list[str]) -> None:
    assert told(faults(read(segment), NOTES)) == expected


@pytest.mark.parametrize(
    ("segment", "version", "expected"),
    [
        ("DDW+A:B", 4, []),
        ("DDW++A", 4, []),
        ("DDW+A", 4, ["48 1/1 D2"]),
        ("DDW+:B", 4, ["48 1/2 D2"]),
        ("DDW+A:B+C:D", 3, []),
    ],
)
def test_a_dependency_of_a_composite(segment: str, version: int, expected: list[str]) -> None:
    assert told(faults(read(segment, version=version), NOTES)) == expected


def test_a_dependency_of_a_composite_holds_in_each_occurrence() -> None:
    assert told(faults(read("DDW+A:B*C"), NOTES)) == ["48 1/1*2 D2"]


@pytest.mark.parametrize(
    ("advice", "version", "expected"),
    [
        ("UNA:+.? '", 3, "."),
        ("UNA:+,? '", 3, ","),
        ("UNA:+,?*'", 4, ".,"),
        ("", 3, ".,"),
        ("", 4, ".,"),
    ],
)
def test_the_decimal_marks_of_an_interchange(advice: str, version: int, expected: str) -> None:
    assert decimal_marks(read("ANX", version=version, advice=advice)) == expected


def test_numbers() -> None:
    older, newer = (number_pattern(".", digit_before=before).fullmatch for before in (True, False))
    for good in ("0", "-0", "12", "-1.5", "0.0"):
        assert older(good)
        assert newer(good)
    for bad in ("", "-", ".", "1.", "-.", "+1", "1e5", "1,5", "\u0661", "1\n", " 1"):
        assert not older(bad)
        assert not newer(bad)
    assert not older(".5")
    assert newer(".5")
    assert newer("-.5")


def test_a_number_with_the_other_mark() -> None:
    assert wrong_mark("1,5", ".") == "the decimal mark of this interchange is '.'"
    assert wrong_mark("1.5", ",") == "the decimal mark of this interchange is ','"
    assert wrong_mark("1.5", ".") is None
    assert wrong_mark("1,5", ".,") is None
    assert wrong_mark("a,5", ".") is None
