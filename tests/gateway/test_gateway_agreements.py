"""What an AS2 agreement says becomes its terms; what does not go together is told with file and key."""

import pathlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.gateway import resources
from tidewaiter.gateway.as2 import (
    Disposition,
    Receipts,
    Received,
    Refused,
    Terms,
    compose,
    compose_mdn,
    identify,
    receive,
)
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.security import Cipher, Digest, KeyTransport, Signature, load_certificates, make_self_signed
from tidewaiter.security.chain import NO_PATH
from tidewaiter.security.cms import Signer

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Agreement:
    """The trader's, rewritten; with certificates made for it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        file = folder / "gateway.toml"
        file.write_text(
            file.read_text().replace("[signing]", 'as2-url = "https://us.example/as2"\n\n[signing]', 1)
        )

    def pair(self, name: str, begins: datetime = NOW - DAY, key: str = "p256") -> Any:
        made, private = make_self_signed(name, now=begins + timedelta(hours=1), days=9, key=key)
        (self.folder / f"keys/{name}.pem").write_bytes(made)
        (self.folder / f"keys/{name}.key").write_bytes(private)
        return load_certificates(made)[0]

    def write(self, *lines: str) -> Parties:
        text = "\n".join(('name = "trader"', "[as2]", 'name = "MERIDIAN"', *lines))
        (self.folder / "partners/trader.toml").write_text(text)
        return Parties(load_config(self.folder), NOW)

    def terms(self, *lines: str) -> Terms:
        terms = self.write(*lines).partners["trader"].terms
        assert terms is not None
        return terms


@pytest.fixture
def agreement(folder: pathlib.Path) -> Agreement:
    return Agreement(folder)


PINNED = 'certificates = ["keys/trader.pem"]'


def test_everything_that_can_be_agreed(agreement: Agreement) -> None:
    terms = agreement.terms(
        PINNED,
        "compress = true",
        "compress-after-signing = true",
        "opaque = true",
        "base64 = true",
        'cipher = "aes-128-gcm"',
        "gcm-in-enveloped = true",
        'digest = "sha-384"',
        'signature = "rsa-pss"',
        'key-transport = "rsa-oaep-sha256"',
        'receipts = "async"',
        "signed-receipts = false",
        'receipt-addresses = ["https://partner.example", "http://partner.example:8080/"]',
        'duplicates = "warning"',
        'allow = ["unsigned", "no-signed-attributes"]',
    )
    assert (terms.compress, terms.compress_after_signing, terms.opaque, terms.base64) == (True,) * 4
    assert (terms.cipher, terms.gcm_in_enveloped) == (Cipher.AES128_GCM, True)
    assert terms.signer is not None
    assert (terms.digest, terms.signer.digest) == (Digest.SHA384, Digest.SHA384)
    assert terms.signer.scheme is Signature.RSA_PSS
    assert terms.key_transport is KeyTransport.RSA_OAEP_SHA256
    assert (terms.receipts, terms.receipt_url) == (Receipts.ASYNC, "https://us.example/as2")
    assert (terms.signed_receipts, terms.duplicate_warning) == (False, True)
    assert terms.receipt_addresses == ("https://partner.example", "http://partner.example:8080/")
    assert (terms.require_signed, terms.require_encrypted) == (False, True)
    assert terms.policy.allow_no_signed_attributes


def test_certificates_by_purpose(agreement: Agreement) -> None:
    """Each purpose has its own, current and next; the newest that is valid is encrypted to."""
    signs = [agreement.pair(f"s{number}") for number in range(2)]
    old, new = agreement.pair("old", NOW - 3 * DAY), agreement.pair("new")
    future, ended = agreement.pair("future", NOW + DAY), agreement.pair("ended", NOW - 20 * DAY)
    names = ", ".join(f'"keys/{name}.pem"' for name in ("old", "new", "future", "ended"))
    terms = agreement.terms(
        PINNED,
        'signing-certificates = ["keys/s0.pem", "keys/s1.pem"]',
        f"encryption-certificates = [{names}]",
    )
    assert list(terms.their_signing) == signs
    assert terms.their_encryption == new
    assert {old, future, ended}.isdisjoint(terms.their_signing)


def test_a_file_may_hold_several(agreement: Agreement) -> None:
    both = [agreement.pair(name, NOW - days * DAY) for name, days in (("one", 2), ("two", 1))]
    text = b"".join((agreement.folder / f"keys/{name}.pem").read_bytes() for name in ("one", "two"))
    (agreement.folder / "keys/both.pem").write_bytes(text)
    terms = agreement.terms('certificates = ["keys/both.pem", "keys/one.pem"]')
    assert list(terms.their_signing) == both
    assert terms.their_encryption == both[1]


def test_a_file_with_a_whole_chain_means_its_end(agreement: Agreement) -> None:
    """An authority that is newer than the partner's certificate is not encrypted to; two certificates of one
    key, of which each could have issued the other, are both the partner's."""
    authority = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    ca = issued("CA", "CA", authority, authority, NOW - DAY)
    end = issued("AS2", "CA", key, authority, NOW - 2 * DAY)
    renewed = [issued("AS2", "AS2", key, key, NOW - days * DAY) for days in (4, 3)]
    for certificates, kept in (([end, ca], [end]), ([ca, end], [end]), ([ca], [ca]), (renewed, renewed)):
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
        (agreement.folder / "keys/chain.pem").write_bytes(pem)
        terms = agreement.terms('certificates = ["keys/chain.pem"]')
        assert list(terms.their_signing) == kept
        assert terms.their_encryption == kept[-1]


