"""Keys and certificates as bytes of PEM: reading them, and making a self-signed pair."""

import datetime
import ipaddress
import re
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .errors import KeyStoreError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_RSA_EXPONENT = 65537
# Both sides of TLS, and S/MIME: without the last, `openssl cms -verify` refuses the signer by its purpose.
_PURPOSES = (
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
)
# Clocks of two parties differ: a certificate that begins now is not yet valid for a peer who is behind.
_BACKDATED = datetime.timedelta(hours=1)
# X.520 ub-common-name: RFC 5280 appendix A.
_MAX_COMMON_NAME = 64
# RFC 7468 section 2.
_ENCAPSULATION = re.compile(rb"-----(BEGIN|END) ([^-]*)-----")
_DASHES = b"-----"


def load_certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates in `pem`, in their order. Raises KeyStoreError for none, an unreadable one, or one
    that is begun and not ended: of a file cut short, not even the first part is believed."""
    if not _is_whole(pem):
        raise KeyStoreError("a PEM block is cut short")
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
        for one in found:
            # Read lazily, and used where nobody expects an error any more.
            one.public_key(), one.subject, one.issuer, one.not_valid_before_utc, one.not_valid_after_utc
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise KeyStoreError("no readable PEM certificate") from error
    return found


def _is_whole(pem: bytes) -> bool:
    """Whether every block of `pem` has its two lines. Text between blocks is nobody's business (RFC 7468
    section 2), unless it begins as such a line does."""
    lines = pem.splitlines()
    label = None
    for line in lines:
        told = line.strip()
        if not told.startswith(_DASHES) or not told.strip(b"-"):
            continue
        match = _ENCAPSULATION.fullmatch(told)
        if match is None or (match[1] == b"BEGIN") is (label is not None) or label not in (None, match[2]):
            return False
        label = match[2] if label is None else None
    # A file that ends in the midst of its first dash is cut, too.
    begun = bool(lines) and not pem.endswith((b"\n", b"\r")) and _DASHES.startswith(lines[-1])
    return label is None and not begun


def load_private_key(pem: bytes, password: bytes | None = None) -> PrivateKey:
    """The RSA or EC private key in `pem`. Raises KeyStoreError; the text names no part of the key."""
    try:
        key = serialization.load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyStoreError("no readable PEM private key, or the wrong password") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KeyStoreError("a private key must be RSA or EC")
    return key


def make_self_signed(
    common_name: str,
    *,
    now: datetime.datetime,
    days: int,
    key: str = "rsa2048",
    hosts: Sequence[str] = (),
) -> tuple[bytes, bytes]:
    """A new key and its self-signed certificate, as (certificate PEM, private key PEM, PKCS#8 unencrypted).

    `key` is `rsa2048`, `rsa3072`, `rsa4096` or `p256`. Fit to sign, to be encrypted to, and for both sides of
    TLS under `hosts` (DNS names or addresses). Raises KeyStoreError for another `key` or a name that cannot
    be written.
    """
    private_key = _generate(key)
    try:
        certificate = _certificate(common_name, private_key, now, days, hosts)
    except ValueError as error:
        raise KeyStoreError("a certificate cannot be made of these values") from error
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _generate(kind: str) -> PrivateKey:
    match kind:
        case "p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "rsa2048" | "rsa3072" | "rsa4096":
            return rsa.generate_private_key(_RSA_EXPONENT, int(kind.removeprefix("rsa")))
        case _:
            raise KeyStoreError(f"unknown kind of key: {kind}")


def _certificate(
    common_name: str, private_key: PrivateKey, now: datetime.datetime, days: int, hosts: Sequence[str]
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_MAX_COMMON_NAME])])
    public_key = private_key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(_PURPOSES),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False)
    )
    if hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(private_key, hashes.SHA256())


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_agreement=True,
        content_commitment=False,
        data_encipherment=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
