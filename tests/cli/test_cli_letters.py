"""`dead`, `requeue` and `close`: beside a gateway that runs, and without one."""

import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner, Result

from tidewaiter.gateway.app import open_gateway
from tidewaiter.gateway.cli.commands import app
from tidewaiter.gateway.clock import instant
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.ledger import (
    Change,
    DeliveryUpdate,
    EventRecord,
    MdnRecord,
    NotificationUpdate,
    open_ledger,
)
from tidewaiter.routing.lifecycle import DeliveryState, EventKind, MdnState, NotificationState

RunCli = Callable[..., Result]
OK, REFUSED, UNUSABLE = 0, 1, 2
LRN = "MER-26-004171"


@pytest.fixture(scope="module")
def given_up(lodged: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A stopped gateway whose delivery to health, and whose last answer to the trader, were given up."""
    folder = pathlib.Path(shutil.copytree(lodged, tmp_path_factory.mktemp("dead") / "gateway"))
    anyio.run(_give_up, folder, backend="trio")
    return folder


@pytest.fixture
def gone(given_up: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copytree(given_up, tmp_path / "gateway"))


async def _give_up(folder: pathlib.Path) -> None:
    async with open_ledger(folder / "ledger.db") as ledger:
        found = await ledger.status(LRN)
        assert found is not None
        leg = next(leg for leg in found.deliveries if leg.agency == "health")
        note = (await ledger.notifications("trader", after=0, limit=100))[-1]
        data = {"agency": "health", "delivery": leg.id, "reason": "HTTP 400"}
        end = EventRecord(kind=EventKind.DEAD_LETTERED, at=instant(), lodgement=found.lodgement.id, data=data)
        dead = DeliveryUpdate(id=leg.id, expected=(leg.state,), state=DeliveryState.DEAD, attempts=3)
        unheard = NotificationUpdate(id=note.id, expected=(note.state,), state=NotificationState.DEAD)
        await ledger.commit(
            [Change(delivery_updates=(dead,), notification_updates=(unheard,), events=(end,))]
        )


def letters(cli: RunCli, folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    done = cli("dead", "--json", "--dir", folder)
    assert done.exit_code == OK, done.stderr
    return {letter["kind"]: letter for letter in json.loads(done.stdout)}


def test_what_was_given_up_is_listed(cli: RunCli, given_up: pathlib.Path) -> None:
    found = letters(cli, given_up)
    assert set(found) == {"delivery", "notification"}
    assert (found["delivery"]["to"], found["delivery"]["reason"]) == ("health", "HTTP 400")
    assert found["delivery"]["attempts"] == 3
    assert found["notification"]["to"] == "trader"
    said = cli("dead", "--dir", given_up).stdout
    assert f"{found['delivery']['id']}  delivery to health, declaration L" in said
    assert "seconds ago, after 3 tries: HTTP 400\n" in said


def test_what_was_not_received_as_sent_and_what_could_not_be_posted(
    cli: RunCli, lodged: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    folder = pathlib.Path(shutil.copytree(lodged, tmp_path / "gateway"))
    message = anyio.run(_mismatch, folder, backend="trio")
    found = letters(cli, folder)
    assert (found["delivery"]["state"], found["mdn"]["state"]) == ("mismatched", "dead")
    said = cli("dead", "--dir", folder).stdout
    assert "\n  received otherwise than it was sent 20" in said
    assert f"A1  MDN to trader, receipt of {message}\n  given up 20" in said
    assert cli("requeue", "A1", "--dir", folder).stdout == "A1 is pending now.\n"
    closed = cli("close", found["delivery"]["id"], "--why", "by telephone", "--dir", folder)
    assert closed.stdout == f"{found['delivery']['id']} is closed now.\n"
    assert letters(cli, folder) == {}


async def _mismatch(folder: pathlib.Path) -> str:
    async with open_ledger(folder / "ledger.db") as ledger:
        found = await ledger.status(LRN)
        assert found is not None
        leg = next(leg for leg in found.deliveries if leg.agency == "health")
        wrong = DeliveryUpdate(id=leg.id, expected=(leg.state,), state=DeliveryState.MISMATCHED)
        message = found.lodgement.message
        mdn = MdnRecord(
            id="A1",
            message=message,
            party="trader",
            url="https://trader.example/",
            state=MdnState.DEAD,
            due_ns=instant().utc_ns,
        )
        await ledger.commit([Change(delivery_updates=(wrong,), mdns=(mdn,))])
        return message


def test_where_nothing_was_given_up(cli: RunCli, lodged: pathlib.Path) -> None:
    assert letters(cli, lodged) == {}
    assert cli("dead", "--dir", lodged).stdout == "No dead letters.\n"


def test_the_status_says_who_is_stuck(cli: RunCli, given_up: pathlib.Path) -> None:
    said = cli("status", LRN, "--dir", given_up).stdout
    assert "\nstuck: health; a person must look: tidewaiter dead\n" in said
    assert json.loads(cli("status", LRN, "--json", "--dir", given_up).stdout)["stuck"] == ["health"]


def test_without_a_gateway_the_ledger_is_opened(cli: RunCli, gone: pathlib.Path) -> None:
    found = letters(cli, gone)
    delivery, note = found["delivery"]["id"], found["notification"]["id"]
    done = cli("requeue", delivery, "--dir", gone)
    assert (done.exit_code, done.stdout) == (OK, f"{delivery} is pending now.\n")
    done = cli("close", note, "--why", "read by telephone", "--dir", gone)
    assert (done.exit_code, done.stdout) == (OK, f"{note} is stored now.\n")
    assert letters(cli, gone) == {}
    again = cli("close", delivery, "--why", "x", "--dir", gone)
    assert again.exit_code == REFUSED
    assert again.stderr == f"tidewaiter: {delivery} is pending: it cannot be closed\n"
    history = json.loads(cli("events", LRN, "--json", "--dir", gone).stdout)
    assert [row["delivery"] for row in history if row["event"] == "requeued"] == [delivery]


@pytest.mark.parametrize("command", ["requeue", "close"])
def test_an_id_nobody_knows(cli: RunCli, given_up: pathlib.Path, command: str) -> None:
    done = cli(command, "D0", "--why", "x", "--dir", given_up)
    told = "tidewaiter: no delivery, notification or MDN has the id D0\n"
    assert (done.exit_code, done.stderr) == (REFUSED, told)


def test_an_end_needs_a_reason(cli: RunCli, given_up: pathlib.Path) -> None:
    done = cli("close", "D0", "--why", " ", "--dir", given_up)
    assert (done.exit_code, done.stderr) == (UNUSABLE, "tidewaiter: --why needs a reason for the history\n")


def test_a_running_gateway_is_asked(gone: pathlib.Path) -> None:
    """It has the ledger; the command goes through its operator's port."""
    anyio.run(_beside, gone, backend="trio")


async def _beside(folder: pathlib.Path) -> None:
    async def run(*words: str) -> Result:
        line = [*words, "--dir", str(folder)]
        return await anyio.to_thread.run_sync(CliRunner().invoke, app, line)

    async with open_gateway(load_config(folder)) as gateway, anyio.create_task_group() as running:
        await running.start(gateway.run)
        found = {one["kind"]: one for one in json.loads((await run("dead", "--json")).stdout)}
        delivery, note = found["delivery"]["id"], found["notification"]["id"]
        closed = await run("close", delivery, "--why", "by hand")
        assert (closed.exit_code, closed.stdout) == (OK, f"{delivery} is closed now.\n"), closed.stderr
        again = await run("requeue", delivery)
        assert again.stderr == f"tidewaiter: {delivery} is closed: it cannot be requeued\n"
        assert (await run("close", note, "--why", "read")).stdout == f"{note} is stored now.\n"
        unknown = await run("requeue", "D0")
        assert (unknown.exit_code, unknown.stderr.count("has the id D0")) == (REFUSED, 1)
        assert json.loads((await run("dead", "--json")).stdout) == []
        gateway.stopping.set()


def test_before_a_gateway_has_run(cli: RunCli, folder: pathlib.Path) -> None:
    for words in (("dead",), ("requeue", "D0"), ("close", "D0", "--why", "x")):
        done = cli(*words, "--dir", folder)
        assert done.exit_code == UNUSABLE
        assert done.stderr.startswith("tidewaiter: no gateway has run here yet")
    assert not (folder / "ledger.db").exists()
