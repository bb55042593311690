"""Octets in any pieces: the same events, each as soon as it can be, and no more held than one message."""

import pathlib
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import Ended, Event, Message, Package, Profile, Started, Stream, read_stream
from tidewaiter.codecs.edifact import stream as stream_module
from tidewaiter.codecs.edifact.stream import MAX_HEADER
from tidewaiter.codecs.finding import EdifactPointer, Finding, Severity

HEAD = "UNB+UNOC:3+A+B+260504:1307+R'"
HEAD4 = "UNB+UNOC:4+A+B+20260504:1307+R'"
ONE = "UNH+1+CUSDEC:D:96B:UN'BGM+929+L1+9'UNS+D'UNS+S'UNT+5+1'"
TWO = ONE.replace("UNH+1", "UNH+2").replace("+5+1'", "+5+2'")
END = "UNZ+1+R'"
OBJECT = "UNO+P+A:1+B:2+12'x'UNZ+1+R'UNUNP+12+P'"
# Octets with something to stumble over; pieces of them are put together below.
PIECES = [
    *(HEAD, HEAD4, ONE, TWO, END, OBJECT, "UNA:+.? '", "UNA=*.!^~", "UIB+UNOA:4'", "UNHAPPY+1'", "UNIT'"),
    *("UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'", "UNE+1+G'", "UNT+9+9'", "BGM+1'", "UNH+3+X:D:96B:UN'"),
    *("'", "?", "??'", "?'UNZ+1+R'", "\r\n", "\n" * 40, " ", "\x00", "\xef\xbb\xbf", "text ", "UN", "UNO+P'"),
    "UNO+P+A:1+B:2+000000000000003:1'USH+1'abc\r\nUNP+000000000000003+P123456789012'",
    "UNO+P+A:1+B:2+99999'",
]


def whole(data: bytes) -> list[Event]:
    """The events of octets that come at once."""
    stream = Stream()
    return [*stream.feed(data), *stream.close()]


def cut(data: bytes, sizes: Iterable[int]) -> list[Event]:
    """The events of octets in pieces of these sizes, the last piece being the rest."""
    stream, found, begin = Stream(), list[Event](), 0
    for size in sizes:
        found.extend(stream.feed(data[begin : begin + size]))
        begin += size
    return [*found, *stream.feed(data[begin:]), *stream.close()]


def in_all_ways(data: bytes) -> list[Event]:
    """The events, which are the same in whatever pieces the octets come."""
    events = whole(data)
    assert cut(data, [1] * len(data)) == events
    rng = random.Random(len(data))
    for most in (3, 30, 300):
        assert cut(data, [rng.randrange(most) for _ in range(20)]) == events
    assert list(read_stream([data])) == events
    return events


def told(findings: Iterable[Finding]) -> list[str]:
    """`29 UNZ` for each finding, `w46 UNB` for a warning."""
    lines = []
    for finding in findings:
        assert isinstance(finding.pointer, EdifactPointer)
        mark = "" if finding.severity is Severity.ERROR else "w"
        lines.append(f"{mark}{finding.code} {finding.pointer.tag}")
    return lines


def outline(events: Iterable[Event]) -> list[str]:
    """A word for each event, with its reference and what it ends in."""
    lines = []
    for event in events:
        if isinstance(event, Started | Ended):
            name, value = type(event).__name__, event.interchange
            lines.append(" ".join(filter(None, [name, value.reference, *told(value.findings)])))
        else:
            found = told(event.findings) if isinstance(event, Message) else []
            lines.append(" ".join([type(event).__name__, event.reference, *found]))
    return lines


def test_every_sample_in_any_pieces(shared: pathlib.Path) -> None:
    paths = sorted(p for p in (shared / "edifact" / "samples").rglob("*.*") if p.suffix != ".md")
    if not paths:
        pytest.skip("the samples are not beside this checkout")
    for path in paths:
        events = in_all_ways(path.read_bytes())
        assert isinstance(events[0], Started)
        assert isinstance(events[-1], Ended)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9), st.booleans())
def test_anything_in_any_pieces(pieces: list[str], headed: bool) -> None:
    in_all_ways((HEAD * headed + "".join(pieces)).encode("latin-1"))


