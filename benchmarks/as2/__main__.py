"""Run the cases, print the table, write benchmarks/out/as2.json.

python -m tidewaiter.benchmarks.as2 [--quick]
"""

import argparse
import pathlib
import time

from rich.text import Text

from tidewaiter.benchmarks.as2 import cases, peers
from tidewaiter.benchmarks.as2.large import large
from tidewaiter.benchmarks.pairs import PAIRS, SPREAD_LIMIT, floor_spread
from tidewaiter.benchmarks.results import console, table_of, write
from tidewaiter.gateway.sandbox.machine import machine

_QUICK_ROUNDS = 2


def main() -> None:
    """Everything, or with --quick what takes some seconds."""
    parser = argparse.ArgumentParser(prog="python -m tidewaiter.benchmarks.as2")
    parser.add_argument("--quick", action="store_true", help="the goals of small messages; writes nothing")
    quick = parser.parse_args().quick
    out = console()
    began = time.perf_counter()
    measured = _small(quick=quick)
    results = [row for case in measured for row in case.rows]
    if not quick:
        results += large()
    out.print(table_of(results, "AS2: seconds of the processor, the median of the pairs"))
    out.print(_verdict(max(floor_spread([case.floor]) for case in measured)))
    if not peers.is_there():
        out.print(peers.MISSING)
    out.print(str(machine(pathlib.Path.cwd())), style="dim")
    if not quick:
        out.print(f"Written to {write(results, 'as2.json')} after {time.perf_counter() - began:.0f} s")


def _small(*, quick: bool) -> list[cases.Case]:
    rounds = _QUICK_ROUNDS if quick else cases.ROUNDS
    suites = [each for each in cases.SUITES if each[1].receive] if quick else cases.SUITES
    return [case for suite, goals in suites for case in cases.of_suite(suite, goals, rounds)]


def _verdict(spread: float) -> Text:
    told = f"Each floor beside itself over {PAIRS} pairs: spread {spread:.1%} at the most"
    if spread > SPREAD_LIMIT:
        return Text(f"{told}. VOID: above {SPREAD_LIMIT:.0%} no ratio counts.", style="bold red")
    return Text(f"{told}: within {SPREAD_LIMIT:.0%}, the ratios count.", style="green")


if __name__ == "__main__":
    main()
