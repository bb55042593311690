"""The floor: the cryptography of one AS2 exchange on RSA-2048, with nothing around it.

One private decryption and one signature by us, one verification of the partner's, the content decrypted
under AES-256-CBC, and two SHA-256 over it. No gateway that receives such a message and signs its receipt can
cost less, so every figure here is told as a multiple of it: the ratio survives a change of machine.
"""

import os

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256, Hash

# What an AS2 message with a CUSDEC of 5 KB weighs.
CONTENT = 8 * 1024
# Signed attributes as CMS has them: type, time and digest.
_ATTRIBUTES = 150
_AES_256, _AES_BLOCK = 32, 16


class Floor:
    """Call it for one exchange. Keys and material are made before: they are not a message's cost."""

    def __init__(self) -> None:
        self._ours = rsa.generate_private_key(65537, 2048)
        partner = rsa.generate_private_key(65537, 2048)
        self._theirs = partner.public_key()
        self._attributes = os.urandom(_ATTRIBUTES)
        self._signature = partner.sign(self._attributes, padding.PKCS1v15(), SHA256())
        self._key, self._iv = os.urandom(_AES_256), os.urandom(_AES_BLOCK)
        self._wrapped = self._ours.public_key().encrypt(self._key, padding.PKCS1v15())
        encryptor = Cipher(algorithms.AES(self._key), modes.CBC(self._iv)).encryptor()
        self._content = encryptor.update(os.urandom(CONTENT)) + encryptor.finalize()

    def __call__(self) -> None:
        """One decryption, one verification, one signature, AES and two digests."""
        key = self._ours.decrypt(self._wrapped, padding.PKCS1v15())
        decryptor = Cipher(algorithms.AES(key), modes.CBC(self._iv)).decryptor()
        plain = decryptor.update(self._content) + decryptor.finalize()
        _sha256(plain)
        self._theirs.verify(self._signature, self._attributes, padding.PKCS1v15(), SHA256())
        _sha256(plain)
        self._ours.sign(self._attributes, padding.PKCS1v15(), SHA256())


def _sha256(content: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(content)
    return digest.finalize()
