"""MDNs posted to their sender: where the agreement lets them go, after the response, until they are taken."""

import dataclasses
import pathlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import anyio
import pytest

from tidewaiter.gateway import as2_channel, mdn_posting, mdn_queue
from tidewaiter.gateway.as2 import MdnKind
from tidewaiter.gateway.as2.terms import Receipts
from tidewaiter.gateway.as2_channel import UNPROVEN_MDNS
from tidewaiter.gateway.attempts import POISON_TRIES
from tidewaiter.gateway.http import ConnectFailed, Response
from tidewaiter.gateway.mdn_queue import REPEAT_NS
from tidewaiter.gateway.sender import POST_SECONDS
from tidewaiter.routing.lifecycle import MdnState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

URL = "https://trader.example/mdn?id=17"
PUBLIC = "198.41.0.4"
TAKEN = (204, (), b"whatever")
DOWN = ConnectFailed("no connection", sent=False)


@pytest.fixture
async def bench(open_bench: Any, agree: Callable[..., None]) -> AsyncIterator[Any]:
    """A gateway that may post MDNs to its trader."""
    agree("partners/trader.toml", 'receipt-addresses = ["https://trader.example"]')
    async with open_bench() as opened:
        opened.peer.will(TAKEN)
        yield opened


def asking(bench: Any, make_document: Make, url: str = URL, **changed: Any) -> Any:
    """A message whose MDN is to be posted to `url`."""
    terms = dataclasses.replace(
        bench.terms(), receipts=Receipts.ASYNC, receipt_url=url, **changed.pop("terms", {})
    )
    return bench.composed(make_document(), terms=terms, **changed)


def sent(bench: Any, response: Response) -> None:
    assert response.on_sent is not None
    response.on_sent(bench.now())


async def taken(bench: Any, composed: Any) -> None:
    """A message whose response has gone out."""
    response = await bench.post(composed)
    assert (response.status, response.headers, response.body) == (200, (), b"")
    sent(bench, response)


async def posted(bench: Any) -> int:
    """One try at each MDN that is due; how many there were."""
    claims = await bench.due_mdns()
    for claim in claims:
        await bench.outbound.mdns.run(claim)
    return len(claims)


def judged(bench: Any, composed: Any, number: int = -1) -> Any:
    """What was posted, as the sender of the message judges it."""
    url, headers, body = bench.peer.requests[number]
    assert url == URL
    return bench.judged(composed, Response(status=200, headers=headers, body=body))


async def the_mdn(bench: Any) -> Any:
    (message,) = {event.message for event in await bench.events() if event.message is not None}
    return await bench.ledger.find_mdn(message)


async def test_the_response_is_empty_and_the_mdn_is_posted(bench: Any, make_document: Make) -> None:
    composed = asking(bench, make_document)
    await taken(bench, composed)
    assert bench.peer.requests == []
    assert "receipt_sent" not in await bench.kinds()
    assert await posted(bench) == 1
    mdn = judged(bench, composed)
    assert (mdn.kind, mdn.signed) == (MdnKind.PROCESSED, True)
    (message,) = [
        m for e in await bench.events() if e.message and (m := await bench.ledger.message(e.message))
    ][:1]
    assert bench.peer.requests[0][1:] == (message.receipt.headers, message.receipt.body)
    record = await the_mdn(bench)
    assert (record.state, record.attempts, record.party) == (MdnState.DELIVERED, 1, "trader")
    assert (await bench.kinds())[-3:] == ["mdn_started", "mdn_delivered", "receipt_sent"]
    assert await posted(bench) == 0


async def test_the_connection_goes_to_what_was_looked_at(bench: Any, make_document: Make) -> None:
    """The name is resolved once; nothing else could be connected to."""
    await taken(bench, asking(bench, make_document))
    await posted(bench)
    assert bench.resolved == [("trader.example", 443)]
    assert bench.peer.options == [
        {"tls": None, "timeout": POST_SECONDS, "address": PUBLIC, "chunked": False},
    ]


async def test_the_mdn_does_not_overtake_the_response(bench: Any, make_document: Make) -> None:
    response = await bench.post(asking(bench, make_document))
    (claim,) = await bench.due_mdns()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.outbound.mdns.run, claim)
        await anyio.wait_all_tasks_blocked()
        assert bench.peer.requests == []
        sent(bench, response)
    assert len(bench.peer.requests) == 1


