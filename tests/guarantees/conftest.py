"""What the checks of the guarantees share: a starter configuration, ports that stay ours, gateways to start.

Fixtures give functions and classes, because test modules cannot import one another.
"""

import contextlib
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import clock, resources
from tidewaiter.gateway.app import Gateway, open_gateway
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.http import Client, ClientResponse
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.agency import serve_agency
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.gateway.scaffold import Ports, make_starter
from tidewaiter.security import load_certificates
from tidewaiter.security.tls import client_context

# Far above what anything here takes on a quiet machine: a check must not fail because others are at work.
PATIENCE = 30.0
POLL_SECONDS = 0.01
# Agencies that answer at once, and tries that follow quickly: the checks are about order, not about waiting.
SANDBOX = '[agency.customs]\nanswers = "later"\n[agency.agriculture]\nanswers = "response"\n[agency.health]\n'
QUICK_RETRY = "first = 0.1\nfactor = 2.0\ncap = 0.4"

# A folder -> the gateway in it, while the block runs.
Running = Callable[[pathlib.Path], contextlib.AbstractAsyncContextManager[Gateway]]


class HeldPorts:
    """Free ports that stay ours while nobody listens on them.

    Each is bound by a socket that never listens. With SO_REUSEADDR on both, a gateway may listen there all
    the same; but no connection on its way out is given such a port while a gateway is dead.
    """

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def one(self) -> int:
        """A port of 127.0.0.1."""
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self._sockets.append(held)
        return int(held.getsockname()[1])

    def close(self) -> None:
        """Let them go."""
        for held in self._sockets:
            held.close()


@pytest.fixture(scope="session")
def ports() -> Iterator[HeldPorts]:
    """Ports for listeners of the checks."""
    held = HeldPorts()
    yield held
    held.close()


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory, ports: HeldPorts) -> pathlib.Path:
    """A starter configuration, made once: its keys take half a second."""
    folder = tmp_path_factory.mktemp("guarantees") / "starter"
    chosen = Ports(**{name: ports.one() for name in Ports.__struct_fields__})
    make_starter(folder, now=datetime.now(UTC), ports=chosen)
    for file in (*folder.glob("agencies/*.toml"), *folder.glob("partners/*.toml")):
        quick = re.sub(
            r"first = .*\nfactor = .*\ncap = .*", "first = 0.1\nfactor = 2.0\ncap = 0.4", file.read_text()
        )
        file.write_text(quick)
    (folder / "sandbox.toml").write_text(SANDBOX)
    return folder


