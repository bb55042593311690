"""Who may speak to the gateway: partners and agencies, found by certificate or by AS2 names."""

import pathlib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509

from ..routing.agreement import Agency, Channel, Syntax
from ..routing.outcome import Outcome
from ..security import fingerprint
from ..security.cms import Signer
from . import clock
from .agreements import Drafter, Theirs, load_theirs
from .as2 import Terms
from .as2.names import write_name
from .config import AgencySettings, Config, PartnerSettings, retry_policy
from .keys import OurKeys, certificates_of, load_keys
from .toml import ConfigError
from .weaknesses import Algorithms, load_algorithms

if TYPE_CHECKING:
    from ..codecs.edifact import Profile

# A certificate is valid to the end of its last second (RFC 5280 4.1.2.5); then another one's time has come.
_AFTER = timedelta(seconds=1)
# Also what a certificate says that has no well-defined end: 99991231235959Z (RFC 5280 4.1.2.5).
_NEVER = datetime.max.replace(tzinfo=UTC)


class Party(NamedTuple):
    """A partner or an agency, with what it takes to talk to it."""

    name: str
    settings: PartnerSettings | AgencySettings
    terms: Terms | None
    certificates: tuple[x509.Certificate, ...]
    server_certificates: tuple[x509.Certificate, ...]
    theirs: Theirs | None = None

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


class _Loaded(NamedTuple):
    """What the files hold. `parties` are without terms, which are of a moment."""

    config: Config
    keys: OurKeys
    algorithms: Algorithms
    parties: tuple[tuple[pathlib.Path, Party], ...]
    values: dict[str, Agency]


class _Known(NamedTuple):
    """What there is at one moment, and until when it stays so."""

    made: datetime
    until: datetime
    signer: Signer
    partners: dict[str, Party]
    agencies: dict[str, Party]
    by_certificate: dict[str, Party]
    by_as2_name: dict[str, Party]


class Parties:
    """Everybody we know, indexed the two ways they show themselves.

    One object for the life of the process, whose content is replaced as files change and dates pass: what is
    taken out of it, a party or its terms or our signer, is for one message.
    """

    def __init__(
        self,
        config: Config,
        now: datetime | None = None,
        before: "Parties | None" = None,
        *,
        gone: Collection[str] = (),
    ) -> None:
        """As they are at `now`, an aware time; by default, at this moment. Keys that `before` has of the same
        files are not read again, nor is anything of the parties `gone`: they stay as `before` has them.
        Raises ConfigError."""
        held = {} if before is None else {party.name: party for _, party in before._loaded.parties}
        staying = {name: held[name] for name in gone}
        self._loaded: _Loaded = _load(config, None if before is None else before.keys, staying)
        self._known = _at(self._loaded, _moment(now))

    def replace(self, other: "Parties", now: datetime) -> None:
        """Become `other`, at once, keeping the keys that `other` replaced in place. Raises nothing."""
        keys = other.keys.beside(self.keys, now)
        if keys is other.keys:
            self._loaded, self._known = other._loaded, other._known
            return
        loaded = other._loaded._replace(keys=keys)
        self._loaded, self._known = loaded, _at(loaded, now)

    def turn(self, now: datetime) -> bool:
        """See whose time has come, no file having changed; True if that made a difference."""
        if self._known.made <= now < self._known.until:
            return False
        self._known = _at(self._loaded, now)
        return True

    @property
    def config(self) -> Config:
        """What they were made of."""
        return self._loaded.config

    @property
    def keys(self) -> OurKeys:
        """Ours, current and next."""
        return self._loaded.keys

    @property
    def signer(self) -> Signer:
        """Ours, with SHA-256."""
        return self._known.signer

    @property
    def partners(self) -> dict[str, Party]:
        """The traders, by name."""
        return self._known.partners

    @property
    def agencies(self) -> dict[str, Party]:
        """The agencies, by name."""
        return self._known.agencies

    @property
    def names(self) -> Collection[str]:
        """Everybody's; a view, which changes as they do."""
        return _Names(self)

    def by_certificate(self, der: bytes) -> Party | None:
        """The party this TLS certificate, in DER, belongs to."""
        return self._known.by_certificate.get(fingerprint(der))

    def by_as2_names(self, sender: str, recipient: str) -> Party | None:
        """The party that sends as `sender` to `recipient`; None unless we are `recipient`."""
        ours = recipient == self.config.gateway.as2_name
        return self._known.by_as2_name.get(sender) if ours else None

    def named(self, name: str) -> Party:
        """The partner or agency of this name, which belongs to one of them only.

        Of one that is no longer configured, a party without certificates and address: what is in the ledger
        for it still has to be read and written.
        """
        known = self.partners.get(name) or self.agencies.get(name)
        return known or Party(name, PartnerSettings(name=name), None, (), ())

    def tls_certificates(self) -> tuple[x509.Certificate, ...]:
        """All the client certificates that may open a TLS connection."""
        parties = (*self.partners.values(), *self.agencies.values())
        return tuple(certificate for party in parties for certificate in party.certificates)

    def agency_values(self) -> dict[str, Agency]:
        """The agencies as the routing room knows them."""
        return dict(self._loaded.values)


