"""One AS2 agreement: from what is written down, and whose certificates are valid now, to its terms.

Every error is a ConfigError that names file and key.
"""

import pathlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from ..security import Digest, InsufficientSecurity, KeyTransport, Policy, Signature, newest
from ..security.algorithms import Mode
from ..security.chain import Authorities
from ..security.cms import Signer
from ..security.trust import facts, unfit
from .as2 import Receipts, Terms
from .as2.addresses import is_allowed_address
from .as2_settings import As2Settings, cipher_of, digest_of
from .config import Config
from .http.outgoing import parse_url
from .keys import OurKeys, certificates_of
from .toml import ConfigError
from .weaknesses import UNENCRYPTED, UNSIGNED, Algorithms


class Theirs(NamedTuple):
    """The other side's certificates, current and next, by what they are for."""

    signing: tuple[x509.Certificate, ...]
    encryption: tuple[x509.Certificate, ...]
    authorities: Authorities | None


def load_theirs(config: Config, file: pathlib.Path, as2: As2Settings) -> Theirs:
    """The certificates that `[as2]` of `file` names, which must be enough for what it wants."""
    _check(config, file, as2)
    both = _ends(certificates_of(config, file, as2.certificates, "as2.certificates"))
    names = as2.signing_certificates, as2.encryption_certificates
    signing = _ends(certificates_of(config, file, names[0], "as2.signing-certificates"))
    encryption = _ends(certificates_of(config, file, names[1], "as2.encryption-certificates"))
    anchors = certificates_of(config, file, as2.authorities, "as2.authorities")
    if as2.subject and not anchors:
        raise ConfigError(file, "says whom to believe, but needs authorities", key="as2.subject")
    if anchors and not as2.subject:
        raise ConfigError(file, "needs the subject that the authorities certify", key="as2.subject")
    try:
        authorities = Authorities(anchors, as2.subject) if anchors else None
    except ValueError as error:
        raise ConfigError(file, str(error), key="as2.subject") from None
    theirs = Theirs(signing or (() if authorities else both), encryption or both, authorities)
    if not theirs.signing and authorities is None:
        raise ConfigError(file, "needs at least one certificate", key="as2.certificates")
    if as2.encrypt and not theirs.encryption:
        raise ConfigError(file, "needs a certificate to encrypt to", key="as2.encryption-certificates")
    _check_keys(file, as2, theirs)
    return theirs


