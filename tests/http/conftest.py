"""A listener on the loopback, with a log that can be read; certificates made on the spot."""

import contextlib
import dataclasses
import datetime
import ipaddress
import pathlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.abc
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tidewaiter.gateway.http import Admit, Handler, Limits, serve
from tidewaiter.routing.instant import Instant


class Clock:
    """A clock that goes on by one millisecond each time it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self) -> Instant:
        self.reads += 1
        moment = self.reads * 1_000_000
        return Instant(utc_ns=1_790_000_000_000_000_000 + moment, monotonic_ns=moment, process="test")


class Entries:
    """A structlog processor that keeps what is logged."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def __call__(self, _logger: object, method: str, event: dict[str, Any]) -> str:
        self.entries.append({**event, "level": method})
        raise structlog.DropEvent

    def logger(self) -> Any:
        return structlog.wrap_logger(
            None, processors=[self], wrapper_class=structlog.make_filtering_bound_logger(0)
        )

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.entries]


@dataclasses.dataclass
class Server:
    port: int
    log: Entries
    stopping: anyio.Event
    clock: Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> Entries:
    return Entries()


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port of the loopback that is taken, yet does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def serving() -> Callable[..., contextlib.AbstractAsyncContextManager[Server]]:
    """`async with serving(handler, ...) as server`: a real listener, stopped in good order at the end."""

    @contextlib.asynccontextmanager
    async def start(
        handler: Handler,
        *,
        admit: Admit | None = None,
        tls: ssl.SSLContext | None = None,
        **limits: Any,
    ) -> AsyncIterator[Server]:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        server = Server(port, Entries(), anyio.Event(), Clock())
        settings = Limits(**{"max_body": 1024, "linger_seconds": 0.5, **limits})

        async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            await serve(
                listener,
                handler,
                admit=admit,
                limits=settings,
                clock=server.clock,
                tls=None if tls is None else lambda: tls,
                log=server.log.logger(),
                stopping=server.stopping,
                task_status=task_status,
            )

        async with anyio.create_task_group() as tasks:
            await tasks.start(run)
            try:
                yield server
            finally:
                server.stopping.set()

    return start


@dataclasses.dataclass(frozen=True)
class Party:
    """A key with its certificate, in files and in DER."""

    name: str
    chain: pathlib.Path
    key: pathlib.Path
    der: bytes


def make_party(name: str, folder: pathlib.Path) -> Party:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Party(name, chain, key_file, certificate.public_bytes(serialization.Encoding.DER))


@dataclasses.dataclass(frozen=True)
class Parties:
    """The server, a client it knows, and one it does not."""

    server: Party
    known: Party
    stranger: Party

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.chain, self.server.key)
        context.load_verify_locations(self.known.chain)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def client_context(self, client: Party | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server.chain)
        if client is not None:
            context.load_cert_chain(client.chain, client.key)
        return context


@pytest.fixture(scope="session")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    folder = tmp_path_factory.mktemp("parties")
    return Parties(*(make_party(name, folder) for name in ("server", "known", "stranger")))
