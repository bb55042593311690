"""What a CONTRL copies from the interchange it answers, cut to what its own elements take."""

import itertools
from collections.abc import Iterable, Sequence

from ...finding import EdifactPointer, Finding
from ..pen import CONTROL
from ..scanner import Segment
from .codes import code_for

Cells = dict[tuple[int, int], str]

# Service segments each level answers for; security segments (ISO 9735-5) may stand at any of them.
SERVICE_TAGS = {
    "UCI": frozenset({"UNA", "UNB", "UNZ"}),
    "UCF": frozenset({"UNG", "UNE"}),
    "UCM": frozenset({"UNH", "UNT"}),
}
PACKAGE_TAGS = frozenset({"UNO", "UNP"})
SECURITY_TAGS = frozenset({"USA", "USC", "USD", "USH", "USR", "UST", "USU"})
_HEADS = frozenset({"USH", "UST"})
# S002, S003: identification, qualifier, and the routing address; version 4 has a longer one, and another.
_PARTY = {3: (35, 4, 14), 4: (35, 4, 35, 35)}
# S009 of UNH; version 4 adds 0110 and 0113.
_NAME = {3: (6, 3, 3, 2, 6), 4: (6, 3, 3, 3, 6, 6, 6)}
_MANDATORY_OF_NAME = 4
_REFERENCE, _APPLICATION = 14, (35, 4)
_PACKAGE, _S020 = 35, (3, 35)
# What stands for a mandatory value that the interchange does not have.
NO_REFERENCE, NO_VALUE = "0", "-"
# 0098 and 0104 have three digits, 0096 and 0136 six.
_PLACES, _POSITIONS = 999, 999_999


def copied(value: str, longest: int) -> str:
    """A value of the subject interchange, as far as the element takes it; no blanks at its end."""
    return CONTROL.sub(" ", value)[:longest].rstrip()


def party(element: int, values: Iterable[str], version: int, instead: str) -> Cells:
    """S002 or S003 at `element`; `instead` where it names nobody."""
    cells = {
        (element, number): copied(value, longest)
        for number, (value, longest) in enumerate(zip(values, _PARTY[version], strict=False), 1)
    }
    cells[element, 1] = cells.get((element, 1)) or instead
    return cells


def reference(value: str, instead: str = NO_REFERENCE) -> str:
    """0020, 0048 or 0062."""
    return copied(value, _REFERENCE) or instead


def application(element: int, values: Iterable[str], version: int) -> Cells:
    """S006 or S007 at `element`, mandatory in version 3 only."""
    cells = {
        (element, number): copied(value, longest)
        for number, (value, longest) in enumerate(zip(values, _APPLICATION, strict=False), 1)
    }
    if not cells.get((element, 1)):
        return {(element, 1): NO_VALUE} if version < 4 else {}
    return cells


def name(element: int, values: Iterable[str], version: int) -> Cells:
    """S009 at `element`."""
    cells: Cells = {}
    for number, (value, longest) in enumerate(zip(values, _NAME[version], strict=False), 1):
        cells[element, number] = copied(value, longest)
    for number in range(1, _MANDATORY_OF_NAME + 1):
        cells[element, number] = cells.get((element, number)) or NO_VALUE
    return cells


def package(value: str, identified_by: Iterable[str]) -> Cells:
    """0800 and S020 of a package, from element 7 on."""
    cells: Cells = {(7, 1): copied(value, _PACKAGE) or NO_VALUE}
    for number, (part, longest) in enumerate(zip(identified_by, _S020, strict=False), 1):
        cells[8, number] = copied(part, longest)
    for number in range(1, len(_S020) + 1):
        cells[8, number] = cells.get((8, number)) or NO_VALUE
    return cells


def security(segments: Sequence[Segment], number: int) -> tuple[str, int] | None:
    """0534 and 0138 of the security segment `number`: its place in its header group, and on through the
    trailer group of the same reference. None where neither USH nor UST says the reference."""
    first = number
    while first > 1 and segments[first - 1].tag in SECURITY_TAGS - _HEADS:
        first -= 1
    head = segments[first - 1]
    known = reference(head.value(2 if head.tag == "USH" else 1), "") if head.tag in _HEADS else ""
    if not known:
        return None
    before = 0
    if head.tag == "UST":
        begin = next((one.number for one in segments if one.tag == "USH" and one.value(2) == known), first)
        inner = SECURITY_TAGS - _HEADS
        before = 1 + sum(1 for _ in itertools.takewhile(lambda one: one.tag in inner, segments[begin:]))
    return known, before + number - first + 1


def fault(error: Finding, tags: frozenset[str], version: int, first: int, *, envelope: bool = False) -> Cells:
    """0085 at element `first`, then the service segment at fault, where it is one of `tags`, and S011."""
    cells = {(first, 1): code_for(error.code, version, envelope=envelope)}
    pointer = error.pointer
    if not isinstance(pointer, EdifactPointer) or pointer.tag not in tags:
        return cells
    cells[first + 1, 1] = pointer.tag
    return cells | identified(pointer, version, first + 2)


def identified(pointer: EdifactPointer, version: int, element: int) -> Cells:
    """S011 at `element`: 0098 counts the tag as 1. Of 0104 and 0136 only one may be there."""
    if pointer.element is None or not 0 < pointer.element < _PLACES:
        return {}
    cells = {(element, 1): str(pointer.element + 1)}
    if version >= 4 and pointer.repetition is not None and 1 < pointer.repetition <= _POSITIONS:
        cells[element, 3] = str(pointer.repetition)
    elif pointer.component is not None and 0 < pointer.component <= _PLACES:
        cells[element, 2] = str(pointer.component)
    return cells
