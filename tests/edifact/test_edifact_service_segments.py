"""What the service segments outside messages may hold: each element, each component, each character."""

import functools

import pytest

from tidewaiter.codecs.edifact import Directory, service_segments
from tidewaiter.codecs.edifact.place import place
from tidewaiter.codecs.edifact.report import Report
from tidewaiter.codecs.edifact.scanner import read_segment
from tidewaiter.codecs.edifact.service import LEVEL_B, ServiceString
from tidewaiter.codecs.edifact.service_segments import check_service_segment
from tidewaiter.codecs.finding import EdifactPointer, Severity

UNB = "UNB+UNOC:3+A+B+260504:1307+R"
UNG = "UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B"
# Each element of UNB, UNG with the longest values it may hold.
FULL_UNB = "+".join(
    [
        "UNB",
        "UNOC:3:123456:123",
        f"{'A' * 35}:1234:{'B' * 35}:{'C' * 35}",
        f"{'A' * 35}:1234:{'B' * 35}:{'C' * 35}",
        "20260504:1307",
        "R" * 14,
        f"{'P' * 14}:AA",
        "Q" * 14,
        "A",
        "1",
        "T" * 35,
        "1",
    ]
)
FULL_UNG = "+".join(
    [
        "UNG",
        "CUSDEC",
        f"{'A' * 35}:1234",
        f"{'B' * 35}:1234",
        "20260504:1307",
        "G" * 14,
        "UNX",
        "D03:96B:EAN004",
        "P" * 14,
    ]
)


def told(text: str, version: int = 3, service: ServiceString = ServiceString()) -> list[str]:
    """`39 2/1 an..35`: code, element and component, and what was expected; `w45 6` for a warning."""
    report, lines = Report(), []
    at = functools.partial(place, interchange="R")
    check_service_segment(read_segment(text, 7, service), version, at, report)
    for finding in report.findings():
        pointer = finding.pointer
        assert isinstance(pointer, EdifactPointer)
        assert pointer.offset is not None
        assert (pointer.segment, pointer.tag) == (0, text[:3])
        assert 7 <= pointer.offset <= 7 + len(text)
        # The finding points to what it quotes.
        value = "" if pointer.element is None or "?" in text else finding.value or ""
        assert text.startswith(value[:20], pointer.offset - 7)
        where = "/".join(str(n) for n in (pointer.element, pointer.component) if n)
        mark = "" if finding.severity is Severity.ERROR else "w"
        lines.append(" ".join(filter(None, [f"{mark}{finding.code}", where, finding.expected])))
    return lines


@pytest.mark.parametrize(
    "text", [UNB, FULL_UNB, UNG, FULL_UNG, "UNE+1+G", "UNZ+1+R", "UNT+5+1", "UNO+P", "USH+1:2:3"]
)
@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_nothing_is_told_of_what_is_in_order(text: str, version: int) -> None:
    assert told(text, version) == []


def elements_of(full: str) -> list[list[str]]:
    return [element.split(":") for element in full.split("+")[1:]]


TOO_LONG = [
    (full, number, index)
    for full in (FULL_UNB, FULL_UNG)
    for number, components in enumerate(elements_of(full), 1)
    for index in range(1, len(components) + 1)
]


@pytest.mark.parametrize(("full", "number", "index"), TOO_LONG)
def test_each_component_has_its_length(full: str, number: int, index: int) -> None:
    elements = elements_of(full)
    longest = len(elements[number - 1][index - 1])
    elements[number - 1][index - 1] += "X"
    text = "+".join([full[:3], *(":".join(components) for components in elements)])
    # UNG of the field is full of what does not belong there, and reads unharmed.
    mark = "w" if full is FULL_UNG else ""
    assert told(text) == [f"{mark}39 {number}/{index} an..{longest}"]


@pytest.mark.parametrize(
    ("full", "mandatory"), [(FULL_UNB, {1, 2, 3, 4, 5}), (FULL_UNG, {1, 2, 3, 4, 5, 6, 7})]
)
def test_what_must_be_there(full: str, mandatory: set[int]) -> None:
    names = {"UNB": ["S001", "S002", "S003", "S004", "0020"]}
    names["UNG"] = ["0038", "S006", "S007", "S004", "0048", "0051", "S008"]
    for number in range(1, len(elements_of(full))):
        parts = full.split("+")
        parts[number] = ""
        name = names[full[:3]][number - 1] if number in mandatory else ""
        assert told("+".join(parts)) == ([f"13 {number}/1 {name}"] if name else [])
        if number in mandatory:
            parts[number] = ":X"
            assert told("+".join(parts))[0] == f"13 {number}/1 {name}"


