"""Ours, current and next: which pair signs when, and which keys open what comes."""

import pathlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.keys import OurKeys, load_keys
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.security import make_self_signed

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Ours:
    """`gateway.toml` with pairs made for it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.head, _, tail = (folder / "gateway.toml").read_text().partition("# Signs receipts")
        self.tail = "[tls]" + tail.partition("[tls]")[2]

    def pair(self, name: str, begins: int, ends: int) -> None:
        """Valid from and to these days from now."""
        made = NOW + begins * DAY
        certificate, key = make_self_signed(
            name, now=made + timedelta(hours=1), days=ends - begins, key="p256"
        )
        (self.folder / f"keys/{name}.pem").write_bytes(certificate)
        (self.folder / f"keys/{name}.key").write_bytes(key)

    def write(self, *tables: tuple[str, str, str]) -> OurKeys:
        """Each: the table's name, the pair's, and more of it."""
        text = "".join(
            f'[[{table}]]\ncertificate = "keys/{name}.pem"\nkey = "keys/{name}.key"\n{more}\n'
            for table, name, more in tables
        )
        (self.folder / "gateway.toml").write_text(f"{self.head}{text}{self.tail}")
        return load_keys(load_config(self.folder))


@pytest.fixture
def ours(folder: pathlib.Path) -> Ours:
    return Ours(folder)


def signers(keys: OurKeys, *days: float) -> list[str]:
    """Whose turn it is to sign on each of these days from now."""
    found = (keys.signing_at(NOW + day * DAY).certificate.subject.rfc4514_string() for day in days)
    return [name.removeprefix("CN=") for name in found]


def test_the_newest_valid_pair_signs(ours: Ours) -> None:
    ours.pair("old", -9, 5)
    ours.pair("new", 1, 20)
    keys = ours.write(("signing", "new", ""), ("signing", "old", ""))
    assert signers(keys, 0, 0.9, 1, 6, 21) == ["old", "old", "new", "new", "new"]
    assert [held.pair.certificate for held in keys.decryption] == [s.certificate for s in keys.signing]


def test_a_pair_signs_since_its_date(ours: Ours) -> None:
    ours.pair("old", -9, 5)
    ours.pair("new", -1, 20)
    since = f"since = {(NOW + 2 * DAY).isoformat()}"
    keys = ours.write(("signing", "old", ""), ("signing", "new", since))
    assert signers(keys, 0, 1.9, 2, 30) == ["old", "old", "new", "new"]


def test_a_date_does_not_make_a_certificate_valid(ours: Ours) -> None:
    ours.pair("old", -9, 5)
    ours.pair("new", 3, 20)
    since = f"since = {(NOW - DAY).isoformat()}"
    keys = ours.write(("signing", "old", ""), ("signing", "new", since))
    assert signers(keys, 0, 2, 3) == ["old", "old", "new"]


def test_what_has_run_out_signs_where_nothing_else_does(ours: Ours) -> None:
    ours.pair("older", -30, -20)
    ours.pair("old", -9, -5)
    ours.pair("future", 3, 9)
    keys = ours.write(*(("signing", name, "") for name in ("older", "old", "future")))
    assert signers(keys, 0, 3) == ["old", "future"]
    assert signers(ours.write(("signing", "future", "")), 0) == ["future"]


def test_pairs_that_decrypt_stand_alone(ours: Ours) -> None:
    ours.pair("signs", -1, 9)
    ours.pair("opens", -9, -1)
    keys = ours.write(("signing", "signs", ""), ("decryption", "opens", ""))
    assert [key.certificate.subject.rfc4514_string() for key in keys.decrypting_at(NOW)] == ["CN=opens"]


def test_what_has_not_changed_is_not_read_again(ours: Ours) -> None:
    ours.pair("one", -1, 9)
    before = ours.write(("signing", "one", ""))
    after = load_keys(load_config(ours.folder), before)
    assert after.signing[0].pair is before.signing[0].pair
    assert after.tls is before.tls
    ours.pair("one", -1, 9)
    assert load_keys(load_config(ours.folder), before).signing[0].pair is not before.signing[0].pair


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("since = 2026-01-01", ": signing.since: "),
        ("since = 2026-01-01T00:00:00", ": signing.since: "),
        ('sine = "x"', ": signing.sine: unknown key"),
    ],
)
def test_a_moment_needs_its_zone(ours: Ours, more: str, told: str) -> None:
    ours.pair("one", -1, 9)
    with pytest.raises(ConfigError) as caught:
        ours.write(("signing", "one", more))
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{ours.folder}/gateway.toml:")


@pytest.mark.parametrize(
    ("table", "name", "told"),
    [
        ("signing", "certificate", "signing.certificate: "),
        ("signing", "key", "signing.key: "),
        ("decryption", "certificate", "decryption.certificate: "),
        ("decryption", "key", "decryption.key: "),
        ("tls", "certificate", "tls.certificate: "),
        ("tls", "key", "tls.key: "),
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_cannot_be_read_is_told_with_its_table(
    ours: Ours, table: str, name: str, told: str, content: bytes | None
) -> None:
    ours.pair("one", -9, 9)
    ours.pair("two", -9, 9)
    stem = {"signing": "one", "decryption": "two", "tls": "gateway-tls"}[table]
    file = ours.folder / f"keys/{stem}.{'pem' if name == 'certificate' else 'key'}"
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        ours.write(("signing", "one", ""), ("decryption", "two", ""))
    assert f"gateway.toml: {told}keys/{file.name}: " in str(caught.value)


@pytest.mark.parametrize("table", ["signing", "decryption"])
def test_two_keys_of_one_issuer_and_serial_number_are_refused(ours: Ours, table: str) -> None:
    """A message names the key by these two, and only one of them would be tried."""
    for file, serial in (("one", 7), ("two", 7), ("three", 8)):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name.from_rfc4514_string("CN=same")
        builder = x509.CertificateBuilder(name, name, key.public_key(), serial, NOW - DAY, NOW + DAY)
        made = builder.sign(key, hashes.SHA256())
        (ours.folder / f"keys/{file}.pem").write_bytes(made.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (ours.folder / f"keys/{file}.key").write_bytes(private)
    ours.pair("other", -9, 9)
    assert ours.write(("signing", "other", ""), *((table, name, "") for name in ("one", "three", "one")))
    with pytest.raises(ConfigError) as caught:
        ours.write(("signing", "other", ""), *((table, name, "") for name in ("one", "three", "two")))
    told = f"{table}.certificate: keys/two.pem: has issuer and serial number of keys/one.pem, and another key"
    assert told in str(caught.value)
