"""The filter against independent implementations, and what must not change its probabilities."""

import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outcomes.core import estimate as filter_
from services.outcomes.core.definition import parse
from services.outcomes.core.estimate import Estimate, Model
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.normal import above, both_above

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
PHQ = parse("phq-9.toml", tomllib.loads((FOLDER / "phq-9.toml").read_text()))
Series = list[tuple[int, float]]
Matrix = list[list[float]]


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


# An independent implementation


def times(one: Matrix, other: Matrix) -> Matrix:
    return [
        [
            sum(a * b for a, b in zip(row, column, strict=True))
            for column in zip(*other, strict=True)
        ]
        for row in one
    ]


def plus(one: Matrix, other: Matrix, by: float = 1.0) -> Matrix:
    return [
        [a + by * b for a, b in zip(*rows, strict=True)] for rows in zip(one, other, strict=True)
    ]


def turned(one: Matrix) -> Matrix:
    return [list(column) for column in zip(*one, strict=True)]


def diagonal(*values: float) -> Matrix:
    return [
        [value if row == column else 0.0 for column in range(3)] for row, value in enumerate(values)
    ]


def textbook(series: Series) -> tuple[Matrix, Matrix]:
    """The same model as matrices, written from the equations alone, in Joseph's form."""
    sd, r, phi, slope = 6.1, 0.89, 0.90, -0.02
    v0, noise = sd**2 * r, sd**2 * (1 - r) + 0.03 * sd**2
    x = [[0.0], [-0.25 * sd], [14.2]]
    p = diagonal(0.0, (0.20 * sd) ** 2 + slope**2 * v0, v0)
    p[1][2] = p[2][1] = slope * v0
    h = [[1.0, 0.0, 1.0]]
    before = series[0][0]
    for day, score in series:
        weeks = (day - before) / 7
        rho = phi**weeks
        f = [[1.0, (1 - rho) / (1 - phi), 0.0], [0.0, rho, 0.0], [0.0, 0.0, 1.0]]
        shake = diagonal((0.20 * sd) ** 2 * weeks, 2.7e-6 * sd**2 * weeks, 0.0)
        x, p = times(f, x), plus(times(times(f, p), turned(f)), shake)
        total = times(times(h, p), turned(h))[0][0] + noise
        gain = [[row[0] / total] for row in times(p, turned(h))]
        x = plus(x, gain, by=score - times(h, x)[0][0])
        keep = plus(diagonal(1.0, 1.0, 1.0), times(gain, h), by=-1.0)
        p = plus(times(times(keep, p), turned(keep)), times(gain, turned(gain)), by=noise)
        before = day
    return x, p


def spread(estimate: Estimate) -> Matrix:
    return [
        [estimate.dd, estimate.ds, estimate.db],
        [estimate.ds, estimate.ss, estimate.sb],
        [estimate.db, estimate.sb, estimate.bb],
    ]


@given(SERIES)
def test_a_textbook_filter_in_matrices_agrees(series: Series) -> None:
    estimate = run(MODEL, series)
    mean, covariance = textbook(series)
    assert [estimate.d, estimate.s, estimate.b] == pytest.approx([row[0] for row in mean], abs=1e-9)
    for told, expected in zip(spread(estimate), covariance, strict=True):
        assert told == pytest.approx(expected, abs=1e-9)


def test_a_state_space_library_agrees() -> None:
    """Reference values: `KalmanFilter` of statsmodels 0.15.0 with the same matrices."""
    estimate = run(MODEL, [(0, 18), (7, 17), (14, 19), (35, 12), (35, 13), (63, 11)])
    assert tuple(estimate)[:9] == pytest.approx(
        (
            -7.667193069122678,
            -0.504129635724791,
            18.39743645112653,
            7.087979279440118,
            0.3601591062668299,
            -3.031090222899222,
            0.06130019488260493,
            -0.18194656905695122,
            2.62525231939994,
        ),
        abs=1e-9,
    )


# The joint probability

NORMAL = NormalDist()


