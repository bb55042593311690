"""The head of an HTTP/1.1 message: strict on what comes in, strict on what goes out. No I/O.

A border must not be read in two ways, so whatever another parser might read differently is refused (RFC 9112
sections 2.2, 3, 5 and 11.2): line ends other than CRLF, control characters, space before a colon, folded or
repeated headers that frame or address a message. Harmless folds are joined with one space (RFC 9112 5.2).
"""

import re
from collections.abc import Iterable

import msgspec

from .errors import HttpRefusal

# AS2 products write long headers (asynchronous MDN addresses), yet a head is never data.
MAX_HEAD = 64 * 1024
# More fields than any product writes; each one costs work.
MAX_FIELDS = 128
# RFC 9112 section 3 asks for at least 8000 octets of request line.
MAX_TARGET = 8 * 1024

# Fields that frame, address or identify a message: folded, they are refused (and so is any AS2-*).
UNFOLDABLE = frozenset(
    (
        b"authorization",
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"idempotency-key",
        b"message-id",
        b"transfer-encoding",
    )
)
# Fields of which a second one leaves open which counts: repeated, they are refused (and so is any AS2-*).
SINGLE = (UNFOLDABLE - {b"connection"}) | {
    b"content-encoding",
    b"content-range",
    b"content-transfer-encoding",
    b"content-type",
    b"disposition-notification-options",
    b"disposition-notification-to",
    b"receipt-delivery-option",
}

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]"
_FIELDS = re.compile(rb"(?:" + _TOKEN + rb"++:" + _TEXT + rb"*+\r\n)*+\r\n")
_FIELD = re.compile(rb"([^:\r\n]++):[ \t]*+([^\r]*+)\r\n")
_REQUEST_LINE = re.compile(rb"([A-Z][A-Z-]{0,19}) ([\x21-\x7e]++) HTTP/1\.([01])\r\n")
_OTHER_VERSION = re.compile(rb"[A-Z-]++ [\x21-\x7e]++ HTTP/(?!1\.[01]\r)[0-9](?:\.[0-9])?\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: (" + _TEXT + rb"*+))?\r\n")
# RFC 3986 section 3.3 and 3.4; brackets, braces and the bar stand unescaped in many a query.
_ORIGIN = re.compile(
    rb"(/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*+)(?:\?([A-Za-z0-9\-._~!$&'()*+,;=:@/%?\[\]{}|]*+))?"
)
_ABSOLUTE = re.compile(rb"(https?)://([^/?#]++)([^#]*+)", re.IGNORECASE)
_CUT_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL_ESCAPE = re.compile(rb"%[01][0-9A-Fa-f]|%7[Ff]")
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_SPACE_BEFORE_COLON = re.compile(_TOKEN + rb"++[ \t]++:")
_NAME_ONLY = re.compile(_TOKEN + rb"++:")


