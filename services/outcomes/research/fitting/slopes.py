"""The model's SD-scaled numbers from closed episodes, judged on clients whom they did not see."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from services.outcomes.core.estimate import DEFAULTS, Defaults
from services.outcomes.core.learning import (
    PARAMETERS,
    Learned,
    Points,
    learn_slope_prior,
    log_likelihood,
)
from services.outcomes.research.evaluation.benchmark import Moved
from services.outcomes.research.evaluation.courses import Course, Courses, Integers, Scale
from services.outcomes.research.evaluation.entered import fold_of
from services.outcomes.research.evaluation.ours import model_for
from services.outcomes.research.evaluation.tabled import NotJudgedError
from services.outcomes.research.fitting.drawn import Draws, Ranged

NEEDED = 300
"""Episodes of two measures or more, below which nothing is fitted."""
MOST, LONGEST = 400, 60
"""Episodes, and measures of each, that numbers are learned from: more change them little and
cost time. All episodes judge them."""
HIGHEST_DAMPING = 0.999
"""What the service takes: at 1 the slope would never end."""


@dataclass(frozen=True, slots=True)
class Refit:
    """What was learned, and what it is worth.

    Attributes:
        numbers: learned from all episodes, rounded as they are written.
        by_fold: learned without the clients of each fold.
        folds: the fold of each client.
        used: episodes that the numbers were learned from.
        gain: log likelihood of a score after the first, given those before it, above that under the
            shipped numbers; of clients whom the numbers did not see.
    """

    numbers: Defaults
    by_fold: Sequence[Defaults]
    folds: dict[str, int]
    episodes: int
    used: int
    measures: int
    gain: Ranged

    @property
    def helps(self) -> bool:
        """Whether the whole interval of the gain is above zero."""
        return self.gain.low > 0


def refit(courses: Sequence[Course], scale: Scale, folds: int, draws: Draws, moved: Moved) -> Refit:
    """Learn from all, and from all but each fold in turn.

    Args:
        courses: closed episodes, oriented; those of one measure say nothing and are left out.
        scale: their scale.
        folds: parts that the clients are dealt into.
        draws: makes the interval of the gain.
        moved: told of the progress.

    Raises:
        NotJudgedError: there are fewer than `NEEDED`.
    """
    telling = Courses([one for one in courses if len(one.scores) > 1], scale)
    if len(telling) < NEEDED:
        raise NotJudgedError(
            f"there are {len(telling)} closed episodes with two measures or more, and the refit "
            f"needs {NEEDED}: what fewer say of how courses differ is mostly chance"
        )
    fold = fold_of(telling, folds)
    parts = [telling.some(fold != number) for number in range(folds)]
    found: list[Defaults] = []
    for part in (*parts, telling):
        moved("refit", len(found), folds + 1)
        found.append(rounded(_learned(part).defaults))
    moved("refit", folds + 1, folds + 1)
    measures = telling.lengths - 1
    return Refit(
        numbers=found[-1],
        by_fold=found[:-1],
        folds={one.client: int(at) for one, at in zip(telling.all, fold, strict=True)},
        episodes=len(telling),
        used=len(_sample(telling)),
        measures=int(measures.sum()),
        gain=draws(np.array(_gains(telling, fold, found)), measures.astype(np.float64)),
    )


def rounded(numbers: Defaults) -> Defaults:
    """The numbers to four digits and within what the service takes, as they are written."""
    four = {one.name: float(f"{getattr(numbers, one.name):.4g}") for one in fields(numbers)}
    return replace(numbers, **four | {"damping": min(four["damping"], HIGHEST_DAMPING)})


def changed() -> tuple[str, ...]:
    """The names of the numbers that are learned; the others stay as shipped."""
    return tuple(one.name for one in PARAMETERS)


def _learned(courses: Courses) -> Learned:
    sample = _sample(courses)
    points = [_points(one)[:LONGEST] for one in sample]
    return learn_slope_prior(points, lambda one: model_for(courses.scale, one))


def _sample(courses: Courses) -> Sequence[Course]:
    """At most `MOST`, at equal steps through them from the longest to the shortest."""
    count = min(len(courses), MOST)
    places = np.linspace(0, len(courses) - 1, count).round().astype(np.int64)
    return [courses.all[int(place)] for place in places]


def _points(course: Course) -> Points:
    return list(zip(course.days, course.scores, strict=True))


def _gains(courses: Courses, fold: Integers, numbers: Sequence[Defaults]) -> list[float]:
    """What each client's scores gain under the numbers that were learned without that client."""
    shipped = model_for(courses.scale, DEFAULTS)
    models = [model_for(courses.scale, one) for one in numbers]
    found = []
    for course, number in zip(courses.all, fold, strict=True):
        points = [_points(course)]
        after = log_likelihood(points, models[int(number)])
        found.append(after - log_likelihood(points, shipped))
    return found
