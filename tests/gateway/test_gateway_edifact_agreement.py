"""What an agreement lets EDIFACT have beyond the standard, over either channel, from either side."""

import pathlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.codecs import edifact
from tidewaiter.codecs.declaration import ResponseAdditionalInformation
from tidewaiter.gateway.config import AgencySettings, PartnerSettings, load_config
from tidewaiter.gateway.intake import LARGE
from tidewaiter.gateway.lodging import declaration_of
from tidewaiter.gateway.parties import Parties, Party
from tidewaiter.gateway.views import findings_of

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
CHANNELS = ["as2", "https"]
# A city, in UTF-8 under UNOC.
UTF8 = (b"+Santos+", "+São Vicente+".encode())
BOM = b"\xef\xbb\xbf"
MAIL = b"Content-Type: application/edifact\r\n\r\n"


def agree(folder: pathlib.Path, *words: str, file: str = "partners/trader.toml") -> None:
    """Let the agreement in `file` name `words`; an agency over HTTPS has no such key in the starter."""
    text = (folder / file).read_text().replace('edifact-allow = ["leading-text"]\n', "")
    (folder / file).write_text(f"edifact-allow = {list(words)}\n{text}")


async def send(bench: Any, payload: bytes, channel: str) -> list[dict[str, Any]]:
    """Lodge `payload`; the findings by which it is refused, as the channel tells them at once."""
    if channel == "as2":
        mdn, _ = await bench.lodge_as2(payload)
        assert mdn.kind.value == "processed"
        return []
    response = await bench.lodge(payload)
    return list(msgspec.json.decode(response.body).get("findings", []))


async def kept(bench: Any) -> tuple[str, list[tuple[str, str, str, int]]]:
    """The state of the one lodgement, and what its status tells of its findings."""
    view = await bench.get(f"/v1/declarations/{(await bench.only()).lodgement.id}")
    findings = [
        (finding["severity"], finding["code"], finding["pointer"]["tag"], finding["pointer"]["offset"])
        for finding in view["findings"]
    ]
    return view["state"], findings


async def rejected(bench: Any, partner: str = "trader") -> str:
    """The segments of the one entry of the log, a CONTRL, that say what it rejects."""
    (note,) = await bench.notes(partner)
    assert note.kind == "CONTRL"
    answer = edifact.read_interchange(note.body)
    assert answer.valid
    told = edifact.read_contrl(answer, answer.messages[0])
    assert told is not None
    assert told.rejected
    return "'".join(segment for segment in note.body.decode().split("'") if segment.startswith("UC"))


@pytest.mark.parametrize("words", [(), ("leading-text",), ("utf-8",), ("utf-8", "leading-text")])
def test_the_words_of_an_agreement(words: tuple[str, ...]) -> None:
    expected = edifact.Profile(utf8="utf-8" in words, leading_text="leading-text" in words)
    for settings in (
        PartnerSettings(name="a", edifact_allow=words),
        AgencySettings(name="a", syntax="edifact", channel="as2", edifact_allow=words),
    ):
        assert Party("a", settings, None, (), ()).profile == expected


def test_the_starter_says_what_holds_where_nothing_is_said(starter: pathlib.Path) -> None:
    parties = Parties(load_config(starter))
    for name in (*parties.names, "somebody"):
        assert parties.named(name).profile == edifact.Profile()


@pytest.mark.parametrize("channel", CHANNELS)
async def test_utf_8_under_another_level_is_refused(bench: Any, make_document: Make, channel: str) -> None:
    payload = make_document(change=UTF8)
    told = await send(bench, payload, channel)
    place = payload.index(b"NAD+EX")
    assert await kept(bench) == ("rejected", [("error", "46", "NAD", place)])
    if channel == "https":
        (finding,) = told
        assert (finding["code"], finding["pointer"]["offset"], finding["expected"]) == ("46", place, "UNOW")
        assert "UTF-8" in finding["text"]
        assert await bench.notes() == []
    else:
        assert (await rejected(bench)).endswith("+7'UCM+1+CUSDEC:D:96B:UN+4'UCS+21+21")


