"""Every command as typer has it: its help, its options, and which configuration folder it means."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import Result

from tidewaiter import __version__
from tidewaiter.gateway.cli import commands

COMMANDS = [
    "agency add",
    "as2 inspect",
    "as2 send",
    "as2 verify-receipt",
    "check-config",
    "close",
    "dead",
    "demo",
    "directory add",
    "directory list",
    "directory show",
    "events",
    "init",
    "list",
    "load",
    "partner add",
    "read",
    "requeue",
    "serve",
    "sla",
    "status",
    "submit",
    "validate",
    "verify-receipt",
]


def visible(group: TyperGroup, before: str = "") -> dict[str, Any]:
    """Every command a user can see, by its whole name."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found |= visible(command, f"{before}{name} ")
        elif not command.hidden:
            found[f"{before}{name}"] = command
    return found


@pytest.fixture(scope="module")
def tree() -> dict[str, Any]:
    group = typer.main.get_command(commands.complete())
    assert isinstance(group, TyperGroup)
    return visible(group)


def test_these_are_the_commands(tree: dict[str, Any]) -> None:
    assert sorted(tree) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_and_so_has_each_option(tree: dict[str, Any], name: str) -> None:
    command = tree[name]
    assert command.help
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_can_be_asked_for(cli: Callable[..., Result], name: str) -> None:
    shown = cli(*name.split(), "--help")
    assert shown.exit_code == 0
    assert f"Usage: tidewaiter {name}" in shown.output


@pytest.mark.parametrize("words", [(), ("partner",), ("agency",), ("directory",), ("as2",)])
def test_alone_it_says_what_there_is(cli: Callable[..., Result], words: tuple[str, ...]) -> None:
    assert "Usage: tidewaiter" in cli(*words).output


def test_the_version(cli: Callable[..., Result]) -> None:
    shown = cli("--version")
    assert (shown.exit_code, shown.output) == (0, f"{__version__}\n")


@pytest.mark.parametrize("words", [("frobnicate",), ("status",), ("list", "--limit", "0"), ("submit",)])
def test_a_wrong_command_line_has_code_2(cli: Callable[..., Result], words: tuple[str, ...]) -> None:
    shown = cli(*words)
    assert shown.exit_code == 2
    assert "Usage" in shown.output


@pytest.mark.parametrize(
    ("given", "environment", "meant"),
    [
        ("a", {"TIDEWAITER_HOME": "b", "XDG_DATA_HOME": "c", "HOME": "d"}, "a"),
        (None, {"TIDEWAITER_HOME": "b", "XDG_DATA_HOME": "c", "HOME": "d"}, "b"),
        (None, {"XDG_DATA_HOME": "c", "HOME": "d"}, "c/tidewaiter"),
        (None, {"HOME": "d"}, "d/.local/share/tidewaiter"),
        (None, {"TIDEWAITER_HOME": "", "XDG_DATA_HOME": "", "HOME": "d"}, "d/.local/share/tidewaiter"),
    ],
)
def test_the_folder_meant(
    monkeypatch: pytest.MonkeyPatch, given: str | None, environment: dict[str, str], meant: str
) -> None:
    for name in ("TIDEWAITER_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert commands.home(pathlib.Path(given) if given else None) == pathlib.Path(meant)


def test_a_command_looks_into_the_folder_meant(
    cli: Callable[..., Result], starter: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert cli("check-config", env={"TIDEWAITER_HOME": str(starter)}).exit_code == 0
    (tmp_path / "tidewaiter").symlink_to(starter)
    empty = {"TIDEWAITER_HOME": None, "XDG_DATA_HOME": str(tmp_path)}
    assert cli("check-config", env=empty).exit_code == 0
    (tmp_path / "tidewaiter").unlink()
    missed = cli("check-config", env=empty)
    assert missed.exit_code == 2
    hint = "no gateway.toml here: run `tidewaiter init DIR`, or give --dir"
    assert missed.stderr == f"tidewaiter: {tmp_path}/tidewaiter: {hint}\n"
