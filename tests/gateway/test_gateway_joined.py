"""Two gateways that speak AS2 with each other, each asking the other for asynchronous MDNs.

One sends its deliveries to the other, which takes them as lodgements of a trader and tells it so: messages
and MDNs go both ways, over a wire in memory that can lose things.
"""

import pathlib
import random
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tidewaiter.gateway import mdn_queue
from tidewaiter.gateway.http import ClientResponse, Headers, PeerClosed
from tidewaiter.gateway.ledger import SqliteLedger, open_ledger
from tidewaiter.routing.lifecycle import DeliveryState, MdnState, NotificationState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
Answers = Sequence[tuple[str, str]]

_TIDEWAITER = """
name = "tidewaiter"
contrl = "always"
[as2]
name = "TIDEWAITER"
certificates = ["keys/gateway.pem"]
url = "https://gateway.example/as2"
receipts = "async"
receipt-addresses = ["https://gateway.example"]
"""


class Wire:
    """In place of both clients: a POST to a host is one to the gateway of that name."""

    def __init__(self) -> None:
        self.gateways: dict[str, Any] = {}
        self.seen: list[tuple[str, bytes]] = []
        self.lost: Callable[[str, bytes], bool] = lambda host, body: False
        """Whether the response to a request is lost on its way back."""

    async def request(self, method: str, url: str, headers: Answers, body: bytes, **_: Any) -> ClientResponse:
        _, _, rest = url.partition("//")
        host, _, path = rest.partition("/")
        target = self.gateways[host]
        self.seen.append((host, body))
        response = await target.ask(method, f"/{path}", body, party=None, headers=headers)
        if self.lost(host, body):
            raise PeerClosed("gone", sent=True)
        if response.on_sent is not None:
            response.on_sent(target.now())
        fields = Headers((name.lower().encode(), value.encode()) for name, value in response.headers)
        return ClientResponse(
            status=response.status,
            headers=fields,
            body=response.body,
            sent=target.now(),
            received=target.now(),
        )


@pytest.fixture
def authority(starter: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """The other gateway: customs, with the first one as its only trader."""
    folder = pathlib.Path(shutil.copytree(starter, tmp_path / "authority"))
    ours = folder / "gateway.toml"
    text = ours.read_text().replace('"TIDEWAITER"', '"CUSTOMS"').replace("keys/gateway.", "keys/customs.")
    ours.write_text(f'as2-url = "https://authority.example/as2"\n{text}')
    routes = folder / "routes.toml"
    routes.write_text(routes.read_text().replace('"customs"', '"health"'))
    for agency in (folder / "agencies").glob("*.toml"):
        agency.write_text(agency.read_text().replace('stand-in = "customs', '# stand-in = "customs'))
    (folder / "agencies/customs.toml").unlink()
    for partner in (folder / "partners").glob("*.toml"):
        partner.unlink()
    (folder / "partners/tidewaiter.toml").write_text(_TIDEWAITER)
    return folder


@pytest.fixture
def joined(
    folder: pathlib.Path,
    authority: pathlib.Path,
    agree: Callable[..., None],
    make_bench: Any,
    anyio_backend: Any,
) -> Callable[..., Any]:
    """Opens both and joins them."""
    agree("agencies/customs.toml", 'receipts = "async"', 'receipt-addresses = ["https://authority.example"]')
    file = folder / "agencies/customs.toml"
    file.write_text(file.read_text().replace("http://127.0.0.1:8281/as2", "https://authority.example/as2"))

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Any, Any, Wire]]:
        wire = Wire()
        async with (
            open_ledger(folder / "ledger.db", reserve=0) as ours,
            open_ledger(authority / "ledger.db", reserve=0) as theirs,
        ):
            for host, home, ledger in (("gateway", folder, ours), ("authority", authority, theirs)):
                assert isinstance(ledger, SqliteLedger)
                bench = make_bench(home, ledger)
                bench.names = {f"{name}.example": ["198.41.0.4"] for name in ("gateway", "authority")}
                bench.sender._client = wire
                wire.gateways[f"{host}.example"] = bench
            yield wire.gateways["gateway.example"], wire.gateways["authority.example"], wire

    return opened


async def pump(*benches: Any) -> None:
    """Everything that is due, until nothing is."""
    busy = True
    while busy:
        busy = False
        for bench in benches:
            for claim in await bench.claims():
                if claim.delivery.agency != "customs":
                    continue
                await bench.outbound.deliveries.run(claim)
                busy = True
            for run, claims in (
                (bench.outbound.notifications.run, await bench.due_notes()),
                (bench.outbound.mdns.run, await bench.due_mdns()),
            ):
                for claim in claims:
                    await run(claim)
                    busy = True


def tick(seconds: float, *benches: Any) -> None:
    for bench in benches:
        bench.now.tick(seconds)


async def test_messages_and_receipts_both_ways(joined: Any, make_document: Make) -> None:
    async with joined() as (ours, theirs, wire):
        await ours.lodge(make_document())
        await pump(ours, theirs)
        delivery = await ours.leg("customs")
        assert (delivery.state, delivery.attempts) == (DeliveryState.SENT, 1)
        (mdn,) = await theirs.ledger.mdns(state=MdnState.DELIVERED, limit=9)
        assert mdn.url == "https://gateway.example/as2"
        notes = await theirs.notes("tidewaiter")
        assert {note.state for note in notes} == {NotificationState.DELIVERED}
        back = await ours.ledger.mdns(state=MdnState.DELIVERED, limit=9)
        assert [mdn.party for mdn in back] == ["customs"] * len(notes)
        # The delivery and its MDN; each notification and its MDN.
        assert len(wire.seen) == 2 + 2 * len(notes)
        for bench in (ours, theirs):
            assert "delivery_failed" not in await bench.kinds()
            assert "notification_failed" not in await bench.kinds()


