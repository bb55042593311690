"""A file piece by piece: all of it, once, whatever it is and however slowly it comes."""

import io
import pathlib
import sys

import pytest

from tidewaiter.codecs.document import Syntax
from tidewaiter.gateway.cli.intake import PIECE, FileError, taken_in


class Stdin:
    """Standard input that gives `size` octets at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        given = io.BytesIO(data)
        self.buffer = self
        self.read = given.read
        self.read1 = lambda _: given.read(size)


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
@pytest.mark.parametrize(
    ("data", "syntax"),
    [
        (b"", Syntax.EDIFACT),
        (b"UNB", Syntax.EDIFACT),
        (b"\xef\xbb\xbf <a/>" + b" " * 200, Syntax.XML),
        (b"UNA:+.? '" + bytes(range(256)) * 3, Syntax.EDIFACT),
    ],
)
def test_everything_is_taken_and_the_beginning_tells_the_syntax(
    monkeypatch: pytest.MonkeyPatch, data: bytes, syntax: Syntax, size: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(data, size))
    with taken_in("-") as intake:
        assert intake.syntax is syntax
        assert b"".join(intake.pieces) == data


def test_a_large_file_comes_in_pieces(tmp_path: pathlib.Path) -> None:
    data = b"UNA" + bytes(5 * PIECE)
    (tmp_path / "file").write_bytes(data)
    with taken_in(str(tmp_path / "file")) as intake:
        pieces = list(intake.pieces)
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= PIECE


@pytest.mark.parametrize(("name", "reason"), [("none", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: pathlib.Path, name: str, reason: str) -> None:
    file = str(tmp_path / name)
    with pytest.raises(FileError) as raised, taken_in(file):
        pass
    assert str(raised.value) == f"{file}: {reason}"


def test_a_name_that_no_file_has_is_no_traceback() -> None:
    with pytest.raises(FileError, match="null"), taken_in("a\0b"):
        pass


def test_a_read_that_fails_later_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Stdin):
        def __init__(self) -> None:
            super().__init__(b"UNA" + bytes(100), 64)
            good = self.read1
            left = [b"now"]
            self.read1 = lambda n: good(n) if left and left.pop() else self.fail()

        def fail(self) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", Broken())
    with pytest.raises(FileError, match=r"^-: Input/output error$"), taken_in("-") as intake:
        list(intake.pieces)
