"""The loop that claims what is due: by itself, within each agency's limit, past what fails."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from structlog.testing import capture_logs

from tidewaiter.gateway.ledger import LedgerBusy, LedgerUnavailable
from tidewaiter.routing.lifecycle import DeliveryState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

TAKEN = (202, (), b"")


@pytest.fixture
async def lodged(bench: Any, make_document: Make) -> Any:
    await bench.lodge(make_document())
    return bench


async def test_the_loop_sends_what_is_due(lodged: Any) -> None:
    """`run` claims by itself; both agencies get theirs."""
    customs = lodged.mdn("customs")
    lodged.peer.will(lambda wire: customs(wire) if wire[0].endswith("/as2") else TAKEN)
    async with anyio.create_task_group() as group:
        group.start_soon(lodged.outbound.run)
        with anyio.fail_after(10):
            while {d.state for d in (await lodged.only()).deliveries} != {DeliveryState.SENT}:
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert len(lodged.peer.requests) == 2


async def test_an_agency_gets_no_more_at_once_than_agreed(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    file = folder / "agencies/health.toml"
    file.write_text(file.read_text().replace("concurrency = 8", "concurrency = 2"))
    async with open_bench() as bench:
        for number in range(6):
            await bench.lodge(make_document(lrn=f"MER-{number}", reference=f"MT{number}"))
        busy, most, both, done = 0, 0, anyio.Event(), anyio.Event()
        original = bench.peer.request

        async def request(method: str, url: str, *wire: Any, **options: Any) -> Any:
            nonlocal busy, most
            if "8283" not in url:
                return await original(method, url, *wire, **options)
            busy += 1
            most = max(most, busy)
            if busy == 2:
                both.set()
            await both.wait()
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            busy -= 1
            response = await original(method, url, *wire, **options)
            if sum("8283" in sent[0] for sent in bench.peer.requests) == 6:
                done.set()
            return response

        bench.peer.request = request
        async with anyio.create_task_group() as group:
            group.start_soon(bench.outbound.run)
            with anyio.fail_after(10):
                await done.wait()
            group.cancel_scope.cancel()
        assert most == 2


async def test_the_loop_outlives_a_busy_ledger(lodged: Any) -> None:
    """Another program held the file for a moment."""
    claim, busy = lodged.ledger.claim_deliveries, [LedgerBusy("held")]

    async def claimed(**options: Any) -> Any:
        if busy:
            lodged.outbound.wake()
            raise busy.pop()
        return await claim(**options)

    lodged.ledger.claim_deliveries = claimed
    sent = anyio.Event()
    customs = lodged.mdn("customs")

    def turn(wire: Any) -> Any:
        if wire[0].endswith("/as2"):
            return customs(wire)
        sent.set()
        return TAKEN

    lodged.peer.will(turn)
    async with anyio.create_task_group() as group:
        group.start_soon(lodged.outbound.run)
        with anyio.fail_after(10):
            await sent.wait()
        group.cancel_scope.cancel()
    assert busy == []


async def test_a_ledger_that_failed_ends_the_loop(lodged: Any) -> None:
    async def failing(**_: Any) -> Any:
        raise LedgerUnavailable("gone")

    lodged.ledger.claim_deliveries = failing
    with pytest.raises(ExceptionGroup) as caught:
        await lodged.outbound.run()
    assert caught.group_contains(LedgerUnavailable)


async def test_the_next_entry_of_a_log_does_not_wait_for_the_poll(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at a time to each trader, but each as soon as the one before has arrived."""
    monkeypatch.setattr("tidewaiter.gateway.outbound.POLL_SECONDS", 3600.0)
    bad = (b"<FunctionCode>9<", b"<FunctionCode>nine<")
    for number in range(3):
        await bench.lodge_as2(make_document("export.xml", lrn=f"MER-{number}", change=bad))
    pushed, trader, done = [], bench.mdn("trader"), anyio.Event()

    def turn(wire: Any) -> Any:
        pushed.append(wire)
        if len(pushed) == 3:
            done.set()
        return trader(wire)

    bench.peer.will(turn)
    async with anyio.create_task_group() as group:
        group.start_soon(bench.outbound.run)
        with anyio.fail_after(10):
            await done.wait()
        group.cancel_scope.cancel()


@asynccontextmanager
async def looping(bench: Any) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(bench.outbound.run)
        with anyio.fail_after(10):
            yield
        group.cancel_scope.cancel()


