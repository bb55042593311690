"""`status`, `list`, `events`, `sla` on a ledger that a real gateway wrote."""

import json
import pathlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from typer.testing import Result

from tidewaiter.gateway import clock
from tidewaiter.gateway.ledger import AttachmentRecord, Change, EventRecord, open_ledger
from tidewaiter.routing.lifecycle import EventKind

RunCli = Callable[..., Result]
OK, NOT_FOUND, UNUSABLE = 0, 1, 2
LRN, ODD_LRN = "MER-26-004171", "X-[bold]-[/red]-1"


@pytest.fixture
def told(cli: RunCli, lodged: pathlib.Path) -> Callable[..., Any]:
    """What a command prints as JSON."""

    def tell(*arguments: str) -> Any:
        done = cli(*arguments, "--json", "--dir", lodged)
        assert done.exit_code == OK, done.stderr
        return json.loads(done.stdout)

    return tell


@pytest.fixture
def lines(cli: RunCli, lodged: pathlib.Path) -> Callable[..., list[str]]:
    """What a command prints for a person."""

    def tell(*arguments: str) -> list[str]:
        done = cli(*arguments, "--dir", lodged, env={"COLUMNS": "40"})
        assert done.exit_code == OK, done.stderr
        return done.stdout.splitlines()

    return tell


def test_status_as_json(told: Callable[..., Any]) -> None:
    view = told("status", LRN)
    assert (view["lrn"], view["state"], view["type"], view["channel"]) == (LRN, "released", "import", "as2")
    assert {leg["agency"]: leg["state"] for leg in view["agencies"]} == {
        "customs": "answered",
        "health": "answered",
    }
    assert view["decision"]["outcome"] == "released"


def test_a_declaration_is_found_by_each_of_its_names(told: Callable[..., Any]) -> None:
    view = told("status", LRN)
    assert view["mrn"]
    for name in (view["id"], view["mrn"], *(leg["delivery"] for leg in view["agencies"])):
        assert told("status", name) == view


def test_status_for_a_person(lines: Callable[..., list[str]], told: Callable[..., Any]) -> None:
    view = told("status", LRN)
    first, second, *rest = lines("status", LRN)
    assert first == f"{view['id']}  import original  LRN {LRN}"
    assert second == f"state released, received {view['received']}, MRN {view['mrn']}"
    assert [line.split(";")[0] for line in rest[:2]] == [
        "  customs: answered (1 tries)",
        "  health: answered (1 tries)",
    ]
    assert rest[-1].startswith("  decision ")


def test_supporting_documents_are_shown(cli: RunCli, lodged: pathlib.Path, tmp_path: pathlib.Path) -> None:
    folder = pathlib.Path(shutil.copytree(lodged, tmp_path / "gateway"))
    anyio.run(_attach, folder, backend="trio")
    view = json.loads(cli("status", LRN, "--json", "--dir", folder).stdout)
    assert [(one["filename"], one["octets"]) for one in view["attachments"]] == [("[b]a.pdf", 4), (None, 0)]
    said = cli("status", LRN, "--dir", folder).stdout
    assert f"\n  with [b]a.pdf, application/pdf, 4 octets, SHA-256 {'ab' * 32}\n" in said
    assert f"\n  with (no name), application/pdf, 0 octets, SHA-256 {'ab' * 32}\n" in said
    assert "lodged as" not in said


async def _attach(folder: pathlib.Path) -> None:
    async with open_ledger(folder / "ledger.db") as ledger:
        found = await ledger.status(LRN)
        assert found is not None
        first, second = (
            AttachmentRecord(
                message=found.lodgement.message,
                position=position,
                filename=name,
                content_type="application/pdf",
                digest="ab" * 32,
                body=body,
            )
            for position, (name, body) in enumerate((("[b]a.pdf", b"%PDF"), (None, b"")), 1)
        )
        await ledger.commit([Change(attachments=(first, second))])


def test_findings_are_shown(lines: Callable[..., list[str]], told: Callable[..., Any]) -> None:
    rejected = next(row for row in told("list") if row["state"] == "rejected")
    said = lines("status", rejected["id"])
    findings = told("status", rejected["id"])["findings"]
    assert findings
    for finding in findings:
        (line,) = [line for line in said if f"at {finding['where']}" in line and finding["text"] in line]
        assert line.startswith(f"  {finding['severity']} {finding['code']}, at ")
        # As `validate` shows it.
        for name in ("value", "expected"):
            assert name not in finding or str(finding[name]) in line


