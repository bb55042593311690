"""One connection of the listener: read a head, ask `admit`, read the body, ask the handler, answer; again."""

import enum
import math
from collections.abc import Callable

import anyio
from anyio.abc import ByteStream
from structlog.typing import FilteringBoundLogger

from ...routing.instant import Instant
from .body import BodyPlan, BodyReceiver, Framing, receiver_for, request_body
from .errors import HttpRefusal
from .exchange import Admit, Handler, Limits, Request, Response, problem, write_response
from .head import RequestHead, keeps_alive, parse_request_head
from .incoming import HeadBuffer
from .transport import peer_certificate

# One read while waiting for a head, and one while a body is on its way.
HEAD_READ = 64 * 1024
BODY_READ = 256 * 1024
# When the listener itself is short of room; it passes quickly.
RETRY_AFTER = (("retry-after", "5"),)
# A path in the log is to be recognised, not to fill it.
PATH_SHOWN = 200
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Phase(enum.Enum):
    """What a connection is doing: decides what its end, or the end of its time, means."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    HANDLER = "handler"
    SENDING = "sending"


class Service:
    """What the connections of one listener share."""

    def __init__(
        self,
        *,
        handler: Handler,
        admit: Admit | None,
        limits: Limits,
        clock: Callable[[], Instant],
        log: FilteringBoundLogger,
    ) -> None:
        self.handler = handler
        self.admit = admit
        self.limits = limits
        self.clock = clock
        self.log = log
        self.stopping = False
        # Octets of all bodies that did not come in one piece with their head.
        self.buffered = 0


class Connection:
    """A connection whose handshake, if any, is done. `run` once; closing the stream is the caller's."""

    def __init__(self, stream: ByteStream, client: str, service: Service) -> None:
        self._stream = stream
        self._client = client
        self._service = service
        self._limits = service.limits
        self._certificate = peer_certificate(stream)
        self._scope = anyio.CancelScope()
        self._phase = Phase.IDLE
        self._buffer = HeadBuffer(skip_empty_line=True)
        self._data = b""
        self._first = self._last = service.clock()
        self._head: RequestHead | None = None
        self._served = 0
        self._held = 0

    def stop(self) -> None:
        """End the connection now if it waits for a request; else it ends after the request in flight."""
        if self._phase is Phase.IDLE:
            self._scope.cancel()

    async def run(self) -> None:
        """Serve requests until either side ends the connection. Raises STREAM_ERRORS when the peer goes."""
        refusal: HttpRefusal | None = None
        with self._scope:
            try:
                while await self._exchange():
                    pass
            except HttpRefusal as error:
                refusal = error
            finally:
                self._service.buffered -= self._held
                self._held = 0
        if self._scope.cancelled_caught:
            refusal = self._too_slow()
        if refusal is not None:
            await self._refuse(refusal)

    @property
    def phase(self) -> Phase:
        """What the connection is, or was last, doing."""
        return self._phase

    async def _exchange(self) -> bool:
        """One request and its answer; False once the connection is to be closed."""
        self._head = None
        block = await self._read_head()
        if block is None:
            return False
        self._head = head = parse_request_head(block)
        plan = request_body(head)
        keep = keeps_alive(head)
        _check_expectation(head)
        response = self._admit(head)
        if response is not None:
            # The body is not read, so what follows the head cannot be told from a request.
            keep = keep and plan.framing is Framing.NONE
        else:
            response = await self._handle(head, await self._read_body(head, plan))
        keep = await self._send(head, response, keep=keep)
        self._service.buffered -= self._held
        self._held = 0
        return keep

    async def _read_head(self) -> bytes | None:
        """The next block of a head; None if there will be none."""
        buffer = self._buffer
        block: bytes | None = None
        data: bytes | None = self._data
        if data:
            # A pipelined request: only now is it looked at. Its moments must not be those of the read that
            # brought it, for what is held from its arrival would then tell how long the one before took.
            self._last = self._service.clock()
        # An empty line before a request is not yet a request: after it, the connection is still idle.
        while block is None and not buffer.started:
            data = data or await self._first_bytes()
            if data is None:
                return None
            self._first = self._last
            block, data = buffer.feed(data), b""
        self._phase = Phase.HEAD
        if block is None:
            self._allow(self._limits.head_seconds)
            while block is None:
                data = await self._stream.receive(HEAD_READ)
                self._last = self._service.clock()
                block = buffer.feed(data)
        self._data = buffer.rest
        return block

    async def _first_bytes(self) -> bytes | None:
        """Wait for a request; None if there will be none."""
        if self._service.stopping:
            return None
        self._phase = Phase.IDLE
        self._allow(self._limits.idle_seconds if self._served else self._limits.head_seconds)
        try:
            data = await self._stream.receive(HEAD_READ)
        except anyio.EndOfStream:
            return None
        self._last = self._service.clock()
        return data

    async def _read_body(self, head: RequestHead, plan: BodyPlan) -> bytes:
        if plan.framing is Framing.NONE:
            return b""
        receiver = receiver_for(plan, self._limits.max_body)
        if self._data:
            receiver.feed(self._data)
        if not receiver.done:
            self._phase = Phase.BODY
            if not self._data and head.minor == 1 and head.get(b"expect") is not None:
                self._allow(self._limits.send_seconds)
                await self._stream.send(_CONTINUE)
            await self._fill(receiver)
        self._data = receiver.rest
        return receiver.body()

    async def _fill(self, receiver: BodyReceiver) -> None:
        """Feed `receiver` from the stream until it is done."""
        limits, service = self._limits, self._service
        started = anyio.current_time()
        while not receiver.done:
            self._scope.deadline = started + limits.body_seconds + self._held / limits.min_rate
            data = await self._stream.receive(BODY_READ)
            self._last = service.clock()
            self._held += len(data)
            service.buffered += len(data)
            if service.buffered > limits.max_buffered:
                raise HttpRefusal(503, "no room for this body at the moment")
            receiver.feed(data)

    def _admit(self, head: RequestHead) -> Response | None:
        if self._service.admit is None:
            return None
        try:
            return self._service.admit(head, self._certificate)
        except Exception as error:  # border: a fault of ours must not end the listener
            return self._failed(error)

    async def _handle(self, head: RequestHead, body: bytes) -> Response:
        self._phase = Phase.HANDLER
        self._scope.deadline = math.inf
        request = Request(
            method=head.method,
            path=head.path,
            query=head.query,
            headers=head.headers,
            body=body,
            peer_certificate=self._certificate,
            client=self._client,
            first_byte=self._first,
            last_byte=self._last,
        )
        try:
            return await self._service.handler(request)
        except Exception as error:  # border: a fault of ours must not end the listener
            return self._failed(error)

    async def _send(self, head: RequestHead, response: Response, *, keep: bool) -> bool:
        """Write the answer; True if the connection goes on after it."""
        self._served += 1
        keep = keep and not response.close and not self._service.stopping
        keep = keep and self._served < self._limits.max_requests
        try:
            data = self._written(response, head.method, _connection(head, keep=keep))
        except ValueError as error:
            response, keep = self._failed(error), False
            data = self._written(response, head.method, "close")
        self._phase = Phase.SENDING
        self._allow(self._limits.send_seconds + len(data) / self._limits.min_rate)
        await self._stream.send(data)
        if response.on_sent is not None:
            response.on_sent(self._service.clock())
        return keep

    def _written(self, response: Response, method: str, connection: str | None) -> bytes:
        return write_response(response, method=method, connection=connection, now=self._service.clock())

    def _allow(self, seconds: float) -> None:
        self._scope.deadline = anyio.current_time() + seconds

    def _failed(self, error: Exception) -> Response:
        """The answer to a fault of ours. The error's text may hold a payload, so only its kind is logged."""
        self._log("handler_failed", 500, type(error).__qualname__, level="error")
        return problem(500, "the request could not be processed")

    def _too_slow(self) -> HttpRefusal | None:
        """What to answer now that the time of this phase is over."""
        if self._phase in (Phase.HEAD, Phase.BODY):
            return HttpRefusal(408, f"the {self._phase.value} of the request took too long")
        if self._phase is Phase.SENDING:
            self._log("answer_not_taken", None, "the peer took too long", level="warning")
        return None

    async def _refuse(self, refusal: HttpRefusal) -> None:
        self._log("request_refused", refusal.status, refusal.reason, level="warning")
        headers = RETRY_AFTER if refusal.status == 503 else ()
        method = "" if self._head is None else self._head.method
        data = self._written(problem(refusal.status, refusal.reason, headers=headers), method, "close")
        with anyio.move_on_after(self._limits.send_seconds):
            await self._stream.send(data)

    def _log(self, event: str, status: int | None, reason: str, *, level: str) -> None:
        head = self._head
        getattr(self._service.log, level)(
            event,
            client=self._client,
            method=None if head is None else head.method,
            path=None if head is None else head.path[:PATH_SHOWN],
            status=status,
            reason=reason,
        )


def _connection(head: RequestHead, *, keep: bool) -> str | None:
    """The Connection header of the answer; HTTP/1.0 peers must be told that we keep it open."""
    if not keep:
        return "close"
    return "keep-alive" if head.minor == 0 else None


def _check_expectation(head: RequestHead) -> None:
    expect = head.get(b"expect")
    if expect is not None and head.minor == 1 and expect.lower() != b"100-continue":
        raise HttpRefusal(417, "only 100-continue can be expected")
