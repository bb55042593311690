"""`submit` over both channels against a gateway that really runs, and what it says when it cannot."""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import Result

from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.finding_view import finding_line
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.gateway.scaffold import Ports
from tidewaiter.security import make_self_signed

RunCli = Callable[..., Result]
OK, REFUSED, UNUSABLE = 0, 1, 2
# Far above what anything here takes on a quiet machine.
PATIENCE = 30.0
POLL_SECONDS = 0.02


@pytest.fixture(scope="module")
def served(
    starter: pathlib.Path, tmp_path_factory: pytest.TempPathFactory, ports: Callable[[], Ports]
) -> Iterator[pathlib.Path]:
    """The folder of a gateway that runs; its agencies do not."""
    folder = pathlib.Path(shutil.copytree(starter, tmp_path_factory.mktemp("served") / "gateway"))
    listen, free = load_config(folder).gateway.listen, ports()
    settings = (folder / "gateway.toml").read_text()
    for name in ("https", "http", "operations"):
        port = getattr(listen, name).rpartition(":")[2]
        settings = settings.replace(f":{port}", f":{getattr(free, name)}")
    (folder / "gateway.toml").write_text(settings)
    log = folder / "log"
    command = [sys.executable, "-m", "tidewaiter", "serve", "--dir", str(folder)]
    with log.open("wb") as output, subprocess.Popen(command, cwd=folder, stderr=output) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while '"event":"ready"' not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(POLL_SECONDS)
            yield folder
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == OK, log.read_text()


@pytest.fixture
def make(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """make(lrn): a file with a declaration of its own."""

    def write(lrn: str, name: str = "export.xml") -> pathlib.Path:
        old = {"export.xml": b"MER-26-004174", "import.edi": b"MER-26-004171"}[name]
        file = tmp_path / f"{lrn}{pathlib.Path(name).suffix}"
        file.write_bytes(sample(name).replace(old, lrn.encode()).replace(b"MT26041710001", lrn.encode()[:14]))
        return file

    return write


Make = Callable[..., pathlib.Path]


def rows(done: Result) -> list[dict[str, Any]]:
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


@pytest.mark.process
def test_over_https(cli: RunCli, served: pathlib.Path, make: Make) -> None:
    file = make("SUB-1")
    done = cli("submit", file, "--dir", served, "--json")
    assert done.exit_code == OK
    (row,) = rows(done)
    assert (row["file"], row["channel"], row["receipted"], row["http"]) == (str(file), "https", True, 202)
    status = cli("status", "SUB-1", "--dir", served, "--json")
    assert json.loads(status.stdout)["id"] == row["id"]
    assert row["status"].endswith(row["id"])


@pytest.mark.process
def test_over_as2(cli: RunCli, served: pathlib.Path, make: Make) -> None:
    file = make("SUB-2", "import.edi")
    done = cli("submit", file, "--channel", "as2", "--dir", served, "--json")
    assert done.exit_code == OK
    (row,) = rows(done)
    assert (row["channel"], row["receipted"], row["disposition"]) == ("as2", True, "processed")
    assert row["mic"].endswith(", sha-256")
    assert cli("status", "SUB-2", "--dir", served).exit_code == OK


@pytest.mark.process
def test_a_person_sees_one_line_a_file(cli: RunCli, served: pathlib.Path, make: Make) -> None:
    files = [make("SUB-3"), make("SUB-4"), make("[bold]-[red]-5")]
    done = cli("submit", *files, "--dir", served, env={"COLUMNS": "40"})
    assert done.exit_code == OK
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["receipted", str(file)] for file in files]
    assert all(line.endswith("HTTP 202, signature and digest verified") for line in lines)
    done = cli("submit", make("SUB-6", "import.edi"), "--channel", "as2", "--dir", served)
    assert done.stdout.endswith(".example>  processed, signature and digest verified\n")


@pytest.mark.process
def test_what_is_refused_is_told_with_its_findings(
    cli: RunCli, served: pathlib.Path, samples: pathlib.Path, make: Make
) -> None:
    bad, good = samples / "invalid.xml", make("SUB-7")
    done = cli("submit", bad, good, "--dir", served, "--json")
    assert done.exit_code == REFUSED
    first, second = rows(done)
    assert (first["receipted"], first["http"], second["receipted"]) == (False, 422, True)
    assert {finding["severity"] for finding in first["findings"]} == {"error"}
    done = cli("submit", bad, "--dir", served)
    assert done.exit_code == REFUSED
    head, *findings = done.stdout.splitlines()
    assert head.startswith(f"refused   {bad}")
    assert findings == [f"    {finding_line(finding)}" for finding in first["findings"]]


