"""The CONTRL we write: each level in its segment, in either version, and always valid itself."""

import pathlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tidewaiter.codecs.edifact import (
    Directory,
    Ended,
    Envelope,
    Message,
    Started,
    owed,
    read_contrl,
    read_interchange,
    read_interchanges,
    read_stream,
    validate,
    write_contrl,
)
from tidewaiter.codecs.finding import EdifactPointer, Finding, Severity

V3 = "UNB+UNOC:3+TRADER:ZZ:BACK+GATEWAY:14+260504:1307+REF1"
V4 = "UNB+UNOC:4+TRADER:ZZ:BACK:SUB+GATEWAY:14::IN+20260504:1307+REF1"
GOOD = "UNH+{n}+CUSDEC:D:96B:UN'BGM+929+L+9'UNS+D'UNS+S'UNT+5+{n}'"
SAMPLES = pathlib.Path("edifact") / "samples"


def found_in(data: bytes, directory: Directory) -> list[Finding]:
    interchange = read_interchange(data)
    return [f for one in interchange.messages for f in validate(interchange, one, directory).findings]


def body(data: bytes) -> str:
    """The segments between UNH and UNT."""
    text = data.decode("utf-8" if b"UNOW" in data else "latin-1")
    return text[text.index("UCI") : text.rindex("UNT")]


def answer(
    text: str,
    envelope: Envelope,
    directory: Directory,
    findings: Sequence[Finding] | None = None,
    version: int | None = None,
) -> str:
    data = text.encode()
    told = found_in(data, directory) if findings is None else findings
    written = write_contrl(read_interchange(data), envelope, findings=told, version=version)
    assert_valid(written, directory)
    return body(written)


def assert_valid(written: bytes, directory: Directory) -> None:
    """No finding of any severity, by our own reader and tables."""
    interchange = read_interchange(written)
    assert interchange.findings == ()
    (message,) = interchange.messages
    assert validate(interchange, message, directory).findings == ()
    assert read_contrl(interchange, message) is not None


def error(code: str, segment: int = 2, **where: object) -> Finding:
    named = {"tag": "BGM", "message": "1"} | where
    return Finding(code=code, text="wrong", pointer=EdifactPointer(segment=segment, **named))  # type: ignore[arg-type]


def test_version_4_is_answered_in_version_4(directory: Directory, envelope: Envelope) -> None:
    text = f"{V4}'{GOOD.format(n=1)}UNZ+1+REF1'"
    written = write_contrl(read_interchange(text.encode()), envelope)
    assert written.startswith(b"UNA:+.?*'UNB+UNOC:4+GATEWAY+AGENCY+20260504:1307+")
    assert b"UNH+1+CONTRL:4:1:UN'" in written
    assert body(written) == "UCI+REF1+TRADER:ZZ:BACK:SUB+GATEWAY:14::IN+7'"
    assert_valid(written, directory)


def test_any_version_can_be_asked_for(directory: Directory, envelope: Envelope) -> None:
    text = f"{V4}'{GOOD.format(n=1)}UNZ+2+REF1'"
    assert answer(text, envelope, directory) == ("UCI+REF1+TRADER:ZZ:BACK:SUB+GATEWAY:14::IN+4+29+UNZ+2:1'")
    assert answer(text, envelope, directory, version=3) == "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+4+29+UNZ+2:1'"
    text = text.replace(V4, V3)
    assert answer(text, envelope, directory, version=4) == "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+4+29+UNZ+2:1'"
    assert b"CONTRL:4:1:UN" in write_contrl(read_interchange(text.encode()), envelope, version=4)


def test_the_name_of_a_message_in_version_4(directory: Directory, envelope: Envelope) -> None:
    message = GOOD.format(n=1).replace("D:96B:UN", "D:96B:UN:ASSOC1:LIST1:SUB1")
    text = f"{V4}'{message.replace('UNT+5', 'UNT+6')}UNZ+1+REF1'"
    assert answer(text, envelope, directory, ()).endswith(
        "UCM+1+CUSDEC:D:96B:UN:ASSOC1:LIST1:SUB1+4+29+UNT+2:1'"
    )
    assert answer(text, envelope, directory, (), version=3).endswith(
        "UCM+1+CUSDEC:D:96B:UN:ASSOC1+4+29+UNT+2:1'"
    )


