"""Octets of an interchange to text, by the repertoire its UNB declares."""

import re
from typing import NamedTuple

from ..finding import EdifactPointer, Severity
from .report import Code, Report
from .scanner import RawSegment
from .service import REPERTOIRES, Repertoire, ServiceString

_FALLBACK = "iso-8859-1"
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
# ISO 8859 has no graphic characters here.
_C1 = re.compile(rb"[\x80-\x9f]")
_PRINTABLE = bytes(range(0x20, 0x7F))
_HIGH = bytes(range(0x80, 0x100))


class Decoder(NamedTuple):
    """How the segments of one interchange become text."""

    level: str
    codec: str
    expected: bytes

    def decode(self, raw: RawSegment) -> str:
        """The text of a segment; never raises: what the codec cannot read is read octet by octet."""
        try:
            return raw.data.decode(self.codec)
        except UnicodeDecodeError:
            return raw.data.decode(_FALLBACK)

    def suspicious(self, raws: list[RawSegment]) -> bool:
        """True if some octet of `raws` is outside the repertoire: one pass at the speed of `translate`."""
        return bool(b"".join([raw.data for raw in raws]).translate(None, self.expected))


def decoder_for(
    level: str, data: bytes, service: ServiceString, report: Report, pointer: EdifactPointer
) -> Decoder:
    """The decoder for a syntax level; what the level and the octets do not agree on is reported.

    Octets that form UTF-8 under another level are read as UTF-8: as ISO 8859 they would be nonsense that only
    happens to decode, and the sender's text would be passed on damaged.
    """
    repertoire = REPERTOIRES.get(level)
    if repertoire is None:
        report.add(
            Code.CHARSET_NOT_SUPPORTED,
            "unknown syntax level, read as UNOB",
            pointer,
            value=level,
            expected="UNOA..UNOL, UNOW, UNOY",
        )
        repertoire = Repertoire("ascii")
    separators = service.advice()[3:].encode("latin-1")
    expected = (repertoire.allowed or _PRINTABLE) + separators
    if data.isascii():
        return Decoder(level, "ascii", expected)
    if repertoire.codec == "utf-8":
        return Decoder(level, "utf-8", expected + _HIGH)
    if _is_utf8(data):
        report.add(
            Code.CHARSET_NOT_SUPPORTED,
            "the octets are UTF-8, not what UNB declares; read as UTF-8",
            pointer,
            value=level,
            expected="UNOW",
            severity=Severity.WARNING,
        )
        return Decoder(level, "utf-8", expected + _HIGH)
    if repertoire.codec == "ascii":
        return Decoder(level, _FALLBACK, expected)
    return Decoder(level, repertoire.codec, expected + _HIGH)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def check_characters(raw: RawSegment, decoder: Decoder, report: Report, pointer: EdifactPointer) -> None:
    """Report what `raw` holds outside the repertoire.

    Lower case under UNOA is common in the field and reads unharmed: a warning. Control characters (a line
    wrapped inside data among them) and octets that do not decode are errors.
    """
    control = _CONTROL.search(raw.data.translate(None, decoder.expected))
    if control is not None:
        octet = control.group().decode("latin-1")
        what = "a line end inside data" if octet in "\r\n" else "a control character"
        report.add(Code.INVALID_CHARACTER, what, pointer, value=octet)
    if not raw.data.isascii() and decoder.codec != "utf-8":
        _check_high(raw, decoder, report, pointer)
    elif decoder.codec == "utf-8" and not _is_utf8(raw.data):
        report.add(Code.INVALID_CHARACTER, "octets that are not UTF-8", pointer)
    elif control is None and raw.data.translate(None, decoder.expected):
        text = "characters outside the declared level"
        report.add(
            Code.INVALID_CHARACTER, text, pointer, expected="UNOB or higher", severity=Severity.WARNING
        )


def _check_high(raw: RawSegment, decoder: Decoder, report: Report, pointer: EdifactPointer) -> None:
    if decoder.codec == _FALLBACK and decoder.level != "UNOC":
        report.add(
            Code.INVALID_CHARACTER, "octets above 7F under a 7-bit level", pointer, expected="UNOC or higher"
        )
        return
    if _C1.search(raw.data):
        report.add(Code.INVALID_CHARACTER, "a control character", pointer)
    try:
        raw.data.decode(decoder.codec)
    except UnicodeDecodeError:
        report.add(Code.INVALID_CHARACTER, "octets the declared repertoire does not have", pointer)