@pytest.mark.process
@pytest.mark.parametrize("channel", ["https", "as2"])
def test_the_receipts_kept_verify(
    cli: RunCli, served: pathlib.Path, make: Make, tmp_path: pathlib.Path, channel: str
) -> None:
    file, out = make(f"SUB-8-{channel}"), tmp_path / "receipts"
    assert cli("submit", file, "--channel", channel, "--out", out, "--dir", served).exit_code == OK
    document = ("--document", file) if channel == "https" else ()
    pem = served / "keys/gateway.pem"
    done = cli("verify-receipt", out / "0001-response.http", "--certificate", pem, *document)
    assert done.exit_code == OK, done.output


@pytest.mark.process
def test_somebody_who_may_not(cli: RunCli, served: pathlib.Path, make: Make) -> None:
    done = cli("submit", make("SUB-9"), "--as", "health", "--dir", served, "--json")
    assert done.exit_code == REFUSED
    assert [(row["receipted"], row["http"]) for row in rows(done)] == [(False, 403)]


def test_without_a_gateway(cli: RunCli, starter: pathlib.Path, make: Make) -> None:
    for channel in ("https", "as2"):
        done = cli("submit", make("SUB-10"), "--channel", channel, "--dir", starter, "--json")
        assert done.exit_code == REFUSED
        (row,) = rows(done)
        assert (row["receipted"], bool(row["reason"])) == (False, True)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--channel", "fax"), "'fax' is no channel: as2 or https"),
        (("--as", "nobody"), "{folder}: no partner or agency 'nobody' is configured"),
        (("--as", "health", "--channel", "as2"), "health has no AS2 agreement"),
    ],
)
def test_what_cannot_be_asked(
    cli: RunCli, starter: pathlib.Path, make: Make, options: tuple[str, ...], complaint: str
) -> None:
    done = cli("submit", make("SUB-11"), *options, "--dir", starter)
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr == f"tidewaiter: {complaint.format(folder=starter)}\n"


def test_a_file_that_is_not_there(cli: RunCli, starter: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = cli("submit", tmp_path / "none", "--dir", starter)
    assert (done.exit_code, done.stderr) == (
        UNUSABLE,
        f"tidewaiter: {tmp_path / 'none'}: No such file or directory\n",
    )


def test_a_folder_for_receipts_that_cannot_be(
    cli: RunCli, starter: pathlib.Path, make: Make, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "file").touch()
    done = cli("submit", make("SUB-12"), "--out", tmp_path / "file", "--dir", starter)
    assert (done.exit_code, done.stderr) == (UNUSABLE, f"tidewaiter: {tmp_path / 'file'}: File exists\n")


@pytest.mark.parametrize("name", ["trader.pem", "trader.key"])
@pytest.mark.parametrize("as2", [True, False])
def test_a_key_that_is_missing_or_another_is_named(
    cli: RunCli, folder: pathlib.Path, make: Make, name: str, *, as2: bool
) -> None:
    if not as2:
        settings = folder / "partners/trader.toml"
        settings.write_text('name = "trader"\ncertificates = ["keys/customs.pem"]\n')
        (folder / "agencies/customs.toml").unlink()
        (folder / "routes.toml").write_text("route = []\n")
    if name.endswith("key"):
        _, other = make_self_signed("other", now=datetime.now(UTC), days=1, key="p256")
        (folder / "keys" / name).write_bytes(other)
        done = cli("submit", make("SUB-13"), "--dir", folder)
        assert done.exit_code == UNUSABLE
        assert len(done.stderr.splitlines()) == 1
        assert f"{folder}/keys" in done.stderr
    (folder / "keys" / name).unlink()
    done = cli("submit", make("SUB-13"), "--dir", folder)
    assert (done.exit_code, done.stderr) == (
        UNUSABLE,
        f"tidewaiter: {folder / 'keys' / name}: No such file or directory\n",
    )
