"""`openssl cms` opens and verifies everything that we compose: messages and receipts, in every form.

Plainly: `-verify -CAfile CERTIFICATE`, with the signer's purpose checked. What stands around the CMS is taken
apart by openssl_cms.py, which shares no code with us.
"""

import importlib.util
import itertools
import pathlib
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from tidewaiter.gateway.as2 import (
    Disposition,
    Mic,
    Part,
    Terms,
    compose,
    compose_mdn,
    identify,
)
from tidewaiter.security import Cipher, Digest, KeyTransport, Signature, load_certificates, load_private_key
from tidewaiter.security.cms import Signer

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command line is not installed"),
]

NOW = datetime.now(UTC)
PAYLOAD = b"UNB+UNOC:3+GATEWAY+PEER+261122:1200+1'\r\n\x00\xff\n\nUNZ+0+1'"
ATTACHMENT = Part(content=b"%PDF-1.7\r\n\x00", content_type="application/pdf", filename="invoice.pdf")
OURS = {Signature.RSA_PKCS1: "gateway", Signature.RSA_PSS: "gateway", Signature.ECDSA: "gateway-ec"}

Cell = dict[str, Any]


@pytest.fixture(scope="module")
def cms() -> ModuleType:
    """openssl_cms.py of the peers' programs."""
    file = pathlib.Path(__file__).parent / "programs" / "openssl_cms.py"
    spec = importlib.util.spec_from_file_location("openssl_cms", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def terms(keys: pathlib.Path) -> Callable[..., Terms]:
    """Makes terms of a cell."""

    def make(scheme: Signature = Signature.RSA_PKCS1, digest: Digest = Digest.SHA256, **cell: Any) -> Terms:
        def certificate(name: str) -> Any:
            return load_certificates((keys / f"{name}.pem").read_bytes())[0]

        private_key = load_private_key((keys / f"{OURS[scheme]}.key").read_bytes())
        agreed = cell.get("key_transport", KeyTransport.RSA_PKCS1).value.startswith("ecdh")
        return Terms(
            our_name="GATEWAY",
            their_name="PEER",
            signer=Signer(certificate(OURS[scheme]), private_key, digest, scheme=scheme),
            their_encryption=certificate("peer-ec" if agreed else "peer"),
            **cell,
        )

    return make


@pytest.fixture
def opened(cms: ModuleType, keys: pathlib.Path, tmp_path: pathlib.Path) -> Callable[..., Any]:
    """Opens an entity of headers and body with openssl: the innermost entity, and whether it was signed."""

    def verify(data: bytes, scheme: Signature, content: bytes | None) -> bytes:
        more = ()
        if content is not None:
            (tmp_path / "content").write_bytes(content)
            more = ("-content", str(tmp_path / "content"))
        command = (
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "DER",
            "-CAfile",
            str(keys / f"{OURS[scheme]}.pem"),
        )
        got = bytes(cms.openssl(*command, *more, data=data))
        assert content is None or got == content
        return got

    def unwrap(made: Any, cell: Cell) -> tuple[Any, bytes | None]:
        signed, scheme = None, cell.get("scheme", Signature.RSA_PKCS1)
        while True:
            if made.kind == "multipart/signed":
                content, signature = cms.parts(made)
                signed = verify(cms.decoded(cms.read(signature)), scheme, content)
                made = cms.read(signed)
                continue
            if made.kind != "application/pkcs7-mime":
                return made, signed
            data, kind = cms.decoded(made), made.parameter("content-type", "smime-type")
            if kind == "signed-data":
                made = cms.read(signed := verify(data, scheme, None))
            elif kind == "compressed-data":
                made = cms.read(cms.inflated(data))
            else:
                agreed = cell.get("key_transport", KeyTransport.RSA_PKCS1).value.startswith("ecdh")
                ours = keys / ("peer-ec" if agreed else "peer")
                command = ("cms", "-decrypt", "-binary", "-inform", "DER", "-recip", f"{ours}.pem")
                made = cms.read(cms.openssl(*command, "-inkey", f"{ours}.key", data=data))

    def run(headers: Any, body: bytes, cell: Cell) -> tuple[Any, bytes | None]:
        fields = {name.lower(): value for name, value in headers}
        return unwrap(cms.Entity(fields, b"", body), cell)

    return run


def signatures() -> Iterator[Cell]:
    """Every signature in every form, with what else may be between it and the document."""
    for scheme, digest, opaque, base64, compress, encrypt in itertools.product(
        Signature, Digest, (False, True), (False, True), ("none", "before", "after"), (False, True)
    ):
        yield {
            "scheme": scheme,
            "digest": digest,
            "opaque": opaque,
            "base64": base64,
            "compress": compress != "none",
            "compress_after_signing": compress == "after",
            "encrypt": encrypt,
        }


def encryptions() -> Iterator[Cell]:
    """Every cipher with every way its key is sent. openssl has GCM in AuthEnvelopedData only."""
    transports = [transport for transport in KeyTransport if transport is not KeyTransport.ECDH_SHA1]
    for cipher, transport, base64, sign in itertools.product(
        Cipher, transports, (False, True), (False, True)
    ):
        yield {"cipher": cipher, "key_transport": transport, "base64": base64, "sign": sign}


def said(cell: Cell) -> str:
    """A cell in short."""
    return ",".join(f"{name}={getattr(value, 'value', value)}" for name, value in cell.items())


def params(cells: Iterator[Cell], every: int) -> list[Any]:
    """All cells, of which one in `every` is run every time."""
    return [
        pytest.param(cell, id=said(cell), marks=() if number % every == 0 else pytest.mark.whole)
        for number, cell in enumerate(cells)
    ]


# Numbers that share no factor with how the tables repeat, so that each value comes up.
@pytest.mark.parametrize("cell", params(signatures(), 31) + params(encryptions(), 23))
def test_openssl_opens_what_we_compose(terms: Any, opened: Any, cms: Any, cell: Cell) -> None:
    composed = compose(
        PAYLOAD,
        "application/edifact",
        terms(**cell),
        message_id="<1@gateway>",
        now=NOW,
        boundary="0f1e2d3c",
        filename="declaration.edi",
    )
    made, signed = opened(composed.headers, composed.body, cell)
    assert cms.decoded(made) == PAYLOAD
    assert made.headers["content-type"] == "application/edifact"
    assert made.parameter("content-disposition", "filename") == "declaration.edi"
    assert (signed is not None) is cell.get("sign", True)
    # Over what was signed (RFC 4130 7.3.1), else over the document with its headers.
    assert composed.mic == Mic.over(bytes(made) if signed is None else signed, composed.mic.digest)


@pytest.mark.parametrize("opaque", [False, True])
def test_openssl_opens_attachments(terms: Any, opened: Any, cms: Any, opaque: bool) -> None:
    composed = compose(
        PAYLOAD,
        "application/edifact",
        terms(opaque=opaque),
        message_id="<1@gateway>",
        now=NOW,
        boundary="0f1e2d3c",
        attachments=[ATTACHMENT],
    )
    made, signed = opened(composed.headers, composed.body, {})
    assert made.kind == "multipart/related"
    assert [cms.decoded(cms.read(part)) for part in cms.parts(made)] == [PAYLOAD, ATTACHMENT.content]
    assert composed.mic == Mic.over(signed, Digest.SHA256)


@pytest.mark.parametrize("scheme", Signature)
@pytest.mark.parametrize("digest", Digest)
@pytest.mark.parametrize("disposition", [Disposition.PROCESSED, pytest.param(None, marks=pytest.mark.whole)])
def test_openssl_verifies_our_receipts(
    terms: Any, opened: Any, cms: Any, scheme: Signature, digest: Digest, disposition: Disposition | None
) -> None:
    """None stands for every disposition there is."""
    for one in [disposition] if disposition else Disposition:
        made, signed = _receipt(terms(scheme, digest), opened, one, {"scheme": scheme})
        assert signed is not None
        assert _fields(cms, made)["disposition"].endswith(f"; {one.text}")


@pytest.mark.parametrize("disposition", Disposition)
def test_a_receipt_without_signature_says_the_same(
    terms: Any, opened: Any, cms: Any, disposition: Disposition
) -> None:
    made, signed = _receipt(terms(), opened, disposition, {}, signed=False)
    assert signed is None
    assert _fields(cms, made)["disposition"].endswith(f"; {disposition.text}")


def _receipt(
    agreed: Terms, opened: Any, disposition: Disposition, cell: Cell, *, signed: bool = True
) -> tuple[Any, bytes | None]:
    options = b"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256"
    headers = [
        (b"as2-from", b'"PEER"'),
        (b"as2-to", b"GATEWAY"),
        (b"message-id", b"<1@peer>"),
        (b"disposition-notification-to", b"peer"),
        *([(b"disposition-notification-options", options)] if signed else []),
    ]
    mdn = compose_mdn(
        identify(headers),
        disposition,
        Mic.over(PAYLOAD, Digest.SHA512),
        agreed,
        message_id="<r@gateway>",
        now=NOW,
        boundary="a1b2c3",
    )
    made, content = opened(mdn.headers, mdn.body, cell)
    assert made.kind == "multipart/report"
    return made, content


def _fields(cms: Any, made: Any) -> dict[str, str]:
    _, notification = map(cms.read, cms.parts(made))
    assert notification.kind == "message/disposition-notification"
    return dict(cms.fields(notification.body.decode()))
