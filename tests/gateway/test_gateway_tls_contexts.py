"""The contexts of new connections: by party, as few as need be, and replaced only where something changed."""

import pathlib
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.tls_contexts import TlsContexts
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.security import make_self_signed

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)


def parties_of(folder: pathlib.Path) -> Parties:
    return Parties(load_config(folder), NOW)


def pair(folder: pathlib.Path, name: str) -> None:
    certificate, key = make_self_signed(name, now=NOW - timedelta(days=1), days=9, key="p256")
    (folder / f"keys/{name}.pem").write_bytes(certificate)
    (folder / f"keys/{name}.key").write_bytes(key)


def test_parties_without_pins_share_the_machine_s_authorities(parties: Parties) -> None:
    clients = TlsContexts(parties).clients
    assert clients["trader"] is clients["customs"]
    assert len({clients["trader"], clients["health"], clients["agriculture"]}) == 3
    assert clients["health"].verify_mode is ssl.CERT_REQUIRED


def test_preparing_changes_nothing(folder: pathlib.Path) -> None:
    made = TlsContexts(parties_of(folder))
    server, clients = made.server(), dict(made.clients)
    pair(folder, "health")
    prepared = made.prepare(parties_of(folder))
    assert (made.server(), made.clients) == (server, clients)
    made.take(prepared)
    assert made.server() is not server
    assert {name for name, one in made.clients.items() if one is not clients[name]} == {"health"}


def test_our_own_pair_is_in_all_of_them(folder: pathlib.Path) -> None:
    made = TlsContexts(parties_of(folder))
    server, clients = made.server(), dict(made.clients)
    pair(folder, "gateway-tls")
    made.take(made.prepare(parties_of(folder)))
    assert made.server() is not server
    assert all(one is not clients[name] for name, one in made.clients.items())


def test_a_party_that_is_gone_has_none(folder: pathlib.Path) -> None:
    made = TlsContexts(parties_of(folder))
    (folder / "partners/trader.toml").unlink()
    made.take(made.prepare(parties_of(folder)))
    assert set(made.clients) == {"agriculture", "customs", "health"}


@pytest.mark.parametrize("name", ["gateway-tls.pem", "gateway-tls.key"])
def test_files_that_are_gone_meanwhile(folder: pathlib.Path, name: str) -> None:
    parties = parties_of(folder)
    (folder / "keys" / name).unlink()
    with pytest.raises(ConfigError, match=r"gateway.toml: tls: No such file"):
        TlsContexts(parties)


def test_files_that_no_longer_fit(folder: pathlib.Path) -> None:
    parties = parties_of(folder)
    certificate = (folder / "keys/gateway-tls.pem").read_bytes()
    pair(folder, "gateway-tls")
    (folder / "keys/gateway-tls.pem").write_bytes(certificate)
    with pytest.raises(ConfigError, match=r"gateway.toml: tls: the certificate chain or its key"):
        TlsContexts(parties)
