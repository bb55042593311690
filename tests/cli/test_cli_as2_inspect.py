"""`as2 inspect` as people use it: on messages of other products, on our own, on rubbish."""

import json
import pathlib
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import Result

from tidewaiter.gateway.as2 import Terms, compose
from tidewaiter.gateway.cli import as2_inspect
from tidewaiter.gateway.cli.paint import Paint
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.sandbox.samples import sample

RunCli = Callable[..., Result]
FINE, WRONG, UNUSABLE = 0, 1, 2
DOCUMENT = sample("import.edi")
SIGNED_MIC = "h4Et8xtoS6TPGnMQieMUAcQfqC7twOe+LUINTkbawmU="


@pytest.fixture
def message(starter: pathlib.Path, tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """message(**changes of the trader's terms): a stored request of the trader to the gateway."""

    def make(name: str = "m.http", filename: str = "import.edi", **changes: Any) -> pathlib.Path:
        terms = load_account(starter, "trader").terms
        assert terms is not None
        values = {field: getattr(terms, field) for field in Terms.__dataclass_fields__} | changes
        made = compose(
            DOCUMENT,
            "application/edifact",
            Terms(**values),
            message_id="<1@trader.example>",
            now=datetime.now(UTC),
            boundary="b" * 20,
            filename=filename,
        )
        head = "".join(f"{key}: {value}\r\n" for key, value in made.headers)
        file = tmp_path / name
        file.write_bytes(f"POST /as2 HTTP/1.1\r\n{head}\r\n".encode() + made.body)
        return file

    return make


Message = Callable[..., pathlib.Path]


def told(done: Result) -> dict[str, Any]:
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def inner(content: dict[str, Any]) -> dict[str, Any]:
    return inner(content["inside"][-1]) if "inside" in content else content


@pytest.mark.parametrize(
    ("name", "mic"),
    [
        ("bc_signed", SIGNED_MIC),
        ("libas2_signed", None),
        ("mendelson_signed", "G6PhshLOERWJEIfypIh6Q3sno6cBUWJBDky1igJvDMo="),
        ("openssl_authenveloped_aes256gcm", SIGNED_MIC),
        ("openssl_ber_indefinite", SIGNED_MIC),
        ("openssl_comp_signed_enc", "h97Y4qhCabvjxCGgUmRLzdZ/iM+ZpgbkLLZQr+bKMCE="),
        ("openssl_compressed_only", SIGNED_MIC),
        ("openssl_ecdsa_signed", SIGNED_MIC),
        ("openssl_encrypted_only", SIGNED_MIC),
        ("openssl_signed_enc_aes256cbc", SIGNED_MIC),
        ("openssl_tampered", None),
        ("pyas2lib_signed", None),
    ],
)
def test_messages_of_other_products(
    cli: RunCli, shared: pathlib.Path, tmp_path: pathlib.Path, name: str, mic: str | None
) -> None:
    folder = shared / "as2" / "messages"
    words = ["as2", "inspect", folder / f"{name}.http", "--key", folder / "alice.key.pem"]
    for who in ("alice", "bob", "bob.ec"):
        words += ["--certificate", folder / f"{who}.cert.pem"]
    done = cli(*words, "--json", "--out", tmp_path / "out")
    # One is changed, and one by somebody whose certificate is not at hand.
    assert done.exit_code == (WRONG if name in {"openssl_tampered", "mendelson_signed"} else FINE)
    found = told(done)
    if mic is not None:
        assert found["mic"]["value"] == mic
    (written,) = found["written"]
    assert pathlib.Path(written["file"]).read_bytes().startswith(b"UN")
    assert cli(*words).exit_code == done.exit_code


def test_a_receipt_of_another_product_with_its_flaw(cli: RunCli, shared: pathlib.Path) -> None:
    folder = shared / "as2" / "messages"
    file = folder / "libas2_signed_mdn_crlf_bug.http"
    done = cli("as2", "inspect", file, "--certificate", folder / "bob.cert.pem")
    assert done.exit_code == FINE
    assert "the signature holds without the last line end of the signed part" in done.stdout
    assert "receipt for <179532770005.23546.14427933765892155279@loopback>: processed" in done.stdout


def test_without_keys(cli: RunCli, message: Message) -> None:
    done = cli("as2", "inspect", message())
    assert done.exit_code == FINE
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[0].startswith("request POST /as2 HTTP/1.1, ")
    assert "from MERIDIAN to TIDEWAITER, AS2 1.2, <1@trader.example>" in lines
    assert "asks for a receipt: signed, required, MIC by sha-256, in the response" in lines
    assert any(
        re.fullmatch(r"recipient: issued by CN=gateway.*, serial \w+, RSA 2048, rsa-pkcs1", line)
        for line in lines
    )
    assert "encrypted: it takes a key" in lines
    assert not any(line.startswith("MIC") for line in lines)


def test_by_the_agreement(
    cli: RunCli, message: Message, starter: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file = message()
    for words in (("--partner", "trader"), ()):
        done = cli("as2", "inspect", file, "--dir", starter, *words)
        assert done.exit_code == FINE
        lines = done.stdout.splitlines()
        assert lines[-1] == "by the agreement with trader: processed"
        assert any(line.lstrip().startswith("the signature holds: CN=trader") for line in lines)
    out = tmp_path / "out"
    done = cli("as2", "inspect", file, "--dir", starter, "--out", out, "--json")
    assert told(done)["verdict"] == {
        "agreement": "trader",
        "good": True,
        "disposition": "processed",
        "concealed": False,
    }
    assert (out / "document.edi").read_bytes() == DOCUMENT


def test_what_the_agreement_would_refuse(cli: RunCli, message: Message, starter: pathlib.Path) -> None:
    done = cli("as2", "inspect", message(sign=False), "--dir", starter)
    assert done.exit_code == WRONG
    said = (
        "by the agreement with trader: processed/error: decryption-failed (inside encryption: not signed); "
    )
    assert done.stdout.splitlines()[-1].startswith(said)
    assert "application/edifact: 2,125 octets" in done.stdout
    file = message(encrypt=False)
    file.write_bytes(file.read_bytes().replace(b"\nMI", b"\nMJ"))
    done = cli("as2", "inspect", file, "--dir", starter, "--json")
    assert (done.exit_code, told(done)["content"]["signature"]["standing"]) == (WRONG, "fails")


def test_what_we_sent_ourselves(cli: RunCli, message: Message, starter: pathlib.Path) -> None:
    """To a partner: it cannot be opened here, and is judged by our own certificate where it can be seen."""
    gateway = load_account(starter, "trader").terms
    assert gateway is not None
    file = message(encrypt=False)
    data = file.read_bytes().replace(b"AS2-From: MERIDIAN", b"AS2-From: TIDEWAITER")
    file.write_bytes(data.replace(b"AS2-To: TIDEWAITER", b"AS2-To: MERIDIAN"))
    done = cli("as2", "inspect", file, "--dir", starter, "--json")
    assert done.exit_code == WRONG
    assert told(done)["content"]["signature"]["standing"] == "untrusted"
    assert "verdict" not in told(done)


def test_files_are_named_by_what_they_are_and_never_by_the_message(
    cli: RunCli, message: Message, starter: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    words = ("as2", "inspect", message(filename="../../evil.sh"), "--dir", starter, "--out", out)
    done = cli(*words)
    assert done.exit_code == FINE
    assert done.stdout.splitlines()[-1].startswith(
        f"wrote {out}/document.edi: 2,125 octets, application/edifact"
    )
    assert [file.name for file in out.iterdir()] == ["document.edi"]
    (out / "document.edi").write_bytes(b"mine")
    done = cli(*words)
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr == f"tidewaiter: {out}/document.edi: File exists\n"
    assert (out / "document.edi").read_bytes() == b"mine"


def test_from_standard_input_and_in_colours(
    cli: RunCli, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = message(encrypt=False).read_bytes()
    assert told(cli("as2", "inspect", "-", "--json", given=data))["kind"] == "request"
    monkeypatch.setattr(as2_inspect, "paint_for", lambda _: Paint(colours=True))
    assert "\x1b[33m" in cli("as2", "inspect", "-", given=data, env={"NO_COLOR": None}).stdout


def test_what_controls_a_terminal_is_escaped(cli: RunCli, message: Message) -> None:
    file = message(encrypt=False, compress=False)
    data = file.read_bytes().replace(b'filename="import.edi"', b'filename="\x1b[31m\x07.edi"')
    file.write_bytes(data.replace(b"Message-ID: <1@", b"Message-ID: <1\x9b@"))
    shown = cli("as2", "inspect", file)
    assert "<1\\x9b@trader.example>" in shown.stdout
    assert not set(shown.stdout) & set(map(chr, (*range(10), *range(11, 32), *range(127, 160))))


def test_a_key_needs_its_certificate(cli: RunCli, message: Message, starter: pathlib.Path) -> None:
    key, pem = starter / "keys/gateway.key", starter / "keys/gateway.pem"
    file = message()
    done = cli("as2", "inspect", file, "--key", key, "--certificate", pem)
    assert (done.exit_code, "decrypted with the key of sha256:" in done.stdout) == (FINE, True)
    trader = ("--certificate", starter / "keys/trader.pem")
    done = cli("as2", "inspect", file, "--key", key, "--certificate", pem, *trader)
    assert done.exit_code == FINE
    done = cli("as2", "inspect", file, "--key", key)
    hint = "none of the certificates given belongs to this key: add --certificate"
    assert (done.exit_code, done.stderr) == (UNUSABLE, f"tidewaiter: {key}: {hint}\n")
    done = cli("as2", "inspect", file, "--key", starter / "keys/trader.key", *trader)
    assert done.exit_code == WRONG
    assert "encrypted: it is for none of the keys at hand" in done.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--certificate", "{none}"), "{none}: No such file or directory"),
        (("--key", "{none}"), "{none}: No such file or directory"),
        (("--key", "{file}"), "{file}: no readable PEM private key, or the wrong password"),
        (("--certificate", "{file}"), "{file}: no readable PEM certificate"),
        (("--partner", "nobody", "--dir", "{dir}"), "{dir}: no partner or agency 'nobody' is configured"),
        (("--partner", "health", "--dir", "{dir}"), "{dir}: health has no AS2 agreement"),
        (("--dir", "{none}"), "{none}: no gateway.toml here: run `tidewaiter init DIR`, or give --dir"),
        (("--at", "yesterday"), "--at 'yesterday' is no time: 2026-11-22T09:30:00Z"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    cli: RunCli,
    message: Message,
    starter: pathlib.Path,
    tmp_path: pathlib.Path,
    words: tuple[str, ...],
    complaint: str,
) -> None:
    file = message()
    places = {"none": str(tmp_path / "none"), "file": str(file), "dir": str(starter)}
    done = cli("as2", "inspect", file, *(word.format(**places) for word in words))
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr == f"tidewaiter: {complaint.format(**places)}\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"UNB+UNOA:1+A+B'", "is neither an HTTP message with its headers nor CMS"),
        (bytes(range(256)), "is neither an HTTP message with its headers nor CMS"),
    ],
)
def test_what_is_no_message_is_one_line(
    cli: RunCli, tmp_path: pathlib.Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    done = cli("as2", "inspect", file)
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr == f"tidewaiter: {file}: {complaint}\n"


def test_a_file_that_is_not_there_or_too_large(
    cli: RunCli, tmp_path: pathlib.Path, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli("as2", "inspect", tmp_path / "none")
    assert (done.exit_code, done.stderr) == (
        UNUSABLE,
        f"tidewaiter: {tmp_path}/none: No such file or directory\n",
    )
    monkeypatch.setattr(as2_inspect, "MAX_FILE", 1000)
    file = message()
    done = cli("as2", "inspect", file)
    assert (done.exit_code, done.stderr) == (UNUSABLE, f"tidewaiter: {file}: larger than 1,000 octets\n")


def test_the_time_of_judging_can_be_given(cli: RunCli, message: Message, starter: pathlib.Path) -> None:
    file = message()
    done = cli("as2", "inspect", file, "--dir", starter, "--at", "2019-01-01")
    assert done.exit_code == WRONG
    assert "judged as of 2019-01-01 00:00:00 UTC, by the time given" in done.stdout
    assert "outside its validity" in done.stdout


def test_a_configuration_is_read_only_when_asked_for(
    cli: RunCli, message: Message, tmp_path: pathlib.Path
) -> None:
    env = {"TIDEWAITER_HOME": str(tmp_path / "none")}
    assert cli("as2", "inspect", message(), env=env).exit_code == FINE
    done = cli("as2", "inspect", message(), "--partner", "trader", env=env)
    assert done.exit_code == UNUSABLE


def test_a_message_between_strangers_is_looked_at_with_our_keys_only_if_it_is_for_us(
    cli: RunCli, message: Message, folder: pathlib.Path
) -> None:
    file = message()
    file.write_bytes(file.read_bytes().replace(b"AS2-From: MERIDIAN", b"AS2-From: NOBODY"))
    done = cli("as2", "inspect", file, "--dir", folder)
    assert (done.exit_code, "encrypted: it takes a key" in done.stdout) == (WRONG, True)
    said = "processed/error: unknown-trading-partner (there is no agreement between the two names)"
    assert done.stdout.splitlines()[-1] == f"by this configuration: {said}"
    assert cli("as2", "inspect", file).exit_code == FINE


def test_a_certificate_with_its_key_is_ours_and_not_who_signed(
    cli: RunCli, message: Message, starter: pathlib.Path
) -> None:
    keys = starter / "keys"
    ours = ("--key", keys / "gateway.key", "--certificate", keys / "gateway.pem")
    done = cli("as2", "inspect", message(), *ours, "--json")
    signature = told(done)["content"]["inside"][0]["signature"]
    assert (done.exit_code, signature["standing"]) == (FINE, "untrusted")
    assert signature["reason"] == "no certificate was given to compare with"
    done = cli("as2", "inspect", message(), *ours, "--certificate", keys / "trader.pem", "--json")
    assert told(done)["content"]["inside"][0]["signature"]["standing"] == "holds"
    # Somebody else's is still what the signature is compared with.
    done = cli("as2", "inspect", message(), *ours, "--certificate", keys / "customs.pem")
    assert done.exit_code == WRONG


def test_an_algorithm_that_cannot_be_allowed_is_said(
    cli: RunCli, starter: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """MD5, as openssl signs with it."""
    keys, file, content = starter / "keys", tmp_path / "m.p7m", tmp_path / "in"
    content.write_bytes(b"Content-Type: text/plain\r\n\r\nhello")
    words = ["-signer", keys / "trader.pem", "-inkey", keys / "trader.key", "-in", content, "-out", file]
    signing = ("openssl", "cms", "-sign", "-nodetach", "-binary", "-outform", "DER", "-md", "md5")
    subprocess.run([*signing, *map(str, words)], check=True, capture_output=True)
    for more in ((), ("--certificate", keys / "trader.pem")):
        done = cli("as2", "inspect", file, *more)
        line = next(one for one in done.stdout.splitlines() if "the signature is" in one)
        said = "the signature is of a kind that no agreement can allow; the digest algorithm is not supported"
        assert (done.exit_code, line.strip()) == (WRONG, said)


def test_cms_alone_is_opened_by_any_key_of_the_configuration(
    cli: RunCli, message: Message, starter: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "alone.p7m"
    file.write_bytes(message().read_bytes().partition(b"\r\n\r\n")[2])
    done = cli("as2", "inspect", file, "--dir", starter, "--json")
    content = told(done)["content"]
    assert (done.exit_code, content["inside"][0]["signature"]["standing"]) == (FINE, "holds")
    assert "verdict" not in told(done)
