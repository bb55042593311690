"""What the gateway would refuse later, told before any port opens: addresses, ports, names, certificates.

What is ours and cannot be used is a ConfigError. What is another party's is a fault if nobody can talk to it
any more, else a warning: `serve` runs for the others.
"""

import enum
import pathlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from ..security import DEFAULT_POLICY
from .config import AgencySettings, Config, PartnerSettings
from .http.outgoing import parse_url
from .parties import Parties, Party
from .toml import ConfigError

MAX_PORT = 65_535
# New certificates have to reach the other side first: a month is what that takes.
SOON = timedelta(days=30)


class Grade(enum.Enum):
    """What a doubt is."""

    WARNING = "warning"
    FAULT = "fault"


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a party, or about us, that a person should look at."""

    grade: Grade
    file: pathlib.Path
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text}"


def check_sound(config: Config, parties: Parties, now: datetime) -> tuple[Doubt, ...]:
    """Every doubt there is at `now`, an aware time. Raises ConfigError for what is ours and cannot be used,
    and for settings that nobody can use at any time."""
    _check_gateway(config)
    _check_edifact_ids(config)
    for file, settings in config.everybody():
        _check_addresses(file, settings)
    doubts = list(_our_certificates(config, parties, now))
    for file, settings in config.everybody():
        party = parties.named(settings.name)
        doubts += _party_certificates(file, "certificates", party.certificates, now)
        doubts += _party_certificates(file, "server-certificates", party.server_certificates, now)
        doubts += _as2_certificates(file, party, now)
    return tuple(dict.fromkeys(doubts))


def _check_gateway(config: Config) -> None:
    """Ports that can be had, each once, and a folder for the ledger."""
    file, settings = config.folder / "gateway.toml", config.gateway
    taken: dict[str, str] = {}
    for name, address in msgspec.structs.asdict(settings.listen).items():
        port = int(address.rpartition(":")[2] or 0)
        if port > MAX_PORT:
            raise ConfigError(file, f"{address}: a port is at most {MAX_PORT}", key=f"listen.{name}")
        # Port 0 is any that is free.
        other = taken.setdefault(address, name) if port else name
        if other != name:
            raise ConfigError(file, f"{address} is that of listen.{other} too", key=f"listen.{name}")
    _check_url(file, "public-url", settings.public_url)
    _check_url(file, "as2-url", settings.as2_url)
    if "\0" in settings.ledger:
        raise ConfigError(file, f"{settings.ledger!r} cannot be the name of a file", key="ledger")
    ledger = config.path(settings.ledger)
    if not ledger.parent.is_dir():
        raise ConfigError(file, f"there is no folder {ledger.parent}", key="ledger")


def _check_addresses(file: pathlib.Path, settings: PartnerSettings | AgencySettings) -> None:
    if isinstance(settings, AgencySettings):
        _check_url(file, "url", settings.url, https=settings.channel == "https")
    if settings.as2 is not None:
        _check_url(file, "as2.url", settings.as2.url)


def _check_url(file: pathlib.Path, key: str, url: str, *, https: bool = False) -> None:
    """Raises ConfigError for an address that the client refuses; an empty one is none."""
    try:
        scheme = parse_url(url).scheme if url else "https"
    except ValueError as error:
        raise ConfigError(file, f"{url}: {error}", key=key) from None
    if https and scheme != "https":
        raise ConfigError(file, f"{url}: channel https needs an address with https://", key=key)


def _check_edifact_ids(config: Config) -> None:
    """An interchange identification says who it is, so it is one party's."""
    taken: dict[str, str] = {}
    for file, settings in config.everybody():
        other = taken.setdefault(settings.edifact_id, settings.name) if settings.edifact_id else settings.name
        if other != settings.name:
            raise ConfigError(file, f"{settings.edifact_id!r} is that of {other} already", key="edifact-id")


def _our_certificates(config: Config, parties: Parties, now: datetime) -> Iterator[Doubt]:
    file, keys = config.folder / "gateway.toml", parties.keys
    signing = {
        pair.certificate: one for one, pair in zip(config.gateway.signing_keys, keys.signing, strict=True)
    }
    current = parties.signer.certificate
    # The next one's time comes by itself.
    following = [pair for pair in keys.signing if current.not_valid_after_utc >= pair.since > now]
    for key, name, certificate, is_followed in (
        ("signing", signing[current].certificate, current, bool(following)),
        ("tls", config.gateway.tls.certificate, keys.tls.certificate, False),
    ):
        if reason := _unusable(certificate, now):
            raise ConfigError(file, f"{name}: {reason}", key=f"{key}.certificate")
        if (reason := _expiring(certificate, now)) and not is_followed:
            yield Doubt(grade=Grade.WARNING, file=file, text=f"{key}.certificate: {name}: {reason}")
    for held in keys.decryption:
        if held.pair.certificate not in signing and (reason := _unusable(held.pair.certificate, now)):
            text = f"decryption.certificate: {held.name}: {reason}"
            yield Doubt(grade=Grade.WARNING, file=file, text=text)


def _as2_certificates(file: pathlib.Path, party: Party, now: datetime) -> Iterator[Doubt]:
    as2, theirs, terms = party.settings.as2, party.theirs, party.terms
    if as2 is None or theirs is None or terms is None:
        return
    bits = terms.policy.min_rsa_bits
    signing = "as2.signing-certificates" if as2.signing_certificates else "as2.certificates"
    encryption = "as2.encryption-certificates" if as2.encryption_certificates else "as2.certificates"
    yield from _party_certificates(file, signing, theirs.signing, now, bits)
    yield from _party_certificates(file, encryption, theirs.encryption, now, bits)
    if theirs.authorities is not None:
        yield from _party_certificates(file, "as2.authorities", theirs.authorities.anchors, now)


def _party_certificates(
    file: pathlib.Path,
    key: str,
    certificates: Sequence[x509.Certificate],
    now: datetime,
    bits: int = DEFAULT_POLICY.min_rsa_bits,
) -> Iterator[Doubt]:
    reasons = [_unusable(certificate, now, bits) for certificate in certificates]
    grade = Grade.FAULT if all(reasons) else Grade.WARNING
    for certificate, reason in zip(certificates, reasons, strict=True):
        subject = certificate.subject.rfc4514_string()
        if reason:
            yield Doubt(grade=grade, file=file, text=f"{key}: {subject}: {reason}")
        # Where the next one stands beside it, nothing is left to do.
        elif (soon := _expiring(certificate, now)) and all(
            one is certificate or _unusable(one, now + SOON, bits) for one in certificates
        ):
            yield Doubt(grade=Grade.WARNING, file=file, text=f"{key}: {subject}: {soon}")


def _unusable(certificate: x509.Certificate, now: datetime, bits: int = DEFAULT_POLICY.min_rsa_bits) -> str:
    """Why nothing made with `certificate` is believed at `now`; empty if it is."""
    if certificate.not_valid_after_utc < now:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_before_utc > now:
        return f"not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < bits:
        return f"an RSA key of {key.key_size} bits; {bits} are needed"
    return ""


def _expiring(certificate: x509.Certificate, now: datetime) -> str:
    ends = certificate.not_valid_after_utc
    return f"expires on {ends:%Y-%m-%d}" if ends - now < SOON else ""
