"""A demonstration that is kept ends what it started, whatever ends it."""

import pathlib
import signal
import subprocess
import sys

import pytest

SECONDS = 60


@pytest.mark.process
@pytest.mark.parametrize(
    ("loop", "numbers"),
    [("trio", (signal.SIGHUP,)), ("uvloop", (signal.SIGHUP, signal.SIGTERM, signal.SIGTERM))],
)
def test_a_closed_terminal_or_an_impatient_supervisor(
    tmp_path: pathlib.Path, loop: str, numbers: tuple[signal.Signals, ...]
) -> None:
    """The later ones come while the first is being obeyed."""
    with subprocess.Popen(
        [sys.executable, "-m", "tidewaiter", "demo", "--keep", "--loop", loop],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as running:
        assert running.stdout is not None
        try:
            while b"-SILENT" not in (line := running.stdout.readline()):
                assert line
            for number in numbers:
                running.send_signal(number)
                with_patience(running)
            assert running.wait(SECONDS) == 0
        finally:
            running.kill()
    assert list(tmp_path.iterdir()) == []
    still = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, check=False)
    assert still.stdout == b""


def with_patience(running: "subprocess.Popen[bytes]") -> None:
    """A moment between two signals, so that the first is under way."""
    try:
        running.wait(0.15)
    except subprocess.TimeoutExpired:
        return
