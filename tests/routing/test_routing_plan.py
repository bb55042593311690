"""Who is asked, in which order, and what a test document may not do."""

import itertools
from collections.abc import Callable

import pytest

from tidewaiter.codecs.finding import Severity, is_valid
from tidewaiter.routing.agreement import Agency, Channel, Syntax
from tidewaiter.routing.facts import DeclarationType, Facts, Function
from tidewaiter.routing.lifecycle import DeliveryState
from tidewaiter.routing.plan import FOLLOWS_ORIGINAL, NO_AGENCY, UNKNOWN_AGENCY, plan
from tidewaiter.routing.rules import Rule, compile_rules

ORIGINAL = Facts(type=DeclarationType.IMPORT, function=Function.ORIGINAL)
CANCELLATION = Facts(type=DeclarationType.IMPORT, function=Function.CANCELLATION)


def agency(name: str, *, live: bool = True, stand_in: str | None = None) -> Agency:
    return Agency(
        name=name,
        channel=Channel.HTTPS,
        syntax=Syntax.XML,
        endpoint=f"https://{name}.test/",
        live=live,
        stand_in=stand_in,
    )


AGENCIES = {
    a.name: a
    for a in (
        agency("customs", stand_in="rehearsal"),
        agency("food"),
        agency("port", stand_in="food"),
        agency("rehearsal", live=False),
    )
}
IMPORTS = Rule(name="imports", agencies=("customs", "food"), when={"type": ("import",)})


@pytest.fixture
def new_id() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"D{next(numbers):013d}"


def test_each_competent_agency_gets_one_delivery(new_id: Callable[[], str]) -> None:
    found = plan(ORIGINAL, compile_rules([IMPORTS]), AGENCIES, test=False, new_id=new_id)
    assert [(d.id, d.agency, d.state, d.rule, d.reason) for d in found.deliveries] == [
        ("D0000000000001", "customs", DeliveryState.PENDING, "imports", "type import"),
        ("D0000000000002", "food", DeliveryState.PENDING, "imports", "type import"),
    ]
    assert found.asked == ("customs", "food")
    assert found.findings == ()


def test_a_cancellation_goes_where_its_original_went_and_to_the_newly_competent(
    new_id: Callable[[], str],
) -> None:
    found = plan(
        CANCELLATION,
        compile_rules([IMPORTS]),
        AGENCIES,
        test=False,
        earlier=("port", "customs", "port"),
        new_id=new_id,
    )
    assert [(d.agency, d.rule) for d in found.deliveries] == [
        ("port", FOLLOWS_ORIGINAL),
        ("customs", FOLLOWS_ORIGINAL),
        ("food", "imports"),
    ]


def test_a_test_document_reaches_no_live_agency(new_id: Callable[[], str]) -> None:
    rules = compile_rules([Rule(name="all", agencies=("customs", "food", "port"))])
    found = plan(ORIGINAL, rules, AGENCIES, test=True, earlier=("food",), new_id=new_id)
    assert found.asked == ("rehearsal",)
    assert {d.agency for d in found.withheld} == {"food", "customs", "port"}
    assert all(not AGENCIES[name].live for name in found.asked)
    assert is_valid(found.findings)


def test_a_live_stand_in_is_no_stand_in(new_id: Callable[[], str]) -> None:
    rules = compile_rules([Rule(name="port", agencies=("port",))])
    found = plan(ORIGINAL, rules, AGENCIES, test=True, new_id=new_id)
    assert (found.asked, [d.agency for d in found.withheld]) == ((), ["port"])


def test_a_test_document_with_nobody_to_ask_is_a_finding(new_id: Callable[[], str]) -> None:
    rules = compile_rules([Rule(name="all", agencies=("food",))])
    found = plan(ORIGINAL, rules, AGENCIES, test=True, new_id=new_id)
    assert [d.state for d in found.deliveries] == [DeliveryState.WITHHELD]
    assert [(f.severity, f.code) for f in found.findings] == [(Severity.ERROR, NO_AGENCY)]
    assert "test document" in found.findings[0].text


def test_no_agency_competent_is_a_finding(new_id: Callable[[], str]) -> None:
    found = plan(ORIGINAL, compile_rules([]), AGENCIES, test=False, new_id=new_id)
    assert (found.deliveries, [f.code for f in found.findings]) == ((), [NO_AGENCY])


def test_a_live_document_goes_where_the_rules_say(new_id: Callable[[], str]) -> None:
    rules = compile_rules([Rule(name="pilot", agencies=("rehearsal",))])
    assert plan(ORIGINAL, rules, AGENCIES, test=False, new_id=new_id).asked == ("rehearsal",)


def test_an_agency_that_left_is_a_warning_and_one_that_is_missing_an_error(
    new_id: Callable[[], str],
) -> None:
    rules = compile_rules([IMPORTS, Rule(name="new", agencies=("absent",))])
    found = plan(CANCELLATION, rules, AGENCIES, test=False, earlier=("gone",), new_id=new_id)
    assert found.asked == ("customs", "food")
    assert [(f.severity, f.code, f.value) for f in found.findings] == [
        (Severity.WARNING, UNKNOWN_AGENCY, "gone"),
        (Severity.ERROR, UNKNOWN_AGENCY, "absent"),
    ]
