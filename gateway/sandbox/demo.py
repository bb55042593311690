"""`tidewaiter demo`: a gateway, three agencies and a trader, all real, all here, and what they do."""

import functools
import pathlib
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import structlog
from rich.console import Console

from ...codecs.document import Reader
from .. import resources
from ..config import load_levels
from ..http import ClientError
from ..ledger import open_ledger
from ..scaffold import Ports, ScaffoldError, make_starter
from ..toml import ConfigError
from .accounts import Account, load_account
from .agency import serve_agency
from .cases import CASES, Case, Observed, faults
from .lodging import Lodger
from .processes import Processes, StartFailed, free_ports
from .report import Row, as_json, console_for, show
from .trader import open_trader
from .wire import Recorder, collect

AGENCIES = ("customs", "agriculture", "health")
LOOPS = ("trio", "uvloop")
RECORD = "wire"
# The last is what a terminal sends that is closed.
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RIGHT, WRONG, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    keep: bool
    out: pathlib.Path | None
    loop: str
    json_output: bool


def run_demo(*, keep: bool, out: pathlib.Path | None, loop: str, json_output: bool) -> int:
    """Run the demonstration and print it. 0: every row came out as it must; 1: not every one; 2: it could not
    be run; 130: interrupted. Whatever happens, every process has ended when this returns.

    `out` must be a new or an empty folder; it gets every message, an index, and the keys to check them with.
    With `keep` it returns when it is interrupted.
    """
    options = _Options(keep=keep, out=out, loop=loop, json_output=json_output)
    console = console_for(json_output=json_output)
    if loop not in LOOPS:
        return _complain(f"{loop!r} is no loop: {' or '.join(LOOPS)}")
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        return _complain(f"{out} must be a new or an empty folder")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tidewaiter-demo-"))
    code = UNUSABLE
    try:
        code = _run_in(folder, options, console)
    except (ScaffoldError, ConfigError, StartFailed, OSError) as error:
        _complain(str(error))
    finally:
        if code in {RIGHT, INTERRUPTED}:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"Logs and ledger are kept in {folder}", markup=False, soft_wrap=True)
    return code


