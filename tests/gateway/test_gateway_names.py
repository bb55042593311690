"""Names: each partner has its own, a test has none, and what comes again under another name is known."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from tidewaiter.gateway.ledger import Conflict, ConflictKind
from tidewaiter.security import make_self_signed

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]

MRN = "26NL0000000001"
GOODS = (b"Roasted coffee", b"Toasted coffee")


@pytest.fixture
async def market(folder: Any, open_bench: Any) -> AsyncIterator[Any]:
    """A gateway with a second partner, whose interchange name is not configured."""
    made = datetime(2026, 6, 1, tzinfo=UTC)
    certificate, _ = make_self_signed("rival", now=made, days=100, key="p256", hosts=())
    (folder / "keys/rival.pem").write_bytes(certificate)
    (folder / "partners/rival.toml").write_text('name = "rival"\ncertificates = ["keys/rival.pem"]\n')
    trader = folder / "partners/trader.toml"
    trader.write_text(trader.read_text().replace('edifact-id = "MERIDIAN"', ""))
    async with open_bench() as bench:
        yield bench


def follow_up(
    make_document: Make,
    number: int,
    *,
    lrn: bytes = b"MER-26-004171",
    function: bytes = b"4",
    mrn: str = "",
    **more: Any,
) -> bytes:
    """An amendment (BGM 1225: 4) or a cancellation (1) of the sample import, under its own reference."""
    data = make_document(reference=f"MT{number}", **more)
    data = data.replace(b"IMA+MER-26-004171+9", b"IMA+%s+%s" % (lrn, function))
    if not mrn:
        return data
    data = data.replace(b"RFF+UCN", b"RFF+ABT:%s'\nRFF+UCN" % mrn.encode())
    return data.replace(b"UNT+80", b"UNT+81")


async def answered(bench: Any, payload: bytes) -> Any:
    """`payload`, lodged and released under an MRN."""
    await bench.lodge(payload)
    original = (await bench.only()).lodgement
    await bench.answer_as2(await bench.delivery("customs"), "08", mrn=MRN)
    await bench.answer("health", await bench.delivery("health"), "08")
    assert (await bench.status(original.id)).lodgement.mrn == MRN
    return original


async def newest(bench: Any) -> Any:
    return (await bench.ledger.lodgements(limit=1))[0]


async def test_two_partners_use_the_same_names(market: Any, make_document: Make) -> None:
    """One document, one LRN, one interchange reference: neither partner hears of the other."""
    first = await market.lodge(make_document(), party="rival")
    second = await market.lodge(make_document())
    again = await market.lodge(make_document())
    assert (first.status, second.status, again.status) == (202, 202, 202)
    assert b'"lodged-before":true' not in second.body
    assert b'"lodged-before":true' in again.body
    found = await market.ledger.lodgements(limit=9)
    assert [one.partner for one in found] == ["trader", "rival"]
    assert found[1].id.encode() not in second.body + again.body
    other = await market.lodge(make_document(reference="MT2", change=GOODS), party="rival")
    assert b"lrn-reused" in other.body


async def test_an_amendment_finds_its_partner_s_own(market: Any, make_document: Make) -> None:
    for party in ("trader", "rival"):
        await market.lodge(make_document(), party=party)
    rival, trader = await market.ledger.lodgements(limit=2)
    await market.lodge(follow_up(make_document, 2))
    assert (await newest(market)).root == trader.id != rival.id


async def test_a_live_amendment_never_hangs_on_a_test(bench: Any, make_document: Make) -> None:
    original = await answered(bench, make_document())
    rehearsed = follow_up(make_document, 3, function=b"9", mrn=MRN, test=True)
    assert (await bench.lodge(rehearsed)).status == 202
    assert (await newest(bench)).test
    response = await bench.lodge(follow_up(make_document, 2, mrn=MRN))
    assert response.status == 202, response.body
    assert (await newest(bench)).root == original.id


async def test_a_test_is_nothing_to_amend(bench: Any, make_document: Make) -> None:
    assert (await bench.lodge(make_document(test=True))).status == 202
    for mrn in ("", MRN):
        refused = await bench.lodge(follow_up(make_document, 2, mrn=mrn))
        assert b"unknown-declaration" in refused.body


async def test_an_mrn_that_an_agency_gave_comes_first(bench: Any, make_document: Make) -> None:
    """Another original of the trader's, into which it wrote the same MRN, is not what it amends by it."""
    original = await answered(bench, make_document())
    other = follow_up(make_document, 4, lrn=b"OTHER-1", function=b"9", mrn=MRN)
    assert (await bench.lodge(other)).status == 202
    assert (await newest(bench)).mrn == MRN
    response = await bench.lodge(follow_up(make_document, 2, lrn=b"NEW-1", mrn=MRN))
    assert response.status == 202, response.body
    assert (await newest(bench)).root == original.id


