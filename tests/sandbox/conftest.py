"""A starter configuration, made once: its six keys take half a second."""

import datetime
import pathlib

import pytest

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import resources
from tidewaiter.gateway.scaffold import make_starter

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder that holds a starter configuration."""
    folder = tmp_path_factory.mktemp("starter") / "gateway"
    make_starter(folder, now=NOW)
    return folder


@pytest.fixture(scope="session")
def reader() -> Reader:
    """A reader with all that is shipped."""
    return Reader(resources.directory, resources.schemas)
