"""docs/as2.md: its examples run, and its tables say what the code does."""

import pathlib
import re
import shlex
from typing import Any

import msgspec
import pytest
import typer
from typer.core import TyperGroup

from tidewaiter.gateway.as2 import Disposition, MdnKind
from tidewaiter.gateway.as2_settings import As2Settings
from tidewaiter.gateway.choices import ReceiptsName
from tidewaiter.gateway.cli import commands
from tidewaiter.gateway.config import GatewaySettings, LimitSettings, SigningSettings
from tidewaiter.gateway.weaknesses import load_algorithms

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "as2.md").read_text()
ROW = re.compile(r"^\| `([^`]+)` \|([^|]*)\|(?:([^|]*)\|)?$", re.MULTILINE)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
GOOD = {MdnKind.PROCESSED, MdnKind.WARNING, MdnKind.ERROR, MdnKind.FAILED}


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    return [text for given, text in FENCED.findall(PAGE) if given == language]


def kebab(name: str) -> str:
    return name.replace("_", "-")


def test_the_examples_run() -> None:
    examples = blocks("python")
    assert len(examples) > 5
    exec(compile("\n".join(examples), "docs/as2.md", "exec"), {})


def test_the_table_of_an_agreement_is_that_of_the_settings() -> None:
    rows = {key: default.strip(" `") for key, default, _ in ROW.findall(section("An agreement"))}
    fields = msgspec.structs.fields(As2Settings)
    assert list(rows) == [kebab(field.name) for field in fields]
    for field in fields:
        given = rows[kebab(field.name)]
        if field.required:
            assert given == ""
        else:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            assert msgspec.json.decode(given.encode()) == default, field.name


def test_what_an_agreement_may_allow_is_listed() -> None:
    (row,) = (what for key, _, what in ROW.findall(section("An agreement")) if key == "allow")
    assert set(re.findall(r"`([^`]+)`", row)) == set(load_algorithms(ROOT / "none").names)


@pytest.mark.parametrize("key", ["as2-name", "as2-url", "signing", "decryption"])
def test_our_own_keys_exist(key: str) -> None:
    assert f"`{key}`" in section("An agreement")
    assert key in {kebab(field.name) for field in msgspec.structs.fields(GatewaySettings)}


def test_the_limits_named_exist() -> None:
    named = set(re.findall(r"`limits\.([\w-]+)`", PAGE))
    assert len(named) > 2
    assert named <= {kebab(field.name) for field in msgspec.structs.fields(LimitSettings)}


def test_ways_of_receipts_are_named() -> None:
    for name in ReceiptsName.__args__:
        assert re.search(rf"\b{name}\b", section("An agreement"))


def test_every_disposition_is_explained_and_no_other() -> None:
    rows = [key for key, _, _ in ROW.findall(section("When it does not work"))]
    assert sorted(rows) == sorted(disposition.text for disposition in Disposition)


def test_every_receipt_that_proves_nothing_is_explained() -> None:
    text = section("When it does not work")
    assert [kind.value for kind in MdnKind if kind not in GOOD and f"(`{kind.value}`)" not in text] == []


def test_toml_examples_are_of_the_settings() -> None:
    partner, gateway = map(msgspec.toml.decode, blocks("toml"))
    msgspec.convert(partner["as2"], As2Settings)
    assert msgspec.convert(gateway["signing"], list[SigningSettings])[1].since is not None


def test_commands_are_as_the_command_line_has_them() -> None:
    lines = [line for block in blocks("") for line in block.splitlines()]
    assert len(lines) > 3
    group = typer.main.get_command(commands.app)
    for line in lines + re.findall(r"`(tidewaiter [^`\n]*FILE[^`\n]*)`", PAGE):
        words = shlex.split(line)[1:]
        command: Any = group
        while isinstance(command, TyperGroup):
            command = command.commands[words.pop(0)]
        command.make_context("tidewaiter", words).close()


def test_links_within_the_page_lead_somewhere() -> None:
    titles = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) == titles