async def test_a_peer_that_went_away_is_not_waited_for(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its response is never handed over; the MDN is owed all the same."""
    await bench.post(asking(bench, make_document))
    monkeypatch.setattr(mdn_queue, "ANSWER_SECONDS", 0)
    assert await posted(bench) == 1
    assert len(bench.peer.requests) == 1


async def test_a_message_that_is_not_durable_has_no_mdn(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(bench.ledger, "commit", fails)
    with pytest.raises(RuntimeError):
        await bench.post(asking(bench, make_document))
    assert bench.outbound.mdn_queue._held == {}
    assert await bench.due_mdns() == []


async def test_another_process_posts_what_this_one_left(
    open_bench: Any, agree: Callable[..., None], make_document: Make
) -> None:
    """Killed between the response and the post, or before either: the ledger knows."""
    agree("partners/trader.toml", 'receipt-addresses = ["https://trader.example"]')
    async with open_bench() as killed:
        composed = asking(killed, make_document)
        await killed.post(composed)
        assert len(await killed.due_mdns()) == 1
    async with open_bench() as bench:
        bench.peer.will(TAKEN)
        assert await posted(bench) == 1
        assert judged(bench, composed).kind is MdnKind.PROCESSED
        assert await posted(bench) == 0


async def test_the_same_octets_until_they_are_taken(bench: Any, make_document: Make) -> None:
    await taken(bench, asking(bench, make_document))
    bench.peer.will(DOWN, (503, (), b""), (302, (("Location", "http://127.0.0.1/"),), b""), TAKEN)
    for _ in range(4):
        assert await posted(bench) == 1
        assert await posted(bench) == 0
        bench.now.tick(100)
    assert len(bench.peer.requests) == 4
    assert len(set(bench.peer.requests)) == 1
    assert (await the_mdn(bench)).state is MdnState.DELIVERED
    assert await bench.reasons("mdn_failed") == ["no connection", "HTTP 503", "HTTP 302"]


@pytest.mark.parametrize(("turn", "seconds"), [((400, (), b""), 0), (DOWN, 15 * 86_400)])
async def test_an_mdn_that_nobody_takes_is_a_dead_letter(
    bench: Any, make_document: Make, turn: Any, seconds: int
) -> None:
    """At once where it is refused for what it is, else at the agreement's deadline."""
    await taken(bench, asking(bench, make_document))
    bench.peer.will(turn)
    for _ in range(9):
        await posted(bench)
        bench.now.tick(seconds / 3)
    (dead,) = await bench.ledger.mdns(state=MdnState.DEAD, limit=9)
    assert dead.attempts == len(bench.peer.requests)
    assert (dead.attempts == 1) is (seconds == 0)
    assert "dead_lettered" in await bench.kinds()


async def test_a_message_that_comes_again_has_the_same_mdn_posted(bench: Any, make_document: Make) -> None:
    """The octets that were stored, not composed anew; and not as often as it comes."""
    composed = asking(bench, make_document)
    await taken(bench, composed)
    await posted(bench)
    for _ in range(5):
        await taken(bench, composed)
    assert await posted(bench) == 0
    bench.now.tick(REPEAT_NS / 1e9)
    assert await posted(bench) == 1
    assert await posted(bench) == 0
    assert len(bench.peer.requests) == 2
    assert len(set(bench.peer.requests)) == 1
    assert (await bench.kinds()).count("receipt_sent") == 1
    assert len(await bench.ledger.lodgements(limit=9)) == 1


async def test_a_repeated_message_waits_for_its_own_response(bench: Any, make_document: Make) -> None:
    composed = asking(bench, make_document)
    await taken(bench, composed)
    await posted(bench)
    bench.now.tick(REPEAT_NS / 1e9)
    response = await bench.post(composed)
    (claim,) = await bench.due_mdns()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.outbound.mdns.run, claim)
        await anyio.wait_all_tasks_blocked()
        assert len(bench.peer.requests) == 1
        sent(bench, response)
    assert len(bench.peer.requests) == 2


async def test_a_dead_mdn_is_tried_anew_when_the_message_comes_again(bench: Any, make_document: Make) -> None:
    composed = asking(bench, make_document)
    await taken(bench, composed)
    bench.peer.will((400, (), b""), TAKEN)
    await posted(bench)
    bench.now.tick(3600)
    await taken(bench, composed)
    assert await posted(bench) == 1
    assert (await the_mdn(bench)).state is MdnState.DELIVERED


