"""What the gateway writes: in the syntax of the lodgement, under its own names, never answering a CONTRL."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.codecs import edifact
from tidewaiter.codecs.declaration import Declaration
from tidewaiter.codecs.document import Reading, Syntax
from tidewaiter.codecs.finding import EdifactPointer, Finding, Severity
from tidewaiter.gateway.answers import NotWritable, as2_url, delivery_reference, is_syntax, told
from tidewaiter.gateway.lodging import declaration_of
from tidewaiter.routing.lifecycle import NotificationState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

SYNTAX = Finding(code="13", text="missing", pointer=EdifactPointer(segment=2, tag="BGM", message="1"))
CONTENT = Finding(code="lrn-reused", text="used")


@pytest.fixture
async def lodged(bench: Any, make_document: Make) -> Any:
    await bench.lodge_as2(make_document())
    return bench


async def test_a_rejection_by_syntax_is_a_contrl(lodged: Any, make_document: Make) -> None:
    reading = lodged.reader.read(make_document())
    trader = lodged.parties.named("trader")
    note = lodged.answers.rejection(reading, (SYNTAX, CONTENT), trader, "as2")
    assert note.kind == "CONTRL"
    answer = edifact.read_interchange(note.body)
    assert (answer.sender, answer.recipient, answer.reference) == ("TIDEWAITER", "MERIDIAN", note.id)
    control, findings = edifact.read_contrl(answer, answer.messages[0]), answer.findings
    assert control is not None
    assert (control.reference, control.rejected, findings) == ("MT26041710001", True, ())


async def test_a_rejection_by_content_is_in_the_sender_s_syntax(lodged: Any, make_document: Make) -> None:
    trader = lodged.parties.named("trader")
    for name, kind in (("import.edi", "CUSRES"), ("export.xml", "RES")):
        reading = lodged.reader.read(make_document(name))
        note = lodged.answers.rejection(reading, (CONTENT,), trader, "https", (await lodged.only()).lodgement)
        answer = lodged.reader.read(note.body)
        assert note.kind == kind
        assert answer.valid
        (response,) = answer.documents[0].responses
        assert response.functional_reference_id == note.id
        assert response.declaration.functional_reference_id == "MER-26-004171"
        assert response.error
        assert note.state is NotificationState.STORED


async def test_a_rejection_without_an_lrn_says_what_it_is_about(lodged: Any, make_document: Make) -> None:
    """The sender's own names: the interchange's reference, and what the channel carried it as."""
    trader = lodged.parties.named("trader")
    for payload, said in (
        (make_document("import.edi"), "Rejected: interchange MT26041710001, message <7@trader.example>"),
        (b"<broken", "Rejected: message <7@trader.example>"),
    ):
        reading = lodged.reader.read(payload)
        note = lodged.answers.rejection(reading, (CONTENT,), trader, "as2", sent_as="<7@trader.example>")
        (document,) = lodged.reader.read(note.body).documents
        (response,) = document.responses
        assert [one.statement_description for one in response.additional_information] == [said]
    note = lodged.answers.rejection(
        reading, (CONTENT,), trader, "as2", (await lodged.only()).lodgement, sent_as="<7@trader.example>"
    )
    assert b"trader.example" not in note.body
    long = lodged.answers.rejection(reading, (CONTENT,), trader, "as2", sent_as="x" * 2000)
    assert lodged.reader.read(long.body).valid
    assert b"x" * 101 not in long.body


async def test_what_had_no_syntax_at_all(lodged: Any) -> None:
    reading = lodged.reader.read(b"\x00\x01")
    note = lodged.answers.rejection(reading, reading.findings, lodged.parties.named("trader"), "as2")
    assert note.kind == "CONTRL"
    assert note.state is NotificationState.PENDING


async def test_a_contrl_is_not_rejected(lodged: Any) -> None:
    interchange = edifact.read_interchange(b"UNB+UNOC:3+A+B+261119:0915+C1'UNH+1+CONTRL:D:3:UN'UNT+9+1'")
    reading = Reading(syntax=Syntax.EDIFACT, documents=(), interchange=interchange)
    trader = lodged.parties.named("trader")
    assert lodged.answers.rejection(reading, (SYNTAX,), trader, "as2") is None
    assert lodged.answers.acknowledgement(reading, trader, "as2", None) is None


async def test_a_partner_without_an_address_is_not_pushed_to(
    folder: Any, open_bench: Any, make_document: Make
) -> None:
    file = folder / "partners/trader.toml"
    file.write_text(file.read_text().replace('url = "http', '# url = "http'))
    async with open_bench() as bench:
        assert as2_url(bench.parties.named("trader")) == ""
        await bench.lodge_as2(make_document("invalid.xml"))
        (note,) = await bench.notes()
        assert note.state is NotificationState.STORED


async def test_a_partner_without_an_edifact_id(folder: Any, open_bench: Any, make_document: Make) -> None:
    """The answer goes to whoever sent the interchange."""
    file = folder / "partners/trader.toml"
    file.write_text(file.read_text().replace('edifact-id = "MERIDIAN"', ""))
    async with open_bench() as bench:
        await bench.lodge_as2(make_document(sender="BRANCH7", change=(b"UNZ+1+", b"UNZ+9+")))
        (note,) = await bench.notes()
        assert edifact.read_interchange(note.body).recipient == "BRANCH7"


@pytest.mark.parametrize("agency", ["customs", "health"])
async def test_a_delivery_is_the_declaration_and_our_reference(lodged: Any, agency: str) -> None:
    lodgement = (await lodged.only()).lodgement
    declaration = declaration_of(lodgement)
    settings = lodged.config.agencies[agency]
    body = lodged.answers.delivery(declaration, "D1234567890ABC", settings, test=False)
    reading = lodged.reader.read(body)
    assert reading.valid
    sent = reading.documents[0].declaration
    *others, own = sent.additional_information
    assert (own.statement_code, own.statement_description) == ("DELIVERY", "D1234567890ABC")
    rest = msgspec.structs.replace(sent, additional_information=tuple(others))
    # XML is read with its white space collapsed; marks and numbers come in lines.
    assert msgspec.json.encode(rest).replace(b"\\n", b" ") == msgspec.json.encode(declaration).replace(
        b"\\n", b" "
    )


async def test_a_test_delivery_is_marked(lodged: Any) -> None:
    declaration = declaration_of((await lodged.only()).lodgement)
    body = lodged.answers.delivery(declaration, "D1", lodged.config.agencies["customs"], test=True)
    assert edifact.read_interchange(body).test


async def test_what_cannot_be_written_is_said(lodged: Any) -> None:
    declaration = declaration_of((await lodged.only()).lodgement)
    many = msgspec.structs.replace(
        declaration, additional_information=declaration.additional_information * 200
    )
    with pytest.raises(NotWritable, match="no room"):
        lodged.answers.delivery(many, "D1", lodged.config.agencies["customs"], test=False)
    broken = msgspec.structs.replace(Declaration(), functional_reference_id="a\x00b")
    with pytest.raises(NotWritable):
        lodged.answers.delivery(broken, "D1", lodged.config.agencies["health"], test=False)


async def test_the_event_of_a_notification(lodged: Any, make_document: Make) -> None:
    lodgement = (await lodged.only()).lodgement
    lodged.now.tick(2.5)
    reading = lodged.reader.read(make_document())
    note = lodged.answers.rejection(reading, (CONTENT,), lodged.parties.named("trader"), "as2", lodgement)
    event = told(note, lodgement, "rejection")
    assert event.data == {
        "notification": note.id,
        "push": "1",
        "class": "rejection",
        "type": "import",
        "seconds": "2.500000",
    }
    assert event.at == note.created


def test_what_is_syntax() -> None:
    assert is_syntax(SYNTAX)
    assert not is_syntax(CONTENT)
    assert not is_syntax(Finding(code="13", text="", severity=Severity.WARNING))


async def test_an_answer_gives_our_reference_back(lodged: Any, make_res: Make) -> None:
    (response,) = lodged.reader.read(make_res("D9", "08")).documents[0].responses
    assert delivery_reference(response) == "D9"
