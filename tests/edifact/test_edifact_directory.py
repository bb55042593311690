"""Tables of facts to rules, and the steps from each position of a message."""

import functools
import json
import pathlib
from typing import Any

import pytest

from tidewaiter.codecs.edifact import Directory
from tidewaiter.codecs.edifact import directory as module
from tidewaiter.codecs.edifact.directory import DirectoryError, MessageRule, Note, Place
from tidewaiter.codecs.edifact.structure import Structure

TABLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "directories"
SMALL: dict[str, Any] = {
    "directory": "D.96B",
    "elements": {"1001": "an..3", "1154": "an..35", "6066": "n..18", "0081": "a1"},
    "composites": {"C002": "C:1001 C:1154"},
    "segments": {"UNH": "M:1001", "BGM": "C:C002 C:1001", "RFF": "M:1154", "UNS": "M:0081", "UNT": "M:6066"},
    "messages": {"TESTER": ["UNH M 1", "BGM M 1", ["SG1 C 9", "RFF M 1"], "UNS M 1", "UNT M 1"]},
}


def load(**changes: Any) -> Directory:
    return Directory.load(json.dumps(SMALL | changes).encode())


def rule_of(directory: Directory) -> MessageRule:
    rule = directory.find("TESTER", "D", "96B")
    assert rule is not None
    return rule


def shipped(directory: Directory, name: str) -> Structure:
    rule = directory.find(name, "D", "3" if name == "CONTRL" else "96B")
    assert rule is not None
    return rule.structure


def test_what_a_table_says() -> None:
    rule = rule_of(load())
    assert rule.covers("D", "96B")
    assert not rule.covers("D", "99B")
    bgm = rule.segments["BGM"]
    assert [(use.id, use.mandatory) for use in bgm.elements] == [("C002", False), ("1001", False)]
    assert [str(part.format) for part in bgm.elements[0].components] == ["an..3", "an..35"]
    fixed = rule.segments["UNS"].elements[0].components[0].format
    assert (fixed.kind, fixed.low, fixed.high, str(fixed)) == ("a", 1, 1, "a1")


@pytest.mark.parametrize(
    "changes",
    [
        {"elements": {"1001": "text"}},
        {"composites": {"C002": "C:9999"}},
        {"composites": {"C002": "Q:1001"}},
        {"composites": {"C002": "C"}},
        {"segments": {"UNH": "M:1001"}},
        {"segments": SMALL["segments"] | {"BGM": "C:C002*0"}},
        {"composites": SMALL["composites"] | {"C002": "C:1001*2"}},
        {"notes": {"BGM": ["D8 1 2"]}},
        {"notes": {"BGM": ["D1 1"]}},
        {"notes": {"BGM": ["D1 1 3"]}},
        {"notes": {"BGM": ["D1 1.3 2"]}},
        {"notes": {"C002": ["D1 1 3"]}},
        {"notes": {"C002": ["D1 1.1 2"]}},
        {"messages": {"TESTER": []}},
        {"messages": {"TESTER": ["UNH M"]}},
        {"messages": {"TESTER": ["UNH X 1"]}},
        {"messages": {"TESTER": [["SG1 C 1"]]}},
        {"messages": {"TESTER": [["SG1 C 1", ["SG2 C 1", "RFF M 1"]]]}},
        {"messages": {"TESTER": [7]}},
        {"messages": "none"},
    ],
)
def test_a_table_that_is_not_well_made_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DirectoryError):
        load(**changes).check()


def held(*releases: str, **changes: Any) -> Directory:
    """SMALL, of each of these releases."""
    tables = [SMALL | changes | {"directory": release} for release in releases]
    return Directory.load(*(json.dumps(table).encode() for table in tables))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("D.96B", "D.96B"),
        ("S.96B", "D.96B"),
        ("D.97A", "D.96B"),
        ("D.01A", "D.96B"),
        ("D.01B", "D.01B"),
        ("D.20A", "D.19B"),
        ("D.93A", "D.96B"),
        ("D.", "D.96B"),
        ("1.911", "D.96B"),
        ("4.1", "4.1"),
        ("4.7", "4.1"),
    ],
)
def test_the_release_that_is_nearest(asked: str, found: str) -> None:
    directory = held("D.19B", "D.96B", "4.1", "D.01B")
    assert directory.releases() == ["4.1", "D.96B", "D.01B", "D.19B"]
    rule = directory.find("TESTER", *asked.split("."))
    assert rule is not None
    assert rule.directory == found
    assert rule.covers(*asked.split(".")) == (asked == found)


