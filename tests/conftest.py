"""What every test may use."""

import pathlib
from collections.abc import Iterator

import pytest
import structlog

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(params=["trio", "asyncio+uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]] | str:
    """Every async test runs on both loops."""
    return ("asyncio", {"use_uvloop": True}) if request.param == "asyncio+uvloop" else "trio"


@pytest.fixture(autouse=True)
def _log_of_one_test() -> Iterator[None]:
    """A command that sets the log up for its process must not do so for the tests after it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
    """The folder of real messages; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real messages is not beside this checkout")
    return SHARED
