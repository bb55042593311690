"""G1, G2, G3 under kill -9: fifty kills, then the client's own records against ledger and agencies' books.

A trader lodges over both channels and sends again, under the same name, whatever was not receipted. The
gateway kills itself at a chosen point, is started again on the same ledger, and so on ten times; then it is
let run.
"""

import contextlib
import itertools
import json
import pathlib
import re
import signal
import sqlite3
import statistics
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tidewaiter.codecs.document import sniff
from tidewaiter.gateway import clock
from tidewaiter.gateway.http import Client, ClientError
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.as2_party import As2Party
from tidewaiter.gateway.sandbox.trader import Notice, Trader, open_trader

KILLS = 10
# After a kill the gateway takes connections again within this.
READY_SECONDS = 5.0
KILLABLE = pathlib.Path(__file__).with_name("killable_gateway.py")

# Where it dies. A decision reaches the trader in two steps: it is written with its entry of the log, then
# pushed.
POINTS = {
    "before the commit": ("commit",),
    "before the reply": ("reply",),
    "before the send": ("send",),
    "after the agency took it": ("taken",),
    "before the notification": ("decision", "push"),
}
# Sample -> the agencies that are asked.
ASKED = {
    "import.edi": {"customs", "health"},
    "plants.xml": {"customs", "agriculture"},
    "export.xml": {"customs"},
}

pytestmark = [pytest.mark.anyio, pytest.mark.process]


@pytest.fixture
def anyio_backend() -> str:
    """The loop of the client. The gateways take turns on both."""
    return "trio"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agencies that do not wait long before they try again to answer a gateway that was dead."""
    monkeypatch.setattr("tidewaiter.gateway.sandbox.agency.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("tidewaiter.gateway.sandbox.agency.LONGEST_PAUSE", 0.1)


class Records:
    """What the client knows: each document it lodged, and the receipt it has for it."""

    def __init__(self) -> None:
        self.sample: dict[str, str] = {}
        self.receipt: dict[str, str] = {}
        self.pushed_to: set[str] = set()
        self.resent = 0


class Lodger:
    """A trader that does not rest until each document has a receipt; what has none goes again, as it was."""

    def __init__(self, trader: Trader, as2: As2Party, declaration: Callable[..., bytes]) -> None:
        self.records = Records()
        self._trader = trader
        self._as2 = as2
        self._declaration = declaration
        self._numbers = itertools.count()

    async def lodge_next(self) -> None:
        """Lodge a document; the channels take turns, and so do the samples."""
        number = next(self._numbers)
        lrn, sample = f"KILL-{number:05}", tuple(ASKED)[number // 2 % len(ASKED)]
        self.records.sample[lrn] = sample
        payload = self._declaration(lrn, sample)
        over = self._over_as2 if number % 2 else self._over_https
        receipt = await over(lrn, payload)
        assert lrn not in self.records.receipt
        self.records.receipt[lrn] = receipt

    async def _over_https(self, lrn: str, payload: bytes) -> str:
        while True:
            try:
                lodged = await self._trader.lodge_https(payload, key=lrn)
            except ClientError:
                await self._pause()
            else:
                assert (lodged.status, lodged.verified) == (202, True), lodged
                assert lodged.body["lodged-before"] is False
                return lodged.id

    async def _over_as2(self, lrn: str, payload: bytes) -> str:
        self.records.pushed_to.add(lrn)
        composed = self._as2.compose(payload, sniff(payload).media_type)
        while True:
            try:
                sent = await self._as2.send(composed, what="declaration")
            except ClientError:
                await self._pause()
            else:
                assert sent.verified, sent.mdn
                return composed.message_id

    async def _pause(self) -> None:
        self.records.resent += 1
        await anyio.sleep(0.02)


@pytest.mark.parametrize("point", POINTS)
async def test_killed_ten_times_and_nothing_lost_nothing_doubled(
    point: str,
    folder: pathlib.Path,
    serve: Callable[..., Any],
    agencies: Callable[..., Any],
    until: Callable[..., Any],
    declaration: Callable[..., bytes],
    reader: Any,
) -> None:
    account = load_account(folder, "trader")
    async with (
        agencies(folder),
        open_trader(account, reader) as trader,
        Client(clock=clock.instant) as client,
        anyio.create_task_group() as lodging,
    ):
        lodger = Lodger(trader, As2Party(account, client), declaration)
        ready: list[float | None] = []
        for kill in range(KILLS):
            place, count = POINTS[point][kill % len(POINTS[point])], 1 + kill // 2 % 3
            _set_loop(folder, ("trio", "uvloop")[kill // 3 % 2])
            gateway = serve(folder, str(KILLABLE), str(folder), place, str(count))
            ready.append(await gateway.ready())
            # All at once: as many as it takes to get there (every other one is pushed to), and one more.
            for _ in range(2 * count if place == "push" else count + 1):
                lodging.start_soon(lodger.lodge_next)
            await gateway.ends(-signal.SIGKILL)
        gateway = serve(folder)
        ready.append(await gateway.ready())
        records = lodger.records
        await until(lambda: len(records.receipt) == len(records.sample), "a receipt for each document")
        log = await until(lambda: _whole_log(trader, len(records.sample)), "an answer to each document")
        await until(lambda: len(trader.inbox) >= len(records.pushed_to), "an answer pushed to each AS2 one")
        await until(lambda: not _unfinished(folder), "every delivery done")
        await gateway.stops()
    # The median: on a machine with other work to do one start may have to wait for the disk.
    assert statistics.median(filter(None, ready)) <= READY_SECONDS
    _check_log(records, log, [notice.lrn for notice in trader.inbox])
    _check_agencies(records, folder)
    _check_ledger(records, folder)


def _set_loop(folder: pathlib.Path, loop: str) -> None:
    file = folder / "gateway.toml"
    file.write_text(re.sub(r'loop = ".*"', f'loop = "{loop}"', file.read_text()))


async def _whole_log(trader: Trader, wanted: int) -> list[Notice]:
    """The trader's log, page by page, once it is as long as `wanted`."""
    log: list[Notice] = []
    while page := await trader.notifications(log[-1].number if log else 0):
        log += page
    return log if len(log) >= wanted else []


