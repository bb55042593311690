"""A message against its directory: order, groups, repetitions, and the format of every element."""

import bisect
import re

import msgspec

from ..finding import Finding, Severity
from .directory import Directory, MessageRule
from .elements import ElementChecker
from .interchange import Interchange, Locator, Message
from .report import Code, Report
from .scanner import Segment
from .structure import Step, Structure

# ISO 9735-5 and -10: security segments may stand after UNH and before UNT of any message.
SECURITY_TAGS = frozenset({"USA", "USB", "USC", "USD", "USH", "USR", "UST", "USU", "USX", "USY"})
NOT_PLACED = -1
SECTIONS = ("D", "S")
# A segment that does not fit: so many before it may be the one out of order, and so many after it tell.
LOOK_BACK = 8
LOOK_AHEAD = 16
# Bounds the work on a message in which nothing fits.
MAX_ATTEMPTS = 32
_TAG = re.compile("[A-Z][A-Z0-9]{2}")


class Validated(msgspec.Struct, frozen=True):
    """The outcome: for each segment its position in the structure (NOT_PLACED: none), and what is wrong.

    `findings` begins with the message's own findings as a container. `rule` is None where no directory holds
    the message type; nothing was checked then, and a finding says so.
    """

    rule: MessageRule | None
    positions: tuple[int, ...]
    findings: tuple[Finding, ...]


def validate(interchange: Interchange, message: Message, directory: Directory) -> Validated:
    """Check `message` in one pass. Never raises.

    A message of another release than the directory's is read by the same tables: a finding says so, element
    formats become warnings, and a segment that has no place there is an error.
    """
    report = Report()
    report.extend(message.findings)
    rule = directory.messages.get(message.type)
    header = message.segments[0]
    at = Locator.of(interchange, message)
    if rule is None:
        if not any(finding.code == Code.VALUE_NOT_SUPPORTED for finding in message.findings):
            pointer = at(header, 2, 1)
            text = "no directory is held for this message type"
            report.add(Code.VALUE_NOT_SUPPORTED, text, pointer, value=message.type)
        return Validated(None, (), report.findings())
    exact = rule.covers(message.version, message.release)
    if not exact and message.type != "CONTRL":
        pointer = at(header, 2, 3)
        report.add(
            Code.RELEASE_NOT_SUPPORTED,
            f"read by the rules of {rule.directory}, the release held here",
            pointer,
            value=f"{message.version}.{message.release}",
            expected=rule.directory,
            severity=Severity.WARNING,
        )
    walk = _Walk(rule.structure, interchange, message, report)
    positions = walk.run()
    checker = ElementChecker(interchange, message, report, lenient=not exact)
    for segment, position in zip(message.segments, positions, strict=True):
        if position != NOT_PLACED:
            checker.check(segment, rule.segments[segment.tag])
    _check_sections(Validated(rule, positions, ()), message, at, report)
    return Validated(rule, positions, report.findings())


def _check_sections(validated: Validated, message: Message, at: Locator, report: Report) -> None:
    """UNS 0081: D before the detail section, S before the summary (UNTDID 0081)."""
    assert validated.rule is not None
    places = [position.number for position in validated.rule.structure.positions if position.tag == "UNS"]
    expected = dict(zip(places, SECTIONS, strict=False))
    for segment, position in zip(message.segments, validated.positions, strict=True):
        given = segment.value(1) if position in expected else ""
        if given and given != expected[position]:
            text = "the section control does not belong here"
            report.add(Code.INVALID_VALUE, text, at(segment, 1, 1), value=given, expected=expected[position])


