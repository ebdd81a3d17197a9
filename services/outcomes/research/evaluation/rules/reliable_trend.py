"""Reliable trend index: the least-squares slope against its error from measurement alone."""

import math
from collections.abc import Sequence

from services.outcomes.research.evaluation.courses import Scale

OWN = 1.96
"""A trend for the worse that measurement error does not explain at the 95 % level."""


def risk(days: Sequence[float], scores: Sequence[float], scale: Scale) -> float | None:
    """Slope through all measures so far, in its standard errors; positive is worse."""
    middle = sum(days) / len(days)
    width = sum([(day - middle) ** 2 for day in days])
    if width == 0:
        return None
    product = sum([(day - middle) * score for day, score in zip(days, scores, strict=True)])
    return product / math.sqrt(width) / scale.sem
