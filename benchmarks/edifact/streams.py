"""The cases of interchanges too large to hold: memory at its highest, and time that grows with size only."""

import functools
import pathlib
import tempfile

from tidewaiter.benchmarks.edifact import material, memory, ours
from tidewaiter.benchmarks.results import Result, beside_floor
from tidewaiter.benchmarks.rounds import in_turns
from tidewaiter.codecs import edifact

LIMIT_MB = 60
SIZES = (1, 10, 100)
# Rounds of the sizes: a large one is its own average.
ROUNDS = {1: 5, 10: 2, 100: 1}


def streams(directory: edifact.Directory) -> list[Result]:
    """1, 10 and 100 MB read and validated message by message, and the memory of a process that does."""
    with tempfile.TemporaryDirectory() as folder:
        files = {size: _written(pathlib.Path(folder) / f"{size}.edi", size) for size in SIZES}
        return [*_memory(files[10]), *_times(files, directory)]


def _memory(file: pathlib.Path) -> list[Result]:
    rows = []
    for validate in (False, True):
        used = memory.above_the_interpreter(file, validate=validate) / material.MEGABYTE
        name = "10 MB message by message, peak MB above the interpreter"
        name += ": read + validated" if validate else ": read"
        rows.append(beside_floor(name, used, "limit", LIMIT_MB, goal=f"<= {LIMIT_MB} MB"))
    return rows


def _times(files: dict[int, pathlib.Path], directory: edifact.Directory) -> list[Result]:
    """Seconds for a megabyte, each size beside the smallest."""
    seconds: dict[int, float] = {}
    spread: dict[int, float] = {}
    for size, file in files.items():
        timed = in_turns({"read": functools.partial(_read, file, directory)}, ROUNDS[size])["read"]
        seconds[size] = timed.best / (file.stat().st_size / material.MEGABYTE)
        spread[size] = timed.spread
    first = SIZES[0]
    return [
        beside_floor(
            f"{size} MB message by message, read + validated, s/MB",
            seconds[size],
            f"{first} MB",
            seconds[first],
            goal="about 1",
            spread=spread[size],
        )
        for size in SIZES[1:]
    ]


def _read(file: pathlib.Path, directory: edifact.Directory) -> int:
    return ours.streamed(memory.pieces(file), directory)


def _written(file: pathlib.Path, megabytes: int) -> pathlib.Path:
    with file.open("wb") as opened:
        opened.writelines(material.chunks(megabytes * material.MEGABYTE))
    return file
