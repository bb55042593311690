"""Receipts posted to an address of the agreement: after the response, over real connections, nowhere else."""

import contextlib
import dataclasses
import pathlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.abc
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import Composed, MdnKind, compose, read_mdn
from tidewaiter.gateway.as2.terms import Receipts
from tidewaiter.gateway.http import Client, ClientResponse, Request, Response
from tidewaiter.gateway.http import serve as serve_http
from tidewaiter.gateway.ledger import EventRecord
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.routing.lifecycle import EventKind, MdnState

pytestmark = pytest.mark.anyio


def agree(folder: pathlib.Path, *origins: str, private: bool) -> None:
    """The trader may have its receipts posted to `origins`."""
    file = folder / "partners/trader.toml"
    listed = ", ".join(f'"{origin}"' for origin in origins)
    lines = f"[as2]\nreceipt-addresses = [{listed}]\nprivate-addresses = {str(private).lower()}"
    file.write_text(file.read_text().replace("[as2]", lines))


def composed(folder: pathlib.Path, payload: bytes, url: str) -> Composed:
    """A message of the trader whose receipt is to be posted to `url`."""
    account = load_account(folder, "trader")
    assert account.terms is not None
    terms = dataclasses.replace(account.terms, receipts=Receipts.ASYNC, receipt_url=url)
    return compose(
        payload,
        "application/edifact",
        terms,
        message_id=f"<{secrets.token_hex(8)}@trader.example>",
        now=clock.utc(clock.instant()),
        boundary=secrets.token_hex(8),
    )


async def post(folder: pathlib.Path, message: Composed) -> ClientResponse:
    async with Client(clock=clock.instant) as client:
        url = load_account(folder, "trader").as2_url
        return await client.request("POST", url, message.headers, message.body, timeout=30)


@pytest.fixture
def lure() -> Iterator[socket.socket]:
    """A listener that nobody should call."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        yield listener


@contextlib.asynccontextmanager
async def trader(answer: Callable[[Request], Response], port: int = 0) -> AsyncIterator[int]:
    """The trader's own server for receipts; its port."""

    async def handle(request: Request) -> Response:
        return answer(request)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    async with anyio.create_task_group() as group:

        async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            await serve_http(listener, handle, clock=clock.instant, log=_Silent(), task_status=task_status)  # type: ignore[arg-type]

        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        await group.start(run)
        yield port
        group.cancel_scope.cancel()


class _Silent:
    """A log that is not read."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None


async def test_the_receipt_is_posted_after_the_response(
    folder: pathlib.Path, running: Any, until: Any, declaration: Any
) -> None:
    """Again until it is taken, and once more when the message comes once more: the same octets."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(status=503 if len(seen) == 1 else 200)

    async with trader(answer) as port:
        origin = f"http://localhost:{port}"
        agree(folder, origin, private=True)
        message = composed(folder, declaration("ASYNC-1"), f"{origin}/mdn?of=1")
        async with running(folder) as gateway:
            response = await post(folder, message)
            assert (response.status, response.body) == (200, b"")
            await until(lambda: len(seen) == 2, "the receipt, at the second try")
            ledger = gateway.ledger
            await until(lambda: ledger.mdns(state=MdnState.DELIVERED, limit=2), "its delivery")
            (lodged,) = await ledger.lodgements(limit=9)
            assert lodged.lrn == "ASYNC-1"
        first, second = seen
        assert (first.path, first.query) == ("/mdn", "of=1")
        assert first.body == second.body
        assert first.headers.get(b"message-id") == second.headers.get(b"message-id")
        terms = load_account(folder, "trader").terms
        assert terms is not None
        mdn = read_mdn(
            second.headers,
            second.body,
            terms,
            message_id=message.message_id,
            mic=message.mic,
            now=clock.utc(clock.instant()),
        )
        assert (mdn.kind, mdn.signed) == (MdnKind.PROCESSED, True)


# `@` stands for the port of a listener on this machine.
PRIVATE = (
    "http://localhost:@",
    "http://127.0.0.1:@",
    "http://127.1:@",
    "http://2130706433:@",
    "http://0x7f000001:@",
    "http://0.0.0.0:@",
    "http://[::1]:@",
    "http://[::ffff:127.0.0.1]:@",
    "http://169.254.169.254:80",
    "http://10.0.0.1:@",
)


