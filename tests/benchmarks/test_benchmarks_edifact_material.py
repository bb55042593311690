"""What the EDIFACT cases are measured with: valid, a realistic mixture, and the same for the same seed."""

import itertools
import re

import pytest

from tidewaiter.benchmarks.edifact import material
from tidewaiter.benchmarks.edifact.material import CHARSETS, LATIN, LEVEL_A, UTF8, Charset
from tidewaiter.codecs import edifact
from tidewaiter.gateway import resources

SIZE = 60_000
# The tags a declaration is made of.
TAGS = {"NAD", "LOC", "TDT", "DOC", "CST", "FTX", "MEA", "PAC", "PCI", "MOA", "TAX", "RFF", "EQD", "SEL"}


def name(charset: Charset) -> str:
    return charset.level


@pytest.mark.parametrize("charset", CHARSETS, ids=name)
def test_no_finding_at_all(charset: Charset) -> None:
    interchange = edifact.read_interchange(material.interchange(SIZE, charset))
    assert interchange.findings == ()
    assert (interchange.syntax, interchange.syntax_version) == (charset.level, charset.version)
    assert len(interchange.messages) > 3
    directory = resources.directory()
    for message in interchange.messages:
        assert edifact.validate(interchange, message, directory).findings == ()


def test_the_same_seed_makes_the_same_octets() -> None:
    assert material.interchange(SIZE, seed=5) == material.interchange(SIZE, seed=5)
    assert material.interchange(SIZE, seed=5) != material.interchange(SIZE, seed=6)


@pytest.mark.parametrize("size", [1, 100, 4096, 10**6])
def test_the_pieces_are_the_whole(size: int) -> None:
    pieces = list(material.chunks(SIZE // 4, size=size))
    assert b"".join(pieces) == material.interchange(SIZE // 4)
    assert all(len(piece) == size for piece in pieces[:-1])


def test_it_is_as_large_as_asked_for_and_one_message_more_at_most() -> None:
    assert SIZE <= len(material.interchange(SIZE)) < SIZE + 25_000


@pytest.mark.parametrize("octets", [3_000, 5_000, 12_000])
def test_one_message_is_about_as_large_as_asked_for(octets: int) -> None:
    data = material.one_message(octets)
    assert len(edifact.read_interchange(data).messages) == 1
    assert abs(len(data) - octets) < 500


def test_one_or_two_of_a_hundred_segments_hold_a_released_character() -> None:
    segments = re.split(rb"(?<!\?)'", material.interchange(10 * SIZE))
    released = sum(b"?" in segment for segment in segments)
    assert 0.01 < released / len(segments) < 0.02
    for sign in (b"?+", b"?:", b"?'", b"??"):
        assert any(sign in segment for segment in segments)


def test_segments_are_repeated_no_more_than_in_traffic() -> None:
    segments = material.interchange(10 * SIZE).split(b"'")
    assert len(set(segments)) / len(segments) > 0.7


def test_messages_differ_in_size_and_hold_what_declarations_hold() -> None:
    messages = list(itertools.islice(material.messages(), 60))
    items = [message.count(b"'CST+") for message in messages]
    assert min(items) < 3
    assert max(items) > 15
    assert {segment[:3].decode() for segment in b"".join(messages).split(b"'")} >= TAGS


def test_the_repertoires_are_used() -> None:
    assert material.interchange(SIZE, LEVEL_A).isascii()
    assert "ü" in material.interchange(SIZE, LATIN).decode("latin-1")
    text = material.interchange(SIZE, UTF8).decode("utf-8")
    assert any(ord(sign) > 0x3FF for sign in text)
