"""The elements and characters of the service segments outside messages (ISO 9735-1, annex C).

They are read before any directory is at hand, so what they may hold stands here.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..finding import EdifactPointer, Severity
from .report import Code, Report
from .scanner import MAX_SEGMENT, Segment
from .service import FIRST_VERSION_WITH_REPETITION

At = Callable[[Segment, int | None, int | None], EdifactPointer]
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class _Element(NamedTuple):
    """An element: its name, if it is mandatory (`older`: in versions 1 to 3), and the most characters of each
    component."""

    name: str
    lengths: tuple[int, ...]
    mandatory: bool = False
    older: bool = False


_PARTY = (35, 4, 35, 35)
# Counts and references are held against what was received, and so are not looked at here.
_COUNTED = _Element("", (MAX_SEGMENT,), mandatory=True)
_SEGMENTS: Mapping[str, tuple[_Element, ...]] = {
    "UNB": (
        _Element("S001", (4, 1, 6, 3, 2), mandatory=True),
        _Element("S002", _PARTY, mandatory=True),
        _Element("S003", _PARTY, mandatory=True),
        _Element("S004", (8, 4), mandatory=True),
        _Element("0020", (14,), mandatory=True),
        _Element("S005", (14, 2)),
        _Element("0026", (14,)),
        _Element("0029", (1,)),
        _Element("0031", (1,)),
        _Element("0032", (35,)),
        _Element("0035", (1,)),
    ),
    "UNG": (
        _Element("0038", (6,), older=True),
        _Element("S006", (35, 4), older=True),
        _Element("S007", (35, 4), older=True),
        _Element("S004", (8, 4), older=True),
        _Element("0048", (14,), mandatory=True),
        _Element("0051", (3,), older=True),
        _Element("S008", (3, 3, 6), older=True),
        _Element("0058", (14,)),
    ),
    **dict.fromkeys(("UNE", "UNT", "UNZ"), (_COUNTED, _COUNTED)),
}


def check_service_segment(segment: Segment, version: int, at: At, report: Report) -> None:
    """Report what is missing, too long or too much in a service segment, and characters it may not hold; one
    without a table here is checked for characters only."""
    if not (segment.text.isascii() and segment.text.isprintable()):
        _check_characters(segment, at, report)
    known = _SEGMENTS.get(segment.tag)
    if known is None:
        return
    older = version < FIRST_VERSION_WITH_REPETITION
    for number, use in enumerate(known, 1):
        _check_element(segment, number, use, older, at, report)
    if len(segment) > len(known):
        extra = [v for number in range(len(known) + 1, len(segment) + 1) for v in segment.components(number)]
        _too_many(segment, (len(known) + 1, None), any(extra), at, report)
    elif len(segment) and not segment.components(len(segment)) and not known[len(segment) - 1].mandatory:
        _too_many(segment, (len(segment), None), False, at, report)


def _check_characters(segment: Segment, at: At, report: Report) -> None:
    control = _CONTROL.search(segment.text.translate(_separators(segment)))
    if control is not None or not segment.text.isascii():
        found = control.group() if control else next(c for c in segment.text if not c.isascii())
        text = "a control character" if control else "service segments are in ASCII"
        report.add(Code.INVALID_CHARACTER, text, at(segment, None, None), value=found)


def _check_element(segment: Segment, number: int, use: _Element, older: bool, at: At, report: Report) -> None:
    components = segment.components(number)
    if len(segment.repetitions(number)) > 1:
        text = f"{use.name or segment.tag} may not be repeated"
        report.add(Code.TOO_MANY_REPETITIONS, text, at(segment, number, None))
    needed = use is not _COUNTED and (use.mandatory or (use.older and older))
    if needed and not (components and components[0]):
        text = f"{use.name} is missing"
        report.add(Code.MISSING, text, at(segment, number, 1), expected=use.name)
    for index, (value, longest) in enumerate(zip(components, use.lengths, strict=False), 1):
        if len(value) > longest:
            text = f"{use.name} is too long" if index == 1 else f"{use.name} component {index} is too long"
            severity = Severity.WARNING if segment.tag == "UNG" else Severity.ERROR
            pointer, expected = at(segment, number, index), f"an..{longest}"
            report.add(Code.TOO_LONG, text, pointer, value=value, expected=expected, severity=severity)
    if len(components) > len(use.lengths):
        extra = components[len(use.lengths) :]
        _too_many(segment, (number, len(use.lengths) + 1), any(extra), at, report)
    elif len(components) > 1 and not components[-1]:
        _too_many(segment, (number, len(components)), False, at, report)


def _too_many(segment: Segment, place: tuple[int, int | None], filled: bool, at: At, report: Report) -> None:
    """More than there may be; where nothing is in it, a separator that need not be there. UNG of the field is
    full of both, and reads unharmed."""
    code, text, severity = Code.TRAILING_SEPARATOR, "trailing separator", Severity.WARNING
    if filled:
        code, text = Code.TOO_MANY_CONSTITUENTS, "more constituents than are defined"
        severity = Severity.WARNING if segment.tag == "UNG" else Severity.ERROR
    report.add(code, text, at(segment, *place), severity=severity)


def _separators(segment: Segment) -> dict[int, None]:
    return dict.fromkeys(map(ord, segment.source.service.advice()[3:]))
