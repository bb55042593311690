"""What a process holds at its highest, and the interchange on disk that it reads.

    python -m tidewaiter.benchmarks.edifact.memory FILE [--validate]

reads FILE message by message and prints the highest resident set of this process in bytes.
"""

import argparse
import functools
import pathlib
import resource
import subprocess
import sys
from collections.abc import Iterator

from tidewaiter.benchmarks.edifact import ours

CHUNK = 64 * 1024
_STATUS = pathlib.Path("/proc/self/status")
_KIB = 1024
# The same reading in an interpreter that has imported nothing of ours.
BARE = f"""
import resource
try:
    print(next(int(line.split()[1]) for line in open({str(_STATUS)!r}) if line.startswith("VmHWM")) * 1024)
except OSError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def highest() -> int:
    """The highest resident set of this process so far, in bytes.

    Linux counts the memory of the process that started this one into ru_maxrss, so it is asked elsewhere.
    """
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * _KIB


def above_the_interpreter(file: pathlib.Path, *, validate: bool) -> int:
    """How far a process that reads `file` rises above an interpreter that does nothing, in bytes."""
    bare = _printed("-c", BARE)
    module = "tidewaiter.benchmarks.edifact.memory"
    return _printed("-m", module, str(file), *(["--validate"] if validate else [])) - bare


def pieces(file: pathlib.Path) -> Iterator[bytes]:
    """The content of `file` in pieces."""
    with file.open("rb") as opened:
        yield from iter(functools.partial(opened.read, CHUNK), b"")


def _printed(*arguments: str) -> int:
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
    return int(done.stdout)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tidewaiter.benchmarks.edifact.memory")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--validate", action="store_true")
    given = parser.parse_args()
    directory = None
    if given.validate:
        from tidewaiter.gateway import resources  # noqa: PLC0415 - reading alone does not hold it

        directory = resources.directory()
    ours.streamed(pieces(given.file), directory)
    sys.stdout.write(f"{highest()}\n")


if __name__ == "__main__":
    _main()
