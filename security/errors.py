# ruff: noqa: N818  they are named after the outcome that the peer is told, not after their kind
"""What can go wrong in this room.

SecurityError
    MalformedCms            the bytes are not the CMS structure they claim to be
    DecryptionFailed        any failure inside encryption: always the same text
    IntegrityFailed         the content is not what was signed
    AuthenticationFailed    no signer, or not a certificate of the partner that is valid now
    InsufficientSecurity    an algorithm, or a key size, that the policy does not name
    DecompressionFailed     not a zlib stream, or more than the limit
    KeyStoreError           a key or certificate of our own side that cannot be used

All but the last are the peer's fault. None carries payload, key material or a library's own message.
"""


class SecurityError(Exception):
    """Base of everything this room raises on bad input."""


class MalformedCms(SecurityError):
    """The bytes are not the CMS structure they claim to be."""


class DecryptionFailed(SecurityError):
    """The content cannot be had. Why is not said: a reason would be an oracle (RFC 3218, RFC 8551 6)."""

    def __init__(self) -> None:
        super().__init__("the message cannot be decrypted")


class IntegrityFailed(SecurityError):
    """The digest or the signature does not fit the content."""


class AuthenticationFailed(SecurityError):
    """The signer is not a certificate of the partner that is valid now, or there is no signer."""


class InsufficientSecurity(SecurityError):
    """An algorithm or key size that the policy does not name."""


class DecompressionFailed(SecurityError):
    """The content is not one zlib stream, or inflates to more than the limit."""


class KeyStoreError(SecurityError):
    """A key or certificate file of our own configuration cannot be used."""
