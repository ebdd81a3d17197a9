"""Learns how a caseload moves from its own earlier courses: what the filter starts the next from.

Empirical Bayes: the most likely values given those courses, held near the shipped ones by a weak
prior, so that a small caseload stays close to them and a large one speaks for itself.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from services.outcomes.core.estimate import DEFAULTS, Defaults, Model, advance, observe, start

LEAST = 10
"""Courses of two measures or more, below which nothing is learned."""
FIRST_STEP, LAST_STEP = 0.5, 0.02
"""Steps of the search, in units of the weak prior's SD."""
Points = Sequence[tuple[float, float]]
"""One closed course as (day, oriented score), in the order of days."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned, and from how much.

    Attributes:
        defaults: the shipped numbers with what was learned in place of theirs.
        gain: log likelihood above that of the shipped numbers, a measure after the first.
    """

    defaults: Defaults
    courses: int
    measures: int
    gain: float


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A number that is learned: on which scale, and how far from the shipped one it may well be."""

    name: str
    width: float
    to: Callable[[float], float]
    back: Callable[[float], float]


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))


def _share(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit))


def _same(value: float) -> float:
    return value


PARAMETERS = (
    _Parameter("slope_mean", 0.20, _same, _same),
    _Parameter("slope_sd", 0.50, math.log, math.exp),
    _Parameter("damping", 0.60, _logit, _share),
    _Parameter("drift", 0.40, math.log, math.exp),
)
"""The slope expected at the start, how it varies between clients, how it lasts, what it leaves."""


def learn_slope_prior(
    courses: Sequence[Points],
    model: Callable[[Defaults], Model],
    defaults: Defaults = DEFAULTS,
) -> Learned:
    """The slope prior of a caseload from its closed courses.

    Args:
        courses: closed courses; those with one measure say nothing and are left out.
        model: the filter of the instrument under given numbers.
        defaults: where the search starts, and what the weak prior holds to.

    Raises:
        ValueError: fewer than `LEAST` courses say anything.
    """
    telling = [course for course in courses if len(course) > 1]
    if len(telling) < LEAST:
        raise ValueError(f"needs {LEAST} courses of two measures or more; there are {len(telling)}")

    def numbers(point: Sequence[float]) -> Defaults:
        found = {
            one.name: one.back(one.to(getattr(defaults, one.name)) + one.width * moved)
            for one, moved in zip(PARAMETERS, point, strict=True)
        }
        return replace(defaults, **found)

    def worth(point: Sequence[float]) -> float:
        held = math.fsum(moved * moved for moved in point) / 2.0
        return log_likelihood(telling, model(numbers(point))) - held

    best = _climb(worth, [0.0] * len(PARAMETERS))
    measures = sum(len(course) - 1 for course in telling)
    found = numbers(best)
    gain = log_likelihood(telling, model(found)) - log_likelihood(telling, model(defaults))
    return Learned(found, len(telling), measures, gain / measures)


def log_likelihood(courses: Sequence[Points], model: Model) -> float:
    """Of every score after the first, given those before it; the constant is left out."""
    total = 0.0
    for (day, score), *rest in courses:
        estimate = start(model, day, score)
        for day, score in rest:
            estimate = advance(model, estimate, day)
            variance = estimate.level_variance + model.noise
            total -= math.log(variance) + (score - estimate.level) ** 2 / variance
            estimate = observe(model, estimate, score)
    return total / 2.0


def _climb(worth: Callable[[Sequence[float]], float], begin: Sequence[float]) -> list[float]:
    """Go uphill along one axis after the other, with shorter steps where none leads up."""
    best, height = list(begin), worth(begin)
    step = FIRST_STEP
    while step >= LAST_STEP:
        before = height
        for axis in range(len(best)):
            for way in (step, -step):
                tried = [*best[:axis], best[axis] + way, *best[axis + 1 :]]
                reached = worth(tried)
                if reached > height:
                    best, height = tried, reached
                    break
        if height == before:
            step /= 2.0
    return best
