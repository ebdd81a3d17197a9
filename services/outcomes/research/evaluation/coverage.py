"""How often a later score falls into the interval that was forecast for it, and how far off."""

from collections.abc import Sequence

import numpy as np

from services.outcomes.core.estimate import WEEK, Model
from services.outcomes.core.normal import Z80
from services.outcomes.research.evaluation import folding
from services.outcomes.research.evaluation.courses import Courses, Flags, Floats, Integers

WEEKS = (1, 4, 6)
NEAR = WEEK / 2
"""A score so many days from a horizon is held against the forecast for its own day."""


class Coverage:
    """Forecasts held against what came, by client, so that clients can be resampled."""

    def __init__(self, courses: Courses, weeks: int) -> None:
        """Collect for one horizon."""
        self.weeks = weeks
        clients = len(courses)
        self._n, self._hits, self._errors, self._widths = (np.zeros(clients) for _ in range(4))
        self._sd = courses.scale.sd

    def add(self, places: Integers, courses: Courses, model: Model, states: folding.States) -> None:
        """Forecast every score of `courses`; `places` are its clients' places among all."""
        for before, after in _pairs(courses, self.weeks):
            gap = (courses.day[after] - courses.day[before]) / WEEK
            then = folding.ahead(model, folding.at(states, before), gap)
            error = courses.score[after] - then.level
            half = Z80 * np.sqrt(then.level_variance + model.noise)
            of = places[courses.client[before]]
            np.add.at(self._n, of, 1.0)
            np.add.at(self._hits, of, np.abs(error) <= half)
            np.add.at(self._errors, of, error)
            np.add.at(self._widths, of, 2 * half)

    @property
    def n(self) -> int:
        """How many forecasts were held against a score."""
        return int(self._n.sum())

    def share(self, weights: Floats) -> float | None:
        """The share that fell into the central 80 %; None without any."""
        return self._mean(self._hits, weights)

    def error(self, weights: Floats) -> float | None:
        """Mean of score less forecast, in SDs of the scale; positive is worse than forecast."""
        told = self._mean(self._errors, weights)
        return None if told is None else told / self._sd

    def width(self, weights: Floats) -> float | None:
        """Mean width of the interval, in points."""
        return self._mean(self._widths, weights)

    def _mean(self, sums: Floats, weights: Floats) -> float | None:
        total = float((weights * self._n).sum())
        return float((weights * sums).sum()) / total if total > 0 else None


def _pairs(courses: Courses, weeks: int) -> Sequence[tuple[Integers, Integers]]:
    """Places of every two measures of a client that lie so many weeks apart, by lag."""
    found: list[tuple[Integers, Integers]] = []
    for lag in range(1, courses.steps):
        before = np.flatnonzero(courses.number + lag <= courses.lengths[courses.client])
        after = courses.starts[courses.number[before] - 1 + lag] + courses.client[before]
        gap = courses.day[after] - courses.day[before]
        if not len(gap) or gap.min() > weeks * WEEK + NEAR:
            break
        fits: Flags = np.abs(gap - weeks * WEEK) <= NEAR
        found.append((before[fits], after[fits]))
    return found
