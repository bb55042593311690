"""UNB: who sends what to whom, in which syntax."""

from datetime import datetime

import msgspec

from ..finding import EdifactPointer, Severity
from .interchange import Party, place
from .report import Code, Report
from .scanner import RawSegment, Segment, parse
from .service import FIRST_VERSION_WITH_REPETITION, ServiceString, for_version

# UNB by number of element: name, mandatory, longest first component (0020 and 0032 by version 3).
_ELEMENTS = {
    2: ("S002", True, 35),
    3: ("S003", True, 35),
    4: ("S004", True, 8),
    5: ("0020", True, 14),
    7: ("0026", False, 14),
    8: ("0029", False, 1),
    9: ("0031", False, 1),
    10: ("0032", False, 35),
    11: ("0035", False, 1),
}
_VERSIONS = range(1, 5)
# UNB of the longest values in every element stays far below this; no terminator before it means no UNB.
MAX_HEADER = 2_048
TEST = "1"


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """UNB as read."""

    segment: Segment
    level: str
    version: int
    sender: Party
    recipient: Party
    prepared: datetime | None
    reference: str
    application: str
    acknowledgement: str
    agreement: str
    test: bool


def read_header(data: bytes, offset: int, service: ServiceString, report: Report) -> Header | None:
    """Read UNB at `offset`; None, with a finding, where its end cannot be found."""
    closing = _closing(data, offset, service)
    if closing < 0:
        pointer = EdifactPointer(segment=0, tag="UNB", offset=offset)
        report.add(Code.MISSING, "UNB has no terminator", pointer, expected=service.terminator)
        return None
    raw = RawSegment(data[offset:closing], offset)
    text = raw.data.decode("latin-1")
    first = parse(raw, text, service, 0)
    version = _version(first, report)
    segment = parse(raw, text, for_version(service, version), 0)
    _check_elements(segment, report)
    return Header(
        segment=segment,
        level=segment.value(1),
        version=version,
        sender=_party(segment, 2),
        recipient=_party(segment, 3),
        prepared=_prepared(segment, version, report),
        reference=segment.value(5),
        application=segment.value(7),
        acknowledgement=segment.value(9),
        agreement=segment.value(10),
        test=segment.value(11) == TEST,
    )


def _closing(data: bytes, offset: int, service: ServiceString) -> int:
    terminator = service.terminator.encode("latin-1")
    release = service.release.encode("latin-1")
    closing = data.find(terminator, offset, offset + MAX_HEADER)
    while closing >= 0 and release:
        before = data[offset:closing]
        if (len(before) - len(before.rstrip(release))) % 2 == 0:
            break
        closing = data.find(terminator, closing + 1, offset + MAX_HEADER)
    return closing


def _version(segment: Segment, report: Report) -> int:
    given = segment.value(1, 2)
    if given.isascii() and given.isdecimal() and int(given) in _VERSIONS:
        return int(given)
    pointer = place(segment, 1, 2, interchange=segment.value(5))
    report.add(
        Code.SYNTAX_NOT_SUPPORTED,
        "no known syntax version, read as 3",
        pointer,
        value=given,
        expected="1 to 4",
    )
    return 3


def _check_elements(segment: Segment, report: Report) -> None:
    reference = segment.value(5)
    for number, (name, mandatory, longest) in _ELEMENTS.items():
        value = segment.value(number)
        pointer = place(segment, number, 1, interchange=reference)
        if not value and mandatory:
            report.add(Code.MISSING, f"{name} is missing", pointer, expected=name)
        elif len(value) > longest:
            report.add(Code.TOO_LONG, f"{name} is too long", pointer, value=value, expected=f"an..{longest}")
    if len(segment.parts) > 12 + 1:
        pointer = place(segment, 13, interchange=reference)
        report.add(Code.TOO_MANY_CONSTITUENTS, "UNB has too many elements", pointer)


def _party(segment: Segment, element: int) -> Party:
    return Party(segment.value(element), segment.value(element, 2), segment.value(element, 3))


def _prepared(segment: Segment, version: int, report: Report) -> datetime | None:
    """S004: six digits of date, eight from version 4 on; either is read in any version."""
    day, hour = segment.value(4), segment.value(4, 2)
    if not day:
        return None
    pattern = "%Y%m%d%H%M" if len(day) == 8 else "%y%m%d%H%M"
    try:
        if version >= FIRST_VERSION_WITH_REPETITION and len(day) == 6:
            text = "S004 is written with six digits of date: syntax version 4 has eight"
            report.add(
                Code.INVALID_VALUE,
                text,
                place(segment, 4, 1, interchange=segment.value(5)),
                value=day,
                expected="yyyymmdd",
                severity=Severity.WARNING,
            )
        if not (day + hour).isascii() or not (day + hour).isdecimal():
            raise ValueError
        return datetime.strptime(day + hour, pattern)
    except ValueError:
        pointer = place(segment, 4, interchange=segment.value(5))
        report.add(
            Code.INVALID_VALUE,
            "S004 is not a date and time",
            pointer,
            value=f"{day}:{hour}",
            expected="yymmdd:hhmm",
        )
        return None
