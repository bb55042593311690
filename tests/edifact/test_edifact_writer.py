"""Segments to octets: escaping, truncation, envelope."""

import datetime

import pytest

from tidewaiter.codecs.declaration import DateTime
from tidewaiter.codecs.edifact import Envelope, date_time, read_interchange
from tidewaiter.codecs.edifact.writer import MessageName, OutSegment, segment, write_interchange

NAME = MessageName("CUSDEC", "D", "96B")
MOMENT = datetime.datetime(2026, 5, 4, 13, 7, 9, tzinfo=datetime.UTC)


def test_the_octets_of_a_message() -> None:
    envelope = Envelope(
        sender="A",
        sender_qualifier="ZZ",
        recipient="B",
        reference="R1",
        prepared=MOMENT,
        test=True,
        acknowledgement=True,
        message_reference="M1",
    )
    data = write_interchange(NAME, [segment("BGM", "929", ("L", "", "X"), "")], envelope)
    assert data == (
        b"UNA:+.? 'UNB+UNOC:3+A:ZZ+B+260504:1307+R1++++1++1'"
        b"UNH+M1+CUSDEC:D:96B:UN'BGM+929+L::X'UNT+3+M1'UNZ+1+R1'"
    )


@pytest.mark.parametrize("text", ["?", "??'", "+:'?", "a*b", "é", "Â\u00b5", "漢*'", "\u00a0"])
def test_every_character_comes_back(text: str, envelope: Envelope) -> None:
    data = write_interchange(NAME, [OutSegment("FTX", {(4, 1): text, (4, 3): text})], envelope)
    found = read_interchange(data)
    assert found.findings == ()
    (message,) = found.messages
    assert message.findings == ()
    assert message.segments[1].value(4) == message.segments[1].value(4, 3) == text


def test_trailing_separators_are_left_out(envelope: Envelope) -> None:
    data = write_interchange(NAME, [segment("NAD", "IM", ("", ""), ""), segment("SRC")], envelope)
    assert b"NAD+IM'SRC'UNT" in data


def test_the_order_of_the_components_is_that_of_their_places(envelope: Envelope) -> None:
    cells = {(3, 2): "d", (1, 1): "a", (3, 1): "c:", (1, 3): "b"}
    assert b"FTX+a::b++c?::d'UNT" in write_interchange(NAME, [OutSegment("FTX", cells)], envelope)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": ""},
        {"recipient": "B" * 36},
        {"reference": "R" * 15},
        {"reference": ""},
        {"message_reference": "a\nb"},
    ],
)
def test_an_envelope_that_cannot_be_written_is_refused(changes: dict[str, str]) -> None:
    values = {"sender": "A", "recipient": "B", "reference": "R"} | changes
    with pytest.raises(ValueError, match=next(iter(changes))):
        Envelope(prepared=MOMENT, **values)


def test_moments() -> None:
    assert date_time(MOMENT) == DateTime("20260504130709", "204")
