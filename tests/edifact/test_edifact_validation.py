"""A message against its directory: every fault with its code and its place."""

from collections.abc import Callable

import pytest

from tidewaiter.codecs.edifact import Directory, Interchange, read_cusdec, read_interchange, validate
from tidewaiter.codecs.edifact.validation import NOT_PLACED
from tidewaiter.codecs.finding import MAX_FINDINGS, EdifactPointer, Finding, Severity

Make = Callable[..., Interchange]
HEAD = ("BGM+929+L1+9",)
TAIL = ("UNS+D", "UNS+S")
GOOD = (*HEAD, "LOC+96+GB001", "RFF+ABT:1", "UNS+D", "CST+1+1:TSP:ZZZ", "FTX+AAA+++X", "UNS+S", "CNT+5:1")


def check(make: Make, directory: Directory, *segments: str, **options: str) -> tuple[Finding, ...]:
    interchange = make(*segments, **options)
    return validate(interchange, interchange.messages[0], directory).findings


def told(findings: tuple[Finding, ...]) -> list[str]:
    """`13 RFF[3]/1/2` for each finding."""
    return [f"{f.code} {str(f.pointer).partition(' @')[0]}" for f in findings]


def test_a_good_message(make: Make, directory: Directory) -> None:
    interchange = make(*GOOD)
    found = validate(interchange, interchange.messages[0], directory)
    assert found.findings == ()
    assert NOT_PLACED not in found.positions
    assert found.rule is not None
    groups = [found.rule.structure.group_name(p) for p in found.positions]
    assert groups == ["", "", "", "SG1", "", "SG30", "SG30", "", "", ""]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        # Order and groups.
        ((*HEAD, "RFF+ABT:1", "LOC+96+X", *TAIL), ["15 LOC[4]"]),
        ((*HEAD, "XYZ+1", *TAIL), ["15 XYZ[3]"]),
        ((*HEAD, "CTA+IC", *TAIL), ["15 CTA[3]"]),
        (("LOC+96+X", *TAIL), ["13 BGM[1]"]),
        ((*HEAD, "CST+1", "UNS+S"), ["13 UNS[3]"]),
        ((*HEAD, "CST++A:117:ZZZ", "CST+1", "UNS+S"), ["13 UNS[3]"]),
        ((*HEAD, "UNS+S", "UNS+S"), ["12 UNS[3]/1/1"]),
        ((*HEAD, "UNS+D", "UNS+D"), ["12 UNS[4]/1/1"]),
        ((*HEAD, "UNS+D", "CNT+5:1"), ["13 UNS[3]"]),
        ((*HEAD, "LOC+96+X"), ["13 UNS[3]", "13 UNS[3]"]),
        ((*HEAD, "AUT+X", "DTM+137:20260504:102", *TAIL), ["15 AUT[3]"]),
        ((*HEAD, *HEAD, *TAIL), ["35 BGM[3]"]),
        ((*HEAD, *["MEA+WT+AAD+KGM:1"] * 7, *TAIL), ["35 MEA[8]"]),
        ((*HEAD, *["TDT+11"] * 7, *TAIL), ["36 TDT[8]"]),
        ((*HEAD, "UNS+D", *["CST+1", *["TAX+1"] * 10] * 2, "UNS+S"), []),
        ((*HEAD, "UNS+D", "CST+1", *["TAX+1"] * 12, "UNS+S"), ["36 TAX[15]"]),
        # Elements.
        ((*HEAD, "LOC", *TAIL), ["13 LOC[3]/1"]),
        ((*HEAD, "RFF+:5", *TAIL), ["13 RFF[3]/1/1"]),
        ((*HEAD, "NAD+IM++:X", *TAIL), ["13 NAD[3]/3/1"]),
        ((*HEAD, "LOC+TOOLONG", *TAIL), ["39 LOC[3]/1/1"]),
        ((*HEAD, "RFF+ABT:1:2:3:4:5", *TAIL), ["16 RFF[3]/1/5"]),
        ((*HEAD, "RFF+ABT:1+X", *TAIL), ["16 RFF[3]/2"]),
        ((*HEAD, "RFF+ABT:1:", *TAIL), ["45 RFF[3]/1/3"]),
        ((*HEAD, "RFF+ABT:1+", *TAIL), ["45 RFF[3]/2"]),
        ((*HEAD, "RFF+ABT::::::", *TAIL), ["45 RFF[3]/1/5"]),
        ((*HEAD, "UNS+DS", "UNS+S"), ["39 UNS[3]/1/1"]),
        ((*HEAD, "UNS+1", "UNS+S"), ["37 UNS[3]/1/1", "12 UNS[3]/1/1"]),
        # Numbers.
        ((*HEAD, "MOA+39:12.5", *TAIL), []),
        ((*HEAD, "MOA+39:12,5", *TAIL), []),
        ((*HEAD, "MOA+39:-12.5", *TAIL), []),
        ((*HEAD, "MOA+39:123456789012345678", *TAIL), []),
        ((*HEAD, "MOA+39:-1234567890123456.78", *TAIL), []),
        ((*HEAD, "MOA+39:1234567890123456789", *TAIL), ["39 MOA[3]/1/2"]),
        ((*HEAD, "MOA+39:.5", *TAIL), ["38 MOA[3]/1/2"]),
        ((*HEAD, "MOA+39:5.", *TAIL), ["37 MOA[3]/1/2"]),
        ((*HEAD, "MOA+39:?+5", *TAIL), ["37 MOA[3]/1/2"]),
        ((*HEAD, "MOA+39:1E5", *TAIL), ["37 MOA[3]/1/2"]),
        ((*HEAD, "MOA+39:1 000", *TAIL), ["37 MOA[3]/1/2"]),
        ((*HEAD, "MOA+39:\u00b2", *TAIL), ["37 MOA[3]/1/2"]),
    ],
)
def test_faults(make: Make, directory: Directory, segments: tuple[str, ...], expected: list[str]) -> None:
    assert told(check(make, directory, *segments)) == expected


