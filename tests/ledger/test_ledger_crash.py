"""G1 at the store: what was said to be committed is there, whenever the process was killed."""

import pathlib
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from tidewaiter.gateway.ledger import SqliteLedger, open_ledger

KILLS = 10
# Eight tasks commit without a pause: a message, a lodgement, a delivery, a notification and an event each.
# An id is printed when its commit has returned. Every third time a delivery is claimed and moved on; one
# change in five conflicts.
CHILD = """
import itertools, sys, anyio
from tidewaiter.gateway.ledger import *
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.lifecycle import *

path, start = sys.argv[1], int(sys.argv[2])
numbers, at = itertools.count(start), Instant(1, 1, "child")
receipt = Receipt(status=200, headers=(), body=b"")

def change(n):
    message = MessageRecord(
        id=f"M{n}", channel="as2", party=None, scope="s", key=str(n), accepted=True, raw_digest="",
        headers=(), body=bytes(n % 9000), receipt=receipt, received=at)
    lodgement = LodgementRecord(
        id=f"L{n}", message=f"M{n}", position=1, partner="p", channel="as2", syntax="x", type="IM",
        function="9", declarant="d", lrn=str(n - n % 5 // 4), root=f"L{n}", claims_lrn=True,
        state=LodgementState.ACCEPTED, test=False, content_digest="", document=bytes(n % 20000),
        declaration=b"", findings=b"", agencies=(), received=at)
    delivery = DeliveryRecord(
        id=f"D{n}", lodgement=f"L{n}", root=f"L{n}", agency="a", state=DeliveryState.PENDING, due_ns=0)
    note = NotificationRecord(
        id=f"N{n}", partner=f"p{n % 2}", lodgement=f"L{n}", kind="k", content_type="t", body=b"",
        state=NotificationState.PENDING, due_ns=0, created=at)
    event = EventRecord(kind=EventKind.DURABLE, at=at, lodgement=f"L{n}")
    return Change(message=message, lodgements=(lodgement,), deliveries=(delivery,),
        notifications=(note,), events=(event,))

async def work(ledger):
    while True:
        n = next(numbers)
        (result,) = await ledger.commit([change(n)])
        if isinstance(result, Committed):
            print("committed", n, n % 2, result.numbers[0], flush=True)
        if n % 3 == 0:
            for claim in await ledger.claim_deliveries(now_ns=1, lease_ns=10**18, limit=1):
                update = DeliveryUpdate(
                    id=claim.delivery.id, expected=(DeliveryState.SENDING,), state=DeliveryState.SENT)
                await ledger.commit([Change(delivery_updates=(update,))])
                print("sent", claim.delivery.id, flush=True)

async def main():
    async with open_ledger(path) as ledger, anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(work, ledger)

anyio.run(main, backend="trio")
"""


def _told_before_it_died(path: pathlib.Path, start: int, lines: int) -> list[list[str]]:
    """Run the child until it has printed so many lines, kill it, and give all it printed."""
    command = [sys.executable, "-c", CHILD, str(path), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        told += child.stdout.readlines()
    assert child.returncode == -signal.SIGKILL
    return [line.split() for line in told if line.endswith("\n")]


async def _log(ledger: SqliteLedger, partner: str) -> list[Any]:
    entries: list[Any] = []
    while page := await ledger.notifications(partner, after=len(entries), limit=1000):
        entries += page
    return entries


async def _check(path: pathlib.Path, told: list[list[str]]) -> None:
    async with open_ledger(path, read_only=True) as ledger:
        logs = {partner: await _log(ledger, partner) for partner in ("p0", "p1")}
        for entries in logs.values():
            assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        numbered = {(partner, e.number): e.id for partner, entries in logs.items() for e in entries}
        for word, *rest in told:
            if word == "sent":
                delivery = await ledger.find_delivery(rest[0])
                assert delivery is not None
                assert delivery.state.value == "sent"
                continue
            n, partner, number = rest
            assert numbered[f"p{partner}", int(number)] == f"N{n}"
            assert await ledger.message(f"M{n}") is not None
        for entry in numbered.values():
            status = await ledger.status(re.sub("N", "L", entry))
            assert status is not None, "a change is whole or it is not there"
            assert len(status.deliveries) == 1
            assert len(await ledger.events(lodgement=status.lodgement.id, after=0, limit=9)) == 1


def _kill_points() -> Iterator[int]:
    chance = random.Random(20)
    while True:
        yield chance.randint(1, 120)


@pytest.mark.process
def test_what_was_committed_survives_a_kill_at_any_moment(path: pathlib.Path) -> None:
    told: list[list[str]] = []
    for kill, lines in zip(range(KILLS), _kill_points(), strict=False):
        told += _told_before_it_died(path, kill * 1_000_000, lines)
    anyio.run(_check, path, told)  # by a reader, without a gateway: it must find its way in the log alone
    assert len(told) > KILLS
