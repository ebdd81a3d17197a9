"""The benchmark's arrays against the service's own fold, a library's filter and plain counting."""

import math
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

from services.outcomes.core import estimate as scalar
from services.outcomes.core.channels.flat import flat
from services.outcomes.core.estimate import Estimate
from services.outcomes.core.normal import both_above
from services.outcomes.research.evaluation import folding, normals
from services.outcomes.research.evaluation.accuracy import Alarms, Chances, Judged, Ranking
from services.outcomes.research.evaluation.courses import Course, Courses, Floats, Scale
from services.outcomes.research.evaluation.coverage import Coverage
from services.outcomes.research.evaluation.entered import (
    crossed,
    dealt,
    in_time,
    in_use,
    learn_by_fold,
)
from services.outcomes.research.evaluation.ours import Forecast, model_for
from services.outcomes.research.evaluation.plateau import plateaus
from tests.core.test_trajectory import PHQ
from tests.core.test_trajectory import folded as trajectory_of

SCALE = Scale(mean=14.2, sd=6.1, reliability=0.87, reliable_change=6.1, cut=9.5)
MODEL = model_for(SCALE)


def made(
    count: int,
    seed: int = 1,
    gaps: tuple[int, ...] = (1, 7, 14, 30, 100),
    scale: Scale = SCALE,
) -> Courses:
    random = Random(seed)
    courses = []
    for number in range(count):
        day, days, level = 0, [], random.uniform(10, 27)
        for _ in range(random.randint(1, 20)):
            days.append(float(day))
            day += random.choice(gaps)
        scores = [float(min(27, max(0, round(random.gauss(level, 4))))) for _ in days]
        courses.append(Course(f"{number}", tuple(days), tuple(scores), random.random() < 0.4))
    return Courses(courses, scale)


COURSES = made(300)


def folded(course: Course) -> list[Estimate]:
    estimates = [scalar.start(MODEL, course.days[0], course.scores[0])]
    for day, score in zip(course.days[1:], course.scores[1:], strict=True):
        estimates.append(scalar.observe(MODEL, scalar.advance(MODEL, estimates[-1], day), score))
    return estimates


def test_arrays_and_the_service_agree_on_every_measure() -> None:
    states = folding.fold(MODEL, COURSES)
    chances = folding.p_fail(MODEL, states, 6)
    expected = [folded(course) for course in COURSES.all]
    for place, name in enumerate(folding.States.__slots__):
        told = COURSES.flat([[one[place] for one in ones] for ones in expected])
        assert np.abs(getattr(states, name) - told).max() < 1e-9
    told = COURSES.flat([[scalar.p_fail(MODEL, one, 6) for one in ones] for ones in expected])
    assert np.abs(chances - told).max() < 1e-9


def by_library(course: Course) -> tuple[Floats, Floats]:
    """The same model as statsmodels has it: means and covariances at each measure."""
    weeks = np.array([(b - a) / 7 for a, b in pairwise(course.days)] + [0.0])
    rest = MODEL.damping**weeks
    one, none = np.ones_like(rest), np.zeros_like(rest)
    reach = (1 - rest) / (1 - MODEL.damping)
    slope, v0 = MODEL.slope_on_baseline, MODEL.baseline_variance
    library = KalmanFilter(k_endog=1, k_states=3)
    library.bind(np.array(course.scores))
    library["design"] = np.array([[1.0, 0.0, 1.0]])
    library["obs_cov"] = np.array([[MODEL.noise]])
    library["selection"] = np.eye(3)
    library["transition"] = np.array([[one, reach, none], [none, rest, none], [none, none, one]])
    library["state_cov"] = np.array(
        [[MODEL.drift * weeks, none, none], [none, MODEL.slope_drift * weeks, none], [none] * 3]
    )
    library.initialize_known(
        np.array([0.0, MODEL.slope_mean, MODEL.mean]),
        np.array(
            [[0, 0, 0], [0, MODEL.slope_variance + slope**2 * v0, slope * v0], [0, slope * v0, v0]]
        ),
    )
    told = library.filter()
    return told.filtered_state, told.filtered_state_cov


def test_a_library_of_state_space_models_agrees_with_both() -> None:
    states = folding.fold(MODEL, COURSES)
    for place, course in enumerate(COURSES.all[:40]):
        mean, covariance = by_library(course)
        for number, estimate in enumerate(folded(course)):
            at = int(COURSES.starts[number]) + place
            d, s, b = mean[:, number]
            assert (estimate.d, estimate.s, estimate.b) == pytest.approx((d, s, b), abs=1e-9)
            assert (states.d[at], states.s[at], states.b[at]) == pytest.approx((d, s, b), abs=1e-9)
            spread = covariance[:, :, number]
            known = (estimate.dd, estimate.ds, estimate.db, estimate.ss, estimate.sb, estimate.bb)
            assert known == pytest.approx(spread[np.triu_indices(3)], abs=1e-9)
            told = [getattr(states, name)[at] for name in ("dd", "ds", "db", "ss", "sb", "bb")]
            assert told == pytest.approx(spread[np.triu_indices(3)], abs=1e-9)


