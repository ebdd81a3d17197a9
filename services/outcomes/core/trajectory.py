"""One trajectory folded day by day: baseline, segments, estimate, and what the channels count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.outcomes.core import estimate as filter_
from services.outcomes.core.estimate import Estimate, Model
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.limits import Limit, alarm_limit, change_limit, cut_limit
from services.outcomes.core.rules import Rules
from services.outcomes.core.timeline import Day, Measure, days


@dataclass(frozen=True, slots=True)
class Context:
    """What of the episode bears on a baseline: day numbers, None where not known."""

    opened: int | None = None
    attended: tuple[int, ...] = ()
    closed: int | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """An instrument with its model and the rules: what a trajectory is judged by.

    Attributes:
        limits_of_change: the reliable change as findings cite it; `limits_of_course` the cut-off
            too, `limits_of_alarm` also the alarm threshold.
        change: the reliable change, None where none is known.
        inclusive: whether a change of just that size counts; so where it was published as >=.
        sign: what a score is multiplied with so that higher is worse.
        cut: the oriented cut, half a step below the printed one.
    """

    instrument: Instrument
    model: Model | None
    rules: Rules
    threshold: float
    limits_of_change: Sequence[Limit]
    limits_of_course: Sequence[Limit]
    limits_of_alarm: Sequence[Limit]
    change: float | None
    inclusive: bool
    sign: float
    cut: float | None

    @classmethod
    def of(
        cls, instrument: Instrument, rules: Rules, defaults: filter_.Defaults = filter_.DEFAULTS
    ) -> "Spec":
        """The instrument under these rules, at its own alarm threshold if it has one."""
        calibrated, published = instrument.alarm_threshold, instrument.published
        computed = instrument.jacobson_truax is not None
        threshold = rules.alarm_threshold if calibrated is None else calibrated
        of_change = change_limit(instrument)
        of_course = [*of_change, *cut_limit(instrument)]
        alarm = alarm_limit(threshold, instrument.sources.get("alarm", UNCALIBRATED))
        return cls(
            instrument=instrument,
            model=filter_.model(instrument, defaults),
            rules=rules,
            threshold=threshold,
            limits_of_change=of_change,
            limits_of_course=of_course,
            limits_of_alarm=[alarm, *of_course],
            change=instrument.reliable_change,
            inclusive=not computed and published is not None and published.operator == ">=",
            sign=instrument.sign,
            cut=instrument.oriented_cut,
        )

    def beyond(self, amount: float) -> bool:
        """Whether a change is beyond measurement error."""
        if self.change is None:
            return False
        return amount > self.change or (self.inclusive and amount == self.change)


UNCALIBRATED = "default of the rules: this instrument has no calibration of its own"


class Baseline(NamedTuple):
    """The day that change is counted from, and how it is called."""

    day: Day
    label: str


@dataclass(frozen=True, slots=True)
class Step:
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
        best: lowest mean of two consecutive measures so far, oriented.
        best_on: the date of the second of the two.
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


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A trajectory as it is true now: its days, its baseline, its steps from there on.

    `taken` is how many of its first days, and all that is known of them, are those of the earlier
    result that it was built from.
    """

    key: str
    spec: Spec
    closed: int | None
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
        return Trajectory(key, spec, context.closed, whole, found, None, ())
    start = usable.index(baseline.day)
    steps: list[Step] = []
    taken = 0
    if before is not None and before.baseline == baseline and before.closed == context.closed:
        steps, taken = _shared(before.steps, usable[start:]), same
    for day in usable[start + len(steps) :]:
        steps.append(_step(spec, steps[-1] if steps else None, day, steps))
    return Trajectory(key, spec, context.closed, whole, found, baseline, tuple(steps), taken)


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


def choose_baseline(usable: Sequence[Day], context: Context, rules: Rules) -> Baseline | None:
    """The latest measure from 28 days before the opening to the first attended session.

    Else the first measure after that, called late; else the last one before. Where no session is
    known the opening ends the stretch; where neither is known the first measure is taken.
    """
    if not usable:
        return None
    first_session = min(context.attended, default=None)
    opened = context.opened if context.opened is not None else first_session
    if opened is None:
        return Baseline(usable[0], "the first measure")
    start = opened - rules.intake_days
    end = opened if first_session is None else first_session
    inside = [day for day in usable if start <= day.ordinal <= end]
    if inside:
        return Baseline(inside[-1], "baseline")
    after = [day for day in usable if day.ordinal > end]
    if after:
        return Baseline(after[0], _late(after[0], context))
    return Baseline(usable[-1], "an early baseline")


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