def test_a_name_is_no_markup(lines: Callable[..., list[str]]) -> None:
    assert lines("status", ODD_LRN)[0].endswith(f"LRN {ODD_LRN}")
    assert any(ODD_LRN in line for line in lines("list"))
    assert lines("events", ODD_LRN)


def test_list(told: Callable[..., Any], lines: Callable[..., list[str]]) -> None:
    rows = told("list")
    assert [row["lrn"] for row in rows if row["state"] == "released"] == [ODD_LRN, "MER-26-004174", LRN]
    assert told("list", "--limit", "1") == rows[:1]
    assert told("list", "--partner", "trader") == rows
    head, *shown = lines("list")
    assert head.split() == ["id", "state", "type", "function", "lrn", "channel", "received"]
    assert [line.split()[0] for line in shown] == [row["id"] for row in rows]


def test_events(told: Callable[..., Any], lines: Callable[..., list[str]]) -> None:
    rows = told("events", LRN)
    kinds = [row["event"] for row in rows]
    assert kinds[0] == "received"
    assert {"validated", "routed", "answered", "decided", "notified"} <= set(kinds)
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert {row["declaration"] for row in rows} == {told("status", LRN)["id"]}
    head, *shown = lines("events", LRN)
    assert head.split() == ["number", "at", "event", "about"]
    assert [line.split()[:3] for line in shown] == [
        [str(row["number"]), row["at"], row["event"]] for row in rows
    ]


def test_an_alarm_is_shown_by_the_delivery_it_is_about(
    cli: RunCli, lodged: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    folder = pathlib.Path(shutil.copytree(lodged, tmp_path / "gateway"))
    delivery = anyio.run(_alarm, folder, backend="trio")
    for reference in (delivery, LRN):
        rows = json.loads(cli("events", reference, "--json", "--dir", folder).stdout)
        alarms = [row for row in rows if row["event"] == "alarm"]
        assert [(row["alarm"], row["delivery"]) for row in alarms] == [("receipt-unverified", delivery)]


async def _alarm(folder: pathlib.Path) -> str:
    async with open_ledger(folder / "ledger.db") as ledger:
        found = await ledger.status(LRN)
        assert found is not None
        delivery = found.deliveries[0].id
        data = {"alarm": "receipt-unverified", "delivery": delivery}
        lodgement = found.lodgement.id
        event = EventRecord(kind=EventKind.ALARM, at=clock.instant(), lodgement=lodgement, data=data)
        await ledger.commit([Change(events=(event,))])
    return delivery


def test_no_line_is_cut(told: Callable[..., Any], lines: Callable[..., list[str]]) -> None:
    shown = "\n".join(lines("events", LRN))
    for row in told("events", LRN):
        for name, value in row.items():
            assert name in {"declaration", "message"} or str(value) in shown
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown


def test_sla(told: Callable[..., Any], lines: Callable[..., list[str]]) -> None:
    rows = {(row["type"], row["population"]): row for row in told("sla")}
    imports = rows["import", "automatic"]
    assert (imports["n"], imports["level"], imports["levels"]) == (2, "goal", "9.5/10.5/11.5")
    assert 0 < imports["gateway-mean"] <= imports["mean"] <= imports["maximum"] < 9.5
    assert imports["within-goal"] == "100.0%"
    assert rows["export", "automatic"]["n"] == 1
    assert f"import, automatic: n 2, mean {imports['mean']} s, goal (9.5/10.5/11.5 s, version" in "\n".join(
        lines("sla")
    )


def test_sla_of_other_days(told: Callable[..., Any], lines: Callable[..., list[str]]) -> None:
    today = datetime.now(UTC).date()
    assert told("sla", "--since", "2001-01-01", "--until", "2001-01-31") == []
    assert lines("sla", "--until", str(today - timedelta(days=2))) == [
        "No e-document was received in this period."
    ]
    days = ("--since", str(today - timedelta(days=1)), "--until", str(today))
    assert told("sla", *days) == told("sla")


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "1.1.2026"])
def test_a_day_that_is_none(cli: RunCli, lodged: pathlib.Path, day: str) -> None:
    for option in ("--since", "--until"):
        done = cli("sla", option, day, "--dir", lodged)
        assert (done.exit_code, done.stderr) == (UNUSABLE, "tidewaiter: a day is written YYYY-MM-DD\n")


