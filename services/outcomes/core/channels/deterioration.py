"""Worse than at the baseline by more than measurement error: once, or confirmed."""

from typing import Any

from services.outcomes.core.channels.meaning import EVERY_TRAJECTORY, SIMULATED, Meaning
from services.outcomes.core.found import Found, arrival, points, raw, told
from services.outcomes.core.trajectory import Step, Trajectory

AT_ONCE = 2.0
"""So many reliable changes at a single measure need no second one."""

RELIABLE_DETERIORATION = Meaning(
    "reliable_deterioration",
    "prompt",
    "The score is worse than the baseline by more than the reliable change c at two "
    f"consecutive measures, or by at least {AT_ONCE:g} c at one. The filter's probability of "
    "being truly worse is shown beside it and is not the rule.",
    "Jacobson and Truax 1991 for c; two in a row because a single measure calls 30 % of truly "
    f"flat clients worse within 16 measures, two in a row 9 % ({SIMULATED})",
    ("segment_measures",),
    asked_of=EVERY_TRAJECTORY,
)

POSSIBLY_WORSE = Meaning(
    "possibly_worse",
    "review",
    "The latest score is worse than the baseline by more than c.",
    "Jacobson and Truax 1991",
    ("segment_measures",),
)


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
        "reliable_change_is": "published" if spec.instrument.jacobson_truax is None else "computed",
        "at_least": spec.inclusive,
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
