"""`/healthz` and `/metrics` with Starlette and Hypercorn, on whichever loop the gateway runs."""

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


def operations_app(ledger: Ledger, metrics: Metrics) -> Starlette:
    """The application of the operator's port."""

    async def healthz(_: Request) -> Response:
        room = ledger.has_room()
        state = "failed" if ledger.failed.is_set() else "ok" if room else "disk-reserve"
        return JSONResponse({"status": state}, status_code=200 if state == "ok" else 503)

    async def page(_: Request) -> Response:
        return Response(await metrics.page(ledger), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", page)])


async def serve_operations(app: Starlette, bind: str, stopping: anyio.Event, *, loop: str) -> None:
    """Serve `app` on `bind` (`host:port`) until `stopping` is set; `loop` is the one the gateway runs on."""
    config = HypercornConfig()
    config.bind = [bind]
    config.accesslog = None
    config.errorlog = None
    config.graceful_timeout = 1.0
    serve = hypercorn.trio.serve if loop == "trio" else hypercorn.asyncio.serve
    await serve(app, config, shutdown_trigger=stopping.wait)  # type: ignore[arg-type]
