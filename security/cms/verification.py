"""SignedData (RFC 5652 5): checking one.

Nothing inside the message says who is believed: its certificates are not even decoded. What counts are the
certificates that the caller passes.
"""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .. import der
from ..algorithms import (
    SIGNATURES,
    WHOLE_SIGNATURES,
    Digest,
    Policy,
    Signature,
    digest_of,
    split_identifier,
)
from ..chain import Authorities
from ..errors import (
    AuthenticationFailed,
    InsufficientSecurity,
    IntegrityFailed,
    MalformedCms,
    SecurityError,
)
from ..trust import Facts, facts
from .attributes import check_attributes
from .content import DATA, read
from .signature import check_signature, pss_digest
from .signed_data import Parts, SignerInfo, carried_certificates, is_closed, read_parts
from .usual import Usual


class Verified(NamedTuple):
    """What a partner signed, its digest under the signer's algorithm, and the certificate it is pinned to."""

    content: bytes
    digest: Digest
    message_digest: bytes
    certificate: x509.Certificate
    fingerprint: str


class _Algorithms(NamedTuple):
    """Of a signature: the digest of the content, the scheme, the digest of what is signed, parameters."""

    digest: Digest
    scheme: Signature
    hashed_with: Digest
    parameters: bytes


# What one signer's messages have in common, by the certificate that is pinned.
_usual: Usual[tuple[Parts, _Algorithms, Facts]] = Usual()


def verify(
    data: bytes,
    content: bytes | None,
    certificates: Sequence[x509.Certificate],
    *,
    policy: Policy,
    now: datetime.datetime,
    authorities: Authorities | None = None,
    malleable: bool = False,
) -> Verified:
    """Check the SignedData `data` over `content` (None: over the content inside it).

    Only a signature of one of `certificates`, valid at `now`, counts; with several signers, one such is
    enough. Where no signer has one of them, those that `authorities` stand for count like them. `malleable`:
    whoever sends may have changed what no signature covers, and must not learn from the answer what became of
    it (see `is_closed`); authorities do not count then.

    Raises MalformedCms for no SignedData; AuthenticationFailed for no signer, none of `certificates`, or one
    outside its validity; InsufficientSecurity for algorithms outside `policy`; IntegrityFailed where digest
    or signature do not fit the content.
    """
    if content is not None:
        for certificate in certificates:
            if (found := _usual.find(id(certificate), data)) is not None:
                (parts, algorithms, known), attributes, signature = found
                if known.certificate is certificate and known.valid_at(now):
                    try:
                        return _check(algorithms, attributes, signature, known, content, parts, policy)
                    except SecurityError:
                        break  # another certificate may bear the same name: from the beginning
    return _verify(data, content, certificates, policy, now, None if malleable else authorities, malleable)


def _verify(
    data: bytes,
    content: bytes | None,
    certificates: Sequence[x509.Certificate],
    policy: Policy,
    now: datetime.datetime,
    authorities: Authorities | None,
    malleable: bool,
) -> Verified:
    """As `verify`, from the beginning."""
    parts = read(data, read_parts)
    if malleable and not is_closed(parts, certificates, in_ber=parts.data is not data):
        raise IntegrityFailed("what no signature covers is not as agreed")
    if content is None:
        if parts.content is None:
            raise MalformedCms("there is no content to verify")
        content = bytes(parts.content)
    if not parts.signers:
        raise AuthenticationFailed("there is no signer")
    signers = _signers(parts, certificates)
    refusal: SecurityError = AuthenticationFailed("no signer has a certificate of the partner")
    if not signers and authorities is not None:
        carried = carried_certificates(parts.certificates)
        if not (signers := _signers(parts, authorities.vouched(carried, now))):
            refusal = AuthenticationFailed(f"{refusal}: {authorities.doubt(carried, now)}")
    for info, known in signers:
        if not known.valid_at(now):
            refusal = AuthenticationFailed("the signer's certificate is outside its validity")
            continue
        try:
            algorithms = _algorithms(info)
            verified = _check(algorithms, info.attributes, info.signature, known, content, parts, policy)
        except SecurityError as error:
            refusal = error
            continue
        if parts.data is data and info.places is not None and len(parts.signers) == 1:
            made = (parts._replace(data=b"", content=None), algorithms, known)
            _usual.keep(id(known.certificate), data, *info.places, made)
        return verified
    raise refusal


def _signers(parts: Parts, certificates: Sequence[x509.Certificate]) -> list[tuple[SignerInfo, Facts]]:
    """The signers that name one of `certificates`, by issuer and serial or by key identifier (5.3)."""
    return [
        (info, known)
        for info in parts.signers
        for known in map(facts, certificates)
        if info.identifier == (known.key_identifier if info.by_identifier else known.name)
    ]


def _check(
    algorithms: _Algorithms,
    attributes: bytes | None,
    signature: bytes,
    known: Facts,
    content: bytes,
    parts: Parts,
    policy: Policy,
) -> Verified:
    digest, scheme, hashed_with, parameters = algorithms
    policy.require(digest)
    policy.require(scheme)
    if hashed_with is not digest:
        policy.require(hashed_with)
    message_digest = digest.new(content).digest()
    if attributes is not None:
        check_attributes(attributes, parts.kind, digest, scheme, message_digest)
        signed = der.tlv(der.SET, attributes)  # 5.4: what is signed has the tag of SET OF
    else:
        _allow_bare(content, parts.kind, policy)
        signed = content
    try:
        check_signature(
            known.public_key,
            scheme=scheme,
            digest=hashed_with,
            parameters=parameters,
            signature=signature,
            signed=signed,
            policy=policy,
        )
    except IntegrityFailed:
        if _shows_another(parts.certificates, known.certificate):
            raise AuthenticationFailed("the signer has another certificate of the same name") from None
        raise
    return Verified(content, digest, message_digest, known.certificate, known.fingerprint)


def _shows_another(certificates: bytes, certificate: x509.Certificate) -> bool:
    """True if the message carries certificates and ours is not one: then the key is wrong, not the content.

    It is asked only to name the reason of a refusal.
    """
    return bool(certificates) and certificate.public_bytes(serialization.Encoding.DER) not in certificates


def _algorithms(info: SignerInfo) -> _Algorithms:
    """What `info` names. Raises InsufficientSecurity for what is in no table, MalformedCms."""
    digest = digest_of(info.digest_algorithm)
    contents, parameters = info.signature_algorithm, b""
    scheme, named = WHOLE_SIGNATURES.get(contents, (None, None))
    if scheme is None:
        oid, parameters = split_identifier(contents)
        scheme, named = SIGNATURES.get(oid, (None, None))
    if scheme is None:
        raise InsufficientSecurity("the signature algorithm is not supported")
    if scheme is Signature.RSA_PSS:
        named = pss_digest(parameters, digest)
    return _Algorithms(digest, scheme, named or digest, parameters)


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
