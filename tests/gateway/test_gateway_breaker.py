"""A dead agency is left alone, and one delivery at a time finds out whether it is back."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tidewaiter.gateway.answers import NotWritable
from tidewaiter.gateway.http import ConnectFailed
from tidewaiter.routing.lifecycle import DeliveryState
from tidewaiter.routing.retry import BreakerPolicy

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

DOWN = ConnectFailed("no connection", sent=False)
TAKEN = (202, (), b"")
POLICY = BreakerPolicy()


@pytest.fixture
async def dead(bench: Any, make_document: Make) -> Any:
    """Health has failed so often that it is left alone; three more declarations have come in since."""
    await bench.lodge(make_document())
    bench.peer.will(DOWN)
    for _ in range(POLICY.threshold):
        bench.now.tick(1000)
        assert await bench.attempt()
    bench.peer.requests.clear()
    for number in range(3):
        await bench.lodge(make_document(lrn=f"MER-{number}", reference=f"MT{number}"))
    return bench


async def at_once(bench: Any, *claims: Any) -> None:
    async with anyio.create_task_group() as group:
        for claim in claims:
            group.start_soon(bench.outbound.deliveries.run, claim)


async def states(bench: Any) -> list[tuple[DeliveryState, int]]:
    """The state and the tries of each delivery to health, the newest last."""
    lodgements = await bench.ledger.lodgements(limit=10)
    legs = [d for one in reversed(lodgements) for d in (await bench.status(one.id)).deliveries]
    return [(leg.state, leg.attempts) for leg in legs if leg.agency == "health"]


async def test_while_it_is_open_nothing_is_claimed_for_it(dead: Any) -> None:
    assert dead.outbound.deliveries.room({})["health"] == 0
    dead.now.tick(POLICY.cool_down - 0.01)
    assert dead.outbound.deliveries.room({})["health"] == 0
    dead.now.tick(0.02)
    assert dead.outbound.deliveries.room({})["health"] > 0


async def test_the_others_go_on(dead: Any) -> None:
    dead.peer.will(dead.mdn("customs"))
    claims = await dead.claims("customs")
    assert len(claims) == 4
    await at_once(dead, *claims)
    assert len(dead.peer.requests) == 4
    for reference in ("MER-26-004171", "MER-0", "MER-1", "MER-2"):
        found = {d.agency: d.state for d in (await dead.status(reference)).deliveries}
        assert found["customs"] is DeliveryState.SENT
        assert found["health"] is DeliveryState.PENDING


async def test_one_goes_first_to_see_whether_it_is_back(dead: Any) -> None:
    """Also of those that have still to be written: nobody else is sent until that one is back. The rest is
    put back as it was, uncounted."""
    dead.now.tick(1000)
    claims = await dead.claims("health")
    assert len(claims) == 4
    await at_once(dead, *(claim for claim in claims if claim.wire is None))
    await at_once(dead, *(claim for claim in claims if claim.wire is not None))
    assert len(dead.peer.requests) == 1
    found = await states(dead)
    assert {state for state, _ in found} == {DeliveryState.PENDING}
    assert sum(attempts for _, attempts in found) == POLICY.threshold + 1
    assert dead.outbound.deliveries.room({})["health"] == 0


async def test_when_it_is_back_all_go(dead: Any) -> None:
    dead.now.tick(1000)
    dead.peer.will(TAKEN)
    first, *rest = await dead.claims("health")
    await at_once(dead, first)
    assert dead.outbound.deliveries.room({})["health"] > 0
    await at_once(dead, *rest)
    assert len(dead.peer.requests) == 4
    assert {state for state, _ in await states(dead)} == {DeliveryState.SENT}


async def test_a_document_that_cannot_be_written_does_not_keep_it_shut(
    dead: Any, make_document: Make
) -> None:
    """Only what is really sent counts as the one that finds out."""
    dead.now.tick(1000)

    def unwritable(*_: Any, **__: Any) -> bytes:
        raise NotWritable("too long")

    dead.answers.delivery = unwritable
    claims = await dead.claims("health")
    unwritten = [claim for claim in claims if claim.wire is None]
    await at_once(dead, unwritten[0])
    assert dead.peer.requests == []
    assert dead.outbound.deliveries.room({})["health"] > 0
