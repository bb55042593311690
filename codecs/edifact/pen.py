"""Segments to text and octets: escaping, truncation, and what a syntax level can carry."""

import functools
import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from ..finding import shown
from .scanner import Segment
from .service import REPERTOIRES, ServiceString

# Control characters have no place in data (ISO 9735-1, annex A).
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TAG = re.compile("[A-Z][A-Z0-9]{2}")


# ISO 2022 takes its sets from escape sequences; this codec writes those of Japan, Korea, China and Greece.
_CODECS = {"iso2022": "iso2022_jp_2"}


# Segments come in few shapes: what CUSDEC writes has some two hundred.
MAX_FORMS = 1_000
# Pairs of a service string and a character set in use at a time.
MAX_PENS = 32


# Text with %s for each value, and what puts values into the order of their places where they are not.
_Form = tuple[str, Callable[[tuple[str, ...]], tuple[str, ...]] | None]


class Repeat(tuple[str | Sequence[str], ...]):
    """An element that occurs several times (syntax version 4): `Repeat("a", ("b", "c"))`."""

    __slots__ = ()

    def __new__(cls, *occurrences: str | Sequence[str]) -> "Repeat":
        """Each occurrence is one text or its components."""
        return super().__new__(cls, occurrences)


# An element: its text, its components, or its occurrences.
Element = str | Sequence[str] | Repeat


class OutSegment(NamedTuple):
    """A segment being written: its tag, and its components by (element, component)."""

    tag: str
    cells: dict[tuple[int, int], str]


# A segment to be written: by its places, as it was read, or spelled out: `("BGM", "929", ("A", "", "B"))`.
Content = OutSegment | Segment | Sequence[Element]


def segment(tag: str, *elements: str | Sequence[str]) -> OutSegment:
    """A segment of given elements, each one text or its components."""
    cells = {}
    for number, element in enumerate(elements, 1):
        for component, value in enumerate([element] if isinstance(element, str) else element, 1):
            if value:
                cells[number, component] = value
    return OutSegment(tag, cells)


