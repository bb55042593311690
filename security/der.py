"""The outer layers of DER and BER: headers, children, and BER made DER.

Structures of bounded size are declared with `cryptography.hazmat.asn1` beside their use. What stands here is
for the layers around them, whose size the sender chooses: it takes slices instead of copies, and refuses
before it builds anything. X.690 is the standard quoted.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .errors import MalformedCms

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31
CONSTRUCTED = 0x20

# CMS in CMS is opened layer by layer, so one layer is never deeper than its certificates' names: about 12.
MAX_DEPTH = 32
# Streaming senders cut content into strings of 1,000 octets or more. An element for each 256 octets, above a
# first allowance, keeps the cost of a message made of empty elements in proportion to its length.
FREE_ELEMENTS = 10_000
OCTETS_PER_ELEMENT = 256

Buffer = bytes | memoryview
_END_OF_CONTENTS = b"\0\0"
_MAX_LINE_ENDS = 8
_LONG_FORMS = range(1, 5)  # octets of a length: 4 GiB, far above any body that the border lets in


class Element(NamedTuple):
    """One element within its buffer: identifier octet, where the header begins, where the contents are."""

    tag: int
    header: int
    start: int
    stop: int


_element = functools.partial(tuple.__new__, Element)  # without the keywords of a NamedTuple: half the cost


def element_at(data: Buffer, offset: int, stop: int) -> Element:
    """The DER element that begins at `offset` and ends at or before `stop`.

    Raises MalformedCms for a tag number above 30, an indefinite or non-minimal length (10.1), or an overrun.
    """
    try:
        tag = data[offset]
        length = data[offset + 1]
    except IndexError:
        raise MalformedCms("an element is cut off") from None
    start = offset + 2
    if length >= 0x80:
        start += length & 0x7F
        octets = data[offset + 2 : start]
        length = int.from_bytes(octets, "big")
        if len(octets) not in _LONG_FORMS or length < 0x80 or not octets[0]:
            raise MalformedCms("a length is not in the form DER requires")
    end = start + length
    if end > stop or tag & 0x1F == 0x1F:
        raise MalformedCms("an element overruns its parent or has a tag no CMS structure uses")
    return _element((tag, offset, start, end))


def children(data: Buffer, start: int, stop: int, *, limit: int) -> list[Element]:
    """The elements that fill `data` from `start` to `stop`; MalformedCms if they do not, or above `limit`."""
    found: list[Element] = []
    try:
        while start < stop:
            if len(found) == limit:
                raise MalformedCms("more elements than this structure can have")
            # As `element_at`, which a call for each element would make twice as slow.
            tag, length = data[start], data[start + 1]
            at = start + 2
            if length == 0x82 and data[at]:
                length = data[at] << 8 | data[at + 1]
                at += 2
            elif length >= 0x80:
                _, _, at, end = element_at(data, start, stop)
                length = end - at
            if tag & 0x1F == 0x1F:
                raise MalformedCms("a tag that no CMS structure uses")
            found.append(_element((tag, start, at, at + length)))
            start = at + length
    except IndexError:
        raise MalformedCms("an element is cut off") from None
    if start > stop:
        raise MalformedCms("an element overruns its parent")
    return found


def require_end(data: Buffer, offset: int) -> None:
    """MalformedCms unless only line ends follow `offset`: MIME bodies are often followed by one."""
    rest = len(data) - offset
    if rest and (rest > _MAX_LINE_ENDS or bytes(data[offset:]).strip(b"\r\n")):
        raise MalformedCms("octets after the end of the structure")


def header(tag: int, length: int) -> bytes:
    """Identifier and length octets of an element with `length` octets of contents."""
    if length < 0x80:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def nest(tag: int, parts: Sequence[Buffer]) -> list[Buffer]:
    """`parts` as the contents of one element, still in parts: a large content is then joined once."""
    return [header(tag, sum(map(len, parts))), *parts]


def tlv(tag: int, *parts: Buffer) -> bytes:
    """One element with the concatenation of `parts` as its contents."""
    return b"".join(nest(tag, parts))


def set_of(elements: Iterable[bytes]) -> bytes:
    """A SET OF, in the ascending order that DER requires (11.6)."""
    return tlv(SET, *sorted(elements))


def oid(dotted: str) -> bytes:
    """The whole element of an object identifier (8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray()
    for arc in (40 * first + second, *rest):
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(group))
    return tlv(OBJECT_IDENTIFIER, bytes(octets))


