"""Coverage-guided fuzzing of the EDIFACT room, by hand.

    python -m venv .fuzz && .fuzz/bin/pip install -e '.[fuzz]'
    .fuzz/bin/python tests/fuzz/fuzz_edifact.py -max_total_time=3600 -max_len=4096 corpus/

`corpus/` is any folder, empty at first: it gets a small interchange of each kind, and what reaches new code
is kept there. `--seed-from FOLDER` (first argument) adds the files of a folder of interchanges. Everything
else is an option of libFuzzer.

The promise: whatever the octets, reading, validating, writing the answer and writing again what was read end
in values and findings. Each finding has a code of UNTDID 0085 and an offset inside the input. However the
octets are cut, the events of a stream are the same. Anything raised, or a promise not kept, ends the run and
leaves the input in a `crash-*` file; give that file as the only argument to see it again.

Atheris has wheels for CPython 3.11 to 3.13 on Linux; it is no dependency of the tests, which do not collect
this file.
"""

import datetime
import pathlib
import sys

import atheris

with atheris.instrument_imports(include=["tidewaiter"]):
    from tidewaiter.codecs.edifact import (
        Directory,
        Envelope,
        Heading,
        Interchange,
        Message,
        OutMessage,
        Profile,
        Segment,
        Stream,
        compose,
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
    from tidewaiter.codecs.finding import EdifactPointer, Finding

TABLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "directories"
DIRECTORY = Directory.load(*(path.read_bytes() for path in sorted(TABLES.glob("*.json"))))
MOMENT = datetime.datetime(2026, 5, 4, 13, 7, 9, tzinfo=datetime.UTC)
ENVELOPE = Envelope(sender="GATEWAY", recipient="AGENCY", reference="D0123456789ABC", prepared=MOMENT)
CODES = {str(n) for n in range(1, 49)} - {"44"}
SEED_FROM = "--seed-from"


def examine(findings: tuple[Finding, ...], data: bytes) -> None:
    """Codes and places."""
    for finding in findings:
        assert finding.code in CODES, finding
        pointer = finding.pointer
        if isinstance(pointer, EdifactPointer):
            assert pointer.offset is not None, finding
            assert 0 <= pointer.offset <= len(data), finding


def values(segment: Segment) -> list[list[list[str]]]:
    """Every value of a segment; absent ones at the end of anything are the same as none."""

    def trimmed(parts: list[list[list[str]]] | list[list[str]] | list[str]) -> list:  # type: ignore[type-arg]
        kept = list(parts)
        while kept and not kept[-1]:
            kept.pop()
        return kept

    elements = [segment.repetitions(number) for number in range(1, len(segment) + 1)]
    return trimmed([trimmed([trimmed(list(part)) for part in parts]) for parts in elements])


def again(interchange: Interchange, message: Message) -> None:
    """What was read without a finding is written, or refused by name, and read with the same values."""
    try:
        heading = Heading(
            sender="A",
            recipient="B",
            reference="R",
            prepared=MOMENT,
            level=interchange.syntax,
            version=interchange.syntax_version,
            service=interchange.service,
        )
        octets = compose(heading, [OutMessage.of(message)])
    except ValueError:
        return
    (copy,) = read_interchange(octets).messages
    assert [segment.tag for segment in copy.segments] == [segment.tag for segment in message.segments]
    for one, other in zip(copy.segments[1:-1], message.segments[1:-1], strict=True):
        assert values(one) == values(other), (one, other)


def read(data: bytes, profile: Profile) -> None:
    """Read, validate, answer, write again."""
    for interchange in read_interchanges(data, profile):
        examine(interchange.findings, data)
        for message in interchange.messages:
            examine(message.findings, data)
            examine(validate(interchange, message, DIRECTORY).findings, data)
            read_cusdec(interchange, message, DIRECTORY)
            read_cusres(interchange, message, DIRECTORY)
            read_contrl(interchange, message)
            if not message.findings:
                again(interchange, message)
        if owed(interchange):
            (answer,) = read_interchange(write_contrl(interchange, ENVELOPE)).messages
            assert answer.type == "CONTRL"
            assert not answer.findings


def cut(data: bytes, size: int) -> None:
    """The same events, however the octets come."""
    stream = Stream()
    found = [event for n in range(0, len(data), size) for event in stream.feed(data[n : n + size])]
    found += stream.close()
    assert found == list(read_stream([data]))
    assert sum(isinstance(event, Message) for event in found) <= data.count(b"UNH") + data.count(b"UNT")


def one_input(octets: bytes) -> None:
    """The first octet says how the others are cut, and what the partner is allowed."""
    first = octets[0] if octets else 0
    read(octets[1:], Profile(utf8=bool(first & 1), leading_text=not first & 2))
    cut(octets[1:], 1 + first)


def seeds() -> list[bytes]:
    """A small interchange of each level, version and kind of content."""
    body = "UNH+1+CUSDEC:D:96B:UN'BGM+929+L1+9'FTX+AAA+++?'??\u00e9'MOA+39:1.5'UNS+D'CST+1+1'UNS+S'UNT+8+1'"
    contrl = "UNH+1+CONTRL:4:1:UN'UCI+R+A+B+7'UCM+1+CUSDEC:D:96B:UN+4'UCS+3'UCD+12+1:2'UNT+6+1'"
    package = "UNO+P+A:1+B:2+3'a'bUNP+3+P'"
    group = "UNG+CUSDEC+A+B+20260504:1307+G+UN+D:96B'" + body + "UNE+1+G'"
    codecs = dict.fromkeys("ABCDEFGHIJKL", "latin-1") | dict.fromkeys("WXY", "utf-8")
    made = [
        f"UNB+UNO{level}:{version}+A+B+20260504:1307+R++++1'{content}UNZ+1+R'".encode(codec)
        for level, codec in codecs.items()
        for version in (3, 4)
        for content in (body, contrl)
    ]
    made += [f"UNA:+.?*'UNB+UNOC:4+A+B+20260504:1307+R'{text}UNZ+1+R'".encode() for text in (package, group)]
    return [*made, b"UNB+UNOX:4+A+B+20260504:1307+R'UNH+1+X:1:2:UN'FTX+\x1b$B%b\x1b(B+\x1b.A\x1bN\x80'"]


def seeded(arguments: list[str]) -> list[str]:
    """Fill the corpus, each interchange with an octet before it."""
    corpus = pathlib.Path(arguments[-1])
    if arguments[-1].startswith("-") or corpus.is_file():
        return arguments
    inputs = seeds()
    if len(arguments) > 3 and arguments[1] == SEED_FROM:
        inputs += [
            path.read_bytes() for path in sorted(pathlib.Path(arguments[2]).rglob("*")) if path.is_file()
        ]
        arguments = [arguments[0], *arguments[3:]]
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs):
        (corpus / f"seed-{number}").write_bytes(b"\x10" + data)
    return arguments


if __name__ == "__main__":
    atheris.Setup(seeded(sys.argv), one_input)
    atheris.Fuzz()
