"""EnvelopedData and AuthEnvelopedData as we make them: what openssl thinks of it."""

from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.security import DEFAULT_POLICY, Cipher, KeyStoreError, KeyTransport
from tidewaiter.security.algorithms import Mode
from tidewaiter.security.cms import ContentType, content_type, decrypt, encrypt

CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"
ALLOWED = sorted(DEFAULT_POLICY.ciphers, key=lambda cipher: cipher.value)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_000])
@pytest.mark.parametrize("cipher", ALLOWED)
def test_what_is_encrypted_comes_back(bob: Any, cipher: Cipher, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    data = encrypt(content, [bob.certificate], cipher=cipher)
    expected = ContentType.AUTH_ENVELOPED if cipher.mode is Mode.GCM else ContentType.ENVELOPED
    assert content_type(data) is expected
    assert decrypt(data, [bob.decryption_key], policy=DEFAULT_POLICY) == content


@pytest.mark.parametrize("cipher", ALLOWED)
@pytest.mark.parametrize(
    "key_transport",
    [
        KeyTransport.RSA_PKCS1,
        KeyTransport.RSA_OAEP_SHA1,
        KeyTransport.RSA_OAEP_SHA256,
        KeyTransport.RSA_OAEP_SHA512,
    ],
)
def test_openssl_decrypts_what_rsa_carries(
    bob: Any, openssl: Callable[..., bytes], cipher: Cipher, key_transport: KeyTransport
) -> None:
    data = encrypt(CONTENT, [bob.certificate], cipher=cipher, key_transport=key_transport)
    arguments = ("-inform", "DER", "-binary", "-inkey", bob.key_file, "-recip", bob.certificate_file)
    assert openssl("cms", "-decrypt", *arguments, data=data) == CONTENT


@pytest.mark.parametrize("cipher", [Cipher.AES128_CBC, Cipher.AES256_CBC, Cipher.AES256_GCM])
@pytest.mark.parametrize(
    "key_transport", [KeyTransport.ECDH_SHA256, KeyTransport.ECDH_SHA384, KeyTransport.ECDH_SHA512]
)
def test_openssl_decrypts_what_ecdh_carries(
    carol: Any, openssl: Callable[..., bytes], cipher: Cipher, key_transport: KeyTransport
) -> None:
    data = encrypt(CONTENT, [carol.certificate], cipher=cipher, key_transport=key_transport)
    arguments = ("-inform", "DER", "-binary", "-inkey", carol.key_file, "-recip", carol.certificate_file)
    assert openssl("cms", "-decrypt", *arguments, data=data) == CONTENT


def test_each_recipient_can_open_it(bob: Any, carol: Any, mallory: Any) -> None:
    parties = (mallory, carol, bob)
    data = encrypt(CONTENT, [party.certificate for party in parties], cipher=Cipher.AES256_GCM)
    for party in parties:
        assert decrypt(data, [party.decryption_key], policy=DEFAULT_POLICY) == CONTENT


@pytest.mark.parametrize("name", ["bob", "carol"])
def test_gcm_inside_enveloped_data(request: pytest.FixtureRequest, name: str) -> None:
    party = request.getfixturevalue(name)
    data = encrypt(CONTENT, [party.certificate], cipher=Cipher.AES256_GCM, gcm_in_enveloped=True)
    assert content_type(data) is ContentType.ENVELOPED
    assert decrypt(data, [party.decryption_key], policy=DEFAULT_POLICY) == CONTENT


def test_keys_and_vectors_are_fresh(bob: Any) -> None:
    first, second = (encrypt(CONTENT, [bob.certificate], cipher=Cipher.AES256_GCM) for _ in range(2))
    assert first != second


def test_there_must_be_a_certificate_that_can_receive(bob: Any) -> None:
    with pytest.raises(KeyStoreError):
        encrypt(CONTENT, [], cipher=Cipher.AES256_CBC)
    with pytest.raises(KeyStoreError):
        encrypt(CONTENT, [bob.certificate], cipher=Cipher.AES256_CBC, key_transport=KeyTransport.ECDH_SHA256)