def _step(spec: Spec, before: Step | None, day: Day, steps: Sequence[Step]) -> Step:
    score = spec.sign * (day.score or 0.0)
    change = score - steps[0].score if steps else 0.0
    worse, better = spec.beyond(change), spec.beyond(-change)
    number, in_segment, segment, gap = _place(spec.rules, before, day)
    estimate = _estimate(spec.model, before, day, score)
    chance = _chance(spec, steps, estimate, score)
    off_track = _eligible(spec.rules, number, in_segment, steps, day)
    alarm, quiet = _alarm(spec, before, chance, eligible=off_track)
    best, best_on = _best(before, score, day)
    return Step(
        day=day,
        score=score,
        change=change,
        number=number,
        in_segment=in_segment,
        segment=segment,
        gap=gap,
        worse=worse,
        better=better,
        estimate=estimate,
        p_fail=chance,
        p_worse=_known(filter_.p_worse, spec.model, estimate),
        p_better=_known(filter_.p_better, spec.model, estimate),
        p_case=_known(filter_.p_case, spec.model, estimate),
        alarm=alarm,
        quiet=quiet,
        gained=bool(before and (before.gained or (better and before.better and in_segment > 1))),
        best=best,
        best_on=best_on,
    )


def _place(rules: Rules, before: Step | None, day: Day) -> tuple[int, int, int, int | None]:
    """Number, number in the segment, the segment's first day, and the gap before it."""
    if before is None:
        return 1, 1, day.ordinal, None
    gap = day.ordinal - before.day.ordinal
    if gap > rules.gap_days:
        return before.number + 1, 1, day.ordinal, gap
    return before.number + 1, before.in_segment + 1, before.segment, before.gap


def _estimate(model: Model | None, before: Step | None, day: Day, score: float) -> Estimate | None:
    if model is None:
        return None
    if before is None or before.estimate is None:
        return filter_.start(model, day.ordinal, score)
    return filter_.observe(model, filter_.advance(model, before.estimate, day.ordinal), score)


def _known(
    question: Callable[[Model, Estimate], float | None],
    model: Model | None,
    estimate: Estimate | None,
) -> float | None:
    return None if model is None or estimate is None else question(model, estimate)


def _chance(
    spec: Spec, steps: Sequence[Step], estimate: Estimate | None, score: float
) -> float | None:
    """P(fail); None where the course started below the cut-off and cannot fail in that sense."""
    model = spec.model
    if model is None or estimate is None:
        return None
    started = steps[0].score if steps else score
    if model.cut is not None and started < model.cut:
        return None
    return filter_.p_fail(model, estimate, spec.rules.horizon_weeks)


def _eligible(rules: Rules, number: int, in_segment: int, steps: Sequence[Step], day: Day) -> bool:
    """Whether an alarm may begin at this measure."""
    if number < rules.alarm_measures or in_segment < rules.segment_measures:
        return False
    return day.ordinal - steps[0].day.ordinal >= rules.alarm_days


def _alarm(
    spec: Spec, before: Step | None, chance: float | None, *, eligible: bool
) -> tuple[bool, int]:
    """Off track or not, and for how many measures P(fail) has been low enough to end it."""
    if chance is None:
        return False, 0
    if before is None or not before.alarm:
        return eligible and chance > spec.threshold, 0
    quiet = before.quiet + 1 if chance < spec.threshold - spec.rules.alarm_hysteresis else 0
    return (False, 0) if quiet >= 2 else (True, quiet)


def _best(before: Step | None, score: float, day: Day) -> tuple[float | None, str | None]:
    """The lowest mean of two consecutive measures so far, and when it was reached."""
    if before is None:
        return None, None
    mean = (before.score + score) / 2.0
    if before.best is None or mean < before.best:
        return mean, day.on
    return before.best, before.best_on
