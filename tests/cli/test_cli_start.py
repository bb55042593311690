"""Where the command line begins: the fast path of `validate`, and everything else."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tidewaiter import __version__
from tidewaiter.gateway.cli import start

# Imported only where help, a table or a connection is needed.
HEAVY = {"typer", "click", "rich", "anyio", "trio", "asyncio", "cryptography", "structlog", "ssl", "sqlite3"}
# Runs a command line and tells on standard error which modules it imported.
TELL = """
import sys
from tidewaiter.gateway.cli.start import main
sys.argv = ["tidewaiter", *sys.argv[1:]]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def imported(folder: pathlib.Path, *arguments: str) -> tuple[int, str, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", TELL, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, set(done.stderr.splitlines()[-1].split())


@pytest.mark.process
@pytest.mark.parametrize(("name", "not_needed"), [("import.edi", "lxml"), ("export.xml", "gateway.ledger")])
def test_validate_starts_without_what_it_does_not_need(
    samples: pathlib.Path, name: str, not_needed: str
) -> None:
    code, said, modules = imported(samples, "validate", name)
    assert (code, said.split(" (")[0]) == (0, f"{name}: valid")
    assert "tidewaiter.gateway.cli.files" in modules
    assert modules & (HEAVY | {not_needed, "tidewaiter.gateway.cli.commands", "tidewaiter.security"}) == set()


@pytest.mark.process
def test_xml_does_not_wait_for_the_other_codec(samples: pathlib.Path) -> None:
    code, _, modules = imported(samples, "validate", "export.xml")
    assert code == 0
    assert {name for name in modules if name.startswith("tidewaiter.codecs.edifact")} == set()


@pytest.mark.process
def test_segments_wait_for_no_more_than_the_command_line(samples: pathlib.Path) -> None:
    code, said, modules = imported(samples, "read", "--segments", "import.edi")
    assert (code, said.split()[0]) == (0, "interchange")
    assert (
        modules & {"lxml", "anyio", "trio", "asyncio", "cryptography", "structlog", "ssl", "sqlite3"} == set()
    )


@pytest.mark.process
def test_validate_as_json_starts_light_too(samples: pathlib.Path) -> None:
    code, said, modules = imported(samples, "validate", "--json", "invalid.edi")
    assert (code, json.loads(said)[0]["result"]) == (1, "invalid")
    assert modules & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "plain"),
    [
        (["a.xml"], True),
        (["a.xml", "b.edi"], True),
        (["--json", "a.xml"], True),
        (["a.xml", "--json"], True),
        (["--utf8", "a.edi", "--json"], True),
        (["--utf8"], False),
        (["-"], True),
        (["--json"], False),
        (["--json", "--json"], False),
        (["--help"], False),
        (["a.xml", "-h"], False),
        (["--", "-odd-name"], False),
    ],
)
def test_what_the_fast_path_takes(arguments: list[str], plain: bool) -> None:
    assert start._is_plain(arguments) is plain


def run(folder: pathlib.Path, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "tidewaiter", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        check=False,
        env=os.environ | {"COLUMNS": "80"},
    )


@pytest.mark.process
def test_a_process_reads_standard_input_and_exits_with_the_code(samples: pathlib.Path) -> None:
    for name, code in (("import.edi", 0), ("invalid.xml", 1)):
        done = run(samples, "validate", "-", given=(samples / name).read_bytes())
        assert (done.returncode, done.stderr) == (code, b"")
    done = run(samples, "validate", "-", given=b"\xff")
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.process
def test_validate_has_help_like_every_command(samples: pathlib.Path) -> None:
    done = run(samples, "validate", "--help")
    assert done.returncode == 0
    assert b"--json" in done.stdout


@pytest.mark.process
def test_the_version_is_the_package_s(tmp_path: pathlib.Path) -> None:
    done = run(tmp_path, "--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"{__version__}\n")


@pytest.mark.process
def test_letters_that_the_terminal_has_not_are_escaped(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_bytes("UNB+UNOC:3+Ærø+B+260312:0914+R1'UNZ+1+Å'".encode("latin-1"))
    for command, letters in (("validate", b"\\xc5"), ("read --segments", b"\\xc6r\\xf8")):
        done = subprocess.run(
            [sys.executable, "-m", "tidewaiter", *command.split(), "file"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
        )
        assert (done.returncode, done.stderr) == (2, b"")
        assert letters in done.stdout


@pytest.mark.process
def test_a_reader_that_goes_away_is_no_traceback(samples: pathlib.Path) -> None:
    command = [sys.executable, "-m", "tidewaiter", "validate", *["invalid.edi"] * 2000]
    with subprocess.Popen(command, cwd=samples, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"invalid.edi: invalid")
        process.stdout.close()
        assert process.stderr.read() == b""
