"""EnvelopedData and AuthEnvelopedData as others make them; and one answer for every failure."""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher as Engine
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tidewaiter.security import (
    DEFAULT_POLICY,
    Cipher,
    DecryptionFailed,
    InsufficientSecurity,
    KeyTransport,
    SecurityError,
    der,
)
from tidewaiter.security.algorithms import CIPHER_OIDS, RSA_ENCRYPTION, algorithm_identifier
from tidewaiter.security.cms import ContentType, compress, decrypt, encrypt
from tidewaiter.security.cms import recipients as recipients_module
from tidewaiter.security.cms.content import DATA, write
from tidewaiter.security.trust import facts

CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"
CIPHERS = [
    ("-aes-128-cbc", None),
    ("-aes-192-cbc", None),
    ("-aes-256-cbc", None),
    ("-aes-128-gcm", None),
    ("-aes-256-gcm", None),
    ("-des3", InsufficientSecurity),
    ("-camellia256", InsufficientSecurity),
]
TRANSPORTS: list[tuple[str, tuple[str, ...], type[SecurityError] | None]] = [
    ("bob", (), None),
    ("bob", ("-keyid",), None),
    ("bob", ("-keyopt", "rsa_padding_mode:oaep"), None),
    ("bob", ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"), None),
    (
        "bob",
        (
            *("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha512"),
            *("-keyopt", "rsa_mgf1_md:sha1"),
        ),
        None,
    ),
    (
        "bob",
        ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_label:6162"),
        None,
    ),
    ("carol", (), None),  # openssl derives with SHA-1 unless told otherwise
    ("carol", ("-keyopt", "ecdh_kdf_md:sha256"), None),
    ("carol", ("-keyopt", "ecdh_kdf_md:sha384", "-keyid"), None),
    ("carol", ("-keyopt", "ecdh_kdf_md:sha256", "-keyopt", "ecdh_cofactor_mode:1"), None),
]


def opens(data: bytes, party: Any, refusal: type[SecurityError] | None) -> None:
    if refusal is None:
        assert decrypt(data, [party.decryption_key], policy=DEFAULT_POLICY) == CONTENT
    else:
        with pytest.raises(refusal):
            decrypt(data, [party.decryption_key], policy=DEFAULT_POLICY)


@pytest.mark.parametrize("streamed", [(), ("-stream", "-indef")], ids=["der", "ber"])
@pytest.mark.parametrize(("cipher", "refusal"), CIPHERS)
def test_the_ciphers_of_openssl(
    *,
    bob: Any,
    openssl: Callable[..., bytes],
    cipher: str,
    refusal: type[SecurityError] | None,
    streamed: tuple[str, ...],
) -> None:
    arguments = ("-binary", "-outform", "DER", cipher, *streamed, bob.certificate_file)
    opens(openssl("cms", "-encrypt", *arguments, data=CONTENT), bob, refusal)


@pytest.mark.parametrize(("name", "options", "refusal"), TRANSPORTS)
def test_the_key_transports_of_openssl(
    *,
    request: pytest.FixtureRequest,
    openssl: Callable[..., bytes],
    name: str,
    options: tuple[str, ...],
    refusal: type[SecurityError] | None,
) -> None:
    party = request.getfixturevalue(name)
    arguments = ("-binary", "-outform", "DER", "-aes-256-cbc", "-recip", party.certificate_file, *options)
    opens(openssl("cms", "-encrypt", *arguments, data=CONTENT), party, refusal)


def test_our_recipient_is_found_wherever_it_stands(
    bob: Any, mallory: Any, carol: Any, openssl: Callable[..., bytes]
) -> None:
    """The sender's own copy and a password recipient come first."""
    options = ("-aes-256-cbc", "-pwri_password", "secret")
    recipients = (mallory.certificate_file, carol.certificate_file, bob.certificate_file)
    data = openssl("cms", "-encrypt", "-binary", "-outform", "DER", *options, *recipients, data=CONTENT)
    assert decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY) == CONTENT


def test_the_current_and_the_next_key_both_open(bob: Any, mallory: Any) -> None:
    keys = [bob.decryption_key, mallory.decryption_key]
    for party in (bob, mallory):
        data = encrypt(CONTENT, [party.certificate], cipher=Cipher.AES256_CBC)
        assert decrypt(data, keys, policy=DEFAULT_POLICY) == CONTENT


def test_a_large_streamed_message_opens(bob: Any, openssl: Callable[..., bytes]) -> None:
    content = os.urandom(500_000)
    arguments = ("-binary", "-outform", "DER", "-aes-256-cbc", "-stream", bob.certificate_file)
    data = openssl("cms", "-encrypt", *arguments, data=content)
    assert decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY) == content


