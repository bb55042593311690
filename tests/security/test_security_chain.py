"""Trust by authority: a path to an agreed anchor, the agreed subject exactly, both at the moment given."""

import dataclasses
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tidewaiter.security import DEFAULT_POLICY, AuthenticationFailed
from tidewaiter.security.chain import MAX_CANDIDATES, MAX_CLAIMANTS, MAX_DEPTH, MAX_SIZE, NO_PATH, Authorities
from tidewaiter.security.cms import Signer, sign, verify

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Issued:
    """A certificate, and the key it is of."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def issue(
        self,
        subject: str,
        *,
        authority: bool = False,
        begins: datetime.datetime = NOW - DAY,
        ends: datetime.datetime = NOW + DAY,
        signs: bool = True,
        purpose: x509.ObjectIdentifier | None = None,
        digest: hashes.HashAlgorithm | None = None,
    ) -> "Issued":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name.from_rfc4514_string(subject)
        issuer = name if self is NOBODY else self.certificate.subject
        signer = key if self is NOBODY else self.key
        builder = (
            x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number(), begins, ends)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(_usage(signs=signs and not authority, certifies=authority), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
        )
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        return Issued(builder.sign(signer, digest or hashes.SHA256()), key)


def _usage(*, signs: bool, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(signs, False, not signs, False, False, certifies, certifies, False, False)


NOBODY = Issued.__new__(Issued)
ROOT = NOBODY.issue("CN=Root,O=Trust", authority=True)
BETWEEN = ROOT.issue("CN=Issuing,O=Trust", authority=True, purpose=ExtendedKeyUsageOID.EMAIL_PROTECTION)
LEAF = BETWEEN.issue("CN=MERIDIAN,O=Meridian Freight")
AGREED = Authorities((ROOT.certificate,), "CN=MERIDIAN,O=Meridian Freight")


def vouched(*issued: Issued, by: Authorities = AGREED, at: datetime.datetime = NOW) -> list[x509.Certificate]:
    return list(by.vouched([one.der for one in issued], at))


def test_a_path_of_what_the_message_carries() -> None:
    assert vouched(LEAF, BETWEEN) == [LEAF.certificate]
    assert vouched(BETWEEN, ROOT, LEAF) == [LEAF.certificate]
    assert vouched(LEAF) == []
    assert vouched() == []
    assert vouched(LEAF, by=Authorities((BETWEEN.certificate,), AGREED.subject)) == [LEAF.certificate]


def test_only_anchors_of_the_agreement() -> None:
    other = NOBODY.issue("CN=Root,O=Trust", authority=True)
    forged = other.issue("CN=MERIDIAN,O=Meridian Freight")
    assert vouched(forged, other) == []
    itself = NOBODY.issue("CN=MERIDIAN,O=Meridian Freight")
    assert vouched(itself) == []


@pytest.mark.parametrize(
    ("subject", "agreed", "meant"),
    [
        ("CN=MERIDIAN,O=Meridian Freight", "CN=MERIDIAN,O=Meridian Freight", True),
        ("CN=MERIDIAN,O=Meridian Freight", "MERIDIAN", True),
        ("CN=MERIDIAN,O=Meridian Freight", "CN=MERIDIAN", False),
        # Turned round as a whole, as programs do; with spaces; as OpenSSL writes it.
        ("CN=MERIDIAN,O=Meridian Freight", "O=Meridian Freight,CN=MERIDIAN", True),
        ("CN=MERIDIAN,O=Meridian Freight,C=NL", "CN=MERIDIAN, O=Meridian Freight, C=NL", True),
        ("CN=MERIDIAN,O=Meridian Freight,C=NL", "C = NL, O = Meridian Freight, CN = MERIDIAN", True),
        ("CN=MERIDIAN,O=Meridian Freight,C=NL", "/C=NL/O=Meridian Freight/CN=MERIDIAN", True),
        (r"CN=A\, B \+ C,O=x/y,C=NL", "/C=NL/O=x/y/CN=A, B + C", True),
        (r"1.2.840.113549.1.9.1=a@b.example,CN=M", "emailAddress=a@b.example,cn=M", True),
        ("CN=MERIDIAN+O=Meridian Freight,C=NL", "O=Meridian Freight + CN=MERIDIAN, C=NL", True),
        ("CN=MERIDIAN,O=Meridian Freight,C=NL", "CN=MERIDIAN,C=NL,O=Meridian Freight", False),
        ("CN=MERIDIAN,O=Meridian Freight,C=NL", "CN=MERIDIAN,O=Meridian Freight", False),
        ("CN=MERIDIAN,O=Meridian Freight", "CN=MERIDIAN+O=Meridian Freight", False),
        ("CN=MERIDIAN,O=Meridian Freight", "Meridian", False),
        ("CN=MERIDIAN,O=Meridian Freight", "meridian", False),
        ("CN=MERIDIAN,O=Meridian Freight", "Meridian Freight", False),
        ("CN=MERIDIAN 2", "MERIDIAN", False),
        ("CN=MERIDIAN", "CN=meridian", False),
        ("CN=MERIDIAN,CN=OTHER", "MERIDIAN", False),
        # A common name that looks like the whole name of another.
        (r"CN=CN\=MERIDIAN\,O\=Meridian Freight", "CN=MERIDIAN,O=Meridian Freight", False),
    ],
)
def test_the_agreed_subject_and_nobody_else(subject: str, agreed: str, *, meant: bool) -> None:
    leaf = ROOT.issue(subject)
    found = vouched(leaf, by=Authorities((ROOT.certificate,), agreed))
    assert found == ([leaf.certificate] if meant else [])


def test_current_and_next_both_count() -> None:
    coming = BETWEEN.issue(AGREED.subject)
    assert vouched(LEAF, coming, BETWEEN) == [LEAF.certificate, coming.certificate]


@pytest.mark.parametrize("days", [-2, 2])
@pytest.mark.parametrize("which", ["leaf", "between", "root"])
def test_everything_on_the_path_is_valid_at_the_moment_given(which: str, days: int) -> None:
    long = {"begins": NOW - 9 * DAY, "ends": NOW + 9 * DAY}
    short: dict[str, datetime.datetime] = {}
    root = NOBODY.issue("CN=R", authority=True, **(short if which == "root" else long))
    between = root.issue("CN=B", authority=True, **(short if which == "between" else long))
    leaf = between.issue("CN=L", **(short if which == "leaf" else long))
    by = Authorities((root.certificate,), "L")
    assert vouched(leaf, between, by=by) == [leaf.certificate]
    assert vouched(leaf, between, by=by, at=NOW + days * DAY) == []


def test_whoever_is_no_authority_certifies_nobody() -> None:
    """The partner's neighbour, certified by the same authority, makes a certificate in the partner's name."""
    neighbour = BETWEEN.issue("CN=NEIGHBOUR")
    forged = neighbour.issue(AGREED.subject)
    assert vouched(forged, neighbour, BETWEEN) == []


def test_a_certificate_that_does_not_sign() -> None:
    assert vouched(BETWEEN.issue(AGREED.subject, signs=False), BETWEEN) == []


@pytest.mark.parametrize("purpose", ["SERVER_AUTH", "CLIENT_AUTH", "EMAIL_PROTECTION"])
def test_every_purpose_is_met(purpose: str) -> None:
    leaf = BETWEEN.issue(AGREED.subject, purpose=getattr(ExtendedKeyUsageOID, purpose))
    assert vouched(leaf, BETWEEN) == [leaf.certificate]


def test_weak_signatures_on_the_path() -> None:
    weak = BETWEEN.issue(AGREED.subject, digest=hashes.SHA224())
    assert vouched(weak, BETWEEN) == []


def test_what_cannot_be_read_is_no_candidate() -> None:
    version = LEAF.der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x77", 1)
    broken = [LEAF.der[:-1], b"", b"\x30\x00", LEAF.der + bytes(MAX_SIZE), version]
    assert list(AGREED.vouched([*broken, BETWEEN.der, LEAF.der], NOW)) == [LEAF.certificate]


def test_only_so_many_are_looked_at() -> None:
    others = [b"\x30\x00"] * (MAX_CANDIDATES - 1)
    assert list(AGREED.vouched([*others, LEAF.der, BETWEEN.der], NOW)) == []
    claimants = [BETWEEN.issue(AGREED.subject) for _ in range(MAX_CLAIMANTS + 1)]
    assert vouched(*claimants, BETWEEN) == [one.certificate for one in claimants[:MAX_CLAIMANTS]]


@pytest.mark.parametrize(("number", "holds"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_how_long_a_path_is(number: int, *, holds: bool) -> None:
    path = [ROOT]
    for each in range(number):
        path.append(path[-1].issue(f"CN=Between {each}", authority=True))
    leaf = path[-1].issue(AGREED.subject)
    assert bool(vouched(leaf, *path[1:])) is holds


def test_a_signature_by_whoever_is_vouched_for() -> None:
    """The certificate comes with the message; no other of the subject's name is believed."""
    by = Authorities((BETWEEN.certificate,), AGREED.subject)
    forged = NOBODY.issue(AGREED.subject)
    for signer, believed in ((LEAF, True), (forged, False)):
        data = sign(b"text", Signer(signer.certificate, signer.key), detached=False, signing_time=NOW)
        if believed:
            found = verify(data, None, (), policy=DEFAULT_POLICY, now=NOW, authorities=by)
            assert found.certificate == LEAF.certificate
            # A pin goes first, and what is pinned needs no authority.
            assert verify(data, None, [LEAF.certificate], policy=DEFAULT_POLICY, now=NOW).content == b"text"
        else:
            with pytest.raises(AuthenticationFailed):
                verify(data, None, (), policy=DEFAULT_POLICY, now=NOW, authorities=by)


