"""S7: no document, key or password in a log line, an event, a metric or an error, whatever goes wrong."""

import contextlib
import pathlib
import shutil
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.http import Client, ClientResponse
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.as2_party import As2Party

FAULTY = pathlib.Path(__file__).with_name("faulty_gateway.py")
CANARY = "Serinus canaria 4711"
EDIFACT = "application/edifact"
FAULTS = ("FAULT-READ", "FAULT-WRITE", "FAULT-SEND")

pytestmark = [pytest.mark.anyio, pytest.mark.process]


@pytest.fixture
def anyio_backend() -> str:
    """The loop of the client."""
    return "trio"


async def test_no_secret_is_told(
    folder: pathlib.Path,
    serve: Callable[..., Any],
    door: Any,
    agencies: Any,
    until: Callable[..., Any],
    declaration: Callable[..., bytes],
) -> None:
    def document(lrn: str, name: str = "import.edi") -> bytes:
        made = declaration(lrn, name)
        return made.replace(b"Roasted coffee", CANARY.encode()).replace(b"Optical", CANARY.encode())

    gateway = serve(folder, str(FAULTY), str(folder))
    assert await gateway.ready()
    us = door(folder)
    answers: list[ClientResponse] = []
    async with agencies(folder), Client(clock=clock.instant) as client:
        good = document("SECRET-1")
        answers += [await us.lodge(good, "secret-1"), await us.lodge(good, "secret-1")]
        answers += [await us.lodge(document("SECRET-2", "export.xml"), "secret-2")]
        answers += [await us.lodge(document(fault, "export.xml"), fault) for fault in FAULTS]
        answers += [await us.lodge(good.replace(b"BGM+929", b"BGM+XXX9"), "invalid")]
        answers += [await us.lodge(good[:700], "cut"), await us.lodge(good + good, "twice")]
        answers += [await us.ask("POST", "/v1/declarations", good, who=None)]
        answers += [await us.ask("POST", "/v1/declarations", good, Content_Type="text/plain")]
        answers += [await us.ask("POST", "/v1/answers", good, who="health", Content_Type=EDIFACT)]
        party = As2Party(load_account(folder, "trader"), client)
        for payload in (document("SECRET-3"), document("FAULT-READ")):
            await party.send(party.compose(payload, EDIFACT), what="declaration")
        url = f"http://127.0.0.1:{us.http_port}/as2"
        names = (("AS2-From", "MERIDIAN"), ("AS2-To", "TIDEWAITER"), ("Message-ID", "<x@y>"))
        for kind in (EDIFACT, "application/pkcs7-mime", f'multipart/signed; boundary="{CANARY}"'):
            answers += [await client.request("POST", url, (*names, ("Content-Type", kind)), good, timeout=30)]
        await until(lambda: _settled(folder), "an end of every delivery")
        told = _events(folder) + _metrics(folder)
    await gateway.stops()
    told += gateway.log.read_text()
    assert {answer.status for answer in answers} >= {200, 202, 401, 415, 422, 500}
    # The faults are told, by what they are and where they lie.
    assert "ValueError" in told
    assert "KeyError" in told
    told += "".join(answer.body.decode("latin-1") for answer in answers)
    assert CANARY not in told
    assert [secret for secret in _secrets(folder) if secret in told] == []


def _settled(folder: pathlib.Path) -> bool:
    waiting = _rows(folder, "SELECT count(*) FROM delivery WHERE state IN ('pending', 'sending', 'sent')")
    return waiting == [(0,)] and bool(_rows(folder, "SELECT 1 FROM delivery WHERE state = 'dead'"))


def _rows(folder: pathlib.Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as db:
        return db.execute(query).fetchall()


def _events(folder: pathlib.Path) -> str:
    return str(_rows(folder, "SELECT * FROM event"))


def _metrics(folder: pathlib.Path) -> str:
    settings = (folder / "gateway.toml").read_text()
    bind = settings.partition('operations = "')[2].partition('"')[0]
    with urllib.request.urlopen(f"http://{bind}/metrics", timeout=30) as page:
        found = page.read().decode()
    assert "tidewaiter_receipts_total" in found
    return str(found)


def _secrets(folder: pathlib.Path) -> Iterator[str]:
    """Every line of every key."""
    for file in folder.glob("keys/*.key"):
        yield from (line for line in file.read_text().splitlines() if len(line) > 10)


@pytest.mark.parametrize("file", ["keys/gateway.key", "keys/gateway-tls.key", "keys/trader.pem"])
async def test_a_key_that_cannot_be_read_is_not_shown(
    folder: pathlib.Path, serve: Callable[..., Any], file: str
) -> None:
    """The line before the last is damaged, as by an editor; the rest of it is the key."""
    shutil.copy(folder / "keys/health.key", folder / "keys/trader.pem")
    lines = (folder / file).read_text().splitlines()
    (folder / file).write_text("\n".join([*lines[:-2], f"{lines[-2]}!{CANARY}", lines[-1]]))
    gateway = serve(folder)
    await gateway.ends(2)
    complaint = gateway.log.read_text()
    assert file.partition("/")[2] in complaint
    assert len(complaint.splitlines()) == 1
    assert CANARY not in complaint
    assert [secret for secret in _secrets(folder) if secret in complaint] == []
