"""The cases: what is timed beside what. Each returns its rows."""

from collections.abc import Callable
from datetime import UTC, datetime

from tidewaiter.benchmarks.edifact import material, ours, peers
from tidewaiter.benchmarks.results import Result, beside_floor, beside_peer
from tidewaiter.benchmarks.rounds import in_turns
from tidewaiter.codecs import edifact

PEER = "pydifact parsing"
FLOOR = "bytes.split on ' + :"
# What a declaration of a usual shipment weighs.
MESSAGE = 5_000


class UnequalError(Exception):
    """Two libraries read the same octets and did not see the same characters."""


def same_total(data: bytes, charset: material.Charset, directory: edifact.Directory) -> None:
    """Raise UnequalError unless every way of reading `data` sees as many characters in it."""
    totals = {
        "read": ours.read(data),
        "read and validated": ours.validated(data, directory),
        "pydifact": peers.parsed(data.decode(charset.codec)),
    }
    if len(set(totals.values())) != 1:
        raise UnequalError(f"{charset.level}: {totals}")


def bulk(megabytes: int, rounds: int, directory: edifact.Directory) -> list[Result]:
    """A large interchange: read, read and validated, beside pydifact and the floor."""
    data = material.interchange(megabytes * material.MEGABYTE)
    text = data.decode(material.LATIN.codec)
    same_total(data, material.LATIN, directory)
    timed = in_turns(
        {
            "read": lambda: ours.read(data),
            "checked": lambda: ours.validated(data, directory),
            "floor": lambda: peers.plain_split(data),
            "peer": lambda: peers.parsed(text),
        },
        rounds,
    )
    read, checked, floor, peer = (timed[name] for name in ("read", "checked", "floor", "peer"))
    name = f"{megabytes} MB"
    return [
        beside_peer(f"{name}: read", read.best, PEER, peer.best, goal=">= 14, aim 25", spread=read.spread),
        beside_peer(
            f"{name}: read + validated",
            checked.best,
            PEER,
            peer.best,
            goal=">= 12, aim 20",
            spread=checked.spread,
        ),
        beside_floor(f"{name}: read", read.best, FLOOR, floor.best, spread=floor.spread),
        beside_floor(f"{name}: read + validated", checked.best, FLOOR, floor.best, spread=floor.spread),
    ]


def charsets(rounds: int, directory: edifact.Directory) -> list[Result]:
    """1 MB under the other levels, read and validated."""
    rows = []
    for charset in material.CHARSETS:
        if charset is material.LATIN:
            continue
        data = material.interchange(material.MEGABYTE, charset)
        same_total(data, charset, directory)
        text = data.decode(charset.codec)
        timed = in_turns(_pair(data, text, directory), rounds)
        name = f"1 MB {charset.level}:{charset.version}: read + validated"
        rows.append(
            beside_peer(name, timed["ours"].best, PEER, timed["peer"].best, spread=timed["ours"].spread)
        )
    return rows


def single(rounds: int, directory: edifact.Directory) -> list[Result]:
    """One declaration of 5 KB."""
    data = material.one_message(MESSAGE)
    text = data.decode(material.LATIN.codec)
    same_total(data, material.LATIN, directory)
    timed = in_turns(_pair(data, text, directory), rounds, {"ours": 20, "peer": 2})
    ours, peer = timed["ours"], timed["peer"]
    name = f"one message of {len(data):,} octets: read + validated"
    return [beside_peer(name, ours.best, PEER, peer.best, goal="<= 0.5 ms", spread=ours.spread)]


def declarations(rounds: int, directory: edifact.Directory) -> list[Result]:
    """One declaration of 5 KB to the canonical form and back, beside pydifact's parsing and serializing."""
    data = material.one_message(MESSAGE)
    text = data.decode(material.LATIN.codec)
    interchange = edifact.read_interchange(data)
    declaration, _ = edifact.read_cusdec(interchange, interchange.messages[0], directory)
    assert declaration is not None
    envelope = edifact.Envelope(
        sender="MERIDIAN",
        recipient="TIDEWAITER",
        reference="MT26112200001",
        prepared=datetime(2026, 11, 22, tzinfo=UTC),
    )
    written, _ = edifact.write_cusdec(declaration, envelope)
    segments = peers.segments(written.decode(material.LATIN.codec))

    def read() -> object:
        got = edifact.read_interchange(data)
        return edifact.read_cusdec(got, got.messages[0], directory)

    timed = in_turns(
        {
            "read": read,
            "parse": lambda: peers.parsed(text),
            "write": lambda: edifact.write_cusdec(declaration, envelope),
            "serialize": lambda: peers.serialized(segments),
        },
        rounds,
        {"read": 5, "parse": 2, "write": 5, "serialize": 5},
    )
    return [
        beside_peer(
            f"CUSDEC of {len(data):,} octets: read_cusdec",
            timed["read"].best,
            PEER,
            timed["parse"].best,
            spread=timed["read"].spread,
        ),
        beside_peer(
            f"CUSDEC of {len(written):,} octets: write_cusdec",
            timed["write"].best,
            "pydifact serializing",
            timed["serialize"].best,
            spread=timed["write"].spread,
        ),
    ]


def _pair(data: bytes, text: str, directory: edifact.Directory) -> dict[str, Callable[[], object]]:
    return {
        "ours": lambda: ours.validated(data, directory),
        "peer": lambda: peers.parsed(text),
    }
