"""The room's public names are those it lists."""

import importlib
import pkgutil
import types

import tidewaiter.routing as room


def test_every_listed_name_is_there_once_and_in_order() -> None:
    assert len(room.__all__) == len(set(room.__all__))
    assert all(hasattr(room, name) for name in room.__all__)
    public = {
        name
        for name, value in vars(room).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(room.__all__)


def test_no_module_reads_a_clock_or_touches_the_world() -> None:
    """Beside the import contract: nothing of the kind is even bound in a module of this room."""
    for found in pkgutil.iter_modules(room.__path__):
        module = importlib.import_module(f"{room.__name__}.{found.name}")
        bound = {v.__name__ for v in vars(module).values() if isinstance(v, types.ModuleType)}
        assert not bound & {"time", "random", "os", "socket", "asyncio", "anyio", "trio", "sqlite3"}
