"""Certificates of an agreement that no message can be made for, or checked with: told at the start."""

import pathlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.security import DEFAULT_POLICY, Cipher
from tidewaiter.security.cms import DecryptionKey, Signer, decrypt, encrypt, sign, verify
from tidewaiter.security.trust import CURVES

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Write = Callable[..., Parties]


def certificate(
    key: Any, name: str = "CN=AS2,O=Acme,C=NL", *, authority: bool | None = None
) -> x509.Certificate:
    subject = x509.Name.from_rfc4514_string(name)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), 7, NOW - DAY, NOW + DAY)
    if authority is not None:
        made = made.add_extension(x509.BasicConstraints(authority, None), critical=True)
    edwards = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return made.sign(key, None if edwards else hashes.SHA256())


@pytest.fixture
def write(folder: pathlib.Path) -> Write:
    """write(CERTIFICATE, lines...): the trader's agreement; the certificate is in keys/it.pem."""

    def run(made: x509.Certificate, *lines: str) -> Parties:
        (folder / "keys/it.pem").write_bytes(made.public_bytes(Encoding.PEM))
        text = "\n".join(('name = "trader"', "[as2]", 'name = "MERIDIAN"', *lines))
        (folder / "partners/trader.toml").write_text(text)
        return Parties(load_config(folder), NOW)

    return run


IT = '["keys/it.pem"]'
PINNED = 'certificates = ["keys/trader.pem"]'
UNFIT: dict[str, tuple[Callable[[], Any], str]] = {
    "Ed25519": (ed25519.Ed25519PrivateKey.generate, "its key is neither RSA nor on an elliptic curve"),
    "Ed448": (ed448.Ed448PrivateKey.generate, "its key is neither RSA nor on an elliptic curve"),
    "DSA": (lambda: dsa.generate_private_key(1024), "its key is neither RSA nor on an elliptic curve"),
    "P-224": (
        lambda: ec.generate_private_key(ec.SECP224R1()),
        "its key is on secp224r1; P-256, P-384 and P-521",
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ((f"certificates = {IT}",), "as2.certificates"),
        ((PINNED, f"encryption-certificates = {IT}"), "as2.encryption-certificates"),
        ((PINNED, f"signing-certificates = {IT}"), "as2.signing-certificates"),
        (
            (PINNED, 'encryption-certificates = ["keys/trader.pem", "keys/it.pem"]'),
            "as2.encryption-certificates",
        ),
    ],
)
def test_a_key_that_is_not_used(write: Write, kind: str, lines: tuple[str, ...], key: str) -> None:
    make, told = UNFIT[kind]
    with pytest.raises(ConfigError) as caught:
        write(certificate(make()), *lines)
    assert f"partners/trader.toml: {key}: CN=AS2,O=Acme,C=NL: {told}" in str(caught.value)


@pytest.mark.parametrize("key", ["certificates", "encryption-certificates", "signing-certificates"])
def test_a_short_rsa_key_needs_to_be_allowed(write: Write, key: str) -> None:
    made = certificate(rsa.generate_private_key(65537, 1024))
    lines = [f'{key} = ["keys/trader.pem", "keys/it.pem"]', *([] if key == "certificates" else [PINNED])]
    with pytest.raises(ConfigError) as caught:
        write(made, *lines)
    told = f"trader.toml: as2.{key}: CN=AS2,O=Acme,C=NL: an RSA key of 1024 bits; 2048 are needed"
    assert told in str(caught.value)
    assert write(made, *lines, 'allow = ["rsa-1024"]').partners["trader"].terms is not None


@pytest.mark.parametrize("curve", CURVES)
def test_every_curve_that_is_taken_works(write: Write, curve: type[ec.EllipticCurve]) -> None:
    key = ec.generate_private_key(curve())
    made = certificate(key)
    assert write(made, f"certificates = {IT}").partners["trader"].theirs is not None
    sealed = encrypt(b"text", [made], cipher=Cipher.AES256_CBC)
    assert decrypt(sealed, [DecryptionKey(made, key)], policy=DEFAULT_POLICY) == b"text"
    signed = sign(b"text", Signer(made, key), detached=False, signing_time=NOW)
    assert verify(signed, None, [made], policy=DEFAULT_POLICY, now=NOW).content == b"text"


def curved() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("subject", ["O=,,=x", "C=NLD", "/C=NL/x", "CN=", 'CN="Acme"'])
def test_a_subject_that_is_no_name(write: Write, subject: str) -> None:
    with pytest.raises(ConfigError) as caught:
        write(certificate(curved(), authority=True), f"authorities = {IT}", f"subject = '{subject}'", PINNED)
    told = str(caught.value)
    assert "partners/trader.toml: as2.subject: " in told
    assert "`openssl x509 -noout -subject -nameopt rfc2253 -in FILE`" in told


@pytest.mark.parametrize(
    ("key", "authority", "told"),
    [
        (curved, None, "is no authority: it has no basicConstraints"),
        (curved, False, "is no authority: it may not certify anybody"),
        (
            ed25519.Ed25519PrivateKey.generate,
            True,
            "has a key that is neither RSA nor on P-256, P-384 or P-521",
        ),
        (lambda: rsa.generate_private_key(65537, 1024), True, "has an RSA key of less than 2048 bits"),
    ],
)
def test_an_authority_that_can_stand_for_nobody(
    write: Write, key: Callable[[], Any], authority: bool | None, told: str
) -> None:
    made = certificate(key(), authority=authority)
    with pytest.raises(ConfigError) as caught:
        write(made, f"authorities = {IT}", 'subject = "OTHER"', PINNED)
    assert f"partners/trader.toml: as2.authorities: CN=AS2,O=Acme,C=NL {told}" in str(caught.value)


def test_the_partner_s_own_certificate_needs_no_authority(write: Write) -> None:
    made = certificate(curved())
    terms = write(made, f"authorities = {IT}", 'subject = "C = NL, O = Acme, CN = AS2"', PINNED).partners[
        "trader"
    ]
    assert terms.theirs is not None
    assert terms.theirs.authorities is not None
    assert terms.theirs.authorities.vouched([made.public_bytes(Encoding.DER)], NOW) == (made,)
