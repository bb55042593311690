"""One decision from all answers, whichever way they meet."""

import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest

from tidewaiter.gateway.ledger import Change, Result
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.trader import open_trader

pytestmark = pytest.mark.anyio


async def test_two_answers_that_meet_are_decided_once(
    folder: pathlib.Path,
    running: Callable[..., Any],
    agencies: Callable[..., Any],
    declaration: Callable[..., bytes],
    reader: Any,
) -> None:
    """Each is read while the other is not written yet: neither may overlook the other for ever."""
    async with (
        running(folder) as gateway,
        agencies(folder),
        open_trader(load_account(folder, "trader"), reader, listen=False) as trader,
    ):
        commit, both = gateway.ledger.commit, anyio.Event()
        waiting = 0

        async def together(changes: Sequence[Change]) -> list[Result]:
            nonlocal waiting
            if any(change.answers for change in changes):
                waiting += 1
                if waiting == 2:
                    both.set()
                await both.wait()
            return await commit(changes)

        gateway.ledger.commit = together
        lodged = await trader.lodge_https(declaration("MEET-1"))
        with anyio.fail_after(10):
            await trader.look_for(lambda notice: notice.lrn == "MEET-1")
        status = await trader.status(lodged.id)
    assert status is not None
    assert status["state"] == "released"
    assert [decision["version"] for decision in status["decisions"]] == [1]
    assert waiting >= 3, "the later one is decided again"
