"""Concealed refusals leave at a moment that follows from the size of the request, never from the work."""

import dataclasses
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import pytest
import structlog
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.stapled import StapledByteStream

from tidewaiter.gateway import as2_channel, clock
from tidewaiter.gateway.concealment import SECONDS_OF_AN_OCTET, Concealment, due, hold
from tidewaiter.gateway.http import Limits
from tidewaiter.gateway.http.connection import Connection, Service
from tidewaiter.gateway.ledger import LedgerUnavailable
from tidewaiter.routing.instant import Instant

MILLI = 10**6


@pytest.mark.parametrize(
    ("taken", "moment"),
    [(-0.5, 2), (0, 2), (0.001, 2), (1.999, 2), (2, 2), (2.001, 4), (3.9, 4), (4.1, 6), (19, 20)],
)
def test_the_moment_is_the_next_multiple_of_the_hold(taken: float, moment: float) -> None:
    assert due(2.0, taken) == moment


def test_the_hold_grows_with_the_size_and_with_nothing_else() -> None:
    assert hold(0.1, 0) == 0.1
    assert hold(0.1, 1_000_000) == pytest.approx(0.1 + 1_000_000 * SECONDS_OF_AN_OCTET)


class Passing:
    """A clock: the time that passes, and what is said to have passed besides."""

    def __init__(self) -> None:
        self.besides_ns = 0

    def __call__(self) -> Instant:
        real = clock.instant()
        return Instant(real.utc_ns, real.monotonic_ns + self.besides_ns, real.process)


async def released(taken_ms: float, *, seconds: float = 0.010, octets: int = 0) -> float:
    """Milliseconds from arrival to release of what is said to have taken `taken_ms`."""
    now = Passing()
    arrived = now()
    now.besides_ns = int(taken_ms * MILLI)
    await Concealment(seconds, now).release(arrived, octets)
    return (now().monotonic_ns - arrived.monotonic_ns) / MILLI


@pytest.mark.anyio
@pytest.mark.parametrize(("taken", "moment"), [(0, 10), (9, 10), (11, 20), (28, 30)])
async def test_nothing_leaves_before_its_moment(taken: float, moment: float) -> None:
    assert await released(taken) >= moment


@pytest.mark.anyio
async def test_a_larger_body_is_held_longer() -> None:
    assert await released(0, octets=50_000) >= 15


@pytest.mark.anyio
async def test_the_moment_does_not_move_with_the_work() -> None:
    """By the timers of the loops alone it does, by up to a millisecond: they count from when they are set."""
    concealment, hold_ns = Concealment(0.008), 8 * MILLI
    late: dict[float, list[float]] = {taken: [] for taken in (1.0, 1.25, 1.5, 1.75)}
    for _ in range(20):
        for taken, found in late.items():
            arrived, began = clock.instant(), time.perf_counter()
            while time.perf_counter() - began < taken / 1000:
                pass
            await concealment.release(arrived, 0)
            found.append((clock.instant().monotonic_ns - arrived.monotonic_ns - hold_ns) / MILLI)
    quickest = [min(found) for found in late.values()]
    assert min(quickest) >= 0
    assert max(quickest) - min(quickest) < 0.2


@pytest.mark.anyio
async def test_others_go_on_meanwhile() -> None:
    concealment = Concealment(0.010)
    arrived = clock.instant()
    before = time.monotonic()
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(concealment.release, arrived, 0)
    assert 0.010 <= time.monotonic() - before < 0.2


@pytest.mark.anyio
async def test_without_a_hold_nothing_is_held() -> None:
    await Concealment(0).release(Instant(0, 0, "another"), 10**12)


class Released:
    """Stands in for the hold: what it was asked for, and what had happened by then."""

    def __init__(self, bench: Any) -> None:
        self._bench = bench
        self.asked: list[tuple[Instant, int, list[str]]] = []

    async def release(self, arrived: Instant, octets: int) -> None:
        self.asked.append((arrived, octets, await self._bench.kinds()))


