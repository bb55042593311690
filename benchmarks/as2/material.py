"""Two partners and the document between them: bob sends, alice receives.

Keys are made once a kind and loaded before anything is timed; so are names, boundaries and dates, which a
message needs whoever makes it.
"""

import functools
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509

from tidewaiter.benchmarks.edifact import material
from tidewaiter.benchmarks.floor import CONTENT
from tidewaiter.codecs.document import EDIFACT_MEDIA_TYPE
from tidewaiter.gateway.as2 import Composed, Terms, compose
from tidewaiter.gateway.http import Headers
from tidewaiter.security import Cipher, Digest, KeyTransport, load_certificates, load_private_key
from tidewaiter.security.cms import DecryptionKey, Signer
from tidewaiter.security.keystore import PrivateKey, make_self_signed

ALICE, BOB = "alice", "bob"
NOW = datetime.now(UTC).replace(microsecond=0)
RECEIPT_ID = "<bench-2@alice.example>"
# The envelope of the document, beside what its message is told to weigh.
_ENVELOPE = 150


class Suite(NamedTuple):
    """What a message is protected with."""

    name: str
    key: str = "rsa2048"
    cipher: Cipher = Cipher.AES256_CBC
    transport: KeyTransport = KeyTransport.RSA_PKCS1


class Keys(NamedTuple):
    """One partner's pair, and both halves of it in PEM."""

    certificate: x509.Certificate
    private_key: PrivateKey
    pem: bytes
    certificate_pem: bytes


class Partners(NamedTuple):
    """Both ends of one agreement."""

    suite: Suite
    alice: Keys
    bob: Keys

    def terms_of_alice(self, **changes: object) -> Terms:
        """The receiver's side."""
        return self._terms(ALICE, self.alice, BOB, self.bob, **changes)

    def terms_of_bob(self, **changes: object) -> Terms:
        """The sender's side."""
        return self._terms(BOB, self.bob, ALICE, self.alice, **changes)

    def composed(self, payload: bytes, content_type: str = EDIFACT_MEDIA_TYPE, number: int = 1) -> Composed:
        """`payload` as bob sends it, for the time of this `number`: under an id and with a boundary of its
        own."""
        return compose(
            payload,
            content_type,
            self.terms_of_bob(),
            message_id=f"<bench-{number}@bob.example>",
            now=NOW,
            boundary=boundary(number),
        )

    def _terms(self, our: str, ours: Keys, their: str, theirs: Keys, **changes: object) -> Terms:
        values: dict[str, object] = {
            "our_name": our,
            "their_name": their,
            "decryption_keys": (DecryptionKey(ours.certificate, ours.private_key),),
            "signer": Signer(ours.certificate, ours.private_key, Digest.SHA256),
            "their_signing": (theirs.certificate,),
            "their_encryption": theirs.certificate,
            "cipher": self.suite.cipher,
            "key_transport": self.suite.transport,
        }
        return Terms(**{**values, **changes})  # type: ignore[arg-type]


def partners(suite: Suite) -> Partners:
    """Alice and bob as `suite` has them."""
    return Partners(suite, _keys(ALICE, suite.key), _keys(BOB, suite.key))


@functools.cache
def document() -> bytes:
    """One declaration of the size that the floor is told for, in a charset that every reader handles."""
    return material.one_message(CONTENT - _ENVELOPE, material.LEVEL_B)


def boundary(number: int) -> str:
    """A boundary of its own for each message."""
    return f"6f1d0d1cbd2f4c3f9a5f{number:012x}"


def wire(message: Composed) -> Headers:
    """The message's headers as the listener gives them."""
    return Headers((name.lower().encode(), value.encode("latin-1")) for name, value in message.headers)


@functools.cache
def _keys(name: str, kind: str) -> Keys:
    certificate, private_key = make_self_signed(name, now=NOW, days=30, key=kind)
    return Keys(
        load_certificates(certificate)[0],
        load_private_key(private_key),
        private_key + certificate,
        certificate,
    )
