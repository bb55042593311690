"""The trader believes a receipt only if it proves what was sent, and takes each answer once."""

import base64
import hashlib
import json
import pathlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from tidewaiter.codecs import wco
from tidewaiter.codecs.declaration import Response as BusinessResponse
from tidewaiter.codecs.declaration import ResponseDeclaration
from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import (
    Composed,
    Disposition,
    MdnKind,
    Mic,
    Received,
    Terms,
    compose,
    compose_mdn,
    identify,
    read_mdn,
    receive,
)
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.http import ClientResponse, Headers, Request
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.receipts import SIGNATURE_HEADER
from tidewaiter.gateway.sandbox.accounts import Account, load_account
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.gateway.sandbox.trader import Trader
from tidewaiter.security import Digest
from tidewaiter.security.cms import Signer, sign

PAYLOAD = sample("export.xml")
Answer = tuple[int, Sequence[tuple[str, str]], bytes]


class ScriptedClient:
    """Answers each request by a function of it."""

    def __init__(self, answer: Callable[[str, str, Sequence[tuple[str, str]], bytes], Answer]) -> None:
        self._answer = answer
        self.urls: list[str] = []

    async def request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", **_: Any
    ) -> ClientResponse:
        self.urls.append(url)
        status, fields, content = self._answer(method, url, headers, body)
        now = clock.instant()
        pairs = Headers((name.lower().encode(), value.encode()) for name, value in fields)
        return ClientResponse(status=status, headers=pairs, body=content, sent=now, received=now)


@pytest.fixture(scope="module")
def account(starter: pathlib.Path) -> Account:
    return load_account(starter, "trader")


@pytest.fixture(scope="module")
def parties(starter: pathlib.Path) -> Parties:
    return Parties(load_config(starter))


@pytest.fixture(scope="module")
def gateway_terms(parties: Parties) -> Terms:
    terms = parties.partners["trader"].terms
    assert terms is not None
    return terms


def trader_of(
    account: Account,
    reader: Reader,
    answer: Callable[[str, str, Sequence[tuple[str, str]], bytes], Answer],
) -> Trader:
    return Trader(account, ScriptedClient(answer), reader)  # type: ignore[arg-type]


def receipt(signer: Signer, payload: bytes, **change: Any) -> Answer:
    digest = {"algorithm": "sha-256", "value": hashlib.sha256(payload).hexdigest(), "octets": len(payload)}
    body = json.dumps({"id": "L1", "digest": {**digest, **change}}).encode()
    signature = base64.b64encode(sign(body, signer, detached=True, signing_time=datetime.now(UTC))).decode()
    return 202, (("Content-Type", "application/json"), (SIGNATURE_HEADER, signature)), body


@pytest.mark.anyio
async def test_a_receipt_that_proves_what_was_sent(
    account: Account, reader: Reader, parties: Parties
) -> None:
    trader = trader_of(account, reader, lambda *_: receipt(parties.signer, PAYLOAD))
    lodged = await trader.lodge_https(PAYLOAD)
    assert (lodged.status, lodged.verified, lodged.reason, lodged.id) == (202, True, "", "L1")


def changed(answer: Answer) -> Answer:
    status, headers, body = answer
    return status, headers, body.replace(b'"L1"', b'"L2"')


def unsigned(answer: Answer) -> Answer:
    return answer[0], answer[1][:1], answer[2]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "case", ["changed", "unsigned", "not base64", "another signer", "another document", "500"]
)
async def test_what_does_not_prove_it_is_not_believed(
    case: str, account: Account, reader: Reader, parties: Parties
) -> None:
    assert account.terms is not None
    assert account.terms.signer is not None
    good = receipt(parties.signer, PAYLOAD)
    answer = {
        "changed": changed(good),
        "unsigned": unsigned(good),
        "not base64": (202, ((SIGNATURE_HEADER, "%%%"),), good[2]),
        "another signer": receipt(account.terms.signer, PAYLOAD),
        "another document": receipt(parties.signer, PAYLOAD + b" "),
        "500": (500, good[1], good[2]),
    }[case]
    lodged = await trader_of(account, reader, lambda *_: answer).lodge_https(PAYLOAD)
    assert not lodged.verified
    assert lodged.reason


@pytest.mark.anyio
async def test_a_refusal_gives_its_findings(account: Account, reader: Reader) -> None:
    body = b'{"status":422,"findings":[{"code":"13","where":"NAD[1]"}]}'
    trader = trader_of(account, reader, lambda *_: (422, (), body))
    lodged = await trader.lodge_https(PAYLOAD)
    assert (lodged.status, lodged.verified) == (422, False)
    assert lodged.findings == [{"code": "13", "where": "NAD[1]"}]


@pytest.mark.anyio
async def test_a_page_of_a_proxy_is_no_receipt_and_no_error(account: Account, reader: Reader) -> None:
    trader = trader_of(account, reader, lambda *_: (200, (), b"<html>"))
    assert not (await trader.lodge_https(PAYLOAD)).verified
    assert await trader.status("L1") == {}
    assert await trader.notifications() == []


