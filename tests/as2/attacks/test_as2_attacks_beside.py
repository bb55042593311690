"""What stands beside a signature inside CBC: where anybody may have changed it, it is known or refused."""

from typing import Any

import pytest

from tidewaiter.gateway.as2 import Disposition, Received, Refused
from tidewaiter.gateway.as2.mime import to_base64
from tidewaiter.gateway.as2.writing import Piece
from tidewaiter.security import Cipher, der
from tidewaiter.security.cms import encrypt, sign
from tidewaiter.security.cms.content import ContentType, fields

OPAQUE = ("Content-Type", "application/pkcs7-mime; smime-type=signed-data")
CERTIFICATES, REVOCATIONS = 0xA0, 0xA1


def parts_of(link: Any) -> list[bytes]:
    """The fields of bob's SignedData, as elements."""
    content = link.entity(link.document)
    data = sign(content, link.keys["bob"].signer, detached=False, signing_time=link.now)
    return [data[each.header : each.stop] for each in fields(data, ContentType.SIGNED, limit=6)]


def in_der(parts: list[bytes]) -> bytes:
    oid = der.oid("1.2.840.113549.1.7.2")
    return der.tlv(der.SEQUENCE, oid, der.tlv(0xA0, der.tlv(der.SEQUENCE, *parts)))


def in_ber(parts: list[bytes]) -> bytes:
    """With the outer lengths left open."""
    oid = der.oid("1.2.840.113549.1.7.2")
    return b"".join((b"\x30\x80", oid, b"\xa0\x80\x30\x80", *parts, bytes(6)))


def as_they_are(parts: list[bytes], _: Any) -> list[bytes]:
    return parts


def with_a_changed_certificate(parts: list[bytes], _: Any) -> list[bytes]:
    return [part[:-1] + bytes((part[-1] ^ 1,)) if part[0] == CERTIFICATES else part for part in parts]


def with_another_certificate(parts: list[bytes], link: Any) -> list[bytes]:
    carol = sign(b"", link.keys["carol"].signer, detached=True, signing_time=link.now)
    found = fields(carol, ContentType.SIGNED, limit=6)
    other = carol[found[3].start : found[3].stop]
    held = parts[3]
    start = der.element_at(held, 0, len(held)).start
    return [*parts[:3], der.tlv(CERTIFICATES, held[start:], other), *parts[4:]]


def without_certificates(parts: list[bytes], _: Any) -> list[bytes]:
    return [part for part in parts if part[0] != CERTIFICATES]


def with_revocations(parts: list[bytes], _: Any) -> list[bytes]:
    return [*parts[:4], der.tlv(REVOCATIONS, der.tlv(der.SEQUENCE)), *parts[4:]]


def with_other_digests(parts: list[bytes], _: Any) -> list[bytes]:
    return [parts[0], der.tlv(der.SET, der.tlv(der.SEQUENCE, der.oid("1.2.3.4"))), *parts[2:]]


def with_another_signer(parts: list[bytes], link: Any) -> list[bytes]:
    """As a partner signs who changes keys: by the old one and the next, of which one is pinned."""
    content = link.entity(link.document)
    carol = sign(content, link.keys["carol"].signer, detached=False, signing_time=link.now)
    infos = [one[der.element_at(one, 0, len(one)).start :] for one in (parts[-1], _last_field(carol))]
    return [*parts[:-1], der.tlv(der.SET, *infos)]


def _last_field(data: bytes) -> bytes:
    found = fields(data, ContentType.SIGNED, limit=6)[-1]
    return data[found.header : found.stop]


# Inside CBC, as binary: in DER, in BER. As text, or outside of CBC, all of them are taken.
CASES = {
    as_they_are: (True, True),
    without_certificates: (True, True),
    with_a_changed_certificate: (True, False),
    with_another_certificate: (True, False),
    with_other_digests: (False, False),
    with_another_signer: (False, False),
    with_revocations: (False, False),
}


def sent(link: Any, data: bytes, cipher: Cipher, *, text: bool = False) -> Any:
    piece = Piece((OPAQUE,), (to_base64(data) if text else data,))
    sealed = encrypt(bytes(piece), [link.keys["alice"].certificate], cipher=cipher)
    return link.http(link.cms(sealed, "enveloped-data"))


@pytest.mark.parametrize("form", [in_der, in_ber])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_no_signature_covers_is_known_or_refused(link: Any, case: Any, form: Any) -> None:
    data = form(case(parts_of(link), link))
    message = sent(link, data, Cipher.AES256_CBC)
    got = link.receive(message.headers, message.body)
    if CASES[case][form is in_ber]:
        assert isinstance(got, Received)
    else:
        assert isinstance(got, Refused)
        assert (got.disposition, got.mic, got.concealed) == (Disposition.DECRYPTION_FAILED, None, True)


@pytest.mark.parametrize("form", [in_der, in_ber])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize(("cipher", "text"), [(Cipher.AES256_GCM, False), (Cipher.AES256_CBC, True)])
def test_where_nobody_can_change_it_nothing_is_asked_of_it(
    link: Any, case: Any, form: Any, cipher: Cipher, text: bool
) -> None:
    message = sent(link, form(case(parts_of(link), link)), cipher, text=text)
    assert isinstance(link.receive(message.headers, message.body), Received)


def test_what_is_encoded_as_a_whole_inside_cbc_is_refused(link: Any) -> None:
    """Its head is covered by nothing, and would not be looked at."""
    piece = link.signed_by("bob")
    head = (*piece.headers, ("Content-Transfer-Encoding", "base64"))
    inner = bytes(Piece(head, (to_base64(piece.body),)))
    for cipher, taken in ((Cipher.AES256_CBC, False), (Cipher.AES256_GCM, True)):
        sealed = encrypt(inner, [link.keys["alice"].certificate], cipher=cipher)
        message = link.http(link.cms(sealed, "enveloped-data"))
        got = link.receive(message.headers, message.body)
        assert isinstance(got, Received) is taken
