"""`directory add`, `list` and `show`: an operator's releases go before those shipped, and are checked by."""

import importlib.util
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import Result

from tidewaiter.gateway import resources
from tidewaiter.gateway.cli import directory as commands
from tidewaiter.gateway.cli import files
from tidewaiter.gateway.toml import ConfigError

RunCli = Callable[..., Result]
OK, NOT_FOUND, UNUSABLE = 0, 1, 2


def texts() -> Any:
    """The small archive of the compiler's own tests."""
    file = pathlib.Path(__file__).resolve().parents[1] / "edifact" / "test_edifact_unece.py"
    spec = importlib.util.spec_from_file_location("texts_of_archives", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TEXTS = texts()


@pytest.fixture
def archive(tmp_path: pathlib.Path) -> pathlib.Path:
    twice = TEXTS.TABLE.replace("00030 ", "00025   RFF Reference       C   1\n00030 ", 1)
    broken = TEXTS.TABLE.replace("QTY Quantity", "ZZZ Nowhere ")
    file = tmp_path / "d01b.zip"
    file.write_bytes(TEXTS.changed(TWOWAY_D__01B=twice, BROKEN_D__01B=broken))
    return file


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """A configuration folder that the environment names."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TIDEWAITER_HOME", str(folder))
    yield folder
    resources.directory_of.cache_clear()


def test_a_release_is_added_listed_and_shown(cli: RunCli, archive: pathlib.Path, home: pathlib.Path) -> None:
    added = cli("directory", "add", archive)
    assert added.exit_code == OK, added.output
    file = home / "directories" / "d.01b.json"
    assert added.output.splitlines() == [
        "D.01B: 2 messages (TESTER TWOWAY), 3 segments, 2 composites, 5 data elements, 1 code lists",
        "  TWOWAY: some segments could stand in two places; the first is taken",
        "  BROKEN: left out, ZZZ is used and not defined",
        f"  written to {file}",
    ]
    assert [path.name for path in file.parent.iterdir()] == ["d.01b.json"]
    lines = cli("directory", "list").output.splitlines()
    assert f"D.01B  TESTER TWOWAY  ({file})" in lines
    assert lines.index(f"D.01B  TESTER TWOWAY  ({file})") > next(
        number for number, line in enumerate(lines) if line.startswith("D.01B") and line.endswith("(shipped)")
    )
    shown = cli("directory", "show", "TESTER:D:01B")
    assert shown.output.splitlines() == [
        "TESTER D.01B: 5 segment positions in 2 groups, 7 transitions",
        "00010  UNH                              M       1",
        "00020  BGM                              M       1",
        "00030  SG1                              C      99",
        "00040     RFF                           M       1",
        "00050     SG2                           M       9",
        "00060        QTY                        M       1",
        "00070  UNT                              M       1",
    ]
    assert "RFF after BGM could stand in two places" in cli("directory", "show", "TWOWAY").output


def test_what_is_added_goes_before_and_leaves_the_rest(
    cli: RunCli, archive: pathlib.Path, home: pathlib.Path
) -> None:
    assert cli("directory", "add", archive, "--only", "TESTER,absent").exit_code == OK
    assert cli("directory", "show", "RFF:D:01B").output.splitlines()[:3] == [
        "RFF D.01B",
        "in TESTER",
        "1      C506  M   5",
    ]
    assert "CUSDEC D.01B" in cli("directory", "show", "CUSDEC:D:01B").output
    found = resources.directory(home).find("TESTER", "D", "01B")
    assert found is not None
    assert resources.directory().find("TESTER", "D", "01B") is None


def test_json(cli: RunCli, archive: pathlib.Path, home: pathlib.Path) -> None:
    report = json.loads(cli("directory", "add", archive, "--only", "TESTER ABSENT", "--json").output)
    assert report["release"] == "D.01B"
    assert report["messages"] == ["TESTER"]
    assert report["left-out"] == {"ABSENT": "is not in this release"}
    listed = json.loads(cli("directory", "list", "--json").output)
    assert {"release": "D.01B", "also": [], "from": report["file"], "messages": ["TESTER"]} in listed
    message = json.loads(cli("directory", "show", "TESTER", "--json").output)
    assert message["structure"][2]["content"][1]["content"] == [
        {"segment": "QTY", "position": 60, "status": "M", "repetitions": 1}
    ]
    segment = json.loads(cli("directory", "show", "RFF:D:01B:UN", "--json").output)
    assert segment["elements"][0]["repetitions"] == 5
    assert segment["elements"][0]["components"][0]["codes"] == 3
    element = json.loads(cli("directory", "show", "1001:D:01B", "--json").output)
    assert element["codes"] == ["1", "22", "AAA"]
    assert element["used-in"] == ["C002", "C506"]


def test_names_shipped(cli: RunCli, home: pathlib.Path) -> None:
    assert not home.exists()
    assert (
        "CUSDEC D.96B: 151 segment positions in 50 groups, 1354"
        in cli("directory", "show", "cusdec:d:96b").output
    )
    assert "note D5(6,5)" in cli("directory", "show", "UCI:4:1").output
    assert "C107 D.96B" in cli("directory", "show", "C107:D:96B").output
    assert "4451 D.96B: an..3" in cli("directory", "show", "4451:D:96B").output
    assert "8.2" not in cli("directory", "show", "UNB:D:3").output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CUSDEC:D:97A", "no CUSDEC of D.97A is held; it is held of D.19B, D.03A, D.01B, D.99B, D.96B"),
        ("ORDERS:D:96B", "no ORDERS of D.96B is held; these are: APERAK AUTACK CONTRL CUSCAR"),
        ("XYZ", "no XYZ is held; see: tidewaiter directory list"),
        ("12", "'12' is no message, segment, composite or data element"),
    ],
)
def test_a_wrong_name_says_what_is_held(cli: RunCli, home: pathlib.Path, name: str, said: str) -> None:
    shown = cli("directory", "show", name)
    assert shown.exit_code == NOT_FOUND
    assert shown.stdout == ""
    assert said in shown.stderr


def test_what_is_no_archive_is_refused_in_one_line(
    cli: RunCli, tmp_path: pathlib.Path, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.zip"
    for content, said in ((b"PK", "is no zip archive"), (TEXTS.zipped({}), "(EDSD)")):
        file.write_bytes(content)
        refused = cli("directory", "add", file)
        assert refused.exit_code == UNUSABLE
        assert said in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert "No such file" in cli("directory", "add", tmp_path / "none.zip").stderr
    monkeypatch.setattr(commands, "MAX_ARCHIVE", 1)
    assert "larger than" in cli("directory", "add", file).stderr
    assert not home.exists()


def test_a_folder_that_cannot_be_written(cli: RunCli, archive: pathlib.Path, home: pathlib.Path) -> None:
    home.mkdir()
    (home / "directories").write_text("in the way")
    refused = cli("directory", "add", archive)
    assert refused.exit_code == UNUSABLE
    assert refused.stderr.count("\n") == 1


def test_nothing_is_left_beside_a_table_that_cannot_be_replaced(
    cli: RunCli, archive: pathlib.Path, home: pathlib.Path
) -> None:
    table = home / "directories" / "d.01b.json"
    table.mkdir(parents=True)
    assert cli("directory", "add", archive).exit_code == UNUSABLE
    assert list(table.parent.iterdir()) == [table]
    assert str(table) in cli("directory", "list").stderr
    with pytest.raises(ConfigError, match="directory"):
        resources.reader(warm=True, folder=home)


def test_interactive_messages_are_told(cli: RunCli, tmp_path: pathlib.Path, home: pathlib.Path) -> None:
    file = tmp_path / "d01b.zip"
    file.write_bytes(TEXTS.changed(IHCLME_D__01B=TEXTS.TABLE.replace("UNH Message", "UIH Message")))
    assert "  IHCLME: left out, interactive messages are not read\n" in cli("directory", "add", file).output
    assert resources.reader(warm=True, folder=home) is not None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("d.01b.json", "{", "not a directory table"),
        ("d.99b.json", None, "D.01B"),
        ("d.01b.json", "not well made", "9999 is used and not defined"),
    ],
)
def test_a_table_that_was_changed_is_told_everywhere(
    cli: RunCli, archive: pathlib.Path, home: pathlib.Path, name: str, content: str | None, said: str
) -> None:
    assert cli("directory", "add", archive, "--only", "TESTER").exit_code == OK
    file = home / "directories" / "d.01b.json"
    table = file.read_text()
    if content == "not well made":
        table = table.replace("C:1001", "C:9999")
    file.unlink()
    (file.parent / name).write_text(content if content == "{" else table)
    with pytest.raises(ConfigError, match=said):
        resources.check_tables(home)
    if content != "not well made":
        for words in (("directory", "list"), ("directory", "show", "BGM")):
            told = cli(*words)
            assert told.exit_code == UNUSABLE
            assert str(file.parent / name) in told.stderr


def test_validate_goes_by_what_was_added(
    archive: pathlib.Path,
    home: pathlib.Path,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    cli: RunCli,
) -> None:
    document = tmp_path / "tester.edi"
    document.write_bytes(b"UNB+UNOC:3+A+B+260504:1307+R'UNH+1+TESTER:D:01B:UN'BGM+1+N'UNT+3+1'UNZ+1+R'")
    files.validate([str(document)], as_json=False)
    capsys.readouterr()
    assert cli("directory", "add", archive).exit_code == OK
    assert resources.directory(home).find("TESTER", "D", "01B") is not None
    (home / "directories" / "d.01b.json").write_text("{")
    resources.directory_of.cache_clear()
    document.write_bytes(document.read_bytes().replace(b"TESTER", b"CUSDEC"))
    assert files.validate([str(document)], as_json=False) == UNUSABLE
    assert "the table of D.01B" in capsys.readouterr().err
