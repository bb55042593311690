"""RSASSA-PSS whose parameters are left out: one digest throughout, and a salt of any length."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tidewaiter.security import DEFAULT_POLICY, Digest, IntegrityFailed
from tidewaiter.security.algorithms import Signature
from tidewaiter.security.cms.signature import check_signature, pss_digest

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNED = b"attributes"


def _check(signature: bytes, parameters: bytes, digest: Digest) -> None:
    check_signature(
        KEY.public_key(),
        scheme=Signature.RSA_PSS,
        digest=digest,
        parameters=parameters,
        signature=signature,
        signed=SIGNED,
        policy=DEFAULT_POLICY,
    )


@pytest.mark.parametrize("parameters", [b"", b"\x05\x00"], ids=["absent", "null"])
@pytest.mark.parametrize(
    ("digest", "algorithm"), [(Digest.SHA256, hashes.SHA256()), (Digest.SHA512, hashes.SHA512())]
)
def test_the_digest_is_that_of_the_signer_info(
    parameters: bytes, digest: Digest, algorithm: hashes.HashAlgorithm
) -> None:
    pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    signature = KEY.sign(SIGNED, pss, algorithm)
    assert pss_digest(parameters, digest) is digest
    _check(signature, parameters, digest)
    other = Digest.SHA384
    with pytest.raises(IntegrityFailed):
        _check(signature, parameters, other)
    with pytest.raises(IntegrityFailed):
        _check(KEY.sign(SIGNED + b"!", pss, algorithm), parameters, digest)


@pytest.mark.parametrize("salt", [0, 20, 32, 222])
def test_the_salt_may_be_of_any_length(salt: int) -> None:
    signature = KEY.sign(SIGNED, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
    _check(signature, b"", Digest.SHA256)


def test_the_mask_is_made_with_the_same_digest() -> None:
    signature = KEY.sign(SIGNED, padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256())
    with pytest.raises(IntegrityFailed):
        _check(signature, b"", Digest.SHA256)
