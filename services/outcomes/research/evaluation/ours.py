"""This product's own rule: P(fail), from the shipped numbers or with a learned slope prior."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.outcomes.core.estimate import DEFAULTS, Defaults, Model, model_of
from services.outcomes.core.learning import LEAST, learn_slope_prior
from services.outcomes.core.rules import DEFAULTS as RULES
from services.outcomes.research.evaluation import folding
from services.outcomes.research.evaluation.courses import Courses, Floats, Scale
from services.outcomes.research.evaluation.entered import RuleError, Split

MOST, LONGEST = 120, 60
"""Courses, and measures of each, that a prior is learned from; more change little and cost time."""


def model_for(scale: Scale, defaults: Defaults = DEFAULTS) -> Model:
    """The filter's numbers for a scale."""
    return model_of(
        mean=scale.mean,
        sd=scale.sd,
        reliability=scale.reliability,
        reliable_change=scale.reliable_change,
        cut=scale.cut,
        defaults=defaults,
    )


@dataclass(frozen=True, slots=True)
class Forecast:
    """P(fail) so many weeks ahead, as the service computes it; learned where `learns`."""

    weeks: float = RULES.horizon_weeks
    own: float | None = RULES.alarm_threshold
    learns: bool = False
    first: int = RULES.alarm_measures
    probability: bool = True

    @property
    def name(self) -> str:
        """What it is called in results."""
        return "p-fail-learned" if self.learns else "p-fail"

    def learn(self, courses: Courses) -> Defaults:
        """The slope prior of these courses.

        Raises:
            RuleError: there are too few.
        """
        step = max(1, len(courses) // MOST)
        points = [
            list(zip(one.days[:LONGEST], one.scores[:LONGEST], strict=True))
            for one in courses.all[::step]
        ]
        try:
            return learn_slope_prior(points, lambda one: model_for(courses.scale, one)).defaults
        except ValueError as error:
            raise RuleError(f"{self.name} {error}") from None

    def risks(self, courses: Courses, learned: Any) -> Floats:
        """P(fail) after every measure; none for clients whose first score was below the cut-off."""
        model = model_for(courses.scale, learned or DEFAULTS)
        told = folding.p_fail(model, folding.fold(model, courses), self.weeks)
        case = courses.score[courses.step(0)] >= courses.scale.cut
        return np.where(case[courses.client], told, np.nan)


def enough(split: Split) -> bool:
    """Whether a slope prior can be learned for every fold."""
    return all(int((one.lengths > 1).sum()) >= LEAST for one in split.sources)
