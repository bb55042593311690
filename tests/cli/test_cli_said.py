"""What commands say when something is missing or cannot be: one line, never wrapped, that names the thing."""

import pathlib
import shlex
from collections.abc import Callable

import pytest
from typer.testing import Result

from tidewaiter.gateway.config import load_config

RunCli = Callable[..., Result]
Wire = Callable[[str, int], pathlib.Path]
OK, REFUSED, UNUSABLE = 0, 1, 2
NARROW = {"COLUMNS": "40"}


@pytest.mark.parametrize("channel", ["https", "as2"])
def test_submit_without_a_gateway(
    cli: RunCli, starter: pathlib.Path, samples: pathlib.Path, channel: str
) -> None:
    listen = load_config(starter).gateway.listen
    port = (listen.https if channel == "https" else listen.http).rpartition(":")[2]
    there = f"https://localhost:{port}" if channel == "https" else f"http://127.0.0.1:{port}"
    done = cli("submit", samples / "export.xml", "--channel", channel, "--dir", starter, env=NARROW)
    assert done.exit_code == REFUSED
    line = f"no answer {samples}/export.xml  cannot reach {there} (is the gateway running?)\n"
    assert done.stdout == line


def test_submit_where_no_receipt_can_be_kept(
    cli: RunCli, starter: pathlib.Path, samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "inside", pathlib.Path("/proc")):
        done = cli("submit", samples / "export.xml", "--out", out, "--dir", starter)
        assert (done.exit_code, done.stdout) == (UNUSABLE, "")
        assert len(done.stderr.splitlines()) == 1
        assert str(out) in done.stderr


def test_read_where_nothing_can_be_written(
    cli: RunCli, samples: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for out in (tmp_path, tmp_path / "none" / "file"):
        done = cli("read", samples / "export.xml", "--out", out)
        assert (done.exit_code, done.stdout) == (UNUSABLE, "")
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(f"{out}: ")


def test_init_in_a_folder_with_a_space_can_be_copied(cli: RunCli, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "my gateway"
    said = cli("init", folder, env=NARROW).stdout.splitlines()
    hints = [shlex.split(line) for line in said[1:]]
    assert hints == [
        ["tidewaiter", "check-config", "--dir", str(folder)],
        ["tidewaiter", "serve", "--dir", str(folder)],
        ["tidewaiter", "submit", f"{folder}/samples/import.edi", "--channel", "as2", "--dir", str(folder)],
    ]


def test_an_mdn_and_the_file_alone(
    cli: RunCli, lodged: pathlib.Path, wire: Wire, samples: pathlib.Path
) -> None:
    words = ("--certificate", lodged / "keys/gateway.pem", "--document", samples / "import.edi")
    done = cli("verify-receipt", wire("MDN", 0), *words)
    assert done.exit_code == REFUSED
    assert "the MIC covers the MIME part, not the file alone: give that, --message or --mic\n" in done.stdout


def test_the_certificate_is_blamed_for_itself(cli: RunCli, wire: Wire, tmp_path: pathlib.Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for what in ("receipt", "MDN"):
        done = cli("verify-receipt", wire(what, 0), "--certificate", tmp_path / "bad.pem")
        assert done.exit_code == UNUSABLE
        assert done.stderr == f"{tmp_path}/bad.pem: no readable PEM certificate\n"


@pytest.mark.parametrize("content", [b"no signature!", b"\x30\x03\x02\x01\x00"])
def test_the_signature_is_blamed_for_itself(
    cli: RunCli, lodged: pathlib.Path, wire: Wire, tmp_path: pathlib.Path, content: bytes
) -> None:
    (tmp_path / "receipt.json").write_bytes(wire("receipt", 0).read_bytes().partition(b"\r\n\r\n")[2])
    (tmp_path / "bad.p7s").write_bytes(content)
    words = ("--certificate", lodged / "keys/gateway.pem", "--signature", tmp_path / "bad.p7s")
    done = cli("verify-receipt", tmp_path / "receipt.json", *words)
    assert done.exit_code == REFUSED
    assert f"reason: {tmp_path}/bad.p7s" in done.stdout
