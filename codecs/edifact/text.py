"""Octets of an interchange to text, by the repertoire UNB declares and what the partner's profile allows."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from ..finding import EdifactPointer, Severity
from .report import Code, Report
from .scanner import Segment
from .service import REPERTOIRES, Repertoire, ServiceString

ANY_OCTET = "iso-8859-1"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# ISO 8859 has no graphic characters here; UTF-8 does, for half of the letters of Europe.
_C1 = re.compile("[\x80-\x9f]")
_C1_OCTETS = re.compile(rb"[\x80-\x9f]")
_C1_IN_UTF8 = re.compile(rb"\xc2[\x80-\x9f]")
_PRINTABLE = bytes(range(0x20, 0x7F))
_HIGH = {repertoire.codec: bytes(range(0xA0, 0x100)) for repertoire in REPERTOIRES.values()}
_HIGH |= {"ascii": b"", "iso2022": b"", "utf-8": bytes(range(0x80, 0x100))}
# Levels under which octets that form UTF-8 can hardly be anything else.
_WESTERN = frozenset({"UNOA", "UNOB", "UNOC", "IATA", "IATB", "SIRE", "ANSI"})
# ISO 2022 names sets by escape sequences; these codecs know the ones of Japan and Korea.
_ISO_2022 = ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr")
# The one set that is shifted to; the codecs of Japan take the shifts for characters.
_KOREAN = b"\x1b$)C"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is agreed with a partner beyond the standard.

    With `utf8`, octets that form UTF-8 under another level are read with a warning; without it they are an
    error. With `leading_text`, text before UNA or UNB (a byte order mark, the header of a mail) is a warning;
    without it, an error.
    """

    utf8: bool = False
    leading_text: bool = True


class Decoded(NamedTuple):
    """A stretch as text, and the codec that gives its octets again."""

    text: str
    codec: str
    fault: Severity | None = None


class Decoder:
    """How the messages of one interchange become text. It keeps nothing of them."""

    def __init__(self, level: str, service: ServiceString, profile: Profile = Profile()) -> None:
        self.level = level
        repertoire = REPERTOIRES.get(level, Repertoire("ascii"))
        self.codec = repertoire.codec
        self._profile = profile
        separators = service.advice()[3:].encode("latin-1")
        self._expected = (repertoire.allowed or _PRINTABLE) + separators
        self._usual = self._expected + _HIGH.get(self.codec, b"")
        self._separators = str.maketrans("", "", service.advice()[3:])
        self._narrow = None if repertoire.allowed is None else frozenset(self._expected.decode("latin-1"))

    @property
    def known(self) -> bool:
        """False where UNB declares a level nobody knows; it is read as UNOB then."""
        return self.level in REPERTOIRES

    def decode(self, data: bytes) -> Decoded:
        """The text of `data`; never raises: what the codec cannot read is read octet by octet.

        Octets that form UTF-8 under another level are read as UTF-8: as ISO 8859 they would be nonsense that
        only happens to decode, and the sender's text would be passed on damaged. `fault` then says what that
        is by the profile.
        """
        if data.isascii() and not (self.codec == "iso2022" and b"\x1b" in data):
            return Decoded(data.decode("ascii"), "ascii")
        if self.codec == "utf-8":
            return _decode(data, "utf-8")
        if self.codec == "iso2022":
            return _decode_iso_2022(data)
        if self.level in _WESTERN or _C1_OCTETS.search(data):
            found = _decode(data, "utf-8")
            if found.codec == "utf-8":
                return found._replace(fault=Severity.WARNING if self._profile.utf8 else Severity.ERROR)
        return _decode(data, ANY_OCTET if self.codec == "ascii" else self.codec)

    def check(
        self,
        data: bytes,
        decoded: Decoded,
        segments: Sequence[Segment],
        at: Callable[[Segment], EdifactPointer],
        report: Report,
    ) -> None:
        """Report what the segments of `data` hold outside the repertoire; `at` points to one of them.

        Lower case under UNOA is common in the field and reads unharmed: a warning. Control characters (a line
        wrapped inside data among them) and octets that do not decode are errors.
        """
        if decoded.fault is None and self._is_clean(data, decoded, segments):
            return
        if decoded.fault is not None:
            first = next((s for s in segments if not s.text.isascii()), segments[0])
            report.add(
                Code.CHARSET_NOT_SUPPORTED,
                f"the octets are UTF-8, not {self.level} as UNB declares; read as UTF-8",
                at(first),
                value=first.text,
                expected="UNOW",
                severity=decoded.fault,
            )
        for segment in segments:
            problem = self._problem(segment.text, decoded)
            if problem is not None:
                text, value, severity = problem
                level = self.level if self.known else "UNOB"
                report.add(
                    Code.INVALID_CHARACTER, text, at(segment), value=value, expected=level, severity=severity
                )
            if report.full:
                return

    def _is_clean(self, data: bytes, decoded: Decoded, segments: Sequence[Segment]) -> bool:
        """True if a look at the whole shows that nothing is wrong: no octet outside the repertoire, and line
        ends, if any, only between segments."""
        strange = data.translate(None, self._usual)
        if strange.strip(b"\r\n") or (decoded.codec == ANY_OCTET != self.codec):
            return False
        if decoded.codec == "utf-8" and _C1_IN_UTF8.search(data):
            return False
        if not strange:
            return True
        together = "".join([segment.text for segment in segments])
        return "\n" not in together and "\r" not in together

    def _problem(self, piece: str, decoded: Decoded) -> tuple[str, str, Severity] | None:
        plain = piece.translate(self._separators)
        control = _CONTROL.search(plain)
        if control is not None:
            what = "a line end inside data" if control.group() in "\r\n" else "a control character"
            return what, control.group(), Severity.ERROR
        if not plain.isascii():
            return self._problem_above(plain, decoded)
        if self._narrow is not None and not self._narrow.issuperset(plain):
            strange = "".join(dict.fromkeys(c for c in plain if c not in self._narrow))
            return f"characters outside {self.level}", strange, Severity.WARNING
        return None

    def _problem_above(self, plain: str, decoded: Decoded) -> tuple[str, str, Severity] | None:
        """What is wrong with a segment that has characters above 7F."""
        high = "".join(c for c in plain if not c.isascii())
        if decoded.codec == ANY_OCTET and self.codec != ANY_OCTET:
            if self.codec == "ascii":
                return f"octets above 7F under {self.level}", high, Severity.ERROR
            if self.codec == "iso2022" or _decode(plain.encode(ANY_OCTET), self.codec).codec == ANY_OCTET:
                return "octets the declared repertoire does not have", high, Severity.ERROR
            return None
        control = _C1.search(plain)
        return None if control is None else ("a control character", control.group(), Severity.ERROR)


@functools.lru_cache(maxsize=64)
def decoder_for(level: str, service: ServiceString, profile: Profile) -> Decoder:
    """The decoder of an interchange that declares `level`."""
    return Decoder(level, service, profile)


def _decode_iso_2022(data: bytes) -> Decoded:
    """By the first codec that knows the sets named, and can write all that it read: the places of segments
    are found by that."""
    for codec in _ISO_2022[::-1] if _KOREAN in data else _ISO_2022:
        try:
            text = data.decode(codec)
            text.encode(codec)
        except UnicodeError:
            continue
        return Decoded(text, codec)
    return Decoded(data.decode(ANY_OCTET), ANY_OCTET)


def _decode(data: bytes, codec: str) -> Decoded:
    try:
        return Decoded(data.decode(codec), codec)
    except UnicodeDecodeError:
        return Decoded(data.decode(ANY_OCTET), ANY_OCTET)