def test_every_offset_is_the_place(make: Make, directory: Directory) -> None:
    segments = (*HEAD, "LOC+TOOLONG", "RFF+:5", "XYZ+1", *TAIL)
    interchange = make(*segments)
    found = validate(interchange, interchange.messages[0], directory).findings
    assert len(found) == 3
    begun = [segment.offset for segment in interchange.messages[0].segments[2:]]
    # The code that is too long, the qualifier that is missing, the segment itself.
    places = [(begun[0] + 4,), (begun[1] + 4,), (begun[2],)]
    for finding in found:
        pointer = finding.pointer
        assert isinstance(pointer, EdifactPointer)
        assert pointer.offset is not None
        segment = interchange.messages[0].segments[pointer.segment - 1]
        assert interchange.data[segment.offset :].startswith(segments[pointer.segment - 2].encode())
        assert pointer.offset in places[pointer.segment - 3]
        assert (pointer.interchange, pointer.message) == ("REF1", "1")


def test_all_faults_of_one_pass_and_no_more_than_the_limit(make: Make, directory: Directory) -> None:
    found = check(make, directory, *HEAD, *["LOC+TOOLONG+X"] * 80, *["RFF+:1"] * 80, *TAIL)
    assert len(found) == MAX_FINDINGS
    assert found[-1].severity is Severity.ERROR
    assert "61 more" in found[-1].text


def test_the_decimal_mark_of_una_is_the_only_one(directory: Directory) -> None:
    head = "UNB+UNOC:{v}+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'BGM+929+L+9'"
    text = head + "MOA+39:1{m}5'UNS+D'UNS+S'UNT+6+1'UNZ+1+R'"
    for una, version, mark, good in [
        ("UNA:+.? '", 3, ".", True),
        ("UNA:+.? '", 3, ",", False),
        ("UNA:+,? '", 3, ",", True),
        ("UNA:+,? '", 3, ".", False),
        ("UNA:+.?*'", 4, ",", True),
    ]:
        interchange = read_interchange((una + text.format(v=version, m=mark)).encode())
        found = validate(interchange, interchange.messages[0], directory).findings
        assert (not found) is good