async def rounds(bench: Any, count: int = 3) -> None:
    """Let the loop look `count` times."""
    for _ in range(count):
        looked = anyio.Event()
        original = bench.ledger.can_finish

        def look(event: anyio.Event = looked, ask: Any = original) -> Any:
            event.set()
            return ask()

        bench.ledger.can_finish = look
        bench.outbound.wake()
        await looked.wait()
        bench.ledger.can_finish = original
        await anyio.wait_all_tasks_blocked()


def step(bench: Any, seconds: float) -> None:
    """Somebody sets the wall clock."""
    bench.now.tick(seconds)
    bench.now.stepped += int(seconds * 10**9)


async def test_a_clock_that_was_ahead_holds_nothing_up(lodged: Any) -> None:
    lodged.peer.will((503, (), b""))
    step(lodged, 3600)
    assert await lodged.attempt()
    step(lodged, -3600)
    lodged.peer.will(TAKEN)
    assert (await lodged.leg()).due_ns > lodged.now.ns + 3500 * 10**9
    lodged.outbound._offset_ns = None
    await lodged.outbound._rebase(lodged.now())
    longest = 300 * 10**9
    assert (await lodged.leg()).due_ns <= lodged.now.ns + longest
    lodged.now.tick(300)
    assert await lodged.attempt()
    assert (await lodged.leg()).state is DeliveryState.SENT


async def test_a_clock_set_ahead_passes_no_deadline(lodged: Any) -> None:
    lodged.peer.will((503, (), b""))
    await lodged.outbound._rebase(lodged.now())
    for _ in range(3):
        assert await lodged.attempt()
        lodged.now.tick(100)
    step(lodged, 15 * 86_400)
    await lodged.outbound._rebase(lodged.now())
    assert await lodged.attempt()
    assert (await lodged.leg()).state is DeliveryState.PENDING


async def test_the_clocks_may_drift_a_little(lodged: Any) -> None:
    await lodged.outbound._rebase(lodged.now())
    before = lodged.ledger.transactions
    step(lodged, 4.9)
    await lodged.outbound._rebase(lodged.now())
    assert lodged.ledger.transactions == before
    step(lodged, 0.2)
    await lodged.outbound._rebase(lodged.now())
    assert lodged.ledger.transactions == before + 1


async def test_below_the_floor_nothing_is_claimed_until_there_is_room(lodged: Any) -> None:
    lodged.ledger.can_finish = lambda: False
    customs = lodged.mdn("customs")
    lodged.peer.will(lambda wire: customs(wire) if wire[0].endswith("/as2") else TAKEN)
    with capture_logs() as logs:
        async with looping(lodged):
            before = lodged.ledger.transactions
            await rounds(lodged)
            assert lodged.peer.requests == []
            assert lodged.ledger.transactions == before
            lodged.ledger.can_finish = lambda: True
            lodged.outbound.wake()
            while {d.state for d in (await lodged.only()).deliveries} != {DeliveryState.SENT}:
                await anyio.lowlevel.checkpoint()
    said = [entry["event"] for entry in logs if entry["event"].startswith("outbound")]
    assert said == ["outbound_waits", "outbound_goes_on"]


async def test_no_more_is_claimed_than_an_agency_has_room_for(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    """What waited for its turn with a claim would see its lease run out, and be sent twice."""
    file = folder / "agencies/health.toml"
    file.write_text(file.read_text().replace("concurrency = 8", "concurrency = 2"))
    async with open_bench() as bench:
        for number in range(6):
            await bench.lodge(make_document(lrn=f"MER-{number}", reference=f"MT{number}"))
        hanging = anyio.Event()
        original = bench.peer.request

        async def request(method: str, url: str, *wire: Any, **options: Any) -> Any:
            await hanging.wait()
            return await original(method, url, *wire, **options)

        bench.peer.request = request
        async with looping(bench):
            await rounds(bench)
            counts = {(a, s): n for a, s, n in await bench.ledger.delivery_counts()}
            assert counts["health", DeliveryState.SENDING] == 2
            assert counts["health", DeliveryState.PENDING] == 4


async def test_a_round_that_finds_nothing_writes_nothing(lodged: Any) -> None:
    customs = lodged.mdn("customs")
    lodged.peer.will(lambda wire: customs(wire) if wire[0].endswith("/as2") else TAKEN)
    async with looping(lodged):
        while {d.state for d in (await lodged.only()).deliveries} != {DeliveryState.SENT}:
            await anyio.lowlevel.checkpoint()
        await rounds(lodged)
        before = lodged.ledger.transactions
        await rounds(lodged, 5)
        assert lodged.ledger.transactions == before
