"""The public names of the room."""

import tidewaiter.codecs.edifact


def test_every_public_name_is_there_and_listed() -> None:
    room = tidewaiter.codecs.edifact
    assert sorted(room.__all__) == list(room.__all__)
    assert all(hasattr(room, name) for name in room.__all__)
    modules = {"chain", "directory", "report"}
    public = {name for name in vars(room) if not name.startswith("_")} - modules
    made = {name for name in public if getattr(vars(room)[name], "__module__", "").startswith(room.__name__)}
    # A union of the others has no module of its own.
    made.add("Event")
    # What all codecs share.
    made.add("DirectoryError")
    assert made == set(room.__all__)
