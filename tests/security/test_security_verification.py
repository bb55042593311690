"""SignedData as others make it, and as attackers do."""

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import pkcs7

from tidewaiter.security import (
    DEFAULT_POLICY,
    AuthenticationFailed,
    Digest,
    InsufficientSecurity,
    IntegrityFailed,
    MalformedCms,
    Policy,
    SecurityError,
    der,
)
from tidewaiter.security.algorithms import DIGEST_OIDS, RSA_ENCRYPTION, algorithm_identifier
from tidewaiter.security.cms import ContentType, Signer, sign, verify
from tidewaiter.security.cms.content import DATA, encapsulate, write
from tidewaiter.security.trust import facts

CONTENT = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3'\r\n"
SHA256 = algorithm_identifier(DIGEST_OIDS[Digest.SHA256])
RSA = algorithm_identifier(RSA_ENCRYPTION, der.tlv(der.NULL))
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
PROTECTION = "1.2.840.113549.1.9.52"
WITHOUT_ATTRIBUTES = dataclasses.replace(DEFAULT_POLICY, allow_no_signed_attributes=True)


def attribute(kind: str, *values: bytes) -> bytes:
    return der.tlv(der.SEQUENCE, der.oid(kind), der.tlv(der.SET, *values))


def usual(content: bytes = CONTENT) -> list[bytes]:
    digest = Digest.SHA256.new(content).digest()
    return [
        attribute(CONTENT_TYPE, DATA),
        attribute(MESSAGE_DIGEST, der.tlv(der.OCTET_STRING, digest)),
    ]


def info(
    party: Any,
    attributes: list[bytes] | None,
    signature: bytes | None = None,
    digest_algorithm: bytes = SHA256,
    signature_algorithm: bytes = RSA,
) -> bytes:
    """A SignerInfo with any attributes, properly signed unless `signature` is given."""
    joined = b"" if attributes is None else b"".join(attributes)
    signed = CONTENT if attributes is None else der.tlv(der.SET, joined)
    return der.tlv(
        der.SEQUENCE,
        der.tlv(der.INTEGER, b"\x01"),
        der.tlv(der.SEQUENCE, facts(party.certificate).name),
        digest_algorithm,
        b"" if attributes is None else der.tlv(0xA0, joined),
        signature_algorithm,
        der.tlv(
            der.OCTET_STRING,
            signature or party.private_key.sign(signed, padding.PKCS1v15(), hashes.SHA256()),
        ),
    )


def message(*infos: bytes, content: bytes | None = None, certificates: tuple[Any, ...] = ()) -> bytes:
    """A SignedData of any SignerInfos."""
    encoded = [party.certificate.public_bytes(serialization.Encoding.DER) for party in certificates]
    return write(
        ContentType.SIGNED,
        [
            der.tlv(der.INTEGER, b"\x01"),
            der.tlv(der.SET, SHA256),
            *encapsulate(content),
            *([der.tlv(0xA0, *encoded)] if encoded else []),
            der.tlv(der.SET, *infos),
        ],
    )


@pytest.fixture
def check(bob: Any, now: datetime.datetime) -> Callable[..., bytes]:
    """Verify against bob's certificate and give the content."""

    def run(data: bytes, content: bytes | None = CONTENT, policy: Policy = DEFAULT_POLICY) -> bytes:
        return verify(data, content, [bob.certificate], policy=policy, now=now).content

    return run


def signed_by(party: Any, now: datetime.datetime, *, detached: bool = True) -> bytes:
    return sign(CONTENT, Signer(party.certificate, party.private_key), detached=detached, signing_time=now)


def test_a_plain_message_of_these_tests_verifies(check: Callable[..., bytes], bob: Any) -> None:
    assert check(message(info(bob, usual()))) == CONTENT
    assert check(message(info(bob, usual()), content=CONTENT), None) == CONTENT


def test_the_certificate_inside_is_never_trusted(
    check: Callable[..., bytes], mallory: Any, bob: Any, now: datetime.datetime
) -> None:
    with pytest.raises(AuthenticationFailed):
        check(signed_by(mallory, now))
    with pytest.raises(AuthenticationFailed):
        check(message(info(mallory, usual()), certificates=(mallory, bob)))


def test_another_key_under_the_partners_name_is_not_the_partner(
    check: Callable[..., bytes], bob: Any, mallory: Any
) -> None:
    """Issuer and serial number are bob's, key and certificate mallory's."""
    forged = dataclasses.replace(mallory, certificate=bob.certificate)
    with pytest.raises(AuthenticationFailed):
        check(message(info(forged, usual()), certificates=(mallory,)))
    with pytest.raises(IntegrityFailed):
        check(message(info(forged, usual())))


