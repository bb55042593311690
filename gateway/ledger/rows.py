"""Values to parameters, rows to values. A row is asked for its columns by name."""

from typing import Any, Protocol

import msgspec

from ...routing.instant import Instant
from ...routing.lifecycle import DeliveryState, EventKind, LodgementState, NotificationState
from .values import (
    AnswerRecord,
    DecisionRecord,
    DeliveryRecord,
    Duplicate,
    EventRecord,
    LodgementRecord,
    MessageRecord,
    NotificationRecord,
    Receipt,
    Wire,
)

Parameters = dict[str, Any]
_encoder = msgspec.json.Encoder()
_headers = msgspec.json.Decoder(tuple[tuple[str, str], ...])
_names = msgspec.json.Decoder(tuple[str, ...])
_data = msgspec.json.Decoder(dict[str, str])


class Row(Protocol):
    """A row of any engine."""

    def __getitem__(self, key: str, /) -> Any: ...


def _json(value: object) -> str:
    return _encoder.encode(value).decode("utf-8")


def _instant(row: Row, name: str) -> Instant:
    return Instant(row[f"{name}_utc_ns"], row[f"{name}_monotonic_ns"], row[f"{name}_process"])


def _moment(name: str, at: Instant) -> Parameters:
    return {
        f"{name}_utc_ns": at.utc_ns,
        f"{name}_monotonic_ns": at.monotonic_ns,
        f"{name}_process": at.process,
    }


def message_parameters(message: MessageRecord) -> Parameters:
    """For insert_message."""
    return {
        "id": message.id,
        "channel": message.channel,
        "party": message.party,
        "scope": message.scope,
        "message_key": message.key,
        "accepted": int(message.accepted),
        "raw_digest": message.raw_digest,
        "mic": message.mic,
        "receipt_status": message.receipt.status,
        "receipt_headers": _json(message.receipt.headers),
        "receipt_body": message.receipt.body,
        "headers": _json(message.headers),
        "body": message.body,
        **_moment("received", message.received),
    }


def _receipt(row: Row) -> Receipt:
    return Receipt(
        status=row["receipt_status"],
        headers=_headers.decode(row["receipt_headers"]),
        body=row["receipt_body"],
    )


def message_of(row: Row) -> MessageRecord:
    """From message."""
    return MessageRecord(
        id=row["id"],
        channel=row["channel"],
        party=row["party"],
        scope=row["scope"],
        key=row["message_key"],
        accepted=bool(row["accepted"]),
        raw_digest=row["raw_digest"],
        mic=row["mic"],
        headers=_headers.decode(row["headers"]),
        body=row["body"],
        receipt=_receipt(row),
        received=_instant(row, "received"),
    )


def duplicate_of(row: Row) -> Duplicate:
    """From find_message."""
    return Duplicate(
        message=row["id"],
        raw_digest=row["raw_digest"],
        mic=row["mic"],
        receipt=_receipt(row),
        lodgements=tuple(row["lodgements"].split(",")) if row["lodgements"] else (),
    )


def lodgement_parameters(lodgement: LodgementRecord) -> Parameters:
    """For insert_lodgement and the look-ups of who holds a name."""
    return {
        "id": lodgement.id,
        "message": lodgement.message,
        "position": lodgement.position,
        "partner": lodgement.partner,
        "channel": lodgement.channel,
        "syntax": lodgement.syntax,
        "type": lodgement.type,
        "function": lodgement.function,
        "declarant": lodgement.declarant,
        "lrn": lodgement.lrn,
        "root": lodgement.root,
        "claims_lrn": int(lodgement.claims_lrn),
        "state": lodgement.state.value,
        "test": int(lodgement.test),
        "content_digest": lodgement.content_digest,
        "agencies": _json(lodgement.agencies),
        "sender": lodgement.sender,
        "reference": lodgement.reference,
        "mrn": lodgement.mrn,
        "version": lodgement.version,
        **_moment("received", lodgement.received),
    }


def content_parameters(lodgement: LodgementRecord, seq: int) -> Parameters:
    """For insert_content."""
    return {
        "seq": seq,
        "document": lodgement.document,
        "declaration": lodgement.declaration,
        "findings": lodgement.findings,
    }


def lodgement_of(row: Row) -> LodgementRecord:
    """From every query that gives a lodgement with its content."""
    return LodgementRecord(
        id=row["id"],
        message=row["message"],
        position=row["position"],
        partner=row["partner"],
        channel=row["channel"],
        syntax=row["syntax"],
        type=row["type"],
        function=row["function"],
        declarant=row["declarant"],
        lrn=row["lrn"],
        root=row["root"],
        claims_lrn=bool(row["claims_lrn"]),
        state=LodgementState(row["state"]),
        test=bool(row["test"]),
        content_digest=row["content_digest"],
        document=row["document"],
        declaration=row["declaration"],
        findings=row["findings"],
        agencies=_names.decode(row["agencies"]),
        received=_instant(row, "received"),
        sender=row["sender"],
        reference=row["reference"],
        mrn=row["mrn"],
        version=row["version"],
    )


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
        **_moment("created", notification.created),
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
        created=_instant(row, "created"),
        attempts=row["attempts"],
        first_attempt_ns=row["first_attempt_ns"],
    )


def wire_parameters(owner: str, wire: Wire) -> Parameters:
    """For insert_wire."""
    return {
        "owner": owner,
        "message_id": wire.message_id,
        "url": wire.url,
        "headers": _json(wire.headers),
        "mic": wire.mic,
        "body": wire.body,
    }


def wire_of(row: Row) -> Wire:
    """From find_wire."""
    return Wire(
        message_id=row["message_id"],
        url=row["url"],
        headers=_headers.decode(row["headers"]),
        mic=row["mic"],
        body=row["body"],
    )


def answer_parameters(answer: AnswerRecord) -> Parameters:
    """For insert_answer."""
    return {
        "delivery": answer.delivery,
        "lodgement": answer.lodgement,
        "agency": answer.agency,
        "outcome": answer.outcome,
        "response": answer.response,
        **_moment("received", answer.received),
    }


def answer_of(row: Row) -> AnswerRecord:
    """From answers."""
    return AnswerRecord(
        delivery=row["delivery"],
        lodgement=row["lodgement"],
        agency=row["agency"],
        outcome=row["outcome"],
        response=row["response"],
        received=_instant(row, "received"),
    )


def decision_parameters(decision: DecisionRecord) -> Parameters:
    """For insert_decision."""
    return {
        "lodgement": decision.lodgement,
        "version": decision.version,
        "outcome": decision.outcome,
        "reasons": decision.reasons,
        **_moment("decided", decision.decided),
    }


def decision_of(row: Row) -> DecisionRecord:
    """From decisions."""
    return DecisionRecord(
        lodgement=row["lodgement"],
        version=row["version"],
        outcome=row["outcome"],
        reasons=row["reasons"],
        decided=_instant(row, "decided"),
    )


def event_parameters(event: EventRecord) -> Parameters:
    """For insert_event."""
    return {
        "kind": event.kind.value,
        "lodgement": event.lodgement,
        "message": event.message,
        "data": _json(event.data),
        **_moment("at", event.at),
    }


def event_of(row: Row) -> EventRecord:
    """From events and events_of_lodgement."""
    return EventRecord(
        kind=EventKind(row["kind"]),
        at=_instant(row, "at"),
        lodgement=row["lodgement"],
        message=row["message"],
        data=_data.decode(row["data"]),
        number=row["number"],
    )
