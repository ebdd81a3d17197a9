"""Something about the measures themselves: contradictions, sawtooth, floor and ceiling."""

from services.outcomes.core.found import Found, points, raw
from services.outcomes.core.scoring import CONFLICT
from services.outcomes.core.timeline import Day
from services.outcomes.core.trajectory import Trajectory


def validity(trajectory: Trajectory) -> Found | None:
    """What is odd about the latest measures; `reasons` has every kind, `numbers` the first."""
    if not trajectory.days:
        return None
    latest = trajectory.days[-1]
    kinds = [*_contradictions(latest), *_shape(trajectory), *_ends(trajectory)]
    if not kinds:
        return None
    spec = trajectory.spec
    return Found(
        channel="validity",
        tier="info",
        on=latest.on,
        received_on=max(entry.received_on for entry in latest.entries),
        instrument=spec.instrument.id,
        trajectories=(trajectory.key,),
        numbers={"kind": kinds[0]},
        points=points(trajectory.steps[-6:])
        if "sawtooth" in kinds
        else points(trajectory.steps[-1:]),
        thresholds=spec.limits_of_change,
        reasons=kinds,
    )


def _contradictions(latest: Day) -> list[str]:
    kinds = []
    if any(CONFLICT in entry.flags for entry in latest.entries):
        kinds.append("conflict")
    if latest.disagree:
        kinds.append("two_on_a_day")
    return kinds


def _shape(trajectory: Trajectory) -> list[str]:
    change = trajectory.spec.change
    if change is None:
        return []
    turns = direction_changes([step.score for step in trajectory.steps], change)
    return ["sawtooth"] if turns >= trajectory.spec.rules.sawtooth else []


def direction_changes(scores: list[float], least: float) -> int:
    """How often the course turns round, each move between two turns being at least `least`."""
    turns, direction = 0, 0
    low = high = scores[0] if scores else 0.0
    for score in scores:
        low, high = min(low, score), max(high, score)
        if direction <= 0 and score - low >= least:
            turns += direction != 0
            direction, high = 1, score
        elif direction >= 0 and high - score >= least:
            turns += direction != 0
            direction, low = -1, score
    return turns


def _ends(trajectory: Trajectory) -> list[str]:
    last = trajectory.last
    if last is None:
        return []
    instrument, score = trajectory.spec.instrument, raw(trajectory.spec, last.score)
    if score <= instrument.minimum:
        return ["floor"]
    return ["ceiling"] if score >= instrument.maximum else []
