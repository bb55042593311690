"""A scripted agency as a real listener: takes deliveries, remembers them, and answers by its script.

Over AS2 it answers with a CUSRES in a message of its own; over HTTPS with a RES, in the response to the
delivery or later at `/v1/answers`. Whatever comes twice is acknowledged twice and answered once.
"""

import hashlib
import http
import pathlib
from collections.abc import Awaitable, Callable

import anyio
import anyio.abc
import structlog

from ...codecs import edifact, wco
from ...codecs.document import EDIFACT_MEDIA_TYPE, XML_MEDIA_TYPE, Kind, Reader
from .. import clock
from ..as2 import Disposition, Received
from ..http import Client, ClientError, Limits, Request, RequestHead, Response, problem, serve
from ..sender import DELIVERY_HEADER
from .accounts import Account
from .as2_party import As2Party
from .delivery_log import DeliveryLog, DifferentDocument, Entry
from .script import Taken, Verdict, answer_to, delivery_reference_in, taken_from
from .wire import About, Recorder

log = structlog.get_logger()

ANSWER_SECONDS = 30.0
# Between tries at an answer: a gateway that was killed is back within seconds, and must not be hammered.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
# The gateway keeps its connections open, and notices the end of one when it next uses it: no use to wait.
LIMITS = Limits(linger_seconds=0.2)


class UnreadableDelivery(Exception):  # noqa: N818 - named for what happened
    """What was delivered is no valid declaration with a delivery reference: the gateway's fault."""


