"""CONTRL: acknowledged, rejected as a whole, rejected in part; and read back."""

from collections.abc import Callable

import pytest

from tidewaiter.codecs.edifact import (
    Control,
    Directory,
    Envelope,
    Fault,
    Interchange,
    Verdict,
    owed,
    read_contrl,
    read_cusdec,
    read_interchange,
    validate,
    write_contrl,
)
from tidewaiter.codecs.finding import Finding, is_valid

GOOD = ("BGM+929+L1+9", "UNS+D", "UNS+S")
BAD = ("BGM+929+L1+9", "LOC+TOOLONG", "RFF+:1", "XYZ+1", "UNS+D", "UNS+S")
HEAD = "UNB+UNOC:3+TRADER:ZZ:BACK+GATEWAY:14+260504:1307+REF1++++1'"


def answer(
    interchange: Interchange, envelope: Envelope, directory: Directory, *, received: bool = False
) -> tuple[str, Control]:
    """The segments between UNH and UNT, and what they say when read."""
    findings: list[Finding] = []
    for message in interchange.messages:
        findings.extend(validate(interchange, message, directory).findings)
    data = write_contrl(interchange, envelope, findings=findings, received=received)
    written = read_interchange(data)
    assert written.valid
    assert (written.sender, written.recipient) == ("GATEWAY", "AGENCY")
    (message,) = written.messages
    assert validate(written, message, directory).findings == ()
    control = read_contrl(written, message)
    assert control is not None
    text = data.decode("latin-1")
    return text[text.index("UCI") : text.rindex("UNT")], control


def test_a_good_interchange_is_acknowledged(directory: Directory, envelope: Envelope) -> None:
    body = "UNH+1+CUSDEC:D:96B:UN'BGM+929+L+9'UNS+D'UNS+S'UNT+5+1'"
    text, control = answer(read_interchange(f"{HEAD}{body}UNZ+1+REF1'".encode()), envelope, directory)
    assert text == "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+7'"
    assert control == Control(reference="REF1", sender="TRADER", recipient="GATEWAY", action="7")
    assert not control.rejected


def test_receipt_only(make: Callable[..., Interchange], directory: Directory, envelope: Envelope) -> None:
    text, _ = answer(make(*GOOD), envelope, directory, received=True)
    assert text == "UCI+REF1+TRADER+GATEWAY+8'"


def test_faults_of_a_message_are_told_place_by_place(
    make: Callable[..., Interchange], directory: Directory, envelope: Envelope
) -> None:
    text, control = answer(make(*BAD), envelope, directory)
    assert text == (
        "UCI+REF1+TRADER+GATEWAY+7'UCM+1+CUSDEC:D:96B:UN+4'UCS+3'UCD+39+2:1'UCS+4'UCD+13+2:1'UCS+5+15'"
    )
    assert control.rejected
    assert control.messages == (
        Verdict(
            reference="1",
            type="CUSDEC",
            action="4",
            faults=(
                Fault(segment=3, code="39", element=1, component=1),
                Fault(segment=4, code="13", element=1, component=1),
                Fault(segment=5, code="15"),
            ),
        ),
    )


def test_a_missing_segment_is_told_at_the_one_before_it(
    make: Callable[..., Interchange], directory: Directory, envelope: Envelope
) -> None:
    text, _ = answer(make("LOC+96+X", "UNS+D", "UNS+S"), envelope, directory)
    assert text.endswith("UCS+1+13'")


def test_only_the_bad_one_of_several_messages_is_named(directory: Directory, envelope: Envelope) -> None:
    good = "UNH+{n}+CUSDEC:D:96B:UN'BGM+929+L+9'UNS+D'UNS+S'UNT+5+{n}'"
    bad = good.replace("UNT+5", "UNT+7")
    data = HEAD + good.format(n=1) + bad.format(n=2) + good.format(n=3) + "UNZ+3+REF1'"
    text, control = answer(read_interchange(data.encode()), envelope, directory)
    assert text == "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+7'UCM+2+CUSDEC:D:96B:UN+4+29+UNT+2:1'"
    assert [m.reference for m in control.messages] == ["2"]


