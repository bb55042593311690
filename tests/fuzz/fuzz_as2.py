"""Coverage-guided fuzzing of the AS2 and CMS rooms, by hand.

    python -m venv .fuzz && .fuzz/bin/pip install -e '.[fuzz]'
    .fuzz/bin/python tests/fuzz/fuzz_as2.py -max_total_time=3600 -max_len=8192 corpus/

`corpus/` is any folder, empty at first: it gets a message of each form, and what reaches new code is kept
there. Keys are made anew in each run, and a message of an older run decrypts to nothing: take a new folder.
Everything else is an option of libFuzzer.

The promise: whatever the octets, the readers of CMS return or raise a SecurityError, a message is received
with what its partner signed, or refused with a documented disposition and a reason in words, and a response
is judged. Anything else ends the run and leaves the input in a `crash-*` file.

Atheris has wheels for CPython 3.11 to 3.13 on Linux; it is no dependency of the tests, which do not collect
this file.
"""

import contextlib
import datetime
import pathlib
import sys
from collections.abc import Callable, Iterator

import atheris

with atheris.instrument_imports(include=["tidewaiter.gateway.as2", "tidewaiter.security"]):
    from tidewaiter.gateway.as2 import (
        BadRequest,
        Composed,
        Disposition,
        MdnResult,
        Received,
        Refused,
        Terms,
        compose,
        compose_mdn,
        identify,
        read_mdn,
        receive,
    )
    from tidewaiter.security import (
        DEFAULT_POLICY,
        Cipher,
        KeyTransport,
        SecurityError,
        der,
        load_certificates,
        load_private_key,
        make_self_signed,
    )
    from tidewaiter.security.cms import (
        DecryptionKey,
        Signer,
        compress,
        content_type,
        decompress,
        decrypt,
        encrypt,
        sign,
        verify,
    )
    from tidewaiter.security.inspection.structures import carried_certificates, inspect

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
DOCUMENT = b"UNB+UNOC:3+BOB+ALICE+261122:1200+1'\r\nUNZ+0+1'\r\n"
LIMIT = 1_000_000
Keys = tuple[Signer, DecryptionKey]
Wire = tuple[tuple[bytes, bytes], ...]


def new(name: str, kind: str) -> Keys:
    certificate_pem, key_pem = make_self_signed(name, now=NOW, days=30, key=kind)
    certificate, key = load_certificates(certificate_pem)[0], load_private_key(key_pem)
    return Signer(certificate, key), DecryptionKey(certificate, key)


ALICE, BOB, CAROL = new("alice", "rsa2048"), new("bob", "rsa2048"), new("carol", "p256")
KEYS = (ALICE[1], CAROL[1])
PINNED = (BOB[1].certificate, CAROL[1].certificate)


def terms(ours: str, theirs: str, **changes: object) -> Terms:
    """Those of alice or of bob."""
    own, other = (ALICE, BOB) if ours == "alice" else (BOB, ALICE)
    values: dict[str, object] = {
        "our_name": ours,
        "their_name": theirs,
        "decryption_keys": KEYS if ours == "alice" else (),
        "signer": own[0],
        "their_signing": PINNED if ours == "alice" else (other[1].certificate,),
        "their_encryption": other[1].certificate,
        "max_payload": LIMIT,
    }
    return Terms(**{**values, **changes})  # type: ignore[arg-type]


def sent(**changes: object) -> Composed:
    return compose(
        DOCUMENT,
        "application/edifact",
        terms("bob", "alice", **changes),
        message_id="<1@bob>",
        now=NOW,
        boundary="0f1e2d3c",
        filename="p.edi",
    )


# The first octet of an input chooses one of these as the headers it comes with.
FORMS: tuple[Composed, ...] = (
    sent(),
    sent(encrypt=False),
    sent(cipher=Cipher.AES256_GCM, compress=True),
    sent(cipher=Cipher.AES128_GCM, gcm_in_enveloped=True, opaque=True),
    sent(key_transport=KeyTransport.RSA_OAEP_SHA256, base64=True),
    sent(their_encryption=CAROL[1].certificate, signer=CAROL[0]),
    sent(encrypt=False, opaque=True),
    sent(encrypt=False, compress=True, compress_after_signing=True),
)
STRICT, SIGNED = terms("alice", "bob"), terms("alice", "bob", require_encrypted=False)
OPEN = terms("alice", "bob", require_encrypted=False, require_signed=False)
SENDER = terms("bob", "alice")


