"""Histories become durations, whatever order their events were written in."""

import pytest

from tidewaiter.routing.instant import Instant
from tidewaiter.routing.lifecycle import EventKind as E
from tidewaiter.routing.timeline import Population, SlaEvent, Timing, timings

SECOND = 1_000_000_000
PUSHED = {"notification": "N1", "push": "1"}
STORED = {"notification": "N1", "push": "0"}


def at(seconds: float, process: str = "a") -> Instant:
    return Instant(int((1_000_000 + seconds) * SECOND), int((500 + seconds) * SECOND), process)


def event(kind: E, seconds: float, /, lodgement: str = "L1", process: str = "a", **data: str) -> SlaEvent:
    return SlaEvent(lodgement=lodgement, kind=kind, at=at(seconds, process), data=data)


def timed(*events: SlaEvent, now: float = 100.0) -> Timing:
    (timing,) = timings(events, {"L1": "export"}, now=at(now))
    return timing


# Two agencies, overlapping from 1.0 to 4.0; the business answer at 5.0 and delivered at 6.0.
RELEASE = [
    event(E.RECEIVED, 0.0),
    event(E.VALIDATED, 0.05),
    event(E.ROUTED, 0.1, agencies="customs,food"),
    event(E.DURABLE, 0.1),
    event(E.RECEIPT_SENT, 0.2),
    event(E.DELIVERY_STARTED, 1.0, agency="customs"),
    event(E.DELIVERY_STARTED, 2.0, agency="food"),
    event(E.ANSWERED, 3.0, agency="customs", outcome="released"),
    event(E.ANSWERED, 4.0, agency="food", outcome="released"),
    event(E.DECIDED, 4.5, outcome="released"),
    event(E.NOTIFIED, 4.6, **PUSHED),
    event(E.NOTIFICATION_STARTED, 5.0, notification="N1"),
    event(E.NOTIFICATION_DELIVERED, 6.0, notification="N1"),
]


def test_the_durations_of_a_release() -> None:
    timing = timed(*RELEASE)
    assert timing == Timing(
        lodgement="L1",
        type="export",
        received=at(0),
        population=Population.AUTOMATIC,
        age=100.0,
        processing=5.0,
        receipt=0.2,
        delivery=1.0,
        agencies={"customs": 2.0, "food": 2.0},
        gateway=2.0,
    )


def test_a_pulled_answer_is_told_when_it_is_durable() -> None:
    events = [*RELEASE[:10], event(E.NOTIFIED, 4.6, **STORED)]
    assert timed(*events).processing == pytest.approx(4.6)
    assert timed(*events).delivery is None
    pulled = event(E.NOTIFICATION_PULLED, 9.6, notification="N1")
    assert timed(*events, pulled).delivery == pytest.approx(5.0)


def test_a_pushed_answer_waits_for_its_first_attempt() -> None:
    timing = timed(*RELEASE[:11])
    assert (timing.processing, timing.age) == (None, 100.0)
    fetched = timed(*RELEASE[:11], event(E.NOTIFICATION_PULLED, 7.0, notification="N1"))
    assert (fetched.processing, fetched.delivery) == (7.0, 0.0)


def test_a_retried_attempt_does_not_move_the_clock() -> None:
    again = event(E.NOTIFICATION_STARTED, 50.0, notification="N1")
    assert timed(*RELEASE, again).processing == 5.0


@pytest.mark.parametrize("outcome", ["held", "inspection", "documents_required"])
def test_the_clock_of_an_officer_stops_at_the_hand_over(outcome: str) -> None:
    events = [
        *RELEASE[:7],
        event(E.ANSWERED, 3.0, agency="food", outcome=outcome),
        event(E.DECIDED, 3.1, outcome=outcome),
        event(E.NOTIFIED, 3.2, **STORED),
        event(E.ANSWERED, 90.0, agency="food", outcome="released"),
    ]
    timing = timed(*events)
    assert (timing.population, timing.processing) == (Population.OFFICER, 3.0)
    assert timing.agencies == {"customs": None, "food": 1.0}