@pytest.mark.parametrize(
    "text",
    [
        # A trailer longer than what tells one segment from another.
        f"{HEAD4}UNO+P2345678901234+A:1+B:2+000000000000003'abcUNP+000000000000003+P2345678901234'{END}",
        f"{HEAD4}UNO+P+A:1+B:2+3'abc{chr(10) * 31}UNP+3+P'{END}",
        # Line ends of every length before a service segment, and after UNA.
        f"{HEAD}XXX'{chr(10) * 16}UNA:+.? '{' ' * 8}{HEAD}{ONE}{END}",
        *(f"{HEAD}{ONE.replace('UNT', chr(10) * n + 'UNT')}{END}" for n in (15, 16, 17, 31, 33, 256)),
        # Text longer than is looked through at once.
        f"{HEAD}{'x' * 66_000}{END}",
        f"{HEAD}{'FTX+1~' * 11_000}{ONE}{END}".replace("~", "'"),
        f"{HEAD}{'FTX+1~' * 11_000}UNT+2+1'{ONE}{END}".replace("~", "'"),
        f"{HEAD}{'FTX+1~' * 10_800}UNT+2+1'{ONE}{END}".replace("~", "'"),
        f"{HEAD}{'x' * 65_536}UNH+1'{ONE}{END}",
        f"{HEAD}{'x' * 65_535}'{ONE}{END}",
        f"{HEAD}{'x' * 65_535}'\r\n{ONE}{END}",
        f"{'x' * 66_000}{HEAD}{ONE}{END}",
        f"{' ' * 70_000}{HEAD}{ONE}{END}",
    ],
    ids=lambda text: str(len(text)),
)
def test_the_same_events_at_the_limits(text: str) -> None:
    data = text.encode()
    events = whole(data)
    rng = random.Random(len(data))
    assert cut(data, [rng.randrange(9_000) for _ in range(20)]) == events
    begin = max(0, len(data) - 500)
    assert cut(data, [begin, *[1] * (len(data) - begin)]) == events


def test_line_ends_before_a_service_segment_do_not_hide_it() -> None:
    for count in (1, 16, 17, 100, 256):
        text = f"{HEAD}{ONE.replace('UNT', chr(10) * count + 'UNT')}{END}"
        assert outline(whole(text.encode())) == ["Started R", "Message 1", "Ended R"]


def test_each_event_comes_with_its_last_octet() -> None:
    parts = ["UNA:+.?*'", HEAD4, ONE, TWO, OBJECT, "UNZ+3+R'"]
    events = {1: "Started R", 2: "Message 1", 3: "Message 2", 4: "Package P", 5: "Ended R"}
    expected = [(len("".join(parts[: n + 1])), line) for n, line in events.items()]
    data, stream, found = "".join(parts).encode(), Stream(), []
    for end in range(1, len(data) + 1):
        found.extend((end, line) for line in outline(stream.feed(data[end - 1 : end])))
    assert found == expected
    assert stream.close() == []


def test_what_is_read_is_let_go() -> None:
    stream = Stream()
    stream.feed(HEAD.encode())
    longest = 0
    for n in range(1, 301):
        count = sum(isinstance(e, Message) for e in stream.feed(ONE.replace("+1+C", f"+{n}+C").encode()))
        assert count == 1
        longest = max(longest, len(stream._buffer.data))
    assert longest == 0
    assert stream._buffer.base == len(HEAD) + sum(len(f"{n}") + len(ONE) - 1 for n in range(1, 301))


def test_what_is_skipped_is_let_go_too() -> None:
    for head in ("", HEAD, f"{HEAD}{ONE}{END}"):
        stream = Stream()
        stream.feed(head.encode())
        longest = 0
        for _ in range(100):
            stream.feed(b"x" * 16_000)
            longest = max(longest, len(stream._buffer.data))
        assert longest < 90_000
        stream.close()


def test_an_event_holds_the_octets_of_its_message_and_no_others() -> None:
    data = f"{HEAD}{ONE}\r\n{TWO}UNZ+2+R'".encode()
    started, first, second, ended = whole(data)
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert (started.interchange.data, ended.interchange.data) == (b"", b"")
    assert ended.interchange.messages == ()
    for message in (first, second):
        assert isinstance(message, Message)
        assert message.data == data[message.start : message.end]
        assert message.data.startswith(b"UNH+")
        assert message.data.endswith(b"'")
    assert (ended.interchange.start, ended.interchange.end) == (0, len(data))


def test_octets_after_the_end_are_refused() -> None:
    stream = Stream()
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.feed(b"")


def test_nothing_at_all_is_told_once() -> None:
    for data in (b"", b" \r\n\x00\x1a"):
        assert outline(in_all_ways(data)) == ["Ended 13 UNB"]
        assert Stream().feed(b"") == []


def test_a_message_larger_than_may_be_held_is_told_and_the_next_is_read() -> None:
    large = ONE.replace("UNS+D'", "FTX+AAA+++X'" * 40 + "UNS+D'")
    data = f"{HEAD}{ONE}{large}{TWO}UNZ+3+R'".encode()
    for size in (1, 7, 100):
        stream = Stream(limit=200)
        events = [
            event for n in range(0, len(data), size) for event in stream.feed(data[n : n + size])
        ] + stream.close()
        references = [event.reference for event in events if isinstance(event, Message)]
        assert references == ["1", "1", "2"]
        ended = events[-1]
        assert isinstance(ended, Ended)
        assert told(ended.interchange.findings) == ["39 UNH"]
        (finding,) = ended.interchange.findings
        assert "200 octets" in finding.text
        kept = events[2]
        assert isinstance(kept, Message)
        assert [segment.tag for segment in kept.segments] == ["UNH"]
        assert len(stream._buffer.data) == 0


def test_a_message_that_comes_whole_is_not_too_large() -> None:
    stream = Stream(limit=20)
    events = [*stream.feed(f"{HEAD}{ONE}{END}".encode()), *stream.close()]
    assert outline(events) == ["Started R", "Message 1", "Ended R"]


