"""What goes in comes out: every method of the ledger over values."""

import pathlib
from typing import Any

import anyio
import msgspec
import pytest

from tidewaiter.gateway.ledger import (
    Change,
    ChangeRefused,
    Committed,
    Conflict,
    ConflictKind,
    DeliveryUpdate,
    Duplicate,
    Ledger,
    LodgementUpdate,
    NotificationUpdate,
    SqliteLedger,
    open_ledger,
)
from tidewaiter.routing.lifecycle import DeliveryState, EventKind, LodgementState, NotificationState

pytestmark = pytest.mark.anyio


def as_ledger(ledger: SqliteLedger) -> Ledger:
    """The type checker's proof that the engine is what the gateway asks for."""
    return ledger


async def test_everything_of_a_change_comes_back(ledger: SqliteLedger, make: Any) -> None:
    message = make.message()
    lodgement = make.lodgement(message, sender="S", reference="R", mrn="26XX1")
    first, second = make.delivery(lodgement), make.delivery(lodgement, agency="food")
    note = make.notification(lodgement=lodgement.id, decision_version=1)
    answer, decision = make.answer(first), make.decision(lodgement, 1)
    events = (
        make.event(lodgement=lodgement.id, message=message.id, data={"type": "IM"}),
        make.event(kind=EventKind.ROUTED, lodgement=lodgement.id),
    )
    change = Change(
        message=message,
        lodgements=(lodgement,),
        deliveries=(first, second),
        notifications=(note,),
        answers=(answer,),
        decisions=(decision,),
        events=events,
    )
    assert await ledger.commit([change]) == [Committed((1,))]

    assert await ledger.message(message.id) == message
    status = await ledger.status(lodgement.id)
    assert status is not None
    assert status.lodgement == lodgement
    assert status.deliveries == (first, second)
    assert status.answers == (answer,)
    assert status.decisions == (decision,)
    assert status.last_notification == 1
    assert await ledger.find_delivery(second.id) == second
    assert await ledger.find_original("XX123", lodgement.lrn, partner="trader") == lodgement
    assert await ledger.find_by_mrn("26XX1") == lodgement
    assert await ledger.lodgements(limit=5) == [lodgement]
    assert await ledger.notifications("trader", after=0, limit=5) == [msgspec.structs.replace(note, number=1)]
    numbered = [msgspec.structs.replace(event, number=i) for i, event in enumerate(events, 1)]
    assert await ledger.events(lodgement=lodgement.id, after=0, limit=5) == numbered
    assert await ledger.events(lodgement=None, after=1, limit=5) == numbered[1:]


async def test_an_accepted_message_is_accepted_once(ledger: SqliteLedger, make: Any, write: Any) -> None:
    first = make.message(key="<1>", receipt=make.receipt(b"the first"))
    await write(message=first)
    again = make.message(key="<1>", receipt=make.receipt(b"the second"), mic=None)
    note = make.notification()

    result = await ledger.commit([Change(message=again, notifications=(note,), events=(make.event(),))])

    held = Duplicate(message=first.id, raw_digest=first.raw_digest, mic=first.mic, receipt=first.receipt)
    assert result == [held]
    assert await ledger.find_message(first.scope, "<1>") == held
    assert await ledger.message(again.id) is None
    assert await ledger.notifications("trader", after=0, limit=5) == []
    assert await ledger.events(lodgement=None, after=0, limit=5) == []


async def test_a_name_is_a_scope_and_a_key(make: Any, write: Any) -> None:
    await write(message=make.message(scope="a", key="<1>"))
    await write(message=make.message(scope="b", key="<1>"))
    await write(message=make.message(scope="a", key=None))
    await write(message=make.message(scope="a", key=None))


async def test_a_message_not_accepted_uses_no_name_up(ledger: SqliteLedger, make: Any, write: Any) -> None:
    refused = make.message(key="<1>", accepted=False)
    await write(message=refused)
    assert await ledger.find_message(refused.scope, "<1>") is None
    await write(message=make.message(key="<1>"))
    late = make.message(key="<1>", accepted=False)
    await write(message=late)
    assert await ledger.message(late.id) == late


async def test_64_tasks_with_one_name_make_one_message(ledger: SqliteLedger, make: Any) -> None:
    results: list[object] = []

    async def lodge() -> None:
        message = make.message(key="<same>", receipt=make.receipt(make.id("R").encode()))
        lodgement = make.lodgement(message)
        results.extend(await ledger.commit([Change(message=message, lodgements=(lodgement,))]))

    async with anyio.create_task_group() as group:
        for _ in range(64):
            group.start_soon(lodge)

    assert sum(isinstance(result, Committed) for result in results) == 1
    duplicates = [result for result in results if isinstance(result, Duplicate)]
    assert len(duplicates) == 63
    assert len({msgspec.json.encode(result) for result in duplicates}) == 1
    assert len(await ledger.lodgements(limit=100)) == 1
    assert ledger.transactions < 64


