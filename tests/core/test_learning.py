"""A slope prior learned from earlier courses: found where it is known, else kept as shipped."""

import math
from random import Random

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
