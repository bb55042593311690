"""The cases of large attachments and of bombs: memory at its highest, and time that grows with size only."""

import pathlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tidewaiter.benchmarks.as2 import memory
from tidewaiter.benchmarks.as2.memory import MEGABYTE, Taken
from tidewaiter.benchmarks.results import Result, beside_floor

SIZES = (10, 50, 100)
# So often each size is done, in turns; the fastest counts.
ROUNDS = 3
STAGES = ("compose", "receive")
MEMORY_GOAL = "<= 4"
BOMB_SECONDS, BOMB_MIB = 0.1, 32


def large() -> list[Result]:
    """Attachments of 10, 50 and 100 MB, signed and encrypted, and 300 MB out of 300 KB."""
    with _folder() as folder:
        return [*_attachments(folder), *_bomb(folder)]


@contextmanager
def _folder() -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        memory.make(folder)
        yield folder


def _attachments(folder: pathlib.Path) -> list[Result]:
    taken: dict[tuple[str, int], Taken] = {}
    for _ in range(ROUNDS):
        for size in SIZES:
            memory.make_attachment(folder, size)
            for stage in STAGES:
                one = memory.measured(stage, folder)
                best = taken.get((stage, size), one)
                taken[stage, size] = min(best, one, key=lambda each: each.seconds)
    bare = memory.bare()
    return [row for stage in STAGES for row in _of_stage(stage, taken, bare)]


def _of_stage(stage: str, taken: dict[tuple[str, int], Taken], bare: int) -> Iterator[Result]:
    smallest, *larger = SIZES
    largest = larger[-1]
    used = (taken[stage, largest].highest - bare) / MEGABYTE
    name = f"{largest} MB attached: {stage}, peak MB above the interpreter"
    yield beside_floor(name, used, "MB attached", largest, goal=MEMORY_GOAL)
    for size in larger:
        yield beside_floor(
            f"{size} MB attached: {stage}, s/MB",
            taken[stage, size].seconds / size,
            f"{smallest} MB, s/MB",
            taken[stage, smallest].seconds / smallest,
            goal="about 1",
        )


def _bomb(folder: pathlib.Path) -> list[Result]:
    taken = min((memory.measured("inflate", folder) for _ in range(ROUNDS)), key=lambda each: each.seconds)
    name = "300 MB out of 300 KB: refused"
    return [
        beside_floor(f"{name}, s", taken.seconds, "limit", BOMB_SECONDS, goal="<= 1"),
        beside_floor(f"{name}, MiB above", taken.raised / 1024**2, "limit", BOMB_MIB, goal="<= 1"),
    ]
