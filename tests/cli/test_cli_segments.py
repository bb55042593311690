"""`read --segments`: the tree that a person reads, and how the command ends."""

import os
import pathlib
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import Result

from tidewaiter.gateway.cli.segment_tree import GUTTER

RunCli = Callable[..., Result]
VALID, INVALID, UNREADABLE = 0, 1, 2

HEAD = "UNB+UNOC:3+TRADER:ZZ+CUSTOMS:ZZ+260312:0914+R1'"
REPORT = "UNH+1+APERAK:D:96B:UN'BGM+963+1+9'RFF+ACW:P1'ERC+12'RFF+ABE:Q'FTX+AAO+++abc'UNT+7+1'"


def shown(cli: RunCli, text: str, *options: str) -> tuple[int, list[str]]:
    done = cli("read", "--segments", "-", *options, given=text.encode("latin-1"))
    assert done.stderr == ""
    return done.exit_code, done.stdout.splitlines()


def test_a_message_is_a_tree_of_its_groups(cli: RunCli) -> None:
    code, lines = shown(cli, f"{HEAD}{REPORT}UNZ+1+R1'")
    assert code == VALID
    assert lines == [
        "interchange R1 from TRADER to CUSTOMS, UNOC:3, prepared 2026-03-12 09:14",
        f"                0                 {HEAD}",
        "",
        "message 1, APERAK:D:96B:UN, reference 1: 7 segments, 84 octets, valid",
        "     1         47  00010 M     1  UNH+1+APERAK:D:96B:UN'",
        "     2         69  00020 M     1  BGM+963+1+9'",
        "                   00060 C     9  SG1[1]",
        "     3         81  00070 M     1    RFF+ACW:P1'",
        "                   00130 C 99999  SG3[1]",
        "     4         92  00140 M     1    ERC+12'",
        "                   00160 C     1    SG4[1]",
        "     5         99  00170 M     1      RFF+ABE:Q'",
        "     6        109  00180 C     9      FTX+AAO+++abc'",
        "     7        123  00190 M     1  UNT+7+1'",
        "",
        "end of interchange R1",
        "              131                 UNZ+1+R1'",
    ]


def test_the_rows_are_those_that_directory_show_prints(cli: RunCli) -> None:
    rows = {
        line.split()[0]: line.split()[1:]
        for line in cli("directory", "show", "APERAK:D:96B").stdout.splitlines()[1:]
    }
    _, lines = shown(cli, f"{HEAD}{REPORT}UNZ+1+R1'")
    placed = [line[19:].split() for line in lines if line[19:24].isdecimal()]
    assert len(placed) == 10
    for row, status, repetitions, text in placed:
        assert rows[row] == [text[:3].removesuffix("["), status, repetitions]


def test_a_finding_stands_below_its_segment(cli: RunCli) -> None:
    text = f"{HEAD}UNH+1+APERAK:D:96B:UN'BGM+963+1+9'XYZ+1'RFF+ACWX:P1'UNT+8+1'UNZ+1+R2'"
    code, lines = shown(cli, text)
    assert code == INVALID
    below = {line[GUTTER:].strip(): lines[number + 1].strip() for number, line in enumerate(lines[:-1])}
    assert below["XYZ+1'"] == "^ error 15: the message has no such segment; found 'XYZ'"
    place = text.index("ACWX")
    assert (
        below["RFF+ACWX:P1'"]
        == f"^ error 39 at 1/1 @{place}: 1153 is not an..3; found 'ACWX'; expected an..3"
    )
    assert below["UNT+8+1'"].startswith("^ error 29 at 1/1 @")
    assert below["UNZ+1+R2'"].startswith("^ error 28 at 2/1")
    assert "no place       XYZ+1'" in "\n".join(lines)


def test_every_finding_of_validate_is_shown_once(cli: RunCli, samples: pathlib.Path) -> None:
    told = cli("validate", samples / "invalid.edi").stdout.splitlines()[1:]
    drawn = cli("read", "--segments", samples / "invalid.edi").stdout.splitlines()
    drawn = [line.partition("^ ")[2] for line in drawn if line.strip().startswith("^ ")]
    assert len(told) > 4
    assert sorted(line.split(": ", 1)[1] for line in told) == sorted(line.split(": ", 1)[1] for line in drawn)


