"""The command as it is typed: wrong options are one line, and a short run keeps every promise."""

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from tidewaiter.loadtest import run
from tidewaiter.loadtest.command import load

app = typer.Typer()
app.command()(load)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rate", "0"], "above 0"),
        (["--arrivals", "never"], "never"),
        (["--channel", "fax"], "'fax' is no channel"),
        (["--loop", "none"], "'none' is no loop"),
        (["--dir", "does-not-exist"], "does-not-exist"),
    ],
)
def test_what_cannot_be_run_is_one_line(options: list[str], said: str) -> None:
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_locust_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["--locust", "1"])
    assert result.exit_code == 2
    assert result.stderr == "tidewaiter: locust is not installed: pip install 'tidewaiter[load]'\n"


def test_the_command_brings_no_locust_and_no_gateway_with_it() -> None:
    """locust patches the standard library, and the command line loads the command at every start."""
    script = (
        "import sys, tidewaiter.loadtest.command\n"
        "assert not [name for name in sys.modules if name.startswith('tidewaiter.gateway')]\n"
        "import tidewaiter.loadtest.run\n"
        "assert not {'locust', 'gevent'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.process
def test_a_short_run_keeps_every_promise() -> None:
    command = [sys.executable, "-m", "tidewaiter.loadtest", "--rate", "4", "--seconds", "1", "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["audit"] == {"lost": [], "doubled": [], "unanswered": [], "failed": []}
    assert told["lodged"] == told["seconds"]["receipt"]["n"] == told["seconds"]["answer"]["n"] > 0
    assert {line["level"] for line in told["levels"]} == {"goal"}
