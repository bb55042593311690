"""What the ledger answers, and to whom."""

import pathlib
from collections import Counter
from typing import Any

import pytest

from tidewaiter.gateway.ledger import (
    LedgerClosed,
    LodgementUpdate,
    SqliteLedger,
    open_ledger,
)
from tidewaiter.routing.lifecycle import DeliveryState, LodgementState

pytestmark = pytest.mark.anyio


async def test_what_is_unknown_is_none_or_empty(ledger: SqliteLedger) -> None:
    assert await ledger.find_message("a", "b") is None
    assert await ledger.find_original("a", "b", partner="trader") is None
    assert await ledger.find_by_mrn("a") is None
    assert await ledger.find_delivery("a") is None
    assert await ledger.find_notification("a") is None
    assert await ledger.status("a") is None
    assert await ledger.message("a") is None
    assert await ledger.lodgements(limit=1) == []
    assert await ledger.notifications("a", after=10**30, limit=1) == []
    assert await ledger.events(lodgement=None, after=10**30, limit=1) == []
    assert await ledger.deliveries(state=DeliveryState.DEAD, limit=1) == []
    assert await ledger.delivery_counts() == []
    assert await ledger.commit([]) == []
    assert ledger.transactions == 0


async def test_an_entry_by_its_reference(ledger: SqliteLedger, make: Any, write: Any) -> None:
    first, second = (make.notification(partner=partner) for partner in ("trader", "other"))
    await write(notifications=(first, second))
    found = await ledger.find_notification(second.id)
    assert found is not None
    assert (found.id, found.partner, found.number, found.body) == (second.id, "other", 1, second.body)


async def test_a_status_by_any_reference(ledger: SqliteLedger, make: Any, write: Any) -> None:
    mine, first = make.lodged("customs", declarant="A", lrn="1", mrn="M1")
    await write(mine)
    theirs, second = make.lodged(declarant="B", lrn="1", mrn="M1", partner="other")
    await write(theirs)
    amendment, _ = make.lodged(declarant="A", lrn="1", mrn="M1", root=first.id, claims_lrn=False)
    await write(amendment)
    rejected = {"state": LodgementState.REJECTED, "claims_lrn": False}
    await write(make.lodged(declarant="A", lrn="1", mrn="M1", **rejected)[0])

    async def found(reference: str, partner: str | None = None) -> str | None:
        status = await ledger.status(reference, partner=partner)
        return None if status is None else status.lodgement.id

    assert await found(first.id) == first.id
    assert await found(mine.deliveries[0].id) == first.id
    assert await found("M1") == second.id
    assert await found("1") == second.id
    assert await found("1", "trader") == first.id
    assert await found("M1", "trader") == first.id
    assert await found(first.id, "other") is None
    assert await found(mine.deliveries[0].id, "other") is None
    by_mrn = await ledger.find_by_mrn("M1", partner="trader")
    assert by_mrn == first


async def test_the_mrn_an_agency_gave_comes_before_one_a_trader_wrote(
    ledger: SqliteLedger, make: Any, write: Any
) -> None:
    change, given = make.lodged()
    await write(change)
    held = LodgementUpdate(id=given.id, expected_version=0, state=LodgementState.HELD, mrn="M1")
    await write(lodgement_updates=(held,))
    await write(make.lodged(mrn="M1")[0])
    await write(make.lodged(mrn="M1", test=True, claims_lrn=False)[0])
    found = await ledger.find_by_mrn("M1", partner="trader")
    assert found is not None
    assert found.id == given.id


async def test_a_test_has_no_mrn(ledger: SqliteLedger, make: Any, write: Any) -> None:
    await write(make.lodged(mrn="M1", test=True, claims_lrn=False)[0])
    assert await ledger.find_by_mrn("M1") is None


async def test_the_newest_lodgements_first(ledger: SqliteLedger, make: Any, write: Any) -> None:
    made = []
    for partner in ("a", "b", "a"):
        change, lodgement = make.lodged(partner=partner)
        await write(change)
        made.append(lodgement)
    assert await ledger.lodgements(limit=2) == [made[2], made[1]]
    assert await ledger.lodgements(limit=5, partner="a") == [made[2], made[0]]


async def test_deliveries_are_counted(ledger: SqliteLedger, make: Any, write: Any) -> None:
    for _ in range(2):
        await write(make.lodged("customs", "food")[0])
    await ledger.claim_deliveries(now_ns=100, lease_ns=10, limit=1)
    counts = await ledger.delivery_counts()
    assert counts == [
        ("customs", DeliveryState.PENDING, 1),
        ("customs", DeliveryState.SENDING, 1),
        ("food", DeliveryState.PENDING, 2),
    ]
    assert Counter(type(state) for _, state, _ in counts) == {DeliveryState: 3}


async def test_reading_beside_a_gateway_that_writes(
    ledger: SqliteLedger, make: Any, write: Any, path: pathlib.Path
) -> None:
    async with open_ledger(path, read_only=True) as beside:
        change, lodgement = make.lodged()
        await write(change)
        assert await beside.find_original("XX123", lodgement.lrn, partner="trader") == lodgement
        for attempt in (
            beside.commit([change]),
            beside.claim_deliveries(now_ns=1, lease_ns=1, limit=1),
            beside.claim_notifications(now_ns=1, lease_ns=1, limit=1),
            beside.keep_wire([("D1", make.wire())]),
        ):
            with pytest.raises(LedgerClosed):
                await attempt
        assert not beside.has_room()