def _ends(certificates: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    """`certificates` without the authorities of others among them: a file may hold a whole chain, of which
    only the end is the partner's."""
    return tuple(one for one in certificates if not any(_has_issued(one, other) for other in certificates))


def _has_issued(one: x509.Certificate, other: x509.Certificate) -> bool:
    if other.issuer != one.subject:
        return False
    try:
        other.verify_directly_issued_by(one)
        # Of one key, current and next: each could have issued the other, and both are meant.
        return other.public_key() != one.public_key()
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False


def _check_keys(file: pathlib.Path, as2: As2Settings, theirs: Theirs) -> None:
    """Raises ConfigError for a certificate that no message can be made for, or checked with."""
    for key, one in _named(as2, theirs):
        if reason := unfit(one):
            raise ConfigError(file, f"{one.subject.rfc4514_string()}: {reason}", key=key)
    for one, reason in theirs.authorities.unfit() if theirs.authorities is not None else ():
        raise ConfigError(file, f"{one.subject.rfc4514_string()} {reason}", key="as2.authorities")
    keys = [facts(one).public_key for one in theirs.encryption]
    if as2.key_transport.startswith("ecdh") and any(isinstance(key, rsa.RSAPublicKey) for key in keys):
        raise ConfigError(file, f"{as2.key_transport} is for curves, not RSA", key="as2.key-transport")


def _named(as2: As2Settings, theirs: Theirs) -> Iterator[tuple[str, x509.Certificate]]:
    """Each of its certificates, under the key that names it."""
    own = "as2.signing-certificates" if as2.signing_certificates else "as2.certificates"
    yield from ((own, one) for one in theirs.signing)
    own = "as2.encryption-certificates" if as2.encryption_certificates else "as2.certificates"
    yield from ((own, one) for one in theirs.encryption)


def _check_sizes(file: pathlib.Path, as2: As2Settings, theirs: Theirs, bits: int) -> None:
    for key, one in _named(as2, theirs):
        public_key = facts(one).public_key
        if isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size < bits:
            reason = f"an RSA key of {public_key.key_size} bits; {bits} are needed"
            raise ConfigError(file, f"{one.subject.rfc4514_string()}: {reason}", key=key)


def _check(config: Config, file: pathlib.Path, as2: As2Settings) -> None:
    """Raises ConfigError for settings that do not go together."""
    for key, reason in _contradictions(config, as2):
        raise ConfigError(file, reason, key=f"as2.{key}")
    for origin in as2.receipt_addresses:
        try:
            endpoint = parse_url(origin)
        except ValueError as error:
            raise ConfigError(file, f"{origin}: {error}", key="as2.receipt-addresses") from None
        # One that no address could ever equal stands there by mistake.
        usable = is_allowed_address(origin, (origin,)) and urlsplit(origin).port != 0
        if endpoint.target != "/" or "#" in origin or not usable:
            raise ConfigError(file, f"{origin}: only https://host[:port]", key="as2.receipt-addresses")


def _contradictions(config: Config, as2: As2Settings) -> Iterator[tuple[str, str]]:
    if as2.compress_after_signing and not as2.compress:
        yield "compress-after-signing", "needs compress = true"
    if as2.opaque and not as2.sign:
        yield "opaque", "needs sign = true"
    if as2.gcm_in_enveloped and cipher_of(as2.cipher).mode is not Mode.GCM:
        yield "gcm-in-enveloped", f"needs a GCM cipher, not {as2.cipher}"
    if as2.receipts == "async" and not config.gateway.as2_url:
        yield "receipts", "async needs as2-url in gateway.toml, where they are posted to"


class Drafter:
    """Writes the terms of every agreement as they are at one moment."""

    def __init__(self, config: Config, keys: OurKeys, algorithms: Algorithms, now: datetime) -> None:
        self._config = config
        self._keys = keys
        self._algorithms = algorithms
        self._now = now
        self._signers: dict[tuple[Digest, Signature | None], Signer] = {}

    def terms(self, file: pathlib.Path, as2: As2Settings, theirs: Theirs) -> Terms:
        """The terms of `[as2]` in `file`."""
        try:
            policy = self._algorithms.policy(as2.allow)
        except LookupError as error:
            raise ConfigError(file, error.args[0], key="as2.allow") from None
        _check_sizes(file, as2, theirs, policy.min_rsa_bits)
        for key, used in (
            ("cipher", cipher_of(as2.cipher)),
            ("digest", digest_of(as2.digest)),
            ("key-transport", KeyTransport(as2.key_transport)),
        ):
            try:
                policy.require(used)
            except InsufficientSecurity as error:
                raise ConfigError(file, f"{error} by algorithms.toml", key=f"as2.{key}") from None
        try:
            return self._terms(as2, theirs, policy)
        except ValueError as error:
            raise ConfigError(file, str(error), key="as2.name") from None

    def signer(self, digest: Digest = Digest.SHA256, scheme: Signature | None = None) -> Signer:
        """Our signer with this digest and scheme. A scheme of RSA is none for a key that is not."""
        pair = self._keys.signing_at(self._now).pair
        if not isinstance(pair.private_key, rsa.RSAPrivateKey):
            scheme = None
        if (digest, scheme) not in self._signers:
            self._signers[digest, scheme] = Signer(pair.certificate, pair.private_key, digest, scheme=scheme)
        return self._signers[digest, scheme]

    def _terms(self, as2: As2Settings, theirs: Theirs, policy: Policy) -> Terms:
        digest = digest_of(as2.digest)
        return Terms(
            our_name=self._config.gateway.as2_name,
            their_name=as2.name,
            decryption_keys=self._keys.decrypting_at(self._now),
            signer=self.signer(digest, Signature(as2.signature)),
            their_signing=theirs.signing,
            their_encryption=newest(theirs.encryption, self._now),
            their_authorities=theirs.authorities,
            policy=policy,
            require_signed=UNSIGNED not in as2.allow,
            require_encrypted=UNENCRYPTED not in as2.allow,
            sign=as2.sign,
            encrypt=as2.encrypt,
            compress=as2.compress,
            compress_after_signing=as2.compress_after_signing,
            opaque=as2.opaque,
            base64=as2.base64,
            cipher=cipher_of(as2.cipher),
            gcm_in_enveloped=as2.gcm_in_enveloped,
            key_transport=KeyTransport(as2.key_transport),
            digest=digest,
            signed_receipts=as2.signed_receipts,
            receipts=Receipts(as2.receipts),
            receipt_url=self._config.gateway.as2_url,
            receipt_addresses=as2.receipt_addresses,
            duplicate_warning=as2.duplicates == "warning",
            max_payload=self._config.gateway.limits.payload,
        )
