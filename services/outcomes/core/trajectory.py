"""One trajectory folded day by day: baseline, segments, estimate, and what the channels count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.outcomes.core import estimate as filter_
from services.outcomes.core.estimate import Estimate, Model
from services.outcomes.core.rules import Rules
from services.outcomes.core.spec import Spec
from services.outcomes.core.sudden import AROUND, is_sudden
from services.outcomes.core.swings import Swings, started, swung
from services.outcomes.core.timeline import Day, Measure, day_of, days


@dataclass(frozen=True, slots=True)
class Context:
    """What of the episode bears on a baseline: day numbers, None where not known."""

    opened: int | None = None
    attended: tuple[int, ...] = ()
    closed: int | None = None


class Baseline(NamedTuple):
    """The day that change is counted from, and how it is called."""

    day: Day
    label: str


class Step(NamedTuple):
    """A day of a trajectory, from the baseline on, with what is known after it.

    Attributes:
        score: oriented, higher is worse.
        change: oriented score minus oriented baseline.
        number: its place since the baseline, which is 1.
        in_segment: its place since the last long gap.
        segment: day number at which the segment began.
        gap: days of the gap before the segment, None in the first.
        alarm: off track, hysteresis included.
        quiet: consecutive measures below the limit that ends an alarm.
        gained: whether two consecutive measures have been reliably better, up to here.
        p_fail: of the model, or what the clinic's own recalibration makes of it.
        best: lowest mean of two consecutive measures so far, oriented.
        best_on: the date of the second of the two.
        swings: the turns of the course up to here, None where no reliable change is known.
        recent: the last scores up to here, oriented: what a sudden gain is told by.
        sudden: place of the latest sudden gain that has three measures from it on.
    """

    day: Day
    score: float
    change: float
    number: int
    in_segment: int
    segment: int
    gap: int | None
    worse: bool
    better: bool
    estimate: Estimate | None
    p_fail: float | None
    p_worse: float | None
    p_better: float | None
    p_case: float | None
    alarm: bool
    quiet: int
    gained: bool
    best: float | None
    best_on: str | None
    swings: Swings | None
    recent: tuple[float, ...]
    sudden: int | None


class Trajectory(NamedTuple):
    """A trajectory as it is true now: its days, its baseline, its steps from there on.

    `taken` is how many of its first days, and all that is known of them, are those of the earlier
    result that it was built from.
    """

    key: str
    spec: Spec
    context: Context
    entries: tuple[Measure, ...]
    days: tuple[Day, ...]
    baseline: Baseline | None
    steps: tuple[Step, ...]
    taken: int = 0

    @property
    def last(self) -> Step | None:
        """What is known now."""
        return self.steps[-1] if self.steps else None

    @property
    def telling(self) -> Day | None:
        """The latest day that tells anything: a score or a contradiction, not a form left open."""
        tells = (one for one in reversed(self.days) if one.score is not None or one.contradicts)
        return next(tells, None)

    @property
    def label(self) -> str:
        """How the baseline is called at the last step, a long gap said."""
        label = self.baseline.label if self.baseline else ""
        gap = self.last.gap if self.last else None
        return label if gap is None else f"{label}, from before a gap of {gap} days"


def build(
    key: str,
    spec: Spec,
    entries: Sequence[Measure],
    context: Context,
    before: Trajectory | None = None,
) -> Trajectory:
    """Fold the measures of a trajectory, given in clinical order.

    `before` is an earlier result for the same key: what it shares is taken over, so that what
    arrives at the end costs one step. The result does not depend on it, `taken` apart.
    """
    if before is not None and before.spec is not spec:
        before = None
    whole = tuple(entries)
    found, same = _days(spec, whole, before)
    usable = [day for day in found if _usable(day, context)]
    baseline = choose_baseline(usable, context, spec.rules)
    if baseline is None:
        return Trajectory(key, spec, context, whole, found, None, ())
    start = usable.index(baseline.day)
    steps: list[Step] = []
    taken = 0
    if before and before.baseline == baseline and before.context.closed == context.closed:
        steps, taken = _shared(before.steps, usable[start:]), same
    if not steps:
        steps = [_first_step(spec, baseline.day)]
    for day in usable[start + len(steps) :]:
        steps.append(_step(spec, steps[0], steps[-1], day))
    return Trajectory(key, spec, context, whole, found, baseline, tuple(steps), taken)


def extended(before: Trajectory, entry: Measure) -> Trajectory | None:
    """The same as `build` with one more measure, where it costs one step and nothing else.

    None where it does not: the measure is not of a later day, or the baseline is not settled.
    """
    days_before, context, spec = before.days, before.context, before.spec
    if entry.day <= days_before[-1].ordinal or not _settled(before, entry.day):
        return None
    day = day_of(entry)
    steps = before.steps
    if _usable(day, context):
        steps = (*steps, _step(spec, steps[0], steps[-1], day))
    entries, found = (*before.entries, entry), (*days_before, day)
    taken = len(days_before)
    return Trajectory(before.key, spec, context, entries, found, before.baseline, steps, taken)


def _days(
    spec: Spec, entries: tuple[Measure, ...], before: Trajectory | None
) -> tuple[tuple[Day, ...], int]:
    """The days, and how many of the first of them are those of `before`."""
    if before is None or not before.days:
        return tuple(days(entries, spec.change)), 0
    known = len(before.entries)
    if entries[:known] == before.entries and (
        len(entries) == known or entries[known].day > before.days[-1].ordinal
    ):
        return before.days + tuple(days(entries[known:], spec.change)), len(before.days)
    found = tuple(days(entries, spec.change))
    same = 0
    for day, earlier in zip(found, before.days, strict=False):
        if day != earlier:
            break
        same += 1
    return found, same


EARLY = "an early baseline"


def choose_baseline(usable: Sequence[Day], context: Context, rules: Rules) -> Baseline | None:
    """The latest measure from 28 days before the opening to the first attended session.

    Else the first measure after that, called late; else the last one before. Where no session is
    known the opening ends the stretch; where neither is known the first measure is taken.
    """
    if not usable:
        return None
    end = _stretch_end(context)
    if end is None:
        return Baseline(usable[0], "the first measure")
    start = (end if context.opened is None else context.opened) - rules.intake_days
    inside = [day for day in usable if start <= day.ordinal <= end]
    if inside:
        return Baseline(inside[-1], "baseline")
    after = [day for day in usable if day.ordinal > end]
    if after:
        return Baseline(after[0], _late(after[0], context))
    return Baseline(usable[-1], EARLY)


def _stretch_end(context: Context) -> int | None:
    """The last day of the stretch in which a baseline is looked for: first session or opening."""
    return context.attended[0] if context.attended else context.opened


def _settled(trajectory: Trajectory, day: int) -> bool:
    """Whether a measure of this later day leaves the baseline where it is."""
    if trajectory.baseline is None or trajectory.baseline.label == EARLY:
        return False
    end = _stretch_end(trajectory.context)
    return end is None or day > end


def _late(day: Day, context: Context) -> str:
    told = [entry.session_number for entry in day.counted if entry.session_number]
    held = sum(session <= day.ordinal for session in context.attended)
    number = told[-1] if told else held
    return f"late baseline, session {number}" if number else "late baseline"


def _usable(day: Day, context: Context) -> bool:
    after_closing = context.closed is not None and day.ordinal > context.closed
    return day.score is not None and not after_closing


def _shared(steps: Sequence[Step], usable: Sequence[Day]) -> list[Step]:
    same: list[Step] = []
    for step, day in zip(steps, usable, strict=False):
        if step.day is not day and step.day != day:
            break
        same.append(step)
    return same


def _first_step(spec: Spec, day: Day) -> Step:
    """The baseline: nothing has changed yet, and nothing can alarm."""
    model, score = spec.model, spec.sign * (day.score or 0.0)
    estimate = None if model is None else filter_.start(model, day.ordinal, score)
    fail, worse, better, case = _chances(spec, score, estimate)
    return Step(
        day=day,
        score=score,
        change=0.0,
        number=1,
        in_segment=1,
        segment=day.ordinal,
        gap=None,
        worse=False,
        better=False,
        estimate=estimate,
        p_fail=fail,
        p_worse=worse,
        p_better=better,
        p_case=case,
        alarm=False,
        quiet=0,
        gained=False,
        best=None,
        best_on=None,
        swings=None if spec.change is None else started(score),
        recent=(score,),
        sudden=None,
    )


def _step(spec: Spec, first: Step, before: Step, day: Day) -> Step:
    """A day after the baseline, from what was known after the one before."""
    model, score = spec.model, spec.sign * (day.score or 0.0)
    change = score - first.score
    reliably_better = spec.beyond(-change)
    in_segment, segment, gap = _segment(spec.rules, before, day)
    estimate = _estimate(model, before.estimate, day.ordinal, score)
    fail, worse, better, case = _chances(spec, first.score, estimate)
    may_alarm = _eligible(spec.rules, before.number + 1, in_segment, first, day)
    alarm, quiet = _alarm(spec, before, fail, eligible=may_alarm)
    best, best_on = _best(before, score, day)
    least, swings = spec.change, before.swings
    recent = (*before.recent[1 - 2 * AROUND :], score)
    sudden = is_sudden(spec, recent[:-AROUND], recent[-AROUND:])
    return Step(
        day=day,
        score=score,
        change=change,
        number=before.number + 1,
        in_segment=in_segment,
        segment=segment,
        gap=gap,
        worse=spec.beyond(change),
        better=reliably_better,
        estimate=estimate,
        p_fail=fail,
        p_worse=worse,
        p_better=better,
        p_case=case,
        alarm=alarm,
        quiet=quiet,
        gained=before.gained or (reliably_better and before.better and in_segment > 1),
        best=best,
        best_on=best_on,
        swings=swung(swings, score, least) if swings and least is not None else None,
        recent=recent,
        sudden=before.number + 1 - AROUND if sudden else before.sudden,
    )


def _segment(rules: Rules, before: Step, day: Day) -> tuple[int, int, int | None]:
    """Number in the segment, the segment's first day, and the gap before it."""
    gap = day.ordinal - before.day.ordinal
    if gap > rules.gap_days:
        return 1, day.ordinal, gap
    return before.in_segment + 1, before.segment, before.gap


