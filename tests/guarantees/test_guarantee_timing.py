"""S2 in time: when the answer comes does not tell why a message failed inside encryption.

A real gateway on a real port; the prober is a process of its own. `make timing-oracle` does the same with all
causes and 100,000 messages.
"""

import pathlib

import pytest

from tidewaiter.benchmarks.as2.oracle import Verdict, examine
from tidewaiter.benchmarks.as2.probes import Cause

pytestmark = [pytest.mark.anyio, pytest.mark.process]

# One at each depth of opening: before, at and after the signature is looked at.
CAUSES = (Cause.KEY_FORM, Cause.PADDING, Cause.UNSIGNED, Cause.TAMPERED)


def worst(verdict: Verdict) -> float:
    return max(each.worst for each in verdict.comparisons)


@pytest.fixture
def loop(anyio_backend: object) -> str:
    return "trio" if anyio_backend == "trio" else "uvloop"


async def test_nothing_shows(tmp_path: pathlib.Path, loop: str) -> None:
    folder = tmp_path / "gateway"
    verdict = await examine(folder, loop=loop, number=320, hold=0.15, connections=16, causes=CAUSES)
    assert verdict.answers == 1
    assert worst(verdict) < 4.5, verdict.comparisons
    assert all(mean >= 0.15 for each in verdict.comparisons for mean in each.means)


async def test_without_the_hold_it_shows(tmp_path: pathlib.Path, loop: str) -> None:
    """Else the check above could not fail."""
    causes = (Cause.PADDING, Cause.BOMB)
    folder = tmp_path / "gateway"
    verdict = await examine(folder, loop=loop, number=120, hold=0, connections=1, causes=causes)
    assert verdict.answers == 1
    assert worst(verdict) > 4.5
    assert verdict.is_told
