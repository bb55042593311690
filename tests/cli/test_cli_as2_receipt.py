"""`as2 verify-receipt` years later: by the signer's certificate, and against the stored request itself."""

import json
import pathlib
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import Result

from tidewaiter.gateway.as2 import Composed, Disposition, Terms, compose, compose_mdn, identify
from tidewaiter.security import load_certificates, load_private_key, make_self_signed
from tidewaiter.security.cms import Signer, sign

RunCli = Callable[..., Result]
VERIFIED, REFUSED, UNREADABLE = 0, 1, 2
# Certificates of that January have run out since.
SIGNED = datetime(2020, 1, 15, 12, tzinfo=UTC)
DOCUMENT = b"UNB+UNOA:1+A+B+200115:1200+1'\r\nUNZ+0+1'\r\n"


class Exchange:
    """A request of bob to alice, and her receipt, both as they were stored in 2020; keys lie beside."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.signers = {}
        self.certificates = {}
        for name in ("alice", "bob"):
            certificate, key = make_self_signed(name, now=datetime(2020, 1, 1, tzinfo=UTC), days=31)
            (folder / f"{name}.pem").write_bytes(certificate)
            (folder / f"{name}.key").write_bytes(key)
            self.certificates[name] = load_certificates(certificate)[0]
            self.signers[name] = Signer(self.certificates[name], load_private_key(key))

    def terms(self, ours: str, theirs: str, **changes: Any) -> Terms:
        return Terms(
            our_name=ours,
            their_name=theirs,
            signer=self.signers[ours],
            their_encryption=self.certificates[theirs],
            **changes,
        )

    def request(self, **changes: Any) -> Composed:
        message = compose(
            DOCUMENT,
            "application/edifact",
            self.terms("bob", "alice", **changes),
            message_id="<1@bob>",
            now=SIGNED,
            boundary="b" * 20,
        )
        self.store("request.http", "POST /as2 HTTP/1.1", message.headers, message.body)
        return message

    def receipt(
        self, message: Composed, *, dated: bool = True, now: datetime = SIGNED, **changes: Any
    ) -> None:
        headers = [(name.encode(), value.encode()) for name, value in message.headers]
        mdn = compose_mdn(
            identify(headers),
            changes.pop("disposition", Disposition.PROCESSED),
            changes.pop("mic", message.mic),
            self.terms("alice", "bob", **changes),
            message_id="<r@alice>",
            now=now,
            boundary="c" * 20,
        )
        fields = [(name, value) for name, value in mdn.headers if dated or name != "Date"]
        self.store("receipt.http", "HTTP/1.1 200 OK", fields, mdn.body)

    def store(self, name: str, start: str, headers: Any, body: bytes) -> None:
        head = "".join(f"{key}: {value}\r\n" for key, value in headers)
        (self.folder / name).write_bytes(f"{start}\r\n{head}\r\n".encode() + body)


@pytest.fixture
def exchange(tmp_path: pathlib.Path) -> Exchange:
    return Exchange(tmp_path)


@pytest.fixture
def verify(cli: RunCli, tmp_path: pathlib.Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """verify(words...): code and what is told, with alice's certificate."""

    def run(*words: object) -> tuple[int, dict[str, Any]]:
        given = ("--certificate", tmp_path / "alice.pem", *words)
        done = cli("as2", "verify-receipt", tmp_path / "receipt.http", *given, "--json")
        assert done.exit_code != UNREADABLE, done.stderr
        return done.exit_code, json.loads(done.stdout)

    return run


Verify = Callable[..., tuple[int, dict[str, Any]]]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"compress": True},
        {"compress": True, "compress_after_signing": True},
        {"opaque": True},
        {"sign": False, "compress": True},
        {"sign": False, "encrypt": False},
    ],
)
def test_the_stored_request_is_the_document(
    verify: Verify, exchange: Exchange, tmp_path: pathlib.Path, changes: dict[str, bool]
) -> None:
    exchange.receipt(exchange.request(**changes))
    request, key = tmp_path / "request.http", ("--key", tmp_path / "alice.key")
    code, told = verify("--message", request, *key)
    assert (code, told["verified"], told["document"]) == (VERIFIED, True, "matches")
    assert told["judged"] == "as of 2020-01-15T12:00:00+00:00, by the signature"
    exchange.request(**changes)
    data = request.read_bytes()
    if not changes.get("encrypt", True):
        request.write_bytes(data.replace(b"UNZ+0", b"UNZ+1"))
        assert verify("--message", request)[1]["document"] == "is another one"


def test_a_request_that_is_encrypted_takes_its_key(
    verify: Verify, exchange: Exchange, tmp_path: pathlib.Path
) -> None:
    exchange.receipt(exchange.request())
    code, told = verify("--message", tmp_path / "request.http")
    assert (code, told["verified"]) == (REFUSED, True)
    assert told["document"].startswith("cannot be told: the message cannot be opened")


