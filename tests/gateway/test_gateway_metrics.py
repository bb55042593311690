"""What is counted, and what is not."""

from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tidewaiter.gateway.decisions import Decisions
from tidewaiter.gateway.ledger import EventRecord
from tidewaiter.gateway.metrics import SECONDS, Metrics
from tidewaiter.gateway.outbound import Outbound
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.lifecycle import DeliveryState, EventKind

Make = Callable[..., bytes]
Counts = list[tuple[str, DeliveryState, int]]
NOW = Instant(utc_ns=1, monotonic_ns=1, process="test")
TIMES = "tidewaiter_document_seconds"
# A sample: its name, and its labels but for the name.
Found = dict[tuple[str, ...], float]


class Counting:
    """In place of the ledger: counts as the script says, each when it is let go."""

    def __init__(self, *counts: Counts) -> None:
        self._counts: Iterator[Counts] = iter(counts)
        self.gates: list[anyio.Event] = []

    async def delivery_counts(self) -> Counts:
        counts = next(self._counts)
        if self.gates:
            await self.gates.pop(0).wait()
        return counts


def told(**data: str) -> EventRecord:
    """An entry of a log became durable; empty data is left out."""
    data = {"class": "answer", "type": "import", "seconds": "9.6"} | data
    return EventRecord(kind=EventKind.NOTIFIED, at=NOW, data={k: v for k, v in data.items() if v})


