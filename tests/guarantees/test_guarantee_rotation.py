"""All keys of all sides change while messages flow over real TLS, and nobody notices.

A trader lodges over AS2 and over HTTPS, an agency takes what the gateway delivers, each without a pause.
Meanwhile the signing, encryption and TLS certificates of all three are changed as operators do it: add the
next ones, switch, remove the old; at the gateway by writing files. Nothing is refused, nothing fails, and
afterwards nobody is believed by an old key any more.
"""

import base64
import dataclasses
import functools
import itertools
import pathlib
import re
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import anyio
import anyio.abc
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.gateway import clock
from tidewaiter.gateway.app import Gateway
from tidewaiter.gateway.as2 import (
    Disposition,
    MdnKind,
    Received,
    Refused,
    Terms,
    compose,
    compose_mdn,
    identify,
    read_mdn,
    receive,
)
from tidewaiter.gateway.http import Client, ClientError, Request, Response, serve
from tidewaiter.gateway.receipts import SIGNATURE_HEADER
from tidewaiter.security import (
    DEFAULT_POLICY,
    fingerprint,
    load_certificates,
    load_private_key,
    make_self_signed,
)
from tidewaiter.security.cms import DecryptionKey, Signer, verify
from tidewaiter.security.tls import client_context, server_context

pytestmark = pytest.mark.anyio

PATIENCE = 30.0
# Exchanges of each flow that must succeed after each step.
ENOUGH = 3
# A change is seen, found to be over, and the same of the files that it names.
LOOKS = 3
PURPOSES = ("sign", "crypt", "tls")
OLD, NEW = "1", "2"


class Pair(NamedTuple):
    """A certificate and its key, and where they lie."""

    name: str
    certificate: x509.Certificate
    key: Any
    folder: pathlib.Path

    @property
    def files(self) -> tuple[pathlib.Path, pathlib.Path]:
        return self.folder / f"keys/{self.name}.pem", self.folder / f"keys/{self.name}.key"

    @property
    def signer(self) -> Signer:
        return Signer(self.certificate, self.key)

    @property
    def decrypts(self) -> DecryptionKey:
        return DecryptionKey(self.certificate, self.key)


Rings = dict[str, Pair]


def make_pairs(folder: pathlib.Path) -> Rings:
    """Two of each purpose for each side: `gateway-sign-1` and so on; the second are newer."""
    pairs: Rings = {}
    made = {OLD: datetime.now(UTC) - timedelta(days=9), NEW: datetime.now(UTC)}
    for who, purpose, which in itertools.product(("gateway", "trader", "agency"), PURPOSES, (OLD, NEW)):
        name = f"{who}-{purpose}-{which}"
        pem, key = make_self_signed(name, now=made[which], days=99, key="p256", hosts=["localhost"])
        pair = Pair(name, load_certificates(pem)[0], load_private_key(key), folder)
        for file, content in zip(pair.files, (pem, key), strict=True):
            file.write_bytes(content)
        pairs[name] = pair
    return pairs


class Flows:
    """Counts what succeeds, and wakes who waits for more."""

    def __init__(self) -> None:
        self.done = {"as2": 0, "https": 0, "delivery": 0}
        self._news = anyio.Event()

    def count(self, name: str) -> None:
        self.done[name] += 1
        self._news.set()
        self._news = anyio.Event()

    async def more(self) -> None:
        """Return once each has succeeded some times more."""
        goal = {name: number + ENOUGH for name, number in self.done.items()}
        while any(self.done[name] < wanted for name, wanted in goal.items()):
            await self._news.wait()


