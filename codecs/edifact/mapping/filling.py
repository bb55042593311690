"""A validated message through the rules: every placed segment goes to the node its group belongs to."""

import functools

from ...finding import Severity
from ..interchange import Message
from ..structure import Structure
from ..validation import Validated
from ..walk import NOT_PLACED
from .reading import NOT_TAKEN, Reading
from .rules import Table, find_rule
from .tree import Draft

# Structures in use at a time: one for each release of CUSDEC and CUSRES.
MAX_STRUCTURES = 64
# The message's own segments: they carry no content.
_SERVICE = frozenset({"UNH", "UNS", "UNT"})


class _Scope:
    """An open segment group: the node it fills and the rules for what is inside."""

    __slots__ = ("draft", "rules")

    def __init__(self, draft: Draft, rules: Table) -> None:
        self.draft = draft
        self.rules = rules


def apply(message: Message, validated: Validated, rules: Table, root: Draft, reading: Reading) -> None:
    """Fill `root` from the segments of `message` that have a place; what no rule takes is told (INFO)."""
    assert validated.rule is not None
    places = _places(validated.rule.structure)
    scopes: dict[int, _Scope | None] = {-1: _Scope(root, rules)}
    for segment, position in zip(message.segments, validated.positions, strict=True):
        if position == NOT_PLACED or segment.tag in _SERVICE:
            continue
        group, opens, outer, name = places[position]
        scope = scopes.get(outer)
        if scope is None:
            if opens:
                scopes[group] = None
            continue
        rule = find_rule(scope.rules, name, segment)
        root.trail.segment = segment
        if rule is None or not rule.takes(segment):
            text = "read, but the declaration has no field for it"
            reading.report.add(
                NOT_TAKEN,
                text,
                reading.point(segment),
                value=segment.value(1) or None,
                severity=Severity.INFO,
            )
            if opens:
                scopes[group] = None
            continue
        draft = rule.read(segment, scope.draft, reading)
        if opens:
            scopes[group] = _Scope(draft, rule.table)


@functools.lru_cache(maxsize=MAX_STRUCTURES)
def _places(structure: Structure) -> tuple[tuple[int, bool, int, str], ...]:
    """Of each position its group, whether it opens it, the group whose node it is read into, and the name."""
    found = []
    for position in structure.positions:
        opens = structure.trigger(position.number)
        outer = structure.groups[position.group].parent if opens else position.group
        found.append((position.group, opens, outer, structure.group_name(position.number)))
    return tuple(found)
