"""The elements of a segment against their definition: presence, number, type of characters, length."""

import re
from collections.abc import Callable, Mapping, Sequence

from ..finding import EdifactPointer, Severity
from .accept import LIST_ELEMENTS
from .definition import ComponentUse, ElementUse, Note, Place, SegmentRule
from .interchange import Interchange, Message
from .place import Locator
from .report import Code, Report
from .scanner import Segment
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


def repeats(interchange: Interchange) -> bool:
    """True if elements may repeat: from syntax version 4 on, unless UNA leaves the separator for it out. Then
    a repetition can only be written as in version 3, as an element of its own."""
    newer = interchange.syntax_version >= FIRST_VERSION_WITH_REPETITION
    return newer and bool(interchange.service.repetition)


def wrong_mark(value: str, marks: str) -> str | None:
    """What to say of a number written with the mark that UNA does not name; None of any other value."""
    other = {".": ",", ",": "."}.get(marks)
    if other is None or other not in value or not number_pattern(other, digit_before=False).fullmatch(value):
        return None
    return f"the decimal mark of this interchange is '{marks}'"


class ElementChecker:
    """Checks the segments of one message one by one."""

    def __init__(
        self,
        interchange: Interchange,
        message: Message,
        at: Locator,
        report: Report,
    ) -> None:
        newer = interchange.syntax_version >= FIRST_VERSION_WITH_REPETITION
        self._older = not newer
        self._marks = decimal_marks(interchange)
        self._number = number_pattern(self._marks, digit_before=not newer)
        self._report = report
        self._severity = self._codes = Severity.ERROR
        # Of UNH, what was told when the message was read.
        self._told = {
            f.pointer.element
            for f in message.findings
            if isinstance(f.pointer, EdifactPointer) and f.pointer.segment == 1
        }
        self._trailing_is = Severity.ERROR if newer else Severity.WARNING
        self._version = interchange.syntax_version if repeats(interchange) else 3
        self._at = at

    def check(self, segment: Segment, rule: SegmentRule, severities: tuple[Severity, Severity]) -> None:
        """Report every fault of `segment`.

        `severities` are those of what breaks a format, and of a value that a code list does not have.
        """
        self._severity, self._codes = severities
        rule = rule.for_version(self._version)
        given, known = len(segment), len(rule.elements)
        if given > known:
            self._too_many(
                segment,
                (known + 1, None),
                [v for n in range(known + 1, given + 1) for v in segment.components(n)],
            )
        elif given and not segment.repetitions(given):
            self._trailing(segment, given, None)
        for number, use in enumerate(rule.elements, 1):
            occurrences = segment.repetitions(number)
            if occurrences:
                self._element(segment, number, use, occurrences)
            elif use.mandatory:
                self._add(Code.MISSING, f"{use.id} is missing", segment, (number, None), expected=use.id)
        for note in rule.notes:
            self._depend(segment, note)

    def _element(
        self, segment: Segment, number: int, use: ElementUse, occurrences: Sequence[Sequence[str]]
    ) -> None:
        several = len(occurrences) > 1
        trailing = several and not any(occurrences[-1])
        if trailing:
            self._trailing(segment, number, None)
            occurrences = occurrences[:-1]
        if len(occurrences) > use.repeat:
            text = f"{use.id} is repeated too often"
            self._add(
                Code.TOO_MANY_REPETITIONS,
                text,
                segment,
                (number, None),
                repetition=use.repeat + 1,
                expected=f"at most {use.repeat}",
                severity=self._severity,
            )
        for repetition, components in enumerate(occurrences[: use.repeat], 1):
            self._occurrence(segment, number, use, components, repetition if several else None)

    def _occurrence(
        self,
        segment: Segment,
        number: int,
        use: ElementUse,
        components: Sequence[str],
        repetition: int | None,
    ) -> None:
        known = len(use.components)
        if len(components) > known:
            self._too_many(segment, (number, known + 1), components[known:])
        elif len(components) > 1 and not components[-1]:
            self._trailing(segment, number, len(components))
        for index, component in enumerate(use.components):
            value = components[index] if index < len(components) else ""
            place = (number, index + 1)
            if value:
                self._value(segment, place, component, value, repetition)
                if component.codes is not None and value not in component.codes:
                    self._code(segment, place, use, components, repetition)
            elif component.mandatory and (any(components) or not use.mandatory):
                text = f"{component.id} is missing"
                self._add(Code.MISSING, text, segment, place, expected=component.id, repetition=repetition)
        if use.mandatory and not any(components) and repetition is None:
            self._add(Code.MISSING, f"{use.id} is missing", segment, (number, None), expected=use.id)

    def _value(
        self, segment: Segment, place: tuple[int, int], use: ComponentUse, value: str, repetition: int | None
    ) -> None:
        fmt = use.format
        length = len(value)
        if fmt.kind == "an" and fmt.low <= length <= fmt.high:
            return
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
            text = text or f"{use.id} is not {fmt}"
            self._add(
                code,
                text,
                segment,
                place,
                value=value,
                expected=str(fmt),
                severity=self._severity,
                repetition=repetition,
            )

    def _code(
        self,
        segment: Segment,
        place: tuple[int, int],
        use: ElementUse,
        components: Sequence[str],
        repetition: int | None,
    ) -> None:
        """A value the code list does not have: a fault, unless another list is named or the value has no
        form for a code to begin with."""
        component, value = use.components[place[1] - 1], components[place[1] - 1]
        if not component.format.low <= len(value) <= component.format.high:
            return
        if component.id not in LIST_ELEMENTS:
            after = zip(use.components[place[1] :], components[place[1] :], strict=False)
            if next((given for other, given in after if other.id in LIST_ELEMENTS and given), ""):
                return
        text = f"{component.id} has no such code"
        self._add(
            Code.INVALID_VALUE,
            text,
            segment,
            place,
            value=value,
            expected=f"a code of {component.id}",
            severity=self._codes,
            repetition=repetition,
        )

    def _number_fault(self, value: str) -> str | None:
        if self._number.fullmatch(value):
            return None
        if self._older and wrong_mark(value, self._marks):
            return Code.INVALID_DECIMAL
        if value[0] in self._marks or value[:2] in {f"-{mark}" for mark in self._marks}:
            return Code.NO_DIGIT_BEFORE_MARK
        return Code.INVALID_TYPE

    def _depend(self, segment: Segment, note: Note) -> None:
        """A dependency note (ISO 9735-1 version 4, 11.5); one of a composite holds in each occurrence."""
        if not note.within:
            self._hold(segment, note, [_given(segment, place) for place in note.places], None)
            return
        occurrences = segment.repetitions(note.within)
        for repetition, components in enumerate(occurrences, 1):
            if any(components):
                given = [any(components[place.component - 1 : place.component]) for place in note.places]
                self._hold(segment, note, given, repetition if len(occurrences) > 1 else None)

    def _hold(self, segment: Segment, note: Note, given: list[bool], repetition: int | None) -> None:
        if _HOLDS[note.kind](given):
            return
        wrong = next((p for p, there in zip(note.places, given, strict=True) if there), note.places[0])
        names = ", ".join(
            f"{p.element}.{p.component}" if p.component else str(p.element) for p in note.places
        )
        text = f"elements {names} {_MEANS[note.kind]}"
        where = (wrong.element, wrong.component or None)
        self._add(Code.DEPENDENCY, text, segment, where, expected=note.kind, repetition=repetition)

    def _too_many(self, segment: Segment, place: tuple[int, int | None], extra: Sequence[str]) -> None:
        if any(extra):
            text = "more constituents than are defined"
            self._add(Code.TOO_MANY_CONSTITUENTS, text, segment, place, severity=self._severity)
        else:
            self._trailing(segment, *place)

    def _trailing(self, segment: Segment, number: int, index: int | None) -> None:
        """Version 4 makes this an error in name (45); before, every reader in the field accepts it."""
        text = "trailing separator"
        self._add(Code.TRAILING_SEPARATOR, text, segment, (number, index), severity=self._trailing_is)

    def _add(
        self,
        code: str,
        text: str,
        segment: Segment,
        place: tuple[int, int | None],
        *,
        value: str | None = None,
        expected: str | None = None,
        severity: Severity = Severity.ERROR,
        repetition: int | None = None,
    ) -> None:
        if segment.number == 1 and place[0] in self._told:
            return
        pointer = self._at(segment, place[0], place[1], repetition)
        self._report.add(code, text, pointer, value=value, expected=expected, severity=severity)


def _given(segment: Segment, place: Place) -> bool:
    if place.component:
        return bool(segment.value(place.element, place.component))
    return any(any(occurrence) for occurrence in segment.repetitions(place.element))


_HOLDS: Mapping[str, Callable[[list[bool]], bool]] = {
    "D1": lambda given: sum(given) == 1,
    "D2": lambda given: all(given) or not any(given),
    "D3": any,
    "D4": lambda given: sum(given) <= 1,
    "D5": lambda given: not given[0] or all(given),
    "D6": lambda given: not given[0] or any(given[1:]),
    "D7": lambda given: not given[0] or not any(given[1:]),
}
_MEANS = {
    "D1": "need exactly one of them",
    "D2": "come together or not at all",
    "D3": "need at least one of them",
    "D4": "exclude one another",
    "D5": "depend: with the first, all the others",
    "D6": "depend: with the first, another one",
    "D7": "depend: with the first, none of the others",
}
