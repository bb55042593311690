"""Who is who: by certificate, by AS2 names; nobody twice; keys that fit."""

import pathlib
import ssl
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.tls_contexts import TlsContexts
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.routing.agreement import Channel, Syntax
from tidewaiter.routing.outcome import Outcome
from tidewaiter.security import Cipher, Digest, load_certificates, make_self_signed

MADE = datetime(2026, 6, 1, tzinfo=UTC)


def edit(file: pathlib.Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def refusal(folder: pathlib.Path) -> str:
    with pytest.raises(ConfigError) as caught:
        Parties(load_config(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(folder) + "/")


def test_each_is_known_by_its_certificate(parties: Parties, starter: pathlib.Path) -> None:
    for name in ("trader", "agriculture", "health"):
        (certificate,) = load_certificates((starter / f"keys/{name}.pem").read_bytes())
        found = parties.by_certificate(certificate.public_bytes(Encoding.DER))
        assert found is parties.named(name)
        assert found is not None
        assert found.is_agency is (name != "trader")


def test_a_certificate_of_nobody(parties: Parties, starter: pathlib.Path) -> None:
    (ours,) = load_certificates((starter / "keys/gateway.pem").read_bytes())
    assert parties.by_certificate(ours.public_bytes(Encoding.DER)) is None


def test_as2_names_count_together(parties: Parties) -> None:
    assert parties.by_as2_names("MERIDIAN", "TIDEWAITER") is parties.partners["trader"]
    assert parties.by_as2_names("CUSTOMS", "TIDEWAITER") is parties.agencies["customs"]
    assert parties.by_as2_names("MERIDIAN", "CUSTOMS") is None
    assert parties.by_as2_names("meridian", "TIDEWAITER") is None


def test_the_terms_of_an_agreement(parties: Parties) -> None:
    terms = parties.partners["trader"].terms
    assert terms is not None
    assert (terms.our_name, terms.their_name) == ("TIDEWAITER", "MERIDIAN")
    assert (terms.require_signed, terms.require_encrypted, terms.compress) == (True, True, True)
    assert Digest.SHA1 not in terms.policy.digests
    assert Cipher.DES3_CBC not in terms.policy.ciphers
    assert terms.max_payload == 20_000_000


def test_weakness_is_allowed_by_name_and_for_one_agreement(folder: pathlib.Path) -> None:
    edit(folder / "partners/trader.toml", "sign = true", 'sign = true\nallow = ["sha-1", "3des", "unsigned"]')
    parties = Parties(load_config(folder))
    terms, others = parties.partners["trader"].terms, parties.agencies["customs"].terms
    assert terms is not None
    assert others is not None
    assert Digest.SHA1 in terms.policy.digests
    assert Cipher.DES3_CBC in terms.policy.ciphers
    assert (terms.require_signed, terms.require_encrypted) == (False, True)
    assert Digest.SHA1 not in others.policy.digests
    assert others.require_signed


def test_one_certificate_is_one_party(folder: pathlib.Path) -> None:
    edit(folder / "agencies/health.toml", "\ncertificates = [", '\ncertificates = ["keys/trader.pem", ')
    assert refusal(folder) == "agencies/health.toml: certificates: has a certificate of trader"


def test_one_as2_name_is_one_party(folder: pathlib.Path) -> None:
    edit(folder / "agencies/customs.toml", 'name = "CUSTOMS"', 'name = "MERIDIAN"')
    assert refusal(folder) == "agencies/customs.toml: as2.name: AS2 name 'MERIDIAN' is taken"


def test_our_own_as2_name_is_taken(folder: pathlib.Path) -> None:
    edit(folder / "partners/trader.toml", 'name = "MERIDIAN"', 'name = "TIDEWAITER"')
    assert refusal(folder) == "partners/trader.toml: as2.name: AS2 name 'TIDEWAITER' is taken"


def test_an_as2_name_that_cannot_be_written(folder: pathlib.Path) -> None:
    edit(folder / "partners/trader.toml", 'name = "MERIDIAN"', f'name = "{"M" * 129}"')
    assert refusal(folder).startswith("partners/trader.toml: as2.name: ")


def test_a_partner_and_an_agency_have_different_names(folder: pathlib.Path) -> None:
    text = (folder / "partners/trader.toml").read_text().replace('name = "trader"', 'name = "health"')
    (folder / "partners/health.toml").write_text(text)
    assert refusal(folder) == "agencies/health.toml: name: is a partner's name too"


def test_an_agreement_needs_a_certificate(folder: pathlib.Path) -> None:
    file = folder / "partners/trader.toml"
    edit(file, 'name = "MERIDIAN"', 'name = "MERIDIAN"\n# only here')
    head, _, as2 = file.read_text().partition("[as2]")
    file.write_text(head + "[as2]" + as2.replace('["keys/trader.pem"]', "[]"))
    assert refusal(folder) == "partners/trader.toml: as2.certificates: needs at least one certificate"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "partners/trader.toml: certificates: keys/trader.pem: No such file or directory"),
        (b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "certificates: keys/trader.pem: "),
        (b"", "certificates: keys/trader.pem: "),
    ],
)
def test_a_certificate_that_cannot_be_read(folder: pathlib.Path, content: bytes | None, told: str) -> None:
    file = folder / "keys/trader.pem"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    said = refusal(folder)
    assert said.startswith("partners/trader.toml: ")
    assert told in said


