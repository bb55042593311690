"""What is written, inside a transaction that somebody else begins and commits.

Uniqueness is decided by the unique keys themselves: a row that finds its name taken is not inserted, and
only then is the holder looked up. The caller takes back a change that ends in a Duplicate, a Conflict or an
exception.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from ...routing.lifecycle import DeliveryState, MdnState, NotificationState
from .columns import Row
from .errors import ChangeRefused
from .outgoing_rows import (
    delivery_of,
    delivery_parameters,
    mdn_of,
    mdn_parameters,
    notification_of,
    notification_parameters,
    wire_parameters,
)
from .queries import SQL
from .rows import (
    answer_parameters,
    attachment_parameters,
    content_parameters,
    decision_parameters,
    duplicate_of,
    event_parameters,
    lodgement_parameters,
    message_parameters,
)
from .values import (
    Change,
    Committed,
    Conflict,
    ConflictKind,
    DeliveryRecord,
    DeliveryUpdate,
    Duplicate,
    LodgementRecord,
    LodgementUpdate,
    MdnRecord,
    MdnUpdate,
    MessageRecord,
    NotificationRecord,
    NotificationUpdate,
    Result,
    Wire,
)


class Lease(NamedTuple):
    """How claims are leased: `epoch` is the process that takes them."""

    epoch: int
    now_ns: int
    until_ns: int


def write_change(db: sqlite3.Connection, change: Change) -> Result:
    """Write `change`. Anything but Committed: take back what was written."""
    stopped = _insert_names(db, change) or _update(db, change)
    if stopped is not None:
        return stopped
    for attachment in change.attachments:
        db.execute(SQL["insert_attachment"], attachment_parameters(attachment))
    for mdn in change.mdns:
        db.execute(SQL["insert_mdn"], mdn_parameters(mdn))
    for delivery in change.deliveries:
        db.execute(SQL["insert_delivery"], delivery_parameters(delivery))
    numbers = tuple(_insert_notification(db, notification) for notification in change.notifications)
    for answer in change.answers:
        db.execute(SQL["insert_answer"], answer_parameters(answer))
    for decision in change.decisions:
        if not db.execute(SQL["insert_decision"], decision_parameters(decision)).rowcount:
            return Conflict(kind=ConflictKind.STALE)
    for event in change.events:
        db.execute(SQL["insert_event"], event_parameters(event))
    return Committed(numbers)


def _insert_names(db: sqlite3.Connection, change: Change) -> Result | None:
    """The rows that claim names, first: the message before what was in it."""
    if change.message is not None and (taken := _insert_message(db, change.message)) is not None:
        return taken
    own = frozenset(lodgement.id for lodgement in change.lodgements)
    for lodgement in change.lodgements:
        conflict = _insert_lodgement(db, lodgement, own)
        if conflict is not None:
            return conflict
    return None


def _insert_message(db: sqlite3.Connection, message: MessageRecord) -> Duplicate | None:
    parameters = message_parameters(message)
    if db.execute(SQL["insert_message"], parameters).rowcount:
        return None
    holder = db.execute(SQL["find_message"], parameters).fetchone() if message.accepted else None
    if holder is None:
        raise ChangeRefused(f"there is a message {message.id} already")
    return duplicate_of(holder)


def _insert_lodgement(
    db: sqlite3.Connection, lodgement: LodgementRecord, own: Collection[str]
) -> Conflict | None:
    parameters = lodgement_parameters(lodgement)
    inserted = db.execute(SQL["insert_lodgement"], parameters).fetchone()
    if inserted is None:
        return _taken(db, lodgement, own)
    db.execute(SQL["insert_content"], content_parameters(lodgement, inserted["seq"]))
    return None


def _taken(db: sqlite3.Connection, lodgement: LodgementRecord, own: Collection[str]) -> Conflict:
    """Which name of `lodgement` is taken and by whom; nobody, where the change itself uses it twice."""
    parameters = lodgement_parameters(lodgement)
    for kind, query in (
        (ConflictKind.LRN_TAKEN, "holder_of_lrn" if lodgement.claims_lrn else None),
        (ConflictKind.INTERCHANGE_TAKEN, "holder_of_interchange"),
        (ConflictKind.FOLLOW_UP_TAKEN, "holder_of_follow_up" if lodgement.root != lodgement.id else None),
    ):
        holder = db.execute(SQL[query], parameters).fetchone() if query is not None else None
        if holder is not None:
            return Conflict(kind=kind, existing=None if holder["id"] in own else holder["id"])
    raise ChangeRefused(f"there is a lodgement {lodgement.id} already")


def _insert_notification(db: sqlite3.Connection, notification: NotificationRecord) -> int:
    number: int = db.execute(SQL["next_number"], {"partner": notification.partner}).fetchone()["last_number"]
    db.execute(SQL["insert_notification"], notification_parameters(notification, number))
    return number


def _update(db: sqlite3.Connection, change: Change) -> Conflict | None:
    fresh = chain(
        (_update_lodgement(db, update) for update in change.lodgement_updates),
        (_update_delivery(db, update) for update in change.delivery_updates),
        (_update_notification(db, update) for update in change.notification_updates),
        (_update_mdn(db, update) for update in change.mdn_updates),
    )
    return None if all(fresh) else Conflict(kind=ConflictKind.STALE)


def _update_lodgement(db: sqlite3.Connection, update: LodgementUpdate) -> bool:
    parameters = {
        "id": update.id,
        "expected_version": update.expected_version,
        "state": update.state.value,
        "mrn": update.mrn,
    }
    return db.execute(SQL["update_lodgement"], parameters).rowcount == 1


def _update_delivery(db: sqlite3.Connection, update: DeliveryUpdate) -> bool:
    row = db.execute(SQL["find_delivery"], {"id": update.id}).fetchone()
    if row is None or DeliveryState(row["state"]) not in update.expected:
        return False
    if not db.execute(SQL["update_delivery"], _state_parameters(update, row)).rowcount:
        return False
    if row["state"] != update.state.value:
        db.execute(SQL["settle_delivery_lane"], {"root": row["root"], "agency": row["agency"]})
    return True


def _update_notification(db: sqlite3.Connection, update: NotificationUpdate) -> bool:
    row = db.execute(SQL["find_notification"], {"id": update.id}).fetchone()
    if row is None or NotificationState(row["state"]) not in update.expected:
        return False
    if not db.execute(SQL["update_notification"], _state_parameters(update, row)).rowcount:
        return False
    if row["state"] != update.state.value:
        db.execute(SQL["settle_notification_lane"], {"partner": row["partner"]})
    return True


def _update_mdn(db: sqlite3.Connection, update: MdnUpdate) -> bool:
    row = db.execute(SQL["find_mdn"], {"reference": update.id}).fetchone()
    if row is None or MdnState(row["state"]) not in update.expected:
        return False
    parameters = {**_state_parameters(update, row), "url": update.url}
    return db.execute(SQL["update_mdn"], parameters).rowcount == 1


def _state_parameters(
    update: DeliveryUpdate | NotificationUpdate | MdnUpdate, row: Row
) -> dict[str, str | int | None]:
    return {
        "id": update.id,
        "was": row["state"],
        "state": update.state.value,
        "due_ns": update.due_ns,
        "attempts": update.attempts,
        "first_attempt_ns": update.first_attempt_ns,
    }


def write_wires(db: sqlite3.Connection, wires: Iterable[tuple[str, Wire]]) -> None:
    """Keep each outgoing message; the newest of an owner counts."""
    for owner, wire in wires:
        db.execute(SQL["insert_wire"], wire_parameters(owner, wire))


def lease_deliveries(
    db: sqlite3.Connection, lease: Lease, limit: int, skip: Collection[str], room: Mapping[str, int]
) -> list[DeliveryRecord]:
    """Lease up to `limit` deliveries, to an agency in `room` no more than it says: first what a dead worker
    left, then each agency in turn.

    In turn, and not by the time they became due, so that the backlog of one agency does not hold up the
    others.
    """
    now = {"now_ns": lease.now_ns, "epoch": lease.epoch}
    left = {agency: min(count, limit) for agency, count in room.items()}
    lapsed: list[Row] = []
    for row in db.execute(SQL["lapsed_deliveries"], now):
        agency = row["agency"]
        if agency not in skip and left.get(agency, limit) > 0 and len(lapsed) < limit:
            left[agency] = left.get(agency, limit) - 1
            lapsed.append(row)
    lanes: list[Sequence[Row]] = []
    if len(lapsed) < limit:
        for agency in waiting_agencies(db):
            if agency not in skip:
                due = {"agency": agency, "now_ns": lease.now_ns, "limit": left.get(agency, limit)}
                lanes.append(db.execute(SQL["due_deliveries"], due).fetchall())
    turns = [row for turn in zip_longest(*lanes) for row in turn if row is not None]
    chosen = [*lapsed, *turns][:limit]
    return [delivery_of(row) for row in _leased(db, "lease_delivery", lease, chosen)]


def waiting_agencies(db: sqlite3.Connection) -> list[str]:
    """The agencies with a backlog, one probe of the index each however long it is."""
    return _waiting(db, "next_agency", "agency")


def waiting_parties(db: sqlite3.Connection) -> list[str]:
    """The parties with an MDN to come, likewise."""
    return _waiting(db, "next_mdn_party", "party")


def _waiting(db: sqlite3.Connection, query: str, column: str) -> list[str]:
    names: list[str] = []
    row = db.execute(SQL[query], {column: ""}).fetchone()
    while row is not None:
        names.append(row[column])
        row = db.execute(SQL[query], {column: row[column]}).fetchone()
    return names


def lease_notifications(db: sqlite3.Connection, lease: Lease, limit: int) -> list[NotificationRecord]:
    """Lease up to `limit` notifications, at most one of each partner: there is one head in each log."""
    now = {"now_ns": lease.now_ns, "epoch": lease.epoch}
    lapsed = db.execute(SQL["lapsed_notifications"], now).fetchall()[:limit]
    due = db.execute(
        SQL["due_notifications"], {"now_ns": lease.now_ns, "limit": limit - len(lapsed)}
    ).fetchall()
    return [notification_of(row) for row in _leased(db, "lease_notification", lease, [*lapsed, *due])]


def lease_mdns(
    db: sqlite3.Connection,
    lease: Lease,
    limit: int,
    skip: Collection[str] = (),
    held: Collection[str] = frozenset(),
) -> list[MdnRecord]:
    """Lease up to `limit` MDNs, none of a party in `skip` or of a message in `held`: first what a dead worker
    left, then each party in turn, so that one whose address does not answer does not hold up the others."""
    now = {"now_ns": lease.now_ns, "epoch": lease.epoch}
    lapsed = [row for row in db.execute(SQL["lapsed_mdns"], now) if row["party"] not in skip]
    lanes = [
        due_mdns(db, party, lease.now_ns, limit, held) for party in waiting_parties(db) if party not in skip
    ]
    turns = [row for turn in zip_longest(*lanes) for row in turn if row is not None]
    return [mdn_of(row) for row in _leased(db, "lease_mdn", lease, [*lapsed, *turns][:limit])]


def due_mdns(db: sqlite3.Connection, party: str, now_ns: int, limit: int, held: Collection[str]) -> list[Row]:
    """Up to `limit` MDNs that should be posted to `party`, none of a message in `held`."""
    asked = {"party": party, "now_ns": now_ns, "limit": limit + len(held)}
    return [row for row in db.execute(SQL["due_mdns"], asked) if row["message"] not in held][:limit]


def rebase(db: sqlite3.Connection, *, now_ns: int, latest_ns: int, until_ns: int, ahead_ns: int) -> None:
    """See Ledger.rebase."""
    times = {"now_ns": now_ns, "latest_ns": latest_ns, "until_ns": until_ns, "ahead_ns": ahead_ns}
    db.execute(SQL["rebase_deliveries"], times)
    db.execute(SQL["rebase_notifications"], times)
    db.execute(SQL["rebase_mdns"], times)


def _leased(db: sqlite3.Connection, query: str, lease: Lease, rows: Iterable[Row]) -> list[Row]:
    terms = {"epoch": lease.epoch, "until_ns": lease.until_ns}
    return [db.execute(SQL[query], {**terms, "seq": row["seq"]}).fetchall()[0] for row in rows]