def issued(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    begins: datetime,
) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (issuer, subject)]
    builder = x509.CertificateBuilder(*names, key.public_key(), 7, begins, begins + 99 * DAY)
    return builder.sign(by, hashes.SHA256())


def test_what_the_operator_s_algorithms_do_not_allow_is_not_sent(agreement: Agreement) -> None:
    text = resources.algorithms().read_text().replace('"aes-256-cbc", ', "")
    (agreement.folder / "algorithms.toml").write_text(text)
    with pytest.raises(
        ConfigError, match=r"trader.toml: as2.cipher: aes256-cbc is not allowed by algorithms"
    ):
        agreement.write(PINNED)


def test_what_an_editor_keeps_beside_a_file_is_none(agreement: Agreement) -> None:
    (agreement.folder / "partners/.#trader.toml").symlink_to("nobody@nowhere:1")
    assert set(agreement.write(PINNED).partners) == {"trader"}


def test_where_all_have_run_out_the_last_goes_on(agreement: Agreement) -> None:
    """An agreement does not stop at midnight; `check-config` and the log say what is to be done."""
    agreement.pair("first", NOW - 30 * DAY)
    last = agreement.pair("last", NOW - 20 * DAY)
    terms = agreement.terms('certificates = ["keys/first.pem", "keys/last.pem"]')
    assert terms.their_encryption == last


def test_authorities_in_place_of_certificates(agreement: Agreement) -> None:
    authority = certified("CN=Root")[0]
    (agreement.folder / "keys/authority.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    terms = agreement.terms(
        'authorities = ["keys/authority.pem"]',
        'subject = "CN=AS2,O=Meridian"',
        'encryption-certificates = ["keys/trader.pem"]',
    )
    assert terms.their_authorities is not None
    assert (terms.their_authorities.anchors, terms.their_authorities.subject) == (
        (authority,),
        "CN=AS2,O=Meridian",
    )
    assert tuple(terms.their_signing) == ()


def test_a_message_counts_by_what_the_authorities_certified(agreement: Agreement) -> None:
    """The certificate is in no file of ours; another authority's of the same name is nobody's."""
    authority, other = (certified("CN=Root") for _ in range(2))
    (agreement.folder / "keys/root.pem").write_bytes(authority[0].public_bytes(Encoding.PEM))
    terms = agreement.terms(
        'authorities = ["keys/root.pem"]', 'subject = "CN=AS2,O=Meridian"', PINNED, 'allow = ["unencrypted"]'
    )
    for by, believed in ((authority, True), (other, False)):
        theirs = Terms(
            our_name="MERIDIAN",
            their_name="TIDEWAITER",
            signer=Signer(*certified("CN=AS2,O=Meridian", by)),
            encrypt=False,
        )
        sent = compose(
            b"text", "text/plain", theirs, message_id="<1@x>", now=NOW, boundary="0f1e2d3c4b5a69788796"
        )
        headers = [(name.lower().encode(), value.encode()) for name, value in sent.headers]
        got = receive(identify(headers), headers, sent.body, terms, now=NOW)
        assert isinstance(got, Received) is believed
        assert got.disposition is (Disposition.PROCESSED if believed else Disposition.AUTHENTICATION_FAILED)
        if isinstance(got, Refused):
            assert got.reason == f"no signer has a certificate of the partner: {NO_PATH}"
            refusal = compose_mdn(
                identify(headers),
                got.disposition,
                got.mic,
                terms,
                message_id="<2@x>",
                now=NOW,
                boundary="0f1e",
            )
            assert b"authentication-failed" in refusal.body
            assert b"path" not in refusal.body


