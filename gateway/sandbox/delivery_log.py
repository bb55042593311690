"""The books of a sandbox agency: what it took and what it answered, one JSON line each, across restarts.

NAME.deliveries.jsonl   every delivery, the repeated ones too, written before it is acknowledged
NAME.answers.jsonl      every answer the gateway has taken
"""

import io
import pathlib
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from .script import Taken


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """A line of the deliveries. `key` is the Message-ID or Idempotency-Key, `sha256` of the document."""

    reference: str
    sha256: str
    accepted_at: str
    duplicate: bool
    key: str
    taken: Taken


class Answered(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """One line of the answers."""

    reference: str
    answered_at: str


_Line = TypeVar("_Line")


class DifferentDocument(Exception):  # noqa: N818 - named for what happened
    """A delivery came again under the same key with another document."""


class DeliveryLog:
    """Remembers deliveries by their key, in memory and on disk. One process writes, its own."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        deliveries, answers = folder / f"{name}.deliveries.jsonl", folder / f"{name}.answers.jsonl"
        self._first: dict[str, Entry] = {}
        for entry in read_lines(deliveries, Entry):
            self._first.setdefault(entry.key, entry)
        self._answered = {answer.reference for answer in read_lines(answers, Answered)}
        # Unbuffered: a line is with the system before the delivery is acknowledged: a killed agency keeps it.
        self._deliveries = _opened(deliveries)
        self._answers = _opened(answers)

    def take(self, entry: Entry) -> Entry:
        """Write `entry` down and return the first one under its key. Raises DifferentDocument."""
        first = self._first.setdefault(entry.key, entry)
        if first.sha256 != entry.sha256:
            raise DifferentDocument(entry.key)
        _append(self._deliveries, msgspec.structs.replace(entry, duplicate=first is not entry))
        return first

    def answered(self, reference: str, at: str) -> None:
        """The gateway has taken the answer to `reference`."""
        if reference in self._answered:
            return
        self._answered.add(reference)
        _append(self._answers, Answered(reference=reference, answered_at=at))

    def unanswered(self) -> tuple[Taken, ...]:
        """What was taken and not answered yet, oldest first."""
        return tuple(e.taken for e in self._first.values() if e.reference not in self._answered)

    def close(self) -> None:
        """Close both files."""
        self._deliveries.close()
        self._answers.close()


def read_lines(file: pathlib.Path, kind: type[_Line]) -> Iterator[_Line]:
    """The lines of `file`; a last one that a killed process left unfinished is no line."""
    if not file.exists():
        return
    for line in file.read_bytes().split(b"\n")[:-1]:
        yield msgspec.json.decode(line, type=kind)


def _opened(file: pathlib.Path) -> io.FileIO:
    """`file` for appending, without a line that a killed process left unfinished."""
    opened = file.open("ab", buffering=0)
    opened.truncate(file.read_bytes().rfind(b"\n") + 1)
    return opened


def _append(file: io.RawIOBase, line: msgspec.Struct) -> None:
    file.write(msgspec.json.encode(line) + b"\n")
