"""Each stack as an agency of the running gateway, and as what `tidewaiter as2 send` sends to."""

import base64
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.gateway.sandbox.samples import sample

pytestmark = pytest.mark.process

SECONDS = 30.0
POLL_SECONDS = 0.02
STACKS = ("openssl", "pyas2lib", "libas2")
NUMBERS = itertools.count(1)
# A declaration of either type, by which the gateway's routes tell whose receipts come how.
DOCUMENTS = {"sync": ("import.edi", "application/edifact"), "async": ("export.xml", "application/xml")}


@pytest.fixture(scope="module")
def lodge(program: Any, gateway: Any) -> Callable[[str], None]:
    """Has the openssl stack, as a trader, lodge a declaration whose deliveries are receipted so."""

    def send(receipts: str) -> None:
        name, kind = DOCUMENTS[receipts]
        lrn = f"INTEROP-{next(NUMBERS):05}"
        document, count = re.subn(rb"MER-26-00417\d", lrn.encode(), sample(name))
        assert count
        document = re.sub(rb"MT2604171\d{4}", lrn.encode(), document)
        # The sender of the samples is another partner.
        document = document.replace(b"UNOC:3+MERIDIAN", b"UNOC:3+OPENSSL")
        told = program("openssl").send(gateway.url, document, type=kind)
        assert told["disposition"] == "processed", told

    return send


@pytest.mark.parametrize("receipts", DOCUMENTS)
def test_what_the_gateway_delivers_is_opened_and_receipted(
    program: Any, gateway: Any, lodge: Callable[[str], None], receipts: str
) -> None:
    """It is `sent` where the receipt was the agency's, and of the very octets; nothing else is."""
    peers = {stack: program(stack) for stack in STACKS if f"{stack}-{receipts}" in gateway.agencies()}
    before = {stack: gateway.delivered(f"{stack}-{receipts}").get("sent", 0) for stack in peers}
    for stack, peer in peers.items():
        digest = "sha512" if stack == "pyas2lib" else "sha256"
        peer.expect(me=f"{stack.upper()}-{receipts.upper()}", digest=digest)
    lodge(receipts)
    for stack, peer in peers.items():
        seen = peer.seen()
        assert (seen["kind"], seen["status"]) == ("message", "processed"), seen
        assert base64.b64decode(seen["payload"]).startswith((b"UNA", b"UNB"))
        assert (seen["signed"], seen["encrypted"], seen["compressed"]) == (True, True, stack != "libas2")
        agency, deadline = f"{stack}-{receipts}", time.monotonic() + SECONDS
        while gateway.delivered(agency).get("sent", 0) == before[stack]:
            assert time.monotonic() < deadline, gateway.delivered(agency)
            time.sleep(POLL_SECONDS)


# A command takes a second to start.
@pytest.mark.parametrize(
    "stack", ["openssl", *(pytest.param(stack, marks=pytest.mark.whole) for stack in STACKS[1:])]
)
def test_as2_send_sends_to_it(program: Any, gateway: Any, payload: Any, tmp_path: Any, stack: str) -> None:
    peer, document = program(stack), payload()
    peer.expect(me=f"{stack.upper()}-SYNC", digest="sha512" if stack == "pyas2lib" else "sha256")
    (tmp_path / "declaration.edi").write_bytes(document)
    command = (
        "-m",
        "tidewaiter",
        "as2",
        "send",
        "--dir",
        str(gateway.folder),
        "--to",
        f"{stack}-sync",
        "--json",
    )
    done = subprocess.run(
        [sys.executable, *command, str(tmp_path / "declaration.edi")],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(done.stdout)
    seen = peer.seen()
    assert seen["message_id"] == row["message"]
    assert base64.b64decode(seen["payload"]) == document
