"""A message whose structure is in order, at the price of one look into a table for each segment.

Whatever is not in order is left to `disorder`, which says what it is.
"""

import functools
from collections.abc import Sequence

from .structure import Step, Structure

# The position of a segment that has no place in the structure.
NOT_PLACED = -1
# UNS 0081: D before the detail section, S before the summary (UNTDID 0081).
SECTIONS = ("D", "S")


# The moves from one position, by tag: the position and the moves it leads to, the group it opens (-1: none),
# how often it may be made (0: no matter), and the groups inside the opened one, which begin anew.
_Moves = dict[str, tuple[int, "_Moves", int, int, tuple[int, ...]]]


class Walker:
    """The moves of one structure that neither leave out what is mandatory nor repeat what may not be."""

    def __init__(self, structure: Structure) -> None:
        self._first = structure.positions[0].tag
        self._last = len(structure.positions) - 1
        self._groups = len(structure.groups)
        places = [position.number for position in structure.positions if position.tag == "UNS"]
        # By position of UNS, what it says there.
        self.sections = dict(zip(places, SECTIONS, strict=True)) if len(places) == len(SECTIONS) else {}
        rows: list[_Moves] = [{} for _ in structure.positions]
        for number, steps in enumerate(structure.steps):
            for tag, step in steps.items():
                if not step.missing:
                    rows[number][tag] = (step.target, rows[step.target], *_bounds(structure, number, step))
        self._start = rows[0]

    def follow(self, tags: Sequence[str]) -> list[int] | None:
        """The position of each segment of a whole message; None where something is not in order."""
        if not tags or tags[0] != self._first:
            return None
        counts, positions, moves, position = [0] * self._groups, [0], self._start, 0
        # How many in a row, and at which segment that was.
        run, at = 1, 0
        place = positions.append
        try:
            for tag in tags[1:]:
                position, moves, opened, limit, inner = moves[tag]
                if limit:
                    if opened < 0:
                        run = run + 1 if at == len(positions) - 1 else 2
                        at = len(positions)
                        if run > limit:
                            return None
                    else:
                        counts[opened] += 1
                        if counts[opened] > limit:
                            return None
                        for group in inner:
                            counts[group] = 0
                place(position)
        except KeyError:
            return None
        return positions if position == self._last else None


def _bounds(structure: Structure, number: int, step: Step) -> tuple[int, int, tuple[int, ...]]:
    """The group a step opens, how often it may be made, and the groups it begins anew."""
    if step.opened >= 0:
        group = structure.groups[step.opened]
        return step.opened, group.limit, tuple(range(group.number + 1, group.last_group + 1))
    return -1, structure.positions[number].limit if step.target == number else 0, ()


@functools.lru_cache(maxsize=256)
def walker(structure: Structure) -> Walker:
    """The moves of a structure."""
    return Walker(structure)


def group_paths(structure: Structure, positions: Sequence[int]) -> list[str]:
    """The segment groups each segment lies in, with the repetition of each: `SG30[2]/SG31[1]`.

    A segment that has no place is told with the groups of the one before it.
    """
    counts = [0] * len(structure.groups)
    paths: list[str] = []
    for position in positions:
        if position == NOT_PLACED:
            paths.append(paths[-1] if paths else "")
            continue
        group = structure.positions[position].group
        if structure.trigger(position):
            counts[group] += 1
            for inner in range(group + 1, structure.groups[group].last_group + 1):
                counts[inner] = 0
        steps = []
        while group >= 0:
            # A group of which the first segment is missing was not counted.
            steps.append(f"{structure.groups[group].name}[{counts[group] or 1}]")
            group = structure.groups[group].parent
        paths.append("/".join(reversed(steps)))
    return paths