def _rows(folder: pathlib.Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as db:
        return db.execute(query).fetchall()


def _unfinished(folder: pathlib.Path) -> bool:
    deliveries = _rows(folder, "SELECT 1 FROM delivery WHERE state <> 'answered'")
    return bool(
        deliveries or _rows(folder, "SELECT 1 FROM notification WHERE state IN ('pending', 'sending')")
    )


def _check_log(records: Records, log: list[Notice], inbox: list[str | None]) -> None:
    """Every document answered once, in a log without a gap; what came over AS2 is pushed once too."""
    assert [notice.number for notice in log] == list(range(1, len(log) + 1))
    assert Counter(notice.lrn for notice in log) == Counter(records.sample.keys())
    assert Counter(inbox) == Counter(records.pushed_to)


def _check_agencies(records: Records, folder: pathlib.Path) -> None:
    """In each agency's own books: every document that is its business, under one key, and no other."""
    deliveries = {
        (agency, reference) for agency, reference in _rows(folder, "SELECT agency, id FROM delivery")
    }
    for agency in ("customs", "agriculture", "health"):
        lines = (folder / "sandbox" / f"{agency}.deliveries.jsonl").read_text().splitlines()
        taken = [json.loads(line) for line in lines]
        first = [entry for entry in taken if not entry["duplicate"]]
        due = Counter(lrn for lrn, sample in records.sample.items() if agency in ASKED[sample])
        assert Counter(entry["taken"]["lrn"] for entry in first) == due
        # The same key, the same reference, the same octets on every try.
        assert len({(e["key"], e["reference"], e["sha256"]) for e in taken}) == len(first)
        assert {(agency, e["reference"]) for e in first} == {pair for pair in deliveries if pair[0] == agency}


def _check_ledger(records: Records, folder: pathlib.Path) -> None:
    """One lodgement for each receipt, and in the whole ledger nothing that follows from no document."""
    asked = Counter(agency for sample in records.sample.values() for agency in ASKED[sample])
    documents, due = len(records.sample), asked.total()
    query = "SELECT lrn, lodgement.id, message_key FROM lodgement JOIN message ON message.id = message"
    found = _rows(folder, query)
    assert Counter(lrn for lrn, _, _ in found) == Counter(records.sample.keys())
    assert all(records.receipt[lrn] in (lodgement, key) for lrn, lodgement, key in found)
    # Agriculture answers in the response to its delivery, which is no message of its own.
    messages = {"trader": documents, "customs": asked["customs"], "health": asked["health"]}
    by_party = "SELECT party, count(*) FROM message WHERE scope {} 'as2-mdn%' GROUP BY party"
    assert dict(_rows(folder, by_party.format("NOT LIKE"))) == messages
    # Customs is asked over AS2: a receipt is kept with the delivery it settled, unless the answer did first.
    assert 0 < dict(_rows(folder, by_party.format("LIKE")))["customs"] <= asked["customs"]
    assert _rows(folder, "SELECT count(*) FROM message WHERE NOT accepted") == [(0,)]
    assert _rows(folder, "SELECT DISTINCT state FROM lodgement") == [("released",)]
    for table, rows in {
        "lodgement": documents,
        "delivery": due,
        "wire": due + len(records.pushed_to),
        "answer": due,
        "decision": documents,
        "notification": documents,
    }.items():
        assert _rows(folder, f"SELECT count(*) FROM {table}") == [(rows,)], table
    events = dict(_rows(folder, "SELECT kind, count(*) FROM event GROUP BY kind"))
    once = {"received": documents, "durable": documents, "decided": documents, "notified": documents}
    assert once | {"answered": due} == {kind: events[kind] for kind in (*once, "answered")}
    assert not events.keys() & {"dead_lettered", "quarantined", "conflict", "refused", "rejected"}
