"""Trust by authority: a certificate counts when a chain of others leads from it to an agreed authority.

An agreement that names authorities names the subject they certify, too: without it, whoever has a certificate
of theirs could speak for the partner. What a message carries are candidates and no more; nothing is fetched,
and no store of the machine is looked at.
"""

import dataclasses
import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from .subject import AgreedSubject
from .trust import valid_at

# Certificates of one message that are looked at. The chain of a signer is two to four, two signers are rare.
MAX_CANDIDATES = 16
# Those of them that claim to be the subject's: the current and the next, to sign and to encrypt.
MAX_CLAIMANTS = 4
# Authorities between the signer's certificate and the agreed one.
MAX_DEPTH = 6
# Octets of a certificate: no key in it makes a signature that takes long to check. How many signatures are
# checked is limited by the library.
MAX_SIZE = 8 * 1024


# What an authority signs with, and what it digests: as the library has it for all the path.
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_MIN_RSA_BITS = 2048
_DIGESTS = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclasses.dataclass(frozen=True, slots=True)
class Authorities:
    """The authorities of one agreement and whom they must have certified.

    `subject` is the whole name as RFC 4514 writes it (`CN=AS2,O=Acme`) or, without any `=`, the common name
    alone (see `AgreedSubject`). Raises ValueError where either is missing, for then anybody would be meant,
    and where `subject` is no name.
    """

    anchors: tuple[x509.Certificate, ...]
    subject: str
    _meant: AgreedSubject = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.anchors:
            raise ValueError("there is no authority")
        if not self.subject.strip():
            raise ValueError("authorities need the subject that they certify")
        object.__setattr__(self, "_meant", AgreedSubject(self.subject))

    def vouched(self, candidates: Sequence[bytes], now: datetime.datetime) -> tuple[x509.Certificate, ...]:
        """Those of the DER certificates `candidates` that are the subject's and that these authorities stand
        for at `now`, an aware time (RFC 5280 6), any of the others standing between. Never raises: a
        candidate that cannot be read is none, and more than MAX_CANDIDATES are passed over."""
        claimants, between = self._sorted(candidates)
        return tuple(one for one in claimants if not self._doubt(one, between, now))

    def doubt(self, candidates: Sequence[bytes], now: datetime.datetime) -> str:
        """Why nothing of `candidates` made the signature, for the log of our side: in words of ours only."""
        claimants, between = self._sorted(candidates)
        if not candidates:
            return "it carries no certificate"
        if not claimants:
            return "no certificate that it carries bears the agreed subject"
        return next(
            (doubt for one in claimants if (doubt := self._doubt(one, between, now))),
            "the certified certificate is not a signer's",
        )

    def unfit(self) -> tuple[tuple[x509.Certificate, str], ...]:
        """The anchors that can stand for nobody, each with the reason.

        An authority is of X.509 v3 and says that it is one (RFC 5280 4.2.1.9): of an older one nothing tells
        it from the certificate of anybody. What bears the subject itself needs no authority.
        """
        doubts = ((one, _no_authority(one)) for one in self.anchors if not self._meant.is_of(one))
        return tuple((one, reason) for one, reason in doubts if reason)

    def _sorted(self, candidates: Sequence[bytes]) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
        """Those that bear the subject, and those that may stand between."""
        read = [one for der in candidates[:MAX_CANDIDATES] if (one := _read(der)) is not None]
        claimants = [one for one in read if self._meant.is_of(one)][:MAX_CLAIMANTS]
        return claimants, [one for one in read if one not in claimants]

    def _doubt(self, leaf: x509.Certificate, between: list[x509.Certificate], now: datetime.datetime) -> str:
        """Why nobody stands for `leaf`; empty where somebody does."""
        if not valid_at(leaf, now.replace(microsecond=0)):  # to the end of its last second
            return "the certificate with the agreed subject is outside its validity"
        if leaf.version is x509.Version.v1:
            if leaf in self.anchors:
                return ""
            issuers = [one for one in (*self.anchors, *between) if _has_issued(one, leaf)]
            paths = (self._path(one, between, now, _ISSUER) for one in issuers)
            return "" if any(path is not None and _leads(path) for path in paths) else NO_PATH
        return NO_PATH if self._path(leaf, between, now, _EE) is None else ""

    def _path(
        self,
        end: x509.Certificate,
        between: list[x509.Certificate],
        now: datetime.datetime,
        policy: ExtensionPolicy,
    ) -> list[x509.Certificate] | None:
        """From `end`, which `policy` is for, to an anchor; None if there is none."""
        verifier = (
            PolicyBuilder()
            .store(Store(list(self.anchors)))
            .time(now.astimezone(datetime.UTC).replace(tzinfo=None))
            .max_chain_depth(MAX_DEPTH)
            .extension_policies(ca_policy=_CA, ee_policy=policy)
            .build_client_verifier()
        )
        try:
            return verifier.verify(end, between).chain
        except (VerificationError, ValueError):
            return None


