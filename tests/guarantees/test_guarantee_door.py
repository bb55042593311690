"""Who gets in at the door and who does not, and that no name or address from the wire is acted upon."""

import dataclasses
import pathlib
import re
import secrets
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import anyio
import pytest
import structlog

from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import Terms, compose, read_mdn
from tidewaiter.gateway.http import Client, ClientError
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.security import Cipher, Digest, make_self_signed
from tidewaiter.security.cms import Signer

pytestmark = pytest.mark.anyio

EDIFACT = "application/edifact"
INSUFFICIENT = "processed/error: insufficient-message-security"
MICALG = "micalg=required, sha-256"
CONCEALED = "processed/error: decryption-failed"


async def _as2(
    folder: pathlib.Path,
    payload: bytes,
    *headers: tuple[str, str],
    message_id: str = "<door@trader.example>",
    filename: str = "a.edi",
    **changed: Any,
) -> str:
    """Send `payload` as the trader, with more headers and other terms; what the signed receipt says."""
    account = load_account(folder, "trader")
    assert account.terms is not None
    terms: Terms = dataclasses.replace(account.terms, **changed)
    message = compose(
        payload,
        EDIFACT,
        terms,
        message_id=message_id,
        now=clock.utc(clock.instant()),
        boundary=secrets.token_hex(8),
        filename=filename,
    )
    async with Client(clock=clock.instant) as client:
        # A MIC that we make is asked for, whatever the signature's own digest.
        asked = [(name, value.replace("micalg=required, sha1", MICALG)) for name, value in message.headers]
        fields = (*asked, *headers)
        response = await client.request("POST", account.as2_url, fields, message.body, timeout=30)
    mdn = read_mdn(
        response.headers,
        response.body,
        account.terms,
        message_id=message.message_id,
        mic=message.mic,
        now=clock.utc(clock.instant()),
    )
    assert mdn.signed
    return mdn.disposition


async def test_a_certificate_nobody_knows_ends_in_an_alert_and_the_gateway_goes_on(
    folder: pathlib.Path, running: Any, door: Any, declaration: Any
) -> None:
    certificate, key = make_self_signed("nobody", now=datetime.now(UTC), days=1, key="p256")
    (folder / "keys/nobody.pem").write_bytes(certificate)
    (folder / "keys/nobody.key").write_bytes(key)
    with structlog.testing.capture_logs() as logged:
        async with running(folder):
            us = door(folder)
            with pytest.raises(ClientError, match="TLS"):
                await us.ask("GET", "/v1/declarations", who="nobody")
            lodged = await us.lodge(declaration("DOOR-1"), "door-1")
    assert lodged.status == 202
    assert [line["event"] for line in logged if line["log_level"] == "warning"] == ["tls_refused"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/declarations"),
        ("GET", "/v1/declarations"),
        ("GET", "/v1/declarations/LX"),
        ("GET", "/v1/notifications"),
        ("POST", "/v1/answers"),
    ],
)
async def test_nobody_gets_in_without_a_certificate(
    folder: pathlib.Path, running: Any, door: Any, method: str, path: str
) -> None:
    async with running(folder):
        response = await door(folder).ask(method, path, b"x" if method == "POST" else b"", who=None)
    assert response.status == 401
    assert response.headers.get(b"content-type") == b"application/problem+json"


async def test_each_certificate_opens_its_own_doors_only(
    folder: pathlib.Path, running: Any, door: Any, declaration: Any
) -> None:
    """A trader does not answer, an agency does not lodge, and nobody sees what others lodged."""
    async with running(folder):
        us = door(folder)
        lodged = await us.lodge(declaration("DOOR-2"), "door-2")
        assert lodged.status == 202
        answered = await us.ask("POST", "/v1/answers", b"<x/>", Content_Type="application/xml")
        lodging = await us.ask("POST", "/v1/declarations", declaration("DOOR-3"), who="agriculture")
        looking = await us.ask("GET", "/v1/declarations/DOOR-2", who="agriculture")
    assert [answered.status, lodging.status, looking.status] == [403, 403, 403]


