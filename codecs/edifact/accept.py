"""The elements of a whole message in one regular expression, compiled from its directory.

What it accepts is in order by every rule of `elements`; what it does not accept is looked at there, segment
by segment, which may still find nothing wrong. Released characters are put away first, so that a length is a
length and a separator is a separator.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

from .definition import ComponentUse, ElementUse, Format, SegmentRule
from .directory import MessageRule
from .service import ServiceString

# Compiling costs as much as checking so many segments one by one: whoever brings separators of his own to
# have something compiled for them makes us work no more than twice as much.
WORTH_COMPILING = 20_000
# What names the list a code is of, within a composite: it may be another list than the directory's.
LIST_ELEMENTS = frozenset({"1131", "3055"})
# Stands for a released character: a noncharacter of Unicode, which no code list has.
_OTHER = "\uffff"
# Values by their characters: each leads to what may follow it, the empty one to nothing, where a value ends.
_Tree = dict[str, "_Tree"]


class Acceptor:
    """Accepts the segments of one message type under one service string.

    `newer` are the syntax versions from 4 on, in which an element may repeat.
    """

    def __init__(self, rule: MessageRule, service: ServiceString, marks: str, *, newer: bool) -> None:
        self._rule = rule
        self._service = service
        self._marks = marks
        self._newer = newer
        self._seen = 0
        self._pattern: re.Pattern[str] | None = None
        self._release = re.compile(f"{re.escape(service.release)}.", re.DOTALL) if service.release else None

    def doubtful(self, text: str, count: int) -> Iterator[int]:
        """The segments of a message that are not accepted, each by its number from 1; `text` is the message
        as it was sent, of `count` segments."""
        if self._pattern is None:
            self._seen += count
            if self._seen <= WORTH_COMPILING:
                yield from range(1, count + 1)
                return
            self._pattern = self.compile()
        if self._release is not None and self._service.release in text:
            text = self._release.sub(_put_away, text)
        accept, terminator = self._pattern.match, self._service.terminator
        begin = number = 0
        while number < count:
            found = accept(text, begin)
            end = begin if found is None else found.end()
            if end == len(text):
                return
            number += text.count(terminator, begin, end) + 1
            if number > count:
                return
            yield number
            begin = text.find(terminator, end) + 1
            if not begin:
                return

    def compile(self) -> re.Pattern[str]:
        """The expression: any number of segments that are in order."""
        build = _Builder(self._service, self._marks, newer=self._newer)
        rules = self._rule.segments.items()
        segments = [build.segment(tag, rule.for_version(4 if self._newer else 3)) for tag, rule in rules]
        return re.compile(f"(?:[ \t\r\n]*+(?:{'|'.join(segments)}))*+")


@functools.lru_cache(maxsize=64)
def acceptor(rule: MessageRule, service: ServiceString, marks: str, *, newer: bool) -> Acceptor:
    """The acceptor for a message type; `marks` are the decimal marks."""
    return Acceptor(rule, service, marks, newer=newer)


class _Builder:
    """Writes the expression of each part. After a value comes a separator or the terminator, in whatever way
    the value was matched, so there are no two ways to match a segment."""

    def __init__(self, service: ServiceString, marks: str, *, newer: bool) -> None:
        self._element = re.escape(service.element)
        self._component = re.escape(service.component)
        self._terminator = re.escape(service.terminator)
        self._repetition = re.escape(service.repetition) if newer else ""
        separators = self._element + self._component + self._terminator + self._repetition
        self._separators = frozenset(service.component + service.element + service.terminator)
        self._separators |= frozenset(service.repetition)
        self._data = f"[^{separators}]"
        self._end = f"(?![^{separators}])"
        # A mark that is a separator as well parts values; in one it is released, and `elements` decides.
        self._marks = re.escape("".join(mark for mark in marks if mark not in self._separators))
        self._minus = "" if "-" in self._separators else "-?+"

    def segment(self, tag: str, rule: SegmentRule) -> str:
        """A segment with its terminator. One with dependencies is never accepted."""
        if rule.notes:
            return "(?!)"
        uses = [(use.mandatory, self._occurrences(use)) for use in rule.elements]
        return f"{tag}{_chain(self._element, uses, lead=True)}{self._terminator}"

    def _occurrences(self, use: ElementUse) -> str:
        parts = use.components
        uses = [(part.mandatory, self._value(part, parts[n:])) for n, part in enumerate(parts, 1)]
        once = _chain(self._component, uses, lead=False)
        if use.repeat == 1 or not self._repetition:
            return once
        return f"{once}(?:{self._repetition}{once}){{0,{use.repeat - 1}}}+"

    def _value(self, use: ComponentUse, after: Sequence[ComponentUse]) -> str:
        if use.codes is None:
            return self._formatted(use.format)
        listed = _any_of(code for code in use.codes if not self._separators.intersection(code))
        own = [number for number, other in enumerate(after, 1) if other.id in LIST_ELEMENTS]
        if not own or use.id in LIST_ELEMENTS:
            return listed
        # Another list is named right behind: its values are not ours to know.
        skip = f"{self._component}{self._data}*+"
        named = "|".join(skip * (place - 1) + self._component + self._data for place in own)
        free = f"{self._formatted(use.format)}(?={named})"
        # Each up to its end: a value that both allow is not tried in both ways.
        return f"(?>{listed}{self._end}|{free})"

    def _formatted(self, fmt: Format) -> str:
        if fmt.kind == "an":
            return f"{self._data}{{{fmt.low},{fmt.high}}}+"
        if fmt.kind == "a":
            return f"{self._data[:-1]}0-9]{{{fmt.low},{fmt.high}}}+"
        whole = f"[0-9]{{{fmt.low},{fmt.high}}}+(?![0-9{self._marks}])"
        if fmt.low > 1 or fmt.high < 2 or not self._marks:
            return f"{self._minus}{whole}"
        inside = f"[0-9{self._marks}]"
        broken = f"(?={inside}{{3,{fmt.high + 1}}}+{self._end})[0-9]++[{self._marks}][0-9]++"
        return f"{self._minus}(?:{whole}|{broken})"


def _chain(separator: str, uses: Sequence[tuple[bool, str]], *, lead: bool) -> str:
    """Parts in order, each mandatory or not; with `lead` a separator goes before the first. What is left out
    must be followed by a separator, so a chain never ends in one, and none of it is left out for nothing."""
    written, needed = "", False
    for number in range(len(uses) - 1, -1, -1):
        mandatory, part = uses[number]
        needed = needed or mandatory
        here = part if mandatory else f"(?:{part}|(?={separator}))"
        if not number and not lead:
            return here + written
        written = f"{separator}{here}{written}" if needed else f"(?:{separator}{here}{written}|)"
    return written


def _put_away(released: re.Match[str]) -> str:
    """What stands for a released character: a digit for itself, for others one that is in no code."""
    return released[0][1] if "0" <= released[0][1] <= "9" else _OTHER


def _any_of(values: Iterable[str]) -> str:
    """An expression for exactly these values, as a tree of their characters."""
    tree: _Tree = {}
    for value in values:
        node = tree
        for character in value:
            node = node.setdefault(character, {})
        node[""] = {}
    return _branches(tree)


def _branches(node: _Tree) -> str:
    alike: dict[str, list[str]] = {}
    for character, below in node.items():
        if character:
            alike.setdefault(_branches(below), []).append(character)
    written = []
    for rest, characters in alike.items():
        first = re.escape(characters[0])
        if len(characters) > 1:
            first = "[" + "".join(re.escape(character) for character in sorted(characters)) + "]"
        written.append(first + rest)
    if not written:
        return ""
    if "" in node:
        written.append("")
    return written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"
