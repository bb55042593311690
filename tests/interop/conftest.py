"""Independent AS2 stacks as live partners: keys for both sides, a gateway of our own, the peers' programs."""

import base64
import contextlib
import dataclasses
import importlib.util
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tidewaiter.gateway.scaffold import Ports, make_starter
from tidewaiter.security import make_self_signed

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS, NODE_MODULES = HERE / "programs", HERE / ".deps" / "node_modules"
# The whole matrix takes minutes: `make interop` sets this. Else what is marked `whole` is skipped.
WHOLE = "TIDEWAITER_INTEROP"
PATIENCE = 30.0
POLL_SECONDS = 0.02

Options = dict[str, Any]

# What a message is where a test does not say otherwise.
USUAL: Options = {
    "sign": "pkcs1",
    "scheme": "pkcs1",
    "digest": "sha256",
    "encrypt": "aes-256-cbc",
    "key": "pkcs1",
    "compress": "none",
    "mdn": "signed",
    "type": "application/edifact",
}
STACKS = ("openssl", "pyas2lib", "libas2")
_KEYS = (
    ("gateway", "rsa2048"),
    ("gateway-ec", "p256"),
    ("peer", "rsa2048"),
    ("peer-ec", "p256"),
    ("other", "rsa2048"),
)
_PARTNER = """name = "{stack}"
[as2]
name = "{name}"
certificates = ["keys/peer.pem", "keys/peer-ec.pem"]
receipt-addresses = ["{origin}"]
private-addresses = true
allow = {allow}
"""
_ALLOW = ["sha-1", "3des", "unsigned", "unencrypted", "no-signed-attributes"]
_AGENCY = """name = "{stack}-{receipts}"
syntax = "edifact"
channel = "as2"
[as2]
name = "{name}-{upper}"
certificates = ["keys/peer.pem"]
url = "http://127.0.0.1:{port}/as2"
receipts = "{receipts}"
{settings}
[retry]
first = 60.0
factor = 2.0
cap = 300.0
deadline = 3600.0
"""
# How each stack, as an agency, wants what we deliver.
_DELIVERED = {
    "openssl": """compress = true
cipher = "aes-256-gcm"
signature = "rsa-pss"
base64 = true
chunked = true""",
    "pyas2lib": """compress = true
key-transport = "rsa-oaep-sha1"
digest = "sha-512\"""",
    "libas2": 'cipher = "aes-128-cbc"',
}
# By its type a declaration goes to agencies of one kind of receipts.
_ROUTE = """[[route]]
name = "{receipts}"
agencies = {agencies}
[route.when]
type = ["{type}"]
"""
# What is encrypted to us may be so to either key.
_DECRYPTION = """
[[decryption]]
certificate = "keys/gateway.pem"
key = "keys/gateway.key"
[[decryption]]
certificate = "keys/gateway-ec.pem"
key = "keys/gateway-ec.key"
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "whole: one of many cells, run by `make interop` only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `make interop` one skipped cell of each module stands for all that are not run."""
    if os.environ.get(WHOLE):
        return
    left: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("whole"):
            left.setdefault(item.nodeid.partition("::")[0], []).append(item)
    for cells in left.values():
        reason = f"the whole matrix, {len(cells)} cells here, is run by `make interop` ({WHOLE}=1)"
        cells.pop(0).add_marker(pytest.mark.skip(reason=reason))
    deselected = {item for cells in left.values() for item in cells}
    items[:] = [item for item in items if item not in deselected]
    config.hook.pytest_deselected(items=list(deselected))


