"""The signed messages of NIST PKITS, by OpenSSL of another decade, with their signers pinned.

PKITS asks whether a path is valid. Here nobody asks for a path: a message verifies because its signer's own
certificate is agreed upon, so most of its "invalid" messages are good signatures.
"""

import datetime
import importlib.util
import pathlib
import warnings

import pytest
from cryptography import x509

from tidewaiter.gateway.as2 import mime
from tidewaiter.gateway.as2.signature import parts_of
from tidewaiter.security import (
    DEFAULT_POLICY,
    AuthenticationFailed,
    InsufficientSecurity,
    KeyStoreError,
    SecurityError,
)
from tidewaiter.security.cms import verify
from tidewaiter.security.trust import facts

MESSAGES = 224
# The certificates are of 2010 to 2030.
WHEN = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
# Those that do not verify. DSA is in no table, and a DSA certificate without parameters is not even read.
REFUSED: dict[str, type[SecurityError]] = {
    "SignedInvalidDSASignatureTest6": InsufficientSecurity,
    "SignedValidDSASignaturesTest4": InsufficientSecurity,
    "SignedValidDSAParameterInheritanceTest5": AuthenticationFailed,
    "SignedInvalidEEnotAfterDateTest6": AuthenticationFailed,
    "SignedInvalidEEnotBeforeDateTest2": AuthenticationFailed,
    "SignedInvalidpre2000UTCEEnotAfterDateTest7": AuthenticationFailed,
}


@pytest.fixture(scope="module")
def pkits() -> pathlib.Path:
    """The folder of the suite, in a package of vectors that is not asked for by the tests."""
    found = importlib.util.find_spec("cryptography_vectors")
    if found is None or found.origin is None:
        pytest.skip("the package cryptography-vectors is not installed")
    return pathlib.Path(found.origin).parent / "x509" / "PKITS_data"


@pytest.fixture(scope="module")
def pinned(pkits: pathlib.Path) -> list[x509.Certificate]:
    """Every certificate of the suite whose key can be read."""
    certificates = []
    for path in sorted((pkits / "certs").iterdir()):
        try:
            with warnings.catch_warnings():  # Serial numbers and names of 2010.
                warnings.simplefilter("ignore")
                certificate = x509.load_der_x509_certificate(path.read_bytes())
            facts(certificate)
        except (ValueError, KeyStoreError):
            continue
        certificates.append(certificate)
    return certificates


def taken_apart(message: bytes) -> tuple[bytes, bytes]:
    """The signed part and the signature, as the gateway takes them out of a message."""
    entity = mime.read_entity(message)
    parts = parts_of(entity)
    return parts.content, parts.signature


def outcome(path: pathlib.Path, pinned: list[x509.Certificate]) -> type[SecurityError] | None:
    content, signature = taken_apart(path.read_bytes())
    try:
        verified = verify(signature, content, pinned, policy=DEFAULT_POLICY, now=WHEN)
    except SecurityError as error:
        return type(error)
    assert verified.content == content
    return None


def test_what_verifies_and_what_does_not(pkits: pathlib.Path, pinned: list[x509.Certificate]) -> None:
    paths = sorted((pkits / "smime").glob("*.eml"))
    assert len(paths) == MESSAGES
    found = {path.stem: outcome(path, pinned) for path in paths}
    assert {name: error for name, error in found.items() if error is not None} == REFUSED


def test_none_verifies_without_its_signer(pkits: pathlib.Path, pinned: list[x509.Certificate]) -> None:
    """What the message carries counts for nothing."""
    authorities = [one for one in pinned if one.issuer == one.subject]
    assert authorities
    for path in sorted((pkits / "smime").glob("SignedValid*.eml")):
        content, signature = taken_apart(path.read_bytes())
        with pytest.raises(SecurityError):
            verify(signature, content, authorities, policy=DEFAULT_POLICY, now=WHEN)
