"""What goes into the ledger and comes out: plain values, no rows, no cursors."""

import enum

import msgspec

from ...routing.instant import Instant
from ...routing.lifecycle import DeliveryState, EventKind, LodgementState, MdnState, NotificationState


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender of a message was answered: kept whole, to be answered again byte for byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it came over a channel.

    `scope` and `key` together name it for ever (AS2: both AS2 names, and the Message-ID; HTTPS: the partner,
    and the Idempotency-Key); `key` None: not deduplicated. `accepted` False: recorded, but its key stays
    free. `raw_digest` is the SHA-256 of the body in hex, `mic` the Received-Content-MIC where there is one.
    """

    id: str
    channel: str
    party: str | None
    scope: str
    key: str | None
    accepted: bool
    raw_digest: str
    mic: str | None = None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    receipt: Receipt
    received: Instant


class LodgementRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One declaration durably taken in; REJECTED ones too, which are never routed.

    `root` is the lodgement it amends or cancels (itself for an original). `declarant` and `lrn` name an
    original of `partner` for ever among the accepted ones (`claims_lrn`); so do `sender` and `reference` of
    an interchange (S002/0004 and 0020) with the position of the message in it. `document` is the message in
    its own syntax, `declaration` its canonical JSON, `findings` and `agencies` what was decided when it came
    in.
    """

    id: str
    message: str
    position: int
    partner: str
    channel: str
    syntax: str
    type: str
    function: str
    declarant: str
    lrn: str
    root: str
    claims_lrn: bool
    state: LodgementState
    test: bool
    content_digest: str
    document: bytes
    declaration: bytes
    findings: bytes
    agencies: tuple[str, ...]
    received: Instant
    sender: str | None = None
    reference: str | None = None
    mrn: str | None = None
    version: int = 0


class DeliveryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One lodgement to one agency. Those of one `root` to one agency go out in the order they came in."""

    id: str
    lodgement: str
    root: str
    agency: str
    state: DeliveryState
    due_ns: int
    attempts: int = 0
    first_attempt_ns: int | None = None


class NotificationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a trader's log. `number` is given by the ledger: gap-free from 1 for each partner."""

    id: str
    partner: str
    lodgement: str | None
    kind: str
    content_type: str
    body: bytes
    state: NotificationState
    due_ns: int
    number: int = 0
    decision_version: int | None = None
    created: Instant
    attempts: int = 0
    first_attempt_ns: int | None = None


class MdnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The MDN of a `message`, posted to its sender at `url` beside the response; `party` is the sender.

    What is posted is the receipt of the message. There is one for a message. `once`: one try, and no more.
    """

    id: str
    message: str
    party: str
    url: str
    state: MdnState
    due_ns: int
    attempts: int = 0
    first_attempt_ns: int | None = None
    once: bool = False


class AttachmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A supporting document that came in `message`, the `position`-th from 1.

    `filename` is what its sender called it (None: nothing), never a name of ours; `digest` is the SHA-256 of
    `body` in hex.
    """

    message: str
    position: int
    filename: str | None
    content_type: str
    digest: str
    body: bytes


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """What an AttachmentRecord is, without what is in it: `octets` is how long it is."""

    message: str
    position: int
    filename: str | None
    content_type: str
    digest: str
    octets: int


class AnswerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What an agency said of a delivery; `response` is the canonical Response as JSON."""

    delivery: str
    lodgement: str
    agency: str
    outcome: str
    response: bytes
    received: Instant


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered version of the consolidated decision; `reasons` is its proof as JSON."""

    lodgement: str
    version: int
    outcome: str
    reasons: bytes
    decided: Instant


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the history. `number` is given by the ledger and grows."""

    kind: EventKind
    at: Instant
    lodgement: str | None = None
    message: str | None = None
    data: dict[str, str] = {}
    number: int = 0


class LodgementUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A lodgement's next state; refused where its version is no longer `expected_version`."""

    id: str
    expected_version: int
    state: LodgementState
    mrn: str | None = None


class DeliveryUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery's next state. `expected`: the states it may be in, else the change is a Conflict."""

    id: str
    expected: tuple[DeliveryState, ...]
    state: DeliveryState
    due_ns: int | None = None
    attempts: int | None = None
    first_attempt_ns: int | None = None


class NotificationUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A notification's next state, with the states it may be in."""

    id: str
    expected: tuple[NotificationState, ...]
    state: NotificationState
    due_ns: int | None = None
    attempts: int | None = None
    first_attempt_ns: int | None = None


class MdnUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """An MDN's next state, with the states it may be in."""

    id: str
    expected: tuple[MdnState, ...]
    state: MdnState
    due_ns: int | None = None
    attempts: int | None = None
    first_attempt_ns: int | None = None
    url: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one step writes: all of it in one transaction, or nothing."""

    message: MessageRecord | None = None
    attachments: tuple[AttachmentRecord, ...] = ()
    mdns: tuple[MdnRecord, ...] = ()
    lodgements: tuple[LodgementRecord, ...] = ()
    deliveries: tuple[DeliveryRecord, ...] = ()
    notifications: tuple[NotificationRecord, ...] = ()
    answers: tuple[AnswerRecord, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()
    events: tuple[EventRecord, ...] = ()
    lodgement_updates: tuple[LodgementUpdate, ...] = ()
    delivery_updates: tuple[DeliveryUpdate, ...] = ()
    notification_updates: tuple[NotificationUpdate, ...] = ()
    mdn_updates: tuple[MdnUpdate, ...] = ()


class Committed(msgspec.Struct, frozen=True):
    """The change is on disk. `numbers` are the notification numbers given, in the order of the change."""

    numbers: tuple[int, ...] = ()


class Duplicate(msgspec.Struct, frozen=True, kw_only=True):
    """A message with this scope and key was accepted before; nothing was written. `lodgements` came in it."""

    message: str
    raw_digest: str
    mic: str | None
    receipt: Receipt
    lodgements: tuple[str, ...] = ()


class ConflictKind(enum.Enum):
    """Why a change was not written."""

    LRN_TAKEN = "lrn-taken"
    INTERCHANGE_TAKEN = "interchange-taken"
    FOLLOW_UP_TAKEN = "follow-up-taken"
    STALE = "stale"


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Another change came first; nothing was written. `existing` is the lodgement that holds the name."""

    kind: ConflictKind
    existing: str | None = None


Result = Committed | Duplicate | Conflict


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """An outgoing message as it is sent, kept so that each try sends the same bytes under the same id."""

    message_id: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    mic: str | None = None


class ClaimedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery to send now, leased to the claimer."""

    delivery: DeliveryRecord
    lodgement: LodgementRecord
    wire: Wire | None


class ClaimedNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification to push now, leased to the claimer."""

    notification: NotificationRecord
    wire: Wire | None


class ClaimedMdn(msgspec.Struct, frozen=True, kw_only=True):
    """An MDN to post now, leased to the claimer, and the receipt that it is."""

    mdn: MdnRecord
    receipt: Receipt


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one lodgement, as status answers give it. `later` amend or cancel it, or the same
    original, and came after it. `attachments` came in the same message; `filename` is what the sender called
    the document."""

    lodgement: LodgementRecord
    deliveries: tuple[DeliveryRecord, ...]
    answers: tuple[AnswerRecord, ...]
    decisions: tuple[DecisionRecord, ...]
    last_notification: int
    later: tuple[LodgementRecord, ...] = ()
    attachments: tuple[Attached, ...] = ()
    filename: str | None = None
