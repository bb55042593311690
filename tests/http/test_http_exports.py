"""The room exports what its `__init__` lists, and nothing else by accident."""

import tidewaiter.gateway.http as room


def test_exports() -> None:
    public = {name for name, value in vars(room).items() if not name.startswith("_")}
    modules = {name for name in public if type(getattr(room, name)).__name__ == "module"}
    assert public - modules == set(room.__all__)
    assert sorted(room.__all__) == room.__all__
