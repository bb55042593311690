"""Where an interchange begins, and the separators it is read by."""

import pytest

from tidewaiter.codecs.edifact import ServiceString, read_interchange
from tidewaiter.codecs.edifact.report import Report
from tidewaiter.codecs.edifact.service import Opening, find_start, for_version
from tidewaiter.codecs.finding import Severity

UNB = b"UNB+UNOC:3+A+B+260504:1307+R1'"


def test_the_advice_is_read() -> None:
    report = Report()
    start = find_start(Opening(b"UNA=*,\\ ~\r\nUNB*UNOC=3*", 0), report)
    assert start is not None
    assert start.service == ServiceString("=", "*", ",", "\\", "", "~", explicit=True)
    assert (start.start, start.header, len(report)) == (0, 11, 0)


def test_the_advice_may_leave_out_release_and_repetition() -> None:
    start = find_start(Opening(b"UNA:+.  'UNB+UNOA:1+", 0), Report())
    assert start is not None
    assert (start.service.release, start.service.repetition) == ("", "")


def test_level_b_by_the_letter() -> None:
    start = find_start(Opening(b"UNB\x1dUNOB\x1f1\x1d", 0), Report())
    assert start is not None
    assert (start.service.component, start.service.element, start.service.terminator) == (
        "\x1f",
        "\x1d",
        "\x1c",
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "13"),
        (b"hello", "13"),
        (b"<xml/>", "13"),
        (b"UNA::.? 'UNB:UNOC", "20"),
        (b"UNAA+.? 'UNB+UNOC", "20"),
        (b"UNA:+.", "20"),
        (b"UNA:+;? 'UNB+UNOC", "20"),
        (b"UNA:+.? 'UNB:UNOC", "13"),
        (b"UNB#UNOC:3#", "20"),
    ],
)
def test_what_is_no_interchange_is_a_finding(data: bytes, code: str) -> None:
    interchange = read_interchange(data)
    assert [finding.code for finding in interchange.findings] == [code]
    assert interchange.messages == ()


@pytest.mark.parametrize(
    ("junk", "what"),
    [(b"\xef\xbb\xbf", "byte order mark"), (b"Content-Type: x\r\n\r\n", "text"), (b"\xff", "text")],
)
@pytest.mark.parametrize("head", [b"", b"UNA:+.? '"])
def test_what_stands_before_is_told_and_skipped(junk: bytes, what: str, head: bytes) -> None:
    report = Report()
    start = find_start(Opening(junk + head + UNB, 0), report)
    assert start is not None
    assert start.start == len(junk)
    (finding,) = report.findings()
    assert finding.code == "21"
    assert finding.severity is Severity.WARNING
    assert what in finding.text


def test_blank_octets_before_are_no_finding() -> None:
    report = Report()
    start = find_start(Opening(b"\r\n \t" + UNB, 0), report)
    assert start is not None
    assert (start.start, len(report)) == (4, 0)


@pytest.mark.parametrize(
    ("version", "explicit", "repetition", "expected"),
    [(3, True, "*", ""), (4, False, "", "*"), (4, True, "", ""), (4, True, "!", "!"), (1, False, "", "")],
)
def test_repetition_is_of_version_4(version: int, explicit: bool, repetition: str, expected: str) -> None:
    service = ServiceString(repetition=repetition, explicit=explicit)
    assert for_version(service, version).repetition == expected
