"""`submit`: lodge documents as a trader would, and verify each receipt."""

import functools
import pathlib
import sys
import tempfile
from typing import Any
from urllib.parse import urlsplit

import anyio
import msgspec
from rich.console import Console
from rich.progress import track

from .. import resources
from ..finding_view import finding_line
from ..http import ClientError, ConnectFailed
from ..sandbox.accounts import Account, load_account
from ..sandbox.trader import Trader, open_trader
from ..sandbox.wire import Recorder
from ..toml import ConfigError
from .complaint import complain
from .console import say

OK, REFUSED = 0, 1
# Nobody can tell whether it was taken; sent again it is known again.
NO_RECEIPT = "no answer"


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
        if out is not None:
            # Told before anything is sent: a receipt that cannot be kept is lost.
            tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        return complain(f"{error.filename or out}: {error.strerror}")
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
                url = account.as2_url if channel == "as2" else account.api_url
                row = {"receipted": False, "result": NO_RECEIPT, "reason": _why(error, url)}
            rows.append({"file": str(file), "channel": channel, **row})
    return rows


def _why(error: ClientError, url: str) -> str:
    """What a person can do about it."""
    if not isinstance(error, ConnectFailed):
        return error.reason
    parts = urlsplit(url)
    why = "is the gateway running?" if error.reason.startswith("no connection") else error.reason
    return f"cannot reach {parts.scheme}://{parts.netloc} ({why})"


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
    told = "  ".join(part for part in (row["file"], name, row.get("reason", "")) if part)
    say((f"{row.get('result', 'refused'):<9}", "red"), f" {told}")
    for finding in row.get("findings", []):
        say(f"    {finding_line(finding)}")
