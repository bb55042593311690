"""Whatever the octets: a value and findings that point into them, never an exception, in bounded time."""

import hashlib
import os
import pathlib
import random
import time
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import (
    Directory,
    Envelope,
    Stream,
    owed,
    read_contrl,
    read_cusdec,
    read_cusres,
    read_interchange,
    read_interchanges,
    read_stream,
    validate,
    write_contrl,
)
from tidewaiter.codecs.finding import MAX_FINDINGS, VALUE_SHOWN, EdifactPointer, Finding

# All of it by hand: every octet of every sample, and inputs of 10 MB.
EVERYTHING = os.environ.get("EDIFACT_FUZZ") == "all"
# UNTDID 0085 of versions 1 to 4, as its code lists had them.
CODES_0085 = {str(n) for n in (*range(1, 49),)} - {"44"}
LARGE = 10_000_000 if EVERYTHING else 100_000
# Far more than reading takes on a slow machine, far less than anything worse than linear would.
SECONDS = 60.0 if EVERYTHING else 10.0

TAGS = ["UNA", "UNB", "UNG", "UNH", "UNT", "UNE", "UNZ", "UNS", "BGM", "LOC", "DTM", "GIS", "MEA", "EQD"]
TAGS += ["SEL", "FTX", "RFF", "TDT", "TPL", "DOC", "NAD", "CTA", "COM", "TOD", "MOA", "CUX", "CST", "PAC"]
TAGS += [
    "PCI",
    "TAX",
    "CNT",
    "AUT",
    "ERP",
    "ERC",
    "UCI",
    "UCM",
    "UCS",
    "UCD",
    "USH",
    "UNO",
    "UNP",
    "UIB",
    "XXX",
]
PIECES = [
    *(tag.encode() for tag in TAGS),
    *(bytes([n]) for n in b"+:'?*.,-0123456789AZ \r\n\x00\xff\xc3\xa9\x1b"),
]
WORDS = [
    b"UNOC:3",
    b"UNOW:4",
    b"UNOX:4",
    b"CUSDEC:D:96B:UN",
    b"CUSRES:D:96B:UN",
    b"CONTRL:D:3:UN",
    b"CONTRL:4:1:UN",
]
WORDS += [
    b"PAXLST:D:02B:UN",
    b"ZZZ",
    b"PTR",
    b"CNT",
    b"999999",
    b"'UNH+1+",
    b"'UNT+3+1'",
    b"'UNZ+1+R'",
    b"UNA:+.?*'",
]
SOUP = st.lists(st.sampled_from([*PIECES, *WORDS]), max_size=60).map(b"".join)
# Every level, the two made up of more than one octet a character more often than others.
HEADS = [b"", *[f"UNB+UNO{level}:4+A+B+20260504:1307+R'UNH+1+".encode() for level in "ACELWWXXXY"]]
HEADS += [b"UNB+UNOC:3+A+B+260504:1307+R'", b"UNA:+.? 'UNB+UNOX:4+A+B+20260504:1307+R'"]
SEGMENT = st.builds(
    lambda tag, rest: tag + b"+" + rest.replace(b"'", b"") + b"'",
    st.sampled_from([tag.encode() for tag in TAGS[3:]]),
    st.lists(st.sampled_from([*PIECES, *WORDS]), max_size=10).map(b"".join),
)


def examine(findings: Iterable[Finding], data: bytes) -> None:
    """What every finding owes its reader."""
    for finding in findings:
        assert finding.code in CODES_0085, finding
        assert finding.text
        assert finding.value is None or (finding.value.isprintable() and len(finding.value) <= VALUE_SHOWN)
        if finding.pointer is not None:
            assert isinstance(finding.pointer, EdifactPointer)
            assert finding.pointer.offset is not None, finding
            assert 0 <= finding.pointer.offset <= len(data), finding
            assert finding.pointer.segment >= 0


