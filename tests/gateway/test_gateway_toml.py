"""TOML to values: whatever is wrong is one line with the file, the line, the key and the reason."""

import pathlib
from typing import Literal

import msgspec
import pytest

from tidewaiter.gateway.toml import ConfigError, read_toml

Word = Literal["b", "a"]


class Words(msgspec.Struct):
    one: Word = "a"
    some: tuple[Word, ...] = ()
    listed: list[Word] = []
    named: dict[str, Word] = {}
    below: "Words | None" = None


class Inner(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    free_disk: int = 0


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    size: int = 1
    inner: Inner = msgspec.field(default_factory=Inner)


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    limits: Inner = msgspec.field(default_factory=Inner)
    entry: list[Entry] = []


def write(folder: pathlib.Path, text: str | bytes) -> pathlib.Path:
    file = folder / "a.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_good_file_is_a_value(tmp_path: pathlib.Path) -> None:
    file = write(tmp_path, 'name = "x"\n[limits]\nfree-disk = 3\n[[entry]]\nname = "e"\n')
    assert read_toml(file, Outer) == Outer("x", Inner(3), [Entry("e")])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "x"\n\nnmae = "y"\n', ":3: nmae: unknown key"),
        ('name = "x"\n[limits]\n# a comment\nfree_disk = 1\n', ":4: limits.free_disk: unknown key"),
        ('name = "x"\n[limit]\nfree-disk = 1\n', ":2: limit: unknown key"),
        ('name = "x"\nlimits.free-disc = 1\n', ":2: limits.free-disc: unknown key"),
        ("\nname = 7\n", ":2: name: Expected `str`, got `int`"),
        ('name = "x"\n[limits]\nfree-disk = "much"\n', ":3: limits.free-disk: Expected `int`, got `str`"),
        ("[limits]\nfree-disk = 1\n", ": missing key name"),
        ('name = "x"\n[[entry]]\nname = "a"\n[[entry]]\nsize = 2\n', ":4: entry: missing key name"),
        (
            'name = "x"\n[[entry]]\nname = "a"\n[[entry]]\nname = "b"\nsice = 2\n',
            ":6: entry.sice: unknown key",
        ),
        (
            'name = "x"\n[[entry]]\nname = "a"\n[[entry]]\nname = "b"\n[entry.inner]\nfree-disk = "x"\n',
            ":7: entry.inner.free-disk: Expected `int`, got `str`",
        ),
    ],
)
def test_a_bad_key_is_named_with_its_line(tmp_path: pathlib.Path, text: str, told: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_toml(file, Outer)
    assert str(caught.value) == f"{file}{told}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"name = \n", "line 1"), (b'name = "\xff"\n', "is not UTF-8"), (b"a = 1\na = 2\n", "overwrite")],
)
def test_what_is_no_toml_is_one_line(tmp_path: pathlib.Path, content: bytes, reason: str) -> None:
    file = write(tmp_path, content)
    with pytest.raises(ConfigError) as caught:
        read_toml(file, Outer)
    assert str(caught.value).startswith(f"{file}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: No such file or directory"):
        read_toml(tmp_path / "missing.toml", Outer)


@pytest.mark.parametrize(
    "text",
    [
        'one = "c"',
        'some = ["a", "c"]',
        'listed = ["c"]',
        'named.x = "c"',
        'below.one = "c"',
        'below.below.some = ["c"]',
    ],
)
def test_the_words_a_key_takes_are_told(tmp_path: pathlib.Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"Invalid enum value 'c'; it takes a, b$"):
        read_toml(write(tmp_path, text), Words)
