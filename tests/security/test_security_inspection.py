"""What CMS shows without a key: held to what was asked for when it was made, here and by openssl."""

import datetime
import warnings
from collections.abc import Callable

import pytest
from cryptography import x509

from tidewaiter.security import Cipher, Digest, KeyTransport, MalformedCms, Signature, der, fingerprint
from tidewaiter.security.cms import Signer, compress, encrypt, sign
from tidewaiter.security.cms.content import ContentType, fields
from tidewaiter.security.inspection.certificates import read_time, show_certificate
from tidewaiter.security.inspection.naming import MAX_NAME, distinguished_name, dotted, name_of
from tidewaiter.security.inspection.recipients import show_recipients
from tidewaiter.security.inspection.structures import carried_certificates, carried_content, inspect
from tidewaiter.security.inspection.values import (
    Form,
    Keying,
    ShownCompressed,
    ShownEnvelope,
    ShownOther,
    ShownPss,
    ShownSigned,
)

from .conftest import Party

CONTENT = b"what is inside" * 100
Openssl = Callable[..., bytes]


def envelope(data: bytes) -> ShownEnvelope:
    shown = inspect(data)
    assert isinstance(shown, ShownEnvelope)
    return shown


def signed(data: bytes) -> ShownSigned:
    shown = inspect(data)
    assert isinstance(shown, ShownSigned)
    return shown


@pytest.mark.parametrize("cipher", list(Cipher))
@pytest.mark.parametrize("dialect", [False, True])
def test_a_cipher_and_its_sizes(bob: Party, cipher: Cipher, *, dialect: bool) -> None:
    gcm = cipher.value.endswith("gcm")
    shown = envelope(encrypt(CONTENT, [bob.certificate], cipher=cipher, gcm_in_enveloped=dialect and gcm))
    assert (shown.cipher, shown.mode, shown.form) == (cipher.value, cipher.mode.value, Form.DER)
    assert shown.type.value == ("authenveloped-data" if gcm and not dialect else "enveloped-data")
    assert (shown.tag, shown.tag_behind) == (16 * gcm, dialect and gcm)
    assert shown.iv == (12 if gcm else cipher.block)
    padded = len(CONTENT) + cipher.block - len(CONTENT) % cipher.block
    assert (shown.content, shown.pieces) == (len(CONTENT) if gcm else padded, 0)


@pytest.mark.parametrize(
    ("how", "shown_as"),
    [
        (KeyTransport.RSA_PKCS1, ("rsa-pkcs1", "", "")),
        (KeyTransport.RSA_OAEP_SHA1, ("rsa-oaep", "sha1", "mgf1-sha1")),
        (KeyTransport.RSA_OAEP_SHA256, ("rsa-oaep", "sha-256", "mgf1-sha-256")),
        (KeyTransport.RSA_OAEP_SHA512, ("rsa-oaep", "sha-512", "mgf1-sha-512")),
    ],
)
def test_key_transport_and_its_recipients(
    bob: Party, mallory: Party, how: KeyTransport, shown_as: tuple[str, str, str]
) -> None:
    parties = (mallory, bob)
    data = encrypt(
        CONTENT, [party.certificate for party in parties], cipher=Cipher.AES128_CBC, key_transport=how
    )
    recipients = {int(one.holder.serial, 16): one for one in envelope(data).recipients}
    assert len(recipients) == 2
    for party in parties:
        one = recipients[party.certificate.serial_number]
        assert (one.keying, one.key, one.encrypted_key) == (Keying.TRANSPORT, "RSA 2048", 256)
        assert (one.algorithm, one.digest, one.mask) == shown_as
        assert one.holder.issuer == distinguished_name(party.certificate.issuer.public_bytes())


