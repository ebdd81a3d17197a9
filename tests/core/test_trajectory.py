"""A trajectory folded: order, days, baselines, segments, and what taking over must not change."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outcomes.core.assess import assessment, rows, scale, usual_course
from services.outcomes.core.change import classify
from services.outcomes.core.timeline import Measure, in_order, iso, ordinal
from services.outcomes.core.trajectory import Context, Trajectory, build
from tests.core.logbook import YARDSTICKS

PHQ, WHO = YARDSTICKS.specs["phq-9"], YARDSTICKS.specs["who-5"]
START = ordinal("2024-01-01")


def entry(day: int, score: float | None, name: str = "", **more: Any) -> Measure:
    told: dict[str, Any] = {
        "measure": name or f"{day:04}",
        "version": 1,
        "external_id": name,
        "instrument": "phq-9",
        "respondent": "client",
        "on": iso(START + day),
        "at": None,
        "score": score,
        "band": None,
        "flags": (),
        "session_number": None,
        "received_on": iso(START + day),
    }
    return Measure(**(told | more))


def folded(*scores: tuple[int, float | None], **context: Any) -> Trajectory:
    return build("k", PHQ, [entry(*one) for one in scores], Context(**context))


def test_clinical_order_is_date_then_time_then_id() -> None:
    late = entry(7, 1, "a", at="2024-01-08T18:00:00+02:00")
    early = entry(7, 1, "b", at="2024-01-08T15:59:00+00:00")
    untimed, before = entry(7, 1, "c"), entry(6, 1, "d", at="2024-01-07T23:59:00+00:00")
    ordered = in_order([late, early, untimed, before])
    assert [one.measure for one in ordered] == ["d", "c", "b", "a"]


def test_a_baseline_from_before_a_gap_says_so() -> None:
    trajectory = folded((0, 18), (7, 17), (90, 15), opened=START)
    assert trajectory.label == "baseline, from before a gap of 83 days"
    last = trajectory.last
    assert last is not None
    assert (last.number, last.in_segment, last.gap) == (3, 1, 83)
    after = folded((0, 18), (7, 17), (90, 15), (97, 14), opened=START).last
    assert after is not None
    assert (after.number, after.in_segment, after.gap) == (4, 2, 83)
    assert scale(trajectory)["baseline"] == 18


@pytest.mark.parametrize(
    ("context", "label"),
    [
        ({}, "the first measure"),
        ({"opened": START}, "baseline"),
        ({"opened": START - 10}, "late baseline"),
        ({"opened": START - 10, "attended": (START - 9, START - 2)}, "late baseline, session 2"),
        ({"opened": START + 40}, "an early baseline"),
        ({"attended": (START + 3,)}, "baseline"),
    ],
)
def test_baselines_are_called_by_what_they_are(context: dict[str, Any], label: str) -> None:
    assert folded((0, 18), **context).label == label


def test_measures_that_are_not_used_are_still_on_the_chart() -> None:
    entries = [
        entry(0, 18),
        entry(5, 17),
        entry(12, 16, "x"),
        entry(12, 4, "y"),
        entry(19, None),
        entry(26, 15, flags=("conflict",)),
        entry(99, 14),
    ]
    context = Context(opened=START + 5, attended=(START + 5,), closed=START + 60)
    trajectory = build("k", PHQ, entries, context)
    found = rows(trajectory)
    assert [row.number for row in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.used for row in found] == [False, True, False, False, False, False, False]
    assert [row.flags for row in found] == [
        ("before the baseline",), (), ("two on a day",), ("two on a day",), (), ("conflict",),
        ("after closing",),
    ]  # fmt: skip
    reasons = [assessment(trajectory, row, with_fan=False)["not_assessable"] for row in found]
    assert reasons == [
        [],
        ["too_few"],
        ["conflict"],
        ["conflict"],
        ["incomplete"],
        ["conflict"],
        [],
    ]


def test_classes_of_change() -> None:
    trajectory = folded((0, 18), (7, 24), (14, 15), (21, 12), (28, 9))
    first = trajectory.steps[0]
    assert [classify(PHQ, first, step) for step in trajectory.steps] == [
        None,
        "reliably worse",
        "no reliable change",
        "reliably better",
        "recovered",
    ]


def test_the_fan_and_the_level_are_in_the_instruments_own_direction() -> None:
    entries = [entry(day, score, instrument="phq-9") for day, score in ((0, 24), (7, 25), (14, 26))]
    trajectory = build("k", PHQ, entries, Context())
    told = assessment(trajectory, rows(trajectory)[-1], with_fan=True)
    assert told["state"]["level_low"] < told["state"]["level"] < told["state"]["level_high"]
    for point in told["fan"]:
        assert 0 <= point["low80"] <= point["low50"] <= point["mean"]
        assert point["mean"] <= point["high50"] <= point["high80"] <= 27


def test_the_usual_course_starts_at_the_baseline_and_gets_better() -> None:
    course = usual_course(folded((0, 18)))
    assert course[0] == {"weeks": 0, "score": 18}
    assert [one["score"] for one in course] == sorted(
        (one["score"] for one in course), reverse=True
    )
    assert usual_course(build("k", WHO, [entry(0, 40, instrument="who-5")], Context())) == []


SCORES = st.lists(
    st.tuples(st.integers(0, 150), st.integers(0, 27).map(float)), min_size=1, max_size=12
)


@given(SCORES, SCORES)
@settings(deadline=None)
def test_an_earlier_result_only_saves_work(
    one: list[tuple[int, float]], other: list[tuple[int, float]]
) -> None:
    """Whatever was known before, the result and its rows are those of a fold from the start."""
    context = Context(opened=START + 3)
    pool = [entry(day, score, f"{place}") for place, (day, score) in enumerate([*one, *other])]
    before = build("k", PHQ, in_order(pool[: len(one)]), context)
    now = build("k", PHQ, in_order(pool), context, before)
    fresh = build("k", PHQ, in_order(pool), context)
    assert (now.days, now.baseline, now.steps) == (fresh.days, fresh.baseline, fresh.steps)
    assert rows(now, rows(before)) == rows(fresh)


def test_the_shipped_thresholds_are_those_of_the_cohort() -> None:
    """The share of good courses alarmed before their last two measures is near the budget."""
    from simulation.cohort import cohort

    courses = [course for course in cohort(1200, 5) if course.case and not course.failed]
    alarmed = [
        any(
            step.alarm
            for step in folded(*((day, float(score)) for day, score in course.scores)).steps[:-2]
        )
        for course in courses
    ]
    assert len(alarmed) > 400
    assert sum(alarmed) / len(alarmed) == pytest.approx(0.10, abs=0.035)
