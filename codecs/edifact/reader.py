"""Octets to interchanges: the envelope with every count and reference checked (ISO 9735-1, 8 and annex B)."""

import re

import msgspec

from ..finding import EdifactPointer, Finding
from .header import Header, read_header
from .interchange import Group, Interchange, Message, place
from .message import MessageMaker, check_count, check_reference
from .report import Code, Report
from .scanner import RawSegment, Segment, scan
from .service import ServiceString, find_start, for_version
from .text import Decoder, decoder_for

# A file with more interchanges than this is not read past the limit, and the last one says so.
MAX_INTERCHANGES = 1_000
# Blank octets between two interchanges of a file.
LOOK_AHEAD = 512
# A run of release characters longer than this before a terminator is no text anyone sends.
MAX_RELEASES = 64
_BLANK = b" \t\r\n\x00\x1a"
# What ends an interchange: its trailer, or the next one where the trailer is missing.
_ENDS = {"UNZ", "UNB", "UNA"}
_NOT_SUPPORTED = {"UNO", "UNP", "UIB", "UIH", "UIT", "UIZ"}


def read_interchange(data: bytes, begin: int = 0) -> Interchange:
    """Read the interchange that begins at or after octet `begin` of `data`.

    Never raises: what is wrong is in the findings, here and in each message. Data after UNZ is an error here;
    `read_interchanges` takes a file that holds several.
    """
    interchange = _read(data, begin)
    rest = data[interchange.end :].strip(_BLANK)
    if not interchange.end or not rest:
        return interchange
    report = Report()
    report.add(
        Code.OUTSIDE_MESSAGE,
        "another interchange follows in the same file" if rest[:3] in (b"UNA", b"UNB") else "data after UNZ",
        EdifactPointer(segment=0, tag="UNZ", offset=interchange.end, interchange=interchange.reference),
        value=rest[:36].decode("latin-1"),
    )
    report.extend(interchange.findings)
    return msgspec.structs.replace(interchange, findings=report.findings())


def read_interchanges(data: bytes) -> tuple[Interchange, ...]:
    """Read every interchange of a file, each with its own UNA; at least one value, never raises."""
    found = [_read(data, 0)]
    while found[-1].end and len(found) < MAX_INTERCHANGES:
        if data[found[-1].end : found[-1].end + LOOK_AHEAD].lstrip(_BLANK)[:3] not in (b"UNA", b"UNB"):
            break
        found.append(_read(data, found[-1].end))
    if found[-1].end:
        found[-1] = read_interchange(data, found[-1].start)
    return tuple(found)


def _read(data: bytes, begin: int) -> Interchange:
    report = Report()
    start = find_start(data, begin, report)
    if start is None:
        return Interchange(data=data, findings=report.findings(), start=begin)
    header = read_header(data, start.header, start.service, report)
    if header is None:
        return Interchange(data=data, service=start.service, findings=report.findings(), start=start.start)
    service = for_version(start.service, header.version)
    end = _end(data, start.header, service)
    pointer = place(header.segment, 1, 1, interchange=header.reference)
    stretch = data if start.start == 0 and end == len(data) else data[start.start : end]
    decoder = decoder_for(header.level, stretch, service, report, pointer)
    scanned = scan(data, start.header, service, end)
    raws = scanned.segments
    if scanned.rest.strip(_BLANK):
        raws.append(RawSegment(scanned.rest, scanned.rest_offset))
        report.add(
            Code.MISSING,
            "the last segment has no terminator",
            EdifactPointer(
                segment=0, tag=raws[-1].tag, offset=scanned.rest_offset, interchange=header.reference
            ),
            expected=service.terminator,
        )
    builder = _Builder(header, service, decoder, report)
    builder.walk(raws[1:])
    return builder.finish(data, start.start, min(builder.stopped or end, end))


def _end(data: bytes, begin: int, service: ServiceString) -> int:
    """The octet after UNZ and its terminator; the end of `data` where there is none.

    Found before splitting, so that a file of many interchanges is not split once for each of them.
    """
    terminator, element, release = (
        part.encode("latin-1") for part in (service.terminator, service.element, service.release)
    )
    pattern = re.compile(re.escape(terminator) + rb"[\r\n]*UNZ" + re.escape(element))
    found = pattern.search(data, begin)
    while found is not None:
        before = data[max(begin, found.start() - MAX_RELEASES) : found.start()]
        if not release or (len(before) - len(before.rstrip(release))) % 2 == 0:
            closing = data.find(terminator, found.end())
            return len(data) if closing < 0 else closing + 1
        found = pattern.search(data, found.end())
    return len(data)


