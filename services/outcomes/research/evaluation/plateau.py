"""The service's plateau channel over thousands of courses: who is found flat, and who wrongly."""

import math

import numpy as np

from services.outcomes.core.channels.flat import AS_LIKELY_AS_NOT, MOVEMENT_WEEKS
from services.outcomes.core.estimate import WEEK, Model
from services.outcomes.core.rules import DEFAULTS as RULES
from services.outcomes.core.rules import Rules
from services.outcomes.research.evaluation import folding
from services.outcomes.research.evaluation.courses import Courses, Flags, Floats, Integers
from services.outcomes.research.evaluation.normals import below


def plateaus(model: Model, courses: Courses, rules: Rules = RULES) -> Flags:
    """Whether the channel speaks of a plateau at each measure, long gaps left out of account."""
    states = folding.fold(model, courses)
    better, case = folding.p_better(model, states), folding.p_case(model, states)
    flat: Flags = (
        (p_flat(model, courses, rules) > rules.flat)
        & (case >= AS_LIKELY_AS_NOT)
        & (better < rules.better)
    )
    return flat


def p_flat(model: Model, courses: Courses, rules: Rules = RULES) -> Floats:
    """P(four weeks' movement under half a reliable change), -1 where the window is too short."""
    count, span, slope, squares = _windows(courses, rules)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(model.noise / squares)
        limit = model.reliable_change / 2 / MOVEMENT_WEEKS
        told = below((limit - slope) / sd) - below((-limit - slope) / sd)
    return np.where((count >= rules.window_measures) & (span >= rules.window_span), told, -1.0)


def _windows(courses: Courses, rules: Rules) -> tuple[Floats, Floats, Floats, Floats]:
    """Measures, days, least-squares slope a week and squared weeks of each measure's window."""
    numbers = courses.number
    here = np.arange(courses.measures)
    sums = [np.zeros(courses.measures) for _ in range(5)]
    span = np.zeros(courses.measures)
    for back in range(courses.steps):
        there = _earlier(courses, here, back)
        inside = here[numbers > back]
        days = courses.day[inside] - courses.day[there]
        near = days <= rules.window_days
        if not near.any():
            break
        inside, there, days = inside[near], there[near], days[near]
        week, score = -days / WEEK, courses.score[there]
        span[inside] = np.maximum(span[inside], days)
        terms = (np.ones(len(week)), week, score, week * week, week * score)
        for total, term in zip(sums, terms, strict=True):
            total[inside] += term
    n, t, y, tt, ty = sums
    squares = tt - t * t / n
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(squares > 0, (ty - t * y / n) / squares, math.nan)
    return n, span, slope, squares


def _earlier(courses: Courses, here: Integers, back: int) -> Integers:
    """Places of the measures so many before, of those that have them."""
    known = courses.number > back
    return courses.starts[courses.number[known] - 1 - back] + courses.client[known]


def found(courses: Courses, flags: Flags) -> dict[str, float | None]:
    """Shares of flat clients found and of eventual successes flagged, at any measure."""
    ever = np.bincount(courses.client[flags], minlength=len(courses)) > 0
    flat: Flags = np.array([one.kind == "flat" for one in courses.all], dtype=np.bool_)
    first = np.full(len(courses), np.inf)
    np.minimum.at(first, courses.client[flags], courses.number[flags])
    return {
        "flat_found": _share(ever, flat),
        "successes_flagged": _share(ever, ~courses.failed),
        "measure": float(first[ever & flat].mean()) if (ever & flat).any() else None,
    }


def _share(flags: Flags, of: Flags) -> float | None:
    return float(flags[of].mean()) if of.any() else None
