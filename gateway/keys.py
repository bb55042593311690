"""Keys and certificates from the files that a configuration names, current and next.

Every error is a ConfigError that names the file of the configuration, the key in it and the PEM file.
"""

import pathlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography import x509

from ..security import SecurityError, load_certificates, load_private_key, valid_at
from ..security.cms import DecryptionKey
from .config import Config, KeySettings, SigningSettings
from .toml import ConfigError


class SigningPair(NamedTuple):
    """A certificate of ours that signs, from its date on."""

    pair: DecryptionKey
    since: datetime

    @property
    def certificate(self) -> x509.Certificate:
        """What our partners know us by."""
        return self.pair.certificate


class HeldKey(NamedTuple):
    """A key of ours that decrypts, and the certificate file it was read for."""

    name: str
    pair: DecryptionKey


class OurKeys(NamedTuple):
    """All that is ours, current and next."""

    signing: tuple[SigningPair, ...]
    decryption: tuple[HeldKey, ...]
    tls: DecryptionKey

    def signing_at(self, now: datetime) -> SigningPair:
        """The pair that signs at `now`: the newest that is valid and whose time has come.

        Where there is none, the newest that was: that it has run out is for our partners to say, and for
        check-config.
        """
        begun = [pair for pair in self.signing if pair.since <= now]
        valid = [pair for pair in begun if valid_at(pair.certificate, now)]
        if begun:
            return max(valid or begun, key=lambda pair: pair.since)
        return min(self.signing, key=lambda pair: pair.since)

    @property
    def decrypting(self) -> tuple[DecryptionKey, ...]:
        """Every key that opens messages, whatever the date: partners may be slow to take up the next one."""
        return tuple(dict.fromkeys(held.pair for held in self.decryption))

    def beside(self, before: "OurKeys", now: datetime) -> "OurKeys":
        """These keys, and those of `before` that were replaced in place, as long as they are valid.

        What was encrypted to them may be on its way. A file that is no longer named takes its key with it.
        """
        names = {held.name for held in self.decryption}
        here = {held.pair.certificate for held in self.decryption}
        kept = [
            held
            for held in before.decryption
            if held.name in names
            and held.pair.certificate not in here
            and valid_at(held.pair.certificate, now)
        ]
        return self._replace(decryption=(*self.decryption, *kept))


def load_keys(config: Config) -> OurKeys:
    """Everything that `gateway.toml` names."""
    gateway = config.gateway
    if not gateway.signing_keys:
        raise ConfigError(config.folder / "gateway.toml", "needs at least one", key="signing")
    return OurKeys(
        signing=tuple(_signing(config, one) for one in gateway.signing_keys),
        decryption=tuple(HeldKey(one.certificate, _pair(config, one)) for one in gateway.decryption_keys),
        tls=_pair(config, gateway.tls),
    )


def _signing(config: Config, settings: SigningSettings) -> SigningPair:
    pair = _pair(config, settings)
    begins = pair.certificate.not_valid_before_utc
    return SigningPair(pair, begins if settings.since is None else max(begins, settings.since))


def _pair(config: Config, settings: KeySettings) -> DecryptionKey:
    file = config.folder / "gateway.toml"
    certificate = certificates_of(config, file, [settings.certificate])[0]
    try:
        key = load_private_key(_pem(config, file, settings.key))
    except SecurityError as error:
        raise ConfigError(file, f"{settings.key}: {error}", key="key") from None
    if key.public_key() != certificate.public_key():
        raise ConfigError(file, f"{settings.key} is not the key of {settings.certificate}", key="key")
    return DecryptionKey(certificate, key)


def certificates_of(
    config: Config, file: pathlib.Path, names: Sequence[str], key: str = "certificates"
) -> tuple[x509.Certificate, ...]:
    """The certificates in the PEM files `names`, which `key` of `file` names."""
    found: list[x509.Certificate] = []
    for name in names:
        try:
            found += load_certificates(_pem(config, file, name))
        except SecurityError as error:
            raise ConfigError(file, f"{name}: {error}", key=key) from None
    return tuple(dict.fromkeys(found))


def _pem(config: Config, file: pathlib.Path, name: str) -> bytes:
    try:
        return config.path(name).read_bytes()
    except OSError as error:
        raise ConfigError(file, f"{name}: {error.strerror or 'cannot be read'}") from None
