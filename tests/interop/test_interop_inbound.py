"""Each stack sends to `tidewaiter serve`, and says itself whether the receipt holds: signature and MIC.

What was taken in is opened once more from the gateway's ledger, to see that it is what was sent. What a stack
cannot do stands in LIMITS, as for what we send.
"""

import itertools
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from tidewaiter.gateway.as2 import Received, Terms, identify, receive
from tidewaiter.security import (
    DEFAULT_POLICY,
    Cipher,
    Digest,
    KeyTransport,
    load_certificates,
    load_private_key,
)
from tidewaiter.security.cms import DecryptionKey, Signer

pytestmark = pytest.mark.process

Options = dict[str, Any]

CIPHERS = {cipher.value.replace("aes", "aes-").replace("des3-cbc", "des3"): cipher for cipher in Cipher}
TRANSPORTS = tuple(transport.value.removeprefix("rsa-") for transport in KeyTransport)
DIGESTS = ("sha1", "sha256", "sha384", "sha512")


# What is usual with a stack that has no choice.
USUALLY: dict[str, Options] = {"libas2": {"key": "oaep-sha512"}}


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
LIMITS = (
    *(Limit("pyas2lib", {"encrypt": name}, f"has no {name}", "pyas2lib has no GCM") for name in GCM),
    Limit("pyas2lib", {"sign": "ecdsa"}, "has no ecdsa", "pyas2lib has RSA only"),
    Limit("pyas2lib", {"compress": "after"}, "compresses before", "pyas2lib has one order only"),
    *(
        Limit("pyas2lib", {"key": name}, f"has no {name}", "pyas2lib has RSA with PKCS#1 or OAEP of SHA-1")
        for name in TRANSPORTS
        if name not in {"pkcs1", "oaep-sha1"}
    ),
    Limit(
        "pyas2lib",
        {"document": ("bare line feeds", "binary")},
        "not the same payload",
        "pyas2lib makes CRLF of line ends when it writes, and signs that",
    ),
    Limit("libas2", {"compress": ("before", "after")}, "does not compress", "libas2 has no compression"),
    Limit("libas2", {"sign": "pss"}, "kind of its key", "libas2 signs by the kind of its key"),
    Limit("libas2", {"sign": "ecdsa"}, "named curve 'undefined'", "libas2 names no curve when it signs"),
    Limit(
        "libas2",
        {"mdn": ("unsigned", "async-unsigned")},
        "receipt signed: True",
        "libas2 asks for a signed receipt whenever it asks for one",
    ),
    Limit(
        "libas2",
        {"key": tuple(name for name in TRANSPORTS if name not in {"oaep-sha512", "ecdh-sha512"})},
        "encrypts keys by its defaults",
        "libas2 leaves PKI.js no choice of key transport",
    ),
    Limit(
        "libas2",
        {"key": "ecdh-sha512", "encrypt": "des3"},
        "only RSA-OAEP is supported",
        "libas2 does Triple DES itself, beside PKI.js, and with RSA only",
    ),
)


# What openssl_peer.py sends along with a document, in base64 and in quoted-printable.
ATTACHED = [
    ("application/pdf", "invoice.pdf", b"%PDF-1.7 \xe9\n"),
    ("text/plain; charset=utf-8", None, "Gr\u00fc\u00dfe\r\n".encode()),
]


class Opened(NamedTuple):
    """A message of the ledger, opened again."""

    accepted: bool
    result: Any


@pytest.fixture(scope="module")
def opened(keys: pathlib.Path, gateway: Any) -> Callable[[str, str], Opened]:
    """Opens what the gateway stored of a message, under terms that allow everything."""

    def pair(name: str) -> tuple[Any, Any]:
        certificate = load_certificates((keys / f"{name}.pem").read_bytes())[0]
        return certificate, load_private_key((keys / f"{name}.key").read_bytes())

    ours, theirs = (pair("gateway"), pair("gateway-ec")), (pair("peer"), pair("peer-ec"))

    def read(name: str, message_id: str) -> Opened:
        accepted, headers, body = gateway.message(message_id)
        terms = Terms(
            our_name="TIDEWAITER",
            their_name=name,
            decryption_keys=tuple(DecryptionKey(*one) for one in ours),
            signer=Signer(*ours[0]),
            their_signing=tuple(certificate for certificate, _ in theirs),
            policy=type(DEFAULT_POLICY)(
                digests=frozenset(Digest),
                ciphers=frozenset(Cipher),
                key_transports=frozenset(KeyTransport),
                signatures=DEFAULT_POLICY.signatures,
                allow_no_signed_attributes=True,
            ),
            require_signed=False,
            require_encrypted=False,
            encrypt=False,
            receipt_addresses=gateway.origins,
        )
        wire = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers)
        return Opened(accepted, receive(identify(wire), wire, body, terms, now=datetime.now(UTC)))

    return read


