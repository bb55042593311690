"""What can be seen of a CMS structure, as values. Algorithms have this room's names, else dotted numbers.

Numbers of octets are those of contents. Nothing in these values is verified.
"""

import enum
from dataclasses import dataclass
from datetime import datetime

from ..cms.content import ContentType


class Form(enum.Enum):
    """How a structure is encoded (X.690)."""

    DER = "DER"
    BER = "BER"
    """Lengths that are indefinite or not minimal, or strings in pieces, as streaming senders write them."""


class Keying(enum.Enum):
    """How a recipient gets the content key (RFC 5652 6.2)."""

    TRANSPORT = "key transport"
    AGREEMENT = "key agreement"
    KEY_ENCRYPTION = "key encryption key"
    PASSWORD = "password"  # noqa: S105  a kind of recipient
    OTHER = "another kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose certificate is meant: by issuer and serial number, or by key identifier; both in hexadecimal."""

    issuer: str = ""
    serial: str = ""
    key_identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCertificate:
    """A certificate that a message carries. `problem` says why the rest is empty."""

    subject: str = ""
    issuer: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    key: str = ""
    """Kind and size: `RSA 2048`, `EC P-256`."""
    fingerprint: str
    octets: int
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRecipient:
    """A RecipientInfo. `mask` is that of OAEP, `digest` that of OAEP or of the key derivation, `wrap` the key
    wrap of a key agreement, `key` what can be seen of the recipient's key."""

    keying: Keying
    holder: Holder = Holder()
    algorithm: str = ""
    digest: str = ""
    mask: str = ""
    wrap: str = ""
    key: str = ""
    encrypted_key: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEnvelope:
    """An EnvelopedData or AuthEnvelopedData.

    `tag` is 0 where there is none; `tag_behind`: it stands behind the content, not in a field of its own.
    """

    type: ContentType
    form: Form
    octets: int
    cipher: str
    mode: str
    iv: int
    tag: int
    tag_behind: bool
    content: int
    pieces: int
    """Strings the content is cut into; 0 where it is in one."""
    recipients: tuple[ShownRecipient, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPss:
    """The parameters of RSASSA-PSS (RFC 4055 3.1), defaults filled in; `absent`: none were given."""

    digest: str
    mask: str
    salt: int
    absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSigner:
    """A SignerInfo. `hashed_with` is the digest of the signature itself, where its identifier names one."""

    holder: Holder = Holder()
    digest: str = ""
    scheme: str = ""
    hashed_with: str = ""
    pss: ShownPss | None = None
    attributes: tuple[str, ...] | None = None
    """The signed ones by name; None where the signature is directly over the content."""
    unsigned: tuple[str, ...] = ()
    content_type: str = ""
    message_digest: str = ""
    """In hexadecimal."""
    signing_time: datetime | None = None
    signature: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSigned:
    """A SignedData. `content` is None where it is detached."""

    type: ContentType
    form: Form
    octets: int
    content_type: str
    content: int | None
    digests: tuple[str, ...]
    certificates: tuple[ShownCertificate, ...]
    revocations: int
    signers: tuple[ShownSigner, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCompressed:
    """A CompressedData; `content` is how much the compressed content is."""

    type: ContentType
    form: Form
    octets: int
    algorithm: str
    content: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOther:
    """A ContentInfo of a type that is not handled here."""

    content_type: str
    form: Form
    octets: int


Shown = ShownEnvelope | ShownSigned | ShownCompressed | ShownOther
