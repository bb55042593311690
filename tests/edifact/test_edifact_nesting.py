"""Every count, reference and order of the envelope: each fault with its code and the place it points to."""

import msgspec
import pytest

from tidewaiter.codecs.edifact import Ended, GroupEnded, Interchange, Stream, nesting, read_interchange
from tidewaiter.codecs.finding import EdifactPointer, Severity

HEAD = "UNB+UNOC:3+A+B+260504:1307+R'"
HEAD4 = "UNB+UNOC:4+A+B+20260504:1307+R'"
ONE = "UNH+1+CUSDEC:D:96B:UN'BGM+929'UNT+3+1'"
TWO = ONE.replace("UNH+1", "UNH+2").replace("3+1'", "3+2'")
GROUP = "UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'"
SECOND = GROUP.replace("+G+", "+H+")
OBJECT = "UNO+P+A:1+B:2+3'abcUNP+3+P'"
END = "UNZ+1+R'"


def read(text: str) -> Interchange:
    return read_interchange(text.encode("latin-1"))


def told(text: str) -> list[str]:
    """`29 UNZ/1/1 @90 expected 2 of G`: code, place, what was expected, the group of each finding. The octet
    is that of the segment, and the value must be where the finding says it is."""
    lines = []
    found = read(text)
    for finding in (*found.findings, *(f for m in found.messages for f in m.findings)):
        at = finding.pointer
        assert isinstance(at, EdifactPointer)
        assert at.offset is not None
        assert at.interchange == ("R" if found.header else None)
        if at.element is not None:
            assert text.startswith(finding.value or "", at.offset)
            at = msgspec.structs.replace(at, offset=text.rfind("'", 0, at.offset) + 1)
        words = [finding.code, str(at)]
        words += ["expected", finding.expected] if finding.expected else []
        words += ["of", at.group] if at.group else []
        words += [] if finding.severity is Severity.ERROR else [finding.severity.value]
        lines.append(" ".join(words))
    return lines


def at(text: str, part: str, nth: int = 1) -> int:
    """The octet where the nth `part` begins."""
    place = -1
    for _ in range(nth):
        place = text.index(part, place + 1)
    return place


