"""A receipt counts only if it is signed by the gateway and speaks of this document."""

import base64
import hashlib
from datetime import UTC, datetime

import msgspec
import pytest
from cryptography import x509

from tidewaiter.loadtest.proof import receipt_fault
from tidewaiter.security import load_certificates, load_private_key, make_self_signed
from tidewaiter.security.cms import Signer, sign

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAYLOAD = b"<Declaration/>"


class Gateway:
    def __init__(self) -> None:
        certificate, key = make_self_signed("gateway", now=NOW, days=9, key="p256")
        self.certificate: x509.Certificate = load_certificates(certificate)[0]
        self._signer = Signer(self.certificate, load_private_key(key))

    def receipt(self, payload: bytes) -> tuple[str, bytes]:
        digest = {
            "algorithm": "sha-256",
            "value": hashlib.sha256(payload).hexdigest(),
            "octets": len(payload),
        }
        return self.signed(msgspec.json.encode({"id": "L1", "digest": digest}))

    def signed(self, body: bytes) -> tuple[str, bytes]:
        return base64.b64encode(sign(body, self._signer, detached=True, signing_time=NOW)).decode(), body


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway()


def test_a_receipt_of_the_document_is_proof(gateway: Gateway) -> None:
    signature, body = gateway.receipt(PAYLOAD)
    assert receipt_fault(signature, body, PAYLOAD, [gateway.certificate], now=NOW) == ""


def test_a_receipt_of_another_document_is_none(gateway: Gateway) -> None:
    signature, body = gateway.receipt(PAYLOAD + b" ")
    assert "another document" in receipt_fault(signature, body, PAYLOAD, [gateway.certificate], now=NOW)


def test_a_changed_receipt_proves_nothing(gateway: Gateway) -> None:
    signature, body = gateway.receipt(PAYLOAD)
    assert receipt_fault(signature, body + b" ", PAYLOAD, [gateway.certificate], now=NOW)


def test_another_signer_proves_nothing(gateway: Gateway) -> None:
    signature, body = Gateway().receipt(PAYLOAD)
    assert receipt_fault(signature, body, PAYLOAD, [gateway.certificate], now=NOW)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"not JSON"])
def test_what_is_signed_must_be_a_receipt(gateway: Gateway, body: bytes) -> None:
    signature, body = gateway.signed(body)
    assert "proves nothing" in receipt_fault(signature, body, PAYLOAD, [gateway.certificate], now=NOW)


@pytest.mark.parametrize("signature", ["", "%%%", "AAAA"])
def test_no_signature_proves_nothing(gateway: Gateway, signature: str) -> None:
    assert receipt_fault(signature, b"{}", PAYLOAD, [gateway.certificate], now=NOW)
