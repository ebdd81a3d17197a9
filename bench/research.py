"""How fast courses are folded: one measure by the service, a million by the benchmark of rules."""

import time

from bench.figures import Figure
from services.outcomes.core import estimate
from services.outcomes.core.estimate import Model
from services.outcomes.research.evaluation import benchmark, entered
from services.outcomes.research.evaluation.courses import Course, Courses
from services.outcomes.research.evaluation.made import SCALE, made
from services.outcomes.research.evaluation.ours import Forecast, model_for

SEED = 91
MILLION = 1_000_000
RESAMPLED = 20


def figures(measures: int = MILLION) -> list[Figure]:
    """`fold.scalar` and `evaluate.vectorised`, on made-up courses, each told many times over."""
    few, _ = made([SEED], 2_000, 5, lambda done, of: None)
    model = model_for(SCALE)
    return [_scalar(model, few), _vectorised(_many(few, measures))]


def _scalar(model: Model, courses: list[Course]) -> Figure:
    """Microseconds of processor to take one measure into the estimate."""
    best = min(_pass(model, courses) for _ in range(5))
    measures = sum(len(course.days) for course in courses)
    facts = {"measures": measures, "best_of": 5, "goal": "5 µs a measure"}
    return Figure("fold.scalar", best / measures * 1e6, "µs/measure", None, facts)


def _pass(model: Model, courses: list[Course]) -> float:
    started = time.process_time()
    for course in courses:
        known = estimate.start(model, course.days[0], course.scores[0])
        for day, score in zip(course.days[1:], course.scores[1:], strict=True):
            known = estimate.observe(model, estimate.advance(model, known, day), score)
    return time.process_time() - started


def _vectorised(courses: Courses) -> Figure:
    """Seconds of processor to judge every rule, learning and resampling included."""
    started = time.process_time()
    rules: list[entered.Rule] = [Forecast(), Forecast(learns=True)]
    rules += [entered.in_use(name) for name in entered.IN_USE]
    split = entered.dealt(courses, 5)
    benchmark.run(split, rules, resampled=RESAMPLED, moved=lambda what, done, of: None)
    seconds = time.process_time() - started
    facts = {"measures": courses.measures, "rules": len(rules), "folds": 5,
             "resampled": RESAMPLED, "goal": "60 s"}  # fmt: skip
    return Figure("evaluate.vectorised", seconds, "s", None, facts)


def _many(few: list[Course], measures: int) -> Courses:
    each = sum(len(course.days) for course in few)
    times = max(1, round(measures / each))
    return Courses(
        [
            Course(f"{time_}/{one.client}", one.days, one.scores, one.failed, one.kind)
            for time_ in range(times)
            for one in few
        ],
        SCALE,
    )
