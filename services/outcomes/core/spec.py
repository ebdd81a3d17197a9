"""What a trajectory is judged by: an instrument with its model, under one set of rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.outcomes.core import estimate as filter_
from services.outcomes.core.estimate import Model
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.limits import Limit, alarm_limit, change_limit, cut_limit
from services.outcomes.core.recalibration import Recalibration
from services.outcomes.core.rules import RULE, Rules

UNCALIBRATED = "default of the rules: this instrument has no calibration of its own"


@dataclass(frozen=True, slots=True)
class Spec:
    """An instrument with its model and the rules: what a trajectory is judged by.

    Attributes:
        limits_of_change: the reliable change as findings cite it; `limits_of_course` the cut-off
            too, `limits_of_alarm` also the alarm threshold.
        threshold: P(fail) above it alarms; below `clears_below`, twice in a row, an alarm ends.
            Both have gone through the recalibration where there is one, so that it moves the
            number and not who is alarmed.
        change: the reliable change, None where none is known.
        inclusive: whether a change of just that size counts; so where it was published as >=.
        sign: what a score is multiplied with so that higher is worse.
        cut: the oriented cut, half a step below the printed one.
        rule: the name of the rules, told with every assessment.
        recalibration: what P(fail) means by the clinic's own endings; None: it stays as it is.
        unknown: why no cut-off holds here, where the instrument has some that hold for some alone.
    """

    instrument: Instrument
    model: Model | None
    rules: Rules
    threshold: float
    clears_below: float
    limits_of_change: Sequence[Limit]
    limits_of_course: Sequence[Limit]
    limits_of_alarm: Sequence[Limit]
    change: float | None
    inclusive: bool
    sign: float
    cut: float | None
    unknown: tuple[str, ...] = ()
    rule: str = RULE
    recalibration: Recalibration | None = None

    @classmethod
    def of(
        cls,
        instrument: Instrument,
        rules: Rules,
        defaults: filter_.Defaults = filter_.DEFAULTS,
        unknown: tuple[str, ...] = (),
        rule: str = RULE,
        recalibration: Recalibration | None = None,
    ) -> "Spec":
        """The instrument under these rules, its alarm threshold that of the alarm budget."""
        calibrated = instrument.alarm_threshold(rules.alarm_budget)
        published = instrument.published
        computed = instrument.jacobson_truax is not None
        threshold = rules.alarm_threshold if calibrated is None else calibrated
        clears_below = threshold - rules.alarm_hysteresis
        of_change = change_limit(instrument)
        of_course = [*of_change, *cut_limit(instrument)]
        source = instrument.sources.get("alarm")
        told = f"alarm budget {rules.alarm_budget:g}; {source}" if source else UNCALIBRATED
        if recalibration is not None:
            threshold = recalibration.chance(threshold)
            # At 0 or below an alarm never ends, and so it stays.
            clears_below = recalibration.chance(clears_below) if clears_below > 0 else clears_below
            told = f"{told}; {recalibration.source}"
        alarm = alarm_limit(threshold, told)
        return cls(
            instrument=instrument,
            model=filter_.model(instrument, defaults),
            rules=rules,
            threshold=threshold,
            clears_below=clears_below,
            limits_of_change=of_change,
            limits_of_course=of_course,
            limits_of_alarm=[alarm, *of_course],
            change=instrument.reliable_change,
            inclusive=not computed and published is not None and published.operator == ">=",
            sign=instrument.sign,
            cut=instrument.oriented_cut,
            unknown=unknown,
            rule=rule,
            recalibration=recalibration,
        )

    def beyond(self, amount: float) -> bool:
        """Whether a change is beyond measurement error."""
        if self.change is None:
            return False
        return amount > self.change or (self.inclusive and amount == self.change)
