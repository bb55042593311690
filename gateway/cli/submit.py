"""`submit`: lodge documents as a trader would, and verify each receipt."""

import functools
import pathlib
import sys
from typing import Any

import anyio
import msgspec
from rich.console import Console
from rich.progress import track

from .. import resources
from ..http import ClientError
from ..sandbox.accounts import Account, load_account
from ..sandbox.trader import Trader, open_trader
from ..sandbox.wire import Recorder
from ..toml import ConfigError
from .console import say
from .operate import complain

OK, REFUSED = 0, 1


def submit(
    folder: pathlib.Path,
    files: list[pathlib.Path],
    channel: str,
    partner: str,
    out: pathlib.Path | None,
    *,
    as_json: bool,
) -> int:
    """Lodge each file. 0: all receipted, each receipt verified; 1: not all; 2: nothing was sent."""
    if channel not in {"as2", "https"}:
        return complain(f"{channel!r} is no channel: as2 or https")
    try:
        documents = [(file, file.read_bytes()) for file in files]
        account = load_account(folder, partner)
        recorder = Recorder(out) if out is not None else None
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}")
    except ConfigError as error:
        return complain(error)
    if channel == "as2" and account.terms is None:
        return complain(f"{partner} has no AS2 agreement")
    run = functools.partial(_run, account, documents, channel, recorder, progress=not as_json)
    rows = anyio.run(run, backend="trio")
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
    else:
        for row in rows:
            _show(row)
    return OK if all(row["receipted"] for row in rows) else REFUSED


async def _run(
    account: Account,
    documents: list[tuple[pathlib.Path, bytes]],
    channel: str,
    recorder: Recorder | None,
    *,
    progress: bool,
) -> list[dict[str, Any]]:
    rows = []
    async with open_trader(account, resources.reader(), recorder=recorder, listen=False) as trader:
        console = Console(stderr=True)
        for file, payload in track(
            documents, "Lodging", console=console, disable=not progress, transient=True
        ):
            try:
                row = await (_as2 if channel == "as2" else _https)(trader, payload)
            except ClientError as error:
                row = {"receipted": False, "reason": error.reason}
            rows.append({"file": str(file), "channel": channel, **row})
    return rows


async def _as2(trader: Trader, payload: bytes) -> dict[str, Any]:
    sent = await trader.lodge_as2(payload)
    return {
        "receipted": sent.verified,
        "message": sent.composed.message_id,
        "mic": str(sent.composed.mic),
        "disposition": sent.mdn.disposition,
        **({} if sent.verified else {"reason": sent.mdn.detail or f"HTTP {sent.status}"}),
    }


async def _https(trader: Trader, payload: bytes) -> dict[str, Any]:
    lodged = await trader.lodge_https(payload)
    row: dict[str, Any] = {"receipted": lodged.verified, "http": lodged.status}
    if lodged.id:
        row["id"] = lodged.id
    if lodged.verified:
        row["status"] = lodged.body.get("status")
    else:
        row["reason"] = lodged.body.get("detail") or lodged.reason
        row["findings"] = lodged.findings
    return row


def _show(row: dict[str, Any]) -> None:
    name = row.get("id") or row.get("message", "")
    if row["receipted"]:
        proof = row.get("disposition") or f"HTTP {row['http']}"
        say(("receipted", "green"), f" {row['file']}  {name}  {proof}, signature and digest verified")
        return
    say(("refused", "red"), f"   {row['file']}  {name}  {row.get('reason', '')}")
    for finding in row.get("findings", []):
        say(f"    {finding['severity']} {finding['code']} at {finding.get('where', '-')}: {finding['text']}")
