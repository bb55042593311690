"""Asynchronous MDNs: what awaits one that comes, and those that are posted."""

import hashlib
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.ledger import (
    Change,
    ChangeRefused,
    Conflict,
    DeliveryUpdate,
    MdnUpdate,
    NotificationUpdate,
    SqliteLedger,
)
from tidewaiter.routing.lifecycle import MDN, DeliveryState, MdnState, MdnTrigger, NotificationState

pytestmark = pytest.mark.anyio
LEASE = 50


async def deliveries(ledger: SqliteLedger, now: int) -> list[str]:
    return [c.delivery.id for c in await ledger.claim_deliveries(now_ns=now, lease_ns=LEASE, limit=9)]


async def notifications(ledger: SqliteLedger, now: int) -> list[str]:
    return [c.notification.id for c in await ledger.claim_notifications(now_ns=now, lease_ns=LEASE, limit=9)]


async def mdns(ledger: SqliteLedger, now: int, limit: int = 9) -> list[str]:
    return [c.mdn.id for c in await ledger.claim_mdns(now_ns=now, lease_ns=LEASE, limit=limit)]


def moved(delivery: str, state: DeliveryState, due_ns: int | None = None) -> Change:
    known = tuple(set(DeliveryState) - {state})
    return Change(delivery_updates=(DeliveryUpdate(id=delivery, expected=known, state=state, due_ns=due_ns),))


def told(note: str, state: NotificationState, due_ns: int | None = None) -> Change:
    known = tuple(set(NotificationState) - {state})
    update = NotificationUpdate(id=note, expected=known, state=state, due_ns=due_ns)
    return Change(notification_updates=(update,))


async def lane(make: Any, write: Any) -> list[str]:
    """A declaration and its amendment, both to customs."""
    change, original = make.lodged("customs")
    await write(change)
    amendment, _ = make.lodged("customs", root=original.id, claims_lrn=False)
    await write(amendment)
    return [change.deliveries[0].id, amendment.deliveries[0].id]


async def test_a_delivery_that_awaits_its_mdn_is_sent_again_when_it_is_due(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    first, _second = await lane(make, write)
    assert await deliveries(ledger, 100) == [first]
    await ledger.keep_wire([(first, wire := make.wire())])
    await write(moved(first, DeliveryState.AWAITING, due_ns=1000))
    assert await ledger.due(now_ns=999) == (False, False, False)
    assert await deliveries(ledger, 999) == []  # neither it nor what is behind it
    assert await ledger.due(now_ns=1000) == (True, False, False)
    assert await ledger.due(now_ns=1000, skip=["customs"]) == (False, False, False)
    (again,) = await ledger.claim_deliveries(now_ns=1000, lease_ns=LEASE, limit=9)
    assert (again.delivery.id, again.delivery.state, again.wire) == (first, DeliveryState.SENDING, wire)
    assert await ledger.find_wire(first) == wire
    assert await ledger.find_wire("nobody") is None


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.ANSWERED, DeliveryState.CLOSED])
async def test_what_is_behind_it_goes_on_once_it_is_settled(
    ledger: SqliteLedger, make: Any, write: Any, state: DeliveryState
) -> None:
    first, second = await lane(make, write)
    await deliveries(ledger, 100)
    await write(moved(first, DeliveryState.AWAITING, due_ns=1000))
    await write(moved(first, state))
    assert await deliveries(ledger, 100) == [second]


@pytest.mark.parametrize("state", [DeliveryState.MISMATCHED, DeliveryState.DEAD])
async def test_one_for_a_person_keeps_its_lane_waiting(
    ledger: SqliteLedger, make: Any, write: Any, state: DeliveryState
) -> None:
    first, second = await lane(make, write)
    await deliveries(ledger, 100)
    await write(moved(first, state))
    status = await ledger.status(second)
    assert status is not None
    third, _ = make.lodged("customs", root=status.lodgement.root, claims_lrn=False, content_digest="3")
    await write(third)
    assert await deliveries(ledger, 10_000) == []
    assert [found.id for found in await ledger.deliveries(state=state, limit=9)] == [first]
    await write(moved(first, DeliveryState.CLOSED))
    assert await deliveries(ledger, 10_000) == [second]


