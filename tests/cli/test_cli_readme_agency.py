"""The example of an agency that is added works as the README shows it."""

import pathlib
import re
import shlex
import subprocess
from collections.abc import Callable

import pytest
from typer.testing import Result

RunCli = Callable[..., Result]
README = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.mark.process
def test_the_agency_is_added(cli: RunCli, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example, told = next(
        (block, BLOCKS[number + 1]) for number, block in enumerate(BLOCKS) if "agency add fisheries" in block
    )
    done = None
    for line in example.replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        if words[0] == "openssl":
            subprocess.run(words, capture_output=True, check=True)
        else:
            done = cli(*words[1:])
            assert done.exit_code == 0, done.stderr
    assert done is not None
    assert _bare(done.stdout) == _bare(told)
    assert cli("check-config", "--dir", "my-gateway").exit_code == 0


def _bare(text: str) -> str:
    """Without the fingerprint, which is another each time."""
    return re.sub(r"[0-9a-f]{64}", "FINGERPRINT", text)
