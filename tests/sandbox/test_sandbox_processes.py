"""Processes end with what started them, and their last words are told."""

import pathlib
import socket

import msgspec
import pytest

from tidewaiter.gateway.sandbox.processes import Processes, StartFailed, free_ports


def test_free_ports_all_differ_and_are_free() -> None:
    ports = msgspec.structs.astuple(free_ports())
    assert len(set(ports)) == len(ports)
    for port in ports:
        with socket.socket() as each:
            each.bind(("127.0.0.1", port))


@pytest.mark.process
@pytest.mark.anyio
async def test_a_process_that_dies_early_is_told_with_its_last_words(tmp_path: pathlib.Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start("gateway", "serve", "--dir", str(tmp_path / "nowhere"), port=free_ports().https)
        with pytest.raises(StartFailed, match="gateway ended with code 2") as caught:
            await processes.ready()
    assert "gateway.toml" in str(caught.value)


@pytest.mark.process
def test_everything_ends_when_the_block_is_left_by_an_exception(tmp_path: pathlib.Path) -> None:
    processes = Processes(tmp_path)

    def interrupted() -> None:
        with processes:
            processes.start("one", "--version", port=1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(process.popen.poll() is not None for process in processes._running)
