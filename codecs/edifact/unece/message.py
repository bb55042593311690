"""The segment table of a message to nested groups.

A row is a position, a tag, a name, a status and a number of repetitions, and to the right of it run the lines
of the boxes that groups are drawn in: a corner where the box of the row's own group begins, corners for each
that ends with the row, and a bar for each that runs on.
"""

import re
from typing import Any

from .error import ArchiveError
from .lines import MARKS, Rows, lines_of

# Also in the table of contents; the table is where it stands last.
_HEADING = re.compile(r"^[ 0-9.]*Segment table[^\n]*$", re.MULTILINE | re.IGNORECASE)
_BEGIN = rf" *(?:\d{{4,6}})?{MARKS}(?:[A-Z][A-Z0-9]{{2}} +\S|-+ *[Ss]egment +[Gg]roup +\d)"
_WHOLE = (
    rf" *(?:\d{{4,6}})?{MARKS}(?:([A-Z][A-Z0-9]{{2}}) +\S.*?|-+ *[Ss]egment +[Gg]roup +(\d+)[ -]*?)"
    r" +([MC]) +(\d{1,7})([ |+-]*)"
)
_ROWS = Rows(_BEGIN, _WHOLE)
# GOVCBR, the largest, has 1,447 rows and is nested eight deep.
MAX_ROWS = 4000
MAX_GROUP_DEPTH = 30
BEGIN, INTERACTIVE, END = "UNH", "UIH", "UNT"


def is_interactive(text: str) -> bool:
    """True for a message of an interactive dialogue: it begins with UIH."""
    return re.search(rf"^ *\d{{4,6}}{MARKS}{INTERACTIVE} ", text, re.MULTILINE) is not None


def structure(type_: str, text: str) -> list[Any]:
    """The message as nested lists of `"TAG M 1"`. Raises ArchiveError."""
    headings = list(_HEADING.finditer(text))
    if not headings:
        raise ArchiveError(f"{type_}: no segment table is in it")
    lines = lines_of(text[headings[-1].end() :])
    nest = _Nest(type_)
    try:
        for count, row in enumerate(_ROWS.of(lines), 1):
            if count > MAX_ROWS:
                raise ArchiveError(f"{type_}: the segment table has more than {MAX_ROWS} rows")
            tag, number, status, limit, rail = row.groups()
            nest.row(tag, number, status, int(limit), re.sub(r"[ -]", "", rail))
            if tag == END:
                return nest.whole()
    except ArchiveError:
        raise
    except ValueError as error:
        raise ArchiveError(f"{type_}: a row of the segment table is not understood: {error}") from error
    raise ArchiveError(f"{type_}: the segment table does not end with {END}")


class _Nest:
    """The groups that are open, innermost last."""

    def __init__(self, type_: str) -> None:
        self._type = type_
        self._top: list[Any] = []
        self._open: list[list[Any]] = []

    def row(self, tag: str | None, number: str | None, status: str, limit: int, rail: str) -> None:
        corners = len(rail) - len(rail.lstrip("+"))
        bars = len(rail) - corners
        name = tag or f"SG{int(number or 0)}"
        # The bars say what is open after the row. A corner too many at its left is a slip of the pen (BOPBNK
        # D.99B has one); a group that ends without a corner is not.
        ending = len(self._open) - bars
        if rail[corners:] != "|" * bars or ending < 0 or (ending and (tag is None or corners < ending)):
            raise ArchiveError(
                f"{self._type}: the lines drawn at {name} do not agree with the groups open there"
            )
        inner = self._open[-1] if self._open else self._top
        if tag is not None:
            inner.append(f"{tag} {status} {limit}")
            if ending:
                del self._open[-ending:]
            return
        if corners != 1:
            raise ArchiveError(f"{self._type}: {name} does not begin with a corner")
        if len(self._open) == MAX_GROUP_DEPTH:
            raise ArchiveError(f"{self._type}: groups are nested more than {MAX_GROUP_DEPTH} deep")
        group: list[Any] = [f"{name} {status} {limit}"]
        inner.append(group)
        self._open.append(group)

    def whole(self) -> list[Any]:
        if self._open:
            raise ArchiveError(f"{self._type}: {self._open[-1][0].split()[0]} does not end")
        if not isinstance(self._top[0], str) or self._top[0].split()[0] != BEGIN:
            raise ArchiveError(f"{self._type}: the segment table does not begin with {BEGIN}")
        return self._top
