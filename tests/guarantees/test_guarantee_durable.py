"""G1 and G8 at the door: what cannot be read or written is not receipted, and not blamed on the document."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.http import Client
from tidewaiter.gateway.ledger import LedgerBusy
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.as2_party import As2Party

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("step", ["find_message", "find_original", "commit"])
async def test_a_ledger_that_is_busy_takes_nothing_and_refuses_nothing(
    folder: pathlib.Path, running: Any, door: Any, declaration: Callable[..., bytes], step: str
) -> None:
    """Whatever step it is that fails: 503 over both channels, and the same message is taken later."""
    async with running(folder) as gateway, Client(clock=clock.instant) as client:
        working = getattr(gateway.ledger, step)

        async def busy(*arguments: Any, **options: Any) -> Any:
            raise LedgerBusy("busy")

        us, party = door(folder), As2Party(load_account(folder, "trader"), client)
        url = f"http://127.0.0.1:{us.http_port}/as2"
        message = party.compose(declaration("BUSY-2"), "application/edifact")

        setattr(gateway.ledger, step, busy)
        refused = [
            await us.lodge(declaration("BUSY-1"), "busy-1", client=client),
            await client.request("POST", url, message.headers, message.body, timeout=30),
        ]
        setattr(gateway.ledger, step, working)
        assert [answer.status for answer in refused] == [503, 503]
        assert all(answer.headers.get(b"retry-after") for answer in refused)
        assert await gateway.ledger.lodgements(limit=10) == []

        assert (await us.lodge(declaration("BUSY-1"), "busy-1", client=client)).status == 202
        assert (await party.send(message, what="declaration")).verified
        assert len(await gateway.ledger.lodgements(limit=10)) == 2
