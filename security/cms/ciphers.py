"""Content encryption: AES in CBC (RFC 3565) and GCM (RFC 5084), Triple DES in CBC (RFC 3370)."""

import io
import os
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as Engine
from cryptography.hazmat.primitives.ciphers import CipherContext, algorithms, modes

from .. import der
from ..algorithms import CIPHER_OIDS, CIPHERS, Cipher, Mode, algorithm_identifier, split_identifier
from ..errors import InsufficientSecurity, MalformedCms
from .declarations import GcmParameters, decode

# RFC 5084 3.2 allows tags of 12 to 16 octets. 16 are written. 12 are the default of its ASN.1 and what some
# stacks wrote by it; 13 to 15 are written by nobody but somebody who cuts tags, and refused.
MIN_TAG, TAG = 12, 16
_TAGS = frozenset({MIN_TAG, TAG})
# NIST SP 800-38D 5.2.1.1: 96 bits is the length to write; any reasonable one is read.
NONCE = 12
_MIN_NONCE, _MAX_NONCE = 8, 128
# Content decrypted at once under CBC: what exists beside the result.
_PIECE = 1024 * 1024


_BLOCK = 16
# All of an identifier that stands before the vector.
_AES_CBC = {
    oid + der.header(der.OCTET_STRING, _BLOCK): cipher
    for oid, cipher in CIPHERS.items()
    if cipher.mode is Mode.CBC and cipher.block == _BLOCK
}


class Encryption(NamedTuple):
    """A ContentEncryptionAlgorithmIdentifier: `tag_size` is 0 under CBC."""

    cipher: Cipher
    iv: bytes
    tag_size: int


def read_algorithm(contents: bytes) -> Encryption:
    """The contents of a ContentEncryptionAlgorithmIdentifier. Raises InsufficientSecurity, MalformedCms."""
    vector = len(contents) - _BLOCK
    if (cipher := _AES_CBC.get(contents[:vector])) is not None:
        return Encryption(cipher, contents[vector:], 0)
    oid, parameters = split_identifier(contents)
    cipher = CIPHERS.get(oid)
    if cipher is None:
        raise InsufficientSecurity("the content encryption algorithm is not supported")
    if cipher.mode is Mode.GCM:
        return Encryption(cipher, *gcm_parameters(parameters))
    iv = der.element_at(parameters, 0, len(parameters))
    if iv.tag != der.OCTET_STRING or iv.stop - iv.start != cipher.block or iv.stop != len(parameters):
        raise MalformedCms("not an initialisation vector of CBC")
    return Encryption(cipher, parameters[iv.start :], 0)


def gcm_parameters(parameters: bytes) -> tuple[bytes, int]:
    """Nonce and tag size in the parameters of GCM.

    PKI.js writes the nonce alone, as CBC has its vector (into EnvelopedData; 16 octets): then the tag is
    whole.
    """
    if parameters[:1] == bytes((der.OCTET_STRING,)):
        bare = der.element_at(parameters, 0, len(parameters))
        nonce, size = parameters[bare.start :], TAG
        if bare.stop != len(parameters):
            raise MalformedCms("octets after the nonce of GCM")
    else:
        gcm = decode(GcmParameters, parameters)
        nonce, size = gcm.nonce, MIN_TAG if gcm.tag_size is None else gcm.tag_size
    if not _MIN_NONCE <= len(nonce) <= _MAX_NONCE or size not in _TAGS:
        raise MalformedCms("the parameters of GCM are out of range")
    return nonce, size


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


def seal(pieces: Sequence[der.Buffer], key: bytes, algorithm: Encryption) -> tuple[list[der.Buffer], bytes]:
    """What `pieces` make in a row encrypted, in pieces, and the tag of GCM (empty under CBC)."""
    cipher, iv, _ = algorithm
    if cipher.mode is Mode.GCM:
        gcm = Engine(algorithms.AES(key), modes.GCM(iv)).encryptor()
        sealed: list[der.Buffer] = [gcm.update(piece) for piece in pieces]
        sealed.append(gcm.finalize())
        return sealed, gcm.tag
    cbc = Engine(_block_cipher(cipher, key), modes.CBC(iv)).encryptor()
    sealed = [cbc.update(piece) for piece in pieces]
    missing = cipher.block - sum(map(len, pieces)) % cipher.block
    sealed += [cbc.update(bytes((missing,)) * missing), cbc.finalize()]  # RFC 5652 6.3
    return sealed, b""


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
        return _unpadded(content, Engine(_block_cipher(cipher, key), modes.CBC(iv)).decryptor(), cipher.block)
    except (ValueError, InvalidTag):
        return None


def _unpadded(content: memoryview, cbc: CipherContext, block: int) -> bytes | None:
    """`content` decrypted, without its padding (RFC 5652 6.3); None where that is none.

    A large one goes through a buffer that gives itself up without a copy, so that it exists once.
    """
    if len(content) <= _PIECE:
        whole = cbc.update(content) + cbc.finalize()
        count = whole[-1] if whole else 0
        if not 1 <= count <= block or not whole.endswith(bytes((count,)) * count):
            return None
        return whole[:-count]
    plain = io.BytesIO()
    for start in range(0, len(content), _PIECE):
        plain.write(cbc.update(content[start : start + _PIECE]))
    cbc.finalize()
    with plain.getbuffer() as view:
        count = view[-1] if len(view) else 0
        if not 1 <= count <= block or view[-count:] != bytes((count,)) * count:
            return None
    plain.truncate(len(content) - count)
    return plain.getvalue()


def _block_cipher(cipher: Cipher, key: bytes) -> algorithms.AES | TripleDES:
    return TripleDES(key) if cipher is Cipher.DES3_CBC else algorithms.AES(key)