def test_without_a_signer_nothing_is_authentic(check: Callable[..., bytes], bob: Any) -> None:
    with pytest.raises(AuthenticationFailed):
        check(message(certificates=(bob,)))
    with pytest.raises(AuthenticationFailed):
        check(message(content=CONTENT), None)
    certificates_only = pkcs7.serialize_certificates([bob.certificate], serialization.Encoding.DER)
    with pytest.raises(SecurityError):
        check(certificates_only, None)


def test_changed_content_is_an_integrity_failure(
    check: Callable[..., bytes], bob: Any, now: datetime.datetime
) -> None:
    with pytest.raises(IntegrityFailed):
        check(signed_by(bob, now), CONTENT + b"x")
    opaque = signed_by(bob, now, detached=False)
    with pytest.raises(IntegrityFailed):
        check(opaque.replace(b"UNB+UNOC:3", b"UNB+UNOC:4"), None)


def test_changed_attributes_or_signature_are_an_integrity_failure(
    check: Callable[..., bytes], bob: Any
) -> None:
    good = info(bob, usual())
    for place in (-1, -200):
        changed = bytearray(good)
        changed[place] ^= 1
        with pytest.raises(IntegrityFailed):
            check(message(bytes(changed)))
    other = info(bob, usual(), signature=bytes(256))
    with pytest.raises(IntegrityFailed):
        check(message(other))


DIGEST = der.tlv(der.OCTET_STRING, Digest.SHA256.new(CONTENT).digest())
OTHER_DIGEST = der.tlv(der.OCTET_STRING, Digest.SHA256.new(b"other").digest())


@pytest.mark.parametrize(
    "attributes",
    [
        [],
        [attribute(CONTENT_TYPE, DATA)],
        [attribute(MESSAGE_DIGEST, DIGEST)],
        [attribute(CONTENT_TYPE, DATA), attribute(MESSAGE_DIGEST, OTHER_DIGEST)],
        [attribute(CONTENT_TYPE, der.oid("1.2.3")), attribute(MESSAGE_DIGEST, DIGEST)],
        [attribute(CONTENT_TYPE, DATA), attribute(MESSAGE_DIGEST, DIGEST, OTHER_DIGEST)],
        [
            attribute(CONTENT_TYPE, DATA),
            attribute(MESSAGE_DIGEST, OTHER_DIGEST),
            attribute(MESSAGE_DIGEST, DIGEST),
        ],
        [*usual(), attribute(CONTENT_TYPE, DATA)],
        [*usual(), attribute(PROTECTION, der.tlv(der.SEQUENCE, SHA256))],
        [
            *usual(),
            attribute(
                PROTECTION,
                der.tlv(
                    der.SEQUENCE,
                    algorithm_identifier(DIGEST_OIDS[Digest.SHA512]),
                    der.tlv(0xA1, RSA_ENCRYPTION),
                ),
            ),
        ],
    ],
    ids=[
        "none", "no-digest", "no-type", "digest", "type", "two-values", "digest-twice", "type-twice",
        "protection-cut", "protection-other",
    ],
)  # fmt: skip
def test_attributes_that_do_not_fit_are_refused(
    check: Callable[..., bytes], bob: Any, attributes: list[bytes]
) -> None:
    """Each is properly signed: only what stands in it is wrong."""
    with pytest.raises(IntegrityFailed):
        check(message(info(bob, attributes)))


def test_protected_algorithms_that_fit_verify(check: Callable[..., bytes], bob: Any) -> None:
    protection = attribute(PROTECTION, der.tlv(der.SEQUENCE, SHA256, der.tlv(0xA1, RSA_ENCRYPTION)))
    assert check(message(info(bob, [*usual(), protection]))) == CONTENT


def test_attributes_are_hashed_in_the_order_they_came(check: Callable[..., bytes], bob: Any) -> None:
    """Some senders do not sort the set, and sign what they send."""
    assert check(message(info(bob, list(reversed(usual()))))) == CONTENT


def test_a_bare_signature_needs_the_agreement(check: Callable[..., bytes], bob: Any) -> None:
    bare = message(info(bob, None))
    with pytest.raises(InsufficientSecurity):
        check(bare)
    assert check(bare, CONTENT, WITHOUT_ATTRIBUTES) == CONTENT


def test_signed_attributes_cannot_be_passed_off_as_content(check: Callable[..., bytes], bob: Any) -> None:
    """The signature over a message's attributes is one over their SET: sent bare, it would verify."""
    attributes = b"".join(usual())
    stolen = bob.private_key.sign(der.tlv(der.SET, attributes), padding.PKCS1v15(), hashes.SHA256())
    forged = message(info(bob, None, signature=stolen))
    with pytest.raises(IntegrityFailed, match="needs signed attributes"):
        check(forged, der.tlv(der.SET, attributes), WITHOUT_ATTRIBUTES)


