"""Receipts in the shapes that products in the field are known to send: what each says, and what it proves.

None was recorded from a product: the shape is known, the bytes are made here.
"""

import base64
from typing import Any, NamedTuple

import pytest

from tidewaiter.gateway.as2 import Disposition, MdnKind, MdnResult, Tolerance, read_mdn
from tidewaiter.security import Digest
from tidewaiter.security.cms import Signer, sign

MODE = "automatic-action/MDN-sent-automatically"
REPORT = "multipart/report; report-type=disposition-notification; boundary=r"


class Shape(NamedTuple):
    """A receipt: its notification, and what stands around it. `signed_form`: what is signed, if not what is
    sent."""

    fields: str
    head: str = ""
    text: str = "--r\r\nContent-Type: text/plain\r\n\r\nThank you.\r\n"
    more: str = ""
    part: str = "Content-Type: message/disposition-notification\r\n"


def notification(
    disposition: str = f"{MODE}; processed",
    mic: str = "{mic}, sha-256",
    original: str = "<1@bob>",
    *others: str,
) -> str:
    """The fields that are always there, and others."""
    lines = (
        "Final-Recipient: rfc822; alice",
        f"Original-Message-ID: {original}",
        f"Disposition: {disposition}",
        *([f"Received-Content-MIC: {mic}"] if mic else ()),
        *others,
    )
    return "".join(f"{line}\r\n" for line in lines)


def report(shape: Shape, mic: str) -> bytes:
    """The body of the multipart/report."""
    fields = shape.fields.replace("{mic}", mic)
    if "base64" in shape.part:
        fields = base64.encodebytes(fields.encode()).decode().replace("\n", "\r\n")
    whole = f"{shape.head}{shape.text}--r\r\n{shape.part}\r\n{fields}\r\n{shape.more}--r--\r\n"
    return whole.encode()


def judge(
    link: Any, body: bytes, content_type: str, digest: Digest = Digest.SHA256, **terms: Any
) -> MdnResult:
    """What bob makes of it."""
    message = sent(link, digest)
    wire = link.wire([("Content-Type", content_type)])
    agreed = link.bob(**terms)
    return read_mdn(wire, body, agreed, message_id="<1@bob>", mic=message.mic, now=link.now)


def sent(link: Any, digest: Digest = Digest.SHA256) -> Any:
    """The message that all of these are about."""
    bob = link.keys["bob"]
    return link.send(signer=Signer(bob.certificate, bob.private_key, digest))


def signed(link: Any, content: bytes, sent_form: bytes | None = None) -> tuple[bytes, str]:
    """`content` signed by alice, and sent as it is or in another form: body and Content-Type."""
    data = sign(content, link.keys["alice"].signer, detached=True, signing_time=link.now)
    head = b"Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    pieces = (
        b"--s\r\n",
        sent_form or content,
        b"\r\n--s\r\n",
        head,
        base64.encodebytes(data),
        b"\r\n--s--\r\n",
    )
    return b"".join(pieces), "multipart/signed; protocol=application/pkcs7-signature; micalg=sha1; boundary=s"


