"""A starter configuration loads as it was written, and is never written over another."""

import datetime
import pathlib
import stat

import pytest

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.sandbox.samples import SAMPLES, sample
from tidewaiter.gateway.scaffold import Ports, ScaffoldError, make_starter
from tidewaiter.gateway.tls_contexts import TlsContexts
from tidewaiter.routing.facts import facts_of
from tidewaiter.routing.sla import levels_at

NOW = datetime.datetime.now(datetime.UTC)


def test_it_loads_with_every_party_and_its_keys(starter: pathlib.Path) -> None:
    config = load_config(starter)
    parties = Parties(config)
    assert set(config.partners) == {"trader"}
    assert {name: (a.channel, a.syntax) for name, a in config.agencies.items()} == {
        "customs": ("as2", "edifact"),
        "agriculture": ("https", "xml"),
        "health": ("https", "xml"),
    }
    contexts = TlsContexts(parties)
    assert contexts.server() is not None
    assert {"agriculture", "health"} <= set(contexts.clients)


def test_private_keys_are_for_their_owner_only(starter: pathlib.Path) -> None:
    keys = list((starter / "keys").glob("*.key"))
    assert len(keys) == 6
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE((starter / "keys").stat().st_mode) == 0o700


def test_every_type_has_the_levels_of_the_agreement(starter: pathlib.Path) -> None:
    levels = load_config(starter).levels
    for kind in ("import", "export", "transit", "supplementary", "other"):
        held = levels_at(levels, kind, NOW.date())
        assert held is not None
        assert (held.goal, held.basic, held.minimum) == (9.5, 10.5, 11.5)


@pytest.mark.parametrize(
    ("name", "agencies"),
    [
        ("import.edi", {"customs", "health"}),
        ("export.xml", {"customs"}),
        ("plants.xml", {"customs", "agriculture"}),
        ("fireworks.edi", {"customs"}),
    ],
)
def test_the_routes_send_each_sample_to_its_agencies(
    starter: pathlib.Path, reader: Reader, name: str, agencies: set[str]
) -> None:
    declaration = reader.read(sample(name)).documents[0].declaration
    assert declaration is not None
    matches = load_config(starter).rules.match(facts_of(declaration))
    assert {match.agency for match in matches} == agencies


def test_ports_loop_and_record_are_filled_in_everywhere(tmp_path: pathlib.Path) -> None:
    make_starter(tmp_path, now=NOW, ports=Ports(https=18443, customs=18281), loop="uvloop", record="wire")
    assert not any(b"@" in file.read_bytes() for file in tmp_path.rglob("*.toml"))
    config = load_config(tmp_path)
    customs = config.agencies["customs"].as2
    assert config.gateway.loop == "uvloop"
    assert config.gateway.listen.https == "127.0.0.1:18443"
    assert customs is not None
    assert customs.url == "http://127.0.0.1:18281/as2"
    assert 'record = "wire"' in (tmp_path / "sandbox.toml").read_text()


def test_the_samples_lie_beside_it(starter: pathlib.Path) -> None:
    assert {file.name for file in (starter / "samples").iterdir()} == set(SAMPLES)


@pytest.mark.parametrize("existing", ["gateway.toml", "keys/customs.key", "samples/import.edi"])
def test_it_overwrites_nothing_and_then_writes_nothing(tmp_path: pathlib.Path, existing: str) -> None:
    mine = tmp_path / existing
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(ScaffoldError, match=existing):
        make_starter(tmp_path, now=NOW)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_a_folder_with_other_things_is_fine(tmp_path: pathlib.Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    made = make_starter(tmp_path, now=NOW)
    assert tmp_path / "gateway.toml" in made
    assert (tmp_path / "notes.txt").read_text() == "mine"
