"""What a claim keeps within: the room of an agency, the room of the disk, and the clock as it is."""

import pathlib
from typing import Any

import pytest

from tidewaiter.gateway.ledger import (
    CannotOpen,
    Change,
    DeliveryUpdate,
    LedgerInUse,
    SqliteLedger,
    open_ledger,
)
from tidewaiter.gateway.ledger.ledger import WAITING_OCTETS
from tidewaiter.gateway.ledger.sqlite import FULL_BYTES
from tidewaiter.routing.lifecycle import DeliveryState

pytestmark = pytest.mark.anyio
HOUR = 3600 * 10**9
LATE = 10**18


async def claimed(ledger: SqliteLedger, now: int = 100, **options: Any) -> list[str]:
    found = await ledger.claim_deliveries(now_ns=now, lease_ns=50, limit=9, **options)
    return [each.delivery.agency for each in found]


async def test_an_agency_gets_no_more_than_it_has_room_for(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    for _ in range(5):
        change, _ = make.lodged("customs", "food")
        await write(change)
    room = {"customs": 2, "food": 9}
    assert sorted(await claimed(ledger, room=room)) == ["customs"] * 2 + ["food"] * 5
    assert await claimed(ledger, 200, room={"customs": 1, "food": 0}) == ["customs"]  # what lapsed counts too
    assert sorted(await claimed(ledger, 200)) == ["customs"] * 4 + ["food"] * 5


async def test_whether_anything_is_due_is_told_without_a_transaction(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    assert await ledger.due(now_ns=100) == (False, False, False)
    change, _ = make.lodged("customs")
    await write(change)
    await write(notifications=(make.notification(due_ns=150),))
    before = ledger.transactions
    assert await ledger.due(now_ns=99) == (False, False, False)
    assert await ledger.due(now_ns=100) == (True, False, False)
    assert await ledger.due(now_ns=100, skip=["customs"]) == (False, False, False)
    assert await ledger.due(now_ns=150) == (True, True, False)
    assert ledger.transactions == before
    assert await claimed(ledger) == ["customs"]
    await ledger.claim_notifications(now_ns=150, lease_ns=50, limit=9)
    assert await ledger.due(now_ns=149) == (False, False, False)
    assert await ledger.due(now_ns=200) == (True, True, False)  # the leases are over
    assert await ledger.due(now_ns=200, skip=["customs"]) == (False, True, False)


async def test_a_clock_set_back_leaves_nothing_stuck(ledger: SqliteLedger, make: Any, write: Any) -> None:
    change, _ = make.lodged("customs", "food")
    await write(change)
    assert await claimed(ledger, LATE + HOUR, skip=["food"]) == ["customs"]
    failed = DeliveryUpdate(
        id=change.deliveries[0].id,
        expected=(DeliveryState.SENDING,),
        state=DeliveryState.PENDING,
        due_ns=LATE + HOUR,
        first_attempt_ns=LATE + HOUR,
    )
    await write(delivery_updates=(failed,))
    await write(notifications=(make.notification(due_ns=LATE + HOUR),))
    assert await claimed(ledger, LATE + HOUR, skip=["customs"]) == ["food"]  # and no result comes
    await ledger.rebase(now_ns=LATE, latest_ns=LATE + 300, lease_ns=120)
    assert await ledger.due(now_ns=LATE + 119) == (False, False, False)
    assert await claimed(ledger, LATE + 120) == ["food"]
    assert await ledger.due(now_ns=LATE + 300, skip=["food"]) == (True, True, False)
    found = await ledger.find_delivery(failed.id)
    assert found is not None
    assert (found.due_ns, found.first_attempt_ns) == (LATE + 300, LATE)


async def test_a_clock_set_ahead_ages_no_first_try_and_ends_no_lease(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    change, _ = make.lodged("customs", "food")
    await write(change)
    assert await claimed(ledger, LATE) == ["customs", "food"]
    failed = DeliveryUpdate(
        id=change.deliveries[0].id,
        expected=(DeliveryState.SENDING,),
        state=DeliveryState.PENDING,
        due_ns=LATE + 10,
        first_attempt_ns=LATE,
    )
    await write(delivery_updates=(failed,))
    await ledger.rebase(now_ns=LATE + HOUR + 5, latest_ns=2 * LATE, lease_ns=120, ahead_ns=HOUR)
    assert await claimed(ledger, LATE + HOUR + 5) == ["customs"]
    found = await ledger.find_delivery(failed.id)
    assert found is not None
    assert found.first_attempt_ns == LATE + HOUR


async def test_room_is_kept_for_what_was_accepted(path: pathlib.Path, make: Any) -> None:
    free = [10 * WAITING_OCTETS + 1000 + FULL_BYTES]
    async with open_ledger(path, reserve=1000 + FULL_BYTES, free=lambda _: free[0]) as ledger:
        change, _ = make.lodged(*(f"agency{n}" for n in range(10)))
        await ledger.commit([change])
        assert ledger.has_room()
        second, _ = make.lodged("customs")
        await ledger.commit([second])
        assert not ledger.has_room()
        assert ledger.can_finish()
    async with open_ledger(path, reserve=1000 + FULL_BYTES, free=lambda _: free[0]) as ledger:
        assert not ledger.has_room()  # counted at the start
        found = await ledger.claim_deliveries(now_ns=100, lease_ns=50, limit=99)
        sent = [
            DeliveryUpdate(id=c.delivery.id, expected=(DeliveryState.SENDING,), state=DeliveryState.SENT)
            for c in found
        ]
        await ledger.commit([Change(delivery_updates=tuple(sent))])
        await ledger.reckon()
        assert ledger.has_room()
        free[0] = (1000 + FULL_BYTES) // 2 - 1
        assert not ledger.can_finish()


async def test_a_full_disk_is_said_when_it_is_opened(path: pathlib.Path, anyio_backend: object) -> None:
    with pytest.raises(CannotOpen, match=r"the disk is full \(9 octets free\)"):
        async with open_ledger(path, free=lambda _: 9):
            pass
    async with open_ledger(path):
        pass


async def test_a_ledger_has_one_lock_whatever_it_is_called(path: pathlib.Path, anyio_backend: object) -> None:
    other = path.parent / "other" / "name.db"
    other.parent.mkdir()
    other.symlink_to(path)
    async with open_ledger(path):
        with pytest.raises(LedgerInUse):
            async with open_ledger(other):
                pass
    async with open_ledger(other):
        pass
    assert [each.name for each in other.parent.iterdir()] == ["name.db"]
