"""The inbound path, stage by stage and whole, beside its floor.

    python -m pytest benchmarks --benchmark-only

The order is that of the table. No time is asserted: what a stage costs is for a person to judge.
"""

import pathlib
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from anyio.from_thread import BlockingPortal
from pytest_benchmark.fixture import BenchmarkFixture

from tidewaiter.benchmarks.bench import STOPWATCH, WARM_UP, Bench
from tidewaiter.benchmarks.material import Declarations, composed, request_bytes
from tidewaiter.benchmarks.pairs import PAIRS
from tidewaiter.benchmarks.pipeline import Capturing, exchange, service_of
from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import clock
from tidewaiter.gateway.app import Gateway
from tidewaiter.gateway.as2 import Received, compose_mdn, identify, receive
from tidewaiter.gateway.http import Client
from tidewaiter.gateway.ledger import Change, Committed, open_ledger
from tidewaiter.gateway.sandbox.accounts import Account
from tidewaiter.gateway.sandbox.samples import sample

pytestmark = pytest.mark.benchmark(timer=STOPWATCH, disable_gc=False)

# Rounds of one pair: enough that one of them is not disturbed.
CALLS = 12
# A batch of 32 takes as long as several other rounds.
BATCH, BATCH_CALLS = 32, 4
ROUNDS, BATCH_ROUNDS = PAIRS * CALLS + WARM_UP, PAIRS * BATCH_CALLS + WARM_UP
PROCESSED = b"automatic-action/MDN-sent-automatically; processed"


def test_floor(benchmark: BenchmarkFixture, bench: Bench) -> None:
    """Beside itself: anything but 1.00 says how far the other ratios can be believed."""
    bench.run(benchmark.pedantic, "the floor itself", lambda: None, bench.floor, calls=CALLS)


def test_as2_receive(
    benchmark: BenchmarkFixture, bench: Bench, account: Account, gateway: Gateway, declarations: Declarations
) -> None:
    """From headers and body to the payload, and the signed MDN."""
    party = gateway.parties.partners["trader"]
    message = composed(declarations.new(), account)
    headers = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in message.headers)
    now = datetime.now(UTC)

    async def stage(_: None) -> None:
        identity = identify(headers)
        got = receive(identity, headers, message.body, party.terms, now=now)
        assert isinstance(got, Received)
        compose_mdn(
            identity,
            got.disposition,
            got.mic,
            party.terms,
            message_id="<1@bench>",
            now=now,
            boundary="b" * 32,
        )

    bench.run(benchmark.pedantic, "AS2: receive, signed MDN", lambda: None, stage, calls=CALLS)


def test_edifact_read(
    benchmark: BenchmarkFixture, bench: Bench, reader: Reader, declarations: Declarations
) -> None:
    """A CUSDEC of about 5 KB, read and validated."""
    assert reader.read(declarations.new()).valid

    async def stage(payload: bytes) -> None:
        reader.read(payload)

    name = f"EDIFACT of {len(declarations.new()):,} octets: read"
    bench.run(benchmark.pedantic, name, declarations.new, stage, calls=CALLS)


def test_xml_read(benchmark: BenchmarkFixture, bench: Bench, reader: Reader) -> None:
    """A declaration in XML, read and validated."""
    payload = sample("plants.xml")
    assert reader.read(payload).valid

    async def stage(payload: bytes) -> None:
        reader.read(payload)

    name = f"XML of {len(payload):,} octets: read"
    bench.run(benchmark.pedantic, name, lambda: payload, stage, calls=CALLS)


@pytest.mark.parametrize(
    ("batch", "calls", "rounds"), [(1, CALLS, ROUNDS), (BATCH, BATCH_CALLS, BATCH_ROUNDS)]
)
def test_ledger_commit(
    benchmark: BenchmarkFixture,
    bench: Bench,
    gateway: Gateway,
    account: Account,
    declarations: Declarations,
    portal: BlockingPortal,
    tmp_path: pathlib.Path,
    batch: int,
    calls: int,
    rounds: int,
) -> None:
    """The rows of acceptances, committed to a ledger of their own: `batch` in one transaction."""
    requests = [request_bytes(composed(declarations.new(), account), account) for _ in range(rounds * batch)]
    changes = portal.call(_changes_of, gateway, requests)
    batches = iter([changes[start : start + batch] for start in range(0, len(changes), batch)])
    with portal.wrap_async_context_manager(open_ledger(tmp_path / "ledger.db")) as ledger:

        async def stage(some: Sequence[Change]) -> None:
            results = await ledger.commit(some)
            assert all(isinstance(result, Committed) for result in results)

        name = f"ledger: accept, batch of {batch}"
        bench.run(benchmark.pedantic, name, lambda: next(batches), stage, calls=calls, documents=batch)


def test_whole_inbound_path(
    benchmark: BenchmarkFixture, bench: Bench, gateway: Gateway, account: Account, declarations: Declarations
) -> None:
    """From the bytes of a request to those of its MDN, one at a time; the declaration is durable by then."""
    requests = iter([request_bytes(composed(declarations.new(), account), account) for _ in range(ROUNDS)])
    service = service_of(gateway)

    async def stage(request: bytes) -> None:
        assert PROCESSED in await exchange(request, service)

    name = "request to MDN, durable"
    bench.run(benchmark.pedantic, name, lambda: next(requests), stage, calls=CALLS)


async def _changes_of(gateway: Gateway, requests: Sequence[bytes]) -> list[Change]:
    """What a gateway would commit for each request."""
    capturing = Capturing(gateway.ledger)
    service = service_of(Gateway(gateway.config, capturing, Client(clock=clock.instant)))
    for request in requests:
        assert PROCESSED in await exchange(request, service)
    assert len(capturing.changes) == len(requests)
    return capturing.changes
