"""The configuration: what the starter says, and that every mistake is one line before a port opens."""

import pathlib
from collections.abc import Callable

import pytest

from tidewaiter.gateway.as2_settings import cipher_of, digest_of
from tidewaiter.gateway.config import (
    RetrySettings,
    load_config,
    load_levels,
    retry_policy,
)
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.security import Cipher, Digest

Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(folder: pathlib.Path) -> Edit:
    def replace(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return replace


def refusal(folder: pathlib.Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(folder)
    told = str(caught.value)
    assert "\n" not in told
    return told.removeprefix(str(folder) + "/")


def test_the_starter_is_good(starter: pathlib.Path) -> None:
    config = load_config(starter)
    assert config.gateway.as2_name == "TIDEWAITER"
    assert list(config.partners) == ["trader"]
    assert list(config.agencies) == ["agriculture", "customs", "health"]
    assert config.path("keys/x.pem") == starter / "keys/x.pem"
    assert {level.type for level in load_levels(starter)} == {level.type for level in config.levels}
    assert [(x.goal, x.basic, x.minimum) for x in config.levels if x.type == "import"] == [(9.5, 10.5, 11.5)]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("gateway.toml", "[limits]\n", "[limits]\nidle-seconds = inf\n", ": limits.idle-seconds: Expected"),
        ("gateway.toml", "[limits]\n", "[limits]\nconcealed-seconds = inf\n", "Expected `float` <="),
        ("partners/trader.toml", "[as2]\n", "[as2]\nreceipt-seconds = inf\n", ": as2.receipt-seconds: Exp"),
        ("partners/trader.toml", "[as2]\n", "[as2]\nreceipt-seconds = nan\n", ": as2.receipt-seconds: Exp"),
        ("partners/trader.toml", "first = 2.0", "first = nan", "retry: first: nan is no number"),
        ("partners/trader.toml", "1_209_600.0", "1e9", "retry.deadline: Expected"),
        ("gateway.toml", "as2-name", "as2_name", "gateway.toml:4: as2_name: unknown key"),
        ("gateway.toml", '"trio"', '"curio"', "gateway.toml:8: loop: Invalid enum value 'curio'"),
        ("gateway.toml", "free-disk", "free_disk", ": limits.free_disk: unknown key"),
        ("gateway.toml", 'edifact-id = "TIDEWAITER"', "", "gateway.toml: missing key edifact-id"),
        ("partners/trader.toml", "digest =", "digset =", ": as2.digset: unknown key"),
        ("partners/trader.toml", '"sha-256"', '"md5"', ": as2.digest: Invalid enum value 'md5'"),
        ("partners/trader.toml", 'contrl = "asked"', 'contrl = "no"', "; it takes always, asked, never"),
        (
            *("partners/trader.toml", '["leading-text"]', '["utf8"]'),
            ": edifact-allow: Invalid enum value 'utf8'; it takes leading-text, utf-8",
        ),
        (
            *("agencies/customs.toml", '["leading-text"]', '"utf-8"'),
            ": edifact-allow: Expected `array`, got `str`",
        ),
        ("partners/trader.toml", 'name = "trader"', 'name = "other"', ": name: must be the file's name"),
        ("agencies/health.toml", "concurrency", "concurency", ": concurency: unknown key"),
        ("agencies/health.toml", "url = ", "# url = ", "health.toml: url: an agency on channel https needs"),
        ("agencies/customs.toml", "url = ", "# url = ", "customs.toml: as2: an agency on channel as2 needs"),
        ("routes.toml", '["health"]', '["helath"]', "route medicines: no agency 'helath' is configured"),
        ("routes.toml", "hs_prefix", "hs-prefix", ": route.when.hs-prefix: unknown key"),
        ("routes.toml", '["import"]', '["inport"]', "inport"),
        ("sla.toml", "basic = 10.5", 'basic = "fast"', ": level.basic: Expected `float`, got `str`"),
    ],
)
def test_a_mistake_is_one_line(
    folder: pathlib.Path, edit: Edit, file: str, old: str, new: str, told: str
) -> None:
    edit(file, old, new)
    said = refusal(folder)
    assert said.startswith(file)
    assert told in said


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("partners/trader.toml", "deadline = 1_209_600.0", "deadline = 1.0", "retry"),
        ("agencies/health.toml", "concurrency = 8", "concurrency = 0", "concurrency"),
        ("agencies/health.toml", "live = true", 'stand-in = "health"', "stand-in"),
        ("agencies/health.toml", "live = true", 'stand-in = "nobody"', "stand-in"),
        ("agencies/health.toml", "live = true", 'stand-in = "customs"', "stand-in"),
        ("sla.toml", "goal = 9.5", "goal = 12.5", "level: "),
        ("gateway.toml", 'https = "127.0.0.1:', 'https = "127.0.0.1', "listen.https"),
        ("gateway.toml", 'http = "127.0.0.1:', 'http = ":', "listen.http"),
        ("gateway.toml", "body = 10_000_000", "body = 0", "limits.body"),
        ("gateway.toml", 'edifact-id = "TIDEWAITER"', 'edifact-id = ""', "edifact-id"),
        ("partners/trader.toml", '"MERIDIAN"', f'"{"M" * 36}"', "edifact-id"),
    ],
)
def test_a_value_that_makes_no_sense_is_one_line(
    folder: pathlib.Path, edit: Edit, file: str, old: str, new: str, key: str
) -> None:
    edit(file, old, new)
    said = refusal(folder)
    assert said.startswith(file)
    assert f": {key}" in said


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:0", "localhost:8443", "0.0.0.0:443", "[::1]:8443", "[::]:65535"]
)
def test_addresses_to_listen_at(folder: pathlib.Path, edit: Edit, address: str) -> None:
    edit("gateway.toml", '"127.0.0.1:8443"', f'"{address}"')
    assert load_config(folder).gateway.listen.https == address


