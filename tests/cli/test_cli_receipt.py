"""`verify-receipt` on receipts as a trader keeps them: what proves, what does not, what is no receipt."""

import base64
import datetime
import hashlib
import json
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from tidewaiter.gateway import clock
from tidewaiter.gateway.as2 import Disposition, Mic, Terms, compose_mdn, identify
from tidewaiter.gateway.receipts import SIGNATURE_HEADER
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.security import (
    DEFAULT_POLICY,
    Digest,
    fingerprint,
    load_certificates,
    load_private_key,
    make_self_signed,
)
from tidewaiter.security.cms import DecryptionKey, Signer, decrypt, sign

RunCli = Callable[..., Result]
Wire = Callable[[str, int], pathlib.Path]
VERIFIED, REFUSED, UNREADABLE = 0, 1, 2
PAYLOAD = sample("export.xml")


@pytest.fixture
def ask(cli: RunCli, lodged: pathlib.Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """ask(file, options...): the exit code, and what is told as JSON; the certificate is the gateway's."""

    def verify(
        file: pathlib.Path, *options: object, certificate: str = "gateway"
    ) -> tuple[int, dict[str, Any]]:
        pem = lodged / f"keys/{certificate}.pem"
        done = cli("verify-receipt", file, "--certificate", pem, "--json", *options)
        assert done.exit_code != UNREADABLE, done.stderr
        return done.exit_code, json.loads(done.stdout)

    return verify


Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def expired() -> tuple[bytes, bytes]:
    """A certificate that was valid in January 2020, and its key."""
    return make_self_signed("was once", now=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), days=31)


def signer_of(pair: tuple[bytes, bytes]) -> Signer:
    return Signer(load_certificates(pair[0])[0], load_private_key(pair[1]), Digest.SHA256)


def parts(file: pathlib.Path) -> tuple[bytes, bytes]:
    head, _, body = file.read_bytes().partition(b"\r\n\r\n")
    return head, body