def test_other_names_of_a_release() -> None:
    directory = held("D.96B", "D.99B", also=["2.2"])
    rule = directory.find("TESTER", "2", "2")
    assert rule is not None
    assert rule.covers("2", "2")


def test_a_release_that_lacks_the_message_is_passed_over() -> None:
    tables = [SMALL, SMALL | {"directory": "D.01B", "messages": {}}]
    directory = Directory.load(*(json.dumps(table).encode() for table in tables))
    rule = directory.find("TESTER", "D", "01B")
    assert rule is not None
    assert rule.directory == "D.96B"
    assert directory.find("ORDERS", "D", "01B") is None
    assert directory.names() == [("TESTER", "D.96B")]


def test_a_message_of_another_agency_is_another_message() -> None:
    directory = held("D.96B")
    assert directory.find("TESTER", "D", "96B", "UN") is directory.find("TESTER", "D", "96B", "")
    assert directory.find("TESTER", "D", "96B", "IA") is None


def test_of_one_release_the_later_table_is_asked_first() -> None:
    other = SMALL | {"messages": {"OTHERS": SMALL["messages"]["TESTER"]}}
    newer = SMALL | {"elements": SMALL["elements"] | {"1001": "an..9"}}
    directory = Directory.load(*(json.dumps(table).encode() for table in (SMALL, other, newer)))
    assert directory.names() == [("OTHERS", "D.96B"), ("TESTER", "D.96B")]
    rule = directory.find("TESTER", "D", "96B")
    assert rule is not None
    assert rule.segments["UNH"].elements[0].components[0].format.high == 9


def test_nothing_is_read_before_it_is_asked_for() -> None:
    read: list[str] = []

    def table(name: str) -> bytes:
        read.append(name)
        return json.dumps(SMALL | {"directory": name}).encode()

    names = ("D.96B", "D.01B")
    directory = Directory([(name, functools.partial(table, name)) for name in names])
    assert directory.releases() == ["D.96B", "D.01B"]
    assert read == []
    rule = directory.find("TESTER", "D", "01B")
    assert read == ["D.01B"]
    assert directory.find("TESTER", "D", "01B") is rule
    directory.find("TESTER", "D", "98A")
    assert sorted(read) == ["D.01B", "D.96B"]


def test_a_table_under_another_name_is_refused() -> None:
    directory = Directory([("D.99B", json.dumps(SMALL).encode)])
    with pytest.raises(DirectoryError, match=r"D\.99B says it is of D\.96B"):
        directory.check()
    with pytest.raises(DirectoryError, match=r"the table of D\.99B: not a directory table"):
        Directory([("D.99B", b"{".__bytes__)]).names()


def test_what_senders_think_of_is_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
    directory = held("D.96B")
    rules = {id(directory.find("TESTER", "D", str(number))) for number in range(9)}
    assert len(rules) == 1
    assert len(directory._found) == 3


def test_the_service_segments_of_each_version(directory: Directory) -> None:
    older, newer = directory.service(3), directory.service(4)
    assert older is directory.service(1)
    envelope = {"UNB", "UNZ", "UNG", "UNE", "UNH", "UNT", "UNS"}
    assert envelope <= older.keys() & newer.keys()
    assert {
        "UNO",
        "UNP",
        "UGH",
        "UGT",
        "USH",
        "USA",
        "USC",
        "USR",
        "UST",
        "USB",
        "USX",
        "USY",
    } <= newer.keys()
    assert str(older["UNB"].elements[3].components[0].format) == "n6"
    assert str(newer["UNB"].elements[3].components[0].format) == "n8"
    assert [use.id for use in newer["UNH"].elements] == [
        "0062",
        "S009",
        "0068",
        "S010",
        "S016",
        "S017",
        "S018",
    ]
    assert len(older["UNH"].elements) == 4
    assert newer["UNO"].elements[1].repeat == 99
    assert not Directory.load().service(4)


def test_a_message_takes_the_header_of_its_syntax_version(directory: Directory) -> None:
    for type_, version, release in (("CUSDEC", "D", "96B"), ("CONTRL", "D", "3"), ("CONTRL", "4", "1")):
        rule = directory.find(type_, version, release)
        assert rule is not None
        assert rule.segments["UNH"].for_version(3) == directory.service(3)["UNH"]
        assert rule.segments["UNH"].for_version(4).elements == directory.service(4)["UNH"].elements