def group(reference: str, *messages: str, count: int | None = None) -> str:
    number = len(messages) if count is None else count
    head = f"UNG+CUSDEC+APP1:ZZ+APP2:14+260504:1307+{reference}+UN+D:96B'"
    return f"{head}{''.join(messages)}UNE+{number}+{reference}'"


def test_a_message_in_a_group_is_told_below_its_group(directory: Directory, envelope: Envelope) -> None:
    bad = GOOD.format(n=2).replace("BGM+929", "BGM+9299")
    groups = group("G1", GOOD.format(n=1)) + group("G2", GOOD.format(n=1), bad)
    assert answer(f"{V3}'{groups}UNZ+2+REF1'", envelope, directory) == (
        "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+7'UCF+G2+APP1:ZZ+APP2:14+7'"
        "UCM+2+CUSDEC:D:96B:UN+4'UCS+2'UCD+39+2:1'"
    )


def test_an_error_of_ung_or_une_rejects_the_group(directory: Directory, envelope: Envelope) -> None:
    for count in ((3, 1), (1, 3)):
        groups = group("G1", GOOD.format(n=1), count=count[0]) + group("G2", GOOD.format(n=1), count=count[1])
        bad = "G1" if count[0] == 3 else "G2"
        assert answer(f"{V3}'{groups}UNZ+2+REF1'", envelope, directory) == (
            f"UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+7'UCF+{bad}+APP1:ZZ+APP2:14+4+29+UNE+2:1'"
        )


def test_below_a_rejected_interchange_every_group_is_rejected(
    directory: Directory, envelope: Envelope
) -> None:
    bad = GOOD.format(n=2).replace("BGM+929", "BGM+9299")
    text = f"{V3}'{group('G1', bad)}UNZ+9+REF1'"
    assert answer(text, envelope, directory) == (
        "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+4+29+UNZ+2:1'UCF+G1+APP1:ZZ+APP2:14+4'"
        "UCM+2+CUSDEC:D:96B:UN+4'UCS+2'UCD+39+2:1'"
    )


@pytest.mark.parametrize(
    ("head", "ucf"),
    [
        (V3, "UCF+G1+-+-+4+29+UNE+2:1'"),
        (V4, "UCF+G1+++4+29+UNE+2:1'"),
    ],
)
def test_a_group_that_names_nobody(head: str, ucf: str, directory: Directory, envelope: Envelope) -> None:
    """S006 and S007 are mandatory in version 3 only."""
    text = group("G1", GOOD.format(n=1), count=2).replace("APP1:ZZ+APP2:14", "+")
    findings = [
        Finding(
            code="29",
            text="",
            pointer=EdifactPointer(segment=0, tag="UNE", element=1, component=1, offset=400, group="G1"),
        )
    ]
    interchange = read_interchange(f"{head}'{text}UNZ+1+REF1'".encode())
    written = write_contrl(replace(interchange, findings=()), envelope, findings=findings)
    assert_valid(written, directory)
    assert body(written).endswith(ucf)


def test_messages_of_one_reference_are_told_apart(directory: Directory, envelope: Envelope) -> None:
    """By their position: the second `1` is at fault, for its reference and for its content."""
    bad = GOOD.format(n=1).replace("BGM+929", "BGM+9299")
    text = f"{V3}'{GOOD.format(n=1)}{bad}UNZ+2+REF1'"
    told = answer(text, envelope, directory)
    assert told.count("UCM+") == 1
    assert "UCM+1+CUSDEC:D:96B:UN+4+26+UNH+2" in told
    assert told.endswith("'UCS+2'UCD+39+2:1'")


def test_a_message_is_found_by_its_position_alone(directory: Directory, envelope: Envelope) -> None:
    """Of two with one reference, the second, which is at fault for that too."""
    text = f"{V3}'{GOOD.format(n=1)}{GOOD.format(n=1)}UNZ+2+REF1'"
    told = answer(text, envelope, directory, [error("15", position=2)])
    assert told.count("UCM+") == 1
    assert told.endswith("'UCS+2+15'")


