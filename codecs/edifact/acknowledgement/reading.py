"""A CONTRL of any version to a value, and what it says as findings about what was sent."""

from collections.abc import Iterable

import msgspec

from ...finding import EdifactPointer, Finding
from ..interchange import Interchange, Message
from ..place import Locator, part_offset
from ..report import Code, Report
from ..scanner import Segment
from .codes import MEANINGS
from .contrl import REJECTING, Control, Fault, GroupVerdict, Place, Verdict

# A number of 0096, 0098, 0104, 0136 or 0138 has at most six digits.
_DIGITS = 6


def read_contrl(interchange: Interchange, message: Message) -> Control | None:
    """Read a CONTRL of version 2:2, D:3 and its kin, or 4:1; None where it has no UCI. Never raises.

    What cannot be read in it is left out; `validate` says what is wrong with it.
    """
    reader = _Reader()
    for segment in message.segments:
        reader.take(segment)
    return reader.control()


class _Reader:
    """Collects the levels in the order of the message."""

    def __init__(self) -> None:
        self._control: Control | None = None
        self._groups: list[GroupVerdict] = []
        self._messages: list[Verdict] = []
        self._faults: list[Fault] = []
        self._segment = 0

    def take(self, segment: Segment) -> None:
        """One segment; those of no meaning here are passed over."""
        tag = segment.tag
        if tag == "UCI" and self._control is None:
            self._control = _interchange(segment)
        elif tag == "UCF":
            self._close()
            self._groups.append(_group(segment))
        elif tag == "UCM":
            self._close()
            self._messages.append(_message(segment, self._groups[-1].reference if self._groups else None))
        elif tag == "UCS":
            self._segment = _number(segment.value(1)) or 0
            if segment.value(2):
                self._faults.append(Fault(segment=self._segment, code=segment.value(2)))
        elif tag == "UCD":
            where = _place(segment, 2, "")
            self._faults.append(
                Fault(
                    segment=self._segment,
                    code=segment.value(1),
                    element=where.element,
                    component=where.component,
                    repetition=where.repetition,
                )
            )

    def control(self) -> Control | None:
        """All of it."""
        self._close()
        if self._control is None:
            return None
        return msgspec.structs.replace(
            self._control, groups=tuple(self._groups), messages=tuple(self._messages)
        )

    def _close(self) -> None:
        if self._messages and self._faults:
            self._messages[-1] = msgspec.structs.replace(self._messages[-1], faults=tuple(self._faults))
        self._faults = []
        self._segment = 0


def _interchange(segment: Segment) -> Control:
    return Control(
        reference=segment.value(1),
        sender=segment.value(2),
        recipient=segment.value(3),
        action=segment.value(4),
        code=segment.value(5),
        place=_place(segment, 7, segment.value(6), 8),
    )


def _group(segment: Segment) -> GroupVerdict:
    return GroupVerdict(
        reference=segment.value(1),
        sender=segment.value(2),
        recipient=segment.value(3),
        action=segment.value(4),
        code=segment.value(5),
        place=_place(segment, 7, segment.value(6), 8),
    )


def _message(segment: Segment, group: str | None) -> Verdict:
    return Verdict(
        reference=segment.value(1),
        type=segment.value(2),
        action=segment.value(3),
        code=segment.value(4),
        place=_place(segment, 6, segment.value(5), 9),
        group=group,
        package=segment.value(7),
    )


def _place(segment: Segment, element: int, tag: str, security: int | None = None) -> Place:
    """S011 at `element`; 0534 and 0138 from `security` on. Position 1 of 0098 is the tag itself."""
    position = _number(segment.value(element))
    return Place(
        tag=tag,
        element=position - 1 if position is not None and position > 1 else None,
        component=_number(segment.value(element, 2)),
        repetition=_number(segment.value(element, 3)),
        security=segment.value(security) if security is not None else "",
        position=_number(segment.value(security + 1)) if security is not None else None,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def reported(control: Control, sent: Interchange) -> tuple[Finding, ...]:
    """What `control` rejects, as findings that point into `sent`, the interchange that it speaks of.

    Empty where it rejects nothing. What it says of a message or a segment that `sent` does not hold has no
    pointer. Never raises.
    """
    report = Report()
    if control.action in REJECTING and (control.code or not (control.groups or control.messages)):
        ends = (sent.header, sent.trailer)
        _tell(report, control.code, *_service(sent, control.place, "UNB", ends, None))
    for group in control.groups:
        if group.action in REJECTING and group.code:
            meant = next((one for one in sent.groups if one.reference == group.reference), None)
            ends = (None, None) if meant is None else (meant.header, meant.trailer)
            _tell(report, group.code, *_service(sent, group.place, "UNG", ends, group.reference))
    for verdict in control.messages:
        if verdict.action in REJECTING:
            _tell_message(report, verdict, sent)
    return report.findings()


def _tell(report: Report, code: str, pointer: EdifactPointer | None, value: str | None = None) -> None:
    told = code or Code.UNSPECIFIED.value
    report.add(told, MEANINGS.get(told, f"an error of code {told}"), pointer, value=value or None)


def _service(
    sent: Interchange, where: Place, tag: str, ends: tuple[Segment | None, Segment | None], group: str | None
) -> tuple[EdifactPointer, str | None]:
    """The pointer into a service segment outside messages, and the value there; `ends` are header and
    trailer. Without a tag it is the header."""
    segment = next((one for one in ends if one is not None and one.tag == (where.tag or tag)), None)
    pointer = EdifactPointer(
        segment=0,
        tag=where.tag or tag,
        element=where.element,
        component=where.component,
        repetition=where.repetition,
        offset=segment.offset if segment is not None else None,
        interchange=sent.reference,
        group=group,
    )
    if segment is None or where.element is None:
        return pointer, None
    part = (where.element, where.repetition or 1, where.component or 1)
    offset = part_offset(sent.data, segment.offset, sent.service, part)
    value = segment.value(where.element, where.component or 1)
    return (pointer if offset is None else msgspec.structs.replace(pointer, offset=offset)), value


def _tell_message(report: Report, verdict: Verdict, sent: Interchange) -> None:
    message = _find(sent.messages, verdict)
    if verdict.code or not verdict.faults:
        where, number = verdict.place, 1
        if message is not None and where.tag not in {"", "UNH"}:
            named = [one.number for one in message.segments if one.tag == where.tag]
            number = named[-1] if named else 1
        told = Fault(
            segment=number,
            code=verdict.code,
            element=where.element,
            component=where.component,
            repetition=where.repetition,
        )
        _tell_fault(report, told, sent, message)
    for fault in verdict.faults:
        _tell_fault(report, fault, sent, message)


def _tell_fault(report: Report, fault: Fault, sent: Interchange, message: Message | None) -> None:
    if message is None or not 1 <= fault.segment <= len(message.segments):
        _tell(report, fault.code, None)
        return
    segment = message.segments[fault.segment - 1]
    at = Locator(sent, message)(segment, fault.element, fault.component, fault.repetition)
    if fault.element is None:
        _tell(report, fault.code, at)
        return
    occurrences = segment.repetitions(fault.element)
    number = (fault.repetition or 1) - 1
    parts = occurrences[number] if number < len(occurrences) else ()
    component = (fault.component or 1) - 1
    _tell(report, fault.code, at, parts[component] if component < len(parts) else None)


def _find(messages: Iterable[Message], verdict: Verdict) -> Message | None:
    named = [message for message in messages if message.reference == verdict.reference and verdict.reference]
    grouped = [message for message in named if message.group == verdict.group]
    return next(iter(grouped or named), None)