@pytest.mark.parametrize("command", ["status", "events"])
def test_a_reference_nobody_knows(cli: RunCli, lodged: pathlib.Path, command: str) -> None:
    for options in ((), ("--json",)):
        done = cli(command, "NOBODY", *options, "--dir", lodged)
        assert (done.exit_code, done.stdout) == (NOT_FOUND, "")
        assert done.stderr == "tidewaiter: nothing has been lodged under this reference\n"


COMMANDS = [("status", LRN), ("events", LRN), ("list",), ("sla",)]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_ledger_it_is_one_line_and_none_is_made(
    cli: RunCli, folder: pathlib.Path, command: tuple[str, ...]
) -> None:
    done = cli(*command, "--dir", folder)
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert len(done.stderr.splitlines()) == 1
    assert "ledger.db" in done.stderr
    assert not list(folder.glob("ledger.db*"))


@pytest.mark.parametrize("command", COMMANDS)
def test_looking_changes_nothing(
    cli: RunCli, lodged: pathlib.Path, tmp_path: pathlib.Path, command: tuple[str, ...]
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("gateway.toml", "sla.toml", "ledger.db"):
        shutil.copy(lodged / name, copy)
    before = (copy / "ledger.db").read_bytes()
    assert cli(*command, "--dir", copy).exit_code == OK
    assert (copy / "ledger.db").read_bytes() == before


def test_a_partner_nobody_knows_is_said(cli: RunCli, lodged: pathlib.Path) -> None:
    done = cli("list", "--partner", "nobody", "--dir", lodged)
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr == f"tidewaiter: {lodged}/partners: there is no partner 'nobody'\n"


def test_an_empty_period_is_an_error(cli: RunCli, lodged: pathlib.Path) -> None:
    done = cli("sla", "--since", "2026-02-02", "--until", "2026-02-01", "--dir", lodged)
    assert done.exit_code == UNUSABLE
    assert done.stderr == "tidewaiter: the period is empty: --since comes after --until\n"


def test_where_no_levels_hold_no_goal_is_told(
    cli: RunCli, lodged: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    folder = pathlib.Path(shutil.copytree(lodged, tmp_path / "gateway"))
    text = (folder / "sla.toml").read_text()
    (folder / "sla.toml").write_text(text.replace("since = 2", "since = 9"))
    said = cli("sla", "--dir", folder).stdout
    assert "no levels agreed" in said
    assert "None" not in said


@pytest.mark.parametrize("command", [("status", "X"), ("list",), ("events", "X"), ("sla",)])
def test_before_the_first_serve(cli: RunCli, folder: pathlib.Path, command: tuple[str, ...]) -> None:
    done = cli(*command, "--dir", folder)
    assert done.exit_code == UNUSABLE
    assert done.stderr.startswith("tidewaiter: no gateway has run here yet")
    assert len(done.stderr.splitlines()) == 1
    assert not list(folder.glob("ledger*"))


@pytest.mark.parametrize("command", [("status", "X"), ("list",), ("check-config",), ("serve",), ("dead",)])
def test_where_no_configuration_is(cli: RunCli, tmp_path: pathlib.Path, command: tuple[str, ...]) -> None:
    done = cli(*command, "--dir", tmp_path)
    told = f"tidewaiter: {tmp_path}: no gateway.toml here: run `tidewaiter init DIR`, or give --dir\n"
    assert (done.exit_code, done.stderr) == (UNUSABLE, told)


def test_an_empty_home_is_none(cli: RunCli, tmp_path: pathlib.Path) -> None:
    done = cli("list", env={"TIDEWAITER_HOME": "", "XDG_DATA_HOME": str(tmp_path)})
    assert done.stderr.startswith(f"tidewaiter: {tmp_path}/tidewaiter: no gateway.toml here")
