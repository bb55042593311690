"""A load run from end to end: a gateway and its agencies as processes of their own, the driver, the audit."""

import functools
import importlib.util
import os
import pathlib
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import structlog
from rich.console import Console
from rich.progress import Progress as Bar

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import clock, resources
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.http import Client, ClientError, ClientLimits
from tidewaiter.gateway.ledger import LedgerError, open_ledger
from tidewaiter.gateway.sandbox.accounts import Account, load_account
from tidewaiter.gateway.sandbox.demo import AGENCIES, LOOPS
from tidewaiter.gateway.sandbox.machine import machine
from tidewaiter.gateway.sandbox.processes import Processes, StartFailed, free_ports
from tidewaiter.gateway.sandbox.report import console_for
from tidewaiter.gateway.sandbox.trader import Trader
from tidewaiter.gateway.scaffold import ScaffoldError, make_starter
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.loadtest import evidence
from tidewaiter.loadtest.arrivals import Arrivals, schedule
from tidewaiter.loadtest.audit import audit, books
from tidewaiter.loadtest.documents import Documents
from tidewaiter.loadtest.driver import Driver, Progress
from tidewaiter.loadtest.loopback import NotLoopback, require_loopback
from tidewaiter.loadtest.report import Load, Result, as_builtins, shown

CLEAN, FAULTY, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
TRADER = "trader"
# At each port of the gateway, which takes a thousand: a queue before it would belong to the driver.
CONNECTIONS = 900
CHANNELS = {"as2": ("as2",), "https": ("https",), "both": ("as2", "https")}
TRADERS = pathlib.Path(__file__).with_name("traders.py")
NO_LOCUST = "locust is not installed: pip install 'tidewaiter[load]'"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command, as typed."""

    rate: float
    seconds: float
    seed: int
    arrivals: str
    channel: str
    loop: str
    directory: pathlib.Path | None
    locust: int
    as_json: bool


class Unusable(Exception):  # noqa: N818 - named for what it says
    """The run cannot begin; the text says why."""


# What a run may end with before it has begun, each a sentence for the user.
FAULTS = (ScaffoldError, ConfigError, StartFailed, LedgerError, NotLoopback, Unusable, ClientError, OSError)


def run_load(options: Options) -> int:
    """Run and print. 0: every receipt was kept; 1: something was lost, doubled, unanswered or failed; 2: it
    could not be run; 130: interrupted. Every process that was started has ended when this returns."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    console = console_for(json_output=options.as_json)
    try:
        plan = _planned(options)
        if options.directory is not None:
            return _on(options.directory, options, plan, console)
    except FAULTS as error:
        return _complain(str(error))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tidewaiter-load-"))
    code = UNUSABLE
    try:
        with Processes(folder) as processes:
            _start(folder, processes, options.loop)
            code = _on(folder, options, plan, console, processes)
    except FAULTS as error:
        _complain(str(error))
    finally:
        if code in {CLEAN, INTERRUPTED}:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"Logs and ledger are kept in {folder}", markup=False)
    return code


def _planned(options: Options) -> tuple[float, ...]:
    """The schedule. Raises Unusable for options that make none."""
    if options.loop not in LOOPS:
        raise Unusable(f"{options.loop!r} is no loop: {' or '.join(LOOPS)}")
    if options.channel not in CHANNELS:
        raise Unusable(f"{options.channel!r} is no channel: {', '.join(CHANNELS)}")
    if options.locust and importlib.util.find_spec("locust") is None:
        raise Unusable(NO_LOCUST)
    try:
        kind = Arrivals(options.arrivals)
        return schedule(kind, rate=options.rate, seconds=options.seconds, seed=options.seed)
    except ValueError as error:
        raise Unusable(str(error)) from None


def _start(folder: pathlib.Path, processes: Processes, loop: str) -> None:
    """Make a configuration in `folder`, and start its gateway and agencies."""
    ports = free_ports()
    make_starter(folder, now=datetime.now(UTC), ports=ports, loop=loop)
    processes.start("gateway", "serve", "--dir", str(folder), port=ports.https)
    for name in AGENCIES:
        arguments = ("sandbox-agency", name, "--dir", str(folder), "--loop", loop)
        processes.start(name, *arguments, port=getattr(ports, name))


def _on(
    folder: pathlib.Path,
    options: Options,
    plan: tuple[float, ...],
    console: Console,
    processes: Processes | None = None,
) -> int:
    """Load the gateway of `folder`. `processes` are those to wait for and to watch."""
    account = load_account(folder, TRADER)
    for url in (account.api_url, account.as2_url):
        require_loopback(url)
    run = _Run(folder, account, options, plan, console, processes)
    work = run.locust if options.locust else run.measure
    return int(_run_on(functools.partial(_interruptible, work), options.loop))


