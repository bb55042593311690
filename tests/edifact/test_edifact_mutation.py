"""One mistake in a valid message: told once or twice, and in its place.

The messages are made from the shipped tables: every type, every release, versions 3 and 4. What a mistake
breaks is known by how it is made; whether a segment dropped, doubled or moved breaks the order is decided by
`accepts`, which matches tags against the structure by trying every way.
"""

import json
import os
import pathlib
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from tidewaiter.codecs.edifact import Directory, read_interchange, validate
from tidewaiter.codecs.edifact.directory import ComponentUse, ElementUse, MessageRule, Note, SegmentRule
from tidewaiter.codecs.finding import EdifactPointer, Finding

TABLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "directories"
# More by hand: EDIFACT_MUTATIONS=20000.
MUTATIONS = int(os.environ.get("EDIFACT_MUTATIONS", "500"))
LOCATED = 0.99
# A message of about so many segments gets no more conditional ones.
ENOUGH = 40
UPPER, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
# Elements of a composite that say whose code list is meant: where they are given, the directory's is not.
WHOSE_LIST = {"1131", "3055"}
# Service messages come in the syntax version of their directory; every other message in either.
SYNTAX_OF = {"D.3": 3, "4.1": 4}


class Piece(NamedTuple):
    """A segment as it will be written: elements of occurrences of components, its rule, and its groups."""

    rule: SegmentRule
    elements: list[list[list[str]]]
    path: str = ""

    def changed(self, element: int, occurrence: int, component: int, value: str) -> "Piece":
        """With another value in one place, each counted from 0."""
        elements = [[list(part) for part in parts] for parts in self.elements]
        elements[element][occurrence][component] = value
        return self._replace(elements=elements)

    def __str__(self) -> str:
        parts = ["*".join(":".join(part).rstrip(":") for part in parts) for parts in self.elements]
        return "+".join([self.rule.tag, *parts]).rstrip("+") + "'"


class Place(NamedTuple):
    """Where a finding may be: segments (UNH = 1), element and component (0: any)."""

    segments: set[int]
    element: int = 0
    component: int = 0
    missing: str = ""
    # The wrong value, and its occurrence where the element has several (from 1).
    value: str = ""
    occurrence: int = 0

    def has(self, finding: Finding) -> bool:
        """True if `finding` points here, or tells of the segment that is `missing`."""
        at = finding.pointer
        assert isinstance(at, EdifactPointer)
        if self.missing and finding.code == "13" and self.missing in {at.tag, finding.expected}:
            return True
        right = not self.element or at.element == self.element
        return right and at.segment in self.segments and self.component in {0, at.component or 1}


class Built(NamedTuple):
    """A message; `count` is what UNT says, `accepts` what judges its order."""

    accepts: Callable[[Sequence[Any], Sequence[str]], bool]
    name: str
    version: int
    nested: list[Any]
    pieces: list[Piece]
    count: int
    place: Place = Place(set())

    def octets(self) -> bytes:
        day = "20260504" if self.version == 4 else "260504"
        head = f"UNB+UNOC:{self.version}+A+B+{day}:1307+R'UNH+1+{self.name}'"
        body = "".join(map(str, self.pieces))
        return f"{head}{body}UNT+{self.count}+1'UNZ+1+R'".encode("latin-1")

    def fits(self, pieces: Sequence[Piece]) -> bool:
        return self.accepts(self.nested, ["UNH", *(piece.rule.tag for piece in pieces), "UNT"])


class Maker:
    """Makes one valid message, as the seed falls."""

    def __init__(self, rng: random.Random, rule: MessageRule, version: int) -> None:
        self._rng = rng
        self._rule = rule
        self._version = version
        self._sections = iter("DS")
        self.pieces: list[Piece] = []

    def level(self, members: Sequence[Any], path: str = "") -> list[Piece]:
        for member in members:
            name, status, limit = (member if isinstance(member, str) else member[0]).split()
            likely = 0.0 if len(self.pieces) > ENOUGH else 0.4 if path else 0.5
            times = 1 if status == "M" or self._rng.random() < likely else 0
            times += times and likely > 0 and self._rng.random() < 0.3
            for n in range(min(times, int(limit))):
                if not isinstance(member, str):
                    self.level(member[1:], f"{path}/{name}[{n + 1}]".strip("/"))
                elif name not in {"UNH", "UNT"}:
                    self.pieces.append(self._piece(name)._replace(path=path))
        return self.pieces

    def _piece(self, tag: str) -> Piece:
        rule = self._rule.segments[tag].for_version(self._version)
        elements: list[list[list[str]]] = []
        while not elements or not all(holds(note, elements) for note in rule.notes):
            elements = [self._element(use) for use in rule.elements]
            while elements and elements[-1] == [[""]]:
                elements.pop()
        return Piece(rule, [[[next(self._sections)]]] if tag == "UNS" else elements)

    def _element(self, use: ElementUse) -> list[list[str]]:
        if not use.mandatory and self._rng.random() < 0.6:
            return [[""]]
        return [self._composite(use.components) for _ in range(self._rng.choice([1, 1, min(use.repeat, 2)]))]

    def _composite(self, uses: Sequence[ComponentUse]) -> list[str]:
        coded = any(use.codes and use.id not in WHOSE_LIST for use in uses)
        values = [
            self._value(use)
            if use.mandatory or (self._rng.random() < 0.4 and not (coded and use.id in WHOSE_LIST))
            else ""
            for use in uses
        ]
        values = values if any(values) else [self._value(uses[0])]
        while not values[-1]:
            values.pop()
        return values

    def _value(self, use: ComponentUse) -> str:
        if use.codes:
            return self._rng.choice(sorted(use.codes))
        length = self._rng.randint(use.format.low, min(use.format.high, max(use.format.low, 8)))
        if use.format.kind == "n":
            return self._rng.choice(DIGITS[1:]) + "".join(self._rng.choices(DIGITS, k=length - 1))
        return "".join(self._rng.choices(UPPER if use.format.kind == "a" else UPPER + DIGITS, k=length))


