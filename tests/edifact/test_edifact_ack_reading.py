"""A CONTRL of any version is read whole, and its rejections point into what was sent."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import (
    Control,
    Directory,
    Envelope,
    Fault,
    GroupVerdict,
    Interchange,
    Place,
    Verdict,
    read_contrl,
    read_interchange,
    reported,
    validate,
    write_contrl,
)
from tidewaiter.codecs.finding import MAX_FINDINGS, EdifactPointer, Finding

Make = Callable[..., Interchange]
VERSIONS = ["CONTRL:D:3:UN", "CONTRL:2:2:UN", "CONTRL:4:1:UN", "CONTRL:D:03B:UN"]
SENT = (
    "UNB+UNOC:3+US+THEM+260504:1307+REF1'UNG+CUSDEC+A+B+260504:1307+G1+UN+D:96B'"
    "UNH+1+CUSDEC:D:96B:UN'BGM+929+L+9'LOC+35+BR'UNS+D'UNS+S'UNT+6+1'UNE+1+G1'UNZ+1+REF1'"
)


def read(make: Make, *segments: str, name: str = "CONTRL:D:3:UN") -> Control:
    interchange = make(*segments, name=name)
    control = read_contrl(interchange, interchange.messages[0])
    assert control is not None
    return control


@pytest.mark.parametrize("name", VERSIONS)
def test_every_version_is_read_whole(make: Make, name: str) -> None:
    control = read(
        make,
        "UCI+R7+A:14+B+7",
        "UCM+M1+CUSDEC:D:96B:UN+4+29+UNT+2:1",
        "UCS+3+15",
        "UCS+X",
        "UCD+12+3:2",
        "UCF+G1+C+D+7",
        "UCM+M2+CUSDEC:D:96B:UN+4",
        "UCS+2",
        "UCD+39+2::4",
        "UCF+G2+C+D+4+13+UNE",
        name=name,
    )
    assert (control.reference, control.sender, control.recipient, control.action) == ("R7", "A", "B", "7")
    assert control.groups == (
        GroupVerdict(reference="G1", sender="C", recipient="D", action="7"),
        GroupVerdict(
            reference="G2", sender="C", recipient="D", action="4", code="13", place=Place(tag="UNE")
        ),
    )
    first, second = control.messages
    assert first == Verdict(
        reference="M1",
        type="CUSDEC",
        action="4",
        code="29",
        place=Place(tag="UNT", element=1, component=1),
        faults=(Fault(segment=3, code="15"), Fault(segment=0, code="12", element=2, component=2)),
    )
    assert (second.group, second.faults) == ("G1", (Fault(segment=2, code="39", element=1, repetition=4),))
    assert control.rejected
    assert control.codes == ("13", "29", "15", "12", "39")


def test_security_and_packages_of_version_4(make: Make) -> None:
    control = read(
        make,
        "UCI+R+A+B+4+12+USH+3:1+SEC1+2",
        "UCM+++4+29+UNP+2+P1+AAA:O1+SEC2+5",
        name="CONTRL:4:1:UN",
    )
    assert control.place == Place(tag="USH", element=2, component=1, security="SEC1", position=2)
    (verdict,) = control.messages
    assert (verdict.package, verdict.reference, verdict.place.security) == ("P1", "", "SEC2")


@pytest.mark.parametrize(
    ("segments", "rejected", "understood"),
    [
        (["UCI+R+A+B+7"], False, True),
        (["UCI+R+A+B+8"], False, True),
        (["UCI+R+A+B+1"], False, True),
        (["UCI+R+A+B+4"], True, True),
        (["UCI+R+A+B+3"], True, True),
        (["UCI+R+A+B+6"], True, True),
        (["UCI+R+A+B+7", "UCM+1+CUSDEC:D:96B:UN+4"], True, True),
        (["UCI+R+A+B+7", "UCF+G+A+B+4"], True, True),
        (["UCI+R+A+B+9"], False, False),
        (["UCI+R+A+B"], False, False),
        (["UCI+R+A+B+7", "UCM+1+CUSDEC:D:96B:UN"], False, False),
    ],
)
def test_what_it_comes_to(make: Make, segments: list[str], rejected: bool, understood: bool) -> None:
    control = read(make, *segments)
    assert (control.rejected, control.understood) == (rejected, understood)


def test_numbers_that_are_none(make: Make) -> None:
    control = read(make, "UCI+R+A+B+7", "UCM+1+CUSDEC:D:96B:UN+4", "UCS+9999999999", "UCD+12+x:-1:1e3")
    assert control.messages[0].faults == (Fault(segment=0, code="12"),)


def told(control: str) -> list[tuple[str, str, str | None]]:
    """Code, place and value of each finding about SENT."""
    data = f"UNB+UNOC:3+THEM+US+260504:1307+C1'UNH+1+CONTRL:D:3:UN'{control}UNT+9+1'UNZ+1+C1'"
    read_back = read_interchange(data.encode())
    contrl = read_contrl(read_back, read_back.messages[0])
    assert contrl is not None
    sent = read_interchange(SENT.encode())
    found = reported(contrl, sent)
    for finding in found:
        pointer = finding.pointer
        if isinstance(pointer, EdifactPointer) and finding.value is not None:
            assert pointer.offset is not None
            assert SENT[pointer.offset :].startswith(finding.value)
    return [(f.code, str(f.pointer).partition(" @")[0], f.value) for f in found]


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ("UCI+REF1+US+THEM+7'", []),
        ("UCI+REF1+US+THEM+4'", [("18", "UNB", None)]),
        ("UCI+REF1+US+THEM+4+23+UNB+3:1'", [("23", "UNB/2/1", None)]),
        ("UCI+REF1+US+THEM+4+29+UNZ+2'", [("29", "UNZ/1", None)]),
        ("UCI+REF1+US+THEM+7'UCF+G1+A+B+4+29+UNE+2'", [("29", "UNE/1", None)]),
        ("UCI+REF1+US+THEM+7'UCF+G1+A+B+7'UCM+1+CUSDEC:D:96B:UN+4'", [("18", "UNH[1]", None)]),
        (
            "UCI+REF1+US+THEM+7'UCF+G1+A+B+7'UCM+1+CUSDEC:D:96B:UN+4+29+UNT+2'UCS+3'UCD+12+3'UCS+2+35'",
            [("29", "UNT[6]/1", "6"), ("12", "LOC[3]/2", "BR"), ("35", "BGM[2]", None)],
        ),
        ("UCI+REF1+US+THEM+4'UCM+1+CUSDEC:D:96B:UN+4'UCS+99+13'", [("13", "None", None)]),
        ("UCI+REF1+US+THEM+4'UCM+77+CUSDEC:D:96B:UN+4+13'", [("13", "None", None)]),
        ("UCI+REF1+US+THEM+7'UCM+1+CUSDEC:D:96B:UN+7'UCS+3+12'", []),
    ],
)
def test_rejections_point_into_what_was_sent(
    control: str, expected: list[tuple[str, str, str | None]]
) -> None:
    found = [
        (code, place, value if place.startswith(("LOC", "UNT")) else None)
        for code, place, value in told(control)
    ]
    assert found == expected


def test_a_message_of_the_group_it_is_told_under() -> None:
    """Message references are unique in their group only."""
    second = SENT[SENT.index("UNG") : SENT.index("UNZ")].replace("G1", "G2").replace("BGM+929", "BGM+830")
    sent = read_interchange(SENT.replace("UNZ+1", second + "UNZ+2").encode())
    contrl = "UCI+REF1+US+THEM+7'UCF+G2+A+B+7'UCM+1+CUSDEC:D:96B:UN+4'UCS+2'UCD+12+2:1'"
    data = f"UNB+UNOC:3+THEM+US+260504:1307+C1'UNH+1+CONTRL:D:3:UN'{contrl}UNT+7+1'UNZ+1+C1'"
    back = read_interchange(data.encode())
    control = read_contrl(back, back.messages[0])
    assert control is not None
    assert [finding.value for finding in reported(control, sent)] == ["830"]


def test_what_we_write_comes_back_as_it_was(directory: Directory, envelope: Envelope) -> None:
    """Written from findings and read again, the findings are at the same places."""
    bad = SENT.replace("LOC+35", "LOC+TOOLONG").replace("BGM+929", "BGM+9299")
    sent = read_interchange(bad.encode())
    found = validate(sent, sent.messages[0], directory).findings
    assert found
    back = read_interchange(write_contrl(sent, envelope, findings=found))
    control = read_contrl(back, back.messages[0])
    assert control is not None
    again = reported(control, sent)

    def places(findings: tuple[Finding, ...]) -> list[tuple[object, ...]]:
        pointers = [(f.code, f.pointer) for f in findings]
        return [(c, p.segment, p.element, p.offset) for c, p in pointers if isinstance(p, EdifactPointer)]

    assert places(again) == places(found)


def test_findings_are_bounded(make: Make) -> None:
    control = read(make, "UCI+R+A+B+7", *["UCM+1+CUSDEC:D:96B:UN+4"] * 500)
    assert len(reported(control, read_interchange(SENT.encode()))) <= MAX_FINDINGS


PARTS = st.lists(
    st.sampled_from(["", "1", "2", "4", "7", "12", "99", "UNB", "UNT", "USH", "-1", "x" * 40]), max_size=4
)
SEGMENTS = st.lists(
    st.builds(
        lambda tag, elements: "+".join((tag, *(":".join(parts) for parts in elements))),
        st.sampled_from(["UCI", "UCM", "UCF", "UCS", "UCD"]),
        st.lists(PARTS, max_size=9),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(segments=SEGMENTS)
def test_whatever_it_says_is_read(segments: list[str]) -> None:
    """A value and findings, never an exception; no finding where nothing is rejected."""
    body = "".join(f"{segment}'" for segment in segments)
    data = f"UNB+UNOC:4+THEM+US+20260504:1307+C1'UNH+1+CONTRL:4:1:UN'{body}UNT+9+1'UNZ+1+C1'"
    interchange = read_interchange(data.encode())
    control = read_contrl(interchange, interchange.messages[0])
    if control is not None:
        found = reported(control, read_interchange(SENT.encode()))
        assert control.rejected or not found
        assert len(found) <= MAX_FINDINGS
