"""Interchanges in two octets a character (UTF-16): as UTF-8, piece by piece.

UNOY is ISO 10646 without an encoding of its own, and some send it so, UNB included. The separators are looked
for octet by octet, so everything is read as UTF-8, and offsets count in that.
"""

import re

# The mark that tells the order of the octets, or the first letters of UNA, UNB, UNH and UIB in either order.
_LITTLE = re.compile(rb"\xff\xfe|(?:[ \t\r\n]\0)*U\0[NI]\0")
_BIG = re.compile(rb"\xfe\xff|(?:\0[ \t\r\n])*\0U\0[NI]")
# Enough to tell: the mark, or two letters; after no more blanks than these.
TELLING = 4
MAX_BLANK = 65_536


class Narrowing:
    """Takes the octets of an input as they come; gives UTF-8 if they are UTF-16, else what was taken."""

    def __init__(self) -> None:
        self.codec: str | None = None
        self._told = False
        self._rest = b""

    def take(self, data: bytes, *, last: bool = False) -> bytes:
        """What can be given on now; with `last` all that is left."""
        if not self._told:
            data, self._rest = self._rest + data, b""
            if len(data) < MAX_BLANK and len(data.lstrip(b" \t\r\n\0")) < TELLING and not last:
                self._rest = data
                return b""
            self._told = True
            self.codec = "utf-16-le" if _LITTLE.match(data) else "utf-16-be" if _BIG.match(data) else None
            if self.codec is not None and data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                data = data[2:]
        return data if self.codec is None else self._narrow(data, self.codec, last=last)

    def _narrow(self, data: bytes, codec: str, *, last: bool) -> bytes:
        data = self._rest + data
        whole = len(data) & ~1
        high = data[whole - 1 : whole] if codec == "utf-16-le" else data[whole - 2 : whole - 1]
        if whole and not last and 0xD8 <= high[0] <= 0xDB:
            # Half of a pair: the other half is still to come.
            whole -= 2
        self._rest = data[whole:]
        return data[: len(data) if last else whole].decode(codec, "replace").encode()
