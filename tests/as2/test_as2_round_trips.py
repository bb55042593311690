"""Every scheme, digest, cipher, key transport and dialect: from us to us, from us to openssl, and back.

The tables are walked in loops: a combination takes a few milliseconds, a test of its own as much again.
"""

import dataclasses
import itertools
import pathlib
import shutil
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization

from tidewaiter.gateway.as2 import Composed, Received
from tidewaiter.security import DEFAULT_POLICY, Cipher, Digest, KeyTransport, Policy, Signature
from tidewaiter.security.cms import Signer, encrypt

ANY: Policy = dataclasses.replace(
    DEFAULT_POLICY,
    digests=frozenset(Digest),
    ciphers=frozenset(Cipher),
    key_transports=frozenset(KeyTransport),
)
SCHEMES = {Signature.RSA_PKCS1: "bob", Signature.RSA_PSS: "bob", Signature.ECDSA: "carol"}
# What is written; ECDH with SHA-1 is only read.
TRANSPORTS = {
    how: "carol" if how.value.startswith("ecdh") else "alice"
    for how in KeyTransport
    if how is not KeyTransport.ECDH_SHA1
}
FORMS: list[dict[str, bool]] = [
    {"compress": compress, "compress_after_signing": after, "opaque": opaque, "base64": base64}
    for compress, after, opaque, base64 in itertools.product((False, True), repeat=4)
    if compress or not after
]


class Case(NamedTuple):
    """What differs between two messages, by the names the terms have for it."""

    scheme: Signature = Signature.RSA_PKCS1
    digest: Digest = Digest.SHA256
    cipher: Cipher = Cipher.AES256_CBC
    transport: KeyTransport = KeyTransport.RSA_PKCS1
    dialect: bool = False

    def sent(self, link: Any, **form: bool) -> Composed:
        sender, recipient = link.keys[SCHEMES[self.scheme]], link.keys[TRANSPORTS[self.transport]]
        signer = Signer(sender.certificate, sender.private_key, self.digest, scheme=self.scheme)
        message: Composed = link.send(
            signer=signer,
            digest=self.digest,
            policy=ANY,
            their_encryption=recipient.certificate,
            cipher=self.cipher,
            key_transport=self.transport,
            gcm_in_enveloped=self.dialect,
            **form,
        )
        return message

    def terms(self, link: Any) -> Any:
        """Those of the receiver, who goes under alice's name."""
        return link.alice(
            policy=ANY,
            decryption_keys=(link.keys[TRANSPORTS[self.transport]].decryption_key,),
            their_signing=(link.keys[SCHEMES[self.scheme]].certificate,),
        )

    def arrives(self, link: Any, message: Composed) -> None:
        result = link.receive(message.headers, message.body, self.terms(link))
        assert isinstance(result, Received), (self, result)
        assert (result.payload, result.signed, result.encrypted) == (link.document, True, True), self
        assert result.mic == message.mic, self
        assert result.tolerances == (), self


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda how: how.value)
def test_every_cipher_and_dialect_by_every_transport(link: Any, transport: KeyTransport) -> None:
    for cipher, dialect in itertools.product(Cipher, (False, True)):
        case = Case(cipher=cipher, transport=transport, dialect=dialect)
        case.arrives(link, case.sent(link))


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.value)
def test_every_digest_and_form_by_every_scheme(link: Any, scheme: Signature) -> None:
    for digest, form in itertools.product(Digest, FORMS):
        case = Case(scheme=scheme, digest=digest)
        case.arrives(link, case.sent(link, **form))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4095, 100_000])
def test_contents_of_every_length_modulo_a_block(link: Any, size: int) -> None:
    for cipher in (Cipher.AES128_CBC, Cipher.AES256_GCM, Cipher.DES3_CBC):
        message = link.send(b"x" * size, cipher=cipher)
        result = link.receive(message.headers, message.body, link.alice(policy=ANY))
        assert isinstance(result, Received), (cipher, result)
        assert result.payload == b"x" * size
        assert result.mic == message.mic


def test_each_of_several_recipients_opens_it(link: Any) -> None:
    """Old and new key, RSA and elliptic curve, in one message."""
    recipients = [link.keys[name] for name in ("bob", "carol", "alice")]
    for cipher in Cipher:
        body = encrypt(bytes(link.signed_by("bob")), [one.certificate for one in recipients], cipher=cipher)
        for one in recipients:
            terms = link.alice(policy=ANY, decryption_keys=(one.decryption_key,))
            assert isinstance(link.receive(link.send().headers, body, terms), Received), cipher


