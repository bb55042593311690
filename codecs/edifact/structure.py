"""Message structures as a table of steps: from each position, where each tag leads.

ISO 9735-1 (segment groups): the order is strict, a group begins with its first, mandatory segment and may be
repeated up to its count. Trying "repeat, later sibling, new repetition of an open group, later sibling of an
ancestor" in this order gives one target for each (position, tag) in the customs messages, so the walk needs
no look-ahead. Maxima are counted beside the table, so that too many (35, 36) is told from out of place (15).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ..errors import DirectoryError

# A message that lacks so many mandatory segments in a row is not the message it says it is; the most that any
# message of the directories can lack is 15 (DOCADV). It bounds the table of steps.
MAX_MISSING = 50


class Position(NamedTuple):
    """A segment in its place in the structure. `group` is -1 at the top level."""

    number: int
    tag: str
    mandatory: bool
    limit: int
    group: int


class GroupRule(NamedTuple):
    """A segment group: positions `first` to `last` and nested groups `number`+1 to `last_group` lie in it."""

    number: int
    name: str
    mandatory: bool
    limit: int
    parent: int
    first: int
    last: int
    last_group: int


class Step(NamedTuple):
    """Where a tag leads: the position, the group it opens (-1: none), and mandatory positions left out."""

    target: int
    opened: int = -1
    missing: tuple[int, ...] = ()


class Structure(msgspec.Struct, frozen=True, eq=False):
    """A compiled message structure: `steps[position][tag]`.

    `transitions` counts the steps that the structure itself allows; the table also holds those that leave
    out what is mandatory or repeat what may not be repeated, so that a fault is told where it is.
    `conflicts` are the positions and tags with more than one target (the first of them stands in `steps`):
    none in a message that can be read without looking ahead.
    """

    positions: tuple[Position, ...]
    groups: tuple[GroupRule, ...]
    steps: tuple[Mapping[str, Step], ...]
    transitions: int
    conflicts: tuple[tuple[int, str], ...] = ()

    def group_name(self, position: int) -> str:
        """The group a position lies in: `SG30`, or the empty string at the top level."""
        group = self.positions[position].group
        return self.groups[group].name if group >= 0 else ""

    def trigger(self, position: int) -> bool:
        """True if the position begins its group."""
        group = self.positions[position].group
        return group >= 0 and self.groups[group].first == position


def compile_structure(nested: Sequence[Any]) -> Structure:
    """Compile nested lists of `"TAG M 1"`; raises DirectoryError where they are not well made."""
    flat = _Flattener()
    flat.level(nested, -1)
    if not flat.positions:
        raise DirectoryError("a structure without segments")
    walks = [_Steps(position, flat) for position in flat.positions]
    conflicts = [(walk.position.number, tag) for walk in walks for tag in sorted(walk.conflicts)]
    return Structure(
        tuple(flat.positions),
        tuple(flat.groups),
        tuple(walk.steps for walk in walks),
        sum(len(walk.allowed) for walk in walks),
        tuple(conflicts),
    )


class _Flattener:
    """Numbers positions and groups in document order."""

    def __init__(self) -> None:
        self.positions: list[Position] = []
        self.groups: list[GroupRule] = []
        # Of each group (-1: top level), its members in order: (is a group, index).
        self.children: dict[int, list[tuple[bool, int]]] = {}

    def level(self, nested: Sequence[Any], group: int) -> None:
        members = self.children.setdefault(group, [])
        for entry in nested:
            if isinstance(entry, str):
                tag, mandatory, limit = _entry(entry)
                members.append((False, len(self.positions)))
                self.positions.append(Position(len(self.positions), tag, mandatory, limit, group))
                continue
            if (
                not isinstance(entry, list)
                or len(entry) < 2
                or not all(isinstance(e, str) for e in entry[:2])
            ):
                raise DirectoryError("a group is a list that begins with its own entry and a segment")
            name, mandatory, limit = _entry(entry[0])
            index, first = len(self.groups), len(self.positions)
            members.append((True, index))
            rule = GroupRule(index, name, mandatory, limit, group, first, first, index)
            self.groups.append(rule)
            self.level(entry[1:], index)
            self.groups[index] = rule._replace(last=len(self.positions) - 1, last_group=len(self.groups) - 1)


def _entry(text: str) -> tuple[str, bool, int]:
    words = text.split()
    if len(words) != 3 or words[1] not in {"M", "C"} or not words[2].isdecimal():
        raise DirectoryError(f"{text!r} is not a tag, a status and a number of repetitions")
    return words[0], words[1] == "M", int(words[2])


class _Steps:
    """Every tag that may follow a position.

    Steps that leave out mandatory segments come after all others, and so do those that repeat what may occur
    once: that is read in its place and counted (35, 36).
    """

    def __init__(self, position: Position, flat: _Flattener) -> None:
        self.position = position
        self.steps: dict[str, Step] = {}
        self.allowed: dict[str, int] = {}
        self.conflicts: set[str] = set()
        self._missing: list[int] = []
        if position.limit > 1:
            self._add(position.tag, Step(position.number), allowed=True)
        self._climb(flat)
        self._add(position.tag, Step(position.number), allowed=False)

    def _climb(self, flat: _Flattener) -> None:
        """The later siblings, a new repetition of the group they lie in, and so on upwards."""
        positions, groups = flat.positions, flat.groups
        member, container = (False, self.position.number), self.position.group
        while True:
            siblings = flat.children[container]
            for is_group, index in siblings[siblings.index(member) + 1 :]:
                target = groups[index].first if is_group else index
                opened = index if is_group else -1
                self._add(positions[target].tag, Step(target, opened, tuple(self._missing)), allowed=True)
                if groups[index].mandatory if is_group else positions[index].mandatory:
                    self._missing.append(target)
                    if len(self._missing) == MAX_MISSING:
                        return
            if container < 0:
                return
            group = groups[container]
            step = Step(group.first, container, tuple(self._missing))
            self._add(positions[group.first].tag, step, allowed=group.limit > 1)
            member, container = (True, container), group.parent

    def _add(self, tag: str, step: Step, *, allowed: bool) -> None:
        if not allowed or self._missing:
            self.steps.setdefault(tag, step)
        elif tag not in self.allowed:
            # Before one that is only read to be told as one too many.
            self.allowed[tag] = step.target
            self.steps[tag] = step
        elif self.allowed[tag] != step.target:
            self.conflicts.add(tag)
