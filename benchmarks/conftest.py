"""The run as a whole: its gateway, its loop, and the table at its end."""

import json
import os
import pathlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from anyio.from_thread import BlockingPortal, start_blocking_portal
from rich.console import Console

from tidewaiter.benchmarks.bench import Bench
from tidewaiter.benchmarks.material import Declarations
from tidewaiter.benchmarks.report import as_builtins, rows_of, table_of
from tidewaiter.benchmarks.results import OUT, write
from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import resources
from tidewaiter.gateway.app import Gateway, open_gateway
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.sandbox.accounts import Account, load_account
from tidewaiter.gateway.sandbox.machine import machine
from tidewaiter.gateway.scaffold import make_starter

# The rows, and beside them every pair of the run and the machine it was on.
ROWS, PAIRS = "pipeline.json", "pipeline-pairs.json"
BENCH = pytest.StashKey[Bench]()
FOLDER = pytest.StashKey[pathlib.Path]()


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """One line where the extra is missing, before its options are taken for mistakes."""
    if not pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("the benchmarks need an extra: pip install 'tidewaiter[bench]'")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """One table is enough; --benchmark-verbose shows that of pytest-benchmark too."""
    config.option.benchmark_quiet = not config.getoption("benchmark_compare", None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and write what was measured."""
    bench = config.stash.get(BENCH, None)
    if bench is None or not bench.measured:
        return
    facts = machine(config.stash[FOLDER])
    console = Console(force_terminal=terminalreporter.hasmarkup, highlight=False)
    with console.capture() as captured:
        console.print(table_of(bench.measured, facts))
    terminalreporter.ensure_newline()
    terminalreporter.write("\n" + captured.get())
    rows = write(rows_of(bench.measured), ROWS)
    told = as_builtins(bench.measured, facts, datetime.now(UTC).isoformat(timespec="seconds"))
    (OUT / PAIRS).write_text(json.dumps(told, indent=2) + "\n")
    terminalreporter.write_line(f"Written to {rows}; every pair in {PAIRS} beside it")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> pathlib.Path:
    """A starter configuration."""
    made = tmp_path_factory.mktemp("bench") / "gateway"
    make_starter(made, now=datetime.now(UTC))
    request.config.stash[FOLDER] = made
    return made


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop of the run: trio, as the gateway's default."""
    with start_blocking_portal(backend="trio") as opened:
        yield opened


@pytest.fixture(scope="session")
def bench(portal: BlockingPortal, request: pytest.FixtureRequest) -> Bench:
    """The harness of the run."""
    return request.config.stash.setdefault(BENCH, Bench(portal))


@pytest.fixture(scope="session")
def account(folder: pathlib.Path) -> Account:
    """The trader."""
    return load_account(folder, "trader")


@pytest.fixture(scope="session")
def reader() -> Reader:
    """A reader with everything compiled."""
    return resources.reader(warm=True)


@pytest.fixture(scope="session")
def declarations(reader: Reader) -> Declarations:
    """Where new declarations come from."""
    return Declarations(reader)


@pytest.fixture(scope="session")
def log_lines() -> Iterator[None]:
    """The log as the gateway writes it, to nowhere: its lines are a part of the cost."""
    with open(os.devnull, "w") as nowhere:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.WriteLoggerFactory(file=nowhere),
            cache_logger_on_first_use=False,
        )
        yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def gateway(folder: pathlib.Path, portal: BlockingPortal, log_lines: None) -> Iterator[Gateway]:
    """A gateway with a ledger in a real file; nothing listens, and nothing is delivered."""
    with portal.wrap_async_context_manager(open_gateway(load_config(folder))) as opened:
        yield opened
