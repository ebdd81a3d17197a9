"""A slope prior learned from earlier courses: found where it is known, else kept as shipped."""

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from services.outcomes.core.estimate import DEFAULTS, Defaults, Model, model_of
from services.outcomes.core.learning import LEAST, learn_slope_prior, log_likelihood

SD, MEAN, RELIABILITY = 6.0, 15.0, 0.88


def model(defaults: Defaults) -> Model:
    return model_of(
        mean=MEAN, sd=SD, reliability=RELIABILITY, reliable_change=5.8, cut=9.5, defaults=defaults
    )


def drawn(count: int, truth: Defaults, seed: int) -> list[list[tuple[float, float]]]:
    """Courses drawn from the filter's own equations under `truth`."""
    random, known = Random(seed), model(truth)
    courses = []
    for _ in range(count):
        base = random.gauss(MEAN, math.sqrt(known.baseline_variance))
        slope = random.gauss(
            known.slope_mean + known.slope_on_baseline * (base - MEAN),
            math.sqrt(known.slope_variance),
        )
        change, course = 0.0, []
        for week in range(12):
            course.append((7.0 * week, random.gauss(base + change, math.sqrt(known.noise))))
            change += slope + random.gauss(0, math.sqrt(known.drift))
            slope *= known.damping
        courses.append(course)
    return courses


TRUTH = Defaults(slope_mean=-0.45, slope_sd=0.10, damping=0.95, drift=0.12)


def test_the_prior_of_a_large_caseload_is_found() -> None:
    learned = learn_slope_prior(drawn(300, TRUTH, 1), model)
    assert learned.defaults.slope_mean == pytest.approx(TRUTH.slope_mean, abs=0.03)
    assert learned.defaults.slope_sd == pytest.approx(TRUTH.slope_sd, abs=0.03)
    assert learned.defaults.damping == pytest.approx(TRUTH.damping, abs=0.015)
    assert learned.defaults.drift == pytest.approx(TRUTH.drift, abs=0.05)
    assert (learned.courses, learned.measures) == (300, 300 * 11)
    assert learned.gain > 0


def test_later_courses_are_foretold_better_than_by_the_shipped_numbers() -> None:
    learned = learn_slope_prior(drawn(60, TRUTH, 2), model).defaults
    later = drawn(200, TRUTH, 3)
    assert log_likelihood(later, model(learned)) > log_likelihood(later, model(DEFAULTS)) + 50


def test_a_small_caseload_stays_near_what_is_shipped() -> None:
    few = learn_slope_prior(drawn(LEAST, TRUTH, 4), model).defaults
    many = learn_slope_prior(drawn(200, TRUTH, 4), model).defaults
    for name in ("slope_mean", "slope_sd", "damping", "drift"):
        shipped = getattr(DEFAULTS, name)
        assert abs(getattr(few, name) - shipped) <= abs(getattr(many, name) - shipped) + 0.05
    assert (few.state_noise, few.slope_on_baseline) == (
        DEFAULTS.state_noise,
        DEFAULTS.slope_on_baseline,
    )


def test_where_the_shipped_numbers_are_right_nothing_is_gained() -> None:
    learned = learn_slope_prior(drawn(150, DEFAULTS, 5), model)
    assert learned.gain < 0.01
    assert learned.defaults.slope_mean == pytest.approx(DEFAULTS.slope_mean, abs=0.05)


def test_too_few_courses_teach_nothing() -> None:
    courses = drawn(LEAST - 1, TRUTH, 6) + [[(0.0, 12.0)]] * 5
    with pytest.raises(ValueError, match="needs 10 courses of two measures or more; there are 9"):
        learn_slope_prior(courses, model)


def test_units_do_not_matter() -> None:
    courses = drawn(40, TRUTH, 7)

    def doubled(defaults: Defaults) -> Model:
        return model_of(
            mean=2 * MEAN,
            sd=2 * SD,
            reliability=RELIABILITY,
            reliable_change=11.6,
            cut=19.0,
            defaults=defaults,
        )

    twice = [[(day, 2 * score) for day, score in course] for course in courses]
    one = learn_slope_prior(courses, model).defaults
    two = learn_slope_prior(twice, doubled).defaults
    assert two.slope_mean == pytest.approx(one.slope_mean, abs=0.02)
    assert two.damping == pytest.approx(one.damping, abs=0.01)