def test_a_type_that_is_not_supported_is_rejected_in_its_header(
    make: Callable[..., Interchange], directory: Directory, envelope: Envelope
) -> None:
    text, _ = answer(make("BGM+85", name="INVOIC:D:96B:UN"), envelope, directory)
    assert text.endswith("UCM+1+INVOIC:D:96B:UN+4+14+UNH+3:1'")


@pytest.mark.parametrize(
    ("trailer", "expected"),
    [
        ("UNZ+2+REF1'", "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+4+29+UNZ+2:1'"),
        ("UNZ+1+REF2'", "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+4+28+UNZ+3:1'"),
        ("", "UCI+REF1+TRADER:ZZ:BACK+GATEWAY:14+4+13+UNZ'"),
    ],
)
def test_a_bad_envelope_rejects_the_whole(
    trailer: str, expected: str, directory: Directory, envelope: Envelope
) -> None:
    body = "UNH+1+CUSDEC:D:96B:UN'BGM+929+L+9'UNS+D'UNS+S'UNT+5+1'"
    text, control = answer(read_interchange((HEAD + body + trailer).encode()), envelope, directory)
    assert text == expected
    assert control.rejected


@pytest.mark.parametrize(("data", "code"), [(b"", "13"), (b"rubbish", "13"), (b"UNA????????", "20")])
def test_what_cannot_be_read_is_rejected(
    data: bytes, code: str, directory: Directory, envelope: Envelope
) -> None:
    text, control = answer(read_interchange(data), envelope, directory)
    assert text.startswith(f"UCI+0+AGENCY+GATEWAY+4+{code}+UN")
    assert control.rejected


def test_findings_of_content_are_no_matter_of_a_contrl(
    make: Callable[..., Interchange], directory: Directory, envelope: Envelope
) -> None:
    interchange = make("BGM+929++7", "UNS+D", "UNS+S")
    _, findings = read_cusdec(interchange, interchange.messages[0], directory)
    assert not is_valid(findings)
    assert b"UCM" not in write_contrl(interchange, envelope, findings=findings)


def test_a_contrl_is_never_answered(make: Callable[..., Interchange], envelope: Envelope) -> None:
    interchange = make("UCI+X+A+B+7", name="CONTRL:D:3:UN")
    assert not owed(interchange)
    with pytest.raises(ValueError, match="CONTRL"):
        write_contrl(interchange, envelope)


def test_hostile_values_are_copied_safely(envelope: Envelope, directory: Directory) -> None:
    head = "UNB+UNOC:3+A?'?+\x01+" + "B" * 80 + "+260504:1307+" + "R" * 30 + "'"
    text, control = answer(read_interchange(f"{head}UNZ+0+X'".encode()), envelope, directory)
    assert text.startswith("UCI+" + "R" * 14 + "+A?'?++" + "B" * 35 + "+4+")
    assert control.sender == "A'+"


@pytest.mark.parametrize("name", ["CONTRL:D:3:UN", "CONTRL:2:2:UN", "CONTRL:4:1:UN", "CONTRL:D:03B:UN"])
def test_every_version_is_read(name: str, make: Callable[..., Interchange]) -> None:
    interchange = make("UCI+R7+A+B+7", "UCM+M1+CUSDEC:D:96B:UN+4+12", "UCS+X+12", "UCD+12+3", name=name)
    control = read_contrl(interchange, interchange.messages[0])
    assert control is not None
    assert control.reference == "R7"
    assert control.messages[0].faults == (
        Fault(segment=0, code="12"),
        Fault(segment=0, code="12", element=2),
    )


def test_a_contrl_without_uci_says_nothing(make: Callable[..., Interchange]) -> None:
    interchange = make("UCM+M1+CUSDEC:D:96B:UN+4+12", name="CONTRL:D:3:UN")
    assert read_contrl(interchange, interchange.messages[0]) is None