Certified = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certified(subject: str, by: Certified | None = None) -> Certified:
    """A certificate by the authority `by`, or such an authority."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(subject)
    issuer, signer = (name, key) if by is None else (by[0].subject, by[1])
    authority = by is None
    usage = x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False)
    builder = (
        x509.CertificateBuilder(issuer, name, key.public_key(), 9, NOW - DAY, NOW + DAY)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    return builder.sign(signer, hashes.SHA256()), key


def test_certificates_for_both_do_not_pin_what_authorities_certify(agreement: Agreement) -> None:
    authority = certified("CN=Root")[0]
    (agreement.folder / "keys/authority.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    terms = agreement.terms(PINNED, 'authorities = ["keys/authority.pem"]', 'subject = "AS2"')
    assert (tuple(terms.their_signing), terms.their_encryption is not None) == ((), True)


def test_an_elliptic_curve_key_of_ours_signs_its_own_way(agreement: Agreement) -> None:
    agreement.pair("gateway")
    terms = agreement.terms(PINNED, 'signature = "rsa-pss"')
    assert terms.signer is not None
    assert terms.signer.scheme is Signature.ECDSA


def test_one_signer_serves_all_agreements_that_sign_alike(agreement: Agreement) -> None:
    parties = agreement.write(PINNED)
    trader, customs = parties.partners["trader"].terms, parties.agencies["customs"].terms
    assert trader is not None
    assert customs is not None
    assert trader.signer is customs.signer


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((), "as2.certificates: needs at least one certificate"),
        (
            ('authorities = ["keys/trader.pem"]',),
            "as2.subject: needs the subject that the authorities certify",
        ),
        ((PINNED, 'subject = "AS2"'), "as2.subject: says whom to believe, but needs authorities"),
        (
            ('authorities = ["keys/trader.pem"]', 'subject = "AS2"'),
            "as2.encryption-certificates: needs a certificate to encrypt to",
        ),
        (
            ('signing-certificates = ["keys/trader.pem"]',),
            "as2.encryption-certificates: needs a certificate to encrypt to",
        ),
        ((PINNED, "compress-after-signing = true"), "as2.compress-after-signing: needs compress = true"),
        ((PINNED, "sign = false", "opaque = true"), "as2.opaque: needs sign = true"),
        ((PINNED, "gcm-in-enveloped = true"), "as2.gcm-in-enveloped: needs a GCM cipher, not aes-256-cbc"),
        ((PINNED, 'key-transport = "ecdh-sha256"'), "as2.key-transport: ecdh-sha256 is for curves, not RSA"),
        ((PINNED, 'allow = ["md5"]'), "as2.allow: 'md5' is not known; it takes sha-1, 3des, rsa-1024"),
        (
            (PINNED, 'receipt-addresses = ["https://x.example/path"]'),
            "as2.receipt-addresses: https://x.example/path: only https://host[:port]",
        ),
        (
            (PINNED, 'receipt-addresses = ["mailto:x@x.example"]'),
            "as2.receipt-addresses: mailto:x@x.example: ",
        ),
        *(
            (
                (PINNED, f'receipt-addresses = ["{origin}"]'),
                f"as2.receipt-addresses: {origin}: only https://host[:port]",
            )
            for origin in (
                "https://*.x.example",
                "https://x.example:0",
                "https://x.example.",
                "https://[fe80::1%25eth0]",
            )
        ),
        ((PINNED, "attachments = true"), "as2.attachments: only an agency"),
        (
            (PINNED, 'signing-certificates = ["keys/no.pem"]'),
            "as2.signing-certificates: keys/no.pem: No such file",
        ),
        (
            (PINNED, 'encryption-certificates = ["keys/trader.key"]'),
            "as2.encryption-certificates: keys/trader.",
        ),
    ],
)
def test_what_does_not_go_together(agreement: Agreement, lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        agreement.write(*lines)
    assert str(caught.value).startswith(f"{agreement.folder}/partners/trader.toml: ")
    assert told in str(caught.value)


def test_asynchronous_receipts_need_an_address_of_ours(folder: pathlib.Path) -> None:
    file = folder / "partners/trader.toml"
    file.write_text(file.read_text().replace("sign = true", 'sign = true\nreceipts = "async"'))
    with pytest.raises(ConfigError, match=r"as2.receipts: async needs as2-url in gateway.toml"):
        Parties(load_config(folder), NOW)


@pytest.mark.parametrize("signing", ["signing = []\n", ""])
def test_we_sign_with_something(folder: pathlib.Path, signing: str) -> None:
    file = folder / "gateway.toml"
    head, _, tail = file.read_text().partition("# Signs receipts")
    file.write_text(head + signing + "[tls]" + tail.partition("[tls]")[2])
    with pytest.raises(
        ConfigError, match=r"gateway.toml: (?:signing: needs at least one|missing key signing)"
    ):
        Parties(load_config(folder), NOW)
