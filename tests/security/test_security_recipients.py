"""Key agreement as others make it: the sender here is written from RFC 5753 and shares no code with ours."""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tidewaiter.security import (
    DEFAULT_POLICY,
    Cipher,
    DecryptionFailed,
    InsufficientSecurity,
    KeyStoreError,
    KeyTransport,
    Policy,
    SecurityError,
    der,
)
from tidewaiter.security.cms import ContentType, decrypt, encrypt
from tidewaiter.security.cms.content import DATA, write
from tidewaiter.security.trust import facts

CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"
EC_PUBLIC_KEY = der.tlv(der.SEQUENCE, der.oid("1.2.840.10045.2.1"))
SCHEMES = {
    "sha1": "1.3.133.16.840.63.0.2",
    "sha1 cofactor": "1.3.133.16.840.63.0.3",
    "sha224": "1.3.132.1.11.0",
    "sha256": "1.3.132.1.11.1",
    "sha384": "1.3.132.1.11.2",
    "sha512": "1.3.132.1.11.3",
    "sha256 cofactor": "1.3.132.1.14.1",
    "sha384 cofactor": "1.3.132.1.14.2",
    "sha512 cofactor": "1.3.132.1.14.3",
}
WRAPS = {16: "2.16.840.1.101.3.4.1.5", 24: "2.16.840.1.101.3.4.1.25", 32: "2.16.840.1.101.3.4.1.45"}
TRIPLE_DES_WRAP = der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.9.16.3.6"), der.tlv(der.NULL))
GCMS = {16: "2.16.840.1.101.3.4.1.6", 24: "2.16.840.1.101.3.4.1.26", 32: "2.16.840.1.101.3.4.1.46"}
WITH_SHA1 = dataclasses.replace(DEFAULT_POLICY, key_transports=frozenset(KeyTransport))
WITHOUT_SHA1 = dataclasses.replace(
    DEFAULT_POLICY, key_transports=frozenset(KeyTransport) - {KeyTransport.ECDH_SHA1}
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sender:
    """One KeyAgreeRecipientInfo; each field is a place where messages differ."""

    scheme: str = "sha256"
    wrap_size: int = 32
    wrap: bytes | None = None
    material: bytes | None = None
    key: bytes = bytes(range(32))
    originator: bytes | None = None
    point: PublicFormat = PublicFormat.UncompressedPoint
    point_octets: bytes | None = None

    def info(self, *parties: Any, name: Callable[[Any], bytes] | None = None) -> bytes:
        """A RecipientInfo with an encrypted key for each of `parties`, all of one curve."""
        ephemeral = ec.generate_private_key(parties[0].private_key.curve)
        octets = self.point_octets or ephemeral.public_key().public_bytes(Encoding.X962, self.point)
        originator = der.tlv(0xA1, EC_PUBLIC_KEY, der.tlv(0x03, b"\0", octets))
        wrap = self.wrap or der.tlv(der.SEQUENCE, der.oid(WRAPS[self.wrap_size]))
        encrypted = [
            der.tlv(
                der.SEQUENCE,
                (name or by_name)(party),
                der.tlv(der.OCTET_STRING, aes_key_wrap(self.derived(ephemeral, party, wrap), self.key)),
            )
            for party in parties
        ]
        material = b"" if self.material is None else der.tlv(0xA1, der.tlv(der.OCTET_STRING, self.material))
        return der.tlv(
            0xA1,
            der.tlv(der.INTEGER, b"\3"),
            der.tlv(0xA0, self.originator or originator),
            material,
            der.tlv(der.SEQUENCE, der.oid(SCHEMES[self.scheme]), wrap),
            der.tlv(der.SEQUENCE, *encrypted),
        )

    def derived(self, ephemeral: ec.EllipticCurvePrivateKey, party: Any, wrap: bytes) -> bytes:
        """The key that wraps: X9.63 over ECC-CMS-SharedInfo (RFC 5753 7.2)."""
        shared = ephemeral.exchange(ec.ECDH(), party.private_key.public_key())
        material = b"" if self.material is None else der.tlv(0xA0, der.tlv(der.OCTET_STRING, self.material))
        bits = der.tlv(0xA2, der.tlv(der.OCTET_STRING, (8 * self.wrap_size).to_bytes(4, "big")))
        info = der.tlv(der.SEQUENCE, wrap, material, bits)
        digest = self.scheme.split()[0]
        rounds = (
            hashlib.new(digest, shared + counter.to_bytes(4, "big") + info).digest() for counter in (1, 2)
        )
        return b"".join(rounds)[: self.wrap_size]


def by_name(party: Any) -> bytes:
    return der.tlv(der.SEQUENCE, facts(party.certificate).name)


def by_identifier(*more: bytes) -> Callable[[Any], bytes]:
    """A RecipientKeyIdentifier (6.2.2) with what may follow the identifier."""

    def name(party: Any) -> bytes:
        return der.tlv(0xA0, der.tlv(der.OCTET_STRING, facts(party.certificate).key_identifier), *more)

    return name


def message(infos: Sequence[bytes], key: bytes = bytes(range(32)), named: int = 0) -> bytes:
    """An AuthEnvelopedData: GCM says for certain whether the key is the right one.

    The cipher is that of the key's size unless another size is named.
    """
    nonce = bytes(12)
    sealed = AESGCM(key).encrypt(nonce, CONTENT, None)
    parameters = der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, nonce), der.tlv(der.INTEGER, b"\x10"))
    identifier = der.tlv(der.SEQUENCE, der.oid(GCMS[named or len(key)]), parameters)
    content = der.tlv(der.SEQUENCE, DATA, identifier, der.tlv(0x80, sealed[:-16]))
    tag = der.tlv(der.OCTET_STRING, sealed[-16:])
    fields: list[der.Buffer] = [der.tlv(der.INTEGER, b"\0"), der.tlv(der.SET, *infos), content, tag]
    return write(ContentType.AUTH_ENVELOPED, fields)