def run_agency(name: str, folder: pathlib.Path, loop: str) -> None:
    """Be the agency `name` of the configuration in `folder` until SIGTERM or SIGINT. Raises ConfigError."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    account, reader = load_account(folder, name), _reader()
    _run(functools.partial(_serve_until_stopped, account, folder, reader), loop)


def _run_in(folder: pathlib.Path, options: _Options, console: Console) -> int:
    ports = free_ports()
    record = RECORD if options.out is not None else ""
    make_starter(folder, now=datetime.now(UTC), ports=ports, loop=options.loop, record=record)
    try:
        with Processes(folder) as processes:
            work = functools.partial(_demonstrate, folder, ports, processes, options, console)
            return int(_run(functools.partial(_interruptible, work), options.loop))
    finally:
        if options.out is not None:
            _keep_messages(folder, options.out, console)


class _Verdict:
    """The exit code as far as it is known: interrupted, until all rows are judged."""

    def __init__(self) -> None:
        self.code = INTERRUPTED


async def _interruptible(work: Callable[[_Verdict], Coroutine[Any, Any, None]]) -> int:
    """The verdict of `work` at its end, or at one of STOPS."""
    verdict = _Verdict()
    async with anyio.create_task_group() as group:

        async def worked() -> None:
            await work(verdict)
            group.cancel_scope.cancel()

        with anyio.open_signal_receiver(*STOPS) as signals:
            group.start_soon(worked)
            async for _ in signals:
                group.cancel_scope.cancel()
    return verdict.code


async def _demonstrate(
    folder: pathlib.Path,
    ports: Ports,
    processes: Processes,
    options: _Options,
    console: Console,
    verdict: _Verdict,
) -> None:
    began = time.monotonic()
    processes.start("gateway", "serve", "--dir", str(folder), port=ports.https)
    for name in AGENCIES:
        arguments = ("sandbox-agency", name, "--dir", str(folder), "--loop", options.loop)
        processes.start(name, *arguments, port=getattr(ports, name))
    account, reader = load_account(folder, "trader"), _reader()
    recorder = Recorder(folder / account.record / account.name) if account.record else None
    await processes.ready()
    async with open_trader(account, reader, recorder=recorder) as trader:
        async with open_ledger(folder / "ledger.db", read_only=True) as ledger:
            lodger = Lodger(trader, ledger, reader, load_levels(folder), folder / "sandbox")
            rows = [
                await _row(lodger, processes, number, case, console) for number, case in enumerate(CASES, 1)
            ]
        verdict.code = RIGHT if all(row.right for row in rows) else WRONG
        seconds = time.monotonic() - began
        show(console, rows, seconds)
        if options.json_output:
            sys.stdout.buffer.write(as_json(rows, seconds))
            sys.stdout.buffer.flush()
        if options.keep:
            _explain(folder, ports, console)
            await anyio.sleep_forever()


async def _row(lodger: Lodger, processes: Processes, number: int, case: Case, console: Console) -> Row:
    """One case lodged. What ends it early is its fault, unless a process has died."""
    with console.status(f"{case.title} ..."):
        try:
            seen = await lodger.lodge(case)
        except (ClientError, TimeoutError) as error:
            processes.check()
            reason = str(error) or "no answer in time"
            seen = Observed(receipt="", receipted=False, notes=(reason,))
    return Row(number=number, case=case, seen=seen, faults=faults(case, seen))


def _explain(folder: pathlib.Path, ports: Ports, console: Console) -> None:
    where = f"--dir {shlex.quote(str(folder))}"
    lines = (
        "",
        "Everything keeps running until Ctrl-C. In another terminal:",
        f"  tidewaiter list {where}",
        f"  tidewaiter status MER-26-004171 {where}",
        f"  tidewaiter events MER-26-004171 {where}",
        f"  tidewaiter sla {where}",
        f"  tidewaiter submit {folder}/samples/export.xml {where}",
        "",
        f"  https://localhost:{ports.https}/v1/openapi.json   the HTTPS channel; keys/trader.pem may lodge",
        f"  http://127.0.0.1:{ports.http}/as2   the AS2 channel",
        f"  http://127.0.0.1:{ports.operations}/metrics   for the operator",
        f"  {folder}/logs   what each process says",
        "",
        "A sample lodged again is known again. Change its LRN to lodge it anew; an LRN that ends in",
        "-INSPECT, -DOCUMENTS, -REFUSE or -SILENT makes the agencies do that.",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _keep_messages(folder: pathlib.Path, out: pathlib.Path, console: Console) -> None:
    """The messages of all parties in one numbering, and the keys to verify and open them with."""
    count = collect([folder / RECORD / name for name in ("trader", *AGENCIES)], out)
    if (folder / "keys").exists():
        shutil.copytree(folder / "keys", out / "keys", dirs_exist_ok=True)
    told = f"{count} messages are in {out}; index.json says what each is."
    console.print(told, markup=False, soft_wrap=True)


async def _serve_until_stopped(account: Account, folder: pathlib.Path, reader: Reader) -> None:
    stopping = anyio.Event()
    async with anyio.create_task_group() as group:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            group.start_soon(functools.partial(serve_agency, account, folder, reader, stopping=stopping))
            async for _ in signals:
                break
        stopping.set()


def _reader() -> Reader:
    return Reader(resources.directory, resources.schemas)


def _run(work: Callable[[], Coroutine[Any, Any, Any]], loop: str) -> Any:
    """`work` run on `loop`; an exception of its one task comes out as itself."""
    try:
        if loop == "uvloop":
            return anyio.run(work, backend="asyncio", backend_options={"use_uvloop": True})
        return anyio.run(work, backend="trio")
    except BaseExceptionGroup as group:
        raise _only(group) from None


def _only(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _complain(reason: str) -> int:
    sys.stderr.write(f"tidewaiter: {reason}\n")
    return UNUSABLE
