"""The description for programs: right in its shape, and of exactly what is served."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from tidewaiter import __version__
from tidewaiter.gateway.api import _ALLOWED, MAX_KEY, MAX_PAGE, PAGE
from tidewaiter.gateway.openapi import OPENAPI

METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "trace"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in OPENAPI["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_its_frame() -> None:
    assert OPENAPI["openapi"] == "3.1.0"
    assert OPENAPI["info"]["version"] == __version__
    assert msgspec.json.decode(msgspec.json.encode(OPENAPI)) == OPENAPI


def test_every_path_served_is_described_and_the_other_way_round() -> None:
    served = {
        (path, method.lower())
        for path, methods in _ALLOWED.items()
        for method in methods
        if path not in {"/as2", "/v1/openapi.json"} and method != "HEAD"
    } | {("/v1/declarations/{reference}", "get")}
    assert {(path, method) for path, method, _ in operations()} == served


def test_every_operation_is_whole() -> None:
    for path, _, operation in operations():
        assert operation["summary"]
        assert operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch("[1-5][0-9]{2}", status)
            assert response["description"]
            for media_type, content in response["content"].items():
                assert media_type == ("application/json" if status < "300" else "application/problem+json")
                assert content["schema"]
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        for parameter in operation.get("parameters", []):
            assert parameter["in"] in {"path", "query", "header"}
            assert parameter["schema"]
            assert parameter.get("required", False) is (parameter["in"] == "path")


def test_every_reference_has_its_target() -> None:
    schemas = OPENAPI["components"]["schemas"]
    found = set(references(OPENAPI))
    assert {reference.rpartition("/")[2] for reference in found} == set(schemas)
    assert all(reference.startswith("#/components/schemas/") for reference in found)


def test_what_needs_a_certificate_says_so() -> None:
    assert OPENAPI["security"] == [{"certificate": []}]
    assert OPENAPI["components"]["securitySchemes"]["certificate"]["type"] == "mutualTLS"
    for _, _, operation in operations():
        assert "401" in operation["responses"]


def test_the_limits_are_the_real_ones() -> None:
    log = {p["name"]: p["schema"] for p in OPENAPI["paths"]["/v1/notifications"]["get"]["parameters"]}
    assert (log["limit"]["default"], log["limit"]["maximum"]) == (PAGE, MAX_PAGE)
    (key,) = OPENAPI["paths"]["/v1/declarations"]["post"]["parameters"]
    assert key["schema"]["maxLength"] == MAX_KEY
