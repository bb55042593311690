"""A whole gateway without sockets: real parts, a clock that stands still, and a scripted peer."""

import dataclasses
import itertools
import pathlib
import shutil
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.codecs import edifact, wco
from tidewaiter.codecs.declaration import Response as BusinessResponse
from tidewaiter.codecs.declaration import ResponseDeclaration
from tidewaiter.codecs.document import Reader, sniff
from tidewaiter.gateway import clock, resources
from tidewaiter.gateway.answers import Answers
from tidewaiter.gateway.api import Api
from tidewaiter.gateway.as2 import (
    Disposition,
    MdnResult,
    Received,
    Terms,
    compose,
    compose_mdn,
    identify,
    read_mdn,
    receive,
)
from tidewaiter.gateway.as2_channel import As2Channel
from tidewaiter.gateway.concealment import Concealment
from tidewaiter.gateway.config import Config, load_config
from tidewaiter.gateway.decisions import Decisions
from tidewaiter.gateway.history import History
from tidewaiter.gateway.http import ClientResponse, Headers, Request, RequestHead, Response
from tidewaiter.gateway.inbound import Inbound
from tidewaiter.gateway.intake import Intake
from tidewaiter.gateway.ledger import (
    ClaimedDelivery,
    ClaimedMdn,
    ClaimedNotification,
    DeliveryRecord,
    EventRecord,
    NotificationRecord,
    SqliteLedger,
    Status,
    open_ledger,
)
from tidewaiter.gateway.lodging import Source
from tidewaiter.gateway.mdn_taking import MdnTaking
from tidewaiter.gateway.metrics import Metrics
from tidewaiter.gateway.outbound import LEASE_NS, Outbound
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.receipts import Receipts
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.gateway.scaffold import make_starter
from tidewaiter.gateway.screening import Screening
from tidewaiter.gateway.sender import Sender
from tidewaiter.routing.instant import Instant

# A day after the keys were made; no test reads the machine's clock.
MADE = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
SECOND = 10**9

# A scripted exchange: what the peer answers, or the exception that takes its place.
Turn = tuple[int, tuple[tuple[str, str], ...], bytes] | Exception
Wires = tuple[str, tuple[tuple[str, str], ...], bytes]


class Clock:
    """Stands still until it is moved. `stepped`: by how much the wall clock alone was."""

    def __init__(self) -> None:
        self.ns = int(NOW.timestamp()) * SECOND
        self.stepped = 0

    def __call__(self) -> Instant:
        return Instant(utc_ns=self.ns, monotonic_ns=self.ns - self.stepped - 10**18, process="test")

    def tick(self, seconds: float) -> None:
        self.ns += int(seconds * SECOND)


class Peer:
    """In place of the client: answers each request by the next turn of a script, the last one for ever."""

    def __init__(self, now: Clock) -> None:
        self.requests: list[Wires] = []
        self.options: list[dict[str, Any]] = []
        self.turns: deque[Turn | Callable[[Wires], Turn]] = deque([(202, (), b"")])
        self._now = now

    def will(self, *turns: Turn | Callable[[Wires], Turn]) -> None:
        self.turns = deque(turns)

    async def request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, **options: Any
    ) -> ClientResponse:
        assert method == "POST"
        self.options.append(options)
        wire = (url, tuple(headers), body)
        self.requests.append(wire)
        turn = self.turns.popleft() if len(self.turns) > 1 else self.turns[0]
        if callable(turn):
            turn = turn(wire)
        if isinstance(turn, Exception):
            raise turn
        status, answered, content = turn
        fields = Headers((name.lower().encode(), value.encode()) for name, value in answered)
        return ClientResponse(
            status=status, headers=fields, body=content, sent=self._now(), received=self._now()
        )


_TERMS: dict[bytes, Terms] = {}


