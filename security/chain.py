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
# Authorities between the signer's certificate and the agreed one.
MAX_DEPTH = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Authorities:
    """The authorities of one agreement and whom they must have certified.

    `subject` is the whole name as RFC 4514 writes it, or the common name alone; it is compared exactly.
    Raises ValueError where either is missing: then anybody would be meant.
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
        return tuple(one for one in read if self._is_meant(one) and self._is_certified(one, read, now))

    def _is_meant(self, certificate: x509.Certificate) -> bool:
        try:
            subject = certificate.subject
        except ValueError:
            return False
        if subject.rfc4514_string() == self.subject:
            return True
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return len(names) == 1 and names[0].value == self.subject

    def _is_certified(
        self, leaf: x509.Certificate, others: Sequence[x509.Certificate], now: datetime.datetime
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
            verifier.verify(leaf, [one for one in others if one is not leaf])
        except VerificationError:
            return False
        return True


def _read(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _signs(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("not a certificate to sign with")


_CA = ExtensionPolicy.webpki_defaults_ca()
# Of the end of the chain, only what it may be used for: certificates for messages have no name of a host, and
# what else is in them differs from authority to authority.
_EE = ExtensionPolicy.permit_all().may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs)