def test_version_4_asks_less_of_ung() -> None:
    assert told("UNG+++++G", 4) == []
    assert told("UNG+++++G", 3) == [
        f"13 {n}/1 {name}"
        for n, name in [(1, "0038"), (2, "S006"), (3, "S007"), (4, "S004"), (6, "0051"), (7, "S008")]
    ]
    assert told("UNG+CUSDEC", 4) == ["13 5/1 0048"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Too many elements, and separators for nothing.
        (f"{FULL_UNB}+X", ["16 12"]),
        (f"{FULL_UNB}++X", ["16 12"]),
        (f"{FULL_UNB}+", ["w45 12"]),
        (f"{UNB}+", ["w45 6"]),
        (f"{UNB}++", ["w45 7"]),
        (f"{FULL_UNG}+X", ["w16 9"]),
        (f"{UNG}+", ["w45 8"]),
        ("UNZ+1+R+X", ["16 3"]),
        ("UNZ+1+R+", ["w45 3"]),
        ("UNE+1+G+X", ["16 3"]),
        ("UNT+5+1+X", ["16 3"]),
        ("UNT+5+1+", ["w45 3"]),
        # Too many components.
        (UNB.replace("+A+", "+A:1:B:C:D+"), ["16 2/5"]),
        (UNB.replace("+A+", "+A:1:B:C:+"), ["w45 2/5"]),
        (UNB.replace("+A+", "+A:+"), ["w45 2/2"]),
        (f"{UNB}:X", ["16 5/2"]),
        (UNG.replace("+UN+", "+UN:X+"), ["w16 6/2"]),
        (f"{UNG}:", ["w45 7/3"]),
        # What is held against what was received is not looked at here.
        ("UNZ++", []),
        ("UNT+5+12345678901234567890", []),
    ],
)
def test_too_much(text: str, expected: list[str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize("octet", [0x00, 0x0A, 0x0D, 0x1D, 0x1F, 0x7F, 0x80, 0x9F, 0xA0, 0xE9, 0xFF])
@pytest.mark.parametrize("tag", ["UNB", "UNG", "UNE", "UNZ", "UNO"])
def test_service_segments_are_in_ascii(tag: str, octet: int) -> None:
    text = (
        {"UNB": UNB, "UNG": UNG}.get(tag, f"{tag}+1+R")
        .replace("R", f"R{chr(octet)}")
        .replace("G+UN", f"G{chr(octet)}+UN")
    )
    assert told(text) == ["21"]


def test_separators_that_are_control_characters_are_none_in_data() -> None:
    text = UNB.translate(str.maketrans(":+'", "\x1f\x1d\x1c"))
    assert told(text, 1, LEVEL_B) == []


def test_a_released_separator_is_not_counted() -> None:
    assert told(UNB.replace("+A+", f"+{'?+' * 35}+")) == []
    assert told(UNB.replace("+A+", f"+{'?+' * 36}+")) == ["39 2/1 an..35"]


def test_a_control_character_goes_before_one_above_7f() -> None:
    report = Report()
    segment = read_segment(f"{UNB}\xe9\x07", 0, ServiceString())
    check_service_segment(segment, 3, functools.partial(place, interchange="R"), report)
    assert [finding.value for finding in report.findings()] == [r"\x07"]


@pytest.mark.parametrize("tag", ["UNB", "UNG"])
@pytest.mark.parametrize("version", [3, 4])
def test_the_tables_here_are_those_of_the_service_directories(
    directory: Directory, tag: str, version: int
) -> None:
    """The reader has no directory; what it knows by itself must be what the directories say."""
    known, rule = service_segments._SEGMENTS[tag], directory.service(version)[tag]
    assert [use.name for use in known] == [use.id for use in rule.elements]
    for use, defined in zip(known, rule.elements, strict=True):
        needed = use.mandatory or (use.older and version < 4)
        assert needed is defined.mandatory, use.name
        longest = [component.format.high for component in defined.components]
        if version == 4:
            assert list(use.lengths) == longest, use.name
        else:
            # One table serves both: version 3 has no more components, and none longer.
            assert len(longest) <= len(use.lengths), use.name
            assert all(high <= ours for high, ours in zip(longest, use.lengths, strict=False)), use.name
