"""TLS contexts: who is believed is decided by certificate, here as in CMS.

The one module of this room that touches `ssl` and reads files: OpenSSL takes a chain by path only.
"""

import pathlib
import ssl
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .errors import KeyStoreError


def server_context(
    chain: pathlib.Path, key: pathlib.Path, *, partners: Iterable[x509.Certificate] = ()
) -> ssl.SSLContext:
    """A context for our listener: TLS 1.2 or newer, our chain and key (PEM files).

    A client certificate is optional, since partners that authenticate by signature or token need none; one
    that is shown must be among `partners` (or issued by one), else the handshake fails. Raises KeyStoreError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_chain(context, chain, key)
    if _pin(context, partners):
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client_context(
    servers: Iterable[x509.Certificate] = (),
    *,
    chain: pathlib.Path | None = None,
    key: pathlib.Path | None = None,
) -> ssl.SSLContext:
    """A context for our client: TLS 1.2 or newer, the name in the address checked.

    With `servers`, only those certificates (or issued by one of them) are believed; without, the machine's
    own authorities are. `chain` and `key` are shown where a server asks for a certificate. Raises
    KeyStoreError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not _pin(context, servers):
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if chain is not None:
        _load_chain(context, chain, key)
    return context


def _load_chain(context: ssl.SSLContext, chain: pathlib.Path, key: pathlib.Path | None) -> None:
    try:
        # An empty password: a key that needs one must fail, not ask on the terminal.
        context.load_cert_chain(chain, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise KeyStoreError("the certificate chain or its key cannot be loaded") from error


def _pin(context: ssl.SSLContext, certificates: Iterable[x509.Certificate]) -> bool:
    """Make each of `certificates` an anchor, authority or not; False if there is none."""
    pem = "".join(
        certificate.public_bytes(serialization.Encoding.PEM).decode("ascii") for certificate in certificates
    )
    if not pem:
        return False
    # Without this flag OpenSSL wants a self-signed authority at the end of each chain.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # A pinned certificate is believed as it is: what it lacks of RFC 5280 was accepted with the agreement.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(cadata=pem)
    except ssl.SSLError as error:
        raise KeyStoreError("a partner's certificate cannot be loaded") from error
    return True
