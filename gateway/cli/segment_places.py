"""Where each segment of a message stands: its segment groups, its row in the directory, and its findings."""

import bisect
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ...codecs.edifact import Directory, Interchange, Message, Segment, Validated, validate
from ...codecs.edifact.report import Code
from ...codecs.edifact.structure import Structure
from ...codecs.edifact.walk import NOT_PLACED
from ...codecs.finding import EdifactPointer, Finding
from .directory_view import ROW


def raw(segment: Segment, terminator: str, findings: Iterable[Finding]) -> str:
    """The text of a segment as it came, with its terminator unless a finding says that it has none."""
    missing = any(found.code == Code.MISSING and found.expected == terminator for found in findings)
    return segment.text if missing else segment.text + terminator


class Row(NamedTuple):
    """A line of the segment table: its number as `directory show` prints it, status and repetitions."""

    number: int
    status: str
    repetitions: int


class Opened(NamedTuple):
    """A repetition of a segment group that begins: `SG30[2]/SG31[1]`."""

    path: str
    row: Row

    @property
    def name(self) -> str:
        """`SG31[1]`."""
        return self.path.rpartition("/")[2]

    @property
    def depth(self) -> int:
        """How many groups it lies in."""
        return self.path.count("/")


class Place(NamedTuple):
    """A segment; `opened` are the groups that begin with it. `row` is None where it has no place."""

    segment: Segment
    path: str
    opened: Sequence[Opened]
    row: Row | None
    findings: Sequence[Finding]

    @property
    def depth(self) -> int:
        """How many groups it lies in."""
        return self.path.count("/") + 1 if self.path else 0


class Places:
    """The segments of one message in order, each with its place in `directory` and those of `findings` that
    point at it. `release` is the directory's release, None where none has the message."""

    def __init__(
        self, interchange: Interchange, message: Message, directory: Directory, findings: Iterable[Finding]
    ) -> None:
        self._message = message
        self._validated: Validated = validate(interchange, message, directory)
        rule = self._validated.rule
        self.release = None if rule is None else rule.directory
        self._found: dict[int, list[Finding]] = {}
        for finding in findings:
            self._found.setdefault(self._segment_of(finding), []).append(finding)

    @property
    def others(self) -> Sequence[Finding]:
        """The findings that point at no segment of the message."""
        return self._found.get(0, ())

    def _segment_of(self, finding: Finding) -> int:
        pointer = finding.pointer
        inside = isinstance(pointer, EdifactPointer) and pointer.segment <= len(self._message.segments)
        return pointer.segment if inside and isinstance(pointer, EdifactPointer) else 0

    def __iter__(self) -> Iterator[Place]:
        rule = self._validated.rule
        if rule is None:
            for segment in self._message.segments:
                yield Place(segment, "", (), None, self._found.get(segment.number, ()))
            return
        table = _table(rule.structure)
        before: list[str] = []
        everything = zip(
            self._message.segments, self._validated.positions, self._validated.paths(), strict=True
        )
        for segment, position, path in everything:
            names = path.split("/") if path else []
            opened = [
                Opened("/".join(names[:depth]), table.groups[names[depth - 1].partition("[")[0]])
                for depth in range(1, len(names) + 1)
                if names[:depth] != before[:depth]
            ]
            before = names
            row = None if position == NOT_PLACED else table.rows[position]
            yield Place(segment, path, opened, row, self._found.get(segment.number, ()))


class _Table(NamedTuple):
    rows: Sequence[Row]
    groups: dict[str, Row]


@functools.lru_cache(maxsize=64)
def _table(structure: Structure) -> _Table:
    """The rows of a segment table: groups have rows of their own, before the segments in them."""
    firsts = [group.first for group in structure.groups]
    rows = [
        _row(p.number + 1 + bisect.bisect_right(firsts, p.number), p.mandatory, p.limit)
        for p in structure.positions
    ]
    groups = {g.name: _row(g.first + g.number + 1, g.mandatory, g.limit) for g in structure.groups}
    return _Table(rows, groups)


def _row(number: int, mandatory: bool, limit: int) -> Row:
    return Row(ROW * number, "M" if mandatory else "C", limit)
