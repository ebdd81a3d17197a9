"""Rates of small groups, drawn towards the rate of all: beta-binomial, empirical Bayes.

A group of n courses, k of them with an event, counts as though so many further courses at the
common rate stood beside it. How many is estimated from how much the groups differ (Kleinman 1973,
doi 10.1080/01621459.1973.10481332), and held between `WEAKEST` and `STRONGEST`: a handful of
groups cannot tell it well. That it is estimated at all is not in the intervals, so they are a
little too narrow; the pages say so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p

WEAKEST, STRONGEST = 2.0, 20.0
"""Courses at the common rate that stand beside a group, at least and at most."""
SHARE = 0.8
"""Of the posterior distribution that an interval holds."""
_STEPS, _TINY = 300, 1e-10


@dataclass(frozen=True, slots=True)
class Rate:
    """What is known of a group's rate, all between 0 and 1."""

    mean: float
    low80: float
    high80: float


def shrunken(groups: Sequence[tuple[int, int]]) -> list[Rate]:
    """The rates of groups (events, courses), in the same order.

    Raises:
        ValueError: a group has more events than courses, or none of either.
    """
    if any(not 0 <= events <= courses or courses == 0 for events, courses in groups):
        raise ValueError("a group has courses, and no more events than courses")
    if not groups:
        return []
    all_events, all_courses = (sum(column) for column in zip(*groups, strict=True))
    common = (all_events + 0.5) / (all_courses + 1)  # never 0 or 1: nobody knows that
    beside = strength(groups)
    return [
        _posterior(events + beside * common, courses - events + beside * (1 - common))
        for events, courses in groups
    ]


def strength(groups: Sequence[tuple[int, int]]) -> float:
    """How many courses at the common rate stand beside each group, by the method of moments."""
    events, courses = (float(sum(column)) for column in zip(*groups, strict=True))
    common = events / courses
    spread = common * (1 - common)
    chance = len(groups) - 1
    room = courses - sum(size * size for _, size in groups) / courses - chance
    if spread <= 0 or room <= 0:
        return STRONGEST  # nothing tells the groups apart
    found = sum(size * (k / size - common) ** 2 for k, size in groups) / spread
    correlation = (found - chance) / room
    if correlation <= 0:
        return STRONGEST
    return min(max(1 / correlation - 1, WEAKEST), STRONGEST)


def alone(events: int, courses: int) -> Rate:
    """The rate of a group that stands by itself: Jeffreys' prior and nothing beside it."""
    return _posterior(events + 0.5, courses - events + 0.5)


def _posterior(a: float, b: float) -> Rate:
    tail = (1 - SHARE) / 2
    return Rate(a / (a + b), beta_quantile(tail, a, b), beta_quantile(1 - tail, a, b))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Where the Beta(a, b) distribution function reaches p, by halving to 1e-7."""
    low, high = 0.0, 1.0
    while high - low > 1e-7:
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """The Beta(a, b) distribution function: the regularised incomplete beta function.

    By its continued fraction (DLMF 8.17.22), evaluated with the modified Lentz method.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side
        return 1 - beta_cdf(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)), so that the distribution function is the front divided by it."""
    value, upper, lower = 1.0, 1.0, 0.0
    for n in range(1, _STEPS):
        m = n // 2
        if n % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / (_not_zero(1 + term * lower))
        upper = _not_zero(1 + term / upper)
        value *= upper * lower
        if abs(upper * lower - 1) < _TINY:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
