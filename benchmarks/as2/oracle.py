"""Does the time of an answer tell why a message failed inside encryption?

    python -m tidewaiter.benchmarks.as2.oracle [--n 100000] [--connections 20] [--hold SECONDS]

starts a gateway with a listener of its own, sends it messages of every cause of `probes` in random order,
and holds the times of the answers against each other: Welch's t of every pair, and of each cause beside all
others. Ends with 1 if one of them is 4.5 or more, or if an answer differs in more than ids, dates and its
signature.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import anyio
import msgspec
import structlog
from rich.table import Table

from tidewaiter.benchmarks.as2.prober import Errand, Times
from tidewaiter.benchmarks.as2.probes import Cause, Probes
from tidewaiter.benchmarks.as2.welch import CROP, LIMIT, Comparison, compared
from tidewaiter.benchmarks.results import console
from tidewaiter.gateway.app import open_gateway
from tidewaiter.gateway.as2 import write_name
from tidewaiter.gateway.config import Config, load_config
from tidewaiter.gateway.sandbox.accounts import Account, load_account
from tidewaiter.gateway.sandbox.machine import machine
from tidewaiter.gateway.scaffold import Ports, make_starter

N, CONNECTIONS, SEED = 100_000, 20, 20261122
# A bomb takes as long as twenty others, and the loop for itself: more of them would measure their queue.
RARE = {Cause.BOMB: 5}
# So many messages of each cause are made, so that nothing hangs on one of them.
VARIANTS = 8
_NOWHERE = Ports(https=0, http=0, operations=0)


class Verdict(msgspec.Struct, frozen=True):
    """What came of a run. `answers` is how many different ones there were: one, if nothing shows."""

    comparisons: list[Comparison]
    answers: int
    processor: float
    """The share of one processor that the gateway had."""

    @property
    def is_told(self) -> bool:
        """Whether anything shows, in time or in octets."""
        return self.answers != 1 or any(each.is_told for each in self.comparisons)


async def examine(
    folder: pathlib.Path,
    *,
    loop: str,
    number: int,
    hold: float | None = None,
    connections: int = CONNECTIONS,
    seed: int = SEED,
    causes: Sequence[Cause] = tuple(Cause),
) -> Verdict:
    """Make a gateway in `folder` for the loop that runs (`trio` or `uvloop`), send it `number` messages, and
    compare. `hold` replaces the default of `limits.concealed-seconds`; 0 switches it off."""
    make_starter(folder, now=datetime.now(UTC), ports=_NOWHERE, loop=loop)
    config = _held(load_config(folder), hold)
    account = load_account(folder, "trader")
    bodies = _bodies(account, causes)
    async with open_gateway(config) as gateway, anyio.create_task_group() as group:
        await group.start(gateway.run)
        counts = _counts(number, causes)
        errand = Errand(gateway.ports["http"], _headers(account), bodies, counts, connections, seed)
        began, used = time.perf_counter(), time.process_time()
        times = await _sent(folder, errand)
        processor = (time.process_time() - used) / (time.perf_counter() - began)
        group.cancel_scope.cancel()
    forms = {form for answers in times.answers.values() for form in answers}
    return Verdict(compared(times.seconds), len(forms), processor)


async def _sent(folder: pathlib.Path, errand: Errand) -> Times:
    file = anyio.Path(folder) / "errand"
    await file.write_bytes(msgspec.msgpack.encode(errand))
    await anyio.run_process(
        [sys.executable, "-m", "tidewaiter.benchmarks.as2.prober", str(file)], stderr=None
    )
    return msgspec.msgpack.decode(await file.with_suffix(".times").read_bytes(), type=Times)


def _held(config: Config, hold: float | None) -> Config:
    if hold is None:
        return config
    replace = msgspec.structs.replace
    limits = replace(config.gateway.limits, concealed_seconds=hold)
    return replace(config, gateway=replace(config.gateway, limits=limits))


def _bodies(account: Account, causes: Sequence[Cause]) -> dict[str, list[bytes]]:
    terms = account.terms
    assert terms is not None
    assert terms.signer is not None
    assert terms.their_encryption is not None
    probes = Probes(terms.their_encryption, terms.signer)
    return {cause.value: [probes.new(cause) for _ in range(VARIANTS)] for cause in causes}


def _counts(number: int, causes: Sequence[Cause]) -> dict[str, int]:
    """`number` shared out among `causes`."""
    shares = {cause: 1 / RARE.get(cause, 1) for cause in causes}
    return {cause.value: round(number * share / sum(shares.values())) for cause, share in shares.items()}


def _headers(account: Account) -> list[tuple[str, str]]:
    terms = account.terms
    assert terms is not None
    options = "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256"
    return [
        ("AS2-Version", "1.2"),
        ("AS2-From", write_name(terms.our_name)),
        ("AS2-To", write_name(terms.their_name)),
        ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"),
        ("Disposition-Notification-To", "bench"),
        ("Disposition-Notification-Options", options),
    ]


def table_of(verdict: Verdict) -> Table:
    """Every comparison, the worst first."""
    table = Table(title="Times of answers to what fails inside encryption", title_justify="left")
    for heading in ("cause", "beside"):
        table.add_column(heading)
    for heading in ("n", "n", "mean ms", "mean ms", "t", f"t of {1 - CROP:.0%}", ""):
        table.add_column(heading, justify="right")
    for each in sorted(verdict.comparisons, key=lambda each: -each.worst):
        table.add_row(
            each.one,
            each.other,
            *(f"{count:,}" for count in each.counts),
            *(f"{mean * 1000:.3f}" for mean in each.means),
            f"{each.t:+.2f}",
            f"{each.cropped:+.2f}",
            "TOLD" if each.is_told else f"< {LIMIT}",
        )
    return table


def main() -> int:
    """Run it as asked, print, and return 1 if anything shows."""
    parser = argparse.ArgumentParser(prog="python -m tidewaiter.benchmarks.as2.oracle")
    parser.add_argument("--n", type=int, default=N, help="messages in all")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--hold", type=float, help="seconds; 0 switches the hold off, to see what it hides")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--loop", choices=("trio", "uvloop"), default="trio")
    given = parser.parse_args()
    _silence()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        verdict = anyio.run(
            lambda: examine(
                pathlib.Path(folder) / "gateway",
                loop=given.loop,
                number=given.n,
                hold=given.hold,
                connections=given.connections,
                seed=given.seed,
            ),
            backend="trio" if given.loop == "trio" else "asyncio",
            backend_options={} if given.loop == "trio" else {"use_uvloop": True},
        )
    out = console()
    out.print(table_of(verdict))
    out.print(
        f"About {given.n:,} messages in {time.perf_counter() - began:.0f} s on {given.loop}, the gateway had "
        f"{verdict.processor:.0%} of a processor; t of {1 - CROP:.0%} is without the slowest {CROP:.0%} "
        f"of all; answers that differ in more than ids, dates and signature: {verdict.answers - 1}"
    )
    worst = max(each.worst for each in verdict.comparisons)
    out.print(f"Worst t {worst:.2f}: {'TOLD' if verdict.is_told else 'nothing shows'}", style="bold")
    out.print(str(machine(pathlib.Path.cwd())), style="dim")
    return int(verdict.is_told)


def _silence() -> None:
    """The log as the gateway writes it, to nowhere: its lines are a part of the work."""
    nowhere = open(os.devnull, "w")  # noqa: SIM115 - as long as the process
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(file=nowhere),
    )


if __name__ == "__main__":
    sys.exit(main())
