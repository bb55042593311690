"""The other side of a configuration: what a trader or an agency knows of itself and of the gateway.

A starter configuration holds every party's keys, so its folder is enough to be any of them.
"""

import pathlib
import ssl

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ...security import SecurityError, load_certificates, load_private_key, newest
from ...security.cms import DecryptionKey, Signer
from ...security.tls import client_context, server_context
from .. import clock
from ..as2 import Terms
from ..as2_settings import As2Settings, cipher_of, digest_of
from ..config import Config, load_config
from ..toml import ConfigError, read_toml
from .script import Manner, SandboxSettings


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One party's view of the gateway: whatever it takes to be `name`.

    `receipts` are the certificates the gateway signs receipts with, `shows` those it shows on TLS. `terms` is
    None without an AS2 agreement; `own_url` is where the gateway posts to this party, empty for nowhere.
    """

    name: str
    certificate: x509.Certificate
    terms: Terms | None
    as2_url: str
    api_url: str
    own_url: str
    edifact_id: str
    gateway_edifact_id: str
    receipts: tuple[x509.Certificate, ...]
    shows: tuple[x509.Certificate, ...]
    client_tls: ssl.SSLContext
    server_tls: ssl.SSLContext
    record: str = ""
    """A folder to keep messages in; empty: none is kept."""
    manner: Manner = Manner()

    @property
    def shows_der(self) -> frozenset[bytes]:
        """The certificates the gateway shows on TLS, in DER."""
        return frozenset(one.public_bytes(Encoding.DER) for one in self.shows)

    @property
    def own_port(self) -> int:
        """The port of `own_url`."""
        return int(self.own_url.split("/")[2].rpartition(":")[2])


def load_account(folder: pathlib.Path, name: str) -> Account:
    """Be the partner or agency `name` of the configuration in `folder`, with the keys in its `keys/`.

    Raises ConfigError where the configuration or a key is missing or cannot be used.
    """
    try:
        return _account(folder, load_config(folder), name)
    except SecurityError as error:
        raise ConfigError(folder / "keys", f"{name}: {error}") from None


def _account(folder: pathlib.Path, config: Config, name: str) -> Account:
    party = config.partners.get(name) or config.agencies.get(name)
    if party is None:
        raise ConfigError(folder, f"no partner or agency {name!r} is configured")
    chain, key = folder / "keys" / f"{name}.pem", folder / "keys" / f"{name}.key"
    certificate = _certificates(folder, [f"keys/{name}.pem"])[0]
    _bytes(key)  # TLS would not say which file is missing
    shows = _certificates(folder, [config.gateway.tls.certificate])
    receipts = _certificates(folder, [pair.certificate for pair in config.gateway.signing_keys])
    sandbox = _sandbox(folder)
    api_url = config.gateway.public_url or f"https://{config.gateway.listen.https}"
    return Account(
        name=name,
        certificate=certificate,
        terms=_terms(config, party.as2, certificate, key, receipts) if party.as2 is not None else None,
        as2_url=f"http://{config.gateway.listen.http}/as2"
        if config.gateway.listen.http
        else f"{api_url}/as2",
        api_url=api_url,
        own_url=party.as2.url if party.as2 is not None else getattr(party, "url", ""),
        edifact_id=party.edifact_id,
        gateway_edifact_id=config.gateway.edifact_id,
        receipts=receipts,
        shows=shows,
        client_tls=client_context(shows, chain=chain, key=key),
        server_tls=server_context(chain, key, partners=shows),
        record=sandbox.record,
        manner=sandbox.agency.get(name, Manner()),
    )


def _sandbox(folder: pathlib.Path) -> SandboxSettings:
    file = folder / "sandbox.toml"
    return read_toml(file, SandboxSettings) if file.exists() else SandboxSettings()


def _terms(
    config: Config,
    as2: As2Settings,
    certificate: x509.Certificate,
    key: pathlib.Path,
    gateway: tuple[x509.Certificate, ...],
) -> Terms:
    """The agreement as the other side has it."""
    private = load_private_key(_bytes(key))
    ours = config.gateway.decryption_keys
    opens = [_certificates(config.folder, [pair.certificate])[0] for pair in ours]
    return Terms(
        our_name=as2.name,
        their_name=config.gateway.as2_name,
        decryption_keys=(DecryptionKey(certificate, private),),
        signer=Signer(certificate, private, digest_of(as2.digest)),
        their_signing=gateway,
        their_encryption=newest(opens, clock.utc(clock.instant())),
        sign=as2.sign,
        encrypt=as2.encrypt,
        compress=as2.compress,
        cipher=cipher_of(as2.cipher),
        digest=digest_of(as2.digest),
        receipt_addresses=(_origin(config.gateway.as2_url),) if config.gateway.as2_url else (),
    )


def _origin(url: str) -> str:
    """`https://host[:port]` of an address."""
    return "/".join(url.split("/")[:3])


def _certificates(folder: pathlib.Path, names: list[str]) -> tuple[x509.Certificate, ...]:
    return tuple(one for name in names for one in load_certificates(_bytes(folder / name)))


def _bytes(file: pathlib.Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(file, error.strerror or "cannot be read") from None
