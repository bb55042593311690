"""Signed attributes (RFC 5652 5.3, 11): what must stand in them, and fit."""

from .. import der
from ..algorithms import SIGNATURES, Digest, Signature, digest_of, split_identifier
from ..errors import IntegrityFailed, MalformedCms
from .content import DATA, tags
from .signing import CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME
from .usual import Usual

# Each costs an element; real ones have three to seven.
MAX_ATTRIBUTES = 64

_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME = map(der.oid, (CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME))
# RFC 6211 2: the identifiers once more, inside the signature.
_ALGORITHM_PROTECTION = der.oid("1.2.840.113549.1.9.52")
_ATTRIBUTE = (der.SEQUENCE, der.OBJECT_IDENTIFIER, der.SET)
_SIGNATURE_TAG = 0xA1
# The header of a message digest.
_OCTETS = {digest: der.header(der.OCTET_STRING, digest.size) for digest in Digest}

# Attributes that were right, but for the time and the digest in them: by all that they were held against.
_usual: Usual[bool] = Usual()


def check_attributes(
    attributes: bytes, kind: bytes, digest: Digest, scheme: Signature, message_digest: bytes
) -> None:
    """Return if content type and digest stand in `attributes`, the contents of their SET, once, and fit.

    Raises IntegrityFailed if not, MalformedCms where they are none.
    """
    key = (kind, digest, scheme)
    if (found := _usual.find(key, attributes)) is not None:
        digest_first, first, second = found
        if (first if digest_first else second) == message_digest:
            return
    values = _values(attributes)
    # RFC 8551 2.4.2: what is signed as another type is another thing, and no message.
    if kind != DATA or _value(attributes, values, _CONTENT_TYPE) != kind:
        raise IntegrityFailed("the signed content type is not the message's")
    if _value(attributes, values, _MESSAGE_DIGEST) != _OCTETS[digest] + message_digest:
        raise IntegrityFailed("the digest does not fit the content")
    protection = _value(attributes, values, _ALGORITHM_PROTECTION)
    if _ALGORITHM_PROTECTION in values and not _protected(protection, digest, scheme):
        raise IntegrityFailed("the signed algorithms are not the message's")
    time = values.get(_SIGNING_TIME)
    if time is not None:
        octets = values[_MESSAGE_DIGEST]
        assert octets is not None
        held = octets._replace(start=octets.stop - len(message_digest))
        digest_first = held.start < time.start
        _usual.keep(key, attributes, *((held, time) if digest_first else (time, held)), digest_first)


def _values(attributes: bytes) -> dict[bytes, der.Element | None]:
    """The SET of values of each attribute (5.3) by its type; a type that comes twice has none."""
    values: dict[bytes, der.Element | None] = {}
    for tag, _, start, stop in der.children(attributes, 0, len(attributes), limit=MAX_ATTRIBUTES):
        kind = der.element_at(attributes, start, stop)
        value = der.element_at(attributes, kind.stop, stop)
        if (tag, kind.tag, value.tag, value.stop) != (*_ATTRIBUTE, stop):
            raise MalformedCms("not an Attribute")
        name = attributes[start : kind.stop]
        values[name] = None if name in values else value
    return values


def _value(attributes: bytes, values: dict[bytes, der.Element | None], name: bytes) -> bytes:
    """The encoded values of one attribute; empty where it is missing, or comes twice."""
    found = values.get(name)
    return attributes[found.start : found.stop] if found is not None else b""


def _protected(protection: bytes, digest: Digest, scheme: Signature) -> bool:
    """True if a CMSAlgorithmProtection names the algorithms in use (RFC 6211 2)."""
    outer = der.element_at(protection, 0, len(protection))
    parts = der.children(protection, outer.start, outer.stop, limit=3)
    if tags(parts) != (der.SEQUENCE, _SIGNATURE_TAG):
        return False
    first, second = (protection[part.start : part.stop] for part in parts)
    named, hashed_with = SIGNATURES.get(split_identifier(second)[0], (None, None))
    return digest_of(first) is digest and named is scheme and (hashed_with or digest) is digest
