"""One connection of the client: a request out, its answer in; again while both sides keep it open."""

import functools
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import anyio
import msgspec
from anyio.abc import ByteStream

from ...routing.instant import Instant
from .body import (
    BODY_UNTIL_CLOSE,
    NO_BODY,
    BodyPlan,
    BodyUntilClose,
    receiver_for,
    response_body,
    write_chunks,
)
from .errors import BadResponse, ConnectFailed, HttpRefusal, PeerClosed
from .head import Headers, ResponseHead, keeps_alive, parse_response_head, write_head
from .incoming import HeadBuffer
from .transport import STREAM_ERRORS

READ = 64 * 1024
# Interim answers (RFC 9110 section 15.2) before the final one; more is a peer that never answers.
MAX_INTERIM = 8
# A larger request is sent while its answer is awaited: the peer may refuse it before it has read it.
SEND_FIRST = 256 * 1024
# Fields the client itself writes: from the caller they could only contradict the request.
CLIENT_FIELDS = frozenset(("connection", "content-length", "expect", "host", "transfer-encoding"))
_WITH_LENGTH = frozenset(("POST", "PUT", "PATCH"))
_PORTS = {"http": 80, "https": 443}
# TLS 1.3: the client's handshake is over before the server has seen its certificate, so a refusal of it
# arrives at the first read (RFC 8446 section 4.4.3). The server has not read the request then.
_CERTIFICATE_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE", "DECRYPT_ERROR")


class Endpoint(msgspec.Struct, frozen=True):
    """Where a request goes: `authority` is the Host header, `target` path and query."""

    scheme: str
    host: str
    port: int
    authority: str
    target: str


class ClientResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer.

    `sent` is when the request had been handed to the system, `received` when the answer was complete.
    """

    status: int
    headers: Headers
    body: bytes
    sent: Instant
    received: Instant


@functools.lru_cache(maxsize=256)
def parse_url(url: str) -> Endpoint:
    """The endpoint of an absolute http or https URL; its fragment is dropped.

    Raises ValueError for another scheme, no host, user information, or anything but visible ASCII.
    """
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError("a URL is visible ASCII: escape the rest")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("only http and https URLs with a host can be requested")
    if "@" in parts.netloc:
        raise ValueError("a URL with user information is refused")
    host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == _PORTS[parts.scheme] else f"{shown}:{port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, host, port, authority, target)


def write_request(
    method: str,
    endpoint: Endpoint,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    chunked: bool = False,
) -> bytes:
    """The request as bytes; a body with its length, or `chunked`.

    Raises ValueError for a header that cannot be written or is the client's own.
    """
    if not (method.isascii() and method.isalpha() and method.isupper()):
        raise ValueError("a method is upper-case letters")
    for name, _ in headers:
        if name.lower() in CLIENT_FIELDS:
            raise ValueError(f"{name} is written by the client")
    fields = [("host", endpoint.authority), *headers]
    if body or method in _WITH_LENGTH:
        fields.append(("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body))))
        body = write_chunks(body) if chunked else body
    return write_head(f"{method} {endpoint.target} HTTP/1.1", fields) + body


class Outgoing:
    """A connection to one endpoint. After an exception from `exchange` it is good for nothing but closing."""

    def __init__(self, stream: ByteStream, clock: Callable[[], Instant], max_body: int) -> None:
        self.stream = stream
        # True once a byte of the present answer has arrived, and after it when another request may follow.
        self.answered = False
        self.reusable = False
        self.idle_since = 0.0
        self._clock = clock
        self._max_body = max_body
        self._served = 0
        self._written: Instant | None = None
        self._data = b""

    async def exchange(self, method: str, data: bytes) -> ClientResponse:
        """Send `data`, a whole request of `method`, and return its answer.

        Raises PeerClosed, BadResponse, and ConnectFailed where the server refuses our certificate.
        """
        try:
            head = await self._send_for_head(data)
            plan = response_body(method, head)
            body = await self._body(plan)
            keep = keeps_alive(head) and plan is not BODY_UNTIL_CLOSE
        except HttpRefusal as refusal:
            raise BadResponse(refusal.reason, sent=True) from refusal
        except STREAM_ERRORS as error:
            raise self._gone(error) from error
        received = self._clock()
        # Bytes nobody asked for would be taken for the next answer.
        self.reusable = keep and not self._data and self._written is not None
        self._served += 1
        return ClientResponse(
            status=head.status,
            headers=head.headers,
            body=body,
            sent=self._written or received,
            received=received,
        )

    async def _send_for_head(self, data: bytes) -> ResponseHead:
        self.answered = self.reusable = False
        self._written = None
        if len(data) <= SEND_FIRST:
            await self._send(data)
            return await self._head()
        async with anyio.create_task_group() as sending:
            sending.start_soon(self._send, data)
            outcome = await self._head_or_failure()
            sending.cancel_scope.cancel()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _head_or_failure(self) -> ResponseHead | Exception:
        """What a task group must not wrap in a group of exceptions."""
        try:
            return await self._head()
        except (HttpRefusal, *STREAM_ERRORS) as error:
            return error

    async def _send(self, data: bytes) -> None:
        try:
            await self.stream.send(data)
        except STREAM_ERRORS:
            # The peer may have answered before it closed: the read that follows tells.
            return
        self._written = self._clock()

    async def _head(self) -> ResponseHead:
        """The head of the final answer."""
        buffer = HeadBuffer(skip_empty_line=False)
        for _ in range(MAX_INTERIM):
            data, self._data = self._data, b""
            block = buffer.feed(data or await self._receive())
            while block is None:
                block = buffer.feed(await self._receive())
            self._data = buffer.rest
            head = parse_response_head(block)
            if head.status >= 200:
                return head
            if head.status == 101:
                break
        raise HttpRefusal(502, "no final answer")

    async def _body(self, plan: BodyPlan) -> bytes:
        if plan is NO_BODY:
            return b""
        receiver = receiver_for(plan, self._max_body)
        if self._data:
            receiver.feed(self._data)
        try:
            while not receiver.done:
                receiver.feed(await self._receive())
        except anyio.EndOfStream:
            if not isinstance(receiver, BodyUntilClose):
                raise
        self._data = receiver.rest
        return receiver.body()

    async def _receive(self) -> bytes:
        data = await self.stream.receive(READ)
        self.answered = True
        return data

    def _gone(self, error: Exception) -> ConnectFailed | PeerClosed:
        cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
        if isinstance(cause, ssl.SSLError) and not self.answered and not self._served:
            reason = cause.reason or ""
            if "ALERT" in reason and any(name in reason for name in _CERTIFICATE_ALERTS):
                return ConnectFailed(f"the server refused the TLS handshake: {reason}", sent=False)
        return PeerClosed("the peer closed the connection before its answer was complete", sent=True)
