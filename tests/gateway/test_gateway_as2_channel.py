"""The AS2 channel: every message that reaches AS2 gets its MDN, and the MDN speaks of the message alone."""

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from tidewaiter.gateway import as2_channel
from tidewaiter.gateway.as2 import MdnKind
from tidewaiter.gateway.strangers import BODY_OCTETS, CLIENT_OCTETS, HEADER_OCTETS
from tidewaiter.routing.lifecycle import EventKind, LodgementState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]


async def messages(bench: Any) -> list[Any]:
    found = [await bench.ledger.message(e.message) for e in await bench.events() if e.message is not None]
    return list({message.id: message for message in found if message is not None}.values())


async def test_a_declaration_gets_a_signed_mdn_over_its_mic(bench: Any, make_document: Make) -> None:
    mdn, response = await bench.lodge_as2(make_document())
    assert response.status == 200
    assert (mdn.kind, mdn.signed, mdn.disposition) == (MdnKind.PROCESSED, True, "processed")
    assert (await bench.only()).lodgement.channel == "as2"
    (message,) = await messages(bench)
    assert (message.accepted, message.party, message.key) == (True, "trader", "<1@trader.example>")
    assert message.receipt.body == response.body


async def test_an_invalid_document_is_a_processed_message(bench: Any, make_document: Make) -> None:
    """The MDN speaks of the message; the document's fate is a business answer."""
    mdn, _ = await bench.lodge_as2(make_document("invalid.edi"))
    assert mdn.kind is MdnKind.PROCESSED
    assert (await bench.only()).lodgement.state is LodgementState.REJECTED
    (note,) = await bench.notes()
    assert note.kind == "CONTRL"


async def test_the_same_message_again_gets_the_same_octets(bench: Any, make_document: Make) -> None:
    composed = bench.composed(make_document())
    first = await bench.post(composed)
    bench.now.tick(10**6)
    again = await bench.post(composed)
    assert (again.headers, again.body) == (first.headers, first.body)
    assert len(await bench.ledger.lodgements(limit=9)) == 1
    assert (await bench.kinds()).count("duplicate") == 1


async def test_a_message_that_comes_again_is_not_judged_again(bench: Any, make_document: Make) -> None:
    """Sent when its certificate was valid, and its receipt lost: the receipt is still its due."""
    composed = bench.composed(make_document())
    first = await bench.post(composed)
    bench.now.tick(3 * 365 * 86_400)
    again = await bench.post(composed)
    assert again.body == first.body
    mdn, _ = await bench.lodge_as2(make_document("export.xml"))
    assert mdn.kind is not MdnKind.PROCESSED


async def test_the_same_message_wrapped_anew_is_known_by_its_mic(bench: Any, make_document: Make) -> None:
    """A sender that encrypts again on each try."""
    first = await bench.post(bench.composed(make_document(), message_id="<m@x>"))
    second = bench.composed(make_document(), message_id="<m@x>")
    again = await bench.post(second)
    assert again.body == first.body
    assert bench.judged(second, again).kind is MdnKind.PROCESSED
    assert len(await bench.ledger.lodgements(limit=9)) == 1


async def test_a_message_id_used_for_another_document(bench: Any, make_document: Make) -> None:
    await bench.lodge_as2(make_document(), message_id="<m@x>")
    mdn, response = await bench.lodge_as2(make_document("export.xml"), message_id="<m@x>")
    assert response.status == 200
    assert (mdn.kind, mdn.disposition) == (MdnKind.ERROR, "processed/error: unexpected-processing-error")
    assert len(await bench.ledger.lodgements(limit=9)) == 1
    assert {"conflict", "refused"} <= set(await bench.kinds())


async def test_a_message_of_nobody_we_know(bench: Any, make_document: Make) -> None:
    stranger = dataclasses.replace(bench.terms(), our_name="STRANGER")
    with capture_logs() as logs:
        response = await bench.post(bench.composed(make_document(), terms=stranger))
    assert response.status == 200
    (line,) = [one for one in logs if one["event"] == "as2_unknown_partner"]
    assert (line["as2_from"], line["as2_to"]) == ("STRANGER", bench.terms().their_name)
    assert (line["message_id"], bool(line["client"])) == ("<1@trader.example>", True)
    assert b"unknown-trading-partner" in response.body
    assert b"application/pkcs7-signature" not in response.body
    assert await bench.ledger.lodgements(limit=9) == []


async def test_a_message_for_somebody_else(bench: Any, make_document: Make) -> None:
    elsewhere = dataclasses.replace(bench.terms(), their_name="CUSTOMS")
    response = await bench.post(bench.composed(make_document(), terms=elsewhere))
    assert b"unknown-trading-partner" in response.body


async def test_a_message_in_the_name_of_another(bench: Any, make_document: Make) -> None:
    """Signed by the trader, sent under customs' name."""
    forged = dataclasses.replace(bench.terms(), our_name="CUSTOMS")
    response = await bench.post(bench.composed(make_document(), terms=forged))
    assert response.status == 200
    assert b"/error" in response.body or b"failed" in response.body.lower()
    assert await bench.ledger.lodgements(limit=9) == []
    assert (await bench.kinds()) == ["refused"]


async def test_a_message_that_was_changed_on_its_way(bench: Any, make_document: Make) -> None:
    composed = bench.composed(make_document())
    broken = dataclasses.replace(composed, body=composed.body[:-40] + bytes(40))
    with capture_logs() as logs:
        response = await bench.post(broken)
    (line,) = [one for one in logs if one["event"] == "as2_refused"]
    assert (line["message_id"], bool(line["client"])) == ("<1@trader.example>", True)
    mdn = bench.judged(composed, response)
    assert mdn.kind in {MdnKind.ERROR, MdnKind.FAILED}
    assert await bench.ledger.lodgements(limit=9) == []
    (message,) = await messages(bench)
    assert (message.accepted, message.body) == (False, broken.body)
    whole = await bench.post(composed)
    assert bench.judged(composed, whole).kind is MdnKind.PROCESSED


