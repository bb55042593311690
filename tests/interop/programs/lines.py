"""What the peers' Python programs share: requests and answers as lines of JSON, and HTTP.

A program is a partner that sends and receives. It prints one line with its port and version, then answers
each line of its input with one line:

    {"do": "send", "url": URL, "payload": BASE64, "options": {...}}   one message, and what came of it
    {"do": "expect", "options": {...}}                                how what comes in next is to be answered
    {"do": "seen"}                                                    what came in since the last time
"""

import base64
import http.client
import json
import queue
import sys
import threading
import traceback
import urllib.parse
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Fields = list[tuple[str, str]]
Options = dict[str, Any]

TIMEOUT = 30
CHUNK = 1000


class Answer(NamedTuple):
    """An HTTP response, and the receipt to be posted after it: its address, headers and body."""

    status: int
    headers: Fields
    body: bytes
    later: tuple[str, Fields, bytes] | None = None


class Peer:
    """A partner: `send` and the two `on_` methods are the program's own."""

    def __init__(self) -> None:
        self.options: Options = {}
        self.seen: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.port = 0

    @property
    def mdn_url(self) -> str:
        """Where this peer takes receipts."""
        return f"http://127.0.0.1:{self.port}/mdn"

    def version(self) -> str:
        """Which stack this is."""
        raise NotImplementedError

    def prepare(self, options: Options) -> None:
        """Raise NotImplementedError for receipts that this stack cannot make."""

    def send(self, url: str, payload: bytes, options: Options) -> dict[str, Any]:
        """Send one message and read what comes back."""
        raise NotImplementedError

    def on_message(self, headers: Fields, body: bytes, options: Options) -> tuple[dict[str, Any], Answer]:
        """Take one message: what is noted of it, and how it is answered."""
        raise NotImplementedError

    def on_receipt(self, headers: Fields, body: bytes) -> dict[str, Any]:
        """Take one receipt that comes by itself."""
        raise NotImplementedError

    def do(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one line."""
        match request["do"]:
            case "send":
                return self.send(request["url"], base64.b64decode(request["payload"]), request["options"])
            case "expect":
                self.options = request["options"]
                self.prepare(self.options)
                return {}
            case "seen":
                return {"seen": [self.seen.get() for _ in range(self.seen.qsize())]}
        raise ValueError(request["do"])


def post(url: str, headers: Iterable[tuple[str, str]], body: bytes, *, chunked: bool = False) -> Answer:
    """POST `body`, and the response."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    connection.putrequest("POST", parts.path, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, " ".join(value.split()))
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
        pieces = (body[at : at + CHUNK] for at in range(0, len(body), CHUNK))
        connection.endheaders(pieces, encode_chunked=True)
    else:
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
    response = connection.getresponse()
    answer = Answer(response.status, response.getheaders(), response.read())
    connection.close()
    return answer


def _handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers, body = list(self.headers.items()), self._body()
            answer = Answer(200, [], b"")
            try:
                if self.path == "/mdn":
                    noted = {"kind": "receipt", **peer.on_receipt(headers, body)}
                else:
                    noted, answer = peer.on_message(headers, body, peer.options)
                    chunked = "Transfer-Encoding" in self.headers
                    noted = {"kind": "message", "chunked": chunked, **noted}
            except Exception as error:
                noted, answer = {"kind": "failure", "failure": _told(error)}, Answer(500, [], b"")
            peer.seen.put(noted)
            self._send(answer)
            if answer.later is not None:
                threading.Thread(target=post, args=answer.later, daemon=True).start()

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, " ".join(value.split()))
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def _body(self) -> bytes:
            if "chunked" not in (self.headers.get("Transfer-Encoding") or "").lower():
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def log_message(self, *_: object) -> None:
            """Nothing: the tests read what was seen."""

    return Handler


def _told(error: BaseException) -> str:
    traceback.print_exception(error, file=sys.stderr)
    return f"{type(error).__name__}: {error}"


def run(peer: Peer) -> None:
    """Serve until the input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(peer))
    server.daemon_threads = True
    peer.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": peer.port, "version": peer.version()}), flush=True)  # noqa: T201
    for line in sys.stdin:
        try:
            answer = peer.do(json.loads(line))
        except Exception as error:
            answer = {"failure": _told(error)}
        print(json.dumps(answer), flush=True)  # noqa: T201
