"""Errors of codecs, alone in their module: to catch one, no codec is imported."""


class DirectoryError(ValueError):
    """A directory table that is not well made; the text says which part of it."""
