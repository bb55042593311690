"""The published archives, each against a second reading that shares nothing with the first.

Section 4.1 of a message names its segments and groups in order, and with each group its members; the lines
that the compiler follows are not looked at.
"""

import functools
import io
import pathlib
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tidewaiter.codecs.edifact import Directory
from tidewaiter.codecs.edifact.structure import compile_structure
from tidewaiter.codecs.edifact.unece import Compiled, archive, compile_archive

RULE = "-" * 20
ARCHIVES = {
    "d96b": ("D.96B", 136, ("DELJIT", "INVRPT")),
    "d99b": ("D.99B", 180, ()),
    "d01b": ("D.01B", 194, ()),
    "d03a": ("D.03A", 192, ()),
    "d19b": ("D.19B", 195, ()),
}
# The heading leaves out a segment that the section then describes.
SLIPS = {("d99b", "BOPBNK", "SG3"): ["RFF", "CUX", "MOA", "SG4"]}
_NAMED = re.compile(r"^(\d{4,5})[ +*#|X-]+?(?:Segment group (\d+) *: *(\S+)|([A-Z]{3}),)")
_ROW = re.compile(r"^\d{4,5}.*?(?:([A-Z]{3}) .*?|group (\d+).*?) ([MC]) +(\d+)\D*$")


@functools.cache
def published(path: pathlib.Path) -> tuple[Compiled, dict[str, str]]:
    """An archive compiled, and its message texts."""

    def texts(data: bytes) -> Iterator[tuple[str, str]]:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            for name in opened.namelist():
                if name.lower().endswith(".zip") and "idmd" not in name.lower():
                    yield from texts(opened.read(name))
                elif found := re.search(r"([A-Z]{6})_[DS]\.", name):
                    yield found[1], opened.read(name).decode("latin-1").replace("\r", "")

    data = path.read_bytes()
    return compile_archive(data), dict(texts(data))


@pytest.fixture(params=ARCHIVES)
def release(request: pytest.FixtureRequest, shared: pathlib.Path) -> tuple[str, Compiled, dict[str, str]]:
    path = shared / "edifact" / "directories" / f"{request.param}.zip"
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside this checkout")
    return request.param, *published(path)


def test_every_message_of_a_published_archive(release: tuple[str, Compiled, dict[str, str]]) -> None:
    name, compiled, texts = release
    directory, number, ambiguous = ARCHIVES[name]
    assert compiled.table.directory == directory
    assert compiled.left_out == {}
    assert set(compiled.table.messages) == set(texts)
    assert len(texts) == number
    assert compiled.ambiguous == ambiguous
    for type_, nested in compiled.table.messages.items():
        conflicts = compile_structure(nested).conflicts
        assert bool(conflicts) == (type_ in ambiguous), type_


def test_every_tree_agrees_with_the_description(release: tuple[str, Compiled, dict[str, str]]) -> None:
    name, compiled, texts = release
    for type_, nested in compiled.table.messages.items():
        order, members = _tree(nested)
        described, groups = _description(texts[type_])
        assert order == described, type_
        for group, listed in groups.items():
            assert members[group] == listed or SLIPS[name, type_, group] == listed, f"{type_} {group}"
        assert set(groups) == set(members) - {""}, type_


def test_every_status_and_repetition_agrees(release: tuple[str, Compiled, dict[str, str]]) -> None:
    _, compiled, texts = release
    for type_, nested in compiled.table.messages.items():
        assert list(_entries(nested)) == _rows(texts[type_]), type_


def test_composites_agree_with_their_uses(
    release: tuple[str, Compiled, dict[str, str]], shared: pathlib.Path
) -> None:
    """The segment directory repeats the components of each composite, with their formats."""
    name, compiled, _ = release
    table = compiled.table
    data = (shared / "edifact" / "directories" / f"{name}.zip").read_bytes()
    lines = archive.read_archive(data).segments.split("\n")
    used: list[str] | None = None
    uses = 0
    for number, line in enumerate(lines):
        if re.match(r"^ {0,3}(\S ?)?\d{3}[ +*#|X-]+[C\d]\d{3} ", line) or line.startswith(RULE):
            assert not used, line
            found = re.match(r"^\D*\d{3}[ +*#|X-]+(C\d{3}) ", line)
            used = table.composites[found[1]].split() if found else None
            uses += found is not None
        elif used is not None and (found := re.match(r"^[ +*#|X-]{4,10}(\d{4}) ", line)):
            whole = line
            while not (end := re.search(r" ([MC]) +((?:an|a|n)[.\d]+) *$", whole)):
                number += 1  # noqa: PLW2901 - a name that is wrapped goes on in the next line
                whole += lines[number]
            assert used.pop(0) == f"{end[1]}:{found[1]}", line
            assert table.elements[found[1]] == end[2], line
    assert uses > 200


def test_the_tables_shipped_are_what_the_archives_say(shared: pathlib.Path, directory: Directory) -> None:
    """Made by: tidewaiter directory add d96b.zip --only APERAK,... (conf/directories holds the outcome)."""
    shipped = pathlib.Path(__file__).resolve().parents[2] / "conf" / "directories"
    for name, (release, _, _) in ARCHIVES.items():
        path = shared / "edifact" / "directories" / f"{name}.zip"
        table = shipped / f"{release.lower()}.json"
        if path.is_file() and table.is_file():
            only = [type_ for type_, held in directory.names() if held == release]
            assert compile_archive(path.read_bytes(), only).encode() == table.read_bytes(), release


def _tree(nested: list[Any]) -> tuple[list[str], dict[str, list[str]]]:
    """Segments and groups in order, and the members of each group ("" is the top level)."""
    order: list[str] = []
    members: dict[str, list[str]] = {}

    def walk(level: list[Any], group: str) -> None:
        members[group] = []
        for entry in level:
            name = (entry if isinstance(entry, str) else entry[0]).split()[0]
            members[group].append(name)
            order.append(name)
            if not isinstance(entry, str):
                walk(entry[1:], name)

    walk(nested, "")
    return order, members


def _description(text: str) -> tuple[list[str], dict[str, list[str]]]:
    """The same of section 4.1: "0090   Segment group 1:  NAD-SG2" and "0100      NAD, Name and address"."""
    begin = [found.start() for found in re.finditer(r"^4\.1 ", text, re.MULTILINE)][-1]
    end = [found.start() for found in re.finditer(r"^4\.2 ", text, re.MULTILINE)][-1]
    lines = text[begin:end].split("\n")
    order: list[str] = []
    groups: dict[str, list[str]] = {}
    for number, line in enumerate(lines):
        found = _NAMED.match(line)
        if found is None:
            continue
        order.append(found[4] or f"SG{found[2]}")
        listed = found[3]
        while listed and listed.endswith("-"):
            number += 1  # noqa: PLW2901 - a list that is wrapped goes on in the next line
            listed += lines[number].strip()
        if listed:
            groups[order[-1]] = listed.split("-")
    return order, groups


def _entries(nested: list[Any]) -> Iterator[str]:
    for entry in nested:
        if isinstance(entry, str):
            yield entry
        else:
            yield from _entries(entry)


def _rows(text: str) -> list[str]:
    """Every line of the segment table by itself, wrapped names joined."""
    table = text[text.rindex("Segment table") :]
    joined = re.sub(r"\n +(?=\S+ [ ]*[MC]   \d)", " ", re.sub(r"[ |\xb3]+$", "", table, flags=re.MULTILINE))
    rows = [found for line in joined.split("\n") if (found := _ROW.match(line))]
    return [f"{row[1] or f'SG{row[2]}'} {row[3]} {row[4]}" for row in rows]