@pytest.fixture
def folder(starter: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A starter configuration of this check's own."""
    return pathlib.Path(shutil.copytree(starter, tmp_path / "gateway"))


@pytest.fixture(scope="session")
def reader() -> Reader:
    """A reader with all that is shipped."""
    return resources.reader()


@pytest.fixture(scope="session")
def declaration() -> Callable[..., bytes]:
    """Makes a sample its own: another LRN, and another interchange reference."""

    def make(lrn: str, name: str = "import.edi") -> bytes:
        found, count = re.subn(rb"MER-26-00417\d", lrn.encode(), sample(name))
        assert count
        return re.sub(rb"MT2604171\d{4}", f"R{lrn}"[:14].encode(), found)

    return make


@pytest.fixture
def until() -> Callable[..., Awaitable[Any]]:
    """Polls: returns the first true value of `check`, which may be async; fails after `seconds`."""

    async def wait(check: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        deadline = time.monotonic() + seconds
        while True:
            value = check()
            value = await value if isinstance(value, Awaitable) else value
            if value:
                return value
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            await anyio.sleep(POLL_SECONDS)

    return wait


@pytest.fixture
def running(
    anyio_backend_name: str,
) -> Callable[[pathlib.Path], contextlib.AbstractAsyncContextManager[Gateway]]:
    """The gateway of a folder, running on the check's own loop, without the operator's port."""

    @contextlib.asynccontextmanager
    async def run(folder: pathlib.Path) -> AsyncIterator[Gateway]:
        file = folder / "gateway.toml"
        file.write_text(re.sub(r'operations = ".*"', 'operations = ""', file.read_text()))
        async with open_gateway(load_config(folder)) as gateway, anyio.create_task_group() as group:
            await group.start(gateway.run)
            yield gateway
            gateway.stopping.set()

    return run


@pytest.fixture
def agencies(reader: Reader) -> Callable[..., contextlib.AbstractAsyncContextManager[None]]:
    """The sandbox agencies of a folder, as listeners on the check's own loop."""

    @contextlib.asynccontextmanager
    async def run(folder: pathlib.Path, *names: str) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            for name in names or ("customs", "agriculture", "health"):
                await group.start(functools.partial(serve_agency, load_account(folder, name), folder, reader))
            yield
            group.cancel_scope.cancel()

    return run


class Door:
    """Asks the HTTPS port of a folder's gateway as anybody: `who` names the keys, None shows none."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._shown = load_certificates((folder / "keys/gateway-tls.pem").read_bytes())
        listen = load_config(folder).gateway.listen
        self.https_port, self.http_port = (
            int(bind.rpartition(":")[2]) for bind in (listen.https, listen.http)
        )
        self._contexts: dict[str | None, ssl.SSLContext] = {}

    def tls(self, who: str | None = "trader") -> ssl.SSLContext:
        """A context that shows the certificate of `who`."""
        if who not in self._contexts:
            keys = [self._folder / "keys" / f"{who}.{end}" for end in ("pem", "key")] if who else [None, None]
            self._contexts[who] = client_context(self._shown, chain=keys[0], key=keys[1])
        return self._contexts[who]

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        who: str | None = "trader",
        client: Client | None = None,
        **headers: str,
    ) -> ClientResponse:
        """One request, on a connection of its own unless `client` is given."""
        fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        url = f"https://localhost:{self.https_port}{path}"
        if client is not None:
            return await client.request(method, url, fields, body, tls=self.tls(who), timeout=PATIENCE)
        async with Client(clock=clock.instant) as own:
            return await own.request(method, url, fields, body, tls=self.tls(who), timeout=PATIENCE)

    async def lodge(self, body: bytes, key: str, *, client: Client | None = None) -> ClientResponse:
        """Lodge as the trader."""
        kind = "application/xml" if body.lstrip().startswith(b"<") else "application/edifact"
        return await self.ask(
            "POST", "/v1/declarations", body, client=client, Content_Type=kind, Idempotency_Key=key
        )


@pytest.fixture(scope="session")
def door() -> type[Door]:
    """Door(folder)."""
    return Door


class Served:
    """`tidewaiter serve` as a process; `log` is its standard error."""

    def __init__(self, folder: pathlib.Path, *command: str) -> None:
        self.log = folder / "serve.log"
        self._started = time.monotonic()
        arguments = command or ("-m", "tidewaiter", "serve", "--dir", str(folder))
        with self.log.open("ab") as output:
            # Not where the package lies: its folders bear names of the standard library.
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, stdout=output, stderr=output
            )
        self._ports = [Door(folder).https_port, Door(folder).http_port]

    async def ready(self) -> float | None:
        """Return once both ports take connections, with the seconds since the start; those in which it only
        waited for a core that others used do not count. None: it ended first."""
        while not all(map(_listens, self._ports)):
            if self.process.poll() is not None:
                return None
            assert time.monotonic() < self._started + PATIENCE, self._last_words()
            await anyio.sleep(POLL_SECONDS)
        return time.monotonic() - self._started - self._waited()

    def _waited(self) -> float:
        """Seconds for which it was ready to run and did not."""
        try:
            return int(pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1]) / 1e9
        except OSError:
            return 0.0

    async def ends(self, code: int) -> None:
        """Wait for its end, which must be this one."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self._last_words()
            await anyio.sleep(POLL_SECONDS)
        assert self.process.returncode == code, self._last_words()

    async def stops(self) -> None:
        """Ask it to stop, which it must do in good order."""
        self.process.send_signal(signal.SIGTERM)
        await self.ends(0)

    def _last_words(self) -> str:
        return f"{self.process.args}\n{self.log.read_text()[-4000:]}"

    def memory(self, *, afresh: bool = False) -> int:
        """The most memory it has had so far, in octets; `afresh`: forget that, and begin with what it has."""
        process = pathlib.Path(f"/proc/{self.process.pid}")
        if afresh:
            (process / "clear_refs").write_text("5")
        return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", (process / "status").read_text())[1])  # type: ignore[index]

    def kill(self) -> None:
        """End it now, if it still runs."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _serving() -> Iterator[Callable[..., Served]]:
    """Starts gateways as processes; none is left at the end."""
    started: list[Served] = []

    def start(folder: pathlib.Path, *command: str) -> Served:
        started.append(Served(folder, *command))
        return started[-1]

    yield start
    for each in started:
        each.kill()


serve = pytest.fixture(_serving, name="serve")
serve_all_module = pytest.fixture(_serving, scope="module", name="serve_all_module")


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
