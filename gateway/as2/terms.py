"""The terms of one agreement: names, keys, algorithms and what must be protected. Built by the
configuration.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from ...security import DEFAULT_POLICY, Cipher, Digest, KeyTransport, Policy
from ...security.chain import Authorities
from ...security.cms import DecryptionKey, Signer
from .names import write_name

# One document after decompression. A zip bomb grows a thousandfold; a declaration of 10,000 items has some 10
# MB.
DEFAULT_MAX_PAYLOAD = 20_000_000


class Receipts(enum.Enum):
    """How the receipts of what we send are to come."""

    SYNC = "sync"
    """In the HTTP response."""
    ASYNC = "async"
    """By a request to our own address, later."""
    NONE = "none"
    """Not at all: a 2xx is all there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What two AS2 names have agreed upon. Raises ValueError if a name cannot be written as an AS2-name, or
    something is to be done for which the key is not there.

    Certificates are the other side's own, current and next; nothing a message carries adds to them.
    """

    our_name: str
    their_name: str
    decryption_keys: Sequence[DecryptionKey] = ()
    """Ours, current and next: a message encrypted to any of them is read."""
    signer: Signer | None = None
    """Ours, for messages and receipts; None where receipts are never signed."""
    their_signing: Sequence[x509.Certificate] = ()
    their_encryption: x509.Certificate | None = None
    their_authorities: Authorities | None = None
    """Who may have certified the partner: then a certificate that comes with a message counts, too, when
    these stand for it."""
    policy: Policy = DEFAULT_POLICY
    require_signed: bool = True
    """False lets unsigned messages in: anybody may then send under the partner's name, and where they are
    encrypted with CBC, processed or not is an answer that gives their content away."""
    require_encrypted: bool = True
    sign: bool = True
    """This and the following are for what we send."""
    encrypt: bool = True
    compress: bool = False
    compress_after_signing: bool = False
    """With `compress`: the signature is inside the compression (RFC 5402 allows either; before is usual)."""
    opaque: bool = False
    """Sign with the content inside the SignedData instead of beside it (RFC 8551 3.5.2)."""
    base64: bool = False
    """CMS parts are sent as base64, for partners that cannot read binary ones."""
    cipher: Cipher = Cipher.AES256_CBC
    gcm_in_enveloped: bool = False
    """GCM goes into EnvelopedData with its tag behind the content, for partners without RFC 5083."""
    key_transport: KeyTransport = KeyTransport.RSA_PKCS1
    digest: Digest = Digest.SHA256
    """The MIC algorithm we ask for, and use where a sender names none."""
    signed_receipts: bool = True
    """Ask for signed receipts, and take no other; False asks for unsigned ones."""
    receipts: Receipts = Receipts.SYNC
    """How the receipts of what we send are asked for."""
    receipt_url: str = ""
    """Our own address for asynchronous receipts."""
    receipt_addresses: tuple[str, ...] = ()
    """The origins, `https://host[:port]`, to which the other side may have its receipts posted."""
    duplicate_warning: bool = False
    """What comes again is answered `processed/warning: duplicate-document`, not with its receipt."""
    max_payload: int = DEFAULT_MAX_PAYLOAD

    def __post_init__(self) -> None:
        for name in (self.our_name, self.their_name):
            write_name(name)
        if self.sign and self.signer is None:
            raise ValueError("terms that sign need a signer")
        if self.encrypt and self.their_encryption is None:
            raise ValueError("terms that encrypt need the certificate to encrypt to")
        if self.receipts is Receipts.ASYNC and not self.receipt_url:
            raise ValueError("asynchronous receipts need an address of ours")
        if self.max_payload <= 0:
            raise ValueError("max_payload must be positive")