@pytest.fixture
def asked(bench: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Instant, int, list[str]]]:
    stands_in = Released(bench)
    monkeypatch.setattr(bench.as2, "_concealment", stands_in)
    return stands_in.asked


def written(message: Any) -> bytes:
    """`message` as its request."""
    fields = [("Host", "gateway.example"), ("Content-Length", str(len(message.body))), *message.headers]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"POST /as2 HTTP/1.1\r\n{lines}\r\n".encode() + message.body


def broken(bench: Any, payload: bytes) -> Any:
    """A message whose padding is wrong."""
    composed = bench.composed(payload)
    body = bytearray(composed.body)
    body[-17] ^= 0x80
    return dataclasses.replace(composed, body=bytes(body))


@pytest.mark.anyio
async def test_a_concealed_refusal_is_held_once_it_is_recorded(
    bench: Any, asked: list[Any], make_document: Callable[..., bytes]
) -> None:
    message = broken(bench, make_document())
    arrived = bench.now()
    await bench.post(message)
    assert asked == [(arrived, len(message.body), ["refused"])]


@pytest.mark.anyio
async def test_what_is_told_is_not_held(
    bench: Any, asked: list[Any], make_document: Callable[..., bytes]
) -> None:
    await bench.lodge_as2(make_document())
    await bench.post(bench.composed(make_document(), terms=dataclasses.replace(bench.terms(), encrypt=False)))
    assert "refused" in await bench.kinds()
    assert asked == []


@pytest.mark.anyio
async def test_it_is_held_where_the_ledger_fails_too(
    bench: Any, asked: list[Any], make_document: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LedgerUnavailable("no")

    monkeypatch.setattr(bench.inbound, "refuse", fail)
    response = await bench.post(broken(bench, make_document()))
    assert response.status == 503
    assert len(asked) == 1


@pytest.mark.anyio
async def test_its_receipt_is_dated_by_the_arrival(
    bench: Any, make_document: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever sends just before the turn of a second reads off the date how long opening took."""
    receive = as2_channel.receive

    def slow(*arguments: Any, **keywords: Any) -> Any:
        bench.now.tick(7)
        return receive(*arguments, **keywords)

    monkeypatch.setattr(as2_channel, "receive", slow)
    message, arrived = broken(bench, make_document()), clock.utc(bench.now())
    response = await bench.post(message)
    dated = parsedate_to_datetime(dict(response.headers)["Date"])
    assert dated == arrived.replace(microsecond=0)


@pytest.mark.anyio
async def test_pipelined_refusals_are_held_one_after_the_other(
    bench: Any, make_document: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the second one's hold has begun before it is looked at, and ends a whole hold later if opening it
    took a little longer than the rest: a clock for whoever chooses the size of the first."""
    arrivals: list[int] = []
    departures: list[int] = []

    async def release(_: object, arrived: Instant, octets: int) -> None:
        assert octets
        arrivals.append(arrived.monotonic_ns)
        bench.now.tick(1)
        departures.append(bench.now().monotonic_ns)

    monkeypatch.setattr(Concealment, "release", release)
    requests = b"".join(written(broken(bench, make_document())) for _ in range(3))
    send, incoming = anyio.create_memory_object_stream[bytes](1)
    outgoing, answers = anyio.create_memory_object_stream[bytes](3)
    service = Service(
        handler=bench.as2.handle, admit=None, limits=Limits(), clock=bench.now, log=structlog.get_logger()
    )
    stream: Any = StapledByteStream(outgoing, BufferedByteReceiveStream(incoming))
    async with stream, answers:
        send.send_nowait(requests)
        send.close()
        await Connection(stream, "127.0.0.1", service).run()
    assert len(arrivals) == 3
    assert all(second >= first for first, second in zip(departures, arrivals[1:], strict=False))
