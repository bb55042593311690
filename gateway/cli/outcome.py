"""What a command on a file comes to. It imports nothing of the gateway."""

import enum


class Outcome(enum.IntEnum):
    """The exit code: there is a document and no error, there is an error, or nothing can be made of it."""

    VALID = 0
    INVALID = 1
    UNREADABLE = 2

    @property
    def word(self) -> str:
        """As it is printed."""
        return self.name.lower()
