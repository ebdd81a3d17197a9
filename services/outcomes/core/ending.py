"""How a closed course ended, and what was found on its way: what statistics are made of."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from services.outcomes.core import estimate as filter_
from services.outcomes.core.channels import OF_THE_PRIMARY, RULEBOOK, WORSE
from services.outcomes.core.effect import Pivot, standing_on
from services.outcomes.core.found import DIGITS, arrival
from services.outcomes.core.timeline import ordinal
from services.outcomes.core.trajectory import Step, Trajectory

SUCCESS, FAILURE = "success", "failure"
NOT_A_CASE = "started in the usual range"
TOO_FEW = "too few measures"
NOT_KNOWN = "no cut-off or no reliable change"
LAST = 2
"""So many measures at the end are averaged."""
SPREAD_WEEKS = 2.0
"""How far from the horizon the measure may lie that a forecast is held against."""
RANKED = tuple(one.channel for one in RULEBOOK if one.channel in WORSE)


class Difference(NamedTuple):
    """A score against the forecast made some weeks before, oriented: negative is better.

    Attributes:
        approach: what was changed to; None where nothing was changed.
        channel: the loudest channel that held at the time, None where none did.
        p_fail: as forecast then.
        difference: observed minus forecast, in points.
        variance: of the difference as forecast: the forecast's own and the measurement error.
    """

    approach: str | None
    channel: str | None
    p_fail: float
    difference: float
    variance: float


def result(trajectory: Trajectory | None) -> str:
    """Success or failure, or why neither.

    A failure is a course whose last two measures average at or above the cut-off, with less than
    a reliable change from the baseline to that mean.
    """
    if trajectory is None or len(trajectory.steps) < trajectory.spec.rules.alarm_measures:
        return TOO_FEW
    spec, steps = trajectory.spec, trajectory.steps
    if spec.cut is None or spec.change is None:
        return NOT_KNOWN
    if steps[0].score < spec.cut:
        return NOT_A_CASE
    end = sum(step.score for step in steps[-LAST:]) / LAST
    still = end >= spec.cut and not spec.beyond(steps[0].score - end)
    return FAILURE if still else SUCCESS


def ending(
    trajectory: Trajectory | None, changes: Sequence[Pivot], found: Iterable[str]
) -> dict[str, Any]:
    """The fields of `findings.CourseEnded` that say how it went.

    Args:
        trajectory: the primary one.
        changes: the pivots of the episode.
        found: the channels that were told of while it was open; to them come those that held
            at measures that arrived as old news.
    """
    differences = [] if trajectory is None else _differences(trajectory, changes)
    return {
        "instrument": trajectory.spec.instrument.id if trajectory else None,
        "result": result(trajectory),
        "measures": len(trajectory.steps) if trajectory else 0,
        "channels": sorted({*found, *(_untold(trajectory) if trajectory else ())}),
        "differences": [one._asdict() for one in differences],
    }


def _differences(trajectory: Trajectory, changes: Sequence[Pivot]) -> list[Difference]:
    """Those after each pivot; where there was none, the one after the first finding."""
    if changes:
        told_of = [_after_pivot(trajectory, change) for change in changes]
        return [one for one in told_of if one is not None]
    for number, step in enumerate(trajectory.steps, 1):
        channel = loudest(trajectory, number)
        if channel is not None:
            one = _against(trajectory, step.day.on, None, channel, None)
            return [] if one is None else [one]
    return []


def _after_pivot(trajectory: Trajectory, change: Pivot) -> Difference | None:
    approach = change.approach
    number = sum(step.day.on <= approach.since for step in trajectory.steps)
    channel = loudest(trajectory, number)
    return _against(trajectory, approach.since, approach.approach, channel, change.until)


def loudest(trajectory: Trajectory, number: int) -> str | None:
    """The first in the order of the inbox of the channels that held after so many steps."""
    held = _held(trajectory, number) if number else ()
    return next((channel for channel in RANKED if channel in held), None)


def _held(trajectory: Trajectory, number: int) -> set[str]:
    """The channels that held after so many steps, at least one."""
    steps = trajectory.steps[:number]
    last = steps[-1].day.ordinal
    then = trajectory._replace(
        steps=steps, days=tuple(day for day in trajectory.days if day.ordinal <= last)
    )
    return {one.channel for channel in OF_THE_PRIMARY if (one := channel(then)) is not None}


def _untold(trajectory: Trajectory) -> set[str]:
    """What held at measures that came too late for it to be told, as those of a history do.

    Step by step in clinical order: a history says the same in whatever order it came.
    """
    held: set[str] = set()
    for number, step in enumerate(trajectory.steps, 1):
        age = ordinal(arrival(step.day)) - step.day.ordinal
        if age > trajectory.spec.rules.old_days:
            held |= _held(trajectory, number)
    return held & set(RANKED)


def _against(
    trajectory: Trajectory, on: str, approach: str | None, channel: str | None, until: int | None
) -> Difference | None:
    """The measure nearest to the horizon against the forecast of `on`."""
    standing, _ = standing_on(trajectory, on)
    later = _nearest(trajectory, on, until)
    if standing is None or later is None or standing.p_fail is None:
        return None
    ahead = (later.day.ordinal - standing.day) / 7
    ((mean, sd),) = filter_.forecasts(standing.model, standing.estimate, (ahead,))
    return Difference(
        approach=approach,
        channel=channel,
        p_fail=round(standing.p_fail, DIGITS),
        difference=round(later.score - mean, DIGITS),
        variance=round(sd * sd, DIGITS),
    )


def _nearest(trajectory: Trajectory, on: str, until: int | None) -> Step | None:
    """The measure nearest to the horizon after a date, not later than the next pivot.

    Of two as near it is the earlier: steps are in the order of days.
    """
    horizon = ordinal(on) + 7 * trajectory.spec.rules.horizon_weeks

    def off(step: Step) -> int:
        return abs(step.day.ordinal - horizon)

    near = (
        step
        for step in trajectory.steps
        if off(step) <= 7 * SPREAD_WEEKS and (until is None or step.day.ordinal <= until)
    )
    return min(near, key=off, default=None)
