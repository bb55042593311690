"""CMS messages as bytes: signed, encrypted, compressed (RFC 5652, RFC 5083, RFC 3274)."""

from .compression import compress, decompress
from .content import ContentType, content_type
from .decryption import DecryptionKey, decrypt
from .encryption import encrypt
from .signing import Signer, sign
from .verification import Verified, verify

__all__ = [
    "ContentType",
    "DecryptionKey",
    "Signer",
    "Verified",
    "compress",
    "content_type",
    "decompress",
    "decrypt",
    "encrypt",
    "sign",
    "verify",
]
