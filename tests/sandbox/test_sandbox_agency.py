"""A scripted agency behind its handler: what it takes, what it says, and that it answers once."""

import pathlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.codecs.document import Reader, Syntax
from tidewaiter.gateway import clock
from tidewaiter.gateway.answers import Answers
from tidewaiter.gateway.as2 import (
    Disposition,
    MdnKind,
    Received,
    Terms,
    compose,
    compose_mdn,
    identify,
    read_mdn,
    receive,
)
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.http import ClientResponse, ConnectFailed, Headers, Request, RequestHead, Response
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.agency import SandboxAgency
from tidewaiter.gateway.sandbox.delivery_log import DeliveryLog, Entry, read_lines
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.gateway.sandbox.script import Manner
from tidewaiter.routing.outcome import Outcome, outcome_of

REFERENCE = "D0123456789ABC"


class FakeGateway:
    """Takes answers in place of the network: as many failures as told first, then success."""

    def __init__(self, terms: Terms | None, failures: int = 0) -> None:
        self.taken: list[bytes] = []
        self.requests: list[tuple[str, tuple[tuple[str, str], ...], bytes]] = []
        self.done = anyio.Event()
        self._terms = terms
        self._failures = failures

    async def request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, **_: Any
    ) -> ClientResponse:
        self.requests.append((url, tuple(headers), body))
        if len(self.requests) <= self._failures:
            raise ConnectFailed("no connection", sent=False)
        fields = [(name.lower().encode(), value.encode()) for name, value in headers]
        answer = self._as2(fields, body) if self._terms is not None else (202, (), b"")
        self.done.set()
        status, answered, content = answer
        now = clock.instant()
        pairs = Headers((name.lower().encode(), value.encode()) for name, value in answered)
        return ClientResponse(status=status, headers=pairs, body=content, sent=now, received=now)

    def _as2(self, fields: list[tuple[bytes, bytes]], body: bytes) -> tuple[int, Any, bytes]:
        assert self._terms is not None
        identity = identify(fields)
        got = receive(identity, fields, body, self._terms, now=datetime.now(UTC))
        assert isinstance(got, Received)
        self.taken.append(got.payload)
        mdn = compose_mdn(
            identity,
            Disposition.PROCESSED,
            got.mic,
            self._terms,
            message_id="<m@gateway>",
            now=datetime.now(UTC),
            boundary="b" * 32,
        )
        return 200, mdn.headers, mdn.body


@asynccontextmanager
async def running(
    folder: pathlib.Path,
    name: str,
    reader: Reader,
    gateway: FakeGateway,
    books: pathlib.Path,
    manner: Manner | None = None,
) -> AsyncIterator[SandboxAgency]:
    account = load_account(folder, name)
    account = msgspec.structs.replace(account, manner=manner or Manner())
    log = DeliveryLog(books, name)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with anyio.create_task_group() as group:
        agency = SandboxAgency(account, reader, gateway, log, None)  # type: ignore[arg-type]
        await group.start(lambda *, task_status: agency.run(listener, task_status=task_status))
        with anyio.fail_after(5):
            yield agency
        group.cancel_scope.cancel()
    log.close()


@pytest.fixture(scope="module")
def deliveries(starter: pathlib.Path, reader: Reader) -> dict[str, bytes]:
    """The coffee as the gateway delivers it, in both syntaxes."""
    config = load_config(starter)
    declaration = reader.read(sample("import.edi")).documents[0].declaration
    assert declaration is not None
    answers = Answers(config.gateway)
    return {
        name: answers.delivery(declaration, REFERENCE, config.agencies[name], test=False)
        for name in ("customs", "health")
    }


def posted(body: bytes, *headers: tuple[str, str]) -> Request:
    now = clock.instant()
    fields = Headers((name.lower().encode(), value.encode()) for name, value in headers)
    return Request(
        method="POST",
        path="/",
        query="",
        headers=fields,
        body=body,
        peer_certificate=None,
        client="127.0.0.1",
        first_byte=now,
        last_byte=now,
    )


def over_https(body: bytes, key: str = REFERENCE) -> Request:
    return posted(body, ("Content-Type", "application/xml"), ("Idempotency-Key", key))


def logged(books: pathlib.Path, name: str) -> list[tuple[str, bool]]:
    return [(e.reference, e.duplicate) for e in read_lines(books / f"{name}.deliveries.jsonl", Entry)]


def outcome_in(reader: Reader, payload: bytes) -> tuple[Outcome | None, str | None]:
    (response,) = reader.read(payload).documents[0].responses
    return outcome_of(response), response.functional_reference_id


