"""The elements of a segment against their definition: presence, number, type of characters, length."""

import re

from ..finding import Severity
from .directory import ComponentUse, ElementUse, SegmentRule
from .interchange import Interchange, Locator, Message
from .report import Code, Report
from .scanner import Repeated, Segment
from .service import FIRST_VERSION_WITH_REPETITION

_DIGIT = re.compile("[0-9]")


def number_pattern(marks: str, *, digit_before: bool) -> re.Pattern[str]:
    """ISO 9735-1, 10.1: digits, an optional leading minus, one decimal mark with a digit after it."""
    integer = "[0-9]+" if digit_before else "[0-9]*"
    return re.compile(f"-?(?:{integer}[{re.escape(marks)}][0-9]+|[0-9]+)")


def decimal_marks(interchange: Interchange) -> str:
    """The decimal marks of an interchange: the one UNA names; both without UNA, and in version 4 always
    (ISO 9735-1, 10.1)."""
    newer = interchange.syntax_version >= FIRST_VERSION_WITH_REPETITION
    return interchange.service.decimal if interchange.service.explicit and not newer else ".,"


def wrong_mark(value: str, marks: str) -> str | None:
    """What to say of a number written with the mark that UNA does not name; None of any other value."""
    other = {".": ",", ",": "."}.get(marks)
    if other is None or other not in value or not number_pattern(other, digit_before=False).fullmatch(value):
        return None
    return f"the decimal mark of this interchange is '{marks}'"


class ElementChecker:
    """Checks the segments of one message. With `lenient`, what breaks a format is a warning."""

    def __init__(self, interchange: Interchange, message: Message, report: Report, *, lenient: bool) -> None:
        newer = interchange.syntax_version >= FIRST_VERSION_WITH_REPETITION
        marks = decimal_marks(interchange)
        self._number = number_pattern(marks, digit_before=not newer)
        self._marks = marks
        self._report = report
        self._severity = Severity.WARNING if lenient else Severity.ERROR
        self._at = Locator.of(interchange, message)

    def check(self, segment: Segment, rule: SegmentRule) -> None:
        """Report every fault of `segment`."""
        parts = segment.parts
        given = len(parts) - 1
        if given > len(rule.elements):
            self._too_many(segment, len(rule.elements) + 1, None, any(parts[len(rule.elements) + 1 :]))
        elif given and not parts[-1]:
            self._trailing(segment, given, None)
        for number, use in enumerate(rule.elements, 1):
            if number <= given and parts[number]:
                self._element(segment, number, use)
            elif use.mandatory:
                self._add(Code.MISSING, f"{use.id} is missing", segment, number, None, expected=use.id)

    def _element(self, segment: Segment, number: int, use: ElementUse) -> None:
        if isinstance(segment.parts[number], Repeated):
            text = f"{use.id} may not be repeated"
            self._add(Code.TOO_MANY_REPETITIONS, text, segment, number, None, severity=self._severity)
        components = segment.components(number)
        if len(components) > len(use.components):
            extra = components[len(use.components) :]
            self._too_many(segment, number, len(use.components) + 1, any(extra))
        elif len(components) > 1 and not components[-1]:
            self._trailing(segment, number, len(components))
        for index, component in enumerate(use.components):
            value = components[index] if index < len(components) else ""
            if value:
                fmt = component.format
                if fmt.kind != "an" or not fmt.low <= len(value) <= fmt.high:
                    self._format(segment, number, index + 1, component, value)
            elif component.mandatory:
                text = f"{component.id} is missing"
                self._add(Code.MISSING, text, segment, number, index + 1, expected=component.id)

    def _format(self, segment: Segment, number: int, index: int, component: ComponentUse, value: str) -> None:
        fmt = component.format
        length = len(value)
        code: str | None = None
        if fmt.kind == "n":
            code = self._number_fault(value)
            length = len(_DIGIT.findall(value))
        elif fmt.kind == "a" and _DIGIT.search(value):
            code = Code.INVALID_TYPE
        if code is None and length > fmt.high:
            code = Code.TOO_LONG
        elif code is None and length < fmt.low:
            code = Code.TOO_SHORT
        if code is not None:
            text = wrong_mark(value, self._marks) if fmt.kind == "n" else None
            text = text or f"{component.id} is not {fmt}"
            self._add(
                code, text, segment, number, index, value=value, expected=str(fmt), severity=self._severity
            )

    def _number_fault(self, value: str) -> str | None:
        if self._number.fullmatch(value):
            return None
        if value[0] in self._marks or value[:2] in {f"-{mark}" for mark in self._marks}:
            return Code.NO_DIGIT_BEFORE_MARK
        return Code.INVALID_TYPE

    def _too_many(self, segment: Segment, number: int, index: int | None, filled: bool) -> None:
        if filled:
            text = "more constituents than are defined"
            self._add(Code.TOO_MANY_CONSTITUENTS, text, segment, number, index, severity=self._severity)
        else:
            self._trailing(segment, number, index)

    def _trailing(self, segment: Segment, number: int, index: int | None) -> None:
        """Only version 4 makes this an error in name (45); every reader in the field accepts it."""
        text = "trailing separator"
        self._add(Code.TRAILING_SEPARATOR, text, segment, number, index, severity=Severity.WARNING)

    def _add(
        self,
        code: str,
        text: str,
        segment: Segment,
        number: int,
        index: int | None,
        *,
        value: str | None = None,
        expected: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        pointer = self._at(segment, number, index)
        self._report.add(code, text, pointer, value=value, expected=expected, severity=severity)
