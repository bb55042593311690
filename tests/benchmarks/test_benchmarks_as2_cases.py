"""The comparison is fair: all read the same message as the same document, or the run stops."""

import re

import pytest

from tidewaiter.benchmarks.as2 import cases, ours, peers
from tidewaiter.benchmarks.as2.material import Partners, document, partners
from tidewaiter.benchmarks.floor import CONTENT
from tidewaiter.benchmarks.pairs import PAIRS
from tidewaiter.gateway.as2 import Received

needs_pyas2lib = pytest.mark.skipif(not peers.is_there(), reason=peers.MISSING)
ids = [suite.name for suite, _ in cases.SUITES]


@pytest.fixture(scope="module", params=[suite for suite, _ in cases.SUITES], ids=ids)
def both(request: pytest.FixtureRequest) -> Partners:
    return partners(request.param)


def test_the_document_weighs_what_the_floor_is_told_for() -> None:
    assert CONTENT * 0.95 <= len(document()) <= CONTENT * 1.05
    assert document().isascii()


def test_what_is_composed_is_what_is_received(both: Partners) -> None:
    message = ours.composing(both, document())()
    got, mdn = ours.receiving(both, [message])()
    assert (got.payload, got.mic, got.signed, got.encrypted) == (document(), message.mic, True, True)
    assert b"application/pkcs7-signature" in mdn.body


def test_a_refused_message_stops_the_run(both: Partners) -> None:
    message = ours.composing(both, document())()
    with pytest.raises(ours.RefusedError):
        ours.opened(both, dict(message.headers), message.body[:-16] + bytes(16))


@needs_pyas2lib
def test_pyas2lib_and_ours_read_each_other() -> None:
    both = partners(cases.SUITES[0][0])
    message = ours.composing(both, document())()
    status, mic, receipt = peers.receiving(both, message)()
    assert (status, mic) == ("processed", message.mic.value)
    assert b"application/pkcs7-signature" in receipt
    got = ours.opened(both, *peers.composing(both, document())())
    assert isinstance(got, Received)
    assert got.payload == document()


@needs_pyas2lib
def test_a_difference_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "receiving", lambda *_: lambda: ("processed", "another MIC", b""))
    with pytest.raises(cases.UnequalError):
        cases.of_suite(*cases.SUITES[0], rounds=1)


def test_the_search_that_was_widened_is_narrow_again() -> None:
    search = re.search
    if peers.is_there():
        peers.composing(partners(cases.SUITES[0][0]), document())
    assert re.search is search


def test_rows_go_the_way_of_what_they_are_held_against(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {"floor": [1.0] * PAIRS, "ours": [2.0] * PAIRS, "peer": [8.0] * PAIRS}
    monkeypatch.setattr(cases, "rounds_of", lambda ways, *_: {way: taken[way] for way in ways})
    (received, *_), (composed, *_) = (case.rows for case in cases.of_suite(*cases.SUITES[0], rounds=1))
    assert (received.ratio, composed.ratio) == (2.0, 2.0)
    if peers.is_there():
        rows = cases.of_suite(*cases.SUITES[0], rounds=1)[0].rows
        assert [(row.against, row.ratio) for row in rows] == [("floor", 2.0), ("pyas2lib", 4.0)]
