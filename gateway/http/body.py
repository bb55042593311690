"""The body of an HTTP/1.1 message: how it is framed, and its bytes out of the stream. No I/O.

A receiver is fed what arrives until it is `done`; then `body()` is the content and `rest` what follows it.
"""

import enum
import re
from typing import Protocol

import msgspec

from .errors import HttpRefusal
from .head import Headers, RequestHead, ResponseHead, is_critical, parse_fields

# Size, spaces and extension of one chunk: room for a signature extension, no room for data.
MAX_CHUNK_LINE = 256
# Trailers are dropped, so there is little reason to let many in.
MAX_TRAILER = 8 * 1024
# What chunk lines may cost beyond MAX_OVERHEAD_PER_CHUNK and the data they announce: extensions are not data.
MAX_OVERHEAD = 16 * 1024
MAX_OVERHEAD_PER_CHUNK = 16
# What we write: one TLS record's worth several times over, and far below what any reader takes as one chunk.
CHUNK = 64 * 1024

# Leading zeros are legal and one peer writes them; more than this is an attempt at an overflow.
_LENGTH = re.compile(rb"0{0,16}([0-9]{1,15})")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*+(?:;[\t\x20-\x7e\x80-\xff]*+)?")


class Framing(enum.Enum):
    """How the end of a body is known (RFC 9112 section 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"


class BodyPlan(msgspec.Struct, frozen=True):
    """The framing of one body; `length` counts for LENGTH alone and is above 0 there."""

    framing: Framing
    length: int = 0


NO_BODY = BodyPlan(Framing.NONE)
CHUNKED_BODY = BodyPlan(Framing.CHUNKED)
BODY_UNTIL_CLOSE = BodyPlan(Framing.UNTIL_CLOSE)


def request_body(head: RequestHead) -> BodyPlan:
    """How the body of this request is framed.

    Raises HttpRefusal: 400 for both length headers, a bad length, chunked not last or with HTTP/1.0; 501 for
    a transfer coding other than chunked (RFC 9112 section 6.1).
    """
    return _plan(head.headers, head.minor) or NO_BODY


def response_body(method: str, head: ResponseHead) -> BodyPlan:
    """How the body of a response to `method` is framed. Raises HttpRefusal as `request_body` does."""
    plan = _plan(head.headers, head.minor)
    if method == "HEAD" or head.status < 200 or head.status in (204, 304):
        return NO_BODY
    return BODY_UNTIL_CLOSE if plan is None else plan


def _plan(headers: Headers, minor: int) -> BodyPlan | None:
    length = headers.get(b"content-length")
    coding = headers.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            raise HttpRefusal(400, "both Content-Length and Transfer-Encoding")
        if minor == 0:
            raise HttpRefusal(400, "Transfer-Encoding in HTTP/1.0")
        _check_coding(coding)
        return CHUNKED_BODY
    if length is None:
        return None
    match = _LENGTH.fullmatch(length)
    if match is None:
        raise HttpRefusal(400, "malformed Content-Length")
    size = int(match.group(1))
    return BodyPlan(Framing.LENGTH, size) if size else NO_BODY


def _check_coding(coding: bytes) -> None:
    value = coding.lower()
    if value == b"chunked":
        return
    if b"chunked" in [part.strip(b" \t") for part in value.split(b",")[:-1]]:
        raise HttpRefusal(400, "chunked is not the last transfer coding, or stands twice")
    raise HttpRefusal(501, "unknown transfer coding")


class BodyReceiver(Protocol):
    """Takes a body out of a stream of bytes."""

    done: bool
    rest: bytes

    def feed(self, data: bytes) -> None:
        """Take the next bytes; not to be called once done. Raises HttpRefusal (400, 413)."""

    def body(self) -> bytes:
        """The content, once done."""


def receiver_for(plan: BodyPlan, limit: int) -> BodyReceiver:
    """A receiver for `plan` of at most `limit` octets. Raises HttpRefusal (413) if the length is over it."""
    if plan.framing is Framing.CHUNKED:
        return ChunkedBody(limit)
    if plan.framing is Framing.UNTIL_CLOSE:
        return BodyUntilClose(limit)
    return LengthBody(plan.length, limit)


class LengthBody:
    """A body whose length was announced."""

    def __init__(self, length: int, limit: int) -> None:
        if length > limit:
            raise HttpRefusal(413, "body too large")
        self.done = length == 0
        self.rest = b""
        self._missing = length
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if len(data) > self._missing:
            data, self.rest = data[: self._missing], data[self._missing :]
        self._parts.append(data)
        self._missing -= len(data)
        self.done = self._missing == 0

    def body(self) -> bytes:
        """The content, once done."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


