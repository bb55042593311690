"""The folder of a configuration is enough to be any party of it, and says what is missing."""

import pathlib
import shutil

import pytest

from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.sandbox.accounts import load_account
from tidewaiter.gateway.toml import ConfigError


@pytest.fixture
def folder(starter: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    return shutil.copytree(starter, tmp_path / "copy")


@pytest.mark.parametrize("name", ["trader", "customs"])
def test_both_sides_have_the_same_agreement(starter: pathlib.Path, name: str) -> None:
    parties = Parties(load_config(starter))
    theirs = {**parties.partners, **parties.agencies}[name].terms
    ours = load_account(starter, name).terms
    assert ours is not None
    assert theirs is not None
    assert (ours.our_name, ours.their_name) == (theirs.their_name, theirs.our_name)
    assert ours.signer is not None
    assert ours.signer.certificate in theirs.their_signing
    assert tuple(ours.their_signing) == (parties.signer.certificate,)


def test_an_agency_has_its_port_and_its_manner(starter: pathlib.Path) -> None:
    health = load_account(starter, "health")
    assert health.terms is None
    assert health.own_port == 8283
    assert (health.manner.answers, health.manner.seconds) == ("later", 1.5)
    assert load_account(starter, "agriculture").manner.answers == "response"


def test_without_a_plain_port_as2_goes_over_tls(folder: pathlib.Path) -> None:
    assert load_account(folder, "trader").as2_url == "http://127.0.0.1:8080/as2"
    file = folder / "gateway.toml"
    file.write_text(file.read_text().replace('http = "127.0.0.1:8080"', 'http = ""'))
    assert load_account(folder, "trader").as2_url == "https://localhost:8443/as2"


def test_without_sandbox_settings_an_agency_answers_at_once(folder: pathlib.Path) -> None:
    (folder / "sandbox.toml").unlink()
    account = load_account(folder, "health")
    assert (account.manner.seconds, account.record) == (0.0, "")


@pytest.mark.parametrize(
    ("name", "missing", "says"),
    [
        ("nobody", "", "no partner or agency 'nobody'"),
        ("customs", "keys/customs.pem", "customs.pem"),
        ("customs", "keys/customs.key", "customs"),
        ("health", "keys/health.key", "health"),
        ("trader", "gateway.toml", "gateway.toml"),
    ],
)
def test_what_is_missing_is_named(folder: pathlib.Path, name: str, missing: str, says: str) -> None:
    if missing:
        (folder / missing).unlink()
    with pytest.raises(ConfigError, match=says):
        load_account(folder, name)


def test_what_is_no_key_is_named(folder: pathlib.Path) -> None:
    (folder / "keys" / "trader.key").write_text("no key")
    with pytest.raises(ConfigError, match="trader"):
        load_account(folder, "trader")
