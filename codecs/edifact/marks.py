"""The octets of a stream, and the service segments in them: where the envelope of an interchange shows.

A search for the few service segments costs next to nothing; what lies between them is left for later.
"""

import functools
import re

from .service import ServiceString

# As many octets as tell a service segment from any other: UNA with its six characters, line ends, and UNB.
MARK_OCTETS = 32
# Line ends and blanks between two segments: more of them are no longer the form of a file.
MAX_BLANKS = 256
# As far as a service segment that is not whole yet may go back: the terminator before it, blanks, itself.
SEARCH_OCTETS = MAX_BLANKS + MARK_OCTETS
# A mark at the beginning of a segment: its tag and what must follow it.
_TAGS = rb"(?:UN[BEGHOPTZ]|UI[BHTZ])(?=[%s])|UNA[^A-Za-z0-9]{6}[\r\n ]{0,8}UNB"
# Line ends, and what a printer of files or a mail program puts around them.
BLANKS = b" \t\r\n"


class Buffer:
    """Octets not yet read. `base` is the offset in the input of the first; `pos` is where reading is, and
    `searched` how far a search from there has come, both places in `data`."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.base = 0
        self.pos = 0
        self.searched = 0
        self.closed = False

    def __len__(self) -> int:
        return len(self.data) - self.pos

    def take(self, end: int) -> bytes:
        """The octets from `pos` up to `end`, which then are read."""
        taken = bytes(self.data[self.pos : end])
        self.pos = self.searched = end
        return taken

    def forget(self) -> None:
        """Let go of what is read."""
        if self.pos:
            del self.data[: self.pos]
            self.base += self.pos
            self.searched = max(0, self.searched - self.pos)
            self.pos = 0

    def skip_blanks(self) -> None:
        """Step over line ends and blanks between segments."""
        data, pos = self.data, self.pos
        while data[pos : pos + 1] and data[pos] in BLANKS:
            pos += 1
        self.pos = pos
        self.searched = max(self.searched, pos)


class Mark:
    """A service segment: its tag, the place where it begins, and the place of the terminator before it."""

    __slots__ = ("before", "begin", "tag")

    def __init__(self, tag: str, begin: int, before: int) -> None:
        self.tag = tag
        self.begin = begin
        self.before = before


class Marks:
    """Finds service segments by the separators of one interchange."""

    def __init__(self, service: ServiceString) -> None:
        self._terminator = service.terminator.encode("latin-1")
        self._release = service.release.encode("latin-1")
        after = re.escape((service.element + service.component + service.terminator).encode("latin-1"))
        tags = _TAGS % after
        self._here = re.compile(tags)
        before = re.escape(self._terminator) + b"[ \t\r\n]{0,%d}+" % MAX_BLANKS
        self._next = re.compile(b"%s(%s)" % (before, tags))

    def here(self, data: bytearray, begin: int) -> str | None:
        """The tag of the service segment at `begin`, None where there is none."""
        found = self._here.match(data, begin)
        return None if found is None else _tag(found.group())

    def next(self, data: bytearray, begin: int) -> Mark | None:
        """The first service segment after a terminator at or after `begin`."""
        found = self._next.search(data, begin)
        while found is not None and self._released(data, found.start()):
            found = self._next.search(data, found.start() + 1)
        return None if found is None else Mark(_tag(found.group(1)), found.start(1), found.start())

    def terminator(self, data: bytearray, begin: int, end: int) -> int:
        """The place of the first terminator in `data[begin:end]`, -1 where there is none."""
        found = data.find(self._terminator, begin, end)
        while found >= 0 and self._released(data, found):
            found = data.find(self._terminator, found + 1, end)
        return found

    def _released(self, data: bytearray, place: int) -> bool:
        """True if the octet at `place` follows an odd run of release characters."""
        if not self._release or data[place - 1 : place] != self._release:
            return False
        run = 1
        octet = self._release[0]
        while place - run - 1 >= 0 and data[place - run - 1] == octet:
            run += 1
        return run % 2 == 1


@functools.lru_cache(maxsize=32)
def marks_of(service: ServiceString) -> Marks:
    """The marks of an interchange with these separators."""
    return Marks(service)


def _tag(found: bytes) -> str:
    return "UNB" if found.startswith(b"UNA") else found[:3].decode("ascii")