async def test_the_receipt_goes_where_the_last_copy_asks_for_it(bench: Any, make_document: Make) -> None:
    composed = asking(bench, make_document)
    moved = tuple((n, "https://trader.example/new" if v == URL else v) for n, v in composed.headers)
    again = dataclasses.replace(composed, headers=moved)
    await taken(bench, composed)
    await posted(bench)
    await taken(bench, again)
    bench.now.tick(REPEAT_NS / 1e9)
    await posted(bench)
    assert [request[0] for request in bench.peer.requests] == [URL, "https://trader.example/new"]
    await taken(bench, composed)
    await taken(bench, again)
    bench.now.tick(REPEAT_NS / 1e9)
    (claim,) = await bench.due_mdns()
    await taken(bench, composed)  # while it is under way
    await bench.outbound.mdns.run(claim)
    assert bench.peer.requests[-1][0] == "https://trader.example/new"
    record = await the_mdn(bench)
    assert (record.url, record.state) == (URL, MdnState.DELIVERED)


async def test_who_repeats_its_message_does_not_wait_as_long_as_after_a_failure(
    bench: Any, make_document: Make
) -> None:
    composed = asking(bench, make_document)
    await taken(bench, composed)
    bench.peer.will((503, (("Retry-After", "1000000"),), b""), TAKEN)
    await posted(bench)
    assert (await the_mdn(bench)).due_ns > bench.now.ns + REPEAT_NS
    for _ in range(3):
        await taken(bench, composed)
        assert (await the_mdn(bench)).due_ns <= bench.now.ns + REPEAT_NS
        assert await posted(bench) == 0
        bench.now.tick(REPEAT_NS / 4e9)
    bench.now.tick(REPEAT_NS / 4e9)
    assert await posted(bench) == 1
    assert (await the_mdn(bench)).state is MdnState.DELIVERED


async def test_each_try_of_a_message_may_want_its_receipt_elsewhere(bench: Any, make_document: Make) -> None:
    """First in the response, then posted, then in the response: one receipt."""
    composed = asking(bench, make_document)
    url = [header for header in composed.headers if header[0] == "Receipt-Delivery-Option"]
    here = dataclasses.replace(composed, headers=tuple(h for h in composed.headers if h not in url))
    first = await bench.post(here)
    await taken(bench, composed)
    await posted(bench)
    last = await bench.post(here)
    assert first.body == last.body == bench.peer.requests[0][2] != b""


async def test_a_message_without_a_receipt_has_none_posted(bench: Any, make_document: Make) -> None:
    composed = asking(bench, make_document)
    none = [h for h in composed.headers if not h[0].startswith("Disposition-Notification")]
    response = await bench.ask("POST", "/as2", composed.body, party=None, headers=none)
    assert (response.status, response.body) == (200, b"")
    await taken(bench, composed)
    assert await posted(bench) == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://trader.example:8443/mdn",
        "http://trader.example/mdn",
        "https://other.example/mdn",
        "https://trader.example@other.example/",
        "mailto:mdn@trader.example",
        "https://127.0.0.1/",
    ],
)
async def test_an_address_nobody_agreed_upon_is_refused_in_the_response(
    bench: Any, make_document: Make, url: str
) -> None:
    """Also for a message that was taken before."""
    known = asking(bench, make_document, message_id="<m@x>")
    await taken(bench, known)
    changed = tuple((n, url if n == "Receipt-Delivery-Option" else v) for n, v in known.headers)
    for composed in (asking(bench, make_document, url), dataclasses.replace(known, headers=changed)):
        mdn = bench.judged(composed, await bench.post(composed))
        assert (mdn.kind, mdn.signed) == (MdnKind.FAILED, True)
        assert mdn.disposition.startswith("failed/failure")
    assert len(await bench.due_mdns()) == 1
    assert bench.resolved == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.7", "::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["fe80::1%eth0"]],
)
async def test_a_name_that_leads_where_nothing_may_go(
    bench: Any, make_document: Make, addresses: Sequence[str]
) -> None:
    await taken(bench, asking(bench, make_document))
    bench.names["trader.example"] = addresses
    for _ in range(POISON_TRIES):
        await posted(bench)
        bench.now.tick(100)
    assert bench.peer.requests == []
    assert (await the_mdn(bench)).state is MdnState.DEAD


async def test_of_several_addresses_one_that_may_be_reached(bench: Any, make_document: Make) -> None:
    await taken(bench, asking(bench, make_document))
    bench.names["trader.example"] = ["127.0.0.1", "2a00:1450::1", PUBLIC]
    await posted(bench)
    assert bench.peer.options[0]["address"] == "2a00:1450::1"


