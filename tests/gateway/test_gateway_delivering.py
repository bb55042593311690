"""Deliveries: tried, tried again, given up, answered in their response, and never lost."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.codecs.document import Kind
from tidewaiter.gateway.as2 import Disposition
from tidewaiter.gateway.attempts import POISON_TRIES
from tidewaiter.gateway.delivering import ABSENT_NS
from tidewaiter.gateway.http import ConnectFailed
from tidewaiter.gateway.outbound import LEASE_NS
from tidewaiter.routing.lifecycle import DeliveryState
from tidewaiter.security import KeyStoreError

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

DOWN = ConnectFailed("no connection", sent=False)
TAKEN = (202, (), b"")


@pytest.fixture
async def lodged(bench: Any, make_document: Make) -> Any:
    await bench.lodge(make_document())
    return bench


async def test_an_agency_over_https_gets_xml_with_our_reference(lodged: Any) -> None:
    assert await lodged.attempt()
    delivery = await lodged.leg()
    assert (delivery.state, delivery.attempts) == (DeliveryState.SENT, 1)
    ((url, headers, body),) = lodged.peer.requests
    assert url == "https://localhost:8283/deliveries"
    assert dict(headers) == {
        "Content-Type": "application/xml",
        "Idempotency-Key": delivery.id,
        "Tidewaiter-Delivery": delivery.id,
    }
    (document,) = lodged.reader.read(body).documents
    assert document.valid
    assert document.kind is Kind.DECLARATION
    assert document.declaration is not None
    assert document.declaration.functional_reference_id == "MER-26-004171"
    assert document.declaration.additional_information[-1].statement_description == delivery.id
    assert (await lodged.kinds())[-2:] == ["delivery_started", "delivery_receipted"]


async def test_an_agency_over_as2_gets_edifact_with_our_reference(lodged: Any) -> None:
    lodged.peer.will(lodged.mdn("customs"))
    assert await lodged.attempt("customs")
    delivery = await lodged.leg("customs")
    assert delivery.state is DeliveryState.SENT
    (payload,) = lodged.received
    reading = lodged.reader.read(payload)
    assert reading.valid
    assert reading.interchange.reference == delivery.id
    assert reading.interchange.recipient == "CUSTOMS"
    statements = reading.documents[0].declaration.additional_information
    assert ("DELIVERY", delivery.id) in [(s.statement_code, s.statement_description) for s in statements]


async def test_the_wire_is_kept_before_the_first_try_and_never_changes(lodged: Any) -> None:
    kept: list[Any] = []

    async def request(*wire: Any, **_: Any) -> Any:
        found = await lodged.ledger.claim_deliveries(
            now_ns=lodged.now.ns + 2 * LEASE_NS, lease_ns=0, limit=10, skip=["health"]
        )
        kept.extend(claim.wire for claim in found)
        raise DOWN

    lodged.peer.request, original = request, lodged.peer.request
    assert await lodged.attempt("customs")
    (wire,) = kept
    lodged.peer.request = original
    lodged.peer.will(DOWN, DOWN, lodged.mdn("customs"))
    for _ in range(3):
        lodged.now.tick(100)
        assert await lodged.attempt("customs")
    assert {(url, headers, body) for url, headers, body in lodged.peer.requests} == {
        (wire.url, wire.headers, wire.body)
    }
    assert len(lodged.peer.requests) == 3
    assert (await lodged.leg("customs")).state is DeliveryState.SENT


async def test_the_wire_survives_a_crash(folder: Any, open_bench: Any, make_document: Make) -> None:
    """A new process sends the bytes the old one sent, without waiting for the old one's lease."""
    async with open_bench() as first:
        await first.lodge(make_document())
        first.peer.will(DOWN)
        await first.attempt("customs")
        first.now.tick(100)
        assert await first.claims("customs")  # and then the process is gone
    async with open_bench() as second:
        second.now.ns = first.now.ns
        second.peer.will(second.mdn("customs"))
        assert await second.attempt("customs")
        assert second.peer.requests == first.peer.requests


