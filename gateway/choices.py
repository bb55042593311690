"""The words that keys of the configuration take."""

from typing import Literal

CipherName = Literal["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm"]
DigestName = Literal["sha-256", "sha-384", "sha-512"]
OutcomeName = Literal[
    "accepted",
    "released",
    "held",
    "inspection",
    "documents_required",
    "refused",
    "cancelled",
    "not_competent",
]
TransportName = Literal["rsa-pkcs1", "rsa-oaep-sha1", "rsa-oaep-sha256", "rsa-oaep-sha384", "rsa-oaep-sha512"]
ControlName = Literal["asked", "always", "never"]
# What the EDIFACT of an agreement may have beyond the standard.
EdifactName = Literal["utf-8", "leading-text"]
WeakName = Literal["sha-1", "3des", "unsigned", "unencrypted"]
