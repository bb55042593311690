"""Where a configuration lies. It imports nothing, for commands that are called once a file."""

import os
import pathlib


def home(folder: pathlib.Path | None = None) -> pathlib.Path:
    """The folder given, else $TIDEWAITER_HOME, else the one in the user's data folder."""
    if folder is not None:
        return folder
    if named := os.environ.get("TIDEWAITER_HOME"):
        return pathlib.Path(named)
    data = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local" / "share"
    return pathlib.Path(data) / "tidewaiter"
