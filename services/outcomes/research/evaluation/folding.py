"""The service's filter over thousands of courses at once; agrees with `core.estimate` to 1e-9."""

import math
from dataclasses import dataclass

import numpy as np

from services.outcomes.core.estimate import WEEK, Model
from services.outcomes.research.evaluation.courses import Courses, Floats, Integers
from services.outcomes.research.evaluation.normals import above, both_above


@dataclass(frozen=True, slots=True)
class States:
    """The estimate after every measure: means and covariances of D, S and B, flat arrays."""

    d: Floats
    s: Floats
    b: Floats
    dd: Floats
    ds: Floats
    db: Floats
    ss: Floats
    sb: Floats
    bb: Floats


@dataclass(frozen=True, slots=True)
class Ahead:
    """The joint normal law of the change and the level some weeks after every measure."""

    change: Floats
    change_variance: Floats
    level: Floats
    level_variance: Floats
    covariance: Floats


def fold(model: Model, courses: Courses) -> States:
    """Run the filter over all courses, a step of all of them at a time."""
    kept = [np.empty(courses.measures) for _ in range(9)]
    before = np.zeros(0)
    state: list[Floats] = []
    for number in range(courses.steps):
        at = courses.step(number)
        day, score = courses.day[at], courses.score[at]
        if number == 0:
            state = _prior(model, score)
        else:
            width = len(day)
            weeks = (day - before[:width]) / WEEK
            state = _advance(model, [one[:width] for one in state], weeks)
        state = _observe(model, state, score)
        for array, value in zip(kept, state, strict=True):
            array[at] = value
        before = day
    return States(*kept)


def _prior(model: Model, score: Floats) -> list[Floats]:
    width, variance = len(score), model.baseline_variance
    mean = score if model.mean is None else np.full(width, model.mean)
    ss = model.slope_variance + model.slope_on_baseline**2 * variance
    rest = (0.0, 0.0, 0.0, ss, model.slope_on_baseline * variance, variance)
    return [
        np.zeros(width),
        np.full(width, model.slope_mean),
        mean.copy(),
        *(np.full(width, value) for value in rest),
    ]


def _advance(model: Model, state: list[Floats], weeks: Floats) -> list[Floats]:
    d, s, b, dd, ds, db, ss, sb, bb = state
    rest = np.power(model.damping, weeks)
    reach = (1.0 - rest) / (1.0 - model.damping)
    return [
        d + reach * s,
        rest * s,
        b,
        dd + 2.0 * reach * ds + reach * reach * ss + model.drift * weeks,
        rest * (ds + reach * ss),
        db + reach * sb,
        rest * rest * ss + model.slope_drift * weeks,
        rest * sb,
        bb,
    ]


def _observe(model: Model, state: list[Floats], score: Floats) -> list[Floats]:
    d, s, b, dd, ds, db, ss, sb, bb = state
    to_d, to_s, to_b = dd + db, ds + sb, db + bb
    total = to_d + to_b + model.noise
    surprise = (score - b - d) / total
    return [
        d + to_d * surprise,
        s + to_s * surprise,
        b + to_b * surprise,
        dd - to_d * to_d / total,
        ds - to_s * to_d / total,
        db - to_b * to_d / total,
        ss - to_s * to_s / total,
        sb - to_s * to_b / total,
        bb - to_b * to_b / total,
    ]


def ahead(model: Model, states: States, weeks: float | Floats) -> Ahead:
    """What is expected so many weeks after every measure."""
    reach = (1.0 - np.power(model.damping, weeks)) / (1.0 - model.damping)
    change = states.d + reach * states.s
    variance = states.dd + 2.0 * reach * states.ds + reach * reach * states.ss + model.drift * weeks
    with_baseline = states.db + reach * states.sb
    return Ahead(
        change=change,
        change_variance=variance,
        level=states.b + change,
        level_variance=variance + 2.0 * with_baseline + states.bb,
        covariance=variance + with_baseline,
    )


def p_fail(model: Model, states: States, weeks: float) -> Floats:
    """P(not reliably better and still a case in so many weeks) after every measure."""
    then = ahead(model, states, weeks)
    limit = -model.reliable_change
    if model.cut is None:
        return above(then.change, then.change_variance, limit)
    change_sd, level_sd = np.sqrt(then.change_variance), np.sqrt(then.level_variance)
    return both_above(
        (limit - then.change) / change_sd,
        (model.cut - then.level) / level_sd,
        then.covariance / (change_sd * level_sd),
    )


def p_better(model: Model, states: States) -> Floats:
    """P(truly better by more than the reliable change); not a number while nothing can be told."""
    told = above(-states.d, np.maximum(states.dd, 0.0), model.reliable_change)
    return np.where(states.dd > model.least_variance, told, math.nan)


def p_case(model: Model, states: States) -> Floats:
    """P(the level is at or above the cut-off now)."""
    variance = states.dd + 2.0 * states.db + states.bb
    return above(states.b + states.d, variance, -math.inf if model.cut is None else model.cut)


def at(states: States, places: Integers) -> States:
    """The estimates at some measures."""
    return States(*(getattr(states, name)[places] for name in States.__slots__))
