"""Every command and option that the README shows exists."""

import pathlib
import re
import shlex
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from tidewaiter.gateway.cli import commands
from tidewaiter.gateway.sandbox.samples import SAMPLES

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
# Outside of blocks, in backticks: `tidewaiter check-config --dir my-gateway`.
INLINE = re.findall(r"`(tidewaiter [^`\n]*)`", README)


def command_lines() -> list[str]:
    """Each `tidewaiter ...` line, joined where it goes on, without its comment."""
    joined = [block.replace("\\\n", " ") for block in BLOCKS]
    lines = [line.strip() for block in joined for line in block.splitlines()]
    return [line for line in lines if line.startswith("tidewaiter ")] + INLINE


def tree() -> TyperGroup:
    group = typer.main.get_command(commands.complete())
    assert isinstance(group, TyperGroup)
    return group


def parsed(line: str) -> tuple[Any, list[str]]:
    """The command meant, and the words after it."""
    words = shlex.split(line, comments=True)[1:]
    command: Any = tree()
    while isinstance(command, TyperGroup):
        assert words, f"{line}: no command"
        name = words.pop(0)
        assert name in command.commands, f"{line}: there is no command {name}"
        command = command.commands[name]
    return command, words


def test_there_is_something_to_check() -> None:
    assert len(command_lines()) > 12


@pytest.mark.parametrize("line", command_lines())
def test_a_command_of_the_readme_is_one(line: str) -> None:
    command, words = parsed(line)
    known = {name for parameter in command.params for name in parameter.opts}
    used = {word.split("=")[0] for word in words if word.startswith("--")}
    assert used <= known | {"--help"}
    # The whole of it can be parsed: no argument too many, none missing, no value that is none.
    command.make_context("tidewaiter", list(words), resilient_parsing=False).close()


@pytest.mark.parametrize("block", BLOCKS)
def test_make_has_what_the_readme_asks_it_for(block: str) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", block, re.MULTILINE)) <= targets


def test_samples_of_the_readme_are_shipped() -> None:
    named = set(re.findall(r"DIR/samples/([\w.-]+)", README))
    assert named
    assert named <= set(SAMPLES)


def test_options_in_the_text_exist() -> None:
    words = " ".join(re.findall(r"`(--[\w-]+)`", README)).split()
    every = set()
    pending: list[Any] = [tree()]
    while pending:
        command = pending.pop()
        pending += command.commands.values() if isinstance(command, TyperGroup) else []
        every |= {name for parameter in command.params for name in parameter.opts}
    assert set(words) <= every | {"--help"}


def test_files_the_readme_links_to_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if ":" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
