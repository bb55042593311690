"""A message whose structure is not in order: what is missing, too many, or out of place, and where.

The walk takes one step for each segment; a segment that does not fit may show that one before it stood too
early, so a few readings are compared and the one with the fewest faults is told.
"""

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ..finding import Severity
from .interchange import Message
from .place import Locator
from .report import Code, Report
from .scanner import Segment
from .structure import Step, Structure
from .walk import NOT_PLACED

# A segment that does not fit: so many before it may be the one out of order, and so many after it tell.
LOOK_BACK = 8
LOOK_AHEAD = 16
# Bound the work on a message in which nothing fits.
MAX_ATTEMPTS, MAX_COMPARED = 16, 128
# ISO 9735-5 and -10: security segments may stand after UNH and before UNT of any message.
SECURITY_TAGS = frozenset({"USA", "USB", "USC", "USD", "USH", "USR", "UST", "USU", "USX", "USY"})
_TAG = re.compile("[A-Z][A-Z0-9]{2}")


# What a fault costs in the comparison; a group of which the first segment is missing a little more, so that
# one segment out of place is told as such.
FAULT, EXCESS, HALF, MOVED = 10, 9, 5, 2
# Readings that cost so much more than the best are given up; and how many are followed at once.
MARGIN, MAX_READINGS = 3 * FAULT, 32
# In a row of more repetitions than this, how many there are makes no difference to a reading.
MAX_ROW = 9
UNT = "UNT"


class _Reading(NamedTuple):
    """One way to take the segments so far: where it has come to, how many of the same in a row (from 0), and
    the place of its last fault, the tag last taken as out of place, and the one last taken as missing."""

    cost: int
    state: int
    row: int
    fault: int
    loose: str
    absent: str
    step: Step | None
    before: "_Reading | None"