NO_PATH = "no valid path leads from the certificate with the agreed subject to an agreed authority"


def _read(der: bytes) -> x509.Certificate | None:
    if len(der) > MAX_SIZE:
        return None
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        return None


def _has_issued(issuer: x509.Certificate, leaf: x509.Certificate) -> bool:
    """Whether the signature of `leaf`, a certificate without extensions, is that of `issuer`.

    The library checks those of X.509 v3 only, but `openssl x509 -req` makes such a leaf unless it is given
    extensions. Without them it can certify nobody: only the end of a path may be one.
    """
    try:
        digest = leaf.signature_hash_algorithm
        if _weak(issuer) or not isinstance(digest, _DIGESTS) or issuer.subject != leaf.issuer:
            return False
        leaf.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _leads(path: Sequence[x509.Certificate]) -> bool:
    """Whether `path`, of authorities from the last on, may have one certificate more at its end: each limits
    how many stand below it. Which names it may certify is not read here, so it must not limit them."""
    try:
        for below, one in enumerate(path):
            limit = one.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
            if limit is not None and limit < below:
                return False
            if any(isinstance(each.value, x509.NameConstraints) for each in one.extensions):
                return False
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False
    return True


def _no_authority(anchor: x509.Certificate) -> str:
    try:
        extensions = anchor.extensions
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
        usages = [each.value for each in extensions if isinstance(each.value, x509.KeyUsage)]
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return "is no authority: it has no basicConstraints that could be read"
    if not basic.ca or not all(usage.key_cert_sign for usage in usages):
        return "is no authority: it may not certify anybody"
    return _weak(anchor)


def _weak(authority: x509.Certificate) -> str:
    try:
        key = authority.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "has a key that cannot be read"
    if isinstance(key, rsa.RSAPublicKey):
        return "" if key.key_size >= _MIN_RSA_BITS else f"has an RSA key of less than {_MIN_RSA_BITS} bits"
    fits = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    return "" if fits else "has a key that is neither RSA nor on P-256, P-384 or P-521"


def _signs(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("not a certificate to sign with")


def _certifies(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("not a certificate to certify with")


def _is_authority(_policy: Policy, _certificate: x509.Certificate, basic: x509.BasicConstraints) -> None:
    if not basic.ca:
        raise ValueError("not an authority")


# Of the authorities, what RFC 5280 6.1.4 wants of them: basic constraints always, and a usage only where
# there is one, since plain `openssl req -x509` writes none. Not what else they may issue: those
# for messages, for mail and for servers are all met in AS2, and the agreement has named its own.
_CA = (
    ExtensionPolicy.webpki_defaults_ca()
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _certifies)
    .may_be_present(x509.SubjectKeyIdentifier, Criticality.AGNOSTIC, None)
    .may_be_present(x509.AuthorityKeyIdentifier, Criticality.AGNOSTIC, None)
)
# Of the end of the chain, only what it may be used for: certificates for messages have no name of a host, and
# what else is in them differs from authority to authority.
_EE = ExtensionPolicy.permit_all().may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs)
# Of an authority that a path is asked from, because the library does not read what it has certified.
_ISSUER = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _certifies)
)
