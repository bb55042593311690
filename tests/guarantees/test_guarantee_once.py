"""G2: one decision for each name a message has, and the same receipt however often it comes."""

import dataclasses
import pathlib
import secrets
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import Composed, MdnKind, compose, read_mdn
from tidewaiter.gateway.http import Client, ClientLimits, ClientResponse
from tidewaiter.gateway.ledger import EventRecord
from tidewaiter.gateway.sandbox.accounts import Account, load_account
from tidewaiter.routing.lifecycle import EventKind

pytestmark = pytest.mark.anyio

TIMES = 64
EDIFACT = "application/edifact"


class Partner:
    """The trader, message by message."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._account: Account = load_account(folder, "trader")
        assert self._account.terms is not None
        self.terms = self._account.terms

    def message(self, payload: bytes, message_id: str, **changed: Any) -> Composed:
        """`payload` signed and encrypted now; each call signs again."""
        return compose(
            payload,
            EDIFACT,
            dataclasses.replace(self.terms, **changed),
            message_id=message_id,
            now=clock.utc(clock.instant()),
            boundary=secrets.token_hex(8),
        )

    async def post(self, client: Client, message: Composed) -> ClientResponse:
        """Send it."""
        return await client.request("POST", self._account.as2_url, message.headers, message.body, timeout=30)

    def says(self, response: ClientResponse, message: Composed) -> tuple[MdnKind, str]:
        """The receipt's kind and disposition; it is always signed."""
        mdn = read_mdn(
            response.headers,
            response.body,
            self.terms,
            message_id=message.message_id,
            mic=message.mic,
            now=clock.utc(clock.instant()),
        )
        assert mdn.signed
        return mdn.kind, mdn.disposition


@pytest.fixture
def partner(folder: pathlib.Path) -> Partner:
    return Partner(folder)


def new_client() -> Client:
    """Closed before the gateway is: one that is idle would make it wait."""
    return Client(clock=clock.instant, limits=ClientLimits(max_connections=TIMES))


async def _all(times: int, send: Callable[[], Any]) -> list[ClientResponse]:
    """The responses to `times` requests that are under way at once."""
    responses: list[ClientResponse] = []

    async def one() -> None:
        responses.append(await send())

    async with anyio.create_task_group() as group:
        for _ in range(times):
            group.start_soon(one)
    return responses


async def _kinds(gateway: Any) -> list[EventKind]:
    events: list[EventRecord] = await gateway.ledger.events(lodgement=None, after=0, limit=1000)
    return [event.kind for event in events]


async def test_sixty_four_at_once_over_as2(
    folder: pathlib.Path, running: Any, partner: Partner, declaration: Any
) -> None:
    async with running(folder) as gateway, new_client() as client:
        message = partner.message(declaration("ONCE-1"), "<once-1@trader.example>")
        responses = await _all(TIMES, lambda: partner.post(client, message))
        lodged = await gateway.ledger.lodgements(limit=10)
        duplicates = (await _kinds(gateway)).count(EventKind.DUPLICATE)
    assert len({(r.status, r.headers, r.body) for r in responses}) == 1
    assert partner.says(responses[0], message) == (MdnKind.PROCESSED, "processed")
    assert [lodgement.lrn for lodgement in lodged] == ["ONCE-1"]
    assert duplicates == TIMES - 1


async def test_sixty_four_at_once_over_https(
    folder: pathlib.Path, running: Any, door: Any, declaration: Any
) -> None:
    async with running(folder) as gateway, new_client() as client:
        trader, document = door(folder), declaration("ONCE-2")
        responses = await _all(TIMES, lambda: trader.lodge(document, "key-2", client=client))
        lodged = await gateway.ledger.lodgements(limit=10)
        duplicates = (await _kinds(gateway)).count(EventKind.DUPLICATE)
    assert len({(r.status, _without_date(r), r.body) for r in responses}) == 1
    assert responses[0].status == 202
    assert [lodgement.lrn for lodgement in lodged] == ["ONCE-2"]
    assert duplicates == TIMES - 1


def _without_date(response: ClientResponse) -> tuple[tuple[bytes, bytes], ...]:
    """The headers but for the one that tells the time of this answer."""
    return tuple((name, value) for name, value in response.headers if name != b"date")


