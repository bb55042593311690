"""S8: what is weak is refused unless the agreement names it, and what it names opens that and nothing else.

The messages are made by the openssl command where we make none so weak; the agreements are read from files.
"""

import dataclasses
import pathlib
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tidewaiter.gateway.as2 import (
    Composed,
    Disposition,
    MdnKind,
    Received,
    Refused,
    Terms,
    compose,
    compose_mdn,
    identify,
    read_mdn,
    receive,
)
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.weaknesses import PROTECTIONS, load_algorithms
from tidewaiter.security import DEFAULT_POLICY, load_certificates, load_private_key
from tidewaiter.security.cms import DecryptionKey, Signer

NOW = datetime.now(UTC)
DOCUMENT = b"UNB+UNOC:3+MERIDIAN+TIDEWAITER+261122:1200+1'\r\nUNZ+0+1'\r\n"
ENTITY = b"Content-Type: application/edifact\r\nContent-Transfer-Encoding: binary\r\n\r\n" + DOCUMENT
FIELDS = [
    ("AS2-From", "MERIDIAN"),
    ("AS2-To", "TIDEWAITER"),
    ("Message-ID", "<1@trader.example>"),
    ("AS2-Version", "1.2"),
]
ALLOWED = ("sha-1", "3des", "rsa-1024", *PROTECTIONS)
Message = tuple[list[tuple[bytes, bytes]], bytes]
OpenSsl = Callable[..., bytes]


