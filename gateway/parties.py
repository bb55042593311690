"""Who may speak to the gateway: partners and agencies, found by certificate or by AS2 names."""

import dataclasses
import pathlib
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509

from ..routing.agreement import Agency, Channel, Syntax
from ..routing.outcome import Outcome
from ..security import (
    DEFAULT_POLICY,
    Cipher,
    Digest,
    KeyTransport,
    Policy,
    SecurityError,
    fingerprint,
    load_certificates,
    load_private_key,
)
from ..security.cms import DecryptionKey, Signer
from ..security.tls import client_context, server_context
from .as2 import Terms
from .as2.names import write_name
from .config import (
    AgencySettings,
    As2Settings,
    Config,
    KeySettings,
    PartnerSettings,
    cipher_of,
    digest_of,
    retry_policy,
)
from .toml import ConfigError

if TYPE_CHECKING:
    from ..codecs.edifact import Profile


class Party(NamedTuple):
    """A partner or an agency, with what it takes to talk to it."""

    name: str
    settings: PartnerSettings | AgencySettings
    terms: Terms | None
    certificates: tuple[x509.Certificate, ...]
    server_certificates: tuple[x509.Certificate, ...]

    @property
    def is_agency(self) -> bool:
        """True for an agency, which answers; False for a trader, who lodges."""
        return isinstance(self.settings, AgencySettings)

    @property
    def profile(self) -> "Profile":
        """What its EDIFACT may have beyond the standard."""
        from ..codecs.edifact import Profile  # noqa: PLC0415 - `check-config` reads no document

        allowed = self.settings.edifact_allow
        return Profile(utf8="utf-8" in allowed, leading_text="leading-text" in allowed)


class Parties:
    """Everybody we know, indexed the two ways they show themselves."""

    def __init__(self, config: Config) -> None:
        _check_as2_name(config)
        self.signer, self.decryption_key = _our_keys(config, config.gateway.signing)
        self.tls_certificate = _our_keys(config, config.gateway.tls)[1].certificate
        self.partners = {name: self._partner(config, s) for name, s in config.partners.items()}
        self.agencies = {name: self._agency(config, s) for name, s in config.agencies.items()}
        self._values = {
            name: _agency_value(config.folder / "agencies" / f"{name}.toml", settings)
            for name, settings in config.agencies.items()
        }
        self._by_certificate: dict[str, Party] = {}
        self._by_as2_name: dict[str, Party] = {}
        self._our_as2_name = config.gateway.as2_name
        for name in self.partners.keys() & self.agencies.keys():
            raise ConfigError(
                config.folder / "agencies" / f"{name}.toml", "is a partner's name too", key="name"
            )
        for folder, parties in (("partners", self.partners), ("agencies", self.agencies)):
            for party in parties.values():
                self._index(config.folder / folder / f"{party.name}.toml", party)

    def by_certificate(self, der: bytes) -> Party | None:
        """The party this TLS certificate, in DER, belongs to."""
        return self._by_certificate.get(fingerprint(x509.load_der_x509_certificate(der)))

    def by_as2_names(self, sender: str, recipient: str) -> Party | None:
        """The party that sends as `sender` to `recipient`; None unless we are `recipient`."""
        return self._by_as2_name.get(sender) if recipient == self._our_as2_name else None

    def named(self, name: str) -> Party:
        """The partner or agency of this name, which belongs to one of them only.

        Of one that is no longer configured, a party without certificates and address: what is in the ledger
        for it still has to be read and written.
        """
        known = self.partners.get(name) or self.agencies.get(name)
        return known or Party(name, PartnerSettings(name=name), None, (), ())

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody's."""
        return (*self.partners, *self.agencies)

    def tls_certificates(self) -> tuple[x509.Certificate, ...]:
        """All the client certificates that may open a TLS connection."""
        parties = (*self.partners.values(), *self.agencies.values())
        return tuple(certificate for party in parties for certificate in party.certificates)

    def agency_values(self) -> dict[str, Agency]:
        """The agencies as the routing room knows them."""
        return dict(self._values)

    def _index(self, file: pathlib.Path, party: Party) -> None:
        for certificate in party.certificates:
            other = self._by_certificate.setdefault(fingerprint(certificate), party)
            if other is not party:
                raise ConfigError(file, f"has a certificate of {other.name}", key="certificates")
        if party.terms is not None:
            other = self._by_as2_name.setdefault(party.terms.their_name, party)
            if other is not party or party.terms.their_name == self._our_as2_name:
                raise ConfigError(file, f"AS2 name {party.terms.their_name!r} is taken", key="as2.name")

    def _partner(self, config: Config, settings: PartnerSettings) -> Party:
        file = config.folder / "partners" / f"{settings.name}.toml"
        certificates = _certificates(config, file, settings.certificates)
        servers = _certificates(config, file, settings.server_certificates)
        return Party(settings.name, settings, self._terms(config, file, settings.as2), certificates, servers)

    def _agency(self, config: Config, settings: AgencySettings) -> Party:
        file = config.folder / "agencies" / f"{settings.name}.toml"
        certificates = _certificates(config, file, settings.certificates)
        servers = _certificates(config, file, settings.server_certificates)
        return Party(settings.name, settings, self._terms(config, file, settings.as2), certificates, servers)

    def _signer(self, digest: Digest) -> Signer:
        """Our signer with another digest: whoever asks for a MIC by one usually verifies by the same."""
        if digest is self.signer.digest:
            return self.signer
        return Signer(self.decryption_key.certificate, self.decryption_key.private_key, digest)

    def _terms(self, config: Config, file: pathlib.Path, as2: As2Settings | None) -> Terms | None:
        if as2 is None:
            return None
        theirs = _certificates(config, file, as2.certificates)
        if not theirs:
            raise ConfigError(file, "needs at least one certificate", key="as2.certificates")
        try:
            return self._agreed(config, as2, theirs)
        except ValueError as error:
            raise ConfigError(file, str(error), key="as2.name") from None

    def _agreed(self, config: Config, as2: As2Settings, theirs: tuple[x509.Certificate, ...]) -> Terms:
        return Terms(
            our_name=config.gateway.as2_name,
            their_name=as2.name,
            decryption_keys=(self.decryption_key,),
            signer=self._signer(digest_of(as2.digest)),
            their_signing=theirs,
            their_encryption=theirs[0],
            policy=_policy(as2),
            require_signed="unsigned" not in as2.allow,
            require_encrypted="unencrypted" not in as2.allow,
            sign=as2.sign,
            encrypt=as2.encrypt,
            compress=as2.compress,
            cipher=cipher_of(as2.cipher),
            digest=digest_of(as2.digest),
            key_transport=KeyTransport(as2.key_transport),
            max_payload=config.gateway.limits.payload,
        )