@pytest.mark.parametrize(
    ("weak", "told"),
    [
        # Which of the two failed is hidden behind one word, for it would tell of what is inside.
        ({"sign": False}, "decryption-failed"),
        ({"encrypt": False}, "insufficient-message-security"),
        ({"sign": False, "encrypt": False}, "insufficient-message-security"),
    ],
)
async def test_a_message_without_the_protection_agreed(
    bench: Any, make_document: Make, weak: dict[str, bool], told: str
) -> None:
    composed = bench.composed(make_document(), terms=dataclasses.replace(bench.terms(), **weak))
    mdn = bench.judged(composed, await bench.post(composed))
    assert (mdn.kind, mdn.disposition) == (MdnKind.ERROR, f"processed/error: {told}")
    assert await bench.ledger.lodgements(limit=9) == []


async def test_no_mdn_where_none_is_asked(bench: Any, make_document: Make) -> None:
    composed = bench.composed(make_document())
    headers = [h for h in composed.headers if not h[0].lower().startswith("disposition-notification")]
    response = await bench.ask("POST", "/as2", composed.body, party=None, headers=headers)
    assert (response.status, response.body) == (200, b"")
    assert (await bench.only()).lodgement.state is LodgementState.ACCEPTED


async def test_what_is_no_as2_message(bench: Any) -> None:
    response = await bench.ask("POST", "/as2", b"hello", party=None, headers=[("AS2-From", "MERIDIAN")])
    assert response.status == 400
    assert dict(response.headers)["Content-Type"] == "application/problem+json"


async def test_as2_is_taken_over_tls_too(bench: Any, make_document: Make) -> None:
    composed = bench.composed(make_document())
    response = await bench.ask("POST", "/as2", composed.body, party="trader", headers=composed.headers)
    assert bench.judged(composed, response).kind is MdnKind.PROCESSED


def unrecorded(bench: Any) -> float:
    return sum(
        bench.metrics.registry.get_sample_value(
            "tidewaiter_receipts_total", {"channel": "as2", "outcome": f"{outcome}-unrecorded"}
        )
        or 0
        for outcome in ("unknown", "refused")
    )


@pytest.mark.parametrize("name", ["NOBODY", "MERIDIAN"])
async def test_a_stranger_does_not_fill_the_ledger(bench: Any, name: str) -> None:
    """Neither in a name nobody has, nor in the name of a partner: something of each, and a bounded whole."""
    fields = [("AS2-From", name), ("AS2-To", "TIDEWAITER"), ("AS2-Version", "1.2")]
    fields += [("Content-Type", "application/edifact")]
    body = b"x" * 300_000
    for number in range(40):
        headers = [*fields, ("Message-ID", f"<{number}@x>"), ("X-Long", "y" * 50_000)]
        response = await bench.ask("POST", "/as2", body, party=None, headers=headers)
        assert response.status == 200
    kept = await messages(bench)
    assert 0 < sum(len(message.body) for message in kept) <= CLIENT_OCTETS
    assert max(len(message.body) for message in kept) == BODY_OCTETS
    assert max(sum(len(n) + len(v) for n, v in message.headers) for message in kept) <= HEADER_OCTETS
    first = (await bench.events())[0]
    assert first.kind is EventKind.REFUSED
    assert (first.data["octets"], first.data["kept"]) == ("300000", str(BODY_OCTETS))
    assert first.data["sha256"] == kept[0].raw_digest == hashlib.sha256(body).hexdigest()
    for _ in range(60):
        response = await bench.ask("POST", "/as2", body, party=None, headers=headers)
        assert response.status == 200
    assert unrecorded(bench) > 0
    assert len(await messages(bench)) + unrecorded(bench) == 100
    bench.now.tick(3600)
    await bench.ask("POST", "/as2", b"small", party=None, headers=headers[:-1])
    assert (await messages(bench))[-1].body == b"small"


async def test_who_is_authenticated_is_recorded_whole(bench: Any) -> None:
    """By the certificate of the connection, though its message is not signed."""
    fields = [("AS2-From", "MERIDIAN"), ("AS2-To", "TIDEWAITER"), ("Message-ID", "<m@x>")]
    body = b"x" * (BODY_OCTETS + 1)
    await bench.ask("POST", "/as2", body, party="trader", headers=fields)
    (message,) = await messages(bench)
    assert message.body == body


async def test_what_cannot_be_read_is_answered_under_the_name_it_was_sent_by(bench: Any) -> None:
    """A document without an LRN: the sender knows it by its Message-ID."""
    await bench.lodge_as2(b"<Declaration", message_id="<broken-17@trader.example>")
    (note,) = await bench.notes()
    assert note.kind == "RES"
    assert b"broken-17@trader.example" in note.body


@pytest.mark.parametrize("large", [False, True])
async def test_a_large_body_is_opened_while_the_others_go_on(
    bench: Any, make_document: Make, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    composed = bench.composed(make_document())
    monkeypatch.setattr(as2_channel, "LARGE", len(composed.body) - large)
    threads: list[int] = []

    def noting(work: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **keywords: Any) -> Any:
            threads.append(threading.get_ident())
            return work(*arguments, **keywords)

        return noted

    for name in ("reported_message", "digest_of", "receive"):
        monkeypatch.setattr(as2_channel, name, noting(getattr(as2_channel, name)))
    result = bench.judged(composed, await bench.post(composed))
    assert result.kind is MdnKind.PROCESSED
    assert [each != threading.get_ident() for each in threads] == [large] * 3
