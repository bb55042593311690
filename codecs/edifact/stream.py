"""Octets as they come to interchanges, message by message (ISO 9735-1, 8 and annex B).

Only the service segments of the envelope are looked for; what lies between UNH and UNT is one stretch, read
when it is whole. So memory holds one message at a time, and the work is linear however the octets are cut.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from ..finding import Severity
from .body import Body
from .header import Header, no_header, read_header
from .interchange import Interchange, Message, Package
from .marks import Buffer, marks_of
from .message import MessageMaker
from .nesting import GroupEnded, GroupStarted, Nesting
from .place import place
from .report import Code, Report
from .service import MAX_LEADING, Opening, Start, find_start, for_version, skip_blank
from .text import Profile, decoder_for
from .wide import Narrowing

# UNB of the longest values in every element stays far below this; no terminator before it means no UNB.
MAX_HEADER = 2_048
# A file with more interchanges than this is not read past the limit, and the last one says so.
MAX_INTERCHANGES = 1_000
# A message of more octets than this is not held: it is told and skipped.
MAX_MESSAGE_OCTETS = 128 * 1024 * 1024
# Octets taken at once: what they complete is handed on before the next are looked at.
PIECE = 16_384


class Started(msgspec.Struct, frozen=True):
    """An interchange begins: what UNB says. Its messages follow."""

    interchange: Interchange


class Ended(msgspec.Struct, frozen=True):
    """An interchange is over: its groups, its trailer and the findings of its envelope, without the messages.

    What is no interchange at all ends without having started.
    """

    interchange: Interchange


Event = Started | GroupStarted | Message | Package | GroupEnded | Ended


def read_stream(chunks: Iterable[bytes], profile: Profile = Profile()) -> Iterator[Event]:
    """Read interchanges from octets in any number of pieces, for instance
    `iter(functools.partial(file.read, 65_536), b"")`. Never raises on what the octets are."""
    stream = Stream(profile)
    for chunk in chunks:
        for begin in range(0, len(chunk), PIECE):
            yield from stream.feed(chunk[begin : begin + PIECE])
    yield from stream.close()


class Stream:
    """Takes octets as they come and gives what they complete."""

    def __init__(self, profile: Profile = Profile(), *, limit: int = MAX_MESSAGE_OCTETS) -> None:
        self._profile = profile
        self._limit = limit
        self._buffer = Buffer()
        self._narrowing = Narrowing()
        self._body: Body | None = None
        self._events: list[Event] = []
        self._interchanges = 0
        self._over = False
        # Where text stands before an interchange, it is looked for again when this many octets are there.
        self._try_again = 0

    def feed(self, data: bytes) -> list[Event]:
        """Take the next octets; gives what is complete now, in order. Raises ValueError after `close`."""
        if self._buffer.closed:
            raise ValueError("the stream is closed")
        if not self._over:
            self._buffer.data += self._narrowing.take(data)
        return self._run()

    def close(self) -> list[Event]:
        """There are no more octets: gives the rest, with a finding for everything that is cut off."""
        if not self._buffer.closed:
            self._buffer.data += self._narrowing.take(b"", last=True)
        self._buffer.closed = True
        return self._run()

    def _run(self) -> list[Event]:
        while not self._over and (self._begin() if self._body is None else self._inside(self._body)):
            pass
        self._buffer.forget()
        events, self._events = self._events, []
        return events

    def _inside(self, body: Body) -> bool:
        """Go on in the interchange; False if more octets are needed."""
        while body.step():
            pass
        if body.ended is None:
            return False
        self._events.append(Ended(body.ended))
        self._body = None
        return True

    def _emit(self, event: Event) -> None:
        self._events.append(event)

    def _begin(self) -> bool:
        """Look for the next interchange; False if more octets are needed, or none is left."""
        buffer = self._buffer
        begin = skip_blank(buffer.data, buffer.pos)
        if begin - buffer.pos == MAX_LEADING:
            buffer.pos = begin
            return True
        there = len(buffer.data) - begin
        if not there:
            self._over = buffer.closed
            if not buffer.closed or self._interchanges:
                buffer.pos = begin
                return False
        likely = buffer.data.startswith(b"U", begin) or there >= self._try_again
        if not (buffer.closed or likely):
            return False
        self._try_again = min(2 * there, MAX_LEADING + MAX_HEADER)
        report = Report()
        opening = Opening(buffer.data, begin, buffer.base)
        found = find_start(opening, report, leading_text=self._profile.leading_text)
        closing = -1
        if found is not None:
            end = found.header + MAX_HEADER
            closing = found.header - 1 if found.bare else self._terminator(found, end)
            if closing < 0 and not found.bare:
                if not buffer.closed and len(buffer.data) < end:
                    return False
                text, pointer = "UNB has no terminator", opening.at("UNB", found.header)
                report.add(Code.MISSING, text, pointer, expected=found.service.terminator)
                found = None
        elif not buffer.closed and there < MAX_LEADING + MAX_HEADER:
            return False
        if found is None or self._interchanges == MAX_INTERCHANGES:
            return self._give_up(opening, report)
        self._open(found, closing, report)
        return True

    def _terminator(self, start: Start, end: int) -> int:
        return marks_of(start.service).terminator(self._buffer.data, start.header, end)

    def _give_up(self, opening: Opening, report: Report) -> bool:
        """What follows is no interchange; nothing more is read."""
        if self._interchanges:
            text = "data after UNZ"
            if self._interchanges == MAX_INTERCHANGES:
                text = f"more than {MAX_INTERCHANGES} interchanges in one file"
            report = Report()
            value = opening.quote(opening.begin, opening.begin + 36)
            report.add(Code.OUTSIDE_MESSAGE, text, opening.at("UNZ", opening.begin), value=value)
        at = opening.base + opening.begin
        self._events.append(Ended(Interchange(data=b"", findings=report.findings(), start=at, end=at)))
        self._over = True
        self._buffer.take(len(self._buffer.data))
        return False

    def _open(self, start: Start, closing: int, report: Report) -> None:
        buffer = self._buffer
        self._interchanges += 1
        offset = buffer.base + start.header
        if start.bare:
            header = no_header(offset)
        else:
            octets = bytes(buffer.data[start.header : closing])
            advice = buffer.base + start.start
            header = read_header(octets, offset, start.service, report, advice=advice)
        context = _context(header, start, buffer.base + start.start)
        decoder = decoder_for(header.level, context.service, self._profile)
        if self._narrowing.codec is not None:
            text = "UTF-16 is read as UTF-8, and offsets count in that"
            severity = Severity.INFO if header.level == "UNOY" else Severity.WARNING
            pointer = place(header.segment, 1, 1, interchange=header.reference)
            report.add(Code.CHARSET_NOT_SUPPORTED, text, pointer, value=header.level, severity=severity)
        if not decoder.known:
            text, pointer = "unknown syntax level, read as UNOB", place(header.segment, 1, 1)
            pointer = replace(pointer, interchange=header.reference)
            levels = "UNOA..UNOL, UNOW..UNOY"
            report.add(Code.CHARSET_NOT_SUPPORTED, text, pointer, value=header.level, expected=levels)
        context = replace(context, findings=report.findings())
        buffer.take(closing + 1)
        self._events.append(Started(context))
        maker = MessageMaker(context, decoder)
        self._body = Body(buffer, Nesting(context, report, self._emit), maker, self._emit, self._limit)


def _context(header: Header, start: Start, offset: int) -> Interchange:
    """The interchange as UNB tells it."""
    return Interchange(
        data=b"",
        service=for_version(start.service, header.version),
        syntax=header.level,
        syntax_version=header.version,
        sender=header.sender.id,
        recipient=header.recipient.id,
        sender_party=header.sender,
        recipient_party=header.recipient,
        prepared=header.prepared,
        reference=header.reference,
        application=header.application,
        acknowledgement=header.acknowledgement,
        agreement=header.agreement,
        test=header.test,
        header=None if start.bare else header.segment,
        start=offset,
    )
