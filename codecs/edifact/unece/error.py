"""The one error of this package."""


class ArchiveError(ValueError):
    """What was given is no directory archive, or one that cannot be read; the text says which part of it."""
