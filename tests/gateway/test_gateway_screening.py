"""What cannot be written for a competent agency, or names somebody else, is told to the trader at once."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.lodging import declaration_of
from tidewaiter.routing.lifecycle import DeliveryState, LodgementState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

# Right in the sender's syntax, and nothing that the other one holds: what is changed in a sample.
EDIFACT_ONLY = {
    "country name": (b"LOC+27+BR'", b"LOC+27+Brasil'"),
    "country of three": (b"LOC+35+BR'", b"LOC+35+BRA'"),
    "month 13": (b"DTM+137:20261119:102", b"DTM+137:20261319:102"),
    "digits": (b"MOA+39:93810.40:EUR", b"MOA+39:12345678901234567.8:EUR"),
    "blank LRN": (b"MER-26-004171+9", b"   +9"),
}
XML_ONLY = {
    "unit": (b'unitCode="KGM"', b'unitCode="KILO"'),
    "numbered 7": (b"<SequenceNumeric>2</SequenceNumeric>", b"<SequenceNumeric>7</SequenceNumeric>"),
    "function": (b"<FunctionCode>9<", b"<FunctionCode>77<"),
}


CASES = [
    *(pytest.param("import.edi", change, id=name) for name, change in EDIFACT_ONLY.items()),
    *(pytest.param("plants.xml", change, id=name) for name, change in XML_ONLY.items()),
]


@pytest.mark.parametrize(("name", "change"), CASES)
async def test_what_is_taken_in_can_be_written_for_everybody_asked(
    bench: Any, make_document: Make, name: str, change: tuple[bytes, bytes]
) -> None:
    """Refused, or fit for every delivery: never a dead letter that the trader hears nothing of."""
    payload = make_document(name, change=change)
    assert payload != make_document(name)
    response = await bench.lodge(payload)
    status = await bench.only()
    if response.status == 422:
        assert status.lodgement.state is LodgementState.REJECTED
        assert status.deliveries == ()
        return
    declaration = declaration_of(status.lodgement)
    for delivery in status.deliveries:
        settings = bench.parties.named(delivery.agency).settings
        written = bench.answers.delivery(declaration, delivery.id, settings, test=False)
        assert bench.reader.read(written).valid


async def test_what_an_agency_s_xml_cannot_hold(bench: Any, make_document: Make) -> None:
    declaration = bench.reader.read(make_document()).documents[0].declaration
    assert bench.screening.writable(declaration, ("customs", "health"), test=False) == ()
    named = msgspec.structs.replace(declaration, functional_reference_id="L" * 71)
    found = bench.screening.writable(named, ("health",), test=False)
    assert found
    assert {finding.pointer for finding in found} == {None}
    assert all("takes WCO XML, which cannot hold this" in finding.text for finding in found)
    assert any("(42A" in finding.text for finding in found), "the place, in the model's own terms"
    unheard_of = msgspec.structs.replace(declaration, functional_reference_id="\x01")
    (finding,) = bench.screening.writable(unheard_of, ("health",), test=False)
    assert finding.code == "not-writable"


STATEMENT = b"    <AdditionalInformation><StatementCode>1</StatementCode></AdditionalInformation>\n"
# More than there are FTX in a CUSDEC.
TOO_MANY = (b"    <Agent>", STATEMENT * 120 + b"    <Agent>")


async def test_what_an_agency_s_edifact_cannot_hold(bench: Any, make_document: Make) -> None:
    refused = await bench.lodge(make_document("export.xml", change=TOO_MANY))
    assert refused.status == 422, refused.body
    (first, *_) = msgspec.json.decode(refused.body)["findings"]
    assert first["text"].startswith("Customs takes EDIFACT CUSDEC, which cannot hold this: ")
    assert first["code"] == "35"
    assert "where" not in first
    assert (await bench.only()).deliveries == ()


async def test_over_as2_it_is_a_response(bench: Any, make_document: Make) -> None:
    await bench.lodge_as2(make_document("export.xml", change=TOO_MANY))
    (note,) = await bench.notes()
    assert note.kind == "RES"
    assert b"takes EDIFACT CUSDEC" in note.body
    assert (await bench.only()).lodgement.state is LodgementState.REJECTED


async def test_each_syntax_is_written_once(bench: Any, make_document: Make) -> None:
    declaration = bench.reader.read(make_document()).documents[0].declaration
    named = msgspec.structs.replace(declaration, functional_reference_id="\x01")
    found = bench.screening.writable(named, ("health", "agriculture", "nobody"), test=False)
    assert len(found) == 1


async def test_only_the_forms_that_are_asked_for_count(bench: Any, make_document: Make) -> None:
    payload = make_document("export.xml", change=TOO_MANY)
    declaration = bench.reader.read(payload).documents[0].declaration
    assert bench.screening.writable(declaration, ("health",), test=False) == ()
    assert bench.screening.writable(declaration, ("customs",), test=False)


async def test_a_rehearsal_says_what_the_real_one_would(bench: Any, make_document: Make) -> None:
    """No live agency sees a test, but whether it could is what the trader wants to know."""
    refused = await bench.lodge(make_document(test=True, change=EDIFACT_ONLY["month 13"]))
    assert refused.status == 422
    assert (await bench.lodge(make_document(test=True))).status == 202
    newest = (await bench.ledger.lodgements(limit=1))[0]
    assert {d.state for d in (await bench.status(newest.id)).deliveries} == {DeliveryState.WITHHELD}


@pytest.mark.parametrize("channel", ["https", "as2"])
async def test_an_interchange_for_somebody_else(bench: Any, make_document: Make, channel: str) -> None:
    payload = make_document(change=(b"+TIDEWAITER:ZZZ+", b"+OTHERGATEWAY:ZZZ+"))
    if channel == "https":
        refused = await bench.lodge(payload)
        assert refused.status == 422
        (finding,) = msgspec.json.decode(refused.body)["findings"]
        assert (finding["code"], finding["where"]) == ("7", "UNB/3/1")
        assert (finding["value"], finding["expected"]) == ("OTHERGATEWAY", "TIDEWAITER")
    else:
        await bench.lodge_as2(payload)
        (note,) = await bench.notes()
        assert note.kind == "CONTRL"
        assert b"OTHERGATEWAY:ZZZ+4+7+UNB+4:1'" in note.body
    assert (await bench.only()).deliveries == ()


async def test_one_finding_for_the_envelope_of_many_messages(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    payload = make_interchange(*(make_document(lrn=f"L-{number}") for number in range(3)))
    refused = await bench.lodge(payload.replace(b"+TIDEWAITER:ZZZ+", b"+OTHER:ZZZ+"))
    assert refused.body.count(b'"code":"7"') == 1


async def test_the_sender_is_another_partner(folder: Any, open_bench: Any, make_document: Make) -> None:
    """A partner without a configured name may send under any, but not under another's."""
    (folder / "partners/rival.toml").write_text('name = "rival"\n')
    async with open_bench() as bench:
        for sender, code in (("MERIDIAN", ["23"]), ("RIVAL", [])):
            reading = bench.reader.read(make_document(sender=sender))
            taken = await bench.intake.take(reading, bench.source("rival"), whole=True)
            assert [finding.code for finding in taken.findings] == code
            assert "MERIDIAN" not in [finding.expected for finding in taken.findings]


async def test_a_contrl_for_somebody_else_lodges_nothing(bench: Any) -> None:
    contrl = b"UNB+UNOC:3+MERIDIAN+ELSE+261119:0915+C1'UNH+1+CONTRL:D:3:UN'UCI+X+MERIDIAN+ELSE+7'UNT+3+1'"
    await bench.lodge_as2(contrl + b"UNZ+1+C1'")
    assert await bench.ledger.lodgements(limit=1) == []
