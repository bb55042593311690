"""Message structures as a table of steps: from each position, where each tag leads.

ISO 9735-1 (segment groups): the order is strict, a group begins with its first, mandatory segment and may be
repeated up to its count. Trying "repeat, later sibling, new repetition of an open group, later sibling of an
ancestor" in this order gives one target for each (position, tag) in the customs messages, so the walk needs
no look-ahead. Maxima are counted beside the table, so that too many (35, 36) is told from out of place (15).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec


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


class Structure(msgspec.Struct, frozen=True):
    """A compiled message structure: `steps[position][tag]`."""

    positions: tuple[Position, ...]
    groups: tuple[GroupRule, ...]
    steps: tuple[Mapping[str, Step], ...]

    def group_name(self, position: int) -> str:
        """The group a position lies in: `SG30`, or the empty string at the top level."""
        group = self.positions[position].group
        return self.groups[group].name if group >= 0 else ""

    def trigger(self, position: int) -> bool:
        """True if the position begins its group."""
        group = self.positions[position].group
        return group >= 0 and self.groups[group].first == position


def compile_structure(nested: Sequence[Any]) -> Structure:
    """Compile nested lists of `"TAG M 1"`; raises ValueError where they are not well made."""
    flat = _Flattener()
    flat.level(nested, -1)
    children = flat.children
    steps = tuple(_steps(position, flat.positions, flat.groups, children) for position in flat.positions)
    return Structure(tuple(flat.positions), tuple(flat.groups), steps)


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
                raise ValueError("a group is a list that begins with its own entry and a segment")
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
        raise ValueError(f"{text!r} is not a tag, a status and a number of repetitions")
    return words[0], words[1] == "M", int(words[2])


def _steps(
    position: Position,
    positions: list[Position],
    groups: list[GroupRule],
    children: dict[int, list[tuple[bool, int]]],
) -> dict[str, Step]:
    """Every tag that may follow `position`; steps that leave out mandatory segments come after all others."""
    steps: dict[str, Step] = {}
    if position.limit > 1:
        steps[position.tag] = Step(position.number)
    missing: list[int] = []
    member, container = (False, position.number), position.group
    while True:
        siblings = children[container]
        for is_group, index in siblings[siblings.index(member) + 1 :]:
            target = groups[index].first if is_group else index
            mandatory = groups[index].mandatory if is_group else positions[index].mandatory
            steps.setdefault(positions[target].tag, Step(target, index if is_group else -1, tuple(missing)))
            if mandatory:
                missing.append(target)
        if container < 0:
            break
        first = groups[container].first
        steps.setdefault(positions[first].tag, Step(first, container, tuple(missing)))
        member, container = (True, container), groups[container].parent
    # One too many of a segment that may occur once is read in its place and counted (35).
    steps.setdefault(position.tag, Step(position.number))
    return steps
