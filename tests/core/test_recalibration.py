"""The recalibration of P(fail): as statsmodels fits it, where it is due, refused where not."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import statsmodels.api as sm

from services.outcomes.core.estimate import DEFAULTS
from services.outcomes.research.evaluation.courses import Courses
from services.outcomes.research.evaluation.made import SCALE, made
from services.outcomes.research.fitting.drawn import ratio
from services.outcomes.research.fitting.recalibration import (
    Endings,
    Line,
    Numbers,
    Recalibrating,
    fit,
    through,
    too_few,
)


@pytest.fixture(scope="module")
def courses() -> Courses:
    found, _ = made([33], 1400, 5, lambda done, of: None)
    return Courses(found, SCALE)


def judged(courses: Courses, weeks: float) -> Endings:
    folds = {one.client: place % 2 for place, one in enumerate(courses.all)}
    judging = Recalibrating(courses, folds, weeks, partial(ratio, draws=100))
    return judging.judge(Numbers([DEFAULTS] * 2, DEFAULTS), 0.68, helps=False)


def test_the_line_is_that_of_statsmodels() -> None:
    drawn = np.random.default_rng(5)
    logits = drawn.normal(0.3, 1.5, 20_000)
    failed = (drawn.random(20_000) < 1 / (1 + np.exp(0.5 - 0.6 * logits))).astype(np.float64)
    found = fit(1 / (1 + np.exp(-logits)), failed)
    theirs = sm.Logit(failed, sm.add_constant(logits)).fit(disp=0).params
    assert (found.intercept, found.slope) == pytest.approx(tuple(theirs), abs=2e-3)
    assert (found.intercept, found.slope) == pytest.approx((-0.5, 0.6), abs=0.06)


def test_endings_told_apart_without_fault_do_not_run_away() -> None:
    chances = np.array([0.1, 0.2, 0.8, 0.9] * 300)
    found = fit(chances, (chances > 0.5).astype(np.float64))
    assert 1 < found.slope < 20
    assert np.isfinite(found.intercept)


def test_probabilities_that_mislead_are_turned_round() -> None:
    drawn = np.random.default_rng(6)
    logits = drawn.normal(0.0, 3.0, 5000)
    failed = (drawn.random(5000) < 1 / (1 + np.exp(0.8 * logits))).astype(np.float64)
    found = fit(1 / (1 + np.exp(-logits)), failed)
    assert (found.intercept, found.slope) == pytest.approx((0.0, -0.8), abs=0.1)


def test_a_line_that_changes_nothing_changes_nothing() -> None:
    chances = np.array([0.02, 0.5, 0.97])
    assert through(Line(0.0, 1.0), chances) == pytest.approx(chances, abs=1e-12)


def test_it_helps_where_probabilities_look_too_far_ahead(courses: Courses) -> None:
    found = judged(courses, weeks=40)
    assert found.line is not None
    assert found.line.intercept > 0  # too hopeful: forty weeks bring everybody down
    assert found.helps


def test_clients_are_recalibrated_by_others_alone(courses: Courses) -> None:
    """Endings of one half are turned round: learned from the other half, lines mislead."""
    turned = [replace(one, failed=one.failed != (place % 2 == 0))
              for place, one in enumerate(courses.all)]  # fmt: skip
    found = judged(Courses(turned, SCALE), weeks=6)
    assert found.recalibrated is not None
    assert found.recalibrated > 0.3  # at most .25 by lines that saw them


def test_few_endings_or_few_of_one_kind_are_refused(courses: Courses) -> None:
    assert too_few(courses) == ""
    assert "needs 1,000" in too_few(Courses(courses.all[:999], SCALE))
    failures = [replace(one, failed=place < 99) for place, one in enumerate(courses.all)]
    assert "99 are failures" in too_few(Courses(failures, SCALE))
