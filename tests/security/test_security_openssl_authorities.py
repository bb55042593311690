"""Authorities as people make them with the command line of OpenSSL, with options and without."""

import datetime
import pathlib
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.security.chain import NO_PATH, Authorities

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command")

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
SUBJECT = "/C=NL/O=Meridian Freight/CN=MERIDIAN AS2"
USAGE = "keyUsage=critical,keyCertSign,cRLSign"


class Maker:
    """Runs openssl in a folder, and asks the authority `root` of it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def run(self, *command: str) -> str:
        assert OPENSSL is not None
        done = subprocess.run(
            [OPENSSL, *command], cwd=self.folder, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    def root(self, *more: str, name: str = "root") -> None:
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        self.run("req", "-x509", *EC, *files, "-subj", f"/C=NL/O=Trust/CN={name}", "-days", "30", *more)

    def signed(self, name: str, by: str, extensions: str | None, subject: str = SUBJECT) -> None:
        self.run("req", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        given: tuple[str, ...] = ()
        if extensions is not None:
            (self.folder / f"{name}.cnf").write_text(extensions)
            given = ("-extfile", f"{name}.cnf")
        ca = ("-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", "9")
        self.run("x509", "-req", "-in", f"{name}.csr", *ca, *given, "-out", f"{name}.pem")

    def read(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / f"{name}.pem").read_bytes())

    def vouched(self, *names: str, subject: str = SUBJECT) -> bool:
        """Whether `root` stands for the first of what a message carries."""
        by = Authorities((self.read("root"),), subject)
        carried = [self.read(name).public_bytes(Encoding.DER) for name in names]
        now = datetime.datetime.now(datetime.UTC)
        found = by.vouched(carried, now) == (self.read(names[0]),)
        assert (by.doubt(carried, now) == NO_PATH) is not found
        return found


@pytest.fixture
def maker(tmp_path: pathlib.Path) -> Maker:
    return Maker(tmp_path)


@pytest.mark.parametrize("options", [(), ("-addext", USAGE)])
@pytest.mark.parametrize(
    "extensions", [None, "", "keyUsage=digitalSignature\n", "basicConstraints=CA:FALSE\n"]
)
def test_an_authority_and_its_leaf(maker: Maker, options: tuple[str, ...], extensions: str | None) -> None:
    """Plain `req -x509` writes no key usage, plain `x509 -req` a leaf without extensions (X.509 v1)."""
    maker.root(*options)
    maker.root(*options, name="other")
    assert Authorities((maker.read("root"),), SUBJECT).unfit() == ()
    maker.signed("leaf", "root", extensions)
    assert maker.vouched("leaf")
    maker.signed("forged", "other", extensions)
    assert not maker.vouched("forged", "other")


@pytest.mark.parametrize("extensions", [None, "keyUsage=digitalSignature\n"])
@pytest.mark.parametrize(
    ("between", "is_one"),
    [
        ("basicConstraints=critical,CA:TRUE\n", True),
        ("basicConstraints=critical,CA:TRUE\n" + USAGE + "\n", True),
        ("basicConstraints=critical,CA:TRUE,pathlen:0\n", True),
        ("basicConstraints=critical,CA:TRUE\nkeyUsage=digitalSignature\n", False),
        ("basicConstraints=CA:FALSE\n", False),
        ("keyUsage=keyCertSign\n", False),
        (None, False),
    ],
)
def test_an_authority_between(
    maker: Maker, between: str | None, extensions: str | None, *, is_one: bool
) -> None:
    """Of an authority between, basic constraints are asked for, and a key usage where there is one."""
    maker.root()
    maker.signed("between", "root", between, "/C=NL/O=Trust/CN=Issuing")
    maker.signed("leaf", "between", extensions)
    assert maker.vouched("leaf", "between") is is_one
    assert not maker.vouched("leaf")


@pytest.mark.parametrize("extensions", [None, "keyUsage=digitalSignature\n"])
def test_how_many_may_stand_below_an_authority(maker: Maker, extensions: str | None) -> None:
    maker.root("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0")
    maker.signed("between", "root", "basicConstraints=critical,CA:TRUE\n", "/CN=Issuing")
    maker.signed("leaf", "between", extensions)
    assert not maker.vouched("leaf", "between")
    maker.signed("direct", "root", extensions)
    assert maker.vouched("direct")


def test_the_end_of_a_path_certifies_nobody(maker: Maker) -> None:
    maker.root()
    maker.signed("neighbour", "root", None, "/CN=NEIGHBOUR")
    maker.signed("forged", "neighbour", None)
    assert not maker.vouched("forged", "neighbour")


def test_an_authority_that_limits_names_stands_for_no_certificate_without_extensions(maker: Maker) -> None:
    maker.root("-addext", "nameConstraints=critical,permitted;email:example.com")
    maker.signed("leaf", "root", None)
    assert not maker.vouched("leaf")


def test_weak_digests_under_a_certificate_without_extensions(maker: Maker) -> None:
    maker.root()
    maker.run("req", *EC, "-keyout", "l.key", "-out", "l.csr", "-subj", SUBJECT)
    ca = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "9")
    maker.run("x509", "-req", "-in", "l.csr", *ca, "-sha224", "-out", "leaf.pem")
    assert not maker.vouched("leaf")


@pytest.mark.parametrize("form", ["rfc2253", "oneline", "compat", "RFC2253,sep_comma_plus_space", None])
def test_the_subject_as_openssl_writes_it(maker: Maker, form: str | None) -> None:
    maker.root()
    maker.signed(
        "leaf", "root", None, "/C=NL/O=Meridian, Freight + Co/CN=MERIDIAN AS2/emailAddress=a@b.example"
    )
    written = maker.run(
        "x509", "-in", "leaf.pem", "-noout", "-subject", *(() if form is None else ("-nameopt", form))
    )
    subject = written.removeprefix("subject=").strip()
    if '"' in subject:  # a value in quotation marks, as RFC 4514 does not have it
        with pytest.raises(ValueError, match=r"-nameopt rfc2253"):
            Authorities((maker.read("root"),), subject)
    else:
        assert maker.vouched("leaf", subject=subject)
    assert (form == "rfc2253") <= ('"' not in subject)
