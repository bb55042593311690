"""Does a receipt of the HTTPS channel prove what was sent?"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from cryptography import x509

from tidewaiter.security import DEFAULT_POLICY, SecurityError
from tidewaiter.security.cms import verify


class _Digest(msgspec.Struct, frozen=True):
    algorithm: str
    value: str
    octets: int


class Receipt(msgspec.Struct, frozen=True):
    """What of a receipt is held against the document: its digest, and the lodgement's id."""

    digest: _Digest
    id: str


def receipt_fault(
    signature: str, body: bytes, payload: bytes, gateway: Sequence[x509.Certificate], *, now: datetime
) -> str:
    """Why the receipt in `body` does not prove that the gateway took `payload`; empty where it does."""
    try:
        verify(base64.b64decode(signature, validate=True), body, gateway, policy=DEFAULT_POLICY, now=now)
        receipt = msgspec.json.decode(body, type=Receipt)
    except (SecurityError, binascii.Error, msgspec.DecodeError) as error:
        return f"the receipt proves nothing: {error}"
    meant = _Digest("sha-256", hashlib.sha256(payload).hexdigest(), len(payload))
    return "" if receipt.digest == meant else "the receipt is for another document"
