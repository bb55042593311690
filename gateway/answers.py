"""Documents the gateway writes: what a trader is told, and what an agency is sent, each in its own syntax."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog

from ..codecs import edifact, wco
from ..codecs.declaration import (
    AdditionalInformation,
    DateTime,
    Declaration,
    Response,
    ResponseAdditionalInformation,
    ResponseDeclaration,
)
from ..codecs.document import Reading, Syntax
from ..codecs.finding import Finding, Severity, is_valid
from ..routing.instant import Instant, elapsed
from ..routing.lifecycle import EventKind, NotificationState
from ..routing.reply import rejection_to_trader
from . import clock
from .config import AgencySettings, GatewaySettings
from .ledger import EventRecord, LodgementRecord, NotificationRecord
from .parties import Party
from .wording import STATEMENT_TYPE, bare, expressible

# The statement by which a delivered declaration carries the gateway's reference, in either syntax: an answer
# gives it back as its own functional reference.
DELIVERY_STATEMENT = "DELIVERY"

# Values of the agreement about CONTRL.
ALWAYS, NEVER = "always", "never"

# WCO 017 of a response: registered.
RECEIVED = "02"


log = structlog.get_logger()


class NotWritable(Exception):  # noqa: N818 - a property of the document, not a fault of ours
    """A declaration that an agency's syntax cannot hold whole: nothing is cut. `findings` say what, where the
    writer knows."""

    def __init__(self, text: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(text)
        self.findings = findings


class Answers:
    """Writes notifications and deliveries under the gateway's own names."""

    def __init__(
        self,
        settings: GatewaySettings,
        now: Callable[[], Instant] = clock.instant,
        new_id: Callable[[str], str] = clock.new_id,
    ) -> None:
        self._settings = settings
        self._now = now
        self._new_id = new_id

    @property
    def edifact_id(self) -> str:
        """The sender of every interchange of ours."""
        return self._settings.edifact_id

    def response(
        self, lodgement: LodgementRecord, response: Response, party: Party, version: int | None
    ) -> NotificationRecord:
        """`response` as a notification in the syntax the lodgement came in."""
        return self._response(self._new_id("N"), _Subject.of_lodgement(lodgement), response, party, version)

    def rejection(
        self,
        reading: Reading,
        findings: tuple[Finding, ...],
        party: Party,
        channel: str,
        lodgement: LodgementRecord | None = None,
        sent_as: str = "",
    ) -> NotificationRecord | None:
        """What is wrong, in the sender's terms: CONTRL for EDIFACT syntax, CUSRES or RES for content; None
        for a CONTRL, which is never answered. What comes beside one is answered by a CUSRES.

        `sent_as` is what the sender knows the payload by (a Message-ID, a file name): it is given back where
        no LRN is known, with the reference of the interchange.
        """
        interchange = reading.interchange
        owed = interchange is not None and edifact.owed(interchange)
        if interchange is not None and not owed and all(one.type == "CONTRL" for one in interchange.messages):
            return None
        subject = _Subject.of(reading, channel, lodgement)
        if interchange is not None and owed and by_contrl(party) and any(map(is_syntax, findings)):
            return self._control(interchange, party, subject, findings)
        identity = self._new_id("N")
        lrn = (lodgement.lrn or None) if lodgement is not None else None
        known = [f"interchange {interchange.reference}"] if interchange and interchange.reference else []
        known += [f"message {sent_as}"] if sent_as else []
        response = rejection_to_trader(
            findings,
            sent_as="" if lrn else ", ".join(known),
            lrn=lrn,
            mrn=lodgement.mrn if lodgement is not None else None,
            reference=identity,
            now=clock.utc(self._now()),
        )
        return self._response(identity, subject, response, party, None)

    def acknowledgement(
        self,
        reading: Reading,
        party: Party,
        channel: str,
        lodgement: LodgementRecord | None = None,
        findings: tuple[Finding, ...] = (),
    ) -> NotificationRecord | None:
        """The CONTRL that UNB 0031 or the agreement asks for, with what `findings` say of the syntax; None
        where none is asked for. Where 0031 asks for no more, and nothing is wrong, it says that the
        interchange arrived."""
        interchange = reading.interchange
        if interchange is None or not by_contrl(party) or not edifact.owed(interchange):
            return None
        asked = edifact.requested(interchange)
        if asked is None and (party.settings.contrl != ALWAYS or not interchange.reference):
            return None
        received = asked is edifact.Action.RECEIVED and not any(map(is_syntax, findings))
        subject = _Subject.of(reading, channel, lodgement)
        return self._control(interchange, party, subject, findings, received=received)

    def _control(
        self,
        interchange: edifact.Interchange,
        party: Party,
        subject: "_Subject",
        findings: tuple[Finding, ...],
        *,
        received: bool = False,
    ) -> NotificationRecord:
        identity = self._new_id("N")
        envelope = self._envelope(identity, party, subject)
        body = edifact.write_contrl(interchange, envelope, findings=findings, received=received)
        return self._note(identity, subject, "CONTRL", body, party, None)

    def test_only(
        self, lodgement: LodgementRecord, agencies: tuple[str, ...], party: Party
    ) -> NotificationRecord:
        """The answer to a test document that no agency may see."""
        text = f"Test document: read and valid; not sent to live agencies ({', '.join(agencies)})"
        return self._informing(lodgement, text, party)

    def nobody_competent(self, lodgement: LodgementRecord, party: Party) -> NotificationRecord:
        """What is told when each agency that was asked says that it has no say: nothing is decided."""
        text = f"No agency that was asked is competent ({', '.join(lodgement.agencies)}): nothing is decided"
        return self._informing(lodgement, text, party)

    def _informing(self, lodgement: LodgementRecord, text: str, party: Party) -> NotificationRecord:
        response = Response(
            function_code=RECEIVED,
            issue_date_time=self._issued(),
            additional_information=(
                ResponseAdditionalInformation(statement_type_code=STATEMENT_TYPE, statement_description=text),
            ),
            declaration=_named(lodgement),
        )
        return self.response(lodgement, response, party, None)

    def delivery(
        self, declaration: Declaration, delivery: str, agency: AgencySettings, *, test: bool
    ) -> bytes:
        """`declaration` for `agency`, carrying the gateway's delivery reference.

        Raises NotWritable where the agency's syntax cannot hold it.
        """
        reference = AdditionalInformation(
            statement_code=DELIVERY_STATEMENT,
            statement_description=delivery,
            statement_type_code=STATEMENT_TYPE,
        )
        declaration = msgspec.structs.replace(
            declaration, additional_information=(*declaration.additional_information, reference)
        )
        if agency.syntax == Syntax.XML.value:
            try:
                return wco.write_declaration(declaration, self._metadata("DEC"))
            except wco.UnwritableError as error:
                raise NotWritable(str(error)) from None
        envelope = edifact.Envelope(
            sender=self.edifact_id,
            recipient=recipient_of(agency),
            reference=delivery,
            prepared=clock.utc(self._now()),
            test=test,
        )
        body, findings = edifact.write_cusdec(declaration, envelope)
        if not is_valid(findings):
            errors = tuple(finding for finding in findings if finding.severity is Severity.ERROR)
            raise NotWritable("; ".join(map(str, errors)), errors)
        return body

    def _response(
        self, identity: str, subject: "_Subject", response: Response, party: Party, version: int | None
    ) -> NotificationRecord:
        response = expressible(msgspec.structs.replace(response, functional_reference_id=identity))
        kind = "RES" if subject.syntax is Syntax.XML else "CUSRES"
        try:
            body = self._written(identity, subject, response, party)
        except Exception:
            # The border around what somebody else said: that we cannot write it is no reason not to record
            # it. The trader hears that there is something, and the ledger keeps all of it.
            log.exception("response_not_writable", notification=identity)
            body = self._written(identity, subject, bare(response), party)
        return self._note(identity, subject, kind, body, party, version)

    def _written(self, identity: str, subject: "_Subject", response: Response, party: Party) -> bytes:
        if subject.syntax is Syntax.XML:
            return wco.write_response((response,), self._metadata("RES"))
        body, findings = edifact.write_cusres(response, self._envelope(identity, party, subject))
        if not is_valid(findings):
            # What an agency said at greater length than CUSRES holds; the ledger keeps all of it.
            log.warning("response_shortened", notification=identity, values=len(findings))
        return body

    def _envelope(self, identity: str, party: Party, subject: "_Subject") -> edifact.Envelope:
        return edifact.Envelope(
            sender=self.edifact_id,
            recipient=party.settings.edifact_id or subject.sender or party.name.upper(),
            reference=identity,
            prepared=clock.utc(self._now()),
            test=subject.test,
        )

    def _issued(self) -> DateTime:
        return DateTime(clock.utc(self._now()).strftime("%Y%m%d%H%M%SZ")[:14], "204")

    def _metadata(self, type_name: str) -> wco.MetaData:
        return wco.MetaData(
            version="3.6",
            type_name=type_name,
            country=self._settings.country or None,
            agency=self._settings.agency_name,
        )

    def _note(
        self, identity: str, subject: "_Subject", kind: str, body: bytes, party: Party, version: int | None
    ) -> NotificationRecord:
        now = self._now()
        push = subject.channel == "as2" and bool(as2_url(party))
        return NotificationRecord(
            id=identity,
            partner=party.name,
            lodgement=subject.lodgement,
            kind=kind,
            content_type=subject.syntax.media_type,
            body=body,
            state=NotificationState.PENDING if push else NotificationState.STORED,
            due_ns=now.utc_ns,
            decision_version=version,
            created=now,
        )