def test_nothing_is_told_of_what_is_in_order() -> None:
    for text in (
        f"{HEAD}{ONE}{END}",
        f"{HEAD}{ONE}{TWO}UNZ+2+R'",
        f"{HEAD}{GROUP}{ONE}{TWO}UNE+2+G'{END}",
        f"{HEAD}{GROUP}{ONE}UNE+1+G'{SECOND}{ONE}UNE+1+H'UNZ+2+R'",
        f"{HEAD4}{OBJECT}{ONE}UNZ+2+R'",
        f"{HEAD4}{GROUP}{OBJECT}{ONE}UNE+2+G'{END}",
    ):
        assert told(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The interchange against UNZ.
        (f"{HEAD}{ONE}UNZ+2+R'", ["29 UNZ/1/1 @{UNZ} expected 1"]),
        (f"{HEAD}{ONE}{TWO}UNZ+1+R'", ["29 UNZ/1/1 @{UNZ} expected 2"]),
        (f"{HEAD}{ONE}UNZ+X+R'", ["37 UNZ/1/1 @{UNZ} expected 1"]),
        (f"{HEAD}{ONE}UNZ+-1+R'", ["37 UNZ/1/1 @{UNZ} expected 1"]),
        (f"{HEAD}{ONE}UNZ+\xb9+R'", ["21 UNZ @{UNZ}", "37 UNZ/1/1 @{UNZ} expected 1"]),
        (f"{HEAD}{ONE}UNZ++R'", ["13 UNZ/1/1 @{UNZ} expected 1"]),
        (f"{HEAD}{ONE}UNZ+1+S'", ["28 UNZ/2/1 @{UNZ} expected R"]),
        (f"{HEAD}{ONE}UNZ+1'", ["28 UNZ/2/1 @{UNZ} expected R"]),
        (f"{HEAD}{ONE}UNZ+2+S'", ["29 UNZ/1/1 @{UNZ} expected 1", "28 UNZ/2/1 @{UNZ} expected R"]),
        (f"{HEAD}{ONE}", ["13 UNZ @{end} expected UNZ"]),
        (f"{HEAD}{GROUP}{ONE}{TWO}UNE+2+G'UNZ+2+R'", ["29 UNZ/1/1 @{UNZ} expected 1"]),
        (f"{HEAD4}{OBJECT}{ONE}{END}", ["29 UNZ/1/1 @{UNZ} expected 2"]),
        (f"{HEAD}UNZ+0+R'", ["32 UNZ @{UNZ}"]),
        (f"{HEAD}UNZ+1+R'", ["29 UNZ/1/1 @{UNZ} expected 0", "32 UNZ @{UNZ}"]),
        (HEAD, ["13 UNZ @{end} expected UNZ", "32 UNZ @{UNB}"]),
        # The group against UNE.
        (f"{HEAD}{GROUP}{ONE}UNE+2+G'{END}", ["29 UNE/1/1 @{UNE} expected 1"]),
        (f"{HEAD}{GROUP}{ONE}UNE+G'{END}", ["37 UNE/1/1 @{UNE} expected 1", "28 UNE/2/1 @{UNE} expected G"]),
        (f"{HEAD}{GROUP}{ONE}UNE++G'{END}", ["13 UNE/1/1 @{UNE} expected 1"]),
        (f"{HEAD}{GROUP}{ONE}UNE+1+X'{END}", ["28 UNE/2/1 @{UNE} expected G"]),
        (f"{HEAD}{GROUP}{ONE}{END}", ["13 UNE @{UNG} expected UNE of G"]),
        (f"{HEAD}{GROUP}{ONE}", ["13 UNE @{UNG} expected UNE of G", "13 UNZ @{end} expected UNZ"]),
        (f"{HEAD}{GROUP}UNE+0+G'{END}", ["32 UNE @{UNE}"]),
        (f"{HEAD}{GROUP}{END}", ["13 UNE @{UNG} expected UNE of G", "32 UNG @{UNG}"]),
        (
            f"{HEAD}{GROUP}{ONE}{SECOND}{TWO}UNE+1+H'UNZ+2+R'",
            ["13 UNE @{UNG} expected UNE of G"],
        ),
        # References seen twice.
        (f"{HEAD}{GROUP}{ONE}UNE+1+G'{GROUP}{TWO}UNE+1+G'UNZ+2+R'", ["26 UNG/5 @{UNG2} of G"]),
        (f"{HEAD}{ONE}{ONE}UNZ+2+R'", ["26 message 2, UNH[1]/1 @{value}"]),
        (f"{HEAD}{GROUP}{ONE}{ONE}UNE+2+G'{END}", ["26 message 2, UNH[1]/1 @{value} of G"]),
        (f"{HEAD}{GROUP}{ONE}UNE+1+G'{SECOND}{ONE}UNE+1+H'UNZ+2+R'", []),
        # Groups and messages side by side.
        (f"{HEAD}{GROUP}{ONE}UNE+1+G'{TWO}{END}", ["30 UNH[1] @{UNH2}"]),
        (f"{HEAD}{ONE}{GROUP}{TWO}UNE+1+G'{END}", ["30 UNG @{UNG}"]),
        (f"{HEAD4}{OBJECT}{GROUP}{TWO}UNE+1+G'{END}", ["30 UNG @{UNG}"]),
        (f"{HEAD4}{GROUP}{TWO}UNE+1+G'{OBJECT}{END}", ["30 UNO @{UNO}"]),
        # What belongs to nothing.
        (f"{HEAD}{ONE}BGM+1'{END}", ["33 BGM @{BGM2}"]),
        (f"{HEAD}{ONE}BGM+1'DTM+1'{END}", ["33 BGM @{BGM2}"]),
        (f"{HEAD}{ONE}UNE+1+G'{END}", ["33 UNE @{UNE}"]),
        (f"{HEAD}UNT+1+1'{ONE}{END}", ["33 UNT @{UNT}"]),
        (f"{HEAD}UNP+1+1'{ONE}{END}", ["33 UNP @{UNP}"]),
        (f"{HEAD}{GROUP}BGM+1'{ONE}UNE+1+G'{END}", ["33 BGM @{BGM} of G"]),
        (f"{HEAD}{ONE}UIH+1'{END}", ["47 UIH @{UIH}"]),
        # A message without UNH counts.
        (f"{HEAD}BGM+1'UNT+2+1'{END}", ["13 BGM @{BGM} expected UNH"]),
        (f"{HEAD}{GROUP}BGM+1'UNT+2+1'{ONE}UNE+2+G'{END}", ["13 BGM @{BGM} expected UNH of G"]),
        # No UNB, no UNZ, nothing to hold against.
        (ONE, ["13 UNB @0 expected UNB"]),
    ],
)
def test_each_fault_and_its_place(text: str, expected: list[str]) -> None:
    tags = ("UNB", "UNZ", "UNE", "UNG", "UNO", "UNH", "UNT", "UNP", "UIH", "BGM")
    places = {tag: at(text, f"{tag}+") for tag in tags if f"{tag}+" in text} | {"end": len(text)}
    for tag in ("UNG", "UNH", "BGM"):
        if text.count(tag) > 1:
            places[f"{tag}2"] = at(text, tag, 2)
    places["value"] = places.get("UNH2", 0)
    assert told(text) == [line.format_map(places) for line in expected]


def test_how_many_segments_stand_outside() -> None:
    (finding,) = read(f"{HEAD}{ONE}BGM+1'DTM+1'LOC+1'{END}").findings
    assert finding.text == "3 segments outside any message"
    assert finding.value == "BGM"


@pytest.mark.parametrize(
    ("version", "kinds", "expected"),
    [(3, "CUSCAR", ["31"]), (3, "CUSDEC", []), (4, "CUSCAR", [])],
)
def test_messages_of_another_type_than_their_group(version: int, kinds: str, expected: list[str]) -> None:
    head = HEAD if version == 3 else HEAD4
    (message,) = read(f"{head}{GROUP.replace('CUSDEC', kinds)}{ONE}UNE+1+G'{END}").messages
    assert [finding.code for finding in message.findings] == expected


def test_what_is_kept_of_groups() -> None:
    found = read(f"{HEAD}{GROUP}{ONE}UNE+1+G'{SECOND}{TWO}{END}")
    first, second = found.groups
    assert (first.reference, first.type, first.sender, first.recipient) == ("G", "CUSDEC", "A", "B")
    assert first.header.tag == "UNG"
    assert first.trailer is not None
    assert first.trailer.value(1) == "1"
    assert (second.reference, second.trailer) == ("H", None)
    assert [message.group for message in found.messages] == ["G", "H"]
    assert found.trailer is not None
    assert found.trailer.value(2) == "R"
    assert found.header is not None


def test_a_group_that_is_counted_only_is_told_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nesting, "MAX_GROUPS", 1)
    stream = Stream()
    data = f"{HEAD}{GROUP}{ONE}UNE+1+G'{SECOND}{ONE}UNE+1+H'UNZ+2+R'".encode()
    events = [*stream.feed(data), *stream.close()]
    assert [event.group.reference for event in events if isinstance(event, GroupEnded)] == ["G", "H"]
    (ended,) = (event.interchange for event in events if isinstance(event, Ended))
    assert ([group.reference for group in ended.groups], ended.findings) == (["G"], ())
