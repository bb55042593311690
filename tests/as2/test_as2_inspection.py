"""Looking into messages: what is found is what went in, and what cannot be opened says why."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tidewaiter.gateway.as2 import Composed, Disposition, Mic, Part, Terms, Tolerance, compose
from tidewaiter.gateway.as2.inspection.messages import (
    DATED,
    GIVEN,
    NOW,
    SIGNED_AT,
    inspect,
    layers,
    mic_source,
)
from tidewaiter.gateway.as2.inspection.stored import read_stored
from tidewaiter.gateway.as2.inspection.unwrapping import MAX_DEPTH, MAX_ENTITIES
from tidewaiter.gateway.as2.inspection.values import Inspection, Layer, Means, Over, Standing
from tidewaiter.gateway.as2.writing import Piece
from tidewaiter.security import Cipher, Digest, fingerprint
from tidewaiter.security.chain import Authorities
from tidewaiter.security.cms import Signer, compress, encrypt, sign

from .conftest import DOCUMENT, Link

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def stored(message: Composed | tuple[tuple[tuple[str, str], ...], bytes]) -> bytes:
    """As it is kept."""
    headers, body = (message.headers, message.body) if isinstance(message, Composed) else message
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"POST /as2 HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def look(data: bytes, means: Means = Means(), at: datetime | None = None) -> Inspection:
    return inspect(read_stored(data), means, now=LATER, at=at)


def means(link: Link, terms: Terms | None = None) -> Means:
    """Alice's."""
    return Means(
        keys=(link.keys["alice"].decryption_key,),
        certificates=(link.keys["bob"].certificate,),
        terms=terms or link.alice(require_signed=False, require_encrypted=False),
    )


def standings(inspection: Inspection) -> list[Standing]:
    return [layer.signature.standing for layer in layers(inspection.root) if layer.signature is not None]


def problems(inspection: Inspection) -> list[str]:
    return [layer.problem for layer in layers(inspection.root) if layer.problem]


ENTITY = "with its MIME headers"


@pytest.mark.parametrize(
    ("changes", "over"),
    [
        ({}, Over.SIGNED),
        ({"encrypt": False}, Over.SIGNED),
        ({"compress": True}, Over.SIGNED),
        ({"compress": True, "compress_after_signing": True}, Over.SIGNED),
        ({"opaque": True}, Over.OPAQUE),
        ({"opaque": True, "encrypt": False, "compress": True}, Over.OPAQUE),
        ({"base64": True}, Over.SIGNED),
        ({"sign": False}, Over.DECRYPTED),
        ({"sign": False, "compress": True}, Over.DECOMPRESSED),
        ({"sign": False, "encrypt": False, "compress": True}, Over.DECOMPRESSED),
        ({"sign": False, "encrypt": False}, Over.BODY),
        ({"cipher": Cipher.AES128_GCM}, Over.SIGNED),
        ({"cipher": Cipher.AES256_GCM, "gcm_in_enveloped": True}, Over.SIGNED),
        ({"digest": Digest.SHA512}, Over.SIGNED),
    ],
)
def test_the_document_and_its_mic_are_found_in_every_form(
    link: Link, changes: dict[str, object], over: Over
) -> None:
    message = link.send(**changes)
    found = look(stored(message), means(link))
    assert (str(found.mic), found.over) == (str(message.mic), over)
    assert [part.content for part in found.documents] == [DOCUMENT]
    assert problems(found) == []
    assert standings(found) == [Standing.HOLDS] * (changes.get("sign") is not False)
    assert found.verdict is not None
    assert (found.verdict.good, found.verdict.disposition) == (True, "processed")
    source = mic_source(found.stored, means(link), found.at)
    assert source is not None
    assert str(Mic.over(source.octets, message.mic.digest)) == str(message.mic)


@pytest.mark.parametrize(
    ("changes", "over"),
    [
        ({}, Over.SIGNED),
        ({"sign": False}, Over.DECRYPTED),
        ({"sign": False, "encrypt": False}, Over.RELATED),
    ],
)
def test_attachments_are_documents_too(link: Link, changes: dict[str, bool], over: Over) -> None:
    attachment = Part(content=b"%PDF-1.7", content_type="application/pdf", filename="invoice.pdf")
    message = compose(
        DOCUMENT,
        "application/edifact",
        link.bob(**changes),
        message_id="1@bob",
        now=link.now,
        boundary="0f1e",
        filename="p.edi",
        attachments=(attachment,),
    )
    found = look(stored(message), means(link))
    assert [(part.content, part.filename) for part in found.documents] == [
        (DOCUMENT, "p.edi"),
        (b"%PDF-1.7", "invoice.pdf"),
    ]
    assert (str(found.mic), found.over) == (str(message.mic), over)
    got = link.receive(message.headers, message.body, means(link).terms)
    assert str(got.mic) == str(message.mic)


