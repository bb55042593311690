"""What is asked of the ledger, on a connection that only reads."""

import sqlite3
from collections.abc import Collection, Iterable

from ...routing.lifecycle import DeliveryState, MdnState, NotificationState
from .outgoing_rows import (
    delivery_of,
    mdn_of,
    notification_of,
    wire_of,
)
from .queries import SQL
from .rows import (
    answer_of,
    attached_of,
    attachment_of,
    decision_of,
    duplicate_of,
    event_of,
    filename_of,
    lodgement_of,
    message_of,
    receipt_of,
)
from .values import (
    AttachmentRecord,
    ClaimedDelivery,
    ClaimedMdn,
    ClaimedNotification,
    DeliveryRecord,
    Duplicate,
    EventRecord,
    LodgementRecord,
    MdnRecord,
    MessageRecord,
    NotificationRecord,
    Status,
    Wire,
)
from .writes import due_mdns, waiting_agencies, waiting_parties

# How a reference is understood: by the narrowest kind of name first.
_BY_REFERENCE = ("find_lodgement", "find_by_delivery", "find_by_mrn", "find_by_lrn")


def find_message(db: sqlite3.Connection, scope: str, key: str) -> Duplicate | None:
    """The accepted message of this name."""
    row = db.execute(SQL["find_message"], {"scope": scope, "message_key": key}).fetchone()
    return None if row is None else duplicate_of(row)


def message(db: sqlite3.Connection, reference: str) -> MessageRecord | None:
    """The message with this id."""
    row = db.execute(SQL["message"], {"id": reference}).fetchone()
    return None if row is None else message_of(row)


def find_original(db: sqlite3.Connection, declarant: str, lrn: str, partner: str) -> LodgementRecord | None:
    """The accepted original of this name."""
    named = {"declarant": declarant, "lrn": lrn, "partner": partner}
    row = db.execute(SQL["find_original"], named).fetchone()
    return None if row is None else lodgement_of(row)


def find_follow_up(db: sqlite3.Connection, root: str, content_digest: str) -> LodgementRecord | None:
    """The accepted one of this content."""
    asked = {"root": root, "content_digest": content_digest}
    row = db.execute(SQL["find_follow_up"], asked).fetchone()
    return None if row is None else lodgement_of(row)


def find_interchange(
    db: sqlite3.Connection, partner: str, sender: str, reference: str
) -> list[LodgementRecord]:
    """What was accepted of it, in the order of its messages."""
    asked = {"partner": partner, "sender": sender, "reference": reference}
    return [lodgement_of(row) for row in db.execute(SQL["find_interchange"], asked)]


def find_by_mrn(db: sqlite3.Connection, mrn: str, partner: str | None) -> LodgementRecord | None:
    """The accepted original under this MRN."""
    return _lodgement(db, "find_by_mrn", mrn, partner)


def _lodgement(
    db: sqlite3.Connection, query: str, reference: str, partner: str | None
) -> LodgementRecord | None:
    row = db.execute(SQL[query], {"reference": reference, "partner": partner}).fetchone()
    return None if row is None else lodgement_of(row)


def find_delivery(db: sqlite3.Connection, delivery: str) -> DeliveryRecord | None:
    """The delivery with this reference."""
    row = db.execute(SQL["find_delivery"], {"id": delivery}).fetchone()
    return None if row is None else delivery_of(row)


def with_lodgements(db: sqlite3.Connection, deliveries: Iterable[DeliveryRecord]) -> list[ClaimedDelivery]:
    """Each delivery with what it needs to be sent."""
    claimed: list[ClaimedDelivery] = []
    for delivery in deliveries:
        lodgement = _lodgement(db, "find_lodgement", delivery.lodgement, None)
        assert lodgement is not None, "a delivery refers to its lodgement"
        claimed.append(
            ClaimedDelivery(delivery=delivery, lodgement=lodgement, wire=find_wire(db, delivery.id))
        )
    return claimed


def with_wires(
    db: sqlite3.Connection, notifications: Iterable[NotificationRecord]
) -> list[ClaimedNotification]:
    """Each notification with the message it was sent in before."""
    return [
        ClaimedNotification(notification=notification, wire=find_wire(db, notification.id))
        for notification in notifications
    ]


def with_receipts(db: sqlite3.Connection, mdns: Iterable[MdnRecord]) -> list[ClaimedMdn]:
    """Each MDN with the receipt that it is."""
    return [
        ClaimedMdn(mdn=mdn, receipt=receipt_of(db.execute(SQL["receipt"], {"id": mdn.message}).fetchone()))
        for mdn in mdns
    ]


def find_wire(db: sqlite3.Connection, owner: str) -> Wire | None:
    """The newest message of this owner."""
    row = db.execute(SQL["find_wire"], {"owner": owner}).fetchone()
    return None if row is None else wire_of(row)


def find_notification(db: sqlite3.Connection, notification: str) -> NotificationRecord | None:
    """The entry with this id."""
    row = db.execute(SQL["find_notification"], {"id": notification}).fetchone()
    return None if row is None else notification_of(row)


def find_mdn(db: sqlite3.Connection, reference: str) -> MdnRecord | None:
    """The MDN with this id, or of this message."""
    row = db.execute(SQL["find_mdn"], {"reference": reference}).fetchone()
    return None if row is None else mdn_of(row)


