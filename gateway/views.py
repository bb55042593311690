"""What the API shows: JSON of findings, of a lodgement's standing, of the log."""

import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from ..codecs.finding import Finding
from ..routing.lifecycle import DeliveryState
from . import clock
from .attachments import attachment_view
from .finding_view import finding_view
from .http import Response
from .ledger import DecisionRecord, EventRecord, LodgementRecord, NotificationRecord, Status

_STUCK = frozenset({DeliveryState.DEAD, DeliveryState.MISMATCHED})
PROBLEM = "application/problem+json"


def json_response(status: int, value: object, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """`value` as JSON."""
    body = msgspec.json.encode(value)
    return Response(status=status, headers=(("Content-Type", "application/json"), *headers), body=body)


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    findings: Sequence[Finding] = (),
    headers: tuple[tuple[str, str], ...] = (),
    **more: object,
) -> Response:
    """An RFC 9457 problem; `findings` stand in a member of that name."""
    value = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    if findings:
        value["findings"] = [finding_view(finding) for finding in findings]
    return Response(
        status=status, headers=(("Content-Type", PROBLEM), *headers), body=msgspec.json.encode(value)
    )


def findings_of(lodgement: LodgementRecord) -> tuple[Finding, ...]:
    """The findings kept with a lodgement."""
    return msgspec.json.decode(lodgement.findings, type=tuple[Finding, ...])


def summary_view(lodgement: LodgementRecord) -> dict[str, Any]:
    """A lodgement in one row."""
    return {
        "id": lodgement.id,
        "state": lodgement.state.value,
        "type": lodgement.type,
        "function": lodgement.function,
        "declarant": lodgement.declarant,
        "lrn": lodgement.lrn,
        "mrn": lodgement.mrn,
        "channel": lodgement.channel,
        "syntax": lodgement.syntax,
        "test": lodgement.test,
        "received": clock.iso(lodgement.received),
    }


def status_view(status: Status) -> dict[str, Any]:
    """Everything about a lodgement: each agency's leg, who is waited for, every decision."""
    lodgement = status.lodgement
    answers = {
        delivery.id: [
            {"outcome": answer.outcome, "received": clock.iso(answer.received)}
            for answer in status.answers
            if answer.delivery == delivery.id
        ]
        for delivery in status.deliveries
    }
    legs = [
        {
            "agency": delivery.agency,
            "delivery": delivery.id,
            "state": delivery.state.value,
            "attempts": delivery.attempts,
            "answers": answers[delivery.id],
        }
        for delivery in status.deliveries
    ]
    return {
        **summary_view(lodgement),
        "amends": lodgement.root if lodgement.root != lodgement.id else None,
        "later": [
            {"id": later.id, "function": later.function, "state": later.state.value} for later in status.later
        ],
        "filename": status.filename,
        "attachments": [attachment_view(one) for one in status.attachments],
        "findings": [finding_view(finding) for finding in findings_of(lodgement)],
        "agencies": legs,
        "waiting-for": [
            d.agency for d in status.deliveries if d.state.value in {"pending", "sending", "awaiting", "sent"}
        ],
        # Nothing more comes of these until a person requeues or closes them.
        "stuck": [d.agency for d in status.deliveries if d.state in _STUCK],
        "decisions": [decision_view(decision) for decision in status.decisions],
        "decision": decision_view(status.decisions[-1]) if status.decisions else None,
        "last-notification": status.last_notification,
    }


def decision_view(decision: DecisionRecord) -> dict[str, Any]:
    """One version of the decision, with its proof."""
    return {
        "version": decision.version,
        "outcome": decision.outcome,
        "decided": clock.iso(decision.decided),
        "reasons": msgspec.json.decode(decision.reasons).get("reasons", []),
    }


def notification_view(note: NotificationRecord) -> dict[str, Any]:
    """One entry of the log; the document in base64, as it was or would be sent."""
    return {
        "number": note.number,
        "id": note.id,
        "declaration": note.lodgement,
        "kind": note.kind,
        "decision-version": note.decision_version,
        "created": clock.iso(note.created),
        "content-type": note.content_type,
        "document": base64.b64encode(note.body).decode(),
    }


def event_view(event: EventRecord) -> dict[str, Any]:
    """One row of the history."""
    return {
        "number": event.number,
        "event": event.kind.value,
        "at": clock.iso(event.at),
        "declaration": event.lodgement,
        "message": event.message,
        **event.data,
    }
