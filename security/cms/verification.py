"""SignedData (RFC 5652 5): checking one.

Nothing inside the message says who is believed: its certificates are not even decoded. What counts are the
certificates that the caller passes.
"""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .. import der
from ..algorithms import SIGNATURES, Digest, Policy, Signature, digest_of, split_identifier
from ..errors import (
    AuthenticationFailed,
    InsufficientSecurity,
    IntegrityFailed,
    MalformedCms,
    SecurityError,
)
from ..trust import facts, valid_at
from .content import DATA, ContentType, encapsulated, fields, read, tags
from .declarations import Attribute, SignerInfo, decode
from .signature import check_signature, pss_digest, signed_octets
from .signing import CONTENT_TYPE, MESSAGE_DIGEST

# Signatures of one message: more than one is rare, and each costs a verification.
MAX_SIGNERS = 16
# A SignerInfo holds digests, a name and a signature; some carry a time stamp beside them.
MAX_SIGNER_INFO = 64 * 1024

# RFC 6211 2: the identifiers once more, inside the signature.
_ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
_SKI_TAG = 0x80
_SIGNATURE_TAG = 0xA1
_CERTIFICATES, _REVOCATIONS = 0xA0, 0xA1
_OPTIONAL = ((), (_CERTIFICATES,), (_REVOCATIONS,), (_CERTIFICATES, _REVOCATIONS))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a partner signed, its digest under the signer's algorithm, and the certificate it is pinned to."""

    content: bytes
    digest: Digest
    message_digest: bytes
    certificate: x509.Certificate


class _Parts(NamedTuple):
    kind: bytes
    content: memoryview | None
    certificates: bytes
    signers: list[SignerInfo]


def verify(
    data: bytes,
    content: bytes | None,
    certificates: Sequence[x509.Certificate],
    *,
    policy: Policy,
    now: datetime.datetime,
) -> Verified:
    """Check the SignedData `data` over `content` (None: over the content inside it).

    Only a signature of one of `certificates`, valid at `now`, counts; with several signers, one such is
    enough. Raises MalformedCms for no SignedData; AuthenticationFailed for no signer, none of `certificates`,
    or one outside its validity; InsufficientSecurity for algorithms outside `policy`; IntegrityFailed where
    digest or signature do not fit the content.
    """
    parts = read(data, _parts)
    if content is None:
        if parts.content is None:
            raise MalformedCms("there is no content to verify")
        content = bytes(parts.content)
    if not parts.signers:
        raise AuthenticationFailed("there is no signer")
    refusal: SecurityError = AuthenticationFailed("no signer has a certificate of the partner")
    expired = AuthenticationFailed("the signer's certificate is outside its validity")
    pairs = [(info, one) for info in parts.signers for one in certificates if _is_signer(info, one)]
    for info, certificate in pairs:
        if not valid_at(certificate, now):
            refusal = expired
            continue
        try:
            return _check(info, certificate, content, parts, policy)
        except SecurityError as error:
            refusal = error
    raise refusal


def _parts(data: bytes) -> _Parts:
    """The outer layers (5.1): certificates and revocation lists are passed over."""
    found = fields(data, ContentType.SIGNED, limit=6)
    kinds = tags(found)
    if (
        kinds[:3] != (der.INTEGER, der.SET, der.SEQUENCE)
        or kinds[-1] != der.SET
        or kinds[3:-1] not in _OPTIONAL
    ):
        raise MalformedCms("not a SignedData")
    kind, content = encapsulated(data, found[2])
    infos = der.children(data, found[-1].start, found[-1].stop, limit=MAX_SIGNERS)
    if any(info.stop - info.header > MAX_SIGNER_INFO for info in infos):
        raise MalformedCms("a SignerInfo is larger than any real one")
    certificates = data[found[3].start : found[3].stop] if found[3].tag == _CERTIFICATES else b""
    signers = [decode(SignerInfo, data[info.header : info.stop]) for info in infos]
    return _Parts(kind, content, certificates, signers)


def _is_signer(info: SignerInfo, certificate: x509.Certificate) -> bool:
    """True if `info` names `certificate`, by issuer and serial number or by key identifier (5.3)."""
    match info.signer.tag_bytes[0]:
        case der.SEQUENCE:
            return info.signer.data == facts(certificate).name
        case tag if tag == _SKI_TAG:
            return info.signer.data == facts(certificate).key_identifier
        case _:
            return False


