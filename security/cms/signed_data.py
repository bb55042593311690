"""SignedData (RFC 5652 5.1): what stands where, as slices of the message. Nothing in it is believed here."""

from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .. import der
from ..algorithms import WHOLE_DIGESTS
from ..errors import MalformedCms
from .content import ContentType, encapsulated, fields, tags

# Signatures of one message: more than one is rare, and each costs a verification.
MAX_SIGNERS = 16
# A SignerInfo holds digests, a name and a signature; some carry a time stamp beside them.
MAX_SIGNER_INFO = 64 * 1024
# A chain is two to four, and two signers are rare.
MAX_CERTIFICATES = 64

_KNOWN_DIGESTS = frozenset(der.tlv(der.SEQUENCE, contents) for contents in WHOLE_DIGESTS)
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


class SignerInfo(NamedTuple):
    """5.3, as slices of the message; `attributes` are those that are signed, None where there are none."""

    by_identifier: bool
    identifier: bytes
    digest_algorithm: bytes
    signature_algorithm: bytes
    attributes: bytes | None
    signature: bytes
    unsigned: bool
    places: tuple[der.Element, der.Element] | None


class Parts(NamedTuple):
    """5.1; `data` is what it was read from, in DER."""

    data: bytes
    digests: bytes
    kind: bytes
    content: memoryview | None
    certificates: bytes
    revocations: bool
    signers: list[SignerInfo]


def read_parts(data: bytes) -> Parts:
    """The outer layers (5.1): certificates and revocation lists are passed over."""
    found = fields(data, ContentType.SIGNED, limit=6)
    kinds = tags(found)
    if kinds[:3] != _BEFORE_OPTIONAL or kinds[-1] != der.SET or kinds[3:-1] not in _OPTIONAL:
        raise MalformedCms("not a SignedData")
    kind, content = encapsulated(data, found[2])
    infos = der.children(data, found[-1].start, found[-1].stop, limit=MAX_SIGNERS)
    certificates = data[found[3].start : found[3].stop] if found[3].tag == _CERTIFICATES else b""
    return Parts(
        data=data,
        digests=data[found[1].start : found[1].stop],
        kind=kind,
        content=content,
        certificates=certificates,
        revocations=_REVOCATIONS in kinds[3:-1],
        signers=[_read_signer(data, info) for info in infos],
    )


def _read_signer(data: bytes, info: der.Element) -> SignerInfo:
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
    return SignerInfo(
        by_identifier=identifier.tag == _SKI_TAG,
        identifier=data[identifier.start : identifier.stop],
        digest_algorithm=data[digest_algorithm.start : digest_algorithm.stop],
        signature_algorithm=data[signature_algorithm.start : signature_algorithm.stop],
        attributes=data[attributes.start : attributes.stop] if attributes else None,
        signature=data[signature.start : signature.stop],
        unsigned=bool(unsigned),
        places=(attributes, signature) if attributes else None,
    )


def is_closed(parts: Parts, certificates: Sequence[x509.Certificate], *, in_ber: bool) -> bool:
    """Whether nothing stands beside what is signed that could be taken apart in more ways than one.

    Under CBC whoever sends can put blocks where they are not looked at, and learns from each answer whether
    what they decrypt to reads as the next element. In DER that takes an element behind one that is skipped,
    as of another signer; to read BER everything is taken apart, so all of it must be known.
    """
    if parts.revocations or [info.unsigned for info in parts.signers] != [False]:
        return False
    if parts.digests not in _KNOWN_DIGESTS or not in_ber:
        return parts.digests in _KNOWN_DIGESTS
    ours = {one.public_bytes(serialization.Encoding.DER) for one in certificates}
    carried = der.children(parts.certificates, 0, len(parts.certificates), limit=MAX_CERTIFICATES)
    return all(parts.certificates[each.header : each.stop] in ours for each in carried)


def carried_certificates(certificates: bytes) -> list[bytes]:
    """The certificates in the message, those of X.509 (10.2.2), so many as anybody looks at."""
    found = der.children(certificates, 0, len(certificates), limit=MAX_CERTIFICATES)
    return [certificates[each.header : each.stop] for each in found if each.tag == der.SEQUENCE]
