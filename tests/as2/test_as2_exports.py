"""What the room shows to others, compared with what it says it shows."""

import types

from tidewaiter.gateway import as2


def test_the_exports_are_whole_and_sorted_by_rule() -> None:
    public = {
        name
        for name, value in vars(as2).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(as2.__all__)
    assert len(as2.__all__) == len(set(as2.__all__))
