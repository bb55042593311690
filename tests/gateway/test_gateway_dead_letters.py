"""Dead letters: told with their reason, tried again or closed by a person, through the operator's port."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.dead_letters import DeadLetters, NotPossible, UnknownLetter
from tidewaiter.gateway.ledger import (
    Change,
    DeliveryUpdate,
    EventRecord,
    MdnRecord,
    MdnUpdate,
    NotificationUpdate,
)
from tidewaiter.gateway.operations import operations_app
from tidewaiter.routing.lifecycle import DeliveryState, EventKind, MdnState, NotificationState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
JSON = ("content-type", "application/json")
WHY = b'{"why": "they are back"}'


class Operator:
    """The operator's application over ASGI, and what it woke."""

    def __init__(self, bench: Any) -> None:
        self.woken = 0
        self.letters = DeadLetters(bench.ledger, wake=self.wake, now=bench.now)
        self._app = operations_app(bench.ledger, bench.metrics, self.letters)

    def wake(self) -> None:
        self.woken += 1

    async def post(self, path: str, body: bytes = WHY, *headers: tuple[str, str]) -> tuple[int, Any]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers or (JSON,)],
            "http_version": "1.1",
            "scheme": "http",
        }
        await self._app(scope, receive, send)
        start, *bodies = sent
        return start["status"], msgspec.json.decode(b"".join(part.get("body", b"") for part in bodies))


@pytest.fixture
async def dead(bench: Any, make_document: Make) -> Any:
    """A delivery to health that was refused until it was given up."""
    await bench.lodge(make_document())
    bench.peer.will((400, (), b""))
    while await bench.attempt():
        bench.now.tick(1000)
    assert (await bench.leg()).state is DeliveryState.DEAD
    return bench


@pytest.fixture
async def unheard(bench: Any, make_document: Make) -> Any:
    """A notification to the trader that was given up."""
    await bench.lodge_as2(make_document("export.xml", change=(b"<FunctionCode>9<", b"<FunctionCode>nine<")))
    bench.peer.will((400, (), b""))
    while claimed := await bench.due_notes():
        await bench.outbound.notifications.run(claimed[0])
        bench.now.tick(1000)
    return bench


async def test_a_dead_delivery_is_listed_with_its_age_and_reason(dead: Any) -> None:
    dead.now.tick(7200)
    (letter,) = await Operator(dead).letters.all()
    leg = await dead.leg()
    assert (letter.id, letter.kind, letter.to, letter.attempts) == (leg.id, "delivery", "health", 3)
    assert letter.declaration == leg.lodgement
    assert letter.age == 7200 + 1000
    assert "400" in letter.reason


async def test_a_dead_notification_is_listed(unheard: Any) -> None:
    (letter,) = await Operator(unheard).letters.all()
    (note,) = await unheard.notes()
    assert (letter.id, letter.kind, letter.to) == (note.id, "notification", "trader")
    assert "400" in letter.reason


@pytest.fixture
async def mismatched(bench: Any, make_document: Make) -> Any:
    """A delivery to health, and a notification, that were not received as they were sent."""
    await bench.lodge(make_document())
    leg = await bench.leg()
    await bench.lodge_as2(make_document("export.xml", change=(b"<FunctionCode>9<", b"<FunctionCode>nine<")))
    (note,) = await bench.notes()
    bench.now.tick(60)
    data = {"agency": "health", "delivery": leg.id, "reason": "the MIC is another"}
    event = EventRecord(
        kind=EventKind.DELIVERY_MISMATCHED, at=bench.now(), lodgement=leg.lodgement, data=data
    )
    ends = (
        DeliveryUpdate(id=leg.id, expected=(leg.state,), state=DeliveryState.MISMATCHED),
        NotificationUpdate(id=note.id, expected=(note.state,), state=NotificationState.MISMATCHED),
    )
    await bench.ledger.commit(
        [Change(delivery_updates=(ends[0],), notification_updates=(ends[1],), events=(event,))]
    )
    return bench, leg, note