@pytest.mark.parametrize("state", [DeliveryState.AWAITING, DeliveryState.MISMATCHED])
async def test_what_comes_later_waits_behind_it_alone(
    ledger: SqliteLedger, make: Any, write: Any, state: DeliveryState
) -> None:
    change, original = make.lodged("customs")
    await write(change)
    await deliveries(ledger, 100)
    await write(moved(change.deliveries[0].id, state, due_ns=10**6))
    amendment, _ = make.lodged("customs", root=original.id, claims_lrn=False)
    await write(amendment)
    assert await deliveries(ledger, 10**5) == []


@pytest.mark.parametrize("state", [DeliveryState.AWAITING, DeliveryState.MISMATCHED])
async def test_one_that_is_asked_for_again_goes_before_it(
    ledger: SqliteLedger, make: Any, write: Any, state: DeliveryState
) -> None:
    """The first was sent and is lost; the second awaits its MDN, or has a wrong one."""
    first, second = await lane(make, write)
    await deliveries(ledger, 100)
    await write(moved(first, DeliveryState.SENT))
    assert await deliveries(ledger, 100) == [second]
    await write(moved(second, state, due_ns=150))
    await write(moved(first, DeliveryState.PENDING))
    assert await deliveries(ledger, 1000) == [first]
    await write(moved(second, DeliveryState.PENDING))
    assert await deliveries(ledger, 1000) == []


