"""CONTRL version 3: what became of an interchange, message by message (UN/ECE R.1186, edition 1).

An interchange whose envelope is at fault is rejected as a whole in UCI; a message at fault is rejected in
UCM, with UCS and UCD for each fault; the rest is acknowledged by action 7, which reaches down to every
message that is not named.
"""

import enum
import re
from collections.abc import Iterable, Sequence

import msgspec

from ..finding import EdifactPointer, Finding, Severity
from .envelope import MAX_PARTY, MAX_REFERENCE, Envelope
from .interchange import Interchange, Message
from .report import Code
from .writer import CONTROL, MessageName, OutSegment, segment, write_interchange

NAME = MessageName("CONTRL", "D", "3")
# UNTDID 0085; every other code of a finding is one of content, which a CUSRES answers.
_SYNTAX_CODE = re.compile("[0-9]{1,3}")
# Places told for one message: the group allows 999, a sender needs fewer.
MAX_SEGMENTS_TOLD = 99


class Action(enum.StrEnum):
    """UNTDID 0083. 1, 2, 3, 5 and 6 are withdrawn."""

    REJECTED = "4"
    ACKNOWLEDGED = "7"
    RECEIVED = "8"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One place told in a CONTRL: the segment (UNH = 1), and the element and component where known."""

    segment: int
    code: str
    element: int | None = None
    component: int | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a CONTRL says of one message."""

    reference: str
    type: str
    action: str
    code: str = ""
    faults: tuple[Fault, ...] = ()


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A CONTRL as read: the interchange it speaks of (by its 0020), and each message it names."""

    reference: str
    sender: str
    recipient: str
    action: str
    code: str = ""
    messages: tuple[Verdict, ...] = ()

    @property
    def rejected(self) -> bool:
        """True if the interchange or a message of it was rejected."""
        return self.action == Action.REJECTED or any(m.action == Action.REJECTED for m in self.messages)


def owed(interchange: Interchange) -> bool:
    """True if a CONTRL may answer: nothing in the interchange is a CONTRL itself."""
    return all(message.type != NAME.type for message in interchange.messages)


def write_contrl(
    interchange: Interchange,
    envelope: Envelope,
    *,
    findings: Sequence[Finding] = (),
    received: bool = False,
) -> bytes:
    """Write the CONTRL for `interchange`: an interchange of one message, to be sent to its sender.

    `findings` are those of its messages beside what `interchange` holds (of `validate` or the readers of each
    type), told apart by the message reference in their pointers; only errors with a code of UNTDID 0085
    count. With `received` the interchange is only said to have arrived (action 8). Where UNB cannot be read,
    UCI names reference 0 and the parties of `envelope`. Raises ValueError where the interchange is or holds a
    CONTRL: that is never answered by another (see `owed`).
    """
    if not owed(interchange):
        raise ValueError("this interchange is not answered by a CONTRL")
    by_message: dict[str | None, list[Finding]] = {}
    for finding in findings:
        by_message.setdefault(_message_of(finding), []).append(finding)
    errors = _errors([*interchange.findings, *by_message.get(None, ())])
    if errors:
        body = [_interchange(interchange, envelope, Action.REJECTED, errors[0])]
    elif received:
        body = [_interchange(interchange, envelope, Action.RECEIVED, None)]
    else:
        body = [_interchange(interchange, envelope, Action.ACKNOWLEDGED, None)]
        for message in interchange.messages:
            theirs = by_message.get(message.reference, ())
            body.extend(_message(message, _errors([*message.findings, *theirs])))
    return write_interchange(NAME, body, envelope)


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    """The syntax errors, each once."""
    kept = (f for f in findings if f.severity is Severity.ERROR and _SYNTAX_CODE.fullmatch(f.code))
    return list(dict.fromkeys(kept))


def _message_of(finding: Finding) -> str | None:
    return finding.pointer.message if isinstance(finding.pointer, EdifactPointer) else None


def _interchange(
    interchange: Interchange, envelope: Envelope, action: Action, error: Finding | None
) -> OutSegment:
    sender, recipient = interchange.sender_party, interchange.recipient_party
    cells = {
        (1, 1): _copy(interchange.reference, MAX_REFERENCE) or "0",
        (2, 1): _copy(sender.id, MAX_PARTY) or envelope.recipient,
        (2, 2): _copy(sender.qualifier, 4),
        (2, 3): _copy(sender.routing, MAX_REFERENCE),
        (3, 1): _copy(recipient.id, MAX_PARTY) or envelope.sender,
        (3, 2): _copy(recipient.qualifier, 4),
        (3, 3): _copy(recipient.routing, MAX_REFERENCE),
        (4, 1): action,
    }
    if error is not None:
        cells |= {(5, 1): error.code} | _service_place(error, 6)
    return OutSegment("UCI", {place: value for place, value in cells.items() if value})


def _service_place(error: Finding, element: int) -> dict[tuple[int, int], str]:
    """0013 at `element`, the service segment at fault, and S011 after it; 0098 counts the tag as 1."""
    pointer = error.pointer
    if not isinstance(pointer, EdifactPointer) or not (pointer.tag.isalpha() and len(pointer.tag) == 3):
        return {}
    cells = {(element, 1): pointer.tag}
    if pointer.element is not None:
        cells[element + 1, 1] = str(pointer.element + 1)
        if pointer.component is not None:
            cells[element + 1, 2] = str(pointer.component)
    return cells


def _copy(value: str, longest: int) -> str:
    """A value of the subject interchange, as far as the element takes it."""
    return CONTROL.sub(" ", value)[:longest]


def _message(message: Message, errors: list[Finding]) -> list[OutSegment]:
    """UCM with UCS and UCD for a message at fault; nothing for one that is not."""
    if not errors:
        return []
    name = (message.type, message.version, message.release, message.agency, message.association)
    lengths = (6, 3, 3, 2, 6)
    told = [_copy(part, length) for part, length in zip(name, lengths, strict=True)]
    told = [part or ("-" if number < 4 else "") for number, part in enumerate(told)]
    reference = _copy(message.reference, MAX_REFERENCE) or "-"
    service = next((f for f in errors if _tag(f) in {"UNH", "UNT"}), None)
    code = service.code if service is not None else Code.UNSPECIFIED.value
    cells = segment("UCM", reference, tuple(told), Action.REJECTED, code).cells
    if service is not None:
        cells |= _service_place(service, 5)
    return [OutSegment("UCM", cells), *_faults([f for f in errors if f is not service])]


def _tag(finding: Finding) -> str:
    return finding.pointer.tag if isinstance(finding.pointer, EdifactPointer) else ""


def _faults(errors: list[Finding]) -> list[OutSegment]:
    places: dict[int, list[Finding]] = {}
    for error in errors:
        if isinstance(error.pointer, EdifactPointer) and error.pointer.segment:
            places.setdefault(error.pointer.segment, []).append(error)
    written: list[OutSegment] = []
    for position in sorted(places)[:MAX_SEGMENTS_TOLD]:
        whole = [f for f in places[position] if f.pointer is not None and _element(f) is None]
        written.append(segment("UCS", str(position), whole[0].code if whole else ""))
        for error in places[position]:
            element = _element(error)
            if element is not None:
                component = _component(error)
                where = (str(element + 1), "" if component is None else str(component))
                written.append(segment("UCD", error.code, where))
    return written


def _element(finding: Finding) -> int | None:
    return finding.pointer.element if isinstance(finding.pointer, EdifactPointer) else None


def _component(finding: Finding) -> int | None:
    return finding.pointer.component if isinstance(finding.pointer, EdifactPointer) else None


def read_contrl(interchange: Interchange, message: Message) -> Control | None:
    """Read a CONTRL of version 2, 3 or 4; None where it has no UCI."""
    control: Control | None = None
    verdicts: list[Verdict] = []
    faults: list[Fault] = []
    position = 0
    for part in message.segments:
        tag = part.tag
        if tag == "UCI" and control is None:
            control = Control(
                reference=part.value(1),
                sender=part.value(2),
                recipient=part.value(3),
                action=part.value(4),
                code=part.value(5),
            )
        elif tag == "UCM":
            _close(verdicts, faults)
            faults = []
            verdict = Verdict(
                reference=part.value(1), type=part.value(2), action=part.value(3), code=part.value(4)
            )
            verdicts.append(verdict)
        elif tag == "UCS":
            position = _number(part.value(1)) or 0
            if part.value(2):
                faults.append(Fault(segment=position, code=part.value(2)))
        elif tag == "UCD":
            element, component = _number(part.value(2)), _number(part.value(2, 2))
            place = None if element is None else element - 1
            faults.append(Fault(segment=position, code=part.value(1), element=place, component=component))
    _close(verdicts, faults)
    return None if control is None else msgspec.structs.replace(control, messages=tuple(verdicts))


def _close(verdicts: list[Verdict], faults: list[Fault]) -> None:
    if verdicts and faults:
        verdicts[-1] = msgspec.structs.replace(verdicts[-1], faults=tuple(faults))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
