"""Where the command line begins.

`validate` is called in editors and hooks, once a file, so its start-up time is a feature: its plain form is
parsed here, without the libraries that only help and options need.
"""

import sys


def main() -> None:
    """Run the command in `sys.argv` and exit with its code."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["validate"] and len(arguments) > 1 and _is_plain(arguments[1:]):
        from .files import validate

        as_json = "--json" in arguments
        sys.exit(validate([a for a in arguments[1:] if a != "--json"], as_json=as_json))
    from .commands import run

    run()


def _is_plain(arguments: list[str]) -> bool:
    return all(not a.startswith("-") or a == "--json" for a in arguments) and arguments != ["--json"]
