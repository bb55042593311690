"""The CONTRL that answers an interchange, made of the findings about it, in syntax version 3 or 4.

An interchange whose envelope is at fault is rejected as a whole in UCI, a functional group in UCF, a message
in UCM with UCS and UCD for each fault in it; the rest is acknowledged by action 7, which reaches down to
everything that is not named. Each segment says one error. What is copied from the interchange is copied as
far as the element takes it, so that the CONTRL is itself valid whatever it answers.
"""

import bisect
import re
from collections.abc import Iterable, Iterator, Sequence

from ...finding import EdifactPointer, Finding, Severity
from ..composer import compose
from ..envelope import Envelope
from ..interchange import Group, Interchange, Message, Package
from ..outgoing import Heading, MessageName, OutMessage
from ..pen import OutSegment, segment
from ..place import reference_shown
from ..report import Code
from ..service import ServiceString
from ..writer import is_latin
from . import cells
from .codes import code_for
from .contrl import TYPE, Action, owed

NAMES = {3: MessageName(TYPE, "D", "3"), 4: MessageName(TYPE, "4", "1")}
# Every other code of a finding is one of content, which a CUSRES answers.
_SYNTAX_CODE = re.compile("[0-9]{1,3}")
# UCS within one UCM, and UCD within one UCS (CONTRL, segment groups 2 and 5).
SEGMENTS_TOLD, ELEMENTS_TOLD = 999, 99
_LAST_POSITION = 999_999
# Their own content is security segments: told by position, like any other.
_OF_SECURITY = frozenset({"AUTACK", "KEYMAN"})
_SERVICE = {3: ServiceString(explicit=True), 4: ServiceString(repetition="*", explicit=True)}
_LATIN, _UNICODE = "UNOC", "UNOW"


def write_contrl(
    interchange: Interchange,
    envelope: Envelope,
    *,
    findings: Sequence[Finding] = (),
    received: bool = False,
    version: int | None = None,
) -> bytes:
    """Write the CONTRL for `interchange`: an interchange of one message, to be sent to its sender.

    `findings` are those of its messages beside what `interchange` holds (of `validate` or the readers of each
    type), told apart by the message in their pointers; only errors with a code of UNTDID 0085 count. With
    `received` the interchange is only said to have arrived (action 8). It is written in `version`, by default
    that of the interchange: as CONTRL:4:1 in version 4, as CONTRL:D:3 for any other. Where UNB cannot be
    read, UCI names reference 0 and the parties of `envelope`. Of a stream, `interchange` is that of its end
    with those messages that are at fault: what is not named is acknowledged. It never asks for an answer
    itself. Raises ValueError where the interchange is or holds a CONTRL: that is never answered by another
    (see `owed`).
    """
    if not owed(interchange):
        raise ValueError("this interchange is not answered by a CONTRL")
    parties = envelope.sender + envelope.recipient
    written = 4 if (version or interchange.syntax_version) >= 4 or not is_latin(parties) else 3
    levels = _Levels(interchange, findings)
    body = list(_Teller(interchange, levels, written).body(envelope, received=received))
    level = _LATIN
    if not is_latin("".join((parties, *(value for out in body for value in out.cells.values())))):
        # Version 3 has no set for every letter: a reference loses those that are not of ASCII.
        level, body = (_UNICODE, body) if written == 4 else (_LATIN, [_plain(out) for out in body])
    heading = Heading(
        sender=(envelope.sender, envelope.sender_qualifier),
        recipient=(envelope.recipient, envelope.recipient_qualifier),
        reference=envelope.reference,
        prepared=envelope.prepared,
        level=level,
        version=written,
        service=_SERVICE[written],
        test="1" if envelope.test else "",
    )
    message = OutMessage(reference=envelope.message_reference, name=NAMES[written], segments=body)
    return compose(heading, [message])


def _plain(out: OutSegment) -> OutSegment:
    plain = {place: value.encode("ascii", "replace").decode() for place, value in out.cells.items()}
    return OutSegment(out.tag, plain)