@pytest.fixture
async def unposted(bench: Any, make_document: Make) -> Any:
    """An MDN to the trader that was given up."""
    await bench.lodge(make_document())
    mdn = MdnRecord(
        id="A1",
        message=(await bench.only()).lodgement.message,
        party="trader",
        url="https://trader.example/mdn",
        state=MdnState.PENDING,
        due_ns=bench.now.ns,
    )
    dead = MdnUpdate(id="A1", expected=(MdnState.PENDING,), state=MdnState.DEAD, attempts=4)
    bench.now.tick(60)
    data = {"mdn": "A1", "party": "trader", "reason": "HTTP 404"}
    event = EventRecord(kind=EventKind.DEAD_LETTERED, at=bench.now(), message=mdn.message, data=data)
    other = EventRecord(kind=EventKind.DEAD_LETTERED, at=bench.now(), message="M0", data=data)
    for change in (Change(mdns=(mdn,)), Change(mdn_updates=(dead,), events=(event, other))):
        await bench.ledger.commit([change])
    return bench


async def test_what_was_not_received_as_sent_waits_for_a_person(mismatched: Any) -> None:
    bench, leg, note = mismatched
    operator = Operator(bench)
    bench.now.tick(30)
    delivery, notification = await operator.letters.all()
    assert (delivery.id, delivery.state, delivery.age) == (leg.id, "mismatched", 30)
    assert delivery.reason == "the MIC is another"
    assert (notification.id, notification.state) == (note.id, "mismatched")
    assert notification.reason == "its receipt is of other content"  # the history does not tell
    view = await bench.get(f"/v1/declarations/{leg.lodgement}")
    assert view["stuck"] == ["health"]
    status, told = await operator.post(f"/v1/deliveries/{leg.id}/requeue")
    assert (status, told["state"]) == (200, "pending")
    status, told = await operator.post(f"/v1/notifications/{note.id}/close")
    assert (status, told["state"]) == (200, "stored")
    assert await operator.letters.all() == []


async def test_an_mdn_that_could_not_be_posted_is_listed_and_tried_again(unposted: Any) -> None:
    operator = Operator(unposted)
    unposted.now.tick(30)
    (letter,) = await operator.letters.all()
    assert (letter.id, letter.kind, letter.to, letter.declaration) == ("A1", "mdn", "trader", None)
    assert (letter.attempts, letter.age, letter.reason) == (4, 30, "HTTP 404")
    status, told = await operator.post("/v1/mdns/A1/requeue")
    assert (status, told) == (200, {"id": "A1", "state": "pending"})
    assert operator.woken == 1
    assert letter.message is not None
    *_, event = await unposted.ledger.events(lodgement=None, message=letter.message, after=0, limit=99)
    assert (event.kind, event.message, event.data) == (
        EventKind.REQUEUED,
        letter.message,
        {"mdn": "A1", "reason": "they are back"},
    )
    (claim,) = await unposted.ledger.claim_mdns(now_ns=unposted.now.ns, lease_ns=1, limit=9)
    assert (claim.mdn.id, claim.mdn.attempts) == ("A1", 0)


async def test_an_mdn_is_closed_and_asked_for_by_its_own_id(unposted: Any) -> None:
    operator = Operator(unposted)
    (letter,) = await operator.letters.all()
    assert letter.message is not None
    with pytest.raises(UnknownLetter):
        await operator.letters.close(letter.message, "gone")
    status, told = await operator.post("/v1/mdns/A1/close")
    assert (status, told["state"]) == (200, "closed")
    assert await operator.letters.all() == []
    with pytest.raises(NotPossible, match="A1 is closed: it cannot be closed"):
        await operator.letters.close("A1", "again")


