"""Algorithms as data: the file shipped, an operator's own, and what no file can allow."""

import dataclasses
import pathlib

import pytest

from tidewaiter.gateway import resources
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.gateway.weaknesses import PROTECTIONS, Algorithms, load_algorithms
from tidewaiter.security import DEFAULT_POLICY, Cipher, Digest, Policy


@pytest.fixture
def shipped() -> str:
    return resources.algorithms().read_text()


@pytest.fixture
def algorithms(tmp_path: pathlib.Path) -> Algorithms:
    return load_algorithms(tmp_path)


def own(folder: pathlib.Path, text: str) -> Algorithms:
    (folder / "algorithms.toml").write_text(text)
    return load_algorithms(folder)


def test_the_file_and_the_code_say_the_same(algorithms: Algorithms) -> None:
    assert algorithms.default == DEFAULT_POLICY
    assert algorithms.policy(()) == DEFAULT_POLICY


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("sha-1", {"digests": DEFAULT_POLICY.digests | {Digest.SHA1}}),
        ("3des", {"ciphers": DEFAULT_POLICY.ciphers | {Cipher.DES3_CBC}}),
        ("rsa-1024", {"min_rsa_bits": 1024}),
        ("no-signed-attributes", {"allow_no_signed_attributes": True}),
        ("unsigned", {}),
        ("unencrypted", {}),
    ],
)
def test_a_weakness_opens_that_and_nothing_else(
    algorithms: Algorithms, name: str, opened: dict[str, object]
) -> None:
    assert algorithms.policy([name]) == dataclasses.replace(DEFAULT_POLICY, **opened)  # type: ignore[arg-type]


def test_several_weaknesses_open_each(algorithms: Algorithms) -> None:
    policy = algorithms.policy(["sha-1", "3des"])
    assert Digest.SHA1 in policy.digests
    assert Cipher.DES3_CBC in policy.ciphers
    assert policy.min_rsa_bits == 2048


def test_a_name_that_is_none(algorithms: Algorithms) -> None:
    with pytest.raises(LookupError, match=r"'md5' is not known; it takes sha-1, 3des, rsa-1024, unsigned, "):
        algorithms.policy(["md5"])


def test_an_operator_s_own_stands_in(tmp_path: pathlib.Path, shipped: str) -> None:
    """Stricter than ours, and with a weakness of its own."""
    text = shipped.replace('"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", ', "")
    found = own(tmp_path, f'{text}\n[weakness.cbc]\nciphers = ["aes-256-cbc"]\n')
    assert Cipher.AES256_CBC not in found.default.ciphers
    assert Cipher.AES256_CBC in found.policy(["cbc"]).ciphers
    assert found.names == ("sha-1", "3des", "rsa-1024", "cbc", *PROTECTIONS)
    assert isinstance(found.default, Policy)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'digests = ["sha-256",',
            'digests = ["md5", "sha-256",',
            "digests: 'md5' cannot be allowed; it takes",
        ),
        ('ciphers = ["3des-cbc"]', 'ciphers = ["rc2-cbc"]', "weakness.3des.ciphers: 'rc2-cbc' cannot be all"),
        ('signatures = ["rsa-pkcs1"', 'signatures = ["dsa"', "signatures: 'dsa' cannot be allowed"),
        ("min-rsa-bits = 1024", "min-rsa-bits = 512", "weakness.rsa-1024.min-rsa-bits: "),
        ("[weakness.3des]", "[weakness.unsigned]", "weakness.unsigned: is the name of something else"),
        ("min-rsa-bits = 2048", "min-rsa-bit = 2048", ": min-rsa-bit: unknown key"),
    ],
)
def test_what_no_file_can_allow(tmp_path: pathlib.Path, shipped: str, old: str, new: str, told: str) -> None:
    assert old in shipped
    with pytest.raises(ConfigError) as caught:
        own(tmp_path, shipped.replace(old, new, 1))
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "algorithms.toml"))