def _estimate(
    model: Model | None, before: Estimate | None, day: int, score: float
) -> Estimate | None:
    if model is None or before is None:
        return None
    return filter_.observe(model, filter_.advance(model, before, day), score)


Chances = tuple[float | None, float | None, float | None, float | None]
"""P(fail), P(truly worse), P(reliably better), P(still a case)."""


def _chances(spec: Spec, started_at: float, estimate: Estimate | None) -> Chances:
    """P(fail) is None where the course started below the cut-off: it cannot fail in that sense."""
    model = spec.model
    if model is None or estimate is None:
        return None, None, None, None
    fail = None
    if model.cut is None or started_at >= model.cut:
        fail = filter_.p_fail(model, estimate, spec.rules.horizon_weeks)
        if spec.recalibration is not None:
            fail = spec.recalibration.chance(fail)
    return (
        fail,
        filter_.p_worse(model, estimate),
        filter_.p_better(model, estimate),
        filter_.p_case(model, estimate),
    )


def _eligible(rules: Rules, number: int, in_segment: int, first: Step, day: Day) -> bool:
    """Whether an alarm may begin at this measure."""
    if number < rules.alarm_measures or in_segment < rules.segment_measures:
        return False
    return day.ordinal - first.day.ordinal >= rules.alarm_days


def _alarm(spec: Spec, before: Step, chance: float | None, *, eligible: bool) -> tuple[bool, int]:
    """Off track or not, and for how many measures P(fail) has been low enough to end it."""
    if chance is None:
        return False, 0
    if not before.alarm:
        return eligible and chance > spec.threshold, 0
    quiet = before.quiet + 1 if chance < spec.clears_below else 0
    return (False, 0) if quiet >= 2 else (True, quiet)


def _best(before: Step, score: float, day: Day) -> tuple[float, str | None]:
    """The lowest mean of two consecutive measures so far, and when it was reached."""
    mean = (before.score + score) / 2.0
    if before.best is None or mean < before.best:
        return mean, day.on
    return before.best, before.best_on
