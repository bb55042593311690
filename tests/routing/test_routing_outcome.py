"""Only the function code decides, and most codes only inform."""

import pytest

from tidewaiter.codecs.declaration import Error, Response
from tidewaiter.routing.outcome import Outcome, outcome_of


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("01", Outcome.ACCEPTED),
        ("1", Outcome.ACCEPTED),
        ("02", None),
        ("03", Outcome.REFUSED),
        ("05", Outcome.INSPECTION),
        ("06", Outcome.DOCUMENTS_REQUIRED),
        ("07", None),
        ("08", Outcome.RELEASED),
        ("09", Outcome.RELEASED),
        ("10", Outcome.CANCELLED),
        ("11", None),
        ("13", None),
        ("50", None),
        (None, None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_function_codes(code: str | None, outcome: Outcome | None) -> None:
    assert outcome_of(Response(function_code=code)) is outcome


def test_an_error_element_alone_is_no_refusal() -> None:
    warning = Error(validation_code="CDS12056")
    assert outcome_of(Response(function_code="01", error=(warning,))) is Outcome.ACCEPTED
    assert outcome_of(Response(function_code="02", error=(warning,))) is None


def test_an_agency_may_have_codes_of_its_own() -> None:
    own = {"50": Outcome.HELD, "09": Outcome.ACCEPTED}
    assert outcome_of(Response(function_code="50"), own) is Outcome.HELD
    assert outcome_of(Response(function_code="9"), own) is Outcome.ACCEPTED
    assert outcome_of(Response(function_code="08"), own) is Outcome.RELEASED
