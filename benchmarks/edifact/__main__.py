"""Run the cases, print the table, write benchmarks/out/edifact.json.

python -m tidewaiter.benchmarks.edifact [--quick]
"""

import argparse
import pathlib
import time

from tidewaiter.benchmarks.edifact import cases
from tidewaiter.benchmarks.edifact.streams import streams
from tidewaiter.benchmarks.results import Result, console, table_of, write
from tidewaiter.gateway import resources
from tidewaiter.gateway.sandbox.machine import machine


def main() -> None:
    """Everything, or with --quick what takes some fifteen seconds."""
    parser = argparse.ArgumentParser(prog="python -m tidewaiter.benchmarks.edifact")
    parser.add_argument("--quick", action="store_true", help="1 MB and one message only; writes nothing")
    quick = parser.parse_args().quick
    out = console()
    began = time.perf_counter()
    results = _run(quick=quick)
    out.print(table_of(results, "EDIFACT: seconds of the processor, best of the rounds"))
    out.print(str(machine(pathlib.Path.cwd())), style="dim")
    if quick:
        return
    out.print(f"Written to {write(results, 'edifact.json')} after {time.perf_counter() - began:.0f} s")


def _run(*, quick: bool) -> list[Result]:
    directory = resources.directory()
    results = cases.bulk(1, 3 if quick else 7, directory)
    results += cases.single(10 if quick else 25, directory)
    if quick:
        return results
    results += cases.declarations(15, directory)
    results += cases.segments(15)
    results += cases.charsets(3, directory)
    results += streams(directory)
    results += cases.bulk(10, 2, directory)
    return results


if __name__ == "__main__":
    main()
