"""What an intake writes: lodgements with their events, deliveries and what the sender is told."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.codecs.declaration import Declaration
from tidewaiter.codecs.finding import Finding
from tidewaiter.gateway.intake import Intake
from tidewaiter.gateway.lodging import declaration_of, is_test
from tidewaiter.routing.lifecycle import LodgementState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]


async def test_a_lodgement_keeps_what_came_and_what_it_says(bench: Any, make_document: Make) -> None:
    payload = make_document()
    await bench.lodge(payload)
    lodgement = (await bench.only()).lodgement
    assert lodgement.document in payload
    assert lodgement.document.startswith(b"UNH+1")
    declaration = declaration_of(lodgement)
    assert isinstance(declaration, Declaration)
    assert declaration == bench.reader.read(payload).documents[0].declaration
    assert (lodgement.sender, lodgement.reference) == ("MERIDIAN", "MT26041710001")
    assert (lodgement.declarant, lodgement.lrn) == ("NL009990862", "MER-26-004171")
    assert lodgement.root == lodgement.id
    assert lodgement.claims_lrn
    assert lodgement.received == bench.now()


async def test_xml_is_kept_whole(bench: Any, make_document: Make) -> None:
    payload = make_document("export.xml")
    await bench.lodge(payload)
    lodgement = (await bench.only()).lodgement
    assert (lodgement.document, lodgement.syntax, lodgement.sender) == (payload, "xml", None)
    assert (lodgement.type, lodgement.function) == ("export", "original")


async def test_the_events_of_a_good_document(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    events = {event.kind.value: event for event in await bench.events()}
    assert list(events) == ["received", "validated", "routed", "durable"]
    assert events["received"].data == {"type": "import", "channel": "https", "partner": "trader"}
    assert events["routed"].data == {"agencies": "customs,health"}
    assert {event.lodgement for event in events.values()} == {(await bench.only()).lodgement.id}
    message = await bench.ledger.message(events["received"].message)
    assert message.body == make_document()


async def test_the_events_of_a_bad_document(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document("invalid.xml"))
    events = {event.kind.value: event for event in await bench.events()}
    assert list(events) == ["received", "rejected", "durable", "notified"]
    assert int(events["rejected"].data["findings"]) > 3
    assert events["notified"].data["class"] == "rejection"
    lodgement = (await bench.only()).lodgement
    assert (lodgement.agencies, lodgement.claims_lrn, lodgement.reference) == ((), False, None)
    kept = msgspec.json.decode(lodgement.findings, type=tuple[Finding, ...])
    assert len(kept) == int(events["rejected"].data["findings"])


async def test_what_was_unreadable_is_a_lodgement_of_nothing(bench: Any) -> None:
    await bench.lodge(b"<a/>")
    lodgement = (await bench.only()).lodgement
    assert (lodgement.state, lodgement.type, lodgement.lrn) == (LodgementState.REJECTED, "unknown", "")
    assert lodgement.declaration == b""


async def test_a_rehearsal_says_so_in_its_history(bench: Any, make_document: Make) -> None:
    assert is_test(bench.reader.read(make_document(test=True)))
    assert not is_test(bench.reader.read(make_document()))
    assert not is_test(bench.reader.read(make_document("export.xml")))
    await bench.lodge(make_document(test=True))
    assert (await bench.events())[0].data["test"] == "1"


async def test_a_correction_is_of_its_original_s_type(bench: Any, make_document: Make) -> None:
    """Its own type code names the correction (COR), not the goods' way."""
    await bench.lodge(make_document("export.xml"))
    text = make_document("export.xml")
    correction = text.replace(b"<FunctionCode>9<", b"<FunctionCode>13<").replace(b">EXA<", b">COR<")
    response = await bench.lodge(correction)
    newest, original = await bench.ledger.lodgements(limit=2)
    if response.status == 202:
        assert newest.function == "amendment"
        assert newest.type == original.type == "export"
        assert newest.declarant == original.declarant
    else:
        pytest.fail(response.body.decode())


async def test_a_delivery_is_due_when_it_was_received(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    status = await bench.only()
    assert {d.due_ns for d in status.deliveries} == {bench.now.ns}
    assert {d.root for d in status.deliveries} == {status.lodgement.id}


async def test_what_no_agency_is_competent_for(folder: Any, open_bench: Any, make_document: Make) -> None:
    """It would wait for ever: it is refused, with the reason."""
    routes = folder / "routes.toml"
    head, name, rest = routes.read_text().partition('agencies = ["customs"]\n')
    routes.write_text(f'{head}{name}[route.when]\ntype = ["transit"]\n{rest}')
    async with open_bench() as bench:
        refused = await bench.lodge(make_document("export.xml"))
        assert refused.status == 422
        assert b"no-agency-competent" in refused.body
        assert (await bench.only()).deliveries == ()


async def test_nothing_is_delivered_of_what_is_refused(bench: Any, make_document: Make) -> None:
    """A rule names an agency that is gone: the others are not asked behind its back."""
    agencies = bench.parties.agency_values()
    del agencies["health"]
    intake = Intake(bench.ledger, bench.config.rules, agencies, bench.answers, bench.screening, bench.now)
    taken = await intake.take(bench.reader.read(make_document()), bench.source(), whole=False)
    assert [finding.code for finding in taken.findings if finding.severity.value == "error"] == [
        "agency-not-configured"
    ]
    assert taken.change.deliveries == ()
    assert [one.agencies for one in taken.change.lodgements] == [()]
