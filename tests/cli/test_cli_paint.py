"""Colours where a person looks on, and nothing of a document that a terminal would obey."""

import io

import pytest

from tidewaiter.gateway.cli.paint import Paint, Style, paint_for, printable


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variable", "value", "colours"),
    [("TERM", "xterm", True), ("TERM", "dumb", False), ("NO_COLOR", "1", False), ("NO_COLOR", "", True)],
)
def test_a_terminal_has_colours_unless_it_or_its_user_has_none(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, colours: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setenv(variable, value)
    assert paint_for(Terminal()) == Paint(colours, 72)


def test_a_pipe_has_neither_colours_nor_a_width() -> None:
    assert paint_for(io.StringIO()) == Paint(False, None)


def test_what_fits_is_left_and_what_does_not_is_cut() -> None:
    paint = Paint(width=50)
    assert paint.fit("x" * 20, 30) == "x" * 20
    assert paint.fit("x" * 21, 30) == "x" * 19 + "…"
    # On a very narrow terminal something is still seen.
    assert paint.fit("x" * 99, 49) == "x" * 19 + "…"
    assert Paint().fit("x" * 9999, 30) == "x" * 9999


def test_a_style_is_put_around_a_text_only_in_colours() -> None:
    assert Paint(True)("abc", Style.RED) == "\x1b[31mabc\x1b[0m"
    assert Paint(True)("abc", None) == "abc"
    assert Paint(True)("", Style.RED) == ""
    assert Paint()("abc", Style.RED) == "abc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Źródła +?' ", "Źródła +?' "),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("\r\n\x00", "\\r\\n\\x00"),
        ("a\u202eb\u2028", "a\\u202eb\\u2028"),
    ],
)
def test_what_is_not_printed_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
