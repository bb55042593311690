"""Values to parameters and rows to values, of what goes out."""

import msgspec

from ...routing.lifecycle import DeliveryState, MdnState, NotificationState
from .columns import Parameters, Row, headers_of, instant_of, json_of, moment
from .values import DeliveryRecord, MdnRecord, NotificationRecord, Wire


def delivery_parameters(delivery: DeliveryRecord) -> Parameters:
    """For insert_delivery."""
    return {
        "id": delivery.id,
        "lodgement": delivery.lodgement,
        "root": delivery.root,
        "agency": delivery.agency,
        "state": delivery.state.value,
        "due_ns": delivery.due_ns,
        "attempts": delivery.attempts,
        "first_attempt_ns": delivery.first_attempt_ns,
    }


def delivery_of(row: Row) -> DeliveryRecord:
    """From every query that gives a delivery."""
    return DeliveryRecord(
        id=row["id"],
        lodgement=row["lodgement"],
        root=row["root"],
        agency=row["agency"],
        state=DeliveryState(row["state"]),
        due_ns=row["due_ns"],
        attempts=row["attempts"],
        first_attempt_ns=row["first_attempt_ns"],
    )


def notification_parameters(notification: NotificationRecord, number: int) -> Parameters:
    """For insert_notification."""
    return {
        "id": notification.id,
        "partner": notification.partner,
        "number": number,
        "lodgement": notification.lodgement,
        "kind": notification.kind,
        "content_type": notification.content_type,
        "state": notification.state.value,
        "due_ns": notification.due_ns,
        "attempts": notification.attempts,
        "first_attempt_ns": notification.first_attempt_ns,
        "decision_version": notification.decision_version,
        "body": notification.body,
        **moment("created", notification.created),
    }


def notification_of(row: Row) -> NotificationRecord:
    """From every query that gives a notification."""
    return NotificationRecord(
        id=row["id"],
        partner=row["partner"],
        lodgement=row["lodgement"],
        kind=row["kind"],
        content_type=row["content_type"],
        body=row["body"],
        state=NotificationState(row["state"]),
        due_ns=row["due_ns"],
        number=row["number"],
        decision_version=row["decision_version"],
        created=instant_of(row, "created"),
        attempts=row["attempts"],
        first_attempt_ns=row["first_attempt_ns"],
    )


def mdn_parameters(mdn: MdnRecord) -> Parameters:
    """For insert_mdn."""
    return {**msgspec.structs.asdict(mdn), "state": mdn.state.value, "once": int(mdn.once)}


def mdn_of(row: Row) -> MdnRecord:
    """From every query that gives an MDN."""
    return MdnRecord(
        id=row["id"],
        message=row["message"],
        party=row["party"],
        url=row["url"],
        state=MdnState(row["state"]),
        due_ns=row["due_ns"],
        attempts=row["attempts"],
        first_attempt_ns=row["first_attempt_ns"],
        once=bool(row["once"]),
    )


def wire_parameters(owner: str, wire: Wire) -> Parameters:
    """For insert_wire."""
    return {
        "owner": owner,
        "message_id": wire.message_id,
        "url": wire.url,
        "headers": json_of(wire.headers),
        "mic": wire.mic,
        "body": wire.body,
    }


def wire_of(row: Row) -> Wire:
    """From find_wire."""
    return Wire(
        message_id=row["message_id"],
        url=row["url"],
        headers=headers_of(row["headers"]),
        mic=row["mic"],
        body=row["body"],
    )
