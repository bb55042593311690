"""What the walk follows is in order: it says of each segment what the slow way says, which finds no fault."""

import json
import pathlib
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import Directory, Interchange, read_interchange
from tidewaiter.codecs.edifact.disorder import Disorder
from tidewaiter.codecs.edifact.place import Locator
from tidewaiter.codecs.edifact.report import Report
from tidewaiter.codecs.edifact.structure import Structure, compile_structure
from tidewaiter.codecs.edifact.walk import NOT_PLACED, Walker, group_paths, walker
from tidewaiter.codecs.finding import Finding

Accepts = Callable[[Sequence[Any], Sequence[str]], bool]

TABLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "directories"
NESTED: dict[tuple[str, str], list[Any]] = {
    (table["directory"], kind): nested
    for table in (json.loads(path.read_bytes()) for path in sorted(TABLES.glob("*.json")))
    for kind, nested in table["messages"].items()
}
MESSAGES = sorted(NESTED)
ANY = st.sampled_from(MESSAGES)
# A message of about so many segments gets no more conditional ones.
ENOUGH = 60


class Walk:
    """A valid message as the chance falls: its tags, and the groups each segment lies in."""

    def __init__(self, seed: int, nested: Sequence[Any]) -> None:
        self._rng = random.Random(seed)
        self._most = self._rng.random() < 0.1
        self.tags: list[str] = []
        self.paths: list[str] = []
        self._level(nested, "")

    def _level(self, members: Sequence[Any], path: str) -> None:
        for member in members:
            name, status, limit = (member if isinstance(member, str) else member[0]).split()
            for n in range(1, self._times(status, int(limit)) + 1):
                if isinstance(member, str):
                    self.tags.append(name)
                    self.paths.append(path.strip("/"))
                else:
                    self._level(member[1:], f"{path}/{name}[{n}]")

    def _times(self, status: str, limit: int) -> int:
        rng, least = self._rng, int(status == "M")
        if len(self.tags) > ENOUGH:
            return least
        most = limit if self._most and limit < 12 else min(limit, 2)
        return most if most and self._most else rng.choice([least, least, most, rng.randint(least, most)])


def message_of(tags: Sequence[str]) -> Interchange:
    """A message of these segments, each without elements but UNS, which says where it stands."""
    sections = iter("DSSSSSSS")
    lines = [f"UNS+{next(sections, 'S')}'" if tag == "UNS" else f"{tag}+1'" for tag in tags[1:-1]]
    head = "UNB+UNOC:3+A+B+260504:1307+R'UNH+1+XXXXXX:D:96B:UN'"
    return read_interchange(f"{head}{''.join(lines)}UNT+{len(tags)}+1'UNZ+1+R'".encode())


def slowly(structure: Structure, tags: Sequence[str]) -> tuple[list[int], tuple[Finding, ...]]:
    """The positions and faults that `disorder` gives."""
    interchange = message_of(tags)
    (message,) = interchange.messages
    assert [segment.tag for segment in message.segments] == list(tags)
    disorder, report = Disorder(structure, message), Report()
    positions = disorder.run()
    disorder.tell(Locator(interchange, message), report)
    return list(positions), report.findings()


def structure_of(directory: Directory, key: tuple[str, str]) -> Structure:
    rule = directory.find(key[1], *key[0].split("."))
    assert rule is not None
    assert rule.directory == key[0]
    return rule.structure


@settings(max_examples=60, deadline=None)
@given(key=ANY, seed=st.integers(0, 2**32))
def test_a_message_in_order(directory: Directory, key: tuple[str, str], seed: int) -> None:
    structure, walk = structure_of(directory, key), Walk(seed, NESTED[key])
    positions = walker(structure).follow(walk.tags)
    assert positions is not None
    assert slowly(structure, walk.tags) == (positions, ())
    assert [structure.positions[position].tag for position in positions] == walk.tags
    assert group_paths(structure, positions) == walk.paths


def spoiled(seed: int, tags: list[str]) -> list[str]:
    """One or two segments dropped, doubled, moved, put in or cut off."""
    rng = random.Random(seed)
    tags, others = list(tags), sorted({*tags[1:-1], "BGM", "XXX", "UNS"})
    for _ in range(rng.choice([1, 1, 2])):
        at, way = rng.randrange(1, len(tags)), rng.randrange(5)
        if way == 0 and at < len(tags) - 1:
            del tags[at]
        elif way == 1 and at < len(tags) - 1:
            tags.insert(at, tags[at])
        elif way == 2 and at < len(tags) - 1:
            tags.insert(rng.randrange(1, len(tags) - 1), tags.pop(at))
        elif way == 3:
            tags.insert(at, rng.choice(others))
        else:
            tags[at:at] = [tags[at - 1]] * rng.choice([9, 10, 99]) * (at > 1)
    return tags


