"""AS2 names, quoted and not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.as2 import read_name, write_name

SAME = [
    ("bob", "bob"),
    (" bob\t", "bob"),
    ('"bob"', "bob"),
    ('"bob and sons"', "bob and sons"),
    ("bob and sons", "bob and sons"),
    (r'"a\"b\\c"', 'a"b\\c'),
    ("!#[]<>,;&", "!#[]<>,;&"),
    ('" "', " "),
    ("a" * 128, "a" * 128),
    (f'"{"a" * 128}"', "a" * 128),
]


@pytest.mark.parametrize(("value", "name"), SAME)
def test_a_value_reads_as_its_name(value: str, name: str) -> None:
    assert read_name(value) == name


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        '""',
        'a"b',
        "a\\b",
        '"a',
        '"a\\b"',
        '"a"b',
        "h\u00e9",
        "a\tb",
        "a\r\nX: y",
        "a\x00",
        "a" * 129,
    ],
)
def test_what_is_no_name_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="AS2 name"):
        read_name(value)


def test_case_counts() -> None:
    assert read_name("Bob") != read_name("bob")


def test_only_what_needs_quotes_gets_them() -> None:
    assert write_name("bob") == "bob"
    assert write_name("bob and sons") == '"bob and sons"'
    assert write_name('a"b\\c') == r'"a\"b\\c"'


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=128))
def test_every_name_survives_its_header(name: str) -> None:
    assert read_name(write_name(name)) == name


@pytest.mark.parametrize("name", ["", "h\u00e9", "a\nb", "a" * 129])
def test_a_name_that_no_header_can_hold_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="AS2 name"):
        write_name(name)
