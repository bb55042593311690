"""A new interchange, piece by piece. Every control count and every reference of a trailer comes from here."""

from collections.abc import Iterable

from .outgoing import Heading, OutGroup, OutMessage, OutPackage
from .pen import Content, pen_of
from .service import FIRST_VERSION_WITH_REPETITION


class Composer:
    """Writes one interchange: `begin`, then messages, packages and groups in their order, then `end`.

    Each call returns the octets to send next; of what was written only counts and references are kept. Raises
    ValueError where something cannot be written in this syntax (see Pen) or does not belong there: a
    reference used twice, a message beside groups, two types of message in a group of versions 1 to 3, a
    package before version 4, a group or an interchange with nothing in it. A call that raised was not
    counted: the interchange can go on without it.
    """

    def __init__(self, heading: Heading, *, line_end: str = "") -> None:
        self._heading = heading
        self._pen = pen_of(heading.separators, level=heading.level, line_end=line_end)
        # UNB is in ASCII whatever it declares (ISO 9735-1, 8); ISO 8859-1 does no harm there.
        outer = heading.level if heading.level in {"UNOA", "UNOC"} else "UNOB"
        self._outer = pen_of(heading.separators, level=outer, line_end=line_end)
        self._line_end = line_end.encode("ascii")
        self._advice = heading.separators.advice() + line_end if heading.advised else ""
        self._newer = heading.version >= FIRST_VERSION_WITH_REPETITION
        self._used: set[tuple[str, str]] = set()
        self._group: OutGroup | None = None
        self._groups = 0
        # Messages and packages of the open group, else of the interchange; and the type of the first.
        self._inside = 0
        self._type = ""

    def begin(self) -> bytes:
        """UNA where it is needed, and UNB."""
        return self._advice.encode("ascii") + self._outer.write([self._heading.segment()])

    def message(self, message: OutMessage) -> bytes:
        """UNH to UNT."""
        if self._group is not None and not self._newer and self._type not in {"", message.type}:
            raise ValueError(f"a {message.type} in a group of {self._type}")
        self._admit("UNH", message.reference)
        header = ("UNH", message.reference, message.components, *message.more)
        trailer = self._trailer("UNT", len(message.segments) + 2, message.reference)
        octets = self._pen.write([header, *message.segments, trailer])
        self._count("UNH", message.reference)
        self._type = message.type
        return octets

    def package(self, package: OutPackage) -> bytes:
        """UNO, the object, UNP."""
        if not self._newer:
            raise ValueError("packages exist from syntax version 4 on")
        self._admit("UNO", package.reference)
        status = (str(len(package.data)), str(len(package.segments) or ""), *package.more)
        header = ("UNO", package.reference, package.references, package.types, status)
        before = self._outer.write([header, *package.segments])
        after = self._outer.write([self._trailer("UNP", len(package.data), package.reference)])
        self._count("UNO", package.reference)
        # The object begins right after the terminator.
        return before.removesuffix(self._line_end) + package.data + after

    def open_group(self, group: OutGroup) -> bytes:
        """UNG; what `contents` holds is not written here."""
        if self._group is not None or (self._inside and not self._groups):
            raise ValueError("a functional group beside messages or inside another group")
        if ("UNG", group.reference) in self._used:
            raise ValueError(f"group reference {group.reference!r} is used twice")
        octets = self._outer.write([group.segment(self._heading)])
        self._group, self._inside, self._type = group, 0, group.type
        self._groups += 1
        self._used = {key for key in self._used if key[0] == "UNG"} | {("UNG", group.reference)}
        return octets

    def close_group(self) -> bytes:
        """UNE."""
        if self._group is None:
            raise ValueError("no functional group is open")
        octets = self._end("UNE", self._inside, self._group.reference)
        self._group = None
        return octets

    def end(self) -> bytes:
        """UNZ."""
        if self._group is not None:
            raise ValueError("a functional group is open")
        return self._end("UNZ", self._groups or self._inside, self._heading.reference)

    def _end(self, tag: str, count: int, reference: str) -> bytes:
        if not count:
            raise ValueError(f"nothing before {tag}")
        return self._outer.write([self._trailer(tag, count, reference)])

    def _trailer(self, tag: str, count: int, reference: str) -> Content:
        """UNT, UNP, UNE and UNZ are alike: what was counted, and the reference of the header."""
        return (tag, str(count), reference)

    def _admit(self, tag: str, reference: str) -> None:
        if self._groups and self._group is None:
            raise ValueError("messages beside functional groups")
        if (tag, reference) in self._used:
            raise ValueError(f"reference {reference!r} is used twice")

    def _count(self, tag: str, reference: str) -> None:
        self._used.add((tag, reference))
        self._inside += 1


def compose(
    heading: Heading, contents: Iterable[OutMessage | OutPackage | OutGroup], *, line_end: str = ""
) -> bytes:
    """A whole interchange; raises what Composer raises. `line_end` (CR and LF) follows every segment."""
    composer = Composer(heading, line_end=line_end)
    pieces = [composer.begin()]
    for each in contents:
        if isinstance(each, OutGroup):
            pieces.append(composer.open_group(each))
            pieces.extend(_single(composer, inner) for inner in each.contents)
            pieces.append(composer.close_group())
        else:
            pieces.append(_single(composer, each))
    pieces.append(composer.end())
    return b"".join(pieces)


def _single(composer: Composer, each: OutMessage | OutPackage) -> bytes:
    return composer.message(each) if isinstance(each, OutMessage) else composer.package(each)
