"""What a closed course is compared by: one score about six weeks on, against its forecast."""

from statistics import NormalDist
from typing import Any

import pytest

from services.outcomes.core import estimate as filter_
from services.outcomes.core import findings
from tests.core.foretold import MODEL, Points, known
from tests.core.logbook import Sender, played

COURSE = [(0, 14), (7, 21), (14, 22)]


def ended(points: Points, pivots: dict[str, int], close: int) -> findings.CourseEnded:
    def tell(sender: Sender) -> None:
        sender.open(0)
        if pivots:
            sender.approach("CBT", 0)
        for day, score in points:
            sender.measure(f"m{day}", day, score)
        for name, day in pivots.items():
            sender.approach(name, day, origin="reflection")
        sender.close(close)

    (one,) = played(tell).of(findings.CourseEnded)
    assert isinstance(one, findings.CourseEnded)
    return one


def against(points: Points, day: int, score: float) -> dict[str, Any]:
    """A later score beside what the measures before make expected, by the filter alone."""
    estimate = known(points)
    law = filter_.predict(MODEL, estimate, (day - points[-1][0]) / 7)
    sd = (law.high80 - law.mean) / NormalDist().inv_cdf(0.9)
    return {
        "p_fail": pytest.approx(filter_.p_fail(MODEL, estimate, 6), abs=6e-5),
        "difference": pytest.approx(score - law.mean, abs=6e-5),
        "variance": pytest.approx(sd**2, abs=6e-5),
    }


@pytest.mark.parametrize(
    ("later", "nearest"),
    [
        ([(28, 20), (50, 12), (60, 11), (76, 3)], 60),  # six weeks after day 16 is day 58
        ([(52, 12), (64, 9)], 52),  # as near: the earlier
        ([(44, 12), (73, 9)], 44),  # two weeks off
        ([(72, 9)], 72),
        ([(43, 12), (73, 9)], None),
    ],
)
def test_the_measure_nearest_to_six_weeks_after_a_pivot_counts(
    later: Points, nearest: int | None
) -> None:
    told = ended([*COURSE, *later], {"EMDR": 16}, 90)
    expected = [
        {"approach": "EMDR", "channel": "reliable_deterioration", **against(COURSE, day, score)}
        for day, score in later
        if day == nearest
    ]
    assert told.differences == expected
    assert (told.instrument, told.measures) == ("phq-9", len(later) + 3)


def test_a_score_counts_for_the_pivot_before_it_and_not_after_the_next() -> None:
    later = [(28, 9), (35, 6), (45, 5), (58, 4), (90, 5)]
    told = ended([*COURSE, *later], {"EMDR": 14, "ACT": 45}, 120)
    assert told.differences == [
        {"approach": "EMDR", "channel": "reliable_deterioration", **against(COURSE, 45, 5)},
        {"approach": "ACT", "channel": None, **against([*COURSE, *later[:3]], 90, 5)},
    ]


def test_without_a_pivot_the_first_finding_is_held_against_its_forecast() -> None:
    later = [(21, 21), (49, 20), (56, 9)]  # possibly worse from day 7: its day is day 49
    told = ended([*COURSE, *later], {}, 90)
    (one,) = told.differences
    assert one == {"approach": None, "channel": "possibly_worse", **against(COURSE[:2], 49, 20)}


@pytest.mark.parametrize(
    ("points", "pivots"),
    [
        ([(10, 20), (52, 12)], {"EMDR": 9}),  # nothing was known then
        ([*COURSE, (85, 12)], {"EMDR": 43}),  # what was known was too old
        (COURSE, {"EMDR": 16}),  # nothing came after
        ([(0, 14), (7, 14), (56, 5)], {}),  # nothing was found
        ([], {"EMDR": 9}),
    ],
)
def test_where_there_is_no_forecast_or_no_score_nothing_is_compared(
    points: Points, pivots: dict[str, int]
) -> None:
    told = ended(points, pivots, 120)
    assert (told.differences, told.measures) == ([], len(points))
    assert told.instrument == ("phq-9" if points else None)