async def test_a_failure_is_tried_again_later_and_later(lodged: Any) -> None:
    """Half of 1, 2, 4 s: exponential, with the jitter of the script."""
    lodged.peer.will(DOWN)
    for number, wait in enumerate((0.5, 1.0, 2.0), 1):
        assert await lodged.attempt()
        delivery = await lodged.leg()
        assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, number)
        assert math.isclose((delivery.due_ns - lodged.now.ns) / 1e9, wait, abs_tol=1e-5)
        lodged.now.tick(wait - 0.01)
        assert not await lodged.attempt()
        lodged.now.tick(0.02)
    assert await lodged.reasons() == ["no connection"] * 3
    lodged.peer.will(TAKEN)
    assert await lodged.attempt()
    assert (await lodged.leg()).state is DeliveryState.SENT


async def test_what_the_configuration_cannot_make_waits_for_another(
    lodged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: Any, **__: Any) -> Any:
        raise KeyStoreError("a certificate's key cannot be encrypted to")

    with monkeypatch.context() as patched:
        patched.setattr("tidewaiter.gateway.sender.compose", cannot)
        for _ in range(2 * POISON_TRIES):
            assert await lodged.attempt("customs")
            lodged.now.tick(1000)
    reason = "by the configuration: a certificate's key cannot be encrypted to"
    assert await lodged.reasons() == [reason] * 2 * POISON_TRIES
    lodged.peer.will(lodged.mdn("customs"))
    assert await lodged.attempt("customs")
    assert (await lodged.leg("customs")).state is DeliveryState.SENT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("30", 30.5), ("Tue, 02 Jun 2026 12:00:20 GMT", 20.5), ("soon", 0.5), ("-5", 0.5), ("", 0.5)],
)
async def test_retry_after_is_heeded(lodged: Any, value: str, seconds: float) -> None:
    lodged.peer.will((503, (("Retry-After", value),), b""))
    await lodged.attempt()
    due = (await lodged.leg()).due_ns
    assert math.isclose((due - lodged.now.ns) / 1e9, seconds, abs_tol=1e-5)
    assert await lodged.reasons() == ["HTTP 503"]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_the_peer_refuses_is_given_up_soon(lodged: Any, status: int) -> None:
    lodged.peer.will((status, (), b""))
    for _ in range(POISON_TRIES):
        assert await lodged.attempt()
        lodged.now.tick(1000)
    assert not await lodged.attempt()
    delivery = await lodged.leg()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DEAD, POISON_TRIES)
    assert (await lodged.kinds())[-1] == "dead_lettered"


async def test_an_outage_does_not_make_the_first_refusal_the_last_try(lodged: Any) -> None:
    down, refused = (503, (), b""), (409, (), b"")
    lodged.peer.will(down, down, down, down, refused)
    for number in range(4 + POISON_TRIES):
        assert (await lodged.leg()).state is DeliveryState.PENDING, number
        assert await lodged.attempt()
        lodged.now.tick(1000)
    assert (await lodged.leg()).state is DeliveryState.DEAD


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 425, 429, 500, 502])
async def test_what_can_be_mended_is_tried_on(lodged: Any, status: int) -> None:
    lodged.peer.will((status, (), b""))
    for _ in range(POISON_TRIES + 1):
        assert await lodged.attempt()
        lodged.now.tick(1000)
    assert (await lodged.leg()).state is DeliveryState.PENDING


async def test_a_negative_mdn_is_the_peer_s_refusal(lodged: Any) -> None:
    lodged.peer.will(lodged.mdn("customs", Disposition.DECRYPTION_FAILED))
    assert await lodged.attempt("customs")
    assert (await lodged.leg("customs")).state is DeliveryState.DEAD
    assert "MDN error" in (await lodged.reasons())[0]


