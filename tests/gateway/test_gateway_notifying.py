"""Notifications pushed over AS2: again as they were, given up, and readable in the log all the same."""

from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.gateway.as2 import Disposition
from tidewaiter.gateway.attempts import POISON_TRIES
from tidewaiter.gateway.http import ConnectFailed
from tidewaiter.gateway.ledger import ClaimedNotification
from tidewaiter.routing.lifecycle import NotificationState
from tidewaiter.security import KeyStoreError

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

DOWN = ConnectFailed("no connection", sent=False)


async def notified(bench: Any, make_document: Make) -> list[ClaimedNotification]:
    """A bad document over AS2, whose answer is to be pushed."""
    await bench.lodge_as2(make_document("export.xml", change=(b"<FunctionCode>9<", b"<FunctionCode>nine<")))
    return list(await bench.due_notes())


async def test_a_notification_is_pushed_over_as2(bench: Any, make_document: Make) -> None:
    (claim,) = await notified(bench, make_document)
    bench.peer.will(bench.mdn("trader"))
    await bench.outbound.notifications.run(claim)
    (note,) = await bench.notes()
    assert (note.state, note.attempts) == (NotificationState.DELIVERED, 1)
    assert bench.received == [note.body]
    assert bench.peer.requests[0][0] == "http://127.0.0.1:8181/as2"
    assert (await bench.kinds())[-2:] == ["notification_started", "notification_delivered"]


async def test_what_the_configuration_cannot_make_waits_for_another(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = await notified(bench, make_document)
    with monkeypatch.context() as patched:
        patched.setattr("tidewaiter.gateway.sender.compose", cannot)
        for _ in range(2 * POISON_TRIES):
            await bench.outbound.notifications.run(claimed[0])
            bench.now.tick(100)
            claimed = await bench.due_notes()
    bench.peer.will(bench.mdn("trader"))
    await bench.outbound.notifications.run(claimed[0])
    (note,) = await bench.notes()
    assert note.state is NotificationState.DELIVERED


def cannot(*_: Any, **__: Any) -> Any:
    raise KeyStoreError("a certificate's key cannot be encrypted to")


async def test_a_notification_that_fails_is_pushed_again_as_it_was(bench: Any, make_document: Make) -> None:
    claimed = await notified(bench, make_document)
    bench.peer.will(DOWN, (503, (), b""), bench.mdn("trader"))
    for _ in range(3):
        await bench.outbound.notifications.run(claimed[0])
        bench.now.tick(100)
        claimed = await bench.due_notes()
    assert claimed == []
    assert len(set(bench.peer.requests)) == 1
    (note,) = await bench.notes()
    assert (note.state, note.attempts) == (NotificationState.DELIVERED, 3)
    assert (await bench.kinds()).count("notification_failed") == 2


async def test_a_partner_in_trouble_is_pushed_to_until_the_deadline(bench: Any, make_document: Make) -> None:
    claimed = await notified(bench, make_document)
    bench.peer.will(bench.mdn("trader", Disposition.UNEXPECTED_PROCESSING_ERROR))
    for _ in range(3 * POISON_TRIES):
        await bench.outbound.notifications.run(claimed[0])
        (note,) = await bench.notes()
        assert note.state is NotificationState.PENDING
        bench.now.tick(4000)
        claimed = await bench.due_notes()
    bench.peer.will(bench.mdn("trader"))
    await bench.outbound.notifications.run(claimed[0])
    (note,) = await bench.notes()
    assert note.state is NotificationState.DELIVERED


async def test_a_notification_is_given_up_and_can_still_be_read(bench: Any, make_document: Make) -> None:
    claimed = await notified(bench, make_document)
    bench.peer.will((400, (), b""))
    while claimed:
        await bench.outbound.notifications.run(claimed[0])
        bench.now.tick(1000)
        claimed = await bench.due_notes()
    (note,) = await bench.notes()
    assert (note.state, note.attempts) == (NotificationState.DEAD, 1)
    log = await bench.get("/v1/notifications")
    assert [entry["id"] for entry in log["notifications"]] == [note.id]


async def test_a_partner_that_gave_up_its_address(folder: Any, open_bench: Any, make_document: Make) -> None:
    async with open_bench() as first:
        await notified(first, make_document)
    file = folder / "partners/trader.toml"
    file.write_text(file.read_text().replace('url = "http', '# url = "http'))
    async with open_bench() as second:
        (claim,) = await second.due_notes()
        await second.outbound.notifications.run(claim)
        (note,) = await second.notes()
        assert note.state is NotificationState.DEAD
        assert second.peer.requests == []


async def test_entries_go_out_in_their_order(bench: Any, make_document: Make) -> None:
    """One at a time to each partner: the second waits for the first."""
    (first,) = await notified(bench, make_document)
    bad = (b"<FunctionCode>9<", b"<FunctionCode>nine<")
    await bench.lodge_as2(make_document("export.xml", lrn="MER-2", change=bad))
    assert await bench.due_notes() == []
    bench.peer.will(bench.mdn("trader"))
    await bench.outbound.notifications.run(first)
    (second,) = await bench.due_notes()
    assert second.notification.number == first.notification.number + 1


async def test_an_entry_that_defeats_our_own_code_is_given_up(bench: Any, make_document: Make) -> None:
    claimed = await notified(bench, make_document)

    def crashing(*_: Any, **__: Any) -> Any:
        raise MemoryError

    bench.sender.compose = crashing
    while claimed:
        await bench.outbound.notifications.run(claimed[0])
        bench.now.tick(1000)
        claimed = await bench.due_notes()
    (note,) = await bench.notes()
    assert (note.state, note.attempts) == (NotificationState.DEAD, POISON_TRIES)
