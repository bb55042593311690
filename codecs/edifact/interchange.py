"""What a read interchange is made of."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from ..finding import EdifactPointer, Finding, is_valid
from .scanner import Segment
from .service import ServiceString

# The message types this gateway reads and writes.
SUPPORTED_TYPES = frozenset({"CUSDEC", "CUSRES", "CONTRL"})


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, UNH to UNT. `segments` includes both; `start` and `end` are octets of the interchange.

    `findings` are those of the message as a container: characters, counts, references, a type not supported.
    What its content breaks is found by `validate` and by the readers of each type. `position` counts from 1.
    """

    reference: str
    type: str
    version: str
    release: str
    agency: str
    association: str = ""
    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...] = ()
    start: int
    end: int
    group: str | None = None
    position: int = 1

    @property
    def identifier(self) -> str:
        """S009 as text: `CUSDEC:D:96B:UN`, with the association's code if there is one."""
        parts = (self.type, self.version, self.release, self.agency, self.association)
        return ":".join(parts).rstrip(":")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A functional group, UNG to UNE."""

    reference: str
    type: str
    sender: str
    recipient: str


class Party(msgspec.Struct, frozen=True):
    """S002 or S003 of UNB: identification, its qualifier, and the reverse routing address."""

    id: str
    qualifier: str = ""
    routing: str = ""


class Interchange(msgspec.Struct, frozen=True, kw_only=True):
    """One interchange. Where the envelope cannot be read, `messages` is empty and `findings` has an error.

    `findings` are those of the envelope; each message has its own. `data` is what was given to the reader,
    and every offset counts in it; `start` and `end` bound this interchange in it. `prepared` is None where
    UNB does not hold a date; it has no time zone, since S004 has none.
    """

    data: bytes
    service: ServiceString = ServiceString()
    syntax: str = ""
    syntax_version: int = 0
    sender: str = ""
    recipient: str = ""
    sender_party: Party = Party("")
    recipient_party: Party = Party("")
    prepared: datetime | None = None
    reference: str = ""
    application: str = ""
    acknowledgement: str = ""
    agreement: str = ""
    test: bool = False
    groups: tuple[Group, ...] = ()
    messages: tuple[Message, ...] = ()
    findings: tuple[Finding, ...] = ()
    start: int = 0
    end: int = 0

    @property
    def acknowledgement_requested(self) -> bool:
        """0031 asks for a CONTRL: 1 acknowledgement, 2 (syntax version 4) receipt only."""
        return self.acknowledgement in {"1", "2"}

    @property
    def valid(self) -> bool:
        """True if neither the envelope nor a message as a container has an error."""
        return is_valid(self.findings) and all(is_valid(message.findings) for message in self.messages)


def place(
    segment: Segment,
    element: int | None = None,
    component: int | None = None,
    *,
    interchange: str | None = None,
    message: str | None = None,
) -> EdifactPointer:
    """The pointer of a segment, or of a part of it."""
    return EdifactPointer(
        segment=segment.number,
        tag=segment.tag,
        element=element,
        component=component,
        offset=segment.offset,
        interchange=interchange,
        message=message,
    )


class Locator(NamedTuple):
    """Makes the pointers of one message."""

    interchange: str
    message: str | None
    position: int | None = None

    @classmethod
    def of(cls, interchange: Interchange, message: Message) -> "Locator":
        """For a message of `interchange`; its position is told where there are several."""
        several = len(interchange.messages) > 1
        return cls(interchange.reference, message.reference, message.position if several else None)

    def __call__(
        self, segment: Segment, element: int | None = None, component: int | None = None
    ) -> EdifactPointer:
        """The pointer of a segment of the message, or of a part of it."""
        pointer = place(segment, element, component, interchange=self.interchange, message=self.message)
        return pointer if self.position is None else replace(pointer, position=self.position)
