"""Changes put together, and what stands after them."""

import hashlib

import msgspec

from ..codecs.declaration import Response
from ..routing.facts import content_digest
from ..routing.instant import Instant
from ..routing.lifecycle import DELIVERY, DeliveryState, DeliveryTrigger, EventKind
from . import clock
from .answers import told
from .ledger import (
    Change,
    DeliveryRecord,
    DeliveryUpdate,
    EventRecord,
    LodgementUpdate,
    MessageRecord,
    NotificationRecord,
    Receipt,
    Status,
)
from .sender import ANSWERED_STATUS, DELIVERY_HEADER


def counted(status: Status) -> Change:
    """A new version of the lodgement as it stands: an answer that meets this one, each read before the other
    was written, is then decided again, and neither is overlooked."""
    lodgement = status.lodgement
    update = LodgementUpdate(id=lodgement.id, expected_version=lodgement.version, state=lodgement.state)
    return Change(lodgement_updates=(update,))


def tried(delivery: DeliveryRecord, change: Change) -> Change:
    """The receipt of a try at `delivery`, counted, where its response also brings `change`."""
    unsettled = delivery.state in {DeliveryState.PENDING, DeliveryState.SENDING}
    state = DELIVERY.after(delivery.state, DeliveryTrigger.RECEIPT) if unsettled else delivery.state
    if any(update.id == delivery.id for update in change.delivery_updates):
        # The answer itself moves the state; here the try is counted only.
        state = delivery.state
    update = DeliveryUpdate(
        id=delivery.id, expected=(delivery.state,), state=state, attempts=delivery.attempts + 1
    )
    return Change(delivery_updates=(update,))


def kept_answer(
    delivery: DeliveryRecord,
    answer: bytes,
    media_type: str,
    received: Instant,
    kind: EventKind,
    data: dict[str, str],
) -> Change:
    """An answer that cannot be taken, as it came in the response to `delivery`. The event names no lodgement:
    it is not the declaration that was rejected."""
    message = MessageRecord(
        id=clock.new_id("M"),
        channel="https",
        party=delivery.agency,
        scope=f"https\x1f{delivery.agency}",
        key=None,
        accepted=False,
        raw_digest=hashlib.sha256(answer).hexdigest(),
        headers=(("Content-Type", media_type), (DELIVERY_HEADER, delivery.id)),
        body=answer,
        # Nobody is answered here: the answer came with the response, and that is all there is.
        receipt=Receipt(status=ANSWERED_STATUS, headers=(), body=b""),
        received=received,
    )
    named = {"agency": delivery.agency, "delivery": delivery.id, **data}
    return Change(
        message=message, events=(EventRecord(kind=kind, at=received, message=message.id, data=named),)
    )


def noted(note: NotificationRecord | None, kind: str) -> Change:
    """What is told to an agency, if anything is; `kind` as in `told`."""
    if note is None:
        return Change()
    return Change(notifications=(note,), events=(told(note, None, kind),))


def standing_after(status: Status, change: Change) -> Status:
    """`status` as it will be when `change` is written."""
    states = {update.id: update.state for update in change.delivery_updates}
    lodgement = status.lodgement
    for update in change.lodgement_updates:
        lodgement = msgspec.structs.replace(
            lodgement,
            state=update.state,
            mrn=update.mrn or lodgement.mrn,
            version=update.expected_version + 1,
        )
    return msgspec.structs.replace(
        status,
        lodgement=lodgement,
        deliveries=tuple(
            msgspec.structs.replace(one, state=states.get(one.id, one.state)) for one in status.deliveries
        ),
        answers=(*status.answers, *change.answers),
        decisions=(*status.decisions, *change.decisions),
    )


def merged(changes: list[Change]) -> Change:
    """All of `changes` as one, written together or not at all."""
    together: dict[str, tuple[object, ...]] = {}
    for name in Change.__struct_fields__:
        if name != "message":
            together[name] = tuple(entry for change in changes for entry in getattr(change, name))
    message = next((change.message for change in changes if change.message is not None), None)
    return msgspec.structs.replace(Change(message=message), **together)


def said_before(response: Response, status: Status) -> bool:
    """Whether the same words are recorded already. Asked of dated ones only: without a date they may be meant
    anew."""
    digest = content_digest(response)
    earlier = (msgspec.json.decode(record.response, type=Response) for record in status.answers)
    return any(content_digest(one) == digest for one in earlier)