async def read(metrics: Metrics, ledger: Any) -> Found:
    """Each sample of the page by its name and `label=value`, the labels in order."""
    page = await metrics.page(ledger)
    return {
        (one.name, *(f"{name}={value}" for name, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(page.decode())
        for one in family.samples
    }


async def counted(metrics: Metrics, *counts: tuple[str, DeliveryState, int]) -> Found:
    return await read(metrics, Counting(list(counts)))


@pytest.mark.anyio
async def test_processing_time_by_type_and_class() -> None:
    metrics = Metrics()
    metrics.committed([told(), told(seconds="0.2"), told(type="export"), told(**{"class": "rejection"})])
    found = await counted(metrics)
    answer = ("class=answer", "type=import")
    assert found[f"{TIMES}_count", *answer] == 2
    assert found[f"{TIMES}_sum", *answer] == pytest.approx(9.8)
    assert found[f"{TIMES}_bucket", "class=answer", "le=9.5", "type=import"] == 1
    assert found[f"{TIMES}_bucket", "class=answer", "le=10.5", "type=import"] == 2
    assert found[f"{TIMES}_count", "class=answer", "type=export"] == 1
    assert found[f"{TIMES}_count", "class=rejection", "type=import"] == 1


@pytest.mark.parametrize("level", [9.5, 10.5, 11.5])
def test_the_levels_of_the_service_agreement_are_bounds(level: float) -> None:
    """So that the share within each level can be read off, not guessed at."""
    assert level in SECONDS
    assert list(SECONDS) == sorted(set(SECONDS))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "event",
    [
        told(**{"class": "acknowledgement"}),
        told(**{"class": ""}),
        told(seconds=""),
        EventRecord(
            kind=EventKind.DECIDED, at=NOW, data={"class": "answer", "type": "import", "seconds": "1"}
        ),
    ],
)
async def test_what_is_no_answer_to_a_declaration_is_not_counted(event: EventRecord) -> None:
    """A CONTRL that acknowledges, an entry about no lodgement, any other event."""
    metrics = Metrics()
    metrics.committed([event])
    assert not any(name.startswith(TIMES) for name, *_ in await counted(metrics))


@pytest.mark.anyio
async def test_receipts_by_channel_and_outcome() -> None:
    metrics = Metrics()
    for outcome in ("accepted", "accepted", "duplicate"):
        metrics.receipt("as2", outcome)
    metrics.receipt("https", "accepted")
    found = await counted(metrics)
    assert found["tidewaiter_receipts_total", "channel=as2", "outcome=accepted"] == 2
    assert found["tidewaiter_receipts_total", "channel=as2", "outcome=duplicate"] == 1
    assert found["tidewaiter_receipts_total", "channel=https", "outcome=accepted"] == 1


@pytest.mark.anyio
async def test_deliveries_by_agency_and_state() -> None:
    """The queue is what waits to be sent: not what was sent, nor what a person must see to."""
    counts = [("health", state, number) for number, state in enumerate(DeliveryState, 1)]
    found = await counted(Metrics(), *counts, ("customs", DeliveryState.PENDING, 10))
    for agency, state, number in counts:
        assert found["tidewaiter_deliveries", f"agency={agency}", f"state={state.value}"] == number
    numbers = {state: number for _, state, number in counts}
    queue = numbers[DeliveryState.PENDING] + numbers[DeliveryState.SENDING] + 10
    assert found["tidewaiter_queue_depth",] == queue


@pytest.mark.anyio
async def test_what_is_no_longer_there_is_no_longer_shown() -> None:
    metrics = Metrics()
    await counted(metrics, ("health", DeliveryState.PENDING, 3))
    found = await counted(metrics, ("health", DeliveryState.SENT, 3))
    assert ("tidewaiter_deliveries", "agency=health", "state=pending") not in found
    assert found["tidewaiter_deliveries", "agency=health", "state=sent"] == 3
    assert found["tidewaiter_queue_depth",] == 0


@pytest.mark.anyio
async def test_two_who_ask_at_once_each_see_one_moment() -> None:
    """The one asked first is answered first; what it counted must not be left in the other's page."""
    metrics = Metrics()
    pages: list[Found] = []
    ledger = Counting([("health", DeliveryState.PENDING, 3)], [("health", DeliveryState.SENT, 3)])
    first, second, answered = anyio.Event(), anyio.Event(), anyio.Event()
    ledger.gates = [first, second]

    async def ask() -> None:
        pages.append(await read(metrics, ledger))
        answered.set()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            first.set()
            await answered.wait()
            second.set()
    early, late = pages
    assert early["tidewaiter_deliveries", "agency=health", "state=pending"] == 3
    assert ("tidewaiter_deliveries", "agency=health", "state=pending") not in late


def test_two_gateways_count_for_themselves() -> None:
    """A registry of its own: two in one process do not meet."""
    one, other = Metrics(), Metrics()
    one.receipt("as2", "accepted")
    labels = {"channel": "as2", "outcome": "accepted"}
    assert one.registry.get_sample_value("tidewaiter_receipts_total", labels) == 1
    assert other.registry.get_sample_value("tidewaiter_receipts_total", labels) is None


@pytest.mark.anyio
async def test_what_a_gateway_does_is_counted(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document("invalid.xml"))
    await bench.lodge(make_document())
    found = await read(bench.metrics, bench.ledger)
    assert found["tidewaiter_receipts_total", "channel=https", "outcome=accepted"] == 1
    assert found["tidewaiter_receipts_total", "channel=https", "outcome=rejected"] == 1
    assert found[f"{TIMES}_count", "class=rejection", "type=export"] == 1
    assert found["tidewaiter_queue_depth",] == 2
    assert found["tidewaiter_deliveries", "agency=customs", "state=pending"] == 1
    bench.now.tick(10)
    await bench.answer("health", await bench.delivery("health", "MER-26-004171"), "03")
    found = await read(bench.metrics, bench.ledger)
    assert found[f"{TIMES}_count", "class=answer", "type=import"] == 1
    assert found[f"{TIMES}_sum", "class=answer", "type=import"] == pytest.approx(10)
    assert found["tidewaiter_deliveries", "agency=health", "state=answered"] == 1
    assert found["tidewaiter_queue_depth",] == 1


@pytest.mark.anyio
async def test_a_real_acknowledgement_is_no_answer(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document(ack=True))
    assert len(await bench.notes()) == 1
    assert not any(name.startswith(TIMES) for name, *_ in await read(bench.metrics, bench.ledger))


@pytest.mark.anyio
async def test_an_answer_in_the_response_to_a_delivery_is_counted_too(
    bench: Any, make_document: Make, make_res: Make
) -> None:
    """What agencies say at once comes this way: without it the histogram would be of the slow ones."""
    decisions = Decisions(
        bench.ledger,
        bench.parties,
        bench.parties.agency_values(),
        bench.answers,
        bench.reader,
        bench.now,
        committed=bench.metrics.committed,
    )
    bench.outbound = Outbound(
        bench.ledger, bench.parties, bench.answers, decisions, bench.sender, bench.now, lambda: 0.5
    )
    await bench.lodge(make_document())
    bench.now.tick(10)
    delivery = await bench.delivery("health")
    bench.peer.will((200, (("Content-Type", "application/xml"),), make_res(delivery, "03")))
    assert await bench.attempt()
    found = await read(bench.metrics, bench.ledger)
    assert found[f"{TIMES}_count", "class=answer", "type=import"] == 1
    assert found[f"{TIMES}_sum", "class=answer", "type=import"] == pytest.approx(10)
