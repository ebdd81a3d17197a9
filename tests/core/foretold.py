"""What the filter says of a course of PHQ-9 scores; `test_estimate` holds it to other filters."""

import tomllib
from collections.abc import Sequence

from services.outcomes.core import estimate as filter_
from services.outcomes.core.definition import parse
from services.outcomes.core.estimate import Estimate, Model
from tests.core.logbook import FOLDER

Points = Sequence[tuple[int, float]]
"""Day and score of each measure."""
PHQ = parse("phq-9.toml", tomllib.loads((FOLDER / "phq-9.toml").read_text()))


def _model() -> Model:
    made = filter_.model(PHQ)
    assert made is not None
    return made


MODEL = _model()


def known(points: Points) -> Estimate:
    """The estimate after these measures."""
    (day, score), *rest = points
    estimate = filter_.start(MODEL, day, score)
    for day, score in rest:
        estimate = filter_.observe(MODEL, filter_.advance(MODEL, estimate, day), score)
    return estimate
