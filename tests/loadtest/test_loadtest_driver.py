"""The driver keeps to its schedule whatever the gateway does, and hears every answer."""

from collections.abc import Sequence

import anyio
import msgspec
import pytest

from tidewaiter.codecs.declaration import Response, ResponseDeclaration
from tidewaiter.codecs.document import Document, Kind, Reader, Reading, Syntax
from tidewaiter.gateway import resources
from tidewaiter.gateway.http import PeerClosed
from tidewaiter.gateway.sandbox.trader import Lodged, Notice
from tidewaiter.loadtest.documents import Documents
from tidewaiter.loadtest.driver import Attempt, Driven, Driver, Progress

SCHEDULE = (0.0, 0.01, 0.02, 0.03)


class FakeTrader:
    """A gateway in one object: one answer in the log each; `faults` by number. It gives no receipt before
    `together` lodgements wait for theirs."""

    def __init__(self, together: int = 1, faults: dict[int, str] | None = None, break_at: int = 0) -> None:
        self.inbox: list[Notice] = []
        self._log: list[Notice] = []
        self._together = together
        self._all_there = anyio.Event()
        self._faults = faults or {}
        self._break_at = break_at
        self._lodged = 0

    async def lodge_https(self, payload: bytes, media_type: str = "", key: str | None = None) -> Lodged:
        self._lodged += 1
        number = self._lodged
        if number == self._together:
            self._all_there.set()
        await self._all_there.wait()
        if number == self._break_at:
            raise PeerClosed("the peer went away", sent=True)
        if number in self._faults:
            return Lodged(status=503, body={}, verified=False, reason=self._faults[number])
        self._log.append(_notice(key or "", len(self._log) + 1))
        return Lodged(status=202, body={"id": f"L{number}"}, verified=True)

    async def notifications(self, after: int = 0) -> Sequence[Notice]:
        return [notice for notice in self._log if notice.number > after]


def _notice(lrn: str, number: int) -> Notice:
    response = Response(declaration=ResponseDeclaration(functional_reference_id=lrn))
    document = Document(
        kind=Kind.RESPONSE, syntax=Syntax.XML, name="Response", position=1, data=b"", responses=(response,)
    )
    reading = Reading(syntax=Syntax.XML, documents=(document,))
    return Notice(channel="https", payload=b"", reading=reading, number=number)


async def driven_by(trader: FakeTrader) -> tuple[Driven, list[Progress]]:
    documents = Documents(Reader(resources.directory, resources.schemas), seed=1)
    driver = Driver(trader, documents, ("https",), seed=1)  # type: ignore[arg-type]
    told: list[Progress] = []
    await driver.drive(SCHEDULE, told.append)
    return driver.driven(), told


@pytest.mark.anyio
async def test_every_receipt_and_answer_is_heard() -> None:
    driven, told = await driven_by(FakeTrader())
    assert len(driven.attempts) == len(SCHEDULE)
    assert all(attempt.receipted is not None for attempt in driven.attempts)
    assert all(driven.answer(attempt) is not None for attempt in driven.attempts)
    assert told[-1] == Progress(4, 4, 4)


@pytest.mark.anyio
async def test_a_slow_gateway_is_sent_the_next_all_the_same() -> None:
    with anyio.fail_after(5):
        driven, _ = await driven_by(FakeTrader(together=len(SCHEDULE)))
    waits = {attempt.lrn: attempt.receipted or 0.0 for attempt in driven.attempts}
    # Counted from when each was due: who came first waited longest.
    first, *_, last = (waits[lrn] for lrn in sorted(waits))
    assert first > last + SCHEDULE[-1] / 2


@pytest.mark.anyio
async def test_what_gets_no_receipt_is_a_fault_and_not_waited_for() -> None:
    driven, _ = await driven_by(FakeTrader(faults={2: "HTTP 503"}, break_at=3))
    assert sorted(attempt.fault for attempt in driven.attempts if attempt.fault) == [
        "HTTP 503",
        "the peer went away",
    ]
    assert sum(attempt.receipted is None for attempt in driven.attempts) == 2


def test_an_answer_counts_by_the_way_it_was_lodged() -> None:
    lrn = "LOAD-AAAAAA-000001"
    driven = Driven(attempts=(), pushed={lrn: (0.5, 0.7)}, logged={lrn: (0.2,)})
    attempt = Attempt(lrn=lrn, sample="import.edi", channel="as2", started=0.0)
    assert driven.answer(attempt) == 0.5
    assert driven.answer(msgspec.structs.replace(attempt, channel="https")) == 0.2
