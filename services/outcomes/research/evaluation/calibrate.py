"""Alarm thresholds of an instrument from a made-up cohort on its own scale."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from services.outcomes.core.estimate import model
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.rules import DEFAULTS as RULES
from services.outcomes.research.evaluation.accuracy import Judged
from services.outcomes.research.evaluation.benchmark import Moved
from services.outcomes.research.evaluation.courses import Course, Courses
from services.outcomes.research.evaluation.courses import Scale as Judging
from services.outcomes.research.evaluation.ours import Forecast
from services.outcomes.research.evaluation.tabled import NotJudgedError
from simulation.cohort import PHQ9_LIKE, Habits, Scale, cohort
from simulation.cohort import Course as Made

BUDGETS = (0.02, 0.05, 0.10, 0.15, 0.20, 0.30)
NEEDED = 100
"""Courses that end well, below which a threshold would be chance."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds by budget, and from how many courses that end well."""

    thresholds: Sequence[float]
    successes: int

    def as_toml(self, command: str) -> str:
        """The table as it stands in the instrument's definition."""
        budgets = ", ".join(f"{one:.2f}" for one in BUDGETS)
        thresholds = ", ".join(f"{one:.3f}" for one in self.thresholds)
        return (
            "[alarm]\n"
            f"budgets = [{budgets}]\n"
            f"thresholds = [{thresholds}]\n"
            'source = "computed here: the share of made-up courses that end well and are ever '
            f'alarmed before their last two measures; {command}"\n'
        )


def calibrate(
    instrument: Instrument, seeds: Sequence[int], clients: int, moved: Moved
) -> Calibration:
    """The lowest thresholds that keep to `BUDGETS`.

    Raises:
        NotJudgedError: the instrument has no norm, reliability or cut-off, or too few courses end
            well.
    """
    known = model(instrument)
    if known is None or known.cut is None or known.mean is None or not instrument.reliability:
        raise NotJudgedError(f"{instrument.id} has no norm, reliability or cut-off")
    scale = Judging(
        known.mean, known.sd, instrument.reliability.value, known.reliable_change, known.cut
    )
    units, made_scale = _units(instrument, scale)
    habits = Habits(start_range=(Habits().start_range[0], made_scale.maximum - 1))
    well: list[Course] = []
    for done, seed in enumerate(seeds):
        moved("cohort", done, len(seeds))
        found = cohort(clients, seed, made_scale, habits)
        well += [units.course(one, seed) for one in found if one.case and not one.failed]
    moved("cohort", len(seeds), len(seeds))
    if len(well) < NEEDED:
        raise NotJudgedError(f"only {len(well)} courses end well: ask for more --clients")
    courses = Courses(well, scale)
    judged = Judged(courses, Forecast().risks(courses, None), RULES.alarm_measures)
    highest = np.maximum(judged.highest, 0.0).tolist()
    return Calibration([threshold_for(highest, one) for one in BUDGETS], len(well))


def threshold_for(highest_of_successes: Iterable[float], budget: float) -> float:
    """The lowest threshold, rounded up to .001, that alarms at most this share of successes.

    Raises:
        ValueError: there is no course, or the budget is no share.
    """
    highest = sorted(highest_of_successes)
    if not highest or not 0 <= budget < 1:
        raise ValueError("needs courses, and a budget from 0 to below 1")
    allowed = math.floor(budget * len(highest))
    limit = highest[len(highest) - allowed - 1]
    return math.ceil(limit * 1000 - 1e-9) / 1000


@dataclass(frozen=True, slots=True)
class _Units:
    """From the cohort's points, 0 at the best end, to the scores of an instrument."""

    lowest: float
    point: float
    step: float
    steps: int

    def course(self, made: Made, seed: int) -> Course:
        """What the instrument reads, oriented, in whole steps within its range."""
        seen = [visit for visit in made.visits if visit.measured]
        scores = [self._score(made.levels[visit.day] + visit.error) for visit in seen]
        days = [float(visit.day) for visit in seen]
        return Course(f"{seed}/{made.number:06d}", tuple(days), tuple(scores), made.failed)

    def _score(self, level: float) -> float:
        steps = round(level * self.point / self.step)
        return self.lowest + self.step * min(self.steps, max(0, steps))


def _units(instrument: Instrument, scale: Judging) -> tuple[_Units, Scale]:
    """The instrument's scale in the cohort's points: one SD is the cohort's own."""
    width = instrument.maximum - instrument.minimum
    lowest = min(instrument.sign * instrument.minimum, instrument.sign * instrument.maximum)
    point = scale.sd / PHQ9_LIKE.sd
    made = Scale(
        minimum=0,
        maximum=width / point,
        mean=((scale.mean or 0.0) - lowest) / point,
        sd=PHQ9_LIKE.sd,
        reliability=scale.reliability,
        cutoff=(scale.cut - lowest) / point + 0.5,
    )
    return _Units(lowest, point, instrument.step, math.floor(width / instrument.step + 1e-9)), made
