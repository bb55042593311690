"""What was read, written again: the same values, and the same octets where they were canonical."""

from operator import itemgetter

from msgspec.structs import replace

from .interchange import Interchange, Message, Package
from .outgoing import OutGroup, OutMessage, OutPackage
from .pen import pen_of
from .scanner import Segment
from .service import UNA_LENGTH
from .text import ANY_OCTET

# CR LF; more than that between two segments is no line end but empty lines.
LONGEST_LINE_END = 2
_Part = Segment | Message | Package


def write(interchange: Interchange, *, line_end: str | None = None) -> bytes:
    """The octets of an interchange that was read, with everything in the order in which it came.

    Reading them gives equal values, segment by segment. They are the octets that were read where those had no
    separator at the end of an element or a segment, no release character without need, and between segments
    nothing or one and the same line end. `line_end` (CR and LF) is written after each segment; None stands
    for the one that was read, which is known where the interchange holds its `data`.

    Trailers go out as they came: a count that is wrong is a value like any other. An interchange made of
    parts of others, or one to be set right, is counted by
    `compose(Heading.of(interchange), contents_of(interchange))`.
    What no value holds (text before UNB, segments outside messages) is not written. Raises ValueError where
    nothing was read, and where a value that was put in later cannot be written.
    """
    parts = _in_order(interchange)
    if not parts:
        raise ValueError("nothing was read")
    between = _line_end(interchange, parts) if line_end is None else line_end
    pieces = [_advice(interchange, between)] if interchange.service.explicit else []
    for part in parts:
        if isinstance(part, Package):
            pieces.append(_object(interchange, part))
        else:
            codec = part.codec if isinstance(part, Message) else ANY_OCTET
            pen = pen_of(interchange.service, codec=codec, line_end=between)
            pieces.append(pen.write(part.segments if isinstance(part, Message) else [part]))
    octets = b"".join(pieces)
    return octets if line_end is not None else _ended(interchange, octets, parts[-1], between)


def _in_order(interchange: Interchange) -> list[_Part]:
    """Everything that is written, by the octet at which it began."""
    parts: list[tuple[int, _Part]] = [(message.start, message) for message in interchange.messages]
    singles = [interchange.header, interchange.trailer]
    for group in interchange.groups:
        singles += [group.header, group.trailer]
    for package in interchange.packages:
        parts.append((package.start, package))
        singles.append(package.trailer)
    parts.extend((single.offset, single) for single in singles if single is not None)
    return [part for _, part in sorted(parts, key=itemgetter(0))]


def _object(interchange: Interchange, package: Package) -> bytes:
    """UNO, the segments after it, and the object, which begins right after the last terminator."""
    pen = pen_of(interchange.service, codec=ANY_OCTET)
    return pen.write([package.header, *package.segments]) + package.data


def _advice(interchange: Interchange, line_end: str) -> bytes:
    """UNA as it came: in versions 1 to 3 its fifth character means nothing, and may be anything."""
    advice = interchange.service.advice().encode(ANY_OCTET)
    given = interchange.data[interchange.start : interchange.start + UNA_LENGTH]
    same = given[:7] == advice[:7] and given[8:] == advice[8:]
    return (given if same else advice) + line_end.encode("ascii")


def _line_end(interchange: Interchange, parts: list[_Part]) -> str:
    """The line end before the first segment after UNB."""
    if len(parts) < 2:
        return ""
    begin = parts[1].offset if isinstance(parts[1], Segment) else parts[1].start
    before = interchange.data[max(0, begin - LONGEST_LINE_END) : begin].decode(ANY_OCTET)
    return before[len(before.rstrip("\r\n")) :]


def _ended(interchange: Interchange, octets: bytes, last: _Part, line_end: str) -> bytes:
    """`octets` with the end they had: without a line end, or the terminator itself, that was not there."""
    mark, terminator = line_end.encode("ascii"), interchange.service.terminator.encode(ANY_OCTET)
    given = interchange.data[: interchange.end]
    if given and not given.endswith(mark) and not interchange.data.startswith(mark, interchange.end):
        octets = octets.removesuffix(mark)
    if isinstance(last, Message):
        given = last.data.rstrip(b"\r\n")
    elif isinstance(last, Segment):
        given = given[: last.offset + len(last.text) + 1]
    if given and not given.endswith(terminator) and not isinstance(last, Package):
        bare = octets.removesuffix(mark).removesuffix(terminator)
        # Where separators were left out at the end, the terminator is needed to see that something ended.
        octets = bare if bare.endswith(given[-1:]) else octets
    return octets


def contents_of(interchange: Interchange) -> list[OutMessage | OutPackage | OutGroup]:
    """What was read between UNB and UNZ as `compose` takes it. Raises ValueError as those values do."""
    contents: list[OutMessage | OutPackage | OutGroup] = []
    group: OutGroup | None = None
    headers = {group.header.offset: group.header for group in interchange.groups}
    inside: list[OutMessage | OutPackage] = []
    for part in _in_order(interchange):
        if isinstance(part, Segment):
            if group is not None and part.tag in {"UNG", "UNE", "UNZ"}:
                contents.append(replace(group, contents=tuple(inside)))
                group, inside = None, []
            if part.offset in headers:
                group = OutGroup.of(part)
        else:
            out = OutMessage.of(part) if isinstance(part, Message) else OutPackage.of(part)
            (contents if group is None else inside).append(out)
    if group is not None:
        contents.append(replace(group, contents=tuple(inside)))
    return contents
