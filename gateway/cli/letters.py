"""Dead letters: `dead` lists them, `requeue` and `close` are the two ways out.

The ledger has one writer. A gateway that runs is asked at its operator's port; else the ledger is opened.
"""

import functools
import pathlib
import sys
from urllib.parse import quote

import anyio
import msgspec

from .. import clock
from ..config import Config, GatewaySettings, load_config
from ..dead_letters import CLOSE, REQUEUE, DeadLetter, DeadLetters, NotPossible, UnknownLetter
from ..http import Client, ClientError
from ..ledger import LedgerError, LedgerInUse, open_ledger
from ..toml import ConfigError
from .complaint import complain
from .console import say
from .look import not_yet

OK, REFUSED = 0, 1
SECONDS = 30.0
_KINDS = {"delivery": "delivery", "notification": "notification", "mdn": "MDN"}
_ENDED = {"dead": "given up", "mismatched": "received otherwise than it was sent"}
_PATHS = {"N": "notifications", "A": "mdns"}
# What a bind address of every interface is reached by.
_LOCAL = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared with, never bound


class _Refused(Exception):  # noqa: N818 - it says what was answered
    """The gateway would not; the text says why."""


def dead(folder: pathlib.Path, *, as_json: bool) -> int:
    """Print every dead letter, with its age and why it was given up."""
    try:
        config = load_config(folder)
        if complaint := not_yet(folder, config.gateway):
            return complain(complaint)
        letters = anyio.run(_listed, config, backend="trio")
    except (ConfigError, LedgerError) as error:
        return complain(error)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(letters)).decode() + "\n")
        return OK
    for letter in letters:
        about = (
            f"receipt of {letter.message}" if letter.message else f"declaration {letter.declaration or '-'}"
        )
        say((letter.id, "bold"), f"  {_KINDS[letter.kind]} to {letter.to}, {about}")
        ago = f"{_aged(letter.age)} ago, after {letter.attempts} tries"
        say(f"  {_ENDED[letter.state]} {letter.since}, {ago}: {letter.reason}")
    if letters:
        say("Try one again with `tidewaiter requeue REF`, or end it with `tidewaiter close REF --why TEXT`.")
    else:
        say("No dead letters.")
    return OK


async def _listed(config: Config) -> list[DeadLetter]:
    async with open_ledger(config.path(config.gateway.ledger), read_only=True) as ledger:
        return await DeadLetters(ledger).all()


def _aged(seconds: int) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def requeue(folder: pathlib.Path, reference: str, why: str) -> int:
    """Have a delivery, a notification or an MDN tried again from the beginning."""
    return _move(folder, REQUEUE, reference, why)


def close(folder: pathlib.Path, reference: str, why: str) -> int:
    """Give a dead letter up for good."""
    if not why.strip():
        return complain("--why needs a reason for the history")
    return _move(folder, CLOSE, reference, why)


def _move(folder: pathlib.Path, what: str, reference: str, why: str) -> int:
    try:
        config = load_config(folder)
        if complaint := not_yet(folder, config.gateway):
            return complain(complaint)
        state = anyio.run(functools.partial(_moved, config, what, reference, why), backend="trio")
    except UnknownLetter:
        sys.stderr.write(f"tidewaiter: no delivery, notification or MDN has the id {reference}\n")
        return REFUSED
    except (NotPossible, _Refused) as error:
        sys.stderr.write(f"tidewaiter: {error}\n")
        return REFUSED
    except (ConfigError, LedgerError) as error:
        return complain(error)
    say(f"{reference} is {state} now.")
    return OK


async def _moved(config: Config, what: str, reference: str, why: str) -> str:
    try:
        async with open_ledger(config.path(config.gateway.ledger)) as ledger:
            letters = DeadLetters(ledger)
            move = letters.requeue if what == REQUEUE else letters.close
            return str((await move(reference, why))["state"])
    except LedgerInUse as error:
        if not config.gateway.listen.operations:
            raise LedgerInUse(f"{error}, and it has no operator's port to ask (listen.operations)") from None
    return await _asked(config.gateway, what, reference, why)


async def _asked(settings: GatewaySettings, what: str, reference: str, why: str) -> str:
    """Ask the running gateway."""
    host, _, port = settings.listen.operations.rpartition(":")
    kind = _PATHS.get(reference[:1], "deliveries")
    url = f"http://{_LOCAL.get(host, host)}:{port}/v1/{kind}/{quote(reference, safe='')}/{what}"
    body = msgspec.json.encode({"why": why})
    headers = (("Content-Type", "application/json"),)
    try:
        async with Client(clock=clock.instant) as client:
            response = await client.request("POST", url, headers, body, timeout=SECONDS)
    except ClientError as error:
        raise _Refused(f"a gateway has the ledger, and its operator's port says: {error.reason}") from None
    try:
        told = msgspec.json.decode(response.body, type=dict[str, object])
    except msgspec.DecodeError:
        told = {}
    if response.status == 404 and "detail" in told:
        raise UnknownLetter(reference)
    if response.status != 200:
        raise _Refused(str(told.get("detail") or f"the gateway answered HTTP {response.status}"))
    return str(told["state"])
