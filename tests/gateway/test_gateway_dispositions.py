"""Every disposition by the situation it is for: signed and unsigned, in the response and posted."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tidewaiter.gateway.as2 import Disposition, read_mdn
from tidewaiter.gateway.http import Headers, Response

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
Fields = tuple[tuple[str, str], ...]
D = Disposition

URL = "https://trader.example/mdn"
OPTIONS = "Disposition-Notification-Options"
SIGNED = "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256"


@pytest.fixture
async def bench(open_bench: Any, agree: Callable[..., None]) -> AsyncIterator[Any]:
    """A gateway that takes unencrypted messages, so that what is wrong inside can be told."""
    agree(
        "partners/trader.toml",
        'receipt-addresses = ["https://trader.example"]',
        'allow = ["unencrypted"]',
    )
    async with open_bench() as opened:
        yield opened


def changed(fields: Fields, **values: str) -> Fields:
    """With other values of some headers, or with headers more."""
    named = {name.replace("_", "-"): value for name, value in values.items()}
    kept = tuple((name, named.pop(name, value)) for name, value in fields)
    return (*kept, *named.items())


def nothing(message: Any) -> Any:
    return message


def with_headers(**values: str) -> Callable[[Any], Any]:
    return lambda message: dataclasses.replace(message, headers=changed(message.headers, **values))


def with_body(old: bytes, new: bytes) -> Callable[[Any], Any]:
    def change(message: Any) -> Any:
        assert old in message.body
        return dataclasses.replace(message, body=message.body.replace(old, new, 1))

    return change


PLAIN = {"encrypt": False, "compress": False}
# Situation: the sender's terms, what becomes of the message on its way, and what it is told.
SITUATIONS: dict[str, tuple[dict[str, Any], Callable[[Any], Any], Disposition]] = {
    "all is well": ({}, nothing, D.PROCESSED),
    "not encrypted": (PLAIN, nothing, D.PROCESSED),
    "to another key": ({"their_encryption": "trader"}, nothing, D.DECRYPTION_FAILED),
    "signed by another, inside": ({"signer": "customs"}, nothing, D.DECRYPTION_FAILED),
    "not signed, inside": ({"sign": False}, nothing, D.DECRYPTION_FAILED),
    "signed by another": ({**PLAIN, "signer": "customs"}, nothing, D.AUTHENTICATION_FAILED),
    "changed on its way": (PLAIN, with_body(b"MERIDIAN", b"MERIDIAM"), D.INTEGRITY_CHECK_FAILED),
    "not signed": ({**PLAIN, "sign": False}, nothing, D.INSUFFICIENT_MESSAGE_SECURITY),
    "compressed, and cut": (
        {"encrypt": False, "compress": True, "compress_after_signing": True},
        lambda message: dataclasses.replace(message, body=message.body[:-24] + bytes(24)),
        D.DECOMPRESSION_FAILED,
    ),
    "a space in its id": ({}, with_headers(Message_ID="<a b@x>", AS2_Version="1.3"), D.INVALID_MESSAGE_ID),
    "a receipt in a format nobody has": (
        {},
        with_headers(**{OPTIONS.replace("-", "_"): "signed-receipt-protocol=required, pgp"}),
        D.UNSUPPORTED_FORMAT,
    ),
    "a MIC nobody has": (
        {},
        with_headers(**{OPTIONS.replace("-", "_"): SIGNED.replace("sha-256", "md5")}),
        D.UNSUPPORTED_MIC_ALGORITHMS,
    ),
    "to itself": ({}, with_headers(AS2_From="TIDEWAITER"), D.SENDER_EQUALS_RECEIVER),
    "of nobody we know": ({}, with_headers(AS2_From="NOBODY"), D.UNKNOWN_TRADING_PARTNER),
    "to an address nobody agreed upon": (
        {},
        with_headers(Receipt_Delivery_Option="https://other.example/"),
        D.ASYNCHRONOUS_RECEIPT,
    ),
}
# Nobody we have a name towards: never signed, and never posted.
NOBODYS = {D.SENDER_EQUALS_RECEIVER, D.UNKNOWN_TRADING_PARTNER}


def message_of(bench: Any, make_document: Make, situation: str) -> Any:
    terms, change, _ = SITUATIONS[situation]
    values = dict(terms)
    if "signer" in values:
        values["signer"] = bench.terms(values["signer"]).signer
    if "their_encryption" in values:
        values["their_encryption"] = bench.parties.named(values["their_encryption"]).certificates[0]
    return change(bench.composed(make_document(), terms=dataclasses.replace(bench.terms(), **values)))


def judged(bench: Any, message: Any, headers: Fields, body: bytes, *, signed: bool) -> Any:
    fields = Headers((name.lower().encode(), value.encode()) for name, value in headers)
    terms = dataclasses.replace(
        bench.terms(), signed_receipts=signed, our_name=dict(message.headers)["AS2-From"]
    )
    return read_mdn(
        fields,
        body,
        terms,
        message_id=dict(message.headers)["Message-ID"],
        mic=None,
        now=bench.clock(),
    )


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_signed_in_the_response(bench: Any, make_document: Make, situation: str) -> None:
    """Signed also when it says no, where there is a partner it can be signed towards."""
    message = message_of(bench, make_document, situation)
    response: Response = await bench.post(message)
    expected = SITUATIONS[situation][2]
    asked = "pkcs7" in dict(message.headers)[OPTIONS]
    mdn = judged(bench, message, response.headers, response.body, signed=asked and expected not in NOBODYS)
    assert (response.status, mdn.known, mdn.disposition) == (200, expected, expected.text)
    assert mdn.signed is (asked and expected not in NOBODYS)


@pytest.mark.parametrize(
    "situation",
    [name for name, (_, _, told) in SITUATIONS.items() if not told.token.startswith("unsupported")],
)
async def test_unsigned_in_the_response(bench: Any, make_document: Make, situation: str) -> None:
    """Where no signed one is asked for."""
    message = message_of(bench, make_document, situation)
    message = dataclasses.replace(message, headers=tuple(h for h in message.headers if h[0] != OPTIONS))
    response = await bench.post(message)
    mdn = judged(bench, message, response.headers, response.body, signed=False)
    expected = SITUATIONS[situation][2]
    assert (response.status, mdn.known, mdn.signed) == (200, expected, False)


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if "address" not in name])
async def test_posted(bench: Any, make_document: Make, situation: str) -> None:
    """Where the agreement lets it go; to nobody where there is none."""
    message = with_headers(Receipt_Delivery_Option=URL)(message_of(bench, make_document, situation))
    response = await bench.post(message)
    expected = SITUATIONS[situation][2]
    claims = await bench.due_mdns()
    if expected in NOBODYS:
        mdn = judged(bench, message, response.headers, response.body, signed=False)
        assert (mdn.known, claims) == (expected, [])
        return
    assert (response.status, response.body) == (200, b"")
    response.on_sent(bench.now())
    for claim in claims:
        await bench.outbound.mdns.run(claim)
    ((url, headers, body),) = bench.peer.requests
    asked = "pkcs7" in dict(message.headers)[OPTIONS]
    mdn = judged(bench, message, headers, body, signed=asked)
    assert (url, mdn.known, mdn.signed) == (URL, expected, asked)
