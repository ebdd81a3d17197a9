"""Raw change: how much worse the latest score is than the first."""

from collections.abc import Sequence

from services.outcomes.research.evaluation.courses import Scale

OWN = 0.0
"""No better than at the start."""


def risk(days: Sequence[float], scores: Sequence[float], scale: Scale) -> float:
    """Points worse than at the first measure."""
    return scores[-1] - scores[0]
