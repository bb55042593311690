"""From each position, where each tag leads: what is allowed, what only tells a fault, and conflicts."""

from typing import Any

import pytest

from tidewaiter.codecs.edifact import Directory
from tidewaiter.codecs.edifact.structure import MAX_MISSING, Step, Structure, compile_structure

NESTED: list[Any] = [
    "UNH M 1",
    "BGM M 1",
    "DTM C 2",
    ["SG1 C 9", "RFF M 1", "DTM C 1", ["SG2 C 1", "CTA M 1", "COM C 3"]],
    "UNS M 1",
    "UNT M 1",
]


def allowed(structure: Structure, position: int) -> dict[str, int]:
    """Counted again from the structure alone, by the definition: repeat, later sibling, new repetition of an
    open group, later sibling of an ancestor, stop at the first mandatory."""
    positions, groups = structure.positions, structure.groups
    here = positions[position]
    found = {here.tag: position} if here.limit > 1 else {}
    inner = here.group
    at = position
    while True:
        last = groups[inner].last if inner >= 0 else len(positions) - 1
        while at < last:
            at += 1
            after = positions[at]
            if after.group == inner:
                found.setdefault(after.tag, at)
                if after.mandatory:
                    return found
            else:
                nested = next(g for g in groups if g.first == at and g.parent == inner)
                found.setdefault(after.tag, at)
                if nested.mandatory:
                    return found
                at = nested.last
        if inner < 0:
            return found
        group = groups[inner]
        if group.limit > 1:
            found.setdefault(positions[group.first].tag, group.first)
        at, inner = group.last, group.parent


def test_the_transitions_of_every_message_shipped(directory: Directory) -> None:
    for type_, release in directory.names():
        rule = directory.find(type_, *release.split("."))
        assert rule is not None
        structure = rule.structure
        counted = [allowed(structure, number) for number in range(len(structure.positions))]
        assert structure.transitions == sum(map(len, counted)), (type_, release)
        for steps, wanted in zip(structure.steps, counted, strict=True):
            assert {tag: steps[tag].target for tag in wanted} == wanted
            assert all(not steps[tag].missing for tag in wanted)


def test_steps_in_their_order() -> None:
    structure = compile_structure(NESTED)
    tags = [position.tag for position in structure.positions]
    assert tags == ["UNH", "BGM", "DTM", "RFF", "DTM", "CTA", "COM", "UNS", "UNT"]
    assert structure.transitions == 1 + 3 + 3 + 4 + 3 + 3 + 3 + 1
    communication = structure.steps[6]
    assert communication["COM"] == Step(6)
    assert communication["RFF"] == Step(3, 0)
    assert communication["UNS"] == Step(7)
    assert communication["UNT"] == Step(8, -1, (7,))
    assert structure.conflicts == ()


def test_one_too_many_is_read_where_it_stands() -> None:
    """It is counted there (35, 36); the steps allowed go before."""
    structure = compile_structure(NESTED)
    assert structure.steps[1]["BGM"] == Step(1)
    assert structure.steps[4]["DTM"] == Step(4)
    assert structure.steps[5]["CTA"] == Step(5, 1)
    outer = compile_structure(["UNH M 1", ["SG1 C 1", "RFF M 1"], "RFF C 9", "UNT M 1"])
    assert outer.steps[1]["RFF"] == Step(2), "not the group again, which may occur once"


@pytest.mark.parametrize(
    ("nested", "conflicts"),
    [
        (["UNH M 1", "FTX C 1", "FTX C 1", "UNT M 1"], ((0, "FTX"),)),
        (["UNH M 1", "FTX C 9", "FTX C 1", "UNT M 1"], ((0, "FTX"), (1, "FTX"))),
        (
            ["UNH M 1", ["SG1 C 9", "RFF M 1", "DTM C 1"], "RFF C 1", "UNT M 1"],
            ((0, "RFF"), (1, "RFF"), (2, "RFF")),
        ),
        (["UNH M 1", "FTX C 1", "BGM M 1", "FTX C 1", "UNT M 1"], ()),
    ],
)
def test_two_places_for_one_tag(nested: list[Any], conflicts: tuple[tuple[int, str], ...]) -> None:
    structure = compile_structure(nested)
    assert structure.conflicts == conflicts
    for position, tag in conflicts:
        assert structure.positions[structure.steps[position][tag].target].number <= 1, "the first is taken"


def test_what_may_be_left_out_is_bounded() -> None:
    tags = [f"A{number:02}" for number in range(2 * MAX_MISSING)]
    structure = compile_structure([f"{tag} M 1" for tag in tags])
    steps = structure.steps[0]
    assert len(steps) == MAX_MISSING + 1
    assert max(len(step.missing) for step in steps.values()) == MAX_MISSING - 1
    assert structure.transitions == len(tags) - 1