def test_blanks_at_the_end_are_not_copied(directory: Directory, envelope: Envelope) -> None:
    text = f"{V3}'{GOOD.format(n='1 ')}UNZ+1+REF1'".replace("TRADER:ZZ:BACK", "TRADER  :ZZ :  ")
    told = answer(text, envelope, directory, [error("15", message="1 ")])
    assert told.startswith("UCI+REF1+TRADER:ZZ+GATEWAY:14+7'UCM+1+")


def test_an_occurrence_in_version_4(directory: Directory, envelope: Envelope) -> None:
    """0136 in place of 0104: only one of them may be there. Version 3 counts elements instead."""
    text = f"{V4}'{GOOD.format(n=1)}UNZ+1+REF1'"
    findings = [error("39", element=2, component=3, repetition=4), error("39", element=2, component=3)]
    findings.append(error("12", element=2, component=3, repetition=1))
    told = answer(text, envelope, directory, findings)
    assert told.endswith("UCS+2'UCD+39+3::4'UCD+39+3:3'UCD+12+3:3'")
    assert "UCD+39+3:3'UCD+12" in answer(text, envelope, directory, findings, version=3)


def test_each_segment_says_one_error(directory: Directory, envelope: Envelope) -> None:
    """Two errors of one segment are two UCS, and what comes twice is said once."""
    text = f"{V3}'{GOOD.format(n=1)}UNZ+1+REF1'"
    findings = [
        error("15"),
        error("13", tag="LOC"),
        error("15"),
        error("37", element=1),
        error("37", element=1),
    ]
    told = answer(text, envelope, directory, findings)
    assert told.endswith("UCM+1+CUSDEC:D:96B:UN+4'UCS+2+15'UCD+37+2'UCS+2+13'")


def test_the_segments_come_in_their_order(directory: Directory, envelope: Envelope) -> None:
    findings = [error("15", 4), error("15", 2), error("15", 3)]
    told = answer(f"{V3}'{GOOD.format(n=1)}UNZ+1+REF1'", envelope, directory, findings)
    assert told.endswith("UCS+2+15'UCS+3+15'UCS+4+15'")


def test_no_more_is_told_than_the_message_holds(directory: Directory, envelope: Envelope) -> None:
    text = f"{V3}'{GOOD.format(n=1)}UNZ+1+REF1'"
    told = answer(text, envelope, directory, [error("15", number) for number in range(2, 1_502)])
    assert told.count("UCS+") == 999
    told = answer(text, envelope, directory, [error("12", element=number) for number in range(1, 151)])
    assert (told.count("UCS+"), told.count("UCD+")) == (1, 99)
    beyond = [
        error("12", 1_000_000),
        error("12", element=1_500, component=2),
        error("12", 3, element=2, component=5_000),
    ]
    assert answer(text, envelope, directory, beyond).endswith("UCS+2+12'UCS+3'UCD+12+3'")


def test_an_error_without_a_place_rejects_the_message(directory: Directory, envelope: Envelope) -> None:
    text = f"{V3}'{GOOD.format(n=1)}UNZ+1+REF1'"
    told = answer(text, envelope, directory, [error("12", 0)])
    assert told.endswith("UCM+1+CUSDEC:D:96B:UN+4+18'")


@pytest.mark.parametrize(
    ("code", "in_3", "in_4"),
    [("38", "38", "37"), ("19", "19", "37"), ("45", "16", "45"), ("48", "18", "48"), ("46", "21", "46")],
)
def test_a_code_is_one_of_the_version(
    code: str, in_3: str, in_4: str, directory: Directory, envelope: Envelope
) -> None:
    text = f"{V3}'{GOOD.format(n=1)}UNZ+1+REF1'"
    findings = [error(code, element=1)]
    assert answer(text, envelope, directory, findings).endswith(f"UCD+{in_3}+2'")
    assert answer(text, envelope, directory, findings, version=4).endswith(f"UCD+{in_4}+2'")


