"""SignedData as we make it: what openssl and a second reader think of it."""

import datetime
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tidewaiter.security import DEFAULT_POLICY, Digest, KeyStoreError, Signature
from tidewaiter.security.cms import ContentType, Signer, content_type, sign, verify

CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"
SIGNERS = [
    ("bob", Digest.SHA256, None),
    ("bob", Digest.SHA384, None),
    ("bob", Digest.SHA512, None),
    ("bob", Digest.SHA256, Signature.RSA_PSS),
    ("bob", Digest.SHA512, Signature.RSA_PSS),
    ("carol", Digest.SHA256, None),
    ("carol", Digest.SHA512, None),
]


@pytest.fixture(params=SIGNERS, ids=lambda case: "-".join(str(getattr(part, "name", part)) for part in case))
def case(request: pytest.FixtureRequest) -> tuple[Any, Signer]:
    name, digest, scheme = request.param
    party = request.getfixturevalue(name)
    return party, Signer(party.certificate, party.private_key, digest, scheme=scheme)


@pytest.mark.parametrize("detached", [True, False])
def test_what_is_signed_verifies(case: tuple[Any, Signer], now: datetime.datetime, detached: bool) -> None:
    party, signer = case
    data = sign(CONTENT, signer, detached=detached, signing_time=now)
    assert content_type(data) is ContentType.SIGNED
    assert (CONTENT in data) is not detached
    verified = verify(
        data, CONTENT if detached else None, [party.certificate], policy=DEFAULT_POLICY, now=now
    )
    assert verified.content == CONTENT
    assert verified.digest is signer.digest
    assert verified.message_digest == signer.digest.new(CONTENT).digest()
    assert verified.certificate == party.certificate


def test_openssl_verifies_a_detached_signature(
    case: tuple[Any, Signer], openssl: Callable[..., bytes], now: datetime.datetime, tmp_path: pathlib.Path
) -> None:
    party, signer = case
    (tmp_path / "content").write_bytes(CONTENT)
    data = sign(CONTENT, signer, detached=True, signing_time=now)
    arguments = ("-content", tmp_path / "content", "-CAfile", party.certificate_file)
    verified = openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", *arguments, data=data
    )
    assert verified == CONTENT


def test_openssl_verifies_an_opaque_signature_and_finds_it_der(
    bob: Any, openssl: Callable[..., bytes], now: datetime.datetime
) -> None:
    data = sign(CONTENT, Signer(bob.certificate, bob.private_key), detached=False, signing_time=now)
    arguments = ("-inform", "DER", "-CAfile", bob.certificate_file, "-purpose", "any")
    assert openssl("cms", "-verify", "-binary", *arguments, data=data) == CONTENT
    assert openssl("asn1parse", "-inform", "DER", data=data).count(b"signingTime") == 1


@pytest.mark.parametrize(
    ("year", "encoded"),
    [(2026, b"\x17\x0d260601120000Z"), (2050, b"\x18\x0f20500601120000Z")],
)
def test_the_signing_time_is_the_callers(bob: Any, now: datetime.datetime, year: int, encoded: bytes) -> None:
    signer = Signer(bob.certificate, bob.private_key)
    berlin = datetime.timezone(datetime.timedelta(hours=2))
    moment = now.replace(year=year).astimezone(berlin)
    assert encoded in sign(CONTENT, signer, detached=True, signing_time=moment)


def test_one_content_signed_twice_at_one_time_is_the_same(bob: Any, now: datetime.datetime) -> None:
    signer = Signer(bob.certificate, bob.private_key)
    first, second = (sign(CONTENT, signer, detached=True, signing_time=now) for _ in range(2))
    assert first == second


def test_a_signer_needs_the_certificates_own_key(bob: Any, mallory: Any, carol: Any) -> None:
    with pytest.raises(KeyStoreError):
        Signer(bob.certificate, mallory.private_key)
    with pytest.raises(KeyStoreError):
        Signer(carol.certificate, bob.private_key)
    with pytest.raises(KeyStoreError):
        Signer(carol.certificate, carol.private_key, scheme=Signature.RSA_PSS)
    with pytest.raises(KeyStoreError):
        Signer(bob.certificate, bob.private_key, scheme=Signature.ECDSA)
