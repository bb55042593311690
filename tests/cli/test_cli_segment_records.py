"""`read --segments --json`: one object a line, for programs."""

import json
from collections.abc import Callable
from typing import Any

from typer.testing import Result

from tidewaiter.gateway.cli.segment_records import MAX_ELEMENTS

RunCli = Callable[..., Result]
VALID, INVALID = 0, 1
HEAD = "UNB+UNOW:4+TRADER+CUSTOMS+20260312:0914+R1'"
MESSAGE = "UNH+1+PAXLST:D:01B:UN'BGM+745'TDT+20+Z1'DTM+189:2603121200:201'LOC+125+AMS'UNT+6+1'"


def records(cli: RunCli, text: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    done = cli("read", "--segments", "--json", "-", *options, given=text.encode())
    assert done.stderr == ""
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_each_line_has_its_type(cli: RunCli) -> None:
    group = f"UNG+PAXLST+S+R+20260312:0914+G1+UN+D:01B'{MESSAGE}UNE+1+G1'"
    text = f"{HEAD}{group}UNZ+1+R1'"
    code, lines = records(cli, text)
    assert code == VALID
    assert [line["type"] for line in lines] == [
        "interchange",
        "functional-group",
        "message",
        "segment",
        "segment",
        "segment-group",
        "segment",
        "segment",
        "segment-group",
        "segment",
        "segment",
        "functional-group-end",
        "interchange-end",
    ]
    first, opened, message = lines[:3]
    assert (first["reference"], first["syntax"], first["version"]) == ("R1", "UNOW", 4)
    assert (first["sender"], first["prepared"]) == ("TRADER", "2026-03-12T09:14:00")
    assert first["header"]["elements"][0] == [["UNOW", "4"]]
    assert (opened["reference"], opened["messages"]) == ("G1", "PAXLST")
    assert (message["name"], message["group"], message["directory"]) == ("PAXLST:D:01B:UN", "G1", "D.01B")
    assert (message["segments"], message["octets"], message["offset"]) == (6, len(MESSAGE), text.index("UNH"))
    assert [line["path"] for line in lines if line["type"] == "segment-group"] == ["SG2[1]", "SG2[1]/SG3[1]"]
    assert lines[-2]["trailer"]["elements"] == [[["1"]], [["G1"]]]


def test_a_segment_has_everything(cli: RunCli) -> None:
    text = f"{HEAD}{MESSAGE}UNZ+1+R1'"
    _, lines = records(cli, text)
    (segment,) = (line for line in lines if line.get("tag") == "LOC")
    assert segment == {
        "type": "segment",
        "path": "SG2[1]/SG3[1]",
        "row": segment["row"],
        "status": "M",
        "repetitions": 1,
        "number": 5,
        "tag": "LOC",
        "offset": text.index("LOC"),
        "elements": [[["125"]], [["AMS"]]],
        "text": "LOC+125+AMS'",
        "findings": [],
    }


def test_repetitions_and_released_characters_are_taken_apart(cli: RunCli) -> None:
    _, lines = records(cli, f"{HEAD}UNH+1+PAXLST:D:01B:UN'BGM+A?+B:c*d++x'UNT+3+1'UNZ+1+R1'")
    (segment,) = (line for line in lines if line.get("tag") == "BGM")
    assert segment["elements"] == [[["A+B", "c"], ["d"]], [], [["x"]]]
    assert segment["text"] == "BGM+A?+B:c*d++x'"


def test_findings_stand_with_what_they_point_at(cli: RunCli) -> None:
    code, lines = records(cli, f"{HEAD}UNH+1+PAXLST:D:01B:UN'BGM+745'XYZ+{'1' * 300}'UNT+9+1'UNZ+2+R1'")
    assert code == INVALID
    found = {
        (line.get("tag") or line["type"]): [(f["severity"], f["code"]) for f in line["findings"]]
        for line in lines
        if line["findings"]
    }
    assert found["XYZ"] == [("error", "15"), ("error", "13")]
    assert ("error", "29") in found["UNT"]
    assert found["interchange-end"] == [("error", "29")]
    (unplaced,) = (line for line in lines if line.get("tag") == "XYZ")
    assert (unplaced["row"], unplaced["status"], unplaced["repetitions"]) == (None, None, None)
    assert len(unplaced["text"]) == 305


def test_a_message_without_a_directory_has_no_rows(cli: RunCli) -> None:
    _, lines = records(cli, f"{HEAD}UNH+1+ORDERS:D:96A:UN'BGM+220+1'UNT+3+1'UNZ+1+R1'")
    assert lines[1]["directory"] is None
    assert lines[1]["result"] == "invalid"
    assert {line["row"] for line in lines if line["type"] == "segment"} == {None}


def test_a_package_is_told_without_its_object(cli: RunCli) -> None:
    _, lines = records(cli, f"{HEAD}UNO+P1+AAA:1+1+5:0'12'45UNP+5+P1'UNZ+1+R1'")
    assert (lines[1]["type"], lines[1]["octets"], lines[1]["trailer"]["text"]) == ("package", 5, "UNP+5+P1'")


def test_of_elements_without_end_the_first_are_taken_apart(cli: RunCli) -> None:
    many = "+1" * (MAX_ELEMENTS + 5)
    _, lines = records(cli, f"{HEAD}UNH+1+PAXLST:D:01B:UN'BGM{many}'UNT+3+1'UNZ+1+R1'")
    (segment,) = (line for line in lines if line.get("tag") == "BGM")
    assert segment["elements"] == [[["1"]]] * MAX_ELEMENTS
    assert segment["text"] == f"BGM{many}'"


def test_what_was_told_is_not_told_again_at_the_end(cli: RunCli) -> None:
    _, lines = records(cli, f"{HEAD.replace('20260312', '20269912')}{MESSAGE}UNZ+2+R1'")
    told = {line["type"]: [f["code"] for f in line["findings"]] for line in lines if line.get("findings")}
    assert told == {"interchange": ["12"], "interchange-end": ["29"]}
