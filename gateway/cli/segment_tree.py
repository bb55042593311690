"""An interchange for a person: a heading for each level, and every segment under its segment groups.

A line has the segment's number, the octet where it begins, its row of the segment table with status and
repetitions, and its text. What is wrong with it stands below it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ...codecs.document import Document
from ...codecs.edifact import Group, Interchange, Message, Package, Segment
from ...codecs.finding import EdifactPointer, Finding, Severity, is_valid
from ..finding_view import finding_view
from .paint import Paint, Style, printable
from .segment_places import Places, Row, raw

# Columns: the number, the octet, and the row with its status and repetitions.
NUMBER, OCTET, ROW = 6, 10, 14
GUTTER = NUMBER + 1 + OCTET + 2 + ROW + 1
NO_PLACE = "no place"
# A level of groups.
INDENT = "  "
_STYLES = {Severity.ERROR: Style.RED, Severity.WARNING: Style.YELLOW, Severity.INFO: Style.DIM}


class Tree:
    """The lines of interchanges; each method gives those of one part, in order."""

    def __init__(self, paint: Paint = Paint()) -> None:
        self._paint = paint
        self._terminator = "'"
        self._told: tuple[Finding, ...] = ()

    def started(self, interchange: Interchange) -> Iterator[str]:
        """UNB."""
        self._terminator = interchange.service.terminator
        self._told = interchange.findings
        yield self._heading(f"interchange {', '.join(_facts(interchange))}")
        if interchange.header is not None:
            yield from self._segment(interchange.header, interchange.findings)
        else:
            yield from self._findings(interchange.findings)

    def group_started(self, group: Group, findings: tuple[Finding, ...]) -> Iterator[str]:
        """UNG."""
        self._told += findings
        parties = f"from {_or_dash(group.sender)} to {_or_dash(group.recipient)}"
        yield ""
        yield self._heading(
            f"functional group {_or_dash(group.reference)} of {printable(group.type)} {parties}"
        )
        yield from self._segment(group.header, findings)

    def message(self, message: Message, document: Document, places: Places) -> Iterator[str]:
        """UNH to UNT."""
        yield ""
        yield self._heading(
            f"message {message.position}, {printable(message.identifier) or '-'}, "
            f"reference {_or_dash(message.reference)}: {_many(len(message.segments), 'segment')}, "
            f"{_many(len(message.data), 'octet')}, {'valid' if document.valid else 'not valid'}"
            f"{'' if places.release else ', no directory'}"
        )
        for place in places:
            for group in place.opened:
                yield self._line("", "", self._row(group.row), INDENT * group.depth, group.name, Style.CYAN)
            unknown = NO_PLACE if places.release else ""
            row = self._row(place.row) if place.row else unknown
            yield from self._segment(place.segment, place.findings, row, place.depth)
        yield from self._findings(places.others)

    def package(self, package: Package) -> Iterator[str]:
        """UNO to UNP."""
        yield ""
        yield self._heading(
            f"package, reference {_or_dash(package.reference)}: {_many(len(package.data), 'octet')}"
        )
        yield from self._segment(package.header, ())
        if package.trailer is not None:
            yield from self._segment(package.trailer, ())

    def group_ended(self, group: Group, findings: tuple[Finding, ...]) -> Iterator[str]:
        """UNE."""
        self._told += findings
        yield ""
        yield self._heading(f"end of functional group {_or_dash(group.reference)}")
        yield from self._segment(group.trailer, findings) if group.trailer else self._findings(findings)

    def ended(self, interchange: Interchange) -> Iterator[str]:
        """UNZ; or what stands where an interchange should be."""
        findings = [finding for finding in interchange.findings if finding not in self._told]
        self._told = ()
        if interchange.syntax_version == 0:
            # The version is told, or taken to be 3, as soon as anything begins like an interchange.
            yield self._heading("no interchange")
        if interchange.trailer is not None:
            yield ""
            yield self._heading(f"end of interchange {_or_dash(interchange.reference)}")
            here = [finding for finding in findings if _is_at(finding, interchange.trailer)]
            yield from self._segment(interchange.trailer, here)
            findings = [finding for finding in findings if finding not in here]
        for finding in findings:
            yield from self._finding(finding, None, "")

    def _segment(
        self, segment: Segment, findings: Sequence[Finding], row: str = "", depth: int = 0
    ) -> Iterator[str]:
        number = str(segment.number) if segment.number else ""
        text = printable(raw(segment, self._terminator, findings))
        style = Style.RED if not is_valid(tuple(findings)) else None
        yield self._line(number, str(segment.offset), row, INDENT * depth, text, style)
        for finding in findings:
            yield from self._finding(finding, segment, INDENT * depth)

    def _line(self, number: str, octet: str, row: str, indent: str, text: str, style: Style | None) -> str:
        gutter = f"{number:>{NUMBER}} {octet:>{OCTET}}  {row:<{ROW}} "
        text = self._paint.fit(text, len(gutter) + len(indent))
        if not self._paint.colours:
            return f"{gutter}{indent}{text}".rstrip()
        tag, rest = (text[:3], text[3:]) if octet else (text, "")
        return f"{self._paint(gutter, Style.DIM)}{indent}{self._paint(tag, style or Style.BOLD)}{rest}"

    def _row(self, row: Row) -> str:
        return f"{row.number:05} {row.status} {row.repetitions:>5}"

    def _heading(self, text: str) -> str:
        return self._paint(text, Style.BOLD)

    def _findings(self, findings: Iterable[Finding]) -> Iterator[str]:
        for finding in findings:
            yield from self._finding(finding, None, "")

    def _finding(self, finding: Finding, below: Segment | None, indent: str) -> Iterator[str]:
        """A line below its segment says where in it; one that stands elsewhere says where that is."""
        view = finding_view(finding)
        said = f"{view['severity']} {view['code']}"
        where = _inside(finding, below) if below is not None else view.get("where", "")
        text = f"{said}{' at ' if where else ''}{where}: {view['text']}"
        if "value" in view:
            text += f"; found '{view['value']}'"
        if "expected" in view:
            text += f"; expected {view['expected']}"
        yield f"{' ' * GUTTER}{indent}^ {self._paint(text, _STYLES[finding.severity])}"


def _facts(interchange: Interchange) -> Iterator[str]:
    """What UNB says, in words."""
    if interchange.header is None:
        yield "without UNB"
        return
    parties = f"from {_or_dash(interchange.sender)} to {_or_dash(interchange.recipient)}"
    yield f"{_or_dash(interchange.reference)} {parties}"
    yield f"{printable(interchange.syntax)}:{interchange.syntax_version}"
    if isinstance(interchange.prepared, datetime):
        yield f"prepared {interchange.prepared:%Y-%m-%d %H:%M}"
    if interchange.acknowledgement_requested:
        yield "acknowledgement requested"
    if interchange.test:
        yield "test"


def _inside(finding: Finding, segment: Segment) -> str:
    """Where in its segment a finding points: element, component and repetition, and their octet."""
    pointer = finding.pointer
    if not isinstance(pointer, EdifactPointer) or pointer.element is None:
        return ""
    place = f"{pointer.element}" + (f"/{pointer.component}" if pointer.component else "")
    place += f"*{pointer.repetition}" if pointer.repetition else ""
    return place if pointer.offset in {None, segment.offset} else f"{place} @{pointer.offset}"


def _is_at(finding: Finding, segment: Segment) -> bool:
    """True if it points at this segment of the envelope."""
    pointer = finding.pointer
    return isinstance(pointer, EdifactPointer) and (pointer.segment, pointer.tag) == (0, segment.tag)


def _or_dash(text: str) -> str:
    return printable(text) or "-"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