def enveloped(party: Any, encrypted_key: bytes, identifier: bytes, content: bytes) -> bytes:
    """An EnvelopedData of any key and content."""
    return write(ContentType.ENVELOPED, structure(party, encrypted_key, identifier, content))


def structure(party: Any, encrypted_key: bytes, identifier: bytes, content: bytes) -> list[der.Buffer]:
    """The fields that EnvelopedData and AuthEnvelopedData have in common."""
    info = der.tlv(
        der.SEQUENCE,
        der.tlv(der.INTEGER, b"\0"),
        der.tlv(der.SEQUENCE, facts(party.certificate).name),
        algorithm_identifier(RSA_ENCRYPTION, der.tlv(der.NULL)),
        der.tlv(der.OCTET_STRING, encrypted_key),
    )
    encrypted = der.tlv(der.SEQUENCE, DATA, identifier, der.tlv(0x80, content))
    return [der.tlv(der.INTEGER, b"\0"), der.tlv(der.SET, info), encrypted]


AES256_CBC = algorithm_identifier(CIPHER_OIDS[Cipher.AES256_CBC], der.tlv(der.OCTET_STRING, bytes(16)))
# Under a random key the padding of CBC is right once in 256 times; a tag of GCM never is.
AES256_GCM = algorithm_identifier(
    CIPHER_OIDS[Cipher.AES256_GCM], der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, bytes(12)))
)


def test_the_other_dialect_of_gcm_with_a_short_tag(bob: Any) -> None:
    """GCM inside EnvelopedData, with parameters that leave the tag size at its default of 12 octets."""
    key, nonce = os.urandom(32), os.urandom(12)
    encrypted_key = bob.private_key.public_key().encrypt(key, padding.PKCS1v15())
    sealed = AESGCM(key).encrypt(nonce, CONTENT, None)
    parameters = der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, nonce))
    identifier = algorithm_identifier(CIPHER_OIDS[Cipher.AES256_GCM], parameters)
    data = enveloped(bob, encrypted_key, identifier, sealed[:-4])
    assert decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY) == CONTENT


def test_the_tag_covers_authenticated_attributes(bob: Any) -> None:
    key, nonce = os.urandom(32), os.urandom(12)
    attributes = der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.9.3"), der.tlv(der.SET, DATA))
    sealed = AESGCM(key).encrypt(nonce, CONTENT, der.tlv(der.SET, attributes))
    size = der.tlv(der.INTEGER, b"\x10")
    parameters = der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, nonce), size)
    identifier = algorithm_identifier(CIPHER_OIDS[Cipher.AES256_GCM], parameters)
    encrypted_key = bob.private_key.public_key().encrypt(key, padding.PKCS1v15())
    tag = der.tlv(der.OCTET_STRING, sealed[-16:])
    common = structure(bob, encrypted_key, identifier, sealed[:-16])

    def opened(covered: bytes) -> bytes:
        data = write(ContentType.AUTH_ENVELOPED, [*common, der.tlv(0xA1, covered), tag])
        return decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY)

    assert opened(attributes) == CONTENT
    for changed in (b"", flipped(attributes, -1)):
        with pytest.raises(DecryptionFailed):
            opened(changed)


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def failures(bob: Any, mallory: Any, carol: Any) -> dict[str, tuple[bytes, Any]]:
    """Messages that fail, each for another reason, and for whom."""
    public_key = bob.private_key.public_key()
    good_key = public_key.encrypt(bytes(32), padding.PKCS1v15())
    cbc = encrypt(CONTENT, [bob.certificate], cipher=Cipher.AES256_CBC)
    gcm = encrypt(CONTENT, [bob.certificate], cipher=Cipher.AES256_GCM)
    oaep = encrypt(
        CONTENT,
        [bob.certificate],
        cipher=Cipher.AES256_GCM,
        key_transport=KeyTransport.RSA_OAEP_SHA256,
    )
    agreed = encrypt(CONTENT, [carol.certificate], cipher=Cipher.AES256_GCM)
    name = facts(carol.certificate).name
    wrapped = agreed.index(name) + len(name) + 4
    stranger = dataclasses.replace(mallory, certificate=bob.certificate)
    encryptor = Engine(AES(bytes(32)), CBC(bytes(16))).encryptor()
    unpadded = encryptor.update(bytes(32)) + encryptor.finalize()
    return {
        "nothing": (b"", bob),
        "noise": (bytes(range(100)), bob),
        "not encrypted": (compress(CONTENT), bob),
        "cut off": (cbc[:-20], bob),
        "no recipient": (cbc, mallory),
        "another key of the same name": (gcm, stranger),
        "key with bad padding": (enveloped(bob, bytes(255) + b"\x02", AES256_GCM, bytes(32)), bob),
        "key of another length": (
            enveloped(bob, public_key.encrypt(bytes(16), padding.PKCS1v15()), AES256_GCM, bytes(32)),
            bob,
        ),
        "key not of the modulus": (enveloped(bob, bytes(10), AES256_GCM, bytes(32)), bob),
        "no whole blocks": (enveloped(bob, good_key, AES256_CBC, bytes(31)), bob),
        "no content": (enveloped(bob, good_key, AES256_CBC, b""), bob),
        "content with bad padding": (enveloped(bob, good_key, AES256_CBC, unpadded), bob),
        "vector of another length": (
            enveloped(
                bob,
                good_key,
                algorithm_identifier(
                    CIPHER_OIDS[Cipher.AES256_CBC], der.tlv(der.OCTET_STRING, bytes(8))
                ),
                bytes(32),
            ),
            bob,
        ),
        "tag": (flipped(gcm, -1), bob),
        "content under gcm": (flipped(gcm, -20), bob),
        "oaep": (flipped(oaep, oaep.index(facts(bob.certificate).name) + 250), bob),
        "wrapped key": (flipped(agreed, wrapped), carol),
        "agreement without a wrap": (agreed.replace(name, flipped(name, -1)), carol),
    }  # fmt: skip