async def test_the_response_is_lost_and_the_mdn_comes(joined: Any, make_document: Make) -> None:
    """We do not know that it arrived; its receipt says so, and nothing is sent again."""
    async with joined() as (ours, theirs, wire):
        wire.lost = lambda host, body: host == "authority.example"
        await ours.lodge(make_document())
        (claim,) = [c for c in await ours.claims() if c.delivery.agency == "customs"]
        await ours.outbound.deliveries.run(claim)
        assert (await ours.leg("customs")).state is DeliveryState.PENDING
        theirs.outbound.mdn_queue.release(next(iter(theirs.outbound.mdn_queue._held)))
        for mdn in await theirs.due_mdns():
            await theirs.outbound.mdns.run(mdn)
        assert (await ours.leg("customs")).state is DeliveryState.SENT
        assert not [c for c in await ours.claims() if c.delivery.agency == "customs"]


async def test_every_mdn_is_lost_once(joined: Any, make_document: Make) -> None:
    """A post that seems to fail is made again, and taken for what it is: the same MDN."""
    async with joined() as (ours, theirs, wire):
        lost: set[bytes] = set()

        def once(host: str, body: bytes) -> bool:
            is_mdn = b"disposition-notification" in body
            first = is_mdn and body not in lost
            lost.add(body)
            return first

        wire.lost = once
        await ours.lodge(make_document())
        for _ in range(4):
            await pump(ours, theirs)
            tick(400, ours, theirs)
        assert (await ours.leg("customs")).state is DeliveryState.SENT
        (mdn,) = await theirs.ledger.mdns(state=MdnState.DELIVERED, limit=9)
        assert mdn.attempts == 2
        assert (await ours.kinds()).count("delivery_receipted") == 1


async def test_killed_between_the_response_and_the_mdn(joined: Any, make_document: Make) -> None:
    """The receiver goes away when it has answered: the next process posts what it owes. The sender goes away
    while it waits: the next process takes what it is owed."""
    async with joined() as (ours, theirs, wire):
        await ours.lodge(make_document())
        (claim,) = [c for c in await ours.claims() if c.delivery.agency == "customs"]
        await ours.outbound.deliveries.run(claim)
        assert (await ours.leg("customs")).state is DeliveryState.AWAITING
        # Claimed by the process that dies.
        assert len(await theirs.due_mdns()) == 1
        (first,) = wire.seen
    async with joined() as (ours, theirs, wire):
        assert (await ours.leg("customs")).state is DeliveryState.AWAITING
        await pump(ours, theirs)
        assert (await ours.leg("customs")).state is DeliveryState.SENT
        assert first not in wire.seen


async def test_the_sender_asks_again_and_gets_the_same_mdn(joined: Any, make_document: Make) -> None:
    """The MDN is lost for good, on their side a dead letter; the message goes again, the same octets, and its
    receipt is posted again, the same octets: one lodgement."""
    async with joined() as (ours, theirs, wire):
        await ours.lodge(make_document())
        (claim,) = [c for c in await ours.claims() if c.delivery.agency == "customs"]
        await ours.outbound.deliveries.run(claim)
        (mdn,) = await theirs.due_mdns()
        theirs.names.clear()
        await theirs.outbound.mdns.run(mdn)
        theirs.names = {"gateway.example": ["198.41.0.4"]}
        tick(900, ours, theirs)
        await pump(ours, theirs)
        delivery = await ours.leg("customs")
        assert (delivery.state, delivery.attempts) == (DeliveryState.SENT, 2)
        sent = [body for host, body in wire.seen if host == "authority.example"]
        assert sent[0] in sent[1:]
        assert len(await theirs.ledger.lodgements(limit=9)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_where_every_third_response_is(
    joined: Any, make_document: Make, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of messages and of MDNs, in both directions, with a process that ends now and then: in the end every
    message is taken once and receipted, and was one set of octets each time it went."""
    monkeypatch.setattr(mdn_queue, "ANSWER_SECONDS", 0)
    chance = random.Random(seed)
    lrns = [f"CHAOS-{number}" for number in range(3)]
    seen: list[tuple[str, bytes]] = []
    passed = 0.0
    for life in range(4):
        async with joined() as (ours, theirs, wire):
            tick(passed, ours, theirs)
            wire.seen = seen
            wire.lost = lambda *_, last=life == 3: not last and chance.random() < 1 / 3
            for lrn in lrns[life : life + 1]:
                await ours.lodge(make_document(lrn=lrn, reference=f"R{lrn}"))
            for _ in range(chance.randrange(1, 4) if life < 3 else 12):
                await pump(ours, theirs)
                tick(400, ours, theirs)
                passed += 400
            lodged = await ours.ledger.lodgements(limit=9)
            states = [
                delivery.state
                for one in lodged
                for delivery in (await ours.status(one.id)).deliveries
                if delivery.agency == "customs"
            ]
            taken = await theirs.ledger.lodgements(limit=9)
            undone = [
                await theirs.ledger.mdns(state=s, limit=9) for s in MdnState if s is not MdnState.DELIVERED
            ]
    assert states == [DeliveryState.SENT] * len(lrns)
    assert sorted(one.lrn for one in taken) == lrns
    assert undone == [[], [], [], []]
    messages = {body for host, body in seen if host == "authority.example" and b"disposition-n" not in body}
    assert len(messages) == len(lrns)
