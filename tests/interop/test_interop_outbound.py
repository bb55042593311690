"""We send to each stack: it opens the message, and its receipt is judged by what this package makes of it.

A cell is what a message and its receipt are. What a stack cannot do stands in LIMITS with what it says then,
and is tried all the same: a limit that is gone fails the test.
"""

import base64
import contextlib
import itertools
import pathlib
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import anyio
import pytest
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream

from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import Composed, MdnKind, MdnResult, Part, Receipts, Terms, compose, read_mdn
from tidewaiter.gateway.http import Client, Request, Response, serve
from tidewaiter.security import (
    DEFAULT_POLICY,
    Cipher,
    Digest,
    KeyTransport,
    Signature,
    load_certificates,
    load_private_key,
)
from tidewaiter.security.cms import Signer

pytestmark = pytest.mark.process

Options = dict[str, Any]
SECONDS = 30.0

CIPHERS = {cipher.value.replace("aes", "aes-").replace("des3-cbc", "des3"): cipher for cipher in Cipher}
TRANSPORTS = {transport.value.removeprefix("rsa-"): transport for transport in KeyTransport}
DIGESTS = {digest.value.replace("-", ""): digest for digest in Digest}
SCHEMES = {"pkcs1": Signature.RSA_PKCS1, "pss": Signature.RSA_PSS, "ecdsa": Signature.ECDSA}
RECEIPTS = {"none": Receipts.NONE, "async": Receipts.ASYNC, "async-unsigned": Receipts.ASYNC}


class Limit(NamedTuple):
    """What one stack cannot do: where all of `cell` holds, `says` is part of what it answers."""

    stack: str
    cell: Options
    says: str
    reason: str

    def holds(self, stack: str, options: Options) -> bool:
        """Whether it is met by this cell."""
        return stack == self.stack and all(
            options.get(name) in (value if isinstance(value, tuple) else (value,))
            for name, value in self.cell.items()
        )


GCM = tuple(name for name in CIPHERS if name.endswith("gcm"))
NO_MIC = {"sign": "none", "mdn": ("signed", "async")}
ECDH = tuple(name for name in TRANSPORTS if name.startswith("ecdh"))
LIMITS = (
    Limit(
        "openssl",
        {"gcm_in_enveloped": True, "encrypt": GCM},
        "openssl cms -decrypt",
        "openssl has GCM in AuthEnvelopedData only",
    ),
    Limit("pyas2lib", NO_MIC, "the receipt has no MIC", "pyas2lib has a MIC of signed messages only"),
    Limit("pyas2lib", {"sign": "ecdsa"}, "Failed to verify message signature", "pyas2lib has RSA only"),
    Limit("pyas2lib", {"scheme": "ecdsa"}, "does not sign by ecdsa", "pyas2lib has RSA only"),
    Limit(
        "pyas2lib",
        {"encrypt": GCM, "gcm_in_enveloped": None},
        "not the same payload",
        "pyas2lib has no AuthEnvelopedData",
    ),
    Limit("pyas2lib", {"encrypt": GCM}, "Failed to decrypt the payload", "pyas2lib has no GCM"),
    Limit(
        "pyas2lib",
        {"key": ("oaep-sha256", "oaep-sha384", "oaep-sha512")},
        "Could not extract decryption key",
        "the OAEP of oscrypto is with SHA-1",
    ),
    Limit("pyas2lib", {"key": ECDH}, "unexpected-processing-error", "pyas2lib has no key agreement"),
    Limit("pyas2lib", {"opaque": True}, "signed message not found", "pyas2lib has no opaque signatures"),
    Limit("libas2", NO_MIC, "the receipt has no MIC", "libas2 has a MIC of signed messages only"),
    Limit("libas2", {"compress": ("before", "after")}, "not the same payload", "libas2 has no compression"),
    Limit("libas2", {"sign": "pss"}, "Could not verify signature", "libas2 goes by the kind of the key"),
    Limit("libas2", {"scheme": ("pss", "ecdsa")}, "RSA PKCS#1 v1.5 only", "libas2 signs by its key's kind"),
    Limit(
        "libas2",
        {"encrypt": GCM, "gcm_in_enveloped": None},
        "Object's schema was not verified against input data for EnvelopedData",
        "libas2 has no AuthEnvelopedData",
    ),
    Limit(
        "libas2",
        {"encrypt": GCM, "gcm_in_enveloped": True},
        "iv: Must have length",
        "PKI.js takes the parameters of GCM for its nonce alone",
    ),
    Limit("libas2", {"key": ECDH}, "named curve 'undefined'", "libas2 has one key, and signs by RSA only"),
    Limit(
        "libas2",
        {"document": "binary"},
        "Could not verify signature",
        "libas2 reads a part as text, by lines",
    ),
    Limit(
        "libas2", {"document": "large"}, "Maximum call stack", "libas2 has a document as one call's arguments"
    ),
    Limit("libas2", {"opaque": True}, "Cannot read properties of undefined", "libas2 wants two parts"),
)


