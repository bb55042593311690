"""A file or standard input piece by piece: what it is by its first octets, and then the rest as it comes."""

import contextlib
import pathlib
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from ...codecs.document import Syntax, sniff

# Octets asked for at once; a pipe may give less.
PIECE = 65_536
# Enough for `sniff`.
FIRST = 64
STDIN = "-"


class FileError(Exception):
    """A file cannot be read or written; the text is its name and the reason, as the system says it."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"{name}: {getattr(error, 'strerror', None) or error}")


class Intake(NamedTuple):
    """What a file is, and its octets, once."""

    syntax: Syntax
    pieces: Iterable[bytes]


@contextlib.contextmanager
def taken_in(name: str) -> Iterator[Intake]:
    """The file `name`, or standard input for `-`. Raises FileError, also while its octets are taken."""
    with contextlib.ExitStack() as stack:
        pieces = _pieces(name, _opened(name, stack))
        first = b""
        for piece in pieces:
            first += piece
            if len(first) >= FIRST:
                break
        yield Intake(sniff(first), _chained(first, pieces))


def _opened(name: str, stack: contextlib.ExitStack) -> BinaryIO:
    if name == STDIN:
        return sys.stdin.buffer
    try:
        return stack.enter_context(pathlib.Path(name).open("rb"))
    except (OSError, ValueError) as error:
        raise FileError(name, error) from error


def _pieces(name: str, file: BinaryIO) -> Iterator[bytes]:
    """What is there, without waiting until a piece is full: a pipe may be slow."""
    read = getattr(file, "read1", file.read)
    try:
        while piece := read(PIECE):
            yield piece
    except OSError as error:
        raise FileError(name, error) from error


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
