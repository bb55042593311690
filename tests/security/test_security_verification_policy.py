"""SignedData under a policy: what openssl makes, and what the default allows of it."""

import dataclasses
import datetime
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509

from tidewaiter.security import DEFAULT_POLICY, Digest, InsufficientSecurity, SecurityError, Signature
from tidewaiter.security.cms import Signer, sign, verify

CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"

# What openssl signs, with the arguments it takes, and whether the default policy lets it pass.
OPENSSL = [
    ("bob", (), None),
    ("bob", ("-md", "sha512"), None),
    ("bob", ("-keyid",), None),
    ("bob", ("-nocerts",), None),
    ("bob", ("-stream", "-indef"), None),
    ("bob", ("-keyopt", "rsa_padding_mode:pss"), None),
    ("bob", ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:0", "-md", "sha384"), None),
    ("carol", (), None),
    ("carol", ("-md", "sha384", "-keyid"), None),
    ("bob", ("-md", "sha1"), InsufficientSecurity),
    ("bob", ("-md", "md5"), InsufficientSecurity),
    ("bob", ("-md", "sha224"), InsufficientSecurity),
    ("bob", ("-noattr",), InsufficientSecurity),
    ("carol", ("-md", "sha1"), InsufficientSecurity),
    (
        "bob",
        ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1"),
        InsufficientSecurity,
    ),
]


@pytest.mark.parametrize("detached", [True, False])
@pytest.mark.parametrize(("name", "options", "refusal"), OPENSSL)
def test_what_openssl_signs(
    *,
    request: pytest.FixtureRequest,
    openssl: Callable[..., bytes],
    now: datetime.datetime,
    detached: bool,
    name: str,
    options: tuple[str, ...],
    refusal: type[SecurityError] | None,
) -> None:
    party = request.getfixturevalue(name)
    arguments = ("-signer", party.certificate_file, "-inkey", party.key_file, *options)
    opaque = () if detached else ("-nodetach",)
    data = openssl("cms", "-sign", "-binary", "-outform", "DER", *opaque, *arguments, data=CONTENT)
    content = CONTENT if detached else None
    if refusal is None:
        assert verify(data, content, [party.certificate], policy=DEFAULT_POLICY, now=now).content == CONTENT
    else:
        with pytest.raises(refusal):
            verify(data, content, [party.certificate], policy=DEFAULT_POLICY, now=now)


def test_a_1024_bit_key_is_refused_by_default(
    openssl: Callable[..., bytes], now: datetime.datetime, tmp_path: pathlib.Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ("-subj", "/CN=short", "-keyout", key, "-out", certificate, "-days", "9000")
    openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", *request)
    arguments = ("-signer", certificate, "-inkey", key)
    data = openssl("cms", "-sign", "-binary", "-outform", "DER", *arguments, data=CONTENT)
    short = x509.load_pem_x509_certificate(certificate.read_bytes())
    moment = short.not_valid_before_utc
    with pytest.raises(InsufficientSecurity):
        verify(data, CONTENT, [short], policy=DEFAULT_POLICY, now=moment)
    agreed = dataclasses.replace(DEFAULT_POLICY, min_rsa_bits=1024)
    assert verify(data, CONTENT, [short], policy=agreed, now=moment).content == CONTENT


def signed(party: Any, now: datetime.datetime, digest: Digest = Digest.SHA256) -> bytes:
    signer = Signer(party.certificate, party.private_key, digest)
    return sign(CONTENT, signer, detached=True, signing_time=now)


@pytest.mark.parametrize("name", ["bob", "carol"])
def test_a_weak_digest_is_used_where_the_agreement_names_it(
    request: pytest.FixtureRequest, name: str, now: datetime.datetime
) -> None:
    party = request.getfixturevalue(name)
    weak = dataclasses.replace(DEFAULT_POLICY, digests=frozenset({Digest.SHA1}))
    data = signed(party, now, Digest.SHA1)
    assert verify(data, CONTENT, [party.certificate], policy=weak, now=now).digest is Digest.SHA1
    with pytest.raises(InsufficientSecurity):
        verify(data, CONTENT, [party.certificate], policy=DEFAULT_POLICY, now=now)


def test_a_scheme_that_is_not_named_is_refused(carol: Any, now: datetime.datetime) -> None:
    policy = dataclasses.replace(DEFAULT_POLICY, signatures=frozenset({Signature.RSA_PKCS1}))
    with pytest.raises(InsufficientSecurity):
        verify(signed(carol, now), CONTENT, [carol.certificate], policy=policy, now=now)


def test_a_short_rsa_key_is_refused(bob: Any, now: datetime.datetime) -> None:
    policy = dataclasses.replace(DEFAULT_POLICY, min_rsa_bits=3072)
    with pytest.raises(InsufficientSecurity):
        verify(signed(bob, now), CONTENT, [bob.certificate], policy=policy, now=now)
