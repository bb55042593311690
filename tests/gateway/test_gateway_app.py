"""The whole gateway over its own ports: it starts, works, stops in good order, and ends when it must."""

import pathlib
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import msgspec
import pytest

from tidewaiter.codecs.document import sniff
from tidewaiter.gateway import clock
from tidewaiter.gateway.app import Gateway, open_gateway
from tidewaiter.gateway.as2 import MdnKind, compose, read_mdn
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.http import Client, ClientError, ClientResponse, Headers
from tidewaiter.gateway.ledger import LedgerInUse, LedgerUnavailable, open_ledger
from tidewaiter.gateway.sandbox.accounts import Account, load_account
from tidewaiter.gateway.scaffold import Ports, make_starter

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
# Far above what anything here takes: a check must not fail because others are at work.
PATIENCE = 20.0


@pytest.fixture(scope="session")
def live_starter(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A starter configuration whose keys are of today, as TLS asks, and whose own ports are any."""
    folder = tmp_path_factory.mktemp("live") / "gateway"
    make_starter(folder, now=datetime.now(UTC), ports=Ports(https=0, http=0, operations=0))
    return folder


@pytest.fixture(scope="session")
def trader(live_starter: pathlib.Path) -> Account:
    return load_account(live_starter, "trader")


@pytest.fixture
def live(live_starter: pathlib.Path, tmp_path: pathlib.Path, anyio_backend_name: str) -> pathlib.Path:
    """A configuration of the test's own, for the loop it runs on."""
    folder = pathlib.Path(shutil.copytree(live_starter, tmp_path / "live"))
    loop = "trio" if anyio_backend_name == "trio" else "uvloop"
    change(folder / "gateway.toml", 'loop = ".*"', f'loop = "{loop}"')
    return folder


def change(file: pathlib.Path, old: str, new: str) -> None:
    text, count = re.subn(old, new, file.read_text())
    assert count == 1
    file.write_text(text)


@asynccontextmanager
async def running(folder: pathlib.Path) -> AsyncIterator[Gateway]:
    with anyio.fail_after(PATIENCE):
        async with open_gateway(load_config(folder)) as gateway, anyio.create_task_group() as group:
            await group.start(gateway.run)
            yield gateway
            gateway.stopping.set()


class Caller:
    """Asks a running gateway over its own ports."""

    def __init__(self, gateway: Gateway, client: Client, trader: Account) -> None:
        self.gateway, self.client, self.trader = gateway, client, trader

    def url(self, port: str, path: str) -> str:
        host = "https://localhost" if port == "https" else "http://127.0.0.1"
        return f"{host}:{self.gateway.ports[port]}{path}"

    async def get(self, port: str, path: str) -> ClientResponse:
        address = "127.0.0.1" if port == "https" else None
        tls = self.trader.client_tls if port == "https" else None
        return await self.client.request(
            "GET", self.url(port, path), tls=tls, timeout=PATIENCE, address=address
        )

    async def lodge(self, payload: bytes) -> ClientResponse:
        return await self.client.request(
            "POST",
            self.url("https", "/v1/declarations"),
            [("Content-Type", sniff(payload).media_type)],
            payload,
            tls=self.trader.client_tls,
            timeout=PATIENCE,
            address="127.0.0.1",
        )


Calling = Callable[[pathlib.Path], AbstractAsyncContextManager[Caller]]


@pytest.fixture
def calling(trader: Account) -> Calling:
    @asynccontextmanager
    async def made(folder: pathlib.Path) -> AsyncIterator[Caller]:
        async with running(folder) as gateway, Client(clock=clock.instant) as client:
            yield Caller(gateway, client, trader)

    return made


async def until(check: Callable[[], Awaitable[Any]]) -> None:
    """Asks again and again; `running` sets the time for it."""
    while not await check():
        await anyio.lowlevel.checkpoint()


async def test_it_is_ready_when_it_says_so(live: pathlib.Path, calling: Calling) -> None:
    """Every port answers, each what is its own."""
    async with calling(live) as caller:
        assert set(caller.gateway.ports) == {"https", "http", "operations"}
        assert all(caller.gateway.ports.values())
        assert (await caller.get("https", "/v1/openapi.json")).status == 200
        assert (await caller.get("https", "/v1/declarations")).status == 200
        assert (await caller.get("http", "/v1/declarations")).status == 401
        assert (await caller.get("https", "/metrics")).status == 404
        assert (await caller.get("https", "/healthz")).status == 404


async def test_the_operator_s_port(live: pathlib.Path, calling: Calling) -> None:
    """A real server on the gateway's own loop."""
    async with calling(live) as caller:
        health = await caller.get("operations", "/healthz")
        assert (health.status, msgspec.json.decode(health.body)) == (200, {"status": "ok"})
        page = await caller.get("operations", "/metrics")
        assert page.status == 200
        assert (page.headers.get(b"content-type") or b"").startswith(b"text/plain; version=")
        assert b"tidewaiter_queue_depth 0.0" in page.body
        assert (await caller.get("operations", "/v1/declarations")).status == 404


async def test_at_the_disk_s_reserve_nothing_is_taken_in(
    live: pathlib.Path, calling: Calling, make_document: Make
) -> None:
    """What is there can still be read, and the operator is told."""
    change(live / "gateway.toml", "free-disk = .*", f"free-disk = {10**18}")
    async with calling(live) as caller:
        health = await caller.get("operations", "/healthz")
        assert (health.status, msgspec.json.decode(health.body)) == (503, {"status": "disk-reserve"})
        refused = await caller.lodge(make_document())
        assert (refused.status, refused.headers.get(b"retry-after")) == (503, b"5")
        assert (await caller.get("https", "/v1/declarations")).status == 200
        assert await caller.gateway.ledger.lodgements(limit=1) == []


async def test_a_body_over_the_limit_of_the_configuration(
    live: pathlib.Path, calling: Calling, make_document: Make
) -> None:
    """Refused by its length, before it is read; one at the limit is taken."""
    payload = make_document()
    change(live / "gateway.toml", "body = .*", f"body = {len(payload)}")
    async with calling(live) as caller:
        assert (await caller.lodge(payload)).status == 202
        refused = await caller.lodge(payload + b" ")
        assert refused.status == 413
        assert refused.headers.get(b"content-type") == b"application/problem+json"
        assert msgspec.json.decode(refused.body)["status"] == 413


async def test_a_declaration_goes_all_the_way(
    live: pathlib.Path, calling: Calling, make_document: Make, make_res: Make
) -> None:
    """Lodged, sent on, answered in the response, decided, in the log, and in the metrics."""

    async def agency(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            data = b""
            while not data.rstrip().endswith(b"Declaration>") and not data.rstrip().endswith(b"MetaData>"):
                data += await stream.receive()
            (reference,) = re.findall(rb"(?i)tidewaiter-delivery: (\S+)", data)
            answer = make_res(reference.decode(), "03")
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(answer)}\r\n\r\n"
            )
            await stream.send(head.encode() + answer)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    change(live / "agencies/health.toml", "url = .*", f'url = "http://127.0.0.1:{port}/deliveries"')
    # Customs is not there: its delivery waits, and holds up nobody.
    change(live / "agencies/customs.toml", "url = .*", 'url = "http://127.0.0.1:1/as2"')
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, agency)
        async with calling(live) as caller:
            lodged = await caller.lodge(make_document())
            assert lodged.status == 202
            path = f"/v1/declarations/{msgspec.json.decode(lodged.body)['id']}"

            async def decided() -> bool:
                view = msgspec.json.decode((await caller.get("https", path)).body)
                return view["decision"] is not None and view["decision"]["outcome"] == "refused"

            await until(decided)
            log = msgspec.json.decode((await caller.get("https", "/v1/notifications")).body)
            assert [entry["decision-version"] for entry in log["notifications"]] == [1]
            page = (await caller.get("operations", "/metrics")).body
            assert b'tidewaiter_document_seconds_count{class="answer",type="import"} 1.0' in page
            assert b'tidewaiter_deliveries{agency="health",state="answered"} 1.0' in page
            assert b'tidewaiter_receipts_total{channel="https",outcome="accepted"} 1.0' in page
        group.cancel_scope.cancel()