def holds(note: Note, elements: list[list[list[str]]]) -> bool:
    """ISO 9735-1 version 4, 11.5, in each occurrence of a composite that is there."""

    def values(element: int) -> list[list[str]]:
        return elements[element - 1] if element <= len(elements) else [[""]]

    def given(part: list[str], component: int) -> bool:
        return any(part) if not component else len(part) >= component and bool(part[component - 1])

    for occurrence in values(note.within) if note.within else [None]:
        if occurrence is not None and not any(occurrence):
            continue
        there = [given(occurrence or values(p.element)[0], p.component) for p in note.places]
        first, others = there[0], there[1:]
        good = {
            "D1": sum(there) == 1,
            "D2": all(there) or not any(there),
            "D3": any(there),
            "D4": sum(there) <= 1,
            "D5": not first or all(others),
            "D6": not first or any(others),
            "D7": not first or not any(others),
        }
        if not good[note.kind]:
            return False
    return True


# One mistake each, made at random; None where the message would still be valid.


def dropped(rng: random.Random, built: Built) -> Built | None:
    n = rng.randrange(len(built.pieces))
    rest = [*built.pieces[:n], *built.pieces[n + 1 :]]
    # What is missing is told at the segment before it or after it, and by its name.
    place = Place({n + 1, n + 2}, missing=built.pieces[n].rule.tag)
    return None if built.fits(rest) else built._replace(pieces=rest, place=place)


def doubled(rng: random.Random, built: Built) -> Built | None:
    n = rng.randrange(len(built.pieces))
    more = [*built.pieces[:n], built.pieces[n], *built.pieces[n:]]
    # One too many in a row: any of the row may be called it.
    first, last = n, n + 1
    while first and more[first - 1].rule is more[n].rule:
        first -= 1
    while last + 1 < len(more) and more[last + 1].rule is more[n].rule:
        last += 1
    place = Place(set(range(first + 2, last + 3)))
    return None if built.fits(more) else built._replace(pieces=more, place=place)


def moved(rng: random.Random, built: Built) -> Built | None:
    n, to = rng.randrange(len(built.pieces)), rng.randrange(len(built.pieces))
    piece = built.pieces[n]
    rest = [*built.pieces[:n], *built.pieces[n + 1 :]]
    other = [*rest[:to], piece, *rest[to:]]
    if n == to or built.fits(other):
        return None
    # DTM LOC or LOC DTM: where the message is right without either, either may be called the one that moved;
    # so may each of two neighbours that changed places.
    places = {k + 2 for k in range(len(other)) if built.fits([*other[:k], *other[k + 1 :]])}
    places |= {n + 2, to + 2} if abs(to - n) == 1 else {to + 2}
    return built._replace(pieces=other, place=Place(places, missing=piece.rule.tag))


class Cell(NamedTuple):
    """A value with the numbers of its segment, element, occurrence and component, from 0."""

    segment: int
    element: int
    occurrence: int
    component: int


def put(built: Built, cell: Cell, value: str, *, whole: bool = False) -> Built:
    pieces = list(built.pieces)
    pieces[cell.segment] = pieces[cell.segment].changed(*cell[1:], value)
    place = Place({cell.segment + 2}, cell.element + 1, 0 if whole else cell.component + 1, value=value)
    if len(pieces[cell.segment].elements[cell.element]) > 1:
        place = place._replace(occurrence=cell.occurrence + 1)
    return built._replace(pieces=pieces, place=place)


