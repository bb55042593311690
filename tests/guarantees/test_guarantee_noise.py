"""G5: a trader with a large document does not keep the others waiting."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tidewaiter.gateway import clock
from tidewaiter.gateway.http import Client, ClientResponse

pytestmark = pytest.mark.anyio

# Some seconds' work: nothing in it is a message, and each segment is looked at.
LARGE = b"UNB+UNOC:3+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+261119:0915+R'UNH+1+CUSDEC:D:96B:UN'" + b"X'" * 400_000
# Requests of others that are answered meanwhile; without room for them it is one, at the beginning.
OTHERS = 4


async def test_others_are_answered_while_a_large_document_is_read(
    folder: pathlib.Path, running: Any, door: Any, declaration: Callable[..., bytes]
) -> None:
    async with running(folder), Client(clock=clock.instant) as client, anyio.create_task_group() as group:
        us = door(folder)
        # Both connections are made, and everything is loaded, before it begins.
        assert (await us.lodge(declaration("NOISE-0"), "noise-0", client=client)).status == 202
        large: list[ClientResponse] = []

        async def noise() -> None:
            large.append(await us.ask("POST", "/v1/declarations", LARGE, Content_Type="application/edifact"))

        group.start_soon(noise)
        answered, longest = 0, 0.0
        while not large:
            started = time.monotonic()
            lodged = await us.lodge(declaration(f"NOISE-{answered + 1}"), f"n-{answered}", client=client)
            assert lodged.status == 202
            answered, longest = answered + 1, max(longest, time.monotonic() - started)
    assert large[0].status == 422
    assert answered >= OTHERS, f"{answered} answered, one after {longest:.1f} s"
