"""No reliable improvement and still a case at session 8: looked at once, as in stepped care."""

from collections.abc import Sequence

from services.outcomes.research.evaluation.courses import Scale

OWN = 0.0
"""Better by less than the reliable change, and at or above the cut-off."""


def risk(days: Sequence[float], scores: Sequence[float], scale: Scale) -> float | None:
    """Points from both limits at the one session at which this rule looks: the nearer counts."""
    if len(scores) != 8:
        return None
    return min(scores[-1] - scores[0] + scale.reliable_change, scores[-1] - scale.cut)
