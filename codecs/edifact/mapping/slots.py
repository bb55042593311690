"""Where in a segment a field of the canonical values is."""

from typing import NamedTuple

from ..scanner import Segment
from ..writer import Cell


class Slot(NamedTuple):
    """A field and the components that carry it.

    With `glue` a full component goes on in the next one and a shorter one ends the text; without it
    components are lines, joined by a blank. `assume` is written where the field is absent and is a value like
    any other when read; `blank` is written where it is absent and is read as absent. `when` must be in its
    component, or the slot is not read.
    """

    path: str
    cells: tuple[Cell, ...]
    glue: bool
    assume: str = ""
    blank: str = ""
    when: tuple[int, int, str] | None = None

    @property
    def simple(self) -> bool:
        """True if the slot is one component and nothing else decides if it is read."""
        return len(self.cells) == 1 and self.when is None

    def read(self, segment: Segment) -> str:
        """The text of the field in `segment`."""
        if self.when is not None and segment.value(self.when[0], self.when[1]) != self.when[2]:
            return ""
        first = self.cells[0]
        text = segment.value(first.element, first.component)
        if len(self.cells) > 1:
            full = len(text) == first.length
            for cell in self.cells[1:]:
                value = segment.value(cell.element, cell.component)
                if not value or (self.glue and not full):
                    break
                text += value if full else f" {value}"
                full = len(value) == cell.length
        return "" if text == self.blank else text

    def cut(self, text: str) -> dict[tuple[int, int], str] | None:
        """`text` in the components of the slot; None where it is too long for them."""
        cells = {}
        for cell in self.cells:
            if text:
                cells[cell.element, cell.component] = text[: cell.length]
            text = text[cell.length :]
        return None if text else cells


def slot(
    path: str,
    where: str,
    *,
    assume: str = "",
    blank: str = "",
    when: tuple[int, int, str] | None = None,
) -> Slot:
    """A slot from its short form: `2.1/35` element 2, component 1, 35 characters; `>` glues."""
    cells = []
    for word in where.replace(">", " ").split():
        position, _, length = word.partition("/")
        element, _, component = position.partition(".")
        cells.append(Cell(int(element), int(component), int(length)))
    return Slot(path, tuple(cells), ">" in where, assume, blank, when)
