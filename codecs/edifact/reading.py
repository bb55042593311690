"""What every rule needs while a message is read: its places, the names of its elements, what was told."""

from ..finding import EdifactPointer, Severity
from .elements import decimal_marks, wrong_mark
from .interchange import Interchange, Locator, Message
from .report import Code, Report
from .scanner import Segment
from .tree import Draft, resolve
from .validation import Validated
from .writer import Cell

BAD_VALUE = "bad-value"


class Reading:
    """What every rule may need while a message is read."""

    def __init__(
        self, interchange: Interchange, message: Message, report: Report, validated: Validated
    ) -> None:
        self.report = report
        self.point = Locator.of(interchange, message)
        self._rule = validated.rule
        self.lenient = validated.rule is not None and not validated.rule.covers(
            message.version, message.release
        )
        self._marks = decimal_marks(interchange)
        # Where something is said already: one mistake is told once.
        self._told = {
            (at.segment, at.element, at.component)
            for at in (f.pointer for f in validated.findings if f.severity is Severity.ERROR)
            if isinstance(at, EdifactPointer) and at.element is not None
        }

    def told(self, segment: Segment, cell: tuple[int, int] | None) -> bool:
        """True if an error was found in this place before; from now on it counts as told."""
        if cell is None:
            return False
        key = (segment.number, *cell)
        known = key in self._told
        self._told.add(key)
        return known

    def name(self, segment: Segment, cell: tuple[int, int] | None) -> str:
        """The data element in this place as the directory numbers it (`7224`), the tag where it is no single
        one."""
        rule = None if self._rule is None else self._rule.segments.get(segment.tag)
        if rule is None or cell is None or cell[0] > len(rule.elements):
            return segment.tag
        components = rule.elements[cell[0] - 1].components
        return components[cell[1] - 1].id if cell[1] <= len(components) else segment.tag

    def put(self, draft: Draft, path: str, text: str, segment: Segment, cell: Cell) -> None:
        """Set a field; a value that is no number, or a second one, is a finding."""
        at = (cell.element, cell.component)
        code: str = BAD_VALUE
        resolved = resolve(draft.cls, path)
        # Where either mark will do, none is wrong.
        exact = resolved.convert is not None and len(self._marks) == 1
        problem = wrong_mark(text, self._marks) if exact else None
        if problem is not None:
            code = Code.INVALID_TYPE
        else:
            problem = draft.put_at(resolved, text, at)
            problem = problem and f"{self.name(segment, at)} {problem}"
        if problem is not None and not self.told(segment, at):
            severity = Severity.WARNING if "twice" in problem else Severity.ERROR
            self.report.add(code, problem, self.point(segment, *at), value=text, severity=severity)