def test_a_test_system_may_stand_in(folder: pathlib.Path, edit: Edit) -> None:
    edit("agencies/agriculture.toml", "live = true", "live = false")
    edit("agencies/health.toml", "live = true", 'stand-in = "agriculture"')
    assert load_config(folder).agencies["health"].stand_in == "agriculture"


@pytest.mark.parametrize("name", ["routes.toml", "sla.toml"])
def test_a_file_that_is_missing_is_named(folder: pathlib.Path, name: str) -> None:
    (folder / name).unlink()
    assert refusal(folder) == f"{name}: No such file or directory"


def test_where_no_configuration_is_it_says_what_to_do(folder: pathlib.Path) -> None:
    (folder / "gateway.toml").unlink()
    told = f"{folder}: no gateway.toml here: run `tidewaiter init DIR`, or give --dir"
    assert refusal(folder) == told


@pytest.mark.parametrize("name", ["Trader", "-trader", "tra der", "x" * 41])
def test_a_name_fits_a_file_name_and_a_log_line(folder: pathlib.Path, name: str) -> None:
    text = (folder / "partners/trader.toml").read_text().replace('name = "trader"', f'name = "{name}"')
    (folder / f"partners/{name}.toml").write_text(text)
    (folder / "partners/trader.toml").unlink()
    assert "of a-z, 0-9 and -" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "cipher"), [("aes-256-cbc", Cipher.AES256_CBC), ("aes-128-gcm", Cipher.AES128_GCM)]
)
def test_algorithms_by_name(name: str, cipher: Cipher) -> None:
    assert cipher_of(name) is cipher


def test_digests_by_name() -> None:
    assert [digest_of(name) for name in ("sha-256", "sha-384", "sha-512")] == [
        Digest.SHA256,
        Digest.SHA384,
        Digest.SHA512,
    ]


def test_the_retry_of_an_agreement() -> None:
    policy = retry_policy(RetrySettings(first=1, factor=3, cap=9, deadline=10))
    assert (policy.first, policy.factor, policy.cap, policy.deadline) == (1, 3, 9, 10)
