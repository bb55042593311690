"""Which certificates are in use, for what, until when, and which come next."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from cryptography import x509

from ...security import fingerprint, newest, usable
from ..parties import Parties, Party


class Use(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True):
    """One purpose: what is in use for it now, and what takes its place. Certificates are fingerprints."""

    what: str
    now: list[str]
    until: datetime | None = None
    """When the last of `now` runs out."""
    next: str | None = None
    next_from: datetime | None = None

    def __str__(self) -> str:
        told = f"{self.what} {', '.join(_short(one) for one in self.now) or 'nothing'}"
        told += f" until {self.until:%Y-%m-%d}" if self.until else ""
        return told + (f"; {_short(self.next)} from {self.next_from:%Y-%m-%d %H:%M} UTC" if self.next else "")


def _short(print_: str) -> str:
    """Enough of a fingerprint to tell one from the other."""
    return print_[: len("sha256:") + 12]


def our_keys(parties: Parties, now: datetime) -> list[Use]:
    """What the gateway signs, decrypts and shows with."""
    keys = parties.keys
    coming = [pair for pair in keys.signing if pair.since > now]
    following = min(coming, key=lambda pair: pair.since, default=None)
    signing = Use(
        what="signs with",
        now=[fingerprint(keys.signing_at(now).certificate)],
        until=keys.signing_at(now).certificate.not_valid_after_utc,
        next=None if following is None else fingerprint(following.certificate),
        next_from=None if following is None else following.since,
    )
    opening = [key.certificate for key in keys.decrypting_at(now)]
    shown = keys.tls.certificate
    return [signing, _use("decrypts with", opening), _use("shows over TLS", [shown])]


def their_keys(parties: Parties, now: datetime) -> dict[str, list[Use]]:
    """The same of each partner and agency."""
    everybody = (*parties.partners.values(), *parties.agencies.values())
    return {party.name: list(_of(party, now)) for party in everybody}


def in_change(uses: dict[str, list[Use]]) -> Iterator[str]:
    """A line for each party with more than one certificate for a purpose: somebody is changing it."""
    for name, theirs in uses.items():
        yield from (f"{name} {use}" for use in theirs if use.next is not None or len(use.now) > 1)


def as_json(uses: Sequence[Use]) -> list[Any]:
    """As `--json` shows them."""
    return [msgspec.to_builtins(use) for use in uses]


def _of(party: Party, now: datetime) -> Iterator[Use]:
    if party.theirs is not None:
        yield _chosen("signs with", party.theirs.signing, now)
        if party.theirs.authorities is not None:
            yield _chosen("is certified by", party.theirs.authorities.anchors, now)
        to = newest(party.theirs.encryption, now)
        use = _chosen("is encrypted to with", party.theirs.encryption, now)
        if to is not None:
            one, until = [fingerprint(to)], to.not_valid_after_utc
            yield msgspec.structs.replace(use, now=one, until=until)
    if party.certificates:
        yield _chosen("is known over TLS by", party.certificates, now)
    if party.server_certificates:
        yield _chosen("shows over TLS", party.server_certificates, now)


def _chosen(what: str, certificates: Sequence[x509.Certificate], now: datetime) -> Use:
    """Those valid now, and the first that will be."""
    coming = [one for one in certificates if one.not_valid_before_utc > now]
    following = min(coming, key=lambda one: one.not_valid_before_utc, default=None)
    use = _use(what, usable(certificates, now))
    if following is None:
        return use
    begins = following.not_valid_before_utc
    return msgspec.structs.replace(use, next=fingerprint(following), next_from=begins)


def _use(what: str, certificates: Sequence[x509.Certificate]) -> Use:
    ends = max((one.not_valid_after_utc for one in certificates), default=None)
    return Use(what=what, now=[fingerprint(one) for one in certificates], until=ends)
