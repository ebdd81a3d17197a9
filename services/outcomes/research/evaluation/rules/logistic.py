"""Logistic regression at each session, learned from earlier outcomes (after Bone 2021's kind)."""

import math
from collections.abc import Sequence

import numpy as np

from services.outcomes.research.evaluation.courses import Course, Floats, Scale

OWN = 0.5
"""More likely to fail than not."""
PROBABILITY = True
LEAST = 20
"""Failures and successes needed for a session's own regression; later ones use the last of it."""
RIDGE = 1.0
MOST = 4000
"""Courses that a regression is learned from; more of them change its five numbers little."""


def learn(courses: Sequence[Course], scale: Scale) -> list[list[float]]:
    """Coefficients by number of measures, from the third on, while there are enough outcomes."""
    learned: list[list[float]] = []
    courses = courses[:: max(1, len(courses) // MOST)]
    number = 3
    while True:
        known = [course for course in courses if len(course.scores) >= number]
        failed = np.array([course.failed for course in known], dtype=np.float64)
        if min(failed.sum(), len(known) - failed.sum()) < (LEAST if learned else 1):
            return learned
        table = [_features(one.days[:number], one.scores[:number], scale) for one in known]
        learned.append(_fit(np.array(table), failed))
        number += 1


def risk(
    days: Sequence[float], scores: Sequence[float], scale: Scale, learned: list[list[float]]
) -> float | None:
    """P(failure) by the regression of this number of measures."""
    if len(scores) < 3 or not learned:
        return None
    weights = learned[min(len(scores) - 3, len(learned) - 1)]
    features = _features(days, scores, scale)
    total = sum([weight * one for weight, one in zip(weights, features, strict=True)])
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def _features(days: Sequence[float], scores: Sequence[float], scale: Scale) -> list[float]:
    """Constant; first, latest and last-but-one score in SDs of the scale; months gone."""
    first, sd = scores[0], scale.sd
    return [1.0, (first - scale.cut) / sd, (scores[-1] - first) / sd, (scores[-2] - first) / sd,
            days[-1] / 28.0]  # fmt: skip


def _fit(table: Floats, failed: Floats) -> list[float]:
    """Newton's method with a ridge on all but the constant."""
    weights = np.zeros(table.shape[1])
    ridge = np.diag([1e-6, *[RIDGE] * (table.shape[1] - 1)])
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (failed - chance) - ridge @ weights
        curve = (table * (chance * (1 - chance))[:, None]).T @ table + ridge
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-8:
            break
    return [float(weight) for weight in weights]
