"""Any document, either syntax, one shape: what came in, what it says, and what is wrong with it."""

import enum
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from .declaration import Declaration, Response
from .finding import MAX_FINDINGS, Finding, Severity, is_valid

if TYPE_CHECKING:
    # At run time each codec is imported with the first document that needs it: a command on one file should
    # not wait for both.
    from . import edifact, wco

# Messages of one interchange: each becomes a lodgement, with rows, deliveries and an answer of its own.
MAX_MESSAGES = 1_000
# Findings of one payload: beyond them a message that is not valid keeps the first error it has.
MAX_FINDINGS_IN_ALL = 10 * MAX_FINDINGS

EDIFACT_MEDIA_TYPE = "application/edifact"
XML_MEDIA_TYPE = "application/xml"


class Syntax(enum.Enum):
    """The two syntaxes of the data model."""

    EDIFACT = "edifact"
    XML = "xml"

    @property
    def media_type(self) -> str:
        """The media type a document of this syntax is sent as."""
        return EDIFACT_MEDIA_TYPE if self is Syntax.EDIFACT else XML_MEDIA_TYPE


class Kind(enum.Enum):
    """What a document is."""

    DECLARATION = "declaration"
    RESPONSE = "response"
    CONTROL = "control"
    REPORT = "report"
    # A message that is held against its directory, and is none of the above.
    OTHER = "other"
    UNKNOWN = "unknown"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One message of what was received, read as far as it could be.

    `name` is the message type in its own syntax (`CUSDEC:D:96B:UN`, `Declaration`); `data` its own bytes;
    `declaration` is None where it could not be read at all. `control` is what a CONTRL says, `report` what an
    APERAK does; None where nothing can be made of it.
    """

    kind: Kind
    syntax: Syntax
    name: str
    position: int
    data: bytes
    declaration: Declaration | None = None
    responses: tuple[Response, ...] = ()
    control: "edifact.Control | None" = None
    report: "edifact.Aperak | None" = None
    findings: tuple[Finding, ...] = ()

    @property
    def valid(self) -> bool:
        """True if it was read and has no finding of severity ERROR."""
        return self.kind is not Kind.UNKNOWN and is_valid(self.findings)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one payload holds. `findings` are those of no document in particular (an envelope, bad XML)."""

    syntax: Syntax
    documents: tuple[Document, ...]
    findings: tuple[Finding, ...] = ()
    interchange: "edifact.Interchange | None" = None

    @property
    def valid(self) -> bool:
        """True if there is a document and nothing is wrong with any of them or with their envelope."""
        return bool(self.documents) and is_valid(self.findings) and all(d.valid for d in self.documents)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The envelope's findings and then each document's."""
        return (*self.findings, *(finding for document in self.documents for finding in document.findings))


class Reader:
    """Reads payloads of either syntax. The directory and the schemas are asked for when first needed: a file
    of one syntax should not wait for the tables of the other."""

    def __init__(
        self, directory: "Callable[[], edifact.Directory]", schemas: "Callable[[], wco.SchemaSet]"
    ) -> None:
        self._directory = directory
        self._schemas = schemas

    def read(self, payload: bytes, media_type: str = "", profile: "edifact.Profile | None" = None) -> Reading:
        """Read `payload`; its first octets decide the syntax, `media_type` only where they do not. `profile`
        is what EDIFACT may have beyond the standard, None what it may have by default.

        Never raises on bad bytes: what is wrong is in the findings.
        """
        if sniff(payload, media_type) is Syntax.XML:
            return self._read_xml(payload)
        return self._read_edifact(payload, profile)

    def _read_xml(self, payload: bytes) -> Reading:
        from . import wco  # noqa: PLC0415 - see above

        read = wco.read(payload, self._schemas())
        if read.kind is None:
            return Reading(
                syntax=Syntax.XML, documents=(), findings=_some(read.findings, "no declaration or response")
            )
        kind = Kind.DECLARATION if read.kind is wco.DocumentKind.DECLARATION else Kind.RESPONSE
        document = Document(
            kind=kind,
            syntax=Syntax.XML,
            name=read.root or kind.value,
            position=1,
            data=payload,
            declaration=read.declaration,
            responses=read.responses,
            findings=read.findings,
        )
        return Reading(syntax=Syntax.XML, documents=(document,))

    def _read_edifact(self, payload: bytes, profile: "edifact.Profile | None") -> Reading:
        from . import edifact  # noqa: PLC0415 - see above

        profile = profile or edifact.Profile()
        interchange = edifact.read_interchange(payload, profile, limit=MAX_MESSAGES + 1)
        if len(interchange.messages) + len(interchange.packages) > MAX_MESSAGES:
            text = f"an interchange holds {MAX_MESSAGES} messages at most: send it in parts"
            many = Finding(code="18", text=text)
            return Reading(syntax=Syntax.EDIFACT, documents=(), findings=(many,), interchange=interchange)
        documents = _shortened(
            self.document(interchange, message, position)
            for position, message in enumerate(interchange.messages, 1)
        )
        findings = interchange.findings
        if not documents:
            findings = _some(findings, "the interchange holds no message")
        return Reading(syntax=Syntax.EDIFACT, documents=documents, findings=findings, interchange=interchange)

    def document(
        self, interchange: "edifact.Interchange", message: "edifact.Message", position: int
    ) -> Document:
        """One EDIFACT message, read as far as it can be; `interchange` may be the one a stream started."""
        from . import edifact  # noqa: PLC0415 - see above

        declaration: Declaration | None = None
        response: Response | None = None
        control: edifact.Control | None = None
        report: edifact.Aperak | None = None
        findings, kind = message.findings, Kind.UNKNOWN
        if message.type == "CUSDEC":
            kind = Kind.DECLARATION
            declaration, findings = edifact.read_cusdec(interchange, message, self._directory())
        elif message.type == "CUSRES":
            kind = Kind.RESPONSE
            response, findings = edifact.read_cusres(interchange, message, self._directory())
        elif message.type == "CONTRL":
            kind = Kind.CONTROL
            control = edifact.read_contrl(interchange, message)
            findings = edifact.validate(interchange, message, self._directory()).findings
        elif message.type == "APERAK":
            kind = Kind.REPORT
            report, findings = edifact.read_aperak(interchange, message, self._directory())
        else:
            validated = edifact.validate(interchange, message, self._directory())
            findings = validated.findings
            if validated.rule is not None:
                kind = Kind.OTHER
        return Document(
            kind=kind,
            syntax=Syntax.EDIFACT,
            name=message.identifier,
            position=position,
            data=message.data,
            declaration=declaration,
            responses=() if response is None else (response,),
            control=control,
            report=report,
            findings=findings,
        )


def sniff(payload: bytes, media_type: str = "") -> Syntax:
    """The syntax of `payload` by its first octets, else by its media type."""
    start = payload[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    if start.startswith(b"<"):
        return Syntax.XML
    if start.startswith((b"UNA", b"UNB", b"UNH", b"UIB")):
        return Syntax.EDIFACT
    return Syntax.XML if "xml" in media_type.lower() else Syntax.EDIFACT


def _shortened(documents: Iterable[Document]) -> tuple[Document, ...]:
    """`documents` with no more findings in all than an answer can hold; none becomes valid by it."""
    kept: list[Document] = []
    room = MAX_FINDINGS_IN_ALL
    for document in documents:
        findings = document.findings
        if len(findings) > room:
            errors = tuple(finding for finding in findings if finding.severity is Severity.ERROR)
            findings = errors[: max(room, 1)] if errors else findings[:room]
        room -= min(room, len(findings))
        kept.append(msgspec.structs.replace(document, findings=findings))
    return tuple(kept)


def _some(findings: tuple[Finding, ...], text: str) -> tuple[Finding, ...]:
    """`findings`, or one that says `text`: what cannot be used is never without a reason."""
    if not is_valid(findings):
        return findings
    return (*findings, Finding(severity=Severity.ERROR, code="18", text=text))