def test_every_failure_is_the_same(bob: Any, mallory: Any, carol: Any) -> None:
    seen = set()
    for reason, (data, party) in failures(bob, mallory, carol).items():
        with pytest.raises(DecryptionFailed) as caught:
            decrypt(data, [party.decryption_key], policy=DEFAULT_POLICY)
        error = caught.value
        seen.add((repr(error), str(error), error.__cause__, error.__context__))
        assert len(seen) == 1, reason


def test_a_key_that_does_not_fit_is_replaced_and_the_work_goes_on(
    bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 3218: with a known substitute the content opens, so nothing has told the two cases apart before."""
    substitute = bytes(range(32))
    monkeypatch.setattr(recipients_module.os, "urandom", lambda size: substitute[:size])
    data = encrypt(CONTENT, [bob.certificate], cipher=Cipher.AES256_GCM, gcm_in_enveloped=True)
    place = data.index(facts(bob.certificate).name) + 200
    assert decrypt(flipped(data, place), [bob.decryption_key], policy=DEFAULT_POLICY) == CONTENT


def test_what_the_policy_does_not_name_is_refused_before_a_key_is_used(bob: Any, carol: Any) -> None:
    plain = encrypt(CONTENT, [bob.certificate], cipher=Cipher.AES128_CBC)
    oaep = encrypt(
        CONTENT,
        [bob.certificate],
        cipher=Cipher.AES256_CBC,
        key_transport=KeyTransport.RSA_OAEP_SHA1,
    )
    agreed = encrypt(CONTENT, [carol.certificate], cipher=Cipher.AES256_CBC)
    strict = dataclasses.replace(
        DEFAULT_POLICY,
        ciphers=frozenset({Cipher.AES256_CBC}),
        key_transports=frozenset({KeyTransport.RSA_OAEP_SHA256}),
    )
    for data, party in ((plain, bob), (oaep, bob), (agreed, carol)):
        with pytest.raises(InsufficientSecurity):
            decrypt(data, [party.decryption_key], policy=strict)
    longer = dataclasses.replace(DEFAULT_POLICY, min_rsa_bits=3072)
    with pytest.raises(InsufficientSecurity):
        decrypt(plain, [bob.decryption_key], policy=longer)


def test_triple_des_opens_where_the_agreement_names_it(bob: Any, openssl: Callable[..., bytes]) -> None:
    old = dataclasses.replace(DEFAULT_POLICY, ciphers=frozenset({Cipher.DES3_CBC}))
    arguments = ("-binary", "-outform", "DER", "-des3", bob.certificate_file)
    data = openssl("cms", "-encrypt", *arguments, data=CONTENT)
    assert decrypt(data, [bob.decryption_key], policy=old) == CONTENT
    ours = encrypt(CONTENT, [bob.certificate], cipher=Cipher.DES3_CBC)
    assert decrypt(ours, [bob.decryption_key], policy=old) == CONTENT
    arguments = ("-inform", "DER", "-binary", "-inkey", bob.key_file, "-recip", bob.certificate_file)
    assert openssl("cms", "-decrypt", *arguments, data=ours) == CONTENT
