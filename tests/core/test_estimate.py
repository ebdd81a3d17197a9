"""The filter against independent implementations, and what must not change its probabilities."""

import math
import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from services.outcomes.core import estimate as filter_
from services.outcomes.core.estimate import Estimate, Model
from services.outcomes.core.instrument import Instrument, parse
from services.outcomes.core.normal import above, both_above

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
PHQ = parse("phq-9.toml", tomllib.loads((FOLDER / "phq-9.toml").read_text()))
Series = list[tuple[int, float]]


def known(model: Model | None) -> Model:
    assert model is not None
    return model


MODEL = known(filter_.model(PHQ))
SERIES = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 27).map(float)), min_size=1, max_size=15
).map(lambda gaps: [(sum(gap for gap, _ in gaps[: n + 1]), gaps[n][1]) for n in range(len(gaps))])


def run(model: Model, series: Series) -> Estimate:
    (day, score), *rest = series
    estimate = filter_.start(model, day, score)
    for day, score in rest:
        estimate = filter_.observe(model, filter_.advance(model, estimate, day), score)
    return estimate


def textbook(series: Series) -> tuple[Any, Any]:
    """The same model as matrices, written from the equations alone: mean and covariance."""
    sd, r, phi = 6.1, 0.89, 0.90
    mean, v0, slope = 14.2, 6.1**2 * 0.89, -0.02
    noise = sd**2 * (1 - r) + 0.03 * sd**2
    x = np.array([0.0, -0.25 * sd, mean])
    p = np.zeros((3, 3))
    p[2, 2], p[1, 1] = v0, (0.20 * sd) ** 2 + slope**2 * v0
    p[1, 2] = p[2, 1] = slope * v0
    h = np.array([[1.0, 0.0, 1.0]])
    before = series[0][0]
    for day, score in series:
        weeks = (day - before) / 7
        rho = phi**weeks
        f = np.array([[1, (1 - rho) / (1 - phi), 0], [0, rho, 0], [0, 0, 1]])
        x = f @ x
        p = f @ p @ f.T + np.diag([(0.20 * sd) ** 2 * weeks, 2.7e-6 * sd**2 * weeks, 0])
        total = (h @ p @ h.T)[0, 0] + noise
        gain = (p @ h.T)[:, 0] / total
        x = x + gain * (score - (h @ x)[0])
        joseph = np.eye(3) - np.outer(gain, h[0])
        p = joseph @ p @ joseph.T + noise * np.outer(gain, gain)
        before = day
    return x, p


@given(SERIES)
def test_a_textbook_filter_in_matrices_agrees(series: Series) -> None:
    estimate = run(MODEL, series)
    mean, covariance = textbook(series)
    told = [estimate.d, estimate.s, estimate.b]
    spread = [
        [estimate.dd, estimate.ds, estimate.db],
        [estimate.ds, estimate.ss, estimate.sb],
        [estimate.db, estimate.sb, estimate.bb],
    ]
    assert np.allclose(told, mean, rtol=0, atol=1e-9)
    assert np.allclose(spread, covariance, rtol=0, atol=1e-9)


def test_a_state_space_library_agrees() -> None:
    from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

    series = [(0, 18.0), (7, 17.0), (14, 19.0), (35, 12.0), (35, 13.0), (63, 11.0)]
    referee = KalmanFilter(k_endog=1, k_states=3)
    referee.bind(np.array([[score for _, score in series]]))
    gaps = [(later - day) / 7 for (day, _), (later, _) in pairwise(series)]
    reach = [(1 - 0.9**gap) / 0.1 for gap in [*gaps, 0.0]]
    turns = [
        [[1, ahead, 0], [0, 0.9**gap, 0], [0, 0, 1]]
        for ahead, gap in zip(reach, [*gaps, 0.0], strict=True)
    ]
    referee["transition"] = np.moveaxis(np.array(turns, dtype=float), 0, -1)
    referee["selection"] = np.eye(3)
    shakes = [np.diag([MODEL.drift * gap, MODEL.slope_drift * gap, 0]) for gap in [*gaps, 0.0]]
    referee["state_cov"] = np.moveaxis(np.array(shakes), 0, -1)
    referee["design"] = np.array([[1.0, 0.0, 1.0]])
    referee["obs_cov"] = np.array([[MODEL.noise]])
    v0, slope = MODEL.baseline_variance, MODEL.slope_on_baseline
    start = np.array(
        [[0, 0, 0], [0, MODEL.slope_variance + slope**2 * v0, slope * v0], [0, slope * v0, v0]]
    )
    referee.initialize_known(np.array([0.0, MODEL.slope_mean, 14.2]), start)
    result = referee.filter()
    estimate = run(MODEL, series)
    told = [estimate.d, estimate.s, estimate.b]
    assert np.allclose(told, result.filtered_state[:, -1], rtol=0, atol=1e-9)
    assert estimate.dd == pytest.approx(result.filtered_state_cov[0, 0, -1], abs=1e-9)


