"""`/healthz`, `/metrics` and the exits of dead letters, with Starlette and Hypercorn, on either loop."""

import contextlib
import http
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import hypercorn.asyncio
import hypercorn.trio
import msgspec
from hypercorn.config import Config as HypercornConfig
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..dead_letters import CLOSE, REQUEUE, DeadLetters, NotPossible, UnknownLetter
from ..ledger import Ledger, LedgerUnavailable
from ..metrics import Metrics

# What is connected at a stop gets this long.
GRACE_SECONDS = 1.0
# A reason, not a document.
MAX_BODY = 16 * 1024


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    why: str = ""


def operations_app(ledger: Ledger, metrics: Metrics, letters: DeadLetters | None = None) -> Starlette:
    """The application of the operator's port.

    With `letters`, a person can move dead letters on: POST /v1/deliveries/{id}/requeue or close, and the
    same of /v1/notifications and /v1/mdns, with {"why": "..."} as JSON.
    """

    async def healthz(_: Request) -> Response:
        room = ledger.has_room()
        state = "failed" if ledger.failed.is_set() else "ok" if room else "disk-reserve"
        return JSONResponse({"status": state}, status_code=200 if state == "ok" else 503)

    async def page(_: Request) -> Response:
        return Response(await metrics.page(ledger), headers={"Content-Type": CONTENT_TYPE_LATEST})

    routes = [Route("/healthz", healthz), Route("/metrics", page)]
    if letters is not None:
        for what, move in ((REQUEUE, letters.requeue), (CLOSE, letters.close)):
            for kind in ("deliveries", "notifications", "mdns"):
                path = f"/v1/{kind}/{{reference}}/{what}"
                routes.append(Route(path, _mover(move, needs_reason=what == CLOSE), methods=["POST"]))
    return Starlette(routes=routes)


def _mover(
    move: Callable[[str, str], Awaitable[dict[str, Any]]], *, needs_reason: bool
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        # A page in the operator's browser can post across sites, but no JSON without asking first.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _refusal(415, "the body must be application/json")
        try:
            asked = msgspec.json.decode(await _body(request) or b"{}", type=_Asked)
        except msgspec.DecodeError as error:
            return _refusal(400, str(error))
        if needs_reason and not asked.why.strip():
            return _refusal(400, "why is missing: a reason for the history")
        try:
            return JSONResponse(await move(request.path_params["reference"], asked.why))
        except UnknownLetter:
            return _refusal(404, "no delivery, notification or MDN has this id")
        except NotPossible as error:
            return _refusal(409, str(error))
        except LedgerUnavailable:
            return _refusal(503, "nothing could be made durable; try again")

    return handle


async def _body(request: Request) -> bytes:
    body = b""
    async with contextlib.aclosing(request.stream()) as parts:
        async for part in parts:
            body += part
            if len(body) > MAX_BODY:
                raise msgspec.DecodeError(f"more than {MAX_BODY} octets")
    return body


def _refusal(status: int, detail: str) -> Response:
    title = http.HTTPStatus(status).phrase
    value = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(value, status_code=status, media_type="application/problem+json")


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