async def test_an_lrn_names_one_original_of_a_declarant(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, held = make.lodged("customs", declarant="A", lrn="1")
    await write(change)
    await write(make.lodged(declarant="B", lrn="1")[0])
    await write(make.lodged(declarant="A", lrn="1", partner="other")[0])
    await write(make.lodged(declarant="A", lrn="1", claims_lrn=False, root=held.id)[0])
    await write(make.lodged(declarant="A", lrn="1", claims_lrn=False, state=LodgementState.REJECTED)[0])

    second, _ = make.lodged("customs", declarant="A", lrn="1")
    assert await ledger.commit([second]) == [Conflict(kind=ConflictKind.LRN_TAKEN, existing=held.id)]
    assert second.message is not None
    assert await ledger.message(second.message.id) is None
    assert await ledger.find_original("A", "1", partner="trader") == held


async def test_a_change_that_uses_a_name_twice_conflicts_with_nobody(ledger: SqliteLedger, make: Any) -> None:
    message = make.message()
    twice = (make.lodgement(message, lrn="1"), make.lodgement(message, lrn="1", position=2))
    result = await ledger.commit([Change(message=message, lodgements=twice)])
    assert result == [Conflict(kind=ConflictKind.LRN_TAKEN, existing=None)]


async def test_an_interchange_reference_is_used_once(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, held = make.lodged(sender="S", reference="R", position=1)
    await write(change)
    await write(make.lodged(sender="S", reference="R", position=2)[0])
    await write(make.lodged(sender="S", reference="R", position=1, partner="other")[0])
    await write(make.lodged(sender="S2", reference="R", position=1)[0])
    rejected = {"state": LodgementState.REJECTED, "claims_lrn": False}
    await write(make.lodged(sender="S", reference="R", position=1, **rejected)[0])

    result = await ledger.commit([make.lodged(sender="S", reference="R", position=1)[0]])
    assert result == [Conflict(kind=ConflictKind.INTERCHANGE_TAKEN, existing=held.id)]


async def test_a_lodgement_moves_on_by_its_version(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, lodgement = make.lodged()
    await write(change)
    first = LodgementUpdate(id=lodgement.id, expected_version=0, state=LodgementState.HELD, mrn="26XX1")
    await write(lodgement_updates=(first,), decisions=(make.decision(lodgement, 1),))
    stale = Change(lodgement_updates=(first,), decisions=(make.decision(lodgement, 2),))
    assert await ledger.commit([stale]) == [Conflict(kind=ConflictKind.STALE)]
    later = LodgementUpdate(id=lodgement.id, expected_version=1, state=LodgementState.RELEASED)
    await write(lodgement_updates=(later,))

    status = await ledger.status("26XX1")
    assert status is not None
    assert (status.lodgement.state, status.lodgement.version) == (LodgementState.RELEASED, 2)
    assert status.lodgement.mrn == "26XX1"
    assert [decision.version for decision in status.decisions] == [1]
    unknown = LodgementUpdate(id="L?", expected_version=0, state=LodgementState.HELD)
    assert await ledger.commit([Change(lodgement_updates=(unknown,))]) == [Conflict(kind=ConflictKind.STALE)]


async def test_a_decision_version_is_written_once(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, lodgement = make.lodged()
    await write(change)
    await write(decisions=(make.decision(lodgement, 1),))
    again = Change(notifications=(make.notification(),), decisions=(make.decision(lodgement, 1),))
    assert await ledger.commit([again]) == [Conflict(kind=ConflictKind.STALE)]
    assert await write(notifications=(make.notification(),)) == (1,)


async def test_a_state_that_was_not_expected_is_a_conflict(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    change, _ = make.lodged("customs")
    await write(
        change,
    )
    note = make.notification()
    await write(notifications=(note,))
    delivery = change.deliveries[0]
    sending = DeliveryUpdate(
        id=delivery.id, expected=(DeliveryState.SENDING,), state=DeliveryState.SENT, attempts=1
    )
    pushing = NotificationUpdate(
        id=note.id, expected=(NotificationState.SENDING,), state=NotificationState.DELIVERED
    )
    unknown = msgspec.structs.replace(sending, id="D?")
    missing = msgspec.structs.replace(pushing, id="N?")
    for update in (
        Change(delivery_updates=(sending,)),
        Change(delivery_updates=(unknown,)),
        Change(notification_updates=(pushing,)),
        Change(notification_updates=(missing,)),
    ):
        with_event = msgspec.structs.replace(update, events=(make.event(),))
        assert await ledger.commit([with_event]) == [Conflict(kind=ConflictKind.STALE)]
    assert await ledger.find_delivery(delivery.id) == delivery
    assert len(await ledger.events(lodgement=None, after=0, limit=9)) == 1


async def test_updates_keep_what_they_do_not_name(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, _ = make.lodged("customs")
    note = make.notification()
    await write(msgspec.structs.replace(change, notifications=(note,)))
    delivery = change.deliveries[0]
    new = {"due_ns": 7, "attempts": 2, "first_attempt_ns": 3}
    expected, pending = (DeliveryState.PENDING,), DeliveryState.PENDING
    await write(delivery_updates=(DeliveryUpdate(id=delivery.id, expected=expected, state=pending, **new),))
    dead = DeliveryUpdate(id=delivery.id, expected=expected, state=DeliveryState.DEAD)
    await write(delivery_updates=(dead,))
    noted, waiting = (NotificationState.PENDING,), NotificationState.PENDING
    await write(notification_updates=(NotificationUpdate(id=note.id, expected=noted, state=waiting, **new),))
    assert await ledger.find_delivery(delivery.id) == msgspec.structs.replace(
        delivery, state=DeliveryState.DEAD, **new
    )
    assert await ledger.notifications("trader", after=0, limit=1) == [
        msgspec.structs.replace(note, number=1, **new)
    ]
    assert await ledger.deliveries(state=DeliveryState.DEAD, limit=5) == [
        msgspec.structs.replace(delivery, state=DeliveryState.DEAD, **new)
    ]


async def test_numbers_have_no_gap_in_each_partners_log(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, lodgement = make.lodged()
    await write(change)
    two = (make.notification(lodgement=lodgement.id), make.notification(lodgement=lodgement.id))
    assert await write(notifications=two) == (1, 2)
    stale = LodgementUpdate(id=lodgement.id, expected_version=9, state=LodgementState.HELD)
    twice = Change(notifications=(make.notification(),), decisions=(make.decision(lodgement, 1),) * 2)
    broken = Change(notifications=(make.notification(lodgement="L?"),))
    undone = await ledger.commit([twice, Change(notifications=two[:1] and (), lodgement_updates=(stale,))])
    assert all(isinstance(result, Conflict) for result in undone)
    with pytest.raises(ChangeRefused):
        await ledger.commit([broken])
    assert await write(notifications=(make.notification(), make.notification(partner="other"))) == (3, 1)
    log = await ledger.notifications("trader", after=1, limit=2)
    assert [entry.number for entry in log] == [2, 3]
    status = await ledger.status(lodgement.id)
    assert status is not None
    assert status.last_notification == 2


async def test_the_changes_of_one_commit_stand_alone(ledger: SqliteLedger, make: Any, write: Any) -> None:
    await write(message=make.message(key="<1>"))
    good, other = make.message(), make.message()
    results = await ledger.commit(
        [
            Change(message=good),
            Change(message=make.message(key="<1>")),
            Change(message=other, notifications=(make.notification(),)),
        ]
    )
    assert [type(result) for result in results] == [Committed, Duplicate, Committed]
    assert await ledger.message(good.id) == good
    assert await ledger.message(other.id) == other


@pytest.mark.parametrize(
    "spoil",
    [
        lambda make: {"message": make.message(scope="\udc80")},
        lambda make: {"message": make.message(body="text")},
        lambda make: {"message": make.message(accepted=2)},
        lambda make: {"lodgements": (make.lodgement("M?"),)},
        lambda make: {"notifications": (make.notification(due_ns=2**80),)},
        lambda make: {"events": (make.event(data={"a": object()}),)},
    ],
    ids=["surrogate", "wrong-type", "check", "foreign-key", "too-large", "not-json"],
)
async def test_a_change_that_cannot_be_written_harms_no_other(
    ledger: SqliteLedger, make: Any, spoil: Any
) -> None:
    bad = Change(**({"events": (make.event(),)} | spoil(make)))
    good = make.message()
    with pytest.raises(ChangeRefused):
        await ledger.commit([Change(message=good), bad])
    assert await ledger.message(good.id) == good
    assert await ledger.events(lodgement=None, after=0, limit=1) == []
    assert not ledger.failed.is_set()


async def test_an_id_is_used_once(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, lodgement = make.lodged()
    await write(change)
    again = make.message(id=change.message.id)
    with pytest.raises(ChangeRefused, match="there is a message"):
        await ledger.commit([Change(message=again)])
    same = make.lodgement(change.message, id=lodgement.id, root=lodgement.id)
    with pytest.raises(ChangeRefused, match="there is a lodgement"):
        await ledger.commit([Change(lodgements=(same,))])


async def test_room_is_what_the_disk_has_above_the_reserve(path: pathlib.Path) -> None:
    async with open_ledger(path, reserve=1) as ledger:
        assert ledger.has_room()
    async with open_ledger(path, reserve=2**62) as ledger:
        assert not ledger.has_room()
