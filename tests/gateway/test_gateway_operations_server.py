"""The operator's port as Hypercorn serves it, on both loops, when there is nothing good to tell."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import msgspec
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.http import Client, ClientResponse
from tidewaiter.gateway.ledger import LedgerUnavailable
from tidewaiter.gateway.metrics import Metrics
from tidewaiter.gateway.operations import bind_operations, operations_app, serve_operations
from tidewaiter.routing.lifecycle import DeliveryState

pytestmark = pytest.mark.anyio
PATIENCE = 20.0


class Lost:
    """In place of a ledger that has failed: it cannot even be read."""

    def __init__(self) -> None:
        self.failed = anyio.Event()
        self.failed.set()

    def has_room(self) -> bool:
        return False

    async def delivery_counts(self) -> list[tuple[str, DeliveryState, int]]:
        raise LedgerUnavailable("gone")


class Port:
    """The port, and what stops it."""

    def __init__(self, number: int, client: Client, stopping: anyio.Event) -> None:
        self.number, self.client, self.stopping = number, client, stopping

    async def get(self, path: str) -> ClientResponse:
        return await self.client.request("GET", f"http://127.0.0.1:{self.number}{path}", timeout=PATIENCE)


@asynccontextmanager
async def serving(loop: str) -> AsyncIterator[Port]:
    listener, stopping = bind_operations("127.0.0.1:0"), anyio.Event()
    number = listener.getsockname()[1]
    app = operations_app(Lost(), Metrics())  # type: ignore[arg-type]

    async def serve() -> None:
        await serve_operations(app, listener, stopping, loop=loop)

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group, Client(clock=clock.instant) as client:
            group.start_soon(serve)
            yield Port(number, client, stopping)
            stopping.set()


@pytest.fixture
def loop(anyio_backend_name: str) -> str:
    return "trio" if anyio_backend_name == "trio" else "uvloop"


async def test_a_failed_ledger_is_told_and_the_port_stays(loop: str) -> None:
    """What cannot be counted is an error of that page: the health can be asked before and after."""
    async with serving(loop) as port:
        for path, status in (("/healthz", 503), ("/metrics", 500), ("/healthz", 503)):
            response = await port.get(path)
            assert response.status == status
            if path == "/healthz":
                assert msgspec.json.decode(response.body) == {"status": "failed"}


async def test_nothing_of_us_is_told_to_strangers(loop: str) -> None:
    """An error page names no file and no line."""
    async with serving(loop) as port:
        for path in ("/metrics", "/nothing"):
            body = (await port.get(path)).body
            assert b"Traceback" not in body
            assert b".py" not in body


async def test_after_the_stop_the_port_is_free(loop: str) -> None:
    async with serving(loop) as port:
        assert (await port.get("/healthz")).status == 503
    bind_operations(f"127.0.0.1:{port.number}").close()


async def test_a_port_that_is_taken() -> None:
    taken = bind_operations("127.0.0.1:0")
    try:
        with pytest.raises(OSError, match="in use"):
            bind_operations(f"127.0.0.1:{taken.getsockname()[1]}")
    finally:
        taken.close()
