"""The interchanges of a file, message by message: what they hold, how many fail, and the first findings.

Nothing of a message is kept but its name and its findings, so that a file may be of any size.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from ...codecs.document import MAX_FINDINGS_IN_ALL, Document, Kind, Reader
from ...codecs.edifact import Ended, Event, Interchange, Message, Package, Profile, Started, read_stream
from ...codecs.edifact.report import Report
from ...codecs.finding import EdifactPointer, Finding, is_valid, shown
from .outcome import Outcome

# Names of messages that are listed one by one, and different ones that are counted.
MAX_LISTED = 1_000
MAX_NAMES = 50


# No directory is held for any of its messages.
NOT_CHECKED = "not checked"
# UNTDID 0085 of such a message.
NOT_HELD = "14"


class Checked:
    """One interchange as far as it was read. `documents` names its first messages in order; `findings` are
    those of the envelope, and then those of its messages; `more` is how many are not among them."""

    def __init__(self, interchange: Interchange, room: int = MAX_FINDINGS_IN_ALL) -> None:
        self.interchange = interchange
        self.documents: list[str] = []
        self.findings: tuple[Finding, ...] = interchange.findings
        self.messages = self.invalid = self.packages = 0
        self._known = self._failed = self._wrong = False
        self._names: Counter[str] = Counter()
        # The report keeps one place for what it says itself.
        self._report = Report(room + 1)

    def message(self, document: Document) -> None:
        """Count a message."""
        self.messages += 1
        self.invalid += not document.valid
        self._known |= document.kind is not Kind.UNKNOWN
        self._wrong |= not is_valid(tuple(f for f in document.findings if f.code != NOT_HELD))
        if len(self.documents) < MAX_LISTED:
            self.documents.append(document.name)
        if document.name in self._names or len(self._names) < MAX_NAMES:
            self._names[document.name] += 1
        self._report.extend(document.findings)

    def end(self, interchange: Interchange) -> None:
        """The interchange is over; `interchange` has the findings of the whole envelope."""
        self.interchange = interchange
        kept = self._report.findings()
        kept = kept[:-1] if self._report.dropped else kept
        if self.messages == 1:
            kept = tuple(_without_position(finding) for finding in kept)
        findings = interchange.findings
        if not (self.messages or self.packages) and is_valid(findings):
            findings = (*findings, Finding(code="18", text="the interchange holds no message"))
        self._failed |= not is_valid(findings)
        self.findings = (*findings, *kept)

    def follow(self, findings: tuple[Finding, ...]) -> None:
        """What comes after the interchange, and is none."""
        self._failed |= not is_valid(findings)
        self.findings = (*findings, *self.findings)

    @property
    def more(self) -> int:
        """Findings that are not kept."""
        return self._report.dropped

    @property
    def outcome(self) -> Outcome:
        """UNREADABLE where there is no message, or all that is wrong is that no directory is held for any."""
        if not (self._failed or self.invalid):
            return Outcome.VALID
        told = self._known or self._wrong or (self._failed and self.messages > 0)
        return Outcome.INVALID if told else Outcome.UNREADABLE

    @property
    def word(self) -> str:
        """The outcome in a word: what was read, and could be held against nothing, was not checked."""
        return NOT_CHECKED if self.outcome is Outcome.UNREADABLE and self.messages else self.outcome.word

    @property
    def kinds(self) -> str:
        """What it holds, in words: `2 CUSDEC:D:96B:UN, CONTRL:D:3:UN, 1 invalid`."""
        told = [f"{n:,} {shown(name)}" if n > 1 else shown(name) for name, n in self._names.items()]
        others = self.messages - self._names.total()
        told += [f"{others:,} of other types"] if others else []
        told += [f"{self.packages:,} package{'s' * (self.packages > 1)}"] if self.packages else []
        told += [f"{self.invalid:,} invalid"] if self.invalid and self.messages > 1 else []
        return ", ".join(told) or "nothing that can be read"

    @property
    def title(self) -> str:
        """Which one it is: reference, sender and recipient, syntax."""
        it = self.interchange
        if it.header is None:
            return "interchange without UNB"
        parties = f"from {shown(it.sender) or '-'} to {shown(it.recipient) or '-'}"
        return f"interchange {shown(it.reference) or '-'} {parties}, {shown(it.syntax)}:{it.syntax_version}"

    def view(self) -> dict[str, Any]:
        """As JSON, without its findings: those name it."""
        it = self.interchange
        return {
            "reference": it.reference,
            "sender": it.sender,
            "recipient": it.recipient,
            "syntax": f"{it.syntax}:{it.syntax_version}" if it.header else "",
            "offset": it.start,
            "end": it.end,
            "result": self.word,
            "messages": self.messages,
            "invalid": self.invalid,
            "packages": self.packages,
        }


class Step(NamedTuple):
    """An event of a stream, and the interchange it is of; `document` is what a message was read as."""

    event: Event
    checked: Checked
    document: Document | None = None


def follow(pieces: Iterable[bytes], reader: Reader, profile: Profile = Profile()) -> Iterator[Step]:
    """Read every interchange of a file and check each message as the gateway would."""
    checked: Checked | None = None
    room = MAX_FINDINGS_IN_ALL
    inside = False
    for event in read_stream(pieces, profile):
        document = None
        if isinstance(event, Started) or (checked is None and isinstance(event, Ended)):
            checked, inside = Checked(event.interchange, max(room, 1)), True
        assert checked is not None
        if isinstance(event, Message):
            document = reader.document(checked.interchange, event, event.position)
            checked.message(document)
        elif isinstance(event, Package):
            checked.packages += 1
        elif isinstance(event, Ended) and inside:
            checked.end(event.interchange)
            room -= len(checked.findings)
            inside = False
        elif isinstance(event, Ended):
            checked.follow(event.interchange.findings)
        yield Step(event, checked, document)


def check(pieces: Iterable[bytes], reader: Reader, profile: Profile = Profile()) -> list[Checked]:
    """What each interchange of a file comes to; at least one value."""
    found: list[Checked] = []
    for step in follow(pieces, reader, profile):
        if not found or found[-1] is not step.checked:
            found.append(step.checked)
    return found


def outcome_of(checked: list[Checked]) -> Outcome:
    """Of a whole file: VALID if all of it is, UNREADABLE if nothing of it can be read."""
    outcomes = {each.outcome for each in checked}
    if outcomes == {Outcome.VALID}:
        return Outcome.VALID
    return Outcome.UNREADABLE if outcomes == {Outcome.UNREADABLE} else Outcome.INVALID


def word_of(checked: list[Checked]) -> str:
    """The same in a word."""
    words = {each.word for each in checked}
    return words.pop() if len(words) == 1 else outcome_of(checked).word


def _without_position(finding: Finding) -> Finding:
    """Of an only message, its number says nothing."""
    if not isinstance(finding.pointer, EdifactPointer):
        return finding
    return msgspec.structs.replace(finding, pointer=msgspec.structs.replace(finding.pointer, position=None))