def values(
    change: Callable[[Built, Cell, ComponentUse, str], Built | None],
) -> Callable[[random.Random, Built], Built | None]:
    """A mistake in one value: `change` gets it with its place and rule."""

    def at_random(rng: random.Random, built: Built) -> Built | None:
        n = rng.randrange(len(built.pieces))
        rule, elements, _ = built.pieces[n]
        cells = [
            Cell(n, e, o, c)
            for e, parts in enumerate(elements)
            for o, part in enumerate(parts)
            for c, value in enumerate(part)
            if value
        ]
        cell = rng.choice(cells)
        if rule.tag == "UNS":
            return None
        use = rule.elements[cell.element].components[cell.component]
        return change(built, cell, use, elements[cell.element][cell.occurrence][cell.component])

    return at_random


@values
def too_long(built: Built, cell: Cell, use: ComponentUse, value: str) -> Built | None:
    return put(built, cell, value + ("1" if use.format.kind == "n" else "X") * use.format.high)


@values
def too_short(built: Built, cell: Cell, use: ComponentUse, value: str) -> Built | None:
    return put(built, cell, value[: use.format.low - 1]) if use.format.low > 1 else None


@values
def wrong_type(built: Built, cell: Cell, use: ComponentUse, value: str) -> Built | None:
    first = {"n": "X", "a": "1"}.get(use.format.kind)
    return put(built, cell, first + value[1:]) if first else None


@values
def bad_code(built: Built, cell: Cell, use: ComponentUse, value: str) -> Built | None:
    letters = "" if use.format.kind == "n" else UPPER
    unused = [letter * use.format.high for letter in letters]
    good = next((code for code in unused if code not in (use.codes or unused)), None)
    rule, elements, _ = built.pieces[cell.segment]
    part = zip(rule.elements[cell.element].components, elements[cell.element][cell.occurrence], strict=False)
    if use.id not in WHOSE_LIST and any(given for other, given in part if other.id in WHOSE_LIST):
        return None
    return put(built, cell, good) if good else None


@values
def removed(built: Built, cell: Cell, use: ComponentUse, value: str) -> Built | None:
    """A mandatory value; the only one of an element only where that is mandatory, too."""
    rule, elements, _ = built.pieces[cell.segment]
    part = elements[cell.element][cell.occurrence]
    alone = len([other for other in part if other]) == 1
    needed = rule.elements[cell.element].mandatory and len(elements[cell.element]) == 1
    if not use.mandatory or (alone and not needed):
        return None
    changed = put(built, cell, "", whole=alone)
    return changed if all(holds(note, changed.pieces[cell.segment].elements) for note in rule.notes) else None


def miscounted(rng: random.Random, built: Built) -> Built | None:
    return built._replace(count=built.count + rng.choice([-1, 1]), place=Place({built.count}, 1, 1))


def too_many(rng: random.Random, built: Built) -> Built | None:
    n = rng.randrange(len(built.pieces))
    rule, elements, _ = built.pieces[n]
    filled = [*elements, *[[[""]]] * (len(rule.elements) - len(elements)), [["X"]]]
    pieces = [*built.pieces[:n], Piece(rule, filled), *built.pieces[n + 1 :]]
    return built._replace(pieces=pieces, place=Place({n + 2}, len(filled)))


def repeated(rng: random.Random, built: Built) -> Built | None:
    """One occurrence of an element too many."""
    n = rng.randrange(len(built.pieces))
    rule, elements, _ = built.pieces[n]
    e = rng.randrange(len(elements) or 1)
    if built.version < 4 or rule.tag == "UNS" or not elements or elements[e] == [[""]]:
        return None
    more = [*elements[e], *[elements[e][0]] * (rule.elements[e].repeat + 1 - len(elements[e]))]
    pieces = [
        *built.pieces[:n],
        Piece(rule, [*elements[:e], more, *elements[e + 1 :]]),
        *built.pieces[n + 1 :],
    ]
    return built._replace(pieces=pieces, place=Place({n + 2}, e + 1))


@values
def untied(built: Built, cell: Cell, use: ComponentUse, value: str) -> Built | None:
    """A dependency note broken by leaving out a conditional value."""
    rule, elements, _ = built.pieces[cell.segment]
    part = [other for n, other in enumerate(elements[cell.element][cell.occurrence]) if n != cell.component]
    whole = not any(part)
    if (rule.elements[cell.element].mandatory if whole else use.mandatory) or len(elements[cell.element]) > 1:
        return None
    changed = put(built, cell, "", whole=whole)
    left = changed.pieces[cell.segment].elements
    return (
        None
        if all(holds(note, left) for note in rule.notes)
        else changed._replace(place=Place({cell.segment + 2}))
    )


KINDS = [dropped, doubled, moved, too_long, too_short, wrong_type, bad_code, removed, miscounted, too_many]
KINDS += [repeated, untied]
TRIES = 10_000