def test_outside_its_validity_a_certificate_does_not_count(bob: Any, now: datetime.datetime) -> None:
    data = signed_by(bob, now)
    for moment in (bob.certificate.not_valid_before_utc, bob.certificate.not_valid_after_utc):
        verify(data, CONTENT, [bob.certificate], policy=DEFAULT_POLICY, now=moment)
    second = datetime.timedelta(seconds=1)
    for moment in (
        bob.certificate.not_valid_before_utc - second,
        bob.certificate.not_valid_after_utc + second,
    ):
        with pytest.raises(AuthenticationFailed, match="validity"):
            verify(data, CONTENT, [bob.certificate], policy=DEFAULT_POLICY, now=moment)


def test_current_and_next_certificate_both_count(
    bob: Any, new_party: Callable[..., Any], carol: Any, now: datetime.datetime
) -> None:
    following = carol
    certificates = [bob.certificate, following.certificate]
    for party in (bob, following):
        verified = verify(signed_by(party, now), CONTENT, certificates, policy=DEFAULT_POLICY, now=now)
        assert verified.certificate == party.certificate


def test_a_second_signer_may_be_the_partner(check: Callable[..., bytes], bob: Any, mallory: Any) -> None:
    assert check(message(info(mallory, usual()), info(bob, usual()))) == CONTENT
    broken = info(bob, usual(), signature=bytes(256))
    with pytest.raises(IntegrityFailed):
        check(message(broken, info(mallory, usual())))


def test_too_many_signers_are_refused(check: Callable[..., bytes], bob: Any) -> None:
    with pytest.raises(MalformedCms):
        check(message(*[info(bob, usual())] * 17))


@pytest.mark.parametrize("tail", [b"", b"\r\n", b"\n"])
def test_line_ends_after_the_structure_are_let_pass(
    check: Callable[..., bytes], bob: Any, tail: bytes
) -> None:
    assert check(message(info(bob, usual())) + tail) == CONTENT


@pytest.mark.parametrize("tail", [b"x", b"\0", b"\r\n" * 10])
def test_other_octets_after_it_are_not(check: Callable[..., bytes], bob: Any, tail: bytes) -> None:
    with pytest.raises(MalformedCms):
        check(message(info(bob, usual())) + tail)


def test_there_must_be_a_content(check: Callable[..., bytes], bob: Any) -> None:
    with pytest.raises(MalformedCms):
        check(message(info(bob, usual())), None)


def test_digest_and_signature_algorithm_are_each_held_against_the_policy(
    check: Callable[..., bytes], bob: Any
) -> None:
    """One of the two is SHA-1, the other SHA-256; everything fits."""
    agreed = dataclasses.replace(DEFAULT_POLICY, digests=frozenset({Digest.SHA1, Digest.SHA256}))
    sha1 = algorithm_identifier(DIGEST_OIDS[Digest.SHA1])
    weak_digest = [
        attribute(CONTENT_TYPE, DATA),
        attribute(MESSAGE_DIGEST, der.tlv(der.OCTET_STRING, Digest.SHA1.new(CONTENT).digest())),
    ]
    with_sha256 = algorithm_identifier(der.oid("1.2.840.113549.1.1.11"))
    with_sha1 = algorithm_identifier(der.oid("1.2.840.113549.1.1.5"))
    signed = der.tlv(der.SET, *usual())
    weak_signature = bob.private_key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    for data in (
        message(info(bob, weak_digest, None, sha1, with_sha256)),
        message(info(bob, usual(), weak_signature, SHA256, with_sha1)),
    ):
        assert check(data, CONTENT, agreed) == CONTENT
        with pytest.raises(InsufficientSecurity):
            check(data)


def test_a_signature_of_another_kind_than_the_key_is_refused(
    bob: Any, carol: Any, now: datetime.datetime
) -> None:
    """carol's name on bob's signature: the certificate's key cannot have made it."""
    forged = dataclasses.replace(bob, certificate=carol.certificate)
    with pytest.raises(AuthenticationFailed):
        verify(message(info(forged, usual())), CONTENT, [carol.certificate], policy=DEFAULT_POLICY, now=now)


def test_opaque_content_in_one_piece_or_many(bob: Any, now: datetime.datetime) -> None:
    """A streaming sender's message: indefinite lengths, content in pieces."""
    pieces = b"".join(der.tlv(der.OCTET_STRING, CONTENT[i : i + 7]) for i in range(0, len(CONTENT), 7))
    streamed = (
        b"\x30\x80" + der.oid("1.2.840.113549.1.7.2") + b"\xa0\x80\x30\x80\x02\x01\x01"
        + der.tlv(der.SET, SHA256)
        + b"\x30\x80" + DATA + b"\xa0\x80\x24\x80" + pieces + bytes(6)
        + der.tlv(der.SET, info(bob, usual())) + bytes(6)
    )  # fmt: skip
    verified = verify(streamed, None, [bob.certificate], policy=DEFAULT_POLICY, now=now)
    assert verified.content == CONTENT
