"""The TLS contexts that new connections are made with: replaced as certificates are, under connections that
go on."""

import hashlib
import ssl
from collections.abc import Iterable
from typing import NamedTuple

from cryptography import x509

from ..security import KeyStoreError, fingerprint
from ..security.tls import client_context, server_context
from .parties import Parties
from .toml import ConfigError

# What a context is made of: our chain and key as octets, and the certificates it believes.
_Inputs = tuple[str, bytes, frozenset[str]]


class Prepared(NamedTuple):
    """Contexts made and not yet in use."""

    server: ssl.SSLContext
    clients: dict[str, ssl.SSLContext]
    made: dict[_Inputs, ssl.SSLContext]


class TlsContexts:
    """The contexts in use. What does not change keeps its context, and with it its connections."""

    def __init__(self, parties: Parties) -> None:
        """Raises ConfigError."""
        self._made: dict[_Inputs, ssl.SSLContext] = {}
        self.clients: dict[str, ssl.SSLContext] = {}
        """By the name of the party whose server is called: its own certificates and no others are believed.
        One object for the life of the process."""
        self.take(self.prepare(parties))

    def server(self) -> ssl.SSLContext:
        """The context for the next handshake at our port: everybody known may open a connection."""
        return self._server

    def prepare(self, parties: Parties) -> Prepared:
        """The contexts for `parties`; changes nothing. Raises ConfigError."""
        tls, config = parties.config.gateway.tls, parties.config
        chain, key = config.path(tls.certificate), config.path(tls.key)
        made: dict[_Inputs, ssl.SSLContext] = {}
        try:
            shown = hashlib.sha256(chain.read_bytes() + b"\0" + key.read_bytes()).digest()

            def server() -> ssl.SSLContext:
                known = parties.tls_certificates()
                inputs = ("server", shown, _fingerprints(known))
                made[inputs] = self._made.get(inputs) or server_context(chain, key, partners=known)
                return made[inputs]

            def client(servers: tuple[x509.Certificate, ...]) -> ssl.SSLContext:
                inputs = ("client", shown, _fingerprints(servers))
                found = made.get(inputs) or self._made.get(inputs)
                made[inputs] = found or client_context(servers, chain=chain, key=key)
                return made[inputs]

            everybody = (*parties.partners.values(), *parties.agencies.values())
            clients = {party.name: client(party.server_certificates) for party in everybody}
            return Prepared(server(), clients, made)
        except (KeyStoreError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ConfigError(config.folder / "gateway.toml", reason or "cannot be read", key="tls") from None

    def take(self, prepared: Prepared) -> None:
        """Use `prepared` from the next connection on."""
        self._server, clients, self._made = prepared
        self.clients.clear()
        self.clients.update(clients)


def _fingerprints(certificates: Iterable[x509.Certificate]) -> frozenset[str]:
    return frozenset(map(fingerprint, certificates))
