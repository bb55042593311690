"""The formats of the fields (`a2`, `an..35`, `n..16,3`) and the values that break them."""

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from ..finding import Severity
from .element import Field, Node
from .values import DATE_FORMATS, Amount, DateTime, Quantity, written_format

# UN/ECE Recommendation 20, with the qualifier some agencies append (KGM#G).
_UNIT = re.compile(r"[A-Za-z0-9]{1,3}(?:#[A-Za-z0-9])?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_FORMAT = re.compile(r"(an|a|n)(\.\.)?(\d+)(?:,(\d+))?")
# Rates are a number and no more: more decimals than the model's an..17,3 are in use.
_RATE = "115"


class Problem(NamedTuple):
    """What is wrong with one value."""

    code: str
    text: str
    value: str
    expected: str | None = None
    part: str = ""
    severity: Severity = Severity.ERROR


Check = Callable[[Any], Problem | None]


def check_of(field: Field) -> Check | None:
    """The check of the values of a field; None where the field is a class itself."""
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
    digits = _Digits(field.format, high, decimals)
    if field.wco == _RATE:
        digits = _Digits("number", 40, 40)
    if field.kind is Amount:
        return functools.partial(_amount, digits)
    if field.kind is Quantity:
        return functools.partial(_quantity, digits)
    return functools.partial(_number, digits)


def _text(expected: str, kind: str, low: int, high: int) -> Check:
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


class _Digits(NamedTuple):
    """How many digits a number may have, and how many of them after the mark."""

    expected: str
    total: int
    decimals: int

    def plain(self, value: int | Decimal) -> bool:
        """True of a number that needs no second look, as most do: nothing but digits, and few enough."""
        before, _, after = str(value).partition(".")
        few = len(before) + len(after) <= self.total and len(after) <= self.decimals
        return few and (before + after).isdecimal()

    def problem(self, value: Decimal) -> Problem | None:
        """What is wrong with the digits."""
        if not value.is_finite():
            return Problem("wrong-format", "is not a number", str(value), self.expected)
        _, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        shown = format(value, "f") if abs(exponent) <= 40 else str(value)
        fraction, given = max(0, -exponent), len(digits) + max(0, exponent)
        for digit in reversed(digits):
            if digit or not fraction:
                break
            fraction, given = fraction - 1, given - 1
        if fraction > self.decimals:
            return Problem(
                "too-many-decimals", f"has more than {self.decimals} decimals", shown, self.expected
            )
        if given > self.total:
            return Problem("too-many-digits", f"has more than {self.total} digits", shown, self.expected)
        return None


def _number(digits: _Digits, value: int | Decimal) -> Problem | None:
    if digits.plain(value):
        return None
    number = Decimal(value)
    return digits.problem(number) or _negative(number, Severity.ERROR)


def _amount(digits: _Digits, value: Amount) -> Problem | None:
    plain = digits.plain(value.value)
    problem = None if plain else digits.problem(value.value)
    if problem is None and value.currency is not None and _CURRENCY.fullmatch(value.currency) is None:
        text = "has a currency that is not a3"
        return Problem("wrong-format", text, value.currency, "a3", "currency")
    # A sum may be owed the other way round; seldom on purpose.
    return problem or (None if plain else _negative(value.value, Severity.WARNING))


def _quantity(digits: _Digits, value: Quantity) -> Problem | None:
    plain = digits.plain(value.value)
    problem = None if plain else digits.problem(value.value)
    if problem is None and value.unit is not None and _UNIT.fullmatch(value.unit) is None:
        return Problem("wrong-format", "has a unit code that is not an..3", value.unit, "an..3", "unit")
    return problem or (None if plain else _negative(value.value, Severity.ERROR))


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


def lengths(field: Field) -> tuple[int, int]:
    """The lengths of a text that may hold any character."""
    match = _FORMAT.fullmatch(field.format)
    if field.kind is not str or match is None or match[1] != "an":
        return 0, 0
    return (1 if match[2] else int(match[3])), int(match[3])
