"""EnvelopedData (RFC 5652 6) and AuthEnvelopedData (RFC 5083): opening one.

Whatever goes wrong is the same DecryptionFailed. The one other answer, InsufficientSecurity, is given on the
identifiers that the message shows to everybody, before any key of ours is used.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from .. import der
from ..algorithms import Mode, Policy
from ..errors import DecryptionFailed, MalformedCms
from ..keystore import PrivateKey
from ..trust import facts
from .ciphers import Encryption, read_algorithm, unseal
from .content import ContentType, content_type, fields, read, tags
from .declarations import KeyAgreeRecipientInfo, Raw, decode
from .recipients import Agreement, agreed_key, read_agreement, read_transport, rsa_key
from .usual import Usual

# A message for one of our agreements is for our certificates and the sender's own copies.
MAX_RECIPIENTS = 64
# A name, an identifier and an encrypted key of an RSA key as large as any.
MAX_RECIPIENT_INFO = 64 * 1024

_KEY_AGREEMENT = 0xA1
_ORIGINATOR_INFO = 0xA0
_ATTRIBUTES = 0xA1
_UNAUTHENTICATED = 0xA2
_STRING, _STRING_IN_PIECES = 0x80, 0xA0
_BY_IDENTIFIER = 0x80
_SEQUENCE = bytes((der.SEQUENCE,))
_ENCRYPTED_CONTENT = frozenset(
    (der.OBJECT_IDENTIFIER, der.SEQUENCE, string) for string in (_STRING, _STRING_IN_PIECES)
)
_KEY_TRANSPORT = frozenset(
    (der.INTEGER, identifier, der.SEQUENCE, der.OCTET_STRING) for identifier in (der.SEQUENCE, _BY_IDENTIFIER)
)


@dataclasses.dataclass(frozen=True, slots=True)
class DecryptionKey:
    """A private key of ours with the certificate that partners encrypt to."""

    certificate: x509.Certificate
    private_key: PrivateKey


class _Envelope(NamedTuple):
    recipients: list[bytes]
    encryption: Encryption
    content: memoryview
    tag: bytes
    covered: bytes


class _Transported(NamedTuple):
    """A key that RSA carries to us."""

    private_key: rsa.RSAPrivateKey
    encrypted: bytes
    padding: padding.AsymmetricPadding


class _Agreed(NamedTuple):
    """A key that ECDH carries to us."""

    private_key: ec.EllipticCurvePrivateKey
    encrypted: bytes
    agreement: Agreement
    point: bytes


# What recipients have in common that were made for the same key of ours, but for what is encrypted in them.
_transports: Usual[tuple[DecryptionKey, rsa.RSAPrivateKey, bytes]] = Usual()
_agreements: Usual[tuple[DecryptionKey, ec.EllipticCurvePrivateKey, Agreement]] = Usual()


def decrypt(data: bytes, keys: Sequence[DecryptionKey], *, policy: Policy) -> bytes:
    """The content of the EnvelopedData or AuthEnvelopedData `data`, opened with the one of `keys` it is for.

    Raises DecryptionFailed, always the same, for every failure: no such structure, no recipient among `keys`,
    a bad key, padding or tag. Raises InsufficientSecurity where the message names algorithms outside
    `policy`. The content of CBC is not authenticated: nothing may be told about it before a signature inside
    is verified.
    """
    try:
        content = _decrypt(data, keys, policy)
    except MalformedCms:
        content = None
    if content is None:  # raised out here: no cause hangs on it
        raise DecryptionFailed
    return content


def _decrypt(data: bytes, keys: Sequence[DecryptionKey], policy: Policy) -> bytes | None:
    envelope = read(data, _open)
    policy.require(envelope.encryption.cipher)
    ours = _find(envelope.recipients, keys, policy)
    if ours is None:
        return None
    size = envelope.encryption.cipher.key_size
    if isinstance(ours, _Transported):
        key = rsa_key(ours.private_key, ours.encrypted, ours.padding, size)
    else:
        agreed = agreed_key(ours.agreement, ours.point, ours.encrypted, ours.private_key)
        if agreed is None or len(agreed) != size:
            return None
        key = agreed
    return unseal(envelope.content, key, envelope.encryption, envelope.tag, envelope.covered)


def _open(data: bytes) -> _Envelope:
    """The outer layers (6.1; RFC 5083 2.1)."""
    kind = content_type(data)
    if kind not in {ContentType.ENVELOPED, ContentType.AUTH_ENVELOPED}:
        raise MalformedCms("not encrypted")
    found = fields(data, kind, limit=7)
    if found[1:] and found[1].tag == _ORIGINATOR_INFO:
        del found[1]
    if tags(found[:3]) != (der.INTEGER, der.SET, der.SEQUENCE):
        raise MalformedCms("not an EnvelopedData")
    infos = der.children(data, found[1].start, found[1].stop, limit=MAX_RECIPIENTS)
    recipients = [data[info.header : info.stop] for info in infos]
    if max(map(len, recipients), default=0) > MAX_RECIPIENT_INFO:
        raise MalformedCms("a RecipientInfo is larger than any real one")
    encryption, content = _encrypted(data, found[2])
    if kind is ContentType.AUTH_ENVELOPED:
        tag, covered = _authentication(data, found[3:], encryption)
        return _Envelope(recipients, encryption, content, tag, covered)
    if encryption.cipher.mode is Mode.GCM:  # the dialect: the tag stands behind the content
        cut = max(0, len(content) - encryption.tag_size)
        return _Envelope(recipients, encryption, content[:cut], bytes(content[cut:]), b"")
    return _Envelope(recipients, encryption, content, b"", b"")


def _encrypted(data: bytes, element: der.Element) -> tuple[Encryption, memoryview]:
    """An EncryptedContentInfo (6.1)."""
    parts = der.children(data, element.start, element.stop, limit=3)
    if tags(parts) not in _ENCRYPTED_CONTENT:
        raise MalformedCms("not an EncryptedContentInfo")
    _, algorithm, string = parts
    encryption = read_algorithm(data[algorithm.start : algorithm.stop])
    content = memoryview(data)[string.start : string.stop]
    if string.tag == _STRING_IN_PIECES:
        content = _joined(content)
    return encryption, content


def _joined(pieces: memoryview) -> memoryview:
    """The string whose pieces are in `pieces`: a streaming sender cuts [0] IMPLICIT OCTET STRING so."""
    limit = der.FREE_ELEMENTS + len(pieces) // der.OCTETS_PER_ELEMENT
    found = der.children(pieces, 0, len(pieces), limit=limit)
    if any(piece.tag != der.OCTET_STRING for piece in found):
        raise MalformedCms("not the pieces of a string")
    return memoryview(b"".join(pieces[piece.start : piece.stop] for piece in found))


def _authentication(data: bytes, rest: list[der.Element], encryption: Encryption) -> tuple[bytes, bytes]:
    """The tag, and the octets it covers beside the content: the attributes as SET OF (RFC 5083 2.2)."""
    covered = b""
    if rest and rest[0].tag == _ATTRIBUTES:
        covered = bytes((der.SET,)) + data[rest[0].header + 1 : rest[0].stop]
        rest = rest[1:]
    if tags(rest) not in {(der.OCTET_STRING,), (der.OCTET_STRING, _UNAUTHENTICATED)}:
        raise MalformedCms("not an AuthEnvelopedData")
    tag = data[rest[0].start : rest[0].stop]
    if encryption.cipher.mode is not Mode.GCM or len(tag) != encryption.tag_size:
        raise MalformedCms("the tag does not fit the cipher")
    return tag, covered


def _find(
    recipients: list[bytes], keys: Sequence[DecryptionKey], policy: Policy
) -> _Transported | _Agreed | None:
    """The first recipient that is one of `keys`. Other kinds of recipient are passed over."""
    for recipient in recipients:
        found: _Transported | _Agreed | None = None
        if recipient[0] == der.SEQUENCE:
            found = _usual_transport(recipient, keys, policy) or _find_transported(recipient, keys, policy)
        elif recipient[0] == _KEY_AGREEMENT:
            found = _usual_agreement(recipient, keys, policy) or _find_agreed(recipient, keys, policy)
        if found is not None:
            return found
    return None


def _usual_transport(recipient: bytes, keys: Sequence[DecryptionKey], policy: Policy) -> _Transported | None:
    for key in keys:
        usual = _transports.find(id(key), recipient)
        if usual is not None and usual[0][0] is key:
            (_, private_key, algorithm), encrypted, _ = usual
            policy.require_rsa_bits(private_key.key_size)
            return _Transported(private_key, encrypted, read_transport(algorithm, policy))
    return None


def _find_transported(recipient: bytes, keys: Sequence[DecryptionKey], policy: Policy) -> _Transported | None:
    outer = der.element_at(recipient, 0, len(recipient))
    found = der.children(recipient, outer.start, outer.stop, limit=4)
    if tags(found) not in _KEY_TRANSPORT:
        raise MalformedCms("not a KeyTransRecipientInfo")
    _, identifier, identified, octets = found
    named = recipient[identifier.start : identifier.stop]
    for key in keys:
        private_key = key.private_key
        if isinstance(private_key, rsa.RSAPrivateKey) and named == _name_of(key, identifier.tag):
            policy.require_rsa_bits(private_key.key_size)
            algorithm = recipient[identified.start : identified.stop]
            pad = read_transport(algorithm, policy)
            end = octets._replace(start=octets.stop)
            _transports.keep(id(key), recipient, octets, end, (key, private_key, algorithm))
            return _Transported(private_key, recipient[octets.start : octets.stop], pad)
    return None


def _name_of(key: DecryptionKey, tag: int) -> bytes:
    """What a RecipientIdentifier of this `tag` holds where it is the certificate of `key`."""
    known = facts(key.certificate)
    return known.name if tag == der.SEQUENCE else known.key_identifier


def _usual_agreement(recipient: bytes, keys: Sequence[DecryptionKey], policy: Policy) -> _Agreed | None:
    for key in keys:
        usual = _agreements.find(id(key), recipient)
        if usual is not None and usual[0][0] is key:
            (_, private_key, agreement), point, wrapped = usual
            policy.require(agreement.how)
            return _Agreed(private_key, wrapped, agreement, point)
    return None


def _find_agreed(recipient: bytes, keys: Sequence[DecryptionKey], policy: Policy) -> _Agreed | None:
    info = decode(KeyAgreeRecipientInfo, _SEQUENCE + recipient[1:])
    for each in info.recipients:
        for key in keys:
            private_key = key.private_key
            if not isinstance(private_key, ec.EllipticCurvePrivateKey):
                continue
            if _is_recipient(each.recipient, key.certificate):
                agreement, point = read_agreement(info)
                policy.require(agreement.how)
                if len(info.recipients) == 1:
                    places = _places(recipient, len(point), len(each.encrypted_key))
                    _agreements.keep(id(key), recipient, *places, (key, private_key, agreement))
                return _Agreed(private_key, each.encrypted_key, agreement, point)
    return None


def _places(recipient: bytes, point: int, wrapped: int) -> tuple[der.Element, der.Element]:
    """Where the two that differ stand, by their sizes: at the end of the originator, and of the whole."""
    outer = der.element_at(recipient, 0, len(recipient))
    originator = der.children(recipient, outer.start, outer.stop, limit=5)[1]
    return (
        originator._replace(start=originator.stop - point),
        outer._replace(start=outer.stop - wrapped),
    )


def _is_recipient(identifier: Raw, certificate: x509.Certificate) -> bool:
    """True if `identifier` names `certificate` (6.2.1, 6.2.2)."""
    known = facts(certificate)
    match identifier.tag_bytes[0]:
        case der.SEQUENCE:
            return identifier.data == known.name
        case tag if tag == _BY_IDENTIFIER:
            return identifier.data == known.key_identifier
        case tag if tag == _STRING_IN_PIECES:  # [0] RecipientKeyIdentifier: the identifier stands first
            first = der.element_at(identifier.data, 0, len(identifier.data))
            return identifier.data[first.start : first.stop] == known.key_identifier
        case _:
            return False
