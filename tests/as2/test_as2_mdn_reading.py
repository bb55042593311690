"""Receipts as they come back: what they say, and whether it can be believed."""

import base64
from typing import Any

import pytest

from tidewaiter.gateway.as2 import (
    Disposition,
    Mdn,
    MdnKind,
    MdnResult,
    Mic,
    mime,
    read_mdn,
    reported_message,
    same_mic,
)
from tidewaiter.gateway.as2.mdn_reading import MAX_FIELDS, MAX_OPAQUE
from tidewaiter.security import Digest
from tidewaiter.security.cms import compress, sign


def answered(link: Any, disposition: Disposition = Disposition.PROCESSED, **terms: Any) -> tuple[Any, Mdn]:
    """A message of bob's and alice's receipt for it."""
    message = link.send(**terms)
    return message, link.mdn(message.headers, disposition, message.mic)


def read(link: Any, message: Any, mdn: Mdn, **changes: Any) -> MdnResult:
    values = {"mic": str(message.mic), "message_id": message.message_id, "terms": link.bob(), **changes}
    return read_mdn(
        link.wire(mdn.headers),
        mdn.body,
        values["terms"],
        message_id=values["message_id"],
        mic=values["mic"],
        now=link.now,
    )


@pytest.mark.parametrize(
    ("disposition", "kind"),
    [
        (Disposition.PROCESSED, MdnKind.PROCESSED),
        (Disposition.DUPLICATE_DOCUMENT, MdnKind.WARNING),
        (Disposition.DECRYPTION_FAILED, MdnKind.ERROR),
        (Disposition.UNSUPPORTED_FORMAT, MdnKind.FAILED),
    ],
)
def test_a_signed_receipt_is_believed(link: Any, disposition: Disposition, kind: MdnKind) -> None:
    message, mdn = answered(link, disposition)
    result = read(link, message, mdn)
    assert (result.kind, result.known, result.disposition) == (kind, disposition, disposition.text)
    assert result.signed
    assert result.signer is not None
    assert result.message_id == "<r@alice>"
    assert result.original_message_id == "<1@bob>"
    assert same_mic(message.mic, result.mic)


@pytest.mark.parametrize("signed_receipts", [True, False])
def test_a_receipt_is_known_before_it_is_believed(link: Any, signed_receipts: bool) -> None:
    _, mdn = answered(link, signed_receipts=signed_receipts)
    headers = link.wire(mdn.headers)
    assert reported_message(headers, mdn.body) == "<1@bob>"
    assert reported_message(headers, mdn.body.replace(b"Original-Message-ID", b"Other")) == ""


