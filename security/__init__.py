"""Cryptographic messages, certificates and keys. A leaf: it knows neither codecs nor the gateway.

`cms` and `tls` are imported by their own names: the one is a package, the other the only module that knows
sockets.
"""

from .algorithms import DEFAULT_POLICY, Cipher, Digest, KeyTransport, Policy, Signature
from .errors import (
    AuthenticationFailed,
    DecompressionFailed,
    DecryptionFailed,
    InsufficientSecurity,
    IntegrityFailed,
    KeyStoreError,
    MalformedCms,
    SecurityError,
)
from .keystore import load_certificates, load_private_key, make_self_signed
from .trust import fingerprint, newest, usable, valid_at

__all__ = [
    "DEFAULT_POLICY",
    "AuthenticationFailed",
    "Cipher",
    "DecompressionFailed",
    "DecryptionFailed",
    "Digest",
    "InsufficientSecurity",
    "IntegrityFailed",
    "KeyStoreError",
    "KeyTransport",
    "MalformedCms",
    "Policy",
    "SecurityError",
    "Signature",
    "fingerprint",
    "load_certificates",
    "load_private_key",
    "make_self_signed",
    "newest",
    "usable",
    "valid_at",
]
