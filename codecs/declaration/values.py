"""The values that carry an attribute beside their text: amounts, quantities, dates."""

import re
from datetime import date, datetime
from decimal import Decimal

import msgspec

# UNTDID 2379, the formats the WCO Data Model uses in DateTimeString/@formatCode, in strptime's terms.
DATE_FORMATS = {
    "102": "%Y%m%d",
    "203": "%Y%m%d%H%M",
    "204": "%Y%m%d%H%M%S",
    "304": "%Y%m%d%H%M%S%z",
}


class Amount(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sum of money: exact, with its ISO 4217 currency where one was given."""

    value: Decimal
    currency: str | None = None


class Quantity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measure or count: exact, with its UN/ECE Recommendation 20 unit where one was given."""

    value: Decimal
    unit: str | None = None


# An offset of hours alone is in use with 304.
_MOMENT = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})"
    r"(?:([0-9]{2})([0-9]{2})(?:([0-9]{2})(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?"
)
# UNTDID 2379 code 304 has a zone of hours, with or without minutes, or Z.
_SHORT_ZONE = re.compile(r"[+-]\d{2}\Z")


def _whole_zone(text: str) -> str:
    return f"{text}00" if _SHORT_ZONE.search(text) else text


class DateTime(msgspec.Struct, frozen=True, omit_defaults=True):
    """A date as it was given, with the UNTDID 2379 code of its format (none: ISO 8601)."""

    text: str
    format: str | None = None

    def parsed(self) -> datetime | date | None:
        """The point in time, None where the text does not follow its format."""
        try:
            if self.format is None:
                return datetime.fromisoformat(self.text)
            pattern = DATE_FORMATS.get(self.format)
            if pattern is None:
                return None
            moment = datetime.strptime(_whole_zone(self.text), pattern)
        except ValueError:
            return None
        return moment.date() if self.format == "102" else moment


def written_format(text: str) -> str | None:
    """The UNTDID 2379 code that `text` follows to the letter, None where it is no date at all."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    *parts, zone = match.groups()
    given = [int(part) for part in parts if part is not None]
    try:
        datetime(*given)  # type: ignore[arg-type]
    except ValueError:
        return None
    return "304" if zone else {3: "102", 5: "203", 6: "204"}[len(given)]