def by_integral(h: float, k: float, r: float) -> float:
    """P(X > h, Y > k): Simpson's rule over x of its density times P(Y > k | x)."""
    if abs(r) == 1.0:
        both = NORMAL.cdf(-max(h, k)) if r > 0 else NORMAL.cdf(-k) - NORMAL.cdf(h)
        return max(0.0, both)
    width = math.sqrt(1 - r * r)
    steep = k / r if r else h
    reach = width / abs(r) if r else 1.0
    marks = {min(12.0, max(h, steep + step * reach)) for step in (-10, -5, -2, 0, 2, 5, 10)}
    ends = sorted(marks | {h, min(12.0, h + 2.0), min(12.0, h + 5.0), 12.0})

    def density(x: float) -> float:
        return NORMAL.pdf(x) * NORMAL.cdf(-(k - r * x) / width)

    return sum(simpson(density, low, high) for low, high in pairwise(ends) if low < high)


def simpson(function: Callable[[float], float], low: float, high: float) -> float:
    pieces = 600
    step = (high - low) / pieces
    inner = sum((4 if n % 2 else 2) * function(low + n * step) for n in range(1, pieces))
    return (function(low) + inner + function(high)) * step / 3


@pytest.mark.parametrize("h", [-6.0, -1.3, 0.0, 0.4, 2.0, 7.0])
@pytest.mark.parametrize("k", [-4.0, 0.0, 0.4, 3.1])
@pytest.mark.parametrize("r", [-1.0, -0.99, -0.6, 0.0, 0.2, 0.7, 0.93, 0.999999, 1.0])
def test_the_joint_probability_is_the_integral(h: float, k: float, r: float) -> None:
    assert both_above(h, k, r) == pytest.approx(by_integral(h, k, r), abs=1e-9)


@pytest.mark.parametrize(
    ("h", "k", "r", "expected"),
    [
        (0.5, -0.3, 0.4, 0.24357588920110462),
        (1.2, 0.8, -0.7, 0.0005007833989754129),
        (-1, -1.5, 0.96, 0.8405487770853542),
        (0.1, 0.3, 0.99, 0.3801200527311793),
        (2, -1, -0.95, 8.599035671824629e-06),
    ],
)
def test_a_library_of_multivariate_normals_agrees(
    h: float, k: float, r: float, expected: float
) -> None:
    """Reference values: `multivariate_normal` of SciPy 1.17.1."""
    assert both_above(h, k, r) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("h", "k", "r", "expected"),
    [
        (0.5, -0.3, 0.25, 0.22380326312936447),
        (-1.2, 0.4, -0.29, 0.28281667390348547),
        (1.1, 0.7, 0.5, 0.07389596464355222),
        (-0.4, -1.3, -0.74, 0.5594610511041322),
        (0.3, 0.9, 0.85, 0.17122037976933122),
        (-0.6, -0.2, -0.92, 0.30635521667221016),
        (0.4, 0.5, 0.93, 0.270605265304218),
        (1.5, 1.2, 0.95, 0.0621828844575919),
        (-0.8, -0.3, 0.94, 0.6139251245163473),
        (-2.5, 1.0, 0.96, 0.15865525393145705),
        (0.1, 0.3, 0.99, 0.38012005273117927),
        (0.2, 0.1, -0.93, 0.018052229683272396),
        (-0.7, 1.1, -0.94, 0.005680753411304241),
        (-1.5, -1.8, -0.96, 0.8972624796182161),
        (-0.5, 0.4, -0.99, 0.04324647613427411),
        (0.0, 0.0, 0.9999, 0.4977491904525954),
        (0.3, -0.29, -0.9999, 0.0007625506238612323),
        (3.0, -4.0, -0.95, 0.0013182786063707793),
    ],
)
def test_the_joint_probability_is_right_to_the_last_digits(
    h: float, k: float, r: float, expected: float
) -> None:
    """Reference values: the integral in 40 digits, by mpmath 1.4."""
    assert both_above(h, k, r) == pytest.approx(expected, rel=0, abs=1e-15)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-1, 1))