def mdns(db: sqlite3.Connection, state: MdnState, limit: int) -> list[MdnRecord]:
    """Those in one state, the oldest first."""
    return [mdn_of(row) for row in db.execute(SQL["mdns_in_state"], {"state": state.value, "limit": limit})]


def attachments(db: sqlite3.Connection, message: str) -> list[AttachmentRecord]:
    """What came in this message, in order."""
    return [attachment_of(row) for row in db.execute(SQL["attachments"], {"message": message})]


def status(db: sqlite3.Connection, reference: str, partner: str | None) -> Status | None:
    """Everything about one lodgement, as of one moment."""
    db.execute(SQL["begin_reading"])
    try:
        for query in _BY_REFERENCE:
            lodgement = _lodgement(db, query, reference, partner)
            if lodgement is not None:
                return _status(db, lodgement)
        return None
    finally:
        db.execute(SQL["commit"])


def _status(db: sqlite3.Connection, lodgement: LodgementRecord) -> Status:
    named = {"lodgement": lodgement.id}
    received = db.execute(SQL["received"], named).fetchone()
    return Status(
        lodgement=lodgement,
        deliveries=tuple(delivery_of(row) for row in db.execute(SQL["deliveries_of_lodgement"], named)),
        answers=tuple(answer_of(row) for row in db.execute(SQL["answers"], named)),
        decisions=tuple(decision_of(row) for row in db.execute(SQL["decisions"], named)),
        last_notification=db.execute(SQL["last_notification"], named).fetchone()["number"] or 0,
        later=tuple(lodgement_of(row) for row in db.execute(SQL["later"], {**named, "root": lodgement.root})),
        attachments=tuple(
            attached_of(row) for row in db.execute(SQL["attached"], {"message": lodgement.message})
        ),
        filename=None if received is None else filename_of(received),
    )


def lodgements(db: sqlite3.Connection, limit: int, partner: str | None) -> list[LodgementRecord]:
    """The newest first."""
    query = "lodgements" if partner is None else "lodgements_of_partner"
    return [lodgement_of(row) for row in db.execute(SQL[query], {"limit": limit, "partner": partner})]


def notifications(db: sqlite3.Connection, partner: str, after: int, limit: int) -> list[NotificationRecord]:
    """In the order of their numbers."""
    asked = {"partner": partner, "after": after, "limit": limit}
    return [notification_of(row) for row in db.execute(SQL["notifications"], asked)]


def notifications_in_state(
    db: sqlite3.Connection, state: NotificationState, limit: int
) -> list[NotificationRecord]:
    """Those that wait for a person, the oldest first."""
    asked = {"state": state.value, "limit": limit}
    return [notification_of(row) for row in db.execute(SQL["notifications_in_state"], asked)]


def events(
    db: sqlite3.Connection, lodgement: str | None, message: str | None, after: int, limit: int
) -> list[EventRecord]:
    """In the order of the history."""
    query = "events_of_lodgement" if lodgement is not None else "events_of_message"
    if lodgement is message is None:
        query = "events"
    asked = {"lodgement": lodgement, "message": message, "after": after, "limit": limit}
    return [event_of(row) for row in db.execute(SQL[query], asked)]


def deliveries(db: sqlite3.Connection, state: DeliveryState, limit: int) -> list[DeliveryRecord]:
    """Those in one state, the oldest of each agency first."""
    asked = {"state": state.value, "limit": limit}
    return [delivery_of(row) for row in db.execute(SQL["deliveries_in_state"], asked)]


def due(
    db: sqlite3.Connection,
    now_ns: int,
    epoch: int,
    skip: Collection[str],
    skip_mdns: Collection[str],
    held: Collection[str],
) -> tuple[bool, bool, bool]:
    """Whether a delivery is to be claimed, a notification, an MDN: a few probes of an index each."""
    now = {"now_ns": now_ns, "epoch": epoch, "limit": 1}
    delivery = any(row["agency"] not in skip for row in db.execute(SQL["lapsed_deliveries"], now)) or any(
        db.execute(SQL["due_deliveries"], {**now, "agency": agency}).fetchone() is not None
        for agency in waiting_agencies(db)
        if agency not in skip
    )
    notification = any(
        db.execute(SQL[query], now).fetchone() is not None
        for query in ("due_notifications", "lapsed_notifications")
    )
    mdn = any(row["party"] not in skip_mdns for row in db.execute(SQL["lapsed_mdns"], now)) or any(
        due_mdns(db, party, now_ns, 1, held) for party in waiting_parties(db) if party not in skip_mdns
    )
    return delivery, notification, mdn


def waiting(db: sqlite3.Connection) -> int:
    """How many deliveries, notifications and MDNs have still to be sent."""
    count: int = db.execute(SQL["waiting"]).fetchone()["waiting"]
    return count


def delivery_counts(db: sqlite3.Connection) -> list[tuple[str, DeliveryState, int]]:
    """By agency and state."""
    rows = db.execute(SQL["delivery_counts"])
    return [(row["agency"], DeliveryState(row["state"]), row["deliveries"]) for row in rows]
