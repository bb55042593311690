"""The octets of one message to a value: decoded, split, UNH against UNT."""

import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ..finding import EdifactPointer, Severity
from .interchange import Group, Interchange, Message
from .place import Locator
from .report import Code, Report
from .scanner import MAX_SEGMENT, TAG_LENGTH, Segment, Segments, read_segments
from .service import FIRST_VERSION_WITH_REPETITION
from .service_segments import check_service_segment
from .text import Decoder

_TAG = re.compile("[A-Z][A-Z0-9]{2}")
# 0062 and 0048: an..14 (ISO 9735, annex C).
_REFERENCE_LENGTH = 14
# 0074 has six digits in versions 1 to 3: a message with more segments could not be closed rightly.
MAX_SEGMENTS = 999_999
# Of a segment that is too long, as much as a finding looks at.
MAX_SHOWN = 64


class MessageMaker:
    """Makes the messages of one interchange, each as soon as its octets are there.

    `context` is the interchange as far as UNB tells it.
    """

    def __init__(self, context: Interchange, decoder: Decoder) -> None:
        self.made = 0
        self._context = context
        self._service = context.service
        self._decoder = decoder
        self._terminator = context.service.terminator.encode("latin-1")
        # The group that messages come in now, and the references of those in it that were whole.
        self._group: Group | None = None
        self._references: set[str] = set()

    def make(self, data: bytes, offset: int, group: Group | None, *, ended: bool) -> Message:
        """The message of `data`, UNH first, which begins at octet `offset` of the input; `ended` if its last
        segment is UNT. Never raises."""
        self.made += 1
        report = Report()
        count = data.count(self._terminator)
        kept = data if count <= MAX_SEGMENTS else data[: data.find(self._terminator) + 1]
        decoded = self._decoder.decode(kept)
        read = read_segments(decoded.text, offset, self._service, decoded.codec)
        segments = read.segments
        message = self._message(data, offset, group, read, decoded.codec)
        at = Locator(self._context, message)
        self._check_header(message, group, at, report, ended=ended)
        if not read.sound:
            self._check_tags(segments, at, report)
        if read.indented:
            text = "blanks before a segment"
            report.add(Code.INVALID_CHARACTER, text, at(segments[0]), value=" ", severity=Severity.WARNING)
        self._check_lengths(segments, len(kept), at, report)
        self._decoder.check(kept, decoded, segments, at, report)
        if count > MAX_SEGMENTS:
            text = f"a message of more than {MAX_SEGMENTS} segments is not read"
            report.add(Code.TOO_MANY_REPETITIONS, text, at(segments[0]), value=str(count))
        elif ended and not read.open:
            check_service_segment(segments[-1], self._context.syntax_version, at, report)
            check_trailer(segments[-1], ("0074", len(segments)), ("0062", message.reference), at, report)
        elif read.open:
            text = "the last segment has no terminator"
            report.add(Code.MISSING, text, at(segments[-1]), expected=self._service.terminator)
        else:
            report.add(Code.MISSING, "the message has no UNT", at(segments[-1], tag="UNT"), expected="UNT")
        return replace(message, findings=report.findings()) if len(report) else message

    def _message(
        self,
        data: bytes,
        offset: int,
        group: Group | None,
        read: Segments,
        codec: str,
    ) -> Message:
        header = read.segments[0]
        name = [*header.components(2), "", "", "", "", ""]
        return Message(
            reference=header.value(1),
            type=name[0],
            version=name[1],
            release=name[2],
            agency=name[3],
            association=name[4],
            segments=tuple(read.segments),
            tags=tuple(read.tags),
            data=data,
            codec=codec,
            start=offset,
            end=offset + len(data),
            group=None if group is None else group.reference,
            position=self.made,
        )

    def _check_tags(self, segments: Sequence[Segment], at: Locator, report: Report) -> None:
        newer = self._context.syntax_version >= FIRST_VERSION_WITH_REPETITION
        for segment in segments:
            if not _TAG.fullmatch(segment.tag):
                text = "not a segment tag" if segment.tag else "a segment without a tag"
                report.add(Code.INVALID_VALUE, text, at(segment), value=segment.tag, expected="three letters")
            elif newer and segment.text.startswith(self._service.component, TAG_LENGTH):
                text = "nesting is not told in syntax version 4"
                report.add(Code.NOT_SUPPORTED_HERE, text, at(segment), expected=segment.tag)
            if report.full:
                return

    def _check_lengths(self, segments: Sequence[Segment], total: int, at: Locator, report: Report) -> None:
        for segment in segments if total > MAX_SEGMENT else ():
            if len(segment.text) > MAX_SEGMENT:
                text, most = (
                    "the segment is too long, and is not taken apart",
                    f"at most {MAX_SEGMENT} characters",
                )
                report.add(Code.TOO_LONG, text, at(segment), value=segment.text[:MAX_SHOWN], expected=most)

    def _check_header(
        self, message: Message, group: Group | None, at: Locator, report: Report, *, ended: bool
    ) -> None:
        header, reference, kind = message.segments[0], message.reference, message.type
        if len(header.text) > MAX_SEGMENT:
            return
        if not reference:
            report.add(Code.MISSING, "0062 is missing", at(header, 1), expected="0062")
        elif len(reference) > _REFERENCE_LENGTH:
            report.add(Code.TOO_LONG, "0062 is too long", at(header, 1), value=reference, expected="an..14")
        if group is not self._group:
            self._group, self._references = group, set()
        if reference in self._references:
            text = "this message reference was used before"
            report.add(Code.DUPLICATE, text, at(header, 1), value=reference)
        if ended:
            self._references.add(reference)
        if not kind:
            report.add(Code.MISSING, "S009 names no message type", at(header, 2, 1), expected="0065")
        older = self._context.syntax_version < FIRST_VERSION_WITH_REPETITION
        if older and kind and group is not None and group.type not in {kind, ""}:
            text, pointer = "the message is not of the type of its functional group", at(header, 2, 1)
            report.add(Code.MIXED_TYPES_IN_GROUP, text, pointer, value=kind, expected=group.type)


def check_trailer(
    trailer: Segment,
    count: tuple[str, int],
    reference: tuple[str, str],
    at: Callable[[Segment, int, int], EdifactPointer],
    report: Report,
) -> None:
    """Check a trailer against what was counted and what its header says, each with the name of its element.

    Report a control count that is missing (13), no number (37) or wrong (29), and a reference that is not
    that of the header (28). Leading zeros of a count are accepted."""
    name, number = count
    given = trailer.value(1)
    if not given:
        report.add(Code.MISSING, f"{name} is missing", at(trailer, 1, 1), expected=str(number))
    elif not (given.isascii() and given.isdecimal()):
        text = f"{name} is not a number"
        report.add(Code.INVALID_TYPE, text, at(trailer, 1, 1), value=given, expected=str(number))
    elif given.lstrip("0") != str(number).lstrip("0"):
        text = f"{name} does not match the number of instances received"
        report.add(Code.COUNT_DIFFERS, text, at(trailer, 1, 1), value=given, expected=str(number))
    name, expected = reference
    if trailer.value(2) != expected:
        text = f"{name} of {trailer.tag} is not that of its header"
        report.add(Code.REFERENCES_DIFFER, text, at(trailer, 2, 1), value=trailer.value(2), expected=expected)