class _Levels:
    """The syntax errors by the level that reports them. Groups, messages and packages are known by where they
    begin, since references may be absent or used twice."""

    def __init__(self, interchange: Interchange, findings: Iterable[Finding]) -> None:
        self.interchange: list[Finding] = []
        self.groups: dict[int, list[Finding]] = {}
        self.messages: dict[int, list[Finding]] = {}
        self.packages: dict[int, list[Finding]] = {}
        self._subject = interchange
        self._begun = [group.header.offset for group in interchange.groups]
        self._positions = {message.position: message for message in interchange.messages}
        self._named: dict[str, list[Message]] = {}
        for message in interchange.messages:
            self._named.setdefault(reference_shown(message.reference), []).append(message)
        for finding in _errors((*interchange.findings, *findings)):
            self._sort(finding)
        for message in interchange.messages:
            known = self.messages.get(message.start, [])
            own = [finding for finding in _errors(message.findings) if finding not in known]
            if own or known:
                self.messages[message.start] = own + known

    def of(self, one: Message | Package) -> list[Finding]:
        """What is wrong with a message or a package."""
        return (self.messages if isinstance(one, Message) else self.packages).get(one.start, [])

    def _sort(self, finding: Finding) -> None:
        pointer = finding.pointer if isinstance(finding.pointer, EdifactPointer) else None
        if pointer is not None:
            message, group, package = self._message(pointer), self._group(pointer), self._package(pointer)
            if message is not None:
                self.messages.setdefault(message.start, []).append(finding)
                return
            if package is not None:
                self.packages.setdefault(package.start, []).append(finding)
                return
            if group is not None:
                self.groups.setdefault(group.header.offset, []).append(finding)
                return
        self.interchange.append(finding)

    def _message(self, pointer: EdifactPointer) -> Message | None:
        """Which message of the interchange; of several with one reference, the one at the octet."""
        if pointer.position is not None:
            return self._positions.get(pointer.position)
        named = self._named.get(pointer.message, []) if pointer.message is not None else []
        if len(named) > 1 and pointer.offset is not None:
            named = [one for one in named if one.start <= pointer.offset < one.end] or named
        return named[0] if named else None

    def _group(self, pointer: EdifactPointer) -> Group | None:
        """Which functional group an error in UNG or UNE is about: the last one that began before it."""
        if pointer.tag not in cells.SERVICE_TAGS["UCF"] or pointer.offset is None:
            return None
        before = bisect.bisect_right(self._begun, pointer.offset)
        return self._subject.groups[before - 1] if before else None

    def _package(self, pointer: EdifactPointer) -> Package | None:
        if pointer.tag not in cells.PACKAGE_TAGS or pointer.offset is None:
            return None
        inside = (one for one in self._subject.packages if one.start <= pointer.offset <= one.end)
        return next(inside, None)