def by_integral(h: float, k: float, r: float) -> float:
    """P(X > h, Y > k) from the conditional law of Y, in pieces about its steep part."""
    if abs(r) == 1.0:
        both = stats.norm.sf(max(h, k)) if r > 0 else stats.norm.cdf(-k) - stats.norm.cdf(h)
        return float(max(0.0, both))
    spread = math.sqrt(1 - r * r)
    steep = k / r if r else h
    ends = sorted({min(12.0, max(h, steep + step * spread)) for step in (-12, 0, 12)} | {h, 12.0})

    def density(x: float) -> float:
        return float(stats.norm.pdf(x) * stats.norm.sf((k - r * x) / spread))

    return sum(
        integrate.quad(density, low, high, epsabs=1e-14, epsrel=1e-12, limit=400)[0]
        for low, high in pairwise(ends)
    )


@pytest.mark.parametrize("h", [-6.0, -1.3, 0.0, 0.4, 2.0, 7.0])
@pytest.mark.parametrize("k", [-4.0, 0.0, 0.4, 3.1])
@pytest.mark.parametrize("r", [-1.0, -0.99, -0.6, 0.0, 0.2, 0.7, 0.93, 0.999999, 1.0])
def test_the_joint_probability_against_an_integral(h: float, k: float, r: float) -> None:
    assert both_above(h, k, r) == pytest.approx(by_integral(h, k, r), abs=1e-11)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-1, 1))
def test_the_joint_probability_obeys_its_bounds(h: float, k: float, r: float) -> None:
    p, x, y = both_above(h, k, r), above(0, 1, h), above(0, 1, k)
    assert max(0.0, x + y - 1) - 1e-12 <= p <= min(x, y) + 1e-12
    assert p == pytest.approx(both_above(k, h, r), abs=1e-13)


def test_the_library_of_multivariate_normals_agrees_with_p_fail() -> None:
    estimate = run(MODEL, [(0, 18), (7, 19), (21, 16), (28, 17)])
    ahead = filter_.outlook(MODEL, estimate, 6)
    law = stats.multivariate_normal(
        [-ahead.change, -ahead.level],
        [[ahead.change_variance, ahead.covariance], [ahead.covariance, ahead.level_variance]],
    )
    expected = law.cdf([MODEL.reliable_change, -9.5])
    assert filter_.p_fail(MODEL, estimate, 6) == pytest.approx(expected, abs=1e-5)


def stretched(instrument: Instrument, by: float) -> Instrument:
    """The same instrument in other units, turned round when `by` is negative."""
    low, high = sorted((instrument.minimum * by, instrument.maximum * by))
    cutoff, norm = instrument.cutoff, instrument.norm
    assert cutoff is not None
    assert norm is not None
    assert norm.mean is not None
    return replace(
        instrument,
        minimum=low,
        maximum=high,
        step=instrument.step * abs(by),
        higher_is="worse" if by > 0 else "better",
        cutoff=replace(cutoff, value=cutoff.value * by, operator=">=" if by > 0 else "<="),
        norm=replace(norm, mean=norm.mean * by, sd=norm.sd * abs(by)),
    )


@given(SERIES, st.sampled_from([-4.0, -1.0, 0.25, 2.0, 10.0]))
@settings(deadline=None)
def test_neither_units_nor_direction_change_a_probability(series: Series, by: float) -> None:
    other = known(filter_.model(stretched(PHQ, by)))
    one, two = run(MODEL, series), run(other, [(day, score * abs(by)) for day, score in series])
    assert filter_.p_fail(MODEL, one, 6) == pytest.approx(filter_.p_fail(other, two, 6), abs=1e-9)
    for question in (filter_.p_worse, filter_.p_better, filter_.p_case):
        assert question(MODEL, one) == pytest.approx(question(other, two), abs=1e-9)
    told, turned = filter_.predict(MODEL, one, 4), filter_.predict(other, two, 4)
    assert np.allclose(np.array(told) * abs(by), turned, atol=1e-7)


def test_the_first_measure_tells_no_change() -> None:
    first = filter_.start(MODEL, 0, 18)
    assert (first.d, first.dd, first.ds, first.db) == (0, 0, 0, 0)
    assert filter_.p_worse(MODEL, first) is None
    assert filter_.p_better(MODEL, first) is None


def test_without_a_mean_the_first_score_is_the_mean() -> None:
    model = replace(MODEL, mean=None)
    assert filter_.start(model, 0, 23).b == pytest.approx(23)


def test_without_a_cut_only_improvement_is_asked_for() -> None:
    model = replace(MODEL, cut=None)
    estimate = run(model, [(0, 18), (7, 17), (14, 17)])
    ahead = filter_.outlook(model, estimate, 6)
    expected = above(ahead.change, ahead.change_variance, -model.reliable_change)
    assert filter_.p_fail(model, estimate, 6) == expected
    assert filter_.p_fail(model, estimate, 6) > filter_.p_fail(MODEL, estimate, 6)


@given(SERIES)
def test_variances_never_turn_negative(series: Series) -> None:
    estimate = run(MODEL, series)
    assert estimate.dd >= 0
    assert estimate.ss > 0
    assert estimate.bb > 0
    assert estimate.level_variance > 0


def test_worked_is_a_score_reliably_better_or_below_the_cut() -> None:
    estimate = run(MODEL, [(0, 18), (7, 15)])
    ahead = filter_.predict(MODEL, estimate, 4)
    sd = (ahead.high80 - ahead.mean) / stats.norm.ppf(0.9)
    limit = max(9.5, 18 - MODEL.reliable_change)
    expected = stats.norm.cdf((limit - ahead.mean) / sd)
    assert filter_.p_worked(MODEL, estimate, 4, 18) == pytest.approx(expected, abs=1e-9)