async def test_what_is_agreed_upon_may_not_lead_into_our_own_network(
    folder: pathlib.Path, running: Any, until: Any, lure: socket.socket, declaration: Any
) -> None:
    """Every notation of this machine and its neighbours, and a name that resolves to it: no connection."""
    port = lure.getsockname()[1]
    origins = [origin.replace(":@", f":{port}") for origin in PRIVATE]
    agree(folder, *origins, private=False)
    async with running(folder) as gateway:
        for number, origin in enumerate(origins):
            message = composed(folder, declaration(f"INSIDE-{number}"), f"{origin}/mdn")
            response = await post(folder, message)
            assert (response.status, response.body) == (200, b""), origin

        async def all_dead() -> bool:
            return len(await gateway.ledger.mdns(state=MdnState.DEAD, limit=99)) == len(origins)

        await until(all_dead, "that they are given up")
    with pytest.raises(BlockingIOError):
        lure.accept()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(
    folder: pathlib.Path, running: Any, until: Any, lure: socket.socket, declaration: Any, status: int
) -> None:
    elsewhere = f"http://127.0.0.1:{lure.getsockname()[1]}/"
    tries: list[str] = []

    def answer(request: Request) -> Response:
        tries.append(request.path)
        return Response(status=status, headers=(("Location", elsewhere),), body=b"over there")

    async with trader(answer) as port:
        agree(folder, f"http://127.0.0.1:{port}", private=True)
        async with running(folder):
            await post(folder, composed(folder, declaration("MOVED"), f"http://127.0.0.1:{port}/mdn"))
            await until(lambda: len(tries) > 2, "tries")
    assert set(tries) == {"/mdn"}
    with pytest.raises(BlockingIOError):
        lure.accept()


async def test_the_gateway_asks_and_is_told_by_itself(
    folder: pathlib.Path, running: Any, agencies: Any, door: Any, until: Any, declaration: Any
) -> None:
    """A delivery whose receipt is posted to us, over real connections both ways; then its answer, whose
    receipt the agency gets in the response."""
    ours = folder / "gateway.toml"
    us = door(folder)
    ours.write_text(f'as2-url = "http://127.0.0.1:{us.http_port}/as2"\n{ours.read_text()}')
    file = folder / "agencies/customs.toml"
    file.write_text(file.read_text().replace("[as2]", '[as2]\nreceipts = "async"\nchunked = true'))
    async with agencies(folder), running(folder) as gateway:
        response = await us.lodge(declaration("LATER-1"), "later-1")
        assert response.status == 202

        async def told() -> dict[EventKind, EventRecord]:
            """The history of the delivery to customs; the answer may overtake the receipt."""
            events = await gateway.ledger.events(lodgement=None, after=0, limit=999)
            found = {one.kind: one for one in events if one.data.get("agency") == "customs"}
            return found if {EventKind.ANSWERED, EventKind.DELIVERY_RECEIPTED} <= found.keys() else {}

        customs = await until(told, "the answer and the receipt")
        receipted = customs[EventKind.DELIVERY_RECEIPTED]
        assert {EventKind.DELIVERY_STARTED, EventKind.DELIVERY_TRANSFERRED} <= customs.keys()
        assert receipted.message is not None
        kept = await gateway.ledger.message(receipted.message)
        assert kept is not None
        assert b"disposition-notification" in kept.body


async def test_killed_between_the_response_and_the_receipt(
    folder: pathlib.Path, serve: Any, ports: Any, until: Any, declaration: Any
) -> None:
    """Nobody takes the receipt while the first process lives; the second one has it from the ledger."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(status=200)

    port = ports.one()
    origin = f"http://127.0.0.1:{port}"
    agree(folder, origin, private=True)
    first = serve(folder)
    assert await first.ready() is not None
    message = composed(folder, declaration("KILLED-1"), f"{origin}/mdn")
    response = await post(folder, message)
    first.kill()
    assert (response.status, response.body) == (200, b"")
    async with trader(answer, port):
        second = serve(folder)
        assert await second.ready() is not None
        await until(lambda: seen, "the receipt")
        await second.stops()
    terms = load_account(folder, "trader").terms
    assert terms is not None
    mdn = read_mdn(
        seen[0].headers,
        seen[0].body,
        terms,
        message_id=message.message_id,
        mic=message.mic,
        now=clock.utc(clock.instant()),
    )
    assert (mdn.kind, mdn.signed, len(seen)) == (MdnKind.PROCESSED, True, 1)