@pytest.mark.anyio
async def test_an_answer_in_the_response_is_given_to_each_repetition(
    starter: pathlib.Path, reader: Reader, deliveries: dict[str, bytes], tmp_path: pathlib.Path
) -> None:
    gateway = FakeGateway(None)
    async with running(starter, "health", reader, gateway, tmp_path, Manner(answers="response")) as agency:
        answers = [await agency.handle(over_https(deliveries["health"])) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    for answer in answers:
        assert outcome_in(reader, answer.body) == (Outcome.RELEASED, REFERENCE)
    assert logged(tmp_path, "health") == [(REFERENCE, False), (REFERENCE, True)]
    assert gateway.requests == []


@pytest.mark.anyio
async def test_a_later_answer_is_sent_once_and_repeated_until_it_is_taken(
    starter: pathlib.Path, reader: Reader, deliveries: dict[str, bytes], tmp_path: pathlib.Path
) -> None:
    gateway = FakeGateway(None, failures=1)
    async with running(starter, "health", reader, gateway, tmp_path) as agency:
        statuses = [(await agency.handle(over_https(deliveries["health"]))).status for _ in range(2)]
        await gateway.done.wait()
        await anyio.wait_all_tasks_blocked()
    assert statuses == [202, 202]
    (first, second) = gateway.requests
    assert first == second
    url, headers, body = first
    assert url.endswith("/v1/answers")
    assert ("Idempotency-Key", f"health-{REFERENCE}") in headers
    assert outcome_in(reader, body) == (Outcome.RELEASED, REFERENCE)
    assert (tmp_path / "health.answers.jsonl").read_bytes().count(b"\n") == 1


@pytest.mark.anyio
async def test_what_a_killed_agency_left_unanswered_is_answered_by_the_next(
    starter: pathlib.Path, reader: Reader, deliveries: dict[str, bytes], tmp_path: pathlib.Path
) -> None:
    slow = Manner(seconds=3600)
    async with running(starter, "health", reader, FakeGateway(None), tmp_path, slow) as agency:
        await agency.handle(over_https(deliveries["health"]))
    gateway = FakeGateway(None)
    async with running(starter, "health", reader, gateway, tmp_path, slow):
        await gateway.done.wait()
    assert len(gateway.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (lambda body: posted(body, ("Content-Type", "application/xml")), 400),
        (lambda body: over_https(body[:-20]), 422),
        (lambda body: over_https(sample("export.xml")), 422),
        (lambda body: over_https(body.replace(b"MER-26-004171", b"MER-26-999999")), 409),
    ],
    ids=["no key", "not valid", "no delivery reference", "another document under the key"],
)
async def test_what_it_cannot_take_is_refused_and_not_written_down(
    starter: pathlib.Path,
    reader: Reader,
    deliveries: dict[str, bytes],
    tmp_path: pathlib.Path,
    request_of: Any,
    status: int,
) -> None:
    async with running(
        starter, "health", reader, FakeGateway(None), tmp_path, Manner(answers="response")
    ) as agency:
        if status == 409:
            await agency.handle(over_https(deliveries["health"]))
        before = logged(tmp_path, "health")
        assert (await agency.handle(request_of(deliveries["health"]))).status == status
        assert logged(tmp_path, "health") == before


@pytest.mark.anyio
async def test_silence_takes_the_delivery_and_says_nothing(
    starter: pathlib.Path, reader: Reader, deliveries: dict[str, bytes], tmp_path: pathlib.Path
) -> None:
    gateway = FakeGateway(None)
    silent = deliveries["health"].replace(b"MER-26-004171", b"MER-26-SILENT")
    async with running(starter, "health", reader, gateway, tmp_path, Manner(answers="response")) as agency:
        answer = await agency.handle(over_https(silent))
        await anyio.wait_all_tasks_blocked()
    assert (answer.status, answer.body) == (202, b"")
    assert gateway.requests == []


@pytest.mark.anyio
async def test_only_the_gateways_certificate_delivers(
    starter: pathlib.Path, reader: Reader, tmp_path: pathlib.Path
) -> None:
    account = load_account(starter, "health")
    head = RequestHead(
        method="POST", target="/", path="/", query="", minor=1, headers=Headers(((b"host", b"x"),))
    )
    async with running(starter, "health", reader, FakeGateway(None), tmp_path) as agency:
        (gateways,) = account.shows_der
        assert agency.admit(head, gateways) is None
        for stranger in (None, load_account(starter, "trader").certificate.public_bytes(Encoding.DER)):
            refusal = agency.admit(head, stranger)
            assert isinstance(refusal, Response)
            assert refusal.status == 401


@pytest.mark.anyio
async def test_customs_receipts_over_as2_and_answers_with_a_cusres(
    starter: pathlib.Path, reader: Reader, deliveries: dict[str, bytes], tmp_path: pathlib.Path
) -> None:
    terms = Parties(load_config(starter)).agencies["customs"].terms
    assert terms is not None
    message = compose(
        deliveries["customs"],
        Syntax.EDIFACT.media_type,
        terms,
        message_id=f"<{REFERENCE}@gateway>",
        now=datetime.now(UTC),
        boundary="a" * 32,
    )
    gateway = FakeGateway(terms)
    async with running(starter, "customs", reader, gateway, tmp_path) as agency:
        receipts = [await agency.handle(posted(message.body, *message.headers)) for _ in range(2)]
        await gateway.done.wait()
        await anyio.wait_all_tasks_blocked()
    assert receipts[0].body == receipts[1].body
    fields = [(name.lower().encode(), value.encode()) for name, value in receipts[0].headers]
    mdn = read_mdn(
        fields,
        receipts[0].body,
        terms,
        message_id=message.message_id,
        mic=message.mic,
        now=datetime.now(UTC),
    )
    assert (mdn.kind, mdn.signed) == (MdnKind.PROCESSED, True)
    (payload,) = gateway.taken
    assert payload.startswith(b"UN")
    assert outcome_in(reader, payload) == (Outcome.RELEASED, REFERENCE)
