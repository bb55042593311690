"""What users install: the wheel, built from the tree, installed elsewhere, and run from another folder."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile

import pytest

from tidewaiter import __version__

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Beside the package: none of it is shipped.
BESIDE = {"tests", "docs", "build", "dist"}
# Of a checkout, what a build needs; the rest (environments, caches, history) is not copied.
LEFT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "out")
SECONDS = 120

pytestmark = pytest.mark.process


def python_folders() -> set[str]:
    """Every folder of the tree that holds Python or shipped data, as the package it is."""
    found = {"tidewaiter"}
    for folder in ROOT.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in BESIDE:
            found |= {_package(file.parent) for file in folder.rglob("*.py")}
    return found


def _package(folder: pathlib.Path) -> str:
    return ".".join(("tidewaiter", *folder.relative_to(ROOT).parts))


def data_files() -> set[str]:
    """Every file of the tree that is read at run time and is not Python."""
    rooms = (ROOT / name for name in ("codecs", "conf", "gateway", "routing", "security"))
    files = (file for room in rooms for file in room.rglob("*") if file.is_file())
    return {
        str(file.relative_to(ROOT))
        for file in files
        if file.suffix not in {".py", ".pyc"} and "__pycache__" not in file.parts
    }


def traces() -> dict[str, float]:
    """What builds leave in a tree, and when it was last changed."""
    patterns = ("build", "dist", "*.egg-info")
    return {path.name: path.stat().st_mtime for pattern in patterns for path in ROOT.glob(pattern)}


BEFORE = traces()


def run(*command: object, cwd: pathlib.Path, path: str = "") -> "subprocess.CompletedProcess[str]":
    """A command with nothing of this environment but its libraries."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TMPDIR": str(cwd), "PYTHONNOUSERSITE": "1"}
    if path:
        environment["PYTHONPATH"] = path
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The wheel, built from a copy: a build leaves folders in its tree."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "tree", ignore=LEFT)
    built = run(
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"),
        *("--disable-pip-version-check", "--wheel-dir", folder / "dist", folder / "tree"),
        cwd=folder,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = (folder / "dist").iterdir()
    return found


@pytest.fixture(scope="module")
def names(wheel: pathlib.Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """An environment that holds the wheel, and this one's libraries but not this checkout."""
    folder = tmp_path_factory.mktemp("installed")
    made = run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    assert made.returncode == 0, made.stderr
    python = folder / "venv" / "bin" / "python"
    done = run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"),
        *("--disable-pip-version-check", wheel),
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def libraries() -> str:
    """Where the dependencies lie. Path files of a folder on PYTHONPATH are not read, so the editable install
    of this checkout stays out."""
    return os.pathsep.join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def test_the_packages_listed_are_those_in_the_tree() -> None:
    listed = PYPROJECT["tool"]["setuptools"]["packages"]
    assert len(listed) == len(set(listed))
    assert set(listed) == python_folders() | {"tidewaiter.conf"}


def test_the_wheel_has_every_module(names: set[str]) -> None:
    packages = PYPROJECT["tool"]["setuptools"]["packages"]
    folders = [ROOT.joinpath(*package.split(".")[1:]) for package in packages]
    modules = {str(file.relative_to(ROOT)) for folder in folders for file in folder.glob("*.py")}
    assert {f"tidewaiter/{name}" for name in modules} == {name for name in names if name.endswith(".py")}
    assert len(modules) > 100


def test_the_wheel_has_what_is_read_at_run_time(names: set[str]) -> None:
    wanted = data_files()
    assert {pathlib.PurePath(name).suffix for name in wanted} >= {
        ".sql",
        ".xsd",
        ".json",
        ".toml",
        ".edi",
        ".xml",
    }
    assert {f"tidewaiter/{name}" for name in wanted | {"py.typed"}} <= names


def test_the_wheel_has_nothing_else(names: set[str]) -> None:
    rest = {name for name in names if not name.endswith(".py")}
    rest -= {f"tidewaiter/{name}" for name in data_files() | {"py.typed"}}
    assert {name for name in rest if not name.startswith(f"tidewaiter-{__version__}.dist-info/")} == set()
    assert [name for name in names if name.startswith(("tidewaiter/tests", "tests", "tidewaiter/docs"))] == []


def test_the_wheel_says_what_it_is(wheel: pathlib.Path, names: set[str]) -> None:
    about = f"tidewaiter-{__version__}.dist-info"
    assert f"{about}/licenses/LICENSE" in names
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{about}/METADATA").decode()
        scripts = archive.read(f"{about}/entry_points.txt").decode()
        assert archive.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert f"Version: {__version__}\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert "tidewaiter = tidewaiter.gateway.cli.start:main" in scripts


def test_the_installed_one_is_run(installed: pathlib.Path, libraries: str) -> None:
    python = installed / "venv/bin/python"
    asked = run(python, "-c", "import tidewaiter; print(tidewaiter.__file__)", cwd=installed, path=libraries)
    where = pathlib.Path(asked.stdout.strip())
    assert where.is_relative_to(installed / "venv"), asked.stderr
    assert not where.is_relative_to(ROOT)


def test_it_runs_from_another_folder(installed: pathlib.Path, libraries: str, tmp_path: pathlib.Path) -> None:
    tidewaiter = installed / "venv/bin/tidewaiter"
    version = run(tidewaiter, "--version", cwd=tmp_path, path=libraries)
    assert (version.returncode, version.stdout) == (0, f"{__version__}\n"), version.stderr
    made = run(tidewaiter, "init", "gateway", cwd=tmp_path, path=libraries)
    assert made.returncode == 0, made.stderr
    files = sorted((tmp_path / "gateway/samples").iterdir())
    judged = run(tidewaiter, "validate", *files, cwd=tmp_path, path=libraries)
    assert judged.returncode == 1, judged.stderr
    verdicts = {
        pathlib.Path(line.split(":")[0]).name: line.split(": ")[1].split(" (")[0]
        for line in judged.stdout.splitlines()
        if not line.startswith(" ")
    }
    assert verdicts == {file.name: "invalid" if "invalid" in file.name else "valid" for file in files}


def test_its_demonstration_comes_out_as_it_must(
    installed: pathlib.Path, libraries: str, tmp_path: pathlib.Path
) -> None:
    done = run(installed / "venv/bin/tidewaiter", "demo", cwd=tmp_path, path=libraries)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 of 7 rows came out as they must" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_build_leaves_nothing_in_the_checkout(wheel: pathlib.Path) -> None:
    assert wheel.exists()
    assert traces() == BEFORE
