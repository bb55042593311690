"""The mapping engine: one rule says how a segment and the canonical fields in it are read and written.

Rules are rows of tables (`cusdec_tables`, `cusres`). The same row serves both directions, so what is written
is what is read. A rule that opens a segment group has rules of its own for the segments inside it.
"""

import functools
from collections.abc import Mapping, Sequence
from itertools import groupby

from ...declaration import Node
from ...finding import Severity
from ..report import Code, Report
from ..scanner import Segment
from ..writer import CONTROL, OutSegment
from .reading import Reading
from .slots import Slot
from .source import Source, View, as_text, reach, split_path
from .tree import Draft, Path, resolve

# Finding codes of the mapping itself; they are not of UNTDID 0085, since the syntax is in order.
NO_PLACE = "no-place"
CHANGED = "changed-in-writing"

ANY = "*"
# Nodes of one class come with few sets of names; for each it is kept which rules they concern.
MAX_SHAPES = 256
OWN_LIST = "ZZZ"


class Out:
    """Collects the segments of one level of a message, counts them, and reports what does not fit."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.segments: list[OutSegment] = []
        self.counts: dict[str, int] = {}

    def room(self, pool: str, limit: int) -> bool:
        """True, and counted, if another of `pool` may be written."""
        if self.counts.get(pool, 0) >= limit:
            return False
        self.counts[pool] = self.counts.get(pool, 0) + 1
        return True

    def clean(self, text: str, name: str) -> str:
        """`text` without control characters, which have no place in data; a change is reported."""
        if text.isprintable() or not CONTROL.search(text):
            return text
        self.report.add(
            CHANGED, f"{name}: control characters written as blanks", value=text, severity=Severity.WARNING
        )
        return CONTROL.sub(" ", text)

    def cleaned(self) -> list[OutSegment]:
        """The segments, without a control character in any of them."""
        if "".join([value for out in self.segments for value in out.cells.values()]).isprintable():
            return self.segments
        return [
            OutSegment(tag, {place: self.clean(value, tag) for place, value in cells.items()})
            for tag, cells in self.segments
        ]

    def too_long(self, name: str, text: str, limit: int) -> None:
        """Report a value that is left out because it does not fit."""
        self.report.add(
            Code.TOO_LONG, f"{name} is left out: it does not fit", value=text, expected=f"an..{limit}"
        )

    def too_many(self, values: Sequence[tuple[str, str]], what: str, limit: int) -> None:
        """Report values that are left out because the message has no room for another of `what`."""
        for name, text in values:
            self.report.add(
                Code.TOO_MANY_REPETITIONS,
                f"{name} is left out: no room for another {what}",
                value=text,
                expected=f"at most {limit}",
            )

    def incomplete(self, values: Sequence[tuple[str, str]], what: str) -> None:
        """Report values that are left out because what the segment begins with is absent."""
        for name, text in values:
            self.report.add(
                Code.MISSING, f"{name} is left out: {what} cannot be written without its code", value=text
            )

    def no_place(self, source: Source) -> None:
        """Report every field that no rule took."""
        for name, text in source.left():
            self.report.add(
                NO_PLACE, f"{name} has no place in this message", value=text, severity=Severity.WARNING
            )


class Rule:
    """One segment: `key` is its qualifier (ANY: whatever is not in the table), `base` the node it fills.

    With `many` each segment is one entry of the list at `base`; `ordinal` names the entry's sequence number,
    which follows from the order. `needs` is a component without which the segment cannot be written. `pool`
    and `limit` bound how many the message takes.
    """

    many = False

    def __init__(
        self,
        group: str,
        tag: str,
        key: str,
        *slots: Slot,
        base: str = "",
        many: bool = False,
        ordinal: str = "",
        always: bool = False,
        fixed: Mapping[tuple[int, int], str] | None = None,
        aliases: tuple[str, ...] = (),
        needs: tuple[int, int] | None = None,
        pool: str = "",
        limit: int = 1,
        subs: Sequence["Rule"] = (),
    ) -> None:
        self.group, self.tag, self.key = group, tag, key
        self.slots, self.base, self.many, self.ordinal, self.always = slots, base, many, ordinal, always
        self.fixed = dict(fixed or {})
        self.aliases, self.needs, self.pool, self.limit = aliases, needs, pool, limit
        self.subs = tuple(subs)
        self.table = table(self.subs)
        # Worked out once: where each slot's value is and goes, in the order of the places; what stands for
        # absent ones; and which names a node must have one of for the rule to write anything.
        self._plan = [
            (*split_path(entry.path), (cell.element, cell.component), cell.length, entry)
            for cell, entry in sorted((entry.cells[0], entry) for entry in slots)
        ]
        # The slots as they are read: by element, since an element is split once; each with its number, its
        # component, and if there is no more to it than that.
        self._runs = [
            (element, [(n, entry, entry.cells[0].component, entry.simple) for n, entry in entries])
            for element, entries in groupby(enumerate(slots), key=lambda each: each[1].cells[0].element)
        ]
        self._before, self._last = split_path(base)
        self._paths: dict[type[Node], list[Path]] = {}
        self._defaults = [
            (place, entry.assume or entry.blank)
            for *_, place, _, entry in self._plan
            if entry.assume or entry.blank
        ]
        self._concerned = functools.lru_cache(maxsize=MAX_SHAPES)(self._find_concerned)
        self._first = self._names() if base or type(self).write is Rule.write else None

    def _names(self) -> frozenset[str] | None:
        """The first names of every path of the rule; None where a rule below it does not tell."""
        if self.base:
            return frozenset({self.base.partition(".")[0]})
        names = {steps[0] if steps else leaf for steps, leaf, *_ in self._plan}
        for sub in self.subs:
            if sub._first is None:
                return None
            names |= sub._first
        return frozenset(names)

    def takes(self, segment: Segment) -> bool:
        """False where the segment means something this rule has no field for."""
        return True

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """Fill `parent` from `segment`; returns the node that the segments of the group go on with."""
        draft = parent.append(self.base) if self.many else parent.at(self.base)
        if self.ordinal:
            draft.put(self.ordinal, str(len(parent.children(self.base))))
        paths = self._paths.get(draft.cls) or self._resolved(draft.cls)
        parts, separator = segment.parts, segment.source.component
        for element, entries in self._runs:
            if element >= len(parts) or not parts[element]:
                continue
            part = parts[element]
            found = part.split(separator) if part.__class__ is str else segment.components(element)
            for number, entry, component, simple in entries:
                text = found[component - 1] if len(found) >= component else ""
                if not simple:
                    text = entry.read(segment)
                if not text or text == entry.blank:
                    continue
                at = paths[number]
                doubtful = at.convert is not None and reading.wrong_mark in text
                # Where there is something to tell, it is put again in the way that tells it.
                if doubtful or draft.put_at(at, text, (element, component)) is not None:
                    reading.put(draft, entry.path, text, segment, entry.cells[0])
        return draft

    def _find_concerned(self, names: tuple[str, ...]) -> list["Rule"]:
        """The rules inside the group that may have something to write for a node that has these names."""
        return [sub for sub in self.subs if sub._first is None or not sub._first.isdisjoint(names)]

    def _resolved(self, cls: type[Node]) -> list[Path]:
        """The paths of the slots from a class on: most rules are met with one class only."""
        paths = self._paths[cls] = [resolve(cls, entry.path) for entry in self.slots]
        return paths

    def write(self, parent: View, out: Out) -> None:
        """Write the segments for what `parent` has, and those inside their group."""
        views: Sequence[View] = (parent,)
        if self.base:
            if reach(parent.values, self._before).get(self._last) is None:
                return
            views = parent.children(self.base) if self.many else (parent.at(self.base),)
        for number, view in enumerate(views, 1):
            if not view.values and not self.always:
                continue
            if self.ordinal:
                self._order(view, number, out)
            taken: list[tuple[str, str]] = []
            cells = self._cells(view, out, taken)
            below = self._below(view, out) if self.subs else []
            if not cells and not below and not (self.always and self.many):
                continue
            if self.needs is not None and self.needs not in cells:
                out.incomplete(view.named(taken), self.tag)
                continue
            if self.pool and not out.room(self.pool, self.limit):
                out.too_many(view.named(taken) or [(view.where(), "")], self.tag, self.limit)
                continue
            for place, text in self._defaults:
                cells.setdefault(place, text)
            out.segments.append(OutSegment(self.tag, self.fixed | cells))
            out.segments.extend(below)

    def _below(self, view: View, out: Out) -> list[OutSegment]:
        """The segments inside the group."""
        inner = Out(out.report)
        for sub in self._concerned(tuple(view.values)):
            sub.write(view, inner)
        return inner.segments

    def _order(self, view: View, number: int, out: Out) -> None:
        given = view.peek(self.ordinal)
        if given:
            if given != str(number):
                text = f"{view.name(self.ordinal)} is renumbered by its position"
                out.report.add(CHANGED, text, value=given, expected=str(number), severity=Severity.WARNING)
            view.take(self.ordinal)

    def _cells(self, view: View, out: Out, taken: list[tuple[str, str]]) -> dict[tuple[int, int], str]:
        values = view.values
        cells: dict[tuple[int, int], str] = {}
        for steps, leaf, place, longest, entry in self._plan:
            text = (reach(values, steps) if steps else values).pop(leaf, "")
            if text.__class__ is not str:
                text = as_text(text)
            if not text:
                continue
            taken.append((entry.path, text))
            written = text if text.isprintable() else out.clean(text, view.name(entry.path))
            if len(written) <= longest:
                cells[place] = written
                continue
            cut = entry.cut(written) if len(entry.cells) > 1 else None
            if cut is None:
                out.too_long(view.name(entry.path), text, sum(cell.length for cell in entry.cells))
            else:
                cells |= cut
        return cells


Table = dict[tuple[str, str], dict[str, Rule]]


def table(rules: Sequence[Rule]) -> Table:
    """Rules by group and tag, then by qualifier."""
    found: Table = {}
    for rule in rules:
        keys = found.setdefault((rule.group, rule.tag), {})
        for key in (rule.key, *rule.aliases):
            keys.setdefault(key, rule)
    return found


# Segments whose qualifier is not just their first component.
_SPELLED = frozenset({"MEA", "RFF", "GIS", "DOC"})


@functools.lru_cache(maxsize=4096)
def _owned(value: str) -> str:
    return f"{OWN_LIST}/{value}"


def key_of(segment: Segment) -> str:
    """The qualifier of a segment as the tables spell it."""
    tag = segment.tag
    if tag not in _SPELLED:
        part = segment.parts[1] if len(segment) else ""
        return part.split(segment.source.component, 1)[0] if isinstance(part, str) else segment.value(1)
    if tag == "MEA":
        detail = segment.value(2)
        return f"/{detail}" if detail else segment.value(1)
    if tag == "RFF":
        value = segment.value(1)
        return _owned(segment.value(1, 4)) if value == OWN_LIST else value
    return _owned(segment.value(1)) if segment.value(1, 3) == OWN_LIST else segment.value(1)


def find_rule(rules: Table, group: str, segment: Segment) -> Rule | None:
    """The rule for a segment, None where the table has none."""
    keys = rules.get((group, segment.tag))
    if keys is None:
        return None
    return keys.get(key_of(segment)) or keys.get(ANY)