class _Builder:
    """Sorts raw segments into messages and groups, and checks each trailer against its header."""

    def __init__(self, header: Header, service: ServiceString, decoder: Decoder, report: Report) -> None:
        self._header = header
        self._messages: list[Message] = []
        self._maker = MessageMaker(header, service, decoder)
        self._report = report
        self._groups: list[Group] = []
        self._group: Group | None = None
        self._group_messages = 0
        self._open: list[RawSegment] = []
        self._trailer: Segment | None = None
        self.stopped: int | None = None

    def walk(self, raws: list[RawSegment]) -> None:
        """Take the segments after UNB; stops at UNZ, or before another UNB."""
        steps = {
            "UNH": self._unh,
            "UNT": self._unt,
            "UNG": self._ung,
            "UNE": self._une,
        }
        for raw in raws:
            tag = raw.tag
            if tag in steps:
                steps[tag](raw)
            elif tag in _ENDS:
                self._close_message()
                self._close_group()
                if tag == "UNZ":
                    self._trailer = self._maker.service_segment(raw)
                else:
                    self.stopped = raw.offset
                return
            elif self._open:
                self._open.append(raw)
            else:
                self._outside(raw)
        self._close_message()
        self._close_group()

    def finish(self, data: bytes, start: int, end: int) -> Interchange:
        """The interchange, with UNZ checked."""
        self._check_trailer()
        header = self._header
        return Interchange(
            data=data,
            service=self._maker.service,
            syntax=header.level,
            syntax_version=header.version,
            sender=header.sender.id,
            recipient=header.recipient.id,
            sender_party=header.sender,
            recipient_party=header.recipient,
            prepared=header.prepared,
            reference=header.reference,
            application=header.application,
            acknowledgement=header.acknowledgement,
            agreement=header.agreement,
            test=header.test,
            groups=tuple(self._groups),
            messages=self._numbered(),
            findings=self._report.findings(),
            start=start,
            end=end,
        )

    def _numbered(self) -> tuple[Message, ...]:
        """The messages; where there are several, each finding says which it is in."""
        if len(self._messages) < 2:
            return tuple(self._messages)
        return tuple(
            msgspec.structs.replace(
                message,
                position=position,
                findings=tuple(_in_message(finding, position) for finding in message.findings),
            )
            for position, message in enumerate(self._messages, 1)
        )

    def _unh(self, raw: RawSegment) -> None:
        self._close_message()
        if self._groups and self._group is None:
            pointer = self._point(self._maker.service_segment(raw))
            self._report.add(
                Code.GROUPS_AND_MESSAGES_MIXED, "a message outside the functional groups", pointer
            )
        self._open = [raw]

    def _unt(self, raw: RawSegment) -> None:
        if not self._open:
            self._outside(raw)
            return
        self._open.append(raw)
        self._close_message(ended=True)

    def _ung(self, raw: RawSegment) -> None:
        self._close_message()
        self._close_group()
        segment = self._maker.service_segment(raw)
        if self._messages and not self._groups:
            text = "a functional group after messages outside groups"
            self._report.add(Code.GROUPS_AND_MESSAGES_MIXED, text, self._point(segment))
        self._group = Group(
            reference=segment.value(5),
            type=segment.value(1),
            sender=segment.value(2),
            recipient=segment.value(3),
        )
        self._groups.append(self._group)
        self._group_messages = 0

    def _une(self, raw: RawSegment) -> None:
        self._close_message()
        if self._group is None:
            self._outside(raw)
            return
        segment = self._maker.service_segment(raw)
        self._check_pair(segment, self._group_messages, self._group.reference, ("0060", "0048"))
        self._close_group(segment)

    def _close_group(self, trailer: Segment | None = None) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        tag = EdifactPointer(segment=0, tag="UNE", interchange=self._header.reference, group=group.reference)
        if trailer is None:
            self._report.add(Code.MISSING, "the functional group has no UNE", tag, expected="UNE")
        if not self._group_messages:
            self._report.add(Code.LOWER_LEVEL_EMPTY, "the functional group holds no message", tag)

    def _close_message(self, *, ended: bool = False) -> None:
        raws, self._open = self._open, []
        if raws:
            self._messages.append(self._maker.make(raws, self._group, ended=ended))
            self._group_messages += 1

    def _outside(self, raw: RawSegment) -> None:
        pointer = self._point(self._maker.service_segment(raw))
        if raw.tag in _NOT_SUPPORTED:
            text = "packages and interactive exchanges are not supported"
            self._report.add(Code.ENVELOPE_NOT_SUPPORTED, text, pointer)
            return
        value = raw.data[:36].decode("latin-1")
        self._report.add(Code.OUTSIDE_MESSAGE, "a segment outside any message", pointer, value=value)

    def _check_trailer(self) -> None:
        reference = self._header.reference
        if self._trailer is None:
            pointer = EdifactPointer(segment=0, tag="UNZ", interchange=reference)
            self._report.add(Code.MISSING, "the interchange has no UNZ", pointer, expected="UNZ")
        else:
            number = len(self._groups) or len(self._messages)
            self._check_pair(self._trailer, number, reference, ("0036", "0020"))
        if not self._messages and not self._groups:
            pointer = EdifactPointer(segment=0, tag="UNZ", interchange=reference)
            self._report.add(Code.LOWER_LEVEL_EMPTY, "the interchange holds no message", pointer)

    def _check_pair(self, trailer: Segment, number: int, reference: str, names: tuple[str, str]) -> None:
        check_count(trailer, number, names[0], self._report, interchange=self._header.reference)
        check_reference(trailer, reference, names[1], self._report, interchange=self._header.reference)

    def _point(self, segment: Segment) -> EdifactPointer:
        return place(segment, interchange=self._header.reference)


def _in_message(finding: Finding, position: int) -> Finding:
    if not isinstance(finding.pointer, EdifactPointer):
        return finding
    return msgspec.structs.replace(
        finding, pointer=msgspec.structs.replace(finding.pointer, position=position)
    )