def mutated(rng: random.Random, messages: list[Built], kind: int) -> Built:
    for _ in range(TRIES):
        built = KINDS[kind](rng, rng.choice(messages))
        if built is not None:
            return built
    raise AssertionError(f"no message can have mistake {kind}")


def made(directory: Directory, accepts: Callable[..., bool]) -> list[Built]:
    """Messages of every type and release held, two of each version."""
    messages = []
    for path in sorted(TABLES.glob("*.json")):
        table = json.loads(path.read_bytes())
        for kind, nested in table["messages"].items():
            version, release = table["directory"].split(".")
            rule = directory.find(kind, version, release)
            assert rule is not None
            own = SYNTAX_OF.get(table["directory"])
            for syntax in [own] if own else [3, 4]:
                for seed in range(2):
                    rng = random.Random(f"{kind}{release}{syntax}{seed}")
                    pieces = Maker(rng, rule, syntax).level(nested)
                    name = f"{kind}:{version}:{release}:UN"
                    messages.append(Built(accepts, name, syntax, nested, pieces, len(pieces) + 2))
    return messages


def found(built: Built, directory: Directory) -> tuple[Finding, ...]:
    interchange = read_interchange(built.octets())
    (message,) = interchange.messages
    return (*interchange.findings, *validate(interchange, message, directory).findings)


def points_to_the_value(built: Built, finding: Finding) -> None:
    """By its octet, its occurrence and its segment groups, and by quoting it."""
    at, value = finding.pointer, built.place.value
    assert isinstance(at, EdifactPointer)
    assert at.offset is not None
    assert built.octets()[at.offset :].startswith(value.encode("latin-1")), finding
    assert (at.repetition or 0) == built.place.occurrence, finding
    assert (at.path or "") == built.pieces[at.segment - 2].path, finding
    assert finding.value is not None
    assert value.startswith(finding.value.rstrip("\N{HORIZONTAL ELLIPSIS}"))
    assert finding.expected


@pytest.fixture(scope="module")
def messages(directory: Directory, accepts: Callable[..., bool]) -> list[Built]:
    return made(directory, accepts)


def test_a_message_without_a_mistake(messages: list[Built], directory: Directory) -> None:
    for built in messages:
        assert built.fits(built.pieces)
        assert found(built, directory) == (), built.octets()


def test_one_mistake_is_told_in_its_place(messages: list[Built], directory: Directory) -> None:
    rng = random.Random(20260504)
    wrong, astray = [], []
    for n in range(MUTATIONS):
        built = mutated(rng, messages, n % len(KINDS))
        findings = found(built, directory)
        line = f"{n % len(KINDS)} {built.place} {[str(f) for f in findings]} {built.octets()!r}"
        if not 1 <= len(findings) <= 2:
            wrong.append(line)
        elif not any(built.place.has(finding) for finding in findings):
            astray.append(line)
        elif built.place.value:
            points_to_the_value(built, next(f for f in findings if built.place.has(f)))
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:10])
    assert len(astray) <= MUTATIONS * (1 - LOCATED), f"{len(astray)}: " + "\n".join(astray[:20])


# Mistakes after which the next segments fit by chance somewhere else, in a passenger list.
PASSENGERS = ["BGM+745+L1+9", "RFF+TN:1", "TDT+20+AB12", "DTM+189:2605041200:201", "NAD+FL+++ONE", "ATT+2++M"]
PASSENGERS += ["DTM+329:700101", "NAT+2+US", "DOC+39+1", "LOC+91+US", "DOC+39+2", "LOC+91+US", "CNT+42:2"]


@pytest.mark.parametrize(
    ("gone", "to", "expected"),
    [
        (None, None, []),
        ("TDT+20+AB12", None, ["13 TDT 3"]),
        ("TDT+20+AB12", 8, ["13 TDT 3", "15 TDT 10"]),
        ("BGM+745+L1+9", 3, ["13 BGM 1", "15 BGM 5"]),
    ],
)
def test_what_fits_elsewhere_by_chance(
    directory: Directory, gone: str | None, to: int | None, expected: list[str]
) -> None:
    segments = [segment for segment in PASSENGERS if segment != gone]
    if gone is not None and to is not None:
        segments.insert(to, gone)
    body = "".join(f"{segment}'" for segment in segments)
    head = "UNB+UNOC:3+A+B+260504:1307+R'UNH+1+PAXLST:D:01B:UN'"
    interchange = read_interchange(f"{head}{body}UNT+{len(segments) + 2}+1'UNZ+1+R'".encode())
    told = []
    for finding in validate(interchange, interchange.messages[0], directory).findings:
        assert isinstance(finding.pointer, EdifactPointer)
        told.append(f"{finding.code} {finding.pointer.tag} {finding.pointer.segment}")
    assert told == expected
