"""TOML into typed values, with errors that name the file, the line and the key."""

import pathlib
import re
import tomllib
from typing import TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T")

_AT = re.compile(r"^(?P<reason>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<key>.*)`")
_MISSING = re.compile(r"missing required field `(?P<key>.*)`")
_STEP = re.compile(r"\.?(?P<key>[^.\[\]]+)|\[(?P<index>\d+|\.\.\.)\]")


class ConfigError(Exception):
    """A configuration that cannot be used: one line with file, line where known, key and reason."""

    def __init__(self, file: pathlib.Path, reason: str, *, key: str = "", line: int | None = None) -> None:
        place = str(file) if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key}: {reason}" if key else f"{place}: {reason}")


def read_toml(file: pathlib.Path, kind: type[T]) -> T:
    """The file's content as a `kind`. Raises ConfigError, also where the file cannot be read."""
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        raise ConfigError(file, "is not UTF-8") from None
    except OSError as error:
        raise ConfigError(file, error.strerror or "cannot be read") from None
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except msgspec.ValidationError as error:
        raise _explained(file, text, str(error), kind) from None
    except ValueError as error:  # beside what TOML is: a number of more digits than Python reads
        raise ConfigError(file, str(error)) from None
    except RecursionError:
        raise ConfigError(file, "is nested too deeply") from None


def toml_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """The TOML files in `folder`; none where there is no folder. What an editor puts beside them begins with
    a dot. Raises ConfigError where the folder cannot be read: then none is known to be gone."""
    try:
        return sorted(
            file for file in folder.iterdir() if file.suffix == ".toml" and not file.name.startswith(".")
        )
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigError(folder, error.strerror or "cannot be read") from None


def _explained(file: pathlib.Path, text: str, message: str, kind: type) -> ConfigError:
    match = _AT.match(message)
    assert match is not None
    reason, steps = match["reason"], _steps(match["path"] or "")
    if unknown := _UNKNOWN.search(reason):
        steps, reason = [*steps, unknown["key"]], "unknown key"
    elif missing := _MISSING.search(reason):
        reason = f"missing key {missing['key']}"
    elif "matching regex" in reason:
        # A person reads no pattern, and the only thing written to one is where to listen.
        reason = "host:port is expected, such as 127.0.0.1:8443, or an empty string"
    elif words := _words(inspect.type_info(kind), steps):
        reason += f"; it takes {', '.join(words)}"
    key = ".".join(str(step) for step in steps if isinstance(step, str))
    return ConfigError(file, reason, key=key, line=_line_of(text, steps))


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    for match in _STEP.finditer(path):
        if match["key"]:
            steps.append(match["key"])
        else:
            steps.append(0 if match["index"] == "..." else int(match["index"]))
    return steps


def _words(info: inspect.Type, steps: list[str | int]) -> tuple[str, ...]:
    """The words that the key at `steps` takes, where it takes words of a list."""
    match info:
        case inspect.UnionType(types=types):
            return next((found for one in types if (found := _words(one, steps))), ())
        case inspect.LiteralType(values=values) if not steps:
            return tuple(map(str, values))
        case inspect.StructType(fields=fields) if steps:
            below = (field.type for field in fields if field.encode_name == steps[0])
            return next((_words(one, steps[1:]) for one in below), ())
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item) if steps:
            return _words(item, steps[1:])
        case inspect.DictType(value_type=item) if steps:
            return _words(item, steps[1:])
        case _:
            return ()


def _line_of(text: str, steps: list[str | int]) -> int | None:
    """The line that sets the key at `steps`: the nearest one that can be told without a full parser."""
    wanted = [step for step in steps if isinstance(step, str)]
    if not wanted:
        return None
    index = next((step for step in steps if isinstance(step, int)), 0)
    table: list[str] = []
    seen: dict[str, int] = {}
    nearest = None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line)
        if header:
            table = [part.strip("\"' ") for part in header[1].split(".")]
            if line.lstrip().startswith("[["):
                seen[table[0]] = seen.get(table[0], -1) + 1
        if table and seen.get(table[0], index) != index:
            continue
        assigned = re.match(r"\s*([A-Za-z0-9_\-.\"]+)\s*=", line)
        path = table + ([part.strip('"') for part in assigned[1].split(".")] if assigned else [])
        if path == wanted:
            return number
        if path and path == wanted[: len(path)]:
            nearest = number
    return nearest
