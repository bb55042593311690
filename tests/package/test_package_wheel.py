"""The wheel: what is in it, and that it runs elsewhere, from another folder, without this checkout."""

import os
import pathlib
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile

import pytest

import tidewaiter

ROOT = pathlib.Path(tidewaiter.__file__).resolve().parent
# Folders of the checkout that are no part of the package.
NOT_PACKAGED = {"tests", "docs", "build", "dist"}
# The whole demonstration takes seconds; a machine that is busy takes longer.
PATIENCE = 180


def listed() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = settings["tool"]["setuptools"]["packages"]
    assert isinstance(packages, list)
    return packages


def of_the_tree() -> set[str]:
    """The packages there are, found by their `__init__.py`; `conf` is data, and listed to be shipped."""
    folders = {
        file.parent.relative_to(ROOT)
        for file in ROOT.rglob("__init__.py")
        if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
    }
    kept = {folder for folder in folders if not folder.parts or folder.parts[0] not in NOT_PACKAGED}
    return {".".join(("tidewaiter", *folder.parts)) for folder in kept} | {"tidewaiter.conf"}


def test_the_packages_listed_are_those_of_the_tree() -> None:
    assert sorted(listed()) == sorted(of_the_tree())
    assert len(listed()) == len(set(listed()))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The wheel, built from a copy: a build leaves folders behind, and may find old ones."""
    copy = tmp_path_factory.mktemp("source") / "tidewaiter"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in tracked.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    made = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(made)]
    subprocess.run([sys.executable, "-m", "pip", *build, str(copy)], check=True, capture_output=True)
    (file,) = made.glob("tidewaiter-*.whl")
    return file


@pytest.mark.process
def test_every_module_is_in_the_wheel_and_no_test(wheel: pathlib.Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in listed():
        folder = ROOT.joinpath(*package.split(".")[1:])
        for file in folder.glob("*.py"):
            assert file.relative_to(ROOT.parent).as_posix().replace(ROOT.name, "tidewaiter", 1) in names
    # Benchmarks are shipped, with the names that pytest-benchmark wants.
    named = [pathlib.PurePath(name) for name in names if not name.startswith("tidewaiter/benchmarks/")]
    assert not [n for n in named if n.name.startswith(("test_", "conftest")) or "tests" in n.parts]
    assert not [name for name in names if name.startswith(("tidewaiter/docs", "tidewaiter/build"))]


@pytest.mark.process
def test_every_file_of_data_is_in_the_wheel(wheel: pathlib.Path) -> None:
    """Configuration, schemas, directories, SQL, samples, and the mark that the package is typed."""
    names = set(zipfile.ZipFile(wheel).namelist())
    data = [file for file in (ROOT / "conf").rglob("*") if file.is_file()]
    data += [file for end in ("sql", "edi", "xml") for file in (ROOT / "gateway").rglob(f"*.{end}")]
    assert len(data) > 20
    expected = {f"tidewaiter/{file.relative_to(ROOT).as_posix()}" for file in data}
    assert expected | {"tidewaiter/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.fixture(scope="session")
def elsewhere(wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The `tidewaiter` command of an environment that has the wheel, and of this one its libraries only."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    install = ["install", "--no-deps", "--no-index", "--quiet", "--no-warn-script-location"]
    target = ["--python", str(folder / "bin" / "python")]
    command = [sys.executable, "-m", "pip", *target, *install, str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    # A path in a .pth file is searched, but the .pth files in it (an editable installation) are not run.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "tidewaiter"


def run(command: pathlib.Path, *arguments: str, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """The command in another folder, without what this process was told about paths."""
    told = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TIDEWAITER"))}
    return subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        env=told | {"HOME": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.process
def test_it_is_the_installed_one_that_runs(elsewhere: pathlib.Path, tmp_path: pathlib.Path) -> None:
    python = elsewhere.parent / "python"
    found = run(python, "-c", "import tidewaiter; print(tidewaiter.__file__)", folder=tmp_path)
    assert pathlib.Path(found.stdout.strip()).is_relative_to(elsewhere.parent.parent), found.stderr
    version = run(elsewhere, "--version", folder=tmp_path)
    assert (version.returncode, version.stdout.strip()) == (0, tidewaiter.__version__)


@pytest.mark.process
def test_it_reads_documents(elsewhere: pathlib.Path, tmp_path: pathlib.Path) -> None:
    made = run(elsewhere, "init", "here", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    checked = run(elsewhere, "check-config", "--dir", "here", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    for name, code in (("import.edi", 0), ("export.xml", 0), ("invalid.edi", 1), ("invalid.xml", 1)):
        judged = run(elsewhere, "validate", f"here/samples/{name}", folder=tmp_path)
        assert judged.returncode == code, judged.stdout + judged.stderr


@pytest.mark.process
def test_the_demonstration_runs(elsewhere: pathlib.Path, tmp_path: pathlib.Path) -> None:
    shown = run(elsewhere, "demo", folder=tmp_path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Traceback" not in shown.stderr
