"""`[as2]` of a partner or an agency: one AS2 agreement, as it is written down."""

from ..security import Cipher, Digest
from .choices import (
    CipherName,
    DigestName,
    DuplicatesName,
    ReceiptsName,
    Seconds,
    Settings,
    SignatureName,
    TransportName,
)


class As2Settings(Settings, frozen=True):
    """One AS2 agreement. The certificates are the other side's, current and next, in any order: whatever is
    valid at the moment verifies, and the newest of them is encrypted to. A file may hold several."""

    name: str
    """Its AS2 name."""
    certificates: tuple[str, ...] = ()
    """It signs with these and is encrypted to with these, unless one of the two keys below stands in."""
    signing_certificates: tuple[str, ...] = ()
    """It signs with these; none: with `certificates`."""
    encryption_certificates: tuple[str, ...] = ()
    """It is encrypted to with these; none: with `certificates`."""
    authorities: tuple[str, ...] = ()
    """Instead of its signing certificates: whatever these authorities have certified `subject` to sign with,
    the certificate coming with the message. Only to verify; what we encrypt to is named above."""
    subject: str = ""
    """With `authorities`: who they must have certified, as RFC 4514 writes the whole name (`CN=AS2,O=Acme`),
    or the common name alone."""
    url: str = ""
    """Where we post to; empty: we only receive."""
    sign: bool = True
    encrypt: bool = True
    compress: bool = False
    compress_after_signing: bool = False
    """With `compress`: sign first, and compress what is signed (RFC 5402)."""
    opaque: bool = False
    """Sign with the content inside the signature instead of beside it."""
    base64: bool = False
    """Send CMS as base64, for products that cannot read it binary."""
    chunked: bool = False
    """Send with chunked transfer coding, for products that take no Content-Length."""
    cipher: CipherName = "aes-256-cbc"
    gcm_in_enveloped: bool = False
    """With a GCM cipher: the form of products without AuthEnvelopedData."""
    digest: DigestName = "sha-256"
    """We sign with this, and ask for a MIC by it."""
    signature: SignatureName = "rsa-pkcs1"
    """How our RSA key signs. An elliptic curve key has one way only."""
    key_transport: TransportName = "rsa-pkcs1"
    """How the message key is encrypted to the other side's RSA certificate, or agreed with its curve's."""
    receipts: ReceiptsName = "sync"
    """How it is to send its receipts (MDN): in the response, to our `as2-url` later, or not at all."""
    signed_receipts: bool = True
    """Ask for signed receipts, and take no others."""
    receipt_seconds: Seconds = 900.0
    """How long a receipt that comes later is waited for before the message is sent again."""
    receipt_addresses: tuple[str, ...] = ()
    """`https://host[:port]`, each an address to which it may have our receipts posted. None: it gets them in
    the response only."""
    private_addresses: bool = False
    """Whether one of `receipt-addresses` may resolve to an address of this machine or a private network."""
    duplicates: DuplicatesName = "receipt"
    """What a message that comes again is answered: the receipt it got, or a warning that it is one."""
    attachments: bool = False
    """Of an agency: send supporting documents along, as further parts (RFC 6362)."""
    allow: tuple[str, ...] = ()
    """Weaknesses accepted from the other side, by name: those of algorithms.toml, `unsigned`, `unencrypted`
    and `no-signed-attributes`."""


def cipher_of(name: str) -> Cipher:
    """`aes-256-cbc` as a Cipher."""
    return Cipher[name.upper().replace("AES-", "AES").replace("-", "_")]


def digest_of(name: str) -> Digest:
    """`sha-256` as a Digest."""
    return Digest[name.upper().replace("-", "")]