def _check_as2_name(config: Config) -> None:
    try:
        write_name(config.gateway.as2_name)
    except ValueError as error:
        raise ConfigError(config.folder / "gateway.toml", str(error), key="as2-name") from None


def _our_keys(config: Config, settings: KeySettings) -> tuple[Signer, DecryptionKey]:
    file = config.folder / "gateway.toml"
    certificates = _certificates(config, file, [settings.certificate])
    try:
        key = load_private_key(_pem(config, file, settings.key))
    except SecurityError as error:
        raise ConfigError(file, f"{settings.key}: {error}", key="key") from None
    if key.public_key() != certificates[0].public_key():
        raise ConfigError(file, f"{settings.key} is not the key of {settings.certificate}", key="key")
    return Signer(certificates[0], key), DecryptionKey(certificates[0], key)


def _certificates(config: Config, file: pathlib.Path, names: Sequence[str]) -> tuple[x509.Certificate, ...]:
    found: list[x509.Certificate] = []
    for name in names:
        try:
            found += load_certificates(_pem(config, file, name))
        except SecurityError as error:
            raise ConfigError(file, f"{name}: {error}", key="certificates") from None
    return tuple(found)


def _pem(config: Config, file: pathlib.Path, name: str) -> bytes:
    try:
        return config.path(name).read_bytes()
    except OSError as error:
        raise ConfigError(file, f"{name}: {error.strerror or 'cannot be read'}") from None


def _policy(as2: As2Settings) -> Policy:
    digests = DEFAULT_POLICY.digests | ({Digest.SHA1} if "sha-1" in as2.allow else set())
    ciphers = DEFAULT_POLICY.ciphers | ({Cipher.DES3_CBC} if "3des" in as2.allow else set())
    return dataclasses.replace(DEFAULT_POLICY, digests=frozenset(digests), ciphers=frozenset(ciphers))


def _agency_value(file: pathlib.Path, settings: AgencySettings) -> Agency:
    try:
        return Agency(
            name=settings.name,
            channel=Channel(settings.channel),
            syntax=Syntax(settings.syntax),
            live=settings.live,
            endpoint=settings.as2.url
            if settings.channel == "as2" and settings.as2 is not None
            else settings.url,
            concurrency=settings.concurrency,
            clears=frozenset(Outcome(name) for name in settings.clears),
            stand_in=settings.stand_in or None,
            outcomes={code: Outcome(name) for code, name in settings.outcomes.items()},
            retry=retry_policy(settings.retry),
        )
    except ValueError as error:
        raise ConfigError(file, str(error), key=settings.name) from None


def server_tls(config: Config, parties: Parties) -> ssl.SSLContext:
    """The TLS of our listener: everybody known may open a connection."""
    tls = config.gateway.tls
    return server_context(
        config.path(tls.certificate), config.path(tls.key), partners=parties.tls_certificates()
    )


def client_tls(config: Config, parties: Parties) -> dict[str, ssl.SSLContext]:
    """The TLS of each agency and partner whose server we call: its own certificates and no others."""
    tls = config.gateway.tls
    chain, key = config.path(tls.certificate), config.path(tls.key)
    return {
        name: client_context(party.server_certificates, chain=chain, key=key)
        for name, party in (*parties.partners.items(), *parties.agencies.items())
    }