@pytest.mark.parametrize(("anchors", "subject"), [((), "MERIDIAN"), ((ROOT.certificate,), "")])
def test_an_agreement_names_both(anchors: tuple[x509.Certificate, ...], subject: str) -> None:
    with pytest.raises(ValueError, match=r"authorit"):
        Authorities(anchors, subject)


@pytest.mark.parametrize(
    "subject",
    [
        "O=,,=x",
        "=",
        "CN=",
        "C=NLD",
        "XX=a",
        "/C=NL/x",
        "/C=NL/XX=a",
        'CN="a"',
        "CN=a;O=b",
        "CN=#0C0161",
        "CN=a,",
    ],
)
def test_what_is_no_subject(subject: str) -> None:
    with pytest.raises(ValueError, match=r"is not a name: .* -nameopt rfc2253"):
        Authorities((ROOT.certificate,), subject)


def test_which_anchors_can_stand_for_nobody() -> None:
    """One that bears the subject itself is the partner's own, and needs no authority."""
    other = ROOT.issue("CN=OTHER")
    assert Authorities((ROOT.certificate, BETWEEN.certificate), "MERIDIAN").unfit() == ()
    assert Authorities((LEAF.certificate,), AGREED.subject).unfit() == ()
    (found,) = Authorities((ROOT.certificate, other.certificate), "MERIDIAN").unfit()
    assert found == (other.certificate, "is no authority: it may not certify anybody")


def test_why_nobody_is_vouched_for() -> None:
    def doubt(*issued: Issued, at: datetime.datetime = NOW) -> str:
        return AGREED.doubt([one.der for one in issued], at)

    assert doubt() == "it carries no certificate"
    assert doubt(BETWEEN, ROOT) == "no certificate that it carries bears the agreed subject"
    assert doubt(LEAF) == NO_PATH
    assert doubt(LEAF, BETWEEN, at=NOW + 2 * DAY).endswith("is outside its validity")
    assert doubt(LEAF, BETWEEN) == "the certified certificate is not a signer's"


def test_the_refusal_says_why() -> None:
    data = sign(b"text", Signer(LEAF.certificate, LEAF.key), detached=False, signing_time=NOW)
    with pytest.raises(
        AuthenticationFailed, match=f"^no signer has a certificate of the partner: {NO_PATH}$"
    ):
        verify(data, None, (), policy=DEFAULT_POLICY, now=NOW, authorities=AGREED)
