"""Welch's t: what it says of samples whose answer is known."""

import math
import random

import pytest

from tidewaiter.benchmarks.as2.welch import OTHERS, compared, welch


def normal(mean: float, count: int, seed: int) -> list[float]:
    made = random.Random(seed)
    return [made.gauss(mean, 1.0) for _ in range(count)]


def test_t_of_a_textbook_example() -> None:
    """Two samples of unequal variance; t = -2.8526 by every statistics program."""
    first = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4]
    second = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.0, 23.9]
    assert welch(first, second) == pytest.approx(-2.8526, abs=0.02)
    assert welch(second, first) == -welch(first, second)


def test_samples_that_do_not_vary() -> None:
    assert welch([1.0, 1.0], [1.0, 1.0]) == 0
    assert welch([1.0, 1.0], [2.0, 2.0]) == -math.inf


def test_samples_of_one_distribution_are_not_told_apart() -> None:
    times = {str(seed): normal(10, 2000, seed) for seed in range(4)}
    assert not [each for each in compared(times) if each.is_told]


def test_a_small_difference_is_told() -> None:
    times = {"a": normal(10, 2000, 1), "b": normal(10.3, 2000, 2), "c": normal(10, 2000, 3)}
    told = {(each.one, each.other) for each in compared(times) if each.is_told}
    assert told >= {("a", "b"), ("b", "c"), ("b", OTHERS)}
    assert ("a", "c") not in told


def test_a_tail_does_not_hide_a_small_difference() -> None:
    tail = [1000.0] * 50
    (each, *_) = compared({"a": normal(10, 2000, 1) + tail, "b": normal(10.3, 2000, 2) + tail})
    assert abs(each.t) < 4.5 < abs(each.cropped)
    assert each.is_told


def test_a_difference_in_the_tail_alone_is_told() -> None:
    (each, *_) = compared({"a": normal(10, 2000, 1) + [100.0] * 60, "b": normal(10, 2000, 2)})
    assert abs(each.cropped) < 4.5 < abs(each.t)
    assert each.is_told
