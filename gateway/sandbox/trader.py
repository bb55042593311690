"""A trader's software: lodges over either channel, proves each receipt, and hears the answers.

async with open_trader(account, reader) as trader:
    sent = await trader.lodge_as2(payload)
    lodged = await trader.lodge_https(payload)
    answer = await trader.wait_for(lambda notice: notice.lrn == "...")
"""

import base64
import binascii
import hashlib
import http
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import msgspec
import structlog

from ...codecs.declaration import Response as BusinessResponse
from ...codecs.document import Reader, Reading, sniff
from ...routing.instant import Instant
from ...security import DEFAULT_POLICY, SecurityError
from ...security.cms import verify
from .. import clock
from ..as2 import Composed, Disposition, Received
from ..http import Client, ClientResponse, Request, Response, serve
from ..receipts import SIGNATURE_HEADER
from .accounts import Account
from .as2_party import As2Party, Sent
from .wire import About, Recorder

log = structlog.get_logger()

REQUEST_SECONDS = 30.0
# Between two looks at the log of notifications.
POLL_SECONDS = 0.1


class Lodged(msgspec.Struct, frozen=True, kw_only=True):
    """What HTTPS answered: `body` is the receipt or the problem, `verified` True for a receipt that proves
    what was sent, `reason` says why not."""

    status: int
    body: dict[str, Any]
    verified: bool
    reason: str = ""

    @property
    def id(self) -> str:
        """The lodgement's id; empty where nothing was lodged."""
        return str(self.body.get("id", ""))

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What is wrong with the document."""
        found = self.body.get("findings", [])
        assert isinstance(found, list)
        return found


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it reached the trader: pushed over `as2`, or read over `https` under its `number`."""

    channel: str
    payload: bytes
    reading: Reading
    number: int = 0

    @property
    def name(self) -> str:
        """The message type: CUSRES, CONTRL, Response."""
        return self.reading.documents[0].name.partition(":")[0] if self.reading.documents else ""

    @property
    def response(self) -> BusinessResponse | None:
        """The first response in it."""
        return next((r for document in self.reading.documents for r in document.responses), None)

    @property
    def lrn(self) -> str | None:
        """The LRN it speaks of."""
        declaration = self.response.declaration if self.response is not None else None
        return declaration.functional_reference_id if declaration is not None else None


