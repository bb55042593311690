"""What holds for the tree as a whole: who imports whom, how long things are, what never stands in a file."""

import ast
import functools
import pathlib
import re
import tomllib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
# A class fits in a reading; a function fits on a screen.
FILE_LINES, FUNCTION_LINES = 330, 60
TEXT = {".py", ".md", ".toml", ".json", ".xsd", ".sql", ".xml", ".edi", ".svg"}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
# A place on somebody's machine. `/v1/...`, `/Declaration/...` and the like are no such places.
ABSOLUTE = re.compile(r"(?<![\w.~}>/-])/(?:work|home|root|tmp|usr|opt|var|etc|srv|mnt|Users)/")


def rooms() -> list[pathlib.Path]:
    """The top folders of the package."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    return [ROOT / name for name in sorted({p.split(".")[1] for p in packages if "." in p})]


def shipped() -> Iterator[pathlib.Path]:
    """Every file of the package, and those that a user reads or runs beside it."""
    yield from (
        ROOT / name for name in ("__init__.py", "__main__.py", "README.md", "Makefile", "pyproject.toml")
    )
    for folder in (*rooms(), ROOT / "docs"):
        yield from (
            file
            for file in sorted(folder.rglob("*"))
            if file.suffix in TEXT and not file.relative_to(ROOT).match("benchmarks/out/*")
        )


@functools.cache
def text(file: pathlib.Path) -> str:
    return file.read_text()


@functools.cache
def tree(file: pathlib.Path) -> ast.Module:
    return ast.parse(text(file))


def modules() -> list[pathlib.Path]:
    return [file for file in shipped() if file.suffix == ".py"]


def named(file: pathlib.Path) -> str:
    return str(file.relative_to(ROOT))


def test_the_package_is_found() -> None:
    assert {"codecs", "gateway", "routing", "security", "conf"} <= {room.name for room in rooms()}
    assert len(modules()) > 100


def imported(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name a module imports, or imports from, with its line."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
            yield from ((node.lineno, alias.name) for alias in node.names if node.module is None)


def test_nothing_imports_the_tests() -> None:
    found = [
        f"{named(file)}:{line} imports {name}"
        for file in modules()
        for line, name in imported(tree(file))
        if name.removeprefix("tidewaiter.").split(".")[0] in {"tests", "conftest", "pytest"}
        and not _measures(file)
    ]
    assert found == []


def _measures(file: pathlib.Path) -> bool:
    """Benchmarks are run by pytest."""
    return named(file).startswith("benchmarks/")


def test_nothing_is_left_for_later() -> None:
    assert [named(file) for file in shipped() if UNFINISHED.search(text(file))] == []


def test_no_file_knows_a_place_on_a_machine() -> None:
    found = [
        f"{named(file)}:{number}: {line.strip()}"
        for file in shipped()
        for number, line in enumerate(text(file).splitlines(), 1)
        if ABSOLUTE.search(line) and not line.startswith("#!")
    ]
    assert found == []


def test_files_can_be_read_in_one_go() -> None:
    long = {named(file): len(text(file).splitlines()) for file in modules()}
    assert {name: lines for name, lines in long.items() if lines > FILE_LINES} == {}


def test_functions_fit_on_a_screen() -> None:
    long = {}
    for file in modules():
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long[f"{named(file)}:{node.name}"] = lines
    assert long == {}


def test_the_design_names_rooms_that_exist() -> None:
    design = text(ROOT / "docs" / "design.md")
    paths = set(re.findall(r"`([\w.-]+/[\w./-]*)`", design))
    assert len(paths) > 20
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []
    links = re.findall(r"\]\(([^)#:]+)\)", design)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_the_design_names_every_room() -> None:
    design = text(ROOT / "docs" / "design.md")
    assert [room.name for room in rooms() if not re.search(rf"\b{room.name}\b", design)] == []


def test_every_module_says_what_it_is() -> None:
    assert [named(file) for file in modules() if ast.get_docstring(tree(file)) is None] == []