def test_a_message_without_a_directory_is_a_flat_list(cli: RunCli) -> None:
    code, lines = shown(cli, f"{HEAD}UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'UNT+3+1'UNZ+1+R1'")
    assert code == UNREADABLE
    assert (
        lines[3] == "message 1, ORDERS:D:96A:UN, reference 1: 3 segments, 42 octets, not valid, no directory"
    )
    assert lines[6:8] == [
        f"{2:>6} {69:>10}{'':17}BGM+220+1+9'",
        f"{3:>6} {81:>10}{'':17}UNT+3+1'",
    ]
    assert lines[5].strip().startswith("^ error 14 at 2/1 @")


def test_groups_and_packages_have_headings(cli: RunCli) -> None:
    group = f"UNG+APERAK+S+R+260312:0914+G1+UN+D:96B'{REPORT}UNE+2+G1'"
    code, lines = shown(cli, f"{HEAD}{group}UNZ+1+R1'")
    assert code == INVALID
    begin, end = (
        lines.index("functional group G1 of APERAK from S to R"),
        lines.index("end of functional group G1"),
    )
    assert lines[begin + 1].endswith(" UNG+APERAK+S+R+260312:0914+G1+UN+D:96B'")
    assert lines[end + 1].endswith(" UNE+2+G1'")
    assert lines[end + 2].strip().startswith("^ error 29 at 1/1 @174: 0060 does not match")
    assert [line for line in lines if "^" in line] == [lines[end + 2]]
    package = "UNB+UNOC:4+A+B+20260312:0914+R1'UNO+P1+AAA:1+1+5:0'12'45UNP+5+P1'UNZ+1+R1'"
    _, lines = shown(cli, package)
    at = lines.index("package, reference P1: 5 octets")
    assert [line.strip() for line in lines[at + 1 : at + 3]] == [
        "32                 UNO+P1+AAA:1+1+5:0'",
        "56                 UNP+5+P1'",
    ]


def test_findings_of_the_envelope_stand_below_their_segment_and_nowhere_else(cli: RunCli) -> None:
    group = "UNG+APERAK+S+R+260312:0914+G1+UN+D:96B'UNH+{0}+APERAK:D:96B:UN'BGM+963+1+9'UNT+3+{0}'UNE+1+G1'"
    _, lines = shown(cli, f"{HEAD.replace('260312', '269912')}{group.format(1)}{group.format(2)}UNZ+3+R1'")
    below = [(lines[n - 1].split()[-1][:3], line.split()[2]) for n, line in enumerate(lines) if "^" in line]
    assert below == [("UNB", "12"), ("UNG", "26"), ("UNZ", "29")]


def test_more_findings_than_are_told_are_counted_below_the_message(cli: RunCli) -> None:
    _, lines = shown(
        cli, f"{HEAD}UNH+1+APERAK:D:96B:UN'BGM+963+1+9'{'XYZ+1!' * 150}UNT+153+1'UNZ+1+R1'".replace("!", "'")
    )
    told = [line.strip() for line in lines if "^" in line]
    assert len(told) == 100
    assert told[-1] == "^ error 18: 51 more findings not listed"


def test_several_interchanges_and_what_follows_them(cli: RunCli) -> None:
    whole = f"{HEAD}{REPORT}UNZ+1+R1'"
    other = f"UNA:*.? !{whole}".replace("+", "*").replace("'", "!").replace("R1", "R2")
    code, lines = shown(cli, f"{whole}\r\n{other}rest")
    assert code == INVALID
    assert [line.split(" from")[0] for line in lines if line.startswith("interchange")] == [
        "interchange R1",
        "interchange R2",
    ]
    assert any(line.endswith("      FTX*AAO***abc!") for line in lines)
    assert lines[-2] == "no interchange"
    assert lines[-1].strip().startswith("^ error 33 at UNZ @")


@pytest.mark.parametrize("text", ["", "garbage", "UIB+UNOA:4'UIH+A'"])
def test_what_is_no_interchange_has_a_reason(cli: RunCli, text: str) -> None:
    code, lines = shown(cli, text)
    assert (code, lines[0]) == (UNREADABLE, "no interchange")
    assert lines[1].strip().startswith("^ error ")