async def test_a_name_that_does_not_resolve_is_tried_again(bench: Any, make_document: Make) -> None:
    await taken(bench, asking(bench, make_document))
    del bench.names["trader.example"]
    await posted(bench)
    bench.names["trader.example"] = [PUBLIC]
    bench.now.tick(100)
    assert await posted(bench) == 1
    assert (await the_mdn(bench)).state is MdnState.DELIVERED
    assert await bench.reasons("mdn_failed") == ["the name does not resolve"]


async def test_the_agreement_may_allow_addresses_of_our_own_network(
    open_bench: Any, agree: Callable[..., None], make_document: Make
) -> None:
    """But none of the metadata services."""
    agree(
        "partners/trader.toml", 'receipt-addresses = ["https://trader.example"]', "private-addresses = true"
    )
    async with open_bench() as bench:
        bench.peer.will(TAKEN)
        await taken(bench, asking(bench, make_document))
        bench.names["trader.example"] = ["169.254.169.254"]
        await posted(bench)
        assert bench.peer.requests == []
        bench.names["trader.example"] = ["169.254.169.254", "127.0.0.1"]
        bench.now.tick(100)
        await posted(bench)
        assert bench.peer.options[0]["address"] == "127.0.0.1"


async def test_an_address_that_is_no_longer_agreed(
    folder: pathlib.Path, open_bench: Any, agree: Callable[..., None], make_document: Make
) -> None:
    agree("partners/trader.toml", 'receipt-addresses = ["https://trader.example"]')
    async with open_bench() as bench:
        await taken(bench, asking(bench, make_document))
    file = folder / "partners/trader.toml"
    file.write_text(file.read_text().replace("https://trader.example", "https://new.example"))
    async with open_bench() as bench:
        assert await posted(bench) == 1
        assert bench.peer.requests == bench.resolved == []
        assert (await the_mdn(bench)).state is MdnState.DEAD


async def test_what_is_refused_is_told_where_the_agreement_says(bench: Any, make_document: Make) -> None:
    """Proven to be the partner's: signed, and not encrypted as agreed."""
    composed = asking(bench, make_document, terms={"encrypt": False})
    await taken(bench, composed)
    await posted(bench)
    mdn = judged(bench, composed)
    assert (mdn.kind, mdn.disposition) == (MdnKind.ERROR, "processed/error: insufficient-message-security")


async def test_what_is_not_proven_to_be_the_partners_is_told_seldom(bench: Any, make_document: Make) -> None:
    """Beyond that in the response: nobody has a partner flooded from here."""
    composed = asking(bench, make_document)
    responses = []
    for number in range(UNPROVEN_MDNS + 3):
        headers = tuple((n, f"<{number}@x>" if n == "Message-ID" else v) for n, v in composed.headers)
        responses.append(await bench.ask("POST", "/as2", b"x", party=None, headers=headers))
    assert [bool(response.body) for response in responses] == [False] * UNPROVEN_MDNS + [True] * 3
    bench.now.tick(3600)
    response = await bench.ask("POST", "/as2", b"x", party=None, headers=headers)
    assert response.body == b""


async def in_its_name(bench: Any, make_document: Make, count: int) -> list[Response]:
    """Messages that anybody could have sent in the trader's name."""
    composed = asking(bench, make_document)
    responses = []
    for number in range(count):
        headers = tuple((n, f"<{number}@x>" if n == "Message-ID" else v) for n, v in composed.headers)
        responses.append(await bench.ask("POST", "/as2", b"x", party=None, headers=headers))
    return responses


@pytest.mark.parametrize("turn", [DOWN, (400, (), b""), (503, (), b"")])
async def test_what_is_not_proven_is_posted_once(bench: Any, make_document: Make, turn: Any) -> None:
    for response in await in_its_name(bench, make_document, 9):
        sent(bench, response)
    bench.peer.will(turn)
    assert await posted(bench) == 9
    assert len(bench.peer.requests) == 9
    assert bench.outbound.mdns.busy() == frozenset()
    bench.now.tick(3600)
    assert await posted(bench) == 0
    assert len(await bench.ledger.mdns(state=MdnState.CLOSED, limit=99)) == 9
    assert (await bench.kinds()).count("mdn_failed") == 9
    assert "dead_lettered" not in await bench.kinds()


async def test_what_is_not_proven_takes_no_place(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mdn_posting, "CONCURRENCY", 2)
    for response in await in_its_name(bench, make_document, 5):
        sent(bench, response)
    assert len(await bench.due_mdns()) == 5
    assert bench.outbound.mdns.busy() == frozenset()
    await taken(bench, asking(bench, make_document))
    assert await posted(bench) == 1