async def stopped_in_between(gateway: Gateway, head: bytes, body: bytes) -> bytes:
    """What a request is answered when the stop comes between its head and its body."""
    port = gateway.ports["http"]
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(head)
        assert (await stream.receive()).startswith(b"HTTP/1.1 100 ")
        gateway.stopping.set()
        with pytest.raises(OSError):  # noqa: PT012 - until the port is closed
            while True:
                await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
        await stream.send(body)
        return b"".join([part async for part in stream])


async def test_a_request_in_flight_is_finished_at_a_stop(
    live: pathlib.Path, trader: Account, make_document: Make
) -> None:
    """Its receipt is given, and the time of it is written; nobody new is let in meanwhile."""
    assert trader.terms is not None
    message = compose(
        make_document("export.xml"),
        "application/xml",
        trader.terms,
        message_id="<1@trader.example>",
        now=datetime.now(UTC),
        boundary="b" * 24,
    )
    fields = [
        ("Host", "gateway"),
        ("Content-Length", str(len(message.body))),
        ("Expect", "100-continue"),
        *message.headers,
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    async with open_gateway(load_config(live)) as gateway:
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                await group.start(gateway.run)
                data = await stopped_in_between(
                    gateway, f"POST /as2 HTTP/1.1\r\n{head}\r\n".encode(), message.body
                )
        answer, _, body = data.partition(b"\r\n\r\n")
        status, *lines = answer.split(b"\r\n")
        assert status.startswith(b"HTTP/1.1 200 ")
        parts = [line.partition(b": ") for line in lines]
        headers = Headers((name.lower(), value) for name, _, value in parts)
        assert headers.get(b"connection") == b"close"
        mdn = read_mdn(
            headers,
            body,
            trader.terms,
            message_id=message.message_id,
            mic=message.mic,
            now=datetime.now(UTC),
        )
        assert mdn.kind is MdnKind.PROCESSED
        (lodged,) = await gateway.ledger.lodgements(limit=2)
        kinds = [e.kind.value for e in await gateway.ledger.events(lodgement=lodged.id, after=0, limit=99)]
        assert "receipt_sent" in kinds


async def test_a_stop_with_nothing_to_do_is_at_once(live: pathlib.Path) -> None:
    """No port, no task and no lock is left: it can be started again in the same process."""
    for _ in range(2):
        async with running(live) as gateway:
            assert gateway.ports["https"]
    async with open_ledger(live / "ledger.db") as ledger:
        assert await ledger.lodgements(limit=1) == []


async def test_only_one_gateway_has_a_ledger(live: pathlib.Path) -> None:
    async with running(live):
        with pytest.raises(LedgerInUse):
            async with open_gateway(load_config(live)):
                pytest.fail("opened twice")


class Failing(sqlite3.Connection):
    """The disk fails at the first commit after `armed`."""

    armed = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:  # type: ignore[override]
        if Failing.armed and sql.startswith("COMMIT"):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)


