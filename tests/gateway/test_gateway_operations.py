"""The operator's port: health and metrics, answered by the application as it is served."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.operations import operations_app

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]


async def ask(bench: Any, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """One request to the application, over ASGI."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
    }
    await operations_app(bench.ledger, bench.metrics)(scope, receive, send)
    start, *bodies = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, b"".join(part.get("body", b"") for part in bodies)


async def test_healthy(bench: Any) -> None:
    status, _, body = await ask(bench, "/healthz")
    assert (status, msgspec.json.decode(body)) == (200, {"status": "ok"})


async def test_a_disk_at_its_reserve(bench: Any) -> None:
    bench.ledger.has_room = lambda: False
    status, _, body = await ask(bench, "/healthz")
    assert (status, msgspec.json.decode(body)) == (503, {"status": "disk-reserve"})


async def test_a_ledger_that_failed(bench: Any) -> None:
    bench.ledger.failed.set()
    status, _, body = await ask(bench, "/healthz")
    assert (status, msgspec.json.decode(body)) == (503, {"status": "failed"})


async def test_the_metrics(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    status, headers, body = await ask(bench, "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    for name in ("document_seconds", "receipts", "deliveries", "queue_depth"):
        assert f"# HELP tidewaiter_{name}".encode() in body
    assert b"tidewaiter_queue_depth 2.0" in body


@pytest.mark.parametrize(
    ("path", "method"), [("/", "GET"), ("/healthz", "POST"), ("/v1/declarations", "GET")]
)
async def test_nothing_else_is_there(bench: Any, path: str, method: str) -> None:
    assert (await ask(bench, path, method))[0] in {404, 405}
