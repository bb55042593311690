"""The inside of one interchange, UNB to UNZ: messages, packages, groups, and what belongs to none of them."""

from collections.abc import Callable

from .interchange import Interchange, Message, Package
from .marks import BLANKS, MARK_OCTETS, SEARCH_OCTETS, Buffer, Mark, marks_of
from .message import MessageMaker
from .nesting import Nesting
from .package import make_package, object_octets, object_segments
from .report import Code
from .scanner import Segment, read_segment
from .service import BLANK
from .text import ANY_OCTET

# A service segment of the longest values stays far below this; without a terminator up to here it is none.
MAX_SERVICE_SEGMENT = 8_192
# Segments before an object; one of security has a few.
FEW_SEGMENTS = 16
# Octets of a stretch outside any message that are looked at, and of its first segment that are quoted.
MAX_STRETCH = 65_536
MAX_SHOWN = 36


class Body:
    """Reads an interchange from `buffer`; `step` goes on as far as the octets allow.

    `emit` takes each message and package as it is complete. `ended` is the interchange once it is over.
    """

    def __init__(
        self,
        buffer: Buffer,
        nesting: Nesting,
        maker: MessageMaker,
        emit: Callable[[Message | Package], None],
        limit: int,
    ) -> None:
        self.ended: Interchange | None = None
        self._buffer = buffer
        self._nesting = nesting
        self._maker = maker
        self._emit = emit
        self._limit = limit
        self._service = nesting.context.service
        self._marks = marks_of(self._service)
        # The rest of a stretch that was told; and the trailer that follows a message that was not held.
        self._skipping = False
        self._unheld = False
        # Reading is where no segment begins, but somewhere inside such a rest.
        self._cut = False
        # Octets without which a package need not be looked at again.
        self._wanted = 0

    def step(self) -> bool:
        """Read the next message, package, service segment or stretch; False if more octets are needed."""
        buffer = self._buffer
        buffer.skip_blanks()
        if not buffer.closed and len(buffer) < MARK_OCTETS and not self._is_whole():
            return False
        tag = None if self._cut else self._marks.here(buffer.data, buffer.pos)
        if tag == "UNB":
            return self._close(None)
        if tag == "UNH":
            return self._message()
        if tag is not None:
            return self._service_segment(tag)
        return self._stretch()

    def _is_whole(self) -> bool:
        """True if a short rest is a service segment with its terminator."""
        data, pos = self._buffer.data, self._buffer.pos
        return not data.startswith(b"UNA", pos) and self._marks.terminator(data, pos, len(data)) >= 0

    # Messages.

    def _message(self) -> bool:
        buffer = self._buffer
        mark = self._next_mark()
        if mark is None:
            if len(buffer) > self._limit:
                return self._too_large()
            if not buffer.closed:
                return False
            self._make(buffer.take(len(buffer.data)), ended=False)
            return True
        end = mark.begin
        if mark.tag == "UNT":
            closing = self._closing(mark.begin)
            if closing is None:
                return False
            end = closing + 1 if closing >= 0 else min(len(buffer.data), end + MAX_SERVICE_SEGMENT)
        self._make(buffer.take(end), ended=mark.tag == "UNT")
        return True

    def _next_mark(self) -> Mark | None:
        """The next service segment; where there is none, the search goes on from here with more octets."""
        buffer = self._buffer
        mark = self._marks.next(buffer.data, max(buffer.pos, buffer.searched))
        if mark is None:
            buffer.searched = max(buffer.pos, len(buffer.data) - SEARCH_OCTETS)
        else:
            buffer.searched = mark.before
        return mark

    def _closing(self, begin: int) -> int | None:
        """The terminator of the service segment at `begin`: -1 if it has none, None if it may still come."""
        buffer = self._buffer
        closing = self._marks.terminator(buffer.data, begin, begin + MAX_SERVICE_SEGMENT)
        if closing < 0 and not buffer.closed and len(buffer.data) - begin < MAX_SERVICE_SEGMENT:
            return None
        return closing

    def _make(self, data: bytes, *, ended: bool) -> None:
        offset = self._buffer.base + self._buffer.pos - len(data)
        message = self._maker.make(data, offset, self._nesting.group, ended=ended)
        self._nesting.message(message)
        self._emit(message)

    def _too_large(self) -> bool:
        """A message that is longer than may be held: what it begins with is told, the rest is skipped."""
        buffer = self._buffer
        closing = self._marks.terminator(buffer.data, buffer.pos, buffer.pos + MAX_SERVICE_SEGMENT)
        self._make(
            buffer.take(closing + 1 if closing >= 0 else buffer.pos + MAX_SERVICE_SEGMENT), ended=False
        )
        header = read_segment("UNH", buffer.base + buffer.pos, self._service)
        self._nesting.add(Code.TOO_LONG, f"a message of more than {self._limit} octets is not read", header)
        self._skipping = self._unheld = True
        self._cut = closing < 0
        return True

    # Everything else.

    def _service_segment(self, tag: str) -> bool:
        buffer = self._buffer
        begin = buffer.pos
        closing = self._closing(begin)
        if closing is None:
            return False
        end = closing if closing >= 0 else min(len(buffer.data), begin + MAX_SERVICE_SEGMENT)
        segment = self._segment(begin, end)
        if closing < 0:
            text = "the last segment has no terminator"
            self._nesting.add(Code.MISSING, text, segment, expected=self._service.terminator)
        if tag == "UNO":
            return self._package(segment, end + 1)
        buffer.take(min(end + 1, len(buffer.data)))
        if tag == "UNZ":
            return self._close(segment)
        if closing >= 0:
            self._handle(tag, segment)
        return True

    def _segment(self, begin: int, end: int) -> Segment:
        """The segment outside messages that lies between these places, without its terminator."""
        text = bytes(self._buffer.data[begin:end]).decode(ANY_OCTET)
        return read_segment(text, self._buffer.base + begin, self._service)

    def _handle(self, tag: str, segment: Segment) -> None:
        if tag == "UNG":
            self._nesting.open_group(segment)
        elif tag == "UNE" and self._nesting.group is not None:
            self._nesting.close_group(segment)
        elif tag == "UNT" and self._unheld:
            self._unheld = False
        elif tag.startswith("UI"):
            text = f"{tag}: interactive exchanges are not supported here"
            self._nesting.add(Code.ENVELOPE_NOT_SUPPORTED, text, segment)
        else:
            self._nesting.outside(segment)

    def _stretch(self) -> bool:
        """What stands where a service segment should: segments outside any message."""
        buffer = self._buffer
        if not len(buffer):
            return self._close(None) if buffer.closed else False
        mark = self._next_mark()
        begin, end = buffer.base + buffer.pos, len(buffer.data)
        if mark is not None and not self._skipping and mark.before - buffer.pos >= MAX_STRETCH:
            # Too far off to say anything of what stands here, however many octets came at once.
            mark = None
        elif mark is None and not buffer.closed and len(buffer) < MAX_STRETCH + SEARCH_OCTETS:
            return False
        if mark is not None:
            end = mark.begin
        elif not self._skipping and len(buffer) > MAX_STRETCH:
            end = self._without_terminator(buffer.pos + MAX_STRETCH)
        elif not buffer.closed:
            end -= SEARCH_OCTETS
        data = buffer.take(end)
        if not self._skipping:
            self._tell_outside(data, begin, mark)
        self._skipping = self._cut = mark is None
        return True

    def _without_terminator(self, end: int) -> int:
        """`end`, or a little before it: a service segment there is known by the terminator before it."""
        buffer = self._buffer
        kept = buffer.data[buffer.pos : end].rstrip(BLANKS)
        if len(kept) > 1 and kept.endswith(self._service.terminator.encode("latin-1")):
            return buffer.pos + len(kept) - 1
        return end

    def _tell_outside(self, data: bytes, offset: int, mark: Mark | None) -> None:
        """One finding for a stretch: a message without UNH, if it ends in UNT, else what it begins with."""
        lead = len(data) - len(data.lstrip(BLANK))
        if lead == len(data):
            return
        terminator = self._service.terminator.encode("latin-1")
        text = data[lead : lead + MAX_SHOWN].split(terminator)[0].decode(ANY_OCTET)
        first = read_segment(text, offset + lead, self._service)
        if mark is not None and mark.tag == "UNT" and not self._unheld:
            self._unheld = True
            self._nesting.headless(first)
        else:
            self._nesting.outside(first, max(1, data.count(terminator)))

    def _package(self, header: Segment, begin: int) -> bool:
        """UNO, the segments before the object, the object by its length, and UNP (ISO 9735-8)."""
        buffer = self._buffer
        if len(buffer) < self._wanted and not buffer.closed:
            return False
        length = object_octets(header)
        if length is None:
            buffer.take(min(begin, len(buffer.data)))
            self._nesting.add(
                Code.INVALID_VALUE, "UNO does not give the length of its object", header, expected="0810"
            )
            return True
        before: list[Segment] = []
        for _ in range(object_segments(header)):
            closing = self._closing(begin)
            if closing is None:
                # Twice as much, so that looking again costs no more than what is there.
                self._wanted = 2 * len(buffer) if len(before) > FEW_SEGMENTS else 0
                return False
            stop = closing if closing >= 0 else len(buffer.data)
            before.append(self._segment(begin, stop))
            begin = min(stop + 1, len(buffer.data))
        end = begin + length
        if length > self._limit:
            self._nesting.add(
                Code.TOO_LONG, f"an object of more than {self._limit} octets is not read", header
            )
            end = begin
        after = self._after_object(end)
        if not (buffer.closed or self._is_told(after)):
            self._wanted = end - buffer.pos
            return False
        self._wanted = 0
        return self._finish_package(header, before, (begin, end, after))

    def _after_object(self, end: int) -> int:
        """Where a segment after an object may begin: line ends and blanks may stand between."""
        stretch = self._buffer.data[end : end + MARK_OCTETS]
        return end + len(stretch) - len(stretch.lstrip(BLANKS))

    def _is_told(self, begin: int) -> bool:
        """True if there are enough octets to know UNP at `begin`, and then all of it."""
        data = self._buffer.data
        if self._marks.here(data, begin) == "UNP":
            return self._closing(begin) is not None
        return len(data) >= begin + MARK_OCTETS

    def _finish_package(self, header: Segment, before: list[Segment], places: tuple[int, int, int]) -> bool:
        """The package whose object lies between the first two places; UNP may stand at the third."""
        begin, end, after = places
        buffer = self._buffer
        start, data = buffer.pos, bytes(buffer.data[begin:end])
        trailer, done = None, end
        if self._marks.here(buffer.data, after) == "UNP":
            closing = self._closing(after)
            stop = len(buffer.data) if closing is None or closing < 0 else closing
            trailer = self._segment(after, stop)
            done = stop + 1
        buffer.take(min(done, len(buffer.data)))
        bounds = (buffer.base + start, buffer.base + buffer.pos)
        self._emit(make_package((header, *before), data, trailer, bounds, self._nesting))
        return True

    def _close(self, trailer: Segment | None) -> bool:
        self.ended = self._nesting.close(trailer, self._buffer.base + self._buffer.pos)
        return False
