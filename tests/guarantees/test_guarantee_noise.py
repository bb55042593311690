"""G5: a trader with a large document does not keep the others waiting."""

import pathlib
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tidewaiter.codecs.document import Reader, Reading
from tidewaiter.gateway import clock
from tidewaiter.gateway.http import Client, ClientResponse
from tidewaiter.gateway.intake import LARGE

pytestmark = pytest.mark.anyio

PATIENCE = 10.0
MARK = b"UNB+UNOC:3+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+261119:0915+LARGE'"


async def test_others_are_answered_while_a_large_document_is_read(
    folder: pathlib.Path,
    running: Any,
    door: Any,
    until: Callable[..., Any],
    declaration: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reading lasts until another document is receipted; on the loop itself it never would be."""
    read, begun, receipted = Reader.read, threading.Event(), threading.Event()
    in_time: list[bool] = []

    def reading(self: Reader, payload: bytes, *how: Any) -> Reading:
        if payload.startswith(MARK):
            begun.set()
            in_time.append(receipted.wait(PATIENCE))
        return read(self, payload, *how)

    monkeypatch.setattr(Reader, "read", reading)
    answers: list[ClientResponse] = []
    large = MARK + b"X'" * LARGE
    async with running(folder), Client(clock=clock.instant) as client, anyio.create_task_group() as group:
        us = door(folder)

        async def noise() -> None:
            kind = "application/edifact"
            answers.append(await us.ask("POST", "/v1/declarations", large, Content_Type=kind))

        group.start_soon(noise)
        await until(begun.is_set, "the reading of the large one")
        lodged = await us.lodge(declaration("NOISE-1"), "noise-1", client=client)
        receipted.set()
    assert in_time == [True]
    assert lodged.status == 202
    assert [answer.status for answer in answers] == [422]
