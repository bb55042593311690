"""The rules that are more than a row: texts over several segments, codes that two elements share."""

import re

from ..finding import Severity
from .rules import BAD_VALUE, CHANGED, OWN_LIST, Out, Reading, Rule
from .scanner import Segment
from .tree import Draft, View, split_lines
from .writer import OutSegment

# C108 of FTX: five lines of 70; C210 of PCI: ten of 35.
TEXT_WIDTH, TEXT_LINES = 70, 5
MARKS_WIDTH, MARKS_LINES = 35, 10
# An FTX that goes on with the text of the one before it: C107 ZZZ:CNT:ZZZ.
CONTINUED = "CNT"
# Qualifiers of FTX that carry something else than a statement.
DESCRIPTION, PROCEDURES, DANGEROUS, PACKING = "AAA", "CCI", "AAC", "PKG"
RESERVED_TEXTS = frozenset({DESCRIPTION, PROCEDURES, DANGEROUS, PACKING})
# C002 of BGM: 1001 of a goods declaration, and what it means where 1000 names no national type.
TYPE_BY_NAME = {"929": "IM", "830": "EX"}
NAME_BY_TYPE = {"IM": "929", "CO": "929", "EX": "830"}
_CATEGORY_AND_TYPE = re.compile("[A-Z][A-Z0-9]{3}")


def text_lines(segment: Segment, element: int) -> list[str]:
    """The lines of C108 or C210."""
    return list(segment.components(element))


def take_blocks(view: View, path: str, out: Out, width: int, lines: int) -> list[list[str]]:
    """A text as blocks of lines; left-out blank lines are reported."""
    text = view.peek(path)
    if not text:
        return []
    name = view.name(path)
    text = "\n".join(out.clean(line, name) for line in view.take(path).splitlines())
    blocks, dropped = split_lines(text, width, lines)
    if dropped:
        out.report.add(CHANGED, f"{name}: blank lines are not carried", value=text, severity=Severity.WARNING)
    return blocks


def line_cells(element: int, lines: list[str]) -> dict[tuple[int, int], str]:
    """Lines as the components of one element."""
    return {(element, number): line for number, line in enumerate(lines, 1) if line}


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
            parent.put("type_code", kind)
        else:
            text = "neither 929 nor 830, and no national type in 1000"
            reading.report.add(BAD_VALUE, text, reading.point(segment, 1, 1), value=name, expected="929, 830")
        return parent

    def write(self, parent: View, out: Out) -> None:
        """Always written: a message begins with it."""
        cells = self._cells(parent, out, [])
        kind = parent.take("type_code")
        name = NAME_BY_TYPE.get(kind[:2])
        if name is not None:
            cells[1, 1] = name
        if kind and kind != TYPE_BY_NAME.get(name or ""):
            cells[1, 4] = kind
        out.segments.append(OutSegment("BGM", cells))


class Description(Rule):
    """FTX+AAA: one text over as many segments as it needs."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Add the lines."""
        parent.add_lines(self.base, text_lines(segment, 4), TEXT_WIDTH)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """One segment for each five lines."""
        name = parent.name(self.base) if parent.peek(self.base) else ""
        for block in take_blocks(parent, self.base, out, TEXT_WIDTH, TEXT_LINES):
            if not out.room(self.pool, self.limit):
                out.too_many([(name, block[0])], self.tag, self.limit)
                continue
            out.segments.append(OutSegment(self.tag, {(1, 1): self.key} | line_cells(4, block)))


