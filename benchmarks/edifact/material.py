"""Generated interchanges of CUSDEC D.96B: of any size, in several charsets, the same for the same seed.

`messages` goes on for ever and `chunks` holds one message at a time, so that 100 MB can be read without being
held. The generated declarations have no finding when they are validated; a test says so.
"""

import itertools
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tidewaiter.benchmarks.edifact.declaration import Declarations
from tidewaiter.benchmarks.edifact.words import UNICODE_FIRMS

MEGABYTE = 1_000_000
SEED = 20261122
CHUNK = 64 * 1024
_REFERENCE = "MT26112200001"
# What NFKD does not take apart.
_LETTERS = str.maketrans({"ß": "ss", "Ø": "O", "ø": "o", "Æ": "AE", "æ": "ae", "Ł": "L", "ł": "l"})


class Charset(NamedTuple):
    """A level of syntax: what UNB names, how its octets come about, and what its repertoire leaves out."""

    level: str
    version: int
    codec: str
    fold: Callable[[str], str]
    advice: str = ""
    mail: bool = True
    firms: tuple[str, ...] = ()


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return folded.encode("ascii", "ignore").decode()


LEVEL_A = Charset("UNOA", 2, "ascii", lambda text: _ascii(text).upper(), mail=False)
LEVEL_B = Charset("UNOB", 3, "ascii", _ascii, mail=False)
LATIN = Charset("UNOC", 3, "latin-1", str, advice="UNA:+.? '")
UTF8 = Charset("UNOW", 4, "utf-8", str, advice="UNA:+.?*'", firms=UNICODE_FIRMS)
CHARSETS = (LEVEL_A, LEVEL_B, LATIN, UTF8)


def messages(charset: Charset = LATIN, seed: int = SEED, *, octets: int = 0) -> Iterator[bytes]:
    """Messages without end, UNH to UNT; of about `octets` each, or of a likely size."""
    made = Declarations(
        seed, charset.fold, newer=charset.version >= 4, mail=charset.mail, firms=charset.firms
    )
    for number in itertools.count(1):
        yield made.message(str(number), octets=octets).encode(charset.codec)


def chunks(octets: int, charset: Charset = LATIN, seed: int = SEED, *, size: int = CHUNK) -> Iterator[bytes]:
    """An interchange of at least `octets`, in pieces of about `size` that end anywhere in a message."""
    held = bytearray(_head(charset))
    written = count = 0
    for message in messages(charset, seed):
        held += message
        count += 1
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
            written += size
        if written + len(held) >= octets:
            break
    yield bytes(held) + _tail(count)


def interchange(octets: int, charset: Charset = LATIN, seed: int = SEED) -> bytes:
    """The same interchange, whole."""
    return b"".join(chunks(octets, charset, seed))


def one_message(octets: int, charset: Charset = LATIN, seed: int = SEED) -> bytes:
    """An interchange with one message of about `octets`."""
    return _head(charset) + next(messages(charset, seed, octets=octets)) + _tail(1)


def _head(charset: Charset) -> bytes:
    day = "20261122" if charset.version >= 4 else "261122"
    syntax = f"{charset.level}:{charset.version}"
    return f"{charset.advice}UNB+{syntax}+MERIDIAN:ZZZ+TIDEWAITER:ZZZ+{day}:0915+{_REFERENCE}'".encode()


def _tail(count: int) -> bytes:
    return f"UNZ+{count}+{_REFERENCE}'".encode()
