"""The sample documents the package ships. Names, companies and numbers in them are invented.

Customs of the sandbox holds one of them for inspection: `fireworks.edi`, by its tariff heading 3604.
"""

import importlib.resources
from collections.abc import Mapping

# File name -> what it is. All are of one customs broker, lodging for several companies.
SAMPLES: Mapping[str, str] = {
    "import.edi": "CUSDEC, import of coffee, cocoa and food supplements: customs and health",
    "export.xml": "WCO DEC, export of laboratory equipment: customs alone",
    "plants.xml": "WCO DEC, import of cut flowers and vegetables with phytosanitary certificates",
    "fireworks.edi": "CUSDEC, import of fireworks, which customs holds for inspection",
    "invalid.edi": "CUSDEC with a wrong count, an unknown segment and bad elements",
    "invalid.xml": "WCO DEC with bad codes and numbers, an unknown element and a missing one",
}


def sample(name: str) -> bytes:
    """The sample called `name`, one of SAMPLES."""
    if name not in SAMPLES:
        raise KeyError(name)
    return importlib.resources.files(__package__).joinpath("documents", name).read_bytes()
