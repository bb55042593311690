"""The directory as shipped, an envelope, and interchanges made of the segments a test is about."""

import datetime
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tidewaiter.codecs.edifact import Directory, Envelope, Interchange, read_interchange

TABLES = pathlib.Path(__file__).resolve().parents[2] / "conf" / "directories"
MOMENT = datetime.datetime(2026, 5, 4, 13, 7, 9, tzinfo=datetime.UTC)


@pytest.fixture(scope="session")
def directory() -> Directory:
    """Every table the project ships."""
    return Directory.load(*(path.read_bytes() for path in sorted(TABLES.glob("*.json"))))


@pytest.fixture(scope="session")
def envelope() -> Envelope:
    """From the gateway to an agency."""
    return Envelope(sender="GATEWAY", recipient="AGENCY", reference="D0123456789ABC", prepared=MOMENT)


def wrap(*segments: str, name: str = "CUSDEC:D:96B:UN", level: str = "UNOC:3") -> bytes:
    """An interchange of one message with these segments and counts that are right."""
    body = "".join(f"{segment}'" for segment in segments)
    head = f"UNB+{level}+TRADER+GATEWAY+260504:1307+REF1'UNH+1+{name}'"
    return f"{head}{body}UNT+{len(segments) + 2}+1'UNZ+1+REF1'".encode("latin-1")


@pytest.fixture
def make() -> Callable[..., Interchange]:
    """Read an interchange of one message with these segments."""
    return lambda *segments, **options: read_interchange(wrap(*segments, **options))


@pytest.fixture
def bytes_of() -> Callable[..., bytes]:
    """The octets of an interchange of one message with these segments."""
    return wrap


@pytest.fixture(scope="session")
def accepts() -> Callable[[Sequence[Any], Sequence[str]], bool]:
    """Says if tags are a message of a structure: what the walk is held against."""
    return _accepts


def _accepts(nested: Sequence[Any], tags: Sequence[str]) -> bool:
    """True if `tags` are a message of this structure: every way is tried, nothing is preferred."""
    memo: dict[tuple[int, int], set[int]] = {}

    def sequence(members: Sequence[Any], starts: set[int]) -> set[int]:
        for member in members:
            _, mandatory, limit = (member if isinstance(member, str) else member[0]).split()
            reached = set() if mandatory == "M" else set(starts)
            frontier = starts
            for _ in range(int(limit)):
                frontier = {end for start in frontier for end in once(member, start)} - reached
                if not frontier:
                    break
                reached |= frontier
            starts = reached
        return starts

    def once(member: Any, start: int) -> set[int]:
        if isinstance(member, str):
            return {start + 1} if start < len(tags) and tags[start] == member[:3] else set()
        key = (id(member), start)
        if key not in memo:
            memo[key] = sequence(member[1:], {start})
        return memo[key]

    return len(tags) in sequence(nested, {0})