def mdn_for(terms: Terms, *, other: bool = False) -> Callable[..., Answer]:
    """A gateway that takes the message, or claims to have taken another."""

    def answer(method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        fields = [(name.lower().encode(), value.encode()) for name, value in headers]
        identity = identify(fields)
        got = receive(identity, fields, body, terms, now=datetime.now(UTC))
        assert isinstance(got, Received)
        assert (got.signed, got.encrypted, got.compressed) == (True, True, True)
        assert got.payload == PAYLOAD
        mic = Mic.over(b"other", Digest.SHA256) if other else got.mic
        mdn = compose_mdn(
            identity,
            Disposition.PROCESSED,
            mic,
            terms,
            message_id="<m@x>",
            now=datetime.now(UTC),
            boundary="b" * 32,
        )
        return 200, mdn.headers, mdn.body

    return answer


@pytest.mark.anyio
async def test_lodged_over_as2_signed_encrypted_and_compressed(
    account: Account, reader: Reader, gateway_terms: Terms
) -> None:
    sent = await trader_of(account, reader, mdn_for(gateway_terms)).lodge_as2(PAYLOAD)
    assert sent.verified
    assert sent.mdn.kind is MdnKind.PROCESSED


@pytest.mark.anyio
async def test_an_mdn_for_other_content_proves_nothing(
    account: Account, reader: Reader, gateway_terms: Terms
) -> None:
    sent = await trader_of(account, reader, mdn_for(gateway_terms, other=True)).lodge_as2(PAYLOAD)
    assert not sent.verified
    assert sent.mdn.kind is MdnKind.MIC_MISMATCH


def res(lrn: str) -> bytes:
    response = BusinessResponse(
        function_code="08",
        functional_reference_id="N1",
        declaration=ResponseDeclaration(functional_reference_id=lrn, id="26NL1"),
    )
    return wco.write_response((response,), wco.MetaData(version="3.6", type_name="RES"))


def pushed(message: Composed) -> Request:
    now = clock.instant()
    fields = Headers((name.lower().encode(), value.encode()) for name, value in message.headers)
    return Request(
        method="POST",
        path="/as2",
        query="",
        headers=fields,
        body=message.body,
        peer_certificate=None,
        client="127.0.0.1",
        first_byte=now,
        last_byte=now,
    )


@pytest.mark.anyio
async def test_an_answer_pushed_twice_is_receipted_twice_and_stands_once(
    account: Account, reader: Reader, gateway_terms: Terms
) -> None:
    message = compose(
        res("LRN-1"),
        "application/xml",
        gateway_terms,
        message_id="<N1@gateway>",
        now=datetime.now(UTC),
        boundary="c" * 32,
    )
    trader = trader_of(account, reader, lambda *_: (500, (), b""))
    responses = [await trader.handle(pushed(message)) for _ in range(2)]
    assert responses[0].body == responses[1].body
    (notice,) = trader.inbox
    assert notice.lrn == "LRN-1"
    fields = [(name.lower().encode(), value.encode()) for name, value in responses[0].headers]
    mdn = read_mdn(
        fields,
        responses[0].body,
        gateway_terms,
        message_id=message.message_id,
        mic=message.mic,
        now=datetime.now(UTC),
    )
    assert (mdn.kind, mdn.signed) == (MdnKind.PROCESSED, True)


@pytest.mark.anyio
async def test_who_waits_is_woken_by_the_answer(
    account: Account, reader: Reader, gateway_terms: Terms
) -> None:
    message = compose(
        res("LRN-2"),
        "application/xml",
        gateway_terms,
        message_id="<N2@gateway>",
        now=datetime.now(UTC),
        boundary="c" * 32,
    )
    trader = trader_of(account, reader, lambda *_: (500, (), b""))
    found: list[str | None] = []

    async def wait() -> None:
        found.append((await trader.wait_for(lambda notice: notice.lrn == "LRN-2")).lrn)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert found == []
            await trader.handle(pushed(message))
    assert found == ["LRN-2"]


@pytest.mark.anyio
async def test_the_log_is_read_on_and_not_again(account: Account, reader: Reader) -> None:
    entries = [
        {"number": n, "content-type": "application/xml", "document": base64.b64encode(res(f"L{n}")).decode()}
        for n in (1, 2, 3)
    ]

    def answer(method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        after = int(url.partition("after=")[2])
        return 200, (), json.dumps({"notifications": entries[after : after + 2]}).encode()

    client = ScriptedClient(answer)
    trader = Trader(account, client, reader)  # type: ignore[arg-type]
    with anyio.fail_after(5):
        assert (await trader.look_for(lambda notice: notice.lrn == "L3")).number == 3
        assert (await trader.look_for(lambda notice: notice.lrn == "L1")).number == 1
    assert [url.partition("after=")[2] for url in client.urls] == ["0", "2"]
