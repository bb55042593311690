"""An element tree into canonical values, driven by the canonical model's own tables."""

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from lxml import etree

from ..declaration import Amount, DateTime, Node, Quantity, fields
from ..finding import MAX_FINDINGS, Finding, Severity, shown
from .names import split
from .place import pointer

N = TypeVar("N", bound=Node)

# Longer than any format of the data model; conversion of very long digits costs the square of their number.
MAX_DIGITS = 40

_SPACE = " \t\r\n"
_RUNS = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
# The attribute each kind of value keeps.
_KEPT: dict[type, str] = {Amount: "currencyID", Quantity: "unitCode"}


class _Slot(NamedTuple):
    """Where the value of a child element goes; `node` is its class unless it is simple."""

    name: str
    many: bool
    kind: type
    node: type[Node] | None


# As many as the classes of the model in four namespaces: a sender's invented ones must not pile up.
@functools.lru_cache(maxsize=512)
def _slots(kind: type[Node], namespace: str) -> dict[str, _Slot]:
    """The children of `kind` by their full tag; `namespace` with its braces, or empty."""
    return {
        namespace + field.tag: _Slot(
            field.name, field.many, field.kind, field.kind if issubclass(field.kind, Node) else None
        )
        for field in fields(kind)
    }


def text_of(element: etree._Element) -> str | None:
    """The text of `element` as xs:token sees it: no white space at the ends, none in runs. None if empty."""
    text = element.text
    if text is None:
        return None
    text = text.strip(_SPACE)
    if "\n" in text or "  " in text or "\t" in text or "\r" in text:
        text = _RUNS.sub(" ", text)
    return text or None


class Walk:
    """One document's reading: what it finds on the way is in `findings`, at most MAX_FINDINGS."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        # An element that is read by itself, and so not unknown where it stands.
        self.apart: etree._Element | None = None
        self._leaves: dict[type, Callable[[etree._Element, str], Any]] = {
            int: self._integer,
            Decimal: self._decimal,
            Amount: self._amount,
            Quantity: self._quantity,
        }

    def node(self, kind: type[N], element: etree._Element) -> N:
        """`element` as a `kind`. Recursion is bounded by the model's own depth."""
        tag = element.tag
        slots = _slots(kind, tag[: tag.rfind("}") + 1])
        values: dict[str, Any] = {}
        lists: dict[str, list[Any]] = {}
        if element.attrib:
            self._attributes(element, None)
        for child in element:
            slot = slots.get(child.tag)
            if slot is None:
                self._unknown(child)
                continue
            value = self.node(slot.node, child) if slot.node is not None else self._leaf(slot, child)
            if value is None:
                continue
            if slot.many:
                lists.setdefault(slot.name, []).append(value)
            elif slot.name in values:
                self.note("repeated-element", "the element stands here more often than it may", child)
            else:
                values[slot.name] = value
        for name, several in lists.items():
            values[name] = tuple(several)
        return kind(**values)

    def note(
        self,
        code: str,
        text: str,
        element: etree._Element,
        *,
        attribute: str | None = None,
        value: str | None = None,
        expected: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Keep one finding, while there is room for more."""
        if len(self.findings) < MAX_FINDINGS:
            place = pointer(element, attribute=attribute)
            quoted = None if value is None else shown(value)
            self.findings.append(
                Finding(
                    severity=severity, code=code, text=text, pointer=place, value=quoted, expected=expected
                )
            )

    def _leaf(self, slot: _Slot, element: etree._Element) -> Any:
        if slot.kind is DateTime:
            return self._moment(element)
        if len(element):
            self.note("nested-element", "an element stands where a value belongs", element)
        if element.attrib:
            self._attributes(element, _KEPT.get(slot.kind))
        text = text_of(element)
        if text is None or slot.kind is str:
            return text
        return self._leaves[slot.kind](element, text)

    def _integer(self, element: etree._Element, text: str) -> int | None:
        if text.isdigit() and text.isascii() and len(text) <= MAX_DIGITS:
            return int(text)
        number = self._decimal(element, text)
        if number is None:
            return None
        if number == number.to_integral_value():
            return int(number)
        self.note("wrong-type", "not a whole number", element, value=text)
        return None

    def _decimal(self, element: etree._Element, text: str) -> Decimal | None:
        if len(text) <= MAX_DIGITS and _NUMBER.fullmatch(text):
            return Decimal(text)
        self.note("wrong-type", "not a number", element, value=text)
        return None

    def _amount(self, element: etree._Element, text: str) -> Amount | None:
        number = self._decimal(element, text)
        return None if number is None else Amount(number, _attribute(element, "currencyID"))

    def _quantity(self, element: etree._Element, text: str) -> Quantity | None:
        number = self._decimal(element, text)
        return None if number is None else Quantity(number, _attribute(element, "unitCode"))

    def _moment(self, element: etree._Element) -> DateTime | None:
        """A DateTimeString child in whatever namespace its data types have, or the date as plain text."""
        holder = element
        for child in element:
            if split(child.tag)[1] in {"DateTimeString", "DateTime"} and holder is element:
                holder = child
            else:
                self._unknown(child)
        text = text_of(holder)
        if holder.attrib:
            self._attributes(holder, "formatCode")
        if text is None:
            return None
        return DateTime(text, _attribute(holder, "formatCode"))

    def _attributes(self, element: etree._Element, kept: str | None) -> None:
        attributes: Any = element.attrib
        for name, value in attributes.items():
            if name != kept and not name.startswith(_XSI):
                self.note(
                    "attribute-not-carried",
                    "the attribute is not part of the declaration as it is handed on",
                    element,
                    attribute=name,
                    value=value,
                    severity=Severity.WARNING,
                )

    def _unknown(self, element: etree._Element) -> None:
        if element is self.apart:
            return
        self.note(
            "element-not-carried",
            "the element is not part of the declaration as it is handed on",
            element,
            value=split(element.tag)[1],
            severity=Severity.WARNING,
        )


def _attribute(element: etree._Element, name: str) -> str | None:
    return (element.get(name) or "").strip(_SPACE) or None
