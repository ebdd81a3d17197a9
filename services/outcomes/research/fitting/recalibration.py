"""A logistic recalibration of P(fail) from endings, and what both fits do to it out of sample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.outcomes.core.estimate import DEFAULTS, Defaults
from services.outcomes.core.recalibration import EDGE, NEEDED, OF_EACH
from services.outcomes.core.rules import DEFAULTS as RULES
from services.outcomes.research.evaluation.accuracy import Alarms, Judged, counts
from services.outcomes.research.evaluation.courses import Courses, Flags, Floats, Integers
from services.outcomes.research.evaluation.ours import Forecast
from services.outcomes.research.evaluation.tabled import NotJudgedError
from services.outcomes.research.fitting.drawn import Draws, Ranged

HOLD = 1.0
"""Precision of the weak prior that holds the line at "as it is"; endings that P(fail) tells apart
without fault would else send it to infinity."""


@dataclass(frozen=True, slots=True)
class Line:
    """logit P(the course ends as a failure) = intercept + slope · logit P(fail)."""

    intercept: float
    slope: float


@dataclass(frozen=True, slots=True)
class Endings:
    """What the two fits do, on clients whom they did not see.

    Attributes:
        courses, failures, measures: how many; of measures those at which an alarm could begin.
        shipped, refit, recalibrated: mean squared difference of probability and outcome under the
            shipped numbers, under the refit ones, and under the proposed ones recalibrated.
        by_refit, by_line: how much lower the second is than the first, and the third than that of
            the proposed numbers; above zero is better.
        line: fitted to all endings; None where it was refused, `refused` says why.
        alarms_shipped, alarms_refit: at the alarm threshold in use.
        alarms_level: refit, at the threshold that makes as many false alarms as shipped.
    """

    courses: int
    failures: int
    measures: int
    shipped: float
    refit: float
    by_refit: Ranged
    alarms_shipped: Alarms
    alarms_refit: Alarms
    alarms_level: Alarms
    line: Line | None = None
    recalibrated: float | None = None
    by_line: Ranged | None = None
    refused: str = ""

    @property
    def worse(self) -> bool:
        """Whether P(fail) errs more under the refit numbers, beyond chance."""
        return self.by_refit.high < 0

    @property
    def helps(self) -> bool:
        """Whether the recalibration lowers the error by more than chance."""
        return self.by_line is not None and self.by_line.low > 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """The model's numbers: those without each fold, and those of all, that are proposed."""

    by_fold: Sequence[Defaults]
    of_all: Defaults


