"""What every rule needs while a message is read: its places, the names of its elements, what was told."""

import msgspec

from ...finding import EdifactPointer, Finding, Severity
from ..directory import Directory
from ..elements import decimal_marks, wrong_mark
from ..interchange import Interchange, Message
from ..outgoing import MessageName
from ..place import Locator
from ..report import Code, Report
from ..scanner import Segment
from ..validation import Validated, validate
from ..writer import Cell
from .tree import Draft, resolve

# Finding codes of the mapping; they are not of UNTDID 0085, since the syntax is in order.
BAD_VALUE = "bad-value"
NOT_TAKEN = "not-taken"
# Of the syntax, what says that content has no place: a segment, or a part of one.
_PART = Code.TOO_MANY_CONSTITUENTS
_LOST = frozenset({Code.NOT_SUPPORTED_HERE, _PART})
# Segment, element and component.
_Place = tuple[int, int | None, int | None]


def validated_for(
    interchange: Interchange, message: Message, directory: Directory, name: MessageName
) -> Validated:
    """`message` as the mapping of `name` reads it: by that release, since places are named after its groups.

    Its own release, or the nearest one that is held, judges it. Of the release of the mapping comes only what
    that has no place for: a segment that would be lost is an error, a part of one a warning. `rule` is None
    where it is no message of this type, or no directory holds it.
    """
    own = validate(interchange, message, directory, codes=Severity.WARNING)
    if own.rule is None or message.type != name.type:
        return msgspec.structs.replace(own, rule=None)
    if own.rule.covers(name.version, name.release):
        return own
    read = validate(interchange, message, directory, codes=Severity.WARNING, release=name.release)
    known = {_place(f)[0] for f in own.findings if f.code == Code.NOT_SUPPORTED_HERE}
    lost = [f for f in read.findings if f.code in _LOST and not (f.code != _PART and _place(f)[0] in known)]
    other = [_as_lost(finding, name) for finding in lost]
    if own.rule.covers(message.version, message.release):
        release = (f for f in read.findings if f.code == Code.RELEASE_NOT_SUPPORTED)
        other = [*(msgspec.structs.replace(f, severity=Severity.INFO) for f in release), *other]
    return msgspec.structs.replace(read, findings=(*own.findings, *other))


def _as_lost(finding: Finding, name: MessageName) -> Finding:
    severity = Severity.WARNING if finding.code == _PART else Severity.ERROR
    what = "this part" if finding.code == _PART else "this segment"
    text = f"{name.type} is read as of {name.version}.{name.release}, which has no place for {what}"
    return msgspec.structs.replace(finding, code=NOT_TAKEN, severity=severity, text=text)


class Reading:
    """What every rule may need while a message is read; `report` takes what is found beside `validated`.

    A code that a field takes is one of the data model or of a nation: it is judged by the rules of content,
    not by the code list of the element it travels in. One that no field takes, a qualifier, is told.
    """

    def __init__(self, interchange: Interchange, message: Message, validated: Validated) -> None:
        self.report = Report()
        self._validated = validated.findings
        self.point = Locator(interchange, message, validated.paths)
        self._rule = validated.rule
        self.lenient = validated.rule is not None and not validated.rule.covers(
            message.version, message.release
        )
        self._marks = decimal_marks(interchange)
        # The decimal mark that is not the one of this interchange; where either will do, no character at all.
        self.wrong_mark = {".": ",", ",": "."}.get(self._marks, "\0")
        # Where something is said already: one mistake is told once.
        self._told = {
            (at.segment, at.element, at.component)
            for at in (f.pointer for f in validated.findings if f.severity is Severity.ERROR)
            if isinstance(at, EdifactPointer) and at.element is not None
        }

    def findings(self, draft: Draft) -> tuple[Finding, ...]:
        """Everything found, once `draft` is filled."""
        report = Report()
        unlisted = self._unlisted(draft)
        for finding in self._validated:
            if not _is_unlisted(finding) or _place(finding) in unlisted:
                report.keep(finding)
        report.extend(self.report.findings())
        return report.findings()

    def _unlisted(self, draft: Draft) -> set[_Place]:
        """Where a code is not in its list, no field has taken it, and nothing else is said of it."""
        places = {_place(finding) for finding in self._validated if _is_unlisted(finding)}
        if places:
            places -= {_place(finding) for finding in self.report.findings()}
            taken = {(origin.segment.number, *(origin.cell or (0, 0))) for origin in draft.origins()}
            places = {place for place in places if not taken & {place, (place[0], 0, 0)}}
        return places

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
        problem = wrong_mark(text, self._marks) if resolved.convert is not None else None
        if problem is not None:
            code = Code.INVALID_DECIMAL
        else:
            problem = draft.put_at(resolved, text, at)
            problem = problem and f"{self.name(segment, at)} {problem}"
        if problem is not None and not self.told(segment, at):
            severity = Severity.WARNING if "twice" in problem else Severity.ERROR
            self.report.add(code, problem, self.point(segment, *at), value=text, severity=severity)


def _is_unlisted(finding: Finding) -> bool:
    """True of a value that the code list of its element does not have, where that is a warning."""
    return finding.severity is Severity.WARNING and finding.code == Code.INVALID_VALUE


def _place(finding: Finding) -> _Place:
    at = finding.pointer
    return (at.segment, at.element, at.component) if isinstance(at, EdifactPointer) else (0, None, None)
