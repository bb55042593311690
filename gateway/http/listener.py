"""The listener: accepts connections, does their TLS handshakes, and stops in good order."""

import errno
import ssl
from collections.abc import Callable

import anyio
from anyio.abc import ByteStream, Listener, SocketListener, SocketStream, TaskGroup, TaskStatus
from anyio.streams.stapled import MultiListener
from structlog.typing import FilteringBoundLogger

from ...routing.instant import Instant
from .connection import RETRY_AFTER, Connection, Phase, Service
from .exchange import Admit, Handler, Limits, problem, write_response
from .transport import STREAM_ERRORS, WENT_AWAY, accept_tls, close_in_order, peer_address, why_refused

# The process is out of descriptors or memory: others may finish meanwhile, so wait before the next accept.
_NO_CAPACITY = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS))
# The listening socket itself is of no use. Anything else is of the connection that was being accepted.
_NO_LISTENER = frozenset((errno.EBADF, errno.EINVAL, errno.ENOTSOCK, errno.EOPNOTSUPP))
ACCEPT_PAUSE = 0.1


async def serve(
    listener: Listener[SocketStream],
    handler: Handler,
    *,
    admit: Admit | None = None,
    limits: Limits | None = None,
    clock: Callable[[], Instant],
    tls: Callable[[], ssl.SSLContext] | None = None,
    log: FilteringBoundLogger,
    stopping: anyio.Event | None = None,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve HTTP on `listener` until `stopping` is set; closes `listener`. With `tls`, over TLS: it is called
    for the context of each handshake, so that certificates change while connections go on.

    `task_status.started()` is called once connections are accepted. `admit` sees each head before its body is
    read; `handler` sees whole requests. Once `stopping` is set nothing is accepted, idle connections close,
    requests in flight are answered with `Connection: close`, and what is left after `limits.drain_seconds` is
    cancelled. A cancellation from outside ends everything at once. A failure of one connection, its
    handshake or its handler is logged and ends that connection only.
    """
    service = Service(handler=handler, admit=admit, limits=limits or Limits(), clock=clock, log=log)
    server = _Server(service, tls)
    async with listener, anyio.create_task_group() as connections:
        async with anyio.create_task_group() as accepting:
            for each in _listeners(listener):
                accepting.start_soon(server.accept, each, connections)
            task_status.started()
            if stopping is None:
                await anyio.sleep_forever()
            else:
                await stopping.wait()
            accepting.cancel_scope.cancel()
        await listener.aclose()
        server.stop()
        connections.cancel_scope.deadline = anyio.current_time() + service.limits.drain_seconds
    if connections.cancel_scope.cancelled_caught:
        log.warning("drain_cut", seconds=service.limits.drain_seconds)


def _listeners(listener: Listener[SocketStream]) -> list[SocketListener]:
    several = listener.listeners if isinstance(listener, MultiListener) else [listener]
    found = [each for each in several if isinstance(each, SocketListener)]
    if len(found) != len(several):
        raise TypeError("only socket listeners can be served")
    return found


class _Server:
    """The connections of one listener."""

    def __init__(self, service: Service, tls: Callable[[], ssl.SSLContext] | None) -> None:
        self._service = service
        self._limits = service.limits
        self._log = service.log
        self._tls = tls
        self._open = 0
        self._connections: set[Connection] = set()

    def stop(self) -> None:
        """Close idle connections, and the others after the request in flight."""
        self._service.stopping = True
        for connection in tuple(self._connections):
            connection.stop()

    async def accept(self, listener: SocketListener, tasks: TaskGroup) -> None:
        """Accept connections until cancelled, each in a task of `tasks`."""
        while True:
            try:
                stream = await listener.accept()
            except (OSError, anyio.BrokenResourceError) as error:
                cause = error if isinstance(error, OSError) else error.__cause__
                code = cause.errno if isinstance(cause, OSError) else None
                if code is None or code in _NO_LISTENER:
                    raise
                self._log.error("accept_failed", reason=errno.errorcode.get(code, str(code)))
                if code in _NO_CAPACITY:
                    await anyio.sleep(ACCEPT_PAUSE)
            else:
                tasks.start_soon(self._serve, stream)

    async def _serve(self, raw: SocketStream) -> None:
        """One accepted connection, from its handshake to its end; raises nothing but cancellation."""
        client = peer_address(raw)
        stream: ByteStream | None = raw
        self._open += 1
        try:
            if self._open > self._limits.max_connections:
                await self._turn_away(raw, client)
            elif self._tls is None:
                await self._run(raw, client)
            else:
                stream = await self._handshake(raw, client, self._tls())
                if stream is not None:
                    await self._run(stream, client)
        except STREAM_ERRORS:
            self._log.debug("connection_lost", client=client)
        except Exception as error:  # border: one connection must not end the listener
            self._log.error("connection_failed", client=client, reason=type(error).__qualname__)
        finally:
            await close_in_order(raw if stream is None else stream, self._limits.linger_seconds)
            self._open -= 1

    async def _run(self, stream: ByteStream, client: str) -> None:
        connection = Connection(stream, client, self._service)
        self._connections.add(connection)
        try:
            await connection.run()
        except STREAM_ERRORS:
            if connection.phase is not Phase.IDLE:
                self._log.info("connection_lost", client=client, phase=connection.phase.value)
        finally:
            self._connections.discard(connection)

    async def _handshake(self, raw: SocketStream, client: str, tls: ssl.SSLContext) -> ByteStream | None:
        """The stream after the handshake, or None: then the peer has its alert and the log the reason."""
        try:
            with anyio.fail_after(self._limits.handshake_seconds):
                return await accept_tls(raw, tls)
        except TimeoutError:
            reason = "the handshake took too long"
        except STREAM_ERRORS as error:
            reason = why_refused(error)
        # A load balancer that looks whether the port is open would fill the log with warnings.
        report = self._log.debug if reason is WENT_AWAY else self._log.warning
        report("tls_refused", client=client, reason=reason)
        return None

    async def _turn_away(self, raw: SocketStream, client: str) -> None:
        self._log.warning("connection_refused", client=client, reason="too many connections")
        if self._tls is None:
            answer = problem(503, "too many connections", headers=RETRY_AFTER)
            now = self._service.clock()
            await raw.send(write_response(answer, method="", connection="close", now=now))
