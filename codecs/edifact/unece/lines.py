"""What the texts of a directory have in common: blocks between rules, and rows whose names may be wrapped."""

import re
from collections.abc import Iterator

_RULE = re.compile(r"\n[ ]*-{20,}[^\n]*(?=\n|$)")
# In front of an entry, for changes since the last release: + * # | - X, alone or together.
MARKS = r"[ +*#|X-]*?"
# A name is wrapped over so many lines at most.
_MAX_WRAPS = 3
_RAIL = re.compile(r"[ |+]+$")


# Lines have 80 characters or so; of a longer one no more is looked at.
_MAX_LINE = 400


def lines_of(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line[:_MAX_LINE] for line in text.split("\n") if line.strip()]


def blocks(text: str) -> Iterator[list[str]]:
    """The lines that are not blank of each part between two rules; what stands before the first is none."""
    for part in _RULE.split(text)[1:]:
        if lines := lines_of(part):
            yield lines


class Rows:
    """Finds rows in lines. `begin` matches the beginning of one, `whole` all of it; a row that is begun and
    not whole goes on in the next lines."""

    def __init__(self, begin: str, whole: str) -> None:
        self._begin = re.compile(begin)
        self._whole = re.compile(whole)

    def of(self, lines: list[str]) -> Iterator[re.Match[str]]:
        """The rows; raises ValueError, with the line, where one does not come to an end."""
        for number, line in enumerate(lines):
            if not self._begin.match(line):
                continue
            joined = line
            for following in range(number + 1, number + 1 + _MAX_WRAPS):
                if (row := self._whole.fullmatch(joined.rstrip())) is not None:
                    yield row
                    break
                if following >= len(lines) or self._begin.match(lines[following]):
                    raise ValueError(" ".join(line.split())[:80])
                joined = f"{_RAIL.sub('', joined)} {lines[following].lstrip()}"
            else:
                raise ValueError(" ".join(line.split())[:80])
