"""What a declaration must hold whatever syntax it came in: one set of rules over the canonical values.

Most rules are the formats of the fields themselves (`a2`, `an..35`, `n..16,3`); a few are about the whole. A
codec turns each Fault into a finding with its own pointer.
"""

import functools
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from ..finding import MAX_FINDINGS, Severity
from .declaration import Declaration, GoodsShipment
from .element import Field, Node, fields
from .goods import Classification
from .values import DATE_FORMATS, Amount, DateTime, Quantity, written_format

# WCO 017 as administrations use it (UNTDID 1225); without leading zeros.
FUNCTIONS = frozenset({"1", "4", "5", "6", "9", "13", "14", "24", "29", "34", "37", "41"})
ORIGINAL = "9"
# D013: the way the goods go with the letter of its kind; what the message does; transit.
_TRADE = re.compile(r"(?:IM|EX|CO)[A-Z]?")
_OTHER_TYPES = frozenset({"COR", "INV", "GPR", "SUP", "RRA", "MAI", "T", "T1", "T2", "T2F", "TIR", "TD"})
# UN/ECE Recommendation 20, with the qualifier some agencies append (KGM#G).
_UNIT = re.compile(r"[A-Za-z0-9]{1,3}(?:#[A-Za-z0-9])?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
# Classification schemes whose codes are digits: the tariff, and none named.
_TARIFF = frozenset({"TSP", "HS", None})
_FORMAT = re.compile(r"(an|a|n)(\.\.)?(\d+)(?:,(\d+))?")
# Rates are a number and no more: more decimals than the model's an..17,3 are in use.
_RATE = "115"


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


class Problem(NamedTuple):
    """What is wrong with one value."""

    code: str
    text: str
    value: str
    expected: str | None = None
    part: str = ""
    severity: Severity = Severity.ERROR


_Check = Callable[[Any], Problem | None]


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
    yield from _values(declaration, ())
    yield from _function(declaration)
    yield from _type(declaration)
    yield from _items(declaration)


def _values(node: Node, path: tuple[Step, ...]) -> Iterator[Fault]:
    """Each field of `node` by its format, and each node below."""
    for field, check in _checks(type(node)):
        value = getattr(node, field.name)
        if value is None:
            continue
        if check is not None:
            problem = check(value)
            if problem is not None:
                yield _fault(problem, (*path, Step(field)))
        elif field.many:
            for index, each in enumerate(value):
                yield from _values(each, (*path, Step(field, index)))
        else:
            yield from _values(value, (*path, Step(field)))
    if isinstance(node, Classification) and node.identification_type_code in _TARIFF:
        yield from _tariff(node, path)


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


@functools.cache
def _checks(node: type[Node]) -> tuple[tuple[Field, _Check | None], ...]:
    """The check of each field of a class; None where the field is a class itself."""
    return tuple((field, _check_of(field)) for field in fields(node))


def _check_of(field: Field) -> _Check | None:
    if issubclass(field.kind, Node):
        return None
    if field.kind is DateTime:
        return _moment
    match = _FORMAT.fullmatch(field.format)
    if match is None:
        raise ValueError(f"{field.name} has no format that can be checked: {field.format!r}")
    kind, bound, high, decimals = match[1], match[2] is not None, int(match[3]), int(match[4] or 0)
    if field.kind is str:
        return _text(field.format, kind, int(bound) or high, high)
    checked = functools.partial(_digits, expected=field.format, total=high, decimals=decimals)
    if field.wco == _RATE:
        checked = functools.partial(_digits, expected="number", total=40, decimals=40)
    if field.kind is Amount:
        return functools.partial(_amount, digits=checked)
    if field.kind is Quantity:
        return functools.partial(_quantity, digits=checked)
    return functools.partial(_number, digits=checked)


def _text(expected: str, kind: str, low: int, high: int) -> _Check:
    letters = {"a": re.compile("[A-Za-z]*"), "n": re.compile("[0-9]*")}.get(kind)

    def check(value: str) -> Problem | None:
        if letters is None and low <= len(value) <= high and not value.isspace():
            return None
        if not value.strip():
            return Problem("blank-value", "is blank", value, expected)
        if letters is not None and (letters.fullmatch(value) is None or (low == high and len(value) != high)):
            return Problem("wrong-format", f"is not {expected}", value, expected)
        if not low <= len(value) <= high:
            return Problem("too-long", f"is longer than {expected}", value, expected)
        return None

    return check


def _digits(value: Decimal, *, expected: str, total: int, decimals: int) -> Problem | None:
    if not value.is_finite():
        return Problem("wrong-format", "is not a number", str(value), expected)
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    shown = format(value, "f") if abs(exponent) <= 40 else str(value)
    fraction, given = max(0, -exponent), len(digits) + max(0, exponent)
    for digit in reversed(digits):
        if digit or not fraction:
            break
        fraction, given = fraction - 1, given - 1
    if fraction > decimals:
        return Problem("too-many-decimals", f"has more than {decimals} decimals", shown, expected)
    if given > total:
        return Problem("too-many-digits", f"has more than {total} digits", shown, expected)
    return None


def _number(value: int | Decimal, *, digits: _Check) -> Problem | None:
    problem = digits(Decimal(value))
    return _negative(Decimal(value), Severity.ERROR) if problem is None else problem


def _amount(value: Amount, *, digits: _Check) -> Problem | None:
    problem = digits(value.value)
    if problem is None and value.currency is not None and _CURRENCY.fullmatch(value.currency) is None:
        text = "has a currency that is not a3"
        return Problem("wrong-format", text, value.currency, "a3", "currency")
    # A sum may be owed the other way round; seldom on purpose.
    return _negative(value.value, Severity.WARNING) if problem is None else problem


def _quantity(value: Quantity, *, digits: _Check) -> Problem | None:
    problem = digits(value.value)
    if problem is None and value.unit is not None and _UNIT.fullmatch(value.unit) is None:
        return Problem("wrong-format", "has a unit code that is not an..3", value.unit, "an..3", "unit")
    return _negative(value.value, Severity.ERROR) if problem is None else problem


def _negative(value: Decimal, severity: Severity) -> Problem | None:
    if value >= 0:
        return None
    text = "must not be negative" if severity is Severity.ERROR else "is negative"
    return Problem("negative-value", text, format(value, "f"), severity=severity)


def _moment(value: DateTime) -> Problem | None:
    """A text that is no date is an error; one in another format than it says can still be told."""
    if value.format is None:
        if value.parsed() is not None:
            return None
        return Problem("wrong-date", "is not a date", value.text, "102")
    if value.format not in DATE_FORMATS:
        text = "has a date format that is not known here"
        return Problem("unknown-code", text, value.format, ", ".join(DATE_FORMATS), "format")
    written = written_format(value.text)
    if written is None:
        return Problem("wrong-date", "is not a date", value.text, value.format)
    if written != value.format:
        text = "is a date in another format than it says"
        return Problem("date-format", text, value.text, value.format, severity=Severity.WARNING)
    return None


def _tariff(node: Classification, path: tuple[Step, ...]) -> Iterator[Fault]:
    code = node.id
    if code and not (code.isascii() and code.isdecimal()):
        text = "is not a commodity code: it holds more than digits"
        yield _fault(Problem("commodity-code", text, code, "digits"), (*path, _step(Classification, "id")))


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