def test_version_4_needs_no_digit_before_the_mark_and_may_not_repeat_these(directory: Directory) -> None:
    head = "UNB+UNOC:4+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'BGM+929+L*M+9'"
    interchange = read_interchange((head + "MOA+39:.5'UNS+D'UNS+S'UNT+6+1'UNZ+1+R'").encode())
    found = validate(interchange, interchange.messages[0], directory).findings
    assert told(found) == ["35 BGM[2]/2*2"]


def test_another_release_is_read_leniently_and_told(make: Make, directory: Directory) -> None:
    found = check(make, directory, *HEAD, "LOC+TOOLONG", *TAIL, name="CUSDEC:D:98A:UN")
    assert told(found) == ["3 UNH[1]/2/3", "39 LOC[3]/1/1"]
    assert {f.severity for f in found} == {Severity.WARNING}
    assert found[0].value == "D.98A"
    assert found[0].expected == "D.96B"


def test_what_another_release_may_allow_is_a_warning(make: Make, directory: Directory) -> None:
    found = check(make, directory, *HEAD, "SEQ+1", *TAIL, name="CUSDEC:D:20A:UN")
    assert {f.severity for f in found} == {Severity.WARNING}
    assert told(found)[1] == "15 SEQ[3]"


def test_what_the_mapping_has_no_place_for_is_an_error_in_every_release(
    make: Make, directory: Directory
) -> None:
    for release in ("19B", "20A"):
        contact = ("NAD+IM+T", "CTA+IC+:B", "COM+123:TE+a@b:EM")
        interchange = make(*HEAD, "GEI+1+2", *contact, *TAIL, name=f"CUSDEC:D:{release}:UN")
        _, found = read_cusdec(interchange, interchange.messages[0], directory)
        assert [f.code for f in found if f.severity is Severity.WARNING and "COM" in str(f.pointer)] == [
            "not-taken"
        ]
        errors = [f for f in found if f.severity is Severity.ERROR and "GEI" in str(f.pointer)]
        assert [f.code for f in errors] == ["not-taken"]


@pytest.mark.parametrize("release", ["", "QQQ", "96BX", "1996B", "9B"])
def test_a_release_that_is_none_is_one_error(make: Make, directory: Directory, release: str) -> None:
    found = check(make, directory, *HEAD, "XYZ", *TAIL, name=f"CUSDEC:D:{release}:UN")
    assert told(found) == ["14 UNH[1]/2/3"]


def test_a_type_that_is_not_supported(make: Make, directory: Directory) -> None:
    found = check(make, directory, "BGM+1", name="INVOIC:D:96B:UN")
    assert told(found) == ["14 UNH[1]/2/1"]


def test_a_message_of_another_agency(make: Make, directory: Directory) -> None:
    assert told(check(make, directory, *GOOD, name="CUSDEC:D:96B:XX")) == ["14 UNH[1]/2/4"]


def test_a_type_without_a_table(make: Make) -> None:
    found = check(make, Directory({}), *HEAD)
    assert told(found) == ["14 UNH[1]/2/1"]


def test_security_segments_are_told_and_stepped_over(make: Make, directory: Directory) -> None:
    found = check(make, directory, "USH+1", "USA+1", *GOOD, "UST+1", "USR+1")
    assert {(f.code, f.severity) for f in found} == {("47", Severity.INFO)}
    assert len(found) == 4


def test_findings_of_the_container_come_first(directory: Directory) -> None:
    text = "UNB+UNOC:3+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'BGM+929+L+9'UNS+D'UNS+S'UNT+9+1'UNZ+1+R'"
    interchange = read_interchange(text.encode())
    assert told(validate(interchange, interchange.messages[0], directory).findings) == ["29 UNT[5]/1/1"]
