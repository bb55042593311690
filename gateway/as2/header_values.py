"""What stands in structured header values: types, parameters, comments, file names (RFC 2045, RFC 2231)."""

import contextlib
import email.errors
import email.header
import re
import urllib.parse
from collections.abc import Mapping
from types import MappingProxyType

from .remembering import remembered

_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^;]*))', re.IGNORECASE)
# What a comment may follow (RFC 5322 3.2.2), a quoted string, or a comment, nested as far as anybody nests.
_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|(?:^|(?<=[\s;]))\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)')
# RFC 2231 3 and 4: a name in sections, each perhaps in the extended form.
_SECTION = re.compile(r"([^*]+)\*([0-9]{1,2})?(\*)?")
# Some products write a path with single backslashes: only what must be escaped is taken for escaped.
_QUOTED_PAIR = re.compile(r'\\(["\\])')
# A file name for showing; common file systems stop at 255 octets.
MAX_FILENAME = 120
# A comment is looked for in values up to this length: each may be looked through to its end.
MAX_COMMENTED = 1024
# Escapes, comments and sections.
_UNUSUAL = re.compile(r"[\\(*]")


@remembered
def media_type_of(content_type: str) -> str:
    return without_comments(content_type).partition(";")[0].strip().lower()


def without_comments(value: str) -> str:
    """A structured header value without its comments (RFC 5322 3.2.2)."""
    if "(" not in value or len(value) > MAX_COMMENTED:
        return value
    return _OR_COMMENT.sub(lambda found: found[0] if found[0][0] == '"' else " ", value)


@remembered
def parameters(value: str) -> Mapping[str, str]:
    """The parameters of a header value by lower-case name, unquoted; the first of each counts (RFC 2045
    5.1).
    """
    found: dict[str, str] = {}
    for name, in_quotes, token in _PARAMETER.findall(without_comments(value)):
        quoted = in_quotes
        if "\\" in quoted:
            quoted = _QUOTED_PAIR.sub(r"\1", quoted)
        found.setdefault(name.lower(), quoted or token.strip())
    if "*" in value:
        return MappingProxyType(_joined(found))
    return MappingProxyType(found)


def _joined(found: dict[str, str]) -> dict[str, str]:
    """`found` with what is in sections or in the extended form put together (RFC 2231 3, 4). Of a plain and
    an extended value the extended one counts (RFC 6266 4.3).
    """
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value in found.items():
        if (match := _SECTION.fullmatch(name)) is not None:
            extended = match[3] is not None or match[2] is None
            sections.setdefault(match[1], {})[int(match[2] or 0)] = (value, extended)
    joined = {name: value for name, value in found.items() if "*" not in name}
    for name, parts in sections.items():
        charset, pieces = "", []
        for number in range(len(parts)):
            if number not in parts:
                break
            piece, extended = parts[number]
            if extended and number == 0:
                charset, _, piece = piece.partition("'")
                piece = piece.partition("'")[2]
            pieces.append(urllib.parse.unquote_to_bytes(piece) if extended else piece.encode("latin-1"))
        text = _decoded(b"".join(pieces), charset or "us-ascii")
        if text:
            joined[name] = text
    return joined


def _decoded(octets: bytes, charset: str) -> str:
    if charset.lower() not in {"utf-8", "iso-8859-1", "us-ascii"}:
        return ""
    return octets.decode(charset, "replace")


def boundary_of(content_type: str) -> str | None:
    """The parameter of this name, or None: another each time, so it is looked for first, and alone."""
    match = _BOUNDARY.search(content_type)
    # All that stands before it is whole, so it is what a reading of all parameters would find.
    usual = match is not None and _UNUSUAL.search(content_type) is None
    if match and usual and not content_type.count('"', 0, match.start()) % 2:
        return match[1] or (match[2] or "").strip()
    return parameters(content_type).get("boundary")


@remembered
def name_in_disposition(disposition: str) -> str | None:
    return _shown(parameters(disposition).get("filename"))


@remembered
def name_in_type(content_type: str) -> str | None:
    return _shown(parameters(content_type).get("name"))


def _shown(name: str | None) -> str | None:
    """`name` for people; some products write it in UTF-8 as it is, and headers are read octet by octet."""
    if not name:
        return None
    with contextlib.suppress(UnicodeError):
        name = name.encode("latin-1").decode("utf-8")
    if name.startswith("=?"):  # RFC 2047 5 (3) forbids it here, and mail libraries write it all the same
        with contextlib.suppress(email.errors.HeaderParseError, LookupError, UnicodeError, ValueError):
            name = str(email.header.make_header(email.header.decode_header(name)))
    return safe_filename(name)


def safe_filename(name: str) -> str | None:
    """The last element of `name`, whatever system's path it is; control and direction characters are dropped.

    None if nothing is left. The result has no separator, no drive, does not begin or end with a dot or a
    space, and has at most MAX_FILENAME characters.
    """
    last = re.split(r"[\\/:]", name)[-1]
    shown = "".join(character for character in last if character.isprintable())
    return shown.strip(" .")[:MAX_FILENAME].rstrip(" .") or None