class Disorder:
    """Follows the segments through the structure, one step each."""

    def __init__(self, structure: Structure, message: Message) -> None:
        self._structure = structure
        self._segments = message.segments
        self._attempts = MAX_ATTEMPTS
        self._counts = [0] * len(structure.positions)
        self._group_counts = [0] * len(structure.groups)
        self._tags = frozenset(position.tag for position in structure.positions)
        # Where UNS stands twice, 0081 tells which it is.
        places = [position.number for position in structure.positions if position.tag == "UNS"]
        self._sections = dict(zip(places, "DS", strict=True)) if len(places) == 2 else {}
        self._steps: list[Step | None] = []
        self._severity = Severity.ERROR
        self._known_bridges: dict[tuple[int, str], tuple[Step, ...]] = {}

    def run(self) -> tuple[int, ...]:
        """The position of each segment, NOT_PLACED where it has none."""
        self._steps = self._plan()
        return (0, *(NOT_PLACED if step is None else step.target for step in self._steps[1:]))

    def tell(self, at: Locator, report: Report, severity: Severity = Severity.ERROR) -> None:
        """Report what is not in order, after `run`."""
        self._severity = severity
        self._counts[0] = 1
        for segment, step in zip(self._segments[1:], self._steps[1:], strict=True):
            if step is None:
                self._out_of_place(segment, at, report)
            else:
                self._tell_missing(step, segment, at, report)
                self._count(step, segment, at, report)

    def _plan(self) -> list[Step | None]:
        """The step each segment takes; None where it has no place."""
        plan: list[Step | None] = [None]
        state = index = row = 0
        while (index := index + 1) < len(self._segments):
            tag = self._segments[index].tag
            step = self._structure.steps[state].get(tag)
            same = step is not None and step.target == state and step.opened < 0
            over = same and row + 1 >= self._structure.positions[state].limit
            if (step is None or step.missing or over) and tag in self._tags and self._attempts:
                self._attempts -= 1
                plan = self._compared(plan, index)
                state, row, index = _state(plan), _row(plan), len(plan) - 1
                continue
            plan.append(step)
            if step is not None:
                state, row = step.target, row + 1 if same else 0
        return plan

    def _compared(self, plan: list[Step | None], index: int) -> list[Step | None]:
        """The segment at `index` does not fit: the plan with the fewest faults, up to where it fits again.

        A fault is a segment out of place, one missing, or one too many. In doubt the last is at fault.
        """
        begin = max(1, index - LOOK_BACK)
        readings = [_Reading(0, _state(plan[:begin]), _row(plan[:begin]), begin, "", "", None, None)]
        for place in range(begin, len(self._segments)):
            readings = self._extended(readings, place)
            clean = place >= index and place - readings[0].fault >= LOOK_AHEAD
            if clean or place - begin >= MAX_COMPARED:
                break
        steps: list[Step | None] = []
        reading: _Reading | None = readings[0]
        while reading is not None and reading.before is not None:
            steps.append(reading.step)
            reading = reading.before
        return plan[:begin] + steps[::-1]

    def _extended(self, readings: "list[_Reading]", place: int) -> "list[_Reading]":
        """Every reading with the segment at `place` in each way it can be taken; the best, best first."""
        best: dict[tuple[int, int, str, str], _Reading] = {}
        positions = self._structure.positions
        for before in readings:
            for cost, step, loose, absent in self._ways(before, self._segments[place]):
                state = before.state if step is None else step.target
                same = step is not None and state == before.state and step.opened < 0
                row = before.row + 1 if same else before.row if step is None else 0
                over = same and row >= positions[state].limit
                total = before.cost + cost + over * EXCESS
                fault = place if cost or over else before.fault
                key = (state, row if positions[state].limit <= MAX_ROW else 0, loose, absent)
                known = best.get(key)
                if known is None or (total, -fault) < (known.cost, -known.fault):
                    best[key] = _Reading(total, state, key[1], fault, loose, absent, step, before)
        kept = sorted(best.values(), key=lambda reading: (reading.cost, -reading.fault))
        return [reading for reading in kept[:MAX_READINGS] if reading.cost <= kept[0].cost + MARGIN]

    def _ways(self, reading: "_Reading", segment: Segment) -> Iterator[tuple[int, Step | None, str, str]]:
        """The ways to take a segment: what each costs, the step, and what is then loose and absent."""
        tag = segment.tag
        if tag not in self._tags:
            yield 0, None, reading.loose, reading.absent
            return
        step = self._structure.steps[reading.state].get(tag)
        # What is absent in one place and loose in another was moved: less than two faults. UNT never is.
        if tag == reading.absent:
            yield MOVED, None, reading.loose, ""
        elif tag != UNT or step is None:
            yield FAULT, None, tag, reading.absent
        if step is not None:
            strange = step.target in self._sections and segment.value(1) != self._sections[step.target]
            yield self._taken(reading, step, HALF * strange)
        for bridge in self._bridges(reading.state, tag):
            yield self._taken(reading, bridge, 1)

    def _taken(self, reading: "_Reading", step: Step, cost: int) -> tuple[int, Step | None, str, str]:
        loose, absent = reading.loose, reading.absent
        for position in step.missing:
            tag = self._structure.positions[position].tag
            if tag == loose:
                cost, loose = cost + MOVED, ""
            else:
                cost, absent = cost + FAULT, tag
        return cost, step, loose, absent

    def _bridges(self, state: int, tag: str) -> tuple[Step, ...]:
        """The steps to `tag` over one segment that is missing: the first of a group, or UNS."""
        key = (state, tag)
        if key not in self._known_bridges:
            steps, positions = self._structure.steps, self._structure.positions
            self._known_bridges[key] = tuple(
                Step(then.target, first.opened, (*first.missing, first.target))
                for first in steps[state].values()
                if first.opened >= 0 or positions[first.target].mandatory
                if (then := steps[first.target].get(tag)) is not None
                if not then.missing and then.target != first.target
            )
        return self._known_bridges[key]

    def _count(self, step: Step, segment: Segment, at: Locator, report: Report) -> None:
        position = self._structure.positions[step.target]
        if step.opened >= 0:
            group = self._structure.groups[step.opened]
            self._group_counts[group.number] += 1
            self._counts[group.first : group.last + 1] = [0] * (group.last + 1 - group.first)
            nested = group.last_group - group.number
            self._group_counts[group.number + 1 : group.last_group + 1] = [0] * nested
            if self._group_counts[group.number] == group.limit + 1:
                text, most = f"{group.name} is repeated too often", f"at most {group.limit}"
                report.add(Code.TOO_MANY_GROUPS, text, at(segment), expected=most, severity=self._severity)
        self._counts[step.target] += 1
        if self._counts[step.target] == position.limit + 1:
            text, most = f"{position.tag} is repeated too often", f"at most {position.limit}"
            report.add(Code.TOO_MANY_REPETITIONS, text, at(segment), expected=most, severity=self._severity)

    def _tell_missing(self, step: Step, segment: Segment, at: Locator, report: Report) -> None:
        before = self._segments[segment.number - 2]
        for index in step.missing:
            tag = self._structure.positions[index].tag
            pointer = msgspec.structs.replace(at(before, tag=tag), offset=segment.offset)
            section = self._sections.get(index)
            name = tag if section is None else f"{tag} ({section})"
            text = f"{name} is missing before {segment.tag}"
            report.add(Code.MISSING, text, pointer, expected=tag, severity=self._severity)

    def _out_of_place(self, segment: Segment, at: Locator, report: Report) -> None:
        if segment.tag in SECURITY_TAGS - self._tags and self._frames(segment):
            text = "security segments are carried, not verified"
            report.add(Code.ENVELOPE_NOT_SUPPORTED, text, at(segment), severity=Severity.INFO)
        elif _TAG.fullmatch(segment.tag):  # What is no tag was told with the message as a container.
            known = segment.tag in self._tags
            text = "the segment is out of order here" if known else "the message has no such segment"
            report.add(Code.NOT_SUPPORTED_HERE, text, at(segment), value=segment.tag, severity=self._severity)

    @functools.cached_property
    def _content(self) -> tuple[int, int]:
        """The first and the last segment between UNH and UNT that are not of security."""
        content = [s.number for s in self._segments[1:-1] if s.tag not in SECURITY_TAGS]
        return (content[0], content[-1]) if content else (len(self._segments), 0)

    def _frames(self, segment: Segment) -> bool:
        """True if nothing but security segments stands between this one and UNH, or this one and UNT."""
        first, last = self._content
        return segment.number < first or segment.number > last


def _row(plan: list[Step | None]) -> int:
    """How many of the last segments are repetitions of the one before them."""
    taken = [step for step in plan if step is not None]
    count = 0
    while (
        count < len(taken) and taken[-1 - count].opened < 0 and taken[-1 - count].target == taken[-1].target
    ):
        count += 1
    first = len(taken) == count or taken[-1 - count].target != taken[-1].target
    return max(0, count - first)


def _state(plan: list[Step | None]) -> int:
    return next((step.target for step in reversed(plan) if step is not None), 0)
