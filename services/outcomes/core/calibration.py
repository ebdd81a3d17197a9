"""From an alarm budget to an alarm threshold: what `evaluate` reproduces for every instrument."""

import math
from collections.abc import Iterable, Sequence

from services.outcomes.core.trajectory import Trajectory

LAST_LEFT_OUT = 2
"""An alarm at the last two sessions of a course comes too late to count."""


def highest_chance(trajectory: Trajectory, left_out: int = LAST_LEFT_OUT) -> float:
    """The highest P(fail) of a course at which an alarm could begin, 0 where none could."""
    rules = trajectory.spec.rules
    start = trajectory.steps[0].day.ordinal if trajectory.steps else 0
    chances = [
        step.p_fail
        for step in trajectory.steps[: len(trajectory.steps) - left_out]
        if step.p_fail is not None
        and step.number >= rules.alarm_measures
        and step.in_segment >= rules.segment_measures
        and step.day.ordinal - start >= rules.alarm_days
    ]
    return max(chances, default=0.0)


def threshold_for(highest_of_successes: Iterable[float], budget: float) -> float:
    """The lowest threshold, rounded up to .001, that alarms at most this share of successes.

    Raises:
        ValueError: there is no course, or the budget is no share.
    """
    highest = sorted(highest_of_successes)
    if not highest or not 0 <= budget < 1:
        raise ValueError("needs courses, and a budget from 0 to below 1")
    allowed = math.floor(budget * len(highest))
    limit = highest[len(highest) - allowed - 1]
    return math.ceil(limit * 1000 - 1e-9) / 1000


def share_alarmed(highest: Sequence[float], threshold: float) -> float:
    """The share of these courses that a threshold alarms."""
    return sum(chance > threshold for chance in highest) / len(highest)
