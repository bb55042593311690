"""`/healthz` and `/metrics` with Starlette and Hypercorn, on whichever loop the gateway runs."""

import socket

import anyio
import hypercorn.asyncio
import hypercorn.trio
from hypercorn.config import Config as HypercornConfig
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..ledger import Ledger
from ..metrics import Metrics

# What is connected at a stop gets this long.
GRACE_SECONDS = 1.0


def operations_app(ledger: Ledger, metrics: Metrics) -> Starlette:
    """The application of the operator's port."""

    async def healthz(_: Request) -> Response:
        room = ledger.has_room()
        state = "failed" if ledger.failed.is_set() else "ok" if room else "disk-reserve"
        return JSONResponse({"status": state}, status_code=200 if state == "ok" else 503)

    async def page(_: Request) -> Response:
        return Response(await metrics.page(ledger), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", page)])


def bind_operations(bind: str) -> socket.socket:
    """The operator's port, `host:port`, taken. Raises OSError where it cannot be."""
    host, _, port = bind.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    taken = socket.socket(family)
    try:
        # A port that an earlier process of ours has just left can be had at once.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host.strip("[]"), int(port)))
        taken.listen()
    except BaseException:
        taken.close()
        raise
    return taken


async def serve_operations(
    app: Starlette, listener: socket.socket, stopping: anyio.Event, *, loop: str
) -> None:
    """Serve `app` on `listener` until `stopping` is set; `loop` is the one the gateway runs on.

    Cancelled, it stops in the same good order, within GRACE_SECONDS.
    """
    config = HypercornConfig()
    # Hypercorn owns it from here on, and closes it.
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = None
    config.errorlog = None
    config.graceful_timeout = GRACE_SECONDS
    serve = hypercorn.trio.serve if loop == "trio" else hypercorn.asyncio.serve
    ending = anyio.Event()

    async def end() -> None:
        try:
            await stopping.wait()
        finally:
            ending.set()

    async with anyio.create_task_group() as group:
        group.start_soon(end)
        # Cancelled while somebody is connected, Hypercorn on asyncio fails with an error of its own, which
        # would stand where the reason of the cancellation belongs: so it is always told to stop.
        with anyio.CancelScope(shield=True):
            await serve(app, config, shutdown_trigger=ending.wait)  # type: ignore[arg-type]
        group.cancel_scope.cancel()