def test_a_character_set_of_the_envelope(directory: Directory, envelope: Envelope) -> None:
    where = EdifactPointer(segment=0, tag="UNB", element=1, component=1)
    findings = [Finding(code="46", text="", pointer=where)]
    text = f"{V3}'{GOOD.format(n=1)}UNZ+1+REF1'"
    assert answer(text, envelope, directory, findings).endswith("+4+2+UNB+2:1'")
    assert answer(text, envelope, directory, findings, version=4).endswith("+4+46+UNB+2:1'")


def test_what_stands_outside_is_of_no_service_segment(directory: Directory, envelope: Envelope) -> None:
    text = f"{V3}'{GOOD.format(n=1)}XYZ+1'UNZ+1+REF1'"
    assert answer(text, envelope, directory) == "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+4+33'"


def test_warnings_and_content_are_not_told(directory: Directory, envelope: Envelope) -> None:
    text = f"{V3}'{GOOD.format(n=1)}UNZ+1+REF1'"
    findings = [Finding(severity=Severity.WARNING, code="12", text="", pointer=error("12").pointer)]
    findings.append(error("lrn-reused"))
    assert answer(text, envelope, directory, findings) == "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+7'"


def test_every_group_has_its_own_messages(directory: Directory, envelope: Envelope) -> None:
    bad = GOOD.format(n=1).replace("UNT+5", "UNT+6")
    count = 40
    groups = "".join(group(f"G{number}", bad) for number in range(count))
    interchange = read_interchange(f"{V3}'{groups}UNZ+{count}+REF1'".encode())
    written = write_contrl(interchange, envelope)
    assert_valid(written, directory)
    assert written.count(b"+7'UCM+1+CUSDEC:D:96B:UN+4+29+UNT+2") == count


def test_a_stream_is_answered_by_what_is_at_fault_in_it(directory: Directory, envelope: Envelope) -> None:
    """Good messages need not be kept: the CONTRL is that of the whole interchange."""
    bad = GOOD.format(n=2).replace("BGM+929", "BGM+9299")
    for inside in (f"{GOOD.format(n=1)}{bad}", group("G1", GOOD.format(n=1)) + group("G2", bad)):
        data = f"{V3}'{inside}UNZ+2+REF1'".encode()
        whole = write_contrl(read_interchange(data), envelope, findings=found_in(data, directory))
        kept, findings, ended = [], [], None
        for event in read_stream([data]):
            if isinstance(event, Started):
                started = event.interchange
            elif isinstance(event, Message):
                found = validate(started, event, directory).findings
                kept += [event] * bool(found)
                findings += found
            elif isinstance(event, Ended):
                ended = replace(event.interchange, messages=tuple(kept))
        assert len(kept) == 1
        assert ended is not None
        assert write_contrl(ended, envelope, findings=findings) == whole
        assert b"UCM+2" in whole


def test_a_package_at_fault(directory: Directory, envelope: Envelope) -> None:
    uno = "UNO+P1+AAA:OBJ1+1:2:3+4'"
    text = f"{V4}'{GOOD.format(n=1)}{uno}DATAUNP+5+P1'UNZ+2+REF1'"
    told = answer(text, envelope, directory)
    assert "+7'UCM+++4+29+UNP+" in told
    assert told.endswith("+P1+AAA:OBJ1'")
    assert answer(text, envelope, directory, version=3).endswith("+7'UCM+P1+-:-:-:-+4+29'")


SECURED = (
    f"{V4}'UNH+1+CUSDEC:D:96B:UN'USH+1+SEC1'USA+1:2'USH+1+SEC2'BGM+929+L+9'UNS+D'UNS+S'"
    "UST+SEC2+2'USR+1:X'UST+SEC1+4'USR+1:X'UNT+12+1'UNZ+1+REF1'"
)


@pytest.mark.parametrize(
    ("segment", "tag", "place"),
    [
        (2, "USH", "SEC1+1"),
        (3, "USA", "SEC1+2"),
        (4, "USH", "SEC2+1"),
        (9, "USR", "SEC2+3"),
        (10, "UST", "SEC1+3"),
    ],
)
def test_a_security_segment_is_told_by_its_place_in_the_security(
    segment: int, tag: str, place: str, directory: Directory, envelope: Envelope
) -> None:
    """0534 and 0138 in version 4; version 3 has no such elements, and tells it like any segment."""
    findings = [error("12", segment, tag=tag, element=1)]
    assert answer(SECURED, envelope, directory, findings).endswith(f"+4+12+{tag}+2+++{place}'")
    assert answer(SECURED, envelope, directory, findings, version=3).endswith(f"UCS+{segment}'UCD+12+2'")


