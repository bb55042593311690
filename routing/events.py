"""Every kind of event: what the history tells of a lodgement, a delivery, a notification and a message.

The values are stored; they never change.
"""

import enum
from collections.abc import Mapping


class EventKind(enum.Enum):
    """A row of the history. TIMESTAMPS says which point of the service level each one marks."""

    FIRST_BYTE = "first_byte"
    RECEIVED = "received"
    DURABLE = "durable"
    ATTACHED = "attached"  # a supporting document came with it
    RECEIPT_SENT = "receipt_sent"
    VALIDATED = "validated"
    REJECTED = "rejected"
    ROUTED = "routed"
    WITHHELD = "withheld"
    DELIVERY_STARTED = "delivery_started"
    DELIVERY_TRANSFERRED = "delivery_transferred"  # the asynchronous MDN is awaited
    DELIVERY_RECEIPTED = "delivery_receipted"
    DELIVERY_MISMATCHED = "delivery_mismatched"
    DELIVERY_FAILED = "delivery_failed"
    CONTROLLED = "controlled"  # the agency says that what it got is right, or that it came: CONTRL, APERAK
    ANSWERED = "answered"
    DECIDED = "decided"
    NOTIFIED = "notified"  # durable in the trader's log; `push` = "1" in its data when it is also sent
    NOTIFICATION_STARTED = "notification_started"
    NOTIFICATION_TRANSFERRED = "notification_transferred"
    NOTIFICATION_FAILED = "notification_failed"
    NOTIFICATION_MISMATCHED = "notification_mismatched"
    NOTIFICATION_DELIVERED = "notification_delivered"
    NOTIFICATION_PULLED = "notification_pulled"
    ACKNOWLEDGED = "acknowledged"  # the trader says so of what it was told
    MDN_STARTED = "mdn_started"  # an asynchronous MDN is posted
    MDN_DELIVERED = "mdn_delivered"
    MDN_FAILED = "mdn_failed"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"  # not taken: authentication, integrity, size; or it speaks of nothing sent
    QUARANTINED = "quarantined"
    DEAD_LETTERED = "dead_lettered"
    ALARM = "alarm"  # a person must look; `alarm` in its data says why
    REQUEUED = "requeued"
    CLOSED = "closed"


# The points of the service level, and the event whose time each one is. Those of an agency carry `agency` in
# their data. An answer of a trader's log that is pushed reaches t9 with NOTIFICATION_STARTED.
TIMESTAMPS: Mapping[str, EventKind] = {
    "t0": EventKind.FIRST_BYTE,
    "t1": EventKind.RECEIVED,
    "t2": EventKind.DURABLE,
    "t3": EventKind.RECEIPT_SENT,
    "t4": EventKind.VALIDATED,
    "t5": EventKind.DELIVERY_STARTED,
    "t6": EventKind.DELIVERY_RECEIPTED,
    "t7": EventKind.ANSWERED,
    "t8": EventKind.DECIDED,
    "t9": EventKind.NOTIFIED,
    "t10": EventKind.NOTIFICATION_DELIVERED,
    "t11": EventKind.ACKNOWLEDGED,
}