class Delivered(NamedTuple):
    """A message sent: what was composed, what came back and what it means, what the peer saw of it."""

    composed: Composed
    status: int
    mdn: MdnResult | None
    seen: dict[str, Any]


@pytest.fixture(scope="module")
def terms(keys: pathlib.Path, program: Callable[[str], Any]) -> Callable[..., Terms]:
    """Makes the terms that a cell wants."""

    def make(stack: str, options: Options) -> Terms:
        def certificate(name: str) -> Any:
            return load_certificates((keys / f"{name}.pem").read_bytes())[0]

        scheme, ecdh = options["sign"], options["key"].startswith("ecdh")
        ours = "gateway-ec" if scheme == "ecdsa" else "gateway"
        key = load_private_key((keys / f"{ours}.key").read_bytes())
        digest = DIGESTS[options["digest"]]
        return Terms(
            our_name="TIDEWAITER",
            their_name=stack.upper(),
            signer=Signer(
                certificate(ours), key, digest, scheme=SCHEMES[scheme] if scheme != "none" else None
            ),
            their_signing=(certificate("peer"), certificate("peer-ec")),
            their_encryption=certificate("peer-ec" if ecdh else "peer"),
            policy=DEFAULT_POLICY.__class__(
                digests=frozenset(Digest),
                ciphers=frozenset(Cipher),
                key_transports=frozenset(KeyTransport),
                signatures=frozenset(Signature),
                allow_no_signed_attributes=True,
            ),
            sign=scheme != "none",
            encrypt=options["encrypt"] != "none",
            compress=options["compress"] != "none",
            compress_after_signing=options["compress"] == "after",
            opaque=options.get("opaque", False),
            base64=options.get("base64", False),
            cipher=CIPHERS.get(options["encrypt"], Cipher.AES256_CBC),
            gcm_in_enveloped=options.get("gcm_in_enveloped", False),
            key_transport=TRANSPORTS[options["key"]],
            digest=digest,
            signed_receipts=options["mdn"] in {"signed", "async"},
            receipts=RECEIPTS.get(options["mdn"], Receipts.SYNC),
            receipt_url=options.get("receipt_url", "http://127.0.0.1/as2"),
        )

    return make


@pytest.fixture(scope="module")
def deliver(terms: Callable[..., Terms], program: Callable[[str], Any]) -> Callable[..., Delivered | str]:
    """Sends one message to a stack: what came of it, or why the stack takes none like this."""
    numbers = itertools.count(1)

    def send(stack: str, options: Options, payload: bytes, *attachments: Part) -> Delivered | str:
        peer = program(stack)
        options = peer.options(**options)
        if (failure := peer.expect(**options)) is not None:
            return failure

        async def run() -> tuple[Composed, int, MdnResult | None]:
            async with _receipts() as (url, arrived), Client(clock=clock.instant) as client:
                agreed = terms(stack, options | {"receipt_url": url})
                now = datetime.now(UTC)
                composed = compose(
                    payload,
                    options["type"],
                    agreed,
                    message_id=f"<{next(numbers)}.{secrets.token_hex(4)}@tidewaiter>",
                    now=now,
                    boundary=secrets.token_hex(16),
                    filename="declaration.edi",
                    attachments=attachments,
                )
                response = await client.request(
                    "POST",
                    f"http://127.0.0.1:{peer.port}/as2",
                    composed.headers,
                    composed.body,
                    timeout=SECONDS,
                    chunked=options.get("chunked", False),
                )
                headers, body = response.headers, response.body
                if options["mdn"].startswith("async") and response.status < 300:
                    with anyio.fail_after(SECONDS):
                        request = await arrived.receive()
                    headers, body = request.headers, request.body
                elif not body:
                    return composed, response.status, None
                judged = read_mdn(
                    headers, body, agreed, message_id=composed.message_id, mic=composed.mic, now=now
                )
                return composed, response.status, judged

        composed, status, mdn = anyio.run(run, backend="trio")
        return Delivered(composed, status, mdn, peer.seen())

    return send


