"""What is served is what the description for programs says: every status, every type, every member."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.ledger import LedgerUnavailable
from tidewaiter.gateway.openapi import OPENAPI

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

XML = ("Content-Type", "application/xml")
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = OPENAPI
    for name in schema.get("$ref", "#").split("/")[1:]:
        found = found[name]
    return found if "$ref" in schema else schema


def undescribed(schema: dict[str, Any], value: Any, place: str = "") -> Iterator[str]:
    """Each place in `value` that `schema` says nothing of, or something else."""
    schema = resolved(schema)
    if "anyOf" in schema:
        options = [list(undescribed(option, value, place)) for option in schema["anyOf"]]
        yield from min(options, key=len)
        return
    allowed = schema.get("type")
    if allowed is not None:
        names = [allowed] if isinstance(allowed, str) else allowed
        if type(value) not in [TYPES[name] for name in names]:
            yield f"{place} is no {allowed}"
            return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is not one of {schema['enum']}"
    if isinstance(value, dict) and "properties" in schema:
        for name, member in value.items():
            if name in schema["properties"]:
                yield from undescribed(schema["properties"][name], member, f"{place}/{name}")
            else:
                yield f"{place}/{name}"
    if isinstance(value, list):
        for member in value:
            yield from undescribed(schema["items"], member, f"{place}[]")


def check(method: str, path: str, response: Any) -> Any:
    """The answer is one of those that are described for this operation; its value."""
    operation = OPENAPI["paths"][path][method.lower()]
    described = operation["responses"].get(str(response.status))
    assert described is not None, f"{method} {path} gives {response.status}"
    headers = dict(response.headers)
    media_type = headers["Content-Type"]
    assert set(described["content"]) == {media_type}
    value = msgspec.json.decode(response.body)
    assert list(undescribed(described["content"][media_type]["schema"], value)) == []
    assert set(described.get("headers", ())) <= set(headers)
    return value


async def test_lodging(bench: Any, make_document: Make) -> None:
    async def post(body: bytes, *headers: tuple[str, str], party: str | None = "trader") -> Any:
        response = await bench.ask("POST", "/v1/declarations", body, party=party, headers=headers)
        return check("POST", "/v1/declarations", response)

    good, key = make_document("export.xml"), ("Idempotency-Key", "k")
    first = await post(good, XML, key)
    assert await post(good, XML, key) == first
    assert (await post(make_document("plants.xml"), XML, key))["status"] == 409
    assert (await post(make_document("invalid.xml"), XML))["findings"]
    assert (await post(good, XML, ("Idempotency-Key", "x" * 300)))["status"] == 400
    assert (await post(good, ("Content-Type", "text/plain")))["status"] == 415
    assert (await post(good, XML, party=None))["status"] == 401
    assert (await post(good, XML, party="health"))["status"] == 403
    bench.room = False
    assert (await post(good, XML))["status"] == 503


async def test_a_document_that_defeats_our_own_code(bench: Any, make_document: Make) -> None:
    def crashing(*_: Any) -> Any:
        raise ZeroDivisionError

    bench.reader.read = crashing
    response = await bench.ask("POST", "/v1/declarations", make_document("export.xml"), headers=[XML])
    assert check("POST", "/v1/declarations", response)["status"] == 500


async def test_standing(bench: Any, make_document: Make) -> None:
    """Of a declaration with warnings, findings, answers and decisions; of one that was rejected; of none."""
    await bench.lodge(make_document())
    await bench.lodge(make_document("invalid.edi"))
    await bench.answer("health", await bench.delivery("health", "MER-26-004171"), "05", mrn="26NL1")
    listed = check("GET", "/v1/declarations", await bench.ask("GET", "/v1/declarations"))
    assert len(listed["declarations"]) == 2
    for one in listed["declarations"]:
        response = await bench.ask("GET", f"/v1/declarations/{one['id']}")
        assert check("GET", "/v1/declarations/{reference}", response)["id"] == one["id"]
    for party, status in ((None, 401), ("health", 403)):
        response = await bench.ask("GET", "/v1/declarations", party=party)
        assert check("GET", "/v1/declarations", response)["status"] == status
        response = await bench.ask("GET", "/v1/declarations/L1", party=party)
        assert check("GET", "/v1/declarations/{reference}", response)["status"] == status
    response = await bench.ask("GET", "/v1/declarations/nothing")
    assert check("GET", "/v1/declarations/{reference}", response)["status"] == 404


async def test_the_log(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document(test=True))
    log = check("GET", "/v1/notifications", await bench.ask("GET", "/v1/notifications?after=0&limit=5"))
    assert len(log["notifications"]) == 1
    for target, party, status in (("?after=x", "trader", 400), ("", None, 401)):
        response = await bench.ask("GET", f"/v1/notifications{target}", party=party)
        assert check("GET", "/v1/notifications", response)["status"] == status


async def test_answering(bench: Any, make_document: Make, make_res: Make) -> None:
    await bench.lodge(make_document())
    delivery = await bench.delivery("health")
    taken = check("POST", "/v1/answers", await bench.answer("health", delivery, "08"))
    assert taken["answered"] == 1
    for body, party, status in (
        (make_res("D0", "08"), "health", 422),
        (b"<a/>", "health", 422),
        (make_res(delivery, "08"), "trader", 403),
        (make_res(delivery, "08"), None, 401),
    ):
        response = await bench.ask("POST", "/v1/answers", body, party=party, headers=[XML])
        assert check("POST", "/v1/answers", response)["status"] == status


async def test_a_ledger_that_is_not_there(bench: Any, make_document: Make) -> None:
    """Whatever is asked: 503, to be asked again."""

    async def gone(*_: Any, **__: Any) -> Any:
        raise LedgerUnavailable("gone")

    for name in ("commit", "find_message", "lodgements", "status", "notifications"):
        setattr(bench.ledger, name, gone)
    asked = [
        ("POST", "/v1/declarations", make_document("export.xml")),
        ("GET", "/v1/declarations", b""),
        ("GET", "/v1/declarations/{reference}", b""),
        ("GET", "/v1/notifications", b""),
    ]
    for method, path, body in asked:
        response = await bench.ask(method, path, body, headers=[XML])
        assert check(method, path, response)["status"] == 503
        assert dict(response.headers)["Retry-After"] == "5"