class Side:
    """The trader or the agency: what it uses and believes at the moment."""

    def __init__(self, name: str, as2_name: str, pairs: Rings) -> None:
        self.name, self.as2_name, self._pairs = name, as2_name, pairs
        self.uses, self.has = OLD, (OLD,)
        self.believes, self.encrypts_to = (OLD,), OLD
        self.server: ssl.SSLContext
        self.client: ssl.SSLContext
        self.settle()

    def pair(self, purpose: str, which: str = "", who: str = "") -> Pair:
        return self._pairs[f"{who or self.name}-{purpose}-{which or self.uses}"]

    def settle(self) -> None:
        """Make contexts of what is used and believed now."""
        theirs = [self.pair("tls", which, "gateway").certificate for which in self.believes]
        chain, key = self.pair("tls").files
        self.server = server_context(chain, key, partners=theirs)
        self.client = client_context(theirs, chain=chain, key=key)

    @property
    def terms(self) -> Terms:
        return Terms(
            our_name=self.as2_name,
            their_name="TIDEWAITER",
            decryption_keys=[self.pair("crypt", which).decrypts for which in self.has],
            signer=self.pair("sign").signer,
            their_signing=[self.pair("sign", which, "gateway").certificate for which in self.believes],
            their_encryption=self.pair("crypt", self.encrypts_to, "gateway").certificate,
        )


class Trader:
    """Lodges over both channels, one after another, until told to stop."""

    def __init__(self, side: Side, gateway: Gateway, flows: Flows, declaration: Callable[..., bytes]) -> None:
        self._side, self._flows, self._declaration = side, flows, declaration
        self._url = f"https://localhost:{gateway.ports['https']}"
        self._numbers = itertools.count()
        self.stopped = False

    async def run(self, lodge: Callable[[Client, str], Awaitable[None]], flow: str) -> None:
        async with Client(clock=clock.instant) as client:
            while not self.stopped:
                await lodge(client, f"ROTATE-{next(self._numbers):06}")
                self._flows.count(flow)

    async def as2(self, client: Client, name: str) -> None:
        terms, now = self._side.terms, datetime.now(UTC)
        sent = compose(
            self._declaration(name),
            "application/edifact",
            terms,
            message_id=f"<{name}@trader.example>",
            now=now,
            boundary=secrets.token_hex(16),
        )
        tls = self._side.client
        got = await client.request(
            "POST", f"{self._url}/as2", sent.headers, sent.body, tls=tls, timeout=PATIENCE
        )
        # By the agreement as it is when the receipt comes: it may be signed by the next key already.
        terms = self._side.terms
        mdn = read_mdn(
            got.headers, got.body, terms, message_id=sent.message_id, mic=sent.mic, now=datetime.now(UTC)
        )
        assert (got.status, mdn.kind, mdn.signed) == (200, MdnKind.PROCESSED, True), (name, mdn)

    async def https(self, client: Client, name: str) -> None:
        headers = (("Content-Type", "application/edifact"), ("Idempotency-Key", name))
        got = await client.request(
            "POST",
            f"{self._url}/v1/declarations",
            headers,
            self._declaration(name),
            tls=self._side.client,
            timeout=PATIENCE,
        )
        assert got.status == 202, (name, got.status, got.body)
        signature = base64.b64decode(got.headers.get(SIGNATURE_HEADER.lower().encode()) or b"")
        verify(
            signature, got.body, self._side.terms.their_signing, policy=DEFAULT_POLICY, now=datetime.now(UTC)
        )


class Agency:
    """Takes what is delivered over AS2 and receipts it; `senders` are the TLS certificates shown last."""

    def __init__(self, side: Side, flows: Flows) -> None:
        self._side, self._flows = side, flows
        self.shown = b""
        self.signed_by = ""

    async def handle(self, request: Request) -> Response:
        now, terms = datetime.now(UTC), self._side.terms
        identity = identify(request.headers)
        got = receive(identity, request.headers, request.body, terms, now=now)
        assert isinstance(got, Received), got.reason if isinstance(got, Refused) else got
        self.shown = request.peer_certificate or b""
        self.signed_by = got.signer or ""
        mdn = compose_mdn(
            identity,
            Disposition.PROCESSED,
            got.mic,
            terms,
            message_id=f"<{secrets.token_hex(8)}@agency.example>",
            now=now,
            boundary=secrets.token_hex(16),
        )
        self._flows.count("delivery")
        return Response(status=200, headers=mdn.headers, body=mdn.body)