def judged(options: Options, told: dict[str, Any], seen: Any, opened: Any, payload: bytes) -> str:
    """What is wrong, shortly; empty where nothing is."""
    if "failure" in told:
        return str(told["failure"])
    wrong = [f"HTTP {told['status']}"] if told["status"] not in {200, 202, 204} else []
    mdn = options["mdn"]
    receipt = seen() if mdn.startswith("async") else told
    if mdn == "none":
        wrong += ["a receipt came"] if told["disposition"] is not None else []
    else:
        wrong += _judged_receipt(receipt, told, signed=mdn in {"signed", "async"})
    stored = opened(options["me"], told["message_id"])
    if not stored.accepted or not isinstance(stored.result, Received):
        wrong.append(f"stored: {stored}")
    else:
        wrong += _judged_message(stored.result, options, payload, told["mic"])
    return "; ".join(wrong)


def _judged_receipt(receipt: dict[str, Any], told: dict[str, Any], *, signed: bool) -> Iterator[str]:
    if receipt.get("disposition") != "processed":
        yield f"receipt: {receipt.get('disposition')}, {receipt.get('failure', '')}"
    if receipt.get("signed") is not signed:
        yield f"receipt signed: {receipt.get('signed')}"
    if receipt.get("original") != told["message_id"]:
        yield f"receipt for {receipt.get('original')}"
    if not receipt.get("mic_returned"):
        yield "the receipt has no MIC"
    if told["mic"] is not None and receipt.get("mic_matches") is not True:
        yield f"not the same MIC: {receipt.get('mic_returned')}"


def _judged_message(result: Received, options: Options, payload: bytes, mic: str | None) -> Iterator[str]:
    expected = {
        "payload": payload,
        "filename": None if options.get("bare") else "declaration.edi",
        "signed": options["sign"] != "none",
        "encrypted": options["encrypt"] != "none",
        "compressed": options["compress"] != "none",
    }
    media_type = result.content_type.partition(";")[0]
    if media_type != options["type"] and not options.get("bare"):
        yield f"another type: {media_type}"
    yield from (f"not the same {name}" for name, value in expected.items() if getattr(result, name) != value)
    if options.get("related"):
        parts = [(one.content_type, one.filename, one.content) for one in result.attachments]
        if parts != ATTACHED:
            yield f"other attachments: {parts}"
    if mic is not None and result.mic.value != mic:
        yield "another MIC"


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
        yield {"sign": sign, "digest": digest}
    for encrypt, key in itertools.product(CIPHERS, TRANSPORTS):
        yield {"encrypt": encrypt, "key": key}


def forms() -> Iterator[Options]:
    """How the same thing may be written, by openssl, around which everything is ours to write."""
    for compress in ("none", "before", "after"):
        for name in ("opaque", "folded", "chunked", "ber", "recipients", "related", "no_attributes"):
            yield {name: True, "compress": compress}
        yield {"micalg": "sha512", "compress": compress}
        yield {"micalg": "sha384", "compress": compress, "opaque": True, "encrypt": "none"}
        for encoding in ("base64", None):
            yield {"encoding": encoding, "compress": compress}
            yield {"encoding": encoding, "compress": compress, "encrypt": "none"}
        for encoding in ("base64", "quoted-printable", "7bit", None):
            yield {"payload_encoding": encoding, "compress": compress}
    for name in ("keyid", "nocerts", "cades", "nosmimecap"):
        for key in ("pkcs1", "ecdh-sha256"):
            yield {name: True, "key": key, "sign": "pss" if key == "pkcs1" else "ecdsa"}
    # The older command writes PKCS#7.
    for form in ({}, {"ber": True}, {"opaque": True}, {"opaque": True, "encrypt": "none"}):
        yield {"command": "smime", **form}
    yield {"signers": ("peer-ec",)}
    yield {"signers": ("peer-ec",), "opaque": True, "encrypt": "none"}
    yield {"signers": ("other",)}
    yield {"bare": True, "sign": "none"}
    yield {"http_encoding": True, "encoding": "base64"}
    yield {"opaque": True, "encrypt": "none"}
    yield {"opaque": True, "ber": True, "key": "ecdh-sha1", "encrypt": "aes-128-gcm"}
    yield {"no_attributes": True, "opaque": True}


# What is run every time.
SECTION: tuple[Options, ...] = (
    {},
    {"compress": "before", "mdn": "async"},
    {"sign": "pss", "digest": "sha512", "encrypt": "aes-256-gcm"},
    {"sign": "ecdsa", "digest": "sha384", "encrypt": "aes-128-cbc"},
    {"sign": "none", "encrypt": "none", "mdn": "unsigned"},
    {"encrypt": "aes-256-gcm", "mdn": "none"},
)
SECTION_OF_FORMS: tuple[Options, ...] = (
    {"opaque": True, "ber": True, "key": "ecdh-sha1", "encrypt": "aes-128-gcm"},
    {"folded": True, "chunked": True, "compress": "after", "key": "oaep-sha256"},
    {"recipients": True, "related": True, "encoding": "base64", "mdn": "async-unsigned"},
    {"micalg": "sha512", "compress": "before", "sign": "ecdsa"},
    # Nothing weak is allowed to this one: SHA-1 in the derivation of a key is not weak.
    {"key": "ecdh-sha1", "me": "OPENSSL-STRICT"},
    {"bare": True, "sign": "none"},
    {"no_attributes": True, "payload_encoding": "quoted-printable", "encrypt": "des3", "digest": "sha1"},
)