def test_the_fields_of_a_receipt_are_read_from_its_beginning(
    link: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may send a notification of 10 MB, and it is read before a name is looked at."""
    read: list[int] = []
    read_fields = mime.read_fields
    monkeypatch.setattr(mime, "read_fields", lambda block: read.append(len(block)) or read_fields(block))
    headers = [(b"content-type", b"message/disposition-notification")]
    body = b"Original-Message-ID: <1@bob>\r\n" + b"a:\n" * 100_000
    assert reported_message(headers, body) == "<1@bob>"
    assert reported_message(headers, b"a:\n" * 100_000 + body) == ""
    assert max(read) <= MAX_FIELDS


@pytest.mark.parametrize("terms", [{}, {"encrypt": False}, {"encrypt": False, "sign": False}])
def test_a_message_is_no_receipt(link: Any, terms: dict[str, Any]) -> None:
    message = link.send(**terms)
    assert reported_message(link.wire(message.headers), message.body) is None
    assert reported_message(link.wire(message.headers), b"--") is None


def test_the_mic_may_be_given_as_text_or_not_at_all(link: Any) -> None:
    message, mdn = answered(link)
    for mic in (message.mic, str(message.mic), None):
        assert read(link, message, mdn, mic=mic).kind is MdnKind.PROCESSED


def test_another_mic_is_an_alarm(link: Any) -> None:
    message, mdn = answered(link)
    assert read(link, message, mdn, mic=Mic.over(b"other", Digest.SHA256)).kind is MdnKind.MIC_MISMATCH


def test_a_missing_mic_is_one_too_where_a_signed_receipt_was_asked_for(link: Any) -> None:
    message = link.send()
    mdn = link.mdn(message.headers, Disposition.PROCESSED, None)
    assert read(link, message, mdn).kind is MdnKind.MIC_MISMATCH
    assert read(link, message, mdn, terms=link.bob(signed_receipts=False)).kind is MdnKind.PROCESSED


def test_an_error_needs_no_mic(link: Any) -> None:
    message = link.send()
    mdn = link.mdn(message.headers, Disposition.DECRYPTION_FAILED, None)
    assert read(link, message, mdn).kind is MdnKind.ERROR


@pytest.mark.parametrize("message_id", ["<2@bob>", "", "<1@bob> x"])
def test_a_receipt_for_another_message(link: Any, message_id: str) -> None:
    message, mdn = answered(link)
    assert read(link, message, mdn, message_id=message_id).kind is MdnKind.WRONG_MESSAGE


def test_angle_brackets_do_not_make_another_message(link: Any) -> None:
    message, mdn = answered(link)
    assert read(link, message, mdn, message_id="1@bob").kind is MdnKind.PROCESSED


@pytest.mark.parametrize("header", ["AS2-From", "AS2-To"])
def test_a_receipt_between_other_names(link: Any, header: str) -> None:
    message, mdn = answered(link)
    headers = {**dict(mdn.headers), header: "carol"}
    assert read(link, message, Mdn(tuple(headers.items()), mdn.body)).kind is MdnKind.WRONG_MESSAGE
    del headers[header]
    assert read(link, message, Mdn(tuple(headers.items()), mdn.body)).kind is MdnKind.PROCESSED


def test_an_unsigned_receipt_proves_nothing_where_a_signed_one_is_agreed(link: Any) -> None:
    message = link.send(signed_receipts=False)
    mdn = link.mdn(message.headers, Disposition.PROCESSED, message.mic)
    result = read(link, message, mdn)
    assert (result.kind, result.signed) == (MdnKind.UNVERIFIED, False)
    assert result.known is Disposition.PROCESSED
    assert read(link, message, mdn, terms=link.bob(signed_receipts=False)).kind is MdnKind.PROCESSED


def test_a_changed_receipt_proves_nothing(link: Any) -> None:
    message, mdn = answered(link, Disposition.DECRYPTION_FAILED)
    changed = mdn.body.replace(b"processed/error: decryption-failed", b"processed")
    result = read(link, message, Mdn(mdn.headers, changed))
    assert (result.kind, result.signed) == (MdnKind.UNVERIFIED, False)


def test_a_receipt_signed_by_a_stranger_proves_nothing(link: Any) -> None:
    message, mdn = answered(link)
    terms = link.bob(their_signing=(link.keys["carol"].certificate,))
    assert read(link, message, mdn, terms=terms).kind is MdnKind.UNVERIFIED


def test_old_and_new_certificate_both_count(link: Any) -> None:
    message, mdn = answered(link)
    both = (link.keys["carol"].certificate, link.keys["alice"].certificate)
    assert read(link, message, mdn, terms=link.bob(their_signing=both)).kind is MdnKind.PROCESSED


NOT_RECEIPTS = {
    "empty": ("text/plain", b""),
    "a page of a proxy": ("text/html", b"<html>OK</html>"),
    "no type": ("", b"--r\r\n"),
    "a report without a notification": ("multipart/report; boundary=r", b"--r\r\n\r\nx\r\n--r--\r\n"),
    "a notification without a disposition": ("message/disposition-notification", b"Reporting-UA: x\r\n"),
    "only seen": (
        "message/disposition-notification",
        b"Original-Message-ID: <1@bob>\r\nDisposition: a/b; displayed\r\n",
    ),
    "no parts": ("multipart/signed; boundary=s", b"nothing"),
    "CMS that is not signed": ("application/pkcs7-mime", compress(b"x")),
    "no CMS": ("application/pkcs7-mime", b"junk"),
}


@pytest.mark.parametrize("case", NOT_RECEIPTS)
def test_what_is_no_receipt(link: Any, case: str) -> None:
    content_type, body = NOT_RECEIPTS[case]
    result = read(link, link.send(), Mdn((("Content-Type", content_type),), body))
    assert result.kind is MdnKind.MISSING, result


def opaque_receipt(link: Any, message: Any) -> bytes:
    mdn = link.mdn(message.headers, Disposition.PROCESSED, message.mic)
    head = f"Content-Type: {dict(mdn.headers)['Content-Type']}\r\n\r\n".encode()
    return sign(head + mdn.body, link.keys["alice"].signer, detached=False, signing_time=link.now)


def test_an_opaque_signature_is_believed(link: Any) -> None:
    message = link.send(signed_receipts=False)
    data = opaque_receipt(link, message)
    opaque = Mdn((("Content-Type", "application/pkcs7-mime; smime-type=signed-data"),), data)
    assert read(link, message, opaque).kind is MdnKind.PROCESSED


@pytest.mark.parametrize(
    "kind", ["application/pkcs7-mime; smime-type=signed-data", "application/x-pkcs7-mime"]
)
def test_an_opaque_receipt_is_known_before_it_is_believed(link: Any, kind: str) -> None:
    message = link.send(signed_receipts=False)
    data = opaque_receipt(link, message)
    headers = [(b"content-type", kind.encode())]
    assert reported_message(headers, data) == message.message_id
    encoded = [*headers, (b"content-transfer-encoding", b"base64")]
    assert reported_message(encoded, base64.encodebytes(data)) == message.message_id
    assert reported_message([*headers, (b"disposition-notification-to", b"x")], data) is None
    assert reported_message(headers, data[:-40]) is None
    assert reported_message(headers, data + bytes(MAX_OPAQUE)) is None
    for other in (b"", b"0", b"text", compress(b"Content-Type: text/plain\r\n\r\nx")):
        assert reported_message(headers, other) is None
    xml = b"Content-Type: text/xml\r\n\r\n<a/>"
    document = sign(xml, link.keys["alice"].signer, detached=False, signing_time=link.now)
    assert reported_message(headers, document) is None


def other_style(value: str, mic: Mic, encoding: str = "7bit") -> bytes:
    """A receipt as other products write it."""
    fields = (
        "Reporting-UA: other\r\nFinal-Recipient: rfc822;\r\n alice\r\noriginal-message-id:1@bob\r\n"
        f"DISPOSITION: {value}\r\nreceived-content-mic:{mic.value},SHA256\r\nX-More: 1\r\n"
    )
    text = (
        "--r\r\nContent-Type: TEXT/PLAIN\r\n\r\nfine\r\n"
        "--r\r\nContent-Type: Message/Disposition-Notification\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n\r\n{fields}\r\n"
        "--r\r\n\r\nthe original\r\n--r--"
    )
    return text.encode()


@pytest.mark.parametrize(
    "value",
    [
        "automatic-action/MDN-sent-automatically;processed",
        "automatic-action/MDN-sent-automatically;\r\n\tProcessed",
        "Automatic-Action/mdn-sent-automatically ; processed/Warning: duplicate-document",
    ],
)
@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable"])
def test_receipts_in_other_styles(link: Any, value: str, encoding: str) -> None:
    message = link.send()
    content_type = "Multipart/Report; Report-Type=disposition-notification; boundary=r"
    body = other_style(value, message.mic, encoding)
    if encoding == "quoted-printable":
        body = body.replace(message.mic.value.encode(), message.mic.value.replace("=", "=3D").encode())
    mdn = Mdn((("Content-Type", content_type),), body)
    result = read(link, message, mdn, terms=link.bob(signed_receipts=False))
    assert result.kind in {MdnKind.PROCESSED, MdnKind.WARNING}, result


@pytest.mark.parametrize(
    ("returned", "same"),
    [
        ("{}, sha-256", True),
        ("{},sha256", True),
        ("{}", True),
        ("{} , SHA-1", True),
        ("x{}, sha-256", False),
        ("", False),
        (", sha-256", False),
        ("\u00e9", False),
    ],
)
def test_only_the_value_of_a_mic_is_compared(returned: str, same: bool) -> None:
    mic = Mic.over(b"x", Digest.SHA256)
    assert same_mic(mic, returned.format(mic.value)) is same
    assert same_mic(str(mic), returned.format(mic.value)) is same


def test_a_folded_mic_is_the_same() -> None:
    mic = Mic.over(b"x", Digest.SHA512)
    assert same_mic(mic, f"{mic.value[:60]}\r\n  {mic.value[60:]}, sha-512")
