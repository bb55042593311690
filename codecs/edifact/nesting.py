"""What lies in what: groups, messages and packages of one interchange, every count and reference checked."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from ..finding import EdifactPointer, Finding
from .interchange import Group, Interchange, Message, Package
from .message import check_trailer
from .place import place, reference_shown
from .report import Code, Report
from .scanner import Segment, read_segment
from .service_segments import check_service_segment


class GroupStarted(msgspec.Struct, frozen=True):
    """A functional group begins: what UNG says, and what is wrong with it. Its messages follow."""

    group: Group
    findings: tuple[Finding, ...] = ()


class GroupEnded(msgspec.Struct, frozen=True):
    """A functional group is over, with its UNE or where that should be, and what is wrong there.

    The findings are those of the interchange, told where they are."""

    group: Group
    findings: tuple[Finding, ...] = ()


# Functional groups that are kept of an interchange; more are counted.
MAX_GROUPS = 10_000


class Nesting:
    """Follows the service segments of one interchange from UNB to UNZ.

    `context` is the interchange as UNB tells it; `report` goes on with what was found up to there. `emit`
    takes each functional group as it begins and ends.
    """

    def __init__(
        self, context: Interchange, report: Report, emit: Callable[[GroupStarted | GroupEnded], None]
    ) -> None:
        self.context = context
        self.group: Group | None = None
        self._report = report
        self._emit = emit
        self._groups: list[Group] = []
        self._group_count = 0
        self._references: set[str] = set()
        self._messages = 0
        self._packages = 0
        self._in_group = 0

    def message(self, message: Message) -> None:
        """Count a message."""
        self._enter(message.segments[0], "message")
        self._messages += 1

    def package(self, package: Package) -> None:
        """Count a package."""
        self._enter(package.header, "package")
        self._packages += 1

    def _enter(self, header: Segment, what: str) -> None:
        self._in_group += 1
        if self._groups and self.group is None:
            text = f"a {what} outside the functional groups"
            self._report.add(Code.GROUPS_AND_MESSAGES_MIXED, text, self._at(header))

    def open_group(self, header: Segment) -> None:
        """UNG."""
        self.close_group(None)
        before = len(self._report)
        if (self._messages or self._packages) and not self._groups:
            text = "a functional group after messages outside groups"
            self._report.add(Code.GROUPS_AND_MESSAGES_MIXED, text, self._at(header))
        self.group = Group(
            reference=header.value(5),
            type=header.value(1),
            sender=header.value(2),
            recipient=header.value(3),
            header=header,
        )
        self._check_segment(header)
        if self.group.reference in self._references:
            text, value = "this group reference was used before", self.group.reference
            self._report.add(Code.DUPLICATE, text, self._at(header, 5), value=value)
        if self.group.reference:
            self._references.add(self.group.reference)
        self._in_group = 0
        self._emit(GroupStarted(self.group, self._since(before)))

    def close_group(self, trailer: Segment | None) -> None:
        """UNE, or with None whatever shows that it is missing. Without an open group, nothing happens."""
        group, self.group = self.group, None
        if group is None:
            return
        before = len(self._report)
        closed = replace(group, trailer=trailer)
        self._group_count += 1
        if len(self._groups) < MAX_GROUPS:
            self._groups.append(closed)
        if trailer is None:
            pointer = replace(self._at(group.header), tag="UNE", group=reference_shown(group.reference))
            self._report.add(Code.MISSING, "the functional group has no UNE", pointer, expected="UNE")
        else:
            self._check_segment(trailer)
            self._check(trailer, ("0060", self._in_group), ("0048", group.reference))
        if not self._in_group:
            pointer = self._at(trailer or group.header)
            self._report.add(Code.LOWER_LEVEL_EMPTY, "the functional group holds no message", pointer)
        self._emit(GroupEnded(closed, self._since(before)))

    def _since(self, before: int) -> tuple[Finding, ...]:
        """What was found since there were so many; nothing once there are too many to be told one by one."""
        return () if self._report.full else self._report.findings()[before:]

    def outside(self, segment: Segment, count: int = 1) -> None:
        """`count` segments, this one first, that belong to no message, group or package."""
        text = "a segment outside any message" if count == 1 else f"{count} segments outside any message"
        self._report.add(Code.OUTSIDE_MESSAGE, text, self._at(segment), value=segment.tag)

    def headless(self, segment: Segment) -> None:
        """A message without its UNH, which begins with this segment: it counts, and is not read."""
        self._enter(segment, "message")
        self._messages += 1
        text = "the message has no UNH"
        self._report.add(Code.MISSING, text, self._at(segment), expected="UNH")

    def add(self, code: str, text: str, segment: Segment, *, expected: str | None = None) -> None:
        """A finding at a segment of the envelope."""
        self._report.add(code, text, self._at(segment), expected=expected)

    def close(self, trailer: Segment | None, end: int) -> Interchange:
        """UNZ, or with None the end of the octets: the interchange with its groups and findings."""
        self.close_group(None)
        tail = replace(
            self._at(trailer or self.context.header or read_segment("UNZ", end, self.context.service)),
            tag="UNZ",
        )
        if trailer is None and self.context.header is None:
            pass  # What has no UNB has no UNZ either: that was said.
        elif trailer is None:
            pointer = replace(tail, offset=end)
            self._report.add(Code.MISSING, "the interchange has no UNZ", pointer, expected="UNZ")
        else:
            self._check_segment(trailer)
            count = self._group_count or self._messages + self._packages
            self._check(trailer, ("0036", count), ("0020", self.context.reference))
        if not (self._messages or self._packages or self._groups):
            self._report.add(Code.LOWER_LEVEL_EMPTY, "the interchange holds no message", tail)
        return replace(
            self.context,
            trailer=trailer,
            groups=tuple(self._groups),
            findings=self._report.findings(),
            end=end,
        )

    def _check_segment(self, segment: Segment) -> None:
        if self._report.closed:
            # Nothing of it would be kept: it counts as one more.
            self._report.dropped += 1
            return
        check_service_segment(segment, self.context.syntax_version, self._at, self._report)

    def _check(self, trailer: Segment, count: tuple[str, int], reference: tuple[str, str]) -> None:
        check_trailer(trailer, count, reference, self._at, self._report)

    def _at(
        self, segment: Segment, element: int | None = None, component: int | None = None
    ) -> EdifactPointer:
        pointer = place(segment, element, component, interchange=self.context.reference)
        return (
            pointer if self.group is None else replace(pointer, group=reference_shown(self.group.reference))
        )