class Recalibrating:
    """The endings of a caseload with the clients dealt as for the refit."""

    def __init__(self, courses: Courses, folds: dict[str, int], weeks: float, draws: Draws) -> None:
        """Take courses whose ending is known; `weeks` is how far ahead P(fail) looks."""
        self._courses, self._weeks, self._draws = courses, weeks, draws
        fold = np.array([folds[one.client] for one in courses.all], dtype=np.int64)
        self._fold: Integers = fold[courses.client]
        self._failed: Floats = courses.failed[courses.client].astype(np.float64)
        shipped = self.risks(DEFAULTS)
        self._counts: Flags = counts(courses, RULES.alarm_measures) & ~np.isnan(shipped)
        self._shipped = shipped

    def risks(self, numbers: Defaults) -> Floats:
        """P(fail) after every measure under these numbers."""
        return Forecast(weeks=self._weeks).risks(self._courses, numbers)

    def judge(self, refit: Numbers, threshold: float, *, helps: bool) -> Endings:
        """The errors before and after, alarms above `threshold`.

        What is recalibrated is P(fail) under the refit numbers where these help with scores (as
        `helps` says) and do no harm here, else under the shipped ones.

        Raises:
            NotJudgedError: no measure of any course counts.
        """
        if not self._counts.any():
            raise NotJudgedError("no course has a measure at which an alarm could begin")
        by_fold = [self.risks(one) for one in refit.by_fold]
        crossed = self._held_out(by_fold)
        everyone = np.ones(len(self._courses))
        before, after = self._judged(self._shipped), self._judged(crossed)
        alarms = before.at_threshold(everyone, threshold)
        found = Endings(
            courses=len(self._courses),
            failures=int(self._courses.failed.sum()),
            measures=int(self._counts.sum()),
            shipped=self._brier(self._shipped),
            refit=self._brier(crossed),
            by_refit=self._lower(self._shipped, crossed),
            alarms_shipped=alarms,
            alarms_refit=after.at_threshold(everyone, threshold),
            alarms_level=after.at_rates(everyone, [alarms.false_alarms])[0],
            refused=too_few(self._courses),
        )
        if found.refused:
            return found
        proposed = helps and not found.worse
        if not proposed:
            by_fold = [self._shipped] * len(refit.by_fold)
        return self._with_line(found, by_fold, self.risks(refit.of_all if proposed else DEFAULTS))

    def _with_line(self, found: Endings, by_fold: Sequence[Floats], of_all: Floats) -> Endings:
        lined = [
            through(fit(risks[use], self._failed[use]), risks)
            for number, risks in enumerate(by_fold)
            for use in [self._counts & (self._fold != number)]
        ]
        after = self._held_out(lined)
        use = self._counts
        return replace(
            found,
            line=fit(of_all[use], self._failed[use]),
            recalibrated=self._brier(after),
            by_line=self._lower(self._held_out(by_fold), after),
        )

    def _held_out(self, by_fold: Sequence[Floats]) -> Floats:
        """For each measure the number that was made without its client."""
        return np.stack(by_fold)[self._fold, np.arange(len(self._fold))]

    def _squares(self, risks: Floats) -> Floats:
        """Squared errors, summed by client."""
        use = self._counts
        squares = (risks[use] - self._failed[use]) ** 2
        summed = np.bincount(self._courses.client[use], squares, len(self._courses))
        return summed.astype(np.float64)

    def _number(self) -> Floats:
        used = self._courses.client[self._counts]
        return np.bincount(used, minlength=len(self._courses)).astype(np.float64)

    def _brier(self, risks: Floats) -> float:
        return float(self._squares(risks).sum() / self._number().sum())

    def _lower(self, before: Floats, after: Floats) -> Ranged:
        return self._draws(self._squares(before) - self._squares(after), self._number())

    def _judged(self, risks: Floats) -> Judged:
        return Judged(self._courses, risks, RULES.alarm_measures)


def too_few(courses: Courses) -> str:
    """Why nothing is recalibrated from these; empty where it can be."""
    endings, failures = len(courses), int(courses.failed.sum())
    if endings < NEEDED:
        return (
            f"there are {endings:,} endings that can be judged, and it needs {NEEDED:,}: from "
            "fewer a line through P(fail) is less certain than what it would correct"
        )
    if min(failures, endings - failures) < OF_EACH:
        return (
            f"of {endings:,} endings {failures:,} are failures, and it needs {OF_EACH} failures "
            f"and {OF_EACH} others"
        )
    return ""


def fit(chances: Floats, failed: Floats) -> Line:
    """The line by Newton's method on the logits, held near intercept 0 and slope 1.

    Steps are halved until they lead uphill: where P(fail) misleads, whole ones overshoot for ever.
    """
    table = np.column_stack([np.ones(len(chances)), _logit(chances)])
    least = np.array([0.0, 1.0])

    def worth(line: Floats) -> float:
        logits = table @ line
        likely = failed * logits - np.logaddexp(0.0, logits)
        return float(likely.sum() - HOLD * ((line - least) ** 2).sum() / 2)

    found = least
    for _ in range(50):
        said = _chance(table @ found)
        uphill = table.T @ (failed - said) - HOLD * (found - least)
        bend = (table.T * (said * (1 - said))) @ table + HOLD * np.eye(2)
        step = np.linalg.solve(bend, uphill)
        while worth(found + step) < worth(found) and float(np.abs(step).max()) > 1e-9:
            step = step / 2
        found = found + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return Line(float(found[0]), float(found[1]))


def through(line: Line, chances: Floats) -> Floats:
    """The recalibrated probabilities."""
    return _chance(line.intercept + line.slope * _logit(chances))


def _logit(chances: Floats) -> Floats:
    kept = np.clip(chances, EDGE, 1 - EDGE)
    found: Floats = np.log(kept / (1 - kept))
    return found


def _chance(logits: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
    return found