def test_a_hold_after_the_answer_leaves_it_on_the_automatic_path() -> None:
    timing = timed(*RELEASE, event(E.ANSWERED, 50.0, agency="food", outcome="held"))
    assert (timing.population, timing.processing) == (Population.AUTOMATIC, 5.0)
    assert timing.agencies["food"] == 2.0


def test_a_rejection_is_a_class_of_its_own() -> None:
    timing = timed(event(E.RECEIVED, 0), event(E.REJECTED, 0.1), event(E.NOTIFIED, 0.2, **STORED))
    assert timing.population is Population.REJECTION
    assert timing.processing == pytest.approx(0.2)


def test_news_before_the_decision_is_not_the_answer() -> None:
    tax = event(E.NOTIFIED, 3.5, notification="N0", push="0")
    assert timed(*RELEASE[:9], tax).processing is None
    assert timed(*RELEASE[:9], tax, *RELEASE[9:]).processing == 5.0


def test_an_agency_has_a_declaration_until_its_last_word() -> None:
    accepted = event(E.ANSWERED, 2.1, agency="food", outcome="accepted")
    informed = event(E.ANSWERED, 4.4, agency="food", outcome="information")
    timing = timed(*RELEASE[:8], accepted, *RELEASE[8:], informed)
    assert timing.agencies["food"] == 2.0


def test_while_an_agency_is_silent_the_time_is_its_own() -> None:
    timing = timed(*RELEASE[:8], now=10.0)
    assert timing.agencies == {"customs": 2.0, "food": None}
    assert timing.gateway == 1.0


def test_gaps_between_the_agencies_are_ours() -> None:
    events = [
        event(E.RECEIVED, 0.0),
        event(E.DELIVERY_STARTED, 1.0, agency="customs"),
        event(E.ANSWERED, 2.0, agency="customs", outcome="released"),
        event(E.DELIVERY_STARTED, 3.0, agency="food"),
        event(E.DELIVERY_STARTED, 3.5, agency="food"),
        event(E.ANSWERED, 5.0, agency="food", outcome="released"),
        event(E.DECIDED, 5.5, outcome="released"),
        event(E.NOTIFIED, 6.0, **STORED),
    ]
    assert timed(*events).gateway == 3.0


def test_an_attempt_written_after_its_answer_counts_by_its_time() -> None:
    late = [e for e in RELEASE if e.kind is not E.DELIVERY_STARTED]
    late += [e for e in RELEASE if e.kind is E.DELIVERY_STARTED]
    assert timed(*late) == timed(*RELEASE)


def test_duplicates_are_counted_apart_and_the_first_receipt_counts() -> None:
    again = [event(E.DUPLICATE, 60.0), event(E.RECEIVED, 60.0), event(E.RECEIPT_SENT, 61.0)]
    timing = timed(*RELEASE, *again)
    assert (timing.processing, timing.receipt, timing.duplicates) == (5.0, 0.2, 1)


def test_another_process_measures_by_utc_and_never_below_nothing() -> None:
    told = [event(E.DECIDED, 3.0, outcome="released"), event(E.NOTIFIED, 4.0, "L1", "b", **STORED)]
    assert timed(event(E.RECEIVED, 0.0), *told).processing == 4.0
    back = event(E.NOTIFIED, -5.0, "L1", "b", **STORED)
    assert timed(event(E.RECEIVED, 0.0), told[0], back).processing == 0.0


def test_lodgements_are_kept_apart_and_only_the_named_are_told() -> None:
    events = [event(E.RECEIVED, 0.0, one) for one in ("L1", "L2", "L3")]
    events += [event(E.DURABLE, 0.0, "L4")]
    found = timings(events, {"L1": "export", "L3": "import", "L4": "import"}, now=at(1))
    assert [(t.lodgement, t.type) for t in found] == [("L1", "export"), ("L3", "import")]
