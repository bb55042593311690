"""`as2 send` over real connections to a peer that answers as told, and what it says when it cannot."""

import json
import pathlib
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import Result

from tidewaiter.gateway.as2 import Disposition, Mic, Received, Terms, compose_mdn, identify, receive
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.samples import sample
from tidewaiter.gateway.sandbox.wire import MESSAGES
from tidewaiter.security import Digest, KeyStoreError

RunCli = Callable[..., Result]
OK, REFUSED, UNUSABLE, AWAITED = 0, 1, 2, 3
PATIENCE = 30.0


class Peer:
    """An AS2 server on a thread: it takes each message by `terms` and gives `disposition`.

    What varies is set before a message comes; what came is in `taken`.
    """

    def __init__(self) -> None:
        self.terms: Terms | None = None
        self.disposition: Disposition | None = None
        self.mic: Mic | None = None
        self.status = 200
        self.receipted = True
        self.headers: list[dict[str, str]] = []
        self.taken: list[Received] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                peer.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/as2"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        body = self.read(request)
        identity = identify(headers)
        got = receive(identity, headers, body, self.terms, now=datetime.now(UTC))
        disposition, mic = self.disposition or got.disposition, self.mic or got.mic
        if isinstance(got, Received):
            self.taken.append(got)
        mdn = compose_mdn(
            identity,
            disposition,
            mic,
            self.terms,
            message_id="<r@peer>",
            now=datetime.now(UTC),
            boundary="b" * 20,
        )
        request.send_response(self.status)
        content = mdn.body if self.receipted else b""
        for name, value in mdn.headers if self.receipted else ():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    @staticmethod
    def read(request: BaseHTTPRequestHandler) -> bytes:
        if "chunked" not in request.headers.get("Transfer-Encoding", ""):
            return request.rfile.read(int(request.headers["Content-Length"]))
        body = b""
        while size := int(request.rfile.readline(), 16):
            body += request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()
        return body


@pytest.fixture
def peer(folder: pathlib.Path) -> Iterator[Peer]:
    """The partner `trader` of the configuration, to which it sends over AS2."""
    peer = Peer()
    peer.terms = load_account(folder, "trader").terms
    thread = threading.Thread(target=lambda: peer.server.serve_forever(poll_interval=0.01))
    thread.start()
    agree(folder, f'url = "{peer.url}"')
    yield peer
    peer.server.shutdown()
    thread.join(PATIENCE)
    peer.server.server_close()


def agree(folder: pathlib.Path, line: str) -> None:
    """Set a key of the trader's agreement."""
    file = folder / "partners/trader.toml"
    text, key = file.read_text(), line.split(" = ", maxsplit=1)[0]
    text = re.sub(rf"(?m)^{key} = .*\n", "", text)
    file.write_text(text.replace("[as2]\n", f"[as2]\n{line}\n"))


@pytest.fixture
def send(
    cli: RunCli, folder: pathlib.Path, samples: pathlib.Path
) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """send(words...): code and rows of sending import.edi to the trader."""

    def run(*words: object) -> tuple[int, list[dict[str, Any]]]:
        file = samples / "import.edi"
        done = cli("as2", "send", file, "--to", "trader", "--dir", folder, "--json", *words)
        assert done.stdout, done.stderr
        return done.exit_code, json.loads(done.stdout)

    return run


Send = Callable[..., tuple[int, list[dict[str, Any]]]]


def test_sent_and_receipted(send: Send, peer: Peer) -> None:
    code, (row,) = send("--subject", "a subject", "--message-id", "1@here")
    assert code == OK
    (got,) = peer.taken
    assert (got.payload, got.content_type, got.filename) == (
        sample("import.edi"),
        "application/edifact",
        "import.edi",
    )
    assert (got.signed, got.encrypted) == (True, True)
    assert (row["result"], row["receipt"], row["disposition"]) == ("receipted", "processed", "processed")
    assert (row["mic"], row["message"], row["http"]) == (str(got.mic), "<1@here>", 200)
    assert (row["same-mic"], row["signature"][:9]) == ("same MIC", "verified,")
    assert row["seconds"] > 0
    assert peer.headers[0]["subject"] == "a subject"


