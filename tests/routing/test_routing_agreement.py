"""An agreement that exists makes sense."""

from typing import Any

import pytest

from tidewaiter.routing.agreement import Agency, Channel, RetryPolicy, Syntax
from tidewaiter.routing.outcome import Outcome


def agency(**values: Any) -> Agency:
    return Agency(
        name="customs", channel=Channel.AS2, syntax=Syntax.XML, endpoint="https://customs.test/", **values
    )


@pytest.mark.parametrize(
    "values",
    [
        {"first": 0.0},
        {"first": 10.0, "cap": 5.0},
        {"factor": 0.5},
        {"factor": float("inf")},
        {"deadline": 1.0},
        {"deadline": float("nan")},
    ],
)
def test_a_retry_policy_that_makes_no_sense_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="retry"):
        RetryPolicy(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"clears": frozenset()}, "clears"),
        ({"clears": frozenset({Outcome.RELEASED, Outcome.HELD})}, "clears"),
        ({"stand_in": "customs"}, "stand_in"),
    ],
)
def test_an_agency_that_makes_no_sense_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"customs: {words}"):
        agency(**values)


def test_what_was_not_agreed_has_a_default() -> None:
    assert agency().clears == {Outcome.RELEASED}
    assert agency().retry == RetryPolicy()