def test_a_request_of_another_id_is_another_one(
    verify: Verify, exchange: Exchange, tmp_path: pathlib.Path
) -> None:
    exchange.receipt(exchange.request())
    request = tmp_path / "request.http"
    request.write_bytes(request.read_bytes().replace(b"<1@bob>", b"<2@bob>"))
    code, told = verify("--message", request, "--key", tmp_path / "alice.key")
    assert (code, told["document"]) == (
        REFUSED,
        "is another one: its Message-ID is not the one in the receipt",
    )
    # Some products drop the brackets.
    request.write_bytes(request.read_bytes().replace(b"<2@bob>", b"1@bob"))
    assert verify("--message", request, "--key", tmp_path / "alice.key")[0] == VERIFIED


def test_a_request_of_the_same_id_with_another_content(
    verify: Verify, exchange: Exchange, tmp_path: pathlib.Path
) -> None:
    exchange.receipt(exchange.request())
    exchange.request(compress=True)
    code, told = verify("--message", tmp_path / "request.http", "--key", tmp_path / "alice.key")
    assert (code, told["document"]) == (REFUSED, "is another one")


def test_when_it_was_signed_decides_and_not_what_the_header_says(
    verify: Verify, exchange: Exchange, tmp_path: pathlib.Path
) -> None:
    message = exchange.request()
    exchange.receipt(message)
    file = tmp_path / "receipt.http"
    file.write_bytes(file.read_bytes().replace(b"Date: Wed, 15 Jan 2020", b"Date: Sat, 15 Jan 2022"))
    code, told = verify()
    assert (code, told["judged"]) == (VERIFIED, "as of 2020-01-15T12:00:00+00:00, by the signature")
    exchange.receipt(message, now=datetime(2021, 1, 1, tzinfo=UTC))
    file.write_bytes(file.read_bytes().replace(b"Date: Fri, 01 Jan 2021", b"Date: Wed, 15 Jan 2020"))
    code, told = verify("--at", "2020-01-15")
    assert (code, told["verified"]) == (REFUSED, False)
    assert told["judged"] == "as of 2021-01-01T00:00:00+00:00, by the signature"


