"""What is compared instead of read again: found where it is the same, and nowhere else."""

import contextlib
import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tidewaiter.security import DEFAULT_POLICY, Cipher, IntegrityFailed, der
from tidewaiter.security.chain import Authorities
from tidewaiter.security.cms import DecryptionKey, Signer, decrypt, encrypt, sign, usual, verification, verify
from tidewaiter.security.cms.content import ContentType, fields, write
from tidewaiter.security.cms.usual import Usual
from tidewaiter.security.errors import (
    AuthenticationFailed,
    DecryptionFailed,
    InsufficientSecurity,
    SecurityError,
)

# An element with two parts that differ, and what stands around them.
WHOLE = b"head-AAAA-middle-BB-tail"
FIRST, SECOND = der.Element(4, 0, 5, 9), der.Element(4, 0, 17, 19)


@pytest.fixture
def known() -> Usual[str]:
    kept: Usual[str] = Usual()
    kept.keep("key", WHOLE, FIRST, SECOND, "made")
    return kept


def test_the_two_stretches_are_found(known: Usual[str]) -> None:
    assert known.find("key", b"head-1234-middle-56-tail") == ("made", b"1234", b"56")


@pytest.mark.parametrize("at", [n for n in range(len(WHOLE)) if n not in {5, 6, 7, 8, 17, 18}])
def test_any_other_octet_makes_it_another(known: Usual[str], at: int) -> None:
    assert known.find("key", WHOLE[:at] + b"?" + WHOLE[at + 1 :]) is None


def test_another_length_or_key_is_another(known: Usual[str]) -> None:
    assert known.find("key", WHOLE + b"l") is None
    assert known.find("other", WHOLE) is None


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch, known: Usual[str]) -> None:
    monkeypatch.setattr(usual, "KEPT", 2)
    monkeypatch.setattr(usual, "LONGEST", 30)
    known.keep("long", WHOLE * 2, FIRST, SECOND, "made")
    assert known.find("long", WHOLE * 2) is None
    for key in ("second", "third"):
        known.keep(key, WHOLE, FIRST, SECOND, "made")
    assert known.find("key", WHOLE) is None
    assert known.find("third", WHOLE) is not None


def signed(party: Any, content: bytes, now: datetime.datetime) -> bytes:
    return sign(content, Signer(party.certificate, party.private_key), detached=True, signing_time=now)


def test_a_signature_like_the_last_one_is_checked_like_it(
    bob: Any, now: datetime.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the walk through the structure taken away, so that only the comparison is left."""
    pins = [bob.certificate]
    later = now + datetime.timedelta(seconds=5)
    verify(signed(bob, b"one", now), b"one", pins, policy=DEFAULT_POLICY, now=now)
    second = signed(bob, b"two", later)
    with pytest.raises(IntegrityFailed):
        verify(second, b"one", pins, policy=DEFAULT_POLICY, now=now)
    with pytest.raises(IntegrityFailed):
        verify(second[:-1] + bytes((second[-1] ^ 1,)), b"two", pins, policy=DEFAULT_POLICY, now=now)
    monkeypatch.setattr(verification, "read_parts", None)
    assert verify(second, b"two", pins, policy=DEFAULT_POLICY, now=now).content == b"two"


def test_the_usual_is_in_the_way_of_no_other_certificate_of_the_same_name(
    now: datetime.datetime,
) -> None:
    """Current and next, of one issuer and serial number, and signatures that carry neither."""
    pairs = [twin(now) for _ in range(2)]
    pins = [certificate for certificate, _ in pairs]
    for _ in range(2):
        for certificate, key in pairs:
            data = bare(sign(b"one", Signer(certificate, key), detached=True, signing_time=now), certificate)
            assert verify(data, b"one", pins, policy=DEFAULT_POLICY, now=now).certificate is certificate


def twin(now: datetime.datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Certificates that differ in their keys only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bob")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return builder.public_key(key.public_key()).sign(key, hashes.SHA256()), key


def bare(data: bytes, certificate: x509.Certificate) -> bytes:
    """A SignedData without the certificate that it carries."""
    found = fields(data, ContentType.SIGNED, limit=5)
    kept = [data[each.header : each.stop] for each in found if each.tag != 0xA0]
    assert len(kept) == len(found) - 1
    return write(ContentType.SIGNED, list(kept))


def test_after_its_validity_the_usual_is_refused_too(bob: Any, now: datetime.datetime) -> None:
    pins = [bob.certificate]
    data = signed(bob, b"one", now)
    verify(data, b"one", pins, policy=DEFAULT_POLICY, now=now)
    expired = bob.certificate.not_valid_after_utc + datetime.timedelta(seconds=1)
    with pytest.raises(AuthenticationFailed):
        verify(data, b"one", pins, policy=DEFAULT_POLICY, now=expired)
    with pytest.raises(AuthenticationFailed):
        verify(data, b"one", [], policy=DEFAULT_POLICY, now=now)


def test_every_octet_of_a_usual_signature_counts(bob: Any, now: datetime.datetime) -> None:
    """An octet is changed at a time, in what is compared and in what differs: never does it verify."""
    pins = [bob.certificate]
    data = signed(bob, b"one", now)
    for at in range(0, len(data), 3):
        verify(data, b"one", pins, policy=DEFAULT_POLICY, now=now)
        changed = data[:at] + bytes((data[at] ^ 0x01,)) + data[at + 1 :]
        try:
            verified = verify(changed, b"one", pins, policy=DEFAULT_POLICY, now=now)
        except SecurityError:
            continue
        # Nothing signed covers what the message carries beside: certificates, the list of digests.
        assert verified.content == b"one"
        assert verified.certificate is bob.certificate


def test_a_recipient_like_the_last_one_is_opened_like_it(bob: Any) -> None:
    keys = [DecryptionKey(bob.certificate, bob.private_key)]
    for content in (b"one", b"two"):
        data = encrypt(content, [bob.certificate], cipher=Cipher.AES256_GCM)
        assert decrypt(data, keys, policy=DEFAULT_POLICY) == content
    for at in range(0, len(data), 5):
        changed = data[:at] + bytes((data[at] ^ 0x01,)) + data[at + 1 :]
        with contextlib.suppress(DecryptionFailed, InsufficientSecurity):
            decrypted = decrypt(changed, keys, policy=DEFAULT_POLICY)
            assert decrypted == b"two"
    with pytest.raises(DecryptionFailed):
        decrypt(data, [], policy=DEFAULT_POLICY)


def test_authorities_do_not_count_where_anybody_can_change_what_is_carried(
    bob: Any, now: datetime.datetime
) -> None:
    authorities = Authorities((bob.certificate,), "bob")
    data = signed(bob, b"one", now)
    ask = {"policy": DEFAULT_POLICY, "now": now, "authorities": authorities}
    assert verify(data, b"one", [], **ask).certificate == bob.certificate
    with pytest.raises(AuthenticationFailed):
        verify(data, b"one", [], malleable=True, **ask)