def exhaust(data: bytes, directory: Directory, envelope: Envelope, *, content: bool = True) -> None:
    """Everything a reader of `data` may call."""
    for interchange in read_interchanges(data):
        assert len(interchange.findings) <= MAX_FINDINGS
        assert interchange.messages or interchange.packages or interchange.findings
        assert interchange.data is data
        examine(interchange.findings, data)
        for message in interchange.messages:
            found = validate(interchange, message, directory).findings
            assert len(found) <= MAX_FINDINGS
            examine((*message.findings, *found), data)
            if content:
                assert len(read_cusdec(interchange, message, directory)[1]) <= MAX_FINDINGS
                assert len(read_cusres(interchange, message, directory)[1]) <= MAX_FINDINGS
            read_contrl(interchange, message)
        if owed(interchange):
            answer = write_contrl(interchange, envelope)
            (control,) = read_interchange(answer).messages
            assert control.type == "CONTRL"


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_octets(data: bytes, directory: Directory, envelope: Envelope) -> None:
    exhaust(data, directory, envelope)


@settings(max_examples=150, deadline=None)
@given(
    head=st.sampled_from(HEADS),
    data=SOUP,
)
def test_octets_that_look_like_it(head: bytes, data: bytes, directory: Directory, envelope: Envelope) -> None:
    exhaust(head + data, directory, envelope)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(["CUSDEC", "CUSRES", "CONTRL"]), segments=st.lists(SEGMENT, max_size=25))
def test_any_segments_in_a_message(
    kind: str, segments: list[bytes], directory: Directory, envelope: Envelope
) -> None:
    head = f"UNB+UNOC:3+A+B+260504:1307+R'UNH+1+{kind}:D:96B:UN'BGM+929+L+9'".encode()
    exhaust(head + b"".join(segments) + b"UNT+3+1'UNZ+1+R'", directory, envelope)


# What is written with any separators is read with the values it was written from.

SERVICES = ["UNA:+.? '", "UNA:+,?*'", "UNA=*.!^~", "UNA|;,\\#}", "UNA/&.%$@", "", "UNA:+.  '"]
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=12)
ELEMENT = st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=3)
BODY = st.lists(
    st.tuples(st.sampled_from(["BGM", "FTX", "NAD", "X1Y"]), st.lists(ELEMENT, max_size=5)), max_size=8
)


class Writer:
    """Writes by the letter, one value at a time."""

    def __init__(self, advice: str, version: int) -> None:
        self.component, self.element, _, self.release, self.repetition, self.terminator = (
            advice or "UNA:+.?*'"
        )[3:]
        self.version = version
        if version < 4:
            self.repetition = " "

    def value(self, text: str) -> str:
        marks = f"{self.component}{self.element}{self.release}{self.repetition}{self.terminator}".replace(
            " ", ""
        )
        if self.release == " ":
            return "".join(c for c in text if c not in marks)
        return "".join(self.release + c if c in marks else c for c in text)

    def segment(self, tag: str, elements: list[list[list[str]]]) -> str:
        parts = [tag]
        for element in elements:
            occurrences = [self.component.join(map(self.value, part)) for part in element]
            parts.append(occurrences[0] if self.repetition == " " else self.repetition.join(occurrences))
        return self.element.join(parts) + self.terminator


@settings(max_examples=200, deadline=None)
@given(
    advice=st.sampled_from(SERVICES), version=st.sampled_from([1, 2, 3, 4]), body=BODY, breaks=st.booleans()
)
def test_what_is_written_is_read(
    advice: str, version: int, body: list[tuple[str, list[list[list[str]]]]], breaks: bool
) -> None:
    writer = Writer(advice, version)

    def simple(tag: str, *elements: list[str]) -> str:
        return writer.segment(tag, [[element] for element in elements])

    lines = [
        simple(
            "UNB",
            ["UNOC", str(version)],
            ["A"],
            ["B"],
            ["20260504" if version > 3 else "260504", "1307"],
            ["R"],
        ),
        simple("UNH", ["1"], ["CUSDEC", "D", "96B", "UN"]),
        *(writer.segment(tag, elements) for tag, elements in body),
        simple("UNT", [str(len(body) + 2)], ["1"]),
        simple("UNZ", ["1"], ["R"]),
    ]
    end = "\r\n" if breaks else ""
    data = (advice + end.join(lines) + end).encode("latin-1")
    found = read_interchange(data)
    (message,) = found.messages
    assert [segment.tag for segment in message.segments[1:-1]] == [tag for tag, _ in body]
    for segment, (_, elements) in zip(message.segments[1:-1], body, strict=True):
        for number, element in enumerate(elements, 1):
            kept = element if writer.repetition != " " else element[:1]
            if writer.release == " ":
                kept = [[writer.value(value) for value in part] for part in kept]
            wanted = [] if kept == [[""]] else kept
            assert [list(part) for part in segment.repetitions(number)] == wanted
    assert not found.findings or (version > 3 and {f.code for f in found.findings} <= {"20"})