class Program:
    """A peer's program. `port` is that of its server, `version` what it says it is."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | environment,
            text=True,
        )
        try:
            hello = self._line()
        except AssertionError:
            self.stop()
            raise
        self.port, self.version = int(hello["port"]), str(hello["version"])

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """What it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self._process.stdin.flush()
        return self._line()

    def send(self, url: str, payload: bytes, **options: Any) -> dict[str, Any]:
        """Have it send one message: what came of it."""
        encoded = base64.b64encode(payload).decode()
        return self.ask("send", url=url, payload=encoded, options=self.options(**options))

    def expect(self, **options: Any) -> str | None:
        """Say how what comes in next is to be opened and answered; forget what came in before. What the stack
        says that it cannot do, if so."""
        self.ask("seen")
        return self.ask("expect", options=self.options(**options)).get("failure")

    def options(self, **options: Any) -> Options:
        """The usual ones, and these."""
        return USUAL | {"me": self.name.upper(), "them": "TIDEWAITER"} | options

    def seen(self) -> dict[str, Any]:
        """What came in: one thing."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.ask("seen")["seen"]):
            assert time.monotonic() < deadline, f"nothing came in at {self.name}"
            time.sleep(POLL_SECONDS)
        (one,) = found
        return dict(one)

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # Node itself may have something to say first.
            if line.startswith("{"):
                return dict(json.loads(line))
        raise AssertionError(f"{self.name} ended with {self._process.wait(PATIENCE)}")


def _missing(stack: str) -> str | None:
    """Why this stack cannot take part."""
    if stack == "openssl" and shutil.which("openssl") is None:
        return "the openssl command line is not installed"
    if stack == "pyas2lib" and importlib.util.find_spec("pyas2lib") is None:
        return "pyas2lib is not installed: make interop-deps"
    if stack == "libas2" and (shutil.which("node") is None or not (NODE_MODULES / "libas2").is_dir()):
        return "node or npm's libas2 is not installed: make interop-deps"
    return None


def _node() -> list[str]:
    """Node, let decrypt RSA PKCS#1 v1.5 where its releases know that as an option: nothing here is secret."""
    command = ["node", "--security-revert=CVE-2023-46809"]
    known = subprocess.run([*command, "--eval", ""], capture_output=True, check=False).returncode == 0
    return command if known else command[:1]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Certificates and keys of both sides, and of one who has no part in it."""
    folder = tmp_path_factory.mktemp("interop") / "keys"
    folder.mkdir()
    for name, kind in _KEYS:
        certificate, key = make_self_signed(name, now=datetime.now(UTC), days=2, key=kind)
        (folder / f"{name}.pem").write_bytes(certificate)
        (folder / f"{name}.key").write_bytes(key)
    return folder


@pytest.fixture(scope="session")
def program(keys: pathlib.Path) -> Iterator[Callable[[str], Program]]:
    """The peer of a stack's name, running; the test is skipped where the stack is not installed."""
    running: dict[str, Program] = {}

    def start(stack: str) -> Program:
        if (reason := _missing(stack)) is not None:
            pytest.skip(reason)
        if stack not in running:
            environment = {}
            if stack == "libas2":
                command = [*_node(), str(PROGRAMS / "libas2_peer.js")]
                environment = {"NODE_PATH": str(NODE_MODULES)}
            else:
                script = "pyas2_peer.py" if stack == "pyas2lib" else "openssl_peer.py"
                command = [sys.executable, str(PROGRAMS / script)]
            running[stack] = Program(stack, [*command, str(keys)], environment)
        return running[stack]

    yield start
    for each in running.values():
        each.stop()


