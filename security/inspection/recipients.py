"""Recipients of an encrypted message, for a person to look at (RFC 5652 6.2)."""

from .. import der
from ..algorithms import KEY_AGREEMENTS, KEY_WRAPS, RSA_ENCRYPTION, RSA_OAEP, split_identifier
from ..cms.declarations import (
    KeyAgreeRecipientInfo,
    KeyTransRecipientInfo,
    OaepParameters,
    OriginatorPublicKey,
    Raw,
    decode,
)
from ..errors import MalformedCms, SecurityError
from .naming import dotted, name_of
from .parts import ABSENT, MAX_INFO, MAX_LISTED, hash_text, holder_of, mask_text, why
from .values import Keying, ShownRecipient

_AGREEMENT = 0xA1
_ALL_DEFAULTS = der.tlv(der.SEQUENCE)
_ORIGINATOR_KEY = 0xA1
_KEYINGS = {
    _AGREEMENT: Keying.AGREEMENT,
    0xA2: Keying.KEY_ENCRYPTION,
    0xA3: Keying.PASSWORD,
    0xA4: Keying.OTHER,
}


def show_recipients(info: bytes) -> tuple[ShownRecipient, ...]:
    """What the RecipientInfo `info` shows: one recipient, or those of one key agreement. Never raises."""
    keying = _KEYINGS.get(info[0], Keying.TRANSPORT if info[0] == der.SEQUENCE else Keying.OTHER)
    try:
        if len(info) > MAX_INFO:
            raise MalformedCms("larger than any real one")
        if keying is Keying.TRANSPORT:
            return (_transport(decode(KeyTransRecipientInfo, info)),)
        if keying is Keying.AGREEMENT:
            return _agreement(decode(KeyAgreeRecipientInfo, bytes((der.SEQUENCE,)) + info[1:]))
    except (SecurityError, ValueError) as error:
        return (ShownRecipient(keying=keying, problem=why(error)),)
    return (ShownRecipient(keying=keying),)


def _transport(info: KeyTransRecipientInfo) -> ShownRecipient:
    oid, parameters = split_identifier(bytes(info.algorithm.data))
    size = len(info.encrypted_key)
    name, digest, mask = "rsa-pkcs1" if oid == RSA_ENCRYPTION else name_of(dotted(oid)), "", ""
    if oid == RSA_OAEP:
        oaep = decode(OaepParameters, _ALL_DEFAULTS if parameters in ABSENT else parameters)
        name, digest, mask = "rsa-oaep", hash_text(oaep.digest), mask_text(oaep.mask)
    return ShownRecipient(
        keying=Keying.TRANSPORT,
        holder=holder_of(info.recipient),
        algorithm=name,
        digest=digest,
        mask=mask,
        # What RSA encrypts is as long as its modulus, so this is the one thing seen of the key.
        key=f"RSA {8 * size}",
        encrypted_key=size,
    )


def _agreement(info: KeyAgreeRecipientInfo) -> tuple[ShownRecipient, ...]:
    oid, wrap = split_identifier(bytes(info.algorithm.data))
    how = KEY_AGREEMENTS.get(oid)
    wrapped_with = ""
    if wrap:
        outer = der.element_at(wrap, 0, len(wrap))
        named, _ = split_identifier(wrap[outer.start : outer.stop])
        size = KEY_WRAPS.get(named)
        wrapped_with = f"aes{8 * size}-wrap" if size else name_of(dotted(named))
    return tuple(
        ShownRecipient(
            keying=Keying.AGREEMENT,
            holder=holder_of(one.recipient),
            algorithm="ecdh" if how is not None else name_of(dotted(oid)),
            digest=how.digest.value if how is not None else "",
            wrap=wrapped_with,
            key=_ephemeral(info.originator),
            encrypted_key=len(one.encrypted_key),
        )
        for one in info.recipients[:MAX_LISTED]
    )


def _ephemeral(originator: Raw) -> str:
    """The curve, where the message names it, and the size of its public key in any case."""
    if originator.tag_bytes[0] != _ORIGINATOR_KEY:
        return "static key"
    key = decode(OriginatorPublicKey, der.tlv(der.SEQUENCE, bytes(originator.data)))
    oid, parameters = split_identifier(bytes(key.algorithm.data))
    curve = name_of(dotted(parameters)) if parameters not in ABSENT else "curve of the recipient"
    return f"{name_of(dotted(oid))} {curve}"
