"""What the README says of AS2 on the command line, done as it stands against a gateway that really runs."""

import pathlib
import re
import shlex
from collections.abc import Callable

import pytest
from typer.testing import Result

from .test_cli_submit import served  # noqa: F401  a fixture

README = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()


def commands() -> list[str]:
    """The block that begins with `as2 send`, a command a line."""
    (block,) = re.findall(r"^```\n(tidewaiter as2 send.*?)^```", README, re.DOTALL | re.MULTILINE)
    return block.replace("\\\n", " ").splitlines()


@pytest.mark.process
def test_sent_looked_into_and_proved(
    cli: Callable[..., Result],
    served: pathlib.Path,  # noqa: F811  as above
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    document = (served / "samples/export.xml").read_bytes().replace(b"MER-26-004174", b"README-AS2-1")
    (tmp_path / "my.xml").write_bytes(document)
    said = []
    for line in commands():
        done = cli(*shlex.split(line.replace("DIR", str(served)))[1:])
        assert done.exit_code == 0, done.output
        said.append(done.stdout)
    sent, inside, proved = said
    shown = README[README.index("receipted my.xml  <T") :].partition("```")[0]
    assert _shape(sent) == _shape(shown)
    assert inside.splitlines()[-1] == "by the agreement with trader: processed"
    assert proved.splitlines()[-1] == "document: matches"
    kept = [file.name for file in sorted((tmp_path / "sent").iterdir())]
    assert kept == ["0001-request.http", "0001-response.http", "messages.jsonl"]


def _shape(output: str) -> str:
    """`output` without what differs from run to run."""
    patterns = (r"<T\w+@", r"(?<=MIC )\S+=", r"\d+\.\d{3} s", r"http://\S+", r"sha256:\w{64}")
    for pattern in patterns:
        output = re.sub(pattern, "*", output)
    return output