class Watch:
    """What this process opens and whom it calls, by the interpreter's own audit events."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.called: list[Any] = []
        self.on = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook; there is no taking it away."""
        if not self.on:
            return
        if event in {"open", "os.mkdir", "os.rename", "os.remove", "sqlite3.connect"}:
            self.opened.append(str(arguments[0]))
        elif event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"}:
            self.called.append(arguments[1] if event == "socket.connect" else arguments[:2])


@pytest.fixture(scope="module")
def hooked() -> Watch:
    found = Watch()
    sys.addaudithook(found.hook)
    return found


@pytest.fixture
def watch(hooked: Watch) -> Iterator[Watch]:
    """Sees everything while a check runs."""
    hooked.opened.clear()
    hooked.called.clear()
    hooked.on = True
    yield hooked
    hooked.on = False


@pytest.fixture
def lure() -> Iterator[socket.socket]:
    """A listener that nobody should call."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        yield listener


# `@` stands for the port of a listener on this machine.
ADDRESSES = (
    "http://127.0.0.1:@/mdn",
    "https://127.0.0.1:@/mdn",
    "HTTP://LOCALHOST:@/",
    "http://[::1]:@/",
    "http://[::ffff:127.0.0.1]:@/",
    "http://0.0.0.0:@/",
    "http://2130706433:@/",
    "http://0x7f.1:@/",
    "http://017700000001:@/",
    "http://127.1:@/",
    "http://user:secret@127.0.0.1:@/",
    "http://trader.example@127.0.0.1:@/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.0.1:@/x?y=z",
    "http://localhost.localdomain:@/",
    "mailto:root@localhost",
    "file:///etc/passwd",
    "ftp://127.0.0.1:@/",
    "not an address",
)


@pytest.mark.parametrize("agreed", ["", "https://trader.example"])
@pytest.mark.parametrize("anyio_backend", ["trio"])  # the other loop connects below the interpreter
async def test_no_address_for_a_later_receipt_is_called_but_those_agreed_upon(
    folder: pathlib.Path, running: Any, watch: Watch, lure: socket.socket, declaration: Any, agreed: str
) -> None:
    """Without an agreement upon any, and with one upon another that would allow our own network."""
    if agreed:
        file = folder / "partners/trader.toml"
        lines = f'[as2]\nreceipt-addresses = ["{agreed}"]\nprivate-addresses = true'
        file.write_text(file.read_text().replace("[as2]", lines))
    ports = {int(port) for port in re.findall(r":(\d{4,5})", (folder / "gateway.toml").read_text())}
    async with running(folder) as gateway:
        for number, address in enumerate(ADDRESSES):
            url = re.sub(r":@", f":{lure.getsockname()[1]}", address)
            disposition = await _as2(
                folder,
                declaration(f"LATER-{number}"),
                ("Receipt-Delivery-Option", url),
                message_id=f"<later-{number}@trader.example>",
            )
            assert disposition.startswith("failed/failure"), url
        lodged = await gateway.ledger.lodgements(limit=10)
    assert lodged == []
    assert {address[1] for address in watch.called} <= ports, (
        "only our own client called, and only the gateway"
    )
    with pytest.raises(BlockingIOError):
        lure.accept()


TRAVERSALS = (
    "../../../../escape",
    "/tmp/escape",
    "..\\..\\escape",
    "%2e%2e%2fescape",
    "escape/../../..",
    "con:escape",
    "....//escape",
)


@pytest.mark.parametrize("name", TRAVERSALS)
async def test_no_name_from_the_wire_becomes_a_file(
    folder: pathlib.Path, running: Any, door: Any, watch: Watch, declaration: Any, name: str
) -> None:
    document = declaration("FILE-1").replace(b"+FILE-1+", b"+%s+" % name.encode().replace(b":", b"?:"))
    async with running(folder):
        us = door(folder)
        lodged = await us.lodge(document, name)
        again = await us.ask("GET", f"/v1/declarations/{quote(name, safe='')}")
        disposition = await _as2(folder, document, message_id=f"<{name}@x>", filename=name)
    # The Message-ID and the key are names like any other; the LRN may be more than the syntax takes.
    assert (lodged.status, again.status) in {(202, 200), (422, 404)}
    assert disposition == "processed"
    assert [path for path in watch.opened if "escape" in path] == []
    made = {str(file.relative_to(folder.parent)) for file in folder.parent.rglob("*")} - _known(folder)
    assert made <= {f"gateway/ledger.db{end}" for end in ("", "-wal", "-shm", ".lock")}


def _known(folder: pathlib.Path) -> set[str]:
    """The files of a starter configuration."""
    kinds = ("", "*.toml", "keys", "keys/*", "agencies", "agencies/*", "partners", "partners/*")
    kinds += ("samples", "samples/*")
    found = {file for kind in kinds for file in ([folder] if not kind else folder.glob(kind))}
    return {str(file.relative_to(folder.parent)) for file in found}


@pytest.mark.parametrize("field", ["Message-ID", "Idempotency-Key"])
async def test_a_nul_in_a_name_is_refused_before_anything_is_read(
    folder: pathlib.Path, running: Any, door: Any, watch: Watch, field: str
) -> None:
    async with running(folder):
        with socket.create_connection(("127.0.0.1", door(folder).http_port)) as raw:
            raw.setblocking(False)
            head = f"POST /as2 HTTP/1.1\r\nHost: x\r\n{field}: <a\0../escape>\r\nContent-Length: 0\r\n\r\n"
            response = await _raw(raw, head.encode())
    assert response.startswith(b"HTTP/1.1 400 ")
    assert [path for path in watch.opened if "escape" in path] == []


async def _raw(raw: socket.socket, data: bytes) -> bytes:
    raw.send(data)
    received = b""
    with anyio.fail_after(10):
        while True:
            await anyio.wait_readable(raw)
            part = raw.recv(65536)
            received += part
            if not part:
                return received


# Inside encryption every failure before a verified signature has one answer.
WEAK = {
    "sha-1": ({"signer": Digest.SHA1, "encrypt": False}, INSUFFICIENT),
    "sha-1, encrypted": ({"signer": Digest.SHA1}, CONCEALED),
    "3des": ({"cipher": Cipher.DES3_CBC}, INSUFFICIENT),
    "unsigned": ({"sign": False}, CONCEALED),
    "unencrypted": ({"encrypt": False}, INSUFFICIENT),
    "plain": ({"sign": False, "encrypt": False}, INSUFFICIENT),
}


@pytest.mark.parametrize("weakness", WEAK)
async def test_a_weak_message_is_refused_unless_the_agreement_names_its_weakness(
    folder: pathlib.Path, running: Any, declaration: Any, weakness: str
) -> None:
    changed, answer = WEAK[weakness]
    if "signer" in changed:
        terms = load_account(folder, "trader").terms
        assert terms is not None
        key = terms.decryption_keys[0]
        changed = changed | {"signer": Signer(key.certificate, key.private_key, changed["signer"])}
    async with running(folder) as gateway:
        assert await _as2(folder, declaration("WEAK-1"), **changed) == answer
        assert await gateway.ledger.lodgements(limit=10) == []
    file = folder / "partners/trader.toml"
    allowed = 'allow = ["sha-1", "3des", "unsigned", "unencrypted"]\nsign = true'
    file.write_text(file.read_text().replace("sign = true", allowed))
    async with running(folder) as gateway:
        assert await _as2(folder, declaration("WEAK-1"), **changed) == "processed"
        assert len(await gateway.ledger.lodgements(limit=10)) == 1
