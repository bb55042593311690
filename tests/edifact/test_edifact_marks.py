"""Service segments are found where they begin a segment, and nowhere else."""

import pytest

from tidewaiter.codecs.edifact.marks import MAX_BLANKS, Buffer, Mark, Marks, marks_of
from tidewaiter.codecs.edifact.service import LEVEL_B, ServiceString

DEFAULT = ServiceString()
TAGS = ["UNB", "UNE", "UNG", "UNH", "UNO", "UNP", "UNT", "UNZ", "UIB", "UIH", "UIT", "UIZ"]
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def found(text: str, service: ServiceString = DEFAULT, begin: int = 0) -> tuple[str, int, int] | None:
    """Tag, place, and place of the terminator before it."""
    mark = Marks(service).next(bytearray(text.encode("latin-1")), begin)
    return mark and (mark.tag, mark.begin, mark.before)


@pytest.mark.parametrize("tag", TAGS)
def test_every_service_segment(tag: str) -> None:
    marks = Marks(DEFAULT)
    for after in ("+", ":", "'"):
        data = bytearray(f"{tag}{after}1'".encode())
        assert marks.here(data, 0) == tag
        assert found(f"BGM+1'{data.decode()}") == (tag, 6, 5)


@pytest.mark.parametrize(
    "word", ["UNIT", "UNHAPPY", "UNS", "UNX", "UN", "U", "", "unh+", "XUNH+", "UNH*", "UIX+"]
)
def test_words_that_begin_like_one(word: str) -> None:
    assert Marks(DEFAULT).here(bytearray(word.encode()), 0) is None
    assert found(f"BGM+1'{word}") is None
    assert found(f"BGM+1'{word}'UNT+1'") == ("UNT", len(word) + 7, len(word) + 6)


def test_what_does_not_begin_a_segment() -> None:
    for before in ("", "+", ":", "X", " ", "'X", "\r\n"):
        assert found(f"FTX+AAA{before}UNT+1+1'") is None


@pytest.mark.parametrize("run", range(7))
def test_a_terminator_may_be_released(run: int) -> None:
    text = f"FTX+A{'?' * run}'UNT+1+1'"
    free = run % 2 == 0
    assert (found(text) is not None) is free
    assert Marks(DEFAULT).terminator(bytearray(text.encode()), 0, len(text)) == (
        5 + run if free else len(text) - 1
    )
    assert found(f"{text}UNZ+1+R'") == (
        ("UNT", 6 + run, 5 + run) if free else ("UNZ", len(text), len(text) - 1)
    )


def test_release_characters_at_the_very_beginning() -> None:
    assert found("?'UNT+1'") is None
    assert found("??'UNT+1'") == ("UNT", 3, 2)
    assert Marks(DEFAULT).terminator(bytearray(b"?''"), 0, 3) == 2
    assert Marks(DEFAULT).terminator(bytearray(b"'"), 0, 1) == 0


def test_without_a_release_character_nothing_is_released() -> None:
    service = ServiceString(release="")
    assert found("FTX+A?'UNT+1+1'", service) == ("UNT", 7, 6)
    assert Marks(service).terminator(bytearray(b"A?'"), 0, 3) == 2
    assert Marks(service).terminator(bytearray(b"'"), 0, 1) == 0


def test_line_ends_may_stand_before_it() -> None:
    for ends in ("\n", "\r\n", "\r\n\r\n", "\n" * MAX_BLANKS, " ", " \r\n\t"):
        assert found(f"BGM+1'{ends}UNT+1'") == ("UNT", 6 + len(ends), 5)
    assert found(f"BGM+1'{chr(10) * (MAX_BLANKS + 1)}UNT+1'") is None


def test_the_separators_of_level_b() -> None:
    text = "BGM\x1d1\x1cUNT\x1d1\x1c"
    assert found(text, LEVEL_B) == ("UNT", 6, 5)
    assert found(text) is None
    assert found("BGM+1'UNT+1'", LEVEL_B) is None


@pytest.mark.parametrize("n", range(len(PUNCTUATION)))
def test_any_character_may_separate(n: int) -> None:
    component, element, release, terminator = (PUNCTUATION[(n + k) % len(PUNCTUATION)] for k in range(4))
    service = ServiceString(component, element, ".", release, "", terminator)
    text = f"FTX{element}{release}{terminator}UNT{element}1{terminator}UNT{element}2{terminator}"
    assert found(text, service) == ("UNT", 12, 11)
    marks = Marks(service)
    assert marks.terminator(bytearray(text.encode()), 0, len(text)) == 11
    assert marks.here(bytearray(f"UNH{component}".encode()), 0) == "UNH"
    other = next(c for c in PUNCTUATION if c not in (component, element, release, terminator))
    assert marks.here(bytearray(f"UNH{other}".encode()), 0) is None


def test_the_advice_of_another_interchange() -> None:
    for advice in ("UNA:+.? '", "UNA=*.!^~", "UNA:+.? '\r\n", "UNA:+.? '        "):
        assert Marks(DEFAULT).here(bytearray(f"{advice}UNB".encode()), 0) == "UNB"
        assert found(f"UNT+1'{advice}UNB+UNOC") == ("UNB", 6, 5)
    for advice in ("UNA:+.? 'XXX", "UNA:+.? A", "UNA", "UNA+1'"):
        assert Marks(DEFAULT).here(bytearray(advice.encode()), 0) is None


def test_a_search_begins_where_it_is_told() -> None:
    text = "A'UNT+1'B'UNZ+1'"
    assert found(text, begin=1) == ("UNT", 2, 1)
    assert found(text, begin=2) == ("UNZ", 10, 9)
    assert found(text, begin=10) is None
    data = bytearray(text.encode())
    marks = Marks(DEFAULT)
    assert [marks.terminator(data, begin, end) for begin, end in ((0, 16), (2, 16), (2, 7), (8, 9))] == [
        1,
        7,
        -1,
        -1,
    ]


def test_the_marks_of_one_service_string_are_made_once() -> None:
    assert marks_of(ServiceString()) is marks_of(ServiceString())
    assert marks_of(ServiceString(element="-")) is not marks_of(DEFAULT)
    mark = Mark("UNH", 2, 1)
    assert (mark.tag, mark.begin, mark.before) == ("UNH", 2, 1)


# The octets themselves.


def test_what_is_taken_is_read_and_what_is_read_is_let_go() -> None:
    buffer = Buffer()
    buffer.data += b"0123456789"
    assert (len(buffer), buffer.take(4), buffer.pos, buffer.searched) == (10, b"0123", 4, 4)
    assert len(buffer) == 6
    buffer.searched = 8
    buffer.forget()
    assert (bytes(buffer.data), buffer.base, buffer.pos, buffer.searched) == (b"456789", 4, 0, 4)
    buffer.forget()
    assert buffer.base == 4
    assert buffer.take(6) == b"456789"
    buffer.forget()
    assert (len(buffer), buffer.base, buffer.searched) == (0, 10, 0)


def test_line_ends_are_stepped_over() -> None:
    buffer = Buffer()
    buffer.data += b"\r\n A"
    buffer.skip_blanks()
    assert (buffer.pos, buffer.searched) == (3, 3)
    buffer.searched = 5
    buffer.skip_blanks()
    assert (buffer.pos, buffer.searched) == (3, 5)
    buffer.take(5)
    buffer.skip_blanks()
    assert buffer.pos == 5