def test_an_object_larger_than_may_be_held_is_told() -> None:
    stream = Stream(limit=50)
    text = f"{HEAD4}UNO+P+A:1+B:2+60'{'x' * 60}UNP+60+P'{TWO}UNZ+2+R'"
    events = [*stream.feed(text.encode()), *stream.close()]
    assert [type(event) for event in events] == [Started, Package, Message, Ended]
    (package,) = (event for event in events if isinstance(event, Package))
    assert package.data == b""
    ended = events[-1]
    assert isinstance(ended, Ended)
    assert told(ended.interchange.findings)[0] == "39 UNO"


def test_interchanges_each_with_its_own_separators() -> None:
    other = "UNA=*.!^~UNB*UNOC=3*A*B*260504=1307*S~UNH*1*CUSDEC=D=96B=UN~FTX*AAA***it's +:~UNT*3*1~UNZ*1*S~"
    third = f"{HEAD}{ONE}{END}".replace("+R'", "+T'")
    data = f"{HEAD}{ONE}{END}\r\n{other}{third}".encode()
    events = in_all_ways(data)
    assert outline(events) == [
        *("Started R", "Message 1", "Ended R"),
        *("Started S", "Message 1", "Ended S"),
        *("Started T", "Message 1", "Ended T"),
    ]
    begun = [event.interchange.start for event in events if isinstance(event, Started)]
    assert [data[n : n + 4] for n in begun] == [b"UNB+", b"UNA=", b"UNB+"]
    ended = [event.interchange for event in events if isinstance(event, Ended)]
    assert [i.end for i in ended] == [begun[1] - 2, begun[2], len(data)]
    message = events[4]
    assert isinstance(message, Message)
    assert message.segments[1].value(4) == "it's +:"


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("", []),
        (" \r\n\x00\x1a\t", []),
        ("\xef\xbb\xbf", ["w21 UNB"]),
        ("-- next --", ["w21 UNB"]),
        ("x" * 60_000, ["w21 UNB"]),
    ],
)
def test_what_stands_between_two_interchanges(between: str, expected: list[str]) -> None:
    data = f"{HEAD}{ONE}{END}{between}{HEAD}{ONE}{END}".encode("latin-1")
    events = whole(data)
    assert [type(event) for event in events] == [Started, Message, Ended] * 2
    second = events[3]
    assert isinstance(second, Started)
    assert told(second.interchange.findings) == expected
    strict = [*read_stream([data], Profile(leading_text=False))][3]
    assert isinstance(strict, Started)
    assert told(strict.interchange.findings) == [line.lstrip("w") for line in expected]


def test_text_after_the_last_interchange_is_told_once() -> None:
    for rest in ("bye", "UNZ+1+R'", "UNB", "UNB+", "x" * 100_000):
        events = whole(f"{HEAD}{ONE}{END}{rest}".encode())
        assert outline(events) == ["Started R", "Message 1", "Ended R", "Ended 33 UNZ"]
        last = events[-1]
        assert isinstance(last, Ended)
        assert last.interchange.header is None


def test_unb_must_end_somewhere() -> None:
    assert outline(in_all_ways(HEAD[:-1].encode())) == ["Ended 13 UNB"]
    endless = HEAD[:-1] + "+" * MAX_HEADER
    stream = Stream()
    assert outline(stream.feed(endless.encode())) == ["Ended 13 UNB"]
    assert stream.feed(b"'") == []
    assert stream.close() == []


def test_more_interchanges_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MAX_INTERCHANGES", 3)
    three = f"{HEAD}{ONE}{END}" * 3
    assert outline(whole(three.encode())) == ["Started R", "Message 1", "Ended R"] * 3
    events = whole(f"{three}{HEAD}{ONE}{END}{HEAD}".encode())
    assert outline(events) == [*["Started R", "Message 1", "Ended R"] * 3, "Ended 33 UNZ"]
    last = events[-1]
    assert isinstance(last, Ended)
    assert "more than 3 interchanges" in last.interchange.findings[0].text


def test_a_level_nobody_knows_is_told_where_the_interchange_starts() -> None:
    started, *_ = whole(f"{HEAD.replace('UNOC', 'UNOQ')}{ONE}{END}".encode())
    assert isinstance(started, Started)
    (finding,) = started.interchange.findings
    assert (finding.code, finding.value) == ("46", "UNOQ")
    assert isinstance(finding.pointer, EdifactPointer)
    assert (finding.pointer.tag, finding.pointer.element, finding.pointer.component) == ("UNB", 1, 1)


def test_a_stream_of_large_pieces_hands_on_a_message_before_the_next_piece_is_taken() -> None:
    taken = []

    def chunks() -> Iterable[bytes]:
        for n in range(3):
            taken.append(n)
            yield f"{HEAD if not n else ''}{ONE * 3}".encode()

    events = read_stream(chunks())
    assert isinstance(next(events), Started)
    assert isinstance(next(events), Message)
    assert taken == [0]
    assert sum(isinstance(event, Message) for event in events) == 8