class Bench:
    """Every part of a gateway, put together as the composition root does."""

    def __init__(
        self,
        config: Config,
        ledger: SqliteLedger,
        reader: Reader | None = None,
        parties: Parties | None = None,
    ) -> None:
        self.config, self.ledger = config, ledger
        self.now = Clock()
        self.peer = Peer(self.now)
        self.room = True
        self.received: list[bytes] = []
        self.resolved: list[tuple[str, int]] = []
        self._numbers = itertools.count(1)
        now = self.now
        settings = config.gateway
        self.reader = reader if reader is not None else resources.reader(warm=True)
        self.parties = parties if parties is not None else Parties(config)
        agencies = self.parties.agency_values()
        self.metrics = Metrics()
        self.history = History(ledger)
        self.answers = Answers(settings, now)
        self.decisions = Decisions(ledger, self.parties, agencies, self.answers, self.reader, now)
        self.names = {"trader.example": ["198.41.0.4"]}
        self.sender = Sender(self.peer, "gateway", {}, now, resolver=self.resolve)  # type: ignore[arg-type]
        self.outbound = Outbound(
            ledger, self.parties, self.answers, self.decisions, self.sender, now, lambda: 0.5
        )
        self.screening = Screening(self.parties, self.answers, self.reader)
        self.intake = Intake(ledger, config.rules, agencies, self.answers, self.screening, now)
        self.inbound = Inbound(
            ledger,
            self.reader,
            self.intake,
            self.decisions,
            self.answers,
            self.metrics,
            self.history,
            self.outbound.wake,
            self.outbound.mdn_queue,
            now,
        )
        self.mdns = MdnTaking(
            ledger, self.parties, self.outbound.settling, self.metrics, self.outbound.wake, now
        )
        self.as2 = As2Channel(
            self.inbound, ledger, self.parties, self.metrics, "gateway", Concealment(0), self.mdns, now
        )
        self.receipts = Receipts(settings, lambda: self.parties.signer, now)
        self.api = Api(
            self.as2,
            self.inbound,
            ledger,
            self.parties,
            self.receipts,
            lambda: self.room and ledger.has_room(),
            now,
        )

    async def resolve(self, host: str, port: int) -> list[str]:
        """In place of the system's resolver; a name it does not know does not resolve."""
        self.resolved.append((host, port))
        if host not in self.names:
            raise socket.gaierror
        return self.names[host]

    def clock(self) -> datetime:
        """The time."""
        return clock.utc(self.now())

    def source(self, party: str = "trader", channel: str = "as2") -> Source:
        return Source(self.parties.named(party), channel, clock.new_id("M"), self.now())

    def certificate(self, party: str | None) -> bytes | None:
        return None if party is None else self.parties.named(party).certificates[0].public_bytes(Encoding.DER)

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        party: str | None = "trader",
        headers: Sequence[tuple[str, str]] = (),
        certificate: bytes | None = None,
    ) -> Response:
        """What one request gets, admitted by its head first as the listener does."""
        path, _, query = target.partition("?")
        fields = Headers((name.lower().encode(), value.encode()) for name, value in headers)
        shown = certificate if certificate is not None else self.certificate(party)
        head = RequestHead(method=method, target=target, path=path, query=query, minor=1, headers=fields)
        refused = self.api.admit(head, shown)
        if refused is not None:
            return refused
        request = Request(
            method=method,
            path=path,
            query=query,
            headers=fields,
            body=body,
            peer_certificate=shown,
            client="127.0.0.1",
            first_byte=self.now(),
            last_byte=self.now(),
        )
        return await self.api.handle(request)

    async def get(self, target: str, party: str | None = "trader") -> Any:
        response = await self.ask("GET", target, party=party)
        return msgspec.json.decode(response.body)

    async def lodge(
        self,
        payload: bytes,
        *,
        key: str | None = None,
        path: str = "/v1/declarations",
        party: str | None = "trader",
        headers: Sequence[tuple[str, str]] = (),
    ) -> Response:
        """POST `payload` over HTTPS."""
        given = [("Content-Type", sniff(payload).media_type), *headers]
        if key is not None:
            given.append(("Idempotency-Key", key))
        return await self.ask("POST", path, payload, party=party, headers=given)

    def terms(self, party: str = "trader") -> Terms:
        """The agreement as `party` has it. An RSA key takes 30 ms to load, so it is kept."""
        key = (self.config.folder / f"keys/{party}.key").read_bytes()
        if key not in _TERMS:
            terms = load_account(self.config.folder, party).terms
            assert terms is not None
            _TERMS[key] = terms
        return _TERMS[key]

    def reading(self, party: str) -> Terms:
        """The terms by which `party` takes what we send: our receipts may go to our address."""
        return dataclasses.replace(self.terms(party), receipt_addresses=("https://gateway.example",))

    def composed(
        self, payload: bytes, party: str = "trader", message_id: str | None = None, **changed: Any
    ) -> Any:
        message_id = message_id or f"<{next(self._numbers)}@{party}.example>"
        return compose(
            payload,
            sniff(payload).media_type,
            changed.get("terms") or self.terms(party),
            message_id=message_id,
            now=clock.utc(self.now()),
            boundary="b" * 24,
        )

    async def post(self, composed: Any) -> Response:
        return await self.ask("POST", "/as2", composed.body, party=None, headers=composed.headers)

    async def lodge_as2(
        self, payload: bytes, party: str = "trader", message_id: str | None = None
    ) -> tuple[MdnResult, Response]:
        """Send `payload` over AS2; the receipt as the sender judges it, and as it came."""
        composed = self.composed(payload, party, message_id)
        response = await self.post(composed)
        return self.judged(composed, response, party), response

    def judged(self, composed: Any, response: Response, party: str = "trader") -> MdnResult:
        fields = Headers((name.lower().encode(), value.encode()) for name, value in response.headers)
        return read_mdn(
            fields,
            response.body,
            self.terms(party),
            message_id=composed.message_id,
            mic=composed.mic,
            now=clock.utc(self.now()),
        )

    async def status(self, reference: str) -> Status:
        found = await self.ledger.status(reference)
        assert found is not None
        return found

    async def only(self) -> Status:
        """The one lodgement there is."""
        (one,) = await self.ledger.lodgements(limit=10)
        return await self.status(one.id)

    async def notes(self, partner: str = "trader") -> list[NotificationRecord]:
        return await self.ledger.notifications(partner, after=0, limit=100)

    async def events(self, lodgement: str | None = None) -> list[EventRecord]:
        return await self.ledger.events(lodgement=lodgement, after=0, limit=1000)

    async def kinds(self, lodgement: str | None = None) -> list[str]:
        return [event.kind.value for event in await self.events(lodgement)]

    async def delivery(self, agency: str, reference: str | None = None) -> str:
        """The delivery reference that `agency` got for a lodgement, the only one unless named."""
        status = await self.only() if reference is None else await self.status(reference)
        return next(d.id for d in status.deliveries if d.agency == agency)

    async def answer(self, agency: str, delivery: str, code: str, **fields: Any) -> Response:
        """`agency` answers over HTTPS, in XML."""
        body = res(delivery, code, **fields)
        return await self.lodge(body, path="/v1/answers", party=agency)

    async def answer_as2(self, delivery: str, code: str, **fields: Any) -> MdnResult:
        """Customs answers over AS2, in EDIFACT."""
        reference = f"A{next(self._numbers)}"
        mdn, _ = await self.lodge_as2(cusres(delivery, code, reference=reference, **fields), "customs")
        return mdn

    def mdn(self, party: str, disposition: Disposition = Disposition.PROCESSED) -> Callable[[Wires], Turn]:
        """A turn in which `party` receives over AS2 and signs its receipt."""

        def answer(wire: Wires) -> Turn:
            _, headers, body = wire
            fields = [(name.lower().encode(), value.encode()) for name, value in headers]
            identity, now = identify(fields), clock.utc(self.now())
            got = receive(identity, fields, body, self.reading(party), now=now)
            assert isinstance(got, Received)
            self.received.append(got.payload)
            receipt = compose_mdn(
                identity,
                disposition,
                got.mic,
                self.terms(party),
                message_id=f"<r@{party}>",
                now=now,
                boundary="m" * 24,
            )
            return 200, receipt.headers, receipt.body

        return answer

    async def due_mdns(self) -> list[ClaimedMdn]:
        """The MDNs to be posted now."""
        mdns = self.outbound.mdns
        found = await self.ledger.claim_mdns(
            now_ns=self.now.ns, lease_ns=LEASE_NS, limit=10, skip=mdns.busy()
        )
        for claim in found:
            mdns.claimed(claim)
        return list(found)

    async def claims(self, agency: str | None = None) -> list[ClaimedDelivery]:
        """The deliveries due now, to one agency if named."""
        skip = [name for name in self.parties.agencies if agency is not None and name != agency]
        return list(
            await self.ledger.claim_deliveries(now_ns=self.now.ns, lease_ns=LEASE_NS, limit=10, skip=skip)
        )

    async def attempt(self, agency: str = "health") -> bool:
        """One try at each delivery to `agency` that is due; False if none is."""
        found = await self.claims(agency)
        for claim in found:
            await self.outbound.deliveries.run(claim)
        return bool(found)

    async def due_notes(self) -> list[ClaimedNotification]:
        """The notifications due now."""
        return list(await self.ledger.claim_notifications(now_ns=self.now.ns, lease_ns=LEASE_NS, limit=10))

    async def leg(self, agency: str = "health") -> DeliveryRecord:
        return next(d for d in (await self.only()).deliveries if d.agency == agency)

    async def reasons(self, kind: str = "delivery_failed") -> list[str]:
        return [event.data["reason"] for event in await self.events() if event.kind.value == kind]


