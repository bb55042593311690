"""G3, G5 and G6: agencies that are down, slow, rude or choosy, and what the others notice of it."""

import contextlib
import functools
import hashlib
import itertools
import pathlib
import re
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import anyio
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.http import Client
from tidewaiter.gateway.ledger import DeliveryRecord
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.trader import open_trader
from tidewaiter.routing.lifecycle import DeliveryState
from tidewaiter.routing.retry import BreakerPolicy, CircuitBreaker

pytestmark = pytest.mark.anyio

# Below the seconds that one exchange with an agency may last: nobody waited for one that hung.
PROMPT = 15.0
COOL_DOWN = 0.4


class Try(NamedTuple):
    """One request as the agency read it."""

    at: float
    key: str
    digest: str


class Rude(ThreadingHTTPServer):
    """An agency of the standard library's making: reads each delivery whole, and then does as `script` says.

    `script` is given the number of the request, from 0: a status to answer, or 0 to break the connection off.
    """

    daemon_threads = True

    def __init__(self, folder: pathlib.Path, name: str, script: Callable[[int, bytes], int]) -> None:
        account = load_account(folder, name)
        super().__init__(("127.0.0.1", account.own_port), _Handler)
        # In the handler's own thread, so that one handshake does not hold up the others.
        wrap = functools.partial(account.server_tls.wrap_socket, do_handshake_on_connect=False)
        self.socket: ssl.SSLSocket = wrap(self.socket, server_side=True)
        self.script = script
        self.tries: list[Try] = []
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that a gateway closed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Rude

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            number = len(self.server.tries)
            digest = hashlib.sha256(body).hexdigest()
            self.server.tries.append(Try(time.monotonic(), self.headers["Idempotency-Key"], digest))
        status = self.server.script(number, body)
        if not status:
            # With this a close is a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status == 503:
            self.send_header("Retry-After", "1")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def rude(
    folder: pathlib.Path, script: Callable[[int, bytes], int], name: str = "agriculture"
) -> Iterator[Rude]:
    """Such an agency while the block runs."""
    with Rude(folder, name, script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


Lodge = Callable[..., Awaitable[None]]


@pytest.fixture
def lodge(folder: pathlib.Path, door: Any, declaration: Callable[..., bytes]) -> Lodge:
    """Lodges a sample under each of the names, a few at once."""

    async def all_of(names: list[str], sample: str = "plants.xml") -> None:
        us, limit = door(folder), anyio.CapacityLimiter(8)
        async with Client(clock=clock.instant) as client, anyio.create_task_group() as group:

            async def one(name: str) -> None:
                async with limit:
                    lodged = await us.lodge(declaration(name, sample), name, client=client)
                    assert lodged.status == 202, lodged.body

            for name in names:
                group.start_soon(one, name)

    return all_of


async def _in(gateway: Any, state: DeliveryState, agency: str) -> list[DeliveryRecord]:
    found = await gateway.ledger.deliveries(state=state, limit=1000)
    return [delivery for delivery in found if delivery.agency == agency]


@pytest.mark.parametrize("death", ["refuses", "is silent"])
async def test_an_agency_that_is_dead_delays_nobody_else(
    folder: pathlib.Path,
    running: Any,
    agencies: Any,
    lodge: Lodge,
    until: Any,
    reader: Any,
    death: str,
) -> None:
    """Thirty declarations wait for health; those for customs and agriculture are answered all the same."""
    account = load_account(folder, "trader")
    released = threading.Event()
    with contextlib.ExitStack() as stack:
        if death == "is silent":
            # Each exchange would last until the gateway gives it up.
            stack.enter_context(rude(folder, lambda *_: int(released.wait(2 * PROMPT)), "health"))
            stack.callback(released.set)
        async with (
            running(folder) as gateway,
            agencies(folder, "customs", "agriculture"),
            open_trader(account, reader, listen=False) as trader,
        ):
            started = time.monotonic()
            await lodge([f"DEAD-{n:03}" for n in range(30)], "import.edi")
            await lodge([f"ALIVE-{n:03}" for n in range(10)])

            async def all_answered() -> bool:
                answered = {notice.lrn for notice in await trader.notifications()}
                at_customs = await _in(gateway, DeliveryState.ANSWERED, "customs")
                return len(at_customs) == 40 and answered == {f"ALIVE-{n:03}" for n in range(10)}

            await until(all_answered, "an answer to all that health has no part in")
            assert time.monotonic() - started < PROMPT
            waiting = await _in(gateway, DeliveryState.PENDING, "health")
            waiting += await _in(gateway, DeliveryState.SENDING, "health")
    assert len(waiting) == 30, "nothing is given up"


async def test_an_agency_that_resets_connections_gets_each_delivery_under_one_key(
    folder: pathlib.Path, running: Any, lodge: Lodge, until: Any
) -> None:
    """One in ten is broken off after it was read, by an agency that took it: it comes again as it was."""
    with rude(folder, lambda number, _: 202 if number % 10 else 0) as agency:
        async with running(folder) as gateway:
            await lodge([f"RESET-{n:03}" for n in range(40)])

            async def all_sent() -> bool:
                return len(await _in(gateway, DeliveryState.SENT, "agriculture")) == 40

            await until(all_sent, "every delivery receipted")
            sent = await _in(gateway, DeliveryState.SENT, "agriculture")
    broken = sum(number % 10 == 0 for number in range(len(agency.tries)))
    assert len(agency.tries) == 40 + broken
    assert {each.key for each in agency.tries} == {delivery.id for delivery in sent}
    assert len({(each.key, each.digest) for each in agency.tries}) == 40


async def test_an_agency_is_not_asked_again_before_it_wants_to_be(
    folder: pathlib.Path, running: Any, lodge: Lodge, until: Any
) -> None:
    with rude(folder, lambda number, _: 503 if number < 2 else 202) as agency:
        async with running(folder) as gateway:
            await lodge(["LATER-1"])
            await until(lambda: _in(gateway, DeliveryState.SENT, "agriculture"), "a receipt")
    times = [each.at for each in agency.tries]
    assert len(times) == 3
    assert all(after - before >= 1.0 for before, after in itertools.pairwise(times))


async def test_an_agency_that_is_down_is_left_alone_and_then_gets_it_all(
    folder: pathlib.Path,
    running: Any,
    lodge: Lodge,
    door: Any,
    until: Any,
    declaration: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Five failures in a row, and there is one try only in each pause; the first success ends that."""
    policy = BreakerPolicy(threshold=5, cool_down=COOL_DOWN)
    breaker = functools.partial(CircuitBreaker, policy=policy)
    monkeypatch.setattr("tidewaiter.gateway.delivering.CircuitBreaker", breaker)
    file = folder / "agencies/agriculture.toml"
    file.write_text(re.sub(r"concurrency = \d+", "concurrency = 1", file.read_text()))
    with rude(folder, lambda number, _: 500 if number < 7 else 202) as agency:
        async with running(folder) as gateway:
            await lodge([f"DOWN-{n:03}" for n in range(20)])

            async def all_sent() -> bool:
                return len(await _in(gateway, DeliveryState.SENT, "agriculture")) == 20

            await until(all_sent, "every delivery receipted")
    times = [each.at for each in agency.tries]
    assert len(times) == 27
    # The sixth and the seventh are the probes; the eighth is the probe that succeeds.
    assert times[5] - times[4] >= COOL_DOWN
    assert times[6] - times[5] >= 2 * COOL_DOWN
    assert times[7] - times[6] >= 4 * COOL_DOWN
    assert times[-1] - times[7] < PROMPT


async def test_a_document_an_agency_will_not_have_is_put_aside_and_holds_up_no_other(
    folder: pathlib.Path, running: Any, lodge: Lodge, until: Any
) -> None:
    with rude(folder, lambda _, body: 422 if b"POISON" in body else 202) as agency:
        async with running(folder) as gateway:
            await lodge(["POISON-1", *(f"GOOD-{n:03}" for n in range(9))])
            (dead,) = await until(lambda: _in(gateway, DeliveryState.DEAD, "agriculture"), "a dead letter")

            async def others_sent() -> bool:
                return len(await _in(gateway, DeliveryState.SENT, "agriculture")) == 9

            await until(others_sent, "the others receipted")
    tries = Counter(each.key for each in agency.tries)
    assert tries.pop(dead.id) == 3
    assert set(tries.values()) == {1}
