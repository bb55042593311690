"""The history of lodgements folded into durations: from the e-document's last byte to the business answer.

The names t1, t3, t5 ... are those of lifecycle.TIMESTAMPS. A transaction may be recorded later than what it
tells happened (a delivery's attempt, when its answer overtook it), so nothing but the decision's own
transaction is read in the order of the events; the rest goes by their times.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from .instant import Instant, elapsed
from .lifecycle import EventKind
from .outcome import HAND_OVER, Outcome


class Population(enum.Enum):
    """Whom a duration is compared with. Fast rejections and slow officers would each bend the mean."""

    AUTOMATIC = "automatic"
    OFFICER = "officer"  # the clock stops where a hold, an inspection or a request for documents is recorded
    REJECTION = "rejection"


class SlaEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one lodgement. `data` has `agency`, `outcome`, `notification`, `push` where they apply."""

    lodgement: str
    kind: EventKind
    at: Instant
    data: Mapping[str, str] = {}


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The durations of one lodgement, in seconds; None where its end has not come.

    `processing` is t9 - t1, for an officer's e-document the hand-over less t1; `age` is what has passed since
    t1 at the evaluation. `agencies` has t7 - t5 of each agency, `gateway` the processing time (or age) less
    the time in which any agency had the declaration. `duplicates` came again and count nowhere.
    """

    lodgement: str
    type: str
    received: Instant
    population: Population
    age: float
    processing: float | None
    receipt: float | None
    delivery: float | None
    agencies: Mapping[str, float | None]
    gateway: float
    duplicates: int = 0


def timings(events: Iterable[SlaEvent], types: Mapping[str, str], *, now: Instant) -> tuple[Timing, ...]:
    """A Timing for each lodgement in `types` (lodgement -> declaration type) that was received, as of `now`.

    `events` stand in the order of the history; those of lodgements not in `types` are passed over.
    """
    histories: dict[str, _History] = defaultdict(_History)
    for event in events:
        if event.lodgement in types:
            histories[event.lodgement].take(event)
    return tuple(
        timing
        for lodgement, history in histories.items()
        if (timing := history.timing(lodgement, types[lodgement], now)) is not None
    )


_DECIDING = frozenset(outcome.value for outcome in Outcome)
_HANDING_OVER = frozenset(outcome.value for outcome in HAND_OVER)
_REACHED = frozenset(
    {
        EventKind.NOTIFICATION_STARTED,
        EventKind.NOTIFICATION_DELIVERED,
        EventKind.NOTIFICATION_PULLED,
    }
)
_ARRIVED = _REACHED - {EventKind.NOTIFICATION_STARTED}


class _History:
    """The instants of one lodgement that durations are made of."""

    def __init__(self) -> None:
        self.first: dict[EventKind, Instant] = {}
        self.started: dict[str, list[Instant]] = defaultdict(list)
        self.answered: dict[str, list[Instant]] = defaultdict(list)
        self.handed_over: list[Instant] = []
        self.notifications: dict[str, list[tuple[EventKind, Instant]]] = defaultdict(list)
        self.business: tuple[str, Instant, bool] | None = None
        self.duplicates = 0

    def take(self, event: SlaEvent) -> None:
        """Keep what `event` tells."""
        kind, data = event.kind, event.data
        self.first.setdefault(kind, event.at)
        if kind is EventKind.DUPLICATE:
            self.duplicates += 1
        elif kind is EventKind.DELIVERY_STARTED:
            self.started[data.get("agency", "")].append(event.at)
        elif kind is EventKind.ANSWERED and data.get("outcome") in _DECIDING:
            self.answered[data.get("agency", "")].append(event.at)
        elif kind is EventKind.NOTIFIED and self.business is None and self._decided():
            self.business = (data.get("notification", ""), event.at, data.get("push") == "1")
        elif kind in _REACHED:
            self.notifications[data.get("notification", "")].append((kind, event.at))
        if kind in (EventKind.ANSWERED, EventKind.DECIDED) and data.get("outcome") in _HANDING_OVER:
            self.handed_over.append(event.at)

    def timing(self, lodgement: str, kind: str, now: Instant) -> Timing | None:
        """The durations at `now`; None for a lodgement without its receipt of the last byte."""
        received = self.first.get(EventKind.RECEIVED)
        if received is None:
            return None
        told = self._told(received)
        handed = min((_since(received, at) for at in self.handed_over), default=None)
        age = _since(received, now)
        by_officer = handed is not None and (told is None or handed <= told)
        processing = handed if by_officer else told
        end = processing if processing is not None else age
        spans = {agency: self._span(agency, received, end) for agency in self.started}
        receipt = self.first.get(EventKind.RECEIPT_SENT)
        return Timing(
            lodgement=lodgement,
            type=kind,
            received=received,
            population=self._population(by_officer=by_officer),
            age=age,
            processing=processing,
            receipt=_since(received, receipt) if receipt is not None else None,
            delivery=self._delivery(received, told),
            agencies={agency: share for agency, (_, _, share) in spans.items()},
            gateway=end - _union([(start, until) for start, until, _ in spans.values()]),
            duplicates=self.duplicates,
        )

    def _decided(self) -> bool:
        """A notification before the decision (taxes, a registration) is not the business answer."""
        return EventKind.DECIDED in self.first or EventKind.REJECTED in self.first

    def _population(self, *, by_officer: bool) -> Population:
        if EventKind.REJECTED in self.first:
            return Population.REJECTION
        return Population.OFFICER if by_officer else Population.AUTOMATIC

    def _told(self, received: Instant) -> float | None:
        """t9 - t1: durable in the log and, where it is pushed, its first attempt begun (or it was pulled)."""
        if self.business is None:
            return None
        notification, durable, pushed = self.business
        if not pushed:
            return _since(received, durable)
        return min((_since(received, at) for _, at in self.notifications[notification]), default=None)

    def _delivery(self, received: Instant, told: float | None) -> float | None:
        if self.business is None or told is None:
            return None
        reached = self.notifications[self.business[0]]
        arrivals = [_since(received, at) for kind, at in reached if kind in _ARRIVED]
        return max(0.0, min(arrivals) - told) if arrivals else None

    def _span(self, agency: str, received: Instant, end: float) -> tuple[float, float, float | None]:
        """When `agency` had the declaration, within [0, end], and its share (None: it still has it).

        Its decision is the last one before the end: one that first only accepts has not finished.
        """
        start = min(_since(received, at) for at in self.started[agency])
        answers = [t for at in self.answered[agency] if start <= (t := _since(received, at)) <= end]
        if not answers:
            return min(start, end), end, None
        return min(start, end), max(answers), max(answers) - start


def _since(received: Instant, at: Instant) -> float:
    """Seconds after t1; a wall clock set back between two processes makes no negative duration."""
    return max(0.0, elapsed(received, at))


def _union(spans: list[tuple[float, float]]) -> float:
    """The time that any of the spans covers."""
    covered, reached = 0.0, 0.0
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
