"""Whom `as2 send` speaks as, and to: the gateway to one of its parties, or a party to the gateway."""

import pathlib
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

from ...security import KeyStoreError
from ...security.tls import client_context
from ..as2 import Terms
from ..config import Config, load_config
from ..parties import Parties, Party
from ..sandbox.accounts import load_account
from ..toml import ConfigError
from .as2_means import Unusable

GATEWAY = "gateway"


class Speaker(NamedTuple):
    """One side of an agreement, with what it takes to send."""

    name: str
    to: str
    terms: Terms
    url: str
    domain: str
    tls: ssl.SSLContext | None
    chunked: bool = False


def speaker_of(folder: pathlib.Path, to: str, as_partner: str, url: str) -> Speaker:
    """The gateway of `folder` towards `to`, or `as_partner` of it towards the gateway. `url` stands in for
    the one configured. Raises Unusable.
    """
    if bool(to) == bool(as_partner):
        raise Unusable("either --to PARTNER, from the gateway, or --as NAME, to the gateway")
    try:
        return _partner(folder, as_partner, url) if as_partner else _gateway(folder, to, url)
    except ConfigError as error:
        raise Unusable(str(error)) from None


def _partner(folder: pathlib.Path, name: str, url: str) -> Speaker:
    account = load_account(folder, name)
    if account.terms is None:
        raise Unusable(f"{folder}: {name} has no AS2 agreement")
    where = url or account.as2_url
    return Speaker(name, GATEWAY, account.terms, where, f"{name}.example", account.client_tls)


def _gateway(folder: pathlib.Path, name: str, url: str) -> Speaker:
    config = load_config(folder)
    parties = Parties(config)
    if name not in parties.names:
        raise Unusable(f"{folder}: no partner or agency {name!r} is configured")
    party = parties.named(name)
    agreed = party.settings.as2
    if party.terms is None or agreed is None:
        raise Unusable(f"{folder}: {name} has no AS2 agreement")
    if not (where := url or agreed.url):
        raise Unusable(f"{folder}: the agreement with {name} has no url to send to: give --url")
    secure = urlsplit(where).scheme == "https"
    return Speaker(
        name=GATEWAY,
        to=name,
        terms=party.terms,
        url=where,
        domain=config.gateway.as2_name.lower(),
        tls=_tls(config, party) if secure else None,
        chunked=agreed.chunked,
    )


def _tls(config: Config, party: Party) -> ssl.SSLContext:
    tls = config.gateway.tls
    try:
        return client_context(
            party.server_certificates, chain=config.path(tls.certificate), key=config.path(tls.key)
        )
    except (KeyStoreError, OSError) as error:
        raise Unusable(f"{config.path(tls.key)}: {getattr(error, 'strerror', None) or error}") from None