async def test_where_nothing_is_dead(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    assert await Operator(bench).letters.all() == []


async def test_a_delivery_requeued_is_tried_from_the_beginning_with_the_same_bytes(dead: Any) -> None:
    operator, leg = Operator(dead), await dead.leg()
    status, told = await operator.post(f"/v1/deliveries/{leg.id}/requeue")
    assert (status, told) == (200, {"id": leg.id, "state": "pending"})
    assert operator.woken == 1
    event = (await dead.events())[-1]
    assert event.kind.value == "requeued"
    assert event.data == {"agency": "health", "delivery": leg.id, "reason": "they are back"}
    again = await dead.leg()
    assert (again.state, again.attempts, again.first_attempt_ns) == (DeliveryState.PENDING, 0, dead.now.ns)
    # Refused again it has all its tries again, and each was the same message.
    assert await dead.attempt()
    assert (await dead.leg()).state is DeliveryState.PENDING
    dead.now.tick(1000)
    dead.peer.will((202, (), b""))
    assert await dead.attempt()
    assert (await dead.leg()).state is DeliveryState.SENT
    assert len(set(dead.peer.requests)) == 1


async def test_a_delivery_closed_is_tried_no_more(dead: Any) -> None:
    operator, leg = Operator(dead), await dead.leg()
    status, told = await operator.post(f"/v1/deliveries/{leg.id}/close")
    assert (status, told) == (200, {"id": leg.id, "state": "closed"})
    assert (await dead.events())[-1].kind.value == "closed"
    assert not await dead.attempt()
    assert await operator.letters.all() == []
    status, told = await operator.post(f"/v1/deliveries/{leg.id}/requeue")
    assert (status, told["detail"]) == (409, f"{leg.id} is closed: it cannot be requeued")


async def test_a_notification_is_requeued_or_closed(unheard: Any) -> None:
    operator = Operator(unheard)
    (note,) = await unheard.notes()
    status, told = await operator.post(f"/v1/notifications/{note.id}/requeue")
    assert (status, told["state"]) == (200, "pending")
    (claim,) = await unheard.due_notes()
    unheard.peer.will((400, (), b""))
    while claim:
        await unheard.outbound.notifications.run(claim)
        unheard.now.tick(1000)
        claim = next(iter(await unheard.due_notes()), None)
    assert [note.state for note in await unheard.notes()] == [NotificationState.DEAD]
    status, told = await operator.post(f"/v1/notifications/{note.id}/close")
    assert (status, told["state"]) == (200, "stored")
    event = (await unheard.events())[-1]
    assert (event.kind.value, event.data["notification"]) == ("closed", note.id)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/deliveries/D0/requeue", WHY, (JSON,), 404),
        ("/v1/deliveries/D0/close", WHY, (JSON,), 404),
        ("/v1/deliveries/D0/close", b"{}", (JSON,), 400),
        ("/v1/deliveries/D0/close", b'{"why": " "}', (JSON,), 400),
        ("/v1/deliveries/D0/close", b"[", (JSON,), 400),
        ("/v1/deliveries/D0/close", b'{"why": "' + b"x" * 20_000 + b'"}', (JSON,), 400),
        ("/v1/deliveries/D0/requeue", WHY, (("content-type", "text/plain"),), 415),
    ],
)
async def test_what_cannot_be_done_is_refused(
    bench: Any, path: str, body: bytes, headers: tuple[tuple[str, str], ...], status: int
) -> None:
    told = await Operator(bench).post(path, body, *headers)
    assert told[0] == told[1]["status"] == status


async def test_only_what_is_there_moves(dead: Any) -> None:
    letters = Operator(dead).letters
    with pytest.raises(UnknownLetter):
        await letters.close("D0", "gone")
    leg = await dead.leg("customs")
    with pytest.raises(NotPossible, match="is pending: it cannot be closed"):
        await letters.close(leg.id, "gone")


async def test_a_dead_leg_is_told_as_stuck(dead: Any) -> None:
    lodgement = (await dead.only()).lodgement
    view = await dead.get(f"/v1/declarations/{lodgement.id}")
    assert view["stuck"] == ["health"]
    assert {leg["agency"]: leg["state"] for leg in view["agencies"]}["health"] == "dead"
    assert "health" not in view["waiting-for"]


async def test_what_a_partner_left_that_is_gone_is_still_listed(unheard: Any) -> None:
    """No agreement is asked whose letters there may be."""
    (note,) = await unheard.notes()
    (letter,) = await DeadLetters(unheard.ledger, now=unheard.now).all()
    assert (letter.id, letter.kind, letter.to) == (note.id, "notification", "trader")


async def test_moving_a_letter_reads_no_log(unheard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a log was read")

    (note,) = await unheard.notes()
    monkeypatch.setattr(unheard.ledger, "notifications", never)
    letters = DeadLetters(unheard.ledger, now=unheard.now)
    assert [letter.id for letter in await letters.all()] == [note.id]
    with pytest.raises(UnknownLetter):
        await letters.requeue("N0")
    assert (await letters.requeue(note.id))["state"] == "pending"
