"""Something about the measures themselves: contradictions, sawtooth, floor and ceiling."""

from services.outcomes.core.channels.meaning import Meaning
from services.outcomes.core.found import Found, points, raw
from services.outcomes.core.timeline import Day
from services.outcomes.core.trajectory import Trajectory

MEANING = Meaning(
    "validity",
    "info",
    "Something about the measures themselves: at least {rules.sawtooth} changes of direction "
    "of at least c each (a sawtooth), a total that contradicts its items, two measures of a "
    "day that differ by more than c (both are then left out), or a score at an end of the "
    "scale.",
    "the idea of the sawtooth is that of PCOMS, whose limits are not used; the rest is practice",
    ("sawtooth",),
)


def validity(trajectory: Trajectory) -> Found | None:
    """What is odd about the latest measures; `reasons` has every kind, `numbers` the first."""
    latest = trajectory.telling
    if latest is None:
        return None
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
    if latest.conflict:
        kinds.append("conflict")
    if latest.disagree:
        kinds.append("two_on_a_day")
    return kinds


def _shape(trajectory: Trajectory) -> list[str]:
    swings = trajectory.last.swings if trajectory.last else None
    if swings is None or swings.turns < trajectory.spec.rules.sawtooth:
        return []
    return ["sawtooth"]


def _ends(trajectory: Trajectory) -> list[str]:
    last = trajectory.last
    if last is None:
        return []
    instrument, score = trajectory.spec.instrument, raw(trajectory.spec, last.score)
    if score <= instrument.minimum:
        return ["floor"]
    return ["ceiling"] if score >= instrument.maximum else []
