"""Rules of the goods item and of documents that are more than a row."""

from ..scanner import Segment
from ..writer import Cell, OutSegment
from .reading import BAD_VALUE, Reading
from .rules import OWN_LIST, Out, Rule
from .source import View
from .tree import Draft

# CST has five C246.
MAX_CLASSIFICATIONS = 5


class Item(Rule):
    """CST: 1496 the item's number, and five classifications, each with its type in 1131 and 3055 ZZZ."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """A new goods item."""
        item = super().read(segment, parent, reading)
        for element in range(2, min(2 + MAX_CLASSIFICATIONS, len(segment) + 1)):
            code, kind = segment.value(element), segment.value(element, 2)
            if code or kind:
                classification = item.append("commodity.classification")
                for component, (path, text) in enumerate(
                    (("id", code), ("identification_type_code", kind)), 1
                ):
                    if text:
                        classification.put(path, text, (element, component))
        return item

    def _cells(self, view: View, out: Out, taken: list[tuple[str, str]]) -> dict[tuple[int, int], str]:
        cells = super()._cells(view, out, taken)
        element = 2
        for entry in view.children("commodity.classification"):
            if not entry.peek("id"):
                continue
            if element >= 2 + MAX_CLASSIFICATIONS or len(entry.peek("id")) > 18:
                name = entry.name("id")
                out.too_many([(name, entry.take("id"))], "classification", MAX_CLASSIFICATIONS)
                entry.take("identification_type_code")
                continue
            cells[element, 1] = entry.take("id")
            kind = entry.take("identification_type_code")
            if kind:
                cells |= {(element, 2): kind, (element, 3): OWN_LIST}
            element += 1
        return cells


class Previous(Rule):
    """DOC+998: 1000 holds `category/type` or `category/type/line`; another `Z355` is read as Z and 355."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """A previous document."""
        draft = super().read(segment, parent, reading)
        text = segment.value(1, 4)
        if "/" in text:
            values = [*text.split("/"), "", ""][:3]
        elif len(text) == 4:
            values = [text[0], text[1:], ""]
        else:
            values = ["", text, ""]
        for path, value in zip(("category_code", "type_code", "line_numeric"), values, strict=True):
            if value and draft.put(path, value, (1, 4)) is not None:
                problem = "1000 does not end with a line number"
                reading.report.add(BAD_VALUE, problem, reading.point(segment, 1, 4), value=text)
        return draft

    def _cells(self, view: View, out: Out, taken: list[tuple[str, str]]) -> dict[tuple[int, int], str]:
        cells = super()._cells(view, out, taken)
        values = [view.peek(path) for path in ("category_code", "type_code", "line_numeric")]
        if not any(values):
            return cells
        text = "/".join(values if values[2] else values[:2])
        if len(text) > 35 or any("/" in value for value in values):
            out.too_many([(view.name("type_code"), text)], "document type with a /", 0)
            text = ""
        for path in ("category_code", "type_code", "line_numeric"):
            view.take(path)
        return cells | ({(1, 4): text} if text else {})


class Currencies(Rule):
    """MOA+39 with CUX below it: the invoice total, and one MOA for each rate, since a MOA takes one CUX."""

    def write(self, parent: View, out: Out) -> None:
        """The first rate goes with the total; further ones with a MOA that has no amount."""
        cells = self._cells(parent, out, [])
        rates = []
        for sub in self.subs:
            inner = Out(out.report)
            sub.write(parent, inner)
            rates.extend(inner.segments)
        for number in range(max(len(rates), 1 if cells else 0)):
            if not out.room(self.pool, self.limit):
                out.too_many([("CurrencyExchange", "")], self.tag, self.limit)
                continue
            out.segments.append(OutSegment("MOA", (cells if number == 0 else {}) | self.fixed))
            if number < len(rates):
                out.segments.append(rates[number])


class Charges(Rule):
    """MOA with any other qualifier: an addition or deduction, whose type is 5025 itself."""

    def takes(self, segment: Segment) -> bool:
        """UNTDID 5025 is numeric; types of additions and deductions have letters."""
        return not segment.value(1).isdecimal()

    def write(self, parent: View, out: Out) -> None:
        """Types that mean another amount of this message cannot be told apart and are reported."""
        for view in parent.children(self.base):
            if view.peek("charges_type_code").isdecimal():
                name, kind = view.name("charges_type_code"), view.take("charges_type_code")
                out.too_many([(name, kind)], "amount of this type", 1)
                for part in ("value", "currency"):
                    view.take(f"other_charge_deduction_amount:{part}")
        super().write(parent, out)


class Lrn(Rule):
    """RFF+ABE: the declarant's reference, read where BGM 1004 is empty, never written."""

    def read(self, segment: Segment, parent: Draft, reading: Reading) -> Draft:
        """The LRN of senders who do not use BGM for it."""
        text = segment.value(1, 2)
        if text and not parent.has("functional_reference_id"):
            parent.put("functional_reference_id", text, (1, 2))
        elif text:
            reading.put(
                parent, "goods_shipment.ucr.trader_assigned_reference_id", text, segment, Cell(1, 2, 35)
            )
        return parent

    def write(self, parent: View, out: Out) -> None:
        """Nothing: BGM carries it."""