@contextlib.asynccontextmanager
async def _receipts() -> AsyncIterator[tuple[str, MemoryObjectReceiveStream[Request]]]:
    """A server for receipts that come by themselves: its URL, and what arrives."""
    put, arrived = anyio.create_memory_object_stream[Request](1)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)

    async def take(request: Request) -> Response:
        await put.send(request)
        return Response(status=200)

    async def run() -> None:
        await serve(listener, take, clock=clock.instant, log=structlog.get_logger())

    with put, arrived:
        async with anyio.create_task_group() as group:
            group.start_soon(run)
            yield f"http://127.0.0.1:{port}/mdn", arrived
            group.cancel_scope.cancel()


def judged(options: Options, delivered: Delivered | str, payload: bytes) -> str:
    """What is wrong with a delivery, shortly; empty where nothing is."""
    if isinstance(delivered, str):
        return delivered
    composed, status, mdn, seen = delivered
    expected = {
        "kind": "message",
        "status": "processed",
        "message_id": composed.message_id,
        "payload": base64.b64encode(payload).decode(),
        "filename": "declaration.edi",
        "signed": options["sign"] != "none",
        "encrypted": options["encrypt"] != "none",
        "compressed": options["compress"] != "none",
        "chunked": options.get("chunked", False),
        # Where the stack has one.
        "mic": composed.mic.value if seen.get("mic") else seen.get("mic"),
    }
    wrong = [f"not the same {name}" for name, value in expected.items() if seen.get(name) != value]
    if status not in {200, 202, 204}:
        wrong.append(f"HTTP {status}")
    if options["mdn"] == "none":
        wrong += ["a receipt came"] if mdn is not None else []
    elif mdn is None:
        wrong.append("no receipt")
    else:
        wrong += _judged_receipt(mdn, composed.mic.value, signed=options["mdn"] in {"signed", "async"})
    said = [str(seen[name]) for name in ("status", "detail", "failure") if wrong and seen.get(name)]
    return "; ".join((*wrong, *said))


def _judged_receipt(mdn: MdnResult, mic: str, *, signed: bool) -> Iterator[str]:
    if mdn.kind is not MdnKind.PROCESSED:
        yield f"receipt {mdn.kind.value}, {mdn.disposition}, {mdn.detail}"
    if mdn.signed is not signed:
        yield f"receipt signed: {mdn.signed}"
    # Whether it must have one, has been judged.
    if mdn.mic and mdn.mic.partition(",")[0].strip() != mic:
        yield f"MIC returned: {mdn.mic}"


def layers() -> Iterator[Options]:
    """Signature x encryption x compression x receipt."""
    for sign, encrypt, compress, mdn in itertools.product(
        ("none", "pkcs1", "pss", "ecdsa"),
        ("none", "aes-256-cbc", "aes-256-gcm"),
        ("none", "before", "after"),
        ("signed", "unsigned", "async", "async-unsigned", "none"),
    ):
        if not (sign == "none" and compress == "after"):
            yield {"sign": sign, "encrypt": encrypt, "compress": compress, "mdn": mdn}


def algorithms() -> Iterator[Options]:
    """Each algorithm, with the others as usual."""
    for sign, digest in itertools.product(("pkcs1", "pss", "ecdsa"), DIGESTS):
        for scheme in ("pkcs1", "pss", "ecdsa"):
            yield {"sign": sign, "digest": digest, "scheme": scheme}
    for encrypt, key in itertools.product(CIPHERS, TRANSPORTS):
        if key != "ecdh-sha1":
            yield {"encrypt": encrypt, "key": key}
            if encrypt.endswith("gcm"):
                yield {"encrypt": encrypt, "key": key, "gcm_in_enveloped": True}


def forms() -> Iterator[Options]:
    """How the same thing may be written."""
    for name in ("opaque", "base64", "chunked"):
        yield {name: True}
        yield {name: True, "encrypt": "none"}
        yield {name: True, "compress": "before"}
        yield {name: True, "compress": "after"}


# What is run every time.
SECTION: tuple[Options, ...] = (
    {},
    {"compress": "before", "mdn": "async"},
    {"compress": "after", "base64": True, "chunked": True, "key": "oaep-sha1", "encrypt": "aes-128-cbc"},
    {"sign": "pss", "digest": "sha512", "encrypt": "aes-256-gcm", "scheme": "pss"},
    {"sign": "ecdsa", "digest": "sha384", "encrypt": "aes-256-gcm", "key": "ecdh-sha256"},
    {"opaque": True, "encrypt": "des3", "digest": "sha1"},
    {"sign": "none", "encrypt": "none", "mdn": "unsigned"},
    {"encrypt": "none", "mdn": "none"},
)


