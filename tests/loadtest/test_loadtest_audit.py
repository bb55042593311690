"""Everything lost, doubled or failed is found, and nothing else."""

import pathlib
from collections import Counter
from typing import Any

import pytest

from tidewaiter.gateway.sandbox.delivery_log import DeliveryLog, Entry
from tidewaiter.gateway.sandbox.script import Taken, Verdict
from tidewaiter.loadtest.audit import Audit, audit, books
from tidewaiter.loadtest.driver import Attempt, Driven

LRN = "LOAD-AAAAAA-000001"


def driven(*, channel: str = "as2", fault: str = "", pushed: int = 1, logged: int = 1) -> Driven:
    attempt = Attempt(
        lrn=LRN,
        sample="import.edi",
        channel=channel,
        started=0.0,
        receipted=None if fault else 0.1,
        fault=fault,
    )
    return Driven(
        attempts=(attempt,),
        pushed={LRN: (1.0,) * pushed} if pushed else {},
        logged={LRN: (1.1,) * logged} if logged else {},
    )


def view(decisions: int = 1, health: str = "answered") -> dict[str, Any]:
    return {
        "decisions": [{"version": number} for number in range(decisions)],
        "waiting-for": [] if decisions else ["health"],
        "agencies": [
            {"agency": "customs", "delivery": "D1", "state": "answered"},
            {"agency": "health", "delivery": "D2", "state": health},
        ],
    }


def books_of(customs: int = 1, health: int = 1) -> dict[str, Counter[str]]:
    return {"customs": Counter({"D1": customs}), "health": Counter({"D2": health})}


def audited(
    seen: Driven | None = None,
    standing: dict[str, Any] | None = None,
    lodged: int = 1,
    delivered: dict[str, Counter[str]] | None = None,
) -> Audit:
    saw = seen or driven()
    return audit(saw, {LRN: standing or view()}, saw, {LRN: lodged}, delivered or books_of())


def test_a_kept_promise_is_clean() -> None:
    assert audited().clean
    assert audited(driven(channel="https", pushed=0)).clean
    assert audited(driven(pushed=2, logged=2), view(decisions=2)).clean


def test_a_receipt_without_a_lodgement_is_a_loss() -> None:
    found = audit(driven(), {LRN: None}, driven(), {}, books_of())
    assert found.lost == (f"{LRN}: a receipt, and no lodgement",)


def test_no_decision_yet_is_no_answer_and_says_who_is_waited_for() -> None:
    found = audited(driven(pushed=0, logged=0), view(decisions=0))
    assert found == Audit(unanswered=(f"{LRN}: no decision; waiting for health",))
    assert not found.clean


def test_a_decision_that_is_not_in_the_log_is_a_loss() -> None:
    found = audited(driven(channel="https", pushed=0, logged=0))
    assert found == Audit(lost=(f"{LRN}: 1 decisions, 0 answers in the log",))


def test_an_answer_not_pushed_yet_is_on_its_way() -> None:
    assert audited(driven(pushed=0)) == Audit(unanswered=(f"{LRN}: 1 decisions, 0 answers pushed",))


@pytest.mark.parametrize("state", ["pending", "sending"])
def test_a_delivery_not_sent_yet_is_on_its_way(state: str) -> None:
    found = audited(standing=view(health=state), delivered=books_of(health=0))
    assert found == Audit(unanswered=(f"{LRN}: health was given it 0 times",))


@pytest.mark.parametrize(("pushed", "logged", "where"), [(2, 1, "pushed"), (1, 2, "in the log")])
def test_an_answer_that_came_twice_is_doubled(pushed: int, logged: int, where: str) -> None:
    (fault,) = audited(driven(pushed=pushed, logged=logged)).doubled
    assert fault.endswith(where)


def test_two_lodgements_are_doubled() -> None:
    assert audited(lodged=2).doubled == (f"{LRN}: 2 lodgements",)


def test_the_agencies_books_must_have_each_delivery_once() -> None:
    assert audited(delivered=books_of(health=0)).lost == (f"{LRN}: health was given it 0 times",)
    assert audited(delivered=books_of(customs=2)).doubled == (f"{LRN}: customs was given it 2 times",)
    assert audit(driven(), {LRN: view()}, driven(), {LRN: 1}, None).clean


def test_no_receipt_is_a_failure_and_promises_nothing() -> None:
    failed = driven(fault="HTTP 503", pushed=0, logged=0)
    found = audit(failed, {LRN: None}, failed, {}, books_of())
    assert found == Audit(failed=(f"{LRN}: HTTP 503",))
    assert not found.clean


def test_books_count_what_came_again(tmp_path: pathlib.Path) -> None:
    assert books(tmp_path) is None
    log = DeliveryLog(tmp_path / "sandbox", "customs")
    taken = Taken(reference="D1", verdict=Verdict.RELEASE)
    for _ in range(2):
        log.take(
            Entry(reference="D1", sha256="ab", accepted_at="now", duplicate=False, key="<1@x>", taken=taken)
        )
    log.close()
    assert books(tmp_path) == {"customs": Counter({"D1": 2})}


def test_a_decision_made_while_it_is_asked_is_no_fault() -> None:
    before, after = driven(pushed=0, logged=0), driven()
    assert audit(before, {LRN: view()}, after, {LRN: 1}, books_of()).clean
    waiting = audit(before, {LRN: view(decisions=0)}, after, {LRN: 1}, books_of())
    assert (waiting.lost, waiting.doubled) == ((), ())
