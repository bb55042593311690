"""Raw segments to one message: decoding, splitting, UNH against UNT."""

import re

from ..finding import EdifactPointer
from .header import Header
from .interchange import SUPPORTED_TYPES, Group, Message, place
from .report import Code, Report
from .scanner import RawSegment, Segment, parse
from .service import FIRST_VERSION_WITH_REPETITION, ServiceString
from .text import Decoder, check_characters

_TAG = re.compile("[A-Z][A-Z0-9]{2}")
# 0062 and 0048: an..14 (ISO 9735, annex C).
_REFERENCE_LENGTH = 14


class MessageMaker:
    """Makes the messages of one interchange."""

    def __init__(self, header: Header, service: ServiceString, decoder: Decoder) -> None:
        self.service = service
        self._header = header
        self._decoder = decoder
        self._references: set[tuple[str | None, str]] = set()
        self._reference: str | None = None

    def service_segment(self, raw: RawSegment) -> Segment:
        """A segment outside the messages."""
        return parse(raw, self._decoder.decode(raw), self.service, 0)

    def make(self, raws: list[RawSegment], group: Group | None, *, ended: bool) -> Message:
        """The message of `raws`, UNH first; `ended` if the last is its UNT. Never raises."""
        report = Report()
        decode, service = self._decoder.decode, self.service
        segments = tuple([parse(raw, decode(raw), service, n) for n, raw in enumerate(raws, 1)])
        header = segments[0]
        reference = self._reference = header.value(1)
        name = [header.value(2, n) for n in range(1, 6)]
        self._check_header(header, group, report)
        self._check_segments(raws, segments, report)
        if ended:
            trailer = segments[-1]
            context = {"interchange": self._header.reference, "message": reference}
            check_count(trailer, len(segments), "0074", report, **context)
            check_reference(trailer, reference, "0062", report, **context)
        else:
            last = segments[-1]
            pointer = EdifactPointer(
                segment=last.number, tag="UNT", interchange=self._header.reference, message=reference
            )
            report.add(Code.MISSING, "the message has no UNT", pointer, expected="UNT")
        return Message(
            reference=reference,
            type=name[0],
            version=name[1],
            release=name[2],
            agency=name[3],
            association=name[4],
            segments=segments,
            findings=report.findings(),
            start=raws[0].offset,
            end=raws[-1].offset + len(raws[-1].data) + 1,
            group=None if group is None else group.reference,
        )

    def _check_header(self, header: Segment, group: Group | None, report: Report) -> None:
        reference, kind = header.value(1), header.value(2)
        if not reference:
            report.add(Code.MISSING, "0062 is missing", self._point(header, 1), expected="0062")
        elif len(reference) > _REFERENCE_LENGTH:
            report.add(
                Code.TOO_LONG, "0062 is too long", self._point(header, 1), value=reference, expected="an..14"
            )
        key = (None if group is None else group.reference, reference)
        if key in self._references:
            report.add(
                Code.DUPLICATE,
                "this message reference was used before",
                self._point(header, 1),
                value=reference,
            )
        self._references.add(key)
        if kind not in SUPPORTED_TYPES:
            report.add(
                Code.VALUE_NOT_SUPPORTED,
                "this message type is not supported here" if kind else "S009 names no message type",
                self._point(header, 2, 1),
                value=kind,
                expected=", ".join(sorted(SUPPORTED_TYPES)),
            )
        if group is not None and group.type != kind and self._header.version < FIRST_VERSION_WITH_REPETITION:
            text = "the message is not of the type of its functional group"
            report.add(
                Code.MIXED_TYPES_IN_GROUP, text, self._point(header, 2, 1), value=kind, expected=group.type
            )

    def _check_segments(self, raws: list[RawSegment], segments: tuple[Segment, ...], report: Report) -> None:
        suspicious = self._decoder.suspicious(raws)
        for raw, segment in zip(raws, segments, strict=True):
            tag = segment.tag
            if len(tag) != 3 or not _TAG.fullmatch(tag):
                text = "a segment without content" if not raw.data else "not a segment tag"
                report.add(
                    Code.INVALID_VALUE, text, self._point(segment), value=tag, expected="three letters"
                )
            if suspicious or not raw.data.isascii():
                check_characters(raw, self._decoder, report, self._point(segment))

    def _point(
        self, segment: Segment, element: int | None = None, component: int | None = None
    ) -> EdifactPointer:
        return place(segment, element, component, interchange=self._header.reference, message=self._reference)


def check_count(
    trailer: Segment, number: int, name: str, report: Report, *, interchange: str, message: str | None = None
) -> None:
    """Report a control count that is no number (37) or not `number` (29). Leading zeros are accepted."""
    pointer = place(trailer, 1, 1, interchange=interchange, message=message)
    given = trailer.value(1)
    if not given:
        report.add(Code.MISSING, f"{name} is missing", pointer, expected=str(number))
    elif not (given.isascii() and given.isdecimal()):
        report.add(Code.INVALID_TYPE, f"{name} is not a number", pointer, value=given, expected=str(number))
    elif given.lstrip("0") != str(number).lstrip("0"):
        text = f"{name} does not match the number of instances received"
        report.add(Code.COUNT_DIFFERS, text, pointer, value=given, expected=str(number))


def check_reference(
    trailer: Segment,
    reference: str,
    name: str,
    report: Report,
    *,
    interchange: str,
    message: str | None = None,
) -> None:
    """Report a trailer whose reference is not its header's (28)."""
    given = trailer.value(2)
    if given != reference:
        pointer = place(trailer, 2, 1, interchange=interchange, message=message)
        text = f"{name} of {trailer.tag} is not that of its header"
        report.add(Code.REFERENCES_DIFFER, text, pointer, value=given, expected=reference)