def issued(
    subject: str, by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate and its key: an authority's own, or one it has certified."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string(f"CN={subject}")
    issuer, signer = (by[0].subject, by[1]) if by is not None else (name, key)
    usage = x509.KeyUsage(by is not None, False, False, False, False, by is None, by is None, False, False)
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.BasicConstraints(by is None, None), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    )
    builder = x509.CertificateBuilder(issuer, name, key.public_key(), 7, now, now + timedelta(days=1))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256()), key


def test_whom_an_authority_certifies_is_believed(link: Link) -> None:
    root, other = issued("Root", None, link.now), issued("Root", None, link.now)
    data = stored(link.send(encrypt=False, signer=Signer(*issued("bob", root, link.now))))
    for authority, subject, standing in (
        (root, "bob", Standing.HOLDS),
        (root, "alice", Standing.UNTRUSTED),
        (other, "bob", Standing.UNTRUSTED),
    ):
        given = Means(authorities=Authorities((authority[0],), subject))
        assert standings(look(data, given)) == [standing]


def test_without_keys_what_is_outside_is_seen(link: Link) -> None:
    found = look(stored(link.send()))
    (layer,) = layers(found.root)
    assert (layer.locked, layer.problem) == (True, "encrypted: it takes a key")
    assert (found.mic, found.over, found.documents, found.verdict) == (None, None, (), None)
    assert mic_source(found.stored, Means(), LATER) is None
    assert found.identity is not None
    assert (found.identity.as2_from, found.identity.message_id) == ("bob", "<1@bob>")
    assert (found.at, found.dated_by) == (link.now, DATED)


def test_the_key_that_opened_it_is_named(link: Link) -> None:
    keys = tuple(link.keys[name].decryption_key for name in ("carol", "dave", "alice"))
    found = look(stored(link.send()), Means(keys=keys))
    assert found.root.opened_by == fingerprint(link.keys["alice"].certificate)
    found = look(stored(link.send()), Means(keys=keys[:2]))
    assert problems(found) == ["encrypted: it is for none of the keys at hand"]


def test_what_is_for_us_and_does_not_open_says_that(link: Link) -> None:
    key = link.keys["alice"].decryption_key
    data = encrypt(b"inside", [key.certificate], cipher=Cipher.AES128_GCM)
    found = look(data[:-1] + bytes((data[-1] ^ 1,)), Means(keys=(key,)))
    assert found.root.locked
    name = fingerprint(key.certificate)
    assert found.root.problem.startswith(f"encrypted: it is for {name}, whose key does not open it")


def test_what_no_agreement_allows_is_looked_through_too(link: Link) -> None:
    piece = link.signed_by("bob", digest=Digest.SHA1)
    data = encrypt(bytes(piece), [link.keys["alice"].certificate], cipher=Cipher.DES3_CBC)
    found = look(stored(link.http(link.cms(data, "enveloped-data"))), means(link))
    assert (standings(found), problems(found)) == ([Standing.HOLDS], [])
    assert [part.content for part in found.documents] == [DOCUMENT]
    assert found.verdict is not None
    assert found.verdict.disposition == Disposition.INSUFFICIENT_MESSAGE_SECURITY.text


def test_who_signed_is_never_taken_from_the_message(link: Link) -> None:
    data = stored(link.send(encrypt=False))
    found = look(data)
    assert standings(found) == [Standing.UNTRUSTED]
    assert found.root.signature is not None
    assert found.root.signature.fingerprint == fingerprint(link.keys["bob"].certificate)
    assert found.root.signature.reason == "no certificate was given to compare with"
    found = look(data, Means(certificates=(link.keys["carol"].certificate,)))
    assert standings(found) == [Standing.UNTRUSTED]
    assert found.root.signature is not None
    assert "no certificate" not in found.root.signature.reason