async def test_it_does_not_wait_for_the_next_write_to_hear_of_a_failure(live: pathlib.Path) -> None:
    """It ends as soon as the ledger has failed, also when nobody asks anything of it. That is the one reason
    it gives, whoever is connected to the operator's port."""
    async with open_gateway(load_config(live)) as gateway:
        with anyio.fail_after(PATIENCE), pytest.raises(ExceptionGroup) as caught:
            await failed_while_watched(gateway)
        assert caught.group_contains(LedgerUnavailable, match="a write to the ledger failed")
        _, other = caught.value.split(LedgerUnavailable)
        assert other is None


async def failed_while_watched(gateway: Gateway) -> None:
    async with anyio.create_task_group() as group, Client(clock=clock.instant) as client:
        await group.start(gateway.run)
        url = f"http://127.0.0.1:{gateway.ports['operations']}/healthz"
        assert (await client.request("GET", url, timeout=PATIENCE)).status == 200
        gateway.ledger.failed.set()
        await anyio.sleep_forever()


async def test_a_ledger_that_fails_ends_it(
    live: pathlib.Path, trader: Account, make_document: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is promised after a failed write: whoever asked gets no receipt, and the process must end."""
    config = load_config(live)
    answers: list[int] = []

    async def run(gateway: Gateway, caller: Caller) -> None:
        async with anyio.create_task_group() as group:
            await group.start(gateway.run)
            group.start_soon(ask, caller)

    async def ask(caller: Caller) -> None:
        monkeypatch.setattr(Failing, "armed", True)
        # To be cut off is no receipt either.
        with suppress(ClientError):
            answers.append((await caller.lodge(make_document())).status)

    async with (
        open_ledger(live / "ledger.db", reserve=0, connection=Failing) as ledger,
        Client(clock=clock.instant) as client,
    ):
        gateway = Gateway(config, ledger, client)
        with anyio.fail_after(PATIENCE), pytest.raises(ExceptionGroup) as caught:
            await run(gateway, Caller(gateway, client, trader))
        assert caught.group_contains(LedgerUnavailable)
        assert ledger.failed.is_set()
    assert answers in ([], [503])
    monkeypatch.setattr(Failing, "armed", False)
    async with open_ledger(live / "ledger.db", reserve=0) as ledger:
        assert await ledger.lodgements(limit=1) == []