def _check(
    info: SignerInfo, certificate: x509.Certificate, content: bytes, parts: _Parts, policy: Policy
) -> Verified:
    digest = digest_of(bytes(info.digest_algorithm.data))
    policy.require(digest)
    scheme, hashed_with, parameters = _scheme(info, digest)
    policy.require(scheme)
    policy.require(hashed_with)
    running = digest.new()
    running.update(content)
    message_digest = running.digest()
    if info.signed_attributes is None:
        _allow_bare(content, parts.kind, policy)
        signed = content
    else:
        _check_attributes(info, parts.kind, digest, scheme, message_digest)
        signed = signed_octets(info.signed_attributes)
    try:
        check_signature(
            facts(certificate).public_key,
            scheme=scheme,
            digest=hashed_with,
            parameters=parameters,
            signature=info.signature,
            signed=signed,
            policy=policy,
        )
    except IntegrityFailed:
        if _shows_another(parts.certificates, certificate):
            raise AuthenticationFailed("the signer has another certificate of the same name") from None
        raise
    return Verified(
        content=bytes(content), digest=digest, message_digest=message_digest, certificate=certificate
    )


def _shows_another(certificates: bytes, certificate: x509.Certificate) -> bool:
    """True if the message carries certificates and ours is not one: then the key is wrong, not the content.

    It is asked only to name the reason of a refusal.
    """
    return bool(certificates) and certificate.public_bytes(serialization.Encoding.DER) not in certificates


def _scheme(info: SignerInfo, digest: Digest) -> tuple[Signature, Digest, bytes]:
    """Signature scheme, its digest and its parameters."""
    oid, parameters = split_identifier(bytes(info.signature_algorithm.data))
    scheme, named = SIGNATURES.get(oid, (None, None))
    if scheme is None:
        raise InsufficientSecurity("the signature algorithm is not supported")
    if scheme is Signature.RSA_PSS:
        return scheme, pss_digest(parameters, digest), parameters
    return scheme, named or digest, parameters


def _allow_bare(content: bytes, kind: bytes, policy: Policy) -> None:
    """Whether a signature directly over `content` may count.

    Attributes that someone signed, sent as content, would verify: so content that reads as such is refused
    (RFC 5652 11; 5.3 wants attributes for every content but id-data).
    """
    if not policy.allow_no_signed_attributes:
        raise InsufficientSecurity("a signature without signed attributes is not allowed")
    if kind != DATA or _reads_as_attributes(content):
        raise IntegrityFailed("a content of this kind needs signed attributes")


def _reads_as_attributes(content: bytes) -> bool:
    """True for anything that is one SET from end to end: what is in it is not worth a second opinion."""
    try:
        outer = der.element_at(content, 0, len(content))
    except MalformedCms:
        return False
    return outer.tag == der.SET and outer.stop == len(content)


def _check_attributes(
    info: SignerInfo, kind: bytes, digest: Digest, scheme: Signature, message_digest: bytes
) -> None:
    """11.1, 11.2: content type and digest stand in the attributes once, and fit."""
    values = _values(info.signed_attributes or [])
    if values.get(CONTENT_TYPE) != kind:
        raise IntegrityFailed("the signed content type is not the message's")
    if values.get(MESSAGE_DIGEST) != der.tlv(der.OCTET_STRING, message_digest):
        raise IntegrityFailed("the digest does not fit the content")
    protection = values.get(_ALGORITHM_PROTECTION)
    if protection is not None and not _protected(protection, digest, scheme):
        raise IntegrityFailed("the signed algorithms are not the message's")


def _values(attributes: list[Attribute]) -> dict[str, bytes]:
    """The encoded values of each attribute by its type; a type that comes twice has none."""
    values: dict[str, bytes] = {}
    for attribute in attributes:
        kind = attribute.type.dotted_string
        known = kind in values or attribute.values.tag_bytes[0] != der.SET
        values[kind] = b"" if known else bytes(attribute.values.data)
    return values


def _protected(protection: bytes, digest: Digest, scheme: Signature) -> bool:
    """True if a CMSAlgorithmProtection names the algorithms in use (RFC 6211 2)."""
    outer = der.element_at(protection, 0, len(protection))
    parts = der.children(protection, outer.start, outer.stop, limit=3)
    if tags(parts) != (der.SEQUENCE, _SIGNATURE_TAG):
        return False
    first, second = (protection[part.start : part.stop] for part in parts)
    return digest_of(first) is digest and SIGNATURES.get(split_identifier(second)[0], (None,))[0] is scheme
