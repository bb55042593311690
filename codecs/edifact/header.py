"""UNB: who sends what to whom, in which syntax."""

import functools
from datetime import datetime

import msgspec

from ..finding import Severity
from .interchange import Party
from .place import place
from .report import Code, Report
from .scanner import Segment, read_segment
from .service import DEFAULT, FIRST_VERSION_WITH_REPETITION, ServiceString, for_version
from .service_segments import check_service_segment
from .text import ANY_OCTET

_VERSIONS = range(1, 5)
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


def read_header(
    data: bytes, offset: int, service: ServiceString, report: Report, *, advice: int | None = None
) -> Header:
    """Read UNB from its octets without the terminator; `offset` is where they begin, `advice` where UNA does.

    UNB is in ASCII whatever it declares; other octets are read one by one.
    """
    text = data.decode(ANY_OCTET)
    version = _version(read_segment(text, offset, service), report)
    segment = read_segment(text, offset, for_version(service, version))
    at = functools.partial(place, interchange=segment.value(5))
    check_service_segment(segment, version, at, report)
    header = Header(
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
    if version >= FIRST_VERSION_WITH_REPETITION and service.explicit and not service.repetition:
        text, pointer = "UNA gives no repetition separator, as syntax version 4 asks", at(segment)
        pointer = msgspec.structs.replace(pointer, tag="UNA", offset=offset if advice is None else advice)
        severity = Severity.WARNING
        report.add(Code.INVALID_SERVICE_CHARACTER, text, pointer, expected="*", severity=severity)
    return header


def no_header(offset: int) -> Header:
    """What stands for a UNB that is missing: version 3, and the level that reads every octet."""
    segment = read_segment("UNB", offset, DEFAULT)
    empty = Party("")
    return Header(
        segment=segment,
        level="UNOC",
        version=3,
        sender=empty,
        recipient=empty,
        prepared=None,
        reference="",
        application="",
        acknowledgement="",
        agreement="",
        test=False,
    )


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


def _party(segment: Segment, element: int) -> Party:
    return Party(segment.value(element), segment.value(element, 2), segment.value(element, 3))


def _prepared(segment: Segment, version: int, report: Report) -> datetime | None:
    """S004: six digits of date, eight from version 4 on; either is read in any version."""
    day, hour = segment.value(4), segment.value(4, 2)
    if not day:
        return None
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
        return _moment(day, hour)
    except ValueError:
        pointer = place(segment, 4, interchange=segment.value(5))
        report.add(
            Code.INVALID_VALUE,
            "S004 is not a date and time",
            pointer,
            value=f"{day}:{hour}",
            expected="yymmdd:hhmm" if version < FIRST_VERSION_WITH_REPETITION else "yyyymmdd:hhmm",
        )
        return None


def _moment(day: str, hour: str) -> datetime:
    """Digits as a moment, years of two digits from 1969 on; raises ValueError where they are none."""
    if len(day) not in {6, 8} or len(hour) != 4:
        raise ValueError(day, hour)
    year = int(day[:-4])
    if len(day) == 6:
        year += 1900 if year >= 69 else 2000
    return datetime(year, int(day[-4:-2]), int(day[-2:]), int(hour[:2]), int(hour[2:]))
