"""docs/trust.md: its keys exist, its example is one, and the weaknesses it names are those of the file."""

import pathlib
import re
import tomllib

import msgspec

from tidewaiter.gateway import resources
from tidewaiter.gateway.as2_settings import As2Settings
from tidewaiter.gateway.config import GatewaySettings, PartnerSettings
from tidewaiter.gateway.weaknesses import load_algorithms

PAGE = pathlib.Path(__file__).resolve().parents[2].joinpath("docs", "trust.md").read_text()


def keys(kind: type[msgspec.Struct], before: str = "") -> set[str]:
    return {before + field.encode_name for field in msgspec.structs.fields(kind)}


def test_the_keys_of_the_table_exist() -> None:
    known = keys(GatewaySettings) | keys(PartnerSettings) | keys(As2Settings, "as2.")
    cells = re.findall(r"^\| (.*?) \|", PAGE, flags=re.MULTILINE)
    named = {name.strip("[]") for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    assert len(named) > 8
    assert named - {"gateway.toml"} <= known


def test_the_example_is_an_agreement() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    as2 = msgspec.convert(tomllib.loads(example)["as2"], As2Settings)
    assert as2.authorities
    assert as2.subject


def test_the_weaknesses_it_names() -> None:
    told = PAGE[PAGE.index("## Algorithms") :]
    assert set(load_algorithms(resources.shipped()).names) <= set(re.findall(r"`([\w-]+)`", told))
