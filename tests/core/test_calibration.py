"""Calibration: Brier scores, intervals and bins, by hand and against an independent library."""

import pytest
from statsmodels.stats.proportion import proportion_confint

from services.alerts.core.calibration import bins, difference, score, wilson


def test_the_brier_score_is_the_mean_squared_distance() -> None:
    found = score([(0.8, True), (0.6, False), (1.0, True), (0.0, True)])
    assert found is not None
    assert found.brier == pytest.approx((0.04 + 0.36 + 0.0 + 1.0) / 4)
    assert (found.count, found.worked) == (4, 3)
    assert found.mean == pytest.approx(0.6)
    assert score([]) is None


@pytest.mark.parametrize(("hits", "count"), [(0, 1), (1, 1), (3, 7), (20, 20), (5, 40)])
def test_the_interval_is_wilsons(hits: int, count: int) -> None:
    low, high = proportion_confint(hits, count, method="wilson")
    assert wilson(hits, count) == pytest.approx((low, high), abs=1e-6)


def test_every_statement_is_in_one_bin_and_empty_ones_are_left_out() -> None:
    stated = [(0.0, False), (0.2, True), (0.39, True), (0.8, True), (1.0, True), (1.0, False)]
    found = bins(stated)
    assert [(one.low, one.high, one.count, one.worked) for one in found] == [
        (0.0, 0.2, 1, 0),
        (0.2, 0.4, 2, 2),
        (0.8, 1.0, 3, 2),
    ]
    assert found[1].mean == pytest.approx(0.295)
    assert found[2].share == pytest.approx(2 / 3)


def test_a_difference_is_told_from_ten_on_and_is_paired() -> None:
    came = [True, False] * 5
    own = [0.9 if it else 0.1 for it in came]
    engine = [0.5] * 10
    assert difference(own[:9], engine[:9], came[:9]) is None
    found = difference(own, engine, came)
    assert found is not None
    assert found.mean == pytest.approx(0.01 - 0.25)
    assert found.low == pytest.approx(found.mean)
    wide = difference([0.9, 0.1] * 5, engine, [True, True, False, False, True] * 2)
    assert wide is not None
    assert wide.low < wide.mean < wide.high
