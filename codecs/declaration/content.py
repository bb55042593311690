"""What a declaration must hold whatever syntax it came in: one set of rules over the canonical values.

Most rules are the formats of the fields themselves (`a2`, `an..35`, `n..16,3`); a few are about the whole. A
codec turns each Fault into a finding with its own pointer.
"""

import functools
import re
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from ..finding import MAX_FINDINGS, Severity
from .declaration import Declaration, GoodsShipment
from .element import Field, Node, fields
from .formats import Check, Problem, check_of, lengths
from .goods import Classification

# WCO 017 as administrations use it (UNTDID 1225); without leading zeros.
FUNCTIONS = frozenset({"1", "4", "5", "6", "9", "13", "14", "24", "29", "34", "37", "41"})
ORIGINAL = "9"
# D013: the way the goods go with the letter of its kind; what the message does; transit.
_TRADE = re.compile(r"(?:IM|EX|CO)[A-Z]?")
_OTHER_TYPES = frozenset({"COR", "INV", "GPR", "SUP", "RRA", "MAI", "T", "T1", "T2", "T2F", "TIR", "TD"})
# Classification schemes whose codes are digits: the tariff, and none named.
_TARIFF = frozenset({"TSP", "HS", None})


class Step(NamedTuple):
    """A field on the way down from the declaration, and which of several where it repeats."""

    field: Field
    place: int | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One broken rule. `text` goes on from the name of the element; `part` names the attribute of a value
    (`unit`, `currency`, `format`); the last step of `path` may name a field that is absent."""

    severity: Severity = Severity.ERROR
    code: str
    text: str
    path: tuple[Step, ...]
    part: str = ""
    value: str | None = None
    expected: str | None = None


def check_content(declaration: Declaration) -> tuple[Fault, ...]:
    """Every fault of `declaration`, one a value, at most MAX_FINDINGS. Pure; linear in its size."""
    found: dict[tuple[tuple[Step, ...], str], Fault] = {}
    for fault in _faults(declaration):
        found.setdefault((fault.path, fault.part), fault)
        if len(found) == MAX_FINDINGS:
            break
    return tuple(found.values())


def _faults(declaration: Declaration) -> Iterator[Fault]:
    yield from _reference(declaration)
    yield from _values(declaration, None)
    yield from _function(declaration)
    yield from _type(declaration)
    yield from _items(declaration)


# The way to a node: that to the node it is in, the field, and which of several.
_Trail = tuple[Any, Field, int | None] | None


def _values(node: Node, trail: _Trail) -> Iterator[Fault]:
    """Each field of `node` by its format, and each node below."""
    getter, plans = _plan(type(node))
    for value, (field, check, low, high) in zip(getter(node), plans, strict=True):
        # Most texts need no more than this.
        if value is None or (low and low <= len(value) <= high and not value.isspace()):
            continue
        if check is not None:
            problem = check(value)
            if problem is not None:
                yield _fault(problem, (*_path(trail), Step(field)))
        elif field.many:
            for index, each in enumerate(value):
                yield from _values(each, (trail, field, index))
        else:
            yield from _values(value, (trail, field, None))
    if isinstance(node, Classification) and node.identification_type_code in _TARIFF:
        yield from _tariff(node, trail)


def _path(trail: _Trail) -> tuple[Step, ...]:
    steps = []
    while trail is not None:
        trail, field, place = trail
        steps.append(Step(field, place))
    return tuple(reversed(steps))


def _fault(problem: Problem, path: tuple[Step, ...]) -> Fault:
    return Fault(
        severity=problem.severity,
        code=problem.code,
        text=problem.text,
        path=path,
        part=problem.part,
        value=problem.value,
        expected=problem.expected,
    )


class _Plan(NamedTuple):
    """How the fields of a class are checked: all their values at once; and for each its check (None: it is a
    class itself), and the lengths between which a text needs none (0: it always does)."""

    values: Callable[[Node], tuple[Any, ...]]
    checks: tuple[tuple[Field, Check | None, int, int], ...]


@functools.cache
def _plan(node: type[Node]) -> _Plan:
    found = fields(node)
    names = [field.name for field in found]
    # With one name alone attrgetter gives no tuple.
    values = attrgetter(*names) if len(names) > 1 else lambda node: tuple(getattr(node, n) for n in names)
    return _Plan(values, tuple((field, check_of(field), *lengths(field)) for field in found))


def _tariff(node: Classification, trail: _Trail) -> Iterator[Fault]:
    code = node.id
    if code and not (code.isascii() and code.isdecimal()):
        text = "is not a commodity code: it holds more than digits"
        path = (*_path(trail), _step(Classification, "id"))
        yield _fault(Problem("commodity-code", text, code, "digits"), path)


def _reference(declaration: Declaration) -> Iterator[Fault]:
    """No answer could name the declaration without it."""
    if not (declaration.functional_reference_id or "").strip():
        yield Fault(
            code="lrn-missing",
            text="(the local reference number, LRN) is missing or blank",
            path=(_step(Declaration, "functional_reference_id"),),
            expected="an..35",
        )


def _function(declaration: Declaration) -> Iterator[Fault]:
    """Another code may be one of an administration not met yet: a warning."""
    path = (_step(Declaration, "function_code"),)
    code = declaration.function_code
    if not code:
        text = "(the message function) is missing"
        yield Fault(code="function-missing", text=text, path=path, expected=ORIGINAL)
    elif code.lstrip("0") not in FUNCTIONS:
        known = ", ".join(sorted(FUNCTIONS, key=int))
        text = "is no message function known here"
        yield _fault(Problem("function-unknown", text, code, known, severity=Severity.WARNING), path)


def _type(declaration: Declaration) -> Iterator[Fault]:
    code = declaration.type_code
    if code and not _TRADE.fullmatch(code) and code not in _OTHER_TYPES:
        problem = Problem(
            "type-unknown",
            "is no declaration type known here",
            code,
            "IM, EX or CO and a letter",
            severity=Severity.WARNING,
        )
        yield _fault(problem, (_step(Declaration, "type_code"),))


def _items(declaration: Declaration) -> Iterator[Fault]:
    """Repeated numbers are errors: no answer could name the item. Each item stands there in full, so a total
    that is another number is a warning: an amendment carries only those it changes."""
    shipment = declaration.goods_shipment
    items = () if shipment is None else shipment.government_agency_goods_item
    path = (_step(Declaration, "goods_shipment"),)
    if not items and _is_original(declaration):
        missing = (*path, _step(GoodsShipment, "government_agency_goods_item"))
        yield Fault(code="no-items", text="(a goods item) is missing", path=missing, expected="an item")
    seen: set[int] = set()
    for index, item in enumerate(items):
        number = item.sequence_numeric
        here = (*path, _step(GoodsShipment, "government_agency_goods_item")._replace(place=index))
        place = (*here, _step(type(item), "sequence_numeric"))
        if number is None:
            yield Fault(code="item-number-missing", text="(the number of the item) is missing", path=place)
        elif number in seen:
            yield _fault(
                Problem("item-number-repeated", "is the number of an earlier item", str(number)), place
            )
        else:
            seen.add(number)
    total = declaration.goods_item_quantity
    if total is not None and total != len(items):
        text = "is not the number of goods items"
        problem = Problem("item-count", text, str(total), str(len(items)), severity=Severity.WARNING)
        yield _fault(problem, (_step(Declaration, "goods_item_quantity"),))


def _is_original(declaration: Declaration) -> bool:
    kind = declaration.type_code or ""
    original = (declaration.function_code or "").lstrip("0") == ORIGINAL
    return original and kind not in _OTHER_TYPES and _TRADE.fullmatch(kind) is not None


@functools.cache
def _step(node: type[Node], name: str) -> Step:
    return Step(next(field for field in fields(node) if field.name == name))
