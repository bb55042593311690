"""What a command says when it cannot be done. It imports nothing of the gateway."""

import sys

UNUSABLE = 2


def complain(reason: object) -> int:
    """One line on standard error, and the exit code for it."""
    sys.stderr.write(f"tidewaiter: {reason}\n")
    return UNUSABLE
