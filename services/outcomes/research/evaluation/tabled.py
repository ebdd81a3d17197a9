"""A long table of scores as courses to judge rules on: what is left out, and what failed."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.outcomes.core.change_methods.series import Series
from services.outcomes.core.instrument import HALF_WIDTH, Instrument
from services.outcomes.research.evaluation.courses import Course, Scale

LAST = 2
"""The measures at the end whose mean is the outcome."""


class NotJudgedError(Exception):
    """Nothing can be judged; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said of a table's scale beside its columns; None for what was not said."""

    instrument: Instrument | None = None
    higher_is: str | None = None
    sd: float | None = None
    reliability: float | None = None
    cutoff: float | None = None
    reliable_change: float | None = None
    min_measures: int = 5
    planned_days: float | None = None

    @property
    def sign(self) -> float:
        """What a score is multiplied with so that higher is worse."""
        if self.higher_is is not None:
            return 1.0 if self.higher_is == "worse" else -1.0
        return 1.0 if self.instrument is None else self.instrument.sign


@dataclass(frozen=True, slots=True)
class Limits:
    """What failure is defined by, oriented; `case` is the mildest score of a case."""

    scale: Scale
    case: float


def allowed(instrument: Instrument | None) -> Callable[[float], None]:
    """Refuses a score that cannot be."""

    def check(score: float) -> None:
        if instrument is None:
            return
        low, high, step = instrument.minimum, instrument.maximum, instrument.step
        if not low <= score <= high:
            raise ValueError(f"is outside {low:g} to {high:g}")
        steps = (score - low) / step
        if abs(steps - round(steps)) > 1e-9:
            kind = "a whole number" if step == 1 else f"{low:g} and so many steps of {step:g}"
            raise ValueError(f"must be {kind}")

    return check


def in_days(series: Series) -> Series:
    """The same course, its weeks as days."""
    return Series(series.client, tuple((7 * week, score) for week, score in series.points))


def limits(asked: Asked, series: Sequence[Series]) -> Limits:
    """The scale of a table: as said, else as the instrument has it, else from first scores.

    Raises:
        NotJudgedError: something is needed and neither said nor known.
    """
    known = asked.instrument
    norm = known.norm if known else None
    firsts = [asked.sign * one.points[0][1] for one in series]
    sd = asked.sd or (norm.sd if norm else None) or _spread(firsts)
    reliability = asked.reliability or (
        known.reliability.value if known and known.reliability else None
    )
    if reliability is None:
        raise NotJudgedError("needs --reliability: none is known")
    case, cut = _cut(asked, series)
    mean = asked.sign * norm.mean if norm and norm.mean is not None and asked.sd is None else None
    change = asked.reliable_change or HALF_WIDTH * math.sqrt(2 * (1 - reliability)) * sd
    return Limits(
        Scale(
            mean=statistics.fmean(firsts) if mean is None else mean,
            sd=sd,
            reliability=reliability,
            reliable_change=change,
            cut=cut,
        ),
        case,
    )


def _spread(firsts: Sequence[float]) -> float:
    sd = statistics.stdev(firsts) if len(firsts) > 1 else 0.0
    if sd <= 0:
        raise NotJudgedError("needs --sd: none is known, and first scores do not vary")
    return sd


def _step(series: Sequence[Series]) -> float:
    """How far apart scores are of a scale that nobody defined: the last decimal place in use.

    A scale whose scores have more than six decimals has no step.
    """
    scores = {score for one in series for _, score in one.points}
    for places in range(7):
        if all(abs(score - round(score, places)) < 1e-9 for score in scores):
            return 10.0**-places
    return 0.0


def _cut(asked: Asked, series: Sequence[Series]) -> tuple[float, float]:
    """The mildest score of a case and the cut below it, oriented."""
    known = asked.instrument
    if asked.cutoff is not None:
        step = known.step if known else _step(series)
        case = asked.sign * asked.cutoff
        return case, case - step / 2
    if known is None or known.oriented_cut is None:
        raise NotJudgedError("needs --cutoff: none is known")
    return known.oriented_cut + known.step / 2, known.oriented_cut


def courses(
    series: Sequence[Series], asked: Asked, found: Limits
) -> tuple[list[Course], Mapping[str, int]]:
    """The courses that can be judged, and how many were left out and why.

    A failure's last two measures average at or above the cut-off, and its improvement from the
    first measure to that average is below the reliable change.
    """
    kept: list[Course] = []
    left = {"began below the cut-off": 0, "too few measures": 0}
    if asked.planned_days is not None:
        left["ended before it was planned"] = 0
    for one in series:
        days = [day - one.points[0][0] for day, _ in one.points]
        scores = [asked.sign * score for _, score in one.points]
        if scores[0] < found.scale.cut:
            left["began below the cut-off"] += 1
        elif asked.planned_days is not None and days[-1] < asked.planned_days:
            left["ended before it was planned"] += 1
        elif len(scores) < asked.min_measures:
            left["too few measures"] += 1
        else:
            end = statistics.fmean(scores[-LAST:])
            gain = scores[0] - end
            failed = end >= found.case and gain < found.scale.reliable_change
            began = one.points[0][0]
            kept.append(Course(one.client, tuple(days), tuple(scores), failed, began=began))
    return kept, left


def check(kept: Sequence[Course], left: Mapping[str, int]) -> None:
    """End here where there is nothing to tell failures from.

    Raises:
        NotJudgedError: no course is left, none failed or none went well.
    """
    why = ", ".join(f"{count} {reason}" for reason, count in left.items() if count)
    if not kept:
        raise NotJudgedError(f"no course can be judged: {why or 'there is none'}")
    failures = sum(course.failed for course in kept)
    if failures in (0, len(kept)):
        which = "failed" if failures == 0 else "went well"
        more = f" (left out: {why})" if why else ""
        raise NotJudgedError(f"of {len(kept)} courses none {which}{more}")
