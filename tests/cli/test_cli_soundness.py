"""What the gateway would refuse later is refused or warned of by check-config and at an `add`."""

import json
import pathlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from typer.testing import Result

from tidewaiter.security import fingerprint, load_certificates, make_self_signed

OK, UNUSABLE = 0, 2
DAY = timedelta(days=1)
NEW = "https://localhost:9443/deliveries"
RunCli = Callable[..., Result]


def change(file: pathlib.Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def pair(folder: pathlib.Path, name: str, *, begins: timedelta, days: int) -> pathlib.Path:
    """A certificate and its key in place of `keys/NAME`, valid from now + `begins` on."""
    certificate, key = make_self_signed(name, now=datetime.now(UTC) + begins, days=days, key="p256")
    (folder / "keys" / f"{name}.pem").write_bytes(certificate)
    (folder / "keys" / f"{name}.key").write_bytes(key)
    return folder / "keys" / f"{name}.pem"


def weak(folder: pathlib.Path, name: str) -> pathlib.Path:
    """A certificate with an RSA key of 1024 bits in place of `keys/NAME`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 300 * DAY)
        .sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "keys" / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    (folder / "keys" / f"{name}.key").write_bytes(private)
    return folder / "keys" / f"{name}.pem"


def complaint(done: Result) -> str:
    assert (done.exit_code, done.stdout) == (UNUSABLE, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "gateway.toml",
            'https = "127.0.0.1:',
            'https = "localhost" # ',
            "listen.https: host:port is expected",
        ),
        ("gateway.toml", 'ledger = "', 'ledger = "nowhere/', "ledger: there is no folder"),
        ("gateway.toml", 'ledger = "', 'ledger = "\\u0000', "cannot be the name of a file"),
        ("gateway.toml", 'public-url = "https', 'public-url = "ftp', "public-url: ftp://localhost"),
        ("gateway.toml", 'as2-name = "TIDEWAITER"', 'as2-name = ""', "gateway.toml: as2-name: "),
        ("gateway.toml", "free-disk = ", "free-disk = -", "limits.free-disk: "),
        ("gateway.toml", "body = ", "body = -", "limits.body: "),
        ("agencies/health.toml", 'url = "https', 'url = "http', "health.toml: url: http://localhost"),
        ("agencies/health.toml", 'url = "https:', 'url = "gopher:', "only http and https"),
        (
            "agencies/health.toml",
            "live = true",
            'live = true\nedifact-id = "MERIDIAN"',
            "edifact-id: 'MERIDIAN'",
        ),
        ("agencies/health.toml", "live = true", "live = true\nclears = []", "clears may only name"),
        (
            "agencies/health.toml",
            "live = true",
            'live = false\nstand-in = "health"',
            "must be another agency",
        ),
        ("partners/trader.toml", 'url = "http:', 'url = "mailto:', "as2.url: mailto:"),
    ],
)
def test_what_nobody_can_use_is_one_line(
    cli: RunCli, folder: pathlib.Path, file: str, old: str, new: str, told: str
) -> None:
    change(folder / file, old, new)
    for command in ("check-config", "serve"):
        assert told in complaint(cli(command, "--dir", folder))


def test_ports_are_ports_and_differ(cli: RunCli, folder: pathlib.Path) -> None:
    text = (folder / "gateway.toml").read_text()
    listen = [line.split('"')[1] for line in text.splitlines() if line.startswith(("https = ", "http = "))]
    change(folder / "gateway.toml", f'http = "{listen[1]}"', f'http = "{listen[0]}"')
    told = complaint(cli("check-config", "--dir", folder))
    assert f"listen.http: {listen[0]} is that of listen.https too" in told
    change(folder / "gateway.toml", f'http = "{listen[0]}"', 'http = "127.0.0.1:99999"')
    assert "a port is at most 65535" in complaint(cli("check-config", "--dir", folder))


@pytest.mark.parametrize("name", ["gateway", "gateway-tls"])
def test_our_own_certificate_that_nobody_believes_is_an_error(
    cli: RunCli, folder: pathlib.Path, name: str
) -> None:
    for make, told in (
        (lambda: pair(folder, name, begins=-20 * DAY, days=10), "expired on"),
        (lambda: pair(folder, name, begins=20 * DAY, days=10), "not valid before"),
        (lambda: weak(folder, name), "an RSA key of 1024 bits"),
    ):
        make()
        for command in ("check-config", "serve"):
            shown = complaint(cli(command, "--dir", folder))
            assert "gateway.toml: " in shown
            assert f"keys/{name}.pem: {told}" in shown


def test_ours_that_soon_expires_is_a_warning(cli: RunCli, folder: pathlib.Path) -> None:
    pair(folder, "gateway-tls", begins=-DAY, days=20)
    (folder / "keys" / "gateway-tls.key").chmod(0o600)
    done = cli("check-config", "--dir", folder)
    assert done.exit_code == OK
    assert "warning: " in done.stdout
    assert "keys/gateway-tls.pem: expires on" in done.stdout


def test_theirs_expired_is_a_warning_while_another_is_valid(cli: RunCli, folder: pathlib.Path) -> None:
    pair(folder, "old", begins=-20 * DAY, days=10)
    change(
        folder / "agencies/health.toml",
        '\ncertificates = ["keys/health.pem"]',
        '\ncertificates = ["keys/old.pem", "keys/health.pem"]',
    )
    done = cli("check-config", "--dir", folder)
    assert done.exit_code == OK
    assert "agencies/health.toml: certificates: CN=old: expired on" in done.stdout


def test_theirs_that_cannot_be_encrypted_to_is_an_error(
    cli: RunCli, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name, now = x509.Name.from_rfc4514_string("CN=modern"), datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, now - DAY, now + 300 * DAY).sign(
        key, None
    )
    file = tmp_path / "modern.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    told = "CN=modern: its key is neither RSA nor on an elliptic curve"
    added = ("partner", "add", "fish", "--cert", file, "--as2-name", "FISH", "--dir", folder)
    assert f"as2.certificates: {told}" in complaint(cli(*added))
    assert not list(folder.rglob("fish*"))
    (folder / "keys/modern.pem").write_bytes(file.read_bytes())
    change(
        folder / "partners/trader.toml", "[as2]\n", '[as2]\nencryption-certificates = ["keys/modern.pem"]\n'
    )
    for command in ("check-config", "serve"):
        shown = complaint(cli(command, "--dir", folder))
        assert f"trader.toml: as2.encryption-certificates: {told}" in shown


def test_theirs_without_a_valid_one_is_an_error(cli: RunCli, folder: pathlib.Path) -> None:
    pair(folder, "health", begins=-20 * DAY, days=10)
    told = complaint(cli("check-config", "--dir", folder))
    assert "agencies/health.toml: certificates: CN=health: expired on" in told


def test_a_weak_or_expired_certificate_is_not_added(
    cli: RunCli, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "keys").mkdir()
    for file, told in (
        (weak(tmp_path, "weak"), "an RSA key of 1024 bits"),
        (pair(tmp_path, "old", begins=-20 * DAY, days=10), "expired on"),
    ):
        for line in (
            ("agency", "add", "fish", "--url", NEW, "--cert", file, "--dir", folder),
            ("partner", "add", "fish", "--cert", file, "--dir", folder),
        ):
            assert told in complaint(cli(*line))
    assert not list(folder.rglob("fish*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("partner", "add", "fish", "--as2-url", "http://localhost:1/as2"), "--as2-url needs --as2-name"),
        (
            ("partner", "add", "fish", "--edifact-id", "MERIDIAN"),
            "fish cannot have edifact-id 'MERIDIAN': that is trader's",
        ),
        (("agency", "add", "fish", "--url", NEW, "--edifact-id", "CUSTOMS"), "that is customs's already"),
        (("agency", "add", "fish", "--url", "http://localhost:1/"), "needs an address with https://"),
        (("agency", "add", "fish", "--url", "ftp://localhost/"), "only http and https"),
        (("agency", "add", "fish", "--url", "http://x/as2", "--channel", "as2"), "needs --as2-name"),
        (("agency", "add", "fish", "--url", NEW, "--syntax", "json"), "one of xml, edifact"),
        (("agency", "add", "fish", "--url", NEW, "--channel", "fax"), "one of https, as2"),
    ],
)
def test_who_cannot_be_spoken_to_is_not_added(
    cli: RunCli, folder: pathlib.Path, tmp_path: pathlib.Path, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "keys").mkdir()
    certificate = pair(tmp_path, "fish", begins=-DAY, days=300)
    assert told in complaint(cli(*words, "--cert", certificate, "--dir", folder))
    assert not list(folder.rglob("fish*"))
    assert cli("check-config", "--dir", folder).exit_code == OK


@pytest.mark.parametrize(("kind", "url"), [("partner", ()), ("agency", ("--url", NEW))])
@pytest.mark.parametrize(("owner", "name"), [("health", "aaa"), ("trader", "zzz")])
def test_a_certificate_is_one_partys_and_the_new_one_is_told_so(
    cli: RunCli, folder: pathlib.Path, kind: str, url: tuple[str, ...], owner: str, name: str
) -> None:
    """Whichever comes first in the alphabet, and whichever kind each is."""
    file = folder / "keys" / f"{owner}.pem"
    told = complaint(cli(kind, "add", name, "--cert", file, *url, "--dir", folder))
    shown = fingerprint(load_certificates(file.read_bytes())[0])
    assert told == f"tidewaiter: {name} cannot have certificate {shown}: {owner} has it already\n"
    assert not list(folder.rglob(f"{name}*"))


def test_serve_runs_for_the_others_and_logs_who_cannot_be_spoken_to(
    cli: RunCli, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair(folder, "health", begins=-20 * DAY, days=10)
    monkeypatch.setattr("tidewaiter.gateway.cli.operate.anyio.run", lambda *_, **__: None)
    done = cli("serve", "--dir", folder)
    assert done.exit_code == OK
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {(line["level"], line["event"]) for line in lines} == {("error", "configuration")}
    assert all(line["file"].endswith("agencies/health.toml") for line in lines)
