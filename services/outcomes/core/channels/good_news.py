"""Good news: a recovery, a reliable improvement, or a sudden gain that held; never interrupting."""

from typing import Any

from services.outcomes.core.channels.meaning import Meaning
from services.outcomes.core.found import Found, arrival, points, raw, told
from services.outcomes.core.sudden import AROUND, SHARE_BEFORE, is_sudden
from services.outcomes.core.trajectory import Step, Trajectory

SHARE_KEPT = 0.5

MEANING = Meaning(
    "good_news",
    "info",
    "Reliably better at two consecutive measures; called a recovery where the course started "
    "at or above the cut-off and both lie below it. Or a sudden gain that held: from one "
    f"measure to the next a fall of at least c and {100 * SHARE_BEFORE:g} % of the score before, "
    "the three measures before and after differing by Student's t, with less than "
    f"{100 * SHARE_KEPT:g} % of it lost since. Never interrupts.",
    "Jacobson and Truax 1991; Tang and DeRubeis 1999 for sudden gains",
)


def good_news(trajectory: Trajectory) -> Found | None:
    """Recovery and reliable improvement at two consecutive measures, else a sudden gain held."""
    if len(trajectory.steps) < 2 or trajectory.spec.change is None:
        return None
    first, (before, last) = trajectory.steps[0], trajectory.steps[-2:]
    if last.better and before.better:
        kind = "recovery" if _recovered(trajectory, before, last) else "reliable_improvement"
        return _found(trajectory, kind, first.score - last.score, [first, before, last])
    sudden = _sudden(trajectory)
    if sudden is None:
        return None
    return _found(trajectory, "sudden_gain", sudden[0].score - sudden[1].score, list(sudden))


def _recovered(trajectory: Trajectory, before: Step, last: Step) -> bool:
    cut = trajectory.spec.cut
    if cut is None:
        return False
    return trajectory.steps[0].score > cut > max(before.score, last.score)


def _sudden(trajectory: Trajectory) -> tuple[Step, Step] | None:
    """The latest sudden gain, unless half of it has gone since."""
    steps, last = trajectory.steps, trajectory.steps[-1]
    place = last.sudden
    if is_sudden(trajectory.spec, last.recent[:-2][-AROUND:], last.recent[-2:]):
        place = len(steps) - 2
    if place is None:
        return None
    before, fallen = steps[place - 1], steps[place]
    lost = max(step.score for step in steps[place:]) - fallen.score
    return (before, fallen) if lost < SHARE_KEPT * (before.score - fallen.score) else None


def _found(trajectory: Trajectory, kind: str, gain: float, steps: list[Step]) -> Found:
    spec = trajectory.spec
    last = trajectory.steps[-1]
    numbers: dict[str, Any] = {
        "kind": kind,
        "gain": told(gain),
        "score": raw(spec, last.score),
        "by": steps[-1].day.on,
    }
    return Found(
        channel="good_news",
        tier="info",
        on=last.day.on,
        received_on=arrival(last.day),
        instrument=spec.instrument.id,
        trajectories=(trajectory.key,),
        numbers=numbers,
        points=points(steps),
        thresholds=spec.limits_of_course,
    )