class _Names(Collection[str]):
    def __init__(self, parties: Parties) -> None:
        self._parties = parties

    def __iter__(self) -> Iterator[str]:
        return iter((*self._parties.partners, *self._parties.agencies))

    def __len__(self) -> int:
        return len(self._parties.partners) + len(self._parties.agencies)

    def __contains__(self, name: object) -> bool:
        return name in self._parties.partners or name in self._parties.agencies


def _moment(now: datetime | None) -> datetime:
    return clock.utc(clock.instant()) if now is None else now


def _load(config: Config, before: OurKeys | None, staying: Mapping[str, Party]) -> _Loaded:
    _check_as2_name(config)
    for name in config.partners.keys() & config.agencies.keys():
        raise ConfigError(config.folder / "agencies" / f"{name}.toml", "is a partner's name too", key="name")
    algorithms = load_algorithms(config.folder)
    return _Loaded(
        config=config,
        keys=load_keys(config, before),
        algorithms=algorithms,
        parties=tuple(
            (file, staying.get(settings.name) or _party(config, file, settings))
            for file, settings in config.everybody()
        ),
        values={
            name: _agency_value(config.folder / "agencies" / f"{name}.toml", settings)
            for name, settings in config.agencies.items()
        },
    )


def _party(config: Config, file: pathlib.Path, settings: PartnerSettings | AgencySettings) -> Party:
    if isinstance(settings, PartnerSettings) and settings.as2 is not None and settings.as2.attachments:
        raise ConfigError(file, "only an agency is sent what came beside a document", key="as2.attachments")
    certificates = certificates_of(config, file, settings.certificates)
    servers = certificates_of(config, file, settings.server_certificates, "server-certificates")
    theirs = None if settings.as2 is None else load_theirs(config, file, settings.as2)
    return Party(settings.name, settings, None, certificates, servers, theirs)


def _at(loaded: _Loaded, now: datetime) -> _Known:
    """Everybody with the terms that hold at `now`."""
    drafter = Drafter(loaded.config, loaded.keys, loaded.algorithms, now)
    coming = (moment for moment in _moments(loaded) if moment > now)
    known = _Known(
        made=now,
        until=min(coming, default=_NEVER),
        signer=drafter.signer(),
        partners={},
        agencies={},
        by_certificate={},
        by_as2_name={},
    )
    for file, one in loaded.parties:
        party = one
        if one.settings.as2 is not None and one.theirs is not None:
            party = one._replace(terms=drafter.terms(file, one.settings.as2, one.theirs))
        (known.agencies if party.is_agency else known.partners)[party.name] = party
        _index(known, file, party, loaded.config.gateway.as2_name)
    return known


def _moments(loaded: _Loaded) -> Iterator[datetime]:
    """When something begins or ends that is chosen by date."""
    yield from (pair.since for pair in loaded.keys.signing)
    chosen = [pair.certificate for pair in loaded.keys.signing]
    chosen += [held.pair.certificate for held in loaded.keys.decryption]
    chosen += [one for _, party in loaded.parties if party.theirs for one in party.theirs.encryption]
    for certificate in chosen:
        yield certificate.not_valid_before_utc
        if (ends := certificate.not_valid_after_utc) < _NEVER - _AFTER:
            yield ends + _AFTER


def _index(known: _Known, file: pathlib.Path, party: Party, ours: str) -> None:
    for certificate in party.certificates:
        other = known.by_certificate.setdefault(fingerprint(certificate), party)
        if other is not party:
            raise ConfigError(file, f"has a certificate of {other.name}", key="certificates")
    if party.terms is not None:
        other = known.by_as2_name.setdefault(party.terms.their_name, party)
        if other is not party or party.terms.their_name == ours:
            raise ConfigError(file, f"AS2 name {party.terms.their_name!r} is taken", key="as2.name")


def _check_as2_name(config: Config) -> None:
    try:
        write_name(config.gateway.as2_name)
    except ValueError as error:
        raise ConfigError(config.folder / "gateway.toml", str(error), key="as2-name") from None


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
