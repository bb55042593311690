"""The directories of segments, composites, data elements and codes, to the text form of tables."""

import re

from .error import ArchiveError
from .lines import MARKS, Rows, blocks

# A note on a data element that sends to a list kept elsewhere: its own values, if any, are not all.
_KEPT_ELSEWHERE = re.compile(
    r"\bISO\b|recommendation|code (?:list|set)|defined code|relevant code|national code set", re.IGNORECASE
)
# 1131 names a list of the agency that 3055 names; from 1999 on the directories say so themselves.
_LISTS_OF_OTHERS = frozenset({"1131"})
_HEAD = re.compile(rf"{MARKS}([A-Z][A-Z0-9]{{2}}|[CES]\d{{3}}|\d{{4}}) +\S.*")
_FORMAT = r"(?:an|a|n)[. ]*\d{1,5}"
_ROWS = Rows(
    rf" *\d{{3}}{MARKS}(?:[CES]\d{{3}}|\d{{4}}) +\S",
    rf" *\d{{3}}{MARKS}([CES]\d{{3}}|\d{{4}}) +\S.*?\s([MC])(?: +(\d{{1,3}}))?(?: +({_FORMAT}))?",
)
_REPR = re.compile(rf" *{MARKS}Repr: *({_FORMAT})")
# Codes stand to the left of their names, which begin in column 11; marks in the first three columns.
_MARK_COLUMNS, _NAME_COLUMN = 3, 10
_CODE = re.compile(r"[A-Za-z0-9]{1,17}")


def segments(text: str) -> dict[str, str]:
    """Each tag with its elements: `M:C246*5 C:3207`."""
    return {tag: " ".join(parts) for tag, parts in _lists(text, r"[A-Z][A-Z0-9]{2}", "EDSD").items()}


def composites(text: str) -> dict[str, str]:
    """Each composite with its components: `M:1131 C:3055`."""
    return {id_: " ".join(parts) for id_, parts in _lists(text, r"[CES]\d{3}", "EDCD").items()}


def elements(text: str) -> tuple[dict[str, str], frozenset[str]]:
    """Each data element with its format, and those whose codes are kept elsewhere."""
    formats: dict[str, str] = {}
    elsewhere = set(_LISTS_OF_OTHERS)
    for lines in blocks(text):
        head = _HEAD.fullmatch(lines[0].rstrip())
        if head is None or not head[1].isdigit():
            continue
        places = [(n, found) for n, line in enumerate(lines) if (found := _REPR.match(line))]
        if not places:
            raise ArchiveError(f"EDED: data element {head[1]} has no representation")
        at, found = places[0]
        formats[head[1]] = _tight(found[1])
        if _KEPT_ELSEWHERE.search(" ".join(" ".join(lines[at + 1 :]).split())):
            elsewhere.add(head[1])
    if not formats:
        raise ArchiveError("EDED: no data element is found in it")
    return formats, frozenset(elsewhere)


def codes(text: str) -> dict[str, str]:
    """Each coded data element with its values, in the order of the list."""
    found: dict[str, str] = {}
    for lines in blocks(text):
        head = _HEAD.fullmatch(lines[0].rstrip())
        if head is None or not head[1].isdigit():
            continue
        begin = next((n for n, line in enumerate(lines) if _REPR.match(line)), len(lines))
        values = dict.fromkeys(value for line in lines[begin + 1 :] if (value := _value(line)))
        if values:
            found[head[1]] = " ".join(values)
    if not found:
        raise ArchiveError("UNCL: no code is found in it")
    return found


def _value(line: str) -> str | None:
    rest = line[_MARK_COLUMNS:]
    column = len(line) - len(rest.lstrip())
    words = rest.split(maxsplit=1)
    return words[0] if column < _NAME_COLUMN and len(words) > 1 and _CODE.fullmatch(words[0]) else None


def _lists(text: str, head: str, what: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for lines in blocks(text):
        name = _HEAD.fullmatch(lines[0].rstrip())
        if name is None or not re.fullmatch(head, name[1]):
            continue
        parts = []
        try:
            for row in _ROWS.of(lines[1:]):
                id_, status, repeat, _ = row.groups()
                parts.append(f"{status}:{id_}" if repeat in {None, "1"} else f"{status}:{id_}*{repeat}")
        except ValueError as error:
            raise ArchiveError(f"{what}: {name[1]}: a row is not understood: {error}") from error
        if not parts:
            raise ArchiveError(f"{what}: {name[1]} has no parts")
        found[name[1]] = parts
    if not found:
        raise ArchiveError(f"{what}: nothing is defined in it")
    return found


def _tight(text: str) -> str:
    return text.replace(" ", "")