def test_one_that_is_not_dated_takes_the_time_given(
    verify: Verify, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its signing time: as some products sign."""
    from tidewaiter.gateway.as2.inspection import messages

    exchange.receipt(exchange.request(), dated=False)
    assert verify()[1]["judged"].endswith("by the signature")
    monkeypatch.setattr(messages, "signing_times", lambda _: iter(()))
    code, told = verify("--at", "2020-01-20T08:00:00Z")
    assert (code, told["judged"]) == (VERIFIED, "as of 2020-01-20T08:00:00+00:00, by the time given")
    code, told = verify()
    assert (code, told["judged"].split(", by ")[1]) == (REFUSED, "the clock")
    exchange.receipt(exchange.request())
    code, told = verify("--at", "2022-01-20")
    assert (code, told["judged"]) == (VERIFIED, "as of 2020-01-15T12:00:00+00:00, by the Date header")


def test_line_ends_that_an_editor_changed(verify: Verify, exchange: Exchange, tmp_path: pathlib.Path) -> None:
    exchange.receipt(exchange.request())
    file = tmp_path / "receipt.http"
    file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n"))
    assert verify()[0] == VERIFIED


def test_it_was_given_by_an_earlier_certificate(
    cli: RunCli, exchange: Exchange, tmp_path: pathlib.Path
) -> None:
    exchange.receipt(exchange.request())
    words = ("--certificate", tmp_path / "bob.pem", "--certificate", tmp_path / "alice.pem")
    assert cli("as2", "verify-receipt", tmp_path / "receipt.http", *words).exit_code == VERIFIED
    assert cli("as2", "verify-receipt", tmp_path / "receipt.http", *words[:2]).exit_code == REFUSED


def test_a_receipt_without_a_signature_proves_nothing(verify: Verify, exchange: Exchange) -> None:
    message = exchange.request(signed_receipts=False)
    exchange.receipt(message)
    code, told = verify()
    assert (code, told["verified"], told["reason"]) == (REFUSED, False, "the receipt is not signed")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--at", "then"), "--at 'then' is no time: 2026-11-22T09:30:00Z"),
        (("--message", "{0}/none"), "{0}/none: No such file or directory"),
        (("--message", "{0}/request.http", "--key", "{0}/bob.key"), "{0}/bob.key: none of the certificates"),
        (("--message", "{0}/alice.key"), "{0}/alice.key: is no stored message"),
        (
            ("--message", "{0}/request.http", "--document", "{0}/request.http"),
            "--document and --message both say what was sent: give one of them",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(
    cli: RunCli, exchange: Exchange, tmp_path: pathlib.Path, words: tuple[str, ...], complaint: str
) -> None:
    exchange.receipt(exchange.request())
    given = ("--certificate", tmp_path / "alice.pem", *(word.format(tmp_path) for word in words))
    done = cli("as2", "verify-receipt", tmp_path / "receipt.http", *given)
    assert (done.exit_code, done.stdout) == (UNREADABLE, "")
    assert done.stderr.startswith(complaint.format(tmp_path))
    assert len(done.stderr.splitlines()) == 1


def test_a_multipart_report_that_speaks_of_no_message(
    cli: RunCli, exchange: Exchange, tmp_path: pathlib.Path
) -> None:
    exchange.receipt(exchange.request())
    file = tmp_path / "receipt.http"
    file.write_bytes(file.read_bytes().replace(b"Original-Message-ID", b"X-Message-ID"))
    done = cli("as2", "verify-receipt", file, "--certificate", tmp_path / "alice.pem")
    assert (done.exit_code, done.stderr) == (UNREADABLE, f"{file}: is an MDN about no message\n")


@pytest.mark.parametrize("disposition", [Disposition.DECRYPTION_FAILED, Disposition.UNSUPPORTED_FORMAT])
def test_a_receipt_that_refuses_is_proof_of_that(
    verify: Verify, exchange: Exchange, tmp_path: pathlib.Path, disposition: Disposition
) -> None:
    exchange.receipt(exchange.request(), disposition=disposition, mic=None)
    code, told = verify()
    assert (code, told["verified"], told["says"]) == (REFUSED, True, f"refused: {disposition.text}")
    request = tmp_path / "request.http"
    code, told = verify("--message", request, "--key", tmp_path / "alice.key")
    said = "the receipt has no MIC; the Message-ID is that of the message"
    assert (code, told["verified"], told["document"]) == (REFUSED, True, said)
    code, told = verify("--document", request)
    assert (code, told["document"]) == (REFUSED, "cannot be told: the receipt has no MIC")


def test_a_refusal_that_nobody_signed_is_none(
    cli: RunCli, exchange: Exchange, tmp_path: pathlib.Path
) -> None:
    exchange.receipt(exchange.request(), disposition=Disposition.DECRYPTION_FAILED, mic=None)
    file, stranger = tmp_path / "receipt.http", tmp_path / "bob.pem"
    done = cli("as2", "verify-receipt", file, "--certificate", stranger, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verified"], "says" in told) == (REFUSED, False, False)


def test_the_mic_that_was_kept_is_told_apart_from_the_signature(verify: Verify, exchange: Exchange) -> None:
    message = exchange.request()
    exchange.receipt(message)
    other = "AAAA, sha-256"
    said = {mic: verify("--mic", mic) for mic in (str(message.mic), message.mic.value, other, "?garbage")}
    assert [(code, told["verified"], told["same-mic"]) for code, told in said.values()] == [
        (VERIFIED, True, "matches"),
        (VERIFIED, True, "matches"),
        (REFUSED, True, "is another one"),
        (REFUSED, True, "is not a MIC"),
    ]
    exchange.receipt(message, mic=None)
    assert verify("--mic", str(message.mic))[1]["same-mic"] == "cannot be told: the receipt has no MIC"


def test_from_standard_input(cli: RunCli, exchange: Exchange, tmp_path: pathlib.Path) -> None:
    exchange.receipt(exchange.request())
    data = (tmp_path / "receipt.http").read_bytes()
    done = cli("as2", "verify-receipt", "-", "--certificate", tmp_path / "alice.pem", given=data)
    assert (done.exit_code, "verified: True\n" in done.stdout) == (VERIFIED, True)


def test_the_commands_of_the_page_verify_what_has_run_out(exchange: Exchange, tmp_path: pathlib.Path) -> None:
    """`openssl cms -verify`, as the page about AS2 gives it, years after the certificate was valid."""
    page = pathlib.Path(__file__).parents[2] / "docs/as2.md"
    text = page.read_text("utf-8").replace("\\\n", " ")
    commands = re.findall(r"(?m)^openssl cms -verify .*$", text)
    assert len(commands) == 2
    exchange.receipt(exchange.request())
    issued = b'{"digest":{"algorithm":"sha-256"}}'
    signature = sign(issued, exchange.signers["alice"], detached=True, signing_time=SIGNED)
    (tmp_path / "receipt.json").write_bytes(issued)
    (tmp_path / "receipt.p7s").write_bytes(signature)
    (tmp_path / "sent").mkdir()
    (tmp_path / "receipt.http").rename(tmp_path / "sent/0001-response.http")
    (tmp_path / "alice.pem").rename(tmp_path / "customs.pem")
    for day, code in (("2020-03-15 12:00", 4), ("2020-01-15 12:00", 0)):
        for command in commands:
            line = re.sub(r'"[^"]+"', f'"{day}"', command)
            done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False)
            assert done.returncode == code, done.stderr.decode()
    assert b"Received-Content-MIC: " in (tmp_path / "report.txt").read_bytes()
    # What was changed does not verify.
    file = tmp_path / "sent/0001-response.http"
    file.write_bytes(file.read_bytes().replace(b"Received-Content-MIC: ", b"Received-Content-MIC: A"))
    line = re.sub(r'"[^"]+"', '"2020-01-15 12:00"', commands[0])
    assert subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False).returncode == 4