def joint(course: list[tuple[float, float]], known: Model) -> float:
    """The log density of all scores together: their covariance written out, no filter."""
    days = [day for day, _ in course]
    v0, slope = known.baseline_variance, known.slope_on_baseline
    state = np.zeros((3, 3))  # of change, slope and baseline
    state[1, 1], state[2, 2] = known.slope_variance + slope**2 * v0, v0
    state[1, 2] = state[2, 1] = slope * v0
    average = np.array([0.0, known.slope_mean, MEAN])
    seen = np.array([1.0, 0.0, 1.0])
    means, covariance = [], np.diag([known.noise] * len(days))
    for at, day in enumerate(days):
        if at:
            carried = carry(day - days[at - 1], known)
            weeks = (day - days[at - 1]) / 7
            shake = np.diag([known.drift * weeks, known.slope_drift * weeks, 0.0])
            state, average = carried @ state @ carried.T + shake, carried @ average
        means.append(seen @ average)
        for later, other in enumerate(days[at:], at):
            shared = seen @ carry(other - day, known) @ state @ seen
            covariance[at, later] += shared
            covariance[later, at] += shared if later != at else 0.0
    left = np.array([score for _, score in course]) - np.array(means)
    size = len(days) * math.log(2 * math.pi) + np.linalg.slogdet(covariance)[1]
    return float(-(size + left @ np.linalg.solve(covariance, left)) / 2)


def carry(days: float, known: Model) -> npt.NDArray[np.float64]:
    rest = known.damping ** (days / 7)
    reach = (1 - rest) / (1 - known.damping)
    return np.array([[1.0, reach, 0.0], [0.0, rest, 0.0], [0.0, 0.0, 1.0]])


def test_the_likelihood_is_that_of_the_scores_together_given_the_first() -> None:
    courses = [
        [(0.0, 18.0), (7.0, 17.0), (11.0, 12.0), (40.0, 14.0)],
        [(3.0, 9.0), (24.0, 13.0)],
        [(5.0, 21.0)],
    ]
    known = model(TRUTH)
    constant = math.log(2 * math.pi) / 2
    expected = sum(
        joint(course, known) - joint(course[:1], known) + constant * (len(course) - 1)
        for course in courses
    )
    assert log_likelihood(courses, known) == pytest.approx(expected, rel=1e-12)


SCALES: dict[str, tuple[float, Callable[[float], float]]] = {
    "slope_mean": (0.20, float),
    "slope_sd": (0.50, math.log),
    "damping": (0.60, lambda value: math.log(value / (1 - value))),
    "drift": (0.40, math.log),
}
"""On which scale a number is learned, and how far from the shipped one it may well be there."""


def worth(courses: list[list[tuple[float, float]]], found: Defaults) -> float:
    """The log likelihood, less what the weak prior holds against numbers far from the shipped."""
    held = sum(
        ((to(getattr(found, name)) - to(getattr(DEFAULTS, name))) / width) ** 2
        for name, (width, to) in SCALES.items()
    )
    return log_likelihood(courses, model(found)) - held / 2


@pytest.mark.parametrize("name", SCALES)
def test_what_is_learned_is_most_likely_under_the_weak_prior(name: str) -> None:
    courses = drawn(LEAST, TRUTH, 8)
    found = learn_slope_prior(courses, model).defaults
    width, _ = SCALES[name]
    value, best = getattr(found, name), worth(courses, found)
    for moved in (-0.05 * width, 0.05 * width):
        if name == "slope_mean":
            other = value + moved
        elif name == "damping":
            other = 1 / (1 + (1 / value - 1) * math.exp(-moved))
        else:
            other = value * math.exp(moved)
        assert worth(courses, replace(found, **{name: other})) < best


def test_what_is_learned_is_told_with_its_gain_for_each_measure() -> None:
    pairs = [course[:2] for course in drawn(LEAST, TRUTH, 9)]
    learned = learn_slope_prior([*pairs, [(0.0, 12.0)]], model)
    gained = log_likelihood(pairs, model(learned.defaults)) - log_likelihood(pairs, model(DEFAULTS))
    assert (learned.courses, learned.measures) == (LEAST, LEAST)
    assert learned.gain == pytest.approx(gained / LEAST)
    assert learned.gain > 0
