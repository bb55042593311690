"""UNTDID 0085 by version: what is written is always one of the list."""

import pytest

from tidewaiter.codecs.edifact.acknowledgement.codes import CODES_3, CODES_4, MEANINGS, code_for
from tidewaiter.codecs.edifact.report import Code


@pytest.mark.parametrize("code", [*(str(number) for number in range(1, 60)), "999", "", "x"])
def test_every_code_has_one_in_each_version(code: str) -> None:
    for envelope in (False, True):
        assert code_for(code, 3, envelope=envelope) in CODES_3
        assert code_for(code, 4, envelope=envelope) in CODES_4


def test_what_only_one_version_has() -> None:
    assert {"19", "27", "31", "34", "38", "41", "42", "43"} == CODES_3 - CODES_4
    assert {"45", "46", "47", "48"} == CODES_4 - CODES_3


@pytest.mark.parametrize(
    ("code", "version", "instead"),
    [("38", 4, "37"), ("19", 4, "37"), ("3", 4, "14"), ("3", 3, "14"), ("48", 3, "18"), ("99", 3, "18")],
)
def test_the_nearest_one(code: str, version: int, instead: str) -> None:
    assert code_for(code, version) == instead


def test_every_code_of_ours_has_a_meaning() -> None:
    assert {code.value for code in Code} <= MEANINGS.keys()
    assert MEANINGS.keys() >= CODES_3 | CODES_4
