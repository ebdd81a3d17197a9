"""The service's plateau channel over thousands of courses: who is found flat, and who wrongly."""

import math
from typing import NamedTuple

import numpy as np

from services.outcomes.core.channels.flat import AS_LIKELY_AS_NOT, MOVEMENT_WEEKS
from services.outcomes.core.estimate import WEEK, Model
from services.outcomes.core.normal import squares_exceeded
from services.outcomes.core.rules import DEFAULTS as RULES
from services.outcomes.core.rules import Rules
from services.outcomes.research.evaluation import folding
from services.outcomes.research.evaluation.courses import Courses, Flags, Floats, Integers
from services.outcomes.research.evaluation.normals import below


def plateaus(model: Model, courses: Courses, rules: Rules = RULES) -> Flags:
    """Whether the channel speaks of a plateau at each measure, long gaps left out of account."""
    states = folding.fold(model, courses)
    better, case = folding.p_better(model, states), folding.p_case(model, states)
    window = windows(model, courses, rules)
    most = np.array([math.inf] * 3 + [
        squares_exceeded(rules.misfit, count - 2) for count in range(3, courses.steps + 1)
    ])  # fmt: skip
    flat: Flags = (
        (window.p_flat > rules.flat)
        & (window.left <= most[window.measures])
        & (case >= AS_LIKELY_AS_NOT)
        & (better < rules.better)
    )
    return flat


class Windows(NamedTuple):
    """The latest weeks at each measure, as `services.outcomes.core.channels.flat` has them.

    `p_flat` is P(four weeks' movement under half a reliable change), -1 where they are too few.
    """

    measures: Integers
    p_flat: Floats
    left: Floats


def windows(model: Model, courses: Courses, rules: Rules = RULES) -> Windows:
    """The window of every measure."""
    count, span, slope, squares, left = _lines(courses, rules)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(model.noise / squares)
        limit = model.reliable_change / 2 / MOVEMENT_WEEKS
        told = below((limit - slope) / sd) - below((-limit - slope) / sd)
    enough = (count >= rules.window_measures) & (span >= rules.window_span)
    return Windows(count.astype(np.int64), np.where(enough, told, -1.0), left / model.noise)


def _lines(courses: Courses, rules: Rules) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Of each measure's window: measures, days, slope a week, squared weeks, squares left."""
    numbers = courses.number
    here = np.arange(courses.measures)
    sums = [np.zeros(courses.measures) for _ in range(6)]
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
        terms = (np.ones(len(week)), week, score, week * week, week * score, score * score)
        for total, term in zip(sums, terms, strict=True):
            total[inside] += term
    n, t, y, tt, ty, yy = sums
    squares = tt - t * t / n
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(squares > 0, (ty - t * y / n) / squares, math.nan)
    return n, span, slope, squares, yy - y * y / n - slope * slope * squares


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
