"""Messages in the shapes that products in the field send: each is taken, or refused as it must be.

None was recorded from a product: the shape is known, the bytes are made here.
"""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tidewaiter.gateway.as2 import BadRequest, Disposition, Mic, Received, Refused, Tolerance, identify
from tidewaiter.security import DEFAULT_POLICY, Cipher, Digest
from tidewaiter.security.cms import Signer, compress, encrypt, sign

OPEN = {"require_encrypted": False, "require_signed": False}
DOCUMENT = b"UNB+UNOC:3+BOB+ALICE+261122:1200+1'\r\nUNZ+0+1'\r\n"
HEAD = b"Content-Type: application/edifact\r\n"
BINARY = HEAD + b"Content-Transfer-Encoding: binary\r\n\r\n"
ENTITY = BINARY + DOCUMENT
SHA1 = {"policy": replace(DEFAULT_POLICY, digests=frozenset(Digest))}
NO_ATTRIBUTES = {"policy": replace(DEFAULT_POLICY, allow_no_signed_attributes=True)}

Headers = list[tuple[str, str]]


class Body(NamedTuple):
    """An entity apart from its other headers: the value of Content-Type, and what is behind the headers."""

    content_type: str
    octets: bytes

    def __bytes__(self) -> bytes:
        return f"Content-Type: {self.content_type}\r\n\r\n".encode() + self.octets


class Shape(NamedTuple):
    """What one product sends, and what comes of it. `covered`: what the MIC is over."""

    make: Callable[[Any], Body]
    covered: bytes | Callable[[Any], bytes] = ENTITY
    terms: dict[str, Any] | None = None
    payload: bytes = DOCUMENT
    tolerances: tuple[Tolerance, ...] = ()
    content_type: str = "application/edifact"
    filename: str | None = None


def signature(link: Any, content: bytes, digest: Digest = Digest.SHA256, *, opaque: bool = False) -> bytes:
    bob = link.keys["bob"]
    signer = Signer(bob.certificate, bob.private_key, digest)
    return sign(content, signer, detached=not opaque, signing_time=link.now)


def without_attributes(link: Any, content: bytes) -> bytes:
    """Signed straight over the content, as Sterling and other older products do."""
    bob, options = link.keys["bob"], pkcs7.PKCS7Options
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    signed = builder.add_signer(bob.certificate, bob.private_key, hashes.SHA256())
    return signed.sign(Encoding.DER, [options.DetachedSignature, options.Binary, options.NoAttributes])


def lines(data: bytes, end: bytes = b"\r\n") -> bytes:
    return base64.encodebytes(data).replace(b"\n", end)


def multipart(
    content: bytes,
    signed: bytes,
    *,
    head: bytes = b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
    b"Content-Transfer-Encoding: base64\r\n",
    parameters: str = 'protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b1"',
    before: bytes = b"",
    behind: bytes = b"\r\n",
    boundary: bytes = b"b1",
) -> Body:
    mark = b"--" + boundary
    pieces = (
        before,
        mark,
        b"\r\n",
        content,
        b"\r\n",
        mark,
        b"\r\n",
        head,
        b"\r\n",
        signed,
        b"\r\n",
        mark,
        b"--",
    )
    return Body(f"multipart/signed; {parameters}", b"".join(pieces) + behind)


def signed_over(content: bytes, sent: bytes | None = None, **form: Any) -> Callable[[Any], Body]:
    """`content` signed, and sent as it is or as `sent`."""
    return lambda link: multipart(sent or content, lines(signature(link, content)), **form)


def compressed_first(link: Any, head: bytes) -> bytes:
    return head + compress(ENTITY)


def encrypted(link: Any, inner: bytes, content_type: str) -> Body:
    data = encrypt(inner, [link.keys["alice"].certificate], cipher=Cipher.AES256_CBC)
    return Body(content_type, data)