@pytest.mark.parametrize("parameters", [b"", b"\x05\x00", b"\x30\x00"])
def test_oaep_without_parameters_has_the_defaults(parameters: bytes) -> None:
    oaep = der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.1.7"), parameters)
    holder = der.tlv(0x80, b"\1\2\3")
    info = der.tlv(
        der.SEQUENCE, der.tlv(der.INTEGER, b"\2"), holder, oaep, der.tlv(der.OCTET_STRING, bytes(384))
    )
    (one,) = show_recipients(info)
    assert (one.algorithm, one.digest, one.mask, one.key) == ("rsa-oaep", "sha1", "mgf1-sha1", "RSA 3072")
    assert one.holder.key_identifier == "010203"
    assert [one.problem for one in show_recipients(info[:-1])] == ["not a KeyTransRecipientInfo"]
    assert [one.keying for one in show_recipients(der.tlv(0xA3))] == [Keying.PASSWORD]


def test_key_agreement(carol: Party) -> None:
    (one,) = envelope(encrypt(CONTENT, [carol.certificate], cipher=Cipher.AES256_CBC)).recipients
    assert (one.keying, one.algorithm, one.digest) == (Keying.AGREEMENT, "ecdh", "sha-256")
    assert one.wrap == "aes256-wrap"
    assert one.key.startswith("EC ")
    assert int(one.holder.serial, 16) == carol.certificate.serial_number


def test_several_may_share_one_key_agreement(carol: Party) -> None:
    data = encrypt(CONTENT, [carol.certificate], cipher=Cipher.AES256_CBC)
    infos = fields(data, ContentType.ENVELOPED, limit=3)[1]
    info = der.element_at(data, infos.start, infos.stop)
    *before, keys = der.children(data, info.start, info.stop, limit=5)
    key = data[keys.start : keys.stop]
    first = data[before[0].header : before[-1].stop]
    shown = show_recipients(der.tlv(0xA1, first, der.tlv(der.SEQUENCE, key, key)))
    assert len(shown) == 2
    assert shown[0] == shown[1] == envelope(data).recipients[0]


def test_what_openssl_streams_is_told_as_ber(openssl: Openssl, bob: Party) -> None:
    data = openssl(
        *("cms", "-encrypt", "-stream", "-binary", "-outform", "DER", "-aes192", "-keyid"),
        bob.certificate_file,
        data=CONTENT,
    )
    shown = envelope(data)
    assert (shown.form, shown.cipher) == (Form.BER, "aes192-cbc")
    assert shown.pieces > 0
    (one,) = shown.recipients
    identifier = bob.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert (one.holder.key_identifier, one.holder.issuer) == (identifier.hex(), "")


def test_an_algorithm_that_is_never_used_has_a_name(bob: Party) -> None:
    data = encrypt(CONTENT, [bob.certificate], cipher=Cipher.AES128_CBC)
    known = der.oid("2.16.840.1.101.3.4.1.2")
    for oid, name in (("2.16.840.1.101.3.4.1.7", "aes128-ccm"), ("2.16.840.1.101.3.4.1.99",) * 2):
        shown = envelope(data.replace(known, der.oid(oid)))
        assert (shown.cipher, shown.mode, shown.tag, shown.iv) == (name, "", 0, 16)


@pytest.mark.parametrize("digest", list(Digest))
@pytest.mark.parametrize("detached", [True, False])
def test_a_signer(bob: Party, now: datetime.datetime, digest: Digest, *, detached: bool) -> None:
    data = sign(
        CONTENT, Signer(bob.certificate, bob.private_key, digest), detached=detached, signing_time=now
    )
    shown = signed(data)
    assert (shown.content, shown.content_type) == (None if detached else len(CONTENT), "data")
    assert (shown.digests, shown.revocations) == ((digest.value,), 0)
    (signer,) = shown.signers
    assert (signer.digest, signer.scheme, signer.hashed_with) == (digest.value, "rsa-pkcs1", "")
    assert (signer.signing_time, signer.content_type, signer.signature) == (now, "data", 256)
    assert set(signer.attributes or ()) == {"content-type", "message-digest", "signing-time"}
    assert signer.message_digest == digest.new(CONTENT).digest().hex()
    assert carried_content(data) == (None if detached else CONTENT)