@pytest.mark.parametrize("channel", CHANNELS)
async def test_utf_8_is_taken_where_it_is_agreed(
    folder: pathlib.Path, open_bench: Any, make_document: Make, channel: str
) -> None:
    agree(folder, "utf-8")
    payload = make_document(change=UTF8)
    async with open_bench() as bench:
        assert await send(bench, payload, channel) == []
        assert await kept(bench) == ("accepted", [("warning", "46", "NAD", payload.index(b"NAD+EX"))])
        assert await bench.notes() == []
        assert "São Vicente" in str(declaration_of((await bench.only()).lodgement))


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("before", [BOM, MAIL])
async def test_text_before_the_interchange_is_taken(
    bench: Any, make_document: Make, channel: str, before: bytes
) -> None:
    assert await send(bench, before + make_document(), channel) == []
    assert await kept(bench) == ("accepted", [("warning", "21", "UNB", 0)])


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("before", [BOM, MAIL])
async def test_text_before_the_interchange_is_refused_where_it_is_not_agreed(
    folder: pathlib.Path, open_bench: Any, make_document: Make, channel: str, before: bytes
) -> None:
    agree(folder)
    async with open_bench() as bench:
        told = await send(bench, before + make_document(), channel)
        assert await kept(bench) == ("rejected", [("error", "21", "UNB", 0)])
        if channel == "https":
            (finding,) = told
            assert (finding["code"], finding["pointer"]["offset"]) == ("21", 0)
        else:
            assert (await rejected(bench)).endswith("+4+21+UNB")


async def test_a_large_one_is_read_by_the_same_agreement(
    folder: pathlib.Path, open_bench: Any, make_document: Make, make_interchange: Make
) -> None:
    """It is read in another thread."""
    agree(folder, "utf-8", "leading-text")
    payload = BOM + make_interchange(*(make_document(lrn=f"L-{n}", change=UTF8) for n in range(6)))
    payload = payload.replace(b"'\n", b"'" + b"\n" * 250)
    assert len(payload) > LARGE
    async with open_bench() as bench:
        assert await send(bench, payload, "https") == []
        found = await bench.ledger.lodgements(limit=10)
        assert [[finding.code for finding in findings_of(one)] for one in found] == [["21", "46"]] * 6


async def test_each_message_keeps_the_warning_of_its_envelope(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    await bench.lodge_as2(BOM + make_interchange(make_document(lrn="L-1"), make_document(lrn="L-2")))
    for lodgement in await bench.ledger.lodgements(limit=10):
        view = await bench.get(f"/v1/declarations/{lodgement.id}")
        assert [finding["code"] for finding in view["findings"]] == ["21"]


def answer(make: Make, delivery: str, before: bytes = b"") -> bytes:
    """A release by an agency, in EDIFACT, with a remark in UTF-8 under UNOC."""
    remark = ResponseAdditionalInformation(statement_description="Libéré", statement_type_code="AAO")
    body = make(delivery, "08", additional_information=(remark,)).decode("latin-1")
    assert "Libéré" in body
    return before + body.encode()


async def replies(bench: Any, body: bytes, channel: str) -> None:
    """An agency answers: over AS2, over HTTPS, or in its response to the delivery."""
    if channel == "as2":
        await bench.lodge_as2(body, "customs")
    elif channel == "https":
        await bench.lodge(body, path="/v1/answers", party="health")
    else:
        bench.peer.will((200, (("Content-Type", "application/edifact"),), body))
        await bench.attempt("health")


AGENCIES = {"as2": "customs", "https": "health", "response": "health"}


@pytest.mark.parametrize(("channel", "agency"), AGENCIES.items())
@pytest.mark.parametrize(
    ("words", "before", "taken"),
    [
        (("leading-text",), b"", False),
        (("utf-8",), b"", True),
        (("utf-8",), BOM, False),
        (("utf-8", "leading-text"), BOM, True),
    ],
)
async def test_an_agency_answers_by_its_own_agreement(
    folder: pathlib.Path,
    open_bench: Any,
    make_document: Make,
    make_cusres: Make,
    channel: str,
    agency: str,
    words: tuple[str, ...],
    before: bytes,
    taken: bool,
) -> None:
    agree(folder, *words, file=f"agencies/{agency}.toml")
    async with open_bench() as bench:
        await bench.lodge(make_document())
        body = answer(make_cusres, await bench.delivery(agency), before)
        await replies(bench, body, channel)
        assert [one.outcome for one in (await bench.only()).answers] == ["released"] * taken
        assert ((await bench.leg(agency)).state.value == "answered") == taken
        if channel == "as2" and not taken:
            assert await rejected(bench, "customs")


async def test_a_refused_answer_over_https_is_pointed_at(
    bench: Any, make_document: Make, make_cusres: Make
) -> None:
    await bench.lodge(make_document())
    body = answer(make_cusres, await bench.delivery("health"))
    response = await bench.lodge(body, path="/v1/answers", party="health")
    assert response.status == 422
    (finding,) = msgspec.json.decode(response.body)["findings"]
    assert (finding["code"], finding["pointer"]["offset"]) == ("46", body.index(b"FTX"))
