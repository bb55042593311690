"""Trust by authority: a certificate counts when a chain of others leads from it to an agreed authority.

An agreement that names authorities names the subject they certify, too: without it, whoever has a certificate
of theirs could speak for the partner. What a message carries are candidates and no more; nothing is fetched,
and no store of the machine is looked at.
"""

import dataclasses
import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

# Certificates of one message that are looked at. The chain of a signer is two to four, two signers are rare.
MAX_CANDIDATES = 16
# Those of them that claim to be the subject's: the current and the next, to sign and to encrypt.
MAX_CLAIMANTS = 4
# Authorities between the signer's certificate and the agreed one.
MAX_DEPTH = 6
# Octets of a certificate: no key in it makes a signature that takes long to check. How many signatures are
# checked is limited by the library.
MAX_SIZE = 8 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Authorities:
    """The authorities of one agreement and whom they must have certified.

    `subject` is the whole name as RFC 4514 writes it (`CN=AS2,O=Acme`) or, without any `=`, the common name
    alone; it is compared exactly. Raises ValueError where either is missing: then anybody would be meant.
    """

    anchors: tuple[x509.Certificate, ...]
    subject: str

    def __post_init__(self) -> None:
        if not self.anchors:
            raise ValueError("there is no authority")
        if not self.subject:
            raise ValueError("authorities need the subject that they certify")

    def vouched(self, candidates: Sequence[bytes], now: datetime.datetime) -> tuple[x509.Certificate, ...]:
        """Those of the DER certificates `candidates` that are the subject's and that these authorities stand
        for at `now`, an aware time (RFC 5280 6), any of the others standing between. Never raises: a
        candidate that cannot be read is none, and more than MAX_CANDIDATES are passed over."""
        read = [one for der in candidates[:MAX_CANDIDATES] if (one := _read(der)) is not None]
        claimants = [one for one in read if self._is_meant(one)][:MAX_CLAIMANTS]
        between = [one for one in read if one not in claimants]
        return tuple(one for one in claimants if self._is_certified(one, between, now))

    def _is_meant(self, certificate: x509.Certificate) -> bool:
        try:
            subject = certificate.subject
        except ValueError:
            return False
        if "=" in self.subject:  # never a common name, or one could be made to look like a whole name
            return subject.rfc4514_string() == self.subject
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return len(names) == 1 and names[0].value == self.subject

    def _is_certified(
        self, leaf: x509.Certificate, between: list[x509.Certificate], now: datetime.datetime
    ) -> bool:
        verifier = (
            PolicyBuilder()
            .store(Store(list(self.anchors)))
            .time(now.astimezone(datetime.UTC).replace(tzinfo=None))
            .max_chain_depth(MAX_DEPTH)
            .extension_policies(ca_policy=_CA, ee_policy=_EE)
            .build_client_verifier()
        )
        try:
            verifier.verify(leaf, between)
        except (VerificationError, ValueError):
            return False
        return True


def _read(der: bytes) -> x509.Certificate | None:
    if len(der) > MAX_SIZE:
        return None
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        return None


def _signs(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("not a certificate to sign with")


# Of the authorities, what RFC 5280 wants of them. Not what else they may issue: those for messages, for mail
# and for servers are all met in AS2, and the agreement has named its own.
_CA = ExtensionPolicy.webpki_defaults_ca().may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
# Of the end of the chain, only what it may be used for: certificates for messages have no name of a host, and
# what else is in them differs from authority to authority.
_EE = ExtensionPolicy.permit_all().may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs)