def test_the_notes_of_contrl(directory: Directory) -> None:
    rule = directory.find("CONTRL", "4", "1")
    assert rule is not None
    interchange = rule.segments["UCI"]
    assert [use.id for use in interchange.elements][4:] == ["0085", "0135", "S011", "0534", "0138"]
    assert interchange.notes == (
        Note("D5", (Place(6), Place(5))),
        Note("D5", (Place(7), Place(6), Place(5))),
        Note("D5", (Place(8), Place(6), Place(5), Place(9))),
        Note("D5", (Place(9), Place(8), Place(6), Place(5))),
        Note("D4", (Place(7, 2), Place(7, 3)), 7),
    )
    assert Note("D1", (Place(1), Place(7))) in rule.segments["UCM"].notes
    older = directory.find("CONTRL", "2", "2")
    assert older is not None
    assert older.directory == "D.3"
    assert older.segments["UCI"].notes == ()


def test_every_table_shipped_is_well_made_and_holds_nothing_unused(directory: Directory) -> None:
    directory.check()
    for file in sorted(TABLES.glob("*.json")):
        table = json.loads(file.read_bytes())
        assert file.stem == table["directory"].lower()
        listed = " ".join([*table["segments"].values(), *table["composites"].values()])
        used = {word[2:].partition("*")[0] for word in listed.split()}
        assert used == table["elements"].keys() | table["composites"].keys()
        assert table["codes"].keys() <= table["elements"].keys()
        for id_, values in table["codes"].items():
            high = int(table["elements"][id_].lstrip("an."))
            assert all(len(value) <= high for value in values.split()), id_
            assert len(set(values.split())) == len(values.split()), id_


def test_elements_that_repeat_and_codes() -> None:
    rule = load(segments=SMALL["segments"] | {"BGM": "M:1001*3 C:C002"}, codes={"1001": "1 22 AAA"}).find(
        "TESTER", "D", "96B"
    )
    assert rule is not None
    bgm = rule.segments["BGM"]
    assert [(use.id, use.mandatory, use.repeat) for use in bgm.elements] == [
        ("1001", True, 3),
        ("C002", False, 1),
    ]
    assert bgm.elements[0].components[0].codes == {"1", "22", "AAA"}
    assert bgm.elements[1].components[1].codes is None
    assert bgm.for_version(4) is bgm
    in_a_row = [(use.id, use.mandatory, use.repeat) for use in bgm.for_version(3).elements]
    assert in_a_row == [("1001", True, 1), ("1001", False, 1), ("1001", False, 1), ("C002", False, 1)]
    assert bgm.for_version(1) is bgm.for_version(3)
    rff = rule.segments["RFF"]
    assert rff.for_version(3) is rff


def test_dependency_notes_of_a_segment_and_of_a_composite() -> None:
    directory = load(
        segments=SMALL["segments"] | {"BGM": "C:1001*2 C:C002 C:1154"},
        notes={"BGM": ["D5 2 1 3", "D4 2.2 3"], "C002": ["D1 1 2"]},
    )
    rule = directory.find("TESTER", "D", "96B")
    assert rule is not None
    bgm = rule.segments["BGM"]
    first, second = Place(2, 1), Place(2, 2)
    assert bgm.notes == (
        Note("D5", (Place(2), Place(1), Place(3))),
        Note("D4", (second, Place(3))),
        Note("D1", (first, second), 2),
    )
    assert bgm.for_version(3).notes == (
        Note("D5", (Place(3), Place(1), Place(4))),
        Note("D4", (Place(3, 2), Place(4))),
        Note("D1", (Place(3, 1), Place(3, 2)), 3),
    )


def test_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not a directory table"):
        Directory.load(b"{")


def test_a_later_table_replaces_an_earlier_one() -> None:
    other = SMALL | {"directory": "D.99B"}
    found = Directory.load(json.dumps(SMALL).encode(), json.dumps(other).encode())
    assert found.names() == [("TESTER", "D.96B"), ("TESTER", "D.99B")]


