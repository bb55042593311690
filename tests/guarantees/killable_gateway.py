"""A real gateway that kills itself, without a word to anybody, when it has passed a chosen point so often.

    python killable_gateway.py DIR POINT COUNT

Its parts are those of the composition root; the one at the point is wrapped, here and not there.
"""

import os
import pathlib
import signal
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

import anyio

from tidewaiter.gateway import clock
from tidewaiter.gateway.app import Gateway
from tidewaiter.gateway.config import Config, load_config
from tidewaiter.gateway.http import Client, Request, Response
from tidewaiter.gateway.ledger import Change, Ledger, Result, Wire, open_ledger
from tidewaiter.gateway.parties import Party
from tidewaiter.gateway.sender import Failure, Received, Sender


class Fate:
    """Counts passings of one point. The last one is the end."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def passed(self, point: str) -> bool:
        """Whether this passing of `point` is the last one."""
        if point != self._point:
            return False
        self._left -= 1
        return self._left == 0

    def meet(self, point: str) -> None:
        """Die here, if this is the place and the time."""
        if self.passed(point):
            os.kill(os.getpid(), signal.SIGKILL)


def doomed_connection(armed: list[bool]) -> type[sqlite3.Connection]:
    """A connection that dies, once `armed`, with the transaction written and not committed."""

    class Doomed(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if armed and sql.lstrip().startswith("COMMIT"):
                os.kill(os.getpid(), signal.SIGKILL)
            return super().execute(sql, *parameters)

    return Doomed


def wrap(gateway: Gateway, ledger: Ledger, fate: Fate, armed: list[bool]) -> None:
    """Put `fate` at each point."""
    commit, handle, send = ledger.commit, gateway.api.handle, Sender.send

    async def committing(changes: Sequence[Change]) -> list[Result]:
        if any(change.lodgements for change in changes) and fate.passed("commit"):
            armed.append(True)
        if any(change.decisions for change in changes):
            fate.meet("decision")
        return await commit(changes)

    async def handling(request: Request) -> Response:
        response = await handle(request)
        if request.method == "POST":
            fate.meet("reply")
        return response

    async def sending(self: Sender, wire: Wire, party: Party, **options: Any) -> Received | Failure:
        fate.meet("send" if party.is_agency else "push")
        result = await send(self, wire, party, **options)
        if party.is_agency and isinstance(result, Received):
            fate.meet("taken")
        return result

    ledger.commit = committing  # type: ignore[method-assign]
    gateway.api.handle = handling  # type: ignore[method-assign]
    Sender.send = sending  # type: ignore[method-assign]


async def main(config: Config, point: str, count: int) -> None:
    """Run the gateway of `config` until its fate."""
    armed: list[bool] = []
    path = config.path(config.gateway.ledger)
    async with (
        open_ledger(path, reserve=0, connection=doomed_connection(armed)) as ledger,
        Client(clock=clock.instant) as client,
    ):
        gateway = Gateway(config, ledger, client)
        wrap(gateway, ledger, Fate(point, count), armed)
        await gateway.run()


if __name__ == "__main__":
    where, at, times = sys.argv[1:]
    settings = load_config(pathlib.Path(where))
    uvloop: dict[str, Any] = {"backend": "asyncio", "backend_options": {"use_uvloop": True}}
    options = uvloop if settings.gateway.loop == "uvloop" else {"backend": "trio"}
    anyio.run(main, settings, at, int(times), **options)