def names(kind: str, which: tuple[str, ...]) -> str:
    return ", ".join(f'"keys/{kind}-{one}.pem"' for one in which)


def table(head: str, kind: str, which: tuple[str, ...]) -> str:
    return "".join(
        f'{head}\ncertificate = "keys/{kind}-{one}.pem"\nkey = "keys/{kind}-{one}.key"\n' for one in which
    )


def write_gateway(
    folder: pathlib.Path, *, signs: tuple[str, ...], opens: tuple[str, ...], shows: str
) -> None:
    """`gateway.toml` with these keys, in one go: as an editor leaves it."""
    file = folder / "gateway.toml"
    keys = table("[[signing]]", "gateway-sign", signs) + table("[[decryption]]", "gateway-crypt", opens)
    keys += table("[tls]", "gateway-tls", (shows,))
    text = re.sub(
        r"# Signs receipts.*?(?=\[listen\])|\[\[signing\]\].*?(?=\[listen\])",
        "",
        file.read_text(),
        flags=re.DOTALL,
    )
    replace(file, text.replace("[listen]", f"{keys}\n[listen]", 1))


def write_parties(folder: pathlib.Path, which: tuple[str, ...], agency_port: int) -> None:
    """Whom the gateway believes, and whom it encrypts to."""

    def as2(who: str, name: str, url: str) -> str:
        return (
            f'[as2]\nname = "{name}"\nurl = "{url}"\n'
            f"signing-certificates = [{names(f'{who}-sign', which)}]\n"
            f"encryption-certificates = [{names(f'{who}-crypt', which)}]\n"
        )

    trader = f'name = "trader"\ncertificates = [{names("trader-tls", which)}]\n'
    replace(folder / "partners/trader.toml", trader + as2("trader", "MERIDIAN", ""))
    agency = (
        'name = "customs"\nsyntax = "edifact"\nchannel = "as2"\nedifact-id = "CUSTOMS"\n'
        f"server-certificates = [{names('agency-tls', which)}]\n"
    )
    url = f"https://localhost:{agency_port}/as2"
    replace(folder / "agencies/customs.toml", agency + as2("agency", "CUSTOMS", url))


def replace(file: pathlib.Path, text: str) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.replace(file)


class Scene(NamedTuple):
    """Everything that runs."""

    folder: pathlib.Path
    gateway: Gateway
    trader: Side
    agency: Side
    taking: Agency
    flows: Flows
    port: int

    async def write(self, *, signs: tuple[str, ...], shows: str, knows: tuple[str, ...]) -> None:
        """Change the gateway's files, have them taken up, and see messages flow."""
        write_gateway(self.folder, signs=signs, opens=knows, shows=shows)
        write_parties(self.folder, knows, self.port)
        for _ in range(LOOKS):
            await self.gateway.reloader.check()
        assert self.gateway.parties.config.gateway.tls.certificate == f"keys/gateway-tls-{shows}.pem"
        await self.flows.more()

    def sides(self, **values: Any) -> None:
        """Change both others."""
        for side in (self.trader, self.agency):
            for name, value in values.items():
                setattr(side, name, value)
            side.settle()


