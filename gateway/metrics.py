"""What is counted, for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ..routing.lifecycle import DeliveryState, EventKind
from .ledger import EventRecord, Ledger

# Bounds around the three levels of the service agreement, 9.5, 10.5 and 11.5 s; below, for the gateway's own.
SECONDS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    7.5,
    9.5,
    10.5,
    11.5,
    15.0,
    30.0,
    60.0,
    300.0,
    3600.0,
)
# The business answers; a CONTRL that acknowledges is none.
COUNTED = frozenset({"answer", "rejection"})
WAITING = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})


class Metrics:
    """The gateway's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._documents = Histogram(
            "tidewaiter_document_seconds",
            "E-document processing time: from the last byte received to the answer in the log",
            ("type", "class"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._receipts = Counter(
            "tidewaiter_receipts", "Receipts given", ("channel", "outcome"), registry=self.registry
        )
        self._deliveries = Gauge(
            "tidewaiter_deliveries",
            "Deliveries by agency and state",
            ("agency", "state"),
            registry=self.registry,
        )
        self._queue = Gauge("tidewaiter_queue_depth", "Deliveries waiting to be sent", registry=self.registry)

    def receipt(self, channel: str, outcome: str) -> None:
        """A receipt was given."""
        self._receipts.labels(channel, outcome).inc()

    def committed(self, events: Iterable[EventRecord]) -> None:
        """These events are durable."""
        for event in events:
            if (
                event.kind is EventKind.NOTIFIED
                and event.data.get("class") in COUNTED
                and "seconds" in event.data
            ):
                series = self._documents.labels(event.data["type"], event.data["class"])
                series.observe(float(event.data["seconds"]))

    async def page(self, ledger: Ledger) -> bytes:
        """The exposition, with the deliveries as the ledger counts them now."""
        counts = await ledger.delivery_counts()
        # From here on nobody else gets a turn: a page is of one moment, whoever asks beside us.
        self._deliveries.clear()
        waiting = 0
        for agency, state, count in counts:
            self._deliveries.labels(agency, state.value).set(count)
            waiting += count if state in WAITING else 0
        self._queue.set(waiting)
        return generate_latest(self.registry)
