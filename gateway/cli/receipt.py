"""`verify-receipt`: a stored MDN or JSON receipt against the gateway's certificate and the document sent."""

import base64
import hashlib
import pathlib
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from cryptography import x509

from ...security import DEFAULT_POLICY, MalformedCms, SecurityError, fingerprint, load_certificates
from ...security.cms import verify
from ..as2.inspection.stored import NotStored, read_stored
from ..receipts import SIGNATURE_HEADER
from .as2_means import Unusable, read_moment
from .intake import STDIN
from .receipt_mdn import ANOTHER, MATCHES, Sent, Unreadable, mdn_receipt

VERIFIED, REFUSED, UNREADABLE = 0, 1, 2


class Asked(NamedTuple):
    """What a receipt is to be verified with. `signature` is of a JSON receipt, `message`, `keys` and `at` are
    for an MDN."""

    certificates: Sequence[pathlib.Path]
    signature: pathlib.Path | None = None
    document: pathlib.Path | None = None
    message: pathlib.Path | None = None
    keys: Sequence[pathlib.Path] = ()
    mic: str = ""
    at: str = ""


def verify_receipt(file: pathlib.Path, asked: Asked, *, as_json: bool) -> int:
    """Print what the receipt proves. 0: that this was taken; 1: it does not, or it proves a refusal; 2: it
    cannot be read. `-` is standard input."""
    try:
        told = _told(file, asked)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return UNREADABLE
    except Unusable as error:
        sys.stderr.write(f"{error}\n")
        return UNREADABLE
    except (SecurityError, Unreadable) as error:
        sys.stderr.write(f"{file}: {error}\n")
        return UNREADABLE
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    else:
        for name, value in told.items():
            sys.stdout.write(f"{name}: {value}\n")
    compared = {told[name] for name in ("document", "same-mic") if name in told}
    return VERIFIED if told["verified"] and "says" not in told and compared <= {MATCHES} else REFUSED


def _told(file: pathlib.Path, asked: Asked) -> dict[str, Any]:
    if asked.document is not None and asked.message is not None:
        raise Unusable("--document and --message both say what was sent: give one of them")
    data = sys.stdin.buffer.read() if str(file) == STDIN else file.read_bytes()
    at = read_moment(asked.at)
    pinned = tuple(one for name in asked.certificates for one in _pinned(name))
    document = asked.document.read_bytes() if asked.document is not None else None
    message = asked.message.read_bytes() if asked.message is not None else None
    headers, body = _split(data)
    if not body.lstrip().startswith(b"{"):
        sent = Sent(document, message, str(asked.message), tuple(asked.keys), asked.mic)
        return mdn_receipt(data, pinned, sent, at)
    if message is not None or asked.mic:
        raise Unusable(f"{file}: is a JSON receipt, which names the document: give --document")
    issued, digest = _read(body)
    signed, source = headers.get(SIGNATURE_HEADER.lower().encode()), SIGNATURE_HEADER
    if signed is None:
        if asked.signature is None and str(file) == STDIN:
            raise Unusable("a JSON receipt from standard input takes --signature")
        beside = asked.signature or file.with_suffix(".p7s")
        signed, source = beside.read_bytes(), str(beside)
    told = _json_receipt(body, signed, issued, pinned, source=source)
    if document is not None:
        told["document"] = MATCHES if hashlib.sha256(document).hexdigest() == digest else ANOTHER
    return told


def _pinned(file: pathlib.Path) -> tuple[x509.Certificate, ...]:
    try:
        return load_certificates(file.read_bytes())
    except SecurityError as error:
        raise Unusable(f"{file}: {error}") from None


def _split(data: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """The headers and the body of a stored HTTP response, with or without its first line; nothing of what is
    none."""
    if data.lstrip().startswith(b"{"):
        return {}, data
    try:
        stored = read_stored(data)
    except NotStored:
        return {}, b""
    return {name.lower(): value for name, value in stored.headers}, stored.body


def _read(body: bytes) -> tuple[datetime, str]:
    """When the JSON receipt was issued, and the digest in it."""
    try:
        receipt = msgspec.json.decode(body)
        issued, digest = datetime.fromisoformat(receipt["issued"]), str(receipt["digest"]["value"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        raise Unreadable("is JSON, but no receipt") from None
    if issued.tzinfo is None:
        raise Unreadable("is JSON, but no receipt: its time has no zone")
    return issued, digest


def _json_receipt(
    data: bytes,
    signature: bytes,
    issued: datetime,
    pinned: tuple[x509.Certificate, ...],
    *,
    source: str,
) -> dict[str, Any]:
    receipt = msgspec.json.decode(data)
    told: dict[str, Any] = {"kind": "receipt", "id": receipt.get("id"), "received": receipt.get("received")}
    try:
        if signature[:1] != b"\x30":
            signature = base64.b64decode(signature, validate=True)
    except ValueError:
        return {**told, "verified": False, "reason": f"{source} is no signature, neither DER nor base64"}
    try:
        # The certificate had to be valid when the receipt was issued; it may have expired since.
        proof = verify(signature, data, pinned, policy=DEFAULT_POLICY, now=issued)
    except MalformedCms as error:
        return {**told, "verified": False, "reason": f"{source}: {error}"}
    except (SecurityError, ValueError) as error:
        return {**told, "verified": False, "reason": str(error)}
    return {**told, "verified": True, "issued": receipt["issued"], "signer": fingerprint(proof.certificate)}
