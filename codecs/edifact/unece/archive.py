"""A UNECE directory archive to the texts in it.

The releases are packed in many ways: archives in archives, folders of several depths, names in either case.
So everything is opened, and what a file is told by its name: `EDSD.01B` (until 1996 `TRSD.96B`), EDCD, EDED,
UNCL (also in parts, `UNCL-1.96B`) and one `CUSDEC_D.96B` for each message. The interactive directories (IDMD,
IDSD, IDCD), indexes and introductions are left alone.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

import msgspec

from .error import ArchiveError

# The archives of 1993 to today hold 1 to 2 MB in 150 to 260 files, 10 to 20 MB unpacked, two archives deep.
MAX_ARCHIVE = 64 << 20
MAX_FILES = 2000
MAX_FILE = 8 << 20
MAX_TOTAL = 64 << 20
MAX_DEPTH = 4
# All that `zipfile` raises for octets that are no archive.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    IndexError,
    OverflowError,
    RuntimeError,
    LookupError,
)
_ENDING = r"(?:\.(\d\d[A-Z]))?(?:\.TXT)?"
_DIRECTORY = re.compile(rf"(?:(?:TR|ED)(SD|CD|ED)|(UNCL)(?:[-_]?\d)?){_ENDING}")
_MESSAGE = re.compile(rf"([A-Z]{{6}})_([DS]){_ENDING}")
# On the first page of a message, for files whose names do not tell.
_RELEASE = re.compile(r"^ *Release *: *(\d\d[A-Z]) *$", re.MULTILINE)
# The lines of boxes: of code page 437, and the same octets taken for Latin-1.
_LINES = {
    **dict.fromkeys("─━═Ä", "-"),
    **dict.fromkeys("│┃║¦³", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬¿ÙÁ", "+"),
    "\xa0": " ",
    "\f": "\n",
    "\t": " ",
}
_UNPRINTED = b"\r\x1a"
_TEXT_LINES = str.maketrans(_LINES | dict.fromkeys(_UNPRINTED.decode()))
# Translating octets is twenty times faster than translating text.
_OCTET_LINES = bytes(
    ord(_LINES.get(character, character).encode("cp437")) for character in bytes(range(256)).decode("cp437")
)


class Texts(msgspec.Struct, frozen=True):
    """The parts of a directory; `messages` by type. Lines of boxes are drawn with - | and +."""

    release: str
    standard: bool
    segments: str
    composites: str
    elements: str
    codes: str
    messages: Mapping[str, str]


def read_archive(data: bytes) -> Texts:
    """The texts of one release. Raises ArchiveError."""
    found = _Found()
    for name, text in _files(data):
        found.take(name, text)
    return found.texts()


class _Found:
    def __init__(self) -> None:
        self._parts: dict[str, dict[str, str]] = {"SD": {}, "CD": {}, "ED": {}, "UNCL": {}}
        self._messages: dict[str, str] = {}
        self._releases: dict[str, int] = {}
        self._standard = False

    def take(self, name: str, data: bytes) -> None:
        if part := _DIRECTORY.fullmatch(name):
            self._parts[part[1] or part[2]][name] = text_of(data)
            release = part[3]
        else:
            message = _MESSAGE.fullmatch(name)
            assert message is not None, "nothing else is unpacked"
            if message[1] in self._messages:
                raise ArchiveError(f"the message {message[1]} is in the archive twice")
            text = self._messages[message[1]] = text_of(data)
            self._standard = self._standard or message[2] == "S"
            said = _RELEASE.search(text)
            release = message[3] or (said and said[1])
        if release is not None:
            self._releases[release] = self._releases.get(release, 0) + 1

    def texts(self) -> Texts:
        for part, what in (
            ("SD", "segments (EDSD)"),
            ("CD", "composites (EDCD)"),
            ("ED", "data elements (EDED)"),
            ("UNCL", "codes (UNCL)"),
        ):
            if not self._parts[part]:
                raise ArchiveError(f"no directory of {what} is in the archive")
        if not self._messages:
            raise ArchiveError("no message is in the archive")
        if len(self._releases) != 1:
            held = ", ".join(sorted(self._releases)) or "none is named"
            raise ArchiveError(f"an archive of one release is wanted; found: {held}")
        joined = {
            part: "\n".join(texts[name] for name in sorted(texts)) for part, texts in self._parts.items()
        }
        return Texts(
            release=next(iter(self._releases)),
            standard=self._standard,
            segments=joined["SD"],
            composites=joined["CD"],
            elements=joined["ED"],
            codes=joined["UNCL"],
            messages=dict(sorted(self._messages.items())),
        )


def text_of(data: bytes) -> str:
    """UTF-8 where it is that, else code page 437, which every octet is."""
    try:
        text = data.decode("utf-8-sig").translate(_TEXT_LINES)
    except UnicodeDecodeError:
        text = data.translate(_OCTET_LINES, _UNPRINTED).decode("cp437")
    return text


def _files(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files wanted, by their names in capitals without folders, from archives at every depth."""
    if len(data) > MAX_ARCHIVE:
        raise ArchiveError(f"the archive is larger than {MAX_ARCHIVE >> 20} MB")
    budget = _Budget()
    waiting = [("the archive", data, 1)]
    while waiting:
        where, octets, depth = waiting.pop()
        for name, content in _members(where, octets, budget):
            if name.endswith(".ZIP"):
                if depth == MAX_DEPTH:
                    raise ArchiveError(f"{name}: archives lie in archives more than {MAX_DEPTH} deep")
                waiting.append((name, content, depth + 1))
            else:
                yield name, content


class _Budget:
    """What may still be unpacked, of all archives together."""

    def __init__(self) -> None:
        self.files = MAX_FILES
        self.octets = MAX_TOTAL

    def more_files(self, number: int) -> None:
        self.files -= number
        if self.files < 0:
            raise ArchiveError(f"the archive holds more than {MAX_FILES} files")

    def unpack(self, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        """The content of a member, however large it says it is."""
        limit = min(MAX_FILE, self.octets)
        with archive.open(info) as member:
            content = member.read(limit + 1)
        if len(content) > limit:
            raise ArchiveError(f"{name}: more than {limit >> 20} MB, unpacked")
        self.octets -= len(content)
        return content


def _members(where: str, data: bytes, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN as error:
        raise ArchiveError(f"{where} is no zip archive: {_said(error)}") from error
    with archive:
        infos = archive.infolist()
        budget.more_files(len(infos))
        for info in infos:
            name = info.filename.replace("\\", "/").rpartition("/")[2].upper()
            if not _wanted(name):
                continue
            try:
                content = budget.unpack(name, archive, info)
            except ArchiveError:
                raise
            except _BROKEN as error:
                raise ArchiveError(f"{name} cannot be unpacked: {_said(error)}") from error
            yield name, content


def _wanted(name: str) -> bool:
    return bool(_DIRECTORY.fullmatch(name) or _MESSAGE.fullmatch(name) or _opened(name))


def _opened(name: str) -> bool:
    """Archives, but not those of the interactive directories: their messages have names of the same form."""
    return name.endswith(".ZIP") and not name.startswith(("IDMD", "IDSD", "IDCD"))


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