async def test_what_is_held_is_not_claimed(bench: Any, make_document: Make) -> None:
    """A peer that does not take its response holds up nothing but its own receipt, and that not for ever."""
    queue, ledger = bench.outbound.mdn_queue, bench.ledger
    (unread,) = await in_its_name(bench, make_document, 1)
    held = queue.held()
    assert len(held) == 1
    assert await ledger.due(now_ns=bench.now.ns, held=held) == (False, False, False)
    assert await ledger.claim_mdns(now_ns=bench.now.ns, lease_ns=1, limit=1, held=held) == []
    await taken(bench, asking(bench, make_document))
    assert await ledger.due(now_ns=bench.now.ns, held=held) == (True, False, True)
    (claim,) = await ledger.claim_mdns(now_ns=bench.now.ns, lease_ns=1, limit=1, held=held)
    assert claim.mdn.message not in held
    bench.now.tick(mdn_queue.ANSWER_SECONDS)
    assert queue.held() == frozenset()
    sent(bench, unread)


async def test_a_stranger_has_nothing_posted(bench: Any, make_document: Make) -> None:
    composed = asking(bench, make_document, terms={"our_name": "STRANGER"})
    response = await bench.post(composed)
    assert b"unknown-trading-partner" in response.body
    assert await bench.due_mdns() == []


async def test_a_party_that_is_down_does_not_hold_up_the_others(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few tries tell; then none of its MDNs is claimed until it is asked again by one."""
    monkeypatch.setattr(mdn_posting, "CONCURRENCY", 4)
    bench.peer.will(DOWN)
    for number in range(12):
        await taken(bench, asking(bench, make_document, message_id=f"<{number}@x>"))
    claims = await bench.due_mdns()
    assert len(claims) == 10
    assert bench.outbound.mdns.busy() == {"trader"}
    for claim in claims:
        await bench.outbound.mdns.run(claim)
    assert len(bench.peer.requests) == 5
    assert bench.outbound.mdns.busy() == {"trader"}
    assert await bench.due_mdns() == []
    bench.now.tick(3600)
    bench.peer.will(TAKEN)
    while await posted(bench):
        bench.now.tick(1)
    assert bench.outbound.mdns.busy() == frozenset()
    states = [(await bench.ledger.mdns(state=state, limit=99)) for state in MdnState]
    assert [len(found) for found in states] == [0, 0, 12, 0, 0]


async def test_a_fault_of_ours_ends_one_try(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> Any:
        raise RecursionError

    await taken(bench, asking(bench, make_document))
    monkeypatch.setattr(bench.sender, "post", fails)
    await posted(bench)
    assert await bench.reasons("mdn_failed") == ["unexpected RecursionError"]
    assert (await the_mdn(bench)).state is MdnState.PENDING


async def test_a_duplicate_is_a_warning_where_the_agreement_says_so(
    open_bench: Any, agree: Callable[..., None], make_document: Make
) -> None:
    agree("partners/trader.toml", 'duplicates = "warning"')
    async with open_bench() as bench:
        composed = bench.composed(make_document())
        assert bench.judged(composed, await bench.post(composed)).kind is MdnKind.PROCESSED
        for _ in range(2):
            mdn = bench.judged(composed, await bench.post(composed))
            assert (mdn.kind, mdn.signed) == (MdnKind.WARNING, True)
            assert mdn.disposition == "processed/warning: duplicate-document"
        assert len(await bench.ledger.lodgements(limit=9)) == 1


async def test_a_duplicate_is_not_opened_again(
    open_bench: Any, agree: Callable[..., None], make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that it was encrypted for may be retired since; it was accepted all the same."""
    agree("partners/trader.toml", 'duplicates = "warning"')
    async with open_bench() as bench:
        composed = bench.composed(make_document())
        await bench.post(composed)

        def never(*_: Any, **__: Any) -> Any:
            raise AssertionError("opened again")

        monkeypatch.setattr(as2_channel, "receive", never)
        mdn = bench.judged(composed, await bench.post(composed))
        assert (mdn.kind, mdn.disposition) == (MdnKind.WARNING, "processed/warning: duplicate-document")
        assert mdn.mic == str(composed.mic)


async def test_the_answer_of_the_peer_goes_nowhere(bench: Any, make_document: Make) -> None:
    await taken(bench, asking(bench, make_document))
    secret = b"ami-id: secret-of-the-metadata-service"
    bench.peer.will((500, (("X-Secret", "secret"),), secret))
    await posted(bench)
    told = [str(event.data) for event in await bench.events()]
    assert not [text for text in told if "secret" in text]
