"""Reliable deterioration: the change in units of the reliable change, at any measure."""

from collections.abc import Sequence

from services.outcomes.research.evaluation.courses import Scale

FIRST = 2
OWN = 1.0
"""Worse than at the start by more than the reliable change."""


def risk(days: Sequence[float], scores: Sequence[float], scale: Scale) -> float:
    """Reliable changes for the worse since the first measure."""
    return (scores[-1] - scores[0]) / scale.reliable_change
