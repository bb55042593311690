"""One message with its envelope: what the mappings write."""

from collections.abc import Sequence
from typing import NamedTuple

from .composer import compose
from .envelope import Envelope
from .outgoing import Heading, MessageName, OutMessage
from .pen import CONTROL, OutSegment, segment
from .service import ServiceString

__all__ = ["CONTROL", "Cell", "MessageName", "OutSegment", "segment", "write_interchange"]


class Cell(NamedTuple):
    """A component and the number of characters it takes."""

    element: int
    component: int
    length: int


# Latin text goes out as version 3, which every peer reads; anything else as UTF-8, which needs version 4.
_LATIN = ("UNOC", 3)
_UNICODE = ("UNOW", 4)
_ADVISED = ServiceString(explicit=True)
_ADVISED_4 = ServiceString(repetition="*", explicit=True)


def write_interchange(name: MessageName, body: Sequence[OutSegment], envelope: Envelope) -> bytes:
    """One interchange of one message: UNA, UNB, UNH, `body`, UNT, UNZ.

    Raises ValueError where `body` holds a control character.
    """
    values = [value for out in body for value in out.cells.values()]
    latin = is_latin("".join((*values, envelope.sender, envelope.recipient)))
    level, version = _LATIN if latin else _UNICODE
    heading = Heading(
        sender=(envelope.sender, envelope.sender_qualifier),
        recipient=(envelope.recipient, envelope.recipient_qualifier),
        reference=envelope.reference,
        prepared=envelope.prepared,
        level=level,
        version=version,
        service=_ADVISED if latin else _ADVISED_4,
        acknowledgement="1" if envelope.acknowledgement else "",
        test="1" if envelope.test else "",
    )
    message = OutMessage(reference=envelope.message_reference, name=name, segments=body)
    return compose(heading, [message])


def is_latin(text: str) -> bool:
    """True if UNOC carries `text` and no reader can take its octets for UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode("iso-8859-1").decode("utf-8")
    except UnicodeEncodeError:
        return False
    except UnicodeDecodeError:
        return True
    return False
