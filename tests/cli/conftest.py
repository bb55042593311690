"""What the tests of the command line share: configurations made once, and the command line in-process."""

import pathlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import resources
from tidewaiter.gateway.cli.commands import app
from tidewaiter.gateway.sandbox.processes import free_ports
from tidewaiter.gateway.sandbox.samples import SAMPLES, sample
from tidewaiter.gateway.scaffold import make_starter

RunCli = Callable[..., Result]


@pytest.fixture
def cli() -> RunCli:
    """Runs a command line in this process: cli("validate", file). Output is never cut to a terminal."""

    def run(*arguments: object, given: bytes | None = None, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, [str(a) for a in arguments], input=given, env=env)

    return run


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The shipped sample documents as files."""
    folder = tmp_path_factory.mktemp("samples")
    for name in SAMPLES:
        (folder / name).write_bytes(sample(name))
    return folder


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A starter configuration on free ports, made once. Not to be written to."""
    folder = tmp_path_factory.mktemp("starter") / "gateway"
    make_starter(folder, now=datetime.now(UTC), ports=free_ports())
    return folder


@pytest.fixture
def folder(starter: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A starter configuration of the test's own."""
    return pathlib.Path(shutil.copytree(starter, tmp_path / "gateway"))


@pytest.fixture(scope="session")
def reader() -> Reader:
    """A reader with all that is shipped."""
    return resources.reader()
