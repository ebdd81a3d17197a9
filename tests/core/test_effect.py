"""The effect of a pivot: what counts as better or worse than was forecast."""

import pytest

from services.outcomes.core.effect import verdict
from services.outcomes.core.estimate import Interval

LAW = Interval(mean=12.0, low50=10.0, high50=14.0, low80=8.0, high80=16.0)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (7.9, "better than forecast"),
        (8.0, "within forecast"),
        (12.0, "within forecast"),
        (16.0, "within forecast"),
        (16.1, "worse than forecast"),
    ],
)
def test_a_score_at_a_limit_lies_within(score: float, said: str) -> None:
    assert verdict(score, LAW) == said
