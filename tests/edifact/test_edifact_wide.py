"""UTF-16 piece by piece."""

import pytest

from tidewaiter.codecs.edifact import Stream, read_interchange
from tidewaiter.codecs.edifact.wide import Narrowing
from tidewaiter.codecs.finding import Severity

TEXT = "UNB+UNOY:4+A+B+20260504:1307+R'UNH+1+CUSDEC:D:96B:UN'FTX+AAA+++東京 😀 Ü'UNT+3+1'UNZ+1+R'"
CODECS = ["utf-16", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_every_cut_gives_the_same_text(codec: str, size: int) -> None:
    data = TEXT.encode(codec)
    narrowing = Narrowing()
    taken = [narrowing.take(data[n : n + size]) for n in range(0, len(data), size)]
    assert b"".join((*taken, narrowing.take(b"", last=True))) == TEXT.encode()


@pytest.mark.parametrize("data", [b"", b"U", b"UNA:+.? '", b"\xef\xbb\xbfUNB+", b"\0\0\0\0", "Ünb".encode()])
def test_other_octets_are_given_on_as_they_are(data: bytes) -> None:
    narrowing = Narrowing()
    assert narrowing.take(data) + narrowing.take(b"more", last=True) == data + b"more"
    assert narrowing.codec is None


@pytest.mark.parametrize("codec", CODECS)
def test_an_interchange_of_it_is_read_and_says_so(codec: str) -> None:
    found = read_interchange(TEXT.encode(codec))
    assert [(f.code, f.severity) for f in found.findings] == [("46", Severity.INFO)]
    assert found.messages[0].segments[1].value(4) == "東京 😀 Ü"
    (finding, *_) = read_interchange(TEXT.replace("UNOY", "UNOC").encode(codec)).findings
    assert (finding.code, finding.severity) == ("46", Severity.WARNING)


def test_half_a_character_at_the_end_is_no_reason_to_fail() -> None:
    stream = Stream()
    stream.feed(TEXT.encode("utf-16-le") + b"\x00")
    assert stream.close()