# However the octets are cut, the events are the same.


def events(data: bytes, sizes: Iterable[int]) -> list[object]:
    stream, found, begin = Stream(), [], 0
    for size in sizes:
        found.extend(stream.feed(data[begin : begin + size]))
        begin += size
        if begin >= len(data):
            break
    return [*found, *stream.close()]


GOOD = "UNA:+.? 'UNB+UNOC:3+A+B+260504:1307+R'UNH+1+CUSDEC:D:96B:UN'FTX+AAA+++it?'s ?? {}'UNT+3+1'UNZ+1+R'"
FILES = [
    GOOD,
    GOOD + "\r\n" + GOOD.replace("UNA:+.? '", ""),
    "Subject: UNB\r\n\r\n" + GOOD + "bye",
    "UNB+UNOC:3+A+B+260504:1307+R'UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'UNH+1+CUSDEC:D:96B:UN'UNT+2+1'UNE+1+G'"
    "UNH+2+CUSDEC:D:96B:UN'\r\nBGM+1'\r\nXX'UNZ+1+S",
    "UNB+UNOW:4+A+B+20260504:1307+R'UNO+P1+A:1+B:2+12'x'UNZ+1+R'UNUNP+12+P1'UNH+1+PAXLST:D:02B:UN'UNT+2+1'UNZ+2+R'",
    "UIB+UNOA:4'UIH+A'",
    "nothing of the kind",
    "",
]


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_octets_one_by_one_and_in_pieces_of_any_size(text: str) -> None:
    data = text.encode()
    whole = list(read_stream([data]))
    assert events(data, [1] * len(data)) == whole
    for seed in range(20):
        rng = random.Random(seed)
        assert events(data, [rng.randrange(40) for _ in range(len(data) * 2)]) == whole
    assert events(data, [len(data) + 1]) == whole


