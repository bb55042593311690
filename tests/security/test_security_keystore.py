"""Keys and certificates as PEM."""

import base64
import datetime
import ipaddress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tidewaiter.security import KeyStoreError, load_certificates, load_private_key, make_self_signed


def test_a_self_signed_certificate_is_fit_for_all_its_uses(now: datetime.datetime) -> None:
    hosts = ("gateway.example", "127.0.0.1", "::1")
    pem, key_pem = make_self_signed("gateway", now=now, days=30, key="p256", hosts=hosts)
    (certificate,) = load_certificates(pem)
    assert certificate.public_key() == load_private_key(key_pem).public_key()
    assert certificate.not_valid_before_utc < now
    assert certificate.not_valid_after_utc == now + datetime.timedelta(days=30)
    certificate.verify_directly_issued_by(certificate)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_agreement) == (True, True, True)
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {usage.dotted_string for usage in extended} == {
        f"1.3.6.1.5.5.7.3.{purpose}" for purpose in (1, 2, 4)
    }
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gateway.example"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(host) for host in hosts[1:]]


def test_the_key_is_the_kind_asked_for(bob: Any, carol: Any) -> None:
    assert bob.private_key.key_size == 2048
    assert isinstance(carol.private_key.curve, ec.SECP256R1)


@pytest.mark.parametrize(("key", "hosts"), [("rsa512", ()), ("", ()), ("p256", ("bücher.example",))])
def test_what_cannot_be_made_is_refused(now: datetime.datetime, key: str, hosts: tuple[str, ...]) -> None:
    with pytest.raises(KeyStoreError):
        make_self_signed("gateway", now=now, days=1, key=key, hosts=hosts)


def test_certificates_keep_their_order(bob: Any, carol: Any) -> None:
    loaded = load_certificates(carol.certificate_pem + bob.certificate_pem)
    assert loaded == (carol.certificate, bob.certificate)


@pytest.mark.parametrize(
    "pem", [b"", b"text", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_no_certificate(pem: bytes) -> None:
    with pytest.raises(KeyStoreError):
        load_certificates(pem)


def test_a_file_cut_short_is_none_of_it(bob: Any, carol: Any) -> None:
    """Written to its half: the first of two certificates alone would be believed as all there is."""
    first, second = bob.certificate_pem, carol.certificate_pem
    for end in range(1, len(second) - 1):
        with pytest.raises(KeyStoreError):
            load_certificates(first + second[:end])
    for text in (b"---\nissuer=CN = ca\n", b"# what follows\n-------\n", b"\r\n  "):
        assert len(load_certificates(first + text + second + text)) == 2
    assert len(load_certificates((first + second).replace(b"\n", b"\r\n").rstrip())) == 2


@pytest.mark.parametrize("lines", [b"BEGIN A|END B", b"END A", b"BEGIN A|BEGIN A|END A", b"BEGIN A"])
def test_lines_of_a_block_come_in_pairs(carol: Any, lines: bytes) -> None:
    block = b"".join(b"-----%s-----\n" % line for line in lines.split(b"|"))
    for pem in (block + carol.certificate_pem, carol.certificate_pem + block):
        with pytest.raises(KeyStoreError):
            load_certificates(pem)


def test_a_version_that_does_not_exist(carol: Any) -> None:
    der = carol.certificate.public_bytes(serialization.Encoding.DER)
    broken = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x77", 1)
    pem = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % base64.encodebytes(broken)
    with pytest.raises(KeyStoreError):
        load_certificates(pem)


def test_a_private_key_may_have_a_password(carol: Any) -> None:
    encrypted = carol.private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"canary"),
    )
    assert load_private_key(encrypted, b"canary").public_key() == carol.certificate.public_key()
    for password in (None, b"other"):
        with pytest.raises(KeyStoreError) as caught:
            load_private_key(encrypted, password)
        assert "canary" not in str(caught.value)


def test_other_private_keys_are_refused() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem in (b"", b"text", edwards):
        with pytest.raises(KeyStoreError):
            load_private_key(pem)
