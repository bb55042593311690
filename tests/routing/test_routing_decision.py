"""The agencies decide, in any order and as often as they like; the gateway only adds up."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from tidewaiter.codecs.declaration import DateTime, Response
from tidewaiter.routing.agreement import Agency, Channel, Syntax
from tidewaiter.routing.decision import (
    PRECEDENCE,
    TRIGGERS,
    Answer,
    Decision,
    Ground,
    Policy,
    Reason,
    answer_of,
    consolidate,
    policy_of,
)
from tidewaiter.routing.lifecycle import LODGEMENT, LodgementState
from tidewaiter.routing.outcome import Outcome

START = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = ("customs", "food")
POLICY = Policy()


def said(outcome: Outcome, number: int, *, minute: int | None = None) -> Answer:
    issued = START + timedelta(minutes=minute) if minute is not None else None
    return Answer(id=f"a{number}", number=number, outcome=outcome, issued_at=issued)


def tell(
    *steps: tuple[str, Answer], asked: tuple[str, ...] = ASKED, policy: Policy = POLICY
) -> list[Decision]:
    """Feed the answers one by one, telling each decision at once, as the gateway does."""
    answers: dict[str, tuple[Answer, ...]] = {}
    told: list[Decision] = []
    for agency, answer in steps:
        answers[agency] = (*answers.get(agency, ()), answer)
        decision = consolidate(asked, answers, tuple(told), policy)
        if decision is not None:
            told.append(decision)
            assert consolidate(asked, answers, tuple(told), policy) is None
    return told


def outcomes(*steps: tuple[str, Outcome], policy: Policy = POLICY) -> list[str]:
    numbered = [(agency, said(outcome, number)) for number, (agency, outcome) in enumerate(steps)]
    return [decision.outcome.value for decision in tell(*numbered, policy=policy)]


def test_a_release_needs_every_agency() -> None:
    assert outcomes(("customs", Outcome.RELEASED)) == []
    assert outcomes(("customs", Outcome.RELEASED), ("food", Outcome.RELEASED)) == ["released"]


def test_no_answer_is_never_a_release() -> None:
    assert consolidate(ASKED, {}, (), POLICY) is None
    assert consolidate((), {}, (), POLICY) is None
    assert consolidate((), {"customs": (said(Outcome.RELEASED, 1),)}, (), POLICY) is None


def test_acceptance_is_a_release_only_where_it_was_agreed() -> None:
    steps = (("customs", Outcome.RELEASED), ("food", Outcome.ACCEPTED))
    assert outcomes(*steps) == []
    agreed = Policy(clears={"food": frozenset({Outcome.ACCEPTED, Outcome.RELEASED})})
    assert outcomes(*steps, policy=agreed) == ["released"]


@pytest.mark.parametrize("stop", PRECEDENCE)
def test_a_refusal_or_a_hold_is_told_at_once(stop: Outcome) -> None:
    (decision,) = tell(("food", said(stop, 1)))
    assert (decision.outcome, decision.ground) == (stop, Ground.STOPPED_BY_AGENCY)
    assert decision.reasons == (Reason(agency="food", outcome=stop, answer="a1"),)
    assert decision.waiting == ASKED


def test_the_gravest_stop_names_the_decision_and_all_stops_prove_it() -> None:
    told = tell(("food", said(Outcome.DOCUMENTS_REQUIRED, 1)), ("customs", said(Outcome.REFUSED, 2)))
    assert [d.outcome for d in told] == [Outcome.DOCUMENTS_REQUIRED, Outcome.REFUSED]
    assert [r.agency for r in told[1].reasons] == ["customs", "food"]


def test_a_stop_is_superseded_by_the_same_agency() -> None:
    assert outcomes(("food", Outcome.HELD), ("customs", Outcome.RELEASED), ("food", Outcome.RELEASED)) == [
        "held",
        "released",
    ]


def test_a_release_can_be_recalled() -> None:
    assert outcomes(
        ("food", Outcome.RELEASED), ("customs", Outcome.RELEASED), ("customs", Outcome.INSPECTION)
    ) == ["released", "inspection"]


def test_a_withdrawn_stop_is_told_once_and_then_waited_out() -> None:
    steps = [
        ("food", Outcome.REFUSED),
        ("food", Outcome.WITHDRAWN),
        ("customs", Outcome.ACCEPTED),
        ("customs", Outcome.RELEASED),
        ("food", Outcome.RELEASED),
    ]
    assert outcomes(*steps) == ["refused", "withdrawn", "released"]


def test_a_withdrawn_answer_before_anything_was_told_is_silence() -> None:
    assert outcomes(("food", Outcome.WITHDRAWN), ("customs", Outcome.RELEASED)) == []


def test_an_agency_that_is_not_competent_stands_aside_and_releases_nothing() -> None:
    assert outcomes(("food", Outcome.NOT_COMPETENT), ("customs", Outcome.RELEASED)) == ["released"]
    assert outcomes(("food", Outcome.NOT_COMPETENT), ("customs", Outcome.NOT_COMPETENT)) == []


def test_a_cancellation_is_final() -> None:
    assert outcomes(
        ("customs", Outcome.CANCELLED), ("customs", Outcome.RELEASED), ("food", Outcome.REFUSED)
    ) == ["cancelled"]


def test_only_the_named_agencies_cancel_the_whole() -> None:
    policy = Policy(cancelled_by=frozenset({"customs"}))
    assert outcomes(("food", Outcome.CANCELLED), ("customs", Outcome.RELEASED), policy=policy) == []
    assert outcomes(("customs", Outcome.CANCELLED), policy=policy) == ["cancelled"]


def test_an_agency_that_was_not_asked_has_no_say() -> None:
    answers = {"port": (said(Outcome.REFUSED, 1),), "customs": (said(Outcome.RELEASED, 2),)}
    decision = consolidate(("customs",), answers, (), POLICY)
    assert decision is not None
    assert decision.outcome is Outcome.RELEASED


def test_the_same_answer_again_makes_no_version() -> None:
    hold = said(Outcome.HELD, 1, minute=1)
    echo = Answer(id=hold.id, number=9, outcome=hold.outcome, issued_at=hold.issued_at)
    assert len(tell(("food", hold), ("food", echo))) == 1


def test_an_echo_does_not_bring_back_what_was_superseded() -> None:
    hold, release = said(Outcome.HELD, 1), said(Outcome.RELEASED, 2)
    echo = Answer(id=hold.id, number=3, outcome=hold.outcome)
    told = tell(("food", hold), ("food", release), ("food", echo), asked=("food",))
    assert [d.outcome for d in told] == [Outcome.HELD, Outcome.RELEASED]


def test_another_answer_of_the_same_kind_makes_a_version() -> None:
    first, second = said(Outcome.DOCUMENTS_REQUIRED, 1), said(Outcome.DOCUMENTS_REQUIRED, 2)
    assert [d.version for d in tell(("food", first), ("food", second))] == [1, 2]


def test_an_answer_that_was_overtaken_changes_nothing() -> None:
    told = tell(
        ("customs", said(Outcome.RELEASED, 1, minute=1)),
        ("food", said(Outcome.RELEASED, 2, minute=10)),
        ("food", said(Outcome.HELD, 3, minute=5)),
    )
    assert [d.outcome for d in told] == [Outcome.RELEASED]


def test_undated_answers_count_in_the_order_of_receipt() -> None:
    told = tell(
        ("customs", said(Outcome.RELEASED, 1)),
        ("food", said(Outcome.RELEASED, 2, minute=10)),
        ("food", said(Outcome.HELD, 3)),
    )
    assert [d.outcome for d in told] == [Outcome.RELEASED, Outcome.HELD]


def test_the_proof_names_the_routing_rule_and_the_policy() -> None:
    answers = {"food": (said(Outcome.HELD, 1),)}
    decision = consolidate(ASKED, answers, (), Policy(version="2026"), {"food": "plants"})
    assert decision is not None
    assert (decision.policy, decision.reasons[0].rule) == ("2026", "plants")


def test_a_policy_may_order_what_stops_goods_and_leave_nothing_out() -> None:
    assert Policy(precedence=PRECEDENCE[::-1]).precedence[0] is Outcome.HELD
    for precedence in (PRECEDENCE[1:], (*PRECEDENCE, Outcome.RELEASED)):
        with pytest.raises(ValueError, match="precedence"):
            Policy(precedence=precedence)


def test_the_agreements_make_the_policy() -> None:
    food = Agency(
        name="food",
        channel=Channel.AS2,
        syntax=Syntax.EDIFACT,
        endpoint="https://food.test/",
        clears=frozenset({Outcome.ACCEPTED}),
    )
    policy = policy_of({"food": food}, version="7", cancelled_by=["customs"])
    assert policy.version == "7"
    assert policy.cleared("food", Outcome.ACCEPTED)
    assert not policy.cleared("food", Outcome.RELEASED)
    assert policy.cleared("customs", Outcome.RELEASED)
    assert not policy.may_cancel("food")


@pytest.mark.parametrize("seed", range(300))
def test_any_order_and_repetition_ends_in_the_same_decision(seed: int) -> None:
    """Dated answers, shuffled and repeated: one final decision, versions 1, 2, 3 ..., legal transitions."""
    chance = random.Random(seed)
    asked = ("customs", "food", "port")[: chance.randint(1, 3)]
    # A cancellation ends everything, whatever else comes when: in a tenth of the runs only.
    kinds = [o for o in Outcome if o is not Outcome.CANCELLED or seed % 10 == 0]
    steps = [
        (
            agency,
            Answer(id=f"{agency}{n}", number=0, outcome=chance.choice(kinds), issued_at=START + n * DAY),
        )
        for agency in asked
        for n in range(chance.randint(0, 4))
    ]
    ends = set()
    for _ in range(6):
        received = steps + chance.choices(steps, k=3) if steps else []
        chance.shuffle(received)
        told = tell(
            *(
                (agency, Answer(id=a.id, number=number, outcome=a.outcome, issued_at=a.issued_at))
                for number, (agency, a) in enumerate(received)
            ),
            asked=asked,
        )
        assert [d.version for d in told] == list(range(1, len(told) + 1))
        _lives(told)
        ends.add(_end(told))
    assert len(ends) == 1


DAY = timedelta(days=1)


def _lives(told: list[Decision]) -> None:
    state = LodgementState.ACCEPTED
    for decision in told:
        state = LODGEMENT.after(state, TRIGGERS[decision.outcome])


def _end(told: list[Decision]) -> tuple[object, ...] | None:
    """What the trader believes at last: a decision withdrawn leaves him where nothing told would."""
    if not told or told[-1].outcome is Outcome.WITHDRAWN:
        return None
    if told[-1].outcome is Outcome.CANCELLED:
        return (Outcome.CANCELLED,)
    return told[-1].outcome, told[-1].ground, told[-1].reasons


@pytest.mark.parametrize("seed", range(100))
def test_no_release_while_anyone_stops_or_is_silent(seed: int) -> None:
    chance = random.Random(seed)
    asked = ("customs", "food", "port")
    answers = {
        agency: tuple(said(chance.choice(list(Outcome)), n) for n in range(chance.randint(0, 3)))
        for agency in asked
    }
    decision = consolidate(asked, answers, (), POLICY)
    if decision is not None and decision.outcome is Outcome.RELEASED:
        last = {agency: given[-1].outcome for agency, given in answers.items() if given}
        assert set(last) == set(asked)
        assert set(last.values()) <= {Outcome.RELEASED, Outcome.NOT_COMPETENT}


def test_a_dated_response_is_known_by_its_content() -> None:
    dated = Response(function_code="09", issue_date_time=DateTime("20260301120000Z", "304"))
    first, again = answer_of(dated, message="M1", number=1), answer_of(dated, message="M2", number=2)
    assert first is not None
    assert again is not None
    assert first.id == again.id
    assert first.issued_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (first.outcome, first.response) == (Outcome.RELEASED, dated)


@pytest.mark.parametrize("date", [None, DateTime("garbage", "304"), DateTime("2026", "999")])
def test_an_undated_response_is_known_by_its_message(date: DateTime | None) -> None:
    answer = answer_of(Response(function_code="05", issue_date_time=date), message="M1", number=1)
    assert answer is not None
    assert (answer.id, answer.issued_at) == ("M1", None)


def test_dates_without_zone_or_time_are_read_as_utc() -> None:
    for date in (DateTime("20260301", "102"), DateTime("20260301000000", "204"), DateTime("2026-03-01")):
        answer = answer_of(Response(function_code="05", issue_date_time=date), message="M1", number=1)
        assert answer is not None
        assert answer.issued_at == START


def test_a_response_that_informs_is_no_answer() -> None:
    assert answer_of(Response(function_code="13"), message="M1", number=1) is None
    own = {"13": Outcome.HELD}
    assert answer_of(Response(function_code="13"), message="M1", number=1, own=own) is not None
