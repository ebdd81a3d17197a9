"""Off track: the forecast says that the course will probably be no success in six weeks."""

from services.outcomes.core.found import Found, arrival, points, raw, told
from services.outcomes.core.trajectory import Trajectory


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
            "threshold": spec.threshold,
            "horizon_weeks": rules.horizon_weeks,
            "measure_number": last.number,
            "weeks": told((last.day.ordinal - first.day.ordinal) / 7),
            "level": raw(spec, last.estimate.level),
            "cutoff": None if instrument.cutoff is None else instrument.cutoff.value,
            "reliable_change": told(spec.change),
        },
        points=points(trajectory.steps[-3:]),
        thresholds=spec.limits_of_alarm,
        missing=[] if instrument.cutoff else ["cut-off: only reliable improvement is asked for"],
    )