class Procedures(Rule):
    """FTX+CCI: the first procedure in 4440#1 and #2, further ones as `current/previous` in a segment apart.

    The further ones are marked by C107 `ADD::ZZZ`, since one requested procedure with two codes and two
    procedures with one code each would look alike.
    """

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """One procedure, or up to five further ones."""
        lines = text_lines(segment, 4)
        if segment.value(3) != "ADD":
            self._add(parent, lines[0] if lines else "", lines[1] if len(lines) > 1 else "")
            return parent
        for line in lines:
            current, _, previous = line.partition("/")
            self._add(parent, current, previous)
        return parent

    def _add(self, parent: Draft, current: str, previous: str) -> None:
        procedure = parent.append(self.base)
        for path, text in (("current_code", current), ("previous_code", previous)):
            if text:
                procedure.put(path, text)

    def write(self, parent: View, out: Out) -> None:
        """The first procedure, then the others five to a segment."""
        pairs = [
            (view.take("current_code"), view.take("previous_code")) for view in parent.children(self.base)
        ]
        pairs = [pair for pair in pairs if any(pair)]
        segments = []
        if pairs and pairs[0][0]:
            segments.append({(1, 1): self.key} | line_cells(4, list(pairs.pop(0))))
        lines = [f"{current}/{previous}" if previous else current for current, previous in pairs]
        for start in range(0, len(lines), TEXT_LINES):
            mark = {(1, 1): self.key, (3, 1): "ADD", (3, 3): OWN_LIST}
            segments.append(mark | line_cells(4, lines[start : start + TEXT_LINES]))
        for cells in segments:
            if out.room(self.pool, self.limit):
                out.segments.append(OutSegment(self.tag, cells))
            else:
                out.too_many([("GovernmentProcedure", cells[4, 1])], self.tag, self.limit)


class Statements(Rule):
    """FTX with any other qualifier: 4451 the statement's type (ZZZ: none), 4441 its code, C108 its text."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """A new statement, or more text of the last one."""
        known = parent.children(self.base)
        if segment.value(3, 2) == CONTINUED and known:
            known[-1].add_lines("statement_description", text_lines(segment, 4), TEXT_WIDTH)
            return parent
        statement = parent.append(self.base)
        kind, code = segment.value(1), segment.value(3)
        if kind and kind != OWN_LIST:
            statement.put("statement_type_code", kind)
        if code:
            statement.put("statement_code", code)
        lines = text_lines(segment, 4)
        if lines:
            statement.add_lines("statement_description", lines, TEXT_WIDTH)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """One segment for each statement and each further five lines."""
        for view in parent.children(self.base):
            names = [
                (view.name(path), view.peek(path))
                for path in ("statement_type_code", "statement_code", "statement_description")
                if view.peek(path)
            ]
            kind, code = view.take("statement_type_code"), view.take("statement_code")
            if kind in RESERVED_TEXTS or len(kind) > 3 or len(code) > 17:
                out.too_many(names, f"statement with type {kind}", 0)
                view.take("statement_description")
                continue
            blocks = take_blocks(view, "statement_description", out, TEXT_WIDTH, TEXT_LINES)
            if not names:
                continue
            head = {(1, 1): kind or OWN_LIST} | ({(3, 1): code} if code else {})
            more = {(1, 1): kind or OWN_LIST, (3, 1): OWN_LIST, (3, 2): CONTINUED, (3, 3): OWN_LIST}
            for number, block in enumerate(blocks or [[]]):
                cells = (more if number else head) | line_cells(4, block)
                if out.room(self.pool, self.limit):
                    out.segments.append(OutSegment(self.tag, cells))
                else:
                    out.too_many(names, self.tag, self.limit)


class Marks(Rule):
    """PCI: shipping marks over as many segments as they need; the packing material is an FTX below."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Add the lines."""
        lines = text_lines(segment, 2)
        if lines:
            parent.add_lines("marks_numbers_id", lines, MARKS_WIDTH)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """PCI with ten lines each; a bare `PCI+ZZZ` where only the material is known."""
        blocks = take_blocks(parent, "marks_numbers_id", out, MARKS_WIDTH, MARKS_LINES)
        material = Out(out.report)
        for sub in self.subs:
            sub.write(parent, material)
        if material.segments and not blocks:
            out.segments.append(OutSegment("PCI", {(1, 1): OWN_LIST}))
            out.segments.extend(material.segments)
        for number, block in enumerate(blocks):
            out.segments.append(OutSegment("PCI", line_cells(2, block)))
            if not number:
                out.segments.extend(material.segments)


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
            draft.put("id" if long else "name", text)
        return draft

    def write(self, parent: View, out: Out) -> None:
        """TDT, and TPL where the name did not find room."""
        view = parent.at(self.base)
        given, name = view.peek("id"), view.peek("name")
        names: list[tuple[str, str]] = []
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
        cells = self._cells(view, out, names) | extra
        if not cells:
            return
        if not out.room(self.pool, self.limit):
            out.too_many(names, self.tag, self.limit)
            return
        out.segments.append(OutSegment(self.tag, cells | self.fixed))
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
                self.ordinal = "sequence_numeric"
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