class BodyUntilClose:
    """A response body that ends with the connection: the caller sets `done` when the stream ends."""

    def __init__(self, limit: int) -> None:
        self.done = False
        self.rest = b""
        self._room = limit
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._room -= len(data)
        if self._room < 0:
            raise HttpRefusal(413, "body too large")
        self._parts.append(data)

    def body(self) -> bytes:
        """The content, once done."""
        return b"".join(self._parts)


def write_chunks(content: bytes) -> bytes:
    """`content` as a chunked body (RFC 9112 section 7.1), without extensions or trailers."""
    parts: list[bytes] = []
    for start in range(0, len(content), CHUNK):
        chunk = content[start : start + CHUNK]
        parts += (b"%x\r\n" % len(chunk), chunk, b"\r\n")
    return b"".join((*parts, b"0\r\n\r\n"))


class _Expecting(enum.Enum):
    """What a chunked body continues with."""

    SIZE = "size"
    DATA = "data"
    DATA_END = "data end"
    TRAILER = "trailer"


class ChunkedBody:
    """A chunked body (RFC 9112 section 7.1); extensions are dropped, trailers are checked and dropped."""

    def __init__(self, limit: int) -> None:
        self.done = False
        self.rest = b""
        self._room = limit
        self._parts: list[bytes] = []
        self._expecting = _Expecting.SIZE
        self._missing = 0
        self._overhead = 0
        self._trailer = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        data = self.rest + data
        at = 0
        while not self.done:
            after = self._data(data, at) if self._expecting is _Expecting.DATA else self._line(data, at)
            if after is None:
                break
            at = after
        self.rest = data[at:]

    def body(self) -> bytes:
        """The content, once done."""
        return b"".join(self._parts)

    def _data(self, data: bytes, at: int) -> int | None:
        part = data[at : at + self._missing]
        if not part:
            return None
        self._parts.append(part)
        self._missing -= len(part)
        if not self._missing:
            self._expecting = _Expecting.DATA_END
        return at + len(part)

    def _line(self, data: bytes, at: int) -> int | None:
        """Take the line at `at`: where the next one begins, or None while it is incomplete."""
        if self._expecting is _Expecting.DATA_END and not b"\r\n".startswith(data[at : at + 2]):
            raise HttpRefusal(400, "a chunk does not end where its size says")
        end = data.find(b"\r\n", at)
        self._check(data[at:] if end < 0 else data[at : end + 1])
        if end < 0:
            return None
        line = data[at:end]
        if self._expecting is _Expecting.SIZE:
            self._size(line)
        elif self._expecting is _Expecting.TRAILER:
            self._trailer_line(line)
        else:
            self._expecting = _Expecting.SIZE
        return end + 2

    def _check(self, line: bytes) -> None:
        """What cannot become a line and its CR is refused now, not when time runs out."""
        longest = MAX_TRAILER if self._expecting is _Expecting.TRAILER else MAX_CHUNK_LINE
        if len(line) > longest:
            raise HttpRefusal(400, "chunk line too long")
        if b"\n" in line or b"\r" in line[:-1]:
            raise HttpRefusal(400, "a line end that is not CRLF in a chunked body")

    def _size(self, line: bytes) -> None:
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise HttpRefusal(400, "malformed chunk size or extension")
        size = int(match.group(1), 16)
        self._room -= size
        if self._room < 0:
            raise HttpRefusal(413, "body too large")
        self._overhead = max(0, self._overhead + len(line) - MAX_OVERHEAD_PER_CHUNK - size)
        if self._overhead > MAX_OVERHEAD:
            raise HttpRefusal(400, "more chunk extensions than data")
        self._missing = size
        self._expecting = _Expecting.DATA if size else _Expecting.TRAILER

    def _trailer_line(self, line: bytes) -> None:
        if len(self._trailer) + len(line) > MAX_TRAILER:
            raise HttpRefusal(400, "trailer too long")
        self._trailer += line + b"\r\n"
        if line:
            return
        # A trailer must not bring in late what the head did not say (RFC 9110 section 6.5.1).
        if any(is_critical(name) for name, _ in parse_fields(self._trailer, 0)):
            raise HttpRefusal(400, "a critical header in the trailer")
        self.done = True