def opened(data: bytes, party: Any, policy: Policy = WITH_SHA1) -> bytes:
    return decrypt(data, [party.decryption_key], policy=policy)


def refused(data: bytes, party: Any, error: type[SecurityError], policy: Policy = WITH_SHA1) -> None:
    with pytest.raises(error):
        opened(data, party, policy)


def certificate(party: Any, public_key: Any) -> x509.Certificate:
    """A certificate for any key, signed by `party`."""
    return (
        x509.CertificateBuilder()
        .subject_name(party.certificate.subject)
        .issuer_name(party.certificate.issuer)
        .not_valid_before(party.certificate.not_valid_before_utc)
        .not_valid_after(party.certificate.not_valid_after_utc)
        .serial_number(x509.random_serial_number())
        .public_key(public_key)
        .sign(party.private_key, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def curves(carol: Any) -> dict[str, Any]:
    """A party on each curve."""
    found = {"p256": carol}
    for curve in (ec.SECP384R1(), ec.SECP521R1()):
        key = ec.generate_private_key(curve)
        other = dataclasses.replace(carol, private_key=key, certificate=certificate(carol, key.public_key()))
        found[f"p{curve.key_size}"] = other
    return found


@pytest.mark.parametrize("curve", ["p256", "p384", "p521"])
@pytest.mark.parametrize("scheme", sorted(set(SCHEMES) - {"sha224"}))
def test_every_curve_and_derivation(curves: dict[str, Any], curve: str, scheme: str) -> None:
    data = message([Sender(scheme=scheme).info(curves[curve])])
    assert opened(data, curves[curve]) == CONTENT
    if scheme.startswith("sha1"):
        refused(data, curves[curve], InsufficientSecurity, WITHOUT_SHA1)


def test_a_derivation_that_is_in_no_table_is_refused(carol: Any) -> None:
    refused(message([Sender(scheme="sha224").info(carol)]), carol, InsufficientSecurity)


@pytest.mark.parametrize("wrap", [16, 24, 32])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_wraps_and_keys_crosswise(carol: Any, wrap: int, size: int) -> None:
    """RFC 5753 7.1.2 has the wrap as strong as the key; a weaker one is the sender's own choice."""
    key = os.urandom(size)
    assert opened(message([Sender(wrap_size=wrap, key=key).info(carol)], key), carol) == CONTENT


@pytest.mark.parametrize(("size", "named"), [(16, 32), (32, 16), (24, 32)])
def test_a_key_of_another_size_than_the_cipher_has(carol: Any, size: int, named: int) -> None:
    """The library would take it as the key of another AES."""
    key = os.urandom(size)
    refused(message([Sender(key=key).info(carol)], key, named), carol, DecryptionFailed)


def test_the_senders_material_enters_the_derivation(carol: Any) -> None:
    info = Sender(material=b"some material").info(carol)
    assert opened(message([info]), carol) == CONTENT
    refused(message([info.replace(b"some", b"same")]), carol, DecryptionFailed)


def test_the_parameters_of_a_wrap_enter_as_they_were_sent(carol: Any) -> None:
    wrap = der.tlv(der.SEQUENCE, der.oid(WRAPS[32]), der.tlv(der.NULL))
    assert opened(message([Sender(wrap=wrap).info(carol)]), carol) == CONTENT


def test_one_agreement_for_several_recipients(carol: Any, new_party: Callable[..., Any], bob: Any) -> None:
    dave = new_party("dave", key="p256")
    data = message([Sender().info(dave, carol)])
    for party in (carol, dave):
        assert opened(data, party) == CONTENT
    refused(data, bob, DecryptionFailed)


def test_agreements_and_transports_side_by_side(curves: dict[str, Any], bob: Any) -> None:
    key = bytes(range(32))
    transported = der.tlv(
        der.SEQUENCE,
        der.tlv(der.INTEGER, b"\0"),
        by_name(bob),
        der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.1.1"), der.tlv(der.NULL)),
        der.tlv(der.OCTET_STRING, bob.private_key.public_key().encrypt(key, padding.PKCS1v15())),
    )
    password = der.tlv(0xA3, der.tlv(der.INTEGER, b"\0"), der.tlv(der.OCTET_STRING, bytes(40)))
    data = message([password, *(Sender().info(party) for party in curves.values()), transported])
    for party in (*curves.values(), bob):
        assert opened(data, party) == CONTENT


DATE = der.tlv(0x18, b"20260101000000Z")
OTHER = der.tlv(der.SEQUENCE, der.oid("1.2.3"), der.tlv(der.NULL))


@pytest.mark.parametrize("more", [(), (DATE,), (DATE, OTHER), (OTHER,)])
def test_a_recipient_by_key_identifier(carol: Any, more: tuple[bytes, ...]) -> None:
    assert opened(message([Sender().info(carol, name=by_identifier(*more))]), carol) == CONTENT


def test_a_compressed_point(carol: Any) -> None:
    assert opened(message([Sender(point=PublicFormat.CompressedPoint).info(carol)]), carol) == CONTENT


@pytest.mark.parametrize(
    "octets", [b"\0", b"\4" + bytes(64), b"\4" + b"\xff" * 64, b"\4" + bytes(96), b"\4", b"\2" + b"\xff" * 32]
)
def test_a_point_that_is_not_on_our_curve(carol: Any, octets: bytes) -> None:
    """Infinity, not on the curve, of another curve, cut: RFC 5753 9 wants the point checked."""
    refused(message([Sender(point_octets=octets).info(carol)]), carol, DecryptionFailed)


def test_an_originator_who_is_only_named_is_refused(carol: Any, bob: Any) -> None:
    """Static-static: a certificate would have to be believed before anything is authentic."""
    for originator in (by_name(bob), der.tlv(0x80, facts(bob.certificate).key_identifier)):
        refused(message([Sender(originator=originator).info(carol)]), carol, DecryptionFailed)


def test_the_wrap_of_triple_des_is_refused(carol: Any) -> None:
    for wrap in (TRIPLE_DES_WRAP, der.tlv(der.SEQUENCE, der.oid("1.2.3"))):
        refused(message([Sender(wrap=wrap).info(carol)]), carol, InsufficientSecurity)


def test_a_wrapped_key_that_was_changed(carol: Any) -> None:
    data = message([Sender().info(carol)])
    place = data.index(by_name(carol)) + len(by_name(carol)) + 10
    changed = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
    refused(changed, carol, DecryptionFailed)


def test_a_triple_des_key_over_an_agreement(carol: Any, openssl: Callable[..., bytes]) -> None:
    """Its 24 octets travel in an AES wrap. OpenSSL reads that, and itself writes the wrap that we refuse."""
    policy = dataclasses.replace(
        WITH_SHA1, ciphers=frozenset({Cipher.DES3_CBC}), key_transports=frozenset(KeyTransport)
    )
    ours = encrypt(CONTENT, [carol.certificate], cipher=Cipher.DES3_CBC)
    assert opened(ours, carol, policy) == CONTENT
    arguments = ("-inform", "DER", "-binary", "-inkey", carol.key_file, "-recip", carol.certificate_file)
    assert openssl("cms", "-decrypt", *arguments, data=ours) == CONTENT
    theirs = openssl(
        "cms", "-encrypt", "-binary", "-outform", "DER", "-des3", carol.certificate_file, data=CONTENT
    )
    refused(theirs, carol, InsufficientSecurity, policy)


def test_x25519_is_refused_where_it_is_configured(bob: Any) -> None:
    key = x25519.X25519PrivateKey.generate().public_key()
    with pytest.raises(KeyStoreError):
        encrypt(CONTENT, [certificate(bob, key)], cipher=Cipher.AES256_CBC)


@pytest.mark.parametrize("parameters", [b"", der.tlv(der.NULL), der.tlv(der.SEQUENCE)])
def test_oaep_without_parameters_is_oaep_with_the_defaults(bob: Any, parameters: bytes) -> None:
    """As pyas2lib writes it."""
    key = bytes(range(32))
    pad = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    info = der.tlv(
        der.SEQUENCE,
        der.tlv(der.INTEGER, b"\0"),
        by_name(bob),
        der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.1.7"), parameters),
        der.tlv(der.OCTET_STRING, bob.private_key.public_key().encrypt(key, pad)),
    )
    assert opened(message([info]), bob) == CONTENT
    without = dataclasses.replace(
        DEFAULT_POLICY, key_transports=frozenset(KeyTransport) - {KeyTransport.RSA_OAEP_SHA1}
    )
    refused(message([info]), bob, InsufficientSecurity, without)