@pytest.mark.parametrize("given", [True, False])
def test_a_changed_content_fails_whoever_signed(link: Link, *, given: bool) -> None:
    data = stored(link.send(encrypt=False)).replace(b"UNZ+0+1", b"UNZ+1+1")
    found = look(data, means(link) if given else Means())
    assert standings(found) == [Standing.FAILS]
    assert found.root.signature is not None
    assert found.root.signature.reason == "the digest does not fit the content"
    if given:
        assert found.verdict is not None
        assert not found.verdict.good
        assert found.verdict.disposition == Disposition.INTEGRITY_CHECK_FAILED.text


def test_a_tolerance_is_told(link: Link) -> None:
    piece = link.signed_by("bob", link.entity(DOCUMENT).replace(b"'\r\n", b"'\n") + b"\r\n")
    changed = piece.body.replace(b"'\n\r\n\r\n--b1", b"'\n\r\n\r\n\r\n--b1")
    assert changed != piece.body
    found = look(stored(link.http(piece._replace(pieces=(changed,)))), means(link))
    assert found.root.signature is not None
    assert found.root.signature.tolerance is Tolerance.TRAILING_CRLF


def test_certificates_are_judged_as_of_the_signature_and_never_now(link: Link) -> None:
    data = stored(link.send(encrypt=False)).replace(
        b"\r\nDate: Sun, 22 Nov 2026", b"\r\nDate: Sun, 22 Nov 2035"
    )
    found = look(data, means(link))
    assert (found.at, found.dated_by, standings(found)) == (link.now, SIGNED_AT, [Standing.HOLDS])
    found = look(data, means(link), at=LATER)
    assert (found.at, found.dated_by, standings(found)) == (LATER, GIVEN, [Standing.UNTRUSTED])
    assert found.root.signature is not None
    assert "validity" in found.root.signature.reason
    assert found.verdict is not None
    assert found.verdict.disposition == Disposition.AUTHENTICATION_FAILED.text


def test_a_message_that_is_not_dated_is_of_now(link: Link) -> None:
    data = stored(link.send(sign=False, encrypt=False))
    for line in (b"\r\nDate: ", b"\r\nDate: never\r\nX: "):
        found = look(data.replace(b"\r\nDate: ", line if b"X" in line else b"\r\nX-Date: "), means(link))
        assert (found.at, found.dated_by) == (LATER, NOW)


def test_the_verdict_is_the_gateways_own(link: Link) -> None:
    data = stored(link.send(sign=False))
    found = look(data, dataclasses.replace(means(link), terms=link.alice()))
    assert found.verdict is not None
    assert (found.verdict.good, found.verdict.concealed) == (False, True)
    assert found.verdict.disposition == Disposition.DECRYPTION_FAILED.text
    assert "not signed" in found.verdict.reason
    assert [part.content for part in found.documents] == [DOCUMENT]


@pytest.mark.parametrize(
    ("disposition", "good"),
    [
        (Disposition.PROCESSED, True),
        (Disposition.DUPLICATE_DOCUMENT, True),
        (Disposition.DECRYPTION_FAILED, False),
    ],
)
def test_a_receipt(link: Link, disposition: Disposition, *, good: bool) -> None:
    message = link.send()
    mdn = link.mdn(message.headers, disposition, message.mic)
    data = stored((mdn.headers, mdn.body))
    bob = Means(certificates=(link.keys["alice"].certificate,), terms=link.bob())
    found = look(data, bob)
    assert found.verdict is not None
    assert (found.verdict.good, found.verdict.disposition) == (good, disposition.text)
    (said,) = (layer.notification for layer in layers(found.root) if layer.notification is not None)
    assert said.understood == disposition.text
    assert (said.original_message_id, said.mic) == (message.message_id, str(message.mic))
    assert (said.final_recipient, said.reporting_ua) == ("rfc822; alice", "Tidewaiter")
    assert (found.mic, standings(found)) == (None, [Standing.HOLDS])
    forged = look(data.replace(b"; processed", b"; displayed"), bob)
    assert forged.verdict is not None
    assert not forged.verdict.good


def test_headers_that_make_no_message(link: Link) -> None:
    found = look(stored(link.send(encrypt=False)).replace(b"AS2-From", b"X-From"), means(link))
    assert (found.identity, found.problem) == (None, "AS2-From is missing")
    assert standings(found) == [Standing.HOLDS]


