"""When a CONTRL goes out: as UNB 0031 asks and as the agreement says, over either channel, to either side."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.codecs import edifact

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
BAD = (b"LOC+35+BR", b"XYZ+1")
CUSDEC_4 = (b"UNB+UNOC:3+", b"UNB+UNOC:4+")


def agree(folder: pathlib.Path, value: str, file: str = "partners/trader.toml") -> None:
    text = (folder / file).read_text()
    assert 'contrl = "asked"' in text
    (folder / file).write_text(text.replace('contrl = "asked"', f'contrl = "{value}"'))


def action(note: Any) -> tuple[str, bool]:
    """0083 of UCI, and whether anything is rejected."""
    answer = edifact.read_interchange(note.body)
    assert answer.valid
    control = edifact.read_contrl(answer, answer.messages[0])
    assert control is not None
    return control.action, control.rejected


async def send(bench: Any, payload: bytes, channel: str) -> None:
    if channel == "as2":
        await bench.lodge_as2(payload)
    else:
        await bench.lodge(payload)


@pytest.mark.parametrize("channel", ["as2", "https"])
async def test_always_is_without_being_asked(
    folder: Any, open_bench: Any, make_document: Make, channel: str
) -> None:
    agree(folder, "always")
    async with open_bench() as bench:
        await send(bench, make_document(), channel)
        (note,) = await bench.notes()
        assert (note.kind, action(note)) == ("CONTRL", ("7", False))
        await bench.lodge_as2(make_document("export.xml"))
        assert len(await bench.notes()) == 1


@pytest.mark.parametrize("channel", ["as2", "https"])
async def test_never_is_not_even_for_errors(
    folder: Any, open_bench: Any, make_document: Make, make_interchange: Make, channel: str
) -> None:
    """What is wrong with the syntax is told by a CUSRES for each message, over HTTPS in the response."""
    agree(folder, "never")
    async with open_bench() as bench:
        await send(bench, make_document(ack=True), channel)
        assert await bench.notes() == []
        two = make_interchange(*(make_document(lrn=f"L-{number}", change=BAD) for number in (1, 2)), ack=True)
        await send(bench, two, channel)
        kinds = ["CUSRES", "CUSRES"] if channel == "as2" else []
        assert [note.kind for note in await bench.notes()] == kinds


@pytest.mark.parametrize("asked", [True, False])
async def test_over_https_what_was_asked_for_is_in_the_log_too(
    bench: Any, make_document: Make, asked: bool
) -> None:
    """The response says what is wrong; the CONTRL that UNB 0031 asks for says it as well."""
    refused = await bench.lodge(make_document(ack=asked, change=BAD))
    assert refused.status == 422
    notes = await bench.notes()
    assert [(note.kind, action(note)) for note in notes] == ([("CONTRL", ("7", True))] if asked else [])
    classes = [event.data["class"] for event in await bench.events() if event.kind.value == "notified"]
    assert classes == (["rejection", "acknowledgement"] if asked else ["rejection"])


async def test_over_https_right_syntax_is_acknowledged_where_the_content_is_wrong(
    bench: Any, make_document: Make
) -> None:
    refused = await bench.lodge(make_document(ack=True, change=(b"+TIDEWAITER:ZZZ+", b"+OTHER:ZZZ+")))
    assert refused.status == 422
    (note,) = await bench.notes()
    assert action(note) == ("4", True)


@pytest.mark.parametrize(
    ("ask", "change", "expected"),
    [
        (b"2", (b"", b""), [("8", False)]),
        (b"2", BAD, [("7", True)]),
        (b"1", (b"", b""), [("7", False)]),
    ],
)
@pytest.mark.parametrize("channel", ["as2", "https"])
async def test_receipt_only_is_asked_for_in_version_4(
    bench: Any,
    make_document: Make,
    channel: str,
    ask: bytes,
    change: tuple[bytes, bytes],
    expected: list[Any],
) -> None:
    payload = make_document(ack=True, change=change)
    head, mark, rest = payload.partition(b"++++1'")
    head = head.replace(*CUSDEC_4).replace(b"+2604", b"+202604", 1).replace(b"UNA:+.? '", b"UNA:+.?*'")
    await send(bench, head + mark.replace(b"1", ask) + rest, channel)
    notes = await bench.notes()
    assert [action(note) for note in notes] == expected
    assert all(b"CONTRL:4:1:UN" in note.body for note in notes)


async def test_version_3_knows_no_receipt_only(bench: Any, make_document: Make) -> None:
    await bench.lodge_as2(make_document(ack=True).replace(b"++++1'", b"++++2'"))
    assert await bench.notes() == []


def cusres(make: Make, delivery: str, *, ask: bool = True) -> bytes:
    body = make(delivery, "08", reference="A1")
    return body.replace(b"+A1'UNH", b"+A1++++1'UNH") if ask else body


@pytest.mark.parametrize("value", ["asked", "always", "never"])
@pytest.mark.parametrize("ask", [True, False])
async def test_an_agency_s_answers_are_acknowledged_too(
    folder: Any, open_bench: Any, make_document: Make, make_cusres: Make, value: str, ask: bool
) -> None:
    agree(folder, value, "agencies/customs.toml")
    async with open_bench() as bench:
        await bench.lodge(make_document())
        body = cusres(make_cusres, await bench.delivery("customs"), ask=ask)
        await bench.lodge_as2(body, "customs")
        due = value == "always" or (value == "asked" and ask)
        assert [action(note) for note in await bench.notes("customs")] == [("7", False)] * due
        assert (await bench.only()).answers


async def test_an_agency_hears_it_over_https(bench: Any, make_document: Make, make_cusres: Make) -> None:
    await bench.lodge(make_document())
    body = cusres(make_cusres, await bench.delivery("health"))
    assert (await bench.lodge(body, path="/v1/answers", party="health")).status == 202
    assert [action(note) for note in await bench.notes("health")] == [("7", False)]
    bad = body.replace(b"UNT+", b"UNT+9")
    assert (await bench.lodge(bad, path="/v1/answers", party="health")).status == 422
    assert [action(note) for note in await bench.notes("health")] == [("7", False), ("7", True)]


async def test_an_agency_hears_it_of_an_answer_in_its_response(
    bench: Any, make_document: Make, make_cusres: Make
) -> None:
    await bench.lodge(make_document())
    body = cusres(make_cusres, await bench.delivery("health"))
    bench.peer.will((200, (("Content-Type", "application/edifact"),), body))
    await bench.attempt("health")
    assert (await bench.leg("health")).state.value == "answered"
    assert [action(note) for note in await bench.notes("health")] == [("7", False)]


async def test_a_contrl_is_never_answered_whatever_is_agreed(folder: Any, open_bench: Any) -> None:
    agree(folder, "always")
    body = b"UNH+1+CONTRL:D:3:UN'UCI+X+TIDEWAITER+MERIDIAN+7'UNT+3+1'UNZ+1+C1'"
    async with open_bench() as bench:
        for end in (b"", b"++++1"):
            await bench.lodge_as2(b"UNB+UNOC:3+MERIDIAN+TIDEWAITER+260602:1200+C1" + end + b"'" + body)
        assert await bench.notes() == []
