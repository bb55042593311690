"""Two AS2 partners joined in memory: bob sends, alice (the gateway) receives."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from cryptography import x509

from tidewaiter.gateway.as2 import (
    Composed,
    Disposition,
    Mdn,
    Mic,
    Received,
    Refused,
    Terms,
    compose,
    compose_mdn,
    identify,
    receive,
)
from tidewaiter.gateway.as2.writing import Piece, signed
from tidewaiter.security import Digest, load_certificates, load_private_key, make_self_signed
from tidewaiter.security.cms import DecryptionKey, Signer
from tidewaiter.security.keystore import PrivateKey

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DOCUMENT = b"UNB+UNOC:3+BOB+ALICE+261122:1200+1'\r\nUNZ+0+1'\r\n"

WireHeaders = tuple[tuple[bytes, bytes], ...]


@dataclasses.dataclass(frozen=True)
class Keys:
    certificate: x509.Certificate
    private_key: PrivateKey

    @property
    def signer(self) -> Signer:
        return Signer(self.certificate, self.private_key)

    @property
    def decryption_key(self) -> DecryptionKey:
        return DecryptionKey(self.certificate, self.private_key)


@dataclasses.dataclass(frozen=True)
class Link:
    """Both ends. Every argument by which a message differs is given, all else stays the same."""

    keys: dict[str, Keys]
    now: datetime = NOW
    document: bytes = DOCUMENT

    @staticmethod
    def wire(headers: Iterable[tuple[str, str]]) -> WireHeaders:
        """Headers as the listener gives them."""
        return tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers)

    def terms(self, ours: str, theirs: str, **changes: object) -> Terms:
        values: dict[str, object] = {
            "our_name": ours,
            "their_name": theirs,
            "decryption_keys": (self.keys[ours].decryption_key,),
            "signer": self.keys[ours].signer,
            "their_signing": (self.keys[theirs].certificate,),
            "their_encryption": self.keys[theirs].certificate,
        }
        return Terms(**{**values, **changes})  # type: ignore[arg-type]

    def alice(self, **changes: object) -> Terms:
        return self.terms("alice", "bob", **changes)

    def bob(self, **changes: object) -> Terms:
        return self.terms("bob", "alice", **changes)

    def send(
        self, payload: bytes = DOCUMENT, content_type: str = "application/edifact", **changes: object
    ) -> Composed:
        return compose(
            payload,
            "application/edifact",
            self.bob(**changes),
            message_id="<1@bob>",
            now=self.now,
            boundary="0f1e2d3c",
            filename="p.edi",
            subject="test",
        )

    @staticmethod
    def entity(body: bytes) -> bytes:
        """The entity that `send` makes of a document."""
        head = b"Content-Type: application/edifact\r\nContent-Transfer-Encoding: binary\r\n"
        return head + b'Content-Disposition: attachment; filename="p.edi"\r\n\r\n' + body

    @staticmethod
    def cms(data: bytes, smime_type: str) -> Piece:
        return Piece((("Content-Type", f"application/pkcs7-mime; smime-type={smime_type}"),), (data,))

    def signed_by(self, name: str, content: bytes | None = None, digest: Digest = Digest.SHA256) -> Piece:
        keys = self.keys[name]
        signer = Signer(keys.certificate, keys.private_key, digest)
        content = content or self.entity(self.document)
        return signed((content,), signer, digest.new(content).digest(), now=self.now, boundary="b1")

    def http(self, piece: Piece) -> Composed:
        """`piece` as the body of bob's message."""
        message = self.send(sign=False, encrypt=False)
        headers = (pair for pair in message.headers if not pair[0].startswith("Content-"))
        return Composed(
            headers=(*headers, *piece.headers),
            body=piece.body,
            mic=message.mic,
            message_id=message.message_id,
        )

    def receive(
        self, headers: Iterable[tuple[str, str]], body: bytes, terms: Terms | None = None
    ) -> Received | Refused:
        wire = self.wire(headers)
        return receive(identify(wire), wire, body, terms or self.alice(), now=self.now)

    def answer(
        self, headers: Iterable[tuple[str, str]], body: bytes, terms: Terms | None = None
    ) -> tuple[Received | Refused, Mdn]:
        """What alice makes of it, and the receipt she sends, with ids that never vary."""
        result = self.receive(headers, body, terms)
        return result, self.mdn(headers, result.disposition, result.mic, terms)

    def mdn(
        self,
        headers: Iterable[tuple[str, str]],
        disposition: Disposition,
        mic: Mic | None,
        terms: Terms | None = None,
    ) -> Mdn:
        return compose_mdn(
            identify(self.wire(headers)),
            disposition,
            mic,
            terms or self.alice(),
            message_id="<r@alice>",
            now=self.now,
            boundary="a1b2c3",
        )


@pytest.fixture(scope="session")
def link() -> Link:
    """Alice and bob with RSA keys; carol, a stranger, with P-256; dave's certificate has expired."""
    keys = {}
    for name, kind, now in (
        ("alice", "rsa2048", NOW),
        ("bob", "rsa2048", NOW),
        ("carol", "p256", NOW),
        ("dave", "p256", datetime(2020, 1, 1, tzinfo=UTC)),
    ):
        certificate, private_key = make_self_signed(name, now=now, days=30, key=kind)
        keys[name] = Keys(load_certificates(certificate)[0], load_private_key(private_key))
    return Link(keys)
