"""Off track: the forecast says that the course will probably be no success in six weeks."""

from typing import Any

from services.outcomes.core.channels.flat import window_of
from services.outcomes.core.channels.meaning import Meaning
from services.outcomes.core.estimate import p_fail
from services.outcomes.core.found import Found, arrival, points, raw, told
from services.outcomes.core.spec import Spec
from services.outcomes.core.trajectory import Step, Trajectory

MEANING = Meaning(
    "off_track",
    "prompt",
    "P(fail), the probability of being neither reliably better nor below the cut-off in "
    "{rules.horizon_weeks} weeks, is above the alarm threshold of the instrument: the one that "
    "alarms {rules.alarm_budget:.0%} of made-up courses that end well "
    "({rules.alarm_threshold:g} where it is not calibrated), from measure "
    "{rules.alarm_measures} on (the first counts) and at least {rules.alarm_days} days after "
    "the baseline. It clears after two consecutive measures more than "
    "{rules.alarm_hysteresis:g} below the threshold. A course that started below the cut-off "
    "cannot fail in this sense. Once the last measure is over {rules.old_days} days old it is no "
    "prompt any more. A clinic's own recalibration turns P(fail) and both limits alike "
    "into the probability that the course ends as a failure: it moves the number, not who is "
    "alarmed.",
    "own model: a damped local linear trend filter, its defaults chosen with three real series "
    "in view; the threshold keeps a budget of false alarms in the simulated cohort",
    (
        "horizon_weeks",
        "alarm_budget",
        "alarm_threshold",
        "alarm_measures",
        "alarm_days",
        "alarm_hysteresis",
        "old_days",
    ),
)


def off_track(trajectory: Trajectory) -> Found | None:
    """P(fail) above the alarm threshold, with hysteresis (counted in the steps)."""
    last = trajectory.last
    if last is None or not last.alarm or last.estimate is None:
        return None
    spec = trajectory.spec
    instrument, rules = spec.instrument, spec.rules
    first = trajectory.steps[0]
    return Found(
        channel="off_track",
        tier="prompt",
        on=last.day.on,
        received_on=arrival(last.day),
        instrument=instrument.id,
        trajectories=(trajectory.key,),
        numbers={
            "p_fail": told(last.p_fail),
            "threshold": told(spec.threshold),
            "horizon_weeks": rules.horizon_weeks,
            "measure_number": last.number,
            "weeks": told((last.day.ordinal - first.day.ordinal) / 7),
            "level": raw(spec, last.estimate.level),
            "cutoff": None if instrument.cutoff is None else instrument.cutoff.value,
            "reliable_change": told(spec.change),
            **_movement(trajectory),
            **_recalibrated(trajectory.spec, last),
        },
        points=points(trajectory.steps[-3:]),
        thresholds=spec.limits_of_alarm,
        missing=[] if instrument.cutoff else ["cut-off: only reliable improvement is asked for"],
    )


def _movement(trajectory: Trajectory) -> dict[str, Any]:
    """What the scores themselves do: flat over so many weeks, or nothing measurable so far."""
    window = window_of(trajectory)
    if window is not None:
        return {"flat_weeks": told(window.weeks)} if window.is_flat else {}
    last = trajectory.last
    moved = last is None or last.worse or last.better
    return {} if moved else {"no_movement_yet": True}


def _recalibrated(spec: Spec, last: Step) -> dict[str, Any]:
    """What the model said before the clinic's own recalibration, and its endings."""
    if spec.recalibration is None or spec.model is None or last.estimate is None:
        return {}
    chance = p_fail(spec.model, last.estimate, spec.rules.horizon_weeks)
    return {"p_fail_of_model": told(chance), "endings": spec.recalibration.endings}
