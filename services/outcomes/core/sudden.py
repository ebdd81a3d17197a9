"""Whether a fall of a course is a sudden gain: asked at every measure, of a few scores alone."""

import math
from collections.abc import Sequence

from services.outcomes.core.spec import Spec

CRITICAL_T = {2: 4.303, 3: 3.182, 4: 2.776}
"""Two-sided 5 % points of Student's t by degrees of freedom (Tang and DeRubeis 1999)."""
SHARE_BEFORE = 0.25
"""The share of the score before that a sudden gain amounts to, as they have it."""
AROUND = 3
"""Measures before, and from the fall on, that are compared."""


def is_sudden(spec: Spec, earlier: Sequence[float], later: Sequence[float]) -> bool:
    """Tang and DeRubeis' three conditions for the fall from `earlier` to `later`.

    Args:
        spec: what the trajectory is judged by.
        earlier: oriented scores up to the fall, three at most.
        later: oriented scores from it on, three at most.
    """
    if spec.change is None or len(earlier) < 2 or len(later) < 2:
        return False
    high, drop = earlier[-1], earlier[-1] - later[0]
    ends = (spec.sign * spec.instrument.minimum, spec.sign * spec.instrument.maximum)
    if drop < spec.change or drop < SHARE_BEFORE * (high - min(ends)):
        return False
    before, after = sum(earlier) / len(earlier), sum(later) / len(later)
    squares = sum((score - before) ** 2 for score in earlier)
    squares += sum((score - after) ** 2 for score in later)
    freedom = len(earlier) + len(later) - 2
    return before - after > CRITICAL_T[freedom] * math.sqrt(squares / freedom)