def test_a_cut_message_shows_where_it_is_cut(cli: RunCli) -> None:
    code, lines = shown(cli, f"{HEAD}UNH+1+APERAK:D:96B:UN'BGM+963+1")
    assert code == INVALID
    assert lines[5].endswith("  BGM+963+1")
    assert lines[6].strip().startswith("^ error 13: the last segment has no terminator")


def test_control_characters_are_escaped(cli: RunCli) -> None:
    _, lines = shown(cli, f"{HEAD}UNH+1+APERAK:D:96B:UN'BGM+963+\x1b[31m\r\n+9'UNT+3+1'UNZ+1+R1'")
    assert any(line.endswith(" BGM+963+\\x1b[31m\\r\\n+9'") for line in lines)
    assert "\x1b" not in "\n".join(lines)


def test_in_a_pipe_nothing_is_cut(cli: RunCli) -> None:
    long = "x" * 500
    text = f"{HEAD}UNH+1+APERAK:D:96B:UN'BGM+963+1+9'FTX+AAO+++{long}'UNT+4+1'UNZ+1+R1'"
    assert any(line.endswith(f"+++{long}'") for line in shown(cli, text)[1])


def test_utf8_is_shown_as_such_where_it_is_allowed(cli: RunCli) -> None:
    text = f"{HEAD}UNH+1+APERAK:D:96B:UN'BGM+963+1+9'FTX+AAO+++Źródła'UNT+4+1'UNZ+1+R1'"
    done = cli("read", "--segments", "--utf8", "-", given=text.encode())
    assert done.exit_code == VALID
    assert " FTX+AAO+++Źródła'\n" in done.stdout


def test_xml_has_no_segments(cli: RunCli, samples: pathlib.Path) -> None:
    done = cli("read", "--segments", samples / "export.xml")
    assert (done.exit_code, done.stdout) == (UNREADABLE, "")
    assert done.stderr == f"tidewaiter: {samples / 'export.xml'}: XML has no segments\n"


def test_files_that_cannot_be_read_or_written_are_named(
    cli: RunCli, samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    done = cli("read", "--segments", tmp_path / "none")
    assert (done.exit_code, done.stderr) == (UNREADABLE, f"{tmp_path / 'none'}: No such file or directory\n")
    out = tmp_path / "none" / "file"
    done = cli("read", "--segments", samples / "import.edi", "--out", out)
    assert (done.exit_code, done.stdout) == (UNREADABLE, "")
    assert done.stderr == f"{out}: No such file or directory\n"


def test_out_takes_what_would_be_printed(cli: RunCli, samples: pathlib.Path, tmp_path: pathlib.Path) -> None:
    printed = cli("read", "--segments", samples / "import.edi").stdout
    done = cli("read", "--segments", samples / "import.edi", "--out", tmp_path / "tree")
    assert (done.exit_code, done.stdout) == (VALID, "")
    assert (tmp_path / "tree").read_text(encoding="utf-8") == printed


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tidewaiter", *map(str, arguments)]


@pytest.mark.process
def test_a_reader_of_segments_that_goes_away_is_no_traceback(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text(f"{HEAD}{REPORT * 3000}UNZ+3000+R1'")
    with subprocess.Popen(
        command("read", "--segments", tmp_path / "file"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"interchange R1 ")
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.process
@pytest.mark.parametrize("colours", [True, False])
def test_on_a_terminal_lines_fit_and_are_coloured(samples: pathlib.Path, colours: bool) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "" if colours else "1"}
    done = subprocess.Popen(
        command("read", "--segments", samples / "import.edi"), stdout=theirs, stderr=subprocess.PIPE, env=env
    )
    os.close(theirs)
    said = b""
    while piece := _read(ours):
        said += piece
    os.close(ours)
    assert done.communicate() == (None, b"")
    assert (b"\x1b[36mSG1[1]\x1b[0m" in said) is colours
    lines = said.decode().splitlines()
    assert any(line.endswith("…") for line in lines)
    if not colours:
        assert b"\x1b" not in said
        assert max(len(line) for line in lines if line.startswith(" ") and "^" not in line) == 60


def _read(terminal: int) -> bytes:
    """What was written to it; nothing once the other side is closed, which Linux tells as an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
