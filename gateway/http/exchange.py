"""The values a handler sees and gives: request, response, limits."""

import email.utils
import functools
import http
from collections.abc import Awaitable, Callable

import msgspec

from ...routing.instant import NANOSECONDS, Instant
from .head import Headers, RequestHead, write_head

# Fields the listener itself writes: from a handler they could only contradict the framing.
LISTENER_FIELDS = frozenset(("connection", "content-length", "keep-alive", "transfer-encoding"))
# Responses without a body, hence without Content-Length (RFC 9110 section 8.6).
_BODILESS = frozenset((204, 304))
_PHRASES = {status.value: status.phrase for status in http.HTTPStatus}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request.

    `path` and `query` are still percent-encoded; `peer_certificate` is the client's certificate in DER, None
    if it sent none or the connection is not TLS; `client` is its address without the port. `first_byte` and
    `last_byte` are when the request began to arrive and when it was complete; what came before the last
    answer had left (pipelined) counts as come when the connection turned to it.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    peer_certificate: bytes | None
    client: str
    first_byte: Instant
    last_byte: Instant


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request.

    `on_sent` is called with the moment the last byte was handed to the system; it is not called if the peer
    did not take the answer. `close` ends the connection after it. Raises ValueError for a status that is not
    final or a header the listener itself writes.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    on_sent: Callable[[Instant], None] | None = None
    close: bool = False

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:
            raise ValueError(f"not a final status: {self.status}")
        for name, _ in self.headers:
            if name.lower() in LISTENER_FIELDS:
                raise ValueError(f"{name} is written by the listener")


Handler = Callable[[Request], Awaitable[Response]]
# Called with the head and the client's certificate before the body is read; a Response refuses the request.
Admit = Callable[[RequestHead, bytes | None], Response | None]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one listener takes. Seconds are of the loop's own clock."""

    # Above the largest interchange of an agreement; a smaller limit per partner is `admit`'s.
    max_body: int = 64 * 1024 * 1024
    # All bodies being received at once: over it, the body that asks for more gets 503.
    max_buffered: int = 512 * 1024 * 1024
    # File descriptors and memory; above it a connection gets 503 and is closed.
    max_connections: int = 4096
    # Then the connection is closed in good order: balances workers that share a port.
    max_requests: int = 100_000
    # Two round trips and the RSA of both sides, with room for a slow line.
    handshake_seconds: float = 10.0
    # From the first byte of a head to its last; also from the handshake to the first byte.
    head_seconds: float = 15.0
    # A body may take this long, and longer for every `min_rate` octets that did arrive.
    body_seconds: float = 30.0
    min_rate: int = 16 * 1024
    # Between two requests of one connection.
    idle_seconds: float = 75.0
    # For the peer to take an answer, and longer for every `min_rate` octets of it.
    send_seconds: float = 30.0
    # For the peer to notice that we close; what it still sends meanwhile is read and dropped.
    linger_seconds: float = 2.0
    # For requests in flight once the listener stops.
    drain_seconds: float = 8.0


def problem(status: int, detail: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An `application/problem+json` response (RFC 9457) that closes the connection."""
    body = msgspec.json.encode(
        {"type": "about:blank", "title": _PHRASES.get(status, ""), "status": status, "detail": detail}
    )
    return Response(
        status=status, headers=(("content-type", "application/problem+json"), *headers), body=body, close=True
    )


def write_response(response: Response, *, method: str, connection: str | None, now: Instant) -> bytes:
    """`response` as bytes; `connection` is the value of that header, if any.

    Raises ValueError if a header cannot be written.
    """
    fields = list(response.headers)
    # A stored answer is given again as it was, with its own date.
    if not any(name.lower() == "date" for name, _ in fields):
        fields.insert(0, ("date", _date(now.utc_ns // NANOSECONDS)))
    if response.status not in _BODILESS:
        fields.append(("content-length", str(len(response.body))))
    if connection is not None:
        fields.append(("connection", connection))
    head = write_head(f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, '')}", fields)
    return head if method == "HEAD" or response.status in _BODILESS else head + response.body


@functools.lru_cache(maxsize=4)
def _date(seconds: int) -> str:
    return email.utils.formatdate(seconds, usegmt=True)
