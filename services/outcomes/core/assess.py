"""An assessment in the form of a message: what the detector made of one measure, and its scale."""

from collections.abc import Mapping, Sequence
from math import floor, sqrt
from typing import Any, NamedTuple

from services.outcomes.core import estimate as filter_
from services.outcomes.core.change import classify
from services.outcomes.core.channels.not_assessable import CONTRADICTION, of_step
from services.outcomes.core.estimate import Estimate
from services.outcomes.core.found import DIGITS, told
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.limits import change_source
from services.outcomes.core.normal import Z50, Z80
from services.outcomes.core.spec import Spec
from services.outcomes.core.timeline import Day, Measure
from services.outcomes.core.trajectory import Step, Trajectory

STATE = (
    "level",
    "level_low",
    "level_high",
    "slope",
    "p_fail",
    "p_worse",
    "p_better",
    "change",
    "change_class",
)
"""The fields of `schemas.parts.State`, in order."""
BEFORE_BASELINE = "before the baseline"
AFTER_CLOSING = "after closing"
TWO_ON_A_DAY = "two on a day"
INCOMPLETE = "incomplete"
USUAL_COURSE_WEEKS = (0, 1, 2, 4, 6, 8, 12, 16, 20)

NO_STATE: tuple[Any, ...] = (None,) * len(STATE)
Print = tuple[Any, ...]
"""All that tells one assessment of a measure from another."""


class Row(NamedTuple):
    """A measure of a trajectory with its place and what is known after its day."""

    entry: Measure
    number: int
    step: Step | None
    used: bool
    flags: tuple[str, ...]
    print: Print


def rows(trajectory: Trajectory, before: Sequence[Row] = ()) -> list[Row]:
    """Every measure of a trajectory.

    `before` are the rows of the earlier result that the trajectory was built from: those of the
    days that were taken over hold.
    """
    new = trajectory.days[trajectory.taken :]
    kept = len(trajectory.entries) - sum([len(day.entries) for day in new])
    found = list(before[:kept])
    steps = {step.day.ordinal: step for step in trajectory.steps[-len(new) :]} if new else {}
    for day in new:
        for entry in day.entries:
            number = len(found) + 1
            found.append(_row(trajectory, day, entry, number, steps.get(day.ordinal)))
    return found


def _row(trajectory: Trajectory, day: Day, entry: Measure, number: int, step: Step | None) -> Row:
    if step is not None and entry not in day.counted:
        step = None
    flags, state, reasons = entry.flags, NO_STATE, _reasons(trajectory, step, entry, day)
    if step is None:
        flags += _set_aside(trajectory, day, entry)
    else:
        state = _state(trajectory, step)
    used = step is not None
    mark = (entry.version, number, used, flags, reasons, state)
    return Row(entry, number, step, used, flags, mark)


def _set_aside(trajectory: Trajectory, day: Day, entry: Measure) -> tuple[str, ...]:
    """Why a measure that could be used is not."""
    if not entry.sound:
        return ()
    if day.disagree or (day.counted and entry not in day.counted):
        return (TWO_ON_A_DAY,)
    start = trajectory.baseline
    early = start is not None and day.ordinal < start.day.ordinal
    return (BEFORE_BASELINE,) if early else (AFTER_CLOSING,)


def _reasons(
    trajectory: Trajectory, step: Step | None, entry: Measure, day: Day
) -> tuple[str, ...]:
    if step is not None:
        return tuple(of_step(trajectory.spec, step, trajectory.steps[0]))
    if entry.score is None:
        return (INCOMPLETE,)
    return (CONTRADICTION,) if day.disagree or not entry.sound else ()


def _state(trajectory: Trajectory, step: Step) -> tuple[Any, ...]:
    spec, first = trajectory.spec, trajectory.steps[0]
    sign, level, low, high, slope = spec.sign, None, None, None, None
    if step.estimate is not None:
        middle, half = sign * step.estimate.level, Z80 * sqrt(step.estimate.level_variance)
        level, low, high, slope = middle, middle - half, middle + half, step.estimate.s
    numbers = (level, low, high, slope, step.p_fail, step.p_worse, step.p_better, step.change)
    rounded = [None if number is None else round(number, DIGITS) for number in numbers]
    return (*rounded, classify(spec, first, step))


