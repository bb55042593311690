"""The composition root: everything is made here, put together here, and nowhere else."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import anyio
import anyio.abc
import structlog

from . import clock, resources
from .answers import Answers
from .api import Api
from .as2_channel import As2Channel
from .concealment import Concealment
from .config import Config
from .dead_letters import DeadLetters
from .decisions import Decisions
from .history import History
from .http import Client, Limits, serve
from .inbound import Inbound
from .intake import Intake
from .ledger import Ledger, LedgerUnavailable, open_ledger
from .mdn_taking import MdnTaking
from .metrics import Metrics
from .operations import bind_operations, operations_app, serve_operations
from .outbound import Outbound
from .parties import Parties
from .receipts import Receipts
from .reload import Reloader
from .screening import Screening
from .sender import Sender
from .tls_contexts import TlsContexts
from .toml import ConfigError

log = structlog.get_logger()

# What is under way when a stop is asked for gets this long to end.
DRAIN_SECONDS = 8.0


class Gateway:
    """A running gateway's parts. `ports` are the ones really bound, by the names of the configuration."""

    def __init__(self, config: Config, ledger: Ledger, client: Client) -> None:
        self.config = config
        self.ledger = ledger
        self.parties = Parties(config)
        self._contexts = TlsContexts(self.parties)
        self.reloader = Reloader(self.parties, self._contexts)
        self.metrics = Metrics()
        self.stopping = anyio.Event()
        self.ports: dict[str, int] = {}
        settings = config.gateway
        reader = resources.reader(warm=True, folder=config.folder)
        agencies = self.parties.agency_values()
        answers = Answers(settings)
        self.history = History(ledger)
        decisions = Decisions(
            ledger, self.parties, agencies, answers, reader, committed=self.metrics.committed
        )
        sender = Sender(client, settings.as2_name.lower(), self._contexts.clients)
        self.outbound = Outbound(ledger, self.parties, answers, decisions, sender)
        screening = Screening(self.parties, answers, reader)
        intake = Intake(ledger, config.rules, agencies, answers, screening)
        inbound = Inbound(
            ledger,
            reader,
            intake,
            decisions,
            answers,
            self.metrics,
            self.history,
            self.outbound.wake,
            self.outbound.mdn_queue,
        )
        mdns = MdnTaking(ledger, self.parties, self.outbound.settling, self.metrics, self.outbound.wake)
        as2 = As2Channel(
            inbound,
            ledger,
            self.parties,
            self.metrics,
            settings.as2_name.lower(),
            Concealment(settings.limits.concealed_seconds),
            mdns,
        )
        receipts = Receipts(settings, lambda: self.parties.signer)
        self.api = Api(as2, inbound, ledger, self.parties, receipts, ledger.has_room)

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until `stopping` is set, then finish what is under way. Raises LedgerUnavailable if the
        ledger fails: nothing can be promised any more, and a supervisor must start it again."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._stop_if_failed)
            group.start_soon(self.history.run)
            group.start_soon(self.outbound.run)
            group.start_soon(self.reloader.run)
            async with anyio.create_task_group() as listeners:
                await self._listen(listeners)
                task_status.started()
                log.info("ready", ports=self.ports)
                listeners.start_soon(self._watch, listeners.cancel_scope)
            group.cancel_scope.cancel()
        log.info("stopped")

    async def _watch(self, scope: anyio.CancelScope) -> None:
        await self.stopping.wait()
        log.info("stopping")
        scope.deadline = anyio.current_time() + DRAIN_SECONDS

    async def _stop_if_failed(self) -> None:
        """After one failed write nothing more may be promised: the process ends, and a restart checks."""
        await self.ledger.failed.wait()
        raise LedgerUnavailable("a write to the ledger failed; stopping")

    async def _listen(self, group: anyio.abc.TaskGroup) -> None:
        listen = self.config.gateway.listen
        limits = self.config.gateway.limits
        http_limits = Limits(
            max_body=limits.body,
            max_connections=limits.connections,
            head_seconds=limits.head_seconds,
            body_seconds=limits.body_seconds,
            idle_seconds=limits.idle_seconds,
        )
        for name, bind, tls in (
            ("https", listen.https, self._contexts.server),
            ("http", listen.http, None),
        ):
            if bind:
                await self._serve(group, name, bind, tls, http_limits)
        if listen.operations:
            with self._taking("operations", listen.operations):
                taken = bind_operations(listen.operations)
            self.ports["operations"] = taken.getsockname()[1]
            letters = DeadLetters(self.ledger, wake=self.outbound.wake)
            app = operations_app(self.ledger, self.metrics, letters)
            loop = self.config.gateway.loop
            group.start_soon(lambda: serve_operations(app, taken, self.stopping, loop=loop))

    @contextmanager
    def _taking(self, name: str, bind: str) -> Iterator[None]:
        """A port that cannot be had is an error of the configuration, which says which one it is."""
        try:
            yield
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            file = self.config.folder / "gateway.toml"
            raise ConfigError(file, f"{bind}: {reason}", key=f"listen.{name}") from None

    async def _serve(
        self,
        group: anyio.abc.TaskGroup,
        name: str,
        bind: str,
        tls: Callable[[], ssl.SSLContext] | None,
        limits: Limits,
    ) -> None:
        host, _, port = bind.rpartition(":")
        with self._taking(name, bind):
            listener = await anyio.create_tcp_listener(
                local_host=host.strip("[]"), local_port=int(port), backlog=1024
            )
        self.ports[name] = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - a socket's attribute

        async def run() -> None:
            await serve(
                listener,
                self.api.handle,
                admit=self.api.admit,
                limits=limits,
                clock=clock.instant,
                tls=tls,
                log=log,
                stopping=self.stopping,
            )

        group.start_soon(run, name=f"listener {name}")


@asynccontextmanager
async def open_gateway(config: Config) -> AsyncIterator[Gateway]:
    """A gateway with its ledger and client open, not yet running. Raises ConfigError and LedgerError."""
    async with AsyncExitStack() as stack:
        reserve = config.gateway.limits.free_disk
        ledger = await stack.enter_async_context(
            open_ledger(config.path(config.gateway.ledger), reserve=reserve)
        )
        client = await stack.enter_async_context(Client(clock=clock.instant))
        yield Gateway(config, ledger, client)
