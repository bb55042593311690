"""What an interchange to be written is made of: its UNB, its functional groups, messages and packages."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from .envelope import MAX_PARTY, MAX_REFERENCE
from .interchange import Interchange, Message, Package, Party
from .pen import Content, Element, OutSegment, spelled, tag_of
from .scanner import Segment
from .service import DEFAULT, FIRST_VERSION_WITH_REPETITION, LEVEL_B, REPERTOIRES, ServiceString, for_version

VERSIONS = range(1, 5)
# 0800 of a package: an..35.
MAX_PACKAGE_REFERENCE = 35
# The longest value of UNB's smaller elements (ISO 9735-1, annex C).
_LONGEST = {"application": 14, "priority": 1, "acknowledgement": 1, "agreement": 35, "test": 1}
# Segments of the envelope: what is in a message is not one of them.
ENVELOPE = frozenset({"UNA", "UNB", "UNZ", "UNG", "UNE", "UNH", "UNT", "UNO", "UNP", "UIB", "UIZ"})
# ISO 9735-1, 5: printable ASCII that is neither letter nor digit nor blank, or an information separator.
_SEPARATOR = re.compile(r"[!-/:-@\[-`{-~\x1c-\x1f]")


class MessageName(NamedTuple):
    """S009 of UNH."""

    type: str
    version: str
    release: str
    agency: str = "UN"
    association: str = ""


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """UNB, and how the interchange is written: everything in it comes from outside.

    A party is its identification, a Party, or the components of S002 or S003. `syntax` holds the components
    of S001 after the version (version 4: 0080, 0133, 0076), `password` those of S005. UNA is written where
    `service` is not what a reader takes for granted, and where its `explicit` is set. Raises ValueError where
    an element is absent or too long, the version or the level is not known, or the service string cannot be
    used.
    """

    sender: str | Party | Sequence[str]
    recipient: str | Party | Sequence[str]
    reference: str
    prepared: datetime
    level: str = "UNOC"
    version: int = 3
    service: ServiceString = DEFAULT
    syntax: Sequence[str] = ()
    password: Sequence[str] = ()
    application: str = ""
    priority: str = ""
    acknowledgement: str = ""
    agreement: str = ""
    test: str = ""

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            raise ValueError(f"no syntax version {self.version}")
        if self.level not in REPERTOIRES:
            raise ValueError(f"no syntax level {self.level}")
        check_reference(self.reference, "reference")
        for name, party in (("sender", self.sender), ("recipient", self.recipient)):
            if not 1 <= len(components(party)[0]) <= MAX_PARTY:
                raise ValueError(f"{name} must have 1 to {MAX_PARTY} characters")
        for name, longest in _LONGEST.items():
            if len(getattr(self, name)) > longest:
                raise ValueError(f"{name} is longer than {longest}")
        _check_service(self.separators, self.version)

    @classmethod
    def of(cls, interchange: Interchange) -> "Heading":
        """UNB of an interchange that was read; raises ValueError where it has none, or no date in it."""
        header = interchange.header
        if header is None or interchange.prepared is None:
            raise ValueError("there is no UNB with a date")
        return cls(
            sender=header.components(2),
            recipient=header.components(3),
            reference=interchange.reference,
            prepared=interchange.prepared,
            level=interchange.syntax,
            version=interchange.syntax_version,
            service=interchange.service,
            syntax=header.components(1)[2:],
            password=header.components(6),
            application=interchange.application,
            priority=header.value(8),
            acknowledgement=interchange.acknowledgement,
            agreement=interchange.agreement,
            test=header.value(11),
        )

    @property
    def separators(self) -> ServiceString:
        """The service string as this version has it: with a repetition separator from 4 on, `*` if none is
        given, and none before."""
        newer = self.version >= FIRST_VERSION_WITH_REPETITION
        repetition = (self.service.repetition or "*") if newer else ""
        return msgspec.structs.replace(self.service, repetition=repetition)

    @property
    def advised(self) -> bool:
        """True if UNA is written."""
        if self.service.explicit:
            return True
        known = [for_version(DEFAULT, self.version)]
        if self.level == "UNOB" and self.version < FIRST_VERSION_WITH_REPETITION:
            known.append(LEVEL_B)
        return self.separators not in known

    def segment(self) -> Content:
        """UNB."""
        return (
            "UNB",
            (self.level, str(self.version), *self.syntax),
            components(self.sender),
            components(self.recipient),
            self.moment(self.prepared),
            self.reference,
            tuple(self.password),
            self.application,
            self.priority,
            self.acknowledgement,
            self.agreement,
            self.test,
        )

    def moment(self, when: datetime) -> tuple[str, str]:
        """S004: eight digits of date from version 4 on, six before."""
        day = "%Y%m%d" if self.version >= FIRST_VERSION_WITH_REPETITION else "%y%m%d"
        return when.strftime(day), when.strftime("%H%M")


class OutMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be written: what is between UNH and UNT, and what UNH says.

    `name` is S009: a MessageName, its components, or `CUSDEC:D:96B:UN`. `more` are the elements of UNH after
    it (0068, S010, and in version 4 S016 to S018). Raises ValueError where the reference or the type is
    absent or too long, or a segment is one of the envelope.
    """

    reference: str
    name: str | Sequence[str]
    segments: Sequence[Content]
    more: Sequence[Element] = ()

    def __post_init__(self) -> None:
        check_reference(self.reference, "message reference")
        if not self.type:
            raise ValueError("the message has no type")
        for tag in {c.tag if c.__class__ is OutSegment else tag_of(c) for c in self.segments}:
            if tag in ENVELOPE:
                raise ValueError(f"{tag} does not stand in a message")

    @property
    def type(self) -> str:
        """0065."""
        return self.components[0] if self.components else ""

    @property
    def components(self) -> Sequence[str]:
        """S009."""
        return self.name.split(":") if isinstance(self.name, str) else self.name

    @classmethod
    def of(cls, message: Message, reference: str | None = None) -> "OutMessage":
        """A message that was read, for another interchange; under a new reference if one is given."""
        header, *segments = message.segments
        if segments and segments[-1].tag == "UNT":
            segments.pop()
        return cls(
            reference=reference or message.reference,
            name=header.components(2),
            segments=segments,
            more=spelled(header)[3:],
        )


class OutGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A functional group to be written: UNG and what is in it.

    `prepared` is S004, that of the interchange if absent. Raises ValueError where the reference is absent or
    too long.
    """

    type: str
    sender: str | Sequence[str]
    recipient: str | Sequence[str]
    reference: str
    contents: Sequence["OutMessage | OutPackage"] = ()
    prepared: datetime | Sequence[str] | None = None
    agency: str = "UN"
    version: str = ""
    release: str = ""
    association: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        check_reference(self.reference, "group reference")

    @classmethod
    def of(cls, header: Segment) -> "OutGroup":
        """The group of a UNG that was read, with nothing in it yet."""
        version, release, association = [*header.components(7), "", "", ""][:3]
        return cls(
            type=header.value(1),
            sender=header.components(2),
            recipient=header.components(3),
            prepared=header.components(4),
            reference=header.value(5),
            agency=header.value(6),
            version=version,
            release=release,
            association=association,
            password=header.value(8),
        )

    def segment(self, heading: Heading) -> Content:
        """UNG."""
        given = self.prepared or heading.prepared
        moment = heading.moment(given) if isinstance(given, datetime) else given
        return (
            "UNG",
            self.type,
            components(self.sender),
            components(self.recipient),
            moment,
            self.reference,
            self.agency,
            (self.version, self.release, self.association),
            self.password,
        )


class OutPackage(msgspec.Struct, frozen=True, kw_only=True):
    """An object to be written between UNO and UNP (syntax version 4; ISO 9735-8).

    `references` is S020, `types` S021: the components of one, or a Repeat of several. `segments`, those of
    security, stand before the object, and `data` goes out as it is. `more` are the components of S022 after
    0814. Raises ValueError where the reference is absent or too long.
    """

    reference: str
    references: Element
    types: Element
    data: bytes
    segments: Sequence[Content] = ()
    more: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_reference(self.reference, "package reference", MAX_PACKAGE_REFERENCE)

    @classmethod
    def of(cls, package: Package) -> "OutPackage":
        """A package that was read, for another interchange."""
        _, _, references, types, *_ = [*spelled(package.header), "", "", ""]
        more = package.header.components(4)[2:]
        return cls(
            reference=package.reference,
            references=references,
            types=types,
            data=package.data,
            segments=package.segments,
            more=more,
        )


def components(party: str | Party | Sequence[str]) -> Sequence[str]:
    """S002, S003, S006 or S007 however it was given."""
    if isinstance(party, Party):
        return (party.id, party.qualifier, party.routing)
    return (party,) if isinstance(party, str) else tuple(party) or ("",)


def check_reference(value: str, name: str, longest: int = MAX_REFERENCE) -> None:
    """Raise ValueError unless `value` has 1 to `longest` characters."""
    if not 1 <= len(value) <= longest:
        raise ValueError(f"{name} must have 1 to {longest} characters")


def _check_service(service: ServiceString, version: int) -> None:
    """Raise ValueError where a reader could not tell the service characters apart.

    In version 4 none of them may be blank (ISO 9735-1:2002, 8.1).
    """
    needed = [service.component, service.element, service.terminator]
    optional = [service.release, service.repetition]
    if version >= FIRST_VERSION_WITH_REPETITION:
        needed, optional = needed + optional, []
    used = needed + [char for char in optional if char]
    if not all(_SEPARATOR.fullmatch(char) for char in used) or len(set(used)) < len(used):
        raise ValueError("the service string does not give distinct service characters")
    if service.decimal not in {".", ","}:
        raise ValueError("the decimal mark is neither . nor ,")
