"""What every table has in common: JSON in text, and moments in three columns.

A row is asked for its columns by name.
"""

from typing import Any, Protocol

import msgspec

from ...routing.instant import Instant

Parameters = dict[str, Any]
_encoder = msgspec.json.Encoder()
_headers = msgspec.json.Decoder(tuple[tuple[str, str], ...])


class Row(Protocol):
    """A row of any engine."""

    def __getitem__(self, key: str, /) -> Any: ...


def json_of(value: object) -> str:
    """As it is kept in a column."""
    return _encoder.encode(value).decode("utf-8")


def headers_of(text: str) -> tuple[tuple[str, str], ...]:
    """The headers that `json_of` made `text` of."""
    return _headers.decode(text)


def instant_of(row: Row, name: str) -> Instant:
    """The moment of this name."""
    return Instant(row[f"{name}_utc_ns"], row[f"{name}_monotonic_ns"], row[f"{name}_process"])


def moment(name: str, at: Instant) -> Parameters:
    """The columns of a moment of this name."""
    return {
        f"{name}_utc_ns": at.utc_ns,
        f"{name}_monotonic_ns": at.monotonic_ns,
        f"{name}_process": at.process,
    }
