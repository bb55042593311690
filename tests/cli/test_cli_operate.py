"""`serve`, `init`, `check-config`, `partner add`, `agency add`: what is wrong is one line and exit code 2."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from typer.testing import Result

from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.security import fingerprint, load_certificates, make_self_signed

RunCli = Callable[..., Result]
OK, UNUSABLE = 0, 2
SECONDS = 30


@pytest.fixture(scope="session")
def new_certificate(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A certificate of somebody nobody knows yet."""
    pem, _ = make_self_signed("newcomer", now=datetime.now(UTC), days=30, key="p256")
    file = tmp_path_factory.mktemp("newcomer") / "newcomer.pem"
    file.write_bytes(pem)
    return file


def content(folder: pathlib.Path) -> dict[str, bytes | None]:
    """Everything in a folder: files with their octets, folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def change(file: pathlib.Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_init_makes_a_configuration_that_is_good(cli: RunCli, tmp_path: pathlib.Path) -> None:
    made = tmp_path / "new" / "gateway"
    done = cli("init", made)
    assert done.exit_code == OK
    for line in (
        f"  tidewaiter check-config --dir {made}",
        f"  tidewaiter submit {made}/samples/import.edi --channel as2 --dir {made}",
    ):
        assert line in done.stdout.splitlines()
    assert cli("check-config", "--dir", made).exit_code == OK
    assert all(stat.S_IMODE(key.stat().st_mode) == 0o600 for key in made.glob("keys/*.key"))


def test_init_overwrites_nothing(cli: RunCli, folder: pathlib.Path) -> None:
    before = content(folder)
    done = cli("init", folder)
    assert done.exit_code == UNUSABLE
    assert re.fullmatch(r"tidewaiter: .* is already there; nothing was written\n", done.stderr)
    assert content(folder) == before


def test_init_where_it_cannot_write(cli: RunCli, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    done = cli("init", tmp_path / "file")
    assert (done.exit_code, done.stderr) == (UNUSABLE, f"tidewaiter: {tmp_path}/file: File exists\n")


def test_a_good_configuration_is_told_as_json(cli: RunCli, starter: pathlib.Path) -> None:
    done = cli("check-config", "--dir", starter, "--json")
    assert done.exit_code == OK
    told = json.loads(done.stdout)
    assert told["as2-name"] == "TIDEWAITER"
    assert told["partners"] == {"trader": [_print_of(starter / "keys/trader.pem")]}
    assert sorted(told["agencies"]) == ["agriculture", "customs", "health"]
    assert told["signing-certificate"] == _print_of(starter / "keys/gateway.pem")
    assert told["keys"][0]["now"] == [_print_of(starter / "keys/gateway.pem")]
    assert told["their-keys"]["customs"][1]["what"] == "is encrypted to with"
    assert told["warnings"] == []


def _print_of(file: pathlib.Path) -> str:
    return fingerprint(load_certificates(file.read_bytes())[0])


def test_a_good_configuration_is_told_to_a_person(cli: RunCli, folder: pathlib.Path) -> None:
    (folder / "keys/gateway.key").chmod(0o644)
    done = cli("check-config", "--dir", folder)
    assert done.exit_code == OK
    lines = done.stdout.splitlines()
    keys = [re.sub(r"sha256:[0-9a-f]{12} until \d{4}-\d\d-\d\d$", "IT", line) for line in lines[3:6]]
    assert keys == [f"the gateway {what} IT" for what in ("signs with", "decrypts with", "shows over TLS")]
    assert [*lines[:3], *lines[6:]] == [
        f"The configuration in {folder} is good.",
        "partners: trader",
        "agencies: agriculture, customs, health",
        "warning: keys/gateway.key can be read by others: chmod 600",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        (
            "gateway.toml",
            'loop = "trio"',
            'loop = "curio"',
            r"gateway.toml:8: loop: Invalid enum value 'curio'; it takes trio, uvloop",
        ),
        ("gateway.toml", "[limits]", "[limits]\nbdy = 1", r"gateway.toml:\d+: limits.bdy: unknown key"),
        ("gateway.toml", "[tls]", "[tls", r"gateway.toml: .*\(at line \d+, column 5\)"),
        (
            "gateway.toml",
            "keys/gateway.key",
            "keys/trader.key",
            r"gateway.toml: signing.key: .* is not the key of .*",
        ),
        (
            "gateway.toml",
            "keys/gateway.pem",
            "keys/none.pem",
            r"gateway.toml: signing.certificate: keys/none.pem: No such file .*",
        ),
        (
            "partners/trader.toml",
            'name = "trader"',
            'name = "other"',
            r"partners/trader.toml: name: must be .*",
        ),
        ("routes.toml", '"health"', '"wealth"', r"routes.toml: route medicines: no agency 'wealth' .*"),
        ("sla.toml", "goal = ", "goal = -", r"sla.toml:\d+: .*"),
        ("agencies/health.toml", "url = ", "ulr = ", r"agencies/health.toml:\d+: ulr: unknown key"),
    ],
)
def test_a_broken_one_is_one_line_with_file_line_key_and_reason(
    cli: RunCli, folder: pathlib.Path, file: str, old: str, new: str, complaint: str
) -> None:
    change(folder / file, old, new)
    done = cli("check-config", "--dir", folder)
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert re.fullmatch(rf"tidewaiter: {re.escape(str(folder))}/{complaint}\n", done.stderr), done.stderr


def test_a_partner_is_added_and_its_fingerprint_shown(
    cli: RunCli, folder: pathlib.Path, new_certificate: pathlib.Path
) -> None:
    done = cli(
        "partner", "add", "newcomer", "--cert", new_certificate, "--dir", folder,
        *("--as2-name", 'NEW "COMER"', "--as2-url", "http://localhost:1/as2", "--edifact-id", "NEWCOMER"),
    )  # fmt: skip
    assert done.exit_code == OK, done.stderr
    assert f"  {_print_of(new_certificate)}  CN=newcomer" in done.stdout.splitlines()
    party = Parties(load_config(folder)).partners["newcomer"]
    assert [fingerprint(one) for one in party.certificates] == [_print_of(new_certificate)]
    assert party.terms is not None
    assert (party.terms.their_name, party.settings.edifact_id) == ('NEW "COMER"', "NEWCOMER")
    assert party.settings.as2 is not None
    assert party.settings.as2.url == "http://localhost:1/as2"


def test_a_partner_may_have_two_certificates_and_https_only(
    cli: RunCli, folder: pathlib.Path, new_certificate: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pem, _ = make_self_signed("newcomer, next", now=datetime.now(UTC), days=60, key="p256")
    (tmp_path / "next.pem").write_bytes(pem)
    certs = ("--cert", new_certificate, "--cert", tmp_path / "next.pem")
    assert cli("partner", "add", "newcomer", *certs, "--dir", folder).exit_code == OK
    party = Parties(load_config(folder)).partners["newcomer"]
    assert [fingerprint(one) for one in party.certificates] == [
        _print_of(new_certificate),
        _print_of(tmp_path / "next.pem"),
    ]
    assert party.terms is None


@pytest.mark.parametrize(
    ("options", "channel"),
    [
        (("--url", "https://localhost:1/deliveries"), "https"),
        (
            (
                "--url",
                "http://localhost:1/as2",
                "--channel",
                "as2",
                "--as2-name",
                "NEW",
                "--syntax",
                "edifact",
            ),
            "as2",
        ),
        (("--url", "https://localhost:1/deliveries", "--test", "--edifact-id", "NEW"), "https"),
    ],
)
def test_an_agency_is_added(
    cli: RunCli, folder: pathlib.Path, new_certificate: pathlib.Path, options: tuple[str, ...], channel: str
) -> None:
    done = cli("agency", "add", "newcomer", "--cert", new_certificate, *options, "--dir", folder)
    assert done.exit_code == OK, done.stderr
    assert f"  {_print_of(new_certificate)}  CN=newcomer" in done.stdout.splitlines()
    agency = Parties(load_config(folder)).agency_values()["newcomer"]
    assert agency.channel.value == channel
    assert agency.endpoint == options[1]
    assert agency.live == ("--test" not in options)


def test_nothing_is_overwritten(cli: RunCli, folder: pathlib.Path, new_certificate: pathlib.Path) -> None:
    before = content(folder)
    done = cli("partner", "add", "trader", "--cert", new_certificate, "--dir", folder)
    assert done.exit_code == UNUSABLE
    assert "partners/trader.toml exists already" in done.stderr
    done = cli("agency", "add", "health", "--cert", new_certificate, "--url", "https://a", "--dir", folder)
    assert (done.exit_code, len(done.stderr.splitlines())) == (UNUSABLE, 1)
    assert content(folder) == before


@pytest.mark.parametrize("name", ["", "New", "a/b", "../a", "-a", "a" * 41, "a.b", "a\n", "tráder"])
def test_a_bad_name_is_refused(
    cli: RunCli, folder: pathlib.Path, new_certificate: pathlib.Path, name: str
) -> None:
    before = content(folder)
    for kind, options in (("partner", ()), ("agency", ("--url", "https://a"))):
        done = cli(kind, "add", "--cert", new_certificate, *options, "--dir", folder, "--", name)
        assert done.exit_code == UNUSABLE
        assert done.stderr == f"tidewaiter: {name!r} cannot be a name: use a-z, 0-9 and -\n"
    assert content(folder) == before


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--channel", "fax"), "--channel fax: one of https, as2 is expected"),
        (("--syntax", "json"), "--syntax json: one of xml, edifact is expected"),
        (("--channel", "as2"), "as2"),
        (("--edifact-id", "E" * 36), "edifact-id: Expected `str` of length <= 35"),
    ],
)
def test_an_agency_that_cannot_be_leaves_nothing_behind(
    cli: RunCli, folder: pathlib.Path, new_certificate: pathlib.Path, options: tuple[str, ...], complaint: str
) -> None:
    before = content(folder)
    url = ("--url", "https://localhost:1")
    done = cli("agency", "add", "new", "--cert", new_certificate, *url, *options, "--dir", folder)
    assert done.exit_code == UNUSABLE
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert content(folder) == before


def test_a_certificate_that_is_known_or_none_leaves_nothing_behind(
    cli: RunCli, folder: pathlib.Path, new_certificate: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    before = content(folder)
    (tmp_path / "none.pem").write_text("no certificate")
    for second in (folder / "keys/trader.pem", tmp_path / "none.pem", tmp_path / "missing.pem"):
        done = cli("partner", "add", "new", "--cert", new_certificate, "--cert", second, "--dir", folder)
        assert done.exit_code == UNUSABLE
        assert len(done.stderr.splitlines()) == 1
        assert content(folder) == before


def test_where_nothing_is_configured_nothing_is_made(
    cli: RunCli, new_certificate: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    done = cli("partner", "add", "new", "--cert", new_certificate, "--dir", tmp_path / "none")
    assert done.exit_code == UNUSABLE
    told = "no gateway.toml here: run `tidewaiter init DIR`, or give --dir"
    assert done.stderr == f"tidewaiter: {tmp_path}/none: {told}\n"
    assert list(tmp_path.iterdir()) == []


def serve(folder: pathlib.Path) -> "subprocess.CompletedProcess[str]":
    """`serve` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tidewaiter", "serve", "--dir", str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "loop"),
    [("https", "uvloop"), ("http", "trio"), ("operations", "trio"), ("operations", "uvloop")],
)
def test_a_port_in_use_is_one_line_that_names_it(folder: pathlib.Path, name: str, loop: str) -> None:
    change(folder / "gateway.toml", 'loop = "trio"', f'loop = "{loop}"')
    bind = getattr(load_config(folder).gateway.listen, name)
    with taken(int(bind.rpartition(":")[2])):
        done = serve(folder)
    assert done.returncode == UNUSABLE
    assert done.stderr == (
        f"tidewaiter: {folder}/gateway.toml: listen.{name}: {bind}: Address already in use\n"
    )
    assert done.stdout == ""


