"""What a declaration must pass beyond its own syntax: whom its envelope names, and whether each competent
agency's form can hold it.

What cannot be written for an agency is found here, while the trader is still listening. Found at the delivery
it would be a dead letter, of which the trader hears nothing.
"""

from collections.abc import Iterable

from ..codecs.declaration import Declaration
from ..codecs.document import Reader, Reading, Syntax
from ..codecs.finding import MAX_FINDINGS, EdifactPointer, Finding, Severity, XmlPointer
from .answers import Answers, NotWritable
from .config import AgencySettings, PartnerSettings
from .parties import Parties, Party
from .said import acknowledging

# In place of a delivery's reference in what is written only to be read back: as long as a real one.
_SPECIMEN = "D0000000000000"
# UNTDID 0085: who an interchange names is not who it should be.
_NOT_RECIPIENT, _NOT_SENDER = "7", "23"
NOT_WRITABLE = "not-writable"


class Screening:
    """Checks by the configuration: our own name, our partners' names, the agencies' forms."""

    def __init__(self, parties: Parties, answers: Answers, reader: Reader) -> None:
        self._parties = parties
        self._answers = answers
        self._reader = reader

    def envelope(self, reading: Reading, party: Party) -> tuple[Finding, ...]:
        """What is wrong with the names in UNB of an interchange that `party` sent: it must be addressed to us
        (S003/0010), and come from `party` (S002/0004). Nothing where all of it only acknowledges."""
        interchange = reading.interchange
        if interchange is None or acknowledging(reading.documents):
            return ()
        findings = []
        config = self._parties.config
        ours = config.gateway.edifact_id
        if interchange.recipient and interchange.recipient != ours:
            text = "this interchange is addressed to somebody else"
            findings.append(_unb(_NOT_RECIPIENT, 3, text, interchange.recipient, ours))
        own = party.settings.edifact_id if isinstance(party.settings, PartnerSettings) else ""
        if own:
            wrong = interchange.sender != own
        else:
            others = (other.edifact_id for other in config.partners.values() if other.name != party.name)
            wrong = bool(interchange.sender) and interchange.sender in others
        if wrong:
            text = "this interchange sender is not the partner it came from"
            findings.append(_unb(_NOT_SENDER, 2, text, interchange.sender, own or None))
        return tuple(findings)

    def writable(
        self, declaration: Declaration, agencies: Iterable[str], *, test: bool
    ) -> tuple[Finding, ...]:
        """What keeps `declaration` from being written for `agencies`.

        It is written once for each syntax among them, and read back as the agency will. The pointers are left
        out: they are of our writing, not of what the sender wrote.
        """
        forms: dict[str, AgencySettings] = {}
        for name in agencies:
            agency = self._parties.config.agencies.get(name)
            if agency is not None:
                forms.setdefault(agency.syntax, agency)
        found = [f for agency in forms.values() for f in self._form(declaration, agency, test=test)]
        return tuple(found[:MAX_FINDINGS])

    def _form(self, declaration: Declaration, agency: AgencySettings, *, test: bool) -> list[Finding]:
        form = f"{agency.title or agency.name} takes {_NAMES[Syntax(agency.syntax)]}, which cannot hold this"
        try:
            body = self._answers.delivery(declaration, _SPECIMEN, agency, test=test)
        except NotWritable as error:
            findings = error.findings or (Finding(code=NOT_WRITABLE, text=str(error)),)
        else:
            findings = self._reader.read(body).all_findings
        return [_told(finding, form) for finding in findings if finding.severity is Severity.ERROR]


_NAMES = {Syntax.EDIFACT: "EDIFACT CUSDEC", Syntax.XML: "WCO XML"}


def _told(finding: Finding, form: str) -> Finding:
    place = finding.pointer.wco if isinstance(finding.pointer, XmlPointer) else None
    where = f" ({place})" if place else ""
    return Finding(
        code=finding.code,
        text=f"{form}: {finding.text}{where}",
        value=finding.value,
        expected=finding.expected,
    )


def _unb(code: str, element: int, text: str, value: str | None, expected: str | None) -> Finding:
    pointer = EdifactPointer(segment=0, tag="UNB", element=element, component=1)
    return Finding(code=code, text=text, pointer=pointer, value=value or None, expected=expected)
