"""MDNs posted to us: each tied to what it speaks of, and every moment at which one can come."""

import dataclasses
import hashlib
import pathlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from tidewaiter.gateway.as2 import Disposition, Received, compose_mdn, identify, receive
from tidewaiter.gateway.attempts import POISON_TRIES
from tidewaiter.gateway.dead_letters import DeadLetters
from tidewaiter.gateway.http import Response
from tidewaiter.gateway.ledger import Change, DeliveryUpdate
from tidewaiter.gateway.strangers import CLIENT_OCTETS
from tidewaiter.routing.lifecycle import DeliveryState, EventKind, NotificationState
from tidewaiter.security.cms import sign

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
S, N = DeliveryState, NotificationState

OK = (200, (), b"")
HOUR = 3600


@pytest.fixture
async def bench(open_bench: Any, agree: Callable[..., None]) -> AsyncIterator[Any]:
    """A gateway that asks customs and its trader for asynchronous MDNs."""
    for file in ("agencies/customs.toml", "partners/trader.toml"):
        agree(file, 'receipts = "async"')
    async with open_bench() as opened:
        opened.peer.will(OK)
        yield opened


def mdn_for(
    bench: Any,
    wire: Any,
    party: str = "customs",
    disposition: Disposition = Disposition.PROCESSED,
    *,
    other: bytes = b"",
    original: str = "",
    **changed: Any,
) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """The MDN of `party` over what `wire` holds, or over something else."""
    _, headers, body = wire
    fields = [(name.lower().encode(), value.encode()) for name, value in headers]
    terms = dataclasses.replace(bench.terms(party), **changed)
    got = receive(identify(fields), fields, body, bench.reading(party), now=bench.clock())
    assert isinstance(got, Received)
    mic = type(got.mic).over(other, got.mic.digest) if other else got.mic
    fields = [(n, original.encode() if original and n == b"message-id" else v) for n, v in fields]
    mdn = compose_mdn(
        identify(fields),
        disposition,
        mic,
        terms,
        message_id="<r@customs>",
        now=bench.clock(),
        boundary="m" * 24,
    )
    return mdn.headers, mdn.body


async def told(bench: Any, mdn: tuple[tuple[tuple[str, str], ...], bytes]) -> int:
    """The MDN posted to us, without whom TLS would name; how it is answered."""
    response: Response = await bench.ask("POST", "/as2", mdn[1], party=None, headers=mdn[0])
    return response.status


async def delivered(bench: Any, make_document: Make) -> Any:
    """A declaration that customs was sent; the wire."""
    await bench.lodge(make_document())
    assert await bench.attempt("customs")
    return bench.peer.requests[-1]


async def leg(bench: Any) -> Any:
    return await bench.leg("customs")


async def kept(bench: Any) -> list[Any]:
    """The MDNs that are kept, in order."""
    ids = dict.fromkeys(event.message for event in await bench.events() if event.message is not None)
    found = [await bench.ledger.message(message) for message in ids]
    return [message for message in found if message is not None and message.scope.startswith("as2-mdn")]


async def test_a_transfer_awaits_its_mdn(bench: Any, make_document: Make) -> None:
    _, headers, _ = await delivered(bench, make_document)
    assert dict(headers)["Receipt-Delivery-Option"] == "https://gateway.example/as2"
    delivery = await leg(bench)
    assert (delivery.state, delivery.attempts) == (S.AWAITING, 1)
    assert delivery.due_ns == bench.now.ns + 900 * 10**9
    assert (await bench.kinds())[-2:] == ["delivery_started", "delivery_transferred"]
    assert not await bench.attempt("customs")