def test_cms_alone(link: Link) -> None:
    data = encrypt(b"inside", [link.keys["alice"].certificate], cipher=Cipher.AES128_CBC)
    found = look(data, means(link))
    assert (found.mic, found.verdict, problems(found)) == (None, None, [])
    assert [part.content for part in found.documents] == [b"inside"]
    (signature,) = (
        piece for piece in link.signed_by("bob").body.split(b"\r\n\r\n") if piece.startswith(b"MI")
    )
    found = look(signature.split(b"\r\n--")[0])
    assert problems(found) == ["a signature alone: what was signed is not in it"]


def test_a_bomb_stops_at_the_limit(link: Link) -> None:
    piece = link.cms(compress(bytes(1_000_000)), "compressed-data")
    found = look(stored(link.http(piece)), Means(max_payload=100_000))
    assert len(problems(found)) == 1
    assert found.documents == ()


def test_many_bombs_stop_at_the_limit_of_one(link: Link) -> None:
    part = bytes(link.cms(compress(bytes(40_000)), "compressed-data"))
    body = b"".join(b"--b\r\n" + part + b"\r\n" for _ in range(10)) + b"--b--\r\n"
    found = look(
        stored(link.http(Piece((("Content-Type", "multipart/mixed; boundary=b"),), (body,)))),
        Means(max_payload=100_000),
    )
    assert [len(part.content) for part in found.documents] == [40_000] * 2
    assert len(problems(found)) == 8


def test_depth_and_parts_are_limited(link: Link) -> None:
    content = link.entity(b"inside")
    for _ in range(MAX_DEPTH + 2):
        content = bytes(link.cms(compress(content), "compressed-data"))
    found = look(stored(link.http(link.cms(compress(content), "compressed-data"))))
    assert problems(found) == ["more layers or parts than are looked into"]
    assert len(list(layers(found.root))) == MAX_DEPTH + 1
    inner = b"--a\r\n\r\nx\r\n" * 60 + b"--a--\r\n"
    nested = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + inner
    body = b"".join(b"--b\r\n" + nested + b"\r\n" for _ in range(60)) + b"--b--\r\n"
    piece = Piece((("Content-Type", "multipart/mixed; boundary=b"),), (body,))
    found = look(stored(link.http(piece)))
    assert sum(not layer.problem for layer in layers(found.root)) <= MAX_ENTITIES


def _leaf(layer: Layer) -> Layer:
    return _leaf(layer.inside[-1]) if layer.inside else layer


@pytest.mark.parametrize(
    ("headers", "body", "problem"),
    [
        ("multipart/signed; boundary=x", b"no boundary here", "a multipart without a part"),
        ("multipart/signed; boundary=x", b"--x\r\n\r\na\r\n--x--", "a multipart/signed without a signature"),
        ("multipart/mixed", b"--x\r\n\r\na\r\n--x--", "a multipart without a usable boundary"),
        ("application/pkcs7-mime", b"no CMS", "not base64"),
        ("application/pkcs7-mime", b"0\x80", "an element is cut off"),
    ],
)
def test_what_is_not_what_it_claims_to_be_says_so(
    link: Link, headers: str, body: bytes, problem: str
) -> None:
    found = look(stored(link.http(Piece((("Content-Type", headers),), (body,)))), means(link))
    assert _leaf(found.root).problem == problem


def test_a_signature_that_is_no_cms_fails(link: Link) -> None:
    piece = link.signed_by("bob")
    body = piece.body.replace(b"\r\n\r\nMI", b"\r\n\r\nAI")
    found = look(stored(link.http(piece._replace(pieces=(body,)))), means(link))
    assert standings(found) == [Standing.FAILS]
    assert [part.content for part in found.documents] == [DOCUMENT]


def test_no_changed_octet_raises(link: Link) -> None:
    data = stored(link.send(encrypt=False, compress=True))
    for at in range(data.index(b"\r\n\r\n"), len(data), 41):
        for changed in (data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :], data[:at]):
            assert not any("cannot be looked into" in one for one in problems(look(changed, means(link))))


def test_a_certificate_that_cannot_be_loaded_is_passed_over(link: Link) -> None:
    signature = sign(b"x", link.keys["bob"].signer, detached=False, signing_time=link.now)
    changed = signature.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x77")
    assert changed != signature
    found = look(changed)
    assert (standings(found), problems(found)) == ([Standing.UNCHECKED], [])
    assert [part.content for part in found.documents] == [b"x"]


def test_it_is_pure(link: Link) -> None:
    data = stored(link.send())
    first, second = (look(data, means(link), at=link.now + timedelta(days=n)) for n in (1, 1))
    assert first == second