NO_ENCODING = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n"
WITH_LF = b"Content-Type: text/plain\n\nline\nline\n"
JAVAMAIL = 'protocol="application/pkcs7-signature"; micalg=sha-256; \r\n\tboundary="----=_Part_0_1"'
SHAPES: dict[str, Shape] = {
    "mendelson: encrypted, with no header inside": Shape(
        lambda link: encrypted(link, DOCUMENT, "application/pkcs7-mime; smime-type=enveloped-data"),
        covered=DOCUMENT,
        content_type="application/octet-stream",
        tolerances=(Tolerance.NO_MIME_HEADERS,),
    ),
    "mendelson: application/EDI-Consent and a name in the type": Shape(
        signed_over(
            entity := b'Content-Type: application/EDI-Consent; name="declaration.edi"\r\n\r\n' + DOCUMENT
        ),
        covered=entity,
        content_type='application/EDI-Consent; name="declaration.edi"',
        filename="declaration.edi",
    ),
    "BizTalk: names in capitals, types with parameters in quotes": Shape(
        lambda link: encrypted(
            link, ENTITY, 'Application/PKCS7-MIME; SMIME-Type="Enveloped-Data"; Name="smime.p7m"'
        )
    ),
    "BizTalk: micalg of the type in quotes, by another name": Shape(
        signed_over(ENTITY, parameters='micalg="SHA256"; boundary="b1"; protocol=application/pkcs7-signature')
    ),
    "OpenAS2: a boundary in a folded header, with `=` in it": Shape(
        lambda link: encrypted(
            link,
            bytes(
                multipart(
                    ENTITY,
                    lines(signature(link, ENTITY)),
                    boundary=b"----=_Part_0_1",
                    parameters=JAVAMAIL,
                )
            ),
            "application/pkcs7-mime",
        )
    ),
    "OpenAS2: a boundary without quotes": Shape(
        signed_over(
            ENTITY, boundary=b"----=_Part_7.88", parameters="boundary=----=_Part_7.88; micalg=sha-256"
        )
    ),
    "OpenAS2: an older name of the signature's type": Shape(
        signed_over(
            ENTITY,
            head=b"Content-Type: application/x-pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n",
            parameters='protocol="application/x-pkcs7-signature"; micalg=sha256; boundary=b1',
        )
    ),
    "Oracle: an older name of the type, and no smime-type": Shape(
        lambda link: encrypted(link, ENTITY, "application/x-pkcs7-mime")
    ),
    "Oracle: a preamble for readers of mail, an epilogue, no last line end": Shape(
        signed_over(ENTITY, before=b"This is an S/MIME signed message\r\n\r\n", behind=b"")
    ),
    "Sterling: a compressed part without an encoding is binary": Shape(
        lambda link: multipart(
            compressed_first(link, NO_ENCODING), lines(signature(link, compressed_first(link, NO_ENCODING)))
        ),
        covered=lambda link: compressed_first(link, NO_ENCODING),
    ),
    "Sterling: a signature in binary, its encoding not named": Shape(
        lambda link: multipart(
            ENTITY, signature(link, ENTITY), head=b"Content-Type: application/pkcs7-signature\r\n"
        )
    ),
    "Sterling: no signed attributes, where that is agreed": Shape(
        lambda link: multipart(ENTITY, lines(without_attributes(link, ENTITY))), terms=NO_ATTRIBUTES
    ),
    "RSSBus: a body with bare line feeds, signed as it is": Shape(
        signed_over(entity := BINARY + b"UNB\nUNZ\n"), covered=entity, payload=b"UNB\nUNZ\n"
    ),
    "RSSBus: sent with bare line feeds, signed with CRLF": Shape(
        signed_over(WITH_LF.replace(b"\n", b"\r\n"), WITH_LF),
        covered=WITH_LF.replace(b"\n", b"\r\n"),
        payload=b"line\r\nline\r\n",
        content_type="text/plain",
        tolerances=(Tolerance.ALL_LINE_ENDS,),
    ),
    "phase4: headers of the part with bare line feeds": Shape(
        signed_over(ENTITY, BINARY.replace(b"\r\n", b"\n") + DOCUMENT),
        tolerances=(Tolerance.HEADER_LINE_ENDS,),
    ),
    "phase4: compressed before the signature, its headers in the MIC": Shape(
        lambda link: multipart(
            entity := b"Content-Type: application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + lines(compress(ENTITY)),
            lines(signature(link, entity)),
        ),
        covered=lambda _: (
            b"Content-Type: application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + lines(compress(ENTITY))
        ),
    ),
    "nodemailer: the last line end is not signed": Shape(
        signed_over(ENTITY.removesuffix(b"\r\n"), ENTITY),
        covered=ENTITY.removesuffix(b"\r\n"),
        payload=DOCUMENT.removesuffix(b"\r\n"),
        tolerances=(Tolerance.TRAILING_CRLF,),
    ),
    "nodemailer: a document in base64, digested as it was sent": Shape(
        signed_over(entity := HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + lines(DOCUMENT)),
        covered=entity,
    ),
    "a document in quoted-printable": Shape(
        signed_over(
            entity := HEAD + b"Content-Transfer-Encoding: Quoted-Printable\r\n\r\nUNB=2BUNOC=\r\n=27"
        ),
        covered=entity,
        payload=b"UNB+UNOC'",
    ),
    "an opaque signature, without a name": Shape(
        lambda link: Body("application/pkcs7-mime", signature(link, ENTITY, opaque=True))
    ),
    "an opaque signature in base64 with bare line feeds, unlabelled": Shape(
        lambda link: Body(
            "application/pkcs7-mime; smime-type=signed-data",
            lines(signature(link, ENTITY, opaque=True), b"\n"),
        )
    ),
    "a third part behind the signature": Shape(
        lambda link: (whole := signed_over(ENTITY)(link))._replace(
            octets=whole.octets.removesuffix(b"--\r\n")
            + b"\r\nContent-Type: text/plain\r\n\r\n?\r\n--b1--\r\n"
        )
    ),
    "no closing delimiter": Shape(
        lambda link: (whole := signed_over(ENTITY)(link))._replace(
            octets=whole.octets.removesuffix(b"--b1--\r\n")
        )
    ),
    "a file name with no quotes": Shape(
        signed_over(
            entity := HEAD + b"Content-Disposition: Attachment; Filename=declaration.edi\r\n\r\n" + DOCUMENT
        ),
        covered=entity,
        filename="declaration.edi",
    ),
    "a file name that is a path": Shape(
        signed_over(
            entity := HEAD
            + b'Content-Disposition: attachment; filename="C:\\out\\declaration.edi"\r\n\r\n'
            + DOCUMENT
        ),
        covered=entity,
        filename="declaration.edi",
    ),
    "SHA-1, where that is agreed": Shape(
        lambda link: multipart(
            ENTITY,
            lines(signature(link, ENTITY, Digest.SHA1)),
            parameters='protocol="application/pkcs7-signature"; micalg=rsa-sha1; boundary="b1"',
        ),
        terms=SHA1,
    ),
}


