"""From agencies' answers to one decision: who may answer what, what is told when, and nothing lost."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tidewaiter.codecs import edifact
from tidewaiter.codecs.declaration import DateTime, Response, ResponseAdditionalInformation
from tidewaiter.gateway.decisions import merged
from tidewaiter.gateway.ledger import Change, DeliveryUpdate, EventRecord
from tidewaiter.routing.lifecycle import DeliveryState, EventKind, LodgementState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]


@pytest.fixture
async def lodged(bench: Any, make_document: Make) -> Any:
    """The bench with an import lodged that customs and health are asked about."""
    await bench.lodge(make_document())
    return bench


async def outcomes(bench: Any) -> list[tuple[int, str]]:
    return [(decision.version, decision.outcome) for decision in (await bench.only()).decisions]


async def test_a_release_when_all_have_answered(lodged: Any) -> None:
    await lodged.answer_as2(await lodged.delivery("customs"), "08")
    assert await outcomes(lodged) == []
    assert await lodged.notes() == []
    assert (await lodged.only()).lodgement.state is LodgementState.ACCEPTED
    response = await lodged.answer("health", await lodged.delivery("health"), "08")
    assert response.status == 202
    assert await outcomes(lodged) == [(1, "released")]
    status = await lodged.only()
    assert status.lodgement.state is LodgementState.RELEASED
    assert {d.state for d in status.deliveries} == {DeliveryState.ANSWERED}
    (note,) = await lodged.notes()
    assert (note.kind, note.number, note.decision_version) == ("CUSRES", 1, 1)
    assert b"GIS+4:::08'" in note.body
    assert b"RFF+ABE:MER-26-004171'" in note.body


@pytest.mark.parametrize(
    ("code", "outcome", "state"),
    [
        ("03", "refused", LodgementState.REFUSED),
        ("05", "inspection", LodgementState.HELD),
        ("06", "documents_required", LodgementState.HELD),
        ("10", "cancelled", LodgementState.CANCELLED),
    ],
)
async def test_what_stops_the_goods_is_told_at_once(
    lodged: Any, code: str, outcome: str, state: LodgementState
) -> None:
    await lodged.answer("health", await lodged.delivery("health"), code)
    assert await outcomes(lodged) == [(1, outcome)]
    assert (await lodged.only()).lodgement.state is state
    assert len(await lodged.notes()) == 1


async def test_an_answer_is_superseded(lodged: Any) -> None:
    """A hold, then a release by the same agency, then the other's: three answers, two decisions."""
    health = await lodged.delivery("health")
    await lodged.answer("health", health, "05")
    lodged.now.tick(60)
    await lodged.answer_as2(await lodged.delivery("customs"), "08")
    await lodged.answer("health", health, "08")
    assert await outcomes(lodged) == [(1, "inspection"), (2, "released")]
    assert [note.decision_version for note in await lodged.notes()] == [1, 2]
    assert (await lodged.only()).lodgement.state is LodgementState.RELEASED


async def test_a_release_is_recalled(lodged: Any) -> None:
    customs, health = await lodged.delivery("customs"), await lodged.delivery("health")
    await lodged.answer_as2(customs, "08")
    await lodged.answer("health", health, "08")
    await lodged.answer("health", health, "03")
    assert await outcomes(lodged) == [(1, "released"), (2, "refused")]
    assert (await lodged.only()).lodgement.state is LodgementState.REFUSED


async def test_the_mrn_is_taken_over(lodged: Any) -> None:
    await lodged.answer_as2(await lodged.delivery("customs"), "08", mrn="26NL00000000000001")
    await lodged.answer("health", await lodged.delivery("health"), "08")
    status = await lodged.only()
    assert status.lodgement.mrn == "26NL00000000000001"
    (note,) = await lodged.notes()
    assert b"RFF+ABT:26NL00000000000001'" in note.body
    view = await lodged.get("/v1/declarations/26NL00000000000001")
    assert view["id"] == status.lodgement.id