async def test_another_message_under_the_same_id_is_refused_with_an_alarm(
    folder: pathlib.Path, running: Any, partner: Partner, declaration: Any
) -> None:
    async with running(folder) as gateway, new_client() as client:
        first = partner.message(declaration("OTHER-1"), "<other@trader.example>")
        forged = partner.message(declaration("OTHER-2"), "<other@trader.example>")
        before = await partner.post(client, first)
        refused = await partner.post(client, forged)
        after = await partner.post(client, first)
        lodged = await gateway.ledger.lodgements(limit=10)
        events = await gateway.ledger.events(lodgement=None, after=0, limit=1000)
    assert partner.says(refused, forged) == (MdnKind.ERROR, "processed/error: unexpected-processing-error")
    assert after.body == before.body
    assert [lodgement.lrn for lodgement in lodged] == ["OTHER-1"]
    assert [e.lodgement for e in events if e.kind is EventKind.CONFLICT] == [lodged[0].id]


async def test_another_document_under_the_same_key_is_refused_with_an_alarm(
    folder: pathlib.Path, running: Any, door: Any, declaration: Any
) -> None:
    async with running(folder) as gateway, new_client() as client:
        trader = door(folder)
        before = await trader.lodge(declaration("OTHER-3"), "key-3", client=client)
        refused = await trader.lodge(declaration("OTHER-4"), "key-3", client=client)
        after = await trader.lodge(declaration("OTHER-3"), "key-3", client=client)
        lodged = await gateway.ledger.lodgements(limit=10)
        kinds = await _kinds(gateway)
    assert (before.status, refused.status, after.body) == (202, 409, before.body)
    assert [lodgement.lrn for lodgement in lodged] == ["OTHER-3"]
    assert kinds.count(EventKind.CONFLICT) == 1


@pytest.mark.parametrize("compress", [False, True])
async def test_a_message_signed_again_gets_the_receipt_it_had(
    folder: pathlib.Path, running: Any, partner: Partner, declaration: Any, *, compress: bool
) -> None:
    """Some stacks sign and encrypt anew on each try: other octets, the same content."""
    async with running(folder) as gateway, new_client() as client:
        tries = [
            partner.message(declaration("AGAIN-1"), "<again@trader.example>", compress=compress)
            for _ in range(3)
        ]
        responses = [await partner.post(client, each) for each in tries]
        lodged = await gateway.ledger.lodgements(limit=10)
        kinds = await _kinds(gateway)
    assert len({each.body for each in tries}) == 3
    assert len({(r.status, r.body) for r in responses}) == 1
    assert len(lodged) == 1
    assert EventKind.CONFLICT not in kinds


async def test_a_message_that_was_refused_may_come_again_under_its_id(
    folder: pathlib.Path, running: Any, partner: Partner, declaration: Any
) -> None:
    """Its signature was damaged on the way; the id is not used up by that."""
    async with running(folder) as gateway, new_client() as client:
        good = partner.message(
            declaration("MENDED-1"), "<mended@trader.example>", encrypt=False, compress=False
        )
        damaged = dataclasses.replace(good, body=good.body.replace(b"MENDED-1", b"MENDED-2"))
        refused = await partner.post(client, damaged)
        encrypted = partner.message(declaration("MENDED-1"), "<mended@trader.example>")
        taken = await partner.post(client, encrypted)
        lodged = await gateway.ledger.lodgements(limit=10)
    assert partner.says(refused, good)[0] is MdnKind.ERROR
    assert partner.says(taken, encrypted) == (MdnKind.PROCESSED, "processed")
    assert [lodgement.lrn for lodgement in lodged] == ["MENDED-1"]


async def test_an_invalid_document_does_not_use_up_its_key(
    folder: pathlib.Path, running: Any, door: Any, declaration: Any
) -> None:
    async with running(folder), new_client() as client:
        trader, good = door(folder), declaration("VALID-1")
        bad = good.replace(b"BGM+929", b"BGM+XXX9")
        responses = [await trader.lodge(each, "key-5", client=client) for each in (bad, bad, good, good)]
    assert [response.status for response in responses] == [422, 422, 202, 202]
    assert responses[2].body == responses[3].body


async def test_the_same_document_under_another_name_is_tied_to_the_first(
    folder: pathlib.Path, running: Any, door: Any, partner: Partner, declaration: Any
) -> None:
    """A trader that lost its keys lodges nothing twice; nor does one that changes the channel."""
    async with running(folder) as gateway, new_client() as client:
        trader, document = door(folder), declaration("TIED-1")
        await trader.lodge(document, "key-6", client=client)
        second = await trader.lodge(document, "key-7", client=client)
        message = partner.message(document, "<tied@trader.example>")
        third = await partner.post(client, message)
        lodged = await gateway.ledger.lodgements(limit=10)
    assert second.status == 202
    assert b'"lodged-before":true' in second.body
    assert partner.says(third, message)[0] is MdnKind.PROCESSED
    assert len(lodged) == 1
