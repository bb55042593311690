"""Inside encryption there is one answer: whatever is done to an encrypted message, the reply stays the same.

The mutations are those of the known attacks: padding oracles (last blocks changed, cut, exchanged), the
gadgets of EFAIL (blocks moved, changed and put beside the signed part), and keys that decrypt to nothing.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tidewaiter.gateway.as2 import Composed, Disposition, Received, Refused, mime, signature
from tidewaiter.gateway.as2.multipart import split
from tidewaiter.gateway.as2.writing import Piece
from tidewaiter.security import Cipher, Digest
from tidewaiter.security.cms import compress, encrypt, sign

BLOCK = 16
INNER = b"Content-Type: application/edifact\r\n\r\nUNB+UNOC:3+BOB+ALICE+261122:1200+1'UNZ+0+1'"


def sent(link: Any, content: bytes, cipher: Cipher = Cipher.AES256_CBC) -> bytes:
    return encrypt(content, [link.keys["alice"].certificate], cipher=cipher)


def reply(link: Any, body: bytes, **terms: Any) -> tuple[Received | Refused, tuple[object, ...]]:
    """What is told to the sender of `body`: always the same headers and ids."""
    message: Composed = link.send()
    result, mdn = link.answer(message.headers, body, link.alice(**terms))
    return result, tuple(mdn)


@pytest.fixture(scope="module")
def refused(link: Any) -> tuple[object, ...]:
    """The reply to a message that was encrypted to somebody else: there is nothing in it to be told."""
    stranger = encrypt(INNER, [link.keys["bob"].certificate], cipher=Cipher.AES256_CBC)
    result, mdn = reply(link, stranger)
    assert result.disposition is Disposition.DECRYPTION_FAILED
    return mdn


def assert_told_nothing(link: Any, body: bytes, refused: tuple[object, ...], **terms: Any) -> None:
    result, mdn = reply(link, body, **terms)
    assert isinstance(result, Refused), result
    assert (result.disposition, result.mic) == (Disposition.DECRYPTION_FAILED, None), result
    assert result.concealed
    assert mdn == refused


# Contents that decrypt well and are then refused.


def piece_by(link: Any, name: str, content: bytes = INNER, digest: Digest = Digest.SHA256) -> bytes:
    return bytes(link.signed_by(name, content, digest))


def part(data: bytes, smime_type: str) -> bytes:
    return bytes(Piece((("Content-Type", f"application/pkcs7-mime; smime-type={smime_type}"),), (data,)))


CONTENTS: dict[str, Callable[[Any], bytes]] = {
    "unsigned": lambda _: INNER,
    "empty": lambda _: b"",
    "no MIME": lambda _: bytes(range(256)),
    "signed by a stranger": lambda link: piece_by(link, "carol"),
    "signed by us": lambda link: piece_by(link, "alice"),
    "expired": lambda link: piece_by(link, "dave"),
    "weak signature": lambda link: piece_by(link, "bob", digest=Digest.SHA1),
    "tampered": lambda link: piece_by(link, "bob").replace(b"UNOC", b"UNOX"),
    "no boundary": lambda link: piece_by(link, "bob").replace(b"boundary", b"bundary!"),
    "no parts": lambda _: b"Content-Type: multipart/signed; boundary=b1\r\n\r\nnothing",
    "signature is no CMS": lambda link: piece_by(link, "bob").replace(b"\r\n\r\nMII", b"\r\n\r\n***"),
    "signature is cut": lambda link: piece_by(link, "bob")[:-200],
    "opaque, by a stranger": lambda link: part(
        sign(INNER, link.keys["carol"].signer, detached=False, signing_time=link.now), "signed-data"
    ),
    "compressed, unsigned": lambda _: part(compress(INNER), "compressed-data"),
    "not zlib": lambda _: part(compress(INNER)[:-8] + bytes(8), "compressed-data"),
    "bomb": lambda _: part(compress(bytes(1_000_000)), "compressed-data"),
    "compressed twice": lambda _: part(compress(part(compress(INNER), "compressed-data")), "compressed-data"),
    "encrypted twice": lambda link: part(sent(link, piece_by(link, "bob")), "enveloped-data"),
    "bad base64": lambda _: b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n***",
}


@pytest.mark.parametrize("case", CONTENTS)
@pytest.mark.parametrize("cipher", [Cipher.AES128_CBC, Cipher.AES256_CBC])
def test_what_decrypts_and_is_refused(link: Any, refused: Any, case: str, cipher: Cipher) -> None:
    terms = {"max_payload": 10_000, "their_signing": tuple(link.keys[n].certificate for n in ("bob", "dave"))}
    assert_told_nothing(link, sent(link, CONTENTS[case](link), cipher), refused, **terms)


def test_the_signature_is_what_makes_the_difference(link: Any) -> None:
    """Else all of the above could be refused for some other reason."""
    result, _ = reply(link, sent(link, piece_by(link, "bob")))
    assert isinstance(result, Received)


# Changes of the ciphertext.


def cbc_of(body: bytes, ciphertext_size: int) -> tuple[bytes, bytes]:
    """A CMS that ends in its ciphertext, cut there."""
    return body[:-ciphertext_size], body[-ciphertext_size:]


def padded(content: bytes) -> int:
    return (len(content) // BLOCK + 1) * BLOCK


def oracle_mutations(data: bytes) -> Iterator[bytes]:
    """Same length, so that the CMS around it stays whole."""
    for position in (-1, -2, -BLOCK, -BLOCK - 1, -2 * BLOCK, 0, BLOCK, len(data) // 2):
        for bit in (0, 1, 4, 7):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            yield bytes(changed)
    blocks = [data[i : i + BLOCK] for i in range(0, len(data), BLOCK)]
    yield b"".join(reversed(blocks))
    for first, second in ((0, 1), (0, -1), (-2, -1), (3, -1)):
        moved = list(blocks)
        moved[first], moved[second] = moved[second], moved[first]
        yield b"".join(moved)
    for known, last in itertools.product(range(0, len(blocks), 7), (bytes(BLOCK), b"\xff" * BLOCK)):
        yield b"".join([*blocks[:-2], last, blocks[known]])
    yield bytes(len(data))


def test_changed_ciphertext(link: Any, refused: Any) -> None:
    content = piece_by(link, "bob")
    head, data = cbc_of(sent(link, content), padded(content))
    for changed in oracle_mutations(data):
        assert_told_nothing(link, head + changed, refused)


def test_a_changed_or_foreign_key(link: Any, refused: Any) -> None:
    content = piece_by(link, "bob")
    body = sent(link, content)
    other = sent(link, content)
    at = body.index(link.keys["alice"].certificate.serial_number.to_bytes(20, "big").lstrip(b"\0")) + 40
    for start in (at + 30, at + 100, at + 200):
        changed = body[:start] + bytes([body[start] ^ 1]) + body[start + 1 :]
        assert_told_nothing(link, changed, refused)
    assert len(body) == len(other)
    size = padded(content)
    assert_told_nothing(link, body[:-size] + other[-size:], refused)


# What an attacker reaches who knows the content, or guesses it: encrypted here as he would make it.


def behind_the_signed_part(content: bytes) -> Iterator[bytes]:
    for tail in (
        b"x",
        b"\r\n\r\n",
        b"\x05" * 5,
        bytes(range(BLOCK)),
        b"\x0a" * 10,
        b"\xff" * 64,
        b"--b1--\r\n",
    ):
        yield content + tail


def inside_the_headers(content: bytes) -> Iterator[bytes]:
    garbage = bytes(range(0x80, 0x80 + 2 * BLOCK))
    at = content.index(b"micalg=sha-256") + len(b"micalg=sha-256")
    yield content[:at] + garbage + content[at:]
    yield b"X-A: " + garbage + b"\r\n" + content
    at = content.index(b"--b1")
    yield content[:at] + garbage + b"\r\n" + content[at:]
    at = content.index(b"application/pkcs7-signature; ") + len(b"application/pkcs7-signature; ")
    yield content[:at] + garbage + content[at:]


def test_nothing_unsigned_is_let_pass_beside_the_signed_part(link: Any, refused: Any) -> None:
    """Blocks that are ignored would say by `processed` that they decrypt to something that can be ignored."""
    content = piece_by(link, "bob")
    for changed in (*behind_the_signed_part(content), *inside_the_headers(content)):
        assert_told_nothing(link, sent(link, changed), refused)


def test_a_third_part_is_not_let_pass(link: Any, refused: Any) -> None:
    content = piece_by(link, "bob")
    changed = content.replace(b"--b1--", b"--b1\r\n\r\n" + bytes(64) + b"\r\n--b1--")
    assert_told_nothing(link, sent(link, changed), refused)


def test_a_missing_end_is_not_let_pass(link: Any, refused: Any) -> None:
    content = piece_by(link, "bob")
    assert_told_nothing(link, sent(link, content.removesuffix(b"--b1--\r\n")), refused)


@pytest.mark.parametrize("tail", [b"", b"\r\n", b"\n"])
def test_what_products_write_behind_the_end_is_let_pass(link: Any, tail: bytes) -> None:
    content = piece_by(link, "bob").removesuffix(b"\r\n") + tail
    assert isinstance(reply(link, sent(link, content))[0], Received)


def test_outside_encryption_and_under_a_tag_there_is_no_need(link: Any) -> None:
    content = piece_by(link, "bob") + b"epilogue\xff"
    assert isinstance(reply(link, sent(link, content, Cipher.AES256_GCM))[0], Received)
    message: Composed = link.send(encrypt=False)
    result = link.receive(
        message.headers, message.body + b"epilogue\xff", link.alice(require_encrypted=False)
    )
    assert isinstance(result, Received)


def test_a_changed_tag_or_content_under_gcm(link: Any, refused: Any) -> None:
    content = piece_by(link, "bob")
    body = sent(link, content, Cipher.AES256_GCM)
    for position in (-1, -BLOCK, -BLOCK - 20, -len(content) // 2, -len(content) - 10):
        changed = bytearray(body)
        changed[position] ^= 1
        assert_told_nothing(link, bytes(changed), refused)


@pytest.mark.parametrize(
    "case", ["signed by a stranger", "tampered", "not zlib", "bad base64", "compressed twice"]
)
def test_under_a_tag_all_but_a_missing_signature_stays_untold(link: Any, refused: Any, case: str) -> None:
    content = CONTENTS[case](link)
    if case == "bad base64":
        result, _ = reply(link, sent(link, content, Cipher.AES128_GCM))
        assert result.disposition is Disposition.INSUFFICIENT_MESSAGE_SECURITY
    else:
        assert_told_nothing(link, sent(link, content, Cipher.AES128_GCM), refused)


def test_an_unforeseen_crash_inside_encryption_is_told_as_nothing_else(
    link: Any, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = sent(link, piece_by(link, "bob"))

    def crash(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(signature, "split", crash)
    assert_told_nothing(link, body, refused)


def test_the_refusal_does_not_depend_on_the_message_but_for_its_ids(link: Any, refused: Any) -> None:
    message = link.send()
    headers = {**dict(message.headers), "Message-ID": "<other@bob>"}.items()
    body = sent(link, CONTENTS["tampered"](link))
    mdn = link.answer(headers, body)[1]
    unsigned = split(mime.from_http(link.wire(mdn.headers), mdn.body)).parts[0]
    first = split(mime.from_http(link.wire(refused[0]), refused[1])).parts[0]  # type: ignore[arg-type]
    assert unsigned.replace(b"<other@bob>", b"<1@bob>") == first


def test_once_the_signature_holds_the_cause_is_told(link: Any) -> None:
    inner = part(compress(bytes(1_000_000)), "compressed-data")
    result, _ = reply(link, sent(link, piece_by(link, "bob", inner)), max_payload=10_000)
    assert isinstance(result, Refused)
    assert (result.disposition, result.concealed) == (Disposition.DECOMPRESSION_FAILED, False)
    assert result.mic is not None