@settings(max_examples=150, deadline=None)
@given(
    data=SOUP,
    head=st.sampled_from([b"", FILES[0].encode()[:60], FILES[4].encode()[:45]]),
    cut=st.integers(1, 50),
)
def test_any_octets_in_pieces(data: bytes, head: bytes, cut: int) -> None:
    data = head + data
    assert events(data, [cut] * (len(data) // cut + 1)) == list(read_stream([data]))


# One octet of a real interchange put in place of another, taken away, or put in.

OCTETS = b"'+:?*.\x00\r\n\x1b\xff\xc3\xa9 A0-UNZ\x1d"


def spoiled(data: bytes, name: str, share: int) -> Iterable[bytes]:
    """About one in `share` of all places, always the same ones."""
    for offset in range(len(data)):
        seed = hashlib.sha256(f"{name}{offset}".encode()).digest()
        octet = OCTETS[seed[0] % len(OCTETS)]
        ways = [
            data[:offset] + bytes([octet]) + data[offset + 1 :],
            data[:offset] + data[offset + 1 :],
            data[:offset] + bytes([octet]) + data[offset:],
        ]
        for way, changed in enumerate(ways):
            if int.from_bytes(seed[1 + 2 * way : 3 + 2 * way]) % share == 0:
                yield changed


def test_every_sample_with_one_octet_changed(
    shared: pathlib.Path, directory: Directory, envelope: Envelope
) -> None:
    paths = sorted(path for path in (shared / "edifact" / "samples").rglob("*.*") if path.suffix != ".md")
    if not paths:
        pytest.skip("the samples are not beside this checkout")
    for path in paths:
        data = path.read_bytes()
        share = 1 if EVERYTHING else max(2, len(data) // 40)
        for changed in spoiled(data, path.name, share):
            exhaust(changed, directory, envelope, content=False)


# Large and hostile: bounded time.

HEAD = b"UNB+UNOC:3+A+B+260504:1307+R'"
HEAD4 = b"UNB+UNOC:4+A+B+20260504:1307+R'"
UNH = b"UNH+1+CUSDEC:D:96B:UN'"
GROUP = b"UNG+CUSDEC+A+B+260504:1307+G+UN+D:96B'"
# What comes before, and what is repeated.
FLOODS = {
    "no terminator": (HEAD, b"A"),
    "no terminator in a message": (HEAD + UNH, b"A"),
    "no terminator in UNB": (b"UNB+UNOC:3+", b"A"),
    "terminators": (HEAD, b"'"),
    "terminators in a message": (HEAD + UNH, b"'"),
    "line ends": (HEAD + UNH, b"\r\n"),
    "terminators and line ends": (HEAD + UNH, b"'\r\n"),
    "release characters": (HEAD, b"?"),
    "release characters in a message": (HEAD + UNH + b"FTX+", b"?"),
    "released terminators": (HEAD + UNH, b"?'"),
    "released terminators and trailers": (HEAD + UNH, b"?'UNT+1+1"),
    "release characters, terminators and trailers": (HEAD + UNH, b"???'UNZ+1"),
    "elements": (HEAD + UNH + b"FTX", b"+"),
    "components": (HEAD + UNH + b"FTX+", b":"),
    "repetitions": (HEAD4 + UNH + b"FTX+", b"*"),
    "released components": (HEAD + UNH + b"FTX+", b"?:"),
    "messages that never end": (HEAD, UNH),
    "messages": (HEAD, UNH + b"UNT+2+1'"),
    "trailers": (HEAD, b"UNT+1+1'"),
    "groups": (HEAD, GROUP),
    "groups and messages": (HEAD, GROUP + UNH),
    "ends of groups": (HEAD, b"UNE+1+1'"),
    "segments outside messages": (HEAD, b"FTX+1'"),
    "segments nobody knows": (HEAD + UNH, b"XYZ+1'"),
    "segments in no order": (HEAD + UNH + b"BGM+1'", b"CST+1'UNS+S'LOC+1'RFF+1'"),
    "one segment": (HEAD + UNH + b"BGM+1'", b"BGM+1'"),
    "items": (HEAD + UNH + b"BGM+929'UNS+D'", b"CST+1'TAX+1'LOC+1'"),
    "nesting": (HEAD + UNH + b"FTX", b":1"),
    "UTF-8": (HEAD + UNH + b"FTX+AAA+++", b"\xc3\xa9"),
    "control characters": (HEAD + UNH, b"FTX+\x00'"),
    "packages": (HEAD4, b"UNO+P+A:1+B:2+3'abcUNP+3+P'"),
    "a package without an end": (HEAD4 + b"UNO+P+A:1+B:2+999999999999999999'", b"A"),
    "packages of no length": (HEAD4, b"UNO+P'"),
    "interchanges": (b"", HEAD + UNH + b"UNT+2+1'UNZ+1+R'"),
    "interchanges that never end": (b"", HEAD),
    "advices": (b"", b"UNA:+.? '"),
    "advices after an advice": (b"UNA:+.? '" + HEAD, b"UNA:+.? '"),
    "text before UNB": (b"", b"Subject: UNA UNB+ "),
    "text between": (HEAD + UNH + b"UNT+2+1'UNZ+1+R'", b"UNB+UN UNA:+.? "),
    "blanks": (b"", b" "),
    "nulls": (HEAD, b"\0"),
    "interactive": (b"UIB+UNOA:4'", b"UIH+A'"),
    "escapes": (HEAD.replace(b"UNOC", b"UNOX") + UNH, b"\x1b$B'"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_read_in_bounded_time(name: str, directory: Directory, envelope: Envelope) -> None:
    first, repeated = FLOODS[name]
    data = first + repeated * (LARGE // len(repeated))
    begun = time.perf_counter()
    exhaust(data, directory, envelope, content=False)
    taken = time.perf_counter() - begun
    assert taken < SECONDS


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("size", [1, 4_096])
def test_a_flood_in_pieces_is_read_in_bounded_time(name: str, size: int) -> None:
    first, repeated = FLOODS[name]
    data = first + repeated * (LARGE // (1 if size > 1 else 10) // len(repeated))
    begun = time.perf_counter()
    stream, kept = Stream(), 0
    for offset in range(0, len(data), size):
        kept += len(stream.feed(data[offset : offset + size]))
    kept += len(stream.close())
    assert kept
    assert time.perf_counter() - begun < SECONDS
