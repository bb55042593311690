"""Names: each partner has its own, a test has none, and what comes again under another name is known."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

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