@settings(max_examples=120, deadline=None)
@given(key=ANY, seed=st.integers(0, 2**32))
def test_a_message_that_may_not_be_in_order(
    directory: Directory, accepts: Accepts, key: tuple[str, str], seed: int
) -> None:
    structure = structure_of(directory, key)
    tags = spoiled(seed, Walk(seed, NESTED[key]).tags)
    positions = walker(structure).follow(tags)
    assert (positions is not None) is accepts(NESTED[key], tags)
    found, faults = slowly(structure, tags)
    if positions is None:
        assert faults
    else:
        assert (found, faults) == (positions, ())


@pytest.mark.parametrize("key", MESSAGES, ids=" ".join)
def test_the_shortest_message_there_can_be(directory: Directory, key: tuple[str, str]) -> None:
    class Least(Walk):
        def _times(self, status: str, limit: int) -> int:
            return int(status == "M")

    tags = Least(0, NESTED[key]).tags
    follow = walker(structure_of(directory, key)).follow
    assert follow(tags) is not None
    for n in range(len(tags)):
        assert follow(tags[:n]) is None
        assert follow(tags[n + 1 :]) is None


SMALL = compile_structure(
    ["UNH M 1", "AAA C 2", ["SG1 C 2", "BBB M 1", "CCC C 2", ["SG2 C 2", "DDD M 1", "EEE C 1"]], "UNT M 1"]
)


@pytest.mark.parametrize(
    ("tags", "positions"),
    [
        ("UNH UNT", [0, 6]),
        ("UNH AAA AAA UNT", [0, 1, 1, 6]),
        ("UNH AAA AAA AAA UNT", None),
        ("UNH BBB BBB UNT", [0, 2, 2, 6]),
        ("UNH BBB BBB BBB UNT", None),
        # What is inside a group begins anew with it.
        ("UNH BBB CCC CCC BBB CCC CCC UNT", [0, 2, 3, 3, 2, 3, 3, 6]),
        ("UNH BBB CCC CCC CCC UNT", None),
        ("UNH BBB DDD DDD BBB DDD DDD UNT", [0, 2, 4, 4, 2, 4, 4, 6]),
        ("UNH BBB DDD DDD DDD UNT", None),
        ("UNH BBB DDD EEE DDD EEE UNT", [0, 2, 4, 5, 4, 5, 6]),
        ("UNH BBB DDD EEE EEE UNT", None),
        ("UNH CCC UNT", None),
        ("UNH DDD UNT", None),
        ("UNH BBB AAA UNT", None),
        ("UNH XXX UNT", None),
        ("UNH", None),
        ("UNH AAA", None),
        ("UNH UNT UNT", None),
        ("AAA UNT", None),
        ("", None),
    ],
)
def test_a_small_structure(tags: str, positions: list[int] | None) -> None:
    assert Walker(SMALL).follow(tags.split()) == positions


def test_the_groups_of_each_segment() -> None:
    positions = [0, 1, 2, 3, 2, 4, 5, 4, 6]
    expected = ["", "", "SG1[1]", "SG1[1]", "SG1[2]", "SG1[2]/SG2[1]", "SG1[2]/SG2[1]", "SG1[2]/SG2[2]", ""]
    assert group_paths(SMALL, positions) == expected


def test_the_groups_of_a_segment_without_a_place_are_those_before_it() -> None:
    assert group_paths(SMALL, [0, NOT_PLACED, 2, NOT_PLACED, 6]) == ["", "", "SG1[1]", "SG1[1]", ""]
    assert group_paths(SMALL, [NOT_PLACED]) == [""]


def test_the_members_of_a_group_that_lacks_its_first_segment_lie_in_it() -> None:
    assert group_paths(SMALL, [0, 3, 6]) == ["", "SG1[1]", ""]


def test_sections_are_known_where_there_are_two() -> None:
    two = compile_structure(["UNH M 1", "UNS M 1", "AAA C 1", "UNS M 1", "UNT M 1"])
    one = compile_structure(["UNH M 1", "UNS M 1", "AAA C 1", "UNT M 1"])
    assert Walker(two).sections == {1: "D", 3: "S"}
    assert Walker(one).sections == {}
    assert walker(two) is walker(two)