class Pen:
    """Writes segments with one service string in one character set.

    With `level` the repertoire is that of the syntax level, and tags are held to their form; without it
    everything is written that `codec` encodes. Nothing is changed, and nothing left out but empty elements
    and components at the end (ISO 9735-1, 8.7); what cannot be written raises ValueError: a value with a
    separator where there is no release character, an element that repeats where there is no repetition
    separator, a character outside the repertoire. `line_end` (CR and LF) goes after every terminator.
    """

    def __init__(
        self, service: ServiceString, *, level: str | None = None, codec: str = "utf-8", line_end: str = ""
    ) -> None:
        if line_end.strip("\r\n"):
            raise ValueError("a line end is made of CR and LF")
        self.service = service
        self._level = level
        named = codec if level is None else REPERTOIRES[level].codec
        self._codec = _CODECS.get(named, named)
        self._end = service.terminator + line_end
        special = service.component + service.element + service.repetition + service.terminator
        special += service.release
        self._trailing = re.compile(re.escape(service.component) + "+" + re.escape(service.element)).sub
        self._special = re.compile(f"[{re.escape(special)}]").search
        self._escapes = str.maketrans({char: service.release + char for char in special})
        self._foul = None if level is None else _outside(level, special)
        self._known: set[str] = set()
        self._forms: dict[tuple[str | tuple[int, int], ...], _Form] = {}

    def write(self, segments: Sequence[Content]) -> bytes:
        """The octets of `segments`; an error says which of them it is, from 1, and which value."""
        try:
            by_place, text_of = self._by_place, self._text
            texts = [by_place(each) if each.__class__ is OutSegment else text_of(each) for each in segments]
            text = "".join(texts)
            self._check(text)
            texts.append("")
            return self._end.join(texts).encode(self._codec)
        except ValueError:
            for number, each in enumerate(segments, 1):
                self._blame(number, each)
            raise

    def _text(self, content: Content) -> str:
        """One segment, without its terminator."""
        if isinstance(content, OutSegment):
            return self._by_place(content)
        if isinstance(content, Segment) and self._level is None and content.source.service == self.service:
            return self._as_read(content)
        tag, *elements = spelled(content)
        return self._joined([self._tag(tag), *(self._element(element) for element in elements)])

    def _as_read(self, content: Segment) -> str:
        """A segment with the separators it came with; where nothing in it is released, that is its text."""
        service, text = self.service, content.text
        head = text.split(service.element, 1)[0]
        if not head or (service.release and service.release in head):
            # No tag at all: what was made of it is nobody's business here.
            return text
        if content.special:
            _, *elements = spelled(content)
            return self._joined([head, *(self._element(element) for element in elements)])
        text = text.rstrip(service.component + service.element)
        if service.component + service.element in text:
            text = self._trailing(service.element, text)
        return text

    def _joined(self, texts: list[str]) -> str:
        while not texts[-1] and len(texts) > 1:
            texts.pop()
        return self.service.element.join(texts)

    def _by_place(self, content: OutSegment) -> str:
        """Components by their places, put into a form that is made once for each set of places."""
        tag, cells = content
        values = tuple(cells.values())
        if not all(values):
            return self._text(spelled(content))
        known = self._forms.get((tag, *cells))
        form, order = self._form(tag, tuple(cells)) if known is None else known
        if order is not None:
            values = order(values)
        if self._special("".join(values)) is not None:
            values = tuple([self._value(value) for value in values])
        return form % values

    def _form(self, tag: str, places: tuple[tuple[int, int], ...]) -> _Form:
        """What stands around the values of these places, and how to put the values in order."""
        written = self._tag(tag)
        element, component = 0, 1
        for at, inside in sorted(places):
            if at != element:
                written += self.service.element * (at - element)
                element, component = at, 1
            written += self.service.component * (inside - component) + "\0"
            component = inside
        order = None if list(places) == sorted(places) else itemgetter(*map(places.index, sorted(places)))
        form = written.replace("%", "%%").replace("\0", "%s"), order
        if len(self._forms) < MAX_FORMS:
            self._forms[tag, *places] = form
        return form

    def _element(self, element: Element) -> str:
        if isinstance(element, str):
            return self._value(element)
        if not isinstance(element, Repeat):
            return self.service.component.join([self._value(value) for value in _trimmed(element)])
        texts = _trimmed([self._element(each) for each in element])
        if len(texts) > 1 and not self.service.repetition:
            raise ValueError("an element that repeats, and there is no repetition separator")
        return self.service.repetition.join(texts)

    def _tag(self, tag: Element) -> str:
        """A tag, which has its form with `level`; else it goes out as it came, with its nesting."""
        if isinstance(tag, str) and tag in self._known:
            return tag
        if self._level is None:
            return self._element(tag)
        if not isinstance(tag, str) or _TAG.fullmatch(tag) is None:
            raise ValueError("not a segment tag")
        self._known.add(tag)
        return tag

    def _value(self, value: str) -> str:
        if self._special(value) is None:
            return value
        if not self.service.release:
            raise ValueError("a separator, and there is no release character")
        return value.translate(self._escapes)

    def _check(self, text: str) -> None:
        """Raise ValueError where `text` has a character outside the repertoire of the level."""
        if self._foul is None or self._level is None:
            return
        if REPERTOIRES[self._level].allowed is None and text.isascii() and text.isprintable():
            return
        if self._foul.search(text) is not None:
            raise ValueError(f"a character outside the repertoire of {self._level}")

    def _blame(self, number: int, content: Content) -> None:
        """Raise ValueError for the first thing in a segment that cannot be written, with its place."""
        tag, *elements = spelled(content)
        places: list[tuple[str, Element]] = [("", tag)]
        for at, element in enumerate(elements, 1):
            if isinstance(element, str | Repeat):
                places.append((f", element {at}", element))
            else:
                places.extend((f", element {at}, component {n}", value) for n, value in enumerate(element, 1))
        for place, each in places:
            try:
                text = self._element(each) if place else self._tag(each)
                self._check(text)
                text.encode(self._codec)
            except UnicodeEncodeError:
                problem = f"a character outside {self._level or self._codec}"
            except ValueError as error:
                problem = str(error)
            else:
                continue
            told = shown(each if isinstance(each, str) else str(tuple(each)))
            raise ValueError(f"segment {number} ({shown(str(tag))}){place}: {problem}: {told!r}") from None


def _trimmed(values: Sequence[str]) -> Sequence[str]:
    """Without the empty ones at the end."""
    last = len(values)
    while last and not values[last - 1]:
        last -= 1
    return values if last == len(values) else values[:last]


@functools.lru_cache(maxsize=MAX_PENS)
def pen_of(
    service: ServiceString, *, level: str | None = None, codec: str = "utf-8", line_end: str = ""
) -> Pen:
    """The Pen for these, with what it learnt of the segments it wrote before."""
    return Pen(service, level=level, codec=codec, line_end=line_end)


def tag_of(content: Content) -> Element:
    """The tag of a segment."""
    if isinstance(content, OutSegment | Segment):
        return content.tag
    return content[0] if content else ""


def spelled(content: Content) -> Sequence[Element]:
    """A segment as its tag and its elements."""
    if isinstance(content, Segment):
        head = content.text.split(content.source.element, 1)[0].split(content.source.component)
        tag: Element = head if len(head) > 1 else content.tag
        return [tag, *(_read_element(content, number) for number in range(1, len(content) + 1))]
    if not isinstance(content, OutSegment):
        return content or [""]
    elements: list[list[str]] = []
    for (element, component), value in content.cells.items():
        elements.extend([] for _ in range(element - len(elements)))
        components = elements[element - 1]
        components.extend("" for _ in range(component - len(components)))
        components[component - 1] = value
    return [content.tag, *elements]


def _read_element(content: Segment, number: int) -> Element:
    found = content.repetitions(number)
    return Repeat(*found) if len(found) > 1 else found[0] if found else ""


def _outside(level: str, special: str) -> re.Pattern[str]:
    """What the repertoire of `level` does not have; service characters belong to every repertoire."""
    allowed = REPERTOIRES[level].allowed
    if allowed is not None:
        return re.compile(f"[^{re.escape(allowed.decode('ascii') + special)}]")
    return re.compile(f"[^{re.escape(special)}\\x20-\\x7e\\xa0-\\U0010ffff]")