async def test_an_answer_without_our_reference(lodged: Any, make_res: Make) -> None:
    """An LRN is no reference: two traders may use one."""
    for reference in (None, "MER-26-004171", "D0000000000000"):
        refused = await lodged.lodge(make_res(reference, "08"), path="/v1/answers", party="health")
        assert refused.status == 422
        assert b"unknown-delivery" in refused.body
    status = await lodged.only()
    assert (status.answers, status.decisions) == ((), ())


async def test_the_reference_may_stand_beside_the_document(lodged: Any, make_res: Make) -> None:
    header = [("Tidewaiter-Delivery", await lodged.delivery("health"))]
    response = await lodged.lodge(
        make_res("own-number-7", "03"), path="/v1/answers", party="health", headers=header
    )
    assert response.status == 202
    assert await outcomes(lodged) == [(1, "refused")]


async def test_an_answer_of_another_agency(lodged: Any, make_cusres: Make) -> None:
    customs, health = await lodged.delivery("customs"), await lodged.delivery("health")
    assert (await lodged.answer("health", customs, "08")).status == 422
    assert (await lodged.answer("agriculture", health, "08")).status == 422
    mdn = await lodged.answer_as2(health, "08")
    assert mdn.kind.value == "processed"  # the message is customs' own; what it says is not for it to say
    status = await lodged.only()
    assert (status.answers, status.decisions) == ((), ())
    assert {d.state for d in status.deliveries} == {DeliveryState.PENDING}
    (note,) = await lodged.notes("customs")
    assert note.kind == "CUSRES"
    assert note.lodgement is None
    assert await lodged.notes("trader") == []


async def test_a_declaration_is_no_answer(lodged: Any, make_document: Make) -> None:
    refused = await lodged.lodge(make_document("export.xml"), path="/v1/answers", party="health")
    assert refused.status == 422
    assert b"not-an-answer" in refused.body


async def test_an_answer_that_cannot_be_read(lodged: Any) -> None:
    refused = await lodged.lodge(b"<Response/>", path="/v1/answers", party="health")
    assert refused.status == 422
    assert (await lodged.kinds())[-1] == "rejected"


@pytest.mark.parametrize("code", ["07", "13"])
async def test_what_only_informs_is_passed_on(lodged: Any, code: str) -> None:
    text = ResponseAdditionalInformation(statement_description="Duties are due", statement_type_code="ACB")
    delivery = await lodged.delivery("health")
    await lodged.answer("health", delivery, code, additional_information=(text,))
    (note,) = await lodged.notes()
    assert b"Duties are due" in note.body
    assert note.decision_version is None
    assert await outcomes(lodged) == []
    states = {d.agency: d.state for d in (await lodged.only()).deliveries}
    assert states["health"] is DeliveryState.SENT


async def test_that_it_arrived_is_not_passed_on(lodged: Any) -> None:
    await lodged.answer("health", await lodged.delivery("health"), "02")
    assert await lodged.notes() == []
    assert [answer.outcome for answer in (await lodged.only()).answers] == ["information"]


async def test_information_after_the_decision(lodged: Any) -> None:
    health = await lodged.delivery("health")
    await lodged.answer("health", health, "03")
    await lodged.answer("health", health, "13")
    states = {d.agency: d.state for d in (await lodged.only()).deliveries}
    assert states["health"] is DeliveryState.ANSWERED
    assert [note.decision_version for note in await lodged.notes()] == [1, None]


async def test_an_agency_s_own_codes(folder: Any, open_bench: Any, make_document: Make) -> None:
    with (folder / "agencies/health.toml").open("a") as file:
        file.write('\n[outcomes]\n"21" = "refused"\n')
    async with open_bench() as bench:
        await bench.lodge(make_document())
        await bench.answer("health", await bench.delivery("health"), "21")
        assert await outcomes(bench) == [(1, "refused")]


