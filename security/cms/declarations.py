"""The structures of bounded size, declared. RFC 5652 unless another is named.

Sets are declared as lists: peers send them unsorted, and what was signed is hashed as it was sent.
"""

from typing import Annotated, TypeVar

from cryptography import x509
from cryptography.hazmat import asn1

from ..errors import MalformedCms

# An AlgorithmIdentifier, a name or a certificate that is only compared stays undecoded.
Raw = asn1.TLV

T = TypeVar("T")


def decode(kind: type[T], data: bytes) -> T:
    """`data`, all of it, as a `kind`. Raises MalformedCms."""
    try:
        return asn1.decode_der(kind, data)
    except ValueError:
        raise MalformedCms(f"not a {kind.__name__}") from None


@asn1.sequence
class Attribute:
    """5.3."""

    type: x509.ObjectIdentifier
    values: Raw


@asn1.sequence
class SignerInfo:
    """5.3."""

    version: int
    signer: Raw
    digest_algorithm: Raw
    signed_attributes: Annotated[list[Attribute] | None, asn1.Implicit(0)]
    signature_algorithm: Raw
    signature: bytes
    unsigned_attributes: Annotated[list[Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class KeyTransRecipientInfo:
    """6.2.1."""

    version: int
    recipient: Raw
    algorithm: Raw
    encrypted_key: bytes


@asn1.sequence
class RecipientEncryptedKey:
    """6.2.2."""

    recipient: Raw
    encrypted_key: bytes


@asn1.sequence
class KeyAgreeRecipientInfo:
    """6.2.2."""

    version: int
    originator: Annotated[Raw, asn1.Explicit(0)]
    user_material: Annotated[bytes | None, asn1.Explicit(1)]
    algorithm: Raw
    recipients: list[RecipientEncryptedKey]


@asn1.sequence
class OriginatorPublicKey:
    """6.2.2."""

    algorithm: Raw
    public_key: asn1.BitString


@asn1.sequence
class GcmParameters:
    """RFC 5084 3.2. The tag size has a default, 12, which some write all the same."""

    nonce: bytes
    tag_size: int | None


@asn1.sequence
class HashIdentifier:
    """An AlgorithmIdentifier of a digest."""

    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class MaskIdentifier:
    """An AlgorithmIdentifier of a mask generation function (RFC 4055 2.2)."""

    algorithm: x509.ObjectIdentifier
    digest: HashIdentifier


@asn1.sequence
class LabelIdentifier:
    """An AlgorithmIdentifier of an OAEP label (RFC 4055 4.1)."""

    algorithm: x509.ObjectIdentifier
    label: bytes


@asn1.sequence
class PssParameters:
    """RFC 4055 3.1."""

    digest: Annotated[HashIdentifier | None, asn1.Explicit(0)]
    mask: Annotated[MaskIdentifier | None, asn1.Explicit(1)]
    salt: Annotated[int | None, asn1.Explicit(2)]
    trailer: Annotated[int | None, asn1.Explicit(3)]


@asn1.sequence
class OaepParameters:
    """RFC 4055 4.1."""

    digest: Annotated[HashIdentifier | None, asn1.Explicit(0)]
    mask: Annotated[MaskIdentifier | None, asn1.Explicit(1)]
    label: Annotated[LabelIdentifier | None, asn1.Explicit(2)]