@pytest.mark.process
def test_a_broken_configuration_is_one_line_before_any_port_opens(folder: pathlib.Path) -> None:
    change(folder / "gateway.toml", 'country = "NL"', "country = 7")
    done = serve(folder)
    assert (done.returncode, done.stdout) == (UNUSABLE, "")
    assert done.stderr == (f"tidewaiter: {folder}/gateway.toml:15: country: Expected `str`, got `int`\n")
    assert not (folder / "ledger.db").exists()


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("keys/gateway.key", "/gateway.toml: signing.key: keys/gateway.key: No such file or directory"),
        ("keys/gateway-tls.key", "/gateway.toml: tls.key: keys/gateway-tls.key: No such file or directory"),
        (
            "keys/health.pem",
            "/agencies/health.toml: certificates: keys/health.pem: No such file or directory",
        ),
        ("gateway.toml", ": no gateway.toml here: run `tidewaiter init DIR`, or give --dir"),
        ("routes.toml", "/routes.toml: No such file or directory"),
    ],
)
def test_a_missing_file_is_one_line(cli: RunCli, folder: pathlib.Path, file: str, complaint: str) -> None:
    (folder / file).unlink()
    for command in ("serve", "check-config"):
        done = cli(command, "--dir", folder)
        assert (done.exit_code, done.stdout) == (UNUSABLE, "")
        assert done.stderr == f"tidewaiter: {folder}{complaint}\n"


