"""Values to parameters and rows to values, of what comes in and of what is said of it."""

import msgspec

from ...routing.lifecycle import EventKind, LodgementState
from .columns import Parameters, Row, headers_of, instant_of, json_of, moment
from .values import (
    AnswerRecord,
    Attached,
    AttachmentRecord,
    DecisionRecord,
    Duplicate,
    EventRecord,
    LodgementRecord,
    MessageRecord,
    Receipt,
)

_names = msgspec.json.Decoder(tuple[str, ...])
_data = msgspec.json.Decoder(dict[str, str])


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
        "receipt_headers": json_of(message.receipt.headers),
        "receipt_body": message.receipt.body,
        "headers": json_of(message.headers),
        "body": message.body,
        **moment("received", message.received),
    }


def receipt_of(row: Row) -> Receipt:
    """From receipt, and from every query that gives a message."""
    return Receipt(
        status=row["receipt_status"],
        headers=headers_of(row["receipt_headers"]),
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
        headers=headers_of(row["headers"]),
        body=row["body"],
        receipt=receipt_of(row),
        received=instant_of(row, "received"),
    )


def duplicate_of(row: Row) -> Duplicate:
    """From find_message."""
    return Duplicate(
        message=row["id"],
        raw_digest=row["raw_digest"],
        mic=row["mic"],
        receipt=receipt_of(row),
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
        "agencies": json_of(lodgement.agencies),
        "sender": lodgement.sender,
        "reference": lodgement.reference,
        "mrn": lodgement.mrn,
        "version": lodgement.version,
        **moment("received", lodgement.received),
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
        received=instant_of(row, "received"),
        sender=row["sender"],
        reference=row["reference"],
        mrn=row["mrn"],
        version=row["version"],
    )


def attachment_parameters(attachment: AttachmentRecord) -> Parameters:
    """For insert_attachment."""
    return msgspec.structs.asdict(attachment)


def attachment_of(row: Row) -> AttachmentRecord:
    """From attachments."""
    return AttachmentRecord(**{name: row[name] for name in AttachmentRecord.__struct_fields__})


def attached_of(row: Row) -> Attached:
    """From attached."""
    return Attached(**{name: row[name] for name in Attached.__struct_fields__})


def answer_parameters(answer: AnswerRecord) -> Parameters:
    """For insert_answer."""
    return {
        "delivery": answer.delivery,
        "lodgement": answer.lodgement,
        "agency": answer.agency,
        "outcome": answer.outcome,
        "response": answer.response,
        **moment("received", answer.received),
    }


def answer_of(row: Row) -> AnswerRecord:
    """From answers."""
    return AnswerRecord(
        delivery=row["delivery"],
        lodgement=row["lodgement"],
        agency=row["agency"],
        outcome=row["outcome"],
        response=row["response"],
        received=instant_of(row, "received"),
    )


def decision_parameters(decision: DecisionRecord) -> Parameters:
    """For insert_decision."""
    return {
        "lodgement": decision.lodgement,
        "version": decision.version,
        "outcome": decision.outcome,
        "reasons": decision.reasons,
        **moment("decided", decision.decided),
    }


def decision_of(row: Row) -> DecisionRecord:
    """From decisions."""
    return DecisionRecord(
        lodgement=row["lodgement"],
        version=row["version"],
        outcome=row["outcome"],
        reasons=row["reasons"],
        decided=instant_of(row, "decided"),
    )


def event_parameters(event: EventRecord) -> Parameters:
    """For insert_event."""
    return {
        "kind": event.kind.value,
        "lodgement": event.lodgement,
        "message": event.message,
        "data": json_of(event.data),
        **moment("at", event.at),
    }


def filename_of(row: Row) -> str | None:
    """From received: what its sender called the document."""
    return _data.decode(row["data"]).get("filename")


def event_of(row: Row) -> EventRecord:
    """From events and events_of_lodgement."""
    return EventRecord(
        kind=EventKind(row["kind"]),
        at=instant_of(row, "at"),
        lodgement=row["lodgement"],
        message=row["message"],
        data=_data.decode(row["data"]),
        number=row["number"],
    )
