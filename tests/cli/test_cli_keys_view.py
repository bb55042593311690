"""check-config while certificates change: what is in use, what comes, and from when."""

import json
import pathlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from typer.testing import Result

from tidewaiter.security import fingerprint, load_certificates, make_self_signed

RunCli = Callable[..., Result]
DAY = timedelta(days=1)


def pair(folder: pathlib.Path, name: str, begins: datetime) -> str:
    """A certificate and its key as `keys/NAME`; its fingerprint."""
    certificate, key = make_self_signed(name, now=begins + timedelta(hours=1), days=300, key="p256")
    (folder / f"keys/{name}.pem").write_bytes(certificate)
    (folder / f"keys/{name}.key").write_bytes(key)
    (folder / f"keys/{name}.key").chmod(0o600)
    return fingerprint(load_certificates(certificate)[0])


def current(folder: pathlib.Path, name: str) -> str:
    return fingerprint(load_certificates((folder / f"keys/{name}.pem").read_bytes())[0])


def test_a_change_under_way(cli: RunCli, folder: pathlib.Path) -> None:
    begins = (datetime.now(UTC) + 9 * DAY).replace(microsecond=0)
    ours, theirs = pair(folder, "ours", begins), pair(folder, "theirs", begins)
    file = folder / "gateway.toml"
    coming = '[[signing]]\ncertificate = "keys/ours.pem"\nkey = "keys/ours.key"\n\n[[signing]]'
    file.write_text(file.read_text().replace("[signing]", coming))
    file = folder / "agencies/customs.toml"
    both = '["keys/customs.pem", "keys/theirs.pem"]'
    file.write_text(file.read_text().replace('["keys/customs.pem"]', both))
    lines = cli("check-config", "--dir", folder).stdout.splitlines()
    moment = f"{begins:%Y-%m-%d %H:%M} UTC"
    short = {name: print_[:19] for name, print_ in (("ours", ours), ("theirs", theirs))}
    now = {name: current(folder, name) for name in ("gateway", "customs")}
    told = [re.sub(r" until [\d-]+", "", line) for line in lines]
    assert f"the gateway signs with {now['gateway'][:19]}; {short['ours']} from {moment}" in told
    assert f"customs signs with {now['customs'][:19]}; {short['theirs']} from {moment}" in told
    assert f"customs is encrypted to with {now['customs'][:19]}; {short['theirs']} from {moment}" in told
    assert not any(line.startswith("trader") for line in told)
    found = json.loads(cli("check-config", "--dir", folder, "--json").stdout)
    assert (found["keys"][0]["now"], found["keys"][0]["next"]) == ([now["gateway"]], ours)
    assert set(found["keys"][1]["now"]) == {now["gateway"], ours}
    assert found["their-keys"]["customs"][1]["next-from"] == f"{begins:%Y-%m-%dT%H:%M:%SZ}"


def test_two_that_are_valid_at_once(cli: RunCli, folder: pathlib.Path) -> None:
    """Both verify; the newer is encrypted to."""
    newer = pair(folder, "newer", datetime.now(UTC) - DAY / 48)
    file = folder / "agencies/customs.toml"
    both = '["keys/customs.pem", "keys/newer.pem"]'
    file.write_text(file.read_text().replace('["keys/customs.pem"]', both))
    found = json.loads(cli("check-config", "--dir", folder, "--json").stdout)["their-keys"]["customs"]
    assert found[0]["now"] == [newer, current(folder, "customs")]
    assert found[1]["now"] == [newer]
