"""The floors: the cryptography of one message through `cryptography` alone, with nothing around it.

Receiving: one decryption of the content key with ours, one verification of the partner's signature, one
signature under the receipt. Composing: one encryption of a content key, one signature. Both: AES over the
content and two SHA-256 over it. Over P-256 the content key takes one ECDH, and composing a fresh key for it.
Keys and material are made before: they are no message's cost.
"""

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers import CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, Hash

from tidewaiter.benchmarks.as2.material import Keys, Partners
from tidewaiter.security import KeyTransport
from tidewaiter.security.algorithms import Cipher, Mode

# Signed attributes as CMS has them: type, time and digest.
_ATTRIBUTES = 150
_BLOCK, _NONCE = 16, 12

Step = Callable[[], object]


def receiving(partners: Partners, content: bytes) -> Step:
    """What nobody who receives `content` and signs a receipt can leave out."""
    unwrap = _unwrapping(partners)
    decrypt = _decrypting(partners.suite.cipher, content)
    verify = _verifying(partners.bob)
    sign = _signing(partners.alice)

    def floor() -> None:
        unwrap()
        decrypt()
        _sha256(content)
        verify()
        _sha256(content)
        sign()

    return floor


def composing(partners: Partners, content: bytes) -> Step:
    """What nobody who signs and encrypts `content` can leave out."""
    sign = _signing(partners.bob)
    wrap = _wrapping(partners)
    encrypt = _encrypting(partners.suite.cipher, content)

    def floor() -> None:
        _sha256(content)
        sign()
        _sha256(content)
        wrap()
        encrypt()

    return floor


def _sha256(content: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(content)
    return digest.finalize()


def _signing(keys: Keys) -> Step:
    attributes = os.urandom(_ATTRIBUTES)
    match keys.private_key:
        case rsa.RSAPrivateKey() as key:
            return lambda: key.sign(attributes, padding.PKCS1v15(), SHA256())
        case ec.EllipticCurvePrivateKey() as curve:
            return lambda: curve.sign(attributes, ec.ECDSA(SHA256()))


def _verifying(keys: Keys) -> Step:
    attributes = os.urandom(_ATTRIBUTES)
    match keys.private_key:
        case rsa.RSAPrivateKey() as key:
            public, signature = key.public_key(), key.sign(attributes, padding.PKCS1v15(), SHA256())
            return lambda: public.verify(signature, attributes, padding.PKCS1v15(), SHA256())
        case ec.EllipticCurvePrivateKey() as curve:
            point, made = curve.public_key(), curve.sign(attributes, ec.ECDSA(SHA256()))
            return lambda: point.verify(made, attributes, ec.ECDSA(SHA256()))


def _unwrapping(partners: Partners) -> Step:
    match partners.alice.private_key:
        case rsa.RSAPrivateKey() as key:
            scheme = _padding(partners.suite.transport)
            wrapped = key.public_key().encrypt(os.urandom(partners.suite.cipher.key_size), scheme)
            return lambda: key.decrypt(wrapped, scheme)
        case ec.EllipticCurvePrivateKey() as curve:
            ephemeral = ec.generate_private_key(curve.curve).public_key()
            return lambda: curve.exchange(ec.ECDH(), ephemeral)


def _wrapping(partners: Partners) -> Step:
    match partners.alice.private_key.public_key():
        case rsa.RSAPublicKey() as public:
            scheme = _padding(partners.suite.transport)
            key = os.urandom(partners.suite.cipher.key_size)
            return lambda: public.encrypt(key, scheme)
        case ec.EllipticCurvePublicKey() as point:
            return lambda: ec.generate_private_key(point.curve).exchange(ec.ECDH(), point)


def _padding(transport: KeyTransport) -> padding.AsymmetricPadding:
    if transport is KeyTransport.RSA_PKCS1:
        return padding.PKCS1v15()
    algorithm = transport.digest.algorithm
    return padding.OAEP(padding.MGF1(algorithm), algorithm, None)


def _encrypting(cipher: Cipher, content: bytes) -> Step:
    key = os.urandom(cipher.key_size)
    if cipher.mode is Mode.GCM:
        nonce = os.urandom(_NONCE)
        return lambda: AESGCM(key).encrypt(nonce, content, None)
    whole, vector = content[: len(content) // _BLOCK * _BLOCK], os.urandom(_BLOCK)
    return lambda: _run(Aes(algorithms.AES(key), modes.CBC(vector)).encryptor(), whole)


def _decrypting(cipher: Cipher, content: bytes) -> Step:
    key = os.urandom(cipher.key_size)
    if cipher.mode is Mode.GCM:
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(key).encrypt(nonce, content, None)
        return lambda: AESGCM(key).decrypt(nonce, sealed, None)
    whole, vector = content[: len(content) // _BLOCK * _BLOCK], os.urandom(_BLOCK)
    return lambda: _run(Aes(algorithms.AES(key), modes.CBC(vector)).decryptor(), whole)


def _run(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()