def test_a_signature_scheme_with_its_parameters(bob: Party, carol: Party, now: datetime.datetime) -> None:
    pss = Signer(bob.certificate, bob.private_key, Digest.SHA384, scheme=Signature.RSA_PSS)
    (signer,) = signed(sign(CONTENT, pss, detached=True, signing_time=now)).signers
    assert (signer.scheme, signer.pss) == (
        "rsa-pss",
        ShownPss(digest="sha-384", mask="mgf1-sha-384", salt=48),
    )
    (signer,) = signed(
        sign(CONTENT, Signer(carol.certificate, carol.private_key), detached=True, signing_time=now)
    ).signers
    assert (signer.scheme, signer.hashed_with, signer.pss) == ("ecdsa", "sha-256", None)


def test_a_signature_over_the_content_itself(openssl: Openssl, bob: Party) -> None:
    (signer,) = signed(
        openssl(
            *("cms", "-sign", "-noattr", "-binary", "-outform", "DER", "-signer"),
            *(bob.certificate_file, "-inkey", bob.key_file),
            data=CONTENT,
        )
    ).signers
    assert (signer.attributes, signer.signing_time, signer.message_digest) == (None, None, "")


def test_a_signature_with_md5_is_shown(openssl: Openssl, bob: Party) -> None:
    data = openssl(
        *("cms", "-sign", "-md", "md5", "-binary", "-outform", "DER", "-signer"),
        *(bob.certificate_file, "-inkey", bob.key_file),
        data=CONTENT,
    )
    assert [signer.digest for signer in signed(data).signers] == ["md5"]
    assert signed(data).digests == ("md5",)


