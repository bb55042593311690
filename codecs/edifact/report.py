"""A bounded list of findings, filled in one pass."""

import enum
from collections.abc import Iterable

from ..finding import MAX_FINDINGS, EdifactPointer, Finding, Severity, shown


class Code(enum.StrEnum):
    """UNTDID 0085, the codes this reader gives. 3, 19 and 38 are of syntax versions 1 to 3 only."""

    SYNTAX_NOT_SUPPORTED = "2"
    RELEASE_NOT_SUPPORTED = "3"
    INVALID_VALUE = "12"
    MISSING = "13"
    VALUE_NOT_SUPPORTED = "14"
    NOT_SUPPORTED_HERE = "15"
    TOO_MANY_CONSTITUENTS = "16"
    UNSPECIFIED = "18"
    INVALID_DECIMAL = "19"
    INVALID_SERVICE_CHARACTER = "20"
    INVALID_CHARACTER = "21"
    DUPLICATE = "26"
    REFERENCES_DIFFER = "28"
    COUNT_DIFFERS = "29"
    GROUPS_AND_MESSAGES_MIXED = "30"
    MIXED_TYPES_IN_GROUP = "31"
    LOWER_LEVEL_EMPTY = "32"
    OUTSIDE_MESSAGE = "33"
    TOO_MANY_REPETITIONS = "35"
    TOO_MANY_GROUPS = "36"
    INVALID_TYPE = "37"
    NO_DIGIT_BEFORE_MARK = "38"
    TOO_LONG = "39"
    TOO_SHORT = "40"
    TRAILING_SEPARATOR = "45"
    CHARSET_NOT_SUPPORTED = "46"
    ENVELOPE_NOT_SUPPORTED = "47"
    DEPENDENCY = "48"


class Report:
    """Collects findings up to MAX_FINDINGS: the first ones, errors before less; then how many more."""

    def __init__(self, limit: int = MAX_FINDINGS) -> None:
        self._limit = limit
        self._findings: list[Finding] = []
        self._dropped_error = False
        self._lesser = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._findings)

    @property
    def closed(self) -> bool:
        """True when no other finding would be kept, whatever it is: all that is kept are errors."""
        return self.full and not self._lesser

    @property
    def full(self) -> bool:
        """True when another finding would be counted but not kept."""
        return len(self._findings) >= self._limit - 1

    def add(
        self,
        code: str,
        text: str,
        pointer: EdifactPointer | None = None,
        *,
        value: str | None = None,
        expected: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Keep one finding; `value` is shortened and made printable here."""
        if self.full and (severity is not Severity.ERROR or not self._lesser):
            self.dropped += 1
            self._dropped_error |= severity is Severity.ERROR
            return
        quoted = None if value is None else shown(value)
        expected = None if expected is None else shown(expected)
        self.keep(
            Finding(severity=severity, code=code, text=text, pointer=pointer, value=quoted, expected=expected)
        )

    def keep(self, finding: Finding) -> None:
        """Keep a finding made elsewhere."""
        error = finding.severity is Severity.ERROR
        if not self.full:
            self._findings.append(finding)
            self._lesser += not error
            return
        self.dropped += 1
        if error and self._lesser:
            last = max(n for n, f in enumerate(self._findings) if f.severity is not Severity.ERROR)
            del self._findings[last]
            self._lesser -= 1
            self._findings.append(finding)
        else:
            self._dropped_error |= error

    def extend(self, findings: Iterable[Finding]) -> None:
        """Keep several."""
        for finding in findings:
            self.keep(finding)

    def findings(self) -> tuple[Finding, ...]:
        """What was found, never more than the limit; an error that was dropped still counts as an error."""
        if not self.dropped:
            return tuple(self._findings)
        severity = Severity.ERROR if self._dropped_error else Severity.INFO
        more = Finding(
            severity=severity, code=Code.UNSPECIFIED, text=f"{self.dropped} more findings not listed"
        )
        return (*self._findings, more)
