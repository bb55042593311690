"""What an agency sends beside answers. Its CONTRL: an acknowledgement is kept, a rejection needs a person."""

from ..codecs import edifact
from ..codecs.document import Document, Reading
from ..codecs.finding import Finding, is_valid
from ..routing.instant import Instant
from ..routing.lifecycle import DELIVERY, DeliveryTrigger, EventKind
from .ledger import Change, DeliveryRecord, DeliveryUpdate, EventRecord

# Of a reference or a code that a peer wrote: enough to know it again.
SHOWN = 35
ALARM = "contrl-rejection"


def control_of(reading: Reading, document: Document) -> edifact.Control | None:
    """The CONTRL that `document` of `reading` is; None where it has no UCI to read."""
    assert reading.interchange is not None, "a CONTRL comes in an interchange"
    return edifact.read_contrl(reading.interchange, reading.interchange.messages[document.position - 1])


def controlled(control: edifact.Control, delivery: DeliveryRecord, at: Instant) -> Change:
    """What to write for a CONTRL about `delivery`.

    A rejection makes a dead letter of what still waits for its answer; what has been answered or closed
    stands. An acknowledgement moves nothing: the receipt of the channel does.
    """
    data = {"agency": delivery.agency, "delivery": delivery.id, "contrl": control.action[:SHOWN]}
    if not control.rejected:
        return _event(EventKind.CONTROLLED, delivery.lodgement, data, at)
    codes = (control.code, *(message.code for message in control.messages))
    code = next(filter(None, codes), "")[:SHOWN]
    data |= {"reason": f"CONTRL rejection {code}".rstrip(), "alarm": ALARM}
    if delivery.state not in DELIVERY.sources(DeliveryTrigger.REFUSE):
        return _event(EventKind.ALARM, delivery.lodgement, data, at)
    update = DeliveryUpdate(
        id=delivery.id,
        expected=(delivery.state,),
        state=DELIVERY.after(delivery.state, DeliveryTrigger.REFUSE),
    )
    return Change(
        delivery_updates=(update,),
        events=_event(EventKind.DEAD_LETTERED, delivery.lodgement, data, at).events,
    )


def uncontrolled(control: edifact.Control, agency: str, at: Instant) -> Change:
    """What to write for a CONTRL that names no delivery to `agency`: it may be about an answer of ours."""
    data = {"agency": agency, "reference": control.reference[:SHOWN], "contrl": control.action[:SHOWN]}
    if not control.rejected:
        return _event(EventKind.CONTROLLED, None, data, at)
    return _event(EventKind.ALARM, None, data | {"alarm": ALARM}, at)


def _event(kind: EventKind, lodgement: str | None, data: dict[str, str], at: Instant) -> Change:
    return Change(events=(EventRecord(kind=kind, at=at, lodgement=lodgement, data=data),))


def not_an_answer(document: Document) -> tuple[Finding, ...]:
    """The findings of `document`, or the one that it is neither an answer nor a CONTRL."""
    if not is_valid(document.findings):
        return document.findings
    return (
        Finding(code="not-an-answer", text=f"{document.name} is not an answer: RES or CUSRES is expected"),
    )