# With openssl.


@pytest.fixture(scope="module")
def files(link: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """Certificate and key of everybody, in one PEM file each."""
    folder = tmp_path_factory.mktemp("keys")
    found = {}
    for name, keys in link.keys.items():
        key = keys.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        found[name] = folder / f"{name}.pem"
        found[name].write_bytes(keys.certificate.public_bytes(serialization.Encoding.PEM) + key)
    return found


@pytest.fixture(scope="module")
def cms() -> Callable[..., bytes]:
    """`cms(*arguments, data=...)`: what `openssl cms` writes to its standard output."""
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("the openssl command is not on this machine")

    def run(*arguments: str | pathlib.Path, data: bytes) -> bytes:
        line = [command, "cms", *arguments]
        done = subprocess.run(line, check=False, input=data, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


WITH_OPENSSL = [
    Case(),
    Case(Signature.RSA_PSS, Digest.SHA384, Cipher.AES128_CBC, KeyTransport.RSA_OAEP_SHA256),
    Case(Signature.RSA_PSS, Digest.SHA512, Cipher.AES192_CBC, KeyTransport.RSA_OAEP_SHA512),
    Case(Signature.ECDSA, Digest.SHA256, Cipher.AES256_GCM, KeyTransport.ECDH_SHA256),
    Case(Signature.ECDSA, Digest.SHA512, Cipher.AES128_GCM, KeyTransport.ECDH_SHA384),
    Case(Signature.RSA_PKCS1, Digest.SHA384, Cipher.AES192_GCM, KeyTransport.RSA_OAEP_SHA384),
    Case(Signature.RSA_PKCS1, Digest.SHA1, Cipher.DES3_CBC, KeyTransport.RSA_OAEP_SHA1),
]


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("case", WITH_OPENSSL, ids=lambda case: f"{case.scheme.value} {case.cipher.value}")
def test_openssl_reads_what_we_send(
    link: Any, files: dict[str, pathlib.Path], cms: Callable[..., bytes], case: Case, opaque: bool
) -> None:
    message = case.sent(link, opaque=opaque)
    ours, theirs = files[TRANSPORTS[case.transport]], files[SCHEMES[case.scheme]]
    inner = cms("-decrypt", "-inform", "DER", "-binary", "-recip", ours, "-inkey", ours, data=message.body)
    form: tuple[str, ...] = ()
    if opaque:  # openssl would read this S/MIME as base64 only
        _, _, inner = inner.partition(b"\r\n\r\n")
        form = ("-inform", "DER", "-binary")
    pinned = ("-noverify", "-nointern", "-certfile", theirs)
    assert cms("-verify", *pinned, *form, data=inner) == link.entity(link.document)


def openssl_options(case: Case) -> tuple[list[str], list[str]]:
    """How openssl is told to sign, and to encrypt to its one recipient."""
    signing = ["-md", case.digest.value.replace("-", "")]
    if case.scheme is Signature.RSA_PSS:
        signing += ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"]
    name = case.transport.digest.value.replace("-", "") if "-" in case.transport.value[4:] else ""
    encrypting = []
    if case.transport.value.startswith("rsa-oaep"):
        encrypting = ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{name}"]
    elif case.transport.value.startswith("ecdh"):
        encrypting = ["-keyopt", f"ecdh_kdf_md:{name}"]
    return signing, encrypting


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("case", WITH_OPENSSL, ids=lambda case: f"{case.scheme.value} {case.cipher.value}")
def test_we_read_what_openssl_sends(
    link: Any, files: dict[str, pathlib.Path], cms: Callable[..., bytes], case: Case, streamed: bool
) -> None:
    signing, encrypting = openssl_options(case)
    theirs, ours = files[SCHEMES[case.scheme]], files[TRANSPORTS[case.transport]]
    entity = link.entity(link.document)
    inner = cms("-sign", "-binary", "-signer", theirs, *signing, data=entity).replace(b"\r\n", b"\n")
    inner = inner.replace(b"\n", b"\r\n")
    cipher = "-des3" if case.cipher is Cipher.DES3_CBC else "-" + case.cipher.value.replace("aes", "aes-")
    form = ("-stream", "-indef") if streamed else ()
    body = cms(
        "-encrypt", "-binary", "-outform", "DER", *form, cipher, "-recip", ours, *encrypting, data=inner
    )
    result = link.receive(link.send().headers, body, case.terms(link))
    assert isinstance(result, Received), result
    assert result.payload == link.document
