"""What an agency acknowledges or rejects by CONTRL or APERAK: tied to the delivery, or clearly refused."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.routing.lifecycle import DeliveryState, EventKind

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]


@pytest.fixture
async def lodged(bench: Any, make_document: Make) -> Any:
    """An import lodged that customs and health are asked about."""
    await bench.lodge(make_document())
    return bench


def interchange(*messages: str, ask: str = "", level: str = "UNOC:3", reference: str = "C1") -> bytes:
    """What customs sends: messages given as `CONTRL:D:3:UN'UCI+...'`."""
    day = "20260602" if level.endswith("4") else "260602"
    parts = [f"UNB+{level}+CUSTOMS+TIDEWAITER+{day}:1200+{reference}{ask}'"]
    for number, message in enumerate(messages, 1):
        parts.append(f"UNH+{number}+{message}UNT+{message.count(chr(39)) + 1}+{number}'")
    return "".join((*parts, f"UNZ+{len(messages)}+{reference}'")).encode()


def contrl(reference: str, action: str, *more: str, names: str = "TIDEWAITER+CUSTOMS", **sent: Any) -> bytes:
    version = "4:1" if sent.get("level", "").endswith("4") else "D:3"
    rest = "".join(f"{segment}'" for segment in more)
    return interchange(f"CONTRL:{version}:UN'UCI+{reference}+{names}+{action}'{rest}", **sent)


def aperak(*segments: str, head: str = "BGM+305+AP1+9", release: str = "96B", **sent: Any) -> bytes:
    rest = "".join(f"{segment}'" for segment in segments)
    return interchange(f"APERAK:D:{release}:UN'{head}'{rest}", **sent)


async def newest(bench: Any) -> Any:
    return (await bench.events())[-1]


@pytest.mark.parametrize("level", ["UNOC:3", "UNOC:4"])
async def test_a_rejection_says_where_in_what_we_sent(lodged: Any, level: str) -> None:
    customs = await lodged.delivery("customs")
    ucm = "UCM+1+CUSDEC:D:96B:UN+4"
    await lodged.lodge_as2(contrl(customs, "7", ucm, "UCS+2", "UCD+39+3:1", level=level), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.DEAD
    event = await newest(lodged)
    assert (event.kind, event.data["reason"]) == (EventKind.DEAD_LETTERED, "CONTRL rejection 39")
    place, _, text = event.data["faults"].partition(" 39: ")
    assert place.startswith("BGM[2]/2/1 @")
    assert text == "the element is too long"


async def test_what_we_sent_is_told_to_whom_it_went(lodged: Any) -> None:
    """The same reference between other parties is another interchange."""
    customs = await lodged.delivery("customs")
    for names in ("CUSTOMS+TIDEWAITER", "TIDEWAITER+HEALTH", "+CUSTOMS"):
        await lodged.lodge_as2(contrl(customs, "4+12", names=names), "customs")
        assert (await lodged.leg("customs")).state is DeliveryState.PENDING
        event = await newest(lodged)
        assert (event.kind, event.lodgement) == (EventKind.ALARM, None)
        assert event.data["refused"] == "the interchange of this reference went from TIDEWAITER to CUSTOMS"
    assert await lodged.notes("customs") == []


@pytest.mark.parametrize(
    ("reference", "names", "code"),
    [("N0000000000000", "TIDEWAITER+HEALTH", "unknown-reference"), (None, "A+B", "wrong-parties")],
)
async def test_over_https_the_response_refuses_it(
    lodged: Any, reference: str | None, names: str, code: str
) -> None:
    reference = reference or await lodged.delivery("health")
    body = contrl(reference, "7", names=names)
    refused = await lodged.lodge(body, path="/v1/answers", party="health")
    assert refused.status == 422
    (finding,) = msgspec.json.decode(refused.body)["findings"]
    assert finding["code"] == code
    assert await lodged.notes("health") == []


async def test_over_https_one_that_is_known_is_taken(lodged: Any) -> None:
    health = await lodged.delivery("health")
    body = contrl(health, "7", names="TIDEWAITER+HEALTH")
    taken = await lodged.lodge(body, path="/v1/answers", party="health")
    assert taken.status == 202
    assert msgspec.json.decode(taken.body)["acknowledged"] == 1
    assert (await newest(lodged)).kind is EventKind.CONTROLLED


@pytest.mark.parametrize("segments", ["UCI+{}+TIDEWAITER+HEALTH+9'", "UCM+1+CUSDEC:D:96B:UN+4'"])
async def test_one_that_says_nothing_moves_nothing(lodged: Any, segments: str) -> None:
    health = await lodged.delivery("health")
    body = interchange(f"CONTRL:D:3:UN'{segments.format(health)}")
    refused = await lodged.lodge(body, path="/v1/answers", party="health")
    assert refused.status == 422
    assert b'"code":"not-readable"' in refused.body
    await lodged.lodge_as2(body, "customs")
    assert {d.state for d in (await lodged.only()).deliveries} == {DeliveryState.PENDING}
    assert await lodged.notes("customs") == await lodged.notes("health") == []


async def test_one_about_an_answer_of_ours(lodged: Any, make_cusres: Make) -> None:
    """We rejected an answer of customs by a CUSRES, and customs cannot read that."""
    await lodged.lodge_as2(make_cusres("D0000000000000", "08"), "customs")
    (note,) = await lodged.notes("customs")
    await lodged.lodge_as2(contrl(note.id, "7"), "customs")
    event = await newest(lodged)
    assert (event.kind, event.data["notification"]) == (EventKind.CONTROLLED, note.id)
    assert "refused" not in event.data
    ucm = "UCM+1+CUSRES:D:96B:UN+4"
    await lodged.lodge_as2(contrl(note.id, "7", ucm, "UCS+2+15"), "customs")
    event = await newest(lodged)
    assert (event.kind, event.data["alarm"]) == (EventKind.ALARM, "contrl-rejection")
    assert event.data["faults"].startswith("BGM[2] @")
    assert len(await lodged.notes("customs")) == 1


@pytest.mark.parametrize("how", ["RFF+ACW:{}", "DOC+929+{}", "bgm"])
async def test_an_aperak_that_rejects_makes_a_dead_letter(lodged: Any, how: str) -> None:
    customs = await lodged.delivery("customs")
    head = f"BGM+313+{customs}+9" if how == "bgm" else "BGM+313+AP1+9"
    release = "01B" if how.startswith("DOC") else "96B"
    about = () if how == "bgm" else (how.format(customs),)
    body = aperak(*about, "ERC+E12", "FTX+AAO+++Value too low", "RFF+LI:3", head=head, release=release)
    mdn, _ = await lodged.lodge_as2(body, "customs")
    assert mdn.kind.value == "processed"
    assert (await lodged.leg("customs")).state is DeliveryState.DEAD
    event = await newest(lodged)
    assert event.kind is EventKind.DEAD_LETTERED
    assert event.data == {
        "agency": "customs",
        "delivery": customs,
        "aperak": "9",
        "reason": "APERAK rejection E12",
        "faults": "E12 (line 3): Value too low",
        "alarm": "aperak-rejection",
    }
    assert await lodged.notes("customs") == []


async def test_an_aperak_that_accepts_is_kept(lodged: Any) -> None:
    customs = await lodged.delivery("customs")
    await lodged.lodge_as2(aperak(f"RFF+ACW:{customs}", head="BGM+312+AP1+29"), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.PENDING
    event = await newest(lodged)
    assert (event.kind, event.lodgement) == (EventKind.CONTROLLED, (await lodged.only()).lodgement.id)


async def test_an_aperak_about_what_was_answered_is_an_alarm(lodged: Any) -> None:
    customs = await lodged.delivery("customs")
    await lodged.answer_as2(customs, "08")
    await lodged.lodge_as2(aperak(f"RFF+ACW:{customs}", "ERC+E1"), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.ANSWERED
    assert (await newest(lodged)).kind is EventKind.ALARM


async def test_an_aperak_names_a_declaration_by_its_mrn_alone(lodged: Any) -> None:
    """An LRN may be that of several declarants: none is taken for the one that is meant."""
    await lodged.lodge_as2(aperak("RFF+ABE:MER-26-004171", "ERC+E1"), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.PENDING
    await lodged.answer("health", await lodged.delivery("health"), "05", mrn="26NL77BB8CCCFA95C4")
    await lodged.lodge_as2(aperak("RFF+ABT:26NL77BB8CCCFA95C4", "ERC+E1"), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.DEAD


async def test_an_aperak_in_the_response_to_a_delivery(lodged: Any) -> None:
    """The delivery it came back for is meant where it names none."""
    lodged.peer.will((200, (("Content-Type", "application/edifact"),), aperak("ERC+E1")))
    await lodged.attempt("health")
    assert (await lodged.leg("health")).state is DeliveryState.DEAD


@pytest.mark.parametrize("reference", ["D0000000000000", "health"])
async def test_an_aperak_about_no_delivery_of_the_agency(lodged: Any, reference: str) -> None:
    if reference == "health":
        reference = await lodged.delivery("health")
    body = aperak(f"RFF+ACW:{reference}", "ERC+E1")
    await lodged.lodge_as2(body, "customs")
    assert {d.state for d in (await lodged.only()).deliveries} == {DeliveryState.PENDING}
    event = await newest(lodged)
    assert (event.kind, event.lodgement) == (EventKind.ALARM, None)
    assert await lodged.notes("customs") == []


async def test_an_aperak_that_did_not_come_whole_gets_a_contrl(lodged: Any) -> None:
    customs = await lodged.delivery("customs")
    body = aperak(f"RFF+ACW:{customs}", "ERC+E1").replace(b"UNT+5", b"UNT+6")
    await lodged.lodge_as2(body, "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.PENDING
    (note,) = await lodged.notes("customs")
    assert note.kind == "CONTRL"
    assert b"UCM+1+APERAK:D:96B:UN+4+29+UNT+2" in note.body


async def test_acknowledgements_of_one_payload_follow_each_other(lodged: Any) -> None:
    """The second speaks of what the first has moved."""
    customs = await lodged.delivery("customs")
    body = f"CONTRL:D:3:UN'UCI+{customs}+TIDEWAITER+CUSTOMS+4+12'"
    await lodged.lodge_as2(interchange(body, body), "customs")
    assert (await lodged.leg("customs")).state is DeliveryState.DEAD
    assert (await lodged.kinds())[-2:] == ["dead_lettered", "alarm"]
