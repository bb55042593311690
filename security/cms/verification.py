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
from ..algorithms import SIGNATURES, WHOLE_SIGNATURES, Digest, Policy, Signature, digest_of, split_identifier
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
from .content import DATA, ContentType, encapsulated, fields, read, tags
from .signature import check_signature, pss_digest
from .usual import Usual

# Signatures of one message: more than one is rare, and each costs a verification.
MAX_SIGNERS = 16
# A SignerInfo holds digests, a name and a signature; some carry a time stamp beside them.
MAX_SIGNER_INFO = 64 * 1024
# A chain is two to four, and two signers are rare.
MAX_CERTIFICATES = 64

_SKI_TAG = 0x80
_SIGNED_ATTRIBUTES, _UNSIGNED_ATTRIBUTES = 0xA0, 0xA1
_CERTIFICATES, _REVOCATIONS = 0xA0, 0xA1
_BEFORE_OPTIONAL = (der.INTEGER, der.SET, der.SEQUENCE)
_OPTIONAL = ((), (_CERTIFICATES,), (_REVOCATIONS,), (_CERTIFICATES, _REVOCATIONS))
_SIGNER_INFO = frozenset(
    (der.INTEGER, identifier, der.SEQUENCE, *attributes, der.SEQUENCE, der.OCTET_STRING, *unsigned)
    for identifier in (der.SEQUENCE, _SKI_TAG)
    for attributes in ((), (_SIGNED_ATTRIBUTES,))
    for unsigned in ((), (_UNSIGNED_ATTRIBUTES,))
)


class Verified(NamedTuple):
    """What a partner signed, its digest under the signer's algorithm, and the certificate it is pinned to."""

    content: bytes
    digest: Digest
    message_digest: bytes
    certificate: x509.Certificate
    fingerprint: str


class _SignerInfo(NamedTuple):
    """5.3, as slices of the message; `attributes` are those that are signed, None where there are none."""

    by_identifier: bool
    identifier: bytes
    digest_algorithm: bytes
    signature_algorithm: bytes
    attributes: bytes | None
    signature: bytes
    unsigned: bool
    places: tuple[der.Element, der.Element] | None


class _Algorithms(NamedTuple):
    """Of a signature: the digest of the content, the scheme, the digest of what is signed, parameters."""

    digest: Digest
    scheme: Signature
    hashed_with: Digest
    parameters: bytes


class _Parts(NamedTuple):
    """5.1; `data` is what it was read from, in DER."""

    data: bytes
    digests: bytes
    kind: bytes
    content: memoryview | None
    certificates: bytes
    revocations: bool
    signers: list[_SignerInfo]


# What one signer's messages have in common, by the certificate that is pinned.
_usual: Usual[tuple[_Parts, _Algorithms, Facts]] = Usual()


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
    it (see `_is_closed`); authorities do not count then.

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
    parts = read(data, _parts)
    if malleable and not _is_closed(parts, certificates, in_ber=parts.data is not data):
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
        carried = _carried(parts.certificates)
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


def _is_closed(parts: _Parts, certificates: Sequence[x509.Certificate], *, in_ber: bool) -> bool:
    """Whether nothing stands beside what is signed that could be taken apart in more ways than one.

    Under CBC whoever sends can put blocks where they are not looked at, and learns from each answer whether
    what they decrypt to reads as the next element. In DER that takes an element behind one that is skipped;
    to read BER everything is taken apart, so all of it must be known.
    """
    if parts.revocations or any(info.unsigned for info in parts.signers):
        return False
    if not in_ber:
        return True
    ours = {one.public_bytes(serialization.Encoding.DER) for one in certificates}
    digests = {der.tlv(der.SEQUENCE, info.digest_algorithm) for info in parts.signers}
    carried = der.children(parts.certificates, 0, len(parts.certificates), limit=MAX_CERTIFICATES)
    return parts.digests in digests and all(
        parts.certificates[each.header : each.stop] in ours for each in carried
    )


def _parts(data: bytes) -> _Parts:
    """The outer layers (5.1): certificates and revocation lists are passed over."""
    found = fields(data, ContentType.SIGNED, limit=6)
    kinds = tags(found)
    if kinds[:3] != _BEFORE_OPTIONAL or kinds[-1] != der.SET or kinds[3:-1] not in _OPTIONAL:
        raise MalformedCms("not a SignedData")
    kind, content = encapsulated(data, found[2])
    infos = der.children(data, found[-1].start, found[-1].stop, limit=MAX_SIGNERS)
    certificates = data[found[3].start : found[3].stop] if found[3].tag == _CERTIFICATES else b""
    return _Parts(
        data=data,
        digests=data[found[1].start : found[1].stop],
        kind=kind,
        content=content,
        certificates=certificates,
        revocations=_REVOCATIONS in kinds[3:-1],
        signers=[_signer_info(data, info) for info in infos],
    )


def _signer_info(data: bytes, info: der.Element) -> _SignerInfo:
    _, header, start, stop = info
    if stop - header > MAX_SIGNER_INFO:
        raise MalformedCms("a SignerInfo is larger than any real one")
    found = der.children(data, start, stop, limit=7)
    kinds = tags(found)
    if info.tag != der.SEQUENCE or kinds not in _SIGNER_INFO:
        raise MalformedCms("not a SignerInfo")
    _, identifier, digest_algorithm, *rest = found
    attributes = rest.pop(0) if rest[0].tag == _SIGNED_ATTRIBUTES else None
    signature_algorithm, signature, *unsigned = rest
    return _SignerInfo(
        by_identifier=identifier.tag == _SKI_TAG,
        identifier=data[identifier.start : identifier.stop],
        digest_algorithm=data[digest_algorithm.start : digest_algorithm.stop],
        signature_algorithm=data[signature_algorithm.start : signature_algorithm.stop],
        attributes=data[attributes.start : attributes.stop] if attributes else None,
        signature=data[signature.start : signature.stop],
        unsigned=bool(unsigned),
        places=(attributes, signature) if attributes else None,
    )


def _carried(certificates: bytes) -> list[bytes]:
    """The certificates in the message, those of X.509 (10.2.2), so many as anybody looks at."""
    found = der.children(certificates, 0, len(certificates), limit=MAX_CERTIFICATES)
    return [certificates[each.header : each.stop] for each in found if each.tag == der.SEQUENCE]


def _signers(parts: _Parts, certificates: Sequence[x509.Certificate]) -> list[tuple[_SignerInfo, Facts]]:
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
    parts: _Parts,
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


def _algorithms(info: _SignerInfo) -> _Algorithms:
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
