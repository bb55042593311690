"""What an inspection may use: keys and certificates from files, or those of a configuration."""

import pathlib
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509

from ...security import KeyStoreError, load_certificates, load_private_key
from ...security.cms import DecryptionKey
from ...security.keystore import PrivateKey
from ..as2 import read_name
from ..as2.inspection.stored import Kind, Stored
from ..as2.inspection.values import Means
from ..config import load_config
from ..parties import Parties, Party
from ..toml import ConfigError


class Unusable(Exception):  # noqa: N818  it says what was given
    """A file or name that was given cannot be used; the text is one line with its name."""


def read_certificates(files: Sequence[pathlib.Path]) -> list[x509.Certificate]:
    """The certificates in these files. Raises Unusable."""
    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += load_certificates(read_file(file))
        except KeyStoreError as error:
            raise Unusable(f"{file}: {error}") from None
    return found


def read_file(file: pathlib.Path) -> bytes:
    """Its octets. Raises Unusable."""
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise Unusable(f"{file}: {getattr(error, 'strerror', None) or error}") from None


def read_moment(text: str) -> datetime | None:
    """`--at`, a date or a time in ISO 8601; without a zone it is UTC. Raises Unusable."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"--at {text!r} is no time: 2026-11-22T09:30:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_keys(
    files: Sequence[pathlib.Path], certificates: Sequence[x509.Certificate]
) -> tuple[list[DecryptionKey], list[x509.Certificate]]:
    """The keys in `files`, each with its own of `certificates`, and the certificates that are of no key: the
    other side's. Raises Unusable where a key has no certificate: a message names its recipient by it.
    """
    keys: list[DecryptionKey] = []
    ours: list[x509.Certificate] = []
    for file in files:
        private = _private_key(file)
        own = [one for one in certificates if one.public_key() == private.public_key()]
        if not own:
            raise Unusable(f"{file}: none of the certificates given belongs to this key: add --certificate")
        keys += [DecryptionKey(one, private) for one in own]
        ours += own
    return keys, [one for one in certificates if one not in ours]


def _private_key(file: pathlib.Path) -> PrivateKey:
    try:
        return load_private_key(read_file(file))
    except KeyStoreError as error:
        raise Unusable(f"{file}: {error}") from None


def given_means(keys: Sequence[pathlib.Path], certificates: Sequence[pathlib.Path]) -> Means:
    """From files alone: a certificate with a key is its owner's, and no signer's. Raises Unusable."""
    decryption, theirs = read_keys(keys, read_certificates(certificates))
    return Means(keys=decryption, certificates=theirs)


def configured_means(folder: pathlib.Path, partner: str, stored: Stored) -> tuple[Means, str]:
    """From the configuration in `folder`: by the agreement with `partner`, else with whom the message names.

    The name says whose agreement it is; empty where the names of the message belong to none. Of a message
    that we sent, our own certificate is what its signature counts by. CMS alone names nobody: it may be for
    any key of ours, and by anybody configured. Raises Unusable.
    """
    try:
        parties = Parties(load_config(folder))
    except ConfigError as error:
        raise Unusable(str(error)) from None
    if stored.kind is Kind.CMS and not partner:
        return _anybody(parties), ""
    sender, recipient = _name(stored, "as2-from"), _name(stored, "as2-to")
    party = _party(folder, parties, partner, sender, recipient)
    if party is None or party.terms is None:
        return Means(), ""
    terms = party.terms
    if sender == terms.our_name:
        ours = tuple(pair.certificate for pair in parties.keys.signing)
        return Means(keys=terms.decryption_keys, certificates=ours), party.name
    means = Means(
        keys=terms.decryption_keys,
        certificates=tuple(terms.their_signing),
        authorities=terms.their_authorities,
        terms=terms,
        max_payload=terms.max_payload,
    )
    return means, party.name


def _anybody(parties: Parties) -> Means:
    agreed = [terms for name in parties.names if (terms := parties.named(name).terms) is not None]
    theirs = [certificate for terms in agreed for certificate in terms.their_signing]
    ours = [pair.certificate for pair in parties.keys.signing]
    keys = parties.keys.decrypting_at(datetime.now(UTC))
    return Means(keys=keys, certificates=tuple(dict.fromkeys((*theirs, *ours))))


def _party(folder: pathlib.Path, parties: Parties, partner: str, sender: str, recipient: str) -> Party | None:
    if partner:
        if partner not in parties.names:
            raise Unusable(f"{folder}: no partner or agency {partner!r} is configured")
        party = parties.named(partner)
        if party.terms is None:
            raise Unusable(f"{folder}: {partner} has no AS2 agreement")
        return party
    return parties.by_as2_names(sender, recipient) or parties.by_as2_names(recipient, sender)


def _name(stored: Stored, header: str) -> str:
    try:
        return read_name(stored.header(header))
    except ValueError:
        return ""


def together(first: Means, second: Means) -> Means:
    """`first`, a configuration's, with the keys and certificates of `second`, which were given."""
    return Means(
        keys=(*first.keys, *second.keys),
        certificates=(*first.certificates, *second.certificates),
        authorities=first.authorities,
        terms=first.terms,
        max_payload=first.max_payload,
    )
