"""Keys and certificates from the files that a configuration names, current and next.

Every error is a ConfigError that names the file of the configuration, the key in it and the PEM file.
"""

import hashlib
import pathlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography import x509

from ..security import SecurityError, load_certificates, load_private_key, valid_at
from ..security.cms import DecryptionKey
from ..security.trust import facts
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
    """A key of ours that decrypts, and the certificate file it was read from. `is_kept`: another stands in
    that file by now."""

    name: str
    pair: DecryptionKey
    is_kept: bool = False


class OurKeys(NamedTuple):
    """All that is ours, current and next."""

    signing: tuple[SigningPair, ...]
    decryption: tuple[HeldKey, ...]
    tls: DecryptionKey
    read: Mapping[bytes, DecryptionKey]
    """By the digest of the files, so that what has not changed is not read again."""

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

    def decrypting_at(self, now: datetime) -> tuple[DecryptionKey, ...]:
        """Every key that opens messages at `now`.

        What stands in a file does, whatever the date: partners may be slow to take up the next one. What was
        replaced there does as long as it is valid.
        """
        used = (one.pair for one in self.decryption if not one.is_kept or valid_at(one.pair.certificate, now))
        return tuple(dict.fromkeys(used))

    def beside(self, before: "OurKeys", now: datetime) -> "OurKeys":
        """These keys, and those of `before` that were replaced in place, as long as they are valid.

        What was encrypted to them may be on its way. A file that is no longer named takes its key with it.
        """
        names = {held.name for held in self.decryption}
        here = {held.pair.certificate for held in self.decryption}
        kept = [
            held._replace(is_kept=True)
            for held in before.decryption
            if held.name in names
            and held.pair.certificate not in here
            and valid_at(held.pair.certificate, now)
        ]
        return self._replace(decryption=(*self.decryption, *kept)) if kept else self


def load_keys(config: Config, before: OurKeys | None = None) -> OurKeys:
    """Everything that `gateway.toml` names. What `before` has of the same files is not read anew: to check an
    RSA key takes as long as some hundred messages."""
    gateway = config.gateway
    if not gateway.signing_keys:
        raise ConfigError(config.folder / "gateway.toml", "needs at least one", key="signing")
    pairs = _Pairs(config, {} if before is None else before.read)
    opening = "decryption" if gateway.decryption else "signing"
    keys = OurKeys(
        signing=tuple(_signing(pairs, one) for one in gateway.signing_keys),
        decryption=tuple(
            HeldKey(one.certificate, pairs.load(one, opening)) for one in gateway.decryption_keys
        ),
        tls=pairs.load(gateway.tls, "tls"),
        read=pairs.read,
    )
    _check_distinct(config, "signing", gateway.signing_keys, [one.certificate for one in keys.signing])
    opened = [held.pair.certificate for held in keys.decryption]
    _check_distinct(config, opening, gateway.decryption_keys, opened)
    return keys


def _check_distinct(
    config: Config, table: str, settings: Sequence[KeySettings], certificates: Sequence[x509.Certificate]
) -> None:
    """Raises ConfigError for two certificates that a message could not tell apart: it names the issuer and
    the serial number (RFC 5652 6.2.1), and only one of the two keys would ever be tried."""
    taken: dict[bytes, tuple[str, x509.Certificate]] = {}
    for one, certificate in zip(settings, certificates, strict=True):
        name, other = taken.setdefault(facts(certificate).name, (one.certificate, certificate))
        if facts(other).public_key != facts(certificate).public_key:
            reason = f"has issuer and serial number of {name}, and another key"
            file = config.folder / "gateway.toml"
            raise ConfigError(file, f"{one.certificate}: {reason}", key=f"{table}.certificate")


def _signing(pairs: "_Pairs", settings: SigningSettings) -> SigningPair:
    pair = pairs.load(settings, "signing")
    begins = pair.certificate.not_valid_before_utc
    return SigningPair(pair, begins if settings.since is None else max(begins, settings.since))


class _Pairs:
    """Reads pairs, each once. `read` has them by the digest of their files."""

    def __init__(self, config: Config, before: Mapping[bytes, DecryptionKey]) -> None:
        self._config = config
        self._before = before
        self.read: dict[bytes, DecryptionKey] = {}

    def load(self, settings: KeySettings, table: str) -> DecryptionKey:
        """The pair of `settings`, which stand in `table` of `gateway.toml`."""
        file = self._config.folder / "gateway.toml"
        certificate = _pem(self._config, file, settings.certificate, f"{table}.certificate")
        key = _pem(self._config, file, settings.key, f"{table}.key")
        digest = hashlib.sha256(len(certificate).to_bytes(8, "big") + certificate + key).digest()
        known = self.read.get(digest) or self._before.get(digest)
        self.read[digest] = known or self._made(settings, table, certificate, key)
        return self.read[digest]

    def _made(self, settings: KeySettings, table: str, certificate: bytes, key: bytes) -> DecryptionKey:
        file = self._config.folder / "gateway.toml"
        try:
            ours = load_certificates(certificate)[0]
            public_key = facts(ours).public_key
        except SecurityError as error:
            raise ConfigError(file, f"{settings.certificate}: {error}", key=f"{table}.certificate") from None
        try:
            private_key = load_private_key(key)
        except SecurityError as error:
            raise ConfigError(file, f"{settings.key}: {error}", key=f"{table}.key") from None
        if private_key.public_key() != public_key:
            reason = f"{settings.key} is not the key of {settings.certificate}"
            raise ConfigError(file, reason, key=f"{table}.key")
        return DecryptionKey(ours, private_key)


def certificates_of(
    config: Config, file: pathlib.Path, names: Sequence[str], key: str = "certificates"
) -> tuple[x509.Certificate, ...]:
    """The certificates in the PEM files `names`, which `key` of `file` names."""
    found: list[x509.Certificate] = []
    for name in names:
        try:
            found += load_certificates(_pem(config, file, name, key))
        except SecurityError as error:
            raise ConfigError(file, f"{name}: {error}", key=key) from None
    return tuple(dict.fromkeys(found))


def _pem(config: Config, file: pathlib.Path, name: str, key: str) -> bytes:
    try:
        return config.path(name).read_bytes()
    except OSError as error:
        raise ConfigError(file, f"{name}: {error.strerror or 'cannot be read'}", key=key) from None
    except ValueError:  # a NUL, which no system takes
        raise ConfigError(file, f"{name!r} cannot be the name of a file", key=key) from None