class SandboxAgency:
    """One agency. `tasks` runs its later answers."""

    def __init__(
        self, account: Account, reader: Reader, client: Client, books: DeliveryLog, recorder: Recorder | None
    ) -> None:
        self._account = account
        self._reader = reader
        self._client = client
        self._books = books
        self._recorder = recorder
        self._as2 = As2Party(account, client, recorder=recorder) if account.terms is not None else None
        self._tasks: anyio.abc.TaskGroup | None = None

    async def run(
        self,
        listener: anyio.abc.Listener[anyio.abc.SocketStream],
        *,
        stopping: anyio.Event | None = None,
        task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until `stopping`, and first answer what an earlier run took and did not answer."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            if self._as2 is not None:
                self._as2.tasks = tasks
            for taken in self._books.unanswered():
                tasks.start_soon(self._answer, taken, 0.0)
            await serve(
                listener,
                self.handle,
                admit=self.admit if self._as2 is None else None,
                clock=clock.instant,
                tls=(lambda: self._account.server_tls) if self._as2 is None else None,
                limits=LIMITS,
                log=log,
                stopping=stopping,
                task_status=task_status,
            )
            tasks.cancel_scope.cancel()

    def admit(self, head: RequestHead, certificate: bytes | None) -> Response | None:
        """Only the gateway's TLS certificate may deliver."""
        if certificate is None or certificate not in self._account.shows_der:
            return problem(401, "a delivery needs the gateway's client certificate")
        return None

    async def handle(self, request: Request) -> Response:
        """The response to one delivery."""
        if request.method != "POST":
            return problem(405, "deliveries are posted")
        if self._as2 is not None:
            return await self._as2.take(request, self._take_as2, what="delivery")
        response = self._take_https(request)
        if self._recorder is not None:
            back = _words(response)
            key = request.headers.get(b"idempotency-key") or b""
            about = self._about("gateway", self._account.name, "delivery", back, key.decode("latin-1"))
            self._recorder.served(about, request, response, clock.instant())
        return response

    async def _take_as2(self, got: Received, message_id: str, request: Request) -> Disposition:
        try:
            self._take(got.payload, got.content_type, message_id, None)
        except (UnreadableDelivery, DifferentDocument) as error:
            log.error("delivery_refused", reason=str(error))
            return Disposition.UNEXPECTED_PROCESSING_ERROR
        return Disposition.PROCESSED

    def _take_https(self, request: Request) -> Response:
        named = request.headers.get(DELIVERY_HEADER.lower().encode())
        reference = named.decode("latin-1") if named is not None else None
        key = request.headers.get(b"idempotency-key")
        media_type = request.headers.get(b"content-type") or b""
        if key is None:
            return problem(400, "a delivery needs an Idempotency-Key")
        try:
            taken = self._take(request.body, media_type.decode("latin-1"), key.decode("latin-1"), reference)
        except UnreadableDelivery as error:
            return problem(422, str(error))
        except DifferentDocument:
            return problem(409, "this Idempotency-Key names another document")
        if self._account.manner.answers == "later" or taken.verdict is Verdict.SILENCE:
            return Response(status=202)
        headers = (("Content-Type", XML_MEDIA_TYPE), (DELIVERY_HEADER, taken.reference))
        self._books.answered(taken.reference, clock.iso(clock.instant()))
        return Response(status=200, headers=headers, body=self._res(taken))

    def _take(self, payload: bytes, media_type: str, key: str, reference: str | None) -> Taken:
        """Write the delivery down and see to its answer. Raises UnreadableDelivery and DifferentDocument."""
        now = clock.instant()
        taken = self._decided(payload, media_type, reference)
        entry = Entry(
            reference=taken.reference,
            sha256=hashlib.sha256(payload).hexdigest(),
            accepted_at=clock.iso(now),
            duplicate=False,
            key=key,
            taken=taken,
        )
        first = self._books.take(entry)
        log.info("delivery_taken", reference=first.reference, duplicate=first is not entry)
        if first is entry and (self._as2 is not None or self._account.manner.answers == "later"):
            assert self._tasks is not None
            self._tasks.start_soon(self._answer, taken, self._account.manner.seconds)
        return first.taken

    def _decided(self, payload: bytes, media_type: str, reference: str | None) -> Taken:
        reading = self._reader.read(payload, media_type)
        if not reading.valid or reading.documents[0].kind is not Kind.DECLARATION:
            shown = "; ".join(str(finding) for finding in reading.all_findings[:3])
            raise UnreadableDelivery(f"no valid declaration: {shown}")
        declaration = reading.documents[0].declaration
        assert declaration is not None
        reference = delivery_reference_in(declaration) or reference
        if reference is None:
            raise UnreadableDelivery("the declaration has no delivery reference")
        return taken_from(declaration, self._account.name, reference, clock.utc(clock.instant()))

    async def _answer(self, taken: Taken, seconds: float) -> None:
        if taken.verdict is Verdict.SILENCE:
            return
        await anyio.sleep(seconds)
        send = self._as2_answer(taken) if self._as2 is not None else self._https_answer(taken)
        pause = FIRST_PAUSE
        while True:
            try:
                done = await send()
            except ClientError as error:
                log.warning("answer_failed", reference=taken.reference, reason=error.reason)
                done = False
            if done:
                self._books.answered(taken.reference, clock.iso(clock.instant()))
                log.info("answered", reference=taken.reference, verdict=taken.verdict.value)
                return
            await anyio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _as2_answer(self, taken: Taken) -> Callable[[], Awaitable[bool]]:
        """A try at the answer; each sends the same octets under the same Message-ID."""
        assert self._as2 is not None
        party, composed = self._as2, self._as2.compose(self._cusres(taken), EDIFACT_MEDIA_TYPE)

        async def attempt() -> bool:
            return (await party.send(composed, what="CUSRES")).verified

        return attempt

    def _https_answer(self, taken: Taken) -> Callable[[], Awaitable[bool]]:
        """A try at the answer; each sends the same octets under the same key."""
        url, body = f"{self._account.api_url}/v1/answers", self._res(taken)
        key = f"{self._account.name}-{taken.reference}"
        headers = (
            ("Content-Type", XML_MEDIA_TYPE),
            ("Idempotency-Key", key),
            (DELIVERY_HEADER, taken.reference),
        )

        async def attempt() -> bool:
            response = await self._client.request(
                "POST", url, headers, body, tls=self._account.client_tls, timeout=ANSWER_SECONDS
            )
            if self._recorder is not None:
                about = self._about(
                    self._account.name, "gateway", "RES", http.HTTPStatus(response.status).phrase, key
                )
                self._recorder.sent(about, ("POST", url, headers, body), response)
            if 400 <= response.status < 500:
                log.error("answer_refused", reference=taken.reference, status=response.status)
            return 200 <= response.status < 300

        return attempt

    def _res(self, taken: Taken) -> bytes:
        response = answer_to(taken, self._account.name, clock.utc(clock.instant()))
        return wco.write_response((response,), wco.MetaData(version="3.6", type_name="RES"))

    def _cusres(self, taken: Taken) -> bytes:
        now = clock.utc(clock.instant())
        envelope = edifact.Envelope(
            sender=self._account.edifact_id or self._account.name.upper(),
            recipient=self._account.gateway_edifact_id,
            reference=clock.new_id("A"),
            prepared=now,
        )
        body, _ = edifact.write_cusres(answer_to(taken, self._account.name, now), envelope)
        return body

    def _about(self, sender: str, recipient: str, what: str, back: str, key: str) -> About:
        return About(
            sender=sender, recipient=recipient, channel="https", what=what, back=back, message_id=key
        )


def _words(response: Response) -> str:
    return "RES" if response.body and response.status == 200 else http.HTTPStatus(response.status).phrase


async def serve_agency(
    account: Account,
    folder: pathlib.Path,
    reader: Reader,
    *,
    stopping: anyio.Event | None = None,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Be the agency of `account` at its own port until `stopping`; its books lie in `folder`/sandbox."""
    books = DeliveryLog(folder / "sandbox", account.name)
    recorder = Recorder(folder / account.record / account.name) if account.record else None
    try:
        async with Client(clock=clock.instant) as client:
            agency = SandboxAgency(account, reader, client, books, recorder)
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=account.own_port)
            await agency.run(listener, stopping=stopping, task_status=task_status)
    finally:
        books.close()
