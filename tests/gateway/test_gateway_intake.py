"""What a payload becomes: tied, refused, routed; each document for itself or all together."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tidewaiter.routing.lifecycle import DeliveryState, LodgementState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

GOODS = (b"Roasted coffee", b"Toasted coffee")


def codes(status: Any) -> set[str]:
    return {code for code in ("23", "26", "lrn-reused", "unknown-declaration") if code in str(status)}


async def test_a_declaration_is_routed_by_its_goods(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    status = await bench.only()
    assert status.lodgement.state is LodgementState.ACCEPTED
    assert status.lodgement.agencies == ("customs", "health")
    assert [(d.agency, d.state) for d in status.deliveries] == [
        ("customs", DeliveryState.PENDING),
        ("health", DeliveryState.PENDING),
    ]
    assert (status.lodgement.type, status.lodgement.function) == ("import", "original")
    assert await bench.kinds() == ["received", "validated", "routed", "durable"]


async def test_the_same_declaration_again_is_tied(bench: Any, make_document: Make) -> None:
    first = await bench.lodge(make_document())
    again = await bench.lodge(make_document(reference="MT999"))
    assert (first.status, again.status) == (202, 202)
    status = await bench.only()
    assert b'"lodged-before":true' in again.body
    assert status.lodgement.id.encode() in again.body
    assert (await bench.kinds()).count("duplicate") == 1
    assert len(status.deliveries) == 2


async def test_an_lrn_used_for_another_declaration(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    again = await bench.lodge(make_document(reference="MT999", change=GOODS))
    assert again.status == 422
    assert b"lrn-reused" in again.body
    assert b'"where":"BGM[2]/2"' in again.body
    states = [one.state for one in await bench.ledger.lodgements(limit=10)]
    assert states == [LodgementState.REJECTED, LodgementState.ACCEPTED]


async def test_the_same_declaration_of_another_partner_is_no_duplicate(
    bench: Any, make_document: Make
) -> None:
    """Two customers of one name: the second learns nothing of the first, and is not in its way."""
    await bench.lodge(make_document("export.xml"))
    (one,) = await bench.ledger.lodgements(limit=10)
    source = bench.source()
    other = source.party._replace(name="other")
    reading = bench.reader.read(make_document("export.xml"))
    taken = await bench.intake.take(reading, source._replace(party=other), whole=True)
    assert (taken.tied, taken.findings) == ((), ())
    assert [lodged.root == one.id for lodged in taken.lodgements] == [False]


@pytest.mark.parametrize("channel", ["as2", "https"])
async def test_an_interchange_reference_used_twice(bench: Any, make_document: Make, channel: str) -> None:
    await bench.lodge(make_document())
    second = make_document(lrn="MER-26-999999")
    if channel == "https":
        refused = await bench.lodge(second)
        assert refused.status == 422
        assert b'"code":"26"' in refused.body
    else:
        mdn, _ = await bench.lodge_as2(second)
        assert mdn.kind.value == "processed"
        (note,) = await bench.notes()
        assert note.kind == "CONTRL"
        assert b"UCI+MT26041710001+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+4+26" in note.body
    states = [one.state for one in await bench.ledger.lodgements(limit=10)]
    assert states == [LodgementState.REJECTED, LodgementState.ACCEPTED]


async def test_an_interchange_of_somebody_else(bench: Any, make_document: Make) -> None:
    refused = await bench.lodge(make_document(sender="OTHER"))
    assert refused.status == 422
    assert b'"code":"23"' in refused.body
    assert b'"expected":"MERIDIAN"' in refused.body
    assert (await bench.only()).deliveries == ()


def follow_up(make_document: Make, lrn: str, number: int, function: bytes = b"4", **more: Any) -> bytes:
    """An amendment (BGM 1225: 4) or a cancellation (1) of the sample import, under its own reference."""
    data = make_document(reference=f"MT{number}", **more)
    return data.replace(b"BGM+929:::IMA+MER-26-004171+9", b"BGM+929:::IMA+%s+%s" % (lrn.encode(), function))


@pytest.mark.parametrize(("function", "named"), [(b"4", "amendment"), (b"1", "cancellation")])
async def test_a_follow_up_goes_where_its_original_went(
    bench: Any, make_document: Make, function: bytes, named: str
) -> None:
    await bench.lodge(make_document())
    original = (await bench.only()).lodgement
    # Without the goods that made health competent: it was asked, so it is told.
    changed = follow_up(make_document, "MER-26-004171", 2, function, change=(b"21069092", b"21011100"))
    response = await bench.lodge(changed)
    assert response.status == 202, response.body
    newest = (await bench.ledger.lodgements(limit=1))[0]
    assert newest.root == original.id
    assert newest.function == named
    assert newest.agencies == original.agencies
    assert not newest.claims_lrn
    roots = {d.root for d in (await bench.status(newest.id)).deliveries}
    assert roots == {original.id}


async def test_a_follow_up_waits_for_its_original(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    original = (await bench.only()).lodgement
    await bench.lodge(follow_up(make_document, "MER-26-004171", 2))
    claims = await bench.ledger.claim_deliveries(now_ns=bench.now.ns, lease_ns=10**9, limit=10)
    assert {claim.lodgement.id for claim in claims} == {original.id}
    assert {claim.delivery.agency for claim in claims} == {"customs", "health"}


async def test_a_follow_up_by_mrn(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    original = (await bench.only()).lodgement
    await bench.answer_as2(await bench.delivery("customs"), "08", mrn="26NL0000000001")
    await bench.answer("health", await bench.delivery("health"), "08")
    changed = follow_up(make_document, "NEW-LRN-1", 2).replace(
        b"RFF+UCN", b"RFF+ABT:26NL0000000001'\nRFF+UCN"
    )
    response = await bench.lodge(changed.replace(b"UNT+80", b"UNT+81"))
    assert response.status == 202, response.body
    assert (await bench.ledger.lodgements(limit=1))[0].root == original.id


async def test_a_follow_up_of_nothing(bench: Any, make_document: Make) -> None:
    refused = await bench.lodge(follow_up(make_document, "MER-26-004171", 2))
    assert refused.status == 422
    assert b"unknown-declaration" in refused.body
    assert (await bench.only()).deliveries == ()


async def test_a_follow_up_of_another_partner_s_declaration(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    source = bench.source()
    other = source.party._replace(name="other")
    reading = bench.reader.read(follow_up(make_document, "MER-26-004171", 2))
    taken = await bench.intake.take(reading, source._replace(party=other), whole=True)
    assert [finding.code for finding in taken.findings] == ["unknown-declaration"]


async def test_a_test_document_reaches_no_live_agency(bench: Any, make_document: Make) -> None:
    response = await bench.lodge(make_document(test=True))
    assert response.status == 202
    status = await bench.only()
    assert status.lodgement.test
    assert {d.state for d in status.deliveries} == {DeliveryState.WITHHELD}
    assert await bench.ledger.claim_deliveries(now_ns=bench.now.ns, lease_ns=1, limit=10) == []
    (note,) = await bench.notes()
    assert note.kind == "CUSRES"
    assert b"not sent to live agencies" in note.body
    assert b"++++++1'UNH" in note.body  # the answer to a test is a test


async def test_a_test_document_names_nothing(bench: Any, make_document: Make) -> None:
    for _ in range(2):
        assert (await bench.lodge(make_document(test=True))).status == 202
    assert (await bench.lodge(make_document(change=GOODS))).status == 202
    assert len(await bench.ledger.lodgements(limit=10)) == 3


async def test_a_test_document_goes_to_the_stand_in(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    file = folder / "agencies/health.toml"
    text = file.read_text()
    file.write_text(text.replace("live = true", 'stand-in = "testlab"'))
    lab = text.replace('name = "health"', 'name = "testlab"').replace("live = true", "live = false")
    (folder / "agencies/testlab.toml").write_text(
        lab.replace('\ncertificates = ["keys/health.pem"]', "\ncertificates = []")
    )
    async with open_bench() as bench:
        assert (await bench.lodge(make_document(test=True))).status == 202
        status = await bench.only()
        assert {(d.agency, d.state.value) for d in status.deliveries} == {
            ("customs", "withheld"),
            ("health", "withheld"),
            ("testlab", "pending"),
        }
        assert await bench.notes() == []


async def test_one_bad_message_among_several_over_as2(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    """Each for itself: the good ones are lodged, and one CONTRL speaks of the interchange."""
    bad = make_document(lrn="BAD-1", change=(b"LOC+35+BR", b"XYZ+1"))
    payload = make_interchange(make_document(lrn="GOOD-1"), bad, make_document(lrn="GOOD-2"))
    mdn, _ = await bench.lodge_as2(payload)
    assert mdn.kind.value == "processed"
    states = {one.lrn: one.state.value for one in await bench.ledger.lodgements(limit=10)}
    assert states == {"GOOD-1": "accepted", "BAD-1": "rejected", "GOOD-2": "accepted"}
    (note,) = await bench.notes()
    assert note.kind == "CONTRL"
    assert b"UCI+MT1+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+7'" in note.body
    assert b"UCM+2+CUSDEC:D:96B:UN+4" in note.body
    assert note.body.count(b"UCM+") == 1
    assert (await bench.status(note.lodgement)).lodgement.lrn == "BAD-1"


async def test_two_bad_messages_get_one_contrl(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    bad = (b"LOC+35+BR", b"XYZ+1")
    payload = make_interchange(make_document(lrn="A", change=bad), make_document(lrn="B", change=bad))
    await bench.lodge_as2(payload)
    (note,) = await bench.notes()
    assert note.body.count(b"UCM+") == 2
    assert (await bench.kinds()).count("notified") == 1


async def test_bad_content_gets_a_cusres_of_its_own(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    await bench.lodge(make_document())
    changed = make_document(change=GOODS)
    await bench.lodge_as2(make_interchange(changed, make_document(lrn="GOOD-1")))
    (note,) = await bench.notes()
    assert note.kind == "CUSRES"
    assert b"lrn-reused" in note.body
    assert b"RFF+ABE:MER-26-004171" in note.body


async def test_one_bad_message_among_several_over_https(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    """One answer for all: none is lodged."""
    bad = make_document(lrn="BAD-1", change=(b"LOC+35+BR", b"XYZ+1"))
    refused = await bench.lodge(make_interchange(make_document(lrn="GOOD-1"), bad))
    assert refused.status == 422
    (one,) = await bench.ledger.lodgements(limit=10)
    assert one.state is LodgementState.REJECTED
    assert await bench.notes() == []
    corrected = make_interchange(make_document(lrn="GOOD-1"), make_document(lrn="BAD-1"))
    assert (await bench.lodge(corrected)).status == 202


async def test_one_lrn_twice_in_an_interchange(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    refused = await bench.lodge(make_interchange(make_document(), make_document(change=GOODS)))
    assert refused.status == 422
    assert refused.body.count(b'"code":"lrn-reused"') == 1


async def test_an_envelope_that_is_wrong_rejects_all(bench: Any, make_document: Make) -> None:
    await bench.lodge_as2(make_document(change=(b"UNZ+1+", b"UNZ+2+")))
    (note,) = await bench.notes()
    assert note.kind == "CONTRL"
    assert b"UCI+MT26041710001+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+4+29+UNZ+2:1'" in note.body
    assert (await bench.only()).lodgement.state is LodgementState.REJECTED


@pytest.mark.parametrize("channel", ["as2", "https"])
async def test_the_acknowledgement_that_unb_0031_asks_for(
    bench: Any, make_document: Make, channel: str
) -> None:
    payload = make_document(ack=True)
    if channel == "as2":
        await bench.lodge_as2(payload)
    else:
        assert (await bench.lodge(payload)).status == 202
    (note,) = await bench.notes()
    assert note.kind == "CONTRL"
    assert b"UCI+MT26041710001+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+7'" in note.body
    (event,) = [event for event in await bench.events() if event.kind.value == "notified"]
    assert event.data["class"] == "acknowledgement"


async def test_no_acknowledgement_unasked(bench: Any, make_document: Make) -> None:
    await bench.lodge_as2(make_document())
    assert await bench.notes() == []


async def test_an_interchange_that_asks_and_is_wrong_gets_one_contrl(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    bad = make_document(lrn="B", change=(b"LOC+35+BR", b"XYZ+1"))
    await bench.lodge_as2(make_interchange(make_document(lrn="A"), bad, ack=True))
    (note,) = await bench.notes()
    assert b"UCM+2" in note.body


async def test_an_acknowledgement_beside_bad_content(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    """The syntax is right and the content is not: the one says CONTRL, the other CUSRES."""
    await bench.lodge(make_document())
    await bench.lodge_as2(make_interchange(make_document(change=GOODS), ack=True))
    assert [note.kind for note in await bench.notes()] == ["CONTRL", "CUSRES"]
    told = [event.data["class"] for event in await bench.events() if event.kind.value == "notified"]
    assert told == ["acknowledgement", "rejection"]


CONTRL = b"UNB+UNOC:3+MERIDIAN+TIDEWAITER+261119:0915+C1%s'UNH+1+CONTRL:D:3:UN'UCI+X+MERIDIAN+TIDEWAITER+7'%s"


@pytest.mark.parametrize(
    ("ask", "end"),
    [
        (b"", b"UNT+3+1'UNZ+1+C1'"),
        (b"++++1", b"UNT+3+1'UNZ+1+C1'"),
        (b"", b"UNT+9+1'UNZ+1+C1'"),
        (b"", b"UNT+3+1'UNZ+7+C9'"),
    ],
    ids=["good", "asks for one", "bad count", "bad trailer"],
)
async def test_a_contrl_is_never_answered(bench: Any, ask: bytes, end: bytes) -> None:
    mdn, _ = await bench.lodge_as2(CONTRL % (ask, end))
    assert mdn.kind.value == "processed"
    assert await bench.notes() == []


@pytest.mark.parametrize("payload", [b"", b"hello", b"<a/>", b"<a", b"\xff\xfe\x00", b"UNA", b"UNB+"])
async def test_what_cannot_be_read_is_rejected_and_answered(bench: Any, payload: bytes) -> None:
    mdn, _ = await bench.lodge_as2(payload or b" ")
    assert mdn.kind.value == "processed"
    status = await bench.only()
    assert status.lodgement.state is LodgementState.REJECTED
    assert len(await bench.notes()) == 1


async def test_an_answer_is_not_lodged(bench: Any, make_res: Make) -> None:
    refused = await bench.lodge(make_res("D1", "08"))
    assert refused.status == 422
    assert b"not-a-declaration" in refused.body


@pytest.mark.parametrize(
    ("name", "lrn"),
    [
        ("export.xml", b"    <FunctionalReferenceID>MER-26-004174</FunctionalReferenceID>\n"),
        ("import.edi", b"MER-26-004171"),
    ],
)
async def test_a_declaration_must_have_a_name(bench: Any, make_document: Make, name: str, lrn: bytes) -> None:
    """Without an LRN nobody could ask for it, and two of them would be one."""
    refused = await bench.lodge(make_document(name, change=(lrn, b"")))
    assert refused.status == 422, refused.body
    assert (await bench.ask("GET", "/v1/declarations/")).status == 404


async def test_one_lrn_for_two_declarations_at_once(bench: Any, make_document: Make) -> None:
    """Neither sees the other when it is read: the ledger lets one in, and the other is told."""
    statuses = []

    async def lodge(city: bytes) -> None:
        response = await bench.lodge(make_document("export.xml", change=(b"Delft", city)))
        statuses.append(response.status)

    async with anyio.create_task_group() as group:
        group.start_soon(lodge, b"Leiden")
        group.start_soon(lodge, b"Gouda")
    assert sorted(statuses) == [202, 422]


async def test_one_interchange_reference_for_two_documents_at_once(bench: Any, make_document: Make) -> None:
    statuses = []

    async def lodge(lrn: str) -> None:
        statuses.append((await bench.lodge(make_document(lrn=lrn))).status)

    async with anyio.create_task_group() as group:
        group.start_soon(lodge, "LRN-1")
        group.start_soon(lodge, "LRN-2")
    assert sorted(statuses) == [202, 422]


async def test_an_interchange_is_corrected_under_its_reference(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    """What was rejected holds no reference; what was lodged is known again."""
    bad = make_document(lrn="B", change=(b"LOC+35+BR", b"XYZ+1"))
    await bench.lodge_as2(make_interchange(make_document(lrn="A"), bad))
    await bench.lodge_as2(make_interchange(make_document(lrn="A"), make_document(lrn="B")))
    found = [(one.lrn, one.state.value) for one in await bench.ledger.lodgements(limit=9)]
    assert found == [("B", "accepted"), ("B", "rejected"), ("A", "accepted")]
