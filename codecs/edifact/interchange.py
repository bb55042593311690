"""What a read interchange is made of, and the pointers into it."""

from datetime import datetime

import msgspec

from ..finding import Finding, is_valid
from .scanner import Segment
from .service import ServiceString


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, UNH to UNT. `segments` includes both; `start` and `end` are octets of the interchange.

    `findings` are those of the message as a container: characters, counts, references, a type not supported.
    What its content breaks is found by `validate` and by the readers of each type. `position` counts from 1.
    `tags` are those of the segments; `data` is the message's own octets, which `codec` decodes.
    """

    reference: str
    type: str
    version: str
    release: str
    agency: str
    association: str = ""
    segments: tuple[Segment, ...]
    tags: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    data: bytes
    codec: str = "ascii"
    start: int
    end: int
    group: str | None = None
    position: int = 1

    def find(self, tag: str, qualifier: str | None = None) -> list[Segment]:
        """The segments with this tag, and with this value in their first element if it is given."""
        found = [segment for segment in self.segments if segment.tag == tag]
        return found if qualifier is None else [s for s in found if s.value(1) == qualifier]

    @property
    def identifier(self) -> str:
        """S009 as text: `CUSDEC:D:96B:UN`, with the association's code if there is one."""
        parts = (self.type, self.version, self.release, self.agency, self.association)
        return ":".join(parts).rstrip(":")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A functional group, UNG (`header`) to UNE (`trailer`, None where it is missing)."""

    reference: str
    type: str
    sender: str
    recipient: str
    header: Segment
    trailer: Segment | None = None


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """An object that travels beside the messages, UNO to UNP (ISO 9735-8).

    `data` is the object's octets as they came, `segments` (of security) stand before it; `start` and `end`
    bound the package in the interchange.
    """

    reference: str
    header: Segment
    segments: tuple[Segment, ...] = ()
    data: bytes
    trailer: Segment | None = None
    start: int
    end: int
    group: str | None = None


class Party(msgspec.Struct, frozen=True):
    """S002 or S003 of UNB: identification, its qualifier, and the reverse routing address."""

    id: str
    qualifier: str = ""
    routing: str = ""


class Interchange(msgspec.Struct, frozen=True, kw_only=True):
    """One interchange. Where the envelope cannot be read, `messages` is empty and `findings` has an error.

    `findings` are those of the envelope; each message has its own. `data` is what was given to the reader
    (nothing where it came as a stream), and every offset counts in it; `start` and `end` bound this
    interchange in it. `header` is UNB, `trailer` UNZ. `prepared` is None where
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
    header: Segment | None = None
    trailer: Segment | None = None
    groups: tuple[Group, ...] = ()
    messages: tuple[Message, ...] = ()
    packages: tuple[Package, ...] = ()
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
