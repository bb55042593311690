"""A row is right only if everything that came back says so."""

from typing import Any

import msgspec
import pytest

from tidewaiter.gateway.sandbox.cases import CASES, Case, Observed, faults

RIGHT = Observed(
    receipt="verified",
    receipted=True,
    syntax="edifact",
    type="import",
    asked={"customs": "released", "health": "released"},
    decision="released",
    told="CUSRES",
    function="08",
    mrn="26NL1",
    seconds=1.6,
    share=0.1,
    level="goal",
)
COFFEE = CASES[0]


def invalid(case: Case) -> Observed:
    return Observed(
        receipt="verified",
        receipted=True,
        syntax=case.syntax,
        type=case.type,
        findings=tuple((code, "somewhere") for code in sorted(case.codes)),
        told=case.told,
        seconds=0.1,
    )


def test_what_came_out_as_it_must_has_no_fault() -> None:
    assert faults(COFFEE, RIGHT) == ()
    for case in CASES[4:6]:
        assert faults(case, invalid(case)) == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"receipted": False}, "receipt"),
        ({"syntax": "xml"}, "syntax"),
        ({"type": "export"}, "type"),
        ({"asked": {"customs": "released"}}, "asked"),
        ({"asked": {"customs": "released", "health": "sent"}}, "asked"),
        ({"decision": "inspection"}, "decision"),
        ({"decision": ""}, "decision"),
        ({"told": "CONTRL"}, "told"),
        ({"function": "03"}, "says 03"),
        ({"mrn": ""}, "MRN"),
        ({"seconds": None}, "time"),
        ({"findings": (("13", "NAD[1]"),)}, "findings"),
        ({"notes": ("two lodgements",)}, "two lodgements"),
    ],
)
def test_each_departure_is_a_fault(change: dict[str, Any], says: str) -> None:
    (fault,) = faults(COFFEE, msgspec.structs.replace(RIGHT, **change))
    assert says in fault


@pytest.mark.parametrize("case", CASES[4:6], ids=lambda case: case.sample)
def test_a_finding_that_is_missed_or_has_no_place_is_a_fault(case: Case) -> None:
    seen = invalid(case)
    assert faults(case, msgspec.structs.replace(seen, findings=seen.findings[1:]))
    assert faults(
        case, msgspec.structs.replace(seen, findings=(*seen.findings[:-1], (seen.findings[-1][0], "")))
    )


def test_what_comes_again_has_no_time_of_its_own() -> None:
    again = CASES[-1]
    assert again.again
    seen = msgspec.structs.replace(RIGHT, told="same MDN", seconds=None, function="", mrn="")
    assert faults(again, seen) == ()
    assert faults(again, msgspec.structs.replace(seen, told="another MDN"))
