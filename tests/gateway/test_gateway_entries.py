"""What a trader says of an entry of its log: kept with it, or refused in so many words."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tidewaiter.routing.lifecycle import EventKind, NotificationState

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]
BAD = (b"LOC+35+BR", b"XYZ+1")


@pytest.fixture
async def told(bench: Any, make_document: Make) -> Any:
    """A trader who has a CONTRL in his log."""
    await bench.lodge_as2(make_document(ack=True))
    return bench


def contrl(reference: str, action: str, *more: str, names: str = "TIDEWAITER+MERIDIAN") -> bytes:
    rest = "".join(f"{segment}'" for segment in more)
    body = f"UNH+1+CONTRL:D:3:UN'UCI+{reference}+{names}+{action}'{rest}UNT+{len(more) + 3}+1'"
    return f"UNB+UNOC:3+MERIDIAN+TIDEWAITER+260602:1200+C1'{body}UNZ+1+C1'".encode()


async def entry(bench: Any) -> Any:
    return (await bench.notes())[0]


async def test_an_acknowledgement_is_kept_with_its_entry(told: Any) -> None:
    note = await entry(told)
    mdn, _ = await told.lodge_as2(contrl(note.id, "7"))
    assert mdn.kind.value == "processed"
    event = (await told.events())[-1]
    assert (event.kind, event.lodgement) == (EventKind.ACKNOWLEDGED, note.lodgement)
    assert event.data == {
        "notification": note.id,
        "partner": "trader",
        "reference": note.id,
        "contrl": "7",
    }
    assert len(await told.notes()) == 1
    assert len(await told.ledger.lodgements(limit=10)) == 1


async def test_a_rejection_is_an_alarm_with_its_places(told: Any) -> None:
    note = await entry(told)
    ucm = "UCM+1+CONTRL:D:3:UN+4"
    await told.lodge_as2(contrl(note.id, "7", ucm, "UCS+2", "UCD+12+2"))
    event = (await told.events())[-1]
    assert (event.kind, event.lodgement) == (EventKind.ALARM, note.lodgement)
    assert event.data["alarm"] == "contrl-rejection"
    place, _, text = event.data["faults"].partition(" 12: ")
    assert place.startswith("UCI[2]/1 @")
    assert text == "the value is not valid"
    assert (await entry(told)).state is NotificationState.PENDING
    assert len(await told.notes()) == 1


@pytest.mark.parametrize(
    ("reference", "names", "reason"),
    [
        ("X", "TIDEWAITER+MERIDIAN", "nothing that was sent to you has the reference this CONTRL speaks of"),
        ("", "MERIDIAN+TIDEWAITER", "the interchange of this reference went from TIDEWAITER to MERIDIAN"),
    ],
)
async def test_what_it_does_not_speak_of_is_refused(
    told: Any, reference: str, names: str, reason: str
) -> None:
    body = contrl(reference or (await entry(told)).id, "7", names=names)
    mdn, _ = await told.lodge_as2(body)
    assert mdn.kind.value == "processed"
    event = (await told.events())[-1]
    assert (event.kind, event.data["reason"]) == (EventKind.REFUSED, reason)
    refused = await told.lodge(body, key="k")
    assert refused.status == 422
    assert b"Nothing to lodge" in refused.body
    assert [finding["text"] for finding in msgspec.json.decode(refused.body)["findings"]] == [reason]
    assert len(await told.notes()) == 1
    assert len(await told.ledger.lodgements(limit=10)) == 1


async def test_somebody_else_s_entry_is_not_known(folder: Any, open_bench: Any, make_document: Make) -> None:
    (folder / "partners/rival.toml").write_text('name = "rival"\n')
    async with open_bench() as bench:
        await bench.lodge_as2(make_document(ack=True))
        reading = bench.reader.read(contrl((await entry(bench)).id, "7"))
        taken = await bench.intake.take(reading, bench.source("rival"), whole=False)
        assert [finding.code for finding in taken.findings] == ["unknown-reference"]


async def test_over_https_one_that_is_known_is_taken(told: Any) -> None:
    taken = await told.lodge(contrl((await entry(told)).id, "7"))
    assert taken.status == 202
    assert msgspec.json.decode(taken.body)["acknowledged"] == 1
    assert "acknowledged" in await told.kinds()


async def test_one_that_says_nothing_is_refused(told: Any) -> None:
    refused = await told.lodge(contrl((await entry(told)).id, "9"))
    assert refused.status == 422
    assert b'"code":"not-readable"' in refused.body


async def test_an_aperak_of_a_trader(told: Any) -> None:
    note = await entry(told)
    body = f"UNH+1+APERAK:D:96B:UN'BGM+963+A1+27'RFF+ACW:{note.id}'ERC+E7'FTX+AAO+++Not ours'UNT+6+1'"
    await told.lodge_as2(f"UNB+UNOC:3+MERIDIAN+TIDEWAITER+260602:1200+C1'{body}UNZ+1+C1'".encode())
    event = (await told.events())[-1]
    assert (event.kind, event.lodgement) == (EventKind.ALARM, note.lodgement)
    assert (event.data["aperak"], event.data["faults"]) == ("27", "E7: Not ours")


async def test_a_declaration_beside_one_of_nothing_known_is_lodged(bench: Any, make_document: Make) -> None:
    """What it acknowledges is no matter of the declaration."""
    data = make_document()
    said = b"UNH+9+CONTRL:D:3:UN'UCI+X+TIDEWAITER+MERIDIAN+7'UNT+3+9'"
    both = data.replace(b"UNZ+1+", said + b"UNZ+2+")
    assert (await bench.lodge(both)).status == 202
    assert (await bench.only()).lodgement.state.value == "accepted"
    assert "refused" in await bench.kinds()
