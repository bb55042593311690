"""Colours and widths of a terminal, without a library that would have to be waited for; none in a pipe.

What comes from outside is printed with its control characters escaped, so that nothing in it is obeyed.
"""

import enum
import os
import shutil
from typing import NamedTuple, TextIO

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


class Style(enum.StrEnum):
    """Select graphic rendition (ECMA-48, 8.3.117)."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    YELLOW = "33"
    CYAN = "36"


class Paint(NamedTuple):
    """How lines are written: in colours or not, and how wide they may be (None: as long as they are)."""

    colours: bool = False
    width: int | None = None

    def __call__(self, text: str, style: Style | None) -> str:
        """`text` in this style."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colours and style and text else text

    def fit(self, text: str, before: int) -> str:
        """`text` cut to what is left of the line after `before` columns."""
        if self.width is None or len(text) <= (room := max(self.width - before, 20)):
            return text
        return text[: room - 1] + ELLIPSIS


def paint_for(out: TextIO) -> Paint:
    """Colours and the width if `out` is a terminal, and colours unless the user wants none (no-color.org)."""
    if not out.isatty():
        return Paint()
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Paint(not plain, shutil.get_terminal_size().columns)


def printable(text: str) -> str:
    """`text` with what is not printed escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
