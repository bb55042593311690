"""Pieces of CMS that recipients and signers share, for a person to look at."""

from typing import Final

from .. import der
from ..algorithms import DIGESTS, MGF1, split_identifier
from ..cms.declarations import HashIdentifier, MaskIdentifier, Raw
from ..errors import MalformedCms, SecurityError
from .naming import distinguished_name, dotted, name_of
from .values import Holder

# No message has more of any of them; what does is not worth a list.
MAX_LISTED = 64
# A RecipientInfo or SignerInfo: far above any real one.
MAX_INFO = 64 * 1024
# Parameters that are left out, and those that are NULL.
ABSENT: Final = frozenset((b"", b"\x05\x00"))

_CONTEXT_0, _STRING = 0xA0, 0x80
_SHA1 = "sha1"


def required(elements: list[der.Element], count: int) -> list[der.Element]:
    """`elements`, of which there must be `count`. Raises MalformedCms."""
    if len(elements) < count:
        raise MalformedCms("fewer elements than this structure has")
    return elements


def why(error: Exception) -> str:
    """Why a part cannot be read, in words of this room."""
    return str(error) if isinstance(error, SecurityError) else "cannot be read"


def hash_text(identifier: HashIdentifier | None) -> str:
    """The digest of a parameter; absent, SHA-1 (RFC 4055 2.1)."""
    if identifier is None:
        return _SHA1
    known = DIGESTS.get(der.oid(identifier.algorithm.dotted_string))
    return known.value if known is not None else name_of(identifier.algorithm.dotted_string)


def mask_text(mask: MaskIdentifier | None) -> str:
    """A mask generation with its digest; absent, MGF1 with SHA-1 (RFC 4055 2.1)."""
    if mask is None:
        return f"mgf1-{_SHA1}"
    known = der.oid(mask.algorithm.dotted_string) == MGF1
    name = "mgf1" if known else name_of(mask.algorithm.dotted_string)
    return f"{name}-{hash_text(mask.digest)}"


def digest_text(contents: bytes) -> str:
    """What the contents of a DigestAlgorithmIdentifier name."""
    oid, _ = split_identifier(contents)
    known = DIGESTS.get(oid)
    return known.value if known is not None else name_of(dotted(oid))


def holder_of(identifier: Raw) -> Holder:
    """The certificate that an identifier of a recipient or signer names (5.3, 6.2.1, 6.2.2)."""
    contents = bytes(identifier.data)
    if identifier.tag_bytes[0] == _STRING:
        return Holder(key_identifier=contents.hex())
    parts = required(der.children(contents, 0, len(contents), limit=4), 1)
    if identifier.tag_bytes[0] == _CONTEXT_0:  # RecipientKeyIdentifier: the identifier stands first
        return Holder(key_identifier=contents[parts[0].start : parts[0].stop].hex())
    issuer, serial = required(parts, 2)[:2]
    return Holder(
        issuer=distinguished_name(contents[issuer.header : issuer.stop]),
        serial=contents[serial.start : serial.stop].hex(),
    )