def test_the_joint_probability_obeys_its_bounds(h: float, k: float, r: float) -> None:
    p, x, y = both_above(h, k, r), above(0, 1, h), above(0, 1, k)
    assert 0.0 <= p <= 1.0
    assert max(0.0, x + y - 1) - 1e-12 <= p <= min(x, y) + 1e-12
    assert p == pytest.approx(both_above(k, h, r), abs=1e-13)


@pytest.mark.parametrize(("mean", "said"), [(1.0, 1.0), (0.0, 0.5), (-1.0, 0.0)])
def test_what_is_known_exactly_is_above_a_limit_or_below_or_on_it(mean: float, said: float) -> None:
    assert above(mean + 3, 0.0, 3.0) == said


def test_p_fail_is_the_joint_probability_of_both_conditions() -> None:
    estimate = run(MODEL, [(0, 18), (7, 19), (21, 16), (28, 17)])
    ahead = filter_.outlook(MODEL, estimate, 6)
    change, level = math.sqrt(ahead.change_variance), math.sqrt(ahead.level_variance)
    h, k = (-MODEL.reliable_change - ahead.change) / change, (9.5 - ahead.level) / level
    expected = by_integral(h, k, ahead.covariance / change / level)
    assert filter_.p_fail(MODEL, estimate, 6) == pytest.approx(expected, abs=1e-10)


# What must not matter


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
    told = [value * abs(by) for value in filter_.predict(MODEL, one, 4)]
    assert told == pytest.approx(list(filter_.predict(other, two, 4)), abs=1e-7)


# The ends of the model


def test_the_first_measure_tells_no_change() -> None:
    first = filter_.start(MODEL, 0, 18)
    assert (first.d, first.dd, first.ds, first.db) == (0, 0, 0, 0)
    assert filter_.p_worse(MODEL, first) is None
    assert filter_.p_better(MODEL, first) is None


def test_a_second_measure_of_the_same_day_is_taken() -> None:
    first = filter_.start(MODEL, 0, 18)
    second = filter_.observe(MODEL, filter_.advance(MODEL, first, 0), 14)
    assert 14 < second.b < first.b
    assert second.bb < first.bb
    assert filter_.p_worse(MODEL, second) is None


def test_without_sd_or_reliability_there_is_no_filter() -> None:
    assert filter_.model(replace(PHQ, norm=None)) is None
    assert filter_.model(replace(PHQ, reliability=None)) is None


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


def test_the_limits_of_a_forecast_hold_a_half_and_four_fifths_of_the_scores() -> None:
    ahead = filter_.predict(MODEL, run(MODEL, [(0, 18), (7, 15)]), 4)
    for low, high, share in (
        (ahead.low50, ahead.high50, 0.5),
        (ahead.low80, ahead.high80, 0.8),
    ):
        sd = (ahead.high80 - ahead.mean) / NORMAL.inv_cdf(0.9)
        law = NormalDist(ahead.mean, sd)
        assert (law.cdf(low), law.cdf(high)) == pytest.approx(((1 - share) / 2, (1 + share) / 2))


def test_no_probability_falls_below_none_by_rounding() -> None:
    for h, k, r in ((8.0, 8.0, -0.46), (0.51, 1.42, -0.997), (5.4, 4.8, -0.96), (-1.8, 6.8, -0.9)):
        assert 0.0 <= both_above(h, k, r) < 1e-12


def test_worked_is_a_score_reliably_better_or_below_the_cut() -> None:
    estimate = run(MODEL, [(0, 18), (7, 15)])
    ahead = filter_.predict(MODEL, estimate, 4)
    sd = (ahead.high80 - ahead.mean) / NORMAL.inv_cdf(0.9)
    limit = max(9.5, 18 - MODEL.reliable_change)
    expected = NormalDist(ahead.mean, sd).cdf(limit)
    assert filter_.p_worked(MODEL, estimate, 4, 18) == pytest.approx(expected, abs=1e-9)
