"""Messages as they went over the wire: one file a message, and a line about each in `messages.jsonl`.

A head is written again from its fields as they were read or will be sent, so names may stand in lower case;
bodies are the very octets.
"""

import http
import itertools
import pathlib
from collections.abc import Iterable, Sequence

import msgspec

from ...routing.instant import Instant
from .. import clock
from ..http import ClientResponse, Request, Response
from ..http.exchange import write_response
from ..http.head import write_head
from ..http.outgoing import parse_url, write_request

MESSAGES = "messages.jsonl"
INDEX = "index.json"


class About(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="kebab"):
    """What an exchange is: `what` names the request, `back` the response.

    `mic` is the MIC the receipt must repeat; `signed_by` and `encrypted_to` name parties whose certificates
    and keys lie in `keys/` (`back_signed_by`: the response's signer).
    """

    sender: str
    recipient: str
    channel: str
    what: str
    back: str
    message_id: str = ""
    mic: str = ""
    signed_by: str = ""
    encrypted_to: str = ""
    back_signed_by: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="kebab"):
    """One line about one file."""

    file: str
    at: int
    direction: str
    channel: str
    what: str
    message_id: str = ""
    mic: str = ""
    signed_by: str = ""
    encrypted_to: str = ""
    answers: str = ""


class Recorder:
    """Keeps both messages of each exchange of one party in `folder`."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._numbers = itertools.count(1)

    def sent(
        self,
        about: About,
        request: tuple[str, str, Sequence[tuple[str, str]], bytes],
        response: ClientResponse,
    ) -> None:
        """Keep a request of ours, as (method, URL, headers, body), and its response."""
        method, url, headers, body = request
        asked = write_request(method, parse_url(url), headers, body)
        phrase = http.HTTPStatus(response.status).phrase
        head = write_head(f"HTTP/1.1 {response.status} {phrase}", _text(response.headers))
        self._keep(about, asked, head + response.body, response.sent, response.received)

    def served(self, about: About, request: Request, response: Response, now: Instant) -> None:
        """Keep a request we were sent, and our response."""
        target = request.path + (f"?{request.query}" if request.query else "")
        asked = write_head(f"{request.method} {target} HTTP/1.1", _text(request.headers)) + request.body
        answer = write_response(response, method=request.method, connection=None, now=now)
        self._keep(about, asked, answer, request.last_byte, now)

    def _keep(self, about: About, request: bytes, response: bytes, asked: Instant, answered: Instant) -> None:
        number = next(self._numbers)
        names = (f"{number:04}-request.http", f"{number:04}-response.http")
        lines = (
            Message(
                file=names[0],
                at=asked.utc_ns,
                direction=f"{about.sender} to {about.recipient}",
                channel=about.channel,
                what=about.what,
                message_id=about.message_id,
                mic=about.mic,
                signed_by=about.signed_by,
                encrypted_to=about.encrypted_to,
            ),
            Message(
                file=names[1],
                at=answered.utc_ns,
                direction=f"{about.recipient} to {about.sender}",
                channel=about.channel,
                what=about.back,
                message_id=about.message_id,
                signed_by=about.back_signed_by,
                answers=names[0],
            ),
        )
        for name, content in zip(names, (request, response), strict=True):
            (self._folder / name).write_bytes(content)
        with (self._folder / MESSAGES).open("ab") as index:
            index.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def collect(sources: Iterable[pathlib.Path], target: pathlib.Path) -> int:
    """Bring the recordings in `sources` together in `target`: files numbered in the order of time, and INDEX,
    which has for each its direction, channel, what it is, Message-ID, and for AS2 requests the MIC.

    Returns how many messages there are. Raises OSError where `target` cannot be written.
    """
    target.mkdir(parents=True, exist_ok=True)
    found = [
        (folder, msgspec.json.decode(line, type=Message))
        for folder in sources
        if (folder / MESSAGES).exists()
        for line in (folder / MESSAGES).read_bytes().splitlines()
    ]
    found.sort(key=lambda pair: pair[1].at)
    names = {
        (folder, message.file): f"{number:03}-{_slug(message.direction)}-{_slug(message.what)}.http"
        for number, (folder, message) in enumerate(found, 1)
    }
    index = []
    for folder, message in found:
        name = names[folder, message.file]
        (target / name).write_bytes((folder / message.file).read_bytes())
        answers = names.get((folder, message.answers), "")
        line = msgspec.to_builtins(msgspec.structs.replace(message, file=name, answers=answers))
        index.append({**line, "at": clock.utc_of(message.at).isoformat(timespec="milliseconds")})
    (target / INDEX).write_bytes(msgspec.json.format(msgspec.json.encode(index)) + b"\n")
    return len(index)


def _slug(what: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in what.lower())


def _text(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
