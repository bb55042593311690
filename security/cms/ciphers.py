"""Content encryption: AES in CBC (RFC 3565) and GCM (RFC 5084), Triple DES in CBC (RFC 3370)."""

import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as Engine
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from .. import der
from ..algorithms import CIPHER_OIDS, CIPHERS, Cipher, Mode, algorithm_identifier, split_identifier
from ..errors import InsufficientSecurity, MalformedCms
from .declarations import GcmParameters, decode

# RFC 5084 3.2 allows tags of 12 to 16 octets; all of 16 are written.
MIN_TAG, TAG = 12, 16
# NIST SP 800-38D 5.2.1.1: 96 bits is the length to write; any reasonable one is read.
NONCE = 12
_MIN_NONCE, _MAX_NONCE = 8, 128


class Encryption(NamedTuple):
    """A ContentEncryptionAlgorithmIdentifier: `tag_size` is 0 under CBC."""

    cipher: Cipher
    iv: bytes
    tag_size: int


def read_algorithm(contents: bytes) -> Encryption:
    """The contents of a ContentEncryptionAlgorithmIdentifier. Raises InsufficientSecurity, MalformedCms."""
    oid, parameters = split_identifier(contents)
    cipher = CIPHERS.get(oid)
    if cipher is None:
        raise InsufficientSecurity("the content encryption algorithm is not supported")
    if cipher.mode is Mode.GCM:
        gcm = decode(GcmParameters, parameters)
        if not _MIN_NONCE <= len(gcm.nonce) <= _MAX_NONCE or not MIN_TAG <= gcm.tag_size <= TAG:
            raise MalformedCms("the parameters of GCM are out of range")
        return Encryption(cipher, gcm.nonce, gcm.tag_size)
    iv = der.element_at(parameters, 0, len(parameters))
    if iv.tag != der.OCTET_STRING or iv.stop - iv.start != cipher.block or iv.stop != len(parameters):
        raise MalformedCms("not an initialisation vector of CBC")
    return Encryption(cipher, parameters[iv.start :], 0)


def new_algorithm(cipher: Cipher) -> tuple[Encryption, bytes]:
    """`cipher` with a fresh vector, and the whole AlgorithmIdentifier that says so."""
    if cipher.mode is Mode.GCM:
        nonce = os.urandom(NONCE)
        size = der.tlv(der.INTEGER, bytes((TAG,)))
        parameters = der.tlv(der.SEQUENCE, der.tlv(der.OCTET_STRING, nonce), size)
        return Encryption(cipher, nonce, TAG), algorithm_identifier(CIPHER_OIDS[cipher], parameters)
    iv = os.urandom(cipher.block)
    identifier = algorithm_identifier(CIPHER_OIDS[cipher], der.tlv(der.OCTET_STRING, iv))
    return Encryption(cipher, iv, 0), identifier


def seal(content: der.Buffer, key: bytes, algorithm: Encryption) -> tuple[list[bytes], bytes]:
    """`content` encrypted, in parts, and the tag of GCM (empty under CBC)."""
    cipher, iv, _ = algorithm
    if cipher.mode is Mode.GCM:
        gcm = Engine(algorithms.AES(key), modes.GCM(iv)).encryptor()
        return [gcm.update(content), gcm.finalize()], gcm.tag
    cbc = Engine(_block_cipher(cipher, key), modes.CBC(iv)).encryptor()
    whole = len(content) - len(content) % cipher.block  # only the last, partial block is padded: no copy
    padder = PKCS7(cipher.block * 8).padder()
    last = padder.update(content[whole:]) + padder.finalize()
    return [cbc.update(memoryview(content)[:whole]), cbc.update(last) + cbc.finalize()], b""


def unseal(
    content: memoryview, key: bytes, algorithm: Encryption, tag: bytes, covered: bytes
) -> bytes | None:
    """`content` decrypted, or None: for a wrong length, padding or tag, without a difference between them.

    `covered` are the additional octets that the tag of GCM covers.
    """
    cipher, iv, _ = algorithm
    try:
        if cipher.mode is Mode.GCM:
            gcm = Engine(algorithms.AES(key), modes.GCM(iv, tag, MIN_TAG)).decryptor()
            gcm.authenticate_additional_data(covered)
            plain = gcm.update(content)
            return plain + gcm.finalize()
        cbc = Engine(_block_cipher(cipher, key), modes.CBC(iv)).decryptor()
        plain = cbc.update(content) + cbc.finalize()
        unpadder = PKCS7(cipher.block * 8).unpadder()
        last = unpadder.update(plain[-cipher.block :]) + unpadder.finalize()
        return plain[: len(plain) - cipher.block + len(last)]
    except (ValueError, InvalidTag):
        return None


def _block_cipher(cipher: Cipher, key: bytes) -> algorithms.AES | TripleDES:
    return TripleDES(key) if cipher is Cipher.DES3_CBC else algorithms.AES(key)
