"""What every test may use."""

import pathlib

import pytest

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(params=["trio", "asyncio+uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]] | str:
    """Every async test runs on both loops."""
    return ("asyncio", {"use_uvloop": True}) if request.param == "asyncio+uvloop" else "trio"


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
    """The folder of real messages; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real messages is not beside this checkout")
    return SHARED