def response(delivery: str | None, code: str, *, mrn: str | None = None, **fields: Any) -> BusinessResponse:
    declaration = ResponseDeclaration(functional_reference_id="any", id=mrn)
    return BusinessResponse(
        functional_reference_id=delivery, function_code=code, declaration=declaration, **fields
    )


def res(delivery: str | None, code: str, **fields: Any) -> bytes:
    """A WCO response of an agency."""
    metadata = wco.MetaData(version="3.6", type_name="RES")
    return wco.write_response((response(delivery, code, **fields),), metadata)


def cusres(delivery: str, code: str, *, reference: str = "A1", **fields: Any) -> bytes:
    """A CUSRES of customs."""
    envelope = edifact.Envelope(sender="CUSTOMS", recipient="TIDEWAITER", reference=reference, prepared=NOW)
    body, _ = edifact.write_cusres(response(delivery, code, **fields), envelope)
    return body


_LRNS = {"import.edi": b"MER-26-004171", "fireworks.edi": b"MER-26-004188", "export.xml": b"MER-26-004174"}
_LRNS |= {"plants.xml": b"MER-26-004179"}
_REFERENCES = {"import.edi": b"MT26041710001", "fireworks.edi": b"MT26041880001"}


def document(
    name: str = "import.edi",
    *,
    lrn: str = "",
    reference: str = "",
    sender: str = "",
    ack: bool = False,
    test: bool = False,
    change: tuple[bytes, bytes] = (b"", b""),
) -> bytes:
    """A sample, changed: another LRN or interchange reference, UNB 0031 or 0035 set, some octets replaced."""
    data = sample(name)
    if lrn:
        data = data.replace(_LRNS[name], lrn.encode())
    if reference:
        data = data.replace(_REFERENCES[name], reference.encode())
    if sender:
        data = data.replace(b"MERIDIAN:ZZZ+TIDE", f"{sender}:ZZZ+TIDE".encode())
    if ack or test:
        head, end, rest = data.partition(b"'\nUNH")
        data = head + b"++++" + (b"1" if ack else b"") + (b"++1" if test else b"") + end + rest
    old, new = change
    return data.replace(old, new) if old else data


