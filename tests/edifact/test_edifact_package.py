"""Objects beside the messages: read by their length, whatever their octets look like."""

import pytest

from tidewaiter.codecs.edifact import Interchange, read_interchange
from tidewaiter.codecs.edifact.package import object_octets, object_segments
from tidewaiter.codecs.edifact.scanner import read_segment
from tidewaiter.codecs.edifact.service import ServiceString
from tidewaiter.codecs.finding import EdifactPointer

HEAD = b"UNB+UNOC:4+A+B+20260504:1307+R'"
ONE = b"UNH+1+CUSDEC:D:96B:UN'BGM+929'UNT+3+1'"


def read(*parts: bytes, count: int = 1) -> Interchange:
    return read_interchange(HEAD + b"".join(parts) + f"UNZ+{count}+R'".encode())


def package(
    data: bytes, *, between: bytes = b"", reference: str = "P", length: str = "", more: str = ""
) -> bytes:
    size = length or str(len(data))
    return (
        f"UNO+{reference}+A:1+B:2+{size}{more}'".encode()
        + between
        + data
        + f"UNP+{size}+{reference}'".encode()
    )


def told(interchange: Interchange) -> list[str]:
    """Code and tag of each finding of the envelope."""
    lines = []
    for finding in interchange.findings:
        assert isinstance(finding.pointer, EdifactPointer)
        assert finding.pointer.offset is not None
        assert 0 <= finding.pointer.offset <= len(interchange.data)
        lines.append(f"{finding.code} {finding.pointer.tag}")
    return lines


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"'",
        b"?",
        b"\r\n",
        bytes(range(256)),
        b"UNZ+1+R'",
        b"'UNZ+1+R'UNB+UNOC:4+A+B+20260504:1307+R'",
        b"'UNH+9+CUSDEC:D:96B:UN'UNT+2+9'",
        b"UNP+3+P'",
        b"'UNO+Q+A:1+B:2+3'abcUNP+3+Q'",
        b"UNA:+.? '",
        b"a" * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
@pytest.mark.parametrize("after", [b"", b"\n", b"\r\n"])
def test_the_octets_of_an_object_are_its_own(data: bytes, after: bytes) -> None:
    written = package(data)
    cut = written.rindex(b"UNP+")
    written = written[:cut] + after + written[cut:]
    found = read(written, ONE, count=2)
    assert told(found) == []
    (only,) = found.packages
    assert only.data == data
    assert (only.reference, only.group, only.header.value(2)) == ("P", None, "A")
    assert only.trailer is not None
    assert found.data[only.start : only.end] == written
    assert [message.reference for message in found.messages] == ["1"]


def test_several_packages_and_one_in_a_group() -> None:
    group = b"UNG+CUSDEC+A+B+20260504:1307+G+UN+D:96B'"
    found = read(group, package(b"abc"), package(b"de", reference="Q"), ONE, b"UNE+3+G'")
    assert told(found) == []
    assert [(p.reference, p.data, p.group) for p in found.packages] == [("P", b"abc", "G"), ("Q", b"de", "G")]


@pytest.mark.parametrize("count", [1, 2, 12])
def test_segments_before_the_object(count: int) -> None:
    between = b"".join(b"USH+7+%d?'x'" % n for n in range(count))
    found = read(package(b"a'b", between=between, more=f":{count}"))
    assert told(found) == []
    assert found.packages[0].data == b"a'b"


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        # Not a number, or none: what follows is no object.
        ("X", ["12 UNO", "33 abcUNP"]),
        ("-3", ["12 UNO", "33 abcUNP"]),
        ("3.0", ["12 UNO", "33 abcUNP"]),
        ("\xb3", ["12 UNO", "33 abcUNP"]),
        ("9" * 19, ["12 UNO", "33 abcUNP"]),
        # Too short, too long: UNP is not where the object ends.
        ("2", ["13 UNO", "33 cUNP"]),
        ("0", ["13 UNO", "33 abcUNP"]),
    ],
)
def test_a_length_that_is_wrong_loses_no_message(length: str, expected: list[str]) -> None:
    written = f"UNO+P+A:1+B:2+{length}'abcUNP+{length}+P'".encode("latin-1")
    found = read(written, ONE, count=1 + expected[0].startswith("13"))
    assert told(found)[: len(expected)] == expected
    assert len(told(found)) <= 4
    assert [message.reference for message in found.messages] == ["1"]


@pytest.mark.parametrize("length", ["500", "134217728", "9" * 18])
def test_a_length_beyond_the_end_is_told(length: str) -> None:
    found = read(f"UNO+P+A:1+B:2+{length}'abcUNP+{length}+P'".encode(), ONE, count=2)
    assert told(found)[0] in {"13 UNO", "39 UNO"}
    (only,) = found.packages
    assert only.trailer is None or length == "9" * 18
    assert len(only.data) <= len(found.data)


def test_leading_zeros_of_a_length() -> None:
    found = read(b"UNO+P+A:1+B:2+003'abcUNP+3+P'")
    assert told(found) == []
    assert read(b"UNO+P+A:1+B:2+0'UNP+00+P'").packages[0].data == b""
    assert told(read(b"UNO+P+A:1+B:2+0'UNP+00+P'")) == []


@pytest.mark.parametrize(
    ("trailer", "expected"),
    [
        (b"UNP+4+P'", ["29 UNP"]),
        (b"UNP++P'", ["29 UNP"]),
        (b"UNP+3+Q'", ["28 UNP"]),
        (b"UNP+3'", ["28 UNP"]),
        (b"UNP+4+Q'", ["29 UNP", "28 UNP"]),
        (b"", ["13 UNO"]),
    ],
)
def test_what_unp_repeats(trailer: bytes, expected: list[str]) -> None:
    found = read(b"UNO+P+A:1+B:2+3'abc", trailer, ONE, count=2)
    assert told(found) == expected
    assert found.packages[0].data == b"abc"
    assert (found.packages[0].trailer is None) is (not trailer)
    assert len(found.messages) == 1


def test_what_is_expected_is_said() -> None:
    first, second = read(b"UNO+P+A:1+B:2+3'abcUNP+4+Q'").findings
    assert (first.expected, second.expected) == ("3", "P")


def test_the_numbers_of_uno() -> None:
    def header(status: str) -> tuple[int | None, int]:
        segment = read_segment(f"UNO+P+A:1+B:2+{status}", 0, ServiceString())
        return object_octets(segment), object_segments(segment)

    assert header("12") == (12, 0)
    assert header("12:3") == (12, 3)
    assert header("0:0") == (0, 0)
    assert header("") == (None, 0)
    assert header("12:X") == (12, 0)
    assert header("12:1000") == (12, 0)
    assert header("9" * 18) == (10**18 - 1, 0)
    assert header("\u0663") == (None, 0)
