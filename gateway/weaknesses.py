"""`algorithms.toml`: what is allowed where an agreement says nothing, and what each weakness in it opens.

What stands in no table of `security.algorithms` has no name here either, so no file can allow it.
"""

import dataclasses
import enum
import pathlib
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from ..security import Cipher, Digest, KeyTransport, Policy, Signature
from . import resources
from .choices import Settings
from .toml import ConfigError, read_toml

# Not of an algorithm, and so not of the file.
UNSIGNED, UNENCRYPTED, NO_SIGNED_ATTRIBUTES = "unsigned", "unencrypted", "no-signed-attributes"
PROTECTIONS = (UNSIGNED, UNENCRYPTED, NO_SIGNED_ATTRIBUTES)

# Keys below this were broken in public.
FEWEST_RSA_BITS = 1024


class WeaknessSettings(Settings, frozen=True):
    """One `[weakness.NAME]`: what it opens beside what is open."""

    digests: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    key_transports: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    min_rsa_bits: int | None = None


class AlgorithmSettings(Settings, frozen=True):
    """`algorithms.toml`."""

    digests: tuple[str, ...]
    ciphers: tuple[str, ...]
    key_transports: tuple[str, ...]
    signatures: tuple[str, ...]
    min_rsa_bits: int
    weakness: dict[str, WeaknessSettings] = msgspec.field(default_factory=dict)


class Algorithms:
    """The algorithms of one configuration."""

    def __init__(self, file: pathlib.Path, settings: AlgorithmSettings) -> None:
        """Raises ConfigError for a name that is no algorithm's, or a weakness that is called like another."""
        self._default = Policy(
            digests=_named(file, "digests", _DIGESTS, settings.digests),
            ciphers=_named(file, "ciphers", _CIPHERS, settings.ciphers),
            key_transports=_named(file, "key-transports", _TRANSPORTS, settings.key_transports),
            signatures=_named(file, "signatures", _SIGNATURES, settings.signatures),
            min_rsa_bits=_bits(file, "min-rsa-bits", settings.min_rsa_bits),
        )
        for name in settings.weakness.keys() & PROTECTIONS:
            raise ConfigError(file, "is the name of something else", key=f"weakness.{name}")
        self._weaknesses = {
            name: _opened(file, f"weakness.{name}.", one) for name, one in settings.weakness.items()
        }

    @property
    def default(self) -> Policy:
        """What holds where an agreement says nothing."""
        return self._default

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that `allow` takes."""
        return (*self._weaknesses, *PROTECTIONS)

    def policy(self, allow: Iterable[str]) -> Policy:
        """What an agreement with these weaknesses allows. Raises LookupError for one that is none."""
        policy = self._default
        for name in allow:
            if name == NO_SIGNED_ATTRIBUTES:
                policy = dataclasses.replace(policy, allow_no_signed_attributes=True)
            elif name in self._weaknesses:
                policy = _joined(policy, self._weaknesses[name])
            elif name not in PROTECTIONS:
                raise LookupError(f"{name!r} is not known; it takes {', '.join(self.names)}")
        return policy


def load_algorithms(folder: pathlib.Path) -> Algorithms:
    """The operator's `algorithms.toml` in `folder`, else the one shipped. Raises ConfigError."""
    file = resources.algorithms(folder)
    return Algorithms(file, read_toml(file, AlgorithmSettings))


def _joined(policy: Policy, opened: Policy) -> Policy:
    """What either allows."""
    return dataclasses.replace(
        policy,
        digests=policy.digests | opened.digests,
        ciphers=policy.ciphers | opened.ciphers,
        key_transports=policy.key_transports | opened.key_transports,
        signatures=policy.signatures | opened.signatures,
        min_rsa_bits=min(policy.min_rsa_bits, opened.min_rsa_bits),
    )


def _opened(file: pathlib.Path, key: str, settings: WeaknessSettings) -> Policy:
    return Policy(
        digests=_named(file, f"{key}digests", _DIGESTS, settings.digests),
        ciphers=_named(file, f"{key}ciphers", _CIPHERS, settings.ciphers),
        key_transports=_named(file, f"{key}key-transports", _TRANSPORTS, settings.key_transports),
        signatures=_named(file, f"{key}signatures", _SIGNATURES, settings.signatures),
        min_rsa_bits=_NEVER
        if settings.min_rsa_bits is None
        else _bits(file, f"{key}min-rsa-bits", settings.min_rsa_bits),
    )


def _bits(file: pathlib.Path, key: str, number: int) -> int:
    if number < FEWEST_RSA_BITS:
        raise ConfigError(file, f"{number}: at least {FEWEST_RSA_BITS}", key=key)
    return number


# More than any key has: a weakness that says nothing of keys lowers nothing.
_NEVER = 2**31

_DIGESTS = {digest.name.lower().replace("sha", "sha-"): digest for digest in Digest}
_CIPHERS = {
    cipher.name.lower().replace("_", "-").replace("aes", "aes-").replace("des3", "3des"): cipher
    for cipher in Cipher
}
_TRANSPORTS = {transport.value: transport for transport in KeyTransport}
_SIGNATURES = {signature.value: signature for signature in Signature}

_Algorithm = TypeVar("_Algorithm", bound=enum.Enum)


def _named(
    file: pathlib.Path, key: str, known: Mapping[str, _Algorithm], names: Iterable[str]
) -> frozenset[_Algorithm]:
    for name in names:
        if name not in known:
            raise ConfigError(file, f"{name!r} cannot be allowed; it takes {', '.join(known)}", key=key)
    return frozenset(known[name] for name in names)