def interchange(*messages: bytes, reference: str = "MT1", ack: bool = False) -> bytes:
    """The CUSDEC of each of `messages` in one interchange."""
    tail = b"++++1" if ack else b""
    parts = [b"UNA:+.? '\nUNB+UNOC:3+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+261119:0915+" + reference.encode() + tail]
    for number, data in enumerate(messages, 1):
        body = data[data.index(b"UNH+1+") + 6 : data.index(b"'\nUNZ")]
        parts.append(b"UNH+%d+" % number + body.removesuffix(b"+1") + b"+%d" % number)
    parts.append(b"UNZ+%d+" % len(messages) + reference.encode())
    return b"'\n".join(parts) + b"'\n"


@pytest.fixture
def make_document() -> Callable[..., bytes]:
    return document


@pytest.fixture
def make_interchange() -> Callable[..., bytes]:
    return interchange


@pytest.fixture
def make_res() -> Callable[..., bytes]:
    return res


@pytest.fixture
def make_cusres() -> Callable[..., bytes]:
    return cusres


@pytest.fixture(scope="session", autouse=True)
def _plain_log() -> None:
    """A log line a line: the default draws a traceback with all its locals, which takes half a second."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A starter configuration, made once: its keys take half a second. Not to be written to."""
    folder = tmp_path_factory.mktemp("starter") / "gateway"
    make_starter(folder, now=MADE)
    return folder


@pytest.fixture
def folder(starter: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A starter configuration of the test's own."""
    return pathlib.Path(shutil.copytree(starter, tmp_path / "gateway"))


OpenBench = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """The gateway of a folder, with a ledger that is open."""
    return lambda folder, ledger: Bench(load_config(folder), ledger)


@pytest.fixture
def open_bench(folder: pathlib.Path, anyio_backend: object) -> OpenBench:
    """Opens the gateway of `folder` as it is configured by then."""

    @asynccontextmanager
    async def opened(reader: Reader | None = None) -> AsyncIterator[Bench]:
        async with open_ledger(folder / "ledger.db", reserve=0) as ledger:
            yield Bench(load_config(folder), ledger, reader)

    return opened


@pytest.fixture
def agree(folder: pathlib.Path) -> Callable[..., None]:
    """Adds lines to the AS2 agreement in a file of the configuration, and our address for receipts."""

    def agreed(file: str, *lines: str) -> None:
        path = folder / file
        path.write_text(path.read_text().replace("[as2]\n", "\n".join(("[as2]", *lines, ""))))
        ours = folder / "gateway.toml"
        if "as2-url" not in ours.read_text():
            ours.write_text(f'as2-url = "https://gateway.example/as2"\n{ours.read_text()}')

    return agreed


@pytest.fixture(scope="session")
def parties(starter: pathlib.Path) -> Parties:
    """The parties of the starter configuration, their keys loaded once."""
    return Parties(load_config(starter), NOW)


@pytest.fixture
async def bench(folder: pathlib.Path, parties: Parties, anyio_backend: object) -> AsyncIterator[Bench]:
    """The gateway of the starter configuration."""
    async with open_ledger(folder / "ledger.db", reserve=0) as ledger:
        yield Bench(load_config(folder), ledger, parties=parties)