def headers(content_type: str, **changes: str | None) -> Headers:
    """Of bob's request; a change of None leaves a header out."""
    usual: dict[str, str | None] = {
        "AS2-Version": "1.2",
        "AS2-From": "bob",
        "AS2-To": "alice",
        "Message-ID": "<1@bob>",
        "Disposition-Notification-To": "bob",
        "Disposition-Notification-Options": "signed-receipt-protocol=optional, pkcs7-signature",
        "Content-Type": " ".join(content_type.split()),
    }
    usual |= {name.replace("_", "-"): value for name, value in changes.items()}
    return [(name, value) for name, value in usual.items() if value is not None]


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_are_taken(link: Any, name: str) -> None:
    shape = SHAPES[name]
    body = shape.make(link)
    result = link.receive(headers(body.content_type), body.octets, link.alice(**(OPEN | (shape.terms or {}))))
    assert isinstance(result, Received), result
    covered = shape.covered(link) if callable(shape.covered) else shape.covered
    assert result.payload == shape.payload
    assert result.mic == Mic.over(covered, result.mic.digest)
    assert (result.content_type, result.filename) == (shape.content_type, shape.filename)
    assert result.tolerances == shape.tolerances


REFUSED: dict[str, tuple[Callable[[Any], Body], dict[str, Any], Disposition]] = {
    "Sterling: no signed attributes, by nobody's leave": (
        lambda link: multipart(ENTITY, lines(without_attributes(link, ENTITY))),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
    ),
    "SHA-1, by nobody's leave": (
        lambda link: multipart(ENTITY, lines(signature(link, ENTITY, Digest.SHA1))),
        {},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
    ),
    "phase2: unsigned, by nobody's leave": (
        lambda _: Body("application/edifact", DOCUMENT),
        {"require_signed": True},
        Disposition.INSUFFICIENT_MESSAGE_SECURITY,
    ),
    "phase2: signed by whoever's certificate comes along": (
        lambda link: multipart(
            ENTITY, lines(sign(ENTITY, link.keys["carol"].signer, detached=True, signing_time=link.now))
        ),
        {},
        Disposition.AUTHENTICATION_FAILED,
    ),
    "pyas2: compressed twice": (
        lambda _: Body(
            "application/pkcs7-mime; smime-type=compressed-data", compress(NO_ENCODING + compress(ENTITY))
        ),
        {},
        Disposition.DECOMPRESSION_FAILED,
    ),
    "a document changed on the way": (
        signed_over(ENTITY, ENTITY.replace(b"UNOC", b"UNOX")),
        {},
        Disposition.INTEGRITY_CHECK_FAILED,
    ),
    "a signature part that holds none": (
        lambda _: multipart(ENTITY, b"not base64!"),
        {},
        Disposition.INTEGRITY_CHECK_FAILED,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_shapes_that_are_refused(link: Any, name: str) -> None:
    make, terms, disposition = REFUSED[name]
    body = make(link)
    result = link.receive(headers(body.content_type), body.octets, link.alice(**(OPEN | terms)))
    assert isinstance(result, Refused)
    assert result.disposition is disposition


# What the headers of a request are like. None: as usual; a Disposition: refused with it; 400: no AS2 message.
MICALGS = "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, "
HEADERS: dict[str, tuple[dict[str, str | None], Disposition | int | None]] = {
    "mendelson: an id without a host": ({"Message_ID": "<mendelson_opensource_AS2-1640950505122-0@>"}, None),
    "OpenAS2: an id without brackets": ({"Message_ID": "OPENAS2-05012022_1@bob_alice"}, None),
    "OpenAS2: an id with what names have": ({"Message_ID": "<A!#[]<>,;& B@bob>"}, None),
    "version 1.3: no spaces in an id": (
        {"Message_ID": "<a b@bob>", "AS2_Version": "1.3"},
        Disposition.INVALID_MESSAGE_ID,
    ),
    "no id at all": ({"Message_ID": None}, 400),
    "no version": ({"AS2_Version": None}, None),
    "version 1.1, features nobody knows": (
        {"AS2_Version": "1.1", "EDIINT_Features": "CEM, AS2-Reliability, x"},
        None,
    ),
    "version 2": ({"AS2_Version": "2.0"}, 400),
    "a Date that is none": ({"Date": "22/11/2026 12h"}, None),
    "Oracle: names in quotes": ({"AS2_From": '"bob"', "AS2_To": '"alice"'}, None),
    "names in other letters are others": ({"AS2_From": "Bob"}, Disposition.UNKNOWN_TRADING_PARTNER),
    "to oneself": ({"AS2_From": "alice"}, Disposition.SENDER_EQUALS_RECEIVER),
    "tabs in the options": (
        {"Disposition_Notification_Options": MICALGS.replace(" ", "\t") + "SHA-256,\tsha512"},
        None,
    ),
    "BizTalk: MD5 first, then what is allowed": (
        {"Disposition_Notification_Options": MICALGS + "md5, sha256"},
        None,
    ),
    "Oracle: another spelling": ({"Disposition_Notification_Options": MICALGS + "sha2_256"}, None),
    "only SHA-1, by nobody's leave": (
        {"Disposition_Notification_Options": MICALGS + "rsa-sha1"},
        Disposition.UNSUPPORTED_MIC_ALGORITHMS,
    ),
    "a receipt in a format that is not S/MIME": (
        {"Disposition_Notification_Options": "signed-receipt-protocol=required, pgp-signature"},
        Disposition.UNSUPPORTED_FORMAT,
    ),
    "where to notify is only a flag": (
        {"Disposition_Notification_To": "http://169.254.169.254/latest"},
        None,
    ),
    "OpenAS2: a wrong encoding on the request": ({"Content_Transfer_Encoding": "base64"}, None),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_the_field(link: Any, name: str) -> None:
    changes, expected = HEADERS[name]
    body = encrypted(link, bytes(signed_over(ENTITY)(link)), "application/pkcs7-mime")
    sent = headers(body.content_type, **changes)
    if expected == 400:
        with pytest.raises(BadRequest):
            identify(link.wire(sent))
        return
    result, mdn = link.answer(sent, body.octets)
    assert result.disposition is (expected or Disposition.PROCESSED)
    # What is echoed is as it came.
    given = dict(sent)
    assert f"Original-Message-ID: {given['Message-ID']}\r\n".encode() in mdn.body
    assert (dict(mdn.headers)["AS2-To"], dict(mdn.headers)["AS2-From"]) == (
        given["AS2-From"],
        given["AS2-To"],
    )