@dataclasses.dataclass(frozen=True)
class Served:
    """`tidewaiter serve`, as a process."""

    folder: pathlib.Path
    url: str
    origins: tuple[str, ...]
    """Where the peers take receipts."""

    def message(self, message_id: str) -> tuple[bool, list[tuple[str, str]], bytes]:
        """Whether the message of this id was accepted, with its headers and body as stored."""
        query = "SELECT accepted, headers, body FROM message WHERE headers LIKE ? ORDER BY seq DESC LIMIT 1"
        with contextlib.closing(sqlite3.connect(self.folder / "ledger.db")) as ledger:
            accepted, headers, body = ledger.execute(query, (f"%{message_id}%",)).fetchone()
        return bool(accepted), [(name, value) for name, value in json.loads(headers)], body

    def agencies(self) -> tuple[str, ...]:
        """Those that it delivers to."""
        return tuple(file.stem for file in (self.folder / "agencies").iterdir())

    def delivered(self, agency: str) -> dict[str, int]:
        """How many deliveries to `agency` are in each state."""
        query = "SELECT state, count(*) FROM delivery WHERE agency = ? GROUP BY state"
        with contextlib.closing(sqlite3.connect(self.folder / "ledger.db")) as ledger:
            return dict(ledger.execute(query, (agency,)).fetchall())


@pytest.fixture(scope="session")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, keys: pathlib.Path, program: Callable[[str], Program]
) -> Iterator[Served]:
    """Our gateway, with each stack as a partner who may do what is weak, and as one who may not."""
    folder = tmp_path_factory.mktemp("gateway") / "gateway"
    ports = [_free() for _ in Ports.__struct_fields__]
    chosen = Ports(**dict(zip(Ports.__struct_fields__, ports, strict=True)))
    make_starter(folder, now=datetime.now(UTC), ports=chosen)
    for file in keys.iterdir():
        shutil.copy(file, folder / "keys" / file.name)
    peers = {stack: program(stack).port for stack in STACKS if _missing(stack) is None}
    if not peers:
        pytest.skip("no other AS2 stack is installed: make interop-deps")
    origins = {stack: f"http://127.0.0.1:{port}" for stack, port in peers.items()}
    for stack, origin in origins.items():
        for name, allow in ((stack, _ALLOW), (f"{stack}-strict", [])):
            text = _PARTNER.format(stack=name, name=name.upper(), origin=origin, allow=json.dumps(allow))
            (folder / f"partners/{name}.toml").write_text(text)
    _deliver_to(folder, peers)
    settings = folder / "gateway.toml"
    text = re.sub(r'operations = ".*"', 'operations = ""', settings.read_text())
    url = f"http://127.0.0.1:{chosen.http}/as2"
    settings.write_text(f'as2-url = "{url}"\n{text}{_DECRYPTION}')
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tidewaiter", "serve", "--dir", str(folder)],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + PATIENCE
    while not _listens(chosen.http):
        assert process.poll() is None, (folder / "serve.log").read_text()[-4000:]
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)
    yield Served(folder, url, tuple(origins.values()))
    process.terminate()
    process.wait(PATIENCE)


def _deliver_to(folder: pathlib.Path, peers: dict[str, int]) -> None:
    """The peers as agencies, instead of those of the starter."""
    for file in (folder / "agencies").iterdir():
        file.unlink()
    routes = []
    for receipts, kind in (("sync", "import"), ("async", "export")):
        for stack, port in peers.items():
            values = {"stack": stack, "name": stack.upper(), "port": port, "settings": _DELIVERED[stack]}
            text = _AGENCY.format(**values, receipts=receipts, upper=receipts.upper())
            (folder / f"agencies/{stack}-{receipts}.toml").write_text(text)
        agencies = json.dumps([f"{stack}-{receipts}" for stack in peers])
        routes.append(_ROUTE.format(receipts=receipts, agencies=agencies, type=kind))
    (folder / "routes.toml").write_text("".join(routes))


def _free() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def usual() -> Options:
    """What a message is where a cell does not say otherwise."""
    return USUAL


@pytest.fixture(scope="session")
def payload() -> Callable[[], bytes]:
    """Makes interchanges, no two alike; with octets that are no ASCII."""
    numbers = itertools.count(1)

    def make() -> bytes:
        number = next(numbers)
        text = f"UNB+UNOC:3+PEER+TIDEWAITER+261122:1200+{number}'\r\nUNZ+0+{number}'\r\n"
        return text.encode("latin-1")

    return make
