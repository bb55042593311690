"""Whose certificate, and when."""

import datetime
import hashlib
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tidewaiter.security import fingerprint, newest, usable, valid_at
from tidewaiter.security.trust import facts


def test_the_fingerprint_is_of_the_der(bob: Any) -> None:
    encoded = bob.certificate.public_bytes(serialization.Encoding.DER)
    assert fingerprint(bob.certificate) == "sha256:" + hashlib.sha256(encoded).hexdigest()
    assert fingerprint(encoded) == fingerprint(bob.certificate)


def test_validity_includes_both_ends(bob: Any) -> None:
    second = datetime.timedelta(seconds=1)
    start, stop = bob.certificate.not_valid_before_utc, bob.certificate.not_valid_after_utc
    assert [valid_at(bob.certificate, moment) for moment in (start, stop)] == [True, True]
    assert [valid_at(bob.certificate, moment) for moment in (start - second, stop + second)] == [False, False]


def _certificate(start: datetime.datetime, days: int) -> x509.Certificate:
    """A certificate without extensions."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "partner")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=days))
    return builder.sign(key, hashes.SHA256())


def test_of_current_and_next_the_newest_comes_first(now: datetime.datetime) -> None:
    day = datetime.timedelta(days=1)
    past, current, following, future = (
        _certificate(now + start * day, days) for start, days in ((-9, 8), (-5, 9), (-1, 9), (1, 9))
    )
    assert usable([past, current, following, future], now) == (following, current)
    assert usable([], now) == ()


def test_the_newest_that_is_valid_is_encrypted_to(now: datetime.datetime) -> None:
    """Where none is, the newest that was; before any was, the first to come."""
    day = datetime.timedelta(days=1)
    older, past, current, following, future, later = (
        _certificate(now + start * day, days)
        for start, days in ((-19, 2), (-9, 8), (-5, 9), (-1, 9), (1, 9), (2, 9))
    )
    assert newest([future, older, following, current, past], now) == following
    assert newest([future, older, past], now) == past
    assert newest([later, future], now) == future
    assert newest([], now) is None


def test_a_certificate_without_an_identifier_has_the_usual_one(now: datetime.datetime) -> None:
    certificate = _certificate(now, 1)
    expected = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    assert facts(certificate).key_identifier == expected


def test_the_name_is_the_certificates_own_octets(bob: Any, new_party: Callable[..., Any]) -> None:
    encoded = bob.certificate.public_bytes(serialization.Encoding.DER)
    name = bob.certificate.issuer.public_bytes()
    assert facts(bob.certificate).name.startswith(name)
    assert name in encoded
    serial = int.from_bytes(facts(bob.certificate).name[len(name) + 2 :], "big")
    assert serial == bob.certificate.serial_number
