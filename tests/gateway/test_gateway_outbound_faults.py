"""What fails in the middle of a try: nothing goes out that is not kept, nothing sent is forgotten."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from structlog.testing import capture_logs

from tidewaiter.gateway.ledger import ChangeRefused, LedgerBusy, LedgerFailed, LedgerUnavailable
from tidewaiter.gateway.outbound import LEASE_NS
from tidewaiter.routing.lifecycle import DeliveryState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

TAKEN = (202, (), b"")


@pytest.fixture
async def lodged(bench: Any, make_document: Make) -> Any:
    """One declaration, whose delivery to customs is long done."""
    await bench.lodge(make_document())
    bench.peer.will(bench.mdn("customs"))
    assert await bench.attempt("customs")
    bench.peer.will(TAKEN)
    bench.peer.requests.clear()
    return bench


@asynccontextmanager
async def looping(bench: Any) -> Any:
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(bench.outbound.run)
            yield
            group.cancel_scope.cancel()


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    while not await check():
        await anyio.lowlevel.checkpoint()


def fail_once(bench: Any, method: str, error: Exception) -> list[Exception]:
    """The next call of the ledger's `method` raises `error`; the list is empty then."""
    original, errors = getattr(bench.ledger, method), [error]

    async def asked(*args: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return await original(*args, **options)

    setattr(bench.ledger, method, asked)
    return errors


async def test_a_result_that_could_not_be_recorded_is_earned_again(lodged: Any) -> None:
    """The agency took it, and gets it again when the claim has lapsed: the same bytes under the same name."""
    left = fail_once(lodged, "commit", LedgerBusy("held"))
    async with looping(lodged):

        async def tried() -> bool:
            return not left

        await until(tried)
        assert (await lodged.leg()).state is DeliveryState.SENDING
        lodged.now.tick(LEASE_NS / 1e9 - 1)
        lodged.outbound.wake()
        await anyio.wait_all_tasks_blocked()
        assert len(lodged.peer.requests) == 1
        lodged.now.tick(2)
        lodged.outbound.wake()

        async def sent() -> bool:
            return (await lodged.leg()).state is DeliveryState.SENT

        await until(sent)
    first, second = lodged.peer.requests
    assert first == second


async def test_what_could_not_be_kept_is_not_sent(lodged: Any) -> None:
    left = fail_once(lodged, "keep_wire", LedgerBusy("held"))
    (claim,) = await lodged.claims("health")
    with pytest.raises(LedgerBusy):
        await lodged.outbound.deliveries.run(claim)
    assert left == []
    assert lodged.peer.requests == []
    lodged.now.tick(LEASE_NS / 1e9 + 1)
    assert await lodged.attempt()
    assert (await lodged.leg()).state is DeliveryState.SENT
    assert (await lodged.leg()).attempts == 1


async def test_a_result_that_cannot_be_written_ends_no_other(lodged: Any, make_document: Make) -> None:
    """A fault of ours, twice over: the try is given up, and the loop goes on with the next."""
    original, refused = lodged.ledger.commit, 0
    first = await lodged.delivery("health")

    async def commit(changes: Any) -> Any:
        nonlocal refused
        if any(update.id == first for change in changes for update in change.delivery_updates):
            refused += 1
            raise ChangeRefused("a fault of ours")
        return await original(changes)

    lodged.ledger.commit = commit
    # Rendering two tracebacks takes longer than all the rest.
    with capture_logs():
        async with looping(lodged):
            await lodged.lodge(make_document(lrn="MER-2", reference="MT2"))

            async def sent() -> bool:
                legs = (await lodged.status("MER-2")).deliveries
                return refused == 2 and {leg.state for leg in legs if leg.agency == "health"} == {
                    DeliveryState.SENT
                }

            await until(sent)
    found = next(leg for leg in (await lodged.status("MER-26-004171")).deliveries if leg.id == first)
    assert found.state is DeliveryState.SENDING


@pytest.mark.parametrize("method", ["commit", "keep_wire", "claim_deliveries", "claim_notifications"])
async def test_a_ledger_that_fails_anywhere_ends_the_loop(
    lodged: Any, make_document: Make, method: str
) -> None:
    """Nothing can be promised any more: whoever started the loop must hear of it."""
    if method == "claim_notifications":
        await lodged.lodge_as2(make_document("invalid.edi"))
    fail_once(lodged, method, LedgerFailed("disk"))
    with anyio.fail_after(10), pytest.raises(ExceptionGroup) as caught:
        await lodged.outbound.run()
    assert caught.group_contains(LedgerUnavailable, match="disk")
    if method in {"keep_wire", "claim_deliveries"}:
        assert lodged.peer.requests == []