async def test_a_peer_in_trouble_is_tried_until_the_deadline(lodged: Any) -> None:
    """It says so itself: that is no word on the document, and no reason to hold up others."""
    lodged.peer.will(lodged.mdn("customs", Disposition.UNEXPECTED_PROCESSING_ERROR))
    for _ in range(3 * POISON_TRIES):
        assert await lodged.attempt("customs")
        lodged.now.tick(4000)
        assert lodged.outbound.deliveries.room({})["customs"] > 1
        assert (await lodged.leg("customs")).state is DeliveryState.PENDING
    lodged.now.tick(lodged.parties.named("customs").settings.retry.deadline)
    assert await lodged.attempt("customs")
    assert (await lodged.leg("customs")).state is DeliveryState.DEAD


async def test_a_receipt_that_is_none_is_an_alarm_or_a_failure(lodged: Any) -> None:
    """200 without a signed MDN over our MIC is no receipt: never SENT."""
    answer = lodged.mdn("customs")

    def tampered(wire: Any) -> Any:
        status, headers, body = answer(wire)
        return status, headers, body.replace(b"is authenticated", b"is AUTHENTICATED")

    lodged.peer.will((200, (), b"ok"), tampered)
    for _ in range(2):
        assert await lodged.attempt("customs")
        lodged.now.tick(1000)
    assert (await lodged.leg("customs")).state is DeliveryState.PENDING
    alarms = [event.data.get("alarm") for event in await lodged.events() if "reason" in event.data]
    assert alarms[-1] == "receipt-mismatch"