def test_a_person_is_told_in_words(
    cli: RunCli, folder: pathlib.Path, samples: pathlib.Path, peer: Peer
) -> None:
    files = (samples / "import.edi", samples / "export.xml")
    done = cli("as2", "send", *files, "--to", "trader", "--dir", folder)
    assert done.exit_code == OK
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("receipted ")] == [
        line for line in lines if not line.startswith("    ")
    ]
    assert len(lines) == 8
    assert [line.split(";")[-1] for line in lines if "receipt:" in line] == [" same MIC"] * 2
    assert [got.content_type for got in peer.taken] == ["application/edifact", "application/xml"]


def test_attachments_go_along(send: Send, peer: Peer, tmp_path: pathlib.Path) -> None:
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "odd").write_bytes(b"\0\1")
    code, _ = send("--attach", tmp_path / "invoice.pdf", "--attach", tmp_path / "odd")
    assert code == OK
    (got,) = peer.taken
    assert [(part.filename, part.content_type, part.content) for part in got.attachments] == [
        ("invoice.pdf", "application/pdf", b"%PDF-1.7"),
        ("odd", "application/octet-stream", b"\0\1"),
    ]


def test_what_the_agreement_says_is_done(send: Send, peer: Peer, folder: pathlib.Path) -> None:
    for line in ('cipher = "aes-128-gcm"', "compress = false", "chunked = true", 'digest = "sha-384"'):
        agree(folder, line)
    code, (row,) = send("--content-type", "text/plain")
    assert code == OK
    assert row["mic"].endswith(", sha-384")
    assert peer.headers[0]["transfer-encoding"] == "chunked"
    assert (peer.taken[0].compressed, peer.taken[0].content_type) == (False, "text/plain")


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (
            {"disposition": Disposition.DECRYPTION_FAILED},
            {"receipt": "error", "disposition": "processed/error: decryption-failed"},
        ),
        (
            {"mic": Mic.over(b"another", Digest.SHA256)},
            {"receipt": "mic-mismatch", "disposition": "processed"},
        ),
        ({"receipted": False}, {"receipt": "missing", "disposition": ""}),
        ({"status": 500}, {"reason": "HTTP 500"}),
        ({"status": 404, "receipted": False}, {"reason": "HTTP 404"}),
    ],
)
def test_what_proves_nothing_is_no_success(
    send: Send, peer: Peer, change: dict[str, Any], row: dict[str, str]
) -> None:
    for name, value in change.items():
        setattr(peer, name, value)
    code, (found,) = send()
    assert (code, found["result"]) == (REFUSED, "refused")
    assert {name: found[name] for name in row} == row
    if "mic" in change:
        assert found["same-mic"] == f"another MIC: {change['mic']}"


def test_over_tls_only_the_agreed_server_is_spoken_to(send: Send, peer: Peer, folder: pathlib.Path) -> None:
    context = load_account(folder, "trader").server_tls
    peer.server.socket = context.wrap_socket(peer.server.socket, server_side=True)
    peer.server.handle_error = lambda *_: None  # type: ignore[method-assign]
    agree(folder, f'url = "https://localhost:{peer.server.server_port}/as2"')
    settings = folder / "partners/trader.toml"
    text = re.sub(r"(?m)^server-certificates = .*\n", "", settings.read_text())
    settings.write_text(f'server-certificates = ["keys/health.pem"]\n{text}')
    code, (row,) = send()
    assert (code, row["result"]) == (REFUSED, "no answer")
    settings.write_text(f'server-certificates = ["keys/trader.pem"]\n{text}')
    code, (row,) = send()
    assert (code, row["result"]) == (OK, "receipted")


def test_a_receipt_by_somebody_else(send: Send, peer: Peer, starter: pathlib.Path) -> None:
    other = load_account(starter, "customs")
    assert peer.terms is not None
    from tidewaiter.security import load_private_key
    from tidewaiter.security.cms import Signer

    key = load_private_key((starter / "keys/customs.key").read_bytes())
    values = {field: getattr(peer.terms, field) for field in Terms.__dataclass_fields__}
    peer.terms = Terms(**values | {"signer": Signer(other.certificate, key)})
    code, (row,) = send()
    assert (code, row["receipt"], row["signature"]) == (REFUSED, "unverified", "none that holds")


