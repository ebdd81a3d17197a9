"""Small groups are drawn towards the rate of all, with intervals that hold what they promise."""

import random
from math import asin, comb, pi, sqrt

import pytest

from services.alerts.core import shrinkage
from services.alerts.core.shrinkage import STRONGEST, WEAKEST, shrunken, strength


@pytest.mark.parametrize(("a", "b"), [(1, 1), (2, 8), (30, 4), (60, 140)])
def test_the_beta_distribution_is_the_tail_of_a_binomial(a: int, b: int) -> None:
    n = a + b - 1
    for x in (0.01, 0.2, 0.5, 0.83, 0.99):
        tail = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
        assert shrinkage.beta_cdf(x, a, b) == pytest.approx(tail, abs=1e-8)


def test_the_beta_distribution_of_halves_is_the_arcsine() -> None:
    for x in (0.001, 0.3, 0.9):
        arcsine = 2 / pi * asin(sqrt(x))
        assert shrinkage.beta_cdf(x, 0.5, 0.5) == pytest.approx(arcsine, abs=1e-8)
        assert shrinkage.beta_quantile(arcsine, 0.5, 0.5) == pytest.approx(x, abs=1e-6)


def test_a_small_group_moves_further_than_a_large_one() -> None:
    small, large, rest = shrunken([(5, 5), (60, 60), (20, 100)])
    assert small.mean < large.mean
    assert small.high80 - small.low80 > large.high80 - large.low80
    assert rest.mean == pytest.approx(0.2, abs=0.05)


def test_groups_that_differ_by_chance_alone_are_drawn_together() -> None:
    assert strength([(3, 10), (3, 10), (4, 10)]) == STRONGEST
    a, b = shrunken([(3, 10), (4, 10)])
    assert abs(a.mean - b.mean) < 0.06


def test_groups_that_differ_greatly_stay_apart() -> None:
    assert strength([(1, 100), (99, 100)]) == WEAKEST
    low, high = shrunken([(1, 100), (99, 100)])
    assert high.mean - low.mean > 0.9


def test_nothing_is_certain() -> None:
    never, always = shrunken([(0, 7), (0, 9)]), shrunken([(7, 7), (9, 9)])
    assert all(0 < one.mean < one.high80 for one in never)
    assert all(one.low80 < one.mean < 1 for one in always)


@pytest.mark.parametrize("groups", [[(2, 1)], [(0, 0)], [(-1, 3)]])
def test_impossible_counts_are_an_error(groups: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="courses"):
        shrunken(groups)
    assert shrunken([]) == []


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    draw = random.Random(4)
    held = total = 0
    for _ in range(120):
        truths = [draw.betavariate(4, 8) for _ in range(8)]
        sizes = [draw.randint(5, 30) for _ in truths]
        groups = [
            (sum(draw.random() < truth for _ in range(size)), size)
            for truth, size in zip(truths, sizes, strict=True)
        ]
        for truth, rate in zip(truths, shrunken(groups), strict=True):
            held += rate.low80 <= truth <= rate.high80
            total += 1
    assert 0.72 <= held / total <= 0.86
