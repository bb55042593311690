"""Whose certificate it is, and when it is valid.

Trust is by the certificate itself: an agreement names the partner's certificates, current and next, and
nothing else counts. There is no path to build and no name to believe.
"""

import datetime
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from . import der
from .errors import KeyStoreError, MalformedCms

# The curves that are signed on and encrypted to: those of NIST from 256 bits on, of Brainpool, and secp256k1.
CURVES = (
    ec.SECP256R1,
    ec.SECP384R1,
    ec.SECP521R1,
    ec.BrainpoolP256R1,
    ec.BrainpoolP384R1,
    ec.BrainpoolP512R1,
    ec.SECP256K1,
)
_FIT = "P-256, P-384 and P-521 are used, brainpoolP256r1, -P384r1, -P512r1 and secp256k1 too"
# Partners of one process, with current and next certificate, for signing and encryption.
_REMEMBERED = 4096


class Facts(NamedTuple):
    """What CMS needs of a certificate, read once."""

    certificate: x509.Certificate
    name: bytes  # the contents of its IssuerAndSerialNumber
    key_identifier: bytes  # the extension's value, or the hash it would have (RFC 5280 4.2.1.2 (1))
    public_key: CertificatePublicKeyTypes
    fingerprint: str
    not_before: datetime.datetime
    not_after: datetime.datetime

    def valid_at(self, now: datetime.datetime) -> bool:
        """True within its validity, both ends included (RFC 5280 4.1.2.5). `now` is aware."""
        return self.not_before <= now <= self.not_after


# By identity, because to hash a certificate costs more than all else that is done with it for a message. What
# is kept here is not freed, so no other object can come to bear its identity.
_known: dict[int, Facts] = {}


def facts(certificate: x509.Certificate) -> Facts:
    """What CMS needs of `certificate`. Raises KeyStoreError if it cannot be read."""
    known = _known.get(id(certificate))
    if known is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        known = _known[id(certificate)] = _read(certificate)
    return known


def _read(certificate: x509.Certificate) -> Facts:
    try:
        public_key = certificate.public_key()
        return Facts(
            certificate=certificate,
            name=_name(certificate),
            key_identifier=_key_identifier(certificate, public_key),
            public_key=public_key,
            fingerprint=fingerprint(certificate),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except (ValueError, TypeError, MalformedCms, UnsupportedAlgorithm) as error:
        raise KeyStoreError("a certificate cannot be read") from error


def _name(certificate: x509.Certificate) -> bytes:
    """Issuer and serial number as the certificate has them: re-encoding a lenient name may change it."""
    tbs = certificate.tbs_certificate_bytes
    outer = der.element_at(tbs, 0, len(tbs))
    fields = der.children(tbs, outer.start, outer.stop, limit=10)
    if fields[0].tag == der.INTEGER:  # version 1: the field is left out
        serial, _, issuer = fields[:3]
    else:
        serial, _, issuer = fields[1:4]
    return tbs[issuer.header : issuer.stop] + tbs[serial.header : serial.stop]


def _key_identifier(certificate: x509.Certificate, public_key: CertificatePublicKeyTypes) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return x509.SubjectKeyIdentifier.from_public_key(public_key).digest


def unfit(certificate: x509.Certificate) -> str:
    """Why no message can be encrypted to `certificate` and no signature of it counts; empty if both can be.

    How long an RSA key must be is for the policy of an agreement. Raises nothing.
    """
    try:
        key = facts(certificate).public_key
    except KeyStoreError as error:
        return str(error)
    if isinstance(key, rsa.RSAPublicKey):
        return ""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return "its key is neither RSA nor on an elliptic curve for ECDSA and ECDH"
    return "" if isinstance(key.curve, CURVES) else f"its key is on {key.curve.name}; {_FIT}"


def fingerprint(certificate: x509.Certificate | bytes) -> str:
    """`sha256:` and the SHA-256 of the certificate's DER (or of the DER given) in lower-case hexadecimal."""
    encoded = (
        certificate
        if isinstance(certificate, bytes)
        else certificate.public_bytes(serialization.Encoding.DER)
    )
    return "sha256:" + hashlib.sha256(encoded).hexdigest()


def valid_at(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """True within the validity of `certificate`, both ends included (RFC 5280 4.1.2.5). `now` is aware."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def usable(certificates: Iterable[x509.Certificate], now: datetime.datetime) -> tuple[x509.Certificate, ...]:
    """Those of `certificates` that are valid at `now`, the newest first.

    Current and next overlap while a partner changes keys: all of these count to verify, the first
    to encrypt.
    """
    valid = (certificate for certificate in certificates if valid_at(certificate, now))
    return tuple(sorted(valid, key=lambda certificate: certificate.not_valid_before_utc, reverse=True))


def newest(certificates: Iterable[x509.Certificate], now: datetime.datetime) -> x509.Certificate | None:
    """The one of `certificates` to encrypt to at `now`: the newest that is valid.

    Where none is valid, the newest that was, else the first that will be: an agreement whose certificate has
    run out goes on with it, and tells its operator, rather than stop. None if there is no certificate.
    """
    known = tuple(certificates)
    if valid := usable(known, now):
        return valid[0]
    begun = [one for one in known if one.not_valid_before_utc <= now]
    if begun:
        return max(begun, key=lambda one: one.not_valid_before_utc)
    return min(known, key=lambda one: one.not_valid_before_utc, default=None)
