"""What the tests of the command line share: configurations made once, and the command line in-process."""

import functools
import json
import pathlib
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import anyio
import pytest
from typer.testing import CliRunner, Result

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import resources
from tidewaiter.gateway.app import open_gateway
from tidewaiter.gateway.cli.commands import app
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.agency import serve_agency
from tidewaiter.gateway.sandbox.samples import SAMPLES, sample
from tidewaiter.gateway.sandbox.trader import Notice, open_trader
from tidewaiter.gateway.sandbox.wire import MESSAGES, Recorder
from tidewaiter.gateway.scaffold import Ports, make_starter

# Far above what anything here takes on a quiet machine.
PATIENCE = 30.0
# An LRN that a terminal library would take for markup.
ODD_LRN = "X-[bold]-[/red]-1"

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
def ports() -> Iterator[Callable[[], Ports]]:
    """Gives ports that stay ours: a socket that never listens is bound to each. A gateway may listen there,
    and no connection on its way out is given it meanwhile."""
    held: list[socket.socket] = []

    def one() -> int:
        held.append(socket.socket())
        held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held[-1].bind(("127.0.0.1", 0))
        return int(held[-1].getsockname()[1])

    yield lambda: Ports(**{name: one() for name in Ports.__struct_fields__})
    for each in held:
        each.close()


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory, ports: Callable[[], Ports]) -> pathlib.Path:
    """A starter configuration on ports of its own, made once. Not to be written to."""
    folder = tmp_path_factory.mktemp("starter") / "gateway"
    make_starter(folder, now=datetime.now(UTC), ports=ports())
    return folder


@pytest.fixture
def folder(starter: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A starter configuration of the test's own."""
    return pathlib.Path(shutil.copytree(starter, tmp_path / "gateway"))


@pytest.fixture(scope="session")
def reader() -> Reader:
    """A reader with all that is shipped."""
    return resources.reader()


@pytest.fixture(scope="session")
def lodged(starter: pathlib.Path, tmp_path_factory: pytest.TempPathFactory, reader: Reader) -> pathlib.Path:
    """The folder of a gateway that has stopped. Documents were lodged and decided, and what the trader sent
    and got is kept in `wire`: an MDN for import.edi and invalid.edi, a receipt for export.xml and for
    plants.xml under an odd LRN, and a refusal."""
    folder = pathlib.Path(shutil.copytree(starter, tmp_path_factory.mktemp("lodged") / "gateway"))
    (folder / "sandbox.toml").write_text("")
    anyio.run(_lodge, folder, reader, backend="trio")
    return folder


async def _lodge(folder: pathlib.Path, reader: Reader) -> None:
    async with anyio.create_task_group() as group:
        for name in ("customs", "agriculture", "health"):
            await group.start(functools.partial(serve_agency, load_account(folder, name), folder, reader))
        async with open_gateway(load_config(folder)) as gateway, anyio.create_task_group() as running:
            await running.start(gateway.run)
            await _lodge_all(folder, reader)
            gateway.stopping.set()
        group.cancel_scope.cancel()


async def _lodge_all(folder: pathlib.Path, reader: Reader) -> None:
    account, recorder = load_account(folder, "trader"), Recorder(folder / "wire")
    async with open_trader(account, reader, recorder=recorder) as trader:
        assert (await trader.lodge_as2(sample("import.edi"))).verified
        assert (await trader.lodge_as2(sample("invalid.edi"))).verified
        assert (await trader.lodge_https(sample("export.xml"))).verified
        odd = sample("plants.xml").replace(b"MER-26-004179", ODD_LRN.encode())
        assert (await trader.lodge_https(odd)).verified
        assert (await trader.lodge_https(sample("invalid.xml"))).status == 422
        with anyio.fail_after(PATIENCE):
            await trader.wait_for(lambda notice: notice.lrn == "MER-26-004171")
            for lrn in ("MER-26-004174", ODD_LRN):
                await trader.look_for(functools.partial(_is_about, lrn))


def _is_about(lrn: str, notice: Notice) -> bool:
    return notice.lrn == lrn


@pytest.fixture
def wire(lodged: pathlib.Path) -> Callable[[str, int], pathlib.Path]:
    """wire(what, n): the file of the n-th message that is `what`: declaration, MDN, receipt."""
    lines = [json.loads(line) for line in (lodged / "wire" / MESSAGES).read_bytes().splitlines()]

    def find(what: str, number: int) -> pathlib.Path:
        files: list[str] = [line["file"] for line in lines if line["what"] == what]
        return lodged / "wire" / files[number]

    return find
