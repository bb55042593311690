"""`verify-receipt`: a stored MDN or JSON receipt against the gateway's certificate and the document sent."""

import base64
import email.utils
import hashlib
import pathlib
import re
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography import x509

from ...security import (
    DEFAULT_POLICY,
    Digest,
    MalformedCms,
    SecurityError,
    fingerprint,
    load_certificates,
)
from ...security.cms import verify
from ..as2 import MdnKind, Mic, Terms, read_mdn, same_mic
from ..receipts import SIGNATURE_HEADER

VERIFIED, REFUSED, UNREADABLE = 0, 1, 2
MATCHES, ANOTHER = "matches", "is another one"
NOT_THE_PART = "cannot be told: the MIC covers the MIME part, not the file alone: give that, or --mic"
# What begins with a header is a MIME part.
_PART = re.compile(rb"(?:Content|MIME)-[A-Za-z-]+:", re.IGNORECASE)
# What a believed receipt may say; that the message failed is proven no less.
_SAID = frozenset({MdnKind.PROCESSED, MdnKind.WARNING, MdnKind.ERROR, MdnKind.FAILED})


class _Unreadable(Exception):  # noqa: N818 - it says what the file is
    """The file is no receipt; the text says why."""


class _BadCertificate(Exception):  # noqa: N818 - as above
    """The certificate given is none; the text says why."""


def verify_receipt(
    file: pathlib.Path,
    certificate: pathlib.Path,
    signature: pathlib.Path | None,
    document: pathlib.Path | None,
    mic: str,
    *,
    as_json: bool,
) -> int:
    """Print what the receipt proves. 0: it verifies, 1: it does not, 2: it cannot be read."""
    try:
        headers, body = _split(file.read_bytes())
        pinned = _pinned(certificate)
        sent = document.read_bytes() if document is not None else None
        if body.lstrip().startswith(b"{"):
            issued, digest = _read(body)
            signed = headers.get(SIGNATURE_HEADER.lower().encode())
            if signed is None:
                signed = (beside := signature or file.with_suffix(".p7s")).read_bytes()
                told = _json_receipt(body, signed, issued, pinned, source=str(beside))
            else:
                told = _json_receipt(body, signed, issued, pinned, source=SIGNATURE_HEADER)
            if sent is not None:
                told["document"] = MATCHES if hashlib.sha256(sent).hexdigest() == digest else ANOTHER
        else:
            told = _mdn(headers, body, pinned, sent, mic)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return UNREADABLE
    except _BadCertificate as error:
        sys.stderr.write(f"{certificate}: {error}\n")
        return UNREADABLE
    except (SecurityError, _Unreadable) as error:
        sys.stderr.write(f"{file}: {error}\n")
        return UNREADABLE
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    else:
        for name, value in told.items():
            sys.stdout.write(f"{name}: {value}\n")
    return VERIFIED if told["verified"] and told.get("document") in {None, MATCHES} else REFUSED


def _pinned(file: pathlib.Path) -> tuple[x509.Certificate, ...]:
    try:
        return load_certificates(file.read_bytes())
    except SecurityError as error:
        raise _BadCertificate(str(error)) from None


def _split(data: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """The headers and the body of a stored HTTP response, with or without its status line."""
    if data.lstrip().startswith(b"{"):
        return {}, data
    head, _, body = data.partition(b"\r\n\r\n")
    fields = (line.partition(b":") for line in head.split(b"\r\n") if b":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in fields}, body


def _read(body: bytes) -> tuple[datetime, str]:
    """When the JSON receipt was issued, and the digest in it."""
    try:
        receipt = msgspec.json.decode(body)
        issued, digest = datetime.fromisoformat(receipt["issued"]), str(receipt["digest"]["value"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        raise _Unreadable("is JSON, but no receipt") from None
    if issued.tzinfo is None:
        raise _Unreadable("is JSON, but no receipt: its time has no zone")
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


def _mdn(
    fields: dict[bytes, bytes],
    body: bytes,
    pinned: tuple[x509.Certificate, ...],
    sent: bytes | None,
    mic: str,
) -> dict[str, Any]:
    if b"as2-from" not in fields or b"as2-to" not in fields:
        raise _Unreadable("is neither a JSON receipt nor an MDN with its headers")
    try:
        terms = Terms(
            our_name=_name(fields[b"as2-to"]),
            their_name=_name(fields[b"as2-from"]),
            their_signing=pinned,
            sign=False,
            encrypt=False,
        )
    except ValueError as error:
        raise _Unreadable(f"has AS2 names that are none: {error}") from None
    now = _date(fields.get(b"date", b"").decode("latin-1")) or datetime.now(UTC)
    headers = tuple(fields.items())
    mdn = read_mdn(headers, body, terms, message_id=_original(body), mic=mic or None, now=now)
    verified = mdn.signed and mdn.kind in _SAID
    told: dict[str, Any] = {
        "kind": "MDN",
        "message": mdn.original_message_id,
        "disposition": mdn.disposition,
        "mic": mdn.mic,
        "verified": verified,
    }
    told |= (
        {"signer": mdn.signer, "dated": now.isoformat()}
        if verified
        else {"reason": mdn.detail or mdn.kind.value}
    )
    if sent is not None:
        digest = Digest.from_micalg(mdn.mic.partition(",")[2].strip() or "sha-256")
        computed = Mic.over(sent, digest) if digest is not None else None
        if computed is not None and same_mic(computed, mdn.mic):
            told["document"] = MATCHES
        else:
            told["document"] = ANOTHER if _PART.match(sent) else NOT_THE_PART
    return told


def _name(value: bytes) -> str:
    return value.decode("latin-1").strip('"').replace('\\"', '"').replace("\\\\", "\\")


def _date(text: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _original(body: bytes) -> str:
    """The id the MDN says it is about: whose receipt it is, is what is asked here."""
    for line in body.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"original-message-id":
            return value.strip().decode("latin-1")
    raise _Unreadable("is an MDN about no message")
