"""The bytes of one connection up to the end of a head. No I/O."""

import re

from .errors import HttpRefusal
from .head import MAX_HEAD

_END = b"\r\n\r\n"
# What can never become part of a head: so a wrong peer hears at once, not when its time has run out.
_BROKEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r[^\n]")


class HeadBuffer:
    """Holds what has arrived until a head is complete.

    `started` is True once a byte of a head is held; `rest` has the bytes that followed the last head.
    """

    def __init__(self, *, skip_empty_line: bool) -> None:
        # RFC 9112 section 2.2: a server ignores an empty line before a request (old clients send one after
        # a body); a client does not.
        self._skips = skip_empty_line
        self._may_skip = skip_empty_line
        self._held = bytearray()
        self.rest = b""

    @property
    def started(self) -> bool:
        """True if a part of a head is held."""
        return bool(self._held)

    def feed(self, data: bytes) -> bytes | None:
        """The block of a head, its empty line included, once complete; None before.

        Raises HttpRefusal: 400 for what cannot become a head, 414 or 431 when it is too long.
        """
        if not self._held and not data.startswith((b"\r", b"\n")):
            end = data.find(_END)
            if 0 < end <= MAX_HEAD:
                self.rest = data[end + 4 :]
                return data[: end + 4]
        held = self._held
        start = max(0, len(held) - 3)
        held += data
        if self._may_skip and held.startswith(b"\r\n"):
            del held[:2]
            start = 0
            self._may_skip = False
        if held.startswith(b"\r") and len(held) > 1:
            raise HttpRefusal(400, "an empty line instead of a message")
        end = held.find(_END, start)
        if end < 0:
            self._check(start)
            return None
        if end > MAX_HEAD:
            raise self._too_large()
        block, self.rest = bytes(held[: end + 4]), bytes(held[end + 4 :])
        self._held = bytearray()
        self._may_skip = self._skips
        return block

    def _check(self, start: int) -> None:
        held = self._held
        if _BROKEN.search(held, start):
            raise HttpRefusal(400, "a control character or a line end that is not CRLF in the head")
        if len(held) > MAX_HEAD:
            raise self._too_large()

    def _too_large(self) -> HttpRefusal:
        if self._held.find(b"\r\n", 0, MAX_HEAD) < 0:
            return HttpRefusal(414, "first line too long")
        return HttpRefusal(431, "header block too large")
