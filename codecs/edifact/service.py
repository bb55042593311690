"""The service string advice and the character repertoires of ISO 9735."""

import re
from typing import NamedTuple

import msgspec

from ..finding import EdifactPointer, Severity
from .report import Code, Report

UNA_LENGTH = 9
# Service characters a sender may choose: printable ASCII that is neither letter nor digit (ISO 9735-1, 5),
# and the information separators of level B.
_SEPARATOR = re.compile(rb"[!-/:-@\[-`{-~\x1c-\x1f]")
# Octets 1 to 9 of UNA and the start of UNB, for an interchange that does not begin at the first octet.
_START = re.compile(rb"UNA[^A-Za-z0-9]{6}[\r\n]*UNB|UNB[+\x1d][A-Z]{4}")
_BLANK_BEFORE = b"\r\n\t \x00"
_UTF16 = re.compile(rb"(?:\xff\xfe)?[ \t\r\n\0]*U\0N\0[AB]\0|(?:\xfe\xff)?[ \t\r\n\0]*\0U\0N\0[AB]")
# Text before the interchange is looked through only so far: a mail header is short, a wrong file is long.
MAX_LEADING = 65_536
FIRST_VERSION_WITH_REPETITION = 4


class ServiceString(msgspec.Struct, frozen=True):
    """The separators of one interchange; `release` and `repetition` are empty where there is none."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = ""
    terminator: str = "'"
    explicit: bool = False

    def advice(self) -> str:
        """The UNA segment."""
        repetition = self.repetition or " "
        release = self.release or " "
        return f"UNA{self.component}{self.element}{self.decimal}{release}{repetition}{self.terminator}"


DEFAULT = ServiceString()
# Level B by the letter of versions 1 to 3 (ISO 9735:1988, 5.2): IS3, IS1 and IS4.
LEVEL_B = ServiceString(component="\x1f", element="\x1d", release="", terminator="\x1c")


class Repertoire(NamedTuple):
    """How the octets of a syntax level are decoded, and which printable ASCII it allows (None: all)."""

    codec: str
    allowed: bytes | None = None


_LEVEL_A = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-()/=!\"%&*;<>'+:?"
# UNTDID 0001. UNOX (ISO 2022) switches sets inside the text and is refused; IATA, IATB, SIRE and ANSI are
# levels that other trades made up on the pattern of A and B.
REPERTOIRES = {
    "UNOA": Repertoire("ascii", _LEVEL_A),
    "UNOB": Repertoire("ascii"),
    "UNOC": Repertoire("iso-8859-1"),
    "UNOD": Repertoire("iso-8859-2"),
    "UNOE": Repertoire("iso-8859-5"),
    "UNOF": Repertoire("iso-8859-7"),
    "UNOG": Repertoire("iso-8859-3"),
    "UNOH": Repertoire("iso-8859-4"),
    "UNOI": Repertoire("iso-8859-6"),
    "UNOJ": Repertoire("iso-8859-8"),
    "UNOK": Repertoire("iso-8859-9"),
    "UNOL": Repertoire("iso-8859-15"),
    "UNOW": Repertoire("utf-8"),
    "UNOY": Repertoire("utf-8"),
    "IATA": Repertoire("ascii"),
    "IATB": Repertoire("ascii"),
    "SIRE": Repertoire("ascii"),
    "ANSI": Repertoire("ascii"),
}


class Start(NamedTuple):
    """Where an interchange begins (`start`: UNA or UNB) and its UNB, with the separators to read it by."""

    start: int
    header: int
    service: ServiceString


def find_start(data: bytes, begin: int, report: Report) -> Start | None:
    """The next interchange at or after octet `begin`; None, with a finding, where there is none to read."""
    start = (
        begin
        + len(data[begin : begin + MAX_LEADING])
        - len(data[begin : begin + MAX_LEADING].lstrip(_BLANK_BEFORE))
    )
    if not data.startswith((b"UNA", b"UNB"), start):
        text = _no_octets(data, begin)
        if text is not None:
            report.add(Code.MISSING, text, EdifactPointer(segment=0, tag="UNB", offset=begin), expected="UNB")
            return None
        found = _START.search(data, start, start + MAX_LEADING)
        if found is None:
            report.add(
                Code.MISSING,
                "no UNA or UNB: this is not an interchange",
                EdifactPointer(segment=0, tag="UNB", offset=start),
                value=data[start : start + 16].decode("latin-1"),
                expected="UNB",
            )
            return None
        junk = data[start : found.start()]
        what = "a byte order mark" if junk.strip() in {b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"} else "text"
        report.add(
            Code.INVALID_CHARACTER,
            f"{what} before UNB ({len(junk)} octets skipped)",
            EdifactPointer(segment=0, tag="UNB", offset=start),
            value=junk.strip(_BLANK_BEFORE)[:36].decode("latin-1"),
            severity=Severity.WARNING,
        )
        start = found.start()
    if data.startswith(b"UNA", start):
        return _with_advice(data, start, report)
    return _without_advice(data, start, report)


def _no_octets(data: bytes, begin: int) -> str | None:
    """What to say of a file with nothing in it, or with two octets a character."""
    if not data[begin : begin + MAX_LEADING].strip(_BLANK_BEFORE):
        return "the file is empty"
    return "this is UTF-16, not EDIFACT in octets" if _UTF16.match(data, begin) else None


def _with_advice(data: bytes, start: int, report: Report) -> Start | None:
    advice = data[start + 3 : start + UNA_LENGTH]
    pointer = EdifactPointer(segment=0, tag="UNA", offset=start)
    used = [advice[i : i + 1] for i in (0, 1, 3, 4, 5) if advice[i : i + 1] != b" "]
    separators_good = all(_SEPARATOR.fullmatch(octet) for octet in used) and len(set(used)) == len(used)
    if len(advice) < 6 or b" " in (advice[0:1], advice[1:2], advice[5:6]) or not separators_good:
        text = "the service string advice does not give distinct service characters"
        report.add(
            Code.INVALID_SERVICE_CHARACTER, text, pointer, value=advice.decode("latin-1"), expected=":+.? '"
        )
        return None
    chars = advice.decode("latin-1")
    if chars[2] not in ".,":
        report.add(
            Code.INVALID_SERVICE_CHARACTER, "the decimal mark is neither . nor ,", pointer, value=chars[2]
        )
        return None
    service = ServiceString(
        component=chars[0],
        element=chars[1],
        decimal=chars[2],
        release=chars[3].strip(),
        repetition=chars[4].strip(),
        terminator=chars[5],
        explicit=True,
    )
    header = start + UNA_LENGTH
    while data[header : header + 1] in (b"\r", b"\n", b" "):
        header += 1
    if data[header : header + 4] != b"UNB" + chars[1].encode("latin-1"):
        report.add(
            Code.MISSING,
            "UNA is not followed by UNB",
            EdifactPointer(segment=0, tag="UNB", offset=header),
            value=data[header : header + 4].decode("latin-1"),
            expected=f"UNB{chars[1]}",
        )
        return None
    return Start(start, header, service)


def _without_advice(data: bytes, start: int, report: Report) -> Start | None:
    separator = data[start + 3 : start + 4]
    if separator == b"+":
        return Start(start, start, DEFAULT)
    if separator == b"\x1d":
        return Start(start, start, LEVEL_B)
    report.add(
        Code.INVALID_SERVICE_CHARACTER,
        "UNB is followed by no known element separator and there is no UNA",
        EdifactPointer(segment=0, tag="UNB", offset=start),
        value=separator.decode("latin-1"),
        expected="+",
    )
    return None


def for_version(service: ServiceString, version: int) -> ServiceString:
    """The separators once the syntax version of UNB is known: repetition exists from version 4 only."""
    if version < FIRST_VERSION_WITH_REPETITION:
        return msgspec.structs.replace(service, repetition="")
    if service.explicit:
        return service
    return msgspec.structs.replace(service, repetition="*")