def openssl(*arguments: str | pathlib.Path, data: bytes) -> bytes:
    """What the command makes of `data`."""
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("the openssl command is not on this machine")
    done = subprocess.run([command, *arguments], check=False, input=data, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclasses.dataclass(frozen=True)
class Partner:
    """The trader, who tries; `folder` has its keys and ours."""

    folder: pathlib.Path
    terms: Terms

    def message(self, body: bytes, kind: str) -> Message:
        headers = [*FIELDS, ("Content-Type", f"application/pkcs7-mime; smime-type={kind}")]
        return [(name.lower().encode(), value.encode()) for name, value in headers], body

    def composed(self, **changes: object) -> Message:
        terms = dataclasses.replace(self.terms, **changes)
        sent = compose(
            DOCUMENT,
            "application/edifact",
            terms,
            message_id="<1@trader.example>",
            now=NOW,
            boundary="0f1e2d3c4b5a",
        )
        return [(name.lower().encode(), value.encode()) for name, value in sent.headers], sent.body

    def receipt(
        self, options: tuple[str, ...] | None, name: str
    ) -> tuple[list[tuple[bytes, bytes]], bytes, Composed]:
        """The receipt of a message of ours, signed by openssl with `options` or not at all; the message."""
        ours = dataclasses.replace(
            self.terms, our_name="TIDEWAITER", their_name="MERIDIAN", signed_receipts=False
        )
        sent = compose(
            DOCUMENT,
            "application/edifact",
            ours,
            message_id="<2@tidewaiter.example>",
            now=NOW,
            boundary="0f1e2d3c4b5b",
        )
        wire = [(name.lower().encode(), value.encode()) for name, value in sent.headers]
        mdn = compose_mdn(
            identify(wire),
            Disposition.PROCESSED,
            sent.mic,
            self.terms,
            message_id="<3@trader.example>",
            now=NOW,
            boundary="0f1e2d3c4b5c",
        )
        fields = [(name.lower().encode(), value.encode()) for name, value in mdn.headers]
        if options is None:
            return fields, mdn.body, sent
        kind = next(value for name, value in fields if name == b"content-type")
        entity = b"Content-Type: " + kind + b"\r\n\r\n" + mdn.body
        rest = [pair for pair in fields if not pair[0].startswith(b"content-")]
        rest.append((b"content-type", b"application/pkcs7-mime; smime-type=signed-data"))
        return rest, self.signed(*options, name=name, entity=entity).partition(b"\r\n\r\n")[2], sent

    def signed(self, *options: str, name: str = "trader", entity: bytes = ENTITY) -> bytes:
        """An entity with the document signed by openssl."""
        keys = ("-signer", self.folder / f"keys/{name}.pem", "-inkey", self.folder / f"keys/{name}.key")
        data = openssl(
            "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", *keys, *options, data=entity
        )
        head = "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
        return head.encode() + b"Content-Transfer-Encoding: binary\r\n\r\n" + data

    def encrypted(self, entity: bytes, *options: str) -> Message:
        """`entity` encrypted to us by openssl."""
        recipient = ("-recip", self.folder / "keys/gateway.pem")
        data = openssl("cms", "-encrypt", "-binary", "-outform", "DER", *options, *recipient, data=entity)
        return self.message(data, "enveloped-data")

    def weak_pair(self, name: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        certificate = load_certificates((self.folder / f"keys/{name}.pem").read_bytes())[0]
        return certificate, load_private_key((self.folder / f"keys/{name}.key").read_bytes())


AES = "-aes-256-cbc"
PSS = ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1")
LEGACY = ("-provider", "legacy", "-provider", "default")


def asking(message: Message, micalgs: str) -> Message:
    """`message` with a signed receipt asked for, whose MIC is by one of `micalgs`."""
    wanted = f"signed-receipt-protocol=required,pkcs7-signature; signed-receipt-micalg=required,{micalgs}"
    replaced = [(n, v) for n, v in message[0] if n != b"disposition-notification-options"]
    options = (b"disposition-notification-options", wanted.encode())
    return [*replaced, (b"disposition-notification-to", b"x"), options], message[1]


# What the partner sends, and by which weaknesses of the agreement it is let in; none: by nothing at all.
DOWNGRADES: dict[str, tuple[Callable[[Partner], Message], frozenset[str]]] = {
    "a signature by SHA-1": (lambda p: p.encrypted(p.signed("-md", "sha1"), AES), frozenset({"sha-1"})),
    "a signature by MD5": (lambda p: p.encrypted(p.signed("-md", "md5"), AES), frozenset()),
    "a signature by SHA-224": (lambda p: p.encrypted(p.signed("-md", "sha224"), AES), frozenset()),
    "Triple DES": (lambda p: p.encrypted(p.signed(), "-des3"), frozenset({"3des"})),
    "RC2": (lambda p: p.encrypted(p.signed(), "-rc2-128", *LEGACY), frozenset()),
    "DES": (lambda p: p.encrypted(p.signed(), "-des-cbc", *LEGACY), frozenset()),
    "an RSA key of 1,024 bits that signs": (
        lambda p: p.composed(signer=Signer(*p.weak_pair("short"))),
        frozenset({"rsa-1024"}),
    ),
    "an RSA key of 1,024 bits that is encrypted to": (
        lambda p: p.composed(their_encryption=p.weak_pair("ours-short")[0]),
        frozenset({"rsa-1024"}),
    ),
    "no signature": (lambda p: p.composed(sign=False), frozenset({"unsigned"})),
    "no encryption": (lambda p: p.composed(encrypt=False), frozenset({"unencrypted"})),
    "no signed attributes": (
        lambda p: p.encrypted(p.signed("-noattr"), AES),
        frozenset({"no-signed-attributes"}),
    ),
    "a MIC by SHA-1 asked for": (lambda p: asking(p.composed(), "sha1"), frozenset({"sha-1"})),
    "a MIC by MD5 asked for": (lambda p: asking(p.composed(), "md5"), frozenset()),
    "RSASSA-PSS with a mask by SHA-1": (lambda p: p.encrypted(p.signed(*PSS), AES), frozenset({"sha-1"})),
    "a curve of 224 bits": (lambda p: p.encrypted(p.signed(name="small"), AES), frozenset()),
}


def make_pair(folder: pathlib.Path, name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begins, ends = NOW - timedelta(days=1), NOW + timedelta(days=9)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 5, begins, ends)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())
    (folder / f"keys/{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"keys/{name}.key").write_bytes(pem)


@pytest.fixture(scope="module")
def weak_folder(starter: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A configuration whose partner, and we, have weak keys beside the good ones."""
    folder = pathlib.Path(shutil.copytree(starter, tmp_path_factory.mktemp("weak") / "gateway"))
    for name in ("short", "ours-short"):
        make_pair(folder, name, rsa.generate_private_key(65537, 1024))
    make_pair(folder, "small", ec.generate_private_key(ec.SECP224R1()))
    pairs = "".join(
        f'[[decryption]]\ncertificate = "keys/{name}.pem"\nkey = "keys/{name}.key"\n'
        for name in ("gateway", "ours-short")
    )
    file = folder / "gateway.toml"
    file.write_text(f"{file.read_text()}\n{pairs}")
    return folder


@pytest.fixture(scope="module")
def partner(weak_folder: pathlib.Path) -> Partner:
    pems = {name: (weak_folder / f"keys/{name}").read_bytes() for name in ("trader.pem", "gateway.pem")}
    ours, theirs = (load_certificates(pems[name])[0] for name in ("trader.pem", "gateway.pem"))
    key = load_private_key((weak_folder / "keys/trader.key").read_bytes())
    terms = Terms(
        our_name="MERIDIAN",
        their_name="TIDEWAITER",
        decryption_keys=[DecryptionKey(ours, key)],
        signer=Signer(ours, key),
        their_signing=[theirs],
        their_encryption=theirs,
    )
    return Partner(weak_folder, terms)


@pytest.fixture(scope="module")
def agreements(weak_folder: pathlib.Path) -> dict[str, Terms]:
    """The terms of an agreement that allows one thing, by its name; that of none under an empty one.

    Short keys and small curves are no configuration's; they stand in the terms to show that they are refused
    there, too.
    """
    pems = [(weak_folder / f"keys/{name}.pem").read_bytes() for name in ("short", "small")]
    weak = [load_certificates(pem)[0] for pem in pems]
    file = weak_folder / "partners/trader.toml"
    text, found = file.read_text(), {}
    for name in ("", *ALLOWED):
        allow = f'allow = ["{name}"]' if name else "allow = []"
        file.write_text(text.replace("[as2]\n", f"[as2]\n{allow}\n"))
        terms = Parties(load_config(weak_folder), NOW).partners["trader"].terms
        assert terms is not None
        found[name] = dataclasses.replace(terms, their_signing=(*terms.their_signing, *weak))
    file.write_text(text)
    return found


def outcome(message: Message, terms: Terms) -> Received | Refused:
    headers, body = message
    return receive(identify(headers), headers, body, terms, now=NOW)


@pytest.mark.parametrize("name", DOWNGRADES)
def test_a_downgrade_is_refused_but_by_what_names_it(
    name: str, partner: Partner, agreements: dict[str, Terms]
) -> None:
    make, opened_by = DOWNGRADES[name]
    message = make(partner)
    taken = {
        allowed for allowed, terms in agreements.items() if isinstance(outcome(message, terms), Received)
    }
    assert taken == opened_by


# How the partner signs a receipt, the key it does so with, and what lets that be believed.
RECEIPTS: dict[str, tuple[tuple[str, ...] | None, str, frozenset[str]]] = {
    "sound": ((), "trader", frozenset({"", *ALLOWED})),
    "by SHA-1": (("-md", "sha1"), "trader", frozenset({"sha-1"})),
    "by MD5": (("-md", "md5"), "trader", frozenset()),
    "by SHA-224": (("-md", "sha224"), "trader", frozenset()),
    "by an RSA key of 1,024 bits": ((), "short", frozenset({"rsa-1024"})),
    "on a curve of 224 bits": ((), "small", frozenset()),
    "without signed attributes": (("-noattr",), "trader", frozenset({"no-signed-attributes"})),
    "by RSASSA-PSS with a mask by SHA-1": (PSS, "trader", frozenset({"sha-1"})),
    # An agreement that lets unsigned messages in still asks for signed receipts.
    "not at all": (None, "trader", frozenset()),
}


@pytest.mark.parametrize("how", RECEIPTS)
def test_a_receipt_signed_so_proves_nothing_but_by_what_names_it(
    how: str, partner: Partner, agreements: dict[str, Terms]
) -> None:
    options, name, believed_by = RECEIPTS[how]
    headers, body, sent = partner.receipt(options, name)
    told = {
        allowed: read_mdn(headers, body, terms, message_id=sent.message_id, mic=sent.mic, now=NOW).kind
        for allowed, terms in agreements.items()
    }
    assert {allowed for allowed, kind in told.items() if kind is MdnKind.PROCESSED} == believed_by
    assert set(told.values()) <= {MdnKind.PROCESSED, MdnKind.UNVERIFIED, MdnKind.MISSING}


def test_what_is_sound_is_taken(partner: Partner, agreements: dict[str, Terms]) -> None:
    """So that each refusal above is of the weakness, and not of how the message is made."""
    for message in (partner.composed(), partner.encrypted(partner.signed(), AES)):
        for terms in agreements.values():
            got = outcome(message, terms)
            assert isinstance(got, Received), got
            assert got.payload == DOCUMENT


def test_the_file_says_what_the_code_does(weak_folder: pathlib.Path) -> None:
    algorithms = load_algorithms(weak_folder)
    assert algorithms.default == DEFAULT_POLICY
    assert set(algorithms.names) == set(ALLOWED)
