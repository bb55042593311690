"""Claims: who may be sent what, and in which order."""

import pathlib
import random
from collections import defaultdict
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.ledger import (
    Change,
    ClaimedDelivery,
    DeliveryUpdate,
    NotificationUpdate,
    SqliteLedger,
    open_ledger,
)
from tidewaiter.routing.lifecycle import DELIVERY, DeliveryState, DeliveryTrigger, NotificationState

pytestmark = pytest.mark.anyio
D, N, CLAIM = DeliveryState, NotificationState, DeliveryTrigger.CLAIM


async def claim(
    ledger: SqliteLedger, now: int = 100, limit: int = 9, skip: tuple[str, ...] = ()
) -> list[str]:
    claimed = await ledger.claim_deliveries(now_ns=now, lease_ns=50, limit=limit, skip=skip)
    return [each.delivery.id for each in claimed]


async def push(ledger: SqliteLedger, now: int = 100, limit: int = 9) -> list[tuple[str, int]]:
    claimed = await ledger.claim_notifications(now_ns=now, lease_ns=50, limit=limit)
    return [(each.notification.partner, each.notification.number) for each in claimed]


def moved(delivery: str, state: DeliveryState, **fields: Any) -> DeliveryUpdate:
    return DeliveryUpdate(id=delivery, expected=tuple(D), state=state, **fields)


def noted(notification: str, state: NotificationState, **fields: Any) -> NotificationUpdate:
    return NotificationUpdate(id=notification, expected=tuple(N), state=state, **fields)