async def test_the_deadline_ends_in_a_dead_letter_and_not_before(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    file = folder / "agencies/health.toml"
    file.write_text(file.read_text().replace("deadline = 1_209_600.0", "deadline = 600.0"))
    async with open_bench() as bench:
        await bench.lodge(make_document())
        bench.peer.will(DOWN)
        assert await bench.attempt()
        bench.now.tick(599)
        assert await bench.attempt()
        assert (await bench.leg()).state is DeliveryState.PENDING
        bench.now.tick(2)
        assert await bench.attempt()
        assert (await bench.leg()).state is DeliveryState.DEAD
        assert await bench.reasons("dead_lettered") == ["no connection"]
        status = await bench.get("/v1/declarations/MER-26-004171")
        assert status["waiting-for"] == ["customs"]
        bench.peer.will(TAKEN)
        bench.now.tick(10_000)
        assert not await bench.attempt()


async def test_a_dead_peer_is_left_alone(lodged: Any, make_document: Make) -> None:
    """Five failures open the breaker: what is claimed then is put back, untried and uncounted."""
    lodged.peer.will(DOWN)
    for _ in range(5):
        lodged.now.tick(1000)
        assert await lodged.attempt()
    before = len(lodged.peer.requests)
    lodged.now.tick(4.9)
    assert (
        await lodged.ledger.claim_deliveries(now_ns=lodged.now.ns, lease_ns=1, limit=9, skip=["customs"])
        == []
    )
    await lodged.lodge(make_document(lrn="MER-2", reference="MT2"))
    (claim,) = await lodged.claims("health")
    await lodged.outbound.deliveries.run(claim)
    assert len(lodged.peer.requests) == before
    found = await lodged.ledger.find_delivery(claim.delivery.id)
    assert (found.state, found.attempts) == (DeliveryState.PENDING, 0)
    assert math.isclose((found.due_ns - lodged.now.ns) / 1e9, 0.1, abs_tol=1e-5)
    lodged.now.tick(0.2)
    lodged.peer.will(TAKEN)
    assert await lodged.attempt()
    assert len(lodged.peer.requests) > before


async def test_a_refusal_does_not_open_the_breaker(lodged: Any, make_document: Make) -> None:
    """A peer that answers is alive, whatever it thinks of one document."""
    lodged.peer.will((422, (), b""))
    for number in range(7):
        await lodged.lodge(make_document(lrn=f"MER-{number}", reference=f"MT{number}"))
        await lodged.attempt()
    assert all(
        event.data["reason"] == "HTTP 422" for event in await lodged.events() if "reason" in event.data
    )
    assert len(lodged.peer.requests) >= 8


async def test_an_answer_in_the_response_body(lodged: Any, make_res: Make) -> None:
    """Recorded in the transaction of the delivery itself."""
    delivery = await lodged.delivery("health")
    lodged.peer.will((200, (("Content-Type", "application/xml"),), make_res(delivery, "03")))
    await lodged.attempt()
    status = await lodged.only()
    found = await lodged.leg()
    assert (found.state, found.attempts) == (DeliveryState.ANSWERED, 1)
    assert [decision.outcome for decision in status.decisions] == ["refused"]
    assert (await lodged.kinds())[-5:] == [
        "delivery_started",
        "delivery_receipted",
        "answered",
        "decided",
        "notified",
    ]
    assert not await lodged.attempt()


@pytest.mark.parametrize("content", [b"<html/>", b"", b"UNB"])
async def test_a_response_body_that_is_no_answer(lodged: Any, content: bytes) -> None:
    lodged.peer.will((200, (("Content-Type", "application/xml"),), content))
    await lodged.attempt()
    assert (await lodged.leg()).state is DeliveryState.SENT
    assert (await lodged.only()).answers == ()


async def test_an_answer_is_taken_in_every_media_type_of_a_document(lodged: Any, make_res: Make) -> None:
    lodged.peer.will((200, (("Content-Type", "text/xml; charset=utf-8"),), make_res(None, "03")))
    await lodged.attempt()
    found = await lodged.leg()
    assert (found.state, found.attempts) == (DeliveryState.ANSWERED, 1)
    assert [answer.outcome for answer in (await lodged.only()).answers] == ["refused"]


@pytest.mark.parametrize(
    "spoil", [lambda res: res[:-9], lambda res: res.replace(b"FunctionCode", b"FunctionKode")]
)
async def test_an_answer_that_cannot_be_taken_is_kept(
    lodged: Any, make_res: Make, spoil: Callable[[bytes], bytes]
) -> None:
    """Cut off or against the schema: its bytes are there to be looked at, and the delivery arrived."""
    body = spoil(make_res(await lodged.delivery("health"), "08"))
    lodged.peer.will((200, (("Content-Type", "application/xml"),), body))
    await lodged.attempt()
    found = await lodged.leg()
    assert (found.state, found.attempts) == (DeliveryState.SENT, 1)
    assert (await lodged.only()).answers == ()
    event = (await lodged.events())[-1]
    assert event.kind.value == "rejected"
    assert event.lodgement is None  # it is not the declaration that was rejected
    assert {"agency": "health", "delivery": found.id}.items() <= event.data.items()
    assert int(event.data["findings"]) >= 1
    message = await lodged.ledger.message(event.message)
    assert (message.party, message.channel, message.accepted, message.body) == (
        "health",
        "https",
        False,
        body,
    )


async def test_a_response_body_that_answers_another_delivery(
    lodged: Any, make_document: Make, make_res: Make
) -> None:
    """It is the agency's word, wherever it says it."""
    await lodged.lodge(make_document(lrn="MER-2", reference="MT2"))
    other = await lodged.delivery("health", "MER-2")
    (claim,) = [c for c in await lodged.claims("health") if c.delivery.id != other]
    lodged.peer.will((200, (("Content-Type", "application/xml"),), make_res(other, "03")))
    await lodged.outbound.deliveries.run(claim)
    mine = await lodged.ledger.find_delivery(claim.delivery.id)
    assert (mine.state, mine.attempts) == (DeliveryState.SENT, 1)
    assert [answer.outcome for answer in (await lodged.status("MER-2")).answers] == ["refused"]


async def test_a_response_body_that_answers_this_delivery_and_another_one(
    lodged: Any, make_document: Make, make_res: Make
) -> None:
    await lodged.lodge(make_document(lrn="MER-2", reference="MT2"))
    other = await lodged.delivery("health", "MER-2")
    (claim,) = [c for c in await lodged.claims("health") if c.delivery.id != other]
    both = make_res(other, "03").replace(b"</md:MetaData>", b"")
    mine = make_res(claim.delivery.id, "05")
    lodged.peer.will((200, (("Content-Type", "application/xml"),), both + mine[mine.index(b"<Response") :]))
    await lodged.outbound.deliveries.run(claim)
    assert [a.outcome for a in (await lodged.status("MER-2")).answers] == ["refused"]
    assert [a.outcome for a in (await lodged.status(claim.lodgement.id)).answers] == ["inspection"]
    found = [await lodged.ledger.find_delivery(one) for one in (claim.delivery.id, other)]
    assert [(one.state, one.attempts) for one in found] == [
        (DeliveryState.ANSWERED, 1),
        (DeliveryState.ANSWERED, 0),
    ]


async def test_a_valid_answer_counts_beside_one_that_names_nobody(
    lodged: Any, make_document: Make, make_res: Make, make_cusres: Make
) -> None:
    """A response for another agency's delivery is kept, and what was said of this one is recorded."""
    customs, health = await lodged.delivery("customs"), await lodged.delivery("health")
    both = make_res(health, "03").replace(b"</md:MetaData>", b"")
    foreign = make_res(customs, "08")
    body = both + foreign[foreign.index(b"<Response") :]
    lodged.peer.will((200, (("Content-Type", "application/xml"),), body))
    await lodged.attempt()
    assert [(a.agency, a.outcome) for a in (await lodged.only()).answers] == [("health", "refused")]
    event = next(e for e in await lodged.events() if e.kind.value == "rejected")
    assert event.data["findings"] == "1"
    assert (await lodged.ledger.message(event.message)).body == body


async def test_an_answer_that_defeats_our_own_code_is_kept_and_the_delivery_not_sent_again(
    lodged: Any, make_res: Make
) -> None:
    async def crashing(*_: Any) -> Any:
        raise RecursionError

    lodged.decisions.take = crashing
    body = make_res(await lodged.delivery("health"), "03")
    lodged.peer.will((200, (("Content-Type", "application/xml"),), body))
    await lodged.attempt()
    found = await lodged.leg()
    assert (found.state, found.attempts) == (DeliveryState.SENT, 1)
    event = (await lodged.events())[-1]
    assert event.kind.value == "quarantined"
    assert (await lodged.ledger.message(event.message)).body == body


async def test_an_answer_that_overtakes_its_receipt_stands(lodged: Any) -> None:
    """The agency answers over its own connection before its response is back."""
    delivery = await lodged.delivery("health")
    original = lodged.peer.request

    async def request(*wire: Any, **options: Any) -> Any:
        await lodged.answer("health", delivery, "08")
        return await original(*wire, **options)

    lodged.peer.request = request
    assert await lodged.attempt()
    found = await lodged.leg()
    assert (found.state, found.attempts) == (DeliveryState.ANSWERED, 1)
    assert "delivery_receipted" in await lodged.kinds()


async def test_a_declaration_the_syntax_cannot_hold_is_quarantined(bench: Any, make_document: Make) -> None:
    """Taken in when it could be written, and now it cannot: nothing is cut, a person must look."""
    bench.screening.writable = lambda *_, **__: ()
    statement = b"    <AdditionalInformation><StatementCode>1</StatementCode></AdditionalInformation>\n"
    change = (b"    <Agent>", statement * 120 + b"    <Agent>")
    assert (await bench.lodge(make_document("export.xml", change=change))).status == 202
    newest = (await bench.ledger.lodgements(limit=1))[0]
    assert newest.state.value == "accepted"
    bench.peer.will(bench.mdn("customs"))
    assert await bench.attempt("customs")
    (found,) = (await bench.status(newest.id)).deliveries
    assert (found.state, found.attempts) == (DeliveryState.DEAD, 1)
    assert bench.peer.requests == []
    assert (await bench.kinds())[-1] == "quarantined"


async def test_what_is_kept_of_a_wire_is_enough(lodged: Any) -> None:
    """The MIC is kept with the wire: a receipt is judged by it after a restart too."""
    lodged.peer.will(DOWN)
    await lodged.attempt("customs")
    lodged.now.tick(100)
    (claim,) = await lodged.claims("customs")
    assert claim.wire is not None
    assert claim.wire.mic
    assert msgspec.json.decode(msgspec.json.encode(claim.wire), type=type(claim.wire)) == claim.wire


async def test_an_address_that_changed_is_the_one_in_force(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    """The bytes are kept, the address is not."""
    async with open_bench() as first:
        await first.lodge(make_document())
        first.peer.will(DOWN)
        await first.attempt()
        moment = first.now.ns
    file = folder / "agencies/health.toml"
    file.write_text(file.read_text().replace("8283", "9283"))
    async with open_bench() as second:
        second.now.ns = moment + 10**11
        assert await second.attempt()
        ((old, *kept), (new, *sent)) = first.peer.requests[0], second.peer.requests[0]
        assert (old, new) == ("https://localhost:8283/deliveries", "https://localhost:9283/deliveries")
        assert kept == sent


async def test_an_agency_that_left_is_waited_for(folder: Any, open_bench: Any, make_document: Make) -> None:
    async with open_bench() as first:
        await first.lodge(make_document())
    routes = folder / "routes.toml"
    routes.write_text(routes.read_text().replace('["health"]', '["customs"]'))
    (folder / "agencies/health.toml").unlink()
    async with open_bench() as second:
        (claim,) = await second.ledger.claim_deliveries(
            now_ns=second.now.ns, lease_ns=1, limit=9, skip=["customs"]
        )
        await second.outbound.deliveries.run(claim)
        found = await second.leg()
        assert (found.state, found.due_ns) == (DeliveryState.PENDING, second.now.ns + ABSENT_NS)


async def test_a_document_that_defeats_our_own_code_ends_alone(lodged: Any, make_document: Make) -> None:
    """Three tries, then a person; the next one goes out meanwhile."""
    whole = lodged.answers.delivery

    def crashing(declaration: Any, *rest: Any, **options: Any) -> bytes:
        if declaration.functional_reference_id == "MER-26-004171":
            raise RecursionError
        return bytes(whole(declaration, *rest, **options))

    lodged.answers.delivery = crashing
    await lodged.lodge(make_document(lrn="MER-2", reference="MT2"))
    for _ in range(POISON_TRIES):
        assert await lodged.attempt()
        lodged.now.tick(1000)
    states = {
        one.lrn: (await lodged.status(one.id)).deliveries[1].state
        for one in await lodged.ledger.lodgements(limit=9)
    }
    assert states == {"MER-26-004171": DeliveryState.DEAD, "MER-2": DeliveryState.SENT}
    assert await lodged.reasons() == ["unexpected RecursionError"] * POISON_TRIES


async def test_a_test_document_is_withheld_from_an_agency_that_went_live(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    """It waited while the agency was a test system, and its message was written and kept by then."""
    file = folder / "agencies/health.toml"
    live = file.read_text()
    file.write_text(live.replace("live = true", "live = false"))
    async with open_bench() as first:
        await first.lodge(make_document(test=True))
        first.peer.will(DOWN)
        assert await first.attempt()
        moment = first.now.ns
    file.write_text(live)
    async with open_bench() as second:
        second.now.ns = moment + 10**11
        assert await second.attempt()
        assert second.peer.requests == []
        assert (await second.leg()).state is DeliveryState.WITHHELD
        (event,) = [e for e in await second.events() if e.data.get("reason", "").startswith("test document")]
        assert (event.kind.value, event.data["agency"]) == ("withheld", "health")
        second.now.tick(10_000)
        assert not await second.attempt()
