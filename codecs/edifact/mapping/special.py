"""The rules of header segments that are more than a row: BGM, means of transport, seals."""

import re

from ...declaration.values import written_format
from ...finding import Severity
from ..scanner import Segment
from ..writer import OutSegment
from .reading import BAD_VALUE, Reading
from .rules import OWN_LIST, Out, Rule
from .source import View
from .tree import Draft

# C002 of BGM: 1001 of a goods declaration, and what it means where 1000 names no national type.
TYPE_BY_NAME = {"929": "IM", "830": "EX"}
# Types that say what the message does, not which way the goods go.
NOT_TRADE = frozenset({"COR", "INV", "GPR"})
# A date of this century without it, as syntax version 3 writes its own.
_SHORT_DATE = re.compile("[0-9]{6}")
NAME_BY_TYPE = {"IM": "929", "CO": "929", "EX": "830"}


class Begin(Rule):
    """BGM: 1001 import or export declaration, 1000 the national type; 1004 LRN; 1225 function.

    A type that is neither import nor export (COR, INV, GPR) goes into 1000 alone.
    """

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Type, LRN and function."""
        super().read(segment, parent, reading)
        name, national = segment.value(1), segment.value(1, 4)
        kind = national or TYPE_BY_NAME.get(name, "")
        if kind:
            parent.put("type_code", kind, (1, 4) if national else (1, 1))
        elif not reading.told(segment, (1, 1)):
            text = "neither 929 nor 830, and no national type in 1000"
            reading.report.add(
                BAD_VALUE, text, reading.point(segment, 1, 1), value=name or None, expected="929, 830"
            )
        return parent

    def write(self, parent: View, out: Out) -> None:
        """Always written: a message begins with it."""
        cells = self._cells(parent, out, [])
        kind = parent.take("type_code")
        name = None if kind in NOT_TRADE else NAME_BY_TYPE.get(kind[:2])
        if name is not None:
            cells[1, 1] = name
        if kind and kind != TYPE_BY_NAME.get(name or ""):
            cells[1, 4] = kind
        out.segments.append(OutSegment("BGM", cells))


class Moment(Rule):
    """DTM: what is no date is left to the rules of content; what can still be told is a warning."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """The date and its format: six digits get their century, a format that is left out is seen."""
        text, given = segment.value(1, 2), segment.value(1, 3)
        told, form = text, given or written_format(text) or ""
        if form in {"", "102"} and _SHORT_DATE.fullmatch(text):
            whole = f"20{text}"
            if written_format(whole) == "102":
                told, form = whole, "102"
        if (told, form) != (text, given):
            self._warn(segment, reading, f"{told}:{form}", "year without century" if given else "no format")
        for entry, value in zip(self.slots, (told, form), strict=True):
            if value:
                reading.put(parent, entry.path, value, segment, entry.cells[0])
        return parent

    def _warn(self, segment: Segment, reading: Reading, read: str, what: str) -> None:
        value = f"{segment.value(1, 2)}:{segment.value(1, 3)}"
        text = f"a date with {what}, read as {read}"
        point = reading.point(segment, 1, 2)
        reading.report.add("date-format", text, point, value=value, severity=Severity.WARNING)


class Transport(Rule):
    """TDT: C222 holds the identification (8213, nine characters) and the name (8212).

    An identification longer than nine characters goes into 8212 with 3055 = ZZZ and 8213 left out; the name
    then goes into TPL, the other C222 of the group.
    """

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Mode, type, identification, name, nationality."""
        draft = super().read(segment, parent, reading)
        long = not segment.value(8) and segment.value(8, 3) == OWN_LIST
        text = segment.value(8, 4)
        if text:
            draft.put("id" if long else "name", text, (8, 4))
        return draft

    def write(self, parent: View, out: Out) -> None:
        """TDT, and TPL where the name did not find room."""
        view = parent.at(self.base)
        given, name = view.peek("id"), view.peek("name")
        taken: list[tuple[str, str]] = []
        extra: dict[tuple[int, int], str] = {}
        place: list[OutSegment] = []
        if len(given) > 9:
            extra |= self._text(view, "id", out)
            extra[8, 3] = OWN_LIST
            if name:
                cells = {
                    (1, component): text for (_, component), text in self._text(view, "name", out).items()
                }
                place.append(OutSegment("TPL", cells))
        elif name:
            extra |= self._text(view, "name", out)
        cells = self._cells(view, out, taken) | extra
        if not cells:
            return
        if not out.room(self.pool, self.limit):
            out.too_many(view.named(taken), self.tag, self.limit)
            return
        out.segments.append(OutSegment(self.tag, self.fixed | cells))
        out.segments.extend(place)

    def _text(self, view: View, path: str, out: Out) -> dict[tuple[int, int], str]:
        name = view.name(path)
        text = out.clean(view.take(path), name)
        if len(text) > 35:
            out.too_long(name, text, 35)
            return {}
        return {(8, 4): text}


class Place(Rule):
    """TPL: the name of a means of transport whose identification took the place of it in TDT."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """The name."""
        text = segment.value(1, 4)
        if text:
            parent.put("name", text)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """Written by Transport."""


class Seals(Rule):
    """SEL: all equipment comes before all seals, so 9303 gives the number of the equipment, by 3055 ZZZ.

    A seal without that number belongs to the only equipment, else to the first, with a warning. 9308 takes
    ten characters of the seal, 9302 the rest.
    """

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """A seal of its equipment."""
        equipment = parent.children(self.base)
        number = segment.value(2)
        own = segment.value(2, 3) == OWN_LIST and number.isascii() and number.isdecimal()
        index = int(number) - 1 if own else 0
        if not 0 <= index < len(equipment) or (not own and len(equipment) > 1):
            text = "it is not told which equipment the seal is on; taken for the first"
            reading.report.add(BAD_VALUE, text, reading.point(segment), severity=Severity.WARNING)
            index = 0
        if not equipment:
            parent.append(self.base)
        seals = equipment[index]
        seal = seals.append("seal")
        seal.put("sequence_numeric", str(len(seals.children("seal"))))
        head = segment.value(1)
        seal.put("id", head + (segment.value(2, 4) if own and len(head) == 10 else ""))
        return parent

    def write(self, parent: View, out: Out) -> None:
        """One segment for each seal of each equipment."""
        for number, equipment in enumerate(parent.children(self.base), 1):
            for index, seal in enumerate(equipment.children("seal"), 1):
                self._order(seal, index, out)
                if not seal.peek("id"):
                    continue
                name = seal.name("id")
                text = out.clean(seal.take("id"), name)
                if len(text) > 45:
                    out.too_long(name, text, 45)
                    continue
                if not out.room(self.pool, self.limit):
                    out.too_many([(name, text)], self.tag, self.limit)
                    continue
                cells = {(1, 1): text[:10], (2, 1): str(number), (2, 3): OWN_LIST}
                if text[10:]:
                    cells[2, 4] = text[10:]
                out.segments.append(OutSegment("SEL", cells))
