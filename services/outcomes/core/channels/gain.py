"""Gain partly lost: what had been won is going again, and relapse where it crosses the cut-off."""

from services.outcomes.core.channels.meaning import SIMULATED, Meaning
from services.outcomes.core.found import Found, arrival, points, raw, told
from services.outcomes.core.trajectory import Step, Trajectory

SHARE = 0.5
"""The share of the gain whose loss counts."""

MEANING = Meaning(
    "gain_partly_lost",
    "prompt",
    "After two consecutive reliably better measures: a loss from the best mean of two measures "
    f"of at least {100 * SHARE:g} % of the gain, and of at least c, at two consecutive measures. "
    "It is called a relapse only where that mean was below the cut-off and the score is back at or "
    "above it.",
    "own rule: half the gain alone flags 80 % of clients who are truly stable after a gain, "
    f"with c and two measures 20 % ({SIMULATED})",
)


def gain_partly_lost(trajectory: Trajectory) -> Found | None:
    """Loss from the best two-measure mean of at least max(half the gain, c) at two in a row.

    Only after two consecutive reliably better measures.
    """
    if len(trajectory.steps) < 2:
        return None
    before, last = trajectory.steps[-2:]
    if last.in_segment < 2 or not (_lost(trajectory, before) and _lost(trajectory, last)):
        return None
    spec, best = trajectory.spec, last.best
    if best is None:
        return None
    cut = spec.cut
    relapse = cut is not None and best < cut <= last.score
    return Found(
        channel="gain_partly_lost",
        tier="prompt",
        on=last.day.on,
        received_on=arrival(last.day),
        instrument=spec.instrument.id,
        trajectories=(trajectory.key,),
        numbers={
            "best": raw(spec, best),
            "best_on": last.best_on,
            "gain": told(trajectory.steps[0].score - best),
            "loss": told(last.score - best),
            "score": raw(spec, last.score),
            "relapse": relapse,
        },
        points=points([trajectory.steps[0], before, last]),
        thresholds=spec.limits_of_course,
    )


def _lost(trajectory: Trajectory, step: Step) -> bool:
    change = trajectory.spec.change
    if change is None or step.best is None or not step.gained:
        return False
    gain = trajectory.steps[0].score - step.best
    return step.score - step.best >= max(SHARE * gain, change)