class Headers(tuple[tuple[bytes, bytes], ...]):
    """The fields of a message in order: pairs of a lower-case name and a value without surrounding space."""

    # The first value of each name: a head is asked for a dozen fields, most of them absent.
    first: dict[bytes, bytes]

    def __init__(self, _: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.first = dict(reversed(self))

    def get(self, name: bytes) -> bytes | None:
        """The value of the first field called `name` (in any case), or None."""
        return self.first.get(name.lower())

    def get_all(self, name: bytes) -> tuple[bytes, ...]:
        """The values of all fields called `name` (in any case), in order."""
        wanted = name.lower()
        return tuple(value for each, value in self if each == wanted)


class RequestHead(msgspec.Struct, frozen=True, kw_only=True):
    """A request without its body.

    `target` is as received; `path` and `query` are its parts, still percent-encoded; `minor` is the HTTP/1
    minor version, 0 or 1.
    """

    method: str
    target: str
    path: str
    query: str
    minor: int
    headers: Headers

    @property
    def version(self) -> str:
        """`HTTP/1.0` or `HTTP/1.1`."""
        return f"HTTP/1.{self.minor}"

    def get(self, name: bytes) -> bytes | None:
        """The value of the first field called `name`, or None."""
        return self.headers.first.get(name.lower())

    def get_all(self, name: bytes) -> tuple[bytes, ...]:
        """The values of all fields called `name`, in order."""
        return self.headers.get_all(name)


class ResponseHead(msgspec.Struct, frozen=True, kw_only=True):
    """A response without its body; `minor` is the HTTP/1 minor version, 0 or 1."""

    status: int
    minor: int
    headers: Headers

    def get(self, name: bytes) -> bytes | None:
        """The value of the first field called `name`, or None."""
        return self.headers.first.get(name.lower())


def parse_request_head(block: bytes) -> RequestHead:
    """The request head in `block`, which ends with its first empty line.

    Raises HttpRefusal: 400 for a malformed or ambiguous head, 414 for a long target, 431 for too many fields,
    505 for a version other than 1.0 and 1.1.
    """
    line = _REQUEST_LINE.match(block)
    if line is None:
        if _OTHER_VERSION.match(block):
            raise HttpRefusal(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        raise HttpRefusal(400, "malformed request line")
    method, target, minor = line.group(1, 2, 3)
    if len(target) > MAX_TARGET:
        raise HttpRefusal(414, "request target too long")
    headers = parse_fields(block, line.end())
    host = headers.get(b"host")
    if host is None:
        if minor == b"1":
            raise HttpRefusal(400, "Host missing")
    elif _HOST.fullmatch(host) is None:
        raise HttpRefusal(400, "malformed Host")
    path, query = _parts(method, target, host)
    return RequestHead(
        method=method.decode("ascii"),
        target=target.decode("ascii"),
        path=path.decode("ascii"),
        query=query.decode("ascii"),
        minor=minor[0] - 0x30,
        headers=headers,
    )


def parse_response_head(block: bytes) -> ResponseHead:
    """The response head in `block`, which ends with its first empty line. Raises HttpRefusal (502)."""
    line = _STATUS_LINE.match(block)
    if line is None:
        raise HttpRefusal(502, "malformed status line")
    return ResponseHead(
        status=int(line.group(2)), minor=line.group(1)[0] - 0x30, headers=parse_fields(block, line.end())
    )


def parse_fields(block: bytes, start: int) -> Headers:
    """The fields of `block` from `start` to the empty line that ends it. Raises HttpRefusal (400, 431)."""
    if _FIELDS.fullmatch(block, start) is None:
        block, start = _unfold(block[start:]), 0
    headers = Headers([(name.lower(), value) for name, value in _FIELD.findall(block, start)])
    if b" \r" in block or b"\t\r" in block:
        headers = Headers([(name, value.rstrip(b" \t")) for name, value in headers])
    if len(headers) > MAX_FIELDS:
        raise HttpRefusal(431, "too many header fields")
    if len(headers.first) != len(headers):
        _refuse_repeated(headers)
    return headers


def is_critical(name: bytes) -> bool:
    """True if a field of this lower-case name decides how a message is framed, addressed or identified."""
    return name in SINGLE or name.startswith(b"as2-")


def keeps_alive(head: RequestHead | ResponseHead) -> bool:
    """True if the peer wants another message on this connection (RFC 9112 section 9.3).

    Raises HttpRefusal (400) if Connection names a critical header: a proxy would have dropped that one.
    """
    if head.get(b"connection") is None:
        return head.minor == 1
    options = [
        option.strip(b" \t").lower() for option in b",".join(head.headers.get_all(b"connection")).split(b",")
    ]
    if any(is_critical(option) for option in options):
        raise HttpRefusal(400, "Connection names a header that must not be dropped")
    return b"close" not in options and (head.minor == 1 or b"keep-alive" in options)


def write_head(start_line: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head as bytes, its empty line included; never folded.

    Raises ValueError if a name or value could not be read back as one field (header injection).
    """
    pairs = tuple(headers)
    fields = "".join([f"{name}: {value}\r\n" for name, value in pairs])
    block = fields.encode("latin-1") + b"\r\n"
    if _FIELDS.fullmatch(block) is None or block.count(b"\n") != len(pairs) + 1:
        raise ValueError("a header name or value holds what a header may not hold")
    return start_line.encode("ascii") + b"\r\n" + block


def _parts(method: bytes, target: bytes, host: bytes | None) -> tuple[bytes, bytes]:
    """Path and query of `target` in origin, absolute or asterisk form (RFC 9112 section 3.2)."""
    origin = target
    absolute = _ABSOLUTE.fullmatch(target) if target[:1] != b"/" else None
    if absolute is not None:
        scheme, authority, origin = absolute.groups()
        if host is not None and not _same_authority(scheme, authority, host):
            raise HttpRefusal(400, "the target names another host than Host")
        if not origin.startswith(b"/"):
            origin = b"/" + origin
    elif target == b"*" and method == b"OPTIONS":
        return target, b""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise HttpRefusal(400, "malformed request target")
    path, query = match.group(1, 2)
    if b"%" in origin and (_CUT_ESCAPE.search(origin) or _CONTROL_ESCAPE.search(path)):
        raise HttpRefusal(400, "malformed escape in the request target")
    return path, query or b""


def _same_authority(scheme: bytes, authority: bytes, host: bytes) -> bool:
    default = b":443" if scheme.lower() == b"https" else b":80"
    return authority.lower().removesuffix(default) == host.lower().removesuffix(default)


def _refuse_repeated(headers: Headers) -> None:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and is_critical(name):
            raise HttpRefusal(400, "a header that may stand once stands twice")
        seen.add(name)


def _unfold(fields: bytes) -> bytes:
    """`fields` with harmless folds joined (RFC 9112 section 5.2), checked; raises HttpRefusal (400)."""
    lines: list[list[bytes]] = []
    for line in fields.removesuffix(b"\r\n\r\n").split(b"\r\n"):
        if line[:1] not in (b" ", b"\t"):
            lines.append([line])
            continue
        if not lines:
            raise HttpRefusal(400, "space before the first header")
        name = lines[-1][0].partition(b":")[0].strip(b" \t").lower()
        if name in UNFOLDABLE or name.startswith(b"as2-"):
            raise HttpRefusal(400, "a header that may not be folded is folded")
        if not (rest := line.strip(b" \t")):
            raise HttpRefusal(400, "a folded line is empty")
        lines[-1].append(rest)
    block = b"\r\n".join([b" ".join(parts) for parts in lines]) + b"\r\n\r\n"
    if _FIELDS.fullmatch(block) is None:
        raise HttpRefusal(400, _fault(block))
    return block


def _fault(block: bytes) -> str:
    """Why `block` is not a sequence of fields, in words that quote nothing of it."""
    for line in block.removesuffix(b"\r\n\r\n").split(b"\r\n"):
        if _FIELDS.fullmatch(line + b"\r\n\r\n"):
            continue
        if b"\n" in line or b"\r" in line:
            return "a line end that is not CRLF"
        if _SPACE_BEFORE_COLON.match(line):
            return "space before a colon"
        if _NAME_ONLY.match(line):
            return "a control character in a header"
        return "malformed header name"
    return "malformed header"
