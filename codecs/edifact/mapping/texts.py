"""Rules of texts: FTX and PCI, which carry one text over several lines and segments."""

from ...finding import Severity
from ..scanner import Segment
from ..writer import OutSegment
from .chain import chain_of, read_chain
from .reading import Reading
from .rules import CHANGED, OWN_LIST, Out, Rule
from .source import View
from .tree import Block, Draft, split_lines

# C108 of FTX: five lines of 70; C210 of PCI: ten of 35.
TEXT_WIDTH, TEXT_LINES = 70, 5
MARKS_WIDTH, MARKS_LINES = 35, 10
# 1131 of an FTX that goes on with the text of the one before it, in the same line or in a new one, and of one
# that holds its pointer; 4441 and 3055 are ZZZ then.
CONTINUED, NEW_LINE, POINTER = "CNT", "CNL", "PTR"
# Qualifiers of FTX that carry something else than a statement.
DESCRIPTION, PROCEDURES, PACKING, CHANGES = "AAA", "CCI", "PKG", "CHG"
RESERVED_TEXTS = frozenset({DESCRIPTION, PROCEDURES, PACKING, CHANGES})


def text_lines(segment: Segment, element: int) -> list[str]:
    """The lines of C108 or C210."""
    return list(segment.components(element))


def take_blocks(view: View, path: str, out: Out, width: int, lines: int) -> list[Block]:
    """A text as blocks of lines; left-out blank lines are reported."""
    text = view.peek(path)
    if not text:
        return []
    view.take(path)
    if len(text) <= width and text.isprintable():
        return [Block([text], False)]
    given = text.replace("\r\n", "\n").split("\n")
    if not all(given):
        told = f"{view.name(path)}: blank lines are not carried"
        out.report.add(CHANGED, told, value=text, severity=Severity.WARNING)
    cleaned = [line if line.isprintable() else out.clean(line, view.name(path)) for line in given]
    return split_lines("\n".join(cleaned), width, lines)


def line_cells(element: int, lines: list[str]) -> dict[tuple[int, int], str]:
    """Lines as the components of one element."""
    return {(element, number): line for number, line in enumerate(lines, 1) if line}


class Description(Rule):
    """FTX+AAA: one text over as many segments as it needs."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Add the lines."""
        glue = segment.value(3, 2) == CONTINUED
        parent.add_lines(self.base, text_lines(segment, 4), TEXT_WIDTH, glue=glue)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """One segment for each five lines."""
        for block in take_blocks(parent, self.base, out, TEXT_WIDTH, TEXT_LINES):
            if not out.room(self.pool, self.limit):
                out.too_many([(parent.name(self.base), block.lines[0])], self.tag, self.limit)
                continue
            head = _marked(self.key, CONTINUED) if block.glue else {(1, 1): self.key}
            out.segments.append(OutSegment(self.tag, head | line_cells(4, block.lines)))


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
    """FTX with any other qualifier: 4451 the statement's type (ZZZ: none), 4441 its code, C108 its text.

    More text, and the statement's pointer, follow in segments marked in C107: CNT or CNL, and PTR.
    """

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """A new statement, or more of the last one."""
        known = parent.children(self.base)
        mark = segment.value(3, 2)
        if mark in {CONTINUED, NEW_LINE, POINTER} and known:
            if mark == POINTER:
                read_chain(segment, known[-1], reading)
            else:
                lines, glue = text_lines(segment, 4), mark == CONTINUED
                known[-1].add_lines("statement_description", lines, TEXT_WIDTH, glue=glue)
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
        """One segment for each statement, each further five lines, and each pointer."""
        for view in parent.children(self.base):
            paths = ("statement_type_code", "statement_code", "statement_description")
            given = [(path, text) for path, text in ((path, view.peek(path)) for path in paths) if text]
            if not given:
                continue
            kind, code = view.take("statement_type_code"), view.take("statement_code")
            if kind in RESERVED_TEXTS or len(kind) > 3 or len(code) > 17:
                out.too_many(view.named(given), f"statement with type {kind}", 0)
                view.take("statement_description")
                continue
            blocks = take_blocks(view, "statement_description", out, TEXT_WIDTH, TEXT_LINES)
            head = {(1, 1): kind or OWN_LIST} | ({(3, 1): code} if code else {})
            cells = [head | line_cells(4, blocks[0].lines if blocks else [])]
            for block in blocks[1:]:
                mark = _marked(kind, CONTINUED if block.glue else NEW_LINE)
                cells.append(mark | line_cells(4, block.lines))
            cells.extend(_marked(kind, POINTER) | line_cells(4, lines) for lines in chain_of(view, out))
            for entry in cells:
                if out.room(self.pool, self.limit):
                    out.segments.append(OutSegment(self.tag, entry))
                else:
                    out.too_many(view.named(given), self.tag, self.limit)


def _marked(kind: str, mark: str) -> dict[tuple[int, int], str]:
    return {(1, 1): kind or OWN_LIST, (3, 1): OWN_LIST, (3, 2): mark, (3, 3): OWN_LIST}


class Changes(Rule):
    """FTX+CHG: an amendment, its reason in 4441, its pointer in C108; more of the pointer marked as above."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """An amendment, or more of the pointer of the last one."""
        known = parent.children(self.base)
        if segment.value(3, 2) == POINTER and known:
            read_chain(segment, known[-1], reading)
            return parent
        amendment = parent.append(self.base)
        reason = segment.value(3)
        if reason and reason != OWN_LIST:
            amendment.put("change_reason_code", reason)
        read_chain(segment, amendment, reading)
        return parent

    def write(self, parent: View, out: Out) -> None:
        """One segment for each amendment, more where the pointer is long."""
        for view in parent.children(self.base):
            reason = view.peek("change_reason_code")
            name = view.name("change_reason_code") if reason else f"{self.base} pointer"
            view.take("change_reason_code")
            blocks = chain_of(view, out)
            if not reason and not blocks:
                continue
            cells = [
                {(1, 1): CHANGES, (3, 1): reason or OWN_LIST} | line_cells(4, blocks[0] if blocks else [])
            ]
            cells.extend(_marked(CHANGES, POINTER) | line_cells(4, lines) for lines in blocks[1:])
            for entry in cells:
                if out.room(self.pool, self.limit):
                    out.segments.append(OutSegment(self.tag, entry))
                else:
                    out.too_many([(name, reason)], self.tag, self.limit)


class Marks(Rule):
    """PCI: shipping marks over as many segments as they need, 4233 = ZZZ where one goes on in the same line.

    The packing material is an FTX below the first.
    """

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Add the lines."""
        lines = text_lines(segment, 2)
        if lines:
            parent.add_lines("marks_numbers_id", lines, MARKS_WIDTH, glue=segment.value(1) == OWN_LIST)
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
            head = {(1, 1): OWN_LIST} if block.glue else {}
            out.segments.append(OutSegment("PCI", head | line_cells(2, block.lines)))
            if not number:
                out.segments.extend(material.segments)
