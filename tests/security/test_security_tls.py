"""TLS contexts, joined in memory."""

import pathlib
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from tidewaiter.security import KeyStoreError, fingerprint
from tidewaiter.security.tls import client_context, server_context

HOST = "localhost"


@pytest.fixture(scope="module")
def gateway(new_party: Callable[..., Any]) -> Any:
    return new_party("gateway", key="p256", hosts=(HOST,))


@pytest.fixture(scope="module")
def impostor(new_party: Callable[..., Any]) -> Any:
    return new_party("gateway", key="p256", hosts=(HOST,))


def shake(client: ssl.SSLContext, server: ssl.SSLContext, host: str = HOST) -> tuple[Any, Any]:
    """Both ends after a handshake and one octet each way; raises what either end raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    ends[0].write(b"a")
    assert ends[1].read(1) == b"a"
    ends[1].write(b"b")
    assert ends[0].read(1) == b"b"
    return ends


def der_of(party: Any) -> bytes:
    encoded: bytes = party.certificate.public_bytes(serialization.Encoding.DER)
    return encoded


def test_a_partner_is_known_by_its_certificate(gateway: Any, bob: Any) -> None:
    server = server_context(gateway.certificate_file, gateway.key_file, partners=[bob.certificate])
    client = client_context([gateway.certificate], chain=bob.certificate_file, key=bob.key_file)
    near, far = shake(client, server)
    assert near.version() in {"TLSv1.2", "TLSv1.3"}
    assert far.getpeercert(binary_form=True) == der_of(bob)
    assert fingerprint(far.getpeercert(binary_form=True)) == fingerprint(bob.certificate)


def test_a_partner_may_show_no_certificate(gateway: Any, bob: Any) -> None:
    for partners in ([bob.certificate], []):
        server = server_context(gateway.certificate_file, gateway.key_file, partners=partners)
        _, far = shake(client_context([gateway.certificate]), server)
        assert far.getpeercert(binary_form=True) is None


def test_an_unknown_client_certificate_ends_the_handshake(gateway: Any, bob: Any, mallory: Any) -> None:
    server = server_context(gateway.certificate_file, gateway.key_file, partners=[bob.certificate])
    client = client_context([gateway.certificate], chain=mallory.certificate_file, key=mallory.key_file)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake(client, server)


def test_a_server_must_be_the_pinned_one(gateway: Any, impostor: Any) -> None:
    server = server_context(impostor.certificate_file, impostor.key_file)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(client_context([gateway.certificate]), server)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(client_context(), server)


def test_a_server_must_have_the_name_of_the_address(gateway: Any) -> None:
    server = server_context(gateway.certificate_file, gateway.key_file)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(client_context([gateway.certificate]), server, host="other.example")


def test_old_versions_are_refused(gateway: Any) -> None:
    server = server_context(gateway.certificate_file, gateway.key_file)
    client = client_context([gateway.certificate])
    for context in (server, client):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_that_cannot_be_loaded(gateway: Any, bob: Any, tmp_path: pathlib.Path) -> None:
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        gateway.private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    for key in (bob.key_file, tmp_path / "absent.pem", locked):
        with pytest.raises(KeyStoreError):
            server_context(gateway.certificate_file, key)
    with pytest.raises(KeyStoreError):
        client_context(chain=tmp_path / "absent.pem", key=gateway.key_file)
