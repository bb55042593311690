"""Keys made once for all tests of this folder, and the openssl command."""

import dataclasses
import datetime
import pathlib
import shutil
import subprocess
from collections.abc import Callable

import pytest
from cryptography import x509

from tidewaiter.security import load_certificates, load_private_key, make_self_signed
from tidewaiter.security.cms import DecryptionKey
from tidewaiter.security.keystore import PrivateKey

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
# OpenSSL, by command and in TLS, reads the machine's clock: these certificates are valid on any day it shows.
ISSUED = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
DAYS = 36_500


@dataclasses.dataclass(frozen=True)
class Party:
    """A certificate and its private key, as objects, as PEM, and as files for the openssl command."""

    certificate: x509.Certificate
    private_key: PrivateKey
    certificate_pem: bytes
    key_pem: bytes
    certificate_file: pathlib.Path
    key_file: pathlib.Path

    @property
    def decryption_key(self) -> DecryptionKey:
        return DecryptionKey(self.certificate, self.private_key)


@pytest.fixture(scope="session")
def now() -> datetime.datetime:
    return NOW


@pytest.fixture(scope="session")
def new_party(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Party]:
    def make(name: str, key: str = "rsa2048", hosts: tuple[str, ...] = ()) -> Party:
        certificate_pem, key_pem = make_self_signed(name, now=ISSUED, days=DAYS, key=key, hosts=hosts)
        folder = tmp_path_factory.mktemp(name)
        (folder / "certificate.pem").write_bytes(certificate_pem)
        (folder / "key.pem").write_bytes(key_pem)
        return Party(
            load_certificates(certificate_pem)[0],
            load_private_key(key_pem),
            certificate_pem,
            key_pem,
            folder / "certificate.pem",
            folder / "key.pem",
        )

    return make


@pytest.fixture(scope="session")
def bob(new_party: Callable[..., Party]) -> Party:
    return new_party("bob")


@pytest.fixture(scope="session")
def mallory(new_party: Callable[..., Party]) -> Party:
    return new_party("mallory")


@pytest.fixture(scope="session")
def carol(new_party: Callable[..., Party]) -> Party:
    """A party with an elliptic curve key."""
    return new_party("carol", key="p256")


@pytest.fixture(scope="session")
def openssl() -> Callable[..., bytes]:
    """`openssl(*arguments, data=...)`: what the command writes to its standard output."""
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("the openssl command is not on this machine")

    def run(*arguments: str | pathlib.Path, data: bytes = b"") -> bytes:
        done = subprocess.run([command, *arguments], check=False, input=data, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run