@pytest.mark.parametrize("kind", ["bob", "carol"])
def test_the_certificates_carried(request: pytest.FixtureRequest, now: datetime.datetime, kind: str) -> None:
    party: Party = request.getfixturevalue(kind)
    data = sign(CONTENT, Signer(party.certificate, party.private_key), detached=True, signing_time=now)
    (one,) = signed(data).certificates
    certificate = party.certificate
    assert (one.subject, one.issuer) == (f"CN={kind}", f"CN={kind}")
    assert (one.not_before, one.not_after) == (
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
    assert int(one.serial, 16) == certificate.serial_number
    assert (one.key, one.fingerprint) == (
        {"bob": "RSA 2048", "carol": "EC P-256"}[kind],
        fingerprint(certificate),
    )
    (encoded,) = carried_certificates(data)
    assert x509.load_der_x509_certificate(encoded) == certificate


def test_a_certificate_that_a_library_warns_of_is_shown(bob: Party) -> None:
    encoded = bytearray(bob.certificate.public_bytes(x509_der()))
    at = bytes(encoded).index(bob.certificate.serial_number.to_bytes(20, "big"))
    encoded[at : at + 20] = bytes(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = show_certificate(bytes(encoded))
    assert (shown.problem, shown.subject, int(shown.serial, 16)) == ("", "CN=bob", 0)


def x509_der() -> object:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


def test_what_is_no_certificate_says_so() -> None:
    for data in (b"", b"\x30\x00", b"\x30\x03\x30\x01\x00", b"certificate"):
        assert show_certificate(data).problem == "cannot be read"


def test_compressed() -> None:
    shown = inspect(compress(CONTENT))
    assert isinstance(shown, ShownCompressed)
    assert (shown.algorithm, shown.form) == ("zlib", Form.DER)
    assert 0 < shown.content < len(CONTENT)


def test_another_type_is_named() -> None:
    digested = der.tlv(der.SEQUENCE, der.oid("1.2.840.113549.1.7.5"), der.tlv(0xA0, der.tlv(der.SEQUENCE)))
    assert inspect(digested) == ShownOther(content_type="digested-data", form=Form.DER, octets=len(digested))


@pytest.mark.parametrize("data", [b"", b"0", b"\x30\x80", b"UNB+UNOA:1'", b"\x30\x03\x02\x01\x00", bytes(50)])
def test_what_is_no_cms_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedCms):
        inspect(data)


def test_no_cut_and_no_changed_octet_does_more_than_refuse(
    bob: Party, carol: Party, now: datetime.datetime
) -> None:
    signer = Signer(bob.certificate, bob.private_key, scheme=Signature.RSA_PSS)
    for data in (
        sign(b"x", signer, detached=False, signing_time=now),
        encrypt(b"x", [bob.certificate, carol.certificate], cipher=Cipher.AES256_GCM),
        encrypt(
            b"x", [bob.certificate], cipher=Cipher.AES256_CBC, key_transport=KeyTransport.RSA_OAEP_SHA256
        ),
        compress(b"x"),
    ):
        for at in range(0, len(data), 11):
            _tried(data[:at])
            for octet in (0x00, 0x30, 0x80, 0xFF):
                _tried(data[:at] + bytes((octet,)) + data[at + 1 :])


def _tried(data: bytes) -> None:
    try:
        inspect(data)
        carried_certificates(data)
    except MalformedCms:
        pass


def test_a_name_is_escaped_and_bounded() -> None:
    def rdn(oid: str, tag: int, value: bytes) -> bytes:
        return der.tlv(der.SET, der.tlv(der.SEQUENCE, der.oid(oid), der.tlv(tag, value)))

    name = der.tlv(
        der.SEQUENCE,
        rdn("2.5.4.6", 0x13, b"NL"),
        rdn("2.5.4.10", 0x0C, 'Kaas, "Co" = Ü'.encode()),
        rdn("2.5.4.3", 0x1E, "ab".encode("utf-16-be")),
        rdn("1.2.3.4", 0x0C, b"\xff"),
    )
    assert distinguished_name(name) == 'C=NL,O=Kaas\\, \\"Co\\" \\= Ü,CN=ab,1.2.3.4=\ufffd'
    assert distinguished_name(bytes(MAX_NAME + 1)) == "a name of 4,097 octets"
    for broken in (b"", b"\x30", der.tlv(der.SEQUENCE, der.tlv(der.SET, der.tlv(der.SEQUENCE)))):
        assert distinguished_name(broken) == "a name that cannot be read"


@pytest.mark.parametrize("oid", ["1.2.840.113549.1.7.2", "2.5.4.3", "0.9.2342.19200300.100.1.1", "2.999.1"])
def test_an_identifier_in_numbers(oid: str) -> None:
    assert dotted(der.oid(oid)) == oid


def test_a_known_identifier_has_a_name() -> None:
    assert (name_of("1.2.840.113549.3.2"), name_of("1.2.3")) == ("rc2-cbc", "1.2.3")
    for broken in (b"\x06\x00", b"\x06\x01\x80", b"\x02\x01\x00", der.tlv(0x06, bytes(65))):
        with pytest.raises(MalformedCms):
            dotted(broken)


@pytest.mark.parametrize(
    ("tag", "text", "year"),
    [(0x17, "491231235959Z", 2049), (0x17, "500101000000Z", 1950), (0x18, "20500101000000Z", 2050)],
)
def test_years_of_two_digits(tag: int, text: str, year: int) -> None:
    moment = read_time(der.tlv(tag, text.encode()))
    assert moment is not None
    assert (moment.year, moment.tzinfo) == (year, datetime.UTC)


def test_what_is_no_time() -> None:
    for element in (
        b"",
        der.tlv(0x17, b"never"),
        der.tlv(0x04, b"20500101000000Z"),
        der.tlv(0x17, b"\xff" * 13),
    ):
        assert read_time(element) is None