SHAPES: dict[str, tuple[Shape, MdnKind, Disposition | None]] = {
    "usual": (Shape(notification()), MdnKind.PROCESSED, Disposition.PROCESSED),
    "pyas2: no space before what was done": (
        Shape(notification(f"{MODE};processed")),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "pyas2: an error with a capital, without a space": (
        Shape(notification(f"{MODE}; processed/Error:decryption-failed", "")),
        MdnKind.ERROR,
        Disposition.DECRYPTION_FAILED,
    ),
    "mendelson: an error by another name": (
        Shape(notification(f"{MODE}; processed/error: unknown-trading-partner", "")),
        MdnKind.ERROR,
        Disposition.UNKNOWN_TRADING_PARTNER,
    ),
    "OpenAS2: its own misspelling": (
        Shape(notification(f"{MODE}; processed/Error: decompresion-failed", "")),
        MdnKind.ERROR,
        Disposition.DECOMPRESSION_FAILED,
    ),
    "OpenAS2: a name of no standard": (
        Shape(notification(f"{MODE}; processed/error: signed-message-required", "")),
        MdnKind.ERROR,
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
    ),
    "a duplicate": (
        Shape(notification(f"{MODE}; processed/warning: duplicate-document")),
        MdnKind.WARNING,
        Disposition.DUPLICATE_DOCUMENT,
    ),
    "an error of the partner's own": (
        Shape(notification(f"{MODE}; processed/error: mailbox-full", "")),
        MdnKind.ERROR,
        None,
    ),
    "BizTalk: a failure": (
        Shape(notification(f"{MODE}; failed/Failure: unsupported format", "")),
        MdnKind.FAILED,
        Disposition.UNSUPPORTED_FORMAT,
    ),
    "libas2: a failure of its own": (
        Shape(notification("automatic-action/undefined; failed/failure: Could not verify signature", "")),
        MdnKind.FAILED,
        None,
    ),
    "on several lines": (
        Shape(notification(f"{MODE};\r\n\tprocessed/error:\r\n decryption-failed", "")),
        MdnKind.ERROR,
        Disposition.DECRYPTION_FAILED,
    ),
    "in capitals": (
        Shape(notification("AUTOMATIC-ACTION/MDN-SENT-AUTOMATICALLY ; PROCESSED")),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "a MIC without a space": (
        Shape(notification(mic="{mic},sha256")),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "a MIC by an older name": (
        Shape(notification(mic="{mic}, rsa-sha256")),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "another MIC": (
        Shape(notification(mic="AAAA{mic}, sha-256")),
        MdnKind.MIC_MISMATCH,
        Disposition.PROCESSED,
    ),
    "pyas2: no MIC, of a message that was not signed": (
        Shape(notification(mic="")),
        MdnKind.MIC_MISMATCH,
        Disposition.PROCESSED,
    ),
    "an id without brackets": (
        Shape(notification(original="1@bob")),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "another message": (
        Shape(notification(original="<2@bob>")),
        MdnKind.WRONG_MESSAGE,
        Disposition.PROCESSED,
    ),
    "a third part, with what came": (
        Shape(notification(), more="--r\r\nContent-Type: message/rfc822\r\n\r\nDisposition: x\r\n"),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "the notification first, and nothing else": (
        Shape(notification(), text=""),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "a preamble": (
        Shape(notification(), head="This is a receipt.\r\n\r\n"),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "fields of the product's own": (
        Shape(notification("x; processed", "{mic}, sha-256", "<1@bob>", "X-Key: 1", "Warning: none")),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "the notification in base64": (
        Shape(
            notification(),
            part="Content-Type: message/disposition-notification\r\nContent-Transfer-Encoding: base64\r\n",
        ),
        MdnKind.PROCESSED,
        Disposition.PROCESSED,
    ),
    "displayed, which is of mail": (
        Shape(notification("manual-action/MDN-sent-manually; displayed")),
        MdnKind.MISSING,
        None,
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_receipts(link: Any, name: str) -> None:
    """Signed, as it is agreed."""
    shape, kind, known = SHAPES[name]
    body = report(shape, sent(link).mic.value)
    result = judge(link, *signed(link, f"Content-Type: {REPORT}\r\n\r\n".encode() + body))
    assert (result.kind, result.known) == (kind, known), result
    assert result.signed or kind is MdnKind.MISSING


@pytest.mark.parametrize("name", SHAPES)
def test_without_a_signature_they_prove_nothing(link: Any, name: str) -> None:
    shape, kind, _ = SHAPES[name]
    body = report(shape, sent(link).mic.value)
    agreed, open_ = judge(link, body, REPORT), judge(link, body, REPORT, signed_receipts=False)
    assert agreed.kind is (kind if kind is MdnKind.MISSING else MdnKind.UNVERIFIED)
    # A receipt without signature need have no MIC.
    assert open_.kind is (MdnKind.PROCESSED if "no MIC" in name else kind)


def test_a_long_mic_may_be_folded(link: Any) -> None:
    mic = sent(link, Digest.SHA512).mic.value
    shape = Shape(notification(mic=f"{mic[:60]}\r\n {mic[60:]},\r\n\tsha-512"))
    content = f"Content-Type: {REPORT}\r\n\r\n".encode() + report(shape, mic)
    assert judge(link, *signed(link, content), Digest.SHA512).kind is MdnKind.PROCESSED


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [
        # nodemailer and libas2: the last line end is sent and not signed.
        (lambda content: content + b"\r\n", Tolerance.TRAILING_CRLF),
        (lambda content: content.replace(b"\r\n\r\n", b"\n\n", 1), Tolerance.HEADER_LINE_ENDS),
        (lambda content: content.replace(b"\r\n", b"\n"), Tolerance.ALL_LINE_ENDS),
    ],
)
def test_line_ends_changed_after_signing_are_forgiven(link: Any, change: Any, tolerance: Tolerance) -> None:
    content = f"Content-Type: {REPORT}\r\n\r\n".encode() + report(
        Shape(notification()), sent(link).mic.value
    ).removesuffix(b"\r\n")
    result = judge(link, *signed(link, content, change(content)))
    assert (result.kind, result.tolerances) == (MdnKind.PROCESSED, (tolerance,))


def test_a_boundary_on_a_line_of_its_own_is_found(link: Any) -> None:
    """OpenAS2: the boundary on a line of its own, inside the signed part."""
    folded = REPORT.replace("; boundary", ";\r\n\tboundary")
    content = f"Content-Type: {folded}\r\n\r\n".encode() + report(Shape(notification()), sent(link).mic.value)
    assert judge(link, *signed(link, content)).kind is MdnKind.PROCESSED