def test_the_joint_probability_agrees_for_every_correlation() -> None:
    random = np.random.default_rng(3)
    h, k = random.normal(0, 2, (2, 4000))
    near_one = (1 - 10 ** random.uniform(-12, -1, 2000)) * random.choice([-1, 1], 2000)
    r = np.concatenate([random.uniform(-1, 1, 1996), [1.0, -1.0, 0.0, 0.925], near_one])
    told = normals.both_above(h, k, r)
    expected = [both_above(*one) for one in zip(h.tolist(), k.tolist(), r.tolist(), strict=True)]
    assert np.abs(told - expected).max() < 1e-12


# Thresholds, sensitivity and lead against counting one client after the other


Known = list[tuple[Course, list[int]]]


def plainly(courses: Courses, risks: Floats, first: int, threshold: float) -> Alarms:
    good: Known = []
    bad: Known = []
    for place, course in enumerate(courses.all):
        told = [risks[int(courses.starts[number]) + place] for number in range(len(course.days))]
        alarms = [
            number
            for number in range(first - 1, len(course.days) - 2)
            if course.days[number] >= 14 and told[number] > threshold
        ]
        (bad if course.failed else good).append((course, alarms))
    sessions = [len(course.days) - 1 - alarms[0] if alarms else 0 for course, alarms in bad]
    days = [course.days[-1] - course.days[alarms[0]] if alarms else 0 for course, alarms in bad]
    return Alarms(
        sum(bool(alarms) for _, alarms in good) / len(good),
        sum(bool(alarms) for _, alarms in bad) / len(bad),
        sum(sessions) / len(bad),
        sum(days) / len(bad),
        threshold,
    )


ONES = np.ones(len(COURSES))


@pytest.mark.parametrize("threshold", [0.1, 0.35, 0.6, 0.9])
def test_alarms_are_those_of_plain_counting(threshold: float) -> None:
    risks = Forecast().risks(COURSES, None)
    told = Judged(COURSES, risks, 3).at_threshold(ONES, threshold)
    expected = plainly(COURSES, np.nan_to_num(risks, nan=-1.0), 3, threshold)
    for name in ("false_alarms", "sensitivity", "lead_sessions", "lead_days"):
        assert getattr(told, name) == pytest.approx(getattr(expected, name))


def test_a_weight_is_so_many_clients() -> None:
    weights = np.array([Random(5).randint(0, 3) for _ in range(len(COURSES))], dtype=np.float64)
    many = [
        course
        for course, weight in zip(COURSES.all, weights, strict=True)
        for _ in range(int(weight))
    ]
    other = Courses(many, SCALE)
    rule = in_use("raw-change")
    one, two = rule.risks(COURSES, None), rule.risks(other, None)
    ones = np.ones(len(other))
    told = Judged(COURSES, one, 3).at_rates(weights, (0.1, 0.3))
    for got, expected in zip(told, Judged(other, two, 3).at_rates(ones, (0.1, 0.3)), strict=True):
        for name in ("false_alarms", "sensitivity", "lead_sessions", "lead_days"):
            assert getattr(got, name) == pytest.approx(getattr(expected, name))
    for number in (3, 5):
        expected_auc = Ranking(other, two, number).auc(ones)
        assert Ranking(COURSES, one, number).auc(weights) == pytest.approx(expected_auc)


def test_rates_are_met_exactly_by_tossing_a_coin_between_whole_numbers() -> None:
    judged = Judged(COURSES, in_use("raw-change").risks(COURSES, None), 3)
    for rate in (0.05, 0.10, 0.20):
        (told,) = judged.at_rates(ONES, (rate,))
        strict = judged.at_threshold(ONES, told.threshold)
        loose = judged.at_threshold(ONES, told.threshold - 1e-9)
        assert told.false_alarms == pytest.approx(rate)
        assert strict.false_alarms <= rate <= loose.false_alarms
        assert strict.sensitivity <= told.sensitivity <= loose.sensitivity


def test_the_auc_is_the_share_of_pairs() -> None:
    risks = in_use("raw-change").risks(COURSES, None)
    at = COURSES.step(3)
    known = [
        (risk, COURSES.failed[client])
        for risk, client in zip(risks[at], COURSES.client[at], strict=True)
        if COURSES.lengths[client] >= 6
    ]
    pairs = [
        1.0 if bad > good else 0.5 if bad == good else 0.0
        for bad, failed in known if failed
        for good, other in known if not other
    ]  # fmt: skip
    assert Ranking(COURSES, risks, 4).auc(ONES) == pytest.approx(sum(pairs) / len(pairs))


