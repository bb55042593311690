"""The inbound path: the receipt is durable before it leaves, and a document that defeats us is kept."""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import resources
from tidewaiter.gateway.as2 import MdnKind
from tidewaiter.gateway.ledger import Committed, LedgerUnavailable
from tidewaiter.gateway.offers import digest_of

pytestmark = pytest.mark.anyio
Make = Callable[..., bytes]


class CrashingReader(Reader):
    """Defeated by one document."""

    def __init__(self) -> None:
        super().__init__(resources.directory, resources.schemas)

    def read(self, payload: bytes, *how: Any) -> Any:
        if b"MER-26-004171" in payload:
            raise RecursionError("too deep")
        return super().read(payload, *how)


async def test_a_document_that_crashes_the_decoder_over_https(open_bench: Any, make_document: Make) -> None:
    async with open_bench(CrashingReader()) as bench:
        payload = make_document()
        response = await bench.lodge(payload, key="k")
        assert response.status == 500
        assert dict(response.headers)["Content-Type"] == "application/problem+json"
        body = msgspec.json.decode(response.body)
        assert "too deep" not in str(body)
        assert "Recursion" not in str(body)
        kept = await bench.ledger.message(body["message"])
        assert (kept.body, kept.accepted) == (payload, False)
        assert await bench.kinds() == ["quarantined"]
        assert (await bench.lodge(make_document("export.xml"), key="k")).status == 202


async def test_a_document_that_crashes_the_decoder_over_as2(open_bench: Any, make_document: Make) -> None:
    async with open_bench(CrashingReader()) as bench:
        mdn, response = await bench.lodge_as2(make_document())
        assert response.status == 200
        assert mdn.kind is MdnKind.ERROR
        assert mdn.signed
        assert mdn.disposition == "processed/error: unexpected-processing-error"
        (event,) = await bench.events()
        assert event.kind.value == "quarantined"
        kept = await bench.ledger.message(event.message)
        assert (kept.receipt.body, kept.accepted) == (response.body, False)
        assert len(kept.body) > 1000
        assert (await bench.lodge_as2(make_document("export.xml")))[0].kind is MdnKind.PROCESSED


async def test_the_receipt_is_in_the_transaction_it_tells_of(bench: Any, make_document: Make) -> None:
    """What leaves is what was committed, and it leaves after."""
    commit, seen = bench.ledger.commit, []

    async def watched(changes: Any) -> Any:
        results = await commit(changes)
        seen.append((changes, results))
        return results

    bench.ledger.commit = watched
    response = await bench.lodge(make_document(), key="k")
    ((changes, results),) = seen
    (change,) = changes
    assert isinstance(results[0], Committed)
    assert change.message.receipt.body == response.body
    assert (len(change.lodgements), len(change.deliveries), len(change.events)) == (1, 2, 4)


async def test_nothing_leaves_without_a_commit(bench: Any, make_document: Make) -> None:
    async def failing(_: Any) -> Any:
        raise LedgerUnavailable("no")

    bench.ledger.commit = failing
    response = await bench.post(bench.composed(make_document()))
    assert response.status == 503
    assert b"disposition" not in response.body.lower()


async def test_when_a_receipt_was_sent_is_noted_after(bench: Any, make_document: Make) -> None:
    response = await bench.lodge(make_document())
    assert "receipt_sent" not in await bench.kinds()
    bench.now.tick(1)
    response.on_sent(bench.now())
    async with anyio.create_task_group() as group:
        group.start_soon(bench.history.run)
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    (event,) = [e for e in await bench.events() if e.kind.value == "receipt_sent"]
    assert event.at == bench.now()
    assert event.lodgement == (await bench.only()).lodgement.id


async def test_the_same_document_at_once_is_lodged_once(bench: Any, make_document: Make) -> None:
    """Eight connections, one document: one lodgement, one receipt for those who share a key."""
    responses: list[Any] = []

    async def lodge(key: str) -> None:
        responses.append(await bench.lodge(make_document(), key=key))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(lodge, f"k{number % 2}")
    assert [response.status for response in responses] == [202] * 8
    assert len(await bench.ledger.lodgements(limit=9)) == 1
    assert len({response.body for response in responses}) == 2


async def test_a_rejected_answer_is_told_to_the_agency_over_as2(bench: Any, make_cusres: Make) -> None:
    mdn, _ = await bench.lodge_as2(make_cusres("D0000000000000", "08"), "customs")
    assert mdn.kind is MdnKind.PROCESSED
    (note,) = await bench.notes("customs")
    assert b"unknown-delivery" in note.body
    assert await bench.kinds() == ["rejected", "notified"]


async def test_an_empty_interchange_of_an_agency(bench: Any) -> None:
    await bench.lodge_as2(b"UNB+UNOC:3+CUSTOMS+TIDEWAITER+261119:0915+C1'UNZ+0+C1'", "customs")
    assert len(await bench.notes("customs")) == 1


async def test_what_was_taken_is_counted(bench: Any, make_document: Make) -> None:
    await bench.lodge(make_document(), key="k")
    await bench.lodge(make_document(), key="k")
    await bench.lodge(make_document("invalid.xml"))
    page = (await bench.metrics.page(bench.ledger)).decode()
    assert 'tidewaiter_receipts_total{channel="https",outcome="accepted"} 1.0' in page
    assert 'tidewaiter_receipts_total{channel="https",outcome="duplicate"} 1.0' in page
    assert 'tidewaiter_receipts_total{channel="https",outcome="rejected"} 1.0' in page


def test_a_digest_is_sha_256() -> None:
    assert digest_of(b"").startswith("e3b0c44298fc1c14")


async def test_over_as2_what_can_be_taken_is_taken_and_the_rest_reported(
    bench: Any, make_document: Any, make_cusres: Any
) -> None:
    await bench.lodge(make_document())
    good, unknown = make_cusres(await bench.delivery("customs"), "03"), make_cusres("D0000000000000", "08")
    second = unknown[unknown.index(b"UNH+1+") : unknown.index(b"UNZ")].replace(b"UNH+1+", b"UNH+2+")
    payload = good[: good.index(b"UNZ")] + second.removesuffix(b"+1'") + b"+2'UNZ+2+A1'"
    await bench.lodge_as2(payload, "customs")
    assert [answer.outcome for answer in (await bench.only()).answers] == ["refused"]
    (note,) = await bench.notes("customs")
    assert note.kind == "CUSRES"
    assert b"unknown-delivery" in note.body