def test_security_without_a_reference_is_not_named(directory: Directory, envelope: Envelope) -> None:
    text = SECURED.replace("USH+1+SEC1", "USH+1")
    told = answer(text, envelope, directory, [error("13", 2, tag="USH", element=2)])
    assert told.endswith("UCM+1+CUSDEC:D:96B:UN+4+13'")


@pytest.mark.parametrize("level", ["UNOC:3", "UNOC:4"])
def test_values_no_element_takes(level: str, directory: Directory, envelope: Envelope) -> None:
    long = "L" * 80
    text = (
        f"UNB+{level}+{long}:{long}:{long}:{long}+ :\x01:\x1f+260504:1307+ {long}'"
        f"UNG+{long}+{long}:{long}+:X+260504:1307+{long}+UN+D:96B'"
        f"UNH+{long}+{long}:{long}:{long}:{long}:{long}:{long}:{long}'BGM'UNT+9+X'UNE+4+Y'UNZ+7+Z'"
    )
    answer(text, envelope, directory)


@pytest.mark.parametrize(("level", "kept"), [("UNOC:3", "????"), ("UNOC:4", "\u00c3\u00a9")])
def test_letters_that_no_reader_could_take_for_others(
    level: str, kept: str, directory: Directory, envelope: Envelope
) -> None:
    """Octets of UTF-8 in UNB are not written under UNOC again: version 4 has UNOW for them."""
    text = f"UNB+{level}+\u00e9+B+260504:1307+R'{GOOD.format(n=1)}UNZ+1+R'"
    assert answer(text, envelope, directory).startswith(f"UCI+R+{kept}+B+")


OCTETS = [b"", b"'", b"+", b":", b"?", b"\x00", b"\xe9", b"*", b"9", b"UNZ"]
SPOILED = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(OCTETS)), min_size=1, max_size=6)
SUBJECTS = [
    f"{V3}++++1'{GOOD.format(n=1)}{GOOD.format(n=2)}UNZ+2+REF1'".encode(),
    f"{V4}'{GOOD.format(n=1)}UNO+P1+AAA:O+1:2:3+4'DATAUNP+4+P1'UNZ+2+REF1'".encode(),
    f"{V3}'{group('G1', GOOD.format(n=1))}{group('G2', GOOD.format(n=1))}UNZ+2+REF1'".encode(),
]


def spoil(data: bytes, changes: Sequence[tuple[int, bytes]]) -> bytes:
    """`data` with an octet replaced at each place."""
    for at, octets in changes:
        data = data[: at % len(data)] + octets + data[at % len(data) + 1 :]
    return data


def check(data: bytes, directory: Directory, envelope: Envelope) -> None:
    for interchange in read_interchanges(data):
        findings = [f for one in interchange.messages for f in validate(interchange, one, directory).findings]
        if owed(interchange):
            for version in (None, 3, 4):
                written = write_contrl(interchange, envelope, findings=findings, version=version)
                assert_valid(written, directory)


@settings(max_examples=250, deadline=None)
@given(data=st.sampled_from(SUBJECTS), changes=SPOILED)
def test_a_contrl_is_valid_whatever_it_answers(
    data: bytes, changes: list[tuple[int, bytes]], directory: Directory, envelope: Envelope
) -> None:
    check(spoil(data, changes), directory, envelope)


def test_a_contrl_is_valid_for_every_sample(
    shared: pathlib.Path, directory: Directory, envelope: Envelope
) -> None:
    if not (shared / SAMPLES).is_dir():
        pytest.skip("the samples are not beside this checkout")
    for path in sorted(
        path for path in (shared / SAMPLES).rglob("*") if path.is_file() and path.suffix != ".md"
    ):
        data = path.read_bytes()
        check(data, directory, envelope)
        for at in range(0, min(len(data), 1_500), 23):
            check(spoil(data, [(at, b"'"), (at + 7, b"+")]), directory, envelope)
