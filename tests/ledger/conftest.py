"""A ledger in a temporary folder, and values to put into it."""

import itertools
import pathlib
from collections.abc import AsyncIterator, Callable

import pytest

from tidewaiter.gateway.ledger import (
    AnswerRecord,
    AttachmentRecord,
    Change,
    Committed,
    DecisionRecord,
    DeliveryRecord,
    EventRecord,
    LodgementRecord,
    MdnRecord,
    MessageRecord,
    NotificationRecord,
    Receipt,
    SqliteLedger,
    Wire,
    open_ledger,
)
from tidewaiter.routing.instant import Instant
from tidewaiter.routing.lifecycle import DeliveryState, EventKind, LodgementState, MdnState, NotificationState


class Make:
    """Values with what a test does not care about filled in. Ids are numbered."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):013d}"

    def instant(self, utc_ns: int = 1_700_000_000_000_000_000) -> Instant:
        return Instant(utc_ns, 5_000, "process-1")

    def message(self, **fields: object) -> MessageRecord:
        identity = self.id("M")
        values: dict[str, object] = {
            "id": identity,
            "channel": "as2",
            "party": "trader",
            "scope": "trader>gateway",
            "key": f"<{identity}@trader>",
            "accepted": True,
            "raw_digest": "ab" * 32,
            "mic": "bWlj, sha-256",
            "headers": (("as2-from", "trader"), ("subject", "Erkl\u00e4rung")),
            "body": b"\x00\xffbody",
            "receipt": self.receipt(),
            "received": self.instant(),
        }
        return MessageRecord(**(values | fields))  # type: ignore[arg-type]

    def receipt(self, body: bytes = b"--mdn\x00") -> Receipt:
        return Receipt(status=200, headers=(("content-type", "multipart/report"),), body=body)

    def lodgement(self, message: MessageRecord | str, **fields: object) -> LodgementRecord:
        identity = self.id("L")
        values: dict[str, object] = {
            "id": identity,
            "message": message if isinstance(message, str) else message.id,
            "position": 1,
            "partner": "trader",
            "channel": "as2",
            "syntax": "edifact",
            "type": "IM",
            "function": "9",
            "declarant": "XX123",
            "lrn": f"LRN-{identity}",
            "root": identity,
            "claims_lrn": True,
            "state": LodgementState.ACCEPTED,
            "test": False,
            "content_digest": "cd" * 32,
            "document": b"UNH+1'",
            "declaration": b"{}",
            "findings": b"[]",
            "agencies": ("customs", "food"),
            "received": self.instant(),
        }
        return LodgementRecord(**(values | fields))  # type: ignore[arg-type]

    def delivery(self, lodgement: LodgementRecord, **fields: object) -> DeliveryRecord:
        values: dict[str, object] = {
            "id": self.id("D"),
            "lodgement": lodgement.id,
            "root": lodgement.root,
            "agency": "customs",
            "state": DeliveryState.PENDING,
            "due_ns": 100,
        }
        return DeliveryRecord(**(values | fields))  # type: ignore[arg-type]

    def notification(self, **fields: object) -> NotificationRecord:
        values: dict[str, object] = {
            "id": self.id("N"),
            "partner": "trader",
            "lodgement": None,
            "kind": "cusres",
            "content_type": "application/edifact",
            "body": b"UNB+",
            "state": NotificationState.PENDING,
            "due_ns": 100,
            "created": self.instant(),
        }
        return NotificationRecord(**(values | fields))  # type: ignore[arg-type]

    def mdn(self, message: MessageRecord, **fields: object) -> MdnRecord:
        values: dict[str, object] = {
            "id": self.id("A"),
            "message": message.id,
            "party": message.party,
            "url": "https://trader.example/mdn?id=1",
            "state": MdnState.PENDING,
            "due_ns": 100,
        }
        return MdnRecord(**(values | fields))  # type: ignore[arg-type]

    def attachment(self, message: MessageRecord, **fields: object) -> AttachmentRecord:
        values: dict[str, object] = {
            "message": message.id,
            "position": 1,
            "filename": "invoice.pdf",
            "content_type": "application/pdf",
            "digest": "ef" * 32,
            "body": b"%PDF\x00\xff",
        }
        return AttachmentRecord(**(values | fields))  # type: ignore[arg-type]

    def answer(self, delivery: DeliveryRecord, **fields: object) -> AnswerRecord:
        values: dict[str, object] = {
            "delivery": delivery.id,
            "lodgement": delivery.lodgement,
            "agency": delivery.agency,
            "outcome": "released",
            "response": b'{"a":1}',
            "received": self.instant(),
        }
        return AnswerRecord(**(values | fields))  # type: ignore[arg-type]

    def decision(self, lodgement: LodgementRecord, version: int, **fields: object) -> DecisionRecord:
        values: dict[str, object] = {
            "lodgement": lodgement.id,
            "version": version,
            "outcome": "released",
            "reasons": b"[]",
            "decided": self.instant(),
        }
        return DecisionRecord(**(values | fields))  # type: ignore[arg-type]

    def event(self, **fields: object) -> EventRecord:
        values: dict[str, object] = {"kind": EventKind.RECEIVED, "at": self.instant()}
        return EventRecord(**(values | fields))  # type: ignore[arg-type]

    def wire(self, **fields: object) -> Wire:
        values: dict[str, object] = {
            "message_id": f"<{self.id('W')}@gateway>",
            "url": "https://agency.example/as2",
            "headers": (("as2-to", "agency"),),
            "body": b"\x00cms",
            "mic": "bWlj, sha-256",
        }
        return Wire(**(values | fields))  # type: ignore[arg-type]

    def lodged(self, *agencies: str, **fields: object) -> tuple[Change, LodgementRecord]:
        """A message with one lodgement, and a delivery to each of `agencies`."""
        message = self.message()
        lodgement = self.lodgement(message, **fields)
        deliveries = tuple(self.delivery(lodgement, agency=agency) for agency in agencies)
        event = self.event(lodgement=lodgement.id, message=message.id)
        change = Change(message=message, lodgements=(lodgement,), deliveries=deliveries, events=(event,))
        return change, lodgement


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "ledger.db"


@pytest.fixture
async def ledger(path: pathlib.Path, anyio_backend: object) -> AsyncIterator[SqliteLedger]:
    async with open_ledger(path) as opened:
        yield opened


@pytest.fixture
def write(ledger: SqliteLedger) -> Callable[..., object]:
    """Commit one change that must go through; gives the notification numbers."""

    async def commit(change: Change | None = None, /, **parts: object) -> tuple[int, ...]:
        (result,) = await ledger.commit([change or Change(**parts)])  # type: ignore[arg-type]
        assert isinstance(result, Committed), result
        return result.numbers

    return commit
