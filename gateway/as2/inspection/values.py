"""What is inside a stored message, as values: layers within layers, what they prove, and what it comes to."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from ....security.chain import Authorities
from ....security.cms import DecryptionKey
from ....security.inspection.values import Shown
from ..identity import Identity
from ..mic import Mic
from ..payload import Part
from ..signature import Tolerance
from ..terms import DEFAULT_MAX_PAYLOAD, Terms
from .stored import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an inspection may use: keys to decrypt with, certificates and authorities whose signature counts,
    and the agreement (None: without one) by which the message is judged at the end.
    """

    keys: Sequence[DecryptionKey] = ()
    certificates: Sequence[x509.Certificate] = ()
    authorities: Authorities | None = None
    terms: Terms | None = None
    max_payload: int = DEFAULT_MAX_PAYLOAD


class Standing(enum.Enum):
    """What a signature is worth."""

    HOLDS = "holds"
    """By a certificate that was given or agreed upon."""
    UNTRUSTED = "untrusted"
    """The content is what was signed, but only the message itself says by whom."""
    UNCHECKED = "unchecked"
    """There is no certificate to check it with."""
    REFUSED = "refused"
    """By an algorithm that nobody can allow: it is not computed, and refused from everybody."""
    FAILS = "fails"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A signature after it was checked. `signer` and `fingerprint` are of the certificate it holds by."""

    standing: Standing
    signer: str = ""
    fingerprint: str = ""
    reason: str = ""
    tolerance: Tolerance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """The machine's part of an MDN, as written. `understood` is empty where the disposition is none."""

    disposition: str
    understood: str
    original_message_id: str
    mic: str
    final_recipient: str
    reporting_ua: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A MIME entity, and what is inside it.

    `octets` are those of its body. `opened_by`: the fingerprint of the certificate whose key decrypted it;
    `opened` the octets that came out of decryption or decompression. `problem`: why nothing is inside.
    """

    media_type: str
    content_type: str = ""
    encoding: str = ""
    filename: str = ""
    octets: int = 0
    bare: bool = False
    cms: Shown | None = None
    signature: Judged | None = None
    notification: Notification | None = None
    opened_by: str = ""
    opened: int | None = None
    locked: bool = False
    """Encrypted, and none of the keys at hand opens it."""
    problem: str = ""
    inside: "tuple[Layer, ...]" = ()


class Over(enum.Enum):
    """What a MIC is over (RFC 4130 7.3.1, RFC 5402 4)."""

    SIGNED = "the part that was signed, with its MIME headers"
    OPAQUE = "the content inside the signature, with its MIME headers"
    DECRYPTED = "the decrypted entity, with its MIME headers"
    DECOMPRESSED = "the decompressed entity, with its MIME headers"
    RELATED = "the multipart with its Content-Type; it was neither signed, encrypted nor compressed"
    BODY = "the body alone, which was neither signed, encrypted nor compressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the agreement makes of the message: of a receipt, what it proves; of any other, how it would be
    answered. `reason` is for our own eyes.
    """

    good: bool
    disposition: str
    reason: str = ""
    concealed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A stored message and everything found in it. `at` is when signatures and certificates were judged,
    `dated_by` what says so. `problem`: why its headers make no AS2 message.
    """

    stored: Stored
    identity: Identity | None
    problem: str
    at: datetime
    dated_by: str
    root: Layer
    mic: Mic | None = None
    over: Over | None = None
    verdict: Verdict | None = None
    documents: tuple[Part, ...] = field(default=())