# How openssl may write its receipt.
RECEIPTS_OF_OPENSSL: tuple[Options, ...] = tuple(
    {"mdn": mdn, "scheme": scheme, form: value}
    for mdn in ("signed", "async")
    for scheme in ("pkcs1", "ecdsa")
    for form, value in (
        ("opaque_mdn", True),
        ("keyid", True),
        ("nocerts", True),
        ("cades", True),
        ("no_attributes", True),
        ("encoding", "binary"),
        ("folded", True),
        ("signers", ("other",)),
    )
)
EVERY = ("openssl", "pyas2lib", "libas2")


def cells(stacks: tuple[str, ...], tables: Iterable[Options], *marks: pytest.MarkDecorator) -> list[Any]:
    """The parameters of a test: each cell with each stack."""
    return [
        pytest.param(stack, cell, id=f"{stack}-{','.join(f'{k}={v}' for k, v in cell.items())}", marks=marks)
        for cell in tables
        for stack in stacks
    ]


WHOLE = [
    *cells(EVERY, SECTION),
    *cells(EVERY, itertools.chain(layers(), algorithms(), forms()), pytest.mark.whole),
    *cells(("openssl",), RECEIPTS_OF_OPENSSL, pytest.mark.whole),
]


def check(deliver: Any, program: Any, payload: Any, stack: str, cell: Options) -> None:
    """Send one cell. Where a limit holds it must fail, and for the limit's reason."""
    document, options = payload(), program(stack).options(**cell)
    wrong = judged(options, deliver(stack, cell, document), document)
    limits = [limit for limit in LIMITS if limit.holds(stack, options)]
    if not limits and wrong:
        pytest.fail(wrong, pytrace=False)
    if limits and not wrong:
        pytest.fail(f"no longer true: {limits[0].reason}", pytrace=False)
    if limits and not any(limit.says in wrong for limit in limits):
        pytest.fail(f"not what was expected, {limits[0].reason}: {wrong}", pytrace=False)


@pytest.mark.parametrize(("stack", "cell"), WHOLE)
def test_what_we_send_is_opened(deliver: Any, program: Any, payload: Any, stack: str, cell: Options) -> None:
    check(deliver, program, payload, stack, cell)


DOCUMENTS = {
    "bare line feeds": b"UNB+UNOC:3'\nUNZ+0+1'\n",
    "no last line end": b"UNB+UNOC:3'\r\nUNZ+0+1'",
    "blank lines at the end": b"UNB+UNOC:3'\r\n\r\n\r\n",
    "blank lines at the start": b"\r\n\r\nUNB+UNOC:3'\r\n",
    "binary": bytes(range(256)) * 4,
    "delimiters": b"--b1\r\n--\r\n--b1--\r\n",
    "large": b"LIN+1++4711:EN'\r\n" * 100_000,
}
DOCUMENT_CELLS = cells(EVERY, ({"document": kind} for kind in DOCUMENTS))


@pytest.mark.parametrize(("stack", "cell"), DOCUMENT_CELLS)
def test_any_document_comes_as_it_was_signed(deliver: Any, program: Any, stack: str, cell: Options) -> None:
    check(deliver, program, lambda: DOCUMENTS[cell["document"]], stack, cell)


ATTACHMENTS = (
    Part(content=b"%PDF-1.7 \xe9\n\r\n", content_type="application/pdf", filename="invoice.pdf"),
    Part(content=bytes(range(256)), content_type="application/octet-stream", filename=None),
)


@pytest.mark.parametrize("cell", [{}, {"compress": "before", "opaque": True, "mdn": "async"}])
def test_attachments_come_along(deliver: Any, program: Any, payload: Any, cell: Options) -> None:
    """openssl's side takes the multipart apart; the others leave that to whoever uses them."""
    document = payload()
    delivered = deliver("openssl", cell, document, *ATTACHMENTS)
    assert judged(program("openssl").options(**cell), delivered, document) == ""
    assert [
        (one["type"], one["filename"], base64.b64decode(one["content"]))
        for one in delivered.seen["attachments"]
    ] == [(part.content_type, part.filename, part.content) for part in ATTACHMENTS]


def test_every_limit_is_met(usual: Options) -> None:
    """One that no cell meets says nothing."""
    every = [(stack, usual | cell) for stack, cell in (one.values for one in (*WHOLE, *DOCUMENT_CELLS))]
    assert [limit for limit in LIMITS if not any(limit.holds(*one) for one in every)] == []


def test_every_limit_is_told() -> None:
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "interop.md").read_text()
    told = re.findall(r"^\| (\w+) \| (?:both|we send) \| (.+) \|$", page, re.MULTILINE)
    assert set(told) == {(limit.stack, limit.reason) for limit in LIMITS}
