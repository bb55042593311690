"""AS2 names (RFC 4130 6.2): what stands in AS2-From and AS2-To, with and without its quotes."""

import re

from .remembering import remembered

# RFC 4130 6.2: an AS2-name is 1 to 128 printable ASCII characters.
MAX_NAME = 128

# The quoted form holds a backslash only before a quote or another backslash.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
# Spaces belong in quotes (AS2-atomic-name has none), but names with inner spaces are sent without in the
# field.
_BARE = re.compile(r"[!#-\[\]-~](?:[ !#-\[\]-~]*[!#-\[\]-~])?")
_ATOMIC = re.compile(r"[!#-\[\]-~]+")
_ESCAPED = re.compile(r'\\(["\\])')
_TO_ESCAPE = re.compile(r'(["\\])')


@remembered
def read_name(value: str) -> str:
    """The name that the header value `value` stands for: quotes and escapes undone, case kept.

    Raises ValueError if it is no AS2-name. Two values name the same partner exactly if this result is equal.
    """
    value = value.strip(" \t")
    if quoted := _QUOTED.fullmatch(value):
        name = _ESCAPED.sub(r"\1", quoted[1])
    elif _BARE.fullmatch(value):
        name = value
    else:
        raise ValueError(
            "not an AS2 name: printable ASCII, quotes and backslashes only escaped within quotes"
        )
    if not 1 <= len(name) <= MAX_NAME:
        raise ValueError(f"an AS2 name has 1 to {MAX_NAME} characters")
    return name


@remembered
def write_name(name: str) -> str:
    """`name` as a header value: quoted only if it does not fit AS2-atomic-name (RFC 4130 6.2).

    Raises ValueError if no header value can stand for it.
    """
    value = name if _ATOMIC.fullmatch(name) else '"' + _TO_ESCAPE.sub(r"\\\1", name) + '"'
    if read_name(value) != name:
        raise ValueError("not an AS2 name")
    return value