def cells(stacks: tuple[str, ...], tables: Iterable[Options], *marks: pytest.MarkDecorator) -> list[Any]:
    """The parameters of a test: each cell with each stack."""
    return [
        pytest.param(stack, cell, id=f"{stack}-{','.join(f'{k}={v}' for k, v in cell.items())}", marks=marks)
        for cell in tables
        for stack in stacks
    ]


EVERY = ("openssl", "pyas2lib", "libas2")
WHOLE = [
    *cells(EVERY, SECTION),
    *cells(("openssl",), SECTION_OF_FORMS),
    *cells(EVERY, itertools.chain(layers(), algorithms()), pytest.mark.whole),
    *cells(("openssl",), forms(), pytest.mark.whole),
]


@pytest.mark.parametrize(("stack", "cell"), WHOLE)
def test_what_they_send_is_taken(
    program: Any, gateway: Any, payload: Any, opened: Any, stack: str, cell: Options
) -> None:
    check(program, gateway, payload, opened, stack, cell)


def check(program: Any, gateway: Any, payload: Any, opened: Any, stack: str, cell: Options) -> None:
    """Have one cell sent. Where a limit holds it must fail, and for the limit's reason."""
    peer, document = program(stack), payload()
    cell = USUALLY.get(stack, {}) | cell
    options = peer.options(**cell)
    peer.ask("seen")
    told = peer.send(gateway.url, document, **cell)
    wrong = judged(options, told, peer.seen, opened, document)
    limits = [limit for limit in LIMITS if limit.holds(stack, options)]
    if not limits and wrong:
        pytest.fail(wrong, pytrace=False)
    if limits and not wrong:
        pytest.fail(f"no longer true: {limits[0].reason}", pytrace=False)
    if limits and not any(limit.says in wrong for limit in limits):
        pytest.fail(f"not what was expected, {limits[0].reason}: {wrong}", pytrace=False)


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
def test_any_document_comes_as_it_was_signed(
    program: Any, gateway: Any, opened: Any, stack: str, cell: Options
) -> None:
    check(program, gateway, lambda: DOCUMENTS[cell["document"]], opened, stack, cell)


WEAK = "processed/error: insufficient-message-security"
SECRET = "processed/error: decryption-failed"
REFUSALS: list[tuple[str, Options, str]] = [
    *((stack, {"encrypt": "none"}, WEAK) for stack in EVERY),
    *((stack, {"encrypt": "des3"}, WEAK) for stack in EVERY),
    # What is inside CBC is not told before a signature holds.
    *((stack, {"sign": "none"}, SECRET) for stack in EVERY),
    *((stack, {"digest": "sha1"}, "failed/failure: unsupported") for stack in ("openssl", "libas2")),
    *((stack, {"me": "NOBODY", "mdn": "unsigned"}, "unknown-trading-partner") for stack in EVERY[:2]),
    ("openssl", {"sign": "none", "encrypt": "aes-256-gcm"}, WEAK),
    ("openssl", {"no_attributes": True, "encrypt": "aes-256-gcm"}, SECRET),
    ("openssl", {"fault": "changed"}, SECRET),
    ("openssl", {"fault": "signer"}, SECRET),
    ("openssl", {"fault": "recipient"}, SECRET),
    ("openssl", {"fault": "changed", "encrypt": "none", "me": "OPENSSL"}, "error: integrity-check-failed"),
    ("openssl", {"fault": "signer", "encrypt": "none", "me": "OPENSSL"}, "error: authentication-failed"),
]


@pytest.mark.parametrize(("stack", "cell", "said"), REFUSALS)
def test_a_refusal_is_read(
    program: Any, gateway: Any, payload: Any, stack: str, cell: Options, said: str
) -> None:
    """Signed like any receipt where that is asked for, and for this message."""
    strict = {"me": f"{stack.upper()}-STRICT", **USUALLY.get(stack, {}), **cell}
    told = program(stack).send(gateway.url, payload(), **strict)
    assert told["status"] == 200
    assert said.lower() in told["disposition"].lower()
    assert told["original"] == told["message_id"]
    assert told["signed"] is (strict.get("mdn") != "unsigned")
    assert not gateway.message(told["message_id"])[0]


def test_every_limit_is_met(usual: Options) -> None:
    """One that no cell meets says nothing."""
    every = [
        (stack, usual | USUALLY.get(stack, {}) | cell)
        for stack, cell in (one.values for one in (*WHOLE, *DOCUMENT_CELLS))
    ]
    assert [limit for limit in LIMITS if not any(limit.holds(*one) for one in every)] == []


def test_every_limit_is_told() -> None:
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "interop.md").read_text()
    told = re.findall(r"^\| (\w+) \| (?:both|it sends) \| (.+) \|$", page, re.MULTILINE)
    assert set(told) == {(limit.stack, limit.reason) for limit in LIMITS}