@pytest.fixture
def document(tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "export.xml"
    file.write_bytes(PAYLOAD)
    return file


def test_a_stored_202_proves_the_document(
    ask: Ask, wire: Wire, lodged: pathlib.Path, document: pathlib.Path
) -> None:
    file = wire("receipt", 0)
    code, told = ask(file, "--document", document)
    receipt = json.loads(parts(file)[1])
    assert (code, told) == (
        VERIFIED,
        {
            "kind": "receipt",
            "id": receipt["id"],
            "received": receipt["received"],
            "verified": True,
            "issued": receipt["issued"],
            "signer": fingerprint(load_certificates((lodged / "keys/gateway.pem").read_bytes())[0]),
            "document": "matches",
        },
    )


def test_it_is_told_to_a_person_too(cli: RunCli, wire: Wire, lodged: pathlib.Path) -> None:
    done = cli("verify-receipt", wire("receipt", 0), "--certificate", lodged / "keys/gateway.pem")
    assert done.exit_code == VERIFIED
    assert "verified: True\n" in done.stdout
    assert "document" not in done.stdout


def test_another_document_is_not_proved(ask: Ask, wire: Wire, document: pathlib.Path) -> None:
    document.write_bytes(PAYLOAD + b" ")
    code, told = ask(wire("receipt", 0), "--document", document)
    assert (code, told["verified"], told["document"]) == (REFUSED, True, "is another one")


@pytest.mark.parametrize("name", ["gateway-tls", "trader"])
def test_another_certificate_proves_nothing(ask: Ask, wire: Wire, name: str) -> None:
    for what in ("receipt", "MDN"):
        code, told = ask(wire(what, 0), certificate=name)
        assert (code, told["verified"]) == (REFUSED, False)
        assert told["reason"]
        assert "signer" not in told


def test_a_tampered_body_proves_nothing(ask: Ask, wire: Wire, tmp_path: pathlib.Path) -> None:
    head, body = parts(wire("receipt", 0))
    file = tmp_path / "forged.http"
    file.write_bytes(head + b"\r\n\r\n" + body.replace(b'"lodged-before":false', b'"lodged-before":true'))
    assert file.read_bytes() != wire("receipt", 0).read_bytes()
    code, told = ask(file)
    assert (code, told["verified"]) == (REFUSED, False)


def test_a_tampered_signature_proves_nothing(ask: Ask, wire: Wire, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "forged.http"
    data = wire("receipt", 0).read_bytes()
    for value in (b"", b"AAAA", b"no base64!"):
        file.write_bytes(re.sub(rb"(?mi)^(receipt-signature: )[^\r]*", rb"\1" + value, data))
        code, told = ask(file)
        assert (code, told["verified"]) == (REFUSED, False)


@pytest.mark.parametrize("form", ["der", "base64"])
def test_a_json_receipt_alone_with_its_signature_beside(
    ask: Ask,
    cli: RunCli,
    wire: Wire,
    lodged: pathlib.Path,
    tmp_path: pathlib.Path,
    document: pathlib.Path,
    form: str,
) -> None:
    head, body = parts(wire("receipt", 0))
    found = re.search(rb"(?mi)^%s: ([^\r]*)" % SIGNATURE_HEADER.encode(), head)
    assert found is not None
    signature = base64.b64decode(found[1]) if form == "der" else found[1]
    file = tmp_path / "receipt.json"
    file.write_bytes(body)
    missing = cli("verify-receipt", file, "--certificate", lodged / "keys/gateway.pem")
    assert (missing.exit_code, missing.stderr) == (
        UNREADABLE,
        f"{tmp_path / 'receipt.p7s'}: No such file or directory\n",
    )
    (tmp_path / "receipt.p7s").write_bytes(signature)
    code, told = ask(file, "--document", document)
    assert (code, told["document"]) == (VERIFIED, "matches")
    (tmp_path / "receipt.p7s").rename(tmp_path / "other.sig")
    assert ask(file, "--signature", tmp_path / "other.sig")[0] == VERIFIED
    file.write_bytes(body.replace(b"trader", b"trador"))
    assert ask(file, "--signature", tmp_path / "other.sig")[0] == REFUSED


def made(pair: tuple[bytes, bytes], issued: datetime.datetime) -> tuple[bytes, bytes]:
    """A receipt for PAYLOAD issued then, and its signature."""
    digest = {"algorithm": "sha-256", "value": hashlib.sha256(PAYLOAD).hexdigest(), "octets": len(PAYLOAD)}
    body = json.dumps({"id": "L1", "received": "x", "digest": digest, "issued": issued.isoformat()}).encode()
    return body, sign(body, signer_of(pair), detached=True, signing_time=issued)


def test_a_certificate_may_have_expired_since(
    cli: RunCli, tmp_path: pathlib.Path, expired: tuple[bytes, bytes]
) -> None:
    (tmp_path / "old.pem").write_bytes(expired[0])
    codes = {}
    for day in ("2020-01-15", "2020-03-01", "2019-12-01"):
        body, signature = made(expired, datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00"))
        (tmp_path / "r.json").write_bytes(body)
        (tmp_path / "r.p7s").write_bytes(signature)
        done = cli("verify-receipt", tmp_path / "r.json", "--certificate", tmp_path / "old.pem")
        codes[day] = done.exit_code
    assert codes == {"2020-01-15": VERIFIED, "2020-03-01": REFUSED, "2019-12-01": REFUSED}


def test_an_mdn_is_proved_by_its_mic_and_by_the_part_it_covers(
    ask: Ask, wire: Wire, lodged: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    lines = [json.loads(line) for line in (lodged / "wire/messages.jsonl").read_bytes().splitlines()]
    sent = next(line for line in lines if line["channel"] == "as2" and "mic" in line)
    code, told = ask(wire("MDN", 0), "--mic", sent["mic"])
    assert (code, told["verified"], told["mic"]) == (VERIFIED, True, sent["mic"])
    assert (told["kind"], told["message"]) == ("MDN", sent["message-id"])
    assert told["disposition"] == "processed"
    covered = tmp_path / "part"
    covered.write_bytes(_covered(lodged, wire("declaration", 0)))
    code, told = ask(wire("MDN", 0), "--document", covered)
    assert (code, told["document"]) == (VERIFIED, "matches")
    covered.write_bytes(covered.read_bytes() + b"\r\n")
    code, told = ask(wire("MDN", 0), "--document", covered)
    assert (code, told["verified"], told["document"]) == (REFUSED, True, "is another one")


def _covered(lodged: pathlib.Path, request: pathlib.Path) -> bytes:
    """The first part of the multipart/signed in a recorded request, opened with the gateway's key."""
    certificate = load_certificates((lodged / "keys/gateway.pem").read_bytes())[0]
    key = DecryptionKey(certificate, load_private_key((lodged / "keys/gateway.key").read_bytes()))
    entity = decrypt(parts(request)[1], [key], policy=DEFAULT_POLICY)
    boundary = re.search(rb'boundary="?([^";\r]+)', entity)
    assert boundary is not None
    return entity.split(b"--" + boundary[1])[1].removeprefix(b"\r\n").removesuffix(b"\r\n")


def test_another_mic_is_not_proved(ask: Ask, wire: Wire) -> None:
    other = Mic.over(b"another document", Digest.SHA256)
    code, told = ask(wire("MDN", 0), "--mic", str(other))
    assert (code, told["verified"], told["same-mic"]) == (REFUSED, True, "is another one")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"; processed", b"; displayed"),
        (b"Original-Message-ID: <T", b"Original-Message-ID: <X"),
        (b"MIC: ", b"MIC: A"),
    ],
)
def test_a_tampered_mdn_proves_nothing(
    ask: Ask, wire: Wire, tmp_path: pathlib.Path, old: bytes, new: bytes
) -> None:
    data = wire("MDN", 0).read_bytes()
    assert old in data
    (tmp_path / "forged.http").write_bytes(data.replace(old, new))
    code, told = ask(tmp_path / "forged.http")
    assert (code, told["verified"]) == (REFUSED, False)


def mdn(pair: tuple[bytes, bytes], dated: datetime.datetime, disposition: Disposition) -> bytes:
    """A stored response with a signed MDN, made then."""
    asked = [
        (b"as2-from", b"TRADER"),
        (b"as2-to", b"GATEWAY"),
        (b"message-id", b"<1@trader.example>"),
        (b"as2-version", b"1.2"),
        (b"disposition-notification-to", b"a@b"),
        (
            b"disposition-notification-options",
            b"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256",
        ),
    ]
    terms = Terms(our_name="GATEWAY", their_name="TRADER", signer=signer_of(pair), encrypt=False)
    made = compose_mdn(
        identify(asked),
        disposition,
        Mic.over(PAYLOAD, Digest.SHA256),
        terms,
        message_id="<2@gateway.example>",
        now=dated,
        boundary="b" * 20,
    )
    fields = dict(made.headers) | {"Date": dated.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + made.body


def test_an_old_mdn_verifies_by_its_day(
    cli: RunCli, tmp_path: pathlib.Path, expired: tuple[bytes, bytes]
) -> None:
    (tmp_path / "old.pem").write_bytes(expired[0])
    (tmp_path / "document").write_bytes(PAYLOAD)
    codes = []
    for month in (1, 3):
        dated = datetime.datetime(2020, month, 15, tzinfo=datetime.UTC)
        (tmp_path / "mdn").write_bytes(mdn(expired, dated, Disposition.PROCESSED))
        done = cli(
            "verify-receipt", tmp_path / "mdn", "--certificate", tmp_path / "old.pem",
            *("--document", tmp_path / "document"),
        )  # fmt: skip
        codes.append(done.exit_code)
    assert codes == [VERIFIED, REFUSED]


def test_that_a_message_failed_is_proven_no_less(
    cli: RunCli, tmp_path: pathlib.Path, expired: tuple[bytes, bytes]
) -> None:
    (tmp_path / "old.pem").write_bytes(expired[0])
    dated = datetime.datetime(2020, 1, 15, tzinfo=datetime.UTC)
    (tmp_path / "mdn").write_bytes(mdn(expired, dated, Disposition.INTEGRITY_CHECK_FAILED))
    done = cli("verify-receipt", tmp_path / "mdn", "--certificate", tmp_path / "old.pem", "--json")
    told = json.loads(done.stdout)
    said = "processed/error: integrity-check-failed"
    assert (done.exit_code, told["verified"], told["says"]) == (REFUSED, True, f"refused: {said}")


def test_a_refusal_is_no_receipt(cli: RunCli, lodged: pathlib.Path, wire: Wire) -> None:
    file = wire("Unprocessable Entity", 0)
    done = cli("verify-receipt", file, "--certificate", lodged / "keys/gateway.pem")
    assert (done.exit_code, done.stdout, done.stderr) == (
        UNREADABLE,
        "",
        f"{file}: is JSON, but no receipt\n",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\r\n\r\n",
        b"{",
        b"{}",
        b'{"issued": 3, "digest": {"value": 1}}',
        b'{"issued": "2026-01-01T00:00:00", "digest": {"value": "1"}}',
        b'{"issued": "2026-01-01T00:00:00Z", "digest": []}',
        b"HTTP/1.1 200 OK\r\nAS2-From: A\r\nAS2-To: B\r\n\r\nno MDN",
        b"HTTP/1.1 200 OK\r\nAS2-From: \r\nAS2-To: \r\n\r\nOriginal-Message-ID: <1@a>\r\n",
        b"AS2-From: \xff\x00\r\nAS2-To: B\r\nDate: never\r\n\r\nOriginal-Message-ID: <1@a>\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
        bytes(range(256)) * 4,
    ],
)
def test_garbage_is_one_line_or_not_verified(
    cli: RunCli, lodged: pathlib.Path, tmp_path: pathlib.Path, content: bytes
) -> None:
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "file.p7s").write_bytes(b"0")
    done = cli("verify-receipt", tmp_path / "file", "--certificate", lodged / "keys/gateway.pem")
    assert done.exit_code == UNREADABLE, done.stdout
    assert done.stderr.startswith(f"{tmp_path}/file: ")
    assert len(done.stderr.splitlines()) == 1


