"""Where the command line begins.

`validate` is called in editors and hooks, once a file, so its start-up time is a feature: its plain form is
parsed here, without the libraries that only help and options need.
"""

import io
import os
import sys

_JSON, _UTF8 = "--json", "--utf8"
_OPTIONS = (_JSON, _UTF8)
# As click exits when whoever reads has gone away.
_UNHEARD = 1
# As a shell tells of a program that was interrupted.
_INTERRUPTED = 130


def main() -> None:
    """Run the command in `sys.argv` and exit with its code."""
    arguments = sys.argv[1:]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal may have no letters for what documents hold.
        sys.stdout.reconfigure(errors="backslashreplace")
    if arguments[:1] == ["validate"] and _is_plain(arguments[1:]):
        sys.exit(_validate(arguments[1:]))
    from .commands import run

    run()


def _validate(arguments: list[str]) -> int:
    from .files import validate

    try:
        files = [a for a in arguments if a not in _OPTIONS]
        code = validate(files, as_json=_JSON in arguments, utf8=_UTF8 in arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would fail again at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNHEARD
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _is_plain(arguments: list[str]) -> bool:
    """True for file names, `-`, `--json` and `--utf8`: everything else needs the whole command line."""
    files = [a for a in arguments if a not in _OPTIONS]
    return files != [] and all(a == "-" or not a.startswith("-") for a in files)
