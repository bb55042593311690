"""The words and numbers that keys of the configuration take."""

import math
from typing import Annotated, Literal

import msgspec

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
TransportName = Literal[
    "rsa-pkcs1",
    "rsa-oaep-sha1",
    "rsa-oaep-sha256",
    "rsa-oaep-sha384",
    "rsa-oaep-sha512",
    "ecdh-sha256",
    "ecdh-sha384",
    "ecdh-sha512",
]
SignatureName = Literal["rsa-pkcs1", "rsa-pss"]
ReceiptsName = Literal["sync", "async", "none"]
DuplicatesName = Literal["receipt", "warning"]
ControlName = Literal["asked", "always", "never"]
# What the EDIFACT of an agreement may have beyond the standard.
EdifactName = Literal["utf-8", "leading-text"]

# `host:port`, an IPv6 host in brackets; empty: not at all.
Address = Annotated[str, msgspec.Meta(pattern=r"^(?:[^\s:]+:\d{1,5}|\[[^\s\]]+\]:\d{1,5})?$")]
EdifactId = Annotated[str, msgspec.Meta(max_length=35)]  # UNB 0004 and 0010 are an..35.
Count = Annotated[int, msgspec.Meta(ge=1)]
# Nobody waits for longer than a year, and clocks count nanoseconds in 64 bits.
_YEAR = 366 * 86_400.0
Seconds = Annotated[float, msgspec.Meta(gt=0, le=_YEAR)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of the configuration: frozen; an unknown key is an error, and so is a number that is none."""

    def __post_init__(self) -> None:
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{field.encode_name}: {value} is no number to count with")