def test_files_that_are_not_there_or_are_no_certificate(
    cli: RunCli, lodged: pathlib.Path, wire: Wire, tmp_path: pathlib.Path
) -> None:
    pem, none = lodged / "keys/gateway.pem", tmp_path / "none"
    (tmp_path / "bad.pem").write_text("no certificate")
    for words in (
        (none, "--certificate", pem),
        (wire("receipt", 0), "--certificate", none),
        (wire("receipt", 0), "--certificate", pem, "--document", none),
    ):
        done = cli("verify-receipt", *words)
        assert (done.exit_code, done.stderr) == (UNREADABLE, f"{none}: No such file or directory\n")
    done = cli("verify-receipt", wire("receipt", 0), "--certificate", tmp_path / "bad.pem")
    assert done.exit_code == UNREADABLE
    assert len(done.stderr.splitlines()) == 1


def test_now_is_not_asked_for(wire: Wire) -> None:
    """The receipt's own date decides, so the clock of this machine may be anywhere."""
    assert json.loads(parts(wire("receipt", 0))[1])["issued"].startswith(clock.iso(clock.instant())[:4])


@pytest.mark.parametrize("words", [("--mic", "AAAA, sha-256"), ("--message", "{0}")])
def test_what_is_for_an_mdn_is_not_passed_over(
    cli: RunCli, wire: Wire, lodged: pathlib.Path, words: tuple[str, str]
) -> None:
    file = wire("receipt", 0)
    given = ("--certificate", lodged / "keys/gateway.pem", words[0], words[1].format(file))
    done = cli("verify-receipt", file, *given)
    said = f"{file}: is a JSON receipt, which names the document: give --document\n"
    assert (done.exit_code, done.stdout, done.stderr) == (UNREADABLE, "", said)


def test_a_json_receipt_from_standard_input(cli: RunCli, wire: Wire, lodged: pathlib.Path) -> None:
    data = wire("receipt", 0).read_bytes()
    given = ("--certificate", lodged / "keys/gateway.pem")
    assert cli("verify-receipt", "-", *given, given=data).exit_code == VERIFIED
    done = cli("verify-receipt", "-", *given, given=data.partition(b"\r\n\r\n")[2])
    said = "a JSON receipt from standard input takes --signature\n"
    assert (done.exit_code, done.stderr) == (UNREADABLE, said)