def assessment(trajectory: Trajectory, row: Row, *, with_fan: bool) -> dict[str, Any]:
    """The fields of `schemas.parts.Assessment`, without the scale."""
    entry, spec = row.entry, trajectory.spec
    _, _, _, _, reasons, state = row.print
    estimate = row.step.estimate if row.step and with_fan else None
    return {
        "measure": entry.measure,
        "version": entry.version,
        "external_id": entry.external_id,
        "trajectory": trajectory.key,
        "instrument": entry.instrument,
        "respondent": entry.respondent,
        "on": entry.on,
        "at": entry.at,
        "number": row.number,
        "score": entry.score,
        "band": entry.band,
        "flags": list(row.flags),
        "used": row.used,
        "not_assessable": list(reasons),
        "state": dict(zip(STATE, state, strict=True)),
        "fan": fan(spec, estimate, 0.0) if estimate else [],
        "scale": None,
        "rule": spec.rule,
    }


def print_of(told_of: Mapping[str, Any]) -> Print:
    """The print of an assessment that was told."""
    return (
        told_of["version"],
        told_of["number"],
        told_of["used"],
        tuple(told_of["flags"]),
        tuple(told_of["not_assessable"]),
        tuple(told_of["state"][name] for name in STATE),
    )


def fan(spec: Spec, estimate: Estimate, weeks_before: float) -> list[dict[str, Any]]:
    """The forecast in the instrument's own direction, kept within its range.

    Args:
        spec: what the trajectory is judged by.
        estimate: the estimate that it starts from.
        weeks_before: how long before the moment of the forecast that estimate was made.
    """
    model, instrument, sign = spec.model, spec.instrument, spec.sign
    if model is None:
        return []
    lowest, highest = instrument.minimum, instrument.maximum
    ahead = [weeks_before + weeks for weeks in filter_.FAN_WEEKS]
    laws = filter_.forecasts(model, estimate, ahead)
    points = []
    for weeks, (oriented, sd) in zip(filter_.FAN_WEEKS, laws, strict=True):
        mean, half50, half80 = sign * oriented, Z50 * sd, Z80 * sd
        law = [mean, mean - half50, mean + half50, mean - half80, mean + half80]
        if law[3] < lowest or law[4] > highest:
            law = [lowest if x < lowest else highest if x > highest else x for x in law]
        # Rounded as `told` does, but in a quicker way; halves go up.
        points.append(
            {
                "weeks": weeks,
                "mean": floor(law[0] * PARTS + 0.5) / PARTS,
                "low50": floor(law[1] * PARTS + 0.5) / PARTS,
                "high50": floor(law[2] * PARTS + 0.5) / PARTS,
                "low80": floor(law[3] * PARTS + 0.5) / PARTS,
                "high80": floor(law[4] * PARTS + 0.5) / PARTS,
            }
        )
    return points


PARTS = 10.0**DIGITS


def _within(instrument: Instrument, value: float) -> float:
    return min(instrument.maximum, max(instrument.minimum, value))


def shown(instrument: Instrument, oriented: float) -> float:
    """A forecast score in the instrument's own direction, within its range, as it is told."""
    return round(_within(instrument, instrument.sign * oriented), DIGITS)


def scale(trajectory: Trajectory) -> dict[str, Any]:
    """The fields of `schemas.parts.Scale`."""
    instrument, baseline = trajectory.spec.instrument, trajectory.baseline
    change = instrument.reliable_change
    sources = {name: instrument.sources[name] for name in _TOLD if name in instrument.sources}
    if change is not None:
        sources["reliable_change"] = change_source(instrument)
    return {
        "title": instrument.title,
        "instrument_version": instrument.version,
        "minimum": instrument.minimum,
        "maximum": instrument.maximum,
        "higher_is": instrument.higher_is,
        "cutoff": instrument.cutoff.value if instrument.cutoff else None,
        "reliable_change": told(change),
        "bands": [
            {"label": band.label, "low": band.low, "high": band.high} for band in instrument.bands
        ],
        "sources": sources,
        "baseline": baseline.day.score if baseline else None,
        "baseline_on": baseline.day.on if baseline else None,
        "baseline_label": trajectory.label or None,
        "expected": usual_course(trajectory),
    }


_TOLD = ("severity", "cutoff", "reliability", "norm", "alarm")


def usual_course(trajectory: Trajectory) -> list[dict[str, Any]]:
    """What the model expects of a course from this baseline before any later measure."""
    model, instrument = trajectory.spec.model, trajectory.spec.instrument
    if model is None or not trajectory.steps:
        return []
    start = trajectory.steps[0].score
    slope = model.slope_mean
    if model.mean is not None:
        slope += model.slope_on_baseline * (start - model.mean)
    course = []
    for weeks in USUAL_COURSE_WEEKS:
        reach = (1.0 - model.damping**weeks) / (1.0 - model.damping)
        course.append({"weeks": weeks, "score": shown(instrument, start + reach * slope)})
    return course