def to_der(data: bytes) -> bytes:
    """`data`, one BER element, with definite minimal lengths and every string in one piece (10.1, 10.2).

    Returns `data` itself when it is so already. Sets are not sorted and values are not changed: what was
    signed stays what was signed. Line ends after the element are no part of it. Linear in the length of
    `data`. Raises MalformedCms.
    """
    return _Conversion(data).run()


class _Open(NamedTuple):
    """A constructed element whose end has not been reached."""

    slot: int  # where its header goes in the output; -1 for a string within a string, which has none
    tag: int
    stop: int  # -1 while its length is indefinite
    string: bool
    before: int  # octets put out before it


class _Conversion:
    """One run over the input with a stack instead of recursion; the headers are filled in at each end."""

    def __init__(self, data: bytes) -> None:
        self._view = memoryview(data)
        self._data = data
        self._out: list[Buffer] = []
        self._written = 0
        self._stack: list[_Open] = []
        self._left = FREE_ELEMENTS + len(data) // OCTETS_PER_ELEMENT
        self._changed = False

    def run(self) -> bytes:
        offset = self._take(0)
        while self._stack:
            innermost = self._stack[-1]
            if innermost.stop == offset:
                self._close()
            elif innermost.stop < 0 and self._data[offset : offset + 2] == _END_OF_CONTENTS:
                offset += 2
                self._close()
            else:
                offset = self._take(offset)
        require_end(self._data, offset)
        return b"".join(self._out) if self._changed else self._data

    def _take(self, offset: int) -> int:
        """Take the header at `offset`, and the contents if they are primitive; where to go on."""
        tag, start, stop = self._header(offset)
        parent = self._stack[-1] if self._stack else None
        limit = parent.stop if parent and parent.stop >= 0 else len(self._data)
        in_string = parent is not None and parent.string
        if stop > limit or (in_string and tag & ~CONSTRUCTED != OCTET_STRING):
            raise MalformedCms("an element overruns its parent or does not belong into it")
        if tag & CONSTRUCTED:
            self._open(tag, stop, in_string=in_string)
            return start
        if stop < 0:
            raise MalformedCms("a primitive element has no length")
        if not in_string:
            self._put(header(tag, stop - start))
        self._put(self._view[start:stop])
        return stop

    def _header(self, offset: int) -> tuple[int, int, int]:
        """Identifier octet, start and stop of the contents; stop is -1 for the indefinite form (8.1.3.6)."""
        self._left -= 1
        if self._left < 0:
            raise MalformedCms("more elements than its length allows")
        data = self._data
        if offset + 2 > len(data):
            raise MalformedCms("an element is cut off")
        tag, length, start = data[offset], data[offset + 1], offset + 2
        if tag & 0x1F == 0x1F or tag == 0:
            raise MalformedCms("a tag that no CMS structure uses")
        if length == 0x80:
            self._changed = True
            return tag, start, -1
        if length > 0x80:
            start += length & 0x7F
            if start > len(data):
                raise MalformedCms("an element is cut off")
            length = int.from_bytes(data[offset + 2 : start], "big")
            self._changed |= len(header(tag, length)) != start - offset
        return tag, start, start + length

    def _open(self, tag: int, stop: int, *, in_string: bool) -> None:
        if len(self._stack) == MAX_DEPTH:
            raise MalformedCms("nested deeper than any CMS structure")
        string = tag == OCTET_STRING | CONSTRUCTED
        self._changed |= string
        slot = -1
        if not in_string:
            slot = len(self._out)
            self._out.append(b"")
        self._stack.append(_Open(slot, OCTET_STRING if string else tag, stop, string, self._written))

    def _close(self) -> None:
        element = self._stack.pop()
        if element.slot >= 0:
            octets = header(element.tag, self._written - element.before)
            self._out[element.slot] = octets
            self._written += len(octets)

    def _put(self, octets: Buffer) -> None:
        self._out.append(octets)
        self._written += len(octets)