class _Run:
    """One run against one gateway."""

    def __init__(
        self,
        folder: pathlib.Path,
        account: Account,
        options: Options,
        plan: tuple[float, ...],
        console: Console,
        processes: Processes | None,
    ) -> None:
        self._folder = folder
        self._account = account
        self._options = options
        self._plan = plan
        self._console = console
        self._processes = processes

    async def measure(self) -> int:
        """Drive the schedule, audit, print."""
        await self._ready()
        before, since = machine(self._folder), datetime.now(UTC)
        reader = resources.reader(warm=True)
        async with _open_trader(self._account, reader) as trader:
            read_to = 0
            while news := await trader.notifications(read_to):
                read_to = news[-1].number
            documents = Documents(reader, seed=self._options.seed)
            channels = CHANNELS[self._options.channel]
            driver = Driver(trader, documents, channels, seed=self._options.seed, log_from=read_to)
            await self._drive(driver)
            if self._processes is not None:
                self._processes.check()
            before_asking = driver.driven()
            lrns = [attempt.lrn for attempt in before_asking.attempts]
            standing = await evidence.standing(trader, lrns)
            await driver.catch_up()
            driven = driver.driven()
        config = load_config(self._folder)
        async with open_ledger(config.path(config.gateway.ledger), read_only=True) as ledger:
            found = await evidence.lodgements(ledger, lrns)
            levels = await evidence.service_level(ledger, found, config.levels, since)
        result = Result(
            load=self._load(),
            driven=driven,
            audit=audit(before_asking, standing, driven, evidence.counted(found), books(self._folder)),
            levels=levels,
            before=before,
            after=machine(self._folder),
        )
        self._print(result)
        return CLEAN if result.audit.clean else FAULTY

    async def locust(self) -> int:
        """Run locust, headless, with the users of `traders.py`; its own table is the report."""
        await self._ready()
        users = str(self._options.locust)
        duration = f"{self._options.seconds:g}s"
        command = [sys.executable, "-m", "locust", "-f", str(TRADERS), "--headless", "--only-summary"]
        command += ["--users", users, "--spawn-rate", users, "--run-time", duration]
        environment = {**os.environ, "TIDEWAITER_HOME": str(self._folder)}
        # Not where the package lies: its folders bear names of the standard library.
        done = await anyio.run_process(
            command, check=False, stdout=None, stderr=None, cwd=self._folder, env=environment
        )
        return CLEAN if done.returncode == 0 else FAULTY

    async def _ready(self) -> None:
        if self._processes is not None:
            await self._processes.ready()

    async def _drive(self, driver: Driver) -> None:
        with Bar(console=self._console, transient=True, disable=not self._console.is_terminal) as bar:
            total = len(self._plan)
            tasks = [bar.add_task(name, total=total) for name in ("sent", "receipted", "answered")]

            def tell(progress: Progress) -> None:
                for task, done in zip(tasks, progress, strict=True):
                    bar.update(task, completed=done)

            await driver.drive(self._plan, tell)

    def _load(self) -> Load:
        options = self._options
        return Load(
            rate=options.rate,
            seconds=options.seconds,
            seed=options.seed,
            arrivals=options.arrivals,
            channels=CHANNELS[options.channel],
            loop=options.loop,
        )

    def _print(self, result: Result) -> None:
        if self._options.as_json:
            text = msgspec.json.format(msgspec.json.encode(as_builtins(result)))
            sys.stdout.write(text.decode() + "\n")
        else:
            self._console.print(shown(result))


@asynccontextmanager
async def _open_trader(account: Account, reader: Reader) -> AsyncIterator[Trader]:
    """A trader that listens, and that never makes a lodgement wait for a connection."""
    limits = ClientLimits(max_connections=CONNECTIONS)
    async with Client(clock=clock.instant, limits=limits) as client, anyio.create_task_group() as group:
        trader = Trader(account, client, reader)
        if account.own_url:
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=account.own_port)
            await group.start(lambda *, task_status: trader.listen(listener, task_status=task_status))
        yield trader
        group.cancel_scope.cancel()


async def _interruptible(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """The code of `work` at its end; INTERRUPTED at SIGINT or SIGTERM, which would leave processes behind."""
    code = INTERRUPTED
    async with anyio.create_task_group() as group:

        async def worked() -> None:
            nonlocal code
            code = await work()
            group.cancel_scope.cancel()

        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            group.start_soon(worked)
            async for _ in signals:
                group.cancel_scope.cancel()
    return code


def _run_on(work: Callable[[], Coroutine[Any, Any, int]], loop: str) -> int:
    """`work` run on `loop`; an exception of its one task comes out as itself."""
    try:
        if loop == "uvloop":
            return anyio.run(work, backend="asyncio", backend_options={"use_uvloop": True})
        return anyio.run(work, backend="trio")
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None


def _complain(reason: str) -> int:
    sys.stderr.write(f"tidewaiter: {reason}\n")
    return UNUSABLE