async def test_two_answers_at_once(lodged: Any) -> None:
    """Both are read before either is written: both get in, and there is one decision."""
    customs, health = await lodged.delivery("customs"), await lodged.delivery("health")
    responses = []

    async def answer() -> None:
        responses.append((await lodged.answer("health", health, "08")).status)

    async with anyio.create_task_group() as group:
        group.start_soon(lodged.answer_as2, customs, "08")
        group.start_soon(answer)
    assert responses == [202]
    assert {answer.agency for answer in (await lodged.only()).answers} == {"customs", "health"}
    assert await outcomes(lodged) == [(1, "released")]


async def test_many_answers_at_once(lodged: Any) -> None:
    health = await lodged.delivery("health")
    statuses = []

    async def answer(second: int) -> None:
        stamp = DateTime(f"202606021200{second:02}", "204")
        response = await lodged.answer("health", health, "05", issue_date_time=stamp)
        statuses.append(response.status)

    async with anyio.create_task_group() as group:
        for second in range(10):
            group.start_soon(answer, second)
    assert statuses == [202] * 10
    assert len((await lodged.only()).answers) == 10


async def test_two_answers_in_one_payload(lodged: Any, make_cusres: Make) -> None:
    """Accepted, then released, by one agency in one interchange: the second is judged after the first."""
    customs = await lodged.delivery("customs")
    await lodged.answer("health", await lodged.delivery("health"), "08")
    accepted, released = make_cusres(customs, "05"), make_cusres(customs, "08")
    messages = [data[data.index(b"UNH") : data.index(b"UNZ")] for data in (accepted, released)]
    second = messages[1].replace(b"UNH+1+", b"UNH+2+")
    head, _, end = second.rpartition(b"+1'")
    payload = accepted[: accepted.index(b"UNH")] + messages[0] + head + b"+2'" + end + b"UNZ+2+A1'"
    mdn, _ = await lodged.lodge_as2(payload, "customs")
    assert mdn.kind.value == "processed"
    assert [answer.outcome for answer in (await lodged.only()).answers] == [
        "released",
        "inspection",
        "released",
    ]
    assert await outcomes(lodged) == [(1, "inspection"), (2, "released")]
    assert [note.decision_version for note in await lodged.notes()] == [1, 2]


def contrl(reference: str, action: str, *messages: bytes) -> bytes:
    """A CONTRL of customs about the interchange `reference`, and `messages` after it."""
    uci = f"UCI+{reference}+TIDEWAITER:ZZZ+CUSTOMS:ZZZ+{action}"
    body = f"UNH+1+CONTRL:D:3:UN'{uci}'UNT+3+1'".encode()
    for number, message in enumerate(messages, 2):
        text = message[message.index(b"UNH+1+") + 6 : message.index(b"UNZ")]
        body += b"UNH+%d+" % number + text.removesuffix(b"+1'") + b"+%d'" % number
    head = b"UNA:+.? 'UNB+UNOC:3+CUSTOMS:ZZZ+TIDEWAITER:ZZZ+260602:1200+C1'"
    return head + body + b"UNZ+%d+C1'" % (len(messages) + 1)


async def test_an_answer_beside_a_contrl_is_taken(lodged: Any, make_cusres: Make) -> None:
    customs = await lodged.delivery("customs")
    mdn, _ = await lodged.lodge_as2(contrl(customs, "7", make_cusres(customs, "03")), "customs")
    assert mdn.kind.value == "processed"
    assert await outcomes(lodged) == [(1, "refused")]
    assert await lodged.notes("customs") == []
    assert "controlled" in await lodged.kinds()
    assert "rejected" not in await lodged.kinds()