@asynccontextmanager
async def everybody(
    folder: pathlib.Path,
    running: Callable[[pathlib.Path], AbstractAsyncContextManager[Gateway]],
    declaration: Callable[..., bytes],
) -> AsyncIterator[Scene]:
    """The three of them, at work."""
    pairs, flows = make_pairs(folder), Flows()
    trader, agency = Side("trader", "MERIDIAN", pairs), Side("agency", "CUSTOMS", pairs)
    taking = Agency(agency, flows)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    for name in ("agriculture", "health"):
        (folder / f"agencies/{name}.toml").unlink()
    (folder / "routes.toml").write_text('[[route]]\nname = "customs"\nagencies = ["customs"]\n')
    write_gateway(folder, signs=(OLD,), opens=(OLD,), shows=OLD)
    write_parties(folder, (OLD,), port)
    with anyio.fail_after(PATIENCE):
        async with running(folder) as gateway, anyio.create_task_group() as group:
            log = structlog.get_logger()
            listen = functools.partial(serve, listener, taking.handle, clock=clock.instant, log=log)
            await group.start(functools.partial(listen, tls=lambda: agency.server))
            lodging = Trader(trader, gateway, flows, declaration)
            async with anyio.create_task_group() as lodgers:
                for _ in range(2):
                    lodgers.start_soon(lodging.run, lodging.as2, "as2")
                lodgers.start_soon(lodging.run, lodging.https, "https")
                yield Scene(folder, gateway, trader, agency, taking, flows, port)
                lodging.stopped = True
            group.cancel_scope.cancel()


async def test_every_key_changes_while_messages_flow(
    folder: pathlib.Path,
    running: Callable[[pathlib.Path], AbstractAsyncContextManager[Gateway]],
    declaration: Callable[..., bytes],
) -> None:
    async with everybody(folder, running, declaration) as scene:
        await rotated(scene)
        await nothing_was_noticed(scene)
        await old_keys_are_nobody_s(scene)


async def rotated(scene: Scene) -> None:
    await scene.flows.more()
    # Add the next ones.
    scene.sides(has=(OLD, NEW), believes=(OLD, NEW))
    await scene.write(signs=(OLD,), shows=OLD, knows=(OLD, NEW))
    # Switch.
    await scene.write(signs=(OLD, NEW), shows=NEW, knows=(OLD, NEW))
    scene.sides(uses=NEW, encrypts_to=NEW)
    await scene.flows.more()
    # Remove the old ones.
    scene.sides(has=(NEW,), believes=(NEW,))
    await scene.write(signs=(NEW,), shows=NEW, knows=(NEW,))
    await scene.flows.more()


async def nothing_was_noticed(scene: Scene) -> None:
    """Nothing was refused and nothing failed, and the gateway is known by its new keys."""
    assert scene.taking.shown == scene.agency.pair("tls", NEW, "gateway").certificate.public_bytes(
        Encoding.DER
    )
    assert scene.taking.signed_by == fingerprint(scene.agency.pair("sign", NEW, "gateway").certificate)
    events = await scene.gateway.ledger.events(lodgement=None, after=0, limit=10**6)
    kinds = {event.kind.value for event in events}
    assert {"delivery_receipted", "receipt_sent"} <= kinds
    assert sorted(kind for kind in kinds if "fail" in kind or "refus" in kind or "dead" in kind) == []


async def old_keys_are_nobody_s(scene: Scene) -> None:
    """What was removed is removed: of the trader's TLS, and of its signatures."""
    url, now = f"https://localhost:{scene.gateway.ports['https']}", datetime.now(UTC)
    chain, key = scene.trader.pair("tls", OLD).files
    shows = [scene.trader.pair("tls", NEW, "gateway").certificate]
    old = client_context(shows, chain=chain, key=key)
    async with Client(clock=clock.instant) as client:
        with pytest.raises(ClientError):
            await client.request("GET", f"{url}/v1/declarations", tls=old, timeout=PATIENCE)
        terms = dataclasses.replace(scene.trader.terms, signer=scene.trader.pair("sign", OLD).signer)
        sent = compose(
            b"x", "text/plain", terms, message_id="<old@trader.example>", now=now, boundary="b" * 24
        )
        tls = scene.trader.client
        got = await client.request("POST", f"{url}/as2", sent.headers, sent.body, tls=tls, timeout=PATIENCE)
        assert b"error: decryption-failed" in got.body