async def test_a_claim_brings_all_that_is_needed(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, lodgement = make.lodged("customs")
    await write(change)
    (delivery,) = change.deliveries
    sending = msgspec.structs.replace(delivery, state=D.SENDING)
    assert await ledger.claim_deliveries(now_ns=100, lease_ns=50, limit=1) == [
        ClaimedDelivery(delivery=sending, lodgement=lodgement, wire=None)
    ]
    old, new = make.wire(), make.wire()
    await ledger.keep_wire([(delivery.id, old)])
    await ledger.keep_wire([(delivery.id, new)])
    await write(delivery_updates=(moved(delivery.id, D.PENDING, due_ns=200),))
    assert await claim(ledger, 199) == []
    (again,) = await ledger.claim_deliveries(now_ns=200, lease_ns=50, limit=1)
    assert again.wire == new


async def test_a_pushed_notification_brings_its_wire(ledger: SqliteLedger, make: Any, write: Any) -> None:
    note, wire = make.notification(), make.wire(mic=None)
    await write(notifications=(note,))
    await ledger.keep_wire([(note.id, wire)])
    (claimed,) = await ledger.claim_notifications(now_ns=100, lease_ns=50, limit=1)
    assert claimed.wire == wire
    assert claimed.notification == msgspec.structs.replace(note, state=N.SENDING, number=1)


async def test_what_is_claimed_is_claimed_once_until_its_lease_lapses(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    change, _ = make.lodged("customs")
    await write(change)
    await write(notifications=(make.notification(),))
    assert len(await claim(ledger, 100)) == 1
    assert len(await push(ledger, 100)) == 1
    assert await claim(ledger, 149) == []
    assert await push(ledger, 149) == []
    assert len(await claim(ledger, 150)) == 1
    assert len(await push(ledger, 150)) == 1
    assert await claim(ledger, 199) == []
    assert await push(ledger, 199) == []


async def test_the_leases_of_a_dead_process_are_void(
    path: pathlib.Path, make: Any, anyio_backend: object
) -> None:
    change, _ = make.lodged("customs")
    async with open_ledger(path) as first:
        await first.commit([change, Change(notifications=(make.notification(),))])
        taken, pushed = await claim(first), await push(first)
        assert taken
        assert pushed
    async with open_ledger(path) as second:
        assert await claim(second) == taken
        assert await push(second) == pushed
        assert await claim(second) == []


async def test_one_root_and_agency_is_one_lane(ledger: SqliteLedger, make: Any, write: Any) -> None:
    original, lodgement = make.lodged("customs", "food")
    await write(original)
    amendment, _ = make.lodged("customs", "food", root=lodgement.id, claims_lrn=False)
    await write(amendment)
    other, _ = make.lodged("customs")
    await write(other)
    (customs, food), (customs2, food2) = original.deliveries, amendment.deliveries
    assert set(await claim(ledger)) == {customs.id, food.id, other.deliveries[0].id}

    await write(delivery_updates=(moved(customs.id, D.SENT), moved(food.id, D.PENDING, due_ns=300)))
    await write(delivery_updates=(moved(other.deliveries[0].id, D.SENT),))
    assert await claim(ledger) == [customs2.id]
    await write(delivery_updates=(moved(customs2.id, D.ANSWERED),))
    assert await claim(ledger, 299) == []
    assert await claim(ledger, 300) == [food.id]
    await write(delivery_updates=(moved(food.id, D.ANSWERED),))
    assert await claim(ledger, 300) == [food2.id]


@pytest.mark.parametrize("state", [D.SENT, D.ANSWERED, D.CLOSED, D.WITHHELD])
async def test_what_is_finished_holds_nothing_up(
    ledger: SqliteLedger, make: Any, write: Any, state: DeliveryState
) -> None:
    first, lodgement = make.lodged()
    earlier, later = make.delivery(lodgement, state=state), make.delivery(lodgement)
    await write(msgspec.structs.replace(first, deliveries=(earlier, later)))
    assert await claim(ledger) == [later.id]


async def test_a_dead_letter_holds_its_lane_up_until_a_person_closes_it(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    first, lodgement = make.lodged()
    one, two = make.delivery(lodgement), make.delivery(lodgement)
    await write(msgspec.structs.replace(first, deliveries=(one, two)))
    await write(delivery_updates=(moved(one.id, D.DEAD),))
    assert await claim(ledger) == []
    assert [each.id for each in await ledger.deliveries(state=D.DEAD, limit=5)] == [one.id]
    await write(delivery_updates=(moved(one.id, D.CLOSED),))
    assert await claim(ledger) == [two.id]


async def test_a_dead_letter_that_is_requeued_goes_first(ledger: SqliteLedger, make: Any, write: Any) -> None:
    first, lodgement = make.lodged()
    one, two = make.delivery(lodgement), make.delivery(lodgement)
    await write(msgspec.structs.replace(first, deliveries=(one, two)))
    await write(delivery_updates=(moved(one.id, D.DEAD),))
    await write(delivery_updates=(moved(one.id, D.PENDING, due_ns=0),))
    assert await claim(ledger) == [one.id]


async def test_a_requeued_delivery_waits_for_what_is_being_sent(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    first, lodgement = make.lodged()
    one, two, three = (make.delivery(lodgement) for _ in range(3))
    await write(msgspec.structs.replace(first, deliveries=(one, two, three)))
    await write(delivery_updates=(moved(one.id, D.SENT),))
    assert await claim(ledger) == [two.id]
    await write(delivery_updates=(moved(one.id, D.PENDING),))
    assert await claim(ledger) == []
    await write(delivery_updates=(moved(two.id, D.SENT),))
    assert await claim(ledger) == [one.id]
    await write(delivery_updates=(moved(one.id, D.SENT),))
    assert await claim(ledger) == [three.id]


async def test_agencies_take_turns(ledger: SqliteLedger, make: Any, write: Any) -> None:
    changes = [make.lodged("busy")[0] for _ in range(5)]
    for change in changes:
        await write(change)
    late, lodgement = make.lodged()
    rare = make.delivery(lodgement, agency="rare", due_ns=101)
    await write(msgspec.structs.replace(late, deliveries=(rare,)))
    assert await claim(ledger, 101, limit=2) == [changes[0].deliveries[0].id, rare.id]
    assert await claim(ledger, 101, skip=("busy",)) == []
    assert len(await claim(ledger, 101, limit=3)) == 3
    assert await claim(ledger, 500, skip=("busy", "rare")) == []
    assert len(await claim(ledger, 500)) == 6


async def test_a_log_is_pushed_in_order_one_at_a_time(ledger: SqliteLedger, make: Any, write: Any) -> None:
    one, two = make.notification(), make.notification(due_ns=50)
    kept = make.notification(state=N.STORED)
    three = make.notification()
    theirs = make.notification(partner="other", due_ns=99)
    await write(notifications=(one, two, kept, three, theirs))
    assert await push(ledger) == [("other", 1), ("trader", 1)]
    await write(notification_updates=(noted(one.id, N.PENDING, due_ns=300),))
    assert await push(ledger, 120) == []
    assert await push(ledger, 300, limit=1) == [("other", 1)]
    assert await push(ledger, 300) == [("trader", 1)]
    await write(notification_updates=(noted(one.id, N.DELIVERED), noted(theirs.id, N.DELIVERED)))
    assert await push(ledger, 300) == [("trader", 2)]
    await write(notification_updates=(noted(two.id, N.DEAD),))
    assert await push(ledger, 300) == [("trader", 4)]
    await write(notification_updates=(noted(kept.id, N.PENDING, due_ns=0),))
    assert await push(ledger, 310) == []
    await write(notification_updates=(noted(three.id, N.DELIVERED),))
    assert await push(ledger, 310) == [("trader", 3)]


async def test_the_head_of_every_lane_is_the_one_by_definition(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    """Whatever happens in whatever order, against the definition in plain Python."""
    chance = random.Random(7)
    change, lodgement = make.lodged()
    await write(change)
    made: list[str] = []
    for _ in range(120):
        if chance.random() < 0.25:
            new = make.delivery(
                lodgement, agency=chance.choice("ab"), state=chance.choice([D.PENDING, D.WITHHELD])
            )
            await write(deliveries=(new,))
            made.append(new.id)
        elif chance.random() < 0.4:
            await claim(ledger, limit=1)
        elif made:
            chosen = await ledger.find_delivery(chance.choice(made))
            assert chosen is not None
            ways = [t for t in DeliveryTrigger if t is not CLAIM and (chosen.state, t) in DELIVERY.table]
            if ways:
                after = DELIVERY.after(chosen.state, chance.choice(ways))
                await write(delivery_updates=(moved(chosen.id, after),))
        _compare_heads(ledger)


def _compare_heads(ledger: SqliteLedger) -> None:
    assert ledger._writer is not None
    lanes: dict[str, list[Any]] = defaultdict(list)
    for row in ledger._writer.db.execute("SELECT * FROM delivery ORDER BY seq"):
        if row["state"] in ("pending", "sending", "dead"):
            lanes[row["agency"]].append(row)
    for lane in lanes.values():
        assert sum(row["state"] == "sending" for row in lane) <= 1
        head = next((row for row in lane if row["state"] == "sending"), lane[0])
        assert [row["seq"] for row in lane if row["head"]] == [head["seq"]]