def test_brier_and_reliability_curve_are_plain_means() -> None:
    risks = Forecast().risks(COURSES, None)
    judged = Judged(COURSES, risks, 3)
    squares = (risks - COURSES.failed[COURSES.client]) ** 2
    chances = Chances(judged)
    assert chances.brier(ONES) == pytest.approx(squares[judged.counts].mean())
    bins = chances.bins()
    assert sum(one.n for one in bins) == judged.counts.sum()
    assert all(one.low <= one.predicted <= one.high for one in bins)


def test_plateaus_are_those_of_the_service_s_channel() -> None:
    model = PHQ.model
    assert model is not None
    scale = Scale(model.mean, model.sd, 0.89, model.reliable_change, model.cut or 0.0)
    courses = made(150, seed=2, gaps=(7, 14, 21), scale=scale)
    told = plateaus(model, courses)
    expected = []
    for course in courses.all:
        known = list(zip(map(int, course.days), course.scores, strict=True))
        found = [flat(trajectory_of(*known[: count + 1])) for count in range(len(known))]
        expected.append([float(one is not None and one.channel == "plateau") for one in found])
    assert np.array_equal(told, courses.flat(expected) > 0)
    assert 20 < told.sum() < courses.measures / 2


# Rules that learn


def test_a_rule_that_learns_never_sees_the_client_it_judges() -> None:
    split, rule = dealt(COURSES, 5), in_use("logistic")
    folds = split.folds
    told = crossed(rule, split, learn_by_fold(rule, split))
    turned = [
        Course(one.client, one.days, one.scores, not one.failed) if fold == 2 else one
        for one, fold in zip(COURSES.all, folds, strict=True)
    ]
    other = Courses(turned, SCALE)
    assert [one.client for one in other.all] == [one.client for one in COURSES.all]
    split = dealt(other, 5)
    assert np.array_equal(split.folds, folds)
    again = crossed(rule, split, learn_by_fold(rule, split))
    mine, others = (folds == 2)[COURSES.client], (folds != 2)[COURSES.client]
    assert np.array_equal(told[mine], again[mine], equal_nan=True)
    assert not np.array_equal(told[others], again[others], equal_nan=True)


def test_what_is_learned_from_earlier_courses_is_learned_from_no_later_one() -> None:
    began = [replace(one, began=float(-place)) for place, one in enumerate(COURSES.all)]
    split = in_time(Courses(began, SCALE), 4)
    assert len(split.judged) + len(split.sources[0].all) == len(COURSES)
    assert len(split.sources) == 3
    sizes = [len(source) for source in split.sources]
    assert max(np.abs(np.array(sizes) - len(COURSES) * np.array([0.25, 0.5, 0.75]))) <= 1
    for fold, source in enumerate(split.sources):
        held = [one for one, of in zip(split.judged.all, split.folds, strict=True) if of == fold]
        assert max(one.began for one in source.all) < min(one.began for one in held)
    untimed = in_time(Courses([replace(one, began=0.0) for one in began], SCALE), 4)
    first = {one.client for one in untimed.sources[0].all}
    assert first == {one.client for one in COURSES.all[: len(first)]}, "as the table has them"


def test_coverage_is_that_of_the_service_s_own_intervals() -> None:
    found = {weeks: Coverage(COURSES, weeks) for weeks in (1, 4)}
    states = folding.fold(MODEL, COURSES)
    for weeks, coverage in found.items():
        coverage.add(np.arange(len(COURSES)), COURSES, MODEL, states)
        inside = []
        for course in COURSES.all:
            for place, estimate in enumerate(folded(course)):
                for day, score in zip(
                    course.days[place + 1 :], course.scores[place + 1 :], strict=True
                ):
                    gap = day - course.days[place]
                    if abs(gap - 7 * weeks) <= 3.5:
                        told = scalar.predict(MODEL, estimate, gap / 7)
                        inside.append(told.low80 <= score <= told.high80)
        assert coverage.n == len(inside) > 50
        assert coverage.share(ONES) == pytest.approx(sum(inside) / len(inside))


def test_one_long_course_costs_no_more_than_its_measures() -> None:
    long = Course("long", tuple(map(float, range(10_000))), tuple([12.0] * 10_000), failed=True)
    courses = Courses([long, *COURSES.all], SCALE)
    states = folding.fold(MODEL, courses)
    assert courses.measures == COURSES.measures + 10_000
    assert math.isfinite(float(states.d[-1]))
