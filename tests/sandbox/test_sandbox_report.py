"""The report says everything of each row, in a narrow terminal too, and as JSON."""

import io
import json

import pytest
from rich.console import Console

from tidewaiter.gateway.sandbox.cases import CASES, Observed
from tidewaiter.gateway.sandbox.report import Row, as_json, show

SEEN = Observed(
    receipt="verified: signed",
    receipted=True,
    syntax="edifact",
    type="import",
    findings=(
        ("15", "XYZ[7] @201"),
        ("wrong-type", "/md:MetaData/dec:Declaration/dec:TypeCode (42A:D013)"),
        *((str(number), f"NAD[{number}]") for number in range(4)),
    ),
    asked={"customs": "released"},
    decision="released",
    told="CUSRES",
    mrn="26NL893BE0812C1043",
    seconds=1.25,
    share=0.125,
    level="goal",
)
RIGHT = Row(number=1, case=CASES[0], seen=SEEN, faults=())
WRONG = Row(number=2, case=CASES[1], seen=SEEN, faults=("type is [x], must be [y]",))


def text(width: int, *rows: Row) -> str:
    output = io.StringIO()
    show(Console(file=output, width=width), rows, 5.0)
    return output.getvalue()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_word_of_a_row_is_lost_and_no_line_too_long(width: int) -> None:
    shown = text(width, RIGHT)
    for word in (
        "as2",
        "edifact",
        "import",
        "XYZ[7]",
        "customs",
        "released",
        SEEN.mrn,
        "1.250",
        "0.125",
        "goal",
    ):
        assert word in shown
    assert "and 2 more" in " ".join(shown.split())
    assert max(len(line) for line in shown.splitlines()) <= width


def test_an_xml_place_is_shown_by_its_wco_pointer() -> None:
    shown = text(200, RIGHT)
    assert "42A:D013" in shown
    assert "MetaData" not in shown


def test_faults_and_the_verdict_are_told_as_they_are() -> None:
    shown = text(120, RIGHT, WRONG)
    assert "type is [x], must be [y]" in shown
    assert "1 of 2 rows came out as they must" in shown


def test_json_has_every_place_in_full_and_the_verdict() -> None:
    report = json.loads(as_json([RIGHT, WRONG], 5.0))
    first, second = report["rows"]
    assert report["right"] is False
    assert (first["right"], second["right"]) == (True, False)
    assert first["findings"][1]["where"] == SEEN.findings[1][1]
    assert first["agencies"] == {"customs": "released"}
    assert (first["e-document-seconds"], first["level"]) == (1.25, "goal")
    assert second["faults"] == ["type is [x], must be [y]"]