@pytest.mark.parametrize(("table", "name"), [("signing", "gateway"), ("tls", "gateway-tls")])
def test_a_key_must_be_that_of_the_certificate(folder: pathlib.Path, table: str, name: str) -> None:
    _, key = make_self_signed("other", now=MADE, days=1, key="p256")
    (folder / f"keys/{name}.key").write_bytes(key)
    assert refusal(folder) == f"gateway.toml: {table}.key: keys/{name}.key is not the key of keys/{name}.pem"


def test_a_key_that_is_none(folder: pathlib.Path) -> None:
    (folder / "keys/gateway.key").write_bytes(b"no key")
    assert refusal(folder).startswith("gateway.toml: signing.key: keys/gateway.key: ")


def test_a_signing_certificate_file_that_is_empty(folder: pathlib.Path) -> None:
    (folder / "keys/gateway.pem").write_bytes(b"")
    assert refusal(folder).startswith("gateway.toml: signing.certificate: keys/gateway.pem: ")


def test_current_and_next_certificate_name_one_party(folder: pathlib.Path) -> None:
    coming, _ = make_self_signed("next", now=MADE, days=1, key="p256")
    (folder / "keys/next.pem").write_bytes(coming)
    edit(folder / "partners/trader.toml", '["keys/trader.pem"]', '["keys/trader.pem", "keys/next.pem"]')
    parties = Parties(load_config(folder))
    for certificate in parties.partners["trader"].certificates:
        found = parties.by_certificate(certificate.public_bytes(Encoding.DER))
        assert found is parties.partners["trader"]
    assert len(parties.partners["trader"].certificates) == 2
    terms = parties.partners["trader"].terms
    assert terms is not None
    assert len(terms.their_signing) == 2
    assert terms.their_encryption == terms.their_signing[0]


def test_agencies_as_the_routing_room_knows_them(folder: pathlib.Path) -> None:
    edit(folder / "agencies/health.toml", "live = true", 'live = false\nclears = ["released", "accepted"]')
    with (folder / "agencies/health.toml").open("a") as file:
        file.write('\n[outcomes]\n"21" = "not_competent"\n')
    agencies = Parties(load_config(folder)).agency_values()
    health, customs = agencies["health"], agencies["customs"]
    assert (health.channel, health.syntax, health.live) == (Channel.HTTPS, Syntax.XML, False)
    assert health.clears == {Outcome.RELEASED, Outcome.ACCEPTED}
    assert health.outcomes == {"21": Outcome.NOT_COMPETENT}
    assert customs.endpoint == "http://127.0.0.1:8281/as2"
    assert (customs.channel, customs.syntax, customs.live) == (Channel.AS2, Syntax.EDIFACT, True)


def test_tls_knows_everybody_and_pins_each_server(parties: Parties) -> None:
    made = TlsContexts(parties)
    context = made.server()
    assert context.verify_mode is ssl.CERT_OPTIONAL
    assert {c.subject for c in parties.tls_certificates()} == {
        c.subject for name in ("trader", "agriculture", "health") for c in parties.named(name).certificates
    }
    contexts = made.clients
    assert set(contexts) == {"trader", "agriculture", "customs", "health"}
    assert contexts["health"].verify_mode is ssl.CERT_REQUIRED
    assert contexts["health"].cert_store_stats()["x509"] == 1
