"""The cases: floor, ours and pyas2lib in turns over one document. Each returns its rows."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tidewaiter.benchmarks.as2 import floors, ours, peers
from tidewaiter.benchmarks.as2.material import Partners, Suite, document, partners
from tidewaiter.benchmarks.pairs import PAIRS, Measured, paired
from tidewaiter.benchmarks.results import Result, beside_floor, beside_peer
from tidewaiter.benchmarks.rounds import rounds_of
from tidewaiter.security import Cipher, KeyTransport

FLOOR, PEER = "floor", peers.NAME
# The best of nine rounds makes a pair: beside other work on the machine, five are seldom undisturbed.
ROUNDS = 9
# A round of the floor and of ours is as long as one call of the peer, about ten milliseconds.
CALLS = {"floor": 10, "ours": 10, "peer": 1}


class Goals(NamedTuple):
    """The multiples of the floor, and of our own time, that are aimed at; empty: information."""

    receive: str = ""
    compose: str = ""
    receive_peer: str = ""
    compose_peer: str = ""


SUITES = (
    (
        Suite("RSA-2048, AES-256-CBC"),
        Goals("<= 1.25", "<= 1.2, limit 1.3", ">= 14", ">= 20"),
    ),
    (
        Suite("P-256, AES-256-CBC", "p256", transport=KeyTransport.ECDH_SHA256),
        Goals("<= 1.8", "<= 1.8"),
    ),
    (Suite("RSA-2048, AES-256-GCM", cipher=Cipher.AES256_GCM), Goals()),
    (Suite("RSA-2048 OAEP, AES-256-CBC", transport=KeyTransport.RSA_OAEP_SHA256), Goals()),
    (Suite("RSA-3072, AES-256-CBC", "rsa3072"), Goals()),
)


class UnequalError(Exception):
    """Two programs saw the same message and did not make the same of it."""


class Case(NamedTuple):
    """The rows of one stage, and the floor's pairs, by which the run counts or does not."""

    rows: list[Result]
    floor: Measured


def of_suite(suite: Suite, goals: Goals, rounds: int = ROUNDS) -> list[Case]:
    """Receiving and composing of 8 KB under `suite`; beside pyas2lib where there are goals for it."""
    both, payload = partners(suite), document()
    peer = bool(goals.receive_peer) and peers.is_there()
    receiving = _receiving(both, payload, peer=peer)
    composing = _composing(both, payload, peer=peer)
    return [
        _stage(f"{suite.name}: receive", receiving, rounds, goals.receive, goals.receive_peer),
        _stage(f"{suite.name}: compose", composing, rounds, goals.compose, goals.compose_peer),
    ]


def _receiving(both: Partners, payload: bytes, *, peer: bool) -> dict[str, Callable[[], object]]:
    messages = [both.composed(payload, number=number) for number in range(ours.MESSAGES)]
    message, received = messages[0], ours.receiving(both, messages)
    _equal(payload, received()[0].payload)
    ways = {"floor": floors.receiving(both, payload), "ours": received}
    if peer:
        theirs = peers.receiving(both, message)
        _equal(("processed", message.mic.value), theirs()[:2])
        ways["peer"] = theirs
    return ways


def _composing(both: Partners, payload: bytes, *, peer: bool) -> dict[str, Callable[[], object]]:
    ways: dict[str, Callable[[], object]] = {
        "floor": floors.composing(both, payload),
        "ours": ours.composing(both, payload),
    }
    if peer:
        ways["peer"] = theirs = peers.composing(both, payload)
        headers, body = theirs()
        _equal(payload, ours.opened(both, headers, body).payload)
    return ways


def _stage(
    name: str, ways: Mapping[str, Callable[[], object]], rounds: int, goal: str, peer_goal: str
) -> Case:
    for way in ways.values():
        way()
    taken = rounds_of(ways, PAIRS * rounds, CALLS)
    floor = Measured(stage=name, pairs=paired(list(zip(taken["floor"], taken["ours"], strict=True))))
    median = floor.median
    rows = [beside_floor(name, median.stage, FLOOR, median.floor, goal=goal, spread=_spread(floor))]
    if "peer" in taken:
        beside = Measured(stage=name, pairs=paired(list(zip(taken["ours"], taken["peer"], strict=True))))
        median = beside.median
        rows.append(
            beside_peer(name, median.floor, PEER, median.stage, goal=peer_goal, spread=_spread(beside))
        )
    return Case(rows, floor)


def _spread(measured: Measured) -> float:
    low, high = measured.range
    return high / low - 1


def _equal(expected: object, seen: object) -> None:
    if seen != expected:
        raise UnequalError("a message was not read as it was written")
