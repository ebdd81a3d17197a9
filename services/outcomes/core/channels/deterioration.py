"""Worse than at the baseline by more than measurement error: once, or confirmed."""

from typing import Any

from services.outcomes.core.found import Found, arrival, points, raw, told
from services.outcomes.core.trajectory import Step, Trajectory

AT_ONCE = 2.0
"""So many reliable changes at a single measure need no second one."""


def possibly_worse(trajectory: Trajectory) -> Found | None:
    """Observed score minus baseline > c at the latest measure."""
    last = trajectory.last
    if last is None or not last.worse or not _settled(trajectory, last):
        return None
    return _found(trajectory, "possibly_worse", "review", [last])


def reliable_deterioration(trajectory: Trajectory) -> Found | None:
    """The same at two consecutive measures, or once by at least 2 c."""
    last, change = trajectory.last, trajectory.spec.change
    if last is None or change is None or not last.worse or not _settled(trajectory, last):
        return None
    before = trajectory.steps[-2]
    if before.worse and last.in_segment > 1:
        return _found(trajectory, "reliable_deterioration", "prompt", [before, last])
    if last.change >= AT_ONCE * change:
        return _found(trajectory, "reliable_deterioration", "prompt", [last])
    return None


def _settled(trajectory: Trajectory, last: Step) -> bool:
    """After a long gap two measures come before any alarm."""
    return last.gap is None or last.in_segment >= trajectory.spec.rules.segment_measures


def _found(trajectory: Trajectory, channel: str, tier: str, steps: list[Step]) -> Found:
    spec, first, last = trajectory.spec, trajectory.steps[0], steps[-1]
    numbers: dict[str, Any] = {
        "baseline": raw(spec, first.score),
        "baseline_on": first.day.on,
        "baseline_label": trajectory.label,
        "score": raw(spec, last.score),
        "change": told(last.change),
        "reliable_change": told(spec.change),
        "p_truly_worse": told(last.p_worse),
        "measures": len(steps),
    }
    return Found(
        channel=channel,
        tier=tier,
        on=last.day.on,
        received_on=arrival(last.day),
        instrument=spec.instrument.id,
        trajectories=(trajectory.key,),
        numbers=numbers,
        points=points([first, *steps]),
        thresholds=spec.limits_of_change,
    )
