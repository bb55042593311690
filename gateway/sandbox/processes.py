"""Processes of the demonstration: started, waited for, and ended whatever happens."""

import contextlib
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import Self

import anyio
import msgspec

from ..scaffold import Ports

# A cold start reads some hundred modules and compiles the schemas; a busy machine takes its time.
START_SECONDS = 20.0
POLL_SECONDS = 0.05
# The gateway ends what is under way before it stops.
STOP_SECONDS = 10.0
LINES_SHOWN = 12
_IGNORED = (signal.SIGTERM, signal.SIGHUP)


class StartFailed(Exception):  # noqa: N818 - named for what happened
    """A process died or never listened; its last words are in the text."""


class _Process(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    port: int
    log: pathlib.Path
    popen: subprocess.Popen[bytes]


class _Deaf:
    """While it lasts, SIGTERM and SIGHUP are ignored: they would end us before what we started.

    Ctrl-C still shortens the waiting.
    """

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, signal.SIG_IGN) for number in _IGNORED}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def free_ports() -> Ports:
    """Ports that nobody listens on. They are held together, so that all differ, and then let go."""
    names = Ports.__struct_fields__
    sockets = [socket.socket() for _ in names]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return Ports(**{name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)})
    finally:
        for each in sockets:
            each.close()


class Processes:
    """A context manager that ends all it started, in the reverse order."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._logs = folder / "logs"
        self._running: list[_Process] = []

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deaf = _Deaf() if threading.current_thread() is threading.main_thread() else contextlib.nullcontext()
        with deaf:
            self._end()

    def _end(self) -> None:
        try:
            for process in reversed(self._running):
                process.popen.terminate()
            end = time.monotonic() + STOP_SECONDS
            for process in reversed(self._running):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.popen.wait(max(0.1, end - time.monotonic()))
        finally:
            # Also when somebody is impatient: a second Ctrl-C interrupts the waiting, not the ending.
            for process in self._running:
                process.popen.kill()
                process.popen.wait()

    def start(self, name: str, *arguments: str, port: int) -> None:
        """Start `tidewaiter` with `arguments`, to listen on `port`; its output goes to `logs/NAME.log`."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(  # noqa: S603 - our own program, with arguments of our own
                [sys.executable, "-m", "tidewaiter", *arguments],
                # Not where the package lies: its folders bear names of the standard library.
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the demonstration, which then ends them in order.
                start_new_session=True,
            )
        self._running.append(_Process(name=name, port=port, log=log, popen=popen))

    async def ready(self) -> None:
        """Return once each listens on its port. Raises StartFailed for the first that does not."""
        deadline = anyio.current_time() + START_SECONDS
        for process in self._running:
            while not await _listens(process.port):
                self.check()
                if anyio.current_time() > deadline:
                    raise StartFailed(f"{process.name} does not listen\n{self._last_words(process)}")
                await anyio.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raises StartFailed if a process has ended."""
        for process in self._running:
            code = process.popen.poll()
            if code is not None:
                raise StartFailed(f"{process.name} ended with code {code}\n{self._last_words(process)}")

    def _last_words(self, process: _Process) -> str:
        lines = process.log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        return "\n".join([f"{process.log}:", *(f"  {line}" for line in lines or ["(nothing was written)"])])


async def _listens(port: int) -> bool:
    try:
        stream = await anyio.connect_tcp("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True