def test_a_warning_is_a_success(send: Send, peer: Peer) -> None:
    peer.disposition = Disposition.DUPLICATE_DOCUMENT
    code, (row,) = send()
    assert (code, row["receipt"]) == (OK, "warning")


def test_no_receipt_is_asked_for(send: Send, peer: Peer, folder: pathlib.Path) -> None:
    agree(folder, 'receipts = "none"')
    peer.receipted = False
    code, (row,) = send()
    assert (code, row["result"], row["receipt"]) == (OK, "taken", "none is asked for")
    assert "disposition-notification-to" not in peer.headers[0]


def test_the_receipt_comes_later(send: Send, peer: Peer, folder: pathlib.Path, cli: RunCli) -> None:
    agree(folder, 'receipts = "async"')
    file = folder / "gateway.toml"
    file.write_text('as2-url = "https://gateway.example/as2"\n' + file.read_text())
    peer.receipted = False
    peer.terms = None
    code, (row,) = send()
    assert (code, row["result"]) == (AWAITED, "taken")
    assert row["receipt"] == "comes later, to https://gateway.example/as2"
    assert peer.headers[0]["receipt-delivery-option"] == "https://gateway.example/as2"


def test_everything_is_kept_and_can_be_proved(
    cli: RunCli, send: Send, peer: Peer, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "kept"
    code, (row,) = send("--out", out)
    assert (code, row["kept"]) == (OK, [f"{out}/0001-request.http", f"{out}/0001-response.http"])
    keys = folder / "keys"
    words = ("--certificate", keys / "trader.pem", "--message", out / "0001-request.http")
    done = cli("as2", "verify-receipt", out / "0001-response.http", *words, "--key", keys / "trader.key")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (OK, "document: matches")
    for name in ("request", "response"):
        done = cli("as2", "inspect", out / f"0001-{name}.http", "--dir", folder, "--json")
        found = json.loads(done.stdout)
        assert found["kind"] == name
        assert (done.exit_code, "verdict" in found) == ((REFUSED, False) if name == "request" else (OK, True))
    send("--out", out)
    lines = [json.loads(line) for line in (out / MESSAGES).read_bytes().splitlines()]
    assert [line["file"] for line in lines] == [
        f"{number:04}-{name}.http" for number in (1, 2) for name in ("request", "response")
    ]
    assert (lines[0]["mic"], lines[0]["message-id"]) == (row["mic"], row["message"])
    assert lines[1]["answers"] == "0001-request.http"


@pytest.mark.parametrize("key", ["sign", "encrypt"])
def test_what_is_kept_is_told_as_it_was_sent(
    send: Send, peer: Peer, folder: pathlib.Path, tmp_path: pathlib.Path, key: str
) -> None:
    agree(folder, f"{key} = false")
    send("--out", tmp_path, "--dry-run", "--content-type", 'application/edifact; charset="utf-8"')
    (line,) = [json.loads(line) for line in (tmp_path / MESSAGES).read_bytes().splitlines()]
    told = {"sign": line.get("signed-by", ""), "encrypt": line.get("encrypted-to", "")}
    assert told == {"sign": "gateway", "encrypt": "trader"} | {key: ""}


def test_nothing_is_sent_in_a_dry_run(
    cli: RunCli, send: Send, peer: Peer, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "kept"
    code, (row,) = send("--dry-run", "--out", out)
    assert (code, row["result"], peer.headers) == (OK, "written", [])
    keys = folder / "keys"
    words = [out / "0001-request.http", "--key", keys / "trader.key"]
    for name in ("trader", "gateway"):
        words += ["--certificate", keys / f"{name}.pem"]
    done = cli("as2", "inspect", *words, "--json")
    assert done.exit_code == OK
    found = json.loads(done.stdout)
    assert f"{found['mic']['value']}, sha-256" == row["mic"]
    done = cli("as2", "send", folder / "samples/import.edi", "--to", "trader", "--dir", folder, "--dry-run")
    assert (done.exit_code, done.stderr) == (
        UNUSABLE,
        "tidewaiter: --dry-run writes the message: say where, with --out\n",
    )


def test_as_a_partner_to_the_gateway(
    cli: RunCli, folder: pathlib.Path, samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("--as", "trader", "--dir", folder, "--dry-run", "--out", tmp_path / "kept")
    assert cli("as2", "send", samples / "import.edi", *words).exit_code == OK
    done = cli("as2", "inspect", tmp_path / "kept/0001-request.http", "--dir", folder)
    assert done.stdout.splitlines()[-1] == "by the agreement with trader: processed"


def test_nobody_is_there(send: Send, folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    code, (row,) = send("--url", "http://127.0.0.1:1/as2", "--out", tmp_path / "kept")
    assert (code, row["result"]) == (REFUSED, "no answer")
    assert row["reason"].startswith("not reached: ")
    assert row["kept"] == [f"{tmp_path}/kept/0001-request.http"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "either --to PARTNER, from the gateway, or --as NAME, to the gateway"),
        (
            ("--to", "trader", "--as", "trader"),
            "either --to PARTNER, from the gateway, or --as NAME, to the gateway",
        ),
        (("--to", "nobody"), "{dir}: no partner or agency 'nobody' is configured"),
        (("--as", "nobody"), "{dir}: no partner or agency 'nobody' is configured"),
        (("--to", "health"), "{dir}: health has no AS2 agreement"),
        (("--as", "health"), "{dir}: health has no AS2 agreement"),
        (("--to", "trader", "--url", "ftp://x"), "only http and https URLs with a host can be requested"),
        (("--to", "trader", "--attach", "{none}"), "{none}: No such file or directory"),
        (("--to", "trader", "--subject", "a\nb"), "Subject holds a control character"),
        (("--to", "trader", "--message-id", "a\nb"), "Message-ID holds a control character"),
        (
            ("--to", "trader", "--message-id", "a b"),
            "--message-id 'a b': no spaces, ASCII, up to 998 characters",
        ),
        (
            ("--to", "trader", "--message-id", "<>"),
            "--message-id '<>': no spaces, ASCII, up to 998 characters",
        ),
        (
            ("--to", "trader", "--content-type", "bad type"),
            "--content-type 'bad type' is no media type: application/edifact",
        ),
        (("--to", "trader", "--out", "{file}"), "{file}: File exists"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    cli: RunCli,
    folder: pathlib.Path,
    samples: pathlib.Path,
    tmp_path: pathlib.Path,
    words: tuple[str, ...],
    complaint: str,
) -> None:
    file = samples / "import.edi"
    places = {"dir": str(folder), "none": str(tmp_path / "none"), "file": str(file)}
    done = cli("as2", "send", file, "--dir", folder, *(word.format(**places) for word in words))
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr == f"tidewaiter: {complaint.format(**places)}\n"


def test_a_certificate_that_cannot_be_encrypted_to_is_one_line(
    cli: RunCli, folder: pathlib.Path, samples: pathlib.Path, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: Any, **__: Any) -> Any:
        raise KeyStoreError("a certificate's key cannot be encrypted to")

    monkeypatch.setattr("tidewaiter.gateway.cli.as2_send.compose", cannot)
    done = cli("as2", "send", samples / "import.edi", "--to", "trader", "--dir", folder)
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr == "tidewaiter: a certificate's key cannot be encrypted to\n"
    assert peer.taken == []


def test_one_id_is_for_one_file(cli: RunCli, folder: pathlib.Path, samples: pathlib.Path) -> None:
    files = (samples / "import.edi", samples / "export.xml")
    for words in (("--message-id", "1@x"), ("--attach", files[0])):
        done = cli("as2", "send", *files, "--to", "trader", "--dir", folder, *words)
        assert (done.exit_code, done.stderr) == (
            UNUSABLE,
            "tidewaiter: --attach and --message-id are for one FILE\n",
        )


def test_an_agreement_without_an_address(cli: RunCli, folder: pathlib.Path, samples: pathlib.Path) -> None:
    agree(folder, 'url = ""')
    done = cli("as2", "send", samples / "import.edi", "--to", "trader", "--dir", folder)
    assert done.exit_code == UNUSABLE
    assert (
        done.stderr == f"tidewaiter: {folder}: the agreement with trader has no url to send to: give --url\n"
    )
