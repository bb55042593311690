"""Signers of a message, for a person to look at (RFC 5652 5.3)."""

from ..algorithms import SIGNATURES, Signature, split_identifier
from ..cms.declarations import Attribute, PssParameters, SignerInfo, decode
from ..errors import MalformedCms, SecurityError
from .certificates import read_time
from .naming import dotted, name_of
from .parts import ABSENT, MAX_INFO, MAX_LISTED, digest_text, hash_text, holder_of, mask_text, why
from .values import ShownPss, ShownSigner

_DEFAULT_SALT = 20
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"


def show_signer(data: bytes) -> ShownSigner:
    """What the SignerInfo `data` shows. Never raises."""
    try:
        if len(data) > MAX_INFO:
            raise MalformedCms("larger than any real one")
        info = decode(SignerInfo, data)
        oid, parameters = split_identifier(bytes(info.signature_algorithm.data))
        scheme, named = SIGNATURES.get(oid, (None, None))
        digest = digest_text(bytes(info.digest_algorithm.data))
        values = _values(info.signed_attributes or [])
        return ShownSigner(
            holder=holder_of(info.signer),
            digest=digest,
            scheme=scheme.value if scheme is not None else name_of(dotted(oid)),
            hashed_with=named.value if named is not None else "",
            pss=_pss(parameters, digest) if scheme is Signature.RSA_PSS else None,
            attributes=_names(info.signed_attributes),
            unsigned=_names(info.unsigned_attributes) or (),
            content_type=_content_type(values.get(_CONTENT_TYPE, b"")),
            message_digest=values.get(_MESSAGE_DIGEST, b"")[2:].hex(),
            signing_time=read_time(values.get(_SIGNING_TIME, b"")),
            signature=len(info.signature),
        )
    except (SecurityError, ValueError) as error:
        return ShownSigner(problem=why(error))


def _values(attributes: list[Attribute]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for attribute in attributes:
        found.setdefault(attribute.type.dotted_string, bytes(attribute.values.data))
    return found


def _names(attributes: list[Attribute] | None) -> tuple[str, ...] | None:
    if attributes is None:
        return None
    return tuple(name_of(attribute.type.dotted_string) for attribute in attributes[:MAX_LISTED])


def _content_type(value: bytes) -> str:
    return name_of(dotted(value)) if value else ""


def _pss(parameters: bytes, digest: str) -> ShownPss:
    if parameters in ABSENT:
        return ShownPss(digest=digest, mask=digest, salt=0, absent=True)
    pss = decode(PssParameters, parameters)
    salt = _DEFAULT_SALT if pss.salt is None else pss.salt
    return ShownPss(digest=hash_text(pss.digest), mask=mask_text(pss.mask), salt=salt)
