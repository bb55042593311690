"""The cases of interchanges too large to hold: memory at its highest, and time that grows with size only."""

import pathlib
import tempfile
import time
from collections.abc import Iterator

from tidewaiter.benchmarks.edifact import material, memory, ours
from tidewaiter.benchmarks.results import Result, beside_floor
from tidewaiter.codecs import edifact

LIMIT_MB = 60
SIZES = (10, 100)


def streams(directory: edifact.Directory) -> list[Result]:
    """10 and 100 MB read and validated message by message, and the memory of a process that reads 10."""
    with tempfile.TemporaryDirectory() as folder:
        files = [_written(pathlib.Path(folder) / f"{size}.edi", size) for size in SIZES]
        return [
            *_memory(files[0]),
            *(_linear(size, file, directory) for size, file in zip(SIZES, files, strict=True)),
        ]


def _memory(file: pathlib.Path) -> list[Result]:
    rows = []
    for validate in (False, True):
        used = memory.above_the_interpreter(file, validate=validate) / material.MEGABYTE
        name = "10 MB by message, peak MB above the interpreter: read"
        name += " + validated" if validate else ""
        rows.append(beside_floor(name, used, "limit", LIMIT_MB, goal=f"<= {LIMIT_MB} MB"))
    return rows


class _Pauses:
    """The pieces of a large interchange, and after every megabyte of it one interchange of a megabyte read
    whole: so both sizes meet the same machine, and the large one's time is what the small ones' leaves."""

    def __init__(self, file: pathlib.Path, directory: edifact.Directory) -> None:
        self._file, self._directory = file, directory
        self._small = material.interchange(material.MEGABYTE, seed=material.SEED + 1)
        self.seconds = 0.0
        self.megabytes = 0.0

    def __iter__(self) -> Iterator[bytes]:
        passed = 0
        for piece in memory.pieces(self._file):
            yield piece
            passed += len(piece)
            if passed >= material.MEGABYTE:
                passed -= material.MEGABYTE
                began = time.process_time()
                ours.streamed([self._small], self._directory)
                self.seconds += time.process_time() - began
                self.megabytes += len(self._small) / material.MEGABYTE


def _linear(size: int, file: pathlib.Path, directory: edifact.Directory) -> Result:
    """Seconds for a megabyte of a large interchange, beside those of small ones in between."""
    pauses = _Pauses(file, directory)
    began = time.process_time()
    ours.streamed(pauses, directory)
    seconds = time.process_time() - began - pauses.seconds
    return beside_floor(
        f"{size} MB by message, s/MB: read + validated",
        seconds / (file.stat().st_size / material.MEGABYTE),
        "1 MB, s/MB",
        pauses.seconds / pauses.megabytes,
        goal="about 1",
    )


def _written(file: pathlib.Path, megabytes: int) -> pathlib.Path:
    with file.open("wb") as opened:
        opened.writelines(material.chunks(megabytes * material.MEGABYTE))
    return file