async def test_a_clock_set_back_keeps_nothing_waiting_for_its_mdn_for_ever(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    change, _ = make.lodged("customs")
    await write(change)
    await write(notifications=(note := make.notification(),))
    await deliveries(ledger, 100)
    await notifications(ledger, 100)
    await write(moved(change.deliveries[0].id, DeliveryState.AWAITING, due_ns=10**15))
    await write(told(note.id, NotificationState.AWAITING, due_ns=10**15))
    await ledger.rebase(now_ns=1000, latest_ns=1300, lease_ns=LEASE)
    assert await deliveries(ledger, 1300) == [change.deliveries[0].id]
    assert await notifications(ledger, 1300) == [note.id]


async def test_of_two_notifications_that_are_to_be_sent_again_the_first_goes_first(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    first, second = make.notification(), make.notification()
    await write(notifications=(first,))
    await notifications(ledger, 100)
    await write(told(first.id, NotificationState.DELIVERED))
    await write(notifications=(second,))
    assert await notifications(ledger, 100) == [second.id]
    await write(told(second.id, NotificationState.AWAITING, due_ns=150))
    await write(told(first.id, NotificationState.PENDING, due_ns=150))
    assert await notifications(ledger, 150) == [first.id]


async def test_a_notification_waits_behind_one_that_awaits_its_mdn_alone(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    await write(notifications=(first := make.notification(),))
    await notifications(ledger, 100)
    await write(told(first.id, NotificationState.AWAITING, due_ns=10**6))
    await write(notifications=(make.notification(),))
    assert await notifications(ledger, 10**5) == []


async def test_a_notification_that_awaits_its_mdn_keeps_the_log_waiting(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    notes = [make.notification() for _ in range(3)]
    await write(notifications=tuple(notes[:2]))
    assert await notifications(ledger, 100) == [notes[0].id]
    await write(told(notes[0].id, NotificationState.AWAITING, due_ns=1000))
    await write(notifications=(notes[2],))
    assert await notifications(ledger, 999) == []
    assert await notifications(ledger, 1000) == [notes[0].id]
    await write(told(notes[0].id, NotificationState.AWAITING, due_ns=2000))
    await write(told(notes[0].id, NotificationState.DELIVERED))
    assert await notifications(ledger, 1000) == [notes[1].id]
    await write(told(notes[1].id, NotificationState.MISMATCHED))  # the gap is seen by its number
    assert await notifications(ledger, 1000) == [notes[2].id]


async def test_what_awaits_an_mdn_counts_as_work_to_be_done(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    change, _ = make.lodged("customs")
    await write(change)
    await write(notifications=(make.notification(),))
    await write(mdns=(make.mdn(change.message),))
    await deliveries(ledger, 100)
    await notifications(ledger, 100)
    await write(moved(change.deliveries[0].id, DeliveryState.AWAITING))
    (note,) = await ledger.notifications("trader", after=0, limit=1)
    await write(told(note.id, NotificationState.AWAITING))
    await ledger.reckon()
    assert ledger._waiting == 3


async def test_an_mdn_is_leased_with_the_receipt_that_it_is(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    message = make.message(receipt=make.receipt(b"--the mdn\x00"))
    mdn = make.mdn(message)
    await write(message=message, mdns=(mdn,))
    assert await ledger.find_mdn(message.id) == await ledger.find_mdn(mdn.id) == mdn
    assert await ledger.find_mdn("nobody") is None
    assert await ledger.due(now_ns=99) == (False, False, False)
    assert await ledger.due(now_ns=100) == (False, False, True)
    (claim,) = await ledger.claim_mdns(now_ns=100, lease_ns=LEASE, limit=9)
    assert claim.receipt == message.receipt
    assert claim.mdn == msgspec.structs.replace(mdn, state=MdnState.SENDING)
    assert await ledger.due(now_ns=149) == (False, False, False)
    assert await mdns(ledger, 149) == []
    assert await ledger.due(now_ns=150) == (False, False, True)  # the lease is over
    assert await mdns(ledger, 150) == [mdn.id]


async def test_an_mdn_moves_on_and_comes_again(ledger: SqliteLedger, make: Any, write: Any) -> None:
    message = make.message()
    mdn = make.mdn(message)
    await write(message=message, mdns=(mdn,))
    await mdns(ledger, 100)
    failed = MdnUpdate(
        id=mdn.id,
        expected=(MdnState.SENDING,),
        state=MdnState.PENDING,
        due_ns=500,
        attempts=1,
        first_attempt_ns=100,
    )
    await write(mdn_updates=(failed,))
    assert await mdns(ledger, 499) == []
    assert await mdns(ledger, 500) == [mdn.id]
    done = MdnUpdate(id=mdn.id, expected=(MdnState.SENDING,), state=MdnState.DELIVERED, attempts=2)
    await write(mdn_updates=(done,))
    assert await mdns(ledger, 10_000) == []
    (late,) = await ledger.commit([Change(mdn_updates=(failed,))])
    assert isinstance(late, Conflict)
    (unknown,) = await ledger.commit([Change(mdn_updates=(msgspec.structs.replace(done, id="nobody"),))])
    assert isinstance(unknown, Conflict)
    again = MdnUpdate(
        id=mdn.id,
        expected=MDN.sources(MdnTrigger.REPEAT),
        state=MDN.after(MdnState.DELIVERED, MdnTrigger.REPEAT),
        due_ns=600,
    )
    await write(mdn_updates=(again,))
    found = await ledger.find_mdn(message.id)
    assert found == msgspec.structs.replace(mdn, due_ns=600, attempts=2, first_attempt_ns=100)
    assert await ledger.mdns(state=MdnState.PENDING, limit=9) == [found]
    assert await mdns(ledger, 600) == [mdn.id]


async def test_a_message_has_one_mdn(ledger: SqliteLedger, make: Any, write: Any) -> None:
    message = make.message()
    await write(message=message, mdns=(make.mdn(message),))
    with pytest.raises(ChangeRefused):
        await ledger.commit([Change(mdns=(make.mdn(message),))])
    with pytest.raises(ChangeRefused, match="FOREIGN KEY"):
        await ledger.commit([Change(mdns=(make.mdn(make.message()),))])


async def test_parties_take_turns_with_their_mdns(ledger: SqliteLedger, make: Any, write: Any) -> None:
    """One whose address does not answer does not hold up the others, however many it has."""
    for _ in range(5):
        message = make.message()
        await write(message=message, mdns=(make.mdn(message, party="dead", due_ns=1),))
    message = make.message()
    await write(message=message, mdns=(mdn := make.mdn(message, party="trader"),))
    claimed = await mdns(ledger, 100, limit=2)
    assert claimed[1] == mdn.id
    assert len(claimed) == 2
    assert await ledger.due(now_ns=100) == (False, False, True)
    assert await ledger.due(now_ns=1000, skip_mdns=["dead", "trader"]) == (False, False, False)
    assert await ledger.due(now_ns=1000, skip_mdns=["dead"]) == (False, False, True)  # what lapsed
    found = await ledger.claim_mdns(now_ns=1000, lease_ns=LEASE, limit=9, skip=["dead"])
    assert [claim.mdn.id for claim in found] == [mdn.id]


async def test_a_clock_set_back_leaves_no_mdn_stuck(ledger: SqliteLedger, make: Any, write: Any) -> None:
    first, second = make.message(), make.message()
    await write(message=first, mdns=(make.mdn(first, due_ns=10**15),))
    await write(message=second, mdns=(leased := make.mdn(second, due_ns=5),))
    assert await mdns(ledger, 10**14) == [leased.id]
    await ledger.rebase(now_ns=1000, latest_ns=1300, lease_ns=LEASE)
    assert await mdns(ledger, 1049) == []
    assert await mdns(ledger, 1050) == [leased.id]
    found = await ledger.find_mdn(first.id)
    assert found is not None
    assert found.due_ns == 1300


async def test_the_history_of_a_message_is_what_is_said_of_no_lodgement(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    one, other = (make.event(message="M1"), make.event(message="M1", lodgement="L1"))
    await write(events=(one, other, make.event(message="M2"), make.event(), make.event(message="M1")))
    found = await ledger.events(lodgement=None, message="M1", after=0, limit=9)
    assert [event.number for event in found] == [1, 5]
    assert [e.number for e in await ledger.events(lodgement=None, message="M1", after=1, limit=9)] == [5]
    assert [e.number for e in await ledger.events(lodgement=None, after=0, limit=9)] == [1, 2, 3, 4, 5]
    assert [e.number for e in await ledger.events(lodgement="L1", after=0, limit=9)] == [2]


async def test_attachments_are_kept_with_their_message(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, lodgement = make.lodged("customs")
    assert change.message is not None
    bodies = (b"%PDF\x00\xff", b"")
    kept = tuple(
        make.attachment(
            change.message, position=n, body=body, digest=hashlib.sha256(body).hexdigest(), filename=name
        )
        for n, (body, name) in enumerate(zip(bodies, ("../\u0000b.pdf", None), strict=True), 1)
    )
    await write(msgspec.structs.replace(change, attachments=kept))
    assert await ledger.attachments(change.message.id) == list(kept)
    status = await ledger.status(lodgement.id)
    assert status is not None
    assert [(a.position, a.filename, a.octets, a.digest) for a in status.attachments] == [
        (a.position, a.filename, len(a.body), a.digest) for a in kept
    ]
    assert await ledger.attachments("nobody") == []


async def test_a_duplicate_brings_no_attachment(ledger: SqliteLedger, make: Any, write: Any) -> None:
    message = make.message(key="<1>")
    await write(message=message, attachments=(make.attachment(message),))
    again = make.message(key="<1>")
    await ledger.commit([Change(message=again, attachments=(make.attachment(again),))])
    assert len(await ledger.attachments(message.id)) == 1
    assert await ledger.attachments(again.id) == []
