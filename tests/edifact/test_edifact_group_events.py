"""A stream tells of each functional group when it begins and when it ends, around its messages."""

import pytest

from tidewaiter.codecs.edifact import Ended, GroupEnded, GroupStarted, Message, Package, Started, read_stream
from tidewaiter.codecs.finding import MAX_FINDINGS

MESSAGE = b"UNH+%d+APERAK:D:96B:UN'BGM+1'UNT+3+%d'"
HEAD, TAIL = b"UNB+UNOC:3+A+B+260504:1307+R'", b"UNZ+2+R'"


def group(reference: bytes, *numbers: int, end: bool = True) -> bytes:
    body = b"".join(MESSAGE % (number, number) for number in numbers)
    closing = b"UNE+%d+%b'" % (len(numbers), reference) if end else b""
    return b"UNG+APERAK+S+R+260504:1307+%b+UN+D:96B'" % reference + body + closing


def told(data: bytes) -> list[str]:
    """The events in short."""
    short = []
    for event in read_stream([data]):
        if isinstance(event, GroupStarted | GroupEnded):
            has_trailer = "" if event.group.trailer is None else " with UNE"
            short.append(f"{type(event).__name__} {event.group.reference}{has_trailer}")
        elif isinstance(event, Message | Package):
            short.append(f"{type(event).__name__} {event.reference} of {event.group}")
        else:
            assert isinstance(event, Started | Ended)
            short.append(type(event).__name__)
    return short


@pytest.mark.parametrize("ended", [True, False])
def test_groups_are_told_around_their_messages(ended: bool) -> None:
    end = " with UNE" if ended else ""
    assert told(HEAD + group(b"G1", 1, 2, end=ended) + group(b"G2", 3, end=ended) + TAIL) == [
        "Started",
        "GroupStarted G1",
        "Message 1 of G1",
        "Message 2 of G1",
        f"GroupEnded G1{end}",
        "GroupStarted G2",
        "Message 3 of G2",
        f"GroupEnded G2{end}",
        "Ended",
    ]


def test_an_empty_group_is_told_too() -> None:
    assert told(HEAD + group(b"G1") + TAIL) == [
        "Started",
        "GroupStarted G1",
        "GroupEnded G1 with UNE",
        "Ended",
    ]


def test_a_group_says_what_ung_says() -> None:
    (started,) = (e for e in read_stream([HEAD + group(b"G1", 1) + TAIL]) if isinstance(e, GroupStarted))
    found = started.group
    assert (found.type, found.sender, found.recipient, found.header.tag) == ("APERAK", "S", "R", "UNG")
    assert (found.header.offset, found.trailer) == (len(HEAD), None)


def test_what_is_wrong_with_a_group_comes_with_it() -> None:
    data = HEAD + group(b"G1", 1).replace(b"UNE+1", b"UNE+3") + group(b"G1", 2, end=False) + TAIL
    found = [
        (type(event).__name__, [finding.code for finding in event.findings])
        for event in read_stream([data])
        if isinstance(event, GroupStarted | GroupEnded)
    ]
    assert found == [
        ("GroupStarted", []),
        ("GroupEnded", ["29"]),
        ("GroupStarted", ["26"]),
        ("GroupEnded", ["13"]),
    ]


def test_of_too_many_findings_no_group_tells_a_number() -> None:
    data = HEAD + b"".join(group(b"G%d" % n, n, end=False) for n in range(300)) + TAIL
    events = list(read_stream([data]))
    told = [finding for event in events if isinstance(event, GroupEnded) for finding in event.findings]
    (ended,) = (event.interchange.findings for event in events if isinstance(event, Ended))
    assert len(told) < MAX_FINDINGS == len(ended)
    assert set(told) <= set(ended)
    assert {finding.code for finding in told} == {"13"}