class _Teller:
    """Writes the levels, in the order of the message."""

    def __init__(self, interchange: Interchange, levels: _Levels, version: int) -> None:
        self._interchange = interchange
        self._levels = levels
        self._version = version
        # What is at fault by where its group begins: each is looked at once, however many groups there are.
        self._at_fault: dict[int | None, list[Message | Package]] = {}
        begun = [group.header.offset for group in interchange.groups]
        inside: list[Message | Package] = [*interchange.messages, *interchange.packages]
        for one in inside:
            if levels.of(one):
                before = bisect.bisect_left(begun, one.start) if one.group is not None else 0
                self._at_fault.setdefault(begun[before - 1] if before else None, []).append(one)

    def body(self, envelope: Envelope, *, received: bool) -> Iterator[OutSegment]:
        """UCI, then what is rejected below it: first what stands in no group."""
        errors = self._levels.interchange
        if errors:
            yield self._uci(envelope, Action.REJECTED, errors[0])
        elif received:
            yield self._uci(envelope, Action.RECEIVED, None)
            return
        else:
            yield self._uci(envelope, Action.ACKNOWLEDGED, None)
        groups = self._interchange.groups
        yield from self._inside(None)
        for group in groups:
            yield from self._ucf(group, rejected=bool(errors))

    def _uci(self, envelope: Envelope, action: Action, error: Finding | None) -> OutSegment:
        interchange = self._interchange
        header = interchange.header
        sender: Sequence[str] = header.components(2) if header is not None else ()
        recipient: Sequence[str] = header.components(3) if header is not None else ()
        out = {(1, 1): cells.reference(interchange.reference)}
        out |= cells.party(2, sender, self._version, envelope.recipient)
        out |= cells.party(3, recipient, self._version, envelope.sender)
        out[4, 1] = action.value
        if error is not None:
            out |= cells.fault(error, cells.SERVICE_TAGS["UCI"], self._version, 5, envelope=True)
        return _out("UCI", out)

    def _ucf(self, group: Group, *, rejected: bool) -> Iterator[OutSegment]:
        """UCF where the group or something in it is at fault, and what is."""
        errors = self._levels.groups.get(group.header.offset, [])
        inside = list(self._inside(group))
        if not errors and not inside:
            return
        out = {(1, 1): cells.reference(group.reference)}
        out |= cells.application(2, group.header.components(2), self._version)
        out |= cells.application(3, group.header.components(3), self._version)
        out[4, 1] = Action.REJECTED.value if errors or rejected else Action.ACKNOWLEDGED.value
        if errors:
            out |= cells.fault(errors[0], cells.SERVICE_TAGS["UCF"], self._version, 5)
        yield _out("UCF", out)
        yield from inside

    def _inside(self, group: Group | None) -> Iterator[OutSegment]:
        """UCM for each message and package at fault in `group`, or outside all groups."""
        for one in self._at_fault.get(None if group is None else group.header.offset, ()):
            errors = self._levels.of(one)
            if isinstance(one, Message):
                yield from self._ucm(one, errors)
            else:
                yield self._ucm_of_package(one, errors[0])

    def _ucm_of_package(self, package: Package, error: Finding) -> OutSegment:
        """Packages are of version 4; in version 3 it is told like a message without a name."""
        out: cells.Cells = {(3, 1): Action.REJECTED.value}
        if self._version < 4:
            out |= {(1, 1): cells.reference(package.reference, cells.NO_VALUE)} | cells.name(2, (), 3)
            return _out("UCM", out | cells.fault(error, frozenset(), 3, 4))
        out |= cells.package(package.reference, package.header.components(2))
        return _out("UCM", out | cells.fault(error, cells.PACKAGE_TAGS, 4, 4))

    def _ucm(self, message: Message, errors: list[Finding]) -> Iterator[OutSegment]:
        """UCM with UCS and UCD for a message at fault."""
        tags = cells.SERVICE_TAGS["UCM"]
        if self._version >= 4 and message.type not in _OF_SECURITY:
            tags |= cells.SECURITY_TAGS
        service = next((f for f in errors if _tag(f) in tags), None)
        faults = list(self._faults([f for f in errors if _tag(f) not in tags]))
        out = {(1, 1): cells.reference(message.reference, cells.NO_VALUE)}
        out |= cells.name(2, message.segments[0].components(2), self._version)
        out[3, 1] = Action.REJECTED.value
        if service is not None:
            out |= _service_fault(message, service, tags, self._version)
        elif not faults:
            out[4, 1] = Code.UNSPECIFIED.value
        yield _out("UCM", out)
        yield from faults

    def _faults(self, errors: list[Finding]) -> Iterator[OutSegment]:
        places: dict[int, list[tuple[EdifactPointer, str]]] = {}
        for error in errors:
            pointer = error.pointer
            if isinstance(pointer, EdifactPointer) and 0 < pointer.segment <= _LAST_POSITION:
                told = (pointer, code_for(error.code, self._version))
                places.setdefault(pointer.segment, []).append(told)
        room = SEGMENTS_TOLD
        for position in sorted(places):
            whole = dict.fromkeys(code for pointer, code in places[position] if self._s011(pointer) == {})
            parts = [(self._s011(pointer), code) for pointer, code in places[position]]
            elements = [(where, code) for where, code in parts if where]
            for number, code in enumerate(list(whole) or [""]):
                if not room:
                    return
                room -= 1
                yield segment("UCS", str(position), code)
                if number == 0:
                    yield from _ucds(elements)

    def _s011(self, pointer: EdifactPointer) -> cells.Cells:
        return cells.identified(pointer, self._version, 2)


def _service_fault(message: Message, error: Finding, tags: frozenset[str], version: int) -> cells.Cells:
    """0085 and what follows it in UCM; a security segment is told with 0534 and 0138, or not by its tag."""
    pointer = error.pointer
    if not isinstance(pointer, EdifactPointer) or pointer.tag not in cells.SECURITY_TAGS:
        return cells.fault(error, tags, version, 4)
    known = 0 < pointer.segment <= len(message.segments)
    place = cells.security(message.segments, pointer.segment) if known else None
    if place is None:
        return cells.fault(error, frozenset(), version, 4)
    return cells.fault(error, tags, version, 4) | {(9, 1): place[0], (10, 1): str(place[1])}


def _ucds(elements: list[tuple[cells.Cells, str]]) -> Iterator[OutSegment]:
    """Each fault of an element once."""
    told: set[tuple[object, ...]] = set()
    for where, code in elements:
        key = (code, *where.items())
        if key in told:
            continue
        if len(told) == ELEMENTS_TOLD:
            return
        told.add(key)
        yield _out("UCD", {(1, 1): code} | where)


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    """The syntax errors, each once."""
    kept = (f for f in findings if f.severity is Severity.ERROR and _SYNTAX_CODE.fullmatch(f.code))
    return list(dict.fromkeys(kept))


def _tag(finding: Finding) -> str:
    return finding.pointer.tag if isinstance(finding.pointer, EdifactPointer) else ""


def _out(tag: str, out: cells.Cells) -> OutSegment:
    return OutSegment(tag, {place: value for place, value in sorted(out.items()) if value})