@pytest.mark.parametrize("sent", [False, True])
async def test_a_contrl_that_rejects_a_delivery_makes_it_a_dead_letter(lodged: Any, sent: bool) -> None:
    customs = await lodged.delivery("customs")
    if sent:
        lodged.peer.will(lodged.mdn("customs"))
        await lodged.attempt("customs")
    await lodged.lodge_as2(contrl(customs, "4+18"), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.DEAD
    event = (await lodged.events((await lodged.only()).lodgement.id))[-1]
    assert event.kind is EventKind.DEAD_LETTERED
    faults = event.data.pop("faults")
    assert faults.startswith("UNB ")
    assert faults.endswith("18: an error that is not told further")
    assert event.data == {
        "agency": "customs",
        "delivery": customs,
        "contrl": "4",
        "reason": "CONTRL rejection 18",
        "alarm": "contrl-rejection",
    }
    await lodged.answer_as2(customs, "08")
    assert (await lodged.leg("customs")).state is DeliveryState.ANSWERED


async def test_a_contrl_that_rejects_what_was_answered_is_an_alarm(lodged: Any) -> None:
    customs = await lodged.delivery("customs")
    await lodged.answer_as2(customs, "08")
    await lodged.lodge_as2(contrl(customs, "4"), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.ANSWERED
    assert (await lodged.kinds())[-1] == "alarm"


@pytest.mark.parametrize(("action", "kind"), [("4", "alarm"), ("7", "controlled")])
async def test_a_contrl_about_no_delivery_of_the_agency_moves_nothing(
    lodged: Any, action: str, kind: str
) -> None:
    for reference in ("N0000000000000", await lodged.delivery("health")):
        await lodged.lodge_as2(contrl(reference, action), "customs")
        event = (await lodged.events())[-1]
        assert (event.kind.value, event.lodgement, event.data["reference"]) == (kind, None, reference)
    assert {d.state for d in (await lodged.only()).deliveries} == {DeliveryState.PENDING}
    assert await lodged.notes("customs") == []


async def test_what_is_wrong_beside_a_contrl_is_answered(lodged: Any, make_cusres: Make) -> None:
    customs = await lodged.delivery("customs")
    await lodged.lodge_as2(contrl(customs, "7", make_cusres("D0000000000000", "08")), "customs")
    (note,) = await lodged.notes("customs")
    assert note.kind == "CUSRES"


async def test_what_can_be_taken_is_there_beside_what_cannot(lodged: Any, make_res: Make) -> None:
    """The channel decides: all or nothing over HTTPS, each for itself over AS2."""
    body = make_res(await lodged.delivery("health"), "03").replace(b"</md:MetaData>", b"")
    unknown = make_res("D0000000000000", "08")
    both = body + unknown[unknown.index(b"<Response") :]
    taken = await lodged.decisions.take(lodged.reader.read(both), "health", lodged.now(), None)
    assert [answer.outcome for answer in taken.change.answers] == ["refused"]
    assert [finding.code for finding in taken.findings] == ["unknown-delivery"]
    assert (await lodged.lodge(both, path="/v1/answers", party="health")).status == 422
    assert (await lodged.only()).answers == ()


@pytest.mark.parametrize(("name", "kind"), [("import.edi", "CUSRES"), ("export.xml", "RES")])
@pytest.mark.parametrize("value", ["A\ufffeB", "A\x01B", "A\ud800B"])
async def test_what_our_writer_cannot_express_is_recorded_and_told(
    bench: Any, make_document: Make, name: str, kind: str, value: str
) -> None:
    await bench.lodge(make_document(name))
    (one,) = await bench.ledger.lodgements(limit=1)
    text = ResponseAdditionalInformation(statement_description=value, statement_type_code="ACB")
    told = Response(function_code="05", additional_information=(text,))
    note = bench.answers.response(one, told, bench.parties.named("trader"), 1)
    assert note.kind == kind
    assert bench.reader.read(note.body).valid


async def test_a_writer_that_fails_does_not_refuse_the_answer(
    lodged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agency's word counts, and the trader hears what it comes to."""
    write = edifact.write_cusres

    def failing(told: Any, envelope: Any) -> Any:
        if told.status:
            raise RuntimeError
        return write(told, envelope)

    health = await lodged.delivery("health")
    monkeypatch.setattr(edifact, "write_cusres", failing)
    assert (await lodged.answer("health", health, "03", mrn="M" * 70)).status == 202
    assert await outcomes(lodged) == [(1, "refused")]
    (note,) = await lodged.notes()
    (document,) = lodged.reader.read(note.body).documents
    assert document.responses[0].function_code == "03"
    assert document.responses[0].declaration.functional_reference_id == "MER-26-004171"


async def test_the_same_dated_information_is_passed_on_once(lodged: Any) -> None:
    health = await lodged.delivery("health")
    for _ in range(3):
        await lodged.answer("health", health, "13", issue_date_time=DateTime("20260601120000", "204"))
    assert len(await lodged.notes()) == 1
    assert len((await lodged.only()).answers) == 3
    await lodged.answer("health", health, "13", issue_date_time=DateTime("20260602120000", "204"))
    assert len(await lodged.notes()) == 2
    for _ in range(2):
        await lodged.answer("health", health, "13")
    assert len(await lodged.notes()) == 4  # a reminder without a date may be a new one


async def test_nobody_is_competent(folder: Any, open_bench: Any, make_document: Make) -> None:
    """Told once, with an alarm, and nothing is decided."""
    for agency in ("health", "customs"):
        with (folder / f"agencies/{agency}.toml").open("a") as file:
            file.write('\n[outcomes]\n"12" = "not_competent"\n')
    async with open_bench() as bench:
        await bench.lodge(make_document())
        await bench.answer("health", await bench.delivery("health"), "12")
        assert await bench.notes() == []
        for _ in range(2):
            await bench.answer_as2(await bench.delivery("customs"), "12")
        (note,) = await bench.notes()
        (document,) = bench.reader.read(note.body).documents
        assert document.responses[0].function_code == "02"
        assert "competent" in document.responses[0].additional_information[0].statement_description
        assert (await bench.only()).lodgement.state is LodgementState.ACCEPTED
        assert await outcomes(bench) == []
        alarms = [event.data for event in await bench.events() if event.kind is EventKind.ALARM]
        assert alarms == [{"alarm": "nobody-competent", "agencies": "customs, health"}]


async def test_a_test_answers_in_the_syntax_of_the_lodgement(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document("export.xml"))
    await bench.answer_as2(await bench.delivery("customs"), "08")
    (note,) = await bench.notes()
    assert (note.kind, note.content_type) == ("RES", "application/xml")
    assert bench.reader.read(note.body).valid


async def test_an_answer_that_says_more_than_cusres_holds_is_told_shortened(lodged: Any) -> None:
    text = ResponseAdditionalInformation(statement_description="\u4e2d" * 200, statement_type_code="ACB")
    await lodged.answer("health", await lodged.delivery("health"), "03", additional_information=(text,))
    (note,) = await lodged.notes()
    (read,) = edifact.read_interchange(note.body).messages
    assert read.type == "CUSRES"


async def test_an_answer_to_a_withheld_delivery_changes_no_state(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document(test=True))
    delivery = await bench.delivery("health")
    await bench.answer("health", delivery, "13")
    states = {d.state for d in (await bench.only()).deliveries}
    assert states == {DeliveryState.WITHHELD}


def test_changes_are_merged_whole() -> None:
    event = EventRecord(kind=EventKind.ANSWERED, at=None)  # type: ignore[arg-type]
    update = DeliveryUpdate(id="D", expected=(), state=DeliveryState.SENT)
    found = merged([Change(events=(event,)), Change(), Change(events=(event,), delivery_updates=(update,))])
    assert found == Change(events=(event, event), delivery_updates=(update,))
