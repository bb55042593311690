"""The service string advice and the character repertoires of ISO 9735."""

import re
from typing import NamedTuple

import msgspec

from ..finding import EdifactPointer, Severity
from .report import Code, Report

UNA_LENGTH = 9
# Service characters a sender may choose: printable ASCII that is neither letter nor digit (ISO 9735-1, 5),
# and the information separators of level B.
_SEPARATOR = re.compile(r"[!-/:-@\[-`{-~\x1c-\x1f]")
# Octets 1 to 9 of UNA and the start of UNB, for an interchange that does not begin at the first octet.
_START = re.compile(rb"UNA[^A-Za-z0-9]{6}[\r\n]*UNB|UNB[+\x1d][A-Z]{4}")
# What an interchange without text before it begins with; UNH and UNG where UNB was left out.
_FIRST = (b"UNA", b"UNB", b"UNH+", b"UNG+", b"UIB")
BLANK = b"\r\n\t \x00\x1a"
# Text before the interchange is looked through only so far: a mail header is short, a wrong file is long.
MAX_LEADING = 65_536
FIRST_VERSION_WITH_REPETITION = 4


class ServiceString(msgspec.Struct, frozen=True, cache_hash=True):
    """The separators of one interchange; `release` and `repetition` are empty where there is none."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = ""
    terminator: str = "'"
    explicit: bool = False

    def plain(self) -> "ServiceString":
        """The same separators, as if no UNA had named them."""
        return ServiceString(
            self.component, self.element, ".", self.release, self.repetition, self.terminator
        )

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
# UNTDID 0001. UNOX is ISO 2022, which switches sets inside the text; IATA, IATB, SIRE and ANSI are levels
# that other trades made up on the pattern of A and B.
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
    "UNOX": Repertoire("iso2022"),
    "UNOY": Repertoire("utf-8"),
    "IATA": Repertoire("ascii"),
    "IATB": Repertoire("ascii"),
    "SIRE": Repertoire("ascii"),
    "ANSI": Repertoire("ascii"),
}


class Start(NamedTuple):
    """Where an interchange begins (`start`: UNA, UNB or what stands in its place) and the segment after UNA,
    with the separators to read it by. `bare` where UNB is missing."""

    start: int
    header: int
    service: ServiceString
    bare: bool = False


class Opening(NamedTuple):
    """Octets in which an interchange is to begin: `base` is the offset of the first of them in the input."""

    data: bytes | bytearray
    begin: int
    base: int = 0

    def at(self, tag: str, offset: int) -> EdifactPointer:
        """The pointer of a segment that begins at `offset` of `data`."""
        return EdifactPointer(segment=0, tag=tag, offset=self.base + offset)

    def quote(self, begin: int, end: int) -> str:
        """What stands there, for a finding."""
        return bytes(self.data[begin:end]).decode("latin-1")


def skip_blank(data: bytes | bytearray, begin: int) -> int:
    """The first octet from `begin` on that is not blank, at most MAX_LEADING further."""
    stretch = data[begin : begin + MAX_LEADING]
    return begin + len(stretch) - len(stretch.lstrip(BLANK))


def find_start(opening: Opening, report: Report, *, leading_text: bool = True) -> Start | None:
    """The next interchange at or after `opening.begin`; None, with a finding, where there is none to read.

    Text before it is skipped with a warning, with an error unless `leading_text`.
    """
    data, start = opening.data, skip_blank(opening.data, opening.begin)
    if not data.startswith(_FIRST, start):
        found = _START.search(data, start, start + MAX_LEADING)
        if found is None:
            text = "no UNA or UNB: this is not an interchange" if start < len(data) else "the file is empty"
            pointer, value = opening.at("UNB", start), opening.quote(start, start + 16)
            report.add(Code.MISSING, text, pointer, value=value or None, expected="UNB")
            return None
        _junk(opening, start, found.start(), report, Severity.WARNING if leading_text else Severity.ERROR)
        start = found.start()
    header = start + UNA_LENGTH if data.startswith(b"UNA", start) else start
    header = skip_blank(data, header)
    if data[header : header + 3] == b"UIB":
        text = "UIB: interactive interchanges are not read here"
        report.add(Code.ENVELOPE_NOT_SUPPORTED, text, opening.at("UIB", header))
        return None
    if data.startswith(b"UNA", start):
        return _with_advice(opening, start, report)
    return _without_advice(opening, start, report)


def _junk(opening: Opening, start: int, end: int, report: Report, severity: Severity) -> None:
    junk = bytes(opening.data[start:end]).strip(BLANK)
    what = "a byte order mark" if junk in {b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"} else "text"
    text = f"{what} before UNB ({end - start} octets skipped)"
    value = junk[:36].decode("latin-1")
    report.add(Code.INVALID_CHARACTER, text, opening.at("UNB", start), value=value, severity=severity)


def _with_advice(opening: Opening, start: int, report: Report) -> Start | None:
    data = opening.data
    advice = opening.quote(start + 3, start + UNA_LENGTH)
    used = [mark for mark in (advice[n : n + 1] for n in (0, 1, 3, 4, 5)) if mark != " "]
    # A line feed ends the segments of some who write each on a line of its own.
    good = all(_SEPARATOR.fullmatch(mark) for mark in used[:-1]) and len(set(used)) == len(used)
    good = good and (advice[5:6] == "\n" or _SEPARATOR.fullmatch(advice[5:6]) is not None)
    if len(advice) < 6 or " " in (advice[0], advice[1], advice[5]) or not good:
        text = "the service string advice does not give distinct service characters"
        pointer = opening.at("UNA", start)
        report.add(Code.INVALID_SERVICE_CHARACTER, text, pointer, value=advice, expected=":+.? '")
        return None
    if advice[2] not in ".,":
        text, pointer = "the decimal mark is neither . nor ,", opening.at("UNA", start)
        report.add(Code.INVALID_SERVICE_CHARACTER, text, pointer, value=advice[2])
        return None
    service = ServiceString(
        component=advice[0],
        element=advice[1],
        decimal=advice[2],
        release=advice[3].strip(" "),
        repetition=advice[4].strip(" "),
        terminator=advice[5],
        explicit=True,
    )
    header = start + UNA_LENGTH
    while data[header : header + 1] in (b"\r", b"\n", b" "):
        header += 1
    following = opening.quote(header, header + 4)
    if following == f"UNB{service.element}":
        return Start(start, header, service)
    text, expected = "UNA is not followed by UNB", f"UNB{service.element}"
    report.add(Code.MISSING, text, opening.at("UNB", header), value=following, expected=expected)
    bare = following in {f"UNH{service.element}", f"UNG{service.element}"}
    return Start(start, header, service, bare=True) if bare else None


def _without_advice(opening: Opening, start: int, report: Report) -> Start | None:
    separator = opening.quote(start + 3, start + 4)
    if opening.data[start : start + 3] in (b"UNH", b"UNG"):
        text = "the interchange has no UNB"
        report.add(Code.MISSING, text, opening.at("UNB", start), expected="UNB")
        return Start(start, start, DEFAULT, bare=True)
    if separator == "+":
        return Start(start, start, DEFAULT)
    if separator == LEVEL_B.element:
        return Start(start, start, LEVEL_B)
    text = "UNB is followed by no known element separator and there is no UNA"
    pointer = opening.at("UNB", start)
    report.add(Code.INVALID_SERVICE_CHARACTER, text, pointer, value=separator, expected="+")
    return None


def for_version(service: ServiceString, version: int) -> ServiceString:
    """The separators once the syntax version of UNB is known: repetition exists from version 4 only."""
    if version < FIRST_VERSION_WITH_REPETITION:
        return msgspec.structs.replace(service, repetition="")
    if service.explicit:
        return service
    return msgspec.structs.replace(service, repetition="*")