class _Walk:
    """Follows the segments through the structure, one step each."""

    def __init__(
        self, structure: Structure, interchange: Interchange, message: Message, report: Report
    ) -> None:
        self._structure = structure
        self._segments = message.segments
        self._report = report
        self._at = Locator.of(interchange, message)
        self._attempts = MAX_ATTEMPTS
        self._counts = [0] * len(structure.positions)
        self._group_counts = [0] * len(structure.groups)
        self._tags = frozenset(position.tag for position in structure.positions)
        self._places: dict[str, list[int]] | None = None

    def run(self) -> tuple[int, ...]:
        """The position of each segment."""
        plan = self._plan()
        placed = [0]
        self._counts[0] = 1
        for segment, step in zip(self._segments[1:], plan[1:], strict=True):
            if step is None:
                self._out_of_place(segment)
                placed.append(NOT_PLACED)
                continue
            self._tell_missing(step, segment)
            self._count(step, segment)
            placed.append(step.target)
        return tuple(placed)

    def _plan(self) -> list[Step | None]:
        """The step each segment takes; None where it has no place."""
        plan: list[Step | None] = [None]
        state = 0
        for index, segment in enumerate(self._segments[1:], 1):
            step = self._step(state, segment)
            plan.append(step)
            if step is None and segment.tag in self._tags and self._attempts:
                self._attempts -= 1
                self._reconsider(plan, index)
                state = _state(plan)
            elif step is not None:
                state = step.target
        return plan

    def _step(self, state: int, segment: Segment) -> Step | None:
        step = self._structure.steps[state].get(segment.tag)
        return None if step is None or (step.missing and not self._skips(step, segment)) else step

    def _reconsider(self, plan: list[Step | None], index: int) -> None:
        """The segment at `index` does not fit: perhaps one before it stood too early, and it is right.

        The reading with the fewest segments out of place is kept; in doubt the last one is at fault.
        """
        first = max(1, index - LOOK_BACK)
        best = sum(step is None for step in self._follow(plan, index, index + 1)) + 1
        best += sum(step is None for step in plan[first:index])
        kept: list[Step | None] | None = None
        for suspect in range(index - 1, first - 1, -1):
            if plan[suspect] is None or self._segments[suspect].tag == "UNS":
                continue
            before = plan[:suspect]
            after = self._follow(before, suspect, suspect + 1, index + 1 + LOOK_AHEAD)
            faults = sum(step is None for step in (*before[first:], None, *after))
            if faults < best:
                best, kept = faults, [*before, None, *after[: index - suspect]]
        if kept is not None:
            plan[:] = kept

    def _follow(
        self, plan: list[Step | None], upto: int, begin: int, end: int | None = None
    ) -> list[Step | None]:
        """The steps of the segments from `begin` on, after those of `plan` before `upto`."""
        state = _state(plan[:upto])
        steps = []
        for segment in self._segments[begin : begin + LOOK_AHEAD if end is None else end]:
            step = self._step(state, segment)
            steps.append(step)
            state = state if step is None else step.target
        return steps

    def _count(self, step: Step, segment: Segment) -> None:
        position = self._structure.positions[step.target]
        if step.opened >= 0:
            group = self._structure.groups[step.opened]
            self._group_counts[group.number] += 1
            self._counts[group.first : group.last + 1] = [0] * (group.last + 1 - group.first)
            nested = group.last_group - group.number
            self._group_counts[group.number + 1 : group.last_group + 1] = [0] * nested
            if self._group_counts[group.number] == group.limit + 1:
                self._report.add(
                    Code.TOO_MANY_GROUPS,
                    f"{group.name} is repeated too often",
                    self._at(segment),
                    expected=f"at most {group.limit}",
                )
        self._counts[step.target] += 1
        if self._counts[step.target] == position.limit + 1:
            self._report.add(
                Code.TOO_MANY_REPETITIONS,
                f"{position.tag} is repeated too often",
                self._at(segment),
                expected=f"at most {position.limit}",
            )

    def _skips(self, step: Step, segment: Segment) -> bool:
        """True if the mandatory segments before `step` are really absent.

        Where they still come, it is this segment that stands in the wrong place.
        """
        positions = self._structure.positions
        for index in step.missing:
            tag = positions[index].tag
            ahead = sum(1 for p in positions[index:] if p.tag == tag and p.mandatory and p.group < 0)
            if self._still_to_come(tag, segment.number) >= max(ahead, 1):
                return False
        return True

    def _tell_missing(self, step: Step, segment: Segment) -> None:
        positions = self._structure.positions
        before = self._segments[segment.number - 2]
        for index in step.missing:
            tag = positions[index].tag
            pointer = msgspec.structs.replace(self._at(before), tag=tag, offset=segment.offset)
            self._report.add(Code.MISSING, f"{tag} is missing before {segment.tag}", pointer, expected=tag)

    def _still_to_come(self, tag: str, number: int) -> int:
        if self._places is None:
            self._places = {}
            for segment in self._segments:
                self._places.setdefault(segment.tag, []).append(segment.number)
        places = self._places.get(tag, [])
        return len(places) - bisect.bisect_left(places, number)

    def _out_of_place(self, segment: Segment) -> None:
        pointer = self._at(segment)
        if segment.tag in SECURITY_TAGS:
            text = "security segments are not verified here"
            self._report.add(Code.ENVELOPE_NOT_SUPPORTED, text, pointer, severity=Severity.WARNING)
            return
        if not _TAG.fullmatch(segment.tag):
            return  # Told with the message as a container.
        known = segment.tag in self._tags
        text = "the segment is out of order here" if known else "the message has no such segment"
        self._report.add(Code.NOT_SUPPORTED_HERE, text, pointer, value=segment.tag)


def _state(plan: list[Step | None]) -> int:
    return next((step.target for step in reversed(plan) if step is not None), 0)
