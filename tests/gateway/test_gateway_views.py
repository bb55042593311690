"""What the API shows."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.codecs.finding import EdifactPointer, Finding, Severity, XmlPointer
from tidewaiter.gateway.views import (
    PROBLEM,
    decision_view,
    event_view,
    finding_view,
    findings_of,
    json_response,
    notification_view,
    problem,
    status_view,
    summary_view,
)
from tidewaiter.routing.lifecycle import DeliveryState

Make = Callable[..., bytes]


def test_json() -> None:
    response = json_response(200, {"a": 1}, (("X", "y"),))
    assert (response.status, response.body) == (200, b'{"a":1}')
    assert response.headers == (("Content-Type", "application/json"), ("X", "y"))


def test_a_problem() -> None:
    finding = Finding(code="c", text="t")
    response = problem(422, "Title", "detail", findings=[finding], headers=(("A", "b"),), id="L1")
    assert response.headers == (("Content-Type", PROBLEM), ("A", "b"))
    assert msgspec.json.decode(response.body) == {
        "type": "about:blank",
        "title": "Title",
        "status": 422,
        "detail": "detail",
        "id": "L1",
        "findings": [{"severity": "error", "code": "c", "text": "t"}],
    }
    assert b"findings" not in problem(404, "T", "d").body


def test_a_finding_of_each_syntax() -> None:
    edifact = Finding(
        severity=Severity.WARNING,
        code="39",
        text="too long",
        pointer=EdifactPointer(segment=3, tag="LOC", element=2, component=1, offset=77),
        value="x",
        expected="an..3",
    )
    assert finding_view(edifact) == {
        "severity": "warning",
        "code": "39",
        "text": "too long",
        "where": "LOC[3]/2/1 @77",
        "pointer": {
            "syntax": "edifact",
            "segment": 3,
            "tag": "LOC",
            "element": 2,
            "component": 1,
            "offset": 77,
        },
        "value": "x",
        "expected": "an..3",
    }
    pointer = XmlPointer(xpath="/d:A", line=4, wco="42A / 67A", namespaces={"d": "urn:x"})
    view = finding_view(Finding(code="enumeration", text="t", pointer=pointer))
    assert view["pointer"] == {
        "syntax": "xml",
        "xpath": "/d:A",
        "line": 4,
        "wco": "42A / 67A",
        "namespaces": {"d": "urn:x"},
    }
    assert view["where"] == "/d:A (42A / 67A)"


@pytest.mark.anyio
async def test_a_lodgement_and_its_standing(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    await bench.answer("health", await bench.delivery("health"), "05", mrn="26NL1")
    status = await bench.only()
    view = status_view(status)
    assert {k: view[k] for k in summary_view(status.lodgement)} == summary_view(status.lodgement)
    assert (view["state"], view["mrn"], view["amends"]) == ("held", "26NL1", None)
    assert view["waiting-for"] == ["customs"]
    customs, health = view["agencies"]
    assert customs["answers"] == []
    assert health["answers"] == [{"outcome": "inspection", "received": "2026-06-02T12:00:00.000Z"}]
    assert view["decision"] == view["decisions"][-1] == decision_view(status.decisions[-1])
    assert view["decision"]["reasons"][0]["agency"] == "health"
    assert view["findings"] == [finding_view(f) for f in findings_of(status.lodgement)]
    assert msgspec.json.encode(view)


@pytest.mark.anyio
async def test_who_is_waited_for(bench: Any, make_document: Make) -> None:
    """Whoever may still answer by itself. A dead letter waits for a person, not for the agency."""
    await bench.lodge(make_document())
    status = await bench.only()
    waited = set()
    for state in DeliveryState:
        legs = tuple(msgspec.structs.replace(one, state=state) for one in status.deliveries)
        view = status_view(msgspec.structs.replace(status, deliveries=legs))
        assert [leg["state"] for leg in view["agencies"]] == [state.value] * 2
        assert view["waiting-for"] in ([], ["customs", "health"])
        if view["waiting-for"]:
            waited.add(state)
    assert waited == {
        DeliveryState.PENDING,
        DeliveryState.SENDING,
        DeliveryState.AWAITING,
        DeliveryState.SENT,
    }


@pytest.mark.anyio
async def test_an_entry_of_the_log(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document(test=True))
    (note,) = await bench.notes()
    view = notification_view(note)
    assert base64.b64decode(view.pop("document")) == note.body
    assert view == {
        "number": 1,
        "id": note.id,
        "declaration": note.lodgement,
        "kind": "CUSRES",
        "decision-version": None,
        "created": "2026-06-02T12:00:00.000Z",
        "content-type": "application/edifact",
    }


@pytest.mark.anyio
async def test_a_row_of_the_history(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    first = (await bench.events())[0]
    assert event_view(first) == {
        "number": first.number,
        "event": "received",
        "at": "2026-06-02T12:00:00.000Z",
        "declaration": first.lodgement,
        "message": first.message,
        "type": "import",
        "channel": "https",
        "partner": "trader",
    }