class _Subject(NamedTuple):
    """What a notification is about, as far as its envelope and its way depend on it."""

    lodgement: str | None
    syntax: Syntax
    channel: str
    sender: str | None
    test: bool

    @classmethod
    def of_lodgement(cls, lodgement: LodgementRecord) -> "_Subject":
        syntax = Syntax(lodgement.syntax)
        return cls(lodgement.id, syntax, lodgement.channel, lodgement.sender, lodgement.test)

    @classmethod
    def of(cls, reading: Reading, channel: str, lodgement: LodgementRecord | None) -> "_Subject":
        interchange = reading.interchange
        sender = interchange.sender if interchange is not None else None
        test = interchange is not None and interchange.test
        return cls(lodgement.id if lodgement is not None else None, reading.syntax, channel, sender, test)


def told(note: NotificationRecord, lodgement: LodgementRecord | None, kind: str) -> EventRecord:
    """The event of a notification's becoming durable. `kind` is the class its processing time counts in:
    `answer` or `rejection`."""
    data = {
        "notification": note.id,
        "push": "1" if note.state is NotificationState.PENDING else "0",
        "class": kind,
    }
    if lodgement is not None:
        seconds = elapsed(lodgement.received, note.created)
        data |= {"type": lodgement.type, "seconds": f"{seconds:.6f}"}
    return EventRecord(kind=EventKind.NOTIFIED, at=note.created, lodgement=note.lodgement, data=data)


def by_contrl(party: Party) -> bool:
    """Whether what `party` sends may be answered by a CONTRL."""
    return party.settings.contrl != NEVER


def recipient_of(agency: AgencySettings) -> str:
    """The recipient of every interchange to `agency`."""
    return agency.edifact_id or agency.name.upper()


def as2_url(party: Party) -> str:
    """Where AS2 messages to `party` are posted; empty where it only sends."""
    return party.settings.as2.url if party.settings.as2 is not None else ""


def delivery_reference(response: Response) -> str | None:
    """The gateway's delivery reference that an agency's answer gives back."""
    return response.functional_reference_id


def _named(lodgement: LodgementRecord) -> ResponseDeclaration:
    return ResponseDeclaration(functional_reference_id=lodgement.lrn or None, id=lodgement.mrn)


def is_syntax(finding: Finding) -> bool:
    """UNTDID 0085 codes are numbers; the rules of content have names."""
    return finding.severity is Severity.ERROR and finding.code.isdecimal()