async def test_the_mdn_is_the_receipt_and_is_kept(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    mdn = mdn_for(bench, wire)
    assert await told(bench, mdn) == 200
    assert (await leg(bench)).state is S.SENT
    event = (await bench.events())[-1]
    assert event.kind is EventKind.DELIVERY_RECEIPTED
    assert event.data["disposition"] == "processed"
    (message,) = await kept(bench)
    assert (event.message, message.party, message.body) == (message.id, "customs", mdn[1])
    assert {name.lower(): value for name, value in message.headers} == {n.lower(): v for n, v in mdn[0]}
    assert message.raw_digest == hashlib.sha256(mdn[1]).hexdigest()


async def test_an_mdn_may_be_signed_opaquely(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    headers, report = mdn_for(bench, wire, signer=None, sign=False)
    head = f"Content-Type: {dict(headers)['Content-Type']}\r\n\r\n".encode()
    signer = bench.terms("customs").signer
    body = sign(head + report, signer, detached=False, signing_time=bench.clock())
    kind = ("Content-Type", "application/pkcs7-mime; smime-type=signed-data")
    opaque = tuple(kind if header[0] == "Content-Type" else header for header in headers)
    assert await told(bench, (opaque, body)) == 200
    assert (await leg(bench)).state is S.SENT
    (message,) = await kept(bench)
    assert message.body == body


async def test_an_mdn_in_the_response_counts_too(bench: Any, make_document: Make) -> None:
    bench.peer.will(bench.mdn("customs"))
    await delivered(bench, make_document)
    assert (await leg(bench)).state is S.SENT
    assert len(await kept(bench)) == 1


async def test_without_an_mdn_the_same_octets_go_again_until_the_deadline(
    folder: pathlib.Path, open_bench: Any, agree: Callable[..., None], make_document: Make
) -> None:
    agree("agencies/customs.toml", 'receipts = "async"', "receipt-seconds = 600")
    file = folder / "agencies/customs.toml"
    file.write_text(file.read_text().replace("deadline = 1_209_600.0", "deadline = 7_000.0"))
    async with open_bench() as bench:
        bench.peer.will(OK)
        await delivered(bench, make_document)
        started, tries = bench.now.ns, []
        while (delivery := await leg(bench)).state is S.AWAITING:
            bench.now.tick((delivery.due_ns - bench.now.ns) / 1e9)
            assert await bench.attempt("customs")
            tries.append((bench.now.ns - started) // 10**9)
        assert tries == [*range(600, 7000, 600), 7000]
        assert (await leg(bench)).state is S.DEAD
        assert len(set(bench.peer.requests)) == 1
        assert (await bench.reasons("dead_lettered")) == ["no receipt came before the deadline"]


async def test_an_mdn_that_is_late_brings_a_dead_letter_back(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    bench.now.tick(15 * 86_400)
    for _ in range(3):
        await bench.attempt("customs")
        bench.now.tick(900)
    assert (await leg(bench)).state is S.DEAD
    assert await told(bench, mdn_for(bench, wire)) == 200
    assert (await leg(bench)).state is S.SENT


async def test_an_mdn_before_the_response_to_its_message(bench: Any, make_document: Make) -> None:
    """The response then finds what it would say said already, and the try is counted."""
    answered = []

    def at_once(wire: Any) -> Any:
        answered.append(wire)
        return OK

    await bench.lodge(make_document())
    (claim,) = await bench.claims("customs")
    bench.peer.will(at_once)
    send = bench.sender.send

    async def sending(wire: Any, *args: Any, **options: Any) -> Any:
        result = await send(wire, *args, **options)
        assert await told(bench, mdn_for(bench, ("", wire.headers, wire.body))) == 200
        return result

    bench.sender.send = sending
    await bench.outbound.deliveries.run(claim)
    delivery = await leg(bench)
    assert (delivery.state, delivery.attempts) == (S.SENT, 1)
    assert {"delivery_started", "delivery_transferred", "delivery_receipted"} <= set(await bench.kinds())


async def test_the_same_mdn_twice(bench: Any, make_document: Make) -> None:
    mdn = mdn_for(bench, await delivered(bench, make_document))
    assert await told(bench, mdn) == 200
    before = len(await bench.events())
    assert await told(bench, mdn) == 200
    assert len(await bench.events()) == before
    assert len(await kept(bench)) == 1


async def test_another_mdn_that_says_the_same(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    await told(bench, mdn_for(bench, wire))
    bench.now.tick(1)
    await told(bench, mdn_for(bench, wire))
    assert len(await kept(bench)) == 2
    assert (await bench.kinds())[-1] == "duplicate"
    assert (await leg(bench)).state is S.SENT


async def test_the_same_mdn_counts_again_where_the_message_went_again(
    bench: Any, make_document: Make
) -> None:
    """A person had it sent once more, and the partner has its stored receipt posted."""
    mdn = mdn_for(bench, await delivered(bench, make_document))
    await told(bench, mdn)
    delivery = (await leg(bench)).id
    update = DeliveryUpdate(id=delivery, expected=(S.SENT,), state=S.PENDING, due_ns=bench.now.ns)
    await bench.ledger.commit([Change(delivery_updates=(update,))])
    await bench.attempt("customs")
    assert (await leg(bench)).state is S.AWAITING
    await told(bench, mdn)
    assert (await leg(bench)).state is S.SENT
    assert len(await kept(bench)) == 1
    (message,) = await kept(bench)
    assert (await bench.events())[-1].message == message.id


async def test_an_answer_ahead_of_its_receipt(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    await bench.answer_as2((await leg(bench)).id, "08")
    assert (await leg(bench)).state is S.ANSWERED
    assert await told(bench, mdn_for(bench, wire)) == 200
    assert (await leg(bench)).state is S.ANSWERED
    assert (await bench.kinds())[-1] == "delivery_receipted"


@pytest.mark.parametrize(
    ("disposition", "state"),
    [
        (Disposition.AUTHENTICATION_FAILED, S.DEAD),
        (Disposition.UNSUPPORTED_FORMAT, S.DEAD),
        (Disposition.UNEXPECTED_PROCESSING_ERROR, S.PENDING),
        (Disposition.DUPLICATE_DOCUMENT, S.SENT),
    ],
)
async def test_what_an_mdn_says(
    bench: Any, make_document: Make, disposition: Disposition, state: DeliveryState
) -> None:
    """A signed refusal is the last word; that the partner had trouble of its own is not."""
    mdn = mdn_for(bench, await delivered(bench, make_document), disposition=disposition)
    assert await told(bench, mdn) == 200
    delivery = await leg(bench)
    assert (delivery.state, delivery.attempts) == (state, 1)
    assert len(await kept(bench)) == 1
    if state is S.DEAD:
        assert (await bench.kinds())[-2:] == ["delivery_failed", "dead_lettered"]
    if state is S.PENDING:
        bench.now.tick(HOUR)
        assert await bench.attempt("customs")
        assert len(set(bench.peer.requests)) == 1


async def test_an_old_receipt_does_not_stop_what_a_person_queued_anew(
    bench: Any, make_document: Make
) -> None:
    mdn = mdn_for(bench, await delivered(bench, make_document))
    await told(bench, mdn)
    await DeadLetters(bench.ledger, now=bench.now).requeue((await leg(bench)).id)
    before = len(await bench.events())
    assert await told(bench, mdn) == 200
    assert ((await leg(bench)).state, len(await bench.events())) == (S.PENDING, before)
    assert await bench.attempt("customs")


@pytest.mark.parametrize(
    "disposition", [Disposition.UNEXPECTED_PROCESSING_ERROR, Disposition.DECRYPTION_FAILED]
)
async def test_an_old_refusal_does_not_refuse_a_later_try(
    bench: Any, make_document: Make, disposition: Disposition
) -> None:
    mdn = mdn_for(bench, await delivered(bench, make_document), disposition=disposition)
    await told(bench, mdn)
    if disposition is Disposition.DECRYPTION_FAILED:
        await DeadLetters(bench.ledger, now=bench.now).requeue((await leg(bench)).id)
    for _ in range(5):
        bench.now.tick(HOUR)
        await bench.attempt("customs")
        assert (await leg(bench)).state is S.AWAITING
        assert await told(bench, mdn) == 200
        assert (await leg(bench)).state is S.AWAITING
    assert (await bench.kinds()).count("delivery_failed") == 1


async def test_trouble_of_the_partners_own_is_waited_out(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    for _ in range(2 * POISON_TRIES):
        trouble = mdn_for(bench, wire, disposition=Disposition.UNEXPECTED_PROCESSING_ERROR)
        assert await told(bench, trouble) == 200
        assert (await leg(bench)).state is S.PENDING
        bench.now.tick(HOUR)
        assert await bench.attempt("customs")
    assert await told(bench, mdn_for(bench, wire)) == 200
    assert (await leg(bench)).state is S.SENT


async def test_a_refusal_after_the_receipt_changes_nothing(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    await told(bench, mdn_for(bench, wire))
    await told(bench, mdn_for(bench, wire, disposition=Disposition.DECRYPTION_FAILED))
    assert (await leg(bench)).state is S.SENT
    assert (await bench.kinds())[-1] == "delivery_failed"


async def test_an_mdn_over_other_octets_is_an_alarm(bench: Any, make_document: Make) -> None:
    wire = await delivered(bench, make_document)
    assert await told(bench, mdn_for(bench, wire, other=b"something else")) == 200
    assert (await leg(bench)).state is S.MISMATCHED
    event = (await bench.events())[-1]
    assert (event.kind, event.data["alarm"]) == (EventKind.DELIVERY_MISMATCHED, "receipt-mismatch")
    assert len(await kept(bench)) == 1
    bench.now.tick(86_400)
    assert not await bench.attempt("customs")
    assert await told(bench, mdn_for(bench, wire)) == 200
    assert (await leg(bench)).state is S.SENT


async def test_in_the_response_too_other_octets_are_an_alarm(bench: Any, make_document: Make) -> None:
    """It is not sent again, and is no success."""

    def other(wire: Any) -> Any:
        headers, body = mdn_for(bench, wire, other=b"something else")
        return 200, headers, body

    bench.peer.will(other)
    await delivered(bench, make_document)
    assert (await leg(bench)).state is S.MISMATCHED
    assert (await bench.kinds())[-1] == "delivery_mismatched"
    bench.now.tick(86_400)
    assert not await bench.attempt("customs")


@pytest.mark.parametrize("how", ["unsigned", "by another", "changed"])
async def test_an_mdn_that_proves_nothing(bench: Any, make_document: Make, how: str) -> None:
    """It changes nothing, is recorded once, and a person is told."""
    wire = await delivered(bench, make_document)
    signer = {"unsigned": None, "by another": bench.terms("trader").signer}
    headers, body = mdn_for(bench, wire, **({"signer": signer[how], "sign": False} if how in signer else {}))
    if how == "changed":
        body = body.replace(b"Final-Recipient", b"final-Recipient", 1)
    with capture_logs() as logs:
        for _ in range(2):
            assert await told(bench, (headers, body)) == 200
    assert [one["event"] for one in logs].count("receipt_unverified") == 1
    assert (await leg(bench)).state is S.AWAITING
    alarms = [event for event in await bench.events() if event.kind is EventKind.ALARM]
    assert [event.data["alarm"] for event in alarms] == ["receipt-unverified"]
    # The history of the declaration shows it.
    assert [event.lodgement for event in alarms] == [(await leg(bench)).lodgement]
    (message,) = await kept(bench)
    assert (message.accepted, message.body) == (False, body)


@pytest.mark.parametrize(
    ("party", "original"),
    [
        ("customs", "<nothing@gateway>"),
        ("customs", ""),
        ("trader", None),
    ],
)
async def test_an_mdn_for_nothing_that_its_sender_was_sent(
    bench: Any, make_document: Make, party: str, original: str | None
) -> None:
    """Unknown, or another partner's: it changes nothing, and is recorded once."""
    _, wired, _ = wire = await delivered(bench, make_document)
    headers, body = mdn_for(bench, wire)
    known = dict(wired)["Message-ID"]
    if original is not None:
        body = body.replace(known.encode(), original.encode())
    theirs = bench.terms(party).our_name
    headers = tuple((n, theirs if n == "AS2-From" else v) for n, v in headers)
    for _ in range(2):
        assert await told(bench, (headers, body)) == 404
    assert (await leg(bench)).state is S.AWAITING
    assert (await bench.kinds()).count("refused") == 1
    assert len(await kept(bench)) == 1


async def test_an_mdn_of_a_stranger(bench: Any, make_document: Make) -> None:
    headers, body = mdn_for(bench, await delivered(bench, make_document))
    for field in ("AS2-From", "AS2-To"):
        assert await told(bench, (tuple((n, "NOBODY" if n == field else v) for n, v in headers), body)) == 404
        assert await told(bench, (tuple((n, v) for n, v in headers if n != field), body)) == 404
    assert (await leg(bench)).state is S.AWAITING


async def test_receipts_that_prove_nothing_do_not_fill_the_ledger(bench: Any, make_document: Make) -> None:
    headers, body = mdn_for(bench, await delivered(bench, make_document))
    for number in range(40):
        forged = (
            body.replace(b"Final-Recipient", b"final-Recipient", 1) + b"x" * 60_000 + str(number).encode()
        )
        assert await told(bench, (headers, forged)) == 200
    assert 0 < sum(len(message.body) for message in await kept(bench)) <= CLIENT_OCTETS
    assert (await leg(bench)).state is S.AWAITING


async def test_an_mdn_without_a_message_id_of_its_own(bench: Any, make_document: Make) -> None:
    headers, body = mdn_for(bench, await delivered(bench, make_document))
    assert await told(bench, (tuple(h for h in headers if h[0] != "Message-ID"), body)) == 200
    assert (await leg(bench)).state is S.SENT


async def test_receipts_for_a_notification(bench: Any, make_document: Make) -> None:
    """What a trader is told over AS2 lives by the same rules."""
    await bench.lodge_as2(make_document("export.xml", change=(b"<FunctionCode>9<", b"<FunctionCode>nine<")))
    (claim,) = await bench.due_notes()
    await bench.outbound.notifications.run(claim)
    (note,) = await bench.notes()
    assert (note.state, note.attempts) == (N.AWAITING, 1)
    wire = bench.peer.requests[-1]
    bench.now.tick(900)
    (claim,) = await bench.due_notes()
    await bench.outbound.notifications.run(claim)
    assert len(set(bench.peer.requests)) == 1
    await told(bench, mdn_for(bench, wire, "trader", other=b"other"))
    (note,) = await bench.notes()
    assert note.state is N.MISMATCHED
    await told(bench, mdn_for(bench, wire, "trader"))
    (note,) = await bench.notes()
    assert (note.state, note.attempts) == (N.DELIVERED, 2)
    assert (await bench.kinds())[-2:] == ["notification_mismatched", "notification_delivered"]


async def test_an_agreement_without_receipts(
    open_bench: Any, agree: Callable[..., None], make_document: Make
) -> None:
    """A 2xx is all there will be."""
    agree("agencies/customs.toml", 'receipts = "none"')
    async with open_bench() as bench:
        bench.peer.will(OK)
        _, headers, _ = await delivered(bench, make_document)
        assert not [name for name, _ in headers if "Notification" in name or "Receipt" in name]
        assert (await leg(bench)).state is S.SENT


async def test_a_message_asks_what_it_asked_whatever_is_agreed_later(
    open_bench: Any, agree: Callable[..., None], make_document: Make
) -> None:
    """Composed when the receipt was to be in the response, sent when it is to come by itself."""
    async with open_bench() as bench:
        bench.peer.will((503, (), b""))
        await delivered(bench, make_document)
        bench.now.tick(HOUR)
    agree("agencies/customs.toml", 'receipts = "async"')
    async with open_bench() as bench:
        bench.now.tick(HOUR)
        bench.peer.will(OK)
        assert await bench.attempt("customs")
        assert (await leg(bench)).state is S.PENDING
