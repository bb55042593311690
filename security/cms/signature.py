"""One signature under one public key: its parameters, and whether it fits."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from .. import der
from ..algorithms import DIGESTS, MGF1, Digest, Policy, Signature
from ..errors import AuthenticationFailed, InsufficientSecurity, IntegrityFailed, MalformedCms
from .declarations import HashIdentifier, PssParameters, decode

_PKCS1 = padding.PKCS1v15()
_ECDSA = {digest: ec.ECDSA(digest.algorithm) for digest in Digest}
# NIST SP 800-57 part 1, table 2: 128 bits of security.
_MIN_EC_BITS = 256
_MAX_SALT = 512  # octets: no key in use has room for more
_PSS_TRAILER = 1
_DEFAULT_SALT = 20
# RFC 4055 3.1 wants the parameters of a signature, and at least one stack (pyas2lib) leaves them out. Then
# there is one digest throughout, as 3.1 recommends; the salt may be as long as its OpenSSL chose.
_ABSENT = frozenset((b"", b"\x05\x00"))


def hash_named(identifier: HashIdentifier | None) -> Digest:
    """The digest of a parameter; absent, SHA-1 (RFC 4055 2.1). InsufficientSecurity for an unknown one."""
    if identifier is None:
        return Digest.SHA1
    digest = DIGESTS.get(der.oid(identifier.algorithm.dotted_string))
    if digest is None:
        raise InsufficientSecurity("the digest algorithm is not supported")
    return digest


def pss_digest(parameters: bytes, digest: Digest) -> Digest:
    """The digest that RSASSA-PSS parameters name; where there are none, the SignerInfo's own `digest`.

    Raises InsufficientSecurity, MalformedCms.
    """
    if parameters in _ABSENT:
        return digest
    return hash_named(decode(PssParameters, parameters).digest)


def check_signature(
    key: CertificatePublicKeyTypes,
    *,
    scheme: Signature,
    digest: Digest,
    parameters: bytes,
    signature: bytes,
    signed: bytes,
    policy: Policy,
) -> None:
    """Return if `signature` is one of `key` over `signed`.

    Raises IntegrityFailed if not, AuthenticationFailed where the key is of another kind, InsufficientSecurity
    where it is too short.
    """
    try:
        if scheme is Signature.ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
            if key.key_size < _MIN_EC_BITS:
                raise InsufficientSecurity("the elliptic curve is too small")
            key.verify(signature, signed, _ECDSA[digest])
        elif scheme is not Signature.ECDSA and isinstance(key, rsa.RSAPublicKey):
            policy.require_rsa_bits(key.key_size)
            pad = _pss(parameters, digest, policy) if scheme is Signature.RSA_PSS else _PKCS1
            key.verify(signature, signed, pad, digest.algorithm)
        else:
            raise AuthenticationFailed("the signature is not of the certificate's kind of key")
    except (InvalidSignature, ValueError):
        raise IntegrityFailed("the signature does not fit the content") from None
    except UnsupportedAlgorithm:
        raise InsufficientSecurity("the signature algorithm is not supported") from None


def _pss(parameters: bytes, digest: Digest, policy: Policy) -> padding.PSS:
    if parameters in _ABSENT:
        return padding.PSS(padding.MGF1(digest.algorithm), padding.PSS.AUTO)
    decoded = decode(PssParameters, parameters)
    mask = Digest.SHA1
    if decoded.mask is not None:
        if der.oid(decoded.mask.algorithm.dotted_string) != MGF1:
            raise InsufficientSecurity("the mask generation is not supported")
        mask = hash_named(decoded.mask.digest)
    policy.require(mask)
    salt = _DEFAULT_SALT if decoded.salt is None else decoded.salt
    if not 0 <= salt <= _MAX_SALT or decoded.trailer not in {None, _PSS_TRAILER}:
        raise MalformedCms("the parameters of RSASSA-PSS are out of range")
    return padding.PSS(padding.MGF1(mask.algorithm), salt)
