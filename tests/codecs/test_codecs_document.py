"""Any document, either syntax, one shape; nothing raises on bad bytes."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.codecs.document import EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE, Kind, Reader, Syntax, sniff
from tidewaiter.codecs.finding import EdifactPointer, Severity
from tidewaiter.gateway import resources
from tidewaiter.gateway.sandbox.samples import SAMPLES, sample

READER = Reader(resources.directory, resources.schemas)
CONTRL = b"UNB+UNOC:3+A+B+261119:0915+C1'UNH+1+CONTRL:D:3:UN'UCI+X+A+B+7'UNT+3+1'UNZ+1+C1'"


@pytest.mark.parametrize(
    ("payload", "media_type", "syntax"),
    [
        (b"<a/>", "", Syntax.XML),
        (b"\xef\xbb\xbf<a/>", EDIFACT_MEDIA_TYPE, Syntax.XML),
        (b"\r\n  <a/>", "", Syntax.XML),
        (b"\xff\xfe<\x00a\x00", "", Syntax.XML),
        (b"\x00<\x00a", "", Syntax.XML),
        (b"UNA:+.? '", XML_MEDIA_TYPE, Syntax.EDIFACT),
        (b"\n UNB+", "", Syntax.EDIFACT),
        (b"hello", "text/XML", Syntax.XML),
        (b"hello", EDIFACT_MEDIA_TYPE, Syntax.EDIFACT),
        (b"", "", Syntax.EDIFACT),
    ],
)
def test_the_first_octets_decide_the_syntax(payload: bytes, media_type: str, syntax: Syntax) -> None:
    assert sniff(payload, media_type) is syntax


def test_a_syntax_has_its_media_type() -> None:
    assert [syntax.media_type for syntax in Syntax] == [EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples(name: str) -> None:
    payload = sample(name)
    reading = READER.read(payload)
    (document,) = reading.documents
    assert reading.valid is document.valid is not name.startswith("invalid")
    assert document.kind is Kind.DECLARATION
    assert document.syntax is reading.syntax is (Syntax.XML if name.endswith("xml") else Syntax.EDIFACT)
    assert document.data in payload
    assert document.position == 1
    assert (reading.interchange is None) is name.endswith("xml")
    assert document.declaration is not None
    assert document.declaration.functional_reference_id.startswith("MER-26-")


def test_all_findings_of_the_envelope_and_each_document() -> None:
    reading = READER.read(sample("invalid.edi").replace(b"UNZ+1+", b"UNZ+4+"))
    assert reading.findings
    assert reading.all_findings == (*reading.findings, *reading.documents[0].findings)


def test_a_control_message_is_no_document_to_judge() -> None:
    reading = READER.read(CONTRL)
    assert [document.kind for document in reading.documents] == [Kind.CONTROL]
    assert reading.documents[0].name == "CONTRL:D:3:UN"


def test_a_message_of_a_type_that_is_not_held() -> None:
    reading = READER.read(CONTRL.replace(b"CONTRL:D:3", b"INVOIC:D:96B"))
    assert [document.kind for document in reading.documents] == [Kind.UNKNOWN]
    assert not reading.valid


@pytest.mark.parametrize(
    "payload",
    [b"", b" ", b"<", b"<a>", b"<a/>", b"UNA", b"UNB+x'", b"UNB", b"\x00" * 99, b"{}", b"PK\x03\x04"],
)
def test_what_cannot_be_used_has_a_reason(payload: bytes) -> None:
    reading = READER.read(payload)
    assert not reading.valid
    assert any(finding.severity.value == "error" for finding in reading.all_findings)


@given(st.binary(max_size=300), st.sampled_from(["", XML_MEDIA_TYPE, EDIFACT_MEDIA_TYPE]))
def test_no_octets_raise(payload: bytes, media_type: str) -> None:
    assert not READER.read(payload, media_type).valid


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 9999), st.integers(0, 255))
def test_no_changed_octet_raises(name: str, place: int, octet: int) -> None:
    payload = bytearray(sample(name))
    payload[place % len(payload)] = octet
    READER.read(bytes(payload))


def test_nothing_is_loaded_for_the_other_syntax() -> None:
    """A file of one syntax does not wait for the tables of the other."""

    def never() -> None:
        raise AssertionError

    assert Reader(resources.directory, never).read(sample("import.edi")).valid  # type: ignore[arg-type]
    assert Reader(never, resources.schemas).read(sample("export.xml")).valid  # type: ignore[arg-type]


def test_a_real_declaration(shared: pathlib.Path) -> None:
    file = shared / "wco/samples/hmrc-cds/import/TT_IM001a__Step1_TT_IM001a.xml"
    reading = READER.read(file.read_bytes())
    assert reading.valid
    assert reading.all_findings == ()


@pytest.mark.parametrize("between", [b"", b"\r\n", b"garbage"])
def test_a_second_interchange_is_not_dropped_without_a_word(between: bytes) -> None:
    first = sample("import.edi")
    payload = first + between + sample("fireworks.edi")
    reading = READER.read(payload)
    assert not reading.valid
    (finding,) = [each for each in reading.findings if each.severity is Severity.ERROR]
    assert finding.code == "33"
    assert isinstance(finding.pointer, EdifactPointer)
    assert payload[finding.pointer.offset :] == sample("fireworks.edi")
    assert "send each by itself" in finding.text
    assert READER.read(first + b"\r\n \n").valid


def test_a_second_xml_document_is_not_dropped_without_a_word() -> None:
    assert not READER.read(sample("export.xml") + sample("plants.xml")).valid