def wire(message: Composed) -> Wire:
    """Headers as the listener gives them."""
    return tuple((name.lower().encode(), value.encode("latin-1")) for name, value in message.headers)


WIRES = tuple(map(wire, FORMS))
MDN = compose_mdn(
    identify(WIRES[0]),
    Disposition.PROCESSED,
    FORMS[0].mic,
    STRICT,
    message_id="<r@alice>",
    now=NOW,
    boundary="a1b2c3",
)
MDN_WIRE: Wire = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in MDN.headers)

READERS: tuple[Callable[[bytes], object], ...] = (
    content_type,
    inspect,
    carried_certificates,
    der.to_der,
    lambda data: decompress(data, limit=LIMIT),
    lambda data: decrypt(data, KEYS, policy=DEFAULT_POLICY),
    lambda data: verify(data, None, PINNED, policy=DEFAULT_POLICY, now=NOW),
    lambda data: verify(data, DOCUMENT, PINNED, policy=DEFAULT_POLICY, now=NOW),
)


def structure(data: bytes) -> None:
    """Everything that reads CMS."""
    for reader in READERS:
        with contextlib.suppress(SecurityError):
            reader(data)


def message(headers: Wire, body: bytes) -> None:
    """Received as signed, or refused in order; under each of the terms."""
    for agreed in (STRICT, SIGNED, OPEN):
        result = receive(identify(headers), headers, body, agreed, now=NOW)
        if isinstance(result, Received):
            assert len(result.payload) <= LIMIT
            assert not agreed.require_signed or result.signed
            assert not agreed.require_encrypted or result.encrypted
            assert not result.signed or result.payload == DOCUMENT
            continue
        assert isinstance(result, Refused)
        assert result.disposition is not Disposition.PROCESSED
        assert " " in result.reason.removeprefix("inside encryption: "), result.reason
        if result.concealed:
            assert (result.disposition, result.mic) == (Disposition.DECRYPTION_FAILED, None)


def response(body: bytes) -> None:
    """What answers a message of ours is positive only as alice signed it."""
    result = read_mdn(MDN_WIRE, body, SENDER, message_id="<1@bob>", mic=FORMS[0].mic, now=NOW)
    assert isinstance(result, MdnResult)


def request(data: bytes) -> None:
    """Header lines of any kind before a body."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in lines)
    with contextlib.suppress(BadRequest):
        identify(headers)
    named = {name for name, _ in headers}
    message((*headers, *(pair for pair in WIRES[0] if pair[0] not in named and pair[0][:3] == b"as2")), body)


def one_input(octets: bytes) -> None:
    """The first octet says what the others are."""
    choice, data = (octets[0] if octets else 0) % (len(FORMS) + 3), octets[1:]
    if choice < len(FORMS):
        message(WIRES[choice], data)
    elif choice == len(FORMS):
        structure(data)
    elif choice == len(FORMS) + 1:
        response(data)
    else:
        with contextlib.suppress(BadRequest):
            request(data)


def seeds() -> Iterator[bytes]:
    """A message of each form, a structure of each kind, a receipt, a request."""
    for choice, form in enumerate(FORMS):
        yield bytes((choice,)) + form.body
    count = len(FORMS)
    for made in (
        compress(DOCUMENT),
        sign(DOCUMENT, BOB[0], detached=True, signing_time=NOW),
        sign(DOCUMENT, CAROL[0], detached=False, signing_time=NOW),
        encrypt(DOCUMENT, [ALICE[1].certificate], cipher=Cipher.AES256_CBC),
        encrypt(DOCUMENT, [CAROL[1].certificate], cipher=Cipher.AES256_GCM),
    ):
        yield bytes((count,)) + made
    yield bytes((count + 1,)) + MDN.body
    lines = b"\r\n".join(name + b": " + value for name, value in WIRES[1])
    yield bytes((count + 2,)) + lines + b"\r\n\r\n" + FORMS[1].body


def seeded(arguments: list[str]) -> list[str]:
    """Fill the corpus."""
    corpus = pathlib.Path(arguments[-1])
    if arguments[-1].startswith("-") or corpus.is_file():
        return arguments
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(data)
    return arguments


if __name__ == "__main__":
    atheris.Setup(seeded(sys.argv), one_input)
    atheris.Fuzz()