class Trader:
    """Lodges and listens as one partner. Safe to use from many tasks at once."""

    def __init__(
        self,
        account: Account,
        client: Client,
        reader: Reader,
        *,
        recorder: Recorder | None = None,
        now: Callable[[], Instant] = clock.instant,
    ) -> None:
        self.inbox: list[Notice] = []
        self._account = account
        self._client = client
        self._reader = reader
        self._recorder = recorder
        self._now = now
        self._as2 = (
            As2Party(account, client, recorder=recorder, now=now) if account.terms is not None else None
        )
        self._arrived = anyio.Event()
        self._read: list[Notice] = []

    async def lodge_as2(self, payload: bytes, media_type: str = "", *, message_id: str | None = None) -> Sent:
        """Lodge over AS2, signed, encrypted and compressed as agreed. Raises ClientError without an answer.

        The same message again is `send_again(sent.composed)`.
        """
        media_type = media_type or sniff(payload).media_type
        return await self.send_again(self._speaker.compose(payload, media_type, message_id=message_id))

    async def send_again(self, composed: Composed, *, what: str = "declaration") -> Sent:
        """Send a composed message, byte for byte as ever."""
        return await self._speaker.send(composed, what=what)

    async def lodge_https(self, payload: bytes, media_type: str = "", key: str | None = None) -> Lodged:
        """Lodge over HTTPS and verify the receipt. Raises ClientError without an answer."""
        key = key or clock.new_id("T")
        headers = (("Content-Type", media_type or sniff(payload).media_type), ("Idempotency-Key", key))
        response = await self._ask("POST", "/v1/declarations", headers, payload, what="declaration", key=key)
        reason = "" if response.status == http.HTTPStatus.ACCEPTED else f"HTTP {response.status}"
        return Lodged(
            status=response.status,
            body=_json(response),
            verified=not (reason := reason or self._fault(response, payload)),
            reason=reason,
        )

    async def status(self, reference: str) -> dict[str, Any] | None:
        """How a lodgement stands, by its id, LRN or MRN; None where the gateway knows none."""
        response = await self._ask("GET", f"/v1/declarations/{reference}", what="status request")
        return _json(response) if response.status == http.HTTPStatus.OK else None

    async def lodgements(self) -> list[dict[str, Any]]:
        """The newest lodgements, a summary each."""
        found = _json(await self._ask("GET", "/v1/declarations", what="list request")).get("declarations", [])
        assert isinstance(found, list)
        return found

    async def notifications(self, after: int = 0) -> list[Notice]:
        """The entries of the log with a number above `after`."""
        body = _json(await self._ask("GET", f"/v1/notifications?after={after}", what="notifications request"))
        return [self._notice(entry) for entry in body.get("notifications", [])]

    async def wait_for(self, wanted: Callable[[Notice], bool]) -> Notice:
        """The first notice pushed over AS2 that is `wanted`; wait under a timeout."""
        while True:
            arrived = self._arrived
            found = next((notice for notice in self.inbox if wanted(notice)), None)
            if found is not None:
                return found
            await arrived.wait()

    async def look_for(self, wanted: Callable[[Notice], bool]) -> Notice:
        """The first notice of the log that is `wanted`, once it is there; wait under a timeout.

        The log is read on from where the last look ended; what was read is kept.
        """
        while True:
            found = next((notice for notice in self._read if wanted(notice)), None)
            if found is not None:
                return found
            news = await self.notifications(self._last_read)
            # Another task may have read the same meanwhile.
            self._read += [notice for notice in news if notice.number > self._last_read]
            if not news:
                await anyio.sleep(POLL_SECONDS)

    async def listen(
        self,
        listener: anyio.abc.Listener[anyio.abc.SocketStream],
        *,
        task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Take answers over AS2 until cancelled; each is receipted, and stands in `inbox` once."""
        async with anyio.create_task_group() as tasks:
            self._speaker.tasks = tasks
            await serve(listener, self.handle, clock=self._now, log=log, task_status=task_status)
            tasks.cancel_scope.cancel()

    async def handle(self, request: Request) -> Response:
        """The receipt of an AS2 message to the trader."""
        return await self._speaker.take(request, self._take, what="answer")

    async def _take(self, got: Received, message_id: str, request: Request) -> Disposition:
        reading = self._reader.read(got.payload, got.content_type)
        self.inbox.append(Notice(channel="as2", payload=got.payload, reading=reading))
        arrived, self._arrived = self._arrived, anyio.Event()
        arrived.set()
        return Disposition.PROCESSED

    @property
    def _last_read(self) -> int:
        return self._read[-1].number if self._read else 0

    @property
    def _speaker(self) -> As2Party:
        if self._as2 is None:
            raise ValueError(f"{self._account.name} has no AS2 agreement")
        return self._as2

    def _notice(self, entry: dict[str, Any]) -> Notice:
        payload = base64.b64decode(entry["document"])
        reading = self._reader.read(payload, entry["content-type"])
        return Notice(channel="https", payload=payload, reading=reading, number=entry["number"])

    def _fault(self, response: ClientResponse, payload: bytes) -> str:
        """Why the receipt does not prove that the gateway took `payload`; empty where it does."""
        try:
            signature = base64.b64decode(
                response.headers.get(SIGNATURE_HEADER.encode()) or b"", validate=True
            )
            verify(
                signature,
                response.body,
                self._account.receipts,
                policy=DEFAULT_POLICY,
                now=clock.utc(response.received),
            )
        except (SecurityError, binascii.Error) as error:
            return f"the signature of the receipt does not hold: {error}"
        told = _json(response).get("digest", {})
        meant = {"algorithm": "sha-256", "value": hashlib.sha256(payload).hexdigest(), "octets": len(payload)}
        return "" if told == meant else "the receipt is for another document"

    async def _ask(
        self,
        method: str,
        path: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        what: str,
        key: str = "",
    ) -> ClientResponse:
        url = f"{self._account.api_url}{path}"
        response = await self._client.request(
            method, url, headers, body, tls=self._account.client_tls, timeout=REQUEST_SECONDS
        )
        if self._recorder is not None:
            about = About(
                sender=self._account.name,
                recipient="gateway",
                channel="https",
                what=what,
                back=_back(response),
                message_id=key,
                back_signed_by="gateway" if response.status == http.HTTPStatus.ACCEPTED else "",
            )
            self._recorder.sent(about, (method, url, headers, body), response)
        return response


@asynccontextmanager
async def open_trader(
    account: Account, reader: Reader, *, recorder: Recorder | None = None, listen: bool = True
) -> AsyncIterator[Trader]:
    """A trader with its client, and with its AS2 listener at the port of its account if `listen`."""
    async with Client(clock=clock.instant) as client, anyio.create_task_group() as group:
        trader = Trader(account, client, reader, recorder=recorder)
        if listen and account.own_url:
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=account.own_port)
            await group.start(lambda *, task_status: trader.listen(listener, task_status=task_status))
        yield trader
        group.cancel_scope.cancel()


def _json(response: ClientResponse) -> dict[str, Any]:
    """The body as a JSON object; of anything else, an empty one."""
    try:
        body = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _back(response: ClientResponse) -> str:
    status = http.HTTPStatus(response.status)
    return "receipt" if status is http.HTTPStatus.ACCEPTED else status.phrase