@pytest.mark.parametrize("function", [b"4", b"1"], ids=["amendment", "cancellation"])
async def test_a_follow_up_that_comes_again_is_tied(bench: Any, make_document: Make, function: bytes) -> None:
    """Under another interchange reference and without a key: it is lodged once, and delivered once."""
    await bench.lodge(make_document())
    first = await bench.lodge(follow_up(make_document, 2, function=function))
    known = await newest(bench)
    again = await bench.lodge(follow_up(make_document, 3, function=function))
    assert (first.status, again.status) == (202, 202)
    assert b'"lodged-before":true' in again.body
    assert known.id.encode() in again.body
    assert len(await bench.ledger.lodgements(limit=9)) == 2
    changed = follow_up(make_document, 4, function=function, change=GOODS)
    assert b'"lodged-before":true' not in (await bench.lodge(changed)).body


async def test_one_follow_up_at_once_is_lodged_once(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    responses: list[Any] = []

    async def lodge(number: int) -> None:
        responses.append(await bench.lodge(follow_up(make_document, number)))

    async with anyio.create_task_group() as group:
        for number in range(2, 6):
            group.start_soon(lodge, number)
    assert [response.status for response in responses] == [202] * 4
    assert len(await bench.ledger.lodgements(limit=9)) == 2


async def test_one_follow_up_twice_in_an_interchange(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    await bench.lodge(make_document())
    amendment = follow_up(make_document, 2)
    refused = await bench.lodge(make_interchange(amendment, amendment))
    assert refused.status == 422
    assert refused.body.count(b'"code":"repeated"') == 1


async def test_many_amendments_sent_again_are_known_at_once(
    bench: Any, make_document: Make, make_interchange: Make
) -> None:
    """However many messages: two rounds, not one for each of them."""
    lrns = [f"LRN-{number:03}" for number in range(60)]
    await bench.lodge(make_interchange(*(make_document(lrn=lrn) for lrn in lrns)))
    amendments = [follow_up(make_document, 2, lrn=lrn.encode()) for lrn in lrns]
    await bench.lodge_as2(make_interchange(*amendments, reference="AM1"))
    assert len(await bench.ledger.lodgements(limit=200)) == 120

    commit, tries = bench.ledger.commit, []

    async def counted(changes: Any) -> Any:
        tries.append(changes)
        return await commit(changes)

    bench.ledger.commit = counted
    mdn, _ = await bench.lodge_as2(make_interchange(*amendments, reference="AM1"))
    assert mdn.kind.value == "processed"
    assert len(tries) <= 2
    assert len(await bench.ledger.lodgements(limit=200)) == 120
    assert (await bench.kinds()).count("duplicate") == 60


@pytest.mark.parametrize("channel", ["https", "as2"])
async def test_what_conflicts_for_ever_may_come_again(bench: Any, make_document: Make, channel: str) -> None:
    """Nothing is wrong with the message: it is neither refused nor receipted."""

    async def stale(_: Any) -> list[Conflict]:
        return [Conflict(kind=ConflictKind.STALE)]

    payload, reads, read = make_document(), [], bench.reader.read

    def watched(data: bytes, *how: Any) -> Any:
        reads.append(data == payload)
        return read(data, *how)

    bench.ledger.commit, bench.reader.read = stale, watched
    if channel == "https":
        response = await bench.lodge(make_document(), key="k")
    else:
        response = await bench.post(bench.composed(make_document()))
    assert response.status == 503
    assert b"disposition" not in response.body.lower()
    assert sum(reads) == 1


async def test_a_refusal_leaves_the_key_free(bench: Any, make_document: Make) -> None:
    """An interchange with nothing to lodge is no use of its key."""
    contrl = b"UNB+UNOC:3+MERIDIAN+TIDEWAITER+261119:0915+C1'UNH+1+CONTRL:D:3:UN'UCI+X+MERIDIAN+TIDEWAITER+7'"
    refused = await bench.lodge(contrl + b"UNT+3+1'UNZ+1+C1'", key="k")
    assert refused.status == 422
    assert b"Nothing to lodge" in refused.body
    assert (await bench.lodge(make_document(), key="k")).status == 202


async def test_a_status_tells_what_came_after(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document())
    for number, function in ((2, b"4"), (3, b"1")):
        await bench.lodge(follow_up(make_document, number, function=function))
    later = (await bench.status("MER-26-004171")).later
    assert [one.function for one in later] == ["amendment", "cancellation"]
    assert [one.id for one in (await bench.status(later[0].id)).later] == [later[1].id]
    await bench.lodge(follow_up(make_document, 4, change=(b"LOC+35+BR", b"XYZ+1")))
    assert len((await bench.status("MER-26-004171")).later) == 2