def test_a_ledger_that_is_none_is_one_line(cli: RunCli, folder: pathlib.Path) -> None:
    (folder / "ledger.db").write_text("something else entirely, and long enough to be looked at" * 100)
    done = cli("serve", "--dir", folder)
    assert done.exit_code == UNUSABLE
    assert len(done.stderr.splitlines()) == 1
    assert "ledger.db" in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(folder: pathlib.Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tidewaiter", "serve"]
    environment = os.environ | {"TIDEWAITER_HOME": str(folder)}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        ready = json.loads(process.stderr.readline())
        assert ready["event"] == "ready"
        assert sorted(ready["ports"]) == ["http", "https", "operations"]
        process.send_signal(number)
        rest = [json.loads(line)["event"] for line in process.stderr]
        assert process.wait(SECONDS) == OK
    assert rest == ["stopping", "stopped"]


def test_a_port_that_is_none_is_one_line(cli: RunCli, folder: pathlib.Path) -> None:
    for name in ("https", "operations"):
        bind = getattr(load_config(folder).gateway.listen, name)
        change(folder / "gateway.toml", f'"{bind}"', '"127.0.0.1:99999"')
        done = cli("serve", "--dir", folder)
        assert done.exit_code == UNUSABLE
        assert f"gateway.toml: listen.{name}: 127.0.0.1:99999: " in done.stderr
        change(folder / "gateway.toml", '"127.0.0.1:99999"', '""')
