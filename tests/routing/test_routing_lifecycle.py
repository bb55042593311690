"""The tables are complete, and nothing but the tables moves a state."""

import enum
import itertools
from typing import Any

import pytest

from tidewaiter.routing.lifecycle import (
    DELIVERY,
    LODGEMENT,
    MDN,
    NOTIFICATION,
    TIMESTAMPS,
    DeliveryState,
    DeliveryTrigger,
    EventKind,
    IllegalTransition,
    Lifecycle,
    LodgementState,
    LodgementTrigger,
    MdnState,
    MdnTrigger,
    NotificationState,
    NotificationTrigger,
)

LIVES: list[tuple[Lifecycle[Any, Any], type[enum.Enum], type[enum.Enum]]] = [
    (LODGEMENT, LodgementState, LodgementTrigger),
    (DELIVERY, DeliveryState, DeliveryTrigger),
    (NOTIFICATION, NotificationState, NotificationTrigger),
    (MDN, MdnState, MdnTrigger),
]


@pytest.mark.parametrize(("life", "states", "triggers"), LIVES)
def test_every_state_is_reached_and_every_trigger_used(
    life: Lifecycle[Any, Any], states: type[enum.Enum], triggers: type[enum.Enum]
) -> None:
    reached: set[Any] = {None}
    for _ in states:
        reached |= {target for (state, _), target in life.table.items() if state in reached}
    assert reached - {None} == set(states)
    assert {trigger for _, trigger in life.table} == set(triggers)


@pytest.mark.parametrize(("life", "states", "triggers"), LIVES)
def test_a_pair_outside_the_table_raises(
    life: Lifecycle[Any, Any], states: type[enum.Enum], triggers: type[enum.Enum]
) -> None:
    for state, trigger in itertools.product([None, *states], triggers):
        if (state, trigger) in life.table:
            assert life.after(state, trigger) in states
        else:
            with pytest.raises(IllegalTransition) as caught:
                life.after(state, trigger)
            assert (caught.value.state, caught.value.trigger) == (state, trigger)


@pytest.mark.parametrize(
    ("life", "terminal"),
    [
        (LODGEMENT, {LodgementState.REJECTED, LodgementState.CANCELLED}),
        (DELIVERY, {DeliveryState.WITHHELD}),
        (NOTIFICATION, set()),
        (MDN, set()),
    ],
)
def test_terminal_states(life: Lifecycle[Any, Any], terminal: set[enum.Enum]) -> None:
    states = set(life.table.values())
    assert states - {state for state, _ in life.table} == terminal


def test_a_withheld_delivery_can_never_be_sent() -> None:
    for trigger in DeliveryTrigger:
        with pytest.raises(IllegalTransition):
            DELIVERY.after(DeliveryState.WITHHELD, trigger)


def test_what_waits_or_is_claimed_can_be_withheld_and_nothing_that_was_taken() -> None:
    assert set(DELIVERY.sources(DeliveryTrigger.WITHHOLD)) == {DeliveryState.PENDING, DeliveryState.SENDING}


def test_a_dead_letter_leaves_only_by_a_person_or_by_the_peer() -> None:
    ways = {trigger for state, trigger in DELIVERY.table if state is DeliveryState.DEAD}
    assert ways == {
        DeliveryTrigger.REQUEUE,
        DeliveryTrigger.CLOSE,
        DeliveryTrigger.RECEIPT,
        DeliveryTrigger.MISMATCH,
        DeliveryTrigger.ANSWER,
    }


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.ANSWERED])
def test_a_late_failure_does_not_take_back_what_was_learnt(state: DeliveryState) -> None:
    assert DELIVERY.after(state, DeliveryTrigger.FAIL) is state


def test_an_answer_is_never_refused_once_a_delivery_may_have_left() -> None:
    for state in set(DeliveryState) - {DeliveryState.WITHHELD}:
        assert DELIVERY.after(state, DeliveryTrigger.ANSWER) is DeliveryState.ANSWERED


def test_stored_values_are_lower_case_words() -> None:
    for kind in (LodgementState, DeliveryState, NotificationState, MdnState, EventKind):
        for member in kind:
            assert member.value == member.name.lower()


def test_sources_name_the_states_a_query_may_select() -> None:
    assert DELIVERY.sources(DeliveryTrigger.CLAIM) == (DeliveryState.PENDING, DeliveryState.AWAITING)
    assert set(DELIVERY.sources(DeliveryTrigger.CLOSE)) == {DeliveryState.DEAD, DeliveryState.MISMATCHED}


def test_what_awaits_its_mdn_goes_where_the_mdn_says() -> None:
    ways = {
        trigger: target
        for (state, trigger), target in DELIVERY.table.items()
        if state is DeliveryState.AWAITING
    }
    assert ways[DeliveryTrigger.RECEIPT] is DeliveryState.SENT
    assert ways[DeliveryTrigger.ANSWER] is DeliveryState.ANSWERED
    assert ways[DeliveryTrigger.MISMATCH] is DeliveryState.MISMATCHED
    assert ways[DeliveryTrigger.FAIL] is DeliveryState.PENDING
    assert ways[DeliveryTrigger.EXPIRE] is DeliveryState.DEAD
    assert ways[DeliveryTrigger.CLAIM] is DeliveryState.SENDING


def test_an_mdn_of_other_content_waits_for_a_person_or_for_the_peer() -> None:
    nothing_new = {DeliveryTrigger.TRANSFER, DeliveryTrigger.FAIL, DeliveryTrigger.MISMATCH}
    ways = {trigger for state, trigger in DELIVERY.table if state is DeliveryState.MISMATCHED} - nothing_new
    assert ways == {
        DeliveryTrigger.REQUEUE,
        DeliveryTrigger.CLOSE,
        DeliveryTrigger.RECEIPT,
        DeliveryTrigger.ANSWER,
        DeliveryTrigger.REFUSE,
    }


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.ANSWERED])
def test_a_later_mdn_does_not_take_back_a_right_one(state: DeliveryState) -> None:
    assert DELIVERY.after(state, DeliveryTrigger.MISMATCH) is state


def test_a_message_that_comes_again_has_its_mdn_posted_again_whatever_became_of_it() -> None:
    for state in MdnState:
        under_way = state is MdnState.SENDING
        assert MDN.after(state, MdnTrigger.REPEAT) is (MdnState.SENDING if under_way else MdnState.PENDING)


def test_each_point_of_the_service_level_has_its_event() -> None:
    assert list(TIMESTAMPS) == [f"t{n}" for n in range(12)]
    assert len(set(TIMESTAMPS.values())) == 12
