"""What one message takes at its highest and how long, in a process that does nothing else.

    python -m tidewaiter.benchmarks.as2.memory compose|receive|inflate FOLDER

prints the highest resident set of this process and how far the stage itself raised it, both in bytes, and the
seconds of the stage. `make` puts keys and messages into FOLDER before; `receive` takes what `compose` left.
"""

import argparse
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from tidewaiter.benchmarks.edifact.memory import BARE, highest
from tidewaiter.gateway.as2 import Composed, Part, Received, Refused, Terms, compose, identify, receive
from tidewaiter.security import load_certificates, load_private_key, make_self_signed
from tidewaiter.security.cms import DecryptionKey, Signer, compress

MEGABYTE = 1_000_000
# What the bomb inflates to; it comes in as a thousandth of that.
BOMB = 300 * MEGABYTE
_ALICE, _BOB = "alice", "bob"
_PAYLOAD, _MESSAGE, _BOMB = "attachment", "message", "bomb"
_Headers = list[tuple[bytes, bytes]]
_DOCUMENT = b"UNB+UNOC:3+BOB+ALICE+261122:0915+1'UNZ+0+1'"


class Taken(NamedTuple):
    """Bytes at the highest, bytes by which the stage raised them, seconds of the processor."""

    highest: int
    raised: int
    seconds: float


def make(folder: pathlib.Path) -> None:
    """Keys of both partners, and the bomb."""
    for name in (_ALICE, _BOB):
        certificate, key = make_self_signed(name, now=datetime.now(UTC), days=1)
        (folder / f"{name}.pem").write_bytes(certificate)
        (folder / f"{name}.key").write_bytes(key)
    zeros = b"Content-Type: application/edifact\r\n\r\n" + bytes(BOMB)
    (folder / _BOMB).write_bytes(compress(zeros))


def make_attachment(folder: pathlib.Path, megabytes: int) -> None:
    """What is sent: octets without any order, as of a compressed file."""
    with pathlib.Path("/dev/urandom").open("rb") as source:
        (folder / _PAYLOAD).write_bytes(source.read(megabytes * MEGABYTE))


def measured(stage: str, folder: pathlib.Path) -> Taken:
    """`stage` in a process of its own."""
    printed = _printed("-m", "tidewaiter.benchmarks.as2.memory", stage, str(folder))
    return Taken(int(printed[0]), int(printed[1]), float(printed[2]))


def bare() -> int:
    """The highest resident set of an interpreter that does nothing, in bytes."""
    return int(_printed("-c", BARE)[0])


def _printed(*arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.split()


def _terms(folder: pathlib.Path, our: str, their: str, *, protected: bool = True) -> Terms:
    ours = load_certificates((folder / f"{our}.pem").read_bytes())[0]
    key = load_private_key((folder / f"{our}.key").read_bytes())
    theirs = load_certificates((folder / f"{their}.pem").read_bytes())[0]
    return Terms(
        our_name=our,
        their_name=their,
        decryption_keys=(DecryptionKey(ours, key),),
        signer=Signer(ours, key),
        their_signing=(theirs,),
        their_encryption=theirs,
        max_payload=10**9,
        require_signed=protected,
        require_encrypted=protected,
    )


def _compose(folder: pathlib.Path) -> Callable[[], Composed]:
    terms = _terms(folder, _BOB, _ALICE)
    attached = Part(
        content=(folder / _PAYLOAD).read_bytes(), content_type="application/pdf", filename="scan.pdf"
    )
    return lambda: compose(
        _DOCUMENT,
        "application/edifact",
        terms,
        message_id="<1@bob.example>",
        now=datetime.now(UTC),
        boundary="6f1d0d1cbd2f4c3f",
        attachments=(attached,),
    )


def _receive(folder: pathlib.Path) -> Callable[[], Received | Refused]:
    terms = _terms(folder, _ALICE, _BOB)
    head = (folder / f"{_MESSAGE}.head").read_bytes()
    return _receiving(msgspec.msgpack.decode(head, type=_Headers), (folder / _MESSAGE).read_bytes(), terms)


def _inflate(folder: pathlib.Path) -> Callable[[], Received | Refused]:
    terms = _terms(folder, _ALICE, _BOB, protected=False)
    fields = {
        "as2-from": _BOB,
        "as2-to": _ALICE,
        "message-id": "<1@bob.example>",
        "content-type": "application/pkcs7-mime; smime-type=compressed-data",
    }
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    return _receiving(headers, (folder / _BOMB).read_bytes(), terms)


def _receiving(headers: _Headers, body: bytes, terms: Terms) -> Callable[[], Received | Refused]:
    return lambda: receive(identify(headers), headers, body, terms, now=datetime.now(UTC))


_STAGES: dict[str, Callable[[pathlib.Path], Callable[[], object]]] = {
    "compose": _compose,
    "receive": _receive,
    "inflate": _inflate,
}


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tidewaiter.benchmarks.as2.memory")
    parser.add_argument("stage", choices=_STAGES)
    parser.add_argument("folder", type=pathlib.Path)
    given = parser.parse_args()
    stage = _STAGES[given.stage](given.folder)
    before, began = highest(), time.process_time()
    result = stage()
    seconds, after = time.process_time() - began, highest()
    _check(given.stage, result)
    sys.stdout.write(f"{after} {after - before} {seconds}\n")
    if isinstance(result, Composed):
        head = [(name.lower().encode(), value.encode("latin-1")) for name, value in result.headers]
        (given.folder / f"{_MESSAGE}.head").write_bytes(msgspec.msgpack.encode(head))
        (given.folder / _MESSAGE).write_bytes(result.body)


def _check(stage: str, result: object) -> None:
    """A stage that did something else than it is for has not been measured."""
    if stage == "receive":
        assert isinstance(result, Received)
        assert len(result.attachments) == 1
    elif stage == "inflate":
        assert isinstance(result, Refused)


if __name__ == "__main__":
    _main()