# Positions, groups and transitions of each.
SHIPPED = {
    ("APERAK", "D.01B"): (17, 5, 81),
    ("APERAK", "D.03A"): (17, 5, 81),
    ("APERAK", "D.19B"): (17, 5, 81),
    ("APERAK", "D.96B"): (15, 4, 63),
    ("APERAK", "D.99B"): (17, 5, 81),
    ("AUTACK", "4.1"): (12, 4, 32),
    ("CONTRL", "4.1"): (10, 5, 35),
    ("CONTRL", "D.3"): (10, 5, 35),
    ("CUSCAR", "D.01B"): (72, 17, 623),
    ("CUSCAR", "D.03A"): (72, 17, 623),
    ("CUSCAR", "D.19B"): (72, 17, 623),
    ("CUSCAR", "D.96B"): (64, 17, 512),
    ("CUSCAR", "D.99B"): (72, 17, 623),
    ("CUSDEC", "D.01B"): (153, 50, 1396),
    ("CUSDEC", "D.03A"): (153, 50, 1396),
    ("CUSDEC", "D.19B"): (165, 52, 1563),
    ("CUSDEC", "D.96B"): (151, 50, 1354),
    ("CUSDEC", "D.99B"): (153, 50, 1396),
    ("CUSEXP", "D.01B"): (49, 17, 328),
    ("CUSEXP", "D.03A"): (49, 17, 328),
    ("CUSEXP", "D.19B"): (49, 17, 328),
    ("CUSEXP", "D.96B"): (49, 17, 328),
    ("CUSEXP", "D.99B"): (49, 17, 328),
    ("CUSREP", "D.01B"): (44, 11, 365),
    ("CUSREP", "D.03A"): (44, 11, 365),
    ("CUSREP", "D.19B"): (49, 12, 443),
    ("CUSREP", "D.96B"): (34, 11, 251),
    ("CUSREP", "D.99B"): (44, 11, 365),
    ("CUSRES", "D.01B"): (55, 14, 535),
    ("CUSRES", "D.03A"): (56, 15, 545),
    ("CUSRES", "D.19B"): (56, 15, 545),
    ("CUSRES", "D.96B"): (52, 13, 493),
    ("CUSRES", "D.99B"): (55, 14, 535),
    ("GOVCBR", "D.19B"): (1138, 309, 16167),
    ("PAXLST", "D.01B"): (36, 7, 274),
    ("PAXLST", "D.03A"): (37, 7, 292),
    ("PAXLST", "D.19B"): (38, 7, 305),
    ("PAXLST", "D.96B"): (31, 6, 203),
    ("PAXLST", "D.99B"): (36, 7, 274),
}


def test_the_messages_shipped(directory: Directory) -> None:
    sizes = {}
    for name, release in directory.names():
        rule = directory.find(name, *release.split("."))
        assert rule is not None
        assert rule.directory == release
        assert rule.structure.conflicts == ()
        sizes[name, release] = (
            len(rule.structure.positions),
            len(rule.structure.groups),
            rule.structure.transitions,
        )
    assert sizes == SHIPPED


@pytest.mark.parametrize("name", ["CUSDEC", "CUSRES", "CONTRL"])
def test_every_position_can_be_reached_and_left(directory: Directory, name: str) -> None:
    structure = shipped(directory, name)
    free = [{step.target for step in steps.values() if not step.missing} for steps in structure.steps]
    reached = {0}
    work = [0]
    while work:
        for target in free[work.pop()] - reached:
            reached.add(target)
            work.append(target)
    assert reached == set(range(len(structure.positions)))
    last = len(structure.positions) - 1
    assert all(steps["UNT"].target == last for steps in structure.steps)


def test_groups_nest_as_their_positions_do(directory: Directory) -> None:
    structure = shipped(directory, "CUSDEC")
    for group in structure.groups:
        assert structure.positions[group.first].mandatory
        if group.parent >= 0:
            outer = structure.groups[group.parent]
            assert outer.first < group.first <= group.last <= outer.last
    item = next(group for group in structure.groups if group.name == "SG30")
    assert (item.limit, structure.positions[item.first].tag) == (9999, "CST")


def test_steps_follow_repeat_sibling_group_ancestor(directory: Directory) -> None:
    structure = shipped(directory, "CUSDEC")
    tags = [(structure.group_name(p.number), p.tag) for p in structure.positions]
    package = structure.steps[tags.index(("SG32", "PCI"))]
    targets = {tag: tags[step.target] for tag, step in package.items() if not step.missing}
    assert targets["FTX"] == ("SG32", "FTX")
    assert targets["PCI"] == ("SG32", "PCI")
    assert targets["PAC"] == ("SG31", "PAC")
    assert targets["MOA"] == ("SG33", "MOA")
    assert targets["CST"] == ("SG30", "CST")
    assert targets["UNS"] == ("", "UNS")
